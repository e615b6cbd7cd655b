package authz

import (
	"slices"
	"time"

	"paddock/shared/id"
	"paddock/shared/pattern"
	"paddock/shared/permission"
)

// The rules of this file say who may make a change of who may what. Each asks
// first for the permission of the change itself and then for the ceiling: p
// hands out only what p holds, on all of it and for as long. Each returns nil, or
// a *Lacking that names the permission which is missing. Taking away asks for no
// ceiling, but for standing: nobody takes from others in a group what they do
// not hold in it. Source: security, RB-2 to RB-6; decision 15.

// needs returns an error unless p may use the permission on the object.
func needs(p *Principal, what permission.Permission, o Object, now time.Time) error {
	if !May(p, what, o, now) {
		return &Lacking{what}
	}
	return nil
}

// within returns an error unless p holds the gifts.
func within(p *Principal, now time.Time, gifts ...Gift) error {
	for _, g := range gifts {
		if what, lacks := p.Lacks(g, now); lacks {
			return &Lacking{what}
		}
	}
	return nil
}

// MayJoin says whether p may put somebody into a group.
func MayJoin(p *Principal, m Membership, now time.Time) error {
	if err := needs(p, permission.CreateMembership, p.Policy.object(m.Group), now); err != nil {
		return err
	}
	return within(p, now, p.Policy.Gifts(m)...)
}

// MayChangeMembership says whether p may change somebody's place in a group. A
// change that gives neither more nor for longer hands out nothing.
func MayChangeMembership(p *Principal, before, after Membership, now time.Time) error {
	if err := needs(p, permission.UpdateMembership, p.Policy.object(before.Group), now); err != nil {
		return err
	}
	if err := within(p, now, standingNow(before, now)); err != nil {
		return err
	}
	if after.Group == before.Group && live(before.Until, now) && notAfter(after.Until, before.Until) {
		return within(p, now, Standing(after))
	}
	return within(p, now, p.Policy.Gifts(after)...)
}

// MayLeave says whether p may take somebody out of a group. Whoever is in it may
// leave it.
func MayLeave(p *Principal, who id.UUID, m Membership, now time.Time) error {
	if who == p.ID.UUID() && !p.ID.Zero() {
		return nil
	}
	if err := needs(p, permission.DeleteMembership, p.Policy.object(m.Group), now); err != nil {
		return err
	}
	return within(p, now, standingNow(m, now))
}

// standingNow is what a place is worth at one instant.
func standingNow(m Membership, now time.Time) Gift {
	g := Standing(m)
	g.Until = now.Add(time.Nanosecond)
	return g
}

// notAfter reports whether an end is at another one or before; zero is never.
func notAfter(end, other time.Time) bool {
	return other.IsZero() || !end.IsZero() && !end.After(other)
}

// on returns what an assignment is of.
func (a Assignment) on() Scope {
	var s Scope
	if !a.Server.Zero() {
		s.Objects = []id.UUID{a.Server}
	}
	if a.Name.Kind() != 0 {
		s.Names = []pattern.Pattern{a.Name}
	}
	return s
}

// MayAssign says whether p may give a user or a group servers. An assignment of
// neither a server nor a pattern is asked for on all of them.
func MayAssign(p *Principal, a Assignment, now time.Time) error {
	create := Gift{Permissions: permission.SetOf(permission.CreateAssignment), Scope: a.on(), Until: now.Add(time.Nanosecond)}
	return within(p, now, create, AccessGift(a.Access, a.on(), a.Until))
}

// MayUnassign says whether p may take an assignment away.
func MayUnassign(p *Principal, a Assignment, now time.Time) error {
	return within(p, now, Gift{
		Permissions: permission.SetOf(permission.DeleteAssignment), Scope: a.on(), Until: now.Add(time.Nanosecond),
	})
}

// MayCreateGroup says whether p may make a group that gives this.
func MayCreateGroup(p *Principal, g Group, now time.Time) error {
	if err := needs(p, permission.CreateGroup, Object{}, now); err != nil {
		return err
	}
	return mayGive(p, Group{}, g, now)
}

// MayChangeGroup says whether p may change what a group is called and gives. Who
// is in it, and until when, does not matter: what is new has no end.
func MayChangeGroup(p *Principal, before, after Group, now time.Time) error {
	o := Object{ID: before.ID, Name: before.Name}
	if err := needs(p, permission.UpdateGroup, o, now); err != nil {
		return err
	}
	if err := mayBeNamed(p, permission.Group, o, after.Name, now); err != nil {
		return err
	}
	return mayGive(p, before, after, now)
}

// mayGive holds what after gives and before did not to the ceiling. Roles of
// groups are assigned by who assigns roles.
func mayGive(p *Principal, before, after Group, now time.Time) error {
	for _, of := range after.Roles {
		if slices.Contains(before.Roles, of) {
			continue
		}
		r, ok := p.Policy.Role(of)
		if !ok {
			r = &Role{}
		}
		if err := MayAssignRole(p, *r, time.Time{}, now); err != nil {
			return err
		}
	}
	all := Scope{Objects: after.Servers, Names: after.Names}
	if all.Everywhere() {
		return nil // of no server
	}
	gifts := []Gift{{Permissions: after.Access.Permissions().Minus(before.Access.Permissions()), Scope: all, Servers: true}}
	had := unit{set: before.Access.Permissions(), objects: before.Servers, names: before.Names}
	added := Scope{
		Objects: slices.DeleteFunc(slices.Clone(after.Servers), func(s id.UUID) bool {
			return Scope{Objects: had.objects, Names: had.names}.lists(p.Policy.object(s))
		}),
		Names: slices.DeleteFunc(slices.Clone(after.Names), func(n pattern.Pattern) bool {
			return slices.ContainsFunc(had.names, func(outer pattern.Pattern) bool { return pattern.Includes(outer, n) })
		}),
	}
	if !added.Everywhere() {
		gifts = append(gifts, Gift{Permissions: after.Access.Permissions(), Scope: added, Servers: true})
	}
	return within(p, now, gifts...)
}

// MayCreateRole says whether p may make a custom role. Reserved permissions are
// in none.
func MayCreateRole(p *Principal, r Role, now time.Time) error {
	if err := needs(p, permission.CreateRole, Object{}, now); err != nil {
		return err
	}
	return mayHold(p, r, time.Time{}, now)
}

// MayChangeRole says whether p may change a custom role into this one: those who
// have it get all that is new.
func MayChangeRole(p *Principal, after Role, now time.Time) error {
	if err := needs(p, permission.UpdateRole, Object{}, now); err != nil {
		return err
	}
	return mayHold(p, after, time.Time{}, now)
}

// MayAssignRole says whether p may give somebody or a group a custom role until
// an end.
func MayAssignRole(p *Principal, r Role, until, now time.Time) error {
	if err := needs(p, permission.CreateRoleAssignment, Object{}, now); err != nil {
		return err
	}
	return mayHold(p, r, until, now)
}

func mayHold(p *Principal, r Role, until, now time.Time) error {
	if reserved := r.Permissions.Intersect(Reserved).Permissions(); len(reserved) > 0 {
		return &Lacking{reserved[0]}
	}
	return within(p, now, RoleGift(r, until))
}

// MayPromote says whether p may set a user to a role setting.
func MayPromote(p *Principal, to RoleSetting, now time.Time) error {
	if err := needs(p, permission.PromoteUser, Object{}, now); err != nil {
		return err
	}
	return within(p, now, Gift{Permissions: BuiltIn(to)})
}

// MayCreateApplication says whether p may make an application that has these
// roles.
func MayCreateApplication(p *Principal, roles []RoleAssignment, now time.Time) error {
	if err := needs(p, permission.CreateApplication, Object{}, now); err != nil {
		return err
	}
	return mayRun(p, nil, roles, now)
}

// MayChangeApplication says whether p may change the roles of an application.
func MayChangeApplication(p *Principal, app Object, before, after []RoleAssignment, now time.Time) error {
	if err := needs(p, permission.UpdateApplication, app, now); err != nil {
		return err
	}
	return mayRun(p, before, after, now)
}

// mayRun holds the roles of an application that are new to the ceiling.
func mayRun(p *Principal, before, after []RoleAssignment, now time.Time) error {
	for _, a := range after {
		if !live(a.Until, now) {
			continue // gives nothing any more
		}
		if slices.ContainsFunc(before, func(b RoleAssignment) bool {
			return b.Role == a.Role && live(b.Until, now) && notAfter(a.Until, b.Until)
		}) {
			continue
		}
		r, ok := p.Policy.Role(a.Role)
		if !ok {
			continue // gives nothing
		}
		if err := mayHold(p, *r, a.Until, now); err != nil {
			return err
		}
	}
	return nil
}

// MayActAs says whether p may do to an account what lets p act as it: change it,
// or make a token of it. The account may hold nothing that p does not.
func MayActAs(p *Principal, what permission.Permission, account Object, now time.Time) error {
	return needs(p, what, account, now)
}

// update returns the permission to change an object of a resource.
func update(r permission.Resource) permission.Permission {
	return permission.Permission{Resource: r, Action: permission.Update}
}

// MayTransfer says whether p may make others the owner and managers of a server
// or an application. They are it without an end.
func MayTransfer(p *Principal, r permission.Resource, before Object, owner id.UUID, managers []id.UUID, now time.Time) error {
	if err := needs(p, update(r), before, now); err != nil {
		return err
	}
	asOwner, asManager := owned(kindOf(r))
	on := Scope{Objects: []id.UUID{before.ID}}
	if owner != before.Owner {
		return within(p, now, Gift{Permissions: asOwner, Scope: on})
	}
	for _, m := range managers {
		if !slices.Contains(before.Managers, m) {
			return within(p, now, Gift{Permissions: asManager, Scope: on})
		}
	}
	return nil
}

// MayRename says whether p may give an object another name: it hands out what
// older patterns give on the new one. Source: security, TK-6.
func MayRename(p *Principal, r permission.Resource, before Object, name string, now time.Time) error {
	if err := needs(p, update(r), before, now); err != nil {
		return err
	}
	return mayBeNamed(p, r, before, name, now)
}

func mayBeNamed(p *Principal, r permission.Resource, before Object, name string, now time.Time) error {
	for _, o := range p.Policy.Opened(r, before.Name, name) {
		if !live(o.Until, now) {
			continue
		}
		g := Gift{Permissions: o.Permissions, Scope: Scope{Objects: []id.UUID{before.ID}}, Until: o.Until}
		if err := within(p, now, g); err != nil {
			return err
		}
	}
	return nil
}

// An Opening is what a pattern gives on an object for its name.
type Opening struct {
	Reason      Reason // the role, group or assignment that has the pattern
	Subject     id.UUID
	Group       bool // the subject of the assignment is one
	Name        pattern.Pattern
	Permissions permission.Set
	Until       time.Time
}

// Opened returns what patterns give on an object of a resource for its name and
// did not for the one before, "" for an object that is new.
func (p *Policy) Opened(r permission.Resource, before, name string) []Opening {
	var out []Opening
	k := kindOf(r)
	add := func(o Opening, names ...pattern.Pattern) {
		o.Permissions = ofKind(o.Permissions, k)
		if o.Permissions.Empty() || slices.ContainsFunc(names, func(n pattern.Pattern) bool { return n.Match(before) }) {
			return
		}
		for _, n := range names {
			if n.Match(name) {
				o.Name = n
				out = append(out, o)
				return
			}
		}
	}
	for _, x := range p.Roles() {
		add(Opening{Reason: Reason{What: "role", Of: x.ID}, Permissions: x.Permissions}, x.Scope.Names...)
	}
	for _, x := range p.Groups() {
		add(Opening{Reason: Reason{What: "servers of group", Of: x.ID}, Permissions: x.Access.Permissions()}, x.Names...)
	}
	for _, x := range p.Assignments() {
		add(Opening{
			Reason: Reason{What: "assignment", Of: x.ID}, Subject: x.Subject, Group: x.Group,
			Permissions: x.Access.Permissions(), Until: x.Until,
		}, x.Name)
	}
	return out
}

// ofKind returns the permissions of s that are asked on objects of a kind.
func ofKind(s permission.Set, k kind) permission.Set { return s.Intersect(kinds[k]) }

// kinds holds the permissions of each kind.
var kinds = func() (sets [application + 1]permission.Set) {
	for _, what := range permission.Catalogue {
		k := kindOf(what.Resource)
		sets[k] = sets[k].Union(permission.SetOf(what))
	}
	return sets
}()
