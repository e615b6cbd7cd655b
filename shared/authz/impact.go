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

// A Comparison is of two policies of a workspace, for the impact of a change on
// many people.
type Comparison struct {
	before, after *Policy
	place         []int32    // in after of each server of before, -1 where it is gone
	gone, made    []known    // servers of only one side
	others        [2][]known // the same objects, as each side knows them
}

// Compare returns the comparison of two policies, which may be the same.
func Compare(before, after *Policy) *Comparison {
	c := &Comparison{before: before, after: after, place: make([]int32, len(before.Servers()))}
	for i, s := range before.Servers() {
		if _, at, ok := after.Server(s.ID); ok {
			c.place[i] = int32(at)
		} else {
			c.place[i] = -1
			c.gone = append(c.gone, known{s.Object(), server})
		}
	}
	for _, s := range after.Servers() {
		if _, _, ok := before.Server(s.ID); !ok {
			c.made = append(c.made, known{s.Object(), server})
		}
	}
	c.others = [2][]known{before.othersWith(after), after.othersWith(before)}
	return c
}

// ImpactOf compares what a principal may at now before and after a change of
// itself or of the policy: see Comparison.
func ImpactOf(before, after *Principal, now time.Time, users ...Object) Impact {
	return Compare(before.Policy, after.Policy).Impact(before, after, now, users...)
}

// Impact compares what a principal may at now before and after a change, each
// under its policy of c: on everything, on each server, group and application of
// either policy, and on these users. What is held everywhere is held on each
// object, and listed on each. Accounts that may more than who asks are not told
// apart.
func (c *Comparison) Impact(before, after *Principal, now time.Time, users ...Object) Impact {
	past, next := before.Effective(now), after.Effective(now)
	out := Impact{
		Gained: Change{Everywhere: next.Everywhere.Minus(past.Everywhere)},
		Lost:   Change{Everywhere: past.Everywhere.Minus(next.Everywhere)},
	}
	had, has := past.onServers(len(c.before.Servers())), next.onServers(len(c.after.Servers()))
	for i, s := range c.before.Servers() {
		if at := c.place[i]; at >= 0 {
			out.servers(s.ID, had[i], has[at])
		}
	}
	for _, o := range c.gone {
		_, at, _ := c.before.Server(o.ID)
		out.servers(o.ID, had[at], next.on(known{Object{ID: o.ID}, server}))
	}
	for _, o := range c.made {
		_, at, _ := c.after.Server(o.ID)
		out.servers(o.ID, past.on(known{Object{ID: o.ID}, server}), has[at])
	}
	hadOn := map[id.UUID]permission.Set{}
	for _, o := range c.others[0] {
		hadOn[o.ID] = past.on(o)
	}
	for _, o := range c.others[1] {
		out.others(o.ID, hadOn[o.ID], next.on(o))
	}
	for _, u := range users {
		out.others(u.ID, past.on(known{u, user}), next.on(known{u, user}))
	}
	return out
}

func (i *Impact) servers(of id.UUID, had, has permission.Set) {
	if had != has {
		i.Gained.Servers = appendOn(i.Gained.Servers, of, has.Minus(had))
		i.Lost.Servers = appendOn(i.Lost.Servers, of, had.Minus(has))
	}
}

func (i *Impact) others(of id.UUID, had, has permission.Set) {
	if had != has {
		i.Gained.Others = appendOn(i.Gained.Others, of, has.Minus(had))
		i.Lost.Others = appendOn(i.Lost.Others, of, had.Minus(has))
	}
}

func appendOn(to []On, of id.UUID, set permission.Set) []On {
	if set.Empty() {
		return to
	}
	return append(to, On{of, set})
}

// A known is an object with its kind.
type known struct {
	Object
	kind kind
}

// others returns the groups and applications of p.
func (p *Policy) others() []known {
	var out []known
	for _, g := range p.Groups() {
		out = append(out, known{Object{ID: g.ID, Name: g.Name}, group})
	}
	for _, a := range p.Applications() {
		out = append(out, known{a.Object(), application})
	}
	return out
}

// othersWith adds those of another policy that p does not have, by their id
// alone.
func (p *Policy) othersWith(other *Policy) []known {
	out := p.others()
	for _, o := range other.others() {
		if p.kind(o.ID) != o.kind {
			out = append(out, known{Object{ID: o.ID}, o.kind})
		}
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
	if _, ok := p.Application(of); ok {
		return application
	}
	return none
}

// on returns what e gives on an object that is no server of the policy.
func (e *Effective) on(o known) permission.Set {
	set := ofKind(e.Everywhere, o.kind)
	for i := range e.units {
		if more := ofKind(e.units[i].set, o.kind); !more.Minus(set).Empty() && e.units[i].reaches(o.Object) {
			set = set.Union(more)
		}
	}
	return set
}

// onServers returns what e gives on each of the n servers of the policy.
func (e *Effective) onServers(n int) []permission.Set {
	out := make([]permission.Set, n)
	if everywhere := ofKind(e.Everywhere, server); !everywhere.Empty() {
		for i := range out {
			out[i] = everywhere
		}
	}
	for i, what := range permission.Catalogue {
		set := permission.SetOf(what)
		for at := range e.servers[i].each {
			out[at] = out[at].Union(set)
		}
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
			n += len(p.Servers()) - e.servers[i].without(nil)
		default:
			n += added.servers[i].without(e.servers[i])
		}
	}
	for _, o := range others {
		n += added.on(o).Minus(had[o.ID]).Len()
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
