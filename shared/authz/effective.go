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
	units      []unit // of other objects
}

// Effective returns what p may at now.
func (p *Principal) Effective(now time.Time) *Effective {
	e := &Effective{}
	if p.ID.Zero() || p.Workspace.Zero() {
		return e
	}
	p.each(now, func(u unit) bool {
		e.add(p.Policy, u)
		return true
	})
	if p.Policy == nil {
		e.limit(p, now)
		return e
	}
	for _, i := range p.Policy.byManager[p.ID.UUID()] {
		s := &p.Policy.servers[i]
		set := serverManager
		if s.Owner == p.ID.UUID() {
			set = serverOwner
		}
		e.add(p.Policy, unit{set: set, only: server, one: s.ID})
	}
	e.limit(p, now)
	return e
}

// add joins a unit to e.
func (e *Effective) add(policy *Policy, u unit) {
	if u.everywhere && u.only == none {
		e.Everywhere = e.Everywhere.Union(u.set)
		return
	}
	if u.only != server {
		e.units = append(e.units, u)
	}
	if u.only != none && u.only != server || policy == nil {
		return
	}
	var reached bitset
	for i, what := range permission.Catalogue {
		if !u.set.Has(what) || kindOf(what.Resource) != server {
			continue
		}
		if reached == nil {
			reached = newBitset(len(policy.servers))
			policy.reach(reached, u)
		}
		if e.servers[i] == nil {
			e.servers[i] = newBitset(len(policy.servers))
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

// Other reports whether the permission is held on an object that is no server.
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
