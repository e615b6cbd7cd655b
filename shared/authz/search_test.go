package authz_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/pattern"
	"paddock/shared/permission"
)

// The search: whoever begins with some people of a small workspace, and does
// whatever the rules let them do, in any order, as long as it likes, comes to no
// pair of permission and object that none of them held. Holdings are the
// model's.

type act = authz.Principal

// rules are the rules of handing out, so that each can be broken.
type rules struct {
	join              func(*act, authz.Membership, time.Time) error
	changeMembership  func(p *act, before, after authz.Membership, now time.Time) error
	leave             func(*act, id.UUID, authz.Membership, time.Time) error
	assign, unassign  func(*act, authz.Assignment, time.Time) error
	createGroup       func(*act, authz.Group, time.Time) error
	changeGroup       func(p *act, before, after authz.Group, now time.Time) error
	createRole        func(*act, authz.Role, time.Time) error
	assignRole        func(p *act, r authz.Role, until, now time.Time) error
	promote           func(*act, authz.RoleSetting, time.Time) error
	createApplication func(*act, []authz.RoleAssignment, time.Time) error
	changeApplication func(p *act, app authz.Object, before, after []authz.RoleAssignment, now time.Time) error
	actAs             func(*act, permission.Permission, authz.Object, time.Time) error
	transfer          func(*act, permission.Resource, authz.Object, id.UUID, []id.UUID, time.Time) error
	rename            func(*act, permission.Resource, authz.Object, string, time.Time) error
}

func theRules() rules {
	return rules{
		authz.MayJoin, authz.MayChangeMembership, authz.MayLeave, authz.MayAssign, authz.MayUnassign, authz.MayCreateGroup,
		authz.MayChangeGroup, authz.MayCreateRole, authz.MayAssignRole, authz.MayPromote, authz.MayCreateApplication,
		authz.MayChangeApplication, authz.MayActAs, authz.MayTransfer, authz.MayRename,
	}
}

var (
	soon  = now.Add(30 * time.Minute) // the end of what ends
	later = now.Add(time.Hour)
)

// People of the searched workspace; the numbers are of their ids.
const (
	aMember = iota + 1
	aStaff
	aSuperuser
	ownsGroup
	managesGroupForNow
	ownsServer
	joins
	assigns
	groups
	helps
	runsApps
	renames
	audits
	auditsForNow
	helpsAndAudits
	staffLike
	ownsApp
	ownsGroupForNow
	everyone
)

// A state is the workspace and who is in the seekers' hands.
type state struct {
	t      testing.TB
	rows   authz.Chunk
	people map[id.UUID]*act // and applications
	ours   map[id.UUID]bool
	at     time.Time
	made   byte
}

func (s *state) policy() {
	p := s.rows.Policy()
	for _, who := range s.people {
		who.Policy = p
	}
}

// begin returns the workspace before anything was done.
func begin(t testing.TB) *state {
	t.Helper()
	one := func(text string) pattern.Pattern { return parsed(t, text) }
	r, g, sv, ap := ids('r', 12), ids('g', 3), ids('s', 3), ids('p', 2)
	u := ids('u', everyone-1)
	role := func(i int, list string, on authz.Scope) authz.Role {
		return authz.Role{ID: r[i], Permissions: texts(list), Scope: on}
	}
	s := &state{t: t, people: map[id.UUID]*act{}, ours: map[id.UUID]bool{}, at: now}
	s.rows = authz.Chunk{
		Roles: []authz.Role{
			role(0, "audit:read", authz.Scope{}),
			role(1, "server:update server:delete websh:create", authz.Scope{Names: []pattern.Pattern{one("db-*")}}),
			role(2, "group:update membership:create", authz.Scope{Names: []pattern.Pattern{one("team-*")}}),
			role(3, "membership:create membership:update membership:delete", authz.Scope{Objects: g[:2]}),
			role(4, "assignment:create assignment:delete", authz.Scope{Names: []pattern.Pattern{one("web-*")}}),
			role(5, "group:create group:update", authz.Scope{}),
			role(6, "user:update", authz.Scope{}),
			role(7, "application:create application:update service_token:create", authz.Scope{}),
			role(8, "server:update", authz.Scope{Names: []pattern.Pattern{one("web-*")}}),
			role(9, "server:read note:read", authz.Scope{Objects: sv[:1]}),
		},
		Groups: []authz.Group{
			{ID: g[0], Name: "ops", Roles: r[:1], Access: authz.Terminal, Servers: sv[:1], Names: []pattern.Pattern{one("db-*")}},
			{ID: g[1], Name: "web", Access: authz.Terminal | authz.Sudo, Names: []pattern.Pattern{one("web-*")}},
			{ID: g[2], Name: "crew"},
		},
		Servers: []authz.Server{
			{ID: sv[0], Name: "web-1", Owner: u[ownsServer-1]},
			{ID: sv[1], Name: "web-2", Managers: []id.UUID{u[ownsServer-1]}},
			{ID: sv[2], Name: "db-1"},
		},
		Applications: []authz.Application{{ID: ap[0], Name: "audit", Owner: u[ownsApp-1]}, {ID: ap[1], Name: "empty", Owner: u[runsApps-1]}},
		Assignments: []authz.Assignment{
			{ID: named('a', 1), Subject: u[aMember-1], Server: sv[0], Access: authz.Terminal, Until: soon},
			{ID: named('a', 2), Subject: g[2], Group: true, Name: one("db-*"), Access: authz.FileAccess},
		},
	}
	has := func(roles ...authz.RoleAssignment) *act { return &act{Role: authz.Member, Roles: roles} }
	of := func(i int) authz.RoleAssignment { return authz.RoleAssignment{Role: r[i]} }
	forNow := func(i int) authz.RoleAssignment { return authz.RoleAssignment{Role: r[i], Until: soon} }
	in := func(i int, as authz.MemberRole, until time.Time) *act {
		return &act{Role: authz.Member, Memberships: []authz.Membership{{Group: g[i], Role: as, Until: until}}}
	}
	for n, p := range map[int]*act{
		aMember: has(), aStaff: {Role: authz.Staff}, aSuperuser: {Role: authz.Superuser},
		ownsGroup: in(0, authz.GroupOwner, time.Time{}), managesGroupForNow: in(0, authz.GroupManager, soon),
		ownsServer: has(of(9)), joins: has(of(3), forNow(2)), assigns: has(forNow(4)), groups: has(of(5)),
		helps: has(of(6), of(9)), runsApps: has(of(7), forNow(9)), renames: has(of(8), of(2)), audits: has(of(0)),
		auditsForNow: has(forNow(0), of(5)), helpsAndAudits: has(of(6), forNow(0)),
		staffLike: {Role: authz.Member, Roles: []authz.RoleAssignment{of(7), forNow(0)}}, ownsApp: in(2, authz.GroupManager, time.Time{}),
		ownsGroupForNow: in(1, authz.GroupOwner, soon),
	} {
		p.ID, p.Workspace = id.Of[id.Principal](u[n-1]), ws
		s.people[u[n-1]] = p
	}
	for i, o := range ap {
		s.people[o] = &act{ID: id.Of[id.Principal](o), Workspace: ws}
		if i == 0 {
			s.people[o].Roles = []authz.RoleAssignment{of(0)}
		}
	}
	s.policy()
	return s
}

// anywhere returns a random workspace with four people in it.
func anywhere(t testing.TB, r *rand.Rand) *state {
	t.Helper()
	parse := func(text string) pattern.Pattern { return parsed(t, text) }
	m, _ := randomly(r, parse)
	s := &state{t: t, rows: m.rows, people: map[id.UUID]*act{}, ours: map[id.UUID]bool{}, at: now}
	for i := range s.rows.Roles {
		s.rows.Roles[i].Permissions = s.rows.Roles[i].Permissions.Minus(authz.Reserved)
	}
	for _, u := range append(ids('u', 4), ids('p', 2)...) {
		_, p := randomly(r, parse)
		p.ID, p.Grants = id.Of[id.Principal](u), nil
		if u[0] == 'p' {
			p.Role, p.Memberships = 0, nil
		}
		s.people[u] = &p
	}
	s.policy()
	return s
}

// model returns the model of the workspace, with servers that are to come.
func (s *state) model() model {
	m := model{rows: s.rows}
	others := []thing{
		{authz.Object{ID: named('s', 91), Name: "web-9"}, "server"},
		{authz.Object{ID: named('s', 92), Name: "db-9"}, "server"},
		{authz.Object{ID: named('s', 93), Name: "other"}, "server"},
	}
	for _, who := range s.people {
		others = append(others, thing{authz.Object{ID: who.ID.UUID()}, "user"})
	}
	m.things = thingsOf(s.rows, others...)
	return m
}

var moments = []time.Time{now, later}

// A frontier is what could be held by right: by each, and by the seekers
// together.
type frontier struct {
	each map[id.UUID]pairs
	ours pairs
}

// frontiers returns them at each moment.
func (s *state) frontiers() []frontier {
	var out []frontier
	m := s.model()
	for _, at := range moments {
		f := frontier{map[id.UUID]pairs{}, pairs{}}
		for u, who := range s.people {
			f.each[u] = m.pairs(who, at)
			if !s.ours[u] {
				continue
			}
			for o, set := range f.each[u] {
				if set.Has(permission.CreateAssignment) { // opening servers is held by who may assign them
					set = set.Union(texts(everyAccess))
				}
				f.ours[o] = f.ours[o].Union(set)
			}
		}
		out = append(out, f)
	}
	return out
}

// breach returns a pair that somebody holds and nobody could give; what was made
// since is of no interest.
func (s *state) breach(by []frontier) string {
	m := s.model()
	own := texts("account:own audit:own user:read")
	for i, at := range moments {
		if at.Before(s.at) {
			continue
		}
		for u, who := range s.people {
			for o, set := range m.pairs(who, at) {
				if isNew(o) {
					continue
				}
				set = set.Minus(by[i].ours[o])
				if !s.ours[u] {
					set = set.Minus(by[i].each[u][o])
				}
				if o == u {
					set = set.Minus(own)
				}
				if !set.Empty() {
					return fmt.Sprintf("%s came to %v on %s at %s", u, set.Permissions(), o, at.Format(time.TimeOnly))
				}
			}
		}
	}
	return ""
}

// isNew reports whether an object was made by the seekers.
func isNew(o id.UUID) bool { return (o[0] == 'g' || o[0] == 'p') && o[15] > 100 }

// walk lets the seekers do random things and returns what they found.
func walk(t testing.TB, seed uint64, with rules, steps int) (found string, done int) {
	r := rand.New(rand.NewPCG(seed, 2))
	s := begin(t)
	if seed%2 == 1 {
		s = anywhere(t, r)
	}
	users := slices.DeleteFunc(sortedKeys(s.people), func(u id.UUID) bool { return u[0] != 'u' })
	for range 1 + r.IntN(2) {
		s.ours[pick(r, users)] = true
	}
	seekers := sortedKeys(s.ours)
	by := s.frontiers()
	var trail []string
	for range steps {
		did := s.try(r, with)
		if did == "" {
			continue
		}
		done++
		trail = append(trail, did)
		s.policy()
		if b := s.breach(by); b != "" {
			return fmt.Sprintf("seed %d: %v: %s\n%q", seed, seekers, b, trail), done
		}
	}
	return "", done
}

func sortedKeys[V any](of map[id.UUID]V) []id.UUID {
	return slices.SortedFunc(maps.Keys(of), func(a, b id.UUID) int { return slices.Compare(a[:], b[:]) })
}

// try does one random thing if the rules let it be done, and says what it was.
func (s *state) try(r *rand.Rand, with rules) string {
	p := s.people[pick(r, sortedKeys(s.ours))]
	all := sortedKeys(s.people)
	users := slices.DeleteFunc(slices.Clone(all), func(u id.UUID) bool { return u[0] != 'u' })
	q := s.people[pick(r, users)]
	if r.IntN(2) == 0 {
		if own := s.people[pick(r, sortedKeys(s.ours))]; own.ID.UUID()[0] == 'u' {
			q = own // for oneself and one's own
		}
	}
	until := pick(r, []time.Time{{}, soon})
	if !s.at.Before(soon) {
		until = time.Time{}
	}
	tries := []func(*rand.Rand, rules, *act, *act, time.Time) string{
		s.joins, s.joins, s.places, s.leaves, s.assigns, s.assigns, s.unassigns, s.changesGroup, s.changesGroup, s.changesGroup, s.makesGroup,
		s.roles, s.promotes, s.takesOver, s.takesOver, s.applications, s.changesApplication, s.tokens, s.tokens, s.transfers, s.renames, s.renames,
	}
	if r.IntN(150) == 0 && s.at.Equal(now) {
		s.at = later
		return "time passes"
	}
	did := pick(r, tries)(r, with, p, q, until)
	if did != "" {
		did = fmt.Sprintf("%s %s", p.ID.String()[34:], did)
	}
	return did
}

// TestNobodyComesToMore walks from each kind of people, and from two of them.
func TestNobodyComesToMore(t *testing.T) {
	walks, done := uint64(200), 0
	if os.Getenv("PADDOCK_SOAK") != "" {
		walks = 20_000
	}
	for seed := range walks {
		found, steps := walk(t, seed, theRules(), 400)
		if found != "" {
			t.Fatal(found)
		}
		done += steps
	}
	if done < int(walks)*10 {
		t.Errorf("only %d things were done in %d walks", done, walks)
	}
	t.Logf("%d things were done in %d walks", done, walks)
}

// TestTheSearchSeesEachRuleBroken breaks one rule after the other, so that it asks
// for the permission of the change alone, and sees the search find it. Rules of
// taking away are not among them: nothing comes of it.
func TestTheSearchSeesEachRuleBroken(t *testing.T) {
	may := func(p *act, what permission.Permission, o authz.Object, at time.Time) error {
		if !authz.May(p, what, o, at) {
			return authz.ErrDenied
		}
		return nil
	}
	group := func(p *act, of id.UUID) authz.Object {
		if g, ok := p.Policy.Group(of); ok {
			return authz.Object{ID: of, Name: g.Name}
		}
		return authz.Object{ID: of}
	}
	// still returns p with the clock of its holdings stopped: an end is no bound.
	still := func(until, at time.Time) time.Time {
		if until.IsZero() {
			return at.Add(1)
		}
		return until
	}
	for name, breaks := range map[string]func(*rules){
		"join": func(r *rules) {
			r.join = func(p *act, m authz.Membership, at time.Time) error {
				return may(p, permission.CreateMembership, group(p, m.Group), at)
			}
		},
		"join without end": func(r *rules) {
			r.join = func(p *act, m authz.Membership, at time.Time) error {
				m.Until = still(m.Until, at)
				return authz.MayJoin(p, m, at)
			}
		},
		"change membership": func(r *rules) {
			r.changeMembership = func(p *act, before, _ authz.Membership, at time.Time) error {
				return may(p, permission.UpdateMembership, group(p, before.Group), at)
			}
		},
		"assign": func(r *rules) { r.assign = func(*act, authz.Assignment, time.Time) error { return nil } },
		"assign without end": func(r *rules) {
			r.assign = func(p *act, a authz.Assignment, at time.Time) error {
				a.Until = still(a.Until, at)
				return authz.MayAssign(p, a, at)
			}
		},
		"create group": func(r *rules) {
			r.createGroup = func(p *act, _ authz.Group, at time.Time) error {
				return may(p, permission.CreateGroup, authz.Object{}, at)
			}
		},
		"change group": func(r *rules) {
			r.changeGroup = func(p *act, before, _ authz.Group, at time.Time) error {
				return may(p, permission.UpdateGroup, group(p, before.ID), at)
			}
		},
		"change group: access": func(r *rules) {
			r.changeGroup = func(p *act, before, after authz.Group, at time.Time) error {
				before.Access = after.Access
				return authz.MayChangeGroup(p, before, after, at)
			}
		},
		"change group: servers": func(r *rules) {
			r.changeGroup = func(p *act, before, after authz.Group, at time.Time) error {
				before.Servers, before.Names = after.Servers, after.Names
				return authz.MayChangeGroup(p, before, after, at)
			}
		},
		"change group: name": func(r *rules) {
			r.changeGroup = func(p *act, before, after authz.Group, at time.Time) error {
				after.Name = before.Name
				return authz.MayChangeGroup(p, before, after, at)
			}
		},
		"assign role": func(r *rules) { r.assignRole = func(*act, authz.Role, time.Time, time.Time) error { return nil } },
		"promote":     func(r *rules) { r.promote = func(*act, authz.RoleSetting, time.Time) error { return nil } },
		"create application": func(r *rules) {
			r.createApplication = func(p *act, _ []authz.RoleAssignment, at time.Time) error {
				return may(p, permission.CreateApplication, authz.Object{}, at)
			}
		},
		"change application": func(r *rules) {
			r.changeApplication = func(p *act, app authz.Object, _, _ []authz.RoleAssignment, at time.Time) error {
				return may(p, permission.UpdateApplication, app, at)
			}
		},
		"act as an account": func(r *rules) {
			r.actAs = func(p *act, what permission.Permission, o authz.Object, at time.Time) error {
				o.Account = &act{}
				return authz.MayActAs(p, what, o, at)
			}
		},
		"act as a lasting account": func(r *rules) {
			r.actAs = func(p *act, what permission.Permission, o authz.Object, at time.Time) error {
				account := *o.Account
				account.Roles = nil
				for _, a := range o.Account.Roles {
					account.Roles = append(account.Roles, authz.RoleAssignment{Role: a.Role, Until: still(a.Until, at)})
				}
				o.Account = &account
				return authz.MayActAs(p, what, o, at)
			}
		},
		"transfer": func(r *rules) {
			r.transfer = func(p *act, what permission.Resource, o authz.Object, _ id.UUID, _ []id.UUID, at time.Time) error {
				return may(p, permission.Permission{Resource: what, Action: permission.Update}, o, at)
			}
		},
		"rename": func(r *rules) {
			r.rename = func(p *act, what permission.Resource, o authz.Object, _ string, at time.Time) error {
				return may(p, permission.Permission{Resource: what, Action: permission.Update}, o, at)
			}
		},
	} {
		broken := theRules()
		breaks(&broken)
		found := ""
		for seed := uint64(0); found == "" && seed < 2_000; seed++ {
			found, _ = walk(t, seed, broken, 400)
		}
		if found == "" {
			t.Errorf("%s: broken, and nothing was found", name)
		}
	}
}
