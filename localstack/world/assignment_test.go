package world_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"paddock/localstack/world"
	"paddock/shared/audit"
)

// TestANameOpensByOlderPatterns registers and renames servers into patterns
// that were there: who does it is told to whom, and the log tells too.
func TestANameOpensByOlderPatterns(t *testing.T) {
	w := relaxed(t, "server-names")
	mia, max := made(t, w, "mia", "member", "203.0.113.46"), made(t, w, "max", "member", "203.0.113.47")
	group := newGroup(t, w.Me, map[string]any{"name": "web", "server_patterns": []string{"web-*"}})
	join(t, w.Me, group, mia, "member")
	want(t, w.Me, http.StatusCreated, "POST", assignPath, map[string]any{"user": max.idOf(), "pattern": "*-prod"})
	zoe := made(t, w, "zoe", "member", "203.0.113.54")
	given(t, w, zoe, map[string]any{"name": "reader", "permissions": []string{"server:read"}, "scope": map[string]any{"patterns": []string{"*-prod"}}})
	token := newToken(t, w.Me, map[string]any{"name": "fleet"})
	path := registered(t, w, token.key, "x")
	unknown(t, mia.Visitor, "GET", path, nil)
	unknown(t, max.Visitor, "GET", path, nil)
	var answer struct {
		Opened []struct{ Pattern, By, Group string }
		Users  int `json:"opened_users_n"`
	}
	rename := func(name string) {
		t.Helper()
		answer.Opened = nil
		if err := json.Unmarshal(want(t, w.Me, http.StatusOK, "PATCH", path, map[string]any{"name": name}).Body, &answer); err != nil {
			t.Fatal(err)
		}
	}
	rename("web-prod")
	if got := fmt.Sprint(answer.Opened, answer.Users); got != "[{*-prod role } {web-* group web} {*-prod assignment }] 3" {
		t.Errorf("the new name opens %s", got)
	}
	want(t, zoe.Visitor, http.StatusOK, "GET", path, nil)
	want(t, mia.Visitor, http.StatusOK, "GET", path, nil)
	want(t, max.Visitor, http.StatusOK, "GET", path, nil)
	rename("web-test") // stays within one, leaves the other
	if len(answer.Opened) != 0 {
		t.Errorf("a name of the same pattern opens %+v", answer)
	}
	unknown(t, max.Visitor, "GET", path, nil)
	rename("WEB-prod") // patterns tell cases apart
	unknown(t, mia.Visitor, "GET", path, nil)
	registered(t, w, token.key, "web-2")
	if got := kindsOf(t, w)[audit.ServerAudienceChanged]; got != 3 {
		t.Errorf("%d events of a wider audience, want 3", got)
	}
	refused(t, w.Me, "server_name_in_use", "PATCH", path, map[string]any{"name": "web-2"})
	settled(t, w)
}

// TestAssignments gives servers by themselves and by patterns, until an
// instant, and holds that nobody gives what is not theirs to give.
func TestAssignments(t *testing.T) {
	w := relaxed(t, "assignments")
	mia, max := made(t, w, "mia", "member", "203.0.113.48"), prover(t, w, "max", "member", "203.0.113.49")
	token := newToken(t, w.Me, map[string]any{"name": "fleet"})
	web, db := registered(t, w, token.key, "web-1"), registered(t, w, token.key, "db-1")
	to := func(p person, fields map[string]any) map[string]any {
		fields["user"] = p.idOf()
		return fields
	}
	for _, body := range []map[string]any{
		{},
		to(mia, map[string]any{}),
		{"server": idIn(web)},
		to(mia, map[string]any{"server": idIn(web), "pattern": "*"}),
		to(mia, map[string]any{"server": nobody}),
		to(mia, map[string]any{"server": idIn(web), "username": "mia"}),
		{"username": "nobody-of-this-name", "server": idIn(web)},
		{"user": nobody, "server": idIn(web)},
		{"group": nobody, "server": idIn(web)},
		to(mia, map[string]any{"server": idIn(web), "permissions": map[string]bool{}}), to(mia, map[string]any{"server": idIn(web), "expires_at": shared.Clock.Now()}),
	} {
		refused(t, w.Me, "invalid_value", "POST", assignPath, body)
	}
	refused(t, w.Me, "invalid_pattern", "POST", assignPath, to(mia, map[string]any{"pattern": "a\nb"}))

	// Until an instant, half-open.
	end := shared.Clock.Now().Add(5 * time.Minute).Truncate(time.Second)
	want(t, w.Me, http.StatusCreated, "POST", assignPath, to(mia, map[string]any{"server": idIn(web), "expires_at": end}))
	want(t, mia.Visitor, http.StatusOK, "GET", web, nil)
	unknown(t, mia.Visitor, "GET", db, nil)
	refused(t, mia.Visitor, "permission_denied", "POST", assignPath, to(max, map[string]any{"server": idIn(web)}))
	shared.Clock.Set(end.Add(-time.Nanosecond))
	want(t, mia.Visitor, http.StatusOK, "GET", web, nil)
	shared.Clock.Set(end)
	unknown(t, mia.Visitor, "GET", web, nil)
	if got := paged(t, w.Me, assignPath, "id"); len(got) != 0 {
		t.Errorf("an assignment that has ended is listed: %v", got)
	}

	// By a pattern, and by a group.
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	pattern := field(t, want(t, w.Me, http.StatusCreated, "POST", assignPath, to(mia, map[string]any{"pattern": "web-*", "permissions": map[string]bool{"terminal": true}})), "id")
	if got := paged(t, mia.Visitor, serversPath, "name"); !slices.Equal(got, []string{"web-1"}) {
		t.Errorf("by a pattern one sees %v", got)
	}
	group := newGroup(t, w.Me, map[string]any{"name": "data"})
	want(t, w.Me, http.StatusCreated, "POST", assignPath, map[string]any{"group": group, "server": idIn(db)})
	join(t, w.Me, group, max, "member")
	if got := paged(t, max.Visitor, serversPath, "name"); !slices.Equal(got, []string{"db-1"}) {
		t.Errorf("by a group one sees %v", got)
	}
	for query, n := range map[string]int{"": 2, "?server=" + idIn(web): 1, "?server=" + idIn(db): 1, "?user=" + mia.idOf(): 1, "?group=" + group: 1, "?user=" + group: 0, "?server=" + nobody: 0} {
		if got := paged(t, w.Me, assignPath+query, "id"); len(got) != n {
			t.Errorf("%q: %v, want %d", query, got, n)
		}
	}

	// A manager gives their own server, and nothing by patterns.
	want(t, w.Me, http.StatusOK, "PATCH", db, map[string]any{"managers": []map[string]string{{"id": max.idOf()}}})
	given := field(t, want(t, max.Visitor, http.StatusCreated, "POST", assignPath, map[string]any{"username": mia.email, "server": idIn(db)}), "id")
	want(t, mia.Visitor, http.StatusOK, "GET", db, nil)
	refused(t, max.Visitor, "permission_denied", "POST", assignPath, to(mia, map[string]any{"server": idIn(web)}))
	refused(t, max.Visitor, "permission_denied", "POST", assignPath, to(mia, map[string]any{"server": nobody}))
	refused(t, max.Visitor, "grant_ceiling", "POST", assignPath, to(mia, map[string]any{"pattern": "db-*"}))
	if got := paged(t, max.Visitor, assignPath, "id"); len(got) != 2 {
		t.Errorf("a manager sees %v", got)
	}
	unknown(t, max.Visitor, "DELETE", assignPath+pattern+"/", nil)
	want(t, max.Visitor, http.StatusNoContent, "DELETE", assignPath+given+"/", nil)
	unknown(t, mia.Visitor, "GET", db, nil)
	refused(t, mia.Visitor, "permission_denied", "DELETE", assignPath+pattern+"/", nil)
	want(t, w.Me, http.StatusNoContent, "DELETE", assignPath+pattern+"/", nil)
	unknown(t, mia.Visitor, "GET", web, nil)
	want(t, w.Me, http.StatusNotFound, "DELETE", assignPath+pattern+"/", nil)
	got := kindsOf(t, w)
	if got[audit.ServerAssigned] != 4 || got[audit.ServerUnassigned] != 2 {
		t.Errorf("%d assigned, %d unassigned", got[audit.ServerAssigned], got[audit.ServerUnassigned])
	}
	settled(t, w)
}

// given makes a role and gives it to somebody.
func given(t *testing.T, w *world.Walk, p person, role map[string]any) {
	t.Helper()
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	of := field(t, want(t, w.Me, http.StatusCreated, "POST", rolesPath, role), "id")
	want(t, w.Me, http.StatusCreated, "POST", assignedPath, map[string]any{"role": of, "user": p.idOf()})
}

// TestWhoAssignsByPattern assigns with a role that counts for some names: as
// far as those go, and no further.
func TestWhoAssignsByPattern(t *testing.T) {
	w := relaxed(t, "assign-by-name")
	zoe, mia := prover(t, w, "zoe", "member", "203.0.113.55"), made(t, w, "mia", "member", "203.0.113.56")
	given(t, w, zoe, map[string]any{"name": "web", "permissions": []string{"assignment:read", "assignment:create", "assignment:delete"}, "scope": map[string]any{"patterns": []string{"web-*"}}})
	web := registered(t, w, newToken(t, w.Me, map[string]any{"name": "fleet"}).key, "web-1")
	for pattern, ok := range map[string]bool{"web-*": true, "web-1*": true, "web-1": true, "web*": false, "*": false, "*-web-1": false} {
		body := map[string]any{"user": mia.idOf(), "pattern": pattern, "permissions": map[string]bool{"terminal": true, "webftp": true, "deploy_shell": true, "sudo": true}}
		if !ok {
			refused(t, zoe.Visitor, "grant_ceiling", "POST", assignPath, body)
			continue
		}
		want(t, zoe.Visitor, http.StatusCreated, "POST", assignPath, body)
	}
	want(t, zoe.Visitor, http.StatusCreated, "POST", assignPath, map[string]any{"user": mia.idOf(), "server": idIn(web)})
	wide := field(t, want(t, w.Me, http.StatusCreated, "POST", assignPath, map[string]any{"user": mia.idOf(), "pattern": "*"}), "id")
	mine := paged(t, zoe.Visitor, assignPath, "id")
	if len(mine) != 4 || slices.Contains(mine, wide) {
		t.Errorf("who assigns by a pattern sees %v", mine)
	}
	unknown(t, zoe.Visitor, "DELETE", assignPath+wide+"/", nil)
	for _, of := range mine {
		want(t, zoe.Visitor, http.StatusNoContent, "DELETE", assignPath+of+"/", nil)
	}
	settled(t, w)
}
