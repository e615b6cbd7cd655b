package authz_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/pattern"
	"paddock/shared/permission"
)

// alphabet returns every step for a question by itself, in the order of
// preference, with the workspace and the person after it: an assignment as a row
// of the policy.
func alphabet(m model, p authz.Principal, what permission.Permission, o thing, at time.Time) (steps []authz.Step, after []model, who []authz.Principal) {
	add := func(s authz.Step, m model, q authz.Principal) {
		s.Subject = p.ID.UUID()
		if s.Kind == authz.AssignServer {
			q.Policy = m.rows.Policy()
		}
		steps, after, who = append(steps, s), append(after, m), append(who, q)
	}
	for _, g := range m.rows.Groups {
		for _, r := range []authz.MemberRole{authz.GroupMember, authz.GroupManager, authz.GroupOwner} {
			q, less := p, false
			q.Memberships = nil
			for _, mine := range p.Memberships {
				if mine.Group != g.ID {
					q.Memberships = append(q.Memberships, mine)
				} else if !over(mine.Until, at) && r < mine.Role {
					less = true
				}
			}
			if q.Memberships = append(q.Memberships, authz.Membership{Group: g.ID, Role: r}); !less {
				add(authz.Step{Kind: authz.JoinGroup, Group: g.ID, Member: r}, m, q)
			}
		}
	}
	for _, one := range []authz.Access{authz.Terminal, authz.FileAccess, authz.DeployShell, authz.Sudo} {
		if accesses[one].Has(what) && o.kind != "" {
			with := m
			with.rows.Assignments = append(slices.Clone(m.rows.Assignments), authz.Assignment{ID: named('a', 99), Subject: p.ID.UUID(), Server: o.ID, Access: one})
			add(authz.Step{Kind: authz.AssignServer, Server: o.ID, Access: one}, with, p)
			break
		}
	}
	for _, r := range m.rows.Roles {
		q := p
		q.Roles = append(slices.Clone(p.Roles), authz.RoleAssignment{Role: r.ID})
		add(authz.Step{Kind: authz.AssignRole, Role: r.ID}, m, q)
	}
	for _, r := range []authz.RoleSetting{authz.Staff, authz.Superuser} {
		if q := p; r > p.Role {
			q.Role = r
			add(authz.Step{Kind: authz.SetRoleSetting, Setting: r}, m, q)
		}
	}
	return steps, after, who
}

// gained counts what somebody holds in one workspace and not in the other.
func gained(before, after pairs) (n int) {
	for o, set := range after {
		n += set.Minus(before[o]).Len()
	}
	return n
}

// TestTheSmallestStepAllows holds explanations to trying everything: where a step
// is offered it flips the decision and nothing smaller does, and where none is, no
// step does, nor two of them.
func TestTheSmallestStepAllows(t *testing.T) {
	parse := func(text string) pattern.Pattern { return parsed(t, text) }
	offered, none := 0, 0
	byKind := map[authz.StepKind]int{}
	for n := uint64(0); offered < 1_000; n++ {
		r := rand.New(rand.NewPCG(n, 3))
		m, p := randomly(r, parse)
		at := now.Add(pick(r, []time.Duration{0, -time.Nanosecond, time.Hour}))
		o := pick(r, m.things)
		what := pick(r, askedOn[o.kind].Permissions())
		object := o.Object
		if o.kind == "user" || o.kind == "application" { // the guard asks who it is
			_, who := randomly(r, parse)
			who.ID, who.Policy = id.Of[id.Principal](o.ID), nil
			object.Account = &who
		}
		got := authz.Explain(&p, what, object, at)
		if got.Allowed != authz.May(&p, what, object, at) || got.Allowed && got.Step != nil {
			t.Fatalf("workspace %d: %s on %s: %+v", n, what, o.ID, got)
		}
		if got.Allowed {
			continue
		}
		m.things = thingsOf(m.rows)
		if !slices.ContainsFunc(m.things, func(other thing) bool { return other.ID == o.ID }) {
			m.things = append(m.things, o)
		}
		before := m.pairs(&p, at)
		steps, after, who := alphabet(m, p, what, o, at)
		var best *authz.Step
		for i := range steps {
			if !authz.May(&who[i], what, object, at) {
				continue
			}
			if steps[i].New = gained(before, after[i].pairs(&who[i], at)); best == nil || steps[i].New < best.New {
				best = &steps[i]
			}
		}
		switch {
		case (best == nil) != (got.Step == nil), best != nil && *best != *got.Step:
			t.Fatalf("workspace %d: %s on %s %s: %+v, best is %+v", n, what, o.kind, o.ID, got.Step, best)
		case best == nil:
			none++
			for i := range steps {
				again, _, both := alphabet(after[i], who[i], what, o, at)
				for j := range again {
					if authz.May(&both[j], what, object, at) {
						t.Fatalf("workspace %d: %s on %s: %+v and %+v allow", n, what, o.ID, steps[i], again[j])
					}
				}
			}
		default:
			offered++
			byKind[best.Kind]++
			if q := got.Step.Apply(p); !authz.May(&q, what, object, at) {
				t.Fatalf("workspace %d: %+v does not allow", n, got.Step)
			}
		}
	}
	if none < 20 || len(byKind) != len(authz.StepKinds) {
		t.Errorf("%v offered, %d times none", byKind, none)
	}
}

// TestExplanationsExamineEverything holds the grants to the decision: it is one
// that holds, and without one that does nothing is allowed.
func TestExplanationsExamineEverything(t *testing.T) {
	parse := func(text string) pattern.Pattern { return parsed(t, text) }
	misses := map[authz.Miss]int{}
	for n := range uint64(3_000) {
		r := rand.New(rand.NewPCG(n, 4))
		m, p := randomly(r, parse)
		o := pick(r, m.things)
		o.Account = &authz.Principal{}
		what := pick(r, askedOn[o.kind].Minus(texts("account:own audit:own user:read")).Permissions())
		got := authz.Explain(&p, what, o.Object, now)
		holds := false
		for _, g := range got.Grants {
			misses[g.Miss]++
			if g.Miss != 0 {
				continue
			}
			holds = true
			if over(g.Until, now) || now.Before(g.From) || !g.Permissions.Has(what) {
				t.Fatalf("workspace %d: %+v holds", n, g)
			}
		}
		a, decision, _ := authz.Decide(p, what, o.Object, now, id.UUID{15: 7})
		if holds != got.Allowed || got.Allowed != (decision.Effect == audit.Allow) || got.Failing != decision.FailingCondition || got.Allowed != a.Covers(what, o.ID) {
			t.Fatalf("workspace %d: %s on %s: %+v and %+v", n, what, o.ID, got, decision)
		}
		if got.Allowed && decision.Grants[0] != got.Reason.String() {
			t.Fatalf("workspace %d: %q and %q", n, decision.Grants, got.Reason)
		}
	}
	for _, miss := range append(authz.Misses, 0) {
		if misses[miss] == 0 {
			t.Errorf("%s was never seen", miss)
		}
	}
}

// TestReachEqualsTheModel compares both directions and their reasons.
func TestReachEqualsTheModel(t *testing.T) {
	parse := func(text string) pattern.Pattern { return parsed(t, text) }
	for n := range uint64(1_000) {
		r := rand.New(rand.NewPCG(n, 5))
		m, p := randomly(r, parse)
		_, q := randomly(r, parse)
		q.ID, q.Policy = id.Of[id.Principal](named('u', 2)), p.Policy
		people := []*authz.Principal{&p, &q}
		var toServers, fromPeople []authz.Reached
		for _, who := range people {
			toServers = append(toServers, who.Reach(who.Servers(permission.AccessServer, now), now)...)
		}
		for _, s := range p.Policy.Servers() {
			fromPeople = append(fromPeople, authz.WhoReaches(s.Object(), people, now)...)
		}
		want := 0
		for _, who := range people {
			held := m.pairs(who, now)
			for _, s := range m.rows.Servers {
				if !held.has(permission.AccessServer, s.ID) {
					continue
				}
				want++
				for _, all := range [][]authz.Reached{toServers, fromPeople} {
					i := slices.IndexFunc(all, func(x authz.Reached) bool { return x.Server == s.ID && x.Who == who.ID.UUID() })
					if i < 0 {
						t.Fatalf("workspace %d: %s does not reach %s", n, who.ID, s.ID)
					}
					var set permission.Set
					for _, h := range all[i].Holds {
						if set = set.Union(h.Permissions); over(h.Until, now) || h.Reason.What == "" && len(who.Grants) == 0 {
							t.Fatalf("workspace %d: %+v", n, h)
						}
					}
					if set != held[s.ID].Intersect(texts(everyAccess)) {
						t.Fatalf("workspace %d: %s reaches %s by %v", n, who.ID, s.ID, all[i].Holds)
					}
				}
			}
		}
		if len(toServers) != want || len(fromPeople) != want {
			t.Fatalf("workspace %d: %d and %d, want %d", n, len(toServers), len(fromPeople), want)
		}
	}
}

// TestImpactEqualsTheModel compares two workspaces, of which the second has other
// rows under the same ids, or the same with one thing changed.
func TestImpactEqualsTheModel(t *testing.T) {
	parse := func(text string) pattern.Pattern { return parsed(t, text) }
	for n := range uint64(2_000) {
		r := rand.New(rand.NewPCG(n, 6))
		m, p := randomly(r, parse)
		next, q := randomly(r, parse)
		if n%2 == 0 {
			next, q = m, p
			next.rows.Groups = slices.Clone(m.rows.Groups)
			g := &next.rows.Groups[r.IntN(3)]
			g.Access, g.Roles, g.Names = authz.Access(r.IntN(16)), some(r, 2, ids('r', 5)), append(slices.Clone(g.Names), parse(pick(r, nameTexts)))
			next.rows.Servers = slices.Clone(m.rows.Servers[:4]) // one is gone
			next.rows.Servers[0].Name = pick(r, nameTexts)
			q.Policy = next.rows.Policy()
		}
		users := []authz.Object{{ID: named('u', 1), Name: "web-1"}, {ID: named('u', 2), Name: "team"}}
		got := authz.ImpactOf(&p, &q, now, users...)
		others := []thing{{users[0], "user"}, {users[1], "user"}}
		m.things, next.things = thingsOf(m.rows, others...), thingsOf(next.rows, others...)
		m.things, next.things = append(m.things, missing(m, next)...), append(next.things, missing(next, m)...)
		before, after := m.pairs(&p, now), next.pairs(&q, now)
		if gain, loss := listedPairs(got.Gained), listedPairs(got.Lost); !same(gain, minus(after, before)) || !same(loss, minus(before, after)) {
			t.Fatalf("workspace %d: gained %v, want %v; lost %v, want %v", n, gain, minus(after, before), loss, minus(before, after))
		}
	}
}

// missing returns the objects that only the other workspace has, by their ids.
func missing(m, other model) (out []thing) {
	for _, o := range other.things {
		if !slices.ContainsFunc(m.things, func(mine thing) bool { return mine.ID == o.ID }) {
			out = append(out, thing{authz.Object{ID: o.ID}, o.kind})
		}
	}
	return out
}

func minus(a, b pairs) pairs {
	out := pairs{}
	for o, set := range a {
		if set = set.Minus(b[o]); !set.Empty() {
			out[o] = set
		}
	}
	return out
}

func listedPairs(c authz.Change) pairs {
	out := pairs{}
	if !c.Everywhere.Empty() {
		out[id.UUID{}] = c.Everywhere
	}
	for _, on := range append(slices.Clone(c.Servers), c.Others...) {
		out[on.Object] = out[on.Object].Union(on.Permissions)
	}
	return out
}

func same(a, b pairs) bool {
	for o := range a {
		if a[o] != b[o] {
			return false
		}
	}
	return len(a) == len(b)
}
