package api

import (
	"net/http"
	"slices"
	"time"

	"paddock/shared/application"
	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
	"paddock/shared/policy"
	"paddock/shared/role"
	"paddock/shared/table"
	"paddock/shared/token"
)

func (f *Face) applicationBindings() []*httpapi.Binding {
	const (
		get, post, patch, remove, ok, made, gone = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete, http.StatusOK, http.StatusCreated, http.StatusNoContent

		all, one, roles = "/api/iam/applications/", "/api/iam/applications/{id}/", "/api/iam/applications/{id}/roles/"
	)
	fields := []*fault.Error{
		&identity.ErrProfile, &application.ErrNameTaken, &application.ErrScopes, &token.ErrScope, &policy.ErrLarge, &authz.ErrCeiling,
	}
	return slices.Concat(f.serviceTokenBindings(), []*httpapi.Binding{
		httpapi.Answer(get, all, ok, f.listApplications).Summed("List the applications that the caller may see."),
		httpapi.Create(post, all, made, f.createApplication).Summed("Make an application, without roles and tokens.").
			Refuses(fields...).Refuses(new(policy.Limit("applications", ""))),
		httpapi.Answer(get, one, ok, f.showApplication).Summed("Show one application."),
		httpapi.Answer(patch, one, ok, f.patchApplication).
			Summed("Change an application; with a fresh proof its owner, managers and scopes, and to enable it. Disabling it ends its tokens.").
			Refuses(fields...).Refuses(&application.ErrGone, &identity.ErrPerson, &application.ErrManyManagers).Refuses(httpapi.FreshRefusals...),
		httpapi.Answer(remove, one, gone, f.deleteApplication).Summed("Delete an application, with its roles and tokens."),
		httpapi.Answer(get, roles, ok, f.rolesOfApplication).Summed("List the roles of an application."),
		httpapi.Answer(post, roles, made, f.giveApplicationRole).Summed("Give an application a role that the caller holds.").
			Refuses(&role.ErrAssigned, &role.ErrManyRoles, &role.ErrUntil, &role.ErrNoApplication, &errRole, &policy.ErrLarge, &authz.ErrCeiling),
		httpapi.Answer(remove, roles+"{assignment}/", gone, f.takeApplicationRole).Summed("Take a role from an application.").Refuses(&role.ErrNoAssignment),
	})
}

// ApplicationBrief names an application in other documents.
type ApplicationBrief struct {
	ID   id.ID[id.Principal] `json:"id"`
	Name string              `json:"name"`
}

// ApplicationDocument is an application.
type ApplicationDocument struct {
	ID          id.ID[id.Principal] `json:"id"`
	Name        string              `json:"name"`
	Description string              `json:"description"`
	// Enabled is false while no token of the application opens anything.
	Enabled  bool    `json:"enabled"`
	Owner    Brief   `json:"owner"`
	Managers []Brief `json:"managers"`
	// Scopes are what the application may at most, of what its roles hold.
	Scopes    []string  `json:"scopes"`
	AddedAt   time.Time `json:"added_at"`
	UpdatedAt time.Time `json:"updated_at"`
	// Allowed are the permissions that the caller may use on the application.
	Allowed []string `json:"allowed"`
}

// onApplication are the permissions that are asked on applications.
var onApplication = []permission.Permission{
	permission.UpdateApplication, permission.DeleteApplication,
	permission.ReadServiceToken, permission.CreateServiceToken, permission.UpdateServiceToken, permission.DeleteServiceToken,
}

// applicationDocuments returns applications as documents, in the order given.
func (f *Face) applicationDocuments(c httpapi.Call, all []application.Application, p *authz.Policy) ([]ApplicationDocument, error) {
	var people []id.UUID
	for _, a := range all {
		fields := application.FieldsOf(a, p)
		people = append(append(people, fields.Owner), fields.Managers...)
	}
	named, err := f.namesFor(c, people)
	if err != nil {
		return nil, err
	}
	who, now := c.Principal(), c.Now()
	who.Policy = p
	out := []ApplicationDocument{}
	for _, a := range all {
		fields := application.FieldsOf(a, p)
		d := ApplicationDocument{
			ID: a.ID, Name: a.Name, Description: a.Description, Enabled: a.Enabled, Owner: named(fields.Owner), Managers: []Brief{},
			Scopes: a.Scopes, AddedAt: a.AddedAt, UpdatedAt: a.UpdatedAt, Allowed: []string{},
		}
		for _, m := range fields.Managers {
			d.Managers = append(d.Managers, named(m))
		}
		o := a.Object(c.Who.Workspace.ID, p)
		for _, what := range onApplication {
			if authz.May(&who, what, o, now) {
				d.Allowed = append(d.Allowed, what.String())
			}
		}
		out = append(out, d)
	}
	return out, nil
}

func (f *Face) applicationDocument(c httpapi.Call, a application.Application, p *authz.Policy) (ApplicationDocument, error) {
	all, err := f.applicationDocuments(c, []application.Application{a}, p)
	if err != nil {
		return ApplicationDocument{}, err
	}
	return all[0], nil
}

// ApplicationsQuery narrows the list of applications.
type ApplicationsQuery struct {
	// Name matches exactly.
	Name *string `query:"name,omitempty"`
	httpapi.PageQuery
}

func (f *Face) listApplications(c httpapi.Call, in ApplicationsQuery) (httpapi.Page[ApplicationDocument], error) {
	who, now := c.Principal(), c.Now()
	var seen []authz.Application
	for _, a := range c.Who.Policy.Applications() {
		if (in.Name == nil || *in.Name == a.Name) && authz.May(&who, permission.ReadApplication, a.Object(), now) {
			seen = append(seen, a)
		}
	}
	slices.SortFunc(seen, application.ByName)
	page := httpapi.Cut(seen, in.Window(), func(a authz.Application) id.UUID { return a.ID })
	out := httpapi.Page[ApplicationDocument]{Count: page.Count, Current: page.Current, Next: page.Next, Previous: page.Previous, Last: page.Last}
	apps, err := f.apps.Some(c.Context(), c.Allowed, page.Results)
	if err != nil {
		return out, err
	}
	out.Results, err = f.applicationDocuments(c, apps, c.Who.Policy)
	return out, err
}

// applicationOf returns the application that a path names.
func applicationOf(c httpapi.Call) (application.Application, table.Item, error) {
	item, err := c.Item()
	if err != nil {
		return application.Application{}, table.Item{}, err
	}
	a, err := application.Decode(item)
	return a, item, err
}

// NewApplication is the body of a new application.
type NewApplication struct {
	Name        string `json:"name" jsonschema:"minLength=1,maxLength=100"`
	Description string `json:"description,omitempty" jsonschema:"maxLength=1000"`
	// Scopes are what it may at most, of the list of scopes; none is refused.
	Scopes []string `json:"scopes" jsonschema:"minItems=1,maxItems=100"`
}

func (f *Face) createApplication(c httpapi.Call, in NewApplication, keep httpapi.Keep[ApplicationDocument]) (ApplicationDocument, error) {
	fields := application.Fields{Name: in.Name, Description: in.Description}
	var err error
	if fields.Scopes, err = application.Parse(in.Scopes); err != nil {
		return ApplicationDocument{}, err
	}
	var d ApplicationDocument
	_, err = f.apps.Create(c.Context(), c.Allowed, c.Who.UserItem, fields, func(a application.Application, after *authz.Policy) ([]table.Op, error) {
		if d, err = f.applicationDocument(c, a, after); err != nil {
			return nil, err
		}
		return keep(d)
	})
	return d, c.Ceiling(err)
}

func (f *Face) showApplication(c httpapi.Call, _ httpapi.None) (ApplicationDocument, error) {
	a, _, err := applicationOf(c)
	if err != nil {
		return ApplicationDocument{}, err
	}
	return f.applicationDocument(c, a, c.Who.Policy)
}

// ApplicationPatch is a change of an application.
type ApplicationPatch struct {
	Name        *string `json:"name,omitempty" jsonschema:"minLength=1,maxLength=100"`
	Description *string `json:"description,omitempty" jsonschema:"maxLength=1000"`
	// Enabled false ends all tokens of the application, for good.
	Enabled *bool                `json:"enabled,omitempty"`
	Scopes  *[]string            `json:"scopes,omitempty" jsonschema:"minItems=1,maxItems=100"`
	Owner   *id.ID[id.Principal] `json:"owner,omitempty"`
	// Managers replace those that are.
	Managers *[]id.ID[id.Principal] `json:"managers,omitempty" jsonschema:"maxItems=20"`
}

// strong reports whether the change may give somebody something, whatever the
// name.
func (in ApplicationPatch) strong() bool {
	return in.Scopes != nil || in.Owner != nil || in.Managers != nil || in.Enabled != nil && *in.Enabled
}

func (in ApplicationPatch) apply(f application.Fields) (application.Fields, error) {
	if in.Name != nil {
		f.Name = *in.Name
	}
	if in.Description != nil {
		f.Description = *in.Description
	}
	if in.Enabled != nil {
		f.Enabled = *in.Enabled
	}
	if in.Owner != nil {
		f.Owner = in.Owner.UUID()
	}
	if in.Managers != nil {
		f.Managers = nil
		for _, m := range *in.Managers {
			if !slices.Contains(f.Managers, m.UUID()) {
				f.Managers = append(f.Managers, m.UUID())
			}
		}
	}
	var err error
	if in.Scopes != nil {
		f.Scopes, err = application.Parse(*in.Scopes)
	}
	return f, err
}

func (f *Face) patchApplication(c httpapi.Call, in ApplicationPatch) (ApplicationDocument, error) {
	item, err := c.Item()
	if err != nil {
		return ApplicationDocument{}, err
	}
	was, err := application.Decode(item)
	if err != nil {
		return ApplicationDocument{}, err
	}
	if in.strong() || in.Name != nil && len(c.Who.Policy.Opened(permission.Application, was.Name, *in.Name)) > 0 {
		if c.Allowed, err = c.Fresh(); err != nil {
			return ApplicationDocument{}, err
		}
	}
	a, after, err := f.apps.Update(c.Context(), c.Allowed, c.Who.UserItem, item, in.apply)
	if err != nil {
		return ApplicationDocument{}, c.Ceiling(err)
	}
	return f.applicationDocument(c, a, after)
}

func (f *Face) deleteApplication(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	item, err := c.Item()
	if err != nil {
		return httpapi.None{}, err
	}
	return httpapi.None{}, f.apps.Delete(c.Context(), c.Allowed, c.Who.UserItem, item)
}

func (f *Face) rolesOfApplication(c httpapi.Call, in httpapi.PageQuery) (httpapi.Page[RoleAssignmentDocument], error) {
	a, _, err := applicationOf(c)
	if err != nil {
		return httpapi.Page[RoleAssignmentDocument]{}, err
	}
	all, err := f.roles.Granted(c.Context(), c.Allowed, a.Live(c.Who.Policy, c.Now()))
	return httpapi.Cut(all, in.Window(), func(g role.Assignment) RoleAssignmentDocument {
		d, _ := assignmentDocument(c.Who.Policy, g, nil)
		return d
	}), err
}

// NewApplicationRole gives an application a role.
type NewApplicationRole struct {
	Role id.ID[id.Role] `json:"role"`
	// ExpiresAt is the instant at which the role ends by itself; null: never.
	ExpiresAt *time.Time `json:"expires_at,omitempty" jsonschema:"nullable"`
}

func (f *Face) giveApplicationRole(c httpapi.Call, in NewApplicationRole) (RoleAssignmentDocument, error) {
	a, _, err := applicationOf(c)
	if err != nil {
		return RoleAssignmentDocument{}, err
	}
	return f.giveRole(c, NewRoleAssignment{Role: in.Role, ExpiresAt: in.ExpiresAt}, role.Giving{Role: in.Role, Application: a.ID})
}

func (f *Face) takeApplicationRole(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	a, _, err := applicationOf(c)
	if err != nil {
		return httpapi.None{}, err
	}
	of, err := id.Parse[id.RoleAssignment](c.PathValue("assignment"))
	if err != nil {
		return httpapi.None{}, role.ErrNoAssignment
	}
	return httpapi.None{}, f.roles.UnassignFrom(c.Context(), c.Allowed, c.Who.UserItem, a, of)
}
