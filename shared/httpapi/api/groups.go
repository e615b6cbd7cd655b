package api

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/group"
	"paddock/shared/group/config"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/pattern"
	"paddock/shared/permission"
	"paddock/shared/policy"
	"paddock/shared/table"
)

func (f *Face) groupBindings() []*httpapi.Binding {
	const get, post, patch, put, ok = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.StatusOK
	fields := []*fault.Error{&identity.ErrProfile, &group.ErrNameTaken, &group.ErrNoServer, &errPattern, &policy.ErrLarge, new(policy.Limit("groups", "")), &authz.ErrCeiling}
	return []*httpapi.Binding{
		httpapi.Answer(get, "/api/iam/groups/", ok, f.listGroups).Summed("List the groups that the caller may see."),
		httpapi.Create(post, "/api/iam/groups/", http.StatusCreated, f.createGroup).Summed("Make a group.").Refuses(fields...),
		httpapi.Answer(get, "/api/iam/groups/{id}/", ok, f.showGroup).Summed("Show one group."),
		httpapi.Answer(patch, "/api/iam/groups/{id}/", ok, f.patchGroup).Summed("Change a group.").Refuses(fields...).Refuses(&identity.ErrReadOnly, &group.ErrNoGroup),
		httpapi.Answer(http.MethodDelete, "/api/iam/groups/{id}/", http.StatusNoContent, f.deleteGroup).Summed("Delete a group; its members lose what it gave."),
		httpapi.Answer(get, "/api/iam/groups/{id}/config/", ok, f.groupConfig).Summed("Show a group's configuration as YAML."),
		httpapi.Answer(put, "/api/iam/groups/{id}/config/", ok, f.putGroupConfig).Summed("Replace a group's configuration by one in YAML.").Refuses(fields...).Refuses(&errConfig),
		httpapi.Create(post, "/api/iam/groups/import/", http.StatusCreated, f.importGroup).Summed("Make a group of a configuration in YAML.").Refuses(fields...).Refuses(&errConfig),
		httpapi.Answer(get, "/api/iam/memberships/", ok, f.memberships).Summed("List memberships in groups, as a page when one is asked for: of a group, of a user, or one's own."),
		httpapi.Answer(post, "/api/iam/memberships/", http.StatusCreated, f.addMember).Summed("Put somebody into a group.").
			Refuses(&group.ErrMember, &group.ErrManyGroups, &group.ErrUntil, &group.ErrNoUser, &errOneUser, &errGroup, &errMemberRole, &authz.ErrCeiling),
		httpapi.Answer(get, "/api/iam/memberships/{id}/", ok, f.showMember).Summed("Show one membership."),
		httpapi.Answer(patch, "/api/iam/memberships/{id}/", ok, f.patchMember).Summed("Change what somebody is in a group, or until when.").
			Refuses(&group.ErrUntil, &errMemberRole, &authz.ErrCeiling),
		httpapi.Answer(http.MethodDelete, "/api/iam/memberships/{id}/", http.StatusNoContent, f.removeMember).Summed("Take somebody out of a group, or leave it.").
			Refuses(&authz.ErrCeiling),
	}
}

// Refusals of groups.
var (
	errPattern    = fault.Error{Kind: fault.Invalid, Code: "invalid_pattern", Detail: "This is no pattern of server names.", Source: "server_patterns"}
	errConfig     = fault.Error{Kind: fault.Invalid, Code: "invalid_config", Detail: "This is no configuration of a group.", Source: "config"}
	errOneUser    = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "Name a person by user or by username, and not by both.", Source: "user"}
	errGroup      = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "There is no such group.", Source: "group"}
	errMemberRole = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "The role is owner, manager or member.", Source: "role"}
)

// AccessDocument is what an assignment to servers opens. Source: specification,
// "Group configuration".
type AccessDocument struct {
	Terminal    bool `json:"terminal"`
	WebFTP      bool `json:"webftp"`
	DeployShell bool `json:"deploy_shell"`
	Sudo        bool `json:"sudo"`
}

func accessOf(d AccessDocument) (a authz.Access) {
	for i, on := range []bool{d.Terminal, d.WebFTP, d.DeployShell, d.Sudo} {
		if on {
			a |= authz.Accesses[i]
		}
	}
	return a
}

func accessDocument(a authz.Access) AccessDocument {
	return AccessDocument{Terminal: a&authz.Terminal != 0, WebFTP: a&authz.FileAccess != 0, DeployShell: a&authz.DeployShell != 0, Sudo: a&authz.Sudo != 0}
}

// usual is what is opened where nothing is said.
const usual = authz.Terminal | authz.FileAccess

// ServerBrief names a server in other documents. Source: alpacon-wire 3.2.
type ServerBrief struct {
	ID          string  `json:"id"`
	Name        string  `json:"name"`
	OS          *string `json:"os" jsonschema:"nullable"`
	IsConnected bool    `json:"is_connected"`
}

// GroupDocument is a group on the wire. Source: alpacon-wire 3.2; the patterns
// and permissions are ours.
type GroupDocument struct {
	ID          id.ID[id.Group] `json:"id"`
	Name        string          `json:"name"`
	DisplayName string          `json:"display_name"`
	Description string          `json:"description"`
	Tags        string          `json:"tags"`
	NumMembers  int             `json:"num_members"`
	// MembersNames are the first of them.
	MembersNames   []string       `json:"members_names"`
	GID            int            `json:"gid"`
	IsLDAPGroup    bool           `json:"is_ldap_group"`
	Servers        []ServerBrief  `json:"servers"`
	ServerPatterns []string       `json:"server_patterns"`
	Permissions    AccessDocument `json:"permissions"`
	Roles          []string       `json:"roles"`
	AddedAt        time.Time      `json:"added_at"`
	UpdatedAt      time.Time      `json:"updated_at"`
	// Allowed are the permissions that the caller holds on the group, of those
	// that change it or tell who is in it, as resource:action. What is handed out
	// with them has its own bound.
	Allowed []string `json:"allowed"`
}

// onGroups are the permissions that a group's document tells of.
var onGroups = []permission.Permission{
	permission.UpdateGroup, permission.DeleteGroup, permission.ReadMembership, permission.CreateMembership,
}

// membersNamed is how many members a group's document names.
const membersNamed = 20

// document returns a group with how many are in it, and the names of the first.
func (f *Face) document(c httpapi.Call, g group.Group, p *authz.Policy) (GroupDocument, error) {
	fields := group.FieldsOf(g, p)
	d := GroupDocument{
		ID: g.ID, Name: g.Name, DisplayName: g.DisplayName, Description: g.Description, Tags: g.Tags, GID: g.GID, AddedAt: g.AddedAt, UpdatedAt: g.UpdatedAt,
		MembersNames: []string{}, Servers: []ServerBrief{}, ServerPatterns: []string{}, Roles: []string{}, Permissions: accessDocument(fields.Access),
	}
	for _, s := range fields.Servers {
		if server, _, ok := p.Server(s); ok {
			d.Servers = append(d.Servers, ServerBrief{ID: s.String(), Name: server.Name})
		}
	}
	for _, n := range fields.Names {
		d.ServerPatterns = append(d.ServerPatterns, n.String())
	}
	if row, ok := p.Group(g.ID.UUID()); ok {
		for _, r := range row.Roles {
			d.Roles = append(d.Roles, r.String())
		}
	}
	d.Allowed = []string{}
	who, now := c.Principal(), c.Now()
	object := authz.Object{ID: g.ID.UUID(), Name: g.Name}
	for _, what := range onGroups {
		if authz.May(&who, what, object, now) {
			d.Allowed = append(d.Allowed, what.String())
		}
	}
	if !authz.May(&who, permission.ReadMembership, object, now) {
		return d, nil // who else is in a group is not its members' business
	}
	d.NumMembers = g.Members(now)
	members, err := f.groups.Members(c.Context(), c.Allowed, g.ID, membersNamed)
	if err != nil {
		return d, err
	}
	var ids []id.ID[id.Principal]
	for _, m := range members {
		ids = append(ids, m.User)
	}
	users, err := f.people.Users(c.Context(), c.Allowed, ids)
	for _, u := range users {
		d.MembersNames = append(d.MembersNames, u.DisplayName())
	}
	return d, err
}

// GroupsQuery narrows the list of groups.
type GroupsQuery struct {
	// Name matches exactly.
	Name *string `query:"name,omitempty"`
	// Search is a part of the name, in large or small letters.
	Search *string `query:"search,omitempty"`
	httpapi.PageQuery
}

func (q GroupsQuery) names(g authz.Group) bool {
	return (q.Name == nil || *q.Name == g.Name) &&
		(q.Search == nil || strings.Contains(strings.ToLower(g.Name), strings.ToLower(*q.Search)))
}

func (f *Face) listGroups(c httpapi.Call, in GroupsQuery) (httpapi.Page[GroupDocument], error) {
	none := httpapi.Page[GroupDocument]{}
	who := c.Principal()
	var seen []authz.Group
	for _, g := range c.Who.Policy.Groups() {
		if in.names(g) && authz.May(&who, permission.ReadGroup, authz.Object{ID: g.ID, Name: g.Name}, c.Now()) {
			seen = append(seen, g)
		}
	}
	slices.SortFunc(seen, func(a, b authz.Group) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID.String(), b.ID.String()))
	})
	page := httpapi.Cut(seen, in.Window(), func(g authz.Group) id.ID[id.Group] { return id.Of[id.Group](g.ID) })
	groups, err := f.groups.Some(c.Context(), c.Allowed, page.Results)
	if err != nil {
		return none, err
	}
	out := httpapi.Page[GroupDocument]{Count: page.Count, Current: page.Current, Next: page.Next, Previous: page.Previous, Last: page.Last}
	out.Results, err = each(groups, func(g group.Group) (GroupDocument, error) { return f.document(c, g, c.Who.Policy) })
	return out, err
}

// each returns what turn makes of all, a few at a time.
func each[S, T any](all []S, turn func(S) (T, error)) ([]T, error) {
	const atOnce = 8
	out, errs := make([]T, len(all)), make([]error, len(all))
	places := make(chan int)
	var wg sync.WaitGroup
	for range min(atOnce, len(all)) {
		wg.Go(func() {
			for i := range places {
				out[i], errs[i] = turn(all[i])
			}
		})
	}
	for i := range all {
		places <- i
	}
	close(places)
	wg.Wait()
	return out, cmp.Or(errs...)
}

// NewGroup is the body of a new group. Source: alpacon-wire 3.2.
type NewGroup struct {
	Name        string `json:"name" jsonschema:"minLength=1,maxLength=100"`
	DisplayName string `json:"display_name,omitempty" jsonschema:"maxLength=200"`
	Description string `json:"description,omitempty" jsonschema:"maxLength=1000"`
	Tags        string `json:"tags,omitempty" jsonschema:"maxLength=200"`
	// IsLDAPGroup must be false: groups come from no directory.
	IsLDAPGroup bool               `json:"is_ldap_group,omitempty"`
	Servers     []id.ID[id.Server] `json:"servers,omitempty"`
	// ServerPatterns are patterns of server names: * stands for any characters.
	ServerPatterns []string `json:"server_patterns,omitempty"`
	// Permissions default to terminal and webftp.
	Permissions *AccessDocument `json:"permissions,omitempty"`
}

func (in NewGroup) fields() (group.Fields, error) {
	if in.IsLDAPGroup {
		return group.Fields{}, identity.ErrReadOnly.In("is_ldap_group")
	}
	out := group.Fields{Name: in.Name, DisplayName: in.DisplayName, Description: in.Description, Tags: in.Tags, Access: usual}
	if in.Permissions != nil {
		out.Access = accessOf(*in.Permissions)
	}
	for _, s := range in.Servers {
		out.Servers = append(out.Servers, s.UUID())
	}
	var err error
	out.Names, err = namesOf(in.ServerPatterns)
	return out, err
}

// namesOf reads patterns of server names.
func namesOf(texts []string) ([]pattern.Pattern, error) {
	var out []pattern.Pattern
	for _, text := range texts {
		p, err := pattern.Parse(pattern.Name, text)
		if err != nil {
			return nil, errPattern.Saying("The pattern " + quoted(text) + ": " + err.Error())
		}
		out = append(out, p)
	}
	return out, nil
}

// quoted returns a text as a refusal shows it, not all of it when it is long.
func quoted(text string) string {
	const most = 60
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "…"
	}
	return `"` + text + `"`
}

func (f *Face) createGroup(c httpapi.Call, in NewGroup, keep httpapi.Keep[GroupDocument]) (GroupDocument, error) {
	fields, err := in.fields()
	if err != nil {
		return GroupDocument{}, err
	}
	return f.makeGroup(c, fields, keep)
}

func (f *Face) makeGroup(c httpapi.Call, fields group.Fields, keep httpapi.Keep[GroupDocument]) (GroupDocument, error) {
	var d GroupDocument
	_, err := f.groups.Create(c.Context(), c.Allowed, c.Who.UserItem, fields, func(g group.Group, after *authz.Policy) ([]table.Op, error) {
		var err error
		if d, err = f.document(c, g, after); err != nil {
			return nil, err
		}
		return keep(d)
	})
	return d, c.Ceiling(err)
}

func (f *Face) showGroup(c httpapi.Call, _ httpapi.None) (GroupDocument, error) {
	g, err := groupOf(c)
	if err != nil {
		return GroupDocument{}, err
	}
	return f.document(c, g, c.Who.Policy)
}

func groupOf(c httpapi.Call) (group.Group, error) {
	item, err := c.Item()
	if err != nil {
		return group.Group{}, err
	}
	return group.Decode(item)
}

// GroupPatch is a change of a group. Clients send the whole document back: a
// field that cannot be changed here is refused by name when its value differs.
type GroupPatch struct {
	Name           *string         `json:"name,omitempty" jsonschema:"minLength=1,maxLength=100"`
	DisplayName    *string         `json:"display_name,omitempty" jsonschema:"maxLength=200"`
	Description    *string         `json:"description,omitempty" jsonschema:"maxLength=1000"`
	Tags           *string         `json:"tags,omitempty" jsonschema:"maxLength=200"`
	Servers        *[]ServerRef    `json:"servers,omitempty"`
	ServerPatterns *[]string       `json:"server_patterns,omitempty"`
	Permissions    *AccessDocument `json:"permissions,omitempty"`
	ID             *string         `json:"id,omitempty"`
	GID            *int            `json:"gid,omitempty"`
	IsLDAPGroup    *bool           `json:"is_ldap_group,omitempty"`
	Roles          *[]string       `json:"roles,omitempty"`
	AddedAt        *time.Time      `json:"added_at,omitempty"`
}

// ServerRef names a server; what else its brief says is not read.
type ServerRef struct {
	ID          id.ID[id.Server] `json:"id"`
	Name        string           `json:"name,omitempty"`
	OS          *string          `json:"os,omitempty"`
	IsConnected bool             `json:"is_connected,omitempty"`
}

// fixed refuses a field that is named otherwise than it is.
func (in GroupPatch) fixed(g group.Group, p *authz.Policy) error {
	var roles []string
	if row, ok := p.Group(g.ID.UUID()); ok {
		for _, r := range row.Roles {
			roles = append(roles, r.String())
		}
	}
	for _, field := range []struct {
		name   string
		differ bool
	}{
		{"id", in.ID != nil && *in.ID != g.ID.String()},
		{"gid", in.GID != nil && *in.GID != g.GID},
		{"is_ldap_group", in.IsLDAPGroup != nil && *in.IsLDAPGroup},
		{"roles", in.Roles != nil && !slices.Equal(*in.Roles, roles)},
		{"added_at", in.AddedAt != nil && !in.AddedAt.Equal(g.AddedAt)},
	} {
		if field.differ {
			return identity.ErrReadOnly.In(field.name)
		}
	}
	return nil
}

func (in GroupPatch) apply(f group.Fields) (group.Fields, error) {
	for _, t := range []struct{ at, want *string }{{&f.Name, in.Name}, {&f.DisplayName, in.DisplayName}, {&f.Description, in.Description}, {&f.Tags, in.Tags}} {
		if t.want != nil {
			*t.at = *t.want
		}
	}
	if in.Servers != nil {
		f.Servers = nil
		for _, s := range *in.Servers {
			f.Servers = append(f.Servers, s.ID.UUID())
		}
	}
	if in.Permissions != nil {
		f.Access = accessOf(*in.Permissions)
	}
	var err error
	if in.ServerPatterns != nil {
		f.Names, err = namesOf(*in.ServerPatterns)
	}
	return f, err
}

func (f *Face) patchGroup(c httpapi.Call, in GroupPatch) (GroupDocument, error) {
	g, err := groupOf(c)
	if err != nil {
		return GroupDocument{}, err
	}
	if err := in.fixed(g, c.Who.Policy); err != nil {
		return GroupDocument{}, err
	}
	return f.changeGroup(c, in.apply)
}

func (f *Face) changeGroup(c httpapi.Call, change func(group.Fields) (group.Fields, error)) (GroupDocument, error) {
	item, err := c.Item()
	if err != nil {
		return GroupDocument{}, err
	}
	g, after, err := f.groups.Update(c.Context(), c.Allowed, c.Who.UserItem, item, change)
	if err != nil {
		return GroupDocument{}, c.Ceiling(err)
	}
	return f.document(c, g, after)
}

func (f *Face) deleteGroup(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	item, err := c.Item()
	if err != nil {
		return httpapi.None{}, err
	}
	return httpapi.None{}, f.groups.Delete(c.Context(), c.Allowed, c.Who.UserItem, item)
}

// ConfigDocument is a group's configuration as YAML. Source: specification,
// "Group configuration".
type ConfigDocument struct {
	Config string `json:"config"`
}

func configOf(f group.Fields) config.Config {
	return config.Config{Name: f.Name, Description: f.Description, Servers: f.Names, Permissions: config.Permissions(accessDocument(f.Access))}
}

// fields returns what a configuration says; what it does not speak of stays.
func (d ConfigDocument) fields(f group.Fields) (group.Fields, error) {
	parsed, err := config.ParseConfig(d.Config)
	if err != nil {
		return f, errConfig.Saying(err.Error())
	}
	f.Name, f.Description, f.Names, f.Access = parsed.Name, parsed.Description, parsed.Servers, accessOf(AccessDocument(parsed.Permissions))
	return f, nil
}

func (f *Face) groupConfig(c httpapi.Call, _ httpapi.None) (ConfigDocument, error) {
	g, err := groupOf(c)
	return ConfigDocument{Config: configOf(group.FieldsOf(g, c.Who.Policy)).String()}, err
}

func (f *Face) putGroupConfig(c httpapi.Call, in ConfigDocument) (GroupDocument, error) {
	return f.changeGroup(c, in.fields)
}

func (f *Face) importGroup(c httpapi.Call, in ConfigDocument, keep httpapi.Keep[GroupDocument]) (GroupDocument, error) {
	fields, err := in.fields(group.Fields{})
	if err != nil {
		return GroupDocument{}, err
	}
	return f.makeGroup(c, fields, keep)
}
