package api

import (
	"cmp"
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
	"paddock/shared/role"
	"paddock/shared/table"
)

func (f *Face) roleBindings() []*httpapi.Binding {
	const get, post, patch, remove, ok = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete, http.StatusOK
	fields := []*fault.Error{
		&identity.ErrProfile, &role.ErrNameTaken, &role.ErrEmpty, &role.ErrReserved, &role.ErrUnscoped, &errPermission, &errPattern,
		&policy.ErrLarge, new(policy.Limit("roles", "")), &authz.ErrCeiling,
	}
	return []*httpapi.Binding{
		httpapi.Answer(get, "/api/iam/permissions/", ok, listPermissions).Summed("List the permissions that roles and tokens speak of."),
		httpapi.Answer(get, "/api/iam/roles/", ok, f.listRoles).Summed("List the roles, built-in ones first."),
		httpapi.Create(post, "/api/iam/roles/", http.StatusCreated, f.createRole).Summed("Make a custom role.").Refuses(fields...),
		httpapi.Answer(get, "/api/iam/roles/{id}/", ok, f.showRole).Summed("Show one custom role."),
		httpapi.Answer(patch, "/api/iam/roles/{id}/", ok, f.patchRole).Summed("Change a custom role, for all who have it.").Refuses(fields...).Refuses(&identity.ErrReadOnly),
		httpapi.Answer(remove, "/api/iam/roles/{id}/", http.StatusNoContent, f.deleteRole).Summed("Delete a custom role; nobody has it any more."),
		httpapi.Answer(get, "/api/iam/role-assignments/", ok, f.listAssignments).Summed("List who has a role, the roles that somebody or a group has, or one's own."),
		httpapi.Answer(post, "/api/iam/role-assignments/", http.StatusCreated, f.assignRole).Summed("Give a role to a user, a group or an application.").
			Refuses(&role.ErrAssigned, &role.ErrManyRoles, &role.ErrUntil, &role.ErrNoUser, &role.ErrNoGroup, &role.ErrNoApplication, &errRole, &errSubject, &policy.ErrLarge, &authz.ErrCeiling),
		httpapi.Answer(remove, "/api/iam/role-assignments/{id}/", http.StatusNoContent, f.unassignRole).Summed("Take a role away from who has it."),
	}
}

// Refusals of roles.
var (
	errPermission = fault.Error{Kind: fault.Invalid, Code: "invalid_permission", Detail: "There is no such permission.", Source: "permissions"}
	errRole       = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "There is no such role.", Source: "role"}
	errSubject    = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "Name one of a user, a group and an application.", Source: "user"}
)

// PermissionDocument is one permission of the catalogue.
type PermissionDocument struct {
	Permission string `json:"permission"`
	Resource   string `json:"resource"`
	Action     string `json:"action"`
	// Scoped tells whether it speaks of objects that a role's scope can name.
	Scoped bool `json:"scoped"`
	// Reserved permissions are in no custom role.
	Reserved bool `json:"reserved"`
}

func listPermissions(_ httpapi.Call, _ httpapi.None) ([]PermissionDocument, error) {
	var out []PermissionDocument
	for _, p := range permission.Catalogue {
		out = append(out, PermissionDocument{
			Permission: p.String(), Resource: p.Resource.String(), Action: p.Action.String(),
			Scoped: authz.OfObjects(p), Reserved: authz.Reserved.Has(p),
		})
	}
	slices.SortFunc(out, func(a, b PermissionDocument) int { return strings.Compare(a.Permission, b.Permission) })
	return out, nil
}

// ScopeDocument says on which objects a role counts; without any: everywhere.
type ScopeDocument struct {
	Objects  []string `json:"objects"`
	Patterns []string `json:"patterns"`
}

func scopeDocument(s authz.Scope) ScopeDocument {
	d := ScopeDocument{Objects: []string{}, Patterns: []string{}}
	for _, o := range s.Objects {
		d.Objects = append(d.Objects, o.String())
	}
	for _, n := range s.Names {
		d.Patterns = append(d.Patterns, n.String())
	}
	return d
}

// ScopeFields are a scope as clients write it.
type ScopeFields struct {
	// Objects are ids of servers, groups, users or applications.
	Objects []string `json:"objects,omitempty"`
	// Patterns are patterns of names: * stands for any characters.
	Patterns []string `json:"patterns,omitempty"`
}

func (s ScopeFields) scope() (authz.Scope, error) {
	var out authz.Scope
	for _, text := range s.Objects {
		o, err := id.ParseUUID(text)
		if err != nil {
			return out, errPattern.In("scope").Saying("The object " + quoted(text) + " is no id.")
		}
		out.Objects = append(out.Objects, o)
	}
	for _, text := range s.Patterns {
		n, err := pattern.Parse(pattern.Name, text)
		if err != nil {
			return out, errPattern.In("scope").Saying("The pattern " + quoted(text) + ": " + err.Error())
		}
		out.Names = append(out.Names, n)
	}
	return out, nil
}

func setOf(texts []string) (permission.Set, error) {
	var out permission.Set
	for _, text := range texts {
		p, err := permission.Parse(text)
		if err != nil {
			return out, errPermission.Saying("There is no permission " + quoted(text) + ".")
		}
		out = out.Union(permission.SetOf(p))
	}
	return out, nil
}

// RoleDocument is a role. Built-in ones have their name as id and come with a
// role setting.
type RoleDocument struct {
	ID          string        `json:"id"`
	Name        string        `json:"name"`
	Description string        `json:"description"`
	BuiltIn     bool          `json:"built_in"`
	Permissions []string      `json:"permissions"`
	Scope       ScopeDocument `json:"scope"`
	AddedAt     time.Time     `json:"added_at,omitzero"`
	UpdatedAt   time.Time     `json:"updated_at,omitzero"`
}

func roleDocument(r role.Role, p *authz.Policy) RoleDocument {
	f := role.FieldsOf(r, p)
	return RoleDocument{
		ID: r.ID.String(), Name: r.Name, Description: r.Description, Permissions: permissionTexts(f.Permissions), Scope: scopeDocument(f.Scope),
		AddedAt: r.AddedAt, UpdatedAt: r.UpdatedAt,
	}
}

func permissionTexts(s permission.Set) []string {
	out := []string{}
	for _, p := range s.Permissions() {
		out = append(out, p.String())
	}
	slices.Sort(out)
	return out
}

// builtIns are the roles that come with role settings.
func builtIns() []RoleDocument {
	var out []RoleDocument
	for _, setting := range []authz.RoleSetting{authz.Staff, authz.Superuser} {
		out = append(out, RoleDocument{
			ID: setting.BuiltIn(), Name: setting.BuiltIn(), Description: "Comes with being " + setting.String() + ".", BuiltIn: true,
			Permissions: permissionTexts(authz.BuiltIn(setting)), Scope: scopeDocument(authz.Scope{}),
		})
	}
	return out
}

// RolesQuery narrows the list of roles.
type RolesQuery struct {
	// Name matches exactly.
	Name *string `query:"name,omitempty"`
	httpapi.PageQuery
}

func (f *Face) listRoles(c httpapi.Call, in RolesQuery) (httpapi.Page[RoleDocument], error) {
	var none httpapi.Page[RoleDocument]
	who := c.Principal()
	rows := slices.Clone(c.Who.Policy.Roles())
	rows = slices.DeleteFunc(rows, func(r authz.Role) bool { return !authz.May(&who, permission.ReadRole, authz.Object{}, c.Now()) })
	slices.SortFunc(rows, func(a, b authz.Role) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID.String(), b.ID.String()))
	})
	all := builtIns()
	for _, r := range rows {
		all = append(all, RoleDocument{ID: r.ID.String(), Name: r.Name})
	}
	if in.Name != nil {
		all = slices.DeleteFunc(all, func(d RoleDocument) bool { return d.Name != *in.Name })
	}
	page := httpapi.Cut(all, in.Window(), func(d RoleDocument) RoleDocument { return d })
	var ids []id.ID[id.Role]
	for _, d := range page.Results {
		if of, err := id.Parse[id.Role](d.ID); err == nil {
			ids = append(ids, of)
		}
	}
	roles, err := f.roles.Some(c.Context(), c.Allowed, ids)
	if err != nil {
		return none, err
	}
	for _, r := range roles {
		at := slices.IndexFunc(page.Results, func(d RoleDocument) bool { return d.ID == r.ID.String() })
		page.Results[at] = roleDocument(r, c.Who.Policy)
	}
	return page, nil
}

// NewRole is the body of a new custom role.
type NewRole struct {
	Name        string `json:"name" jsonschema:"minLength=1,maxLength=100"`
	Description string `json:"description,omitempty" jsonschema:"maxLength=1000"`
	// Permissions are of the catalogue: resource:action.
	Permissions []string     `json:"permissions"`
	Scope       *ScopeFields `json:"scope,omitempty"`
}

func (f *Face) createRole(c httpapi.Call, in NewRole, keep httpapi.Keep[RoleDocument]) (RoleDocument, error) {
	fields := role.Fields{Name: in.Name, Description: in.Description}
	var err error
	if fields.Permissions, err = setOf(in.Permissions); err != nil {
		return RoleDocument{}, err
	}
	if in.Scope != nil {
		if fields.Scope, err = in.Scope.scope(); err != nil {
			return RoleDocument{}, err
		}
	}
	var d RoleDocument
	_, err = f.roles.Create(c.Context(), c.Allowed, c.Who.UserItem, fields, func(r role.Role, after *authz.Policy) ([]table.Op, error) {
		d = roleDocument(r, after)
		return keep(d)
	})
	return d, c.Ceiling(err)
}

func (f *Face) showRole(c httpapi.Call, _ httpapi.None) (RoleDocument, error) {
	item, err := c.Item()
	if err != nil {
		return RoleDocument{}, err
	}
	r, err := role.Decode(item)
	return roleDocument(r, c.Who.Policy), err
}

// RolePatch is a change of a custom role.
type RolePatch struct {
	Name        *string      `json:"name,omitempty" jsonschema:"minLength=1,maxLength=100"`
	Description *string      `json:"description,omitempty" jsonschema:"maxLength=1000"`
	Permissions *[]string    `json:"permissions,omitempty"`
	Scope       *ScopeFields `json:"scope,omitempty"`
}

func (in RolePatch) apply(f role.Fields) (role.Fields, error) {
	if in.Name != nil {
		f.Name = *in.Name
	}
	if in.Description != nil {
		f.Description = *in.Description
	}
	var err error
	if in.Permissions != nil {
		if f.Permissions, err = setOf(*in.Permissions); err != nil {
			return f, err
		}
	}
	if in.Scope != nil {
		f.Scope, err = in.Scope.scope()
	}
	return f, err
}

func (f *Face) patchRole(c httpapi.Call, in RolePatch) (RoleDocument, error) {
	item, err := c.Item()
	if err != nil {
		return RoleDocument{}, err
	}
	r, after, err := f.roles.Update(c.Context(), c.Allowed, c.Who.UserItem, item, in.apply)
	if err != nil {
		return RoleDocument{}, c.Ceiling(err)
	}
	return roleDocument(r, after), nil
}

func (f *Face) deleteRole(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	item, err := c.Item()
	if err != nil {
		return httpapi.None{}, err
	}
	return httpapi.None{}, f.roles.Delete(c.Context(), c.Allowed, c.Who.UserItem, item)
}

// RoleAssignmentDocument is that a user, a group or an application has a role;
// the other two are null.
type RoleAssignmentDocument struct {
	ID       id.ID[id.RoleAssignment] `json:"id"`
	Role     id.ID[id.Role]           `json:"role"`
	RoleName string                   `json:"role_name"`
	User     *Brief                   `json:"user" jsonschema:"nullable"`
	Group    *GroupBrief              `json:"group" jsonschema:"nullable"`
	// Application has the role.
	Application *ApplicationBrief `json:"application" jsonschema:"nullable"`
	// ExpiresAt is the instant at which the assignment ends; null: never.
	ExpiresAt *time.Time `json:"expires_at" jsonschema:"nullable"`
	AddedAt   time.Time  `json:"added_at"`
}

// GroupBrief names a group in other documents.
type GroupBrief struct {
	ID   id.ID[id.Group] `json:"id"`
	Name string          `json:"name"`
}

// RoleAssignmentsQuery narrows the list of role assignments; without any it is
// of the caller's own.
type RoleAssignmentsQuery struct {
	// Role, User, Group and Application name whose assignments; only one of them
	// counts, in this order: role, group, user, application.
	Role        *string `query:"role,omitempty"`
	User        *string `query:"user,omitempty"`
	Group       *string `query:"group,omitempty"`
	Application *string `query:"application,omitempty"`
	httpapi.PageQuery
}

func (f *Face) listAssignments(c httpapi.Call, in RoleAssignmentsQuery) (httpapi.Page[RoleAssignmentDocument], error) {
	all, err := f.assignments(c, in)
	if err != nil {
		return httpapi.Page[RoleAssignmentDocument]{}, err
	}
	who := c.Principal()
	if !authz.May(&who, permission.ReadRoleAssignment, authz.Object{}, c.Now()) {
		all = slices.DeleteFunc(all, func(a role.Assignment) bool { return a.User != c.Who.User.ID })
	}
	// What is of a role or group that is gone is counted no more than it is listed.
	all = slices.DeleteFunc(all, func(a role.Assignment) bool {
		_, ok := assignmentDocument(c.Who.Policy, a, nil)
		return !ok
	})
	cut := httpapi.Cut(all, in.Window(), func(a role.Assignment) role.Assignment { return a })
	page := httpapi.Page[RoleAssignmentDocument]{Count: cut.Count, Current: cut.Current, Next: cut.Next, Previous: cut.Previous, Last: cut.Last, Results: []RoleAssignmentDocument{}}
	people, err := f.briefs(c, cut.Results)
	if err != nil {
		return page, err
	}
	for _, a := range cut.Results {
		if d, ok := assignmentDocument(c.Who.Policy, a, people); ok {
			page.Results = append(page.Results, d)
		}
	}
	return page, nil
}

// assignments returns those that are asked for; what does not exist has none.
func (f *Face) assignments(c httpapi.Call, in RoleAssignmentsQuery) ([]role.Assignment, error) {
	switch {
	case in.Role != nil:
		of, err := id.Parse[id.Role](*in.Role)
		if err != nil {
			return nil, nil //nolint:nilerr // what is no id names no role
		}
		return f.roles.Holders(c.Context(), c.Allowed, of, 0)
	case in.Group != nil:
		of, err := id.Parse[id.Group](*in.Group)
		g, ok := c.Who.Policy.Group(of.UUID())
		if err != nil || !ok {
			return nil, nil //nolint:nilerr // what is no id names no group
		}
		return f.roles.OfGroup(c.Context(), c.Allowed, g)
	case in.User != nil:
		of, err := id.Parse[id.Principal](*in.User)
		if err != nil {
			return nil, nil //nolint:nilerr // what is no id names nobody
		}
		return f.roles.Of(c.Context(), c.Allowed, of)
	}
	if in.Application != nil {
		of, err := id.ParseUUID(*in.Application)
		if err != nil {
			return nil, nil //nolint:nilerr // what is no id names no application
		}
		apps, err := f.apps.Some(c.Context(), c.Allowed, []id.UUID{of})
		if err != nil || len(apps) == 0 {
			return nil, err
		}
		return f.roles.Granted(c.Context(), c.Allowed, apps[0].Roles)
	}
	return f.roles.Of(c.Context(), c.Allowed, c.Who.User.ID)
}

// briefs returns the people among those who have roles.
func (f *Face) briefs(c httpapi.Call, all []role.Assignment) (map[id.ID[id.Principal]]Brief, error) {
	var ids []id.ID[id.Principal]
	out := map[id.ID[id.Principal]]Brief{}
	for _, a := range all {
		if _, asked := out[a.User]; !a.User.Zero() && !asked {
			out[a.User] = Brief{ID: a.User}
			ids = append(ids, a.User)
		}
	}
	users, err := f.people.Users(c.Context(), c.Allowed, ids)
	for _, u := range users {
		out[u.ID] = Brief{ID: u.ID, Name: u.DisplayName(), Email: u.Email}
	}
	return out, err
}

// assignmentDocument returns an assignment, and false when the role or the group
// that has it is gone.
func assignmentDocument(p *authz.Policy, a role.Assignment, people map[id.ID[id.Principal]]Brief) (RoleAssignmentDocument, bool) {
	r, ok := p.Role(a.Role.UUID())
	if !ok {
		return RoleAssignmentDocument{}, false
	}
	d := RoleAssignmentDocument{ID: a.ID, Role: a.Role, RoleName: r.Name, AddedAt: a.AddedAt}
	if !a.Until.IsZero() {
		d.ExpiresAt = &a.Until
	}
	if !a.Application.Zero() {
		app, ok := p.Application(a.Application.UUID())
		if ok {
			d.Application = &ApplicationBrief{ID: a.Application, Name: app.Name}
		}
		return d, ok
	}
	if a.Group.Zero() {
		u := people[a.User]
		d.User = &u
		return d, true
	}
	g, ok := p.Group(a.Group.UUID())
	if ok {
		d.Group = &GroupBrief{ID: a.Group, Name: g.Name}
	}
	return d, ok
}

// NewRoleAssignment gives a role to a user, a group or an application.
type NewRoleAssignment struct {
	Role  id.ID[id.Role]       `json:"role"`
	User  *id.ID[id.Principal] `json:"user,omitempty"`
	Group *id.ID[id.Group]     `json:"group,omitempty"`
	// Application has the role as its tokens use it.
	Application *id.ID[id.Principal] `json:"application,omitempty"`
	// ExpiresAt is the instant at which the role ends by itself; never of groups.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

func (f *Face) assignRole(c httpapi.Call, in NewRoleAssignment) (RoleAssignmentDocument, error) {
	g := role.Giving{Role: in.Role}
	named := 0
	if in.User != nil {
		g.User = *in.User
		named++
	}
	if in.Group != nil {
		g.Group = *in.Group
		named++
	}
	if in.Application != nil {
		g.Application = *in.Application
		named++
	}
	if named != 1 {
		return RoleAssignmentDocument{}, errSubject
	}
	return f.giveRole(c, in, g)
}

func (f *Face) giveRole(c httpapi.Call, in NewRoleAssignment, g role.Giving) (RoleAssignmentDocument, error) {
	var err error
	if g.Until, err = endOf(in.ExpiresAt); err != nil {
		return RoleAssignmentDocument{}, err
	}
	if _, ok := c.Who.Policy.Role(in.Role.UUID()); !ok {
		return RoleAssignmentDocument{}, errRole
	}
	a, err := f.roles.Assign(c.Context(), c.Allowed, c.Who.UserItem, g)
	if err != nil {
		return RoleAssignmentDocument{}, c.Ceiling(err)
	}
	people, err := f.briefs(c, []role.Assignment{a})
	d, _ := assignmentDocument(c.Who.Policy, a, people)
	return d, err
}

func (f *Face) unassignRole(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	item, err := c.Item()
	if err != nil {
		return httpapi.None{}, err
	}
	return httpapi.None{}, f.roles.Unassign(c.Context(), c.Allowed, c.Who.UserItem, item)
}
