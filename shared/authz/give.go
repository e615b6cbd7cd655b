package authz

import (
	"slices"
	"time"

	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/pattern"
	"paddock/shared/permission"
)

// forever stands for an end that never comes.
var forever = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// A Gift is what somebody would hand out: permissions on a scope, until an end
// (zero: none).
type Gift struct {
	Permissions permission.Set
	Scope       Scope
	Servers     bool // the scope is of servers alone
	Until       time.Time
}

// Lacks returns a permission of the gift that p may not hand out, because p
// does not hold it on all of the scope for all of the time: you may hand out
// only what you hold. Opening servers is held by who may assign them. Source:
// issue of roles; security, RB-4, RB-6.
func (p *Principal) Lacks(g Gift, now time.Time) (permission.Permission, bool) {
	last := forever
	if !g.Until.IsZero() {
		last = g.Until.Add(-time.Nanosecond)
	}
	for _, what := range g.Permissions.Permissions() {
		// What is held ends once: held now and at the end is held throughout.
		if !p.holds(what, g, now) || !p.holds(what, g, last) {
			return what, true
		}
	}
	return permission.Permission{}, false
}

// holds reports whether p holds the permission on the scope of a gift at an
// instant.
func (p *Principal) holds(what permission.Permission, g Gift, at time.Time) bool {
	if g.Servers && kindOf(what.Resource) != server {
		return true // gives nothing
	}
	if !p.anywhere(what, at) { // opening servers that one may assign is bounded too
		return false
	}
	if g.Scope.Everywhere() {
		return p.can(what, Object{}, at)
	}
	for _, o := range g.Scope.Objects {
		object := Object{ID: o}
		if s, _, ok := p.Policy.Server(o); ok {
			object = s.Object()
		}
		if !p.can(what, object, at) {
			return false
		}
	}
	for _, n := range g.Scope.Names {
		if !p.includes(what, n, at) {
			return false
		}
	}
	return true
}

// can is May, but for the opening of servers, which who may assign them holds.
func (p *Principal) can(what permission.Permission, o Object, at time.Time) bool {
	return May(p, what, o, at) || accessRights.Has(what) && May(p, permission.CreateAssignment, o, at)
}

// includes reports whether p holds the permission on whatever has a name that
// the pattern matches.
func (p *Principal) includes(what permission.Permission, name pattern.Pattern, at time.Time) bool {
	if p.Limits != nil && ByRows(what) {
		return false // rows name servers one by one
	}
	held := false
	p.each(at, func(u unit) bool {
		opens := accessRights.Has(what) && u.set.Has(permission.CreateAssignment)
		if u.only != none && u.only != kindOf(what.Resource) || !u.set.Has(what) && !opens {
			return true
		}
		held = u.everywhere || u.name.Kind() != 0 && pattern.Includes(u.name, name) ||
			slices.ContainsFunc(u.names, func(outer pattern.Pattern) bool { return pattern.Includes(outer, name) })
		return !held
	})
	return held
}

// Lacking refuses to hand out what one does not hold.
type Lacking struct{ What permission.Permission }

// ErrCeiling is what Lacking answers.
var ErrCeiling = fault.Error{
	Kind: fault.Denied, Code: "grant_ceiling",
	Detail: "You may hand out only what you hold.",
}

// Error names the permission.
func (l *Lacking) Error() string { return l.Unwrap().Error() }

// Unwrap returns the refusal that is answered.
func (l *Lacking) Unwrap() error {
	return ErrCeiling.Saying("You may hand out only what you hold: you lack " + l.What.String() + " on all of it, or for as long.")
}

// Standing returns what a place is worth in the group itself, and nothing of
// what the group gives.
func Standing(m Membership) Gift {
	return Gift{Permissions: m.Role.standing(), Scope: Scope{Objects: []id.UUID{m.Group}}, Until: m.Until}
}

// Gifts returns what a membership hands out.
func (p *Policy) Gifts(m Membership, now time.Time) []Gift {
	var out []Gift
	one := Principal{Policy: p}
	one.member(m, now, func(u unit) bool {
		out = append(out, u.gift())
		return true
	})
	return out
}

// RoleGift returns what an assignment of a role hands out until an end.
func RoleGift(r Role, until time.Time) Gift {
	return Gift{Permissions: r.Permissions, Scope: r.Scope, Until: until}
}

// AccessGift returns what an assignment of servers hands out until an end.
func AccessGift(a Access, on Scope, until time.Time) Gift {
	return Gift{Permissions: a.Permissions(), Scope: on, Servers: true, Until: until}
}

func (u *unit) gift() Gift {
	g := Gift{Permissions: u.set, Until: u.until, Servers: u.only == server}
	if u.everywhere {
		return g
	}
	g.Scope = Scope{Objects: slices.Clone(u.objects), Names: slices.Clone(u.names)}
	if !u.one.Zero() {
		g.Scope.Objects = append(g.Scope.Objects, u.one)
	}
	if u.name.Kind() != 0 {
		g.Scope.Names = append(g.Scope.Names, u.name)
	}
	return g
}

// exceeds reports whether other may something at now that p does not hold: who
// acts on other's account could act as other.
func exceeds(other, p *Principal, now time.Time) bool {
	over := false
	other.each(now, func(u unit) bool {
		g := u.gift()
		g.Until = now.Add(time.Nanosecond) // it is used now
		_, over = p.Lacks(g, now)
		return !over
	})
	if over || other.Policy == nil {
		return over
	}
	for _, i := range other.Policy.byManager[other.ID.UUID()] {
		s := &other.Policy.servers[i]
		set := serverManager
		if s.Owner == other.ID.UUID() {
			set = serverOwner
		}
		g := Gift{Permissions: set, Scope: Scope{Objects: []id.UUID{s.ID}}, Until: now.Add(time.Nanosecond)}
		if _, over = p.Lacks(g, now); over {
			return true
		}
	}
	return false
}
