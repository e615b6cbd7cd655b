package world_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"paddock/shared/audit"
)

const (
	rolesPath    = "/api/iam/roles/"
	assignedPath = "/api/iam/role-assignments/"
)

// TestCustomRoles goes through the life of a role: made by a superuser, given to
// a person and to a group, changed, taken away, deleted. Each counts at the next
// request.
func TestCustomRoles(t *testing.T) {
	w := relaxed(t, "roles")
	staff, mia, max := prover(t, w, "sam", "staff", "203.0.113.41"), made(t, w, "mia", "member", "203.0.113.42"), made(t, w, "max", "member", "203.0.113.43")
	auditor := map[string]any{"name": "auditor", "permissions": []string{"audit:read", "user:read"}}

	refused(t, staff.Visitor, "permission_denied", "POST", rolesPath, auditor)
	refused(t, w.Me, "invalid_permission", "POST", rolesPath, map[string]any{"name": "x", "permissions": []string{"*"}})
	refused(t, w.Me, "invalid_permission", "POST", rolesPath, map[string]any{"name": "x", "permissions": []string{"server:*"}})
	refused(t, w.Me, "permission_reserved", "POST", rolesPath, map[string]any{"name": "x", "permissions": []string{"user:promote"}})
	refused(t, w.Me, "invalid_value", "POST", rolesPath, map[string]any{"name": "x", "permissions": []string{"audit:read"}, "scope": map[string]any{"patterns": []string{"web-*"}}})
	refused(t, w.Me, "invalid_value", "POST", rolesPath, map[string]any{"name": "superuser", "permissions": []string{"audit:read"}})
	role := field(t, want(t, w.Me, http.StatusCreated, "POST", rolesPath, auditor), "id")
	refused(t, w.Me, "role_name_in_use", "POST", rolesPath, auditor)
	path := rolesPath + role + "/"
	want(t, mia.Visitor, http.StatusNotFound, "GET", path, nil)

	log := func(p person) string { return p.path + "sessions/" }
	want(t, mia.Visitor, http.StatusNotFound, "GET", max.path, nil)
	refused(t, staff.Visitor, "permission_denied", "POST", assignedPath, map[string]any{"role": role, "user": staff.idOf()})
	refused(t, w.Me, "invalid_value", "POST", assignedPath, map[string]any{"role": role})
	refused(t, w.Me, "invalid_value", "POST", assignedPath, map[string]any{"role": nobody, "user": mia.idOf()})
	refused(t, w.Me, "invalid_value", "POST", assignedPath, map[string]any{"role": role, "user": nobody})
	given := field(t, want(t, w.Me, http.StatusCreated, "POST", assignedPath, map[string]any{"role": role, "user": mia.idOf()}), "id")
	refused(t, w.Me, "already_assigned", "POST", assignedPath, map[string]any{"role": role, "user": mia.idOf()})
	want(t, mia.Visitor, http.StatusOK, "GET", max.path, nil)
	want(t, mia.Visitor, http.StatusNotFound, "GET", log(max), nil)
	if all := want(t, mia.Visitor, http.StatusOK, "GET", assignedPath, nil); !strings.Contains(string(all.Body), given) {
		t.Errorf("one's own roles: %s", all.Body)
	}
	if all := want(t, max.Visitor, http.StatusOK, "GET", assignedPath+"?role="+role, nil); strings.Contains(string(all.Body), given) {
		t.Errorf("others' roles: %s", all.Body)
	}

	want(t, w.Me, http.StatusOK, "PATCH", path, map[string]any{"permissions": []string{"audit:read", "user:read", "session:read"}})
	want(t, mia.Visitor, http.StatusOK, "GET", log(max), nil)
	want(t, w.Me, http.StatusOK, "PATCH", path, map[string]any{"permissions": []string{"audit:read"}})
	want(t, mia.Visitor, http.StatusNotFound, "GET", max.path, nil)
	// People choose their names: of them a role names ids.
	refused(t, w.Me, "invalid_value", "PATCH", path, map[string]any{"permissions": []string{"user:read"}, "scope": map[string]any{"patterns": []string{"ma*"}}})
	refused(t, w.Me, "invalid_value", "PATCH", path, map[string]any{"permissions": []string{"server:read", "session:read"}, "scope": map[string]any{"patterns": []string{"ma*"}}})
	want(t, w.Me, http.StatusOK, "PATCH", path, map[string]any{"permissions": []string{"user:read"}, "scope": map[string]any{"objects": []string{max.idOf()}}})
	want(t, mia.Visitor, http.StatusOK, "GET", max.path, nil)
	want(t, mia.Visitor, http.StatusNotFound, "GET", staff.path, nil)
	want(t, w.Me, http.StatusNoContent, "DELETE", assignedPath+given+"/", nil)
	want(t, mia.Visitor, http.StatusNotFound, "GET", max.path, nil)

	// By a group, at once and no longer than the group has it.
	group := newGroup(t, w.Me, map[string]any{"name": "auditors"})
	join(t, w.Me, group, mia, "member")
	want(t, w.Me, http.StatusCreated, "POST", assignedPath, map[string]any{"role": role, "group": group})
	want(t, mia.Visitor, http.StatusOK, "GET", max.path, nil)
	// Putting somebody into the group counts as giving the role.
	want(t, w.Me, http.StatusOK, "PATCH", path, map[string]any{"permissions": []string{"billing:read"}, "scope": map[string]any{}})
	refused(t, staff.Visitor, "grant_ceiling", "POST", membersPath, map[string]any{"group": group, "user": max.idOf(), "role": "member"})
	refused(t, staff.Visitor, "grant_ceiling", "POST", membersPath, map[string]any{"group": group, "user": staff.idOf(), "role": "member"})
	// Whoever may more than staff is not theirs to touch.
	refused(t, staff.Visitor, "permission_denied", "PATCH", mia.path, map[string]any{"first_name": "Mine"})
	want(t, w.Me, http.StatusNoContent, "DELETE", path, nil)
	want(t, staff.Visitor, http.StatusOK, "PATCH", mia.path, map[string]any{"first_name": "Mia"})
	want(t, mia.Visitor, http.StatusNotFound, "GET", max.path, nil)

	got := kindsOf(t, w)
	for kind, n := range map[audit.Kind]int{audit.RoleCreated: 1, audit.RoleUpdated: 4, audit.RoleDeleted: 1, audit.RoleUnassigned: 1} {
		if got[kind] != n {
			t.Errorf("%d times %s, want %d", got[kind], kind, n)
		}
	}
	settled(t, w)
}

// TestARoleEndsAtItsInstant holds half-open ends.
func TestARoleEndsAtItsInstant(t *testing.T) {
	w := relaxed(t, "role-ends")
	mia, max := made(t, w, "mia", "member", "203.0.113.44"), made(t, w, "max", "member", "203.0.113.45")
	role := field(t, want(t, w.Me, http.StatusCreated, "POST", rolesPath, map[string]any{"name": "reader", "permissions": []string{"user:read"}}), "id")
	end := shared.Clock.Now().Add(10 * time.Minute).Truncate(time.Second)
	refused(t, w.Me, "invalid_value", "POST", assignedPath, map[string]any{"role": role, "user": mia.idOf(), "expires_at": shared.Clock.Now()})
	want(t, w.Me, http.StatusCreated, "POST", assignedPath, map[string]any{"role": role, "user": mia.idOf(), "expires_at": end})
	shared.Clock.Set(end.Add(-time.Nanosecond))
	want(t, mia.Visitor, http.StatusOK, "GET", max.path, nil)
	shared.Clock.Set(end)
	want(t, mia.Visitor, http.StatusNotFound, "GET", max.path, nil)
	want(t, w.Me, http.StatusCreated, "POST", assignedPath, map[string]any{"role": role, "user": mia.idOf()})
	want(t, mia.Visitor, http.StatusOK, "GET", max.path, nil)
	if n := kindsOf(t, w)[audit.RoleUnassigned]; n != 1 {
		t.Errorf("%d ends of roles are told, want 1", n)
	}
	settled(t, w)
}
