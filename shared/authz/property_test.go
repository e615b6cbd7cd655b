package authz_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/pattern"
	"paddock/shared/permission"
)

// decided returns what May says of all permissions on all things.
func decided(p *authz.Principal, things []thing, at time.Time) pairs {
	out := pairs{}
	for _, o := range things {
		for _, what := range askedOn[o.kind].Permissions() {
			if authz.May(p, what, o.Object, at) {
				out[o.ID] = out[o.ID].Union(permission.SetOf(what))
			}
		}
	}
	return out
}

// TestMoreNeverTakesAway adds a role, a place in a group, an assignment of any
// subject or a grant, also where accounts are weighed.
func TestMoreNeverTakesAway(t *testing.T) {
	parse := func(text string) pattern.Pattern { return parsed(t, text) }
	for n := range uint64(1_000) {
		r := rand.New(rand.NewPCG(n, 7))
		m, p := randomly(r, parse)
		for i := range m.things {
			if k := m.things[i].kind; k == "user" || k == "application" {
				_, who := randomly(r, parse)
				who.ID, who.Grants = id.Of[id.Principal](m.things[i].ID), nil
				m.things[i].Account = &who
			}
		}
		before := decided(&p, m.things, now)
		other, q := randomly(r, parse)
		p.Roles, p.Memberships, p.Grants = slices.Concat(p.Roles, q.Roles), slices.Concat(p.Memberships, q.Memberships), slices.Concat(p.Grants, q.Grants)
		rows := m.rows
		for _, a := range other.rows.Assignments {
			if a.Subject == p.ID.UUID() { // of groups it is the accounts' gain too
				a.ID = named('a', a.ID[15]+50)
				rows.Assignments = append(slices.Clone(rows.Assignments), a)
			}
		}
		p.Policy = rows.Policy()
		if lost := minus(before, decided(&p, m.things, now)); len(lost) > 0 {
			t.Fatalf("workspace %d: lost %v", n, lost)
		}
	}
}

// TestAGroupsChangeEqualsTheChangeOfEachMember gives a group a role, servers or
// an assignment, and the same to its member for as long as the place lasts.
func TestAGroupsChangeEqualsTheChangeOfEachMember(t *testing.T) {
	parse := func(text string) pattern.Pattern { return parsed(t, text) }
	for n := range uint64(1_000) {
		r := rand.New(rand.NewPCG(n, 8))
		m, p := randomly(r, parse)
		group := m.rows.Groups[0].ID
		end := pick(r, []time.Time{{}, now, now.Add(time.Nanosecond), now.Add(time.Hour)})
		p.Memberships = []authz.Membership{{Group: group, Role: authz.GroupMember, Until: end}}
		until := pick(r, []time.Time{{}, now.Add(time.Minute)})
		first := until
		if until.IsZero() || !end.IsZero() && end.Before(until) {
			first = end
		}
		byGroup, byMember := m.rows, m.rows
		byGroup.Groups = slices.Clone(m.rows.Groups)
		g, q := &byGroup.Groups[0], p
		one := authz.Assignment{ID: named('a', 88), Access: authz.Access(1 + r.IntN(15)), Name: parse(pick(r, nameTexts)), Until: until}
		same1, same2 := one, one
		switch r.IntN(3) {
		case 0:
			role := pick(r, m.rows.Roles).ID
			g.Roles = append(slices.Clone(g.Roles), role)
			q.Roles = append(slices.Clone(q.Roles), authz.RoleAssignment{Role: role, Until: end})
		case 1:
			same1.Subject, same1.Group = group, true
			same2.Subject, same2.Until = p.ID.UUID(), first
			byGroup.Assignments, byMember.Assignments = append(slices.Clone(m.rows.Assignments), same1), append(slices.Clone(m.rows.Assignments), same2)
		case 2:
			g.Access, g.Servers, g.Names = one.Access, nil, []pattern.Pattern{one.Name}
			byMember.Groups = slices.Clone(m.rows.Groups)
			byMember.Groups[0].Access = 0
			same2.Subject, same2.Until = p.ID.UUID(), end
			byMember.Assignments = append(slices.Clone(m.rows.Assignments), same2)
		}
		p.Policy, q.Policy = byGroup.Policy(), byMember.Policy()
		for _, at := range []time.Time{now, now.Add(time.Minute), now.Add(time.Hour)} {
			if a, b := decided(&p, m.things, at), decided(&q, m.things, at); !same(a, b) {
				t.Fatalf("workspace %d at %v: %v, %v", n, at.Sub(now), minus(a, b), minus(b, a))
			}
		}
	}
}

// TestNothingOutlivesItsEnd gives everything the same end.
func TestNothingOutlivesItsEnd(t *testing.T) {
	parse := func(text string) pattern.Pattern { return parsed(t, text) }
	end, some := now.Add(time.Hour), 0
	for n := range uint64(1_000) {
		r := rand.New(rand.NewPCG(n, 9))
		m, p := randomly(r, parse)
		p.ID, p.Role = id.Of[id.Principal](named('u', 77)), authz.Member // owns nothing
		for i := range p.Roles {
			p.Roles[i].Until = end
		}
		for i := range p.Memberships {
			p.Memberships[i].Until = end
		}
		for i := range p.Grants {
			p.Grants[i].Until = end
		}
		some += len(decided(&p, m.things, end.Add(-time.Nanosecond)))
		for _, at := range []time.Time{end, end.Add(time.Nanosecond), end.Add(1000 * time.Hour)} {
			if held := decided(&p, m.things, at); len(held) > 0 {
				t.Fatalf("workspace %d: %v is held %v after the end", n, held, at.Sub(end))
			}
			if e := p.Effective(at); !e.Everywhere.Empty() || len(p.Servers(permission.ReadServer, at)) > 0 {
				t.Fatalf("workspace %d: unfolded %v after the end", n, at.Sub(end))
			}
		}
	}
	if some == 0 {
		t.Error("nothing was held before the end")
	}
}

// TestWhoMayMakeAStepHoldsWhatItGives holds MayMake to the model: a step gives
// nothing that its maker does not hold.
func TestWhoMayMakeAStepHoldsWhatItGives(t *testing.T) {
	parse := func(text string) pattern.Pattern { return parsed(t, text) }
	made := map[authz.StepKind]int{}
	for n := range uint64(4_000) {
		r := rand.New(rand.NewPCG(n, 10))
		m, p := randomly(r, parse)
		p.Grants = nil
		m.things = thingsOf(m.rows)
		_, maker := randomly(r, parse)
		maker.ID, maker.Policy = id.Of[id.Principal](named('u', 3)), p.Policy
		o := pick(r, m.things)
		what := pick(r, askedOn[o.kind].Permissions())
		steps, after, who := alphabet(m, p, what, o, now)
		if len(steps) == 0 {
			continue
		}
		i := r.IntN(len(steps))
		if authz.MayMake(&maker, steps[i], &p, now) != nil {
			continue
		}
		made[steps[i].Kind]++
		held := m.pairs(&maker, now)
		for o, set := range held {
			if set.Has(permission.CreateAssignment) {
				held[o] = set.Union(texts(everyAccess))
			}
		}
		if over := minus(minus(after[i].pairs(&who[i], now), m.pairs(&p, now)), held); len(over) > 0 {
			t.Fatalf("workspace %d: %+v gives %v", n, steps[i], over)
		}
	}
	for _, k := range authz.StepKinds {
		if made[k] == 0 {
			t.Errorf("%s was never made", k)
		}
	}
}
