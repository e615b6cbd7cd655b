package authz_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/pattern"
	"paddock/shared/permission"
)

// TestRulesNameWhatIsLacking has one case for each rule that refuses, and its
// neighbour that does not.
func TestRulesNameWhatIsLacking(t *testing.T) {
	web, db := parsed(t, "web-*"), parsed(t, "db-*")
	all := []pattern.Pattern{web, db}
	g, sv := named('g', 1), named('s', 1)
	policy := authz.Chunk{
		Roles: []authz.Role{
			{ID: named('r', 1), Permissions: permission.SetOf(permission.CreateAssignment, permission.DeleteAssignment, permission.UpdateServer), Scope: authz.Scope{Names: []pattern.Pattern{web}}},
			{ID: named('r', 2), Permissions: permission.SetOf(permission.ReadBilling)},
			{ID: named('r', 3), Permissions: permission.SetOf(permission.PromoteUser)},
		},
		Groups:  []authz.Group{{ID: g, Name: "ops", Access: authz.Terminal, Names: []pattern.Pattern{db}}},
		Servers: []authz.Server{{ID: sv, Name: "web-1", Managers: []id.UUID{named('u', 3)}}},
	}.Policy()
	owner, staff, manager, chief := user(1, authz.Member, policy), user(2, authz.Staff, policy), user(3, authz.Member, policy), user(4, authz.Superuser, policy)
	owner.Memberships = []authz.Membership{{Group: g, Role: authz.GroupOwner, Until: now.Add(time.Hour)}}
	owner.Roles = []authz.RoleAssignment{{Role: named('r', 1)}}
	group := policy.Groups()[0]
	with := func(change func(*authz.Group)) authz.Group {
		after := group
		change(&after)
		return after
	}
	member := func(r authz.MemberRole, d time.Duration) authz.Membership {
		return authz.Membership{Group: g, Role: r, Until: now.Add(d)}
	}
	server := policy.Servers()[0].Object()
	role := func(n int) authz.Role { return policy.Roles()[n-1] }
	for name, c := range map[string]struct {
		err  error
		lack string
	}{
		"an owner for as long":        {authz.MayJoin(&owner, member(authz.GroupOwner, time.Hour), now), ""},
		"a member for longer":         {authz.MayJoin(&owner, member(authz.GroupMember, 2*time.Hour), now), "group:read"},
		"a stranger's member":         {authz.MayJoin(&manager, member(authz.GroupMember, time.Hour), now), "membership:create"},
		"a longer place":              {authz.MayChangeMembership(&owner, member(authz.GroupMember, time.Hour), member(authz.GroupMember, 2*time.Hour), now), "group:read"},
		"a shorter place":             {authz.MayChangeMembership(&owner, member(authz.GroupMember, 2*time.Hour), member(authz.GroupMember, time.Minute), now), ""},
		"oneself out":                 {authz.MayLeave(&manager, named('u', 3), member(authz.GroupOwner, time.Hour), now), ""},
		"somebody else out":           {authz.MayLeave(&manager, named('u', 1), member(authz.GroupOwner, time.Hour), now), "membership:delete"},
		"what may be assigned":        {authz.MayAssign(&owner, authz.Assignment{Name: web, Access: authz.Sudo}, now), ""},
		"another pattern":             {authz.MayAssign(&owner, authz.Assignment{Name: db, Access: authz.Terminal}, now), "assignment:create"},
		"an assignment of nothing":    {authz.MayAssign(&owner, authz.Assignment{Access: authz.Terminal}, now), "assignment:create"},
		"an assignment away":          {authz.MayUnassign(&owner, authz.Assignment{Name: db}, now), "assignment:delete"},
		"a server into a group":       {authz.MayChangeGroup(&owner, group, with(func(g *authz.Group) { g.Servers = []id.UUID{sv} }), now), ""},
		"a narrower pattern":          {authz.MayChangeGroup(&owner, group, with(func(g *authz.Group) { g.Names = []pattern.Pattern{parsed(t, "db-1*")} }), now), ""},
		"more on what was there":      {authz.MayChangeGroup(&owner, group, with(func(g *authz.Group) { g.Access |= authz.Sudo; g.Names = all }), now), "sudo:access"},
		"a role into a group":         {authz.MayChangeGroup(&owner, group, with(func(g *authz.Group) { g.Roles = []id.UUID{named('r', 2)} }), now), "role_assignment:create"},
		"a new group":                 {authz.MayCreateGroup(&staff, with(func(g *authz.Group) { g.Names = all }), now), ""},
		"a new group by nobody":       {authz.MayCreateGroup(&owner, group, now), "group:create"},
		"a role by who does not":      {authz.MayAssignRole(&staff, role(2), time.Time{}, now), "role_assignment:create"},
		"a role by a superuser":       {authz.MayAssignRole(&chief, role(2), time.Time{}, now), ""},
		"a reserved permission":       {authz.MayAssignRole(&chief, role(3), time.Time{}, now), "user:promote"},
		"a role with it":              {authz.MayCreateRole(&chief, role(3), now), "user:promote"},
		"a role made with it":         {authz.MayChangeRole(&chief, role(3), now), "user:promote"},
		"a role by staff":             {authz.MayCreateRole(&staff, role(2), now), "role:create"},
		"a superuser by staff":        {authz.MayPromote(&staff, authz.Superuser, now), "user:promote"},
		"a superuser by another":      {authz.MayPromote(&chief, authz.Superuser, now), ""},
		"an application of staff":     {authz.MayCreateApplication(&staff, []authz.RoleAssignment{{Role: named('r', 1)}}, now), ""},
		"an application with more":    {authz.MayCreateApplication(&staff, []authz.RoleAssignment{{Role: named('r', 2)}}, now), "billing:read"},
		"an account of a superuser":   {authz.MayActAs(&staff, permission.UpdateUser, on(chief), now), "user:update"},
		"a manager's manager":         {authz.MayTransfer(&manager, permission.Server, server, id.UUID{}, []id.UUID{named('u', 1)}, now), ""},
		"a manager's owner":           {authz.MayTransfer(&manager, permission.Server, server, named('u', 3), nil, now), "server:delete"},
		"a name that opens":           {authz.MayRename(&owner, permission.Server, server, "db-1", now), ""},
		"a name that opens elsewhere": {authz.MayRename(&manager, permission.Server, authz.Object{ID: named('s', 2), Name: "a"}, "db-1", now), "server:update"},
	} {
		var refusal fault.Error
		switch {
		case c.lack == "" && c.err != nil:
			t.Errorf("%s: %v", name, c.err)
		case c.lack == "":
		case !errors.As(c.err, &refusal) || refusal.Kind != fault.Denied || refusal.Code != "grant_ceiling" || !strings.Contains(refusal.Detail, " "+c.lack+" "):
			t.Errorf("%s: %v, want that %s is lacking", name, c.err, c.lack)
		}
	}
}

func TestANewNameReportsWhatItOpens(t *testing.T) {
	web := parsed(t, "web-*")
	p := authz.NewPolicy(
		[]authz.Role{{ID: named('r', 1), Permissions: permission.SetOf(permission.ReadServer, permission.ReadAudit), Scope: authz.Scope{Names: []pattern.Pattern{web}}}},
		[]authz.Group{{ID: named('g', 1), Access: authz.Sudo, Names: []pattern.Pattern{parsed(t, "db-*"), parsed(t, "*-2")}}}, nil,
		[]authz.Assignment{{ID: named('a', 1), Subject: named('u', 1), Name: parsed(t, "web-2"), Access: authz.Terminal, Until: now}})
	for _, c := range []struct {
		before, name string
		want         []byte
	}{
		{"", "other", nil}, {"", "web-2", []byte{'r', 'g', 'a'}}, {"web-1", "web-2", []byte{'g', 'a'}}, {"db-1", "db-2", nil}, {"web-2", "db-2", nil},
	} {
		var got []byte
		for _, o := range p.Opened(permission.Server, c.before, c.name) {
			got = append(got, o.Reason.Of[0])
			if o.Permissions.Has(permission.ReadAudit) || o.Permissions.Empty() || !o.Name.Match(c.name) {
				t.Errorf("%q to %q: %+v", c.before, c.name, o)
			}
		}
		if string(got) != string(c.want) {
			t.Errorf("%q to %q opens by %q, want %q", c.before, c.name, got, c.want)
		}
	}
}
