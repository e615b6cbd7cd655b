package world_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/activity"
	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/permission"
	"paddock/shared/table"
	"paddock/shared/token"
)

// TestNotesLeaveRoomForOthers fills a server with private notes of one author,
// has others change and pin what is not theirs, and reads notes a page at a time.
func TestNotesLeaveRoomForOthers(t *testing.T) {
	w := relaxed(t, "notes-room")
	sam := made(t, w, "sam", "staff", "203.0.113.224")
	server := registered(t, w, newToken(t, w.Me, map[string]any{"name": "fleet"}).key, "web-1")
	note := func(v *visitor.Visitor, content string, private bool) visitor.Answer {
		return send(t, v, "POST", notesPath, map[string]any{"server": idIn(server), "content": content, "private": private})
	}
	for i := range 10 {
		if a := note(w.Me, fmt.Sprint("mine alone ", i), true); a.Status != http.StatusCreated {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	}
	if a := note(w.Me, "one too many", true); a.Problem().Code != "limit_reached" {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	first := notesPath + field(t, note(w.Me, "disk is full on fridays", false), "id") + "/"
	for i := range 10 {
		note(sam.Visitor, fmt.Sprint("alone, too ", i), true)
	}
	if got := paged(t, sam.Visitor, notesPath, "content"); len(got) != 11 || !slices.Contains(got, "disk is full on fridays") {
		t.Errorf("somebody else sees %v", got)
	}
	// What it says is its author's to say; others pin it, and take it away.
	if a := refused(t, sam.Visitor, "read_only", "PATCH", first, map[string]any{"content": "disk is fine"}); a.Problem().Source != "content" {
		t.Errorf("%s", a.Body)
	}
	refused(t, sam.Visitor, "read_only", "PATCH", first, map[string]any{"private": true})
	want(t, sam.Visitor, http.StatusOK, "PATCH", first, map[string]any{"content": "disk is full on fridays", "pinned": true})
	if got := paged(t, w.Me, notesPath+"?pinned=true", "content"); !slices.Equal(got, []string{"disk is full on fridays"}) {
		t.Errorf("pinned are %v", got)
	}
	// A page reads its notes and the lists, and no others.
	_, before := w.Entries.Recorder.Since(0)
	want(t, w.Me, http.StatusOK, "GET", notesPath+"?page=1&page_size=3", nil)
	want(t, w.Me, http.StatusOK, "GET", notesPath+"?page_size=3&server="+idIn(server), nil)
	calls, _ := w.Entries.Recorder.Since(before)
	if read := notesIn(calls); read != 6 {
		t.Errorf("two pages of three read %d notes", read)
	}
	want(t, sam.Visitor, http.StatusNoContent, "DELETE", first, nil)

	want(t, w.Me, http.StatusNoContent, "DELETE", server, nil)
	for _, v := range []*visitor.Visitor{w.Me, sam.Visitor} {
		if got := paged(t, v, notesPath, "id"); len(got) != 0 {
			t.Errorf("%d notes are left", len(got))
		}
	}
	settled(t, w)
}

// TestNotesAndAssignmentsTakeAKey sends each twice under a key, and an equal
// assignment without one.
func TestNotesAndAssignmentsTakeAKey(t *testing.T) {
	w := relaxed(t, "server-keys")
	mia := made(t, w, "mia", "member", "203.0.113.229")
	server := registered(t, w, newToken(t, w.Me, map[string]any{"name": "fleet"}).key, "web-1")
	mine := w.Me.WithCookie(w.Me.Cookie())
	mine.Key = "once"
	body := map[string]any{"server": idIn(server), "content": "once"}
	one, two := want(t, mine, http.StatusCreated, "POST", notesPath, body), want(t, mine, http.StatusCreated, "POST", notesPath, body)
	if field(t, one, "id") != field(t, two, "id") {
		t.Errorf("%s, again %s", one.Body, two.Body)
	}
	give := map[string]any{"user": mia.idOf(), "server": idIn(server)}
	one, two = want(t, mine, http.StatusCreated, "POST", assignPath, give), want(t, mine, http.StatusCreated, "POST", assignPath, give)
	if field(t, one, "id") != field(t, two, "id") {
		t.Errorf("%s, again %s", one.Body, two.Body)
	}
	// Without one an equal assignment is there already; another end is another.
	refused(t, w.Me, "already_assigned", "POST", assignPath, give)
	give["expires_at"] = shared.Clock.Now().Add(time.Hour)
	want(t, w.Me, http.StatusCreated, "POST", assignPath, give)
	if got := kindsOf(t, w); got[audit.ServerNoteCreated] != 1 || got[audit.ServerAssigned] != 2 {
		t.Errorf("the log has %v", got)
	}
}

// notesIn counts the notes that calls read.
func notesIn(calls []world.Call) (n int) {
	for _, c := range calls {
		in, ok := c.Input.(*dynamodb.BatchGetItemInput)
		if !ok {
			continue
		}
		for _, keys := range in.RequestItems {
			for _, key := range keys.Keys {
				if text, _ := json.Marshal(key); strings.Contains(string(text), `"note#`) {
					n++
				}
			}
		}
	}
	return n
}

// TestPatternsOfAGroupAreBounded sends as many bytes as many groups would share.
func TestPatternsOfAGroupAreBounded(t *testing.T) {
	w := relaxed(t, "group-bytes")
	long := func(n int) []string {
		out := make([]string, n)
		for i := range out {
			out[i] = fmt.Sprintf("%03d-%s", i, strings.Repeat("x", 1_020))
		}
		return out
	}
	want(t, w.Me, http.StatusCreated, "POST", groupsPath, map[string]any{"name": "long", "server_patterns": long(8)})
	if a := refused(t, w.Me, "limit_reached", "POST", groupsPath, map[string]any{"name": "longer", "server_patterns": long(9)}); a.Problem().Source != "server_patterns" {
		t.Errorf("%s", a.Body)
	}
	refused(t, w.Me, "limit_reached", "POST", rolesPath, map[string]any{"name": "longer", "permissions": []string{"server:read"}, "scope": map[string]any{"patterns": long(9)}})
	settled(t, w)
}

// TestACommitIsBounded prepares what no transaction takes: it is refused before
// anything is sent.
func TestACommitIsBounded(t *testing.T) {
	w := relaxed(t, "commit-bounds")
	store, err := shared.Store()
	if err != nil {
		t.Fatal(err)
	}
	by := authz.ForTask(w.ID, "test")
	event := by.Event(audit.ServerUpdated, shared.Clock.Now()).WithDescription("Of a test.")
	large := func(n, size int) (ops []table.Op) {
		for i := range n {
			key := table.Key{Table: table.Data, Kind: "H", Workspace: w.ID, SK: fmt.Sprintf("large#%d", i)}
			ops = append(ops, table.Insert(key, table.Raw(make([]byte, size))))
		}
		return ops
	}
	for name, c := range map[string]table.Change{
		"bytes":      {Events: []audit.Event{event}, Ops: large(14, 300<<10)},
		"operations": {Events: slices.Repeat([]audit.Event{event}, 30), Ops: large(80, 1)},
	} {
		if err := store.Commit(t.Context(), by, c); !errors.Is(err, table.ErrTooMuch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	settled(t, w)
}

// TestQuestionsAreBounded asks why, again and again.
func TestQuestionsAreBounded(t *testing.T) {
	w := relaxed(t, "questions")
	mia, max := made(t, w, "mia", "member", "203.0.113.226"), made(t, w, "max", "member", "203.0.113.227")
	ask := map[string]any{"permission": "user:read"}
	for i := range activity.Questions {
		if a := send(t, mia.Visitor, "GET", reachPath, nil); a.Status != http.StatusOK {
			t.Fatalf("question %d: %d %s", i+1, a.Status, a.Body)
		}
	}
	for _, a := range []visitor.Answer{send(t, mia.Visitor, "POST", explainPath, ask), send(t, mia.Visitor, "GET", reachPath, nil)} {
		if a.Problem().Code != "too_many_questions" || a.Retry() == 0 || a.Retry() > int(activity.QuestionWindow/time.Second) {
			t.Errorf("%d %s, wait %d", a.Status, a.Body, a.Retry())
		}
	}
	want(t, max.Visitor, http.StatusOK, "POST", explainPath, ask)
	shared.Clock.Advance(activity.QuestionWindow)
	want(t, mia.Visitor, http.StatusOK, "POST", explainPath, ask)
	settled(t, w)
}

// TestTokensAreNotWidenedByTheCatalogue stands for a permission that came to the
// catalogue after a token was made: the token does not hold it, whatever its
// scopes say now, and neither does its copy.
func TestTokensAreNotWidenedByTheCatalogue(t *testing.T) {
	w := relaxed(t, "token-catalogue")
	full := tokenOf(t, w, w.Me, map[string]any{"name": "full"})
	if got := want(t, w.Me, http.StatusOK, "GET", apiTokens, nil); !strings.Contains(string(got.Body), `"group:create"`) {
		t.Errorf("what a token holds is not shown: %s", got.Body)
	}
	want(t, full.Visitor, http.StatusOK, "GET", groupsPath, nil)
	store, err := shared.Store()
	if err != nil {
		t.Fatal(err)
	}
	by := authz.ForTask(w.ID, "test")
	items, err := store.Query(t.Context(), by, table.Query{Key: table.Key{Table: table.Data, Kind: "U", Workspace: w.ID, Of: idIn(own(t, w))}, Prefix: "token#"})
	if err != nil || len(items) != 1 {
		t.Fatalf("%d tokens, %v", len(items), err)
	}
	stored, err := token.Decode(items[0])
	if err != nil {
		t.Fatal(err)
	}
	stored.Holds = stored.Holds.Minus(permission.SetOf(permission.ReadGroup)) // that came later
	err = store.Commit(t.Context(), by, table.Change{
		Events: []audit.Event{by.Event(audit.TokenUpdated, shared.Clock.Now()).WithDescription("Of a test.")},
		Ops:    []table.Op{table.Replace(items[0], stored)},
	})
	if err != nil {
		t.Fatal(err)
	}
	refused(t, full.Visitor, "token_scope_not_allowed", "GET", groupsPath, nil)
	copied := want(t, w.Me, http.StatusCreated, "POST", apiTokens+full.id+"/duplicate/", map[string]any{})
	refused(t, clientOf(w, "", field(t, copied, "key")).Visitor, "token_scope_not_allowed", "GET", groupsPath, nil)
}

// TestRegistrationsAreBounded presents registration tokens that are none: they are
// compared with nothing before long, and have their events.
func TestRegistrationsAreBounded(t *testing.T) {
	w := relaxed(t, "register-bounds")
	good := newToken(t, w.Me, map[string]any{"name": "fleet"}).key
	never := ofForm(t, position{form: secret}, good)
	body := func(n int) any {
		return map[string]any{"name": fmt.Sprintf("web-%d", n), "platform": "debian"}
	}
	for n := range 3 {
		want(t, agent(w, good), http.StatusCreated, "POST", registerPath, body(n)) // counts for nothing
	}
	for range 100 {
		refused(t, agent(w, never), "registration_token_invalid", "POST", registerPath, body(9))
	}
	_, before := w.Entries.Recorder.Since(0)
	if a := refused(t, agent(w, never), "too_many_attempts", "POST", registerPath, body(9)); a.Retry() == 0 {
		t.Errorf("%v", a.Header)
	}
	calls, _ := w.Entries.Recorder.Since(before)
	for _, c := range calls {
		if text, _ := json.Marshal(c.Input); c.Operation == "BatchGetItem" && strings.Contains(string(text), `"tokens"`) {
			t.Error("the tokens are read for it")
		}
	}
	elsewhere := w.Entries.Visitor(w.Slug, "198.51.100.90")
	elsewhere.Bearer = good
	want(t, elsewhere, http.StatusCreated, "POST", registerPath, body(4))
	settled(t, w)
}

// TestRoleAssignmentsAreCountedAsListed gives a role to a group that is deleted
// and lists what is left.
func TestRoleAssignmentsAreCountedAsListed(t *testing.T) {
	w := relaxed(t, "role-count")
	mia := made(t, w, "mia", "member", "203.0.113.228")
	role := field(t, want(t, w.Me, http.StatusCreated, "POST", rolesPath, map[string]any{"name": "reader", "permissions": []string{"user:read"}}), "id")
	group := newGroup(t, w.Me, map[string]any{"name": "readers"})
	want(t, w.Me, http.StatusCreated, "POST", assignedPath, map[string]any{"role": role, "group": group})
	want(t, w.Me, http.StatusCreated, "POST", assignedPath, map[string]any{"role": role, "user": mia.idOf()})
	want(t, w.Me, http.StatusNoContent, "DELETE", groupsPath+group+"/", nil)
	if got := paged(t, w.Me, assignedPath+"?role="+role, "id"); len(got) != 1 {
		t.Errorf("%v have the role", got)
	}
	settled(t, w)
}

// TestANarrowerScopeIsTold takes an object out of a role: the log says which, and
// nothing of everywhere.
func TestANarrowerScopeIsTold(t *testing.T) {
	w := relaxed(t, "role-scope")
	const gone = "01900000-0000-7000-8000-00000000000a"
	scoped := func(objects ...string) map[string]any {
		return map[string]any{"name": "narrow", "permissions": []string{"server:read"}, "scope": map[string]any{"objects": objects}}
	}
	role := rolesPath + field(t, want(t, w.Me, http.StatusCreated, "POST", rolesPath, scoped(nobody, gone)), "id") + "/"
	want(t, w.Me, http.StatusOK, "PATCH", role, scoped(nobody))
	events, err := w.Events(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(events, func(e audit.Event) bool { return e.Kind == audit.RoleUpdated })
	if at < 0 || len(events[at].Changes) != 1 {
		t.Fatalf("no one change of the role: %v", at)
	}
	if c := events[at].Changes[0]; c.Path != "scope" || !strings.Contains(c.Before, gone) || strings.Contains(c.Before, nobody) || c.After != "" {
		t.Errorf("the log says %+v", c)
	}
	settled(t, w)
}
