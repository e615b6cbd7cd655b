package impact

import (
	"slices"

	"paddock/shared/application"
	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
	"paddock/shared/policy"
	"paddock/shared/session"
)

// onPeople returns the joined scope of the roles that count on accounts and may
// be gained or lost; the zero Scope when none is.
func (c *concern) onPeople(t *policy.Tried, users []identity.User, apps []application.Application) authz.Scope {
	matter := set{}
	for of := range c.roles {
		matter.add(of)
	}
	for _, p := range []*authz.Policy{t.Before, t.After} {
		for of := range c.groups {
			if g, ok := p.Group(of); ok {
				matter.add(g.Roles...)
			}
		}
		for _, u := range users {
			if next, ok := c.accounts[u.ID.UUID()]; ok {
				for _, r := range slices.Concat(u.Roles, next.Roles) {
					matter.add(r.Role.UUID())
				}
				for _, m := range slices.Concat(u.Memberships, next.Memberships) {
					if g, ok := p.Group(m.Group.UUID()); ok {
						matter.add(g.Roles...)
					}
				}
			}
		}
	}
	for _, a := range apps {
		if next, ok := c.applications[a.ID.UUID()]; ok {
			for _, r := range slices.Concat(a.Roles, next.Roles) {
				matter.add(r.Role.UUID())
			}
		}
	}
	var out authz.Scope
	for _, p := range []*authz.Policy{t.Before, t.After} {
		for of := range matter {
			r, ok := p.Role(of)
			if ok && slices.ContainsFunc(r.Permissions.Permissions(), func(what permission.Permission) bool {
				return what.Resource == permission.User || what.Resource == permission.Session
			}) {
				out.Objects, out.Names = append(out.Objects, r.Scope.Objects...), append(out.Names, r.Scope.Names...)
			}
		}
	}
	return out
}

// A teller names the objects of a change, as far as who asks may see them.
type teller struct {
	*sight
	before, after *authz.Policy
	users         map[id.UUID]authz.Object
	made          set // what is not there before
}

// side returns what is told of one side of somebody's change.
func (t *teller) side(c authz.Change) Side {
	out := Side{Everywhere: c.Everywhere}
	out.Servers, out.ServersCount = t.listed(c.Servers, c.Everywhere)
	out.Others, out.OthersCount = t.listed(c.Others, c.Everywhere)
	return out
}

// listed returns the first objects that may be named, and how many there are.
// What is held everywhere is not repeated, and what is yet to be made has no id.
// Who has no whole sight is told nothing of objects that they do not see.
func (t *teller) listed(all []authz.On, everywhere permission.Set) (out []Object, n int) {
	for _, on := range all {
		what := on.Permissions.Minus(everywhere)
		if what.Empty() {
			continue
		}
		o, seen := t.object(on.Object)
		if !seen && !t.whole {
			continue
		}
		n++
		if seen && len(out) < MaxListed {
			if t.made[on.Object] {
				o.ID = id.UUID{}
			}
			o.Permissions = what
			out = append(out, o)
		}
	}
	return out, n
}

// object returns an object of either side, and whether it may be named.
func (t *teller) object(of id.UUID) (Object, bool) {
	if u, ok := t.users[of]; ok {
		return Object{ID: of, Kind: "user", Name: u.Name}, true // they are read with the right to
	}
	for _, p := range []*authz.Policy{t.after, t.before} {
		if s, _, ok := p.Server(of); ok {
			o := s.Object()
			if row, _, ok := t.who.Policy.Server(of); ok { // with who runs it
				o = row.Object()
			}
			return Object{ID: of, Kind: "server", Name: s.Name}, authz.May(&t.who, permission.ReadServer, o, t.now)
		}
		if g, ok := p.Group(of); ok {
			return Object{ID: of, Kind: "group", Name: g.Name}, authz.May(&t.who, permission.ReadGroup, authz.Object{ID: of, Name: g.Name}, t.now)
		}
		if a, ok := p.Application(of); ok {
			return Object{ID: of, Kind: "application", Name: a.Name}, authz.May(&t.who, permission.ReadApplication, a.Object(), t.now)
		}
	}
	return Object{ID: of}, false
}

// mayName reports whether who asks may be told the name of somebody.
func (s *sight) mayName(u identity.User) bool {
	if s.named[u.ID.UUID()] {
		return true
	}
	account := session.PrincipalOf(s.who.Workspace, u, audit.Source{})
	account.Policy = s.who.Policy
	return authz.May(&s.who, permission.ReadUser, authz.Object{ID: u.ID.UUID(), Owner: u.ID.UUID(), Name: u.Username, Account: &account}, s.now)
}
