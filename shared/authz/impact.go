package authz

import (
	"math/bits"
	"time"

	"paddock/shared/id"
	"paddock/shared/permission"
)

// An On is what is held on one object.
type On struct {
	Object      id.UUID
	Permissions permission.Set
}

// A Change is what is held on one side of a change and not on the other.
type Change struct {
	Everywhere permission.Set // on all objects, those to come too
	Servers    []On
	Others     []On // groups, applications and users
}

// Empty reports whether nothing is held.
func (c Change) Empty() bool { return c.Everywhere.Empty() && len(c.Servers)+len(c.Others) == 0 }

// An Impact is what a change means for one principal.
type Impact struct{ Gained, Lost Change }

// ImpactOf compares what a principal may at now before and after a change of
// itself or of the policy: on everything, on each server, group and application
// of either policy, and on these users. What is held everywhere is held on each
// object, and listed on each. Accounts that may more than who asks are not told
// apart.
func ImpactOf(before, after *Principal, now time.Time, users ...Object) Impact {
	var all []known
	for _, u := range users {
		all = append(all, known{u, user})
	}
	past, next := before.Effective(now), after.Effective(now)
	had, has := before.Policy.known(after.Policy, all), after.Policy.known(before.Policy, all)
	hadOn, hasOn := past.on(before.Policy, had), next.on(after.Policy, has)
	out := Impact{
		Gained: Change{Everywhere: next.Everywhere.Minus(past.Everywhere)},
		Lost:   Change{Everywhere: past.Everywhere.Minus(next.Everywhere)},
	}
	add := func(to *Change, k kind, of id.UUID, set permission.Set) {
		switch {
		case set.Empty():
		case k == server:
			to.Servers = append(to.Servers, On{of, set})
		default:
			to.Others = append(to.Others, On{of, set})
		}
	}
	for _, side := range [][]known{had, has} {
		for _, o := range side {
			x, seen := hadOn[o.ID]
			if !seen {
				continue // an object of both sides
			}
			add(&out.Gained, o.kind, o.ID, hasOn[o.ID].Minus(x))
			add(&out.Lost, o.kind, o.ID, x.Minus(hasOn[o.ID]))
			delete(hadOn, o.ID)
		}
	}
	return out
}

// A known is an object with its kind.
type known struct {
	Object
	kind kind
}

// known returns the objects of p, those that only another policy has, by their
// id alone, and these.
func (p *Policy) known(other *Policy, these []known) []known {
	out := p.objects()
	for _, o := range other.objects() {
		if p == other || p.kind(o.ID) == o.kind {
			continue
		}
		out = append(out, known{Object{ID: o.ID}, o.kind})
	}
	return append(out, these...)
}

// objects returns the servers, groups and applications of p.
func (p *Policy) objects() []known {
	all := p.all()
	out := make([]known, 0, len(all.Servers)+len(all.Groups)+len(all.Applications))
	for _, s := range all.Servers {
		out = append(out, known{s.Object(), server})
	}
	return append(out, p.others()...)
}

// others returns the groups and applications of p.
func (p *Policy) others() []known {
	all := p.all()
	out := make([]known, 0, len(all.Groups)+len(all.Applications))
	for _, g := range all.Groups {
		out = append(out, known{Object{ID: g.ID, Name: g.Name}, group})
	}
	for _, a := range all.Applications {
		out = append(out, known{a.Object(), application})
	}
	return out
}

// kind returns what an object of p is, none for what it does not know.
func (p *Policy) kind(of id.UUID) kind {
	if _, _, ok := p.Server(of); ok {
		return server
	}
	if _, ok := p.Group(of); ok {
		return group
	}
	if p != nil {
		if _, ok := p.applicationAt[of]; ok {
			return application
		}
	}
	return none
}

// on returns what e gives on each of the objects.
func (e *Effective) on(p *Policy, objects []known) map[id.UUID]permission.Set {
	out := make(map[id.UUID]permission.Set, len(objects))
	for _, o := range objects {
		set := ofKind(e.Everywhere, o.kind)
		if _, at, ok := p.Server(o.ID); ok {
			for i, what := range permission.Catalogue {
				if e.servers[i].has(at) {
					set = set.Union(permission.SetOf(what))
				}
			}
		} else {
			for i := range e.units {
				if u := &e.units[i]; u.reaches(o.Object) {
					set = set.Union(ofKind(u.set, o.kind))
				}
			}
		}
		out[o.ID] = set
	}
	return out
}

// news counts the pairs of permission and object that added gives and e does
// not: on everything, on the servers of the policy and on these other objects,
// on which had is what e gives.
func (e *Effective) news(p *Policy, added *Effective, others []known, had map[id.UUID]permission.Set) int {
	everywhere := added.Everywhere.Minus(e.Everywhere)
	n := everywhere.Len()
	for i, what := range permission.Catalogue {
		switch {
		case kindOf(what.Resource) != server || e.Everywhere.Has(what):
		case everywhere.Has(what):
			n += len(p.all().Servers) - e.servers[i].without(nil)
		default:
			n += added.servers[i].without(e.servers[i])
		}
	}
	for _, o := range others {
		set := ofKind(everywhere, o.kind)
		for i := range added.units {
			if u := &added.units[i]; u.reaches(o.Object) {
				set = set.Union(ofKind(u.set, o.kind))
			}
		}
		n += set.Minus(had[o.ID]).Len()
	}
	return n
}

// without counts what is in b and not in c.
func (b bitset) without(c bitset) int {
	n := 0
	for i, word := range b {
		if i < len(c) {
			word &^= c[i]
		}
		n += bits.OnesCount64(word)
	}
	return n
}
