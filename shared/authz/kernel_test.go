package authz_test

import (
	"testing"
	"time"

	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/pattern"
	"paddock/shared/permission"
)

// named returns an id of one kind of these tests' objects.
func named(kind, n byte) id.UUID { return id.UUID{0: kind, 15: n} }

func user(n byte, r authz.RoleSetting, p *authz.Policy) authz.Principal {
	return authz.Principal{Workspace: ws, ID: id.Of[id.Principal](named('u', n)), Role: r, Policy: p}
}

// on returns somebody as the object of a decision.
func on(p authz.Principal) authz.Object {
	return authz.Object{ID: p.ID.UUID(), Owner: p.ID.UUID(), Account: &p}
}

func TestOfRowsWithOneIDTheLastCounts(t *testing.T) {
	s, owner := named('s', 1), named('u', 1)
	p := user(1, authz.Member, authz.NewPolicy(
		[]authz.Role{{ID: named('r', 1), Permissions: permission.SetOf(permission.ReadAudit)}, {ID: named('r', 1)}},
		nil,
		[]authz.Server{{ID: s, Name: "a", Owner: owner}, {ID: named('s', 2), Name: "c"}, {ID: s, Name: "b"}},
		[]authz.Assignment{
			{ID: named('a', 1), Subject: owner, Server: s, Access: authz.Terminal},
			{ID: named('a', 1), Subject: owner, Server: s, Access: authz.FileAccess},
		}))
	p.Roles = []authz.RoleAssignment{{Role: named('r', 1)}}
	row, at, _ := p.Policy.Server(s)
	e := p.Effective(now)
	if row.Name != "b" || len(p.Policy.Servers()) != 2 {
		t.Errorf("%+v of %d servers", row, len(p.Policy.Servers()))
	}
	for _, what := range []permission.Permission{permission.DeleteServer, permission.CreateWebsh, permission.ReadAudit} {
		if authz.May(&p, what, row.Object(), now) || e.Server(what, at) {
			t.Errorf("%s is held by a row that was replaced", what)
		}
	}
	if !authz.May(&p, permission.CreateWebFTP, row.Object(), now) {
		t.Error("the row that counts gives nothing")
	}
}

// TestNoTakeOverOfWhoHoldsMore has a helper who may change accounts, and whose
// account holds each kind of thing that the helper does not.
func TestNoTakeOverOfWhoHoldsMore(t *testing.T) {
	end := now.Add(time.Hour)
	policy := authz.Chunk{
		Roles: []authz.Role{
			{ID: named('r', 1), Permissions: permission.SetOf(permission.UpdateUser, permission.ReadBilling)},
			{ID: named('r', 2), Permissions: permission.SetOf(permission.UpdateUser)},
		},
		Groups:       []authz.Group{{ID: named('g', 1), Roles: []id.UUID{named('r', 1)}}},
		Servers:      []authz.Server{{ID: named('s', 1), Owner: named('u', 9)}},
		Applications: []authz.Application{{ID: named('p', 1), Managers: []id.UUID{named('u', 8)}}},
	}.Policy()
	helper := user(1, authz.Member, policy)
	helper.Roles = []authz.RoleAssignment{{Role: named('r', 2)}, {Role: named('r', 1), Until: end}}
	with := func(n byte, change func(*authz.Principal)) authz.Principal {
		p := user(n, authz.Member, nil) // whoever loads an account needs no policy for it
		change(&p)
		return p
	}
	for name, c := range map[string]struct {
		account authz.Principal
		want    bool
	}{
		"a member with nothing":  {with(2, func(*authz.Principal) {}), true},
		"the same role as long":  {with(2, func(p *authz.Principal) { p.Roles = []authz.RoleAssignment{{Role: named('r', 1), Until: end}} }), true},
		"a role that ends later": {with(2, func(p *authz.Principal) { p.Roles = []authz.RoleAssignment{{Role: named('r', 1)}} }), false},
		"a role that has ended":  {with(2, func(p *authz.Principal) { p.Roles = []authz.RoleAssignment{{Role: named('r', 1), Until: now}} }), true},
		"a group with it": {with(2, func(p *authz.Principal) {
			p.Memberships = []authz.Membership{{Group: named('g', 1), Role: authz.GroupMember}}
		}), false},
		"a grant that has not begun": {with(2, func(p *authz.Principal) {
			p.Grants = []authz.Grant{{Permissions: permission.SetOf(permission.ReadAudit), From: end}}
		}), false},
		"staff":                               {with(2, func(p *authz.Principal) { p.Role = authz.Staff }), false},
		"the owner of a server":               {with(9, func(*authz.Principal) {}), false},
		"somebody who manages an application": {with(8, func(*authz.Principal) {}), false},
	} {
		if got := authz.May(&helper, permission.UpdateUser, on(c.account), now); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if authz.May(&helper, permission.UpdateUser, authz.Object{ID: named('u', 2)}, now) {
		t.Error("an account that is not told is touched")
	}
}

// TestNoProofCoversEveryAccount: what was decided on everything weighed nobody.
func TestNoProofCoversEveryAccount(t *testing.T) {
	for _, what := range []permission.Permission{permission.UpdateUser, permission.CreateServiceToken, permission.ReadUser} {
		a, _, err := authz.Decide(user(1, authz.Staff, nil), what, authz.Object{}, now, id.UUID{15: 7})
		if err != nil || !a.Covers(what, id.UUID{}) || a.Covers(what, named('u', 4)) != (what == permission.ReadUser) {
			t.Errorf("%s on everything: %v, and covers an account: %t", what, err, a.Covers(what, named('u', 4)))
		}
	}
}

func TestATokenActsAsItsApplication(t *testing.T) {
	policy := authz.Chunk{
		Roles:        []authz.Role{{ID: named('r', 1), Permissions: permission.SetOf(permission.ReadAudit)}},
		Applications: []authz.Application{{ID: named('p', 1), Owner: named('u', 1)}},
	}.Policy()
	owner, app := user(1, authz.Member, policy), authz.Principal{Workspace: ws, ID: id.Of[id.Principal](named('p', 1)), Policy: policy}
	object := policy.Applications()[0].Object()
	object.Account = &app
	if !authz.May(&owner, permission.CreateServiceToken, object, now) {
		t.Error("the owner of an application without a role may not make a token")
	}
	app.Roles = []authz.RoleAssignment{{Role: named('r', 1)}}
	if authz.May(&owner, permission.CreateServiceToken, object, now) {
		t.Error("a token holds more than who makes it")
	}
	if !authz.May(&owner, permission.UpdateApplication, object, now) {
		t.Error("the owner may not change the application")
	}
}

// TestACeilingHasNoGap: what is held now, and again later, is not held between.
func TestACeilingHasNoGap(t *testing.T) {
	p := user(1, authz.Member, nil)
	audit := permission.SetOf(permission.ReadAudit)
	p.Grants = []authz.Grant{{Permissions: audit, Until: now.Add(time.Hour)}, {Permissions: audit, From: now.Add(2 * time.Hour)}}
	if _, lacks := p.Lacks(authz.Gift{Permissions: audit}, now); !lacks {
		t.Error("a gap is handed out")
	}
	if _, lacks := p.Lacks(authz.Gift{Permissions: audit, Until: now.Add(time.Hour)}, now); lacks {
		t.Error("what is held throughout may not be handed out")
	}
}

// TestServersAreListedAsDecided compares the list of one permission.
func TestServersAreListedAsDecided(t *testing.T) {
	p, _ := large(t)
	p.Grants = []authz.Grant{{Permissions: assigned, Object: p.Policy.Servers()[77].ID}}
	for _, what := range []permission.Permission{permission.ReadServer, permission.DeleteNote, permission.ReadAudit, permission.OwnAccount} {
		e, listed := p.Effective(now), p.Servers(what, now)
		for at, s := range p.Policy.Servers() {
			may := authz.May(&p, what, s.Object(), now)
			if got := e.Server(what, at); got != may && what.Resource != permission.Audit {
				t.Fatalf("%s on %s: unfolded %t, decided %t", what, s.Name, got, may)
			}
			in := len(listed) > 0 && listed[0] == at
			if in {
				listed = listed[1:]
			}
			if in != (may && what.Resource != permission.Audit) {
				t.Fatalf("%s on %s: listed %t, decided %t", what, s.Name, in, may)
			}
		}
	}
}

func TestNoAccessAndNoMembershipThatIsNone(t *testing.T) {
	if got := authz.Access(1 << 6).Permissions(); !got.Empty() {
		t.Errorf("an access that is none opens %v", got.Permissions())
	}
	p := user(1, authz.Member, authz.NewPolicy(nil, []authz.Group{{ID: named('g', 1), Access: authz.Terminal, Names: []pattern.Pattern{parsed(t, "*")}}}, nil, nil))
	p.Memberships = []authz.Membership{{Group: named('g', 1)}}
	if authz.May(&p, permission.CreateWebsh, authz.Object{ID: named('s', 1), Name: "a"}, now) {
		t.Error("a membership without a role counts")
	}
}
