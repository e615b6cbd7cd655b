package authz_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/pattern"
	"paddock/shared/permission"
)

// The changes that the search tries; each returns what it did, empty when the
// rules refused it or it could do nothing.

func (s *state) joins(r *rand.Rand, with rules, p, q *act, until time.Time) string {
	m := authz.Membership{Group: pick(r, s.rows.Groups).ID, Role: pick(r, authz.MemberRoles), Until: until}
	if slices.ContainsFunc(q.Memberships, func(o authz.Membership) bool { return o.Group == m.Group }) || with.join(p, m, s.at) != nil {
		return ""
	}
	q.Memberships = append(slices.Clone(q.Memberships), m)
	return fmt.Sprintf("puts %s into %s as %s until %v", q.ID, m.Group, m.Role, m.Until)
}

func (s *state) places(r *rand.Rand, with rules, p, q *act, until time.Time) string {
	if len(q.Memberships) == 0 {
		return ""
	}
	i := r.IntN(len(q.Memberships))
	m := q.Memberships[i]
	m.Role, m.Until = pick(r, authz.MemberRoles), until
	if m == q.Memberships[i] || with.changeMembership(p, q.Memberships[i], m, s.at) != nil {
		return ""
	}
	q.Memberships = slices.Clone(q.Memberships)
	q.Memberships[i] = m
	return fmt.Sprintf("makes %s in %s a %s until %v", q.ID, m.Group, m.Role, m.Until)
}

func (s *state) leaves(r *rand.Rand, with rules, p, q *act, _ time.Time) string {
	if len(q.Memberships) == 0 || r.IntN(4) > 0 {
		return ""
	}
	i := r.IntN(len(q.Memberships))
	if with.leave(p, q.ID.UUID(), q.Memberships[i], s.at) != nil {
		return ""
	}
	q.Memberships = slices.Delete(slices.Clone(q.Memberships), i, i+1)
	return fmt.Sprintf("takes %s out of a group", q.ID)
}

func (s *state) pattern(r *rand.Rand) pattern.Pattern {
	return parsed(s.t, pick(r, []string{"web-*", "db-*", "*", "web-1*", "*-1"}))
}

func (s *state) assigns(r *rand.Rand, with rules, p, q *act, until time.Time) string {
	s.made++
	a := authz.Assignment{ID: named('a', 100+s.made), Subject: q.ID.UUID(), Access: authz.Access(1 + r.IntN(15)), Until: until}
	if r.IntN(3) == 0 {
		a.Group, a.Subject = true, pick(r, s.rows.Groups).ID
	}
	if r.IntN(2) == 0 {
		a.Server = pick(r, s.rows.Servers).ID
	} else {
		a.Name = s.pattern(r)
	}
	if s.made > 100 || with.assign(p, a, s.at) != nil {
		return ""
	}
	s.rows.Assignments = append(slices.Clone(s.rows.Assignments), a)
	return fmt.Sprintf("assigns %s%s to %s until %v", a.Server, a.Name, a.Subject, a.Until)
}

func (s *state) unassigns(r *rand.Rand, with rules, p, _ *act, _ time.Time) string {
	if len(s.rows.Assignments) == 0 {
		return ""
	}
	i := r.IntN(len(s.rows.Assignments))
	if with.unassign(p, s.rows.Assignments[i], s.at) != nil {
		return ""
	}
	s.rows.Assignments = slices.Delete(slices.Clone(s.rows.Assignments), i, i+1)
	return "takes an assignment away"
}

// given returns g changed at random.
func (s *state) given(r *rand.Rand, g authz.Group) authz.Group {
	switch r.IntN(6) {
	case 0:
		g.Servers = append(slices.Clone(g.Servers), pick(r, s.rows.Servers).ID)
	case 1:
		g.Names = append(slices.Clone(g.Names), s.pattern(r))
	case 2:
		g.Access |= pick(r, authz.Accesses)
	case 3:
		g.Roles = append(slices.Clone(g.Roles), pick(r, s.rows.Roles).ID)
	case 4:
		g.Name = pick(r, []string{"team-1", "ops"})
	case 5:
		g.Roles, g.Servers, g.Names = nil, nil, nil
	}
	return g
}

func (s *state) changesGroup(r *rand.Rand, with rules, p, _ *act, _ time.Time) string {
	i := r.IntN(len(s.rows.Groups))
	g := s.given(r, s.rows.Groups[i])
	if with.changeGroup(p, s.rows.Groups[i], g, s.at) != nil {
		return ""
	}
	s.rows.Groups = slices.Clone(s.rows.Groups)
	s.rows.Groups[i] = g
	return fmt.Sprintf("makes of a group %v", g)
}

func (s *state) makesGroup(r *rand.Rand, with rules, p, q *act, _ time.Time) string {
	g := s.given(r, s.given(r, s.given(r, authz.Group{ID: named('g', byte(100+len(s.rows.Groups)))})))
	if len(s.rows.Groups) > 5 || with.createGroup(p, g, s.at) != nil {
		return ""
	}
	s.rows.Groups = append(slices.Clone(s.rows.Groups), g)
	p.Memberships = append(slices.Clone(p.Memberships), authz.Membership{Group: g.ID, Role: authz.GroupOwner})
	return fmt.Sprintf("makes the group %v", g)
}

func (s *state) roles(r *rand.Rand, with rules, p, q *act, until time.Time) string {
	role := pick(r, s.rows.Roles)
	if len(q.Roles) > 6 || with.assignRole(p, role, until, s.at) != nil {
		return ""
	}
	q.Roles = append(slices.Clone(q.Roles), authz.RoleAssignment{Role: role.ID, Until: until})
	return fmt.Sprintf("gives %s a role", q.ID)
}

func (s *state) promotes(r *rand.Rand, with rules, p, q *act, _ time.Time) string {
	to := pick(r, authz.RoleSettings)
	if with.promote(p, to, s.at) != nil {
		return ""
	}
	q.Role = to
	return fmt.Sprintf("makes %s a %s", q.ID, to)
}

func (s *state) takesOver(_ *rand.Rand, with rules, p, q *act, _ time.Time) string {
	account := on(*q)
	account.Account.Policy = nil
	if s.ours[q.ID.UUID()] || with.actAs(p, permission.UpdateUser, account, s.at) != nil {
		return ""
	}
	s.ours[q.ID.UUID()] = true
	return fmt.Sprintf("takes the account %s over", q.ID)
}

func (s *state) applications(r *rand.Rand, with rules, p, _ *act, until time.Time) string {
	roles := []authz.RoleAssignment{{Role: pick(r, s.rows.Roles).ID, Until: until}}
	if len(s.rows.Applications) > 4 || with.createApplication(p, roles, s.at) != nil {
		return ""
	}
	app := authz.Application{ID: named('p', byte(100+len(s.rows.Applications))), Owner: p.ID.UUID()}
	s.rows.Applications = append(slices.Clone(s.rows.Applications), app)
	s.people[app.ID] = &act{ID: id.Of[id.Principal](app.ID), Workspace: ws, Roles: roles}
	return "makes an application"
}

func (s *state) changesApplication(r *rand.Rand, with rules, p, _ *act, until time.Time) string {
	app := pick(r, s.rows.Applications)
	before := s.people[app.ID].Roles
	after := append(slices.Clone(before), authz.RoleAssignment{Role: pick(r, s.rows.Roles).ID, Until: until})
	if len(before) > 3 || with.changeApplication(p, app.Object(), before, after, s.at) != nil {
		return ""
	}
	s.people[app.ID].Roles = after
	return fmt.Sprintf("gives the application %s a role", app.ID)
}

func (s *state) tokens(r *rand.Rand, with rules, p, _ *act, _ time.Time) string {
	app := pick(r, s.rows.Applications)
	o := app.Object()
	o.Account = s.people[app.ID]
	if s.ours[app.ID] || with.actAs(p, permission.CreateServiceToken, o, s.at) != nil {
		return ""
	}
	s.ours[app.ID] = true
	return fmt.Sprintf("makes a token of %s", app.ID)
}

func (s *state) transfers(r *rand.Rand, with rules, p, q *act, _ time.Time) string {
	if r.IntN(2) == 0 {
		i := r.IntN(len(s.rows.Servers))
		v := s.rows.Servers[i]
		if r.IntN(2) == 0 {
			v.Owner = q.ID.UUID()
		} else {
			v.Managers = append(slices.Clone(v.Managers), q.ID.UUID())
		}
		if with.transfer(p, permission.Server, s.rows.Servers[i].Object(), v.Owner, v.Managers, s.at) != nil {
			return ""
		}
		s.rows.Servers = slices.Clone(s.rows.Servers)
		s.rows.Servers[i] = v
		return fmt.Sprintf("hands the server %s to %s", v.Name, q.ID)
	}
	i := r.IntN(len(s.rows.Applications))
	v := s.rows.Applications[i]
	v.Owner = q.ID.UUID()
	if with.transfer(p, permission.Application, s.rows.Applications[i].Object(), v.Owner, v.Managers, s.at) != nil {
		return ""
	}
	s.rows.Applications = slices.Clone(s.rows.Applications)
	s.rows.Applications[i] = v
	return fmt.Sprintf("hands the application %s to %s", v.ID, q.ID)
}

func (s *state) renames(r *rand.Rand, with rules, p, _ *act, _ time.Time) string {
	if r.IntN(4) == 0 {
		i := r.IntN(len(s.rows.Applications))
		v := s.rows.Applications[i]
		v.Name = pick(r, nameTexts)
		if v.Name == s.rows.Applications[i].Name || with.rename(p, permission.Application, s.rows.Applications[i].Object(), v.Name, s.at) != nil {
			return ""
		}
		s.rows.Applications = slices.Clone(s.rows.Applications)
		s.rows.Applications[i] = v
		return fmt.Sprintf("calls %s %s", v.ID, v.Name)
	}
	i := r.IntN(len(s.rows.Servers))
	v := s.rows.Servers[i]
	v.Name = pick(r, []string{"web-1", "web-2", "db-1", "db-2", "other"})
	if v.Name == s.rows.Servers[i].Name || with.rename(p, permission.Server, s.rows.Servers[i].Object(), v.Name, s.at) != nil {
		return ""
	}
	s.rows.Servers = slices.Clone(s.rows.Servers)
	s.rows.Servers[i] = v
	return fmt.Sprintf("calls %s %s", v.ID, v.Name)
}
