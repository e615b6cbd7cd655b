package authz_test

import (
	"encoding/json"
	"errors"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/permission"
)

var (
	now   = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	ws    = id.Of[id.Workspace](id.UUID{15: 1})
	me    = id.Of[id.Principal](id.UUID{15: 2})
	mine  = authz.Object{ID: id.UUID{15: 2}}
	other = account(3, authz.Member)
	chief = account(4, authz.Superuser)
)

// server is one that the principals of these tests are assigned to.
var server = authz.Object{ID: id.UUID{15: 9}, Name: "web-01"}

// assigned is what the assignment of a server opens.
var assigned = (authz.Terminal | authz.FileAccess).Permissions()

// account returns somebody else's account as object.
func account(n byte, r authz.RoleSetting) authz.Object {
	u := id.UUID{15: n}
	return authz.Object{ID: u, Account: &authz.Principal{Workspace: ws, ID: id.Of[id.Principal](u), Role: r}}
}

func principal(r authz.RoleSetting) authz.Principal {
	return authz.Principal{
		Workspace: ws, ID: me, Role: r,
		Grants: []authz.Grant{{Source: "assignment web-01", Permissions: assigned, Object: server.ID}},
	}
}

func allowed(p authz.Principal, what permission.Permission, o authz.Object) bool {
	a, d, err := authz.Decide(p, what, o, now, id.UUID{15: 7})
	if (err == nil) != (d.Effect == audit.Allow) || (err == nil) != a.Covers(what, o.ID) {
		panic("decision, proof and error disagree")
	}
	return err == nil
}

// cells says what each row of the published matrix asks of authz: the
// permissions that "full" needs, those that "read" gives, and on what.
var cells = map[string]struct {
	full, read []permission.Permission
	on         authz.Object
}{
	"server.access_assigned": {full: []permission.Permission{permission.AccessServer, permission.ReadServer}, on: server},
	"terminal.create":        {full: []permission.Permission{permission.CreateWebsh}, on: server},
	"webftp.use":             {full: []permission.Permission{permission.CreateWebFTP}, on: server},
	"activity.read_own":      {full: []permission.Permission{permission.ReadOwnAudit}, on: mine},
	"server.manage":          {full: []permission.Permission{permission.CreateServer, permission.UpdateServer, permission.DeleteServer}},
	"user.invite_remove":     {full: []permission.Permission{permission.CreateUser, permission.DeleteUser}},
	"group.manage":           {full: []permission.Permission{permission.CreateGroup, permission.UpdateGroup, permission.DeleteGroup, permission.CreateMembership}},
	"audit.read_all":         {full: []permission.Permission{permission.ReadAudit}},
	"workspace.settings": {
		full: []permission.Permission{permission.UpdateSecurity, permission.UpdatePreferences, permission.UpdateAccessControl},
		read: []permission.Permission{permission.ReadSecurity, permission.ReadPreferences, permission.ReadAccessControl},
	},
	"billing.manage":   {full: []permission.Permission{permission.ReadBilling, permission.UpdateBilling}},
	"workspace.delete": {full: []permission.Permission{permission.DeleteWorkspace}},
}

func TestPermissionMatrix(t *testing.T) {
	var v struct {
		Matrix []struct{ ID, Member, Staff, Superuser string }
		Counts struct{ Cells int }
	}
	b, err := os.ReadFile("testdata/permissions.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, row := range v.Matrix {
		cell, ok := cells[row.ID]
		if !ok {
			t.Errorf("row %s is not probed", row.ID)
			continue
		}
		for role, want := range map[authz.RoleSetting]string{authz.Member: row.Member, authz.Staff: row.Staff, authz.Superuser: row.Superuser} {
			seen++
			for _, p := range cell.full {
				if got := allowed(principal(role), p, cell.on); got != (want == "full") {
					t.Errorf("%s for %s: %s allowed %t, want %s", row.ID, role, p, got, want)
				}
			}
			for _, p := range cell.read {
				if got := allowed(principal(role), p, cell.on); got != (want != "none") {
					t.Errorf("%s for %s: %s allowed %t, want %s", row.ID, role, p, got, want)
				}
			}
		}
	}
	if seen != v.Counts.Cells || seen != 33 {
		t.Fatalf("%d cells probed", seen)
	}
}

func TestEveryoneNeedsAnAssignment(t *testing.T) {
	stranger := authz.Object{ID: id.UUID{15: 10}}
	for _, r := range authz.RoleSettings {
		if allowed(principal(r), permission.AccessServer, stranger) {
			t.Errorf("%s reaches a server without assignment", r)
		}
	}
}

func TestStaffCannotTouchASuperuser(t *testing.T) {
	for _, p := range []permission.Permission{permission.UpdateUser, permission.DeleteUser, permission.DeleteSession} {
		if allowed(principal(authz.Staff), p, chief) {
			t.Errorf("staff may %s of a superuser", p)
		}
		if !allowed(principal(authz.Staff), p, other) || !allowed(principal(authz.Superuser), p, chief) {
			t.Errorf("%s is refused where it is due", p)
		}
	}
	if allowed(principal(authz.Staff), permission.PromoteUser, other) {
		t.Error("staff may promote")
	}
}

func TestGrantEndsAtItsInstant(t *testing.T) {
	p := principal(authz.Member)
	p.Grants = []authz.Grant{{Source: "grant", Permissions: assigned, Object: server.ID, From: now, Until: now.Add(time.Hour)}}
	for _, c := range []struct {
		at   time.Time
		want bool
	}{
		{now.Add(-time.Nanosecond), false}, {now, true}, {now.Add(time.Hour - time.Nanosecond), true}, {now.Add(time.Hour), false},
	} {
		if got := authz.May(&p, permission.AccessServer, server, c.at); got != c.want {
			t.Errorf("at %v: %t", c.at, got)
		}
	}
}

func TestNobodyHoldsNothing(t *testing.T) {
	for _, p := range permission.Catalogue {
		if allowed(authz.Principal{}, p, authz.Object{}) || allowed(authz.Principal{Workspace: ws, Role: authz.Superuser}, p, mine) {
			t.Errorf("%s is allowed to nobody", p)
		}
	}
	if _, _, err := authz.Decide(principal(authz.Superuser), permission.Permission{}, authz.Object{}, now, id.UUID{}); !errors.Is(err, authz.ErrDenied) {
		t.Errorf("the zero permission: %v", err)
	}
	var zero authz.Allowed
	for _, p := range permission.Catalogue {
		if zero.Covers(p, id.UUID{}) {
			t.Errorf("the zero proof covers %s", p)
		}
	}
}

func TestMoreGrantsNeverTakeAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := principal(rapid.SampledFrom(authz.RoleSettings).Draw(t, "role"))
		what := rapid.SampledFrom(permission.Catalogue).Draw(t, "permission")
		on := rapid.SampledFrom([]authz.Object{{}, mine, other, chief, server}).Draw(t, "object")
		before := authz.May(&p, what, on, now)
		p.Grants = append(p.Grants, authz.Grant{Source: "more", Permissions: permission.SetOf(rapid.SampledFrom(permission.Catalogue).Draw(t, "more"))})
		if before && !authz.May(&p, what, on, now) {
			t.Fatalf("%s on %v was lost", what, on)
		}
	})
}
