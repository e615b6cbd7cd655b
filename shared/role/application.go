package role

import (
	"cmp"
	"context"
	"slices"

	"paddock/shared/application"
	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/policy"
	"paddock/shared/table"
)

// application returns an application without some of its roles that have ended or
// are gone, that of a first, and those.
func (s *Service) application(ctx context.Context, by authz.Allowed, p *authz.Policy, a Assignment) (table.Item, application.Application, []identity.RoleGrant, error) {
	item, ok, err := s.store.One(ctx, by, application.Key(by.Workspace(), a.Application))
	if err != nil {
		return table.Item{}, application.Application{}, nil, err
	}
	if !ok {
		return table.Item{}, application.Application{}, nil, ErrNoApplication
	}
	app, err := application.Decode(item)
	var gone []identity.RoleGrant
	app.Roles, gone = s.ended(p, app.Roles, a)
	return item, app, gone, err
}

// saved returns the operations that write the roles of an application, and hold
// that the policy and who asks are what they were.
func saved(e *policy.Edit, actor, item table.Item, app application.Application) []table.Op {
	ops := append(e.Hold(), table.Replace(item, app).Else(table.ErrTryAgain))
	if actor.Key != item.Key {
		ops = append(ops, table.Unchanged(actor).Else(table.ErrTryAgain))
	}
	return ops
}

// giveApplication is give for applications: who may change one gives it what
// they hold.
func (s *Service) giveApplication(ctx context.Context, by authz.Allowed, e *policy.Edit, actor table.Item, a Assignment) (table.Change, error) {
	item, app, gone, err := s.application(ctx, by, e.Before, a)
	if err != nil {
		return table.Change{}, err
	}
	if slices.ContainsFunc(app.Roles, func(r identity.RoleGrant) bool { return r.Role == a.Role }) {
		return table.Change{}, ErrAssigned
	}
	if len(app.Roles) >= identity.MaxRoles {
		return table.Change{}, ErrManyRoles.In("application")
	}
	o := app.Object(by.Workspace(), e.Before)
	if o.ID.Zero() {
		return table.Change{}, ErrNoApplication
	}
	before := app.Principal(by.Workspace(), e.Before).Roles
	app.Roles = append(app.Roles, identity.RoleGrant{ID: a.ID, Role: a.Role, Until: a.Until})
	after := app.Principal(by.Workspace(), e.Before).Roles
	if err := authz.MayChangeApplication(e.Actor(by), o, before, after, s.store.Now()); err != nil {
		return table.Change{}, err
	}
	c, err := s.collect(ctx, by, e, gone, a)
	c.Ops = append(c.Ops, saved(e, actor, item, app)...)
	return c, err
}

func (s *Service) takeApplication(ctx context.Context, by authz.Allowed, e *policy.Edit, actor table.Item, a Assignment) (table.Change, error) {
	item, app, gone, err := s.application(ctx, by, e.Before, a)
	if err != nil {
		return table.Change{}, err
	}
	app.Roles = slices.DeleteFunc(app.Roles, func(r identity.RoleGrant) bool { return r.ID == a.ID })
	c, err := s.collect(ctx, by, e, gone, a)
	c.Ops = append(c.Ops, saved(e, actor, item, app)...)
	return c, err
}

// Strip takes the roles of an application away that is about to go, and returns
// its item as it is then.
func (s *Service) Strip(ctx context.Context, by authz.Allowed, actor, item table.Item) (table.Item, error) {
	for {
		app, err := application.Decode(item)
		if err != nil || len(app.Roles) == 0 {
			return item, err
		}
		some := app.Roles[:min(batch, len(app.Roles))]
		c, keys := table.Change{}, []table.Key{}
		for _, r := range some {
			keys = append(keys, AssignmentKey(by.Workspace(), r.ID), holderKey(by.Workspace(), Assignment{Role: r.Role, Application: app.ID}))
			c.Events = append(c.Events, by.Event(audit.RoleUnassigned, s.store.Now()).
				With(audit.ID("subject", app.ID.UUID()), audit.Text("role_id", r.Role.String()), audit.Text("cause", "admin")).WithSubject(app.ID.UUID()).
				WithTarget(audit.Target{Type: "role", ID: r.Role.UUID()}).WithDescription("An application that is deleted lost a role."))
		}
		read, err := s.store.Read(ctx, by, keys...)
		if err != nil {
			return table.Item{}, err
		}
		for _, kept := range read {
			c.Ops = append(c.Ops, table.Remove(kept).Else(table.ErrTryAgain))
		}
		app.Roles = app.Roles[len(some):]
		c.Ops = append(c.Ops, table.Replace(item, app).Else(table.ErrTryAgain), table.Unchanged(actor).Else(table.ErrTryAgain))
		if err := s.store.Commit(ctx, by, c); err != nil {
			return table.Item{}, err
		}
		next, ok, err := s.store.One(ctx, by, item.Key)
		if err != nil || !ok {
			return table.Item{}, cmp.Or(err, error(table.ErrTryAgain))
		}
		item = next
	}
}

// UnassignFrom takes a role away from an application by the assignment's id.
func (s *Service) UnassignFrom(ctx context.Context, by authz.Allowed, actor table.Item, app application.Application, of id.ID[id.RoleAssignment]) error {
	if !slices.ContainsFunc(app.Roles, func(r identity.RoleGrant) bool { return r.ID == of }) {
		return ErrNoAssignment
	}
	item, ok, err := s.store.One(ctx, by, AssignmentKey(by.Workspace(), of))
	if err != nil || !ok {
		return cmp.Or(err, error(ErrNoAssignment))
	}
	return s.Unassign(ctx, by, actor, item)
}
