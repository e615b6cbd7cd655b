package api

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/pattern"
	"paddock/shared/permission"
	"paddock/shared/policy"
	"paddock/shared/server"
	"paddock/shared/workspace"
)

func (f *Face) serverBindings() []*httpapi.Binding {
	const get, post, patch, remove, ok, gone = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete, http.StatusOK, http.StatusNoContent
	return slices.Concat(f.registrationBindings(), f.assignmentBindings(), f.noteBindings(), []*httpapi.Binding{
		httpapi.Answer(get, "/api/servers/servers/", ok, f.listServers).Summed("List the servers that the caller may see."),
		httpapi.Answer(get, "/api/servers/servers/{id}/", ok, f.showServer).Summed("Show one server."),
		httpapi.Answer(patch, "/api/servers/servers/{id}/", ok, f.patchServer).Summed("Rename a server, give it away or name its managers.").
			Refuses(&server.ErrName, &server.ErrNameTaken, &identity.ErrPerson, &server.ErrManyManagers, &server.ErrGone, &identity.ErrReadOnly, &policy.ErrLarge, &authz.ErrCeiling).Refuses(httpapi.FreshRefusals...),
		httpapi.Answer(remove, "/api/servers/servers/{id}/", gone, f.deleteServer).Summed("Delete a server, with its assignments and notes."),
		httpapi.Answer(post, "/api/servers/servers/{id}/actions/", gone, f.actOnServer).Summed("Have a server's agent do something; with a fresh proof where the workspace asks for it.").
			Refuses(&errAction, &server.ErrNotConnected).Refuses(httpapi.FreshRefusals...),
	})
}

// ServerStatus is how a server fares. Source: alpacon-wire 4.1.
type ServerStatus struct {
	Code     string   `json:"code"`
	Icon     string   `json:"icon"`
	Text     string   `json:"text"`
	Color    string   `json:"color"`
	Messages []string `json:"messages"`
}

// ServerDocument is a server on the wire. Source: alpacon-wire 4.1; platform,
// managers and added_at are ours. What an agent would report is null while none
// is connected.
type ServerDocument struct {
	ID           string        `json:"id"`
	Name         string        `json:"name"`
	Platform     string        `json:"platform"`
	RemoteIP     *string       `json:"remote_ip" jsonschema:"nullable"`
	Status       *ServerStatus `json:"status" jsonschema:"nullable"`
	IsConnected  bool          `json:"is_connected"`
	Commissioned bool          `json:"commissioned"`
	Starred      bool          `json:"starred"`
	OSName       *string       `json:"os_name" jsonschema:"nullable"`
	OSVersion    *string       `json:"os_version" jsonschema:"nullable"`
	Owner        Brief         `json:"owner"`
	Managers     []Brief       `json:"managers"`
	// Groups are the names of those groups of the caller's sight that open the
	// server, by id or by pattern.
	Groups  []string  `json:"groups"`
	AddedAt time.Time `json:"added_at"`
	// Allowed are the permissions that the caller holds on the server, of those
	// that change it, its assignments and its notes, as resource:action. What is
	// handed out with them has its own bound.
	Allowed []string `json:"allowed"`
}

// onServers are the permissions that a server's document tells of.
var onServers = []permission.Permission{
	permission.UpdateServer, permission.DeleteServer,
	permission.ReadAssignment, permission.CreateAssignment, permission.DeleteAssignment,
	permission.ReadNote, permission.CreateNote, permission.UpdateNote, permission.DeleteNote,
}

// documents returns servers as documents, in the order given.
func (f *Face) documents(c httpapi.Call, rows []authz.Server, p *authz.Policy) ([]ServerDocument, error) {
	ids := make([]id.UUID, len(rows))
	var people []id.UUID
	for i, s := range rows {
		ids[i] = s.ID
		people = append(append(people, s.Owner), s.Managers...)
	}
	kept, err := f.servers.Some(c.Context(), c.Allowed, ids)
	if err != nil {
		return nil, err
	}
	named, err := f.namesFor(c, people)
	if err != nil {
		return nil, err
	}
	groups := openers(c, p)
	who, now := c.Principal(), c.Now()
	who.Policy = p
	out := make([]ServerDocument, 0, len(rows))
	for _, s := range rows {
		d := ServerDocument{
			ID: s.ID.String(), Name: s.Name, Platform: kept[s.ID].Platform, Owner: named(s.Owner), Managers: []Brief{}, Groups: openedBy(groups, s),
			AddedAt: s.ID.Time(), Allowed: []string{},
		}
		for _, what := range onServers {
			if authz.May(&who, what, s.Object(), now) {
				d.Allowed = append(d.Allowed, what.String())
			}
		}
		for _, m := range s.Managers {
			d.Managers = append(d.Managers, named(m))
		}
		out = append(out, d)
	}
	return out, nil
}

// briefs returns how people are named; who is gone has an id alone.
func (f *Face) namesFor(c httpapi.Call, ids []id.UUID) (func(id.UUID) Brief, error) {
	all := map[id.UUID]Brief{}
	var ask []id.ID[id.Principal]
	for _, u := range ids {
		if _, asked := all[u]; !asked && !u.Zero() {
			all[u] = Brief{ID: id.Of[id.Principal](u)}
			ask = append(ask, id.Of[id.Principal](u))
		}
	}
	for some := range slices.Chunk(ask, 100) {
		users, err := f.people.Users(c.Context(), c.Allowed, some)
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			all[u.ID.UUID()] = Brief{ID: u.ID, Name: u.DisplayName(), Email: u.Email}
		}
	}
	return func(u id.UUID) Brief { return all[u] }, nil
}

// openers returns the groups that open servers and that the caller may see.
func openers(c httpapi.Call, p *authz.Policy) []authz.Group {
	who := c.Principal()
	who.Policy = p
	var out []authz.Group
	for _, g := range p.Groups() {
		if g.Access != 0 && len(g.Servers)+len(g.Names) > 0 && authz.May(&who, permission.ReadGroup, authz.Object{ID: g.ID, Name: g.Name}, c.Now()) {
			out = append(out, g)
		}
	}
	return out
}

// openedBy returns the names of those groups that open a server.
func openedBy(groups []authz.Group, s authz.Server) []string {
	out := []string{}
	for _, g := range groups {
		if slices.Contains(g.Servers, s.ID) || slices.ContainsFunc(g.Names, func(n pattern.Pattern) bool { return n.Match(s.Name) }) {
			out = append(out, g.Name)
		}
	}
	slices.Sort(out)
	return out
}

// ServersQuery narrows the list of servers.
type ServersQuery struct {
	// Name matches exactly: a name or an id.
	Name *string `query:"name,omitempty"`
	// Search is a part of a name, in large or small letters.
	Search *string `query:"search,omitempty"`
	httpapi.PageQuery
}

func (in ServersQuery) asks(s authz.Server) bool {
	return (in.Name == nil || *in.Name == s.Name || *in.Name == s.ID.String()) &&
		(in.Search == nil || strings.Contains(strings.ToLower(s.Name), strings.ToLower(*in.Search)))
}

func (f *Face) listServers(c httpapi.Call, in ServersQuery) (httpapi.Page[ServerDocument], error) {
	who := c.Principal()
	may := who.Effective(c.Now())
	var seen []authz.Server
	for at, s := range c.Who.Policy.Servers() {
		if may.Server(permission.ReadServer, at) && in.asks(s) {
			seen = append(seen, s)
		}
	}
	slices.SortFunc(seen, server.ByName)
	page := httpapi.Cut(seen, in.Window(), func(s authz.Server) authz.Server { return s })
	out := httpapi.Page[ServerDocument]{Count: page.Count, Current: page.Current, Next: page.Next, Previous: page.Previous, Last: page.Last}
	var err error
	out.Results, err = f.documents(c, page.Results, c.Who.Policy)
	return out, err
}

// serverOf returns the server that a path names.
func serverOf(c httpapi.Call) (authz.Server, error) {
	item, err := c.Item()
	if err != nil {
		return authz.Server{}, err
	}
	kept, err := server.Decode(item)
	if err != nil {
		return authz.Server{}, err
	}
	row, _, ok := c.Who.Policy.Server(kept.ID.UUID())
	if !ok {
		return authz.Server{}, server.ErrGone
	}
	return *row, nil
}

func (f *Face) showServer(c httpapi.Call, _ httpapi.None) (ServerDocument, error) {
	row, err := serverOf(c)
	if err != nil {
		return ServerDocument{}, err
	}
	return f.serverDocument(c, row, c.Who.Policy)
}

func (f *Face) serverDocument(c httpapi.Call, row authz.Server, p *authz.Policy) (ServerDocument, error) {
	all, err := f.documents(c, []authz.Server{row}, p)
	if err != nil {
		return ServerDocument{}, err
	}
	return all[0], nil
}

// UserRef names a person; what else their brief says is not read.
type UserRef struct {
	ID    id.ID[id.Principal] `json:"id"`
	Name  string              `json:"name,omitempty"`
	Email string              `json:"email,omitempty"`
}

// ServerPatch is a change of a server. Clients send the whole document back: a
// field that cannot be changed here is refused by name when its value differs.
type ServerPatch struct {
	Name         *string    `json:"name,omitempty" jsonschema:"minLength=1,maxLength=64"`
	Owner        *UserRef   `json:"owner,omitempty"`
	Managers     *[]UserRef `json:"managers,omitempty"`
	ID           *string    `json:"id,omitempty"`
	Platform     *string    `json:"platform,omitempty"`
	IsConnected  *bool      `json:"is_connected,omitempty"`
	Commissioned *bool      `json:"commissioned,omitempty"`
	Starred      *bool      `json:"starred,omitempty"`
	Groups       *[]string  `json:"groups,omitempty"`
	AddedAt      *time.Time `json:"added_at,omitempty"`
}

// fixed refuses a field that is named otherwise than it is.
func (in ServerPatch) fixed(d ServerDocument) error {
	for _, field := range []struct {
		name   string
		differ bool
	}{
		{"id", in.ID != nil && *in.ID != d.ID},
		{"platform", in.Platform != nil && *in.Platform != d.Platform},
		{"is_connected", in.IsConnected != nil && *in.IsConnected != d.IsConnected},
		{"commissioned", in.Commissioned != nil && *in.Commissioned != d.Commissioned},
		{"starred", in.Starred != nil && *in.Starred != d.Starred},
		{"groups", in.Groups != nil && !slices.Equal(*in.Groups, d.Groups)},
		{"added_at", in.AddedAt != nil && !in.AddedAt.Equal(d.AddedAt)},
	} {
		if field.differ {
			return identity.ErrReadOnly.In(field.name)
		}
	}
	return nil
}

func (in ServerPatch) change() server.Change {
	c := server.Change{Name: in.Name}
	if in.Owner != nil {
		c.Owner = &in.Owner.ID
	}
	if in.Managers != nil {
		managers := []id.ID[id.Principal]{}
		for _, m := range *in.Managers {
			managers = append(managers, m.ID)
		}
		c.Managers = &managers
	}
	return c
}

// gives reports whether the change makes somebody owner or manager.
func (in ServerPatch) gives(row authz.Server) bool {
	return in.Owner != nil && in.Owner.ID.UUID() != row.Owner ||
		in.Managers != nil && slices.ContainsFunc(*in.Managers, func(m UserRef) bool { return !slices.Contains(row.Managers, m.ID.UUID()) })
}

// Opening is a pattern that opens a server since it has its name, and to whom.
type Opening struct {
	Pattern string `json:"pattern"`
	// By is role, group or assignment.
	By string `json:"by"`
	// Group is the group that is opened to, if one is and the caller may see it.
	Group string `json:"group,omitempty"`
}

// ChangedServer is a server with what its new name brought.
type ChangedServer struct {
	ServerDocument
	// Opened are the patterns that open the server since it has its new name.
	Opened []Opening `json:"opened"`
	// OpenedUsers is to how many people they open it; null: too many groups and
	// roles to tell.
	OpenedUsers *int `json:"opened_users_n" jsonschema:"nullable"`
}

func (f *Face) patchServer(c httpapi.Call, in ServerPatch) (ChangedServer, error) {
	row, err := serverOf(c)
	if err != nil {
		return ChangedServer{}, err
	}
	before, err := f.serverDocument(c, row, c.Who.Policy)
	if err != nil {
		return ChangedServer{}, err
	}
	if err := in.fixed(before); err != nil {
		return ChangedServer{}, err
	}
	if in.gives(row) || in.Name != nil && len(c.Who.Policy.Opened(permission.Server, row.Name, *in.Name)) > 0 {
		if c.Allowed, err = c.FreshForGift(); err != nil {
			return ChangedServer{}, err
		}
	}
	after, audience, err := f.servers.Update(c.Context(), c.Allowed, c.Who.UserItem, id.Of[id.Server](row.ID), in.change())
	if err != nil {
		return ChangedServer{}, c.Ceiling(err)
	}
	now, _, ok := after.Server(row.ID)
	if !ok {
		return ChangedServer{}, server.ErrGone
	}
	d, err := f.serverDocument(c, *now, after)
	return ChangedServer{ServerDocument: d, Opened: f.openings(c, audience, after), OpenedUsers: usersOf(audience)}, err
}

func usersOf(a server.Audience) *int {
	if a.Users < 0 {
		return nil
	}
	return &a.Users
}

func (f *Face) openings(c httpapi.Call, a server.Audience, p *authz.Policy) []Opening {
	who := c.Principal()
	who.Policy = p
	out := []Opening{}
	for _, o := range a.Openings {
		line, of := Opening{Pattern: o.Name.String(), By: "assignment"}, o.Subject
		switch o.Reason.What {
		case "role":
			line.By = "role"
		case "servers of group":
			line.By, of = "group", o.Reason.Of
		}
		if g, ok := p.Group(of); ok && authz.May(&who, permission.ReadGroup, authz.Object{ID: g.ID, Name: g.Name}, c.Now()) {
			line.Group = g.Name
		}
		out = append(out, line)
	}
	return out
}

func (f *Face) deleteServer(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	item, err := c.Item()
	if err != nil {
		return httpapi.None{}, err
	}
	return httpapi.None{}, f.servers.Delete(c.Context(), c.Allowed, c.Who.UserItem, item)
}

// actions are what agents do on request. Source: alpacon-wire 4.1.
var actions = []string{"reboot_system", "shutdown_system", "upgrade_system", "update_information", "upgrade_agent", "restart_agent", "shutdown_agent"}

var errAction = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "There is no such action.", Source: "action"}

// ServerAction is what an agent shall do. Source: alpacon-wire 4.1.
type ServerAction struct {
	Action string `json:"action"`
	// Force does it although people work on the server.
	Force bool `json:"force,omitempty"`
}

func (f *Face) actOnServer(c httpapi.Call, in ServerAction) (httpapi.None, error) {
	if !slices.Contains(actions, in.Action) {
		return httpapi.None{}, errAction
	}
	if c.Who.Workspace.Security.Demands(workspace.ServerActions) {
		if _, err := c.FreshFor(permission.OperateServer); err != nil {
			return httpapi.None{}, err
		}
	}
	return httpapi.None{}, server.ErrNotConnected // no agent connects yet
}
