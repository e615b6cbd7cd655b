package api

import (
	"cmp"

	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
)

// errApplicationOf refuses a question about what is no application, or about two
// principals.
var errApplicationOf = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "There is no such application.", Source: "application"}

// askedOf returns whom a question is about, and of an application which condition
// fails besides its roles; "" for none.
func (f *Face) askedOf(c httpapi.Call, in ExplainRequest, what permission.Permission) (authz.Principal, string, error) {
	who := c.Principal()
	if in.Application == nil && (in.User == nil || *in.User == c.Who.User.ID) {
		return who, "", nil
	}
	if _, err := c.Decide(permission.ReadPolicy, authz.Object{}); err != nil {
		return who, "", err
	}
	if in.Application == nil {
		who, err := f.principal(c, *in.User)
		return who, "", err
	}
	if in.User != nil {
		return who, "", errApplicationOf.Saying("Name a user or an application.")
	}
	apps, err := f.apps.Some(c.Context(), c.Allowed, []id.UUID{in.Application.UUID()})
	if err != nil || len(apps) == 0 {
		return who, "", cmp.Or(err, error(errApplicationOf))
	}
	switch a := apps[0]; {
	case !a.Enabled:
		return a.Principal(c.Who.Workspace.ID, c.Who.Policy), "the application is disabled", nil
	case !a.Set().Has(what):
		return a.Principal(c.Who.Workspace.ID, c.Who.Policy), "the application's scopes do not hold " + what.String(), nil
	default:
		return a.Principal(c.Who.Workspace.ID, c.Who.Policy), "", nil
	}
}

// of returns the row of a user.
func (r ReachRow) of(u identity.User) ReachRow {
	r.User = &Brief{ID: u.ID, Name: u.DisplayName(), Email: u.Email}
	return r
}

// reaching returns those of the applications that can reach servers at all: they
// are enabled, and their scopes hold it. They come with their names.
func (f *Face) reaching(c httpapi.Call, ids []id.UUID) (out []*authz.Principal, names map[id.UUID]string, err error) {
	apps, err := f.apps.Some(c.Context(), c.Allowed, ids)
	names = map[id.UUID]string{}
	for _, a := range apps {
		if p := a.Principal(c.Who.Workspace.ID, c.Who.Policy); a.Enabled && a.Set().Has(permission.AccessServer) {
			out, names[a.ID.UUID()] = append(out, &p), a.Name
		}
	}
	return out, names, err
}

// by returns the row of an application.
func (r ReachRow) by(of id.ID[id.Principal], name string) ReachRow {
	r.Application = &ApplicationBrief{ID: of, Name: name}
	return r
}

// reachOfApplication lists the servers that an application reaches, by those of
// its tokens that have a rule of them.
func (f *Face) reachOfApplication(c httpapi.Call, named string, w httpapi.Window) (httpapi.Page[ReachRow], error) {
	var none httpapi.Page[ReachRow]
	if _, err := c.Decide(permission.ReadPolicy, authz.Object{}); err != nil {
		return none, err
	}
	of, err := id.ParseUUID(named)
	if _, ok := c.Who.Policy.Application(of); err != nil || !ok {
		return none, errApplicationOf
	}
	apps, names, err := f.reaching(c, []id.UUID{of})
	if err != nil || len(apps) == 0 {
		return httpapi.Cut(nil, w, func(r ReachRow) ReachRow { return r }), err
	}
	return reached(c, apps[0], w, func(r ReachRow) ReachRow { return r.by(apps[0].ID, names[of]) }), nil
}
