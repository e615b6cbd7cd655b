package impact

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
	"time"

	"paddock/shared/application"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
	"paddock/shared/policy"
	"paddock/shared/server"
)

// A set is of identifiers.
type set map[id.UUID]bool

func (s set) add(all ...id.UUID) {
	for _, one := range all {
		s[one] = true
	}
}

// sorted returns the identifiers in order.
func (s set) sorted() []id.UUID {
	return slices.SortedFunc(maps.Keys(s), func(a, b id.UUID) int { return bytes.Compare(a[:], b[:]) })
}

// A concern is whom and what a change is about.
type concern struct {
	people set // themselves: their accounts, or what names them
	groups set // all who are in them
	roles  set // all who have them
	grants set // assignments of servers that differ
	runs   set // servers that get other owners or managers
	made   set // groups that are not there yet
	apps   set // applications: those that are written, or have roles that differ
	// renamed is set when an object gets another name, comes or goes: patterns may
	// be about it.
	renamed bool
	// opened are the assignments that count for another name of a server.
	opened map[id.UUID]authz.Assignment

	// accounts are those that are written, as they shall be.
	accounts map[id.UUID]identity.User
	// applications are those that are written, as they shall be.
	applications map[id.UUID]application.Application
}

// concernOf compares both sides of a change that is made at now.
func concernOf(t *policy.Tried, now time.Time) *concern {
	c := &concern{people: set{}, groups: set{}, roles: set{}, grants: set{}, runs: set{}, made: set{}, apps: set{}, opened: map[id.UUID]authz.Assignment{}, accounts: map[id.UUID]identity.User{}, applications: map[id.UUID]application.Application{}}
	for _, op := range t.Ops {
		if _, value, ok := op.Written(); ok {
			switch is := value.(type) {
			case identity.User:
				c.people.add(is.ID.UUID())
				c.accounts[is.ID.UUID()] = is
			case application.Application:
				c.apps.add(is.ID.UUID())
				c.applications[is.ID.UUID()] = is
			}
		}
	}
	differ(t.Before.Roles(), t.After.Roles(), func(r authz.Role) id.UUID { return r.ID }, func(was, is authz.Role) {
		if !was.Permissions.Minus(is.Permissions).Empty() || !is.Permissions.Minus(was.Permissions).Empty() || !reflect.DeepEqual(was.Scope, is.Scope) {
			c.roles.add(was.ID, is.ID)
		}
	})
	differ(t.Before.Groups(), t.After.Groups(), func(g authz.Group) id.UUID { return g.ID }, func(was, is authz.Group) {
		c.groups.add(was.ID, is.ID)
		if was.ID.Zero() {
			c.made.add(is.ID)
		}
		if was.Name != is.Name {
			c.named(t, permission.Group, was.Name, is.Name)
		}
	})
	differ(t.Before.Servers(), t.After.Servers(), func(s authz.Server) id.UUID { return s.ID }, func(was, is authz.Server) {
		if was.Owner != is.Owner || !slices.Equal(was.Managers, is.Managers) {
			c.runs.add(was.ID, is.ID)
			c.people.add(append(append([]id.UUID{was.Owner, is.Owner}, was.Managers...), is.Managers...)...)
		}
		if was.Name != is.Name {
			c.named(t, permission.Server, was.Name, is.Name)
		}
	})
	differ(t.Before.Assignments(), t.After.Assignments(), func(a authz.Assignment) id.UUID { return a.ID }, func(was, is authz.Assignment) {
		for _, a := range []authz.Assignment{was, is} {
			if !server.Live(a, now) { // one that has ended may be collected with any change
				continue
			}
			c.grants.add(a.ID)
			if a.Group {
				c.groups.add(a.Subject)
			} else {
				c.people.add(a.Subject)
			}
		}
	})
	for _, p := range []*authz.Policy{t.Before, t.After} { // a group has what its roles permit
		for _, g := range p.Groups() {
			if slices.ContainsFunc(g.Roles, func(r id.UUID) bool { return c.roles[r] }) {
				c.groups.add(g.ID)
			}
		}
	}
	for _, s := range []set{c.people, c.groups, c.roles, c.grants, c.runs} {
		delete(s, id.UUID{})
	}
	return c
}

// named adds whom patterns concern when an object gets another name.
func (c *concern) named(t *policy.Tried, r permission.Resource, was, is string) {
	c.renamed = true
	for _, p := range []*authz.Policy{t.Before, t.After} {
		for _, o := range slices.Concat(p.Opened(r, was, is), p.Opened(r, is, was)) {
			switch {
			case o.Reason.What == "role":
				c.roles.add(o.Reason.Of)
			case o.Subject.Zero():
				c.groups.add(o.Reason.Of)
			default:
				c.opened[o.Reason.Of] = authz.Assignment{ID: o.Reason.Of, Subject: o.Subject, Group: o.Group, Name: o.Name}
			}
		}
	}
}

// differ calls change with each row that is not the same on both sides, as it
// was and as it is then; a row that one side does not have is the zero row there.
func differ[T any](before, after []T, of func(T) id.UUID, change func(was, is T)) {
	had := make(map[id.UUID]T, len(before))
	for _, row := range before {
		had[of(row)] = row
	}
	for _, row := range after {
		if was := had[of(row)]; !reflect.DeepEqual(was, row) {
			change(was, row)
		}
		delete(had, of(row))
	}
	for _, row := range before {
		if _, gone := had[of(row)]; gone {
			var none T
			change(row, none)
		}
	}
}
