package world_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"paddock/localstack/visitor"
	"paddock/shared/audit"
)

// onApps are the applications of a dry run.
type onApps struct {
	Applications []struct {
		Application  struct{ ID, Name string }
		Gained, Lost impactedSide
	}
	Number   int `json:"applications_count"`
	Complete bool
}

// foreseen asks what a change would mean for applications.
func foreseen(t *testing.T, v *visitor.Visitor, method, path string, body any) (out onApps) {
	t.Helper()
	if err := json.Unmarshal(want(t, v, http.StatusOK, method, path+"?dry_run=true", body).Body, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// lines returns what applications gain and lose, by name.
func (o onApps) lines() string {
	out := []string{}
	for _, a := range o.Applications {
		for sign, side := range map[string]impactedSide{"+": a.Gained, "-": a.Lost} {
			for _, what := range side.Everywhere {
				out = append(out, sign+a.Application.Name+" everywhere "+what)
			}
			for _, on := range slices.Concat(side.Servers, side.Others) {
				out = append(out, fmt.Sprint(sign, a.Application.Name, " ", on.Name, " ", on.Permissions))
			}
		}
	}
	slices.Sort(out)
	return fmt.Sprint(out)
}

// TestImpactOnApplications looks at changes of roles that applications have: what
// these gain and lose, within their scopes, and who is told.
func TestImpactOnApplications(t *testing.T) {
	w := relaxed(t, "impact-apps")
	sue, mia := prover(t, w, "sue", "superuser", "203.0.113.75"), made(t, w, "mia", "member", "203.0.113.76")
	web := registered(t, w, newToken(t, w.Me, called("fleet")).key, "web-1")
	newGroup(t, sue.Visitor, called("web-people"))
	ci, off := newApp(t, sue.Visitor, "ci", "server:write", "user:read", "group:read"), newApp(t, sue.Visitor, "off", "*")
	helper := newRole(t, sue.Visitor, "helper", "user:read", "audit:read")
	path := rolesPath + helper + "/"
	bot := service(t, w, sue.Visitor, ci, called("bot"))
	holds := func(v *visitor.Visitor, lines string, method, path string, body any) onApps {
		t.Helper()
		got := foreseen(t, v, method, path, body)
		if got.lines() != lines || got.Number != len(got.Applications) || !got.Complete {
			t.Errorf("%s %s %v brings %d applications %s, complete: %t; want %s", method, path, body, got.Number, got.lines(), got.Complete, lines)
		}
		return got
	}

	give := map[string]any{"role": helper, "application": idIn(ci)}
	holds(sue.Visitor, "[+ci everywhere user:read]", "POST", assignedPath, give) // audit:read is not in its scopes
	e := newest(t, w, audit.PolicySimulated)
	gained, _ := e.Field("gained_n")
	if lost, _ := e.Field("lost_n"); gained.Number() != 1 || lost.Number() != 0 {
		t.Errorf("the event tells %+v", e)
	}
	want(t, bot.Visitor, http.StatusNotFound, "GET", mia.path, nil) // it was looked at only
	assigned := assignedPath + field(t, want(t, sue.Visitor, http.StatusCreated, "POST", assignedPath, give), "id") + "/"
	want(t, bot.Visitor, http.StatusOK, "GET", mia.path, nil)
	roleOf(t, sue.Visitor, off, helper)
	want(t, sue.Visitor, http.StatusOK, "PATCH", off, map[string]any{"enabled": false}) // it has nothing

	holds(sue.Visitor, "[]", "PATCH", path, map[string]any{"description": "x"})
	holds(sue.Visitor, "[]", "PATCH", path, map[string]any{"permissions": []string{"user:read", "billing:read"}})
	holds(sue.Visitor, "[+ci everywhere group:read -ci everywhere user:read]", "PATCH", path, map[string]any{"permissions": []string{"group:read"}})
	onWeb := map[string]any{"permissions": []string{"server:read", "server:delete", "group:read"}, "scope": map[string]any{"patterns": []string{"web-*"}}}
	holds(sue.Visitor, "[+ci web-1 [server:read] +ci web-people [group:read] -ci everywhere user:read]", "PATCH", path, onWeb)
	holds(sue.Visitor, "[-ci everywhere user:read]", "DELETE", path, nil)
	holds(sue.Visitor, "[-ci everywhere user:read]", "DELETE", assigned, nil)
	want(t, sue.Visitor, http.StatusOK, "PATCH", path, onWeb)
	onMia := map[string]any{"permissions": []string{"user:read"}, "scope": map[string]any{"objects": []string{mia.idOf()}}}
	holds(sue.Visitor, "[+ci mia [user:read] -ci web-1 [server:read] -ci web-people [group:read]]", "PATCH", path, onMia)
	holds(sue.Visitor, "[-ci db-1 [server:read]]", "PATCH", web, called("db-1")) // the pattern is about it no more
	holds(sue.Visitor, "[-ci web-1 [server:read] -ci web-people [group:read]]", "DELETE", assigned, nil)

	// Who reads the policy is told numbers of those that they do not see; who does
	// not is told nothing.
	for permission, n := range map[string]int{"policy:read": 1, "role_assignment:read": 0} {
		p := made(t, w, "p-"+permission[:4], "member", "203.0.113.77")
		given(t, w, p, map[string]any{"name": "changes with " + permission, "permissions": []string{permission, "server:read", "server:update"}})
		if got := foreseen(t, p.Visitor, "PATCH", web, called("db-1")); got.Number != n || len(got.Applications) != 0 || got.Complete != (n == 1) {
			t.Errorf("with %s: %+v", permission, got)
		}
	}
	settled(t, w)
}
