package world_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"paddock/localstack/visitor"
	"paddock/shared/audit"
)

const (
	explainPath = "/api/iam/explain/"
	reachPath   = "/api/iam/reach/"
)

// decisionOf returns the id of the decision that a refusal carries.
func decisionOf(t *testing.T, a visitor.Answer) string {
	t.Helper()
	var p struct {
		DecisionID string `json:"decision_id"`
	}
	if err := json.Unmarshal(a.Body, &p); err != nil || p.DecisionID == "" {
		t.Fatalf("%s carries no decision: %v", a.Body, err)
	}
	return p.DecisionID
}

// TestWhyIsAnswered asks why a request was refused, what would allow it and who
// may do that, and does it.
func TestWhyIsAnswered(t *testing.T) {
	w := relaxed(t, "why")
	staff, mia, max := made(t, w, "sam", "staff", "203.0.113.51"), made(t, w, "mia", "member", "203.0.113.52"), made(t, w, "max", "member", "203.0.113.53")
	server := idIn(registered(t, w, newToken(t, w.Me, map[string]any{"name": "fleet"}).key, "web-1"))
	group := newGroup(t, w.Me, map[string]any{"name": "web people", "server_patterns": []string{"web-*"}, "permissions": map[string]bool{"terminal": true}})

	no := decisionOf(t, refused(t, mia.Visitor, "permission_denied", "POST", groupsPath, map[string]any{"name": "mine"}))
	a := want(t, mia.Visitor, http.StatusOK, "GET", "/api/iam/decisions/"+no+"/", nil)
	if field(t, a, "permission") != "group:create" || !strings.Contains(field(t, a, "failing_condition"), "no role") {
		t.Errorf("the decision is shown as %s", a.Body)
	}
	for _, v := range []*visitor.Visitor{mia.Visitor, staff.Visitor} {
		told := want(t, v, http.StatusOK, "GET", "/api/iam/decisions/"+no+"/", nil)
		for _, has := range []string{`"object":""`, `"explanation":{"allowed":false`, `"grants":[]`, `"kind":"role_setting"`, `"role_setting":"staff"`, `"makers_count":1`} {
			if !strings.Contains(string(told.Body), has) {
				t.Errorf("no %s in %s", has, told.Body)
			}
		}
	}
	want(t, max.Visitor, http.StatusNotFound, "GET", "/api/iam/decisions/"+no+"/", nil)
	want(t, staff.Visitor, http.StatusNotFound, "GET", "/api/iam/decisions/"+nobody+"/", nil)
	// What was answered as not there is not told to be there by its decision.
	want(t, mia.Visitor, http.StatusNotFound, "GET", groupsPath+group+"/", nil)
	want(t, mia.Visitor, http.StatusNotFound, "GET", groupsPath+nobody+"/", nil)
	events, err := w.Events(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]int{}
	for _, e := range events {
		if e.Kind == audit.AccessDenied && e.Actor.Username == "mia" && e.HTTP.Status == http.StatusNotFound {
			a := want(t, mia.Visitor, http.StatusOK, "GET", "/api/iam/decisions/"+e.Decision.ID.String()+"/", nil)
			told[field(t, a, "failing_condition")]++
			if object := field(t, a, "object"); object != group && object != nobody || !strings.Contains(string(a.Body), `"explanation":null`) {
				t.Errorf("of what is not seen: %s", a.Body)
			}
		}
	}
	if len(told) != 1 {
		t.Errorf("the decisions tell %v", told)
	}

	ask := map[string]any{"user": mia.idOf(), "permission": "websh:create", "object": server}
	refused(t, max.Visitor, "permission_denied", "POST", explainPath, ask)
	refused(t, mia.Visitor, "invalid_value", "POST", explainPath, ask) // what one may not see is not there
	refused(t, staff.Visitor, "invalid_permission", "POST", explainPath, map[string]any{"permission": "websh:*"})
	why := want(t, staff.Visitor, http.StatusOK, "POST", explainPath, ask)
	var answer struct {
		Allowed bool
		Step    struct {
			Kind, Group string
			MakersCount int `json:"makers_count"`
		}
	}
	if err := json.Unmarshal(why.Body, &answer); err != nil || answer.Allowed || answer.Step.MakersCount == 0 {
		t.Fatalf("%s: %v", why.Body, err)
	}
	if answer.Step.Kind != "membership" && answer.Step.Kind != "server_assignment" {
		t.Errorf("the smallest step is %s", why.Body)
	}
	if all := want(t, staff.Visitor, http.StatusOK, "GET", reachPath+"?user="+mia.idOf(), nil); !strings.Contains(string(all.Body), `"count":0`) {
		t.Errorf("before: %s", all.Body)
	}
	join(t, w.Me, group, mia, "member")
	if why := want(t, staff.Visitor, http.StatusOK, "POST", explainPath, ask); !strings.Contains(string(why.Body), `"allowed":true`) {
		t.Errorf("after: %s", why.Body)
	}
	for _, path := range []string{reachPath + "?user=" + mia.idOf(), reachPath + "?server=" + server} {
		if all := want(t, staff.Visitor, http.StatusOK, "GET", path, nil); !strings.Contains(string(all.Body), mia.email) || !strings.Contains(string(all.Body), group) {
			t.Errorf("%s: %s", path, all.Body)
		}
	}
	if all := want(t, mia.Visitor, http.StatusOK, "GET", reachPath, nil); !strings.Contains(string(all.Body), `"web-1"`) {
		t.Errorf("one's own: %s", all.Body)
	}
	for _, has := range []string{`"reason":"servers of group ` + group + `"`, `"group":"web people"`} {
		if all := want(t, mia.Visitor, http.StatusOK, "GET", reachPath, nil); !strings.Contains(string(all.Body), has) {
			t.Errorf("no %s in %s", has, all.Body)
		}
	}
	refused(t, mia.Visitor, "permission_denied", "GET", reachPath+"?server="+server, nil)

	// A refusal on what one sees tells of it, by its name to who may see it.
	rename := decisionOf(t, refused(t, mia.Visitor, "permission_denied", "PATCH", serversPath+server+"/", map[string]any{"name": "mine"}))
	if a := want(t, mia.Visitor, http.StatusOK, "GET", "/api/iam/decisions/"+rename+"/", nil); field(t, a, "object") != server ||
		!strings.Contains(string(a.Body), `"miss":"other_permission"`) || !strings.Contains(string(a.Body), `"group":"web people"`) {
		t.Errorf("the decision on a server: %s", a.Body)
	}
	// Who may read every event but ask nothing of others sees the decision alone.
	reads := field(t, want(t, w.Me, http.StatusCreated, "POST", "/api/iam/roles/", map[string]any{"name": "reads the log", "permissions": []string{"audit:read"}}), "id")
	want(t, w.Me, http.StatusCreated, "POST", "/api/iam/role-assignments/", map[string]any{"role": reads, "user": max.idOf()})
	if a := want(t, max.Visitor, http.StatusOK, "GET", "/api/iam/decisions/"+rename+"/", nil); !strings.Contains(string(a.Body), `"explanation":null`) {
		t.Errorf("to who may not ask: %s", a.Body)
	}
	if n := kindsOf(t, w)[audit.AccessExplained]; n != 9 {
		t.Errorf("%d events of questions, want 9", n)
	}
	settled(t, w)
}
