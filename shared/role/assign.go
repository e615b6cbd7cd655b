package role

import (
	"context"
	"slices"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/policy"
	"paddock/shared/table"
)

// Assign gives a role to a user, a group or an application.
func (s *Service) Assign(ctx context.Context, by authz.Allowed, actor table.Item, g Giving) (Assignment, error) {
	made, err := s.store.NewID()
	if err != nil {
		return Assignment{}, err
	}
	now := s.store.Now()
	if !g.Until.IsZero() && (!now.Before(g.Until) || !g.Group.Zero()) {
		return Assignment{}, ErrUntil
	}
	a := Assignment{ID: id.Of[id.RoleAssignment](made), Role: g.Role, User: g.User, Group: g.Group, Application: g.Application, Until: g.Until, AddedAt: now}
	err = s.policies.Change(ctx, by, func(e *policy.Edit) (table.Change, error) {
		row, ok := e.Before.Role(g.Role.UUID())
		if !ok {
			return table.Change{}, ErrNoRole
		}
		if g.Application.Zero() { // of applications giveApplication asks
			if err := authz.MayAssignRole(e.Actor(by), *row, g.Until, now); err != nil {
				return table.Change{}, err
			}
		}
		change, err := s.give(ctx, by, e, actor, a)
		if err != nil {
			return table.Change{}, err
		}
		ws := by.Workspace()
		held, err := s.held(ctx, by, a)
		if err != nil {
			return table.Change{}, err
		}
		change.Ops = append(append(change.Ops, held...), table.Insert(AssignmentKey(ws, a.ID), a).Else(table.ErrTryAgain))
		ev := s.given(by, audit.RoleAssigned, row, a, "A role was given.").With(audit.Flag("automatic", false))
		if !a.Until.IsZero() {
			ev = ev.With(audit.Instant("expires_at", a.Until))
		}
		change.Events = append([]audit.Event{ev.With(audit.Text("subject_type", a.kind()))}, change.Events...)
		return change, nil
	})
	return a, err
}

// held returns the operations that list an assignment with its role, in the place
// of one that has ended.
func (s *Service) held(ctx context.Context, by authz.Allowed, a Assignment) ([]table.Op, error) {
	ws := by.Workspace()
	listed, ok, err := s.store.One(ctx, by, holderKey(ws, a))
	if err != nil {
		return nil, err
	}
	if !ok {
		return []table.Op{table.Insert(holderKey(ws, a), a).Else(ErrAssigned)}, nil
	}
	was, err := DecodeAssignment(listed)
	if err != nil {
		return nil, err
	}
	if was.Live(s.store.Now()) {
		return nil, ErrAssigned
	}
	ops := []table.Op{table.Replace(listed, a).Else(table.ErrTryAgain)}
	old, ok, err := s.store.One(ctx, by, AssignmentKey(ws, was.ID))
	if ok {
		ops = append(ops, table.Remove(old).Else(table.ErrTryAgain))
	}
	return ops, err
}

func (a Assignment) kind() string {
	switch {
	case !a.Group.Zero():
		return "group"
	case !a.Application.Zero():
		return "application"
	}
	return "user"
}

// give returns the change that notes the role where it is held.
func (s *Service) give(ctx context.Context, by authz.Allowed, e *policy.Edit, actor table.Item, a Assignment) (table.Change, error) {
	if !a.Group.Zero() {
		g, ok := e.Before.Group(a.Group.UUID())
		if !ok {
			return table.Change{}, ErrNoGroup
		}
		if slices.Contains(g.Roles, a.Role.UUID()) {
			return table.Change{}, ErrAssigned
		}
		next := *g
		next.Roles = append(slices.Clone(g.Roles), a.Role.UUID())
		if len(next.Roles) > identity.MaxRoles {
			return table.Change{}, ErrManyRoles.In("group")
		}
		e.PutGroup(next)
		return table.Change{Ops: []table.Op{table.Unchanged(actor).Else(table.ErrTryAgain)}}, nil
	}
	if !a.Application.Zero() {
		return s.giveApplication(ctx, by, e, actor, a)
	}
	item, u, gone, err := s.account(ctx, by, e.Before, a)
	if err != nil {
		return table.Change{}, err
	}
	if slices.ContainsFunc(u.Roles, func(r identity.RoleGrant) bool { return r.Role == a.Role }) {
		return table.Change{}, ErrAssigned
	}
	if len(u.Roles) >= identity.MaxRoles {
		return table.Change{}, ErrManyRoles
	}
	u.Roles = append(slices.Clone(u.Roles), identity.RoleGrant{ID: a.ID, Role: a.Role, Until: a.Until})
	c, err := s.collect(ctx, by, e, gone, a)
	c.Ops = slices.Concat(e.Hold(), c.Ops, identity.SaveBy(actor, item, u))
	return c, err
}

// account returns an account without some of its roles that have ended or are
// gone, that of a first, and those.
func (s *Service) account(ctx context.Context, by authz.Allowed, p *authz.Policy, a Assignment) (table.Item, identity.User, []identity.RoleGrant, error) {
	item, ok, err := s.store.One(ctx, by, identity.UserKey(by.Workspace(), a.User))
	if err != nil {
		return table.Item{}, identity.User{}, nil, err
	}
	if !ok {
		return table.Item{}, identity.User{}, nil, ErrNoUser
	}
	u, err := identity.DecodeUser(item)
	var gone []identity.RoleGrant
	u.Roles, gone = s.ended(p, u.Roles, a)
	return item, u, gone, err
}

// ended parts roles that somebody has from some of those that have ended or are
// gone: that of a first.
func (s *Service) ended(p *authz.Policy, all []identity.RoleGrant, a Assignment) (kept, gone []identity.RoleGrant) {
	gone = identity.Ended(all, func(r identity.RoleGrant) bool {
		_, there := p.Role(r.Role.UUID())
		return !there || !r.Until.IsZero() && !s.store.Now().Before(r.Until)
	}, func(r identity.RoleGrant) bool { return r.Role == a.Role })
	return slices.DeleteFunc(slices.Clone(all), func(r identity.RoleGrant) bool {
		return slices.ContainsFunc(gone, func(g identity.RoleGrant) bool { return g.ID == r.ID })
	}), gone
}

// collect returns the change that takes roles away from who has a which mean
// nothing any more, with the events of their ends. What is stored of the role of a
// is left to who changes that.
func (s *Service) collect(ctx context.Context, by authz.Allowed, e *policy.Edit, gone []identity.RoleGrant, a Assignment) (table.Change, error) {
	var c table.Change
	var keys []table.Key
	for _, r := range gone {
		was := Assignment{ID: r.ID, Role: r.Role, User: a.User, Application: a.Application, Until: r.Until}
		if r.Role != a.Role {
			keys = append(keys, AssignmentKey(by.Workspace(), r.ID), holderKey(by.Workspace(), was))
		}
		if row, ok := e.Before.Role(r.Role.UUID()); ok && r.ID != a.ID { // else its deletion is in the log
			c.Events = append(c.Events, s.given(by, audit.RoleUnassigned, row, was, "A role that was given had come to its end.").With(audit.Text("cause", "expired")))
		}
	}
	if len(keys) == 0 {
		return c, nil
	}
	items, err := s.store.Read(ctx, by, keys...)
	if err != nil {
		return c, err
	}
	for _, item := range items {
		held, err := DecodeAssignment(item)
		if err != nil {
			return c, err
		}
		if slices.ContainsFunc(gone, func(r identity.RoleGrant) bool { return r.ID == held.ID }) {
			c.Ops = append(c.Ops, table.Remove(item).Else(table.ErrTryAgain))
		}
	}
	return c, nil
}

func (s *Service) given(by authz.Allowed, kind audit.Kind, r *authz.Role, a Assignment, text string) audit.Event {
	return by.Event(kind, s.store.Now()).With(audit.ID("subject", a.subject()), audit.Text("role_id", a.Role.String())).
		WithSubject(a.subject()).WithTarget(audit.Target{Type: "role", ID: r.ID, Name: r.Name}).WithDescription(text)
}

// Unassign takes a role away from who has it, at their next request.
func (s *Service) Unassign(ctx context.Context, by authz.Allowed, actor, item table.Item) error {
	a, err := DecodeAssignment(item)
	if err != nil {
		return err
	}
	return s.policies.Change(ctx, by, func(e *policy.Edit) (table.Change, error) {
		row, ok := e.Before.Role(a.Role.UUID())
		if !ok {
			return table.Change{}, ErrNoAssignment
		}
		listed, ok, err := s.store.One(ctx, by, holderKey(by.Workspace(), a))
		if err != nil {
			return table.Change{}, err
		}
		ops := []table.Op{table.Remove(item).Else(table.ErrTryAgain)}
		if ok {
			ops = append(ops, table.Remove(listed).Else(table.ErrTryAgain))
		}
		taken, err := s.take(ctx, by, e, actor, a)
		if err != nil {
			return table.Change{}, err
		}
		ev := s.given(by, audit.RoleUnassigned, row, a, "A role was taken away.").With(audit.Text("cause", "admin"))
		return table.Change{Events: append([]audit.Event{ev}, taken.Events...), Ops: append(ops, taken.Ops...)}, nil
	})
}

// take returns the change that notes that the role is held no more.
func (s *Service) take(ctx context.Context, by authz.Allowed, e *policy.Edit, actor table.Item, a Assignment) (table.Change, error) {
	if !a.Group.Zero() {
		if g, ok := e.Before.Group(a.Group.UUID()); ok {
			next := *g
			next.Roles = slices.DeleteFunc(slices.Clone(g.Roles), func(r id.UUID) bool { return r == a.Role.UUID() })
			e.PutGroup(next)
		}
		return table.Change{Ops: []table.Op{table.Unchanged(actor).Else(table.ErrTryAgain)}}, nil
	}
	if !a.Application.Zero() {
		return s.takeApplication(ctx, by, e, actor, a)
	}
	account, u, gone, err := s.account(ctx, by, e.Before, a)
	if err != nil {
		return table.Change{}, err
	}
	u.Roles = slices.DeleteFunc(u.Roles, func(r identity.RoleGrant) bool { return r.ID == a.ID })
	c, err := s.collect(ctx, by, e, gone, a)
	c.Ops = slices.Concat(e.Hold(), c.Ops, identity.SaveBy(actor, account, u))
	return c, err
}

// Holders returns who has a role now, of the first limit that were given it (0:
// all).
func (s *Service) Holders(ctx context.Context, by authz.Allowed, of id.ID[id.Role], limit int) ([]Assignment, error) {
	items, err := s.store.Query(ctx, by, table.Query{Key: Key(by.Workspace(), of), Prefix: holderPrefix, Limit: limit})
	if err != nil {
		return nil, err
	}
	return s.live(items)
}

// Of returns the roles that an account has now by itself.
func (s *Service) Of(ctx context.Context, by authz.Allowed, user id.ID[id.Principal]) ([]Assignment, error) {
	item, ok, err := s.store.One(ctx, by, identity.UserKey(by.Workspace(), user))
	if err != nil || !ok {
		return nil, err
	}
	u, err := identity.DecodeUser(item)
	if err != nil {
		return nil, err
	}
	return s.Granted(ctx, by, u.Roles)
}

// Granted returns the assignments of roles that an account or an application
// holds now.
func (s *Service) Granted(ctx context.Context, by authz.Allowed, roles []identity.RoleGrant) ([]Assignment, error) {
	if len(roles) == 0 {
		return nil, nil
	}
	keys := make([]table.Key, len(roles))
	for i, r := range roles {
		keys[i] = AssignmentKey(by.Workspace(), r.ID)
	}
	items, err := s.store.Read(ctx, by, keys...)
	if err != nil {
		return nil, err
	}
	return s.live(items)
}

func (s *Service) live(items []table.Item) ([]Assignment, error) {
	now := s.store.Now()
	var out []Assignment
	for _, item := range items {
		a, err := DecodeAssignment(item)
		if err != nil {
			return nil, err
		}
		if a.Live(now) {
			out = append(out, a)
		}
	}
	return out, nil
}

// OfGroup returns the roles that a group has.
func (s *Service) OfGroup(ctx context.Context, by authz.Allowed, g *authz.Group) ([]Assignment, error) {
	if len(g.Roles) == 0 {
		return nil, nil
	}
	keys := make([]table.Key, len(g.Roles))
	for i, r := range g.Roles {
		keys[i] = holderKey(by.Workspace(), Assignment{Role: id.Of[id.Role](r), Group: id.Of[id.Group](g.ID)})
	}
	items, err := s.store.Read(ctx, by, keys...)
	if err != nil {
		return nil, err
	}
	return s.live(items)
}
