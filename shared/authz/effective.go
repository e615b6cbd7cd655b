package authz

import (
	"time"

	"paddock/shared/permission"
)

// Effective is what a principal may at one instant, unfolded so that each
// question is one bit: for lists, and for comparing.
type Effective struct {
	Everywhere permission.Set // on all objects of their resources
	servers    [permission.MaxPermissions]bitset
	units      []unit // that are not everywhere
}

// Effective returns what p may at now.
func (p *Principal) Effective(now time.Time) *Effective {
	e := &Effective{}
	if p.ID.Zero() || p.Workspace.Zero() {
		return e
	}
	own := unit{set: ownRights, one: p.ID.UUID()}
	e.units = append(e.units, own, unit{set: permission.SetOf(permission.ReadUser), one: p.ID.UUID()})
	add := func(u unit) bool {
		if u.live(now, now) {
			u.set = u.set.Minus(ownRights)
			e.add(p.Policy, u)
		}
		return true
	}
	p.each(add)
	p.belongings(add)
	e.limit(p, now)
	return e
}

// add joins a unit to e.
func (e *Effective) add(policy *Policy, u unit) {
	if u.everywhere {
		e.Everywhere = e.Everywhere.Union(u.set)
		return
	}
	e.units = append(e.units, u)
	if u.only != none && u.only != server || policy == nil {
		return
	}
	var reached bitset
	for i, what := range permission.Catalogue {
		if !u.set.Has(what) || kindOf(what.Resource) != server {
			continue
		}
		if reached == nil {
			reached = newBitset(len(policy.servers.rows))
			policy.reach(reached, &u)
		}
		if e.servers[i] == nil {
			e.servers[i] = newBitset(len(policy.servers.rows))
		}
		e.servers[i].union(reached)
	}
}

// Server reports whether the permission is held on the server at a place of
// Policy.Servers.
func (e *Effective) Server(what permission.Permission, at int) bool {
	i, ok := what.Index()
	return ok && (e.Everywhere.Has(what) || e.servers[i].has(at))
}

// Other reports whether the permission is held on an object that is no server of
// the policy.
// An account that may more than who asks is not told apart: see May.
func (e *Effective) Other(what permission.Permission, o Object) bool {
	if e.Everywhere.Has(what) {
		return true
	}
	for i := range e.units {
		if e.units[i].covers(what, o) {
			return true
		}
	}
	return false
}

// Servers returns the places in Policy.Servers of those on which p holds the
// permission at now, in their order. It costs less than Effective where nothing
// else is asked.
func (p *Principal) Servers(what permission.Permission, now time.Time) []int {
	if p.ID.Zero() || p.Workspace.Zero() || p.Policy == nil || kindOf(what.Resource) != server {
		return nil
	}
	on := newBitset(len(p.Policy.servers.rows))
	add := func(u unit) bool {
		if u.set.Has(what) && (u.only == none || u.only == server) && u.live(now, now) {
			p.Policy.reach(on, &u)
		}
		return true
	}
	p.each(add)
	p.belongings(add)
	return on.places()
}
