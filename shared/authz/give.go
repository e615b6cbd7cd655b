package authz

import (
	"cmp"
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
	if last.Before(now) {
		last = now
	}
	want := g.Permissions
	if g.Servers {
		want = ofKind(want, server) // the others give nothing
	}
	for _, on := range g.Scope.parts(p.Policy) {
		if lacks := want.Minus(p.throughout(on, now, last)).Permissions(); len(lacks) > 0 {
			return lacks[0], true
		}
	}
	return permission.Permission{}, false
}

// A part is one thing of a scope: an object, all that a pattern names, or
// everything.
type part struct {
	object Object
	name   pattern.Pattern // zero for an object and for everything
}

// parts returns the parts of s, as the policy knows them.
func (s Scope) parts(policy *Policy) []part {
	if s.Everywhere() {
		return []part{{}}
	}
	var out []part
	for _, o := range s.Objects {
		out = append(out, part{object: policy.object(o)})
	}
	for _, n := range s.Names {
		out = append(out, part{name: n})
	}
	return out
}

// throughout returns what p holds on a part at each instant from first to last.
// Opening servers is held by who may assign them. What is held is not always
// used on each account: judge tells. Each pattern is compared once, whatever the
// number of permissions: that is what hostile ones make dear.
func (p *Principal) throughout(on part, first, last time.Time) permission.Set {
	var set permission.Set
	if p.ID.Zero() || p.Workspace.Zero() {
		return set
	}
	p.each(func(u unit) bool {
		if !u.set.Minus(set).Empty() && u.live(first, last) && u.includes(on) {
			set = set.Union(u.set)
		}
		return true
	})
	asOwner, asManager := owned(p.Policy.kind(on.object.ID))
	switch self := p.ID.UUID(); {
	case on.object.Owner == self:
		set = set.Union(asOwner)
	case slices.Contains(on.object.Managers, self):
		set = set.Union(asManager)
	case on.object.ID == self:
		set = set.Union(permission.SetOf(permission.ReadUser))
	}
	if set.Has(permission.CreateAssignment) {
		set = set.Union(accessRights)
	}
	return p.left(set.Minus(ownRights), on, last)
}

// includes reports whether u reaches all of a part.
func (u *unit) includes(on part) bool {
	if u.everywhere || on.name.Kind() == 0 {
		return u.reaches(on.object)
	}
	return u.name.Kind() != 0 && pattern.Includes(u.name, on.name) ||
		slices.ContainsFunc(u.names, func(outer pattern.Pattern) bool { return pattern.Includes(outer, on.name) })
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
func (p *Policy) Gifts(m Membership) []Gift {
	var out []Gift
	one := Principal{Policy: p}
	one.member(m, func(u unit) bool {
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

// gift returns what u gives. What gives on nothing is taken for everywhere.
// Rights on what is one's own come from nothing that is given.
func (u *unit) gift() Gift {
	g := Gift{Permissions: u.set.Minus(ownRights), Until: u.until, Servers: u.only == server}
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

// exceeds reports whether other may something, at now or later, that p does not
// hold: who acts as other could do it.
func exceeds(other, p *Principal, now time.Time) bool {
	who := Principal{
		ID: other.ID, Role: other.Role, Roles: other.Roles, Memberships: other.Memberships, Grants: other.Grants,
		Policy: cmp.Or(p.Policy, other.Policy), // there is one a workspace
	}
	over := false
	more := func(u unit) bool {
		if live(u.until, now) {
			_, over = p.Lacks(u.gift(), now)
		}
		return !over
	}
	who.each(more)
	if !over {
		who.belongings(more)
	}
	return over
}
