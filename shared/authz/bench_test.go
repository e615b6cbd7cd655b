package authz_test

import (
	"testing"

	"paddock/localstack/paired"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/permission"
)

// questions are asked by turns, half of them denied.
var questions = []struct {
	who  authz.RoleSetting
	what permission.Permission
	on   authz.Object
}{
	{authz.Staff, permission.ReadUser, other},
	{authz.Member, permission.ReadAudit, authz.Object{}},
	{authz.Superuser, permission.UpdateSecurity, authz.Object{}},
	{authz.Staff, permission.UpdateUser, chief},
	{authz.Member, permission.AccessServer, server},
	{authz.Member, permission.AccessServer, other},
	{authz.Member, permission.OwnAccount, mine},
	{authz.Member, permission.OwnAccount, other},
}

// BenchmarkDecision asks the rule that guards rows and filters lists. The bar
// is four times a look-up and bit test in sets made beforehand. Source:
// design, Numbers to keep.
func BenchmarkDecision(b *testing.B) {
	principals := map[authz.RoleSetting]authz.Principal{}
	made := map[id.ID[id.Principal]]permission.Set{}
	for n, role := range authz.RoleSettings {
		p := principal(role)
		p.ID = id.Of[id.Principal](id.UUID{15: byte(n)})
		principals[role], made[p.ID] = p, authz.BuiltIn(role)
	}
	asked := make([]authz.Principal, len(questions))
	for i, q := range questions {
		asked[i] = principals[q.who]
	}
	var yes int
	paired.Ratio(b, 4, func() {
		for i := range questions {
			if authz.May(&asked[i], questions[i].what, questions[i].on, now) {
				yes++
			}
		}
	}, func() {
		for i := range questions {
			if made[asked[i].ID].Has(questions[i].what) {
				yes++
			}
		}
	})
}

// TestDecisionsAllocateNothing holds what lists are filtered with.
func TestDecisionsAllocateNothing(t *testing.T) {
	p := principal(authz.Staff)
	for _, q := range questions {
		if n := testing.AllocsPerRun(100, func() { authz.May(&p, q.what, q.on, now) }); n != 0 {
			t.Errorf("%s: %v allocations", q.what, n)
		}
	}
}
