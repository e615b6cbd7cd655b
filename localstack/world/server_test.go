package world_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/audit"
	"paddock/shared/id"
)

const (
	serversPath  = "/api/servers/servers/"
	registerPath = "/api/servers/servers/register/"
	tokensPath   = "/api/servers/registration-tokens/"
	assignPath   = "/api/servers/assignments/"
	notesPath    = "/api/servers/notes/"
)

// A registration is a token with which servers register.
type registration struct{ id, key string }

func newToken(t *testing.T, v *visitor.Visitor, fields map[string]any) registration {
	t.Helper()
	a := want(t, v, http.StatusCreated, "POST", tokensPath, fields)
	return registration{field(t, a, "id"), field(t, a, "key")}
}

// agent is a machine that presents a registration token, or another secret.
func agent(w *world.Walk, key string) *visitor.Visitor {
	v := w.Entries.Visitor(w.Slug, "198.51.100.20")
	v.Bearer = key
	return v
}

// registered makes a server and returns its path.
func registered(t *testing.T, w *world.Walk, key, name string) string {
	t.Helper()
	a := want(t, agent(w, key), http.StatusCreated, "POST", registerPath, map[string]any{"name": name, "platform": "debian"})
	return serversPath + field(t, a, "id") + "/"
}

// idIn returns the id in which a path ends.
func idIn(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	return parts[len(parts)-1]
}

// paged returns the members of a page of results by one of their fields.
func paged(t *testing.T, v *visitor.Visitor, path, name string) []string {
	t.Helper()
	var page struct {
		Count   int
		Results []map[string]any
	}
	if err := json.Unmarshal(want(t, v, http.StatusOK, "GET", path, nil).Body, &page); err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, r := range page.Results {
		text, _ := r[name].(string)
		out = append(out, text)
	}
	if page.Count != len(out) {
		t.Errorf("%s: count %d of %d", path, page.Count, len(out))
	}
	return out
}

// masked is an answer without what names the request.
func masked(a visitor.Answer) string {
	return fmt.Sprint(a.Status, requestID.ReplaceAllString(string(a.Body), `"request_id":""`))
}

var requestID = regexp.MustCompile(`"request_id":"[^"]*"`)

// unknown holds that somebody is told of an object what they are told of
// nothing.
func unknown(t *testing.T, v *visitor.Visitor, method, path string, body any) {
	t.Helper()
	got := want(t, v, http.StatusNotFound, method, path, body)
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if _, err := id.ParseUUID(p); err == nil {
			parts[i] = nobody
		}
	}
	never := want(t, v, http.StatusNotFound, method, strings.Join(parts, "/"), body)
	if masked(got) != masked(never) {
		t.Errorf("%s %s is told apart: %s, %s", method, path, got.Body, never.Body)
	}
	for name := range got.Header {
		if _, ok := never.Header[name]; !ok {
			t.Errorf("%s %s is told apart by the header %s", method, path, name)
		}
	}
}

// TestALifeOfAServer registers a server, opens it to a member, gives it away
// and deletes it, and holds at each step who sees it.
func TestALifeOfAServer(t *testing.T) {
	w := relaxed(t, "server-life")
	mia, olga := prover(t, w, "mia", "member", "203.0.113.41"), made(t, w, "olga", "member", "203.0.113.42")
	group := newGroup(t, w.Me, map[string]any{"name": "web"})
	token := newToken(t, w.Me, map[string]any{"name": "fleet", "allowed_groups": []string{group}})
	if !strings.HasPrefix(token.key, "alprt-") {
		t.Errorf("the key is %q", token.key)
	}
	refused(t, w.Me, "token_name_in_use", "POST", tokensPath, map[string]any{"name": "fleet"})
	refused(t, w.Me, "invalid_value", "POST", tokensPath, map[string]any{"name": "other", "allowed_groups": []string{nobody}})
	refused(t, mia.Visitor, "permission_denied", "GET", tokensPath, nil)
	path := registered(t, w, token.key, "web-01")

	// What is answered is what the command line reads.
	d := want(t, w.Me, http.StatusOK, "GET", path, nil)
	for _, has := range []string{`"name":"web-01"`, `"status":null`, `"is_connected":false`, `"groups":["web"]`, `"platform":"debian"`, `"owner":{"id":"`} {
		if !strings.Contains(string(d.Body), has) {
			t.Errorf("no %s in %s", has, d.Body)
		}
	}
	if got := paged(t, w.Me, serversPath+"?name=web-01", "id"); len(got) != 1 || got[0] != idIn(path) {
		t.Errorf("by name: %v", got)
	}
	if got := paged(t, w.Me, serversPath+"?name=web", "id"); len(got) != 0 {
		t.Errorf("by a part of the name: %v", got)
	}
	for search, n := range map[string]int{"EB-0": 1, "": 1, "db": 0} {
		if got := paged(t, w.Me, serversPath+"?search="+search, "id"); len(got) != n {
			t.Errorf("search for %q finds %v", search, got)
		}
	}

	// A member sees it by the group that the token put it into, and not before.
	unknown(t, mia.Visitor, "GET", path, nil)
	if got := paged(t, mia.Visitor, serversPath, "name"); len(got) != 0 {
		t.Errorf("without assignment one sees %v", got)
	}
	place := join(t, w.Me, group, mia, "member")
	want(t, mia.Visitor, http.StatusOK, "GET", path, nil)
	if got := paged(t, mia.Visitor, serversPath+"?page=1&page_size=100", "name"); !slices.Equal(got, []string{"web-01"}) {
		t.Errorf("with one: %v", got)
	}
	for _, c := range []struct {
		v   *visitor.Visitor
		may string
	}{{mia.Visitor, `"allowed":[]`}, {w.Me, `"allowed":["server:update","server:delete","assignment:read","assignment:create",`}} {
		if d := want(t, c.v, http.StatusOK, "GET", path, nil); !strings.Contains(string(d.Body), c.may) {
			t.Errorf("no %s in %s", c.may, d.Body)
		}
	}
	refused(t, mia.Visitor, "permission_denied", "PATCH", path, map[string]any{"name": "mine"})
	refused(t, mia.Visitor, "permission_denied", "DELETE", path, nil)
	want(t, w.Me, http.StatusNoContent, "DELETE", membersPath+place+"/", nil)
	unknown(t, mia.Visitor, "GET", path, nil)
	unknown(t, mia.Visitor, "PATCH", path, map[string]any{"name": "mine"})
	unknown(t, mia.Visitor, "DELETE", path, nil)
	unknown(t, mia.Visitor, "POST", path+"actions/", map[string]any{"action": "reboot_system"})

	// Managers run it, and do not make themselves its owner.
	manager := func(p person) map[string]any {
		return map[string]any{"managers": []map[string]string{{"id": p.idOf()}}}
	}
	owner := func(p person) map[string]any { return map[string]any{"owner": map[string]string{"id": p.idOf()}} }
	want(t, w.Me, http.StatusOK, "PATCH", path, manager(mia))
	ceiling := decisionOf(t, refused(t, mia.Visitor, "grant_ceiling", "PATCH", path, owner(mia)))
	if a := want(t, mia.Visitor, http.StatusOK, "GET", "/api/iam/decisions/"+ceiling+"/", nil); field(t, a, "object") != idIn(path) || field(t, a, "permission") != "server:delete" {
		t.Errorf("why a manager makes no owner: %s", a.Body)
	}
	want(t, mia.Visitor, http.StatusOK, "PATCH", path, map[string]any{"name": "web-02"})
	refused(t, mia.Visitor, "permission_denied", "DELETE", path, nil)
	want(t, w.Me, http.StatusOK, "PATCH", olga.path, map[string]any{"is_active": false})
	refused(t, w.Me, "invalid_value", "PATCH", path, owner(olga))
	want(t, w.Me, http.StatusOK, "PATCH", olga.path, map[string]any{"is_active": true})
	olga.signIn(t)
	want(t, w.Me, http.StatusOK, "PATCH", path, owner(olga))
	for field, value := range map[string]any{"id": nobody, "platform": "rhel", "is_connected": true, "groups": []string{"x"}, "added_at": shared.Clock.Now().Add(time.Hour)} {
		refused(t, olga.Visitor, "read_only", "PATCH", path, map[string]any{field: value})
	}
	var whole map[string]any
	if err := json.Unmarshal(want(t, olga.Visitor, http.StatusOK, "GET", path, nil).Body, &whole); err != nil {
		t.Fatal(err)
	}
	whole["name"] = "web-03"
	want(t, olga.Visitor, http.StatusOK, "PATCH", path, whole)
	for _, name := range []string{"", "a b", "web.example", "ä", strings.Repeat("x", 65), nobody, strings.ReplaceAll(nobody, "-", ""), "-0190000000007000-8000000000000000"} {
		refused(t, olga.Visitor, "invalid_value", "PATCH", path, map[string]any{"name": name})
	}
	for _, action := range []string{"reboot_system", "restart_agent"} {
		want(t, w.Me, http.StatusOK, "PATCH", "/api/workspaces/security/-/", map[string]any{"mfa_required_actions": []string{}})
		refused(t, olga.Visitor, "server_not_connected", "POST", path+"actions/", map[string]any{"action": action, "force": false})
		want(t, w.Me, http.StatusOK, "PATCH", "/api/workspaces/security/-/", map[string]any{"mfa_required_actions": []string{"server"}})
		refused(t, olga.Visitor, "auth_mfa_required", "POST", path+"actions/", map[string]any{"action": action, "force": false})
	}
	refused(t, olga.Visitor, "invalid_value", "POST", path+"actions/", map[string]any{"action": "rm"})
	want(t, w.Me, http.StatusCreated, "POST", assignPath, map[string]any{"user": mia.idOf(), "server": idIn(path)})
	want(t, w.Me, http.StatusCreated, "POST", notesPath, map[string]any{"server": idIn(path), "content": "to be gone"})
	want(t, olga.Visitor, http.StatusNoContent, "DELETE", path, nil)
	unknown(t, olga.Visitor, "GET", path, nil)
	if got := paged(t, w.Me, assignPath, "id"); len(got) != 0 {
		t.Errorf("assignments of a server that is gone: %v", got)
	}
	if got := paged(t, w.Me, notesPath, "id"); len(got) != 0 {
		t.Errorf("notes on a server that is gone: %v", got)
	}
	if d := want(t, w.Me, http.StatusOK, "GET", groupsPath+group+"/", nil); !strings.Contains(string(d.Body), `"servers":[]`) {
		t.Errorf("the group of a server that is gone: %s", d.Body)
	}
	got := kindsOf(t, w)
	for kind, n := range map[audit.Kind]int{
		audit.ServerTokenCreated: 1, audit.ServerRegistered: 1, audit.ServerUpdated: 4, audit.ServerDeleted: 1, audit.ServerAssigned: 1, audit.GroupUpdated: 1,
	} {
		if got[kind] != n {
			t.Errorf("%d times %s, want %d", got[kind], kind, n)
		}
	}
	settled(t, w)
}

// TestNotes are read by who may read them, and private ones by their author.
func TestNotes(t *testing.T) {
	w := relaxed(t, "notes")
	staff, mia, max := prover(t, w, "sam", "staff", "203.0.113.50"), made(t, w, "mia", "member", "203.0.113.51"), made(t, w, "max", "member", "203.0.113.52")
	token := newToken(t, w.Me, map[string]any{"name": "fleet"})
	web, db := registered(t, w, token.key, "web-1"), registered(t, w, token.key, "db-1")
	want(t, w.Me, http.StatusOK, "PATCH", web, map[string]any{"managers": []map[string]string{{"id": mia.idOf()}}})
	write := func(v *visitor.Visitor, on, content string, private bool) string {
		t.Helper()
		shared.Clock.Set(shared.Clock.Now().Add(time.Second)) // the order is by time
		return notesPath + field(t, want(t, v, http.StatusCreated, "POST", notesPath, map[string]any{"server": idIn(on), "content": content, "private": private, "pinned": false}), "id") + "/"
	}
	open, secret := write(staff.Visitor, web, "disk is full on fridays", false), write(staff.Visitor, web, "only mine", true)
	write(w.Me, db, "of the database", false)
	refused(t, staff.Visitor, "invalid_value", "POST", notesPath, map[string]any{"server": nobody, "content": "x"})
	refused(t, staff.Visitor, "invalid_value", "POST", notesPath, map[string]any{"server": idIn(web), "content": "  "})
	refused(t, mia.Visitor, "permission_denied", "POST", notesPath, map[string]any{"server": idIn(db), "content": "x"})
	refused(t, mia.Visitor, "permission_denied", "POST", notesPath, map[string]any{"server": nobody, "content": "x"})
	refused(t, max.Visitor, "permission_denied", "POST", notesPath, map[string]any{"server": idIn(web), "content": "x"})

	if got := paged(t, staff.Visitor, notesPath+"?ordering=-added_at&page=1&page_size=25", "content"); !slices.Equal(got, []string{"of the database", "only mine", "disk is full on fridays"}) {
		t.Errorf("its author reads %v", got)
	}
	if got := paged(t, mia.Visitor, notesPath, "content"); !slices.Equal(got, []string{"disk is full on fridays"}) {
		t.Errorf("a manager of one server reads %v", got)
	}
	if got := paged(t, max.Visitor, notesPath, "content"); len(got) != 0 {
		t.Errorf("a member reads %v", got)
	}
	unknown(t, max.Visitor, "GET", open, nil)
	for _, v := range []*visitor.Visitor{w.Me, mia.Visitor} {
		unknown(t, v, "GET", secret, nil)
		unknown(t, v, "PATCH", secret, map[string]any{"content": "x"})
		unknown(t, v, "DELETE", secret, nil)
	}
	refused(t, mia.Visitor, "read_only", "PATCH", open, map[string]any{"private": true})
	refused(t, mia.Visitor, "read_only", "PATCH", open, map[string]any{"server": map[string]string{"id": idIn(db)}})
	var whole map[string]any
	if err := json.Unmarshal(want(t, mia.Visitor, http.StatusOK, "GET", open, nil).Body, &whole); err != nil {
		t.Fatal(err)
	}
	whole["pinned"], whole["content"] = true, "disk is full on sundays"
	refused(t, mia.Visitor, "read_only", "PATCH", open, whole)
	want(t, staff.Visitor, http.StatusOK, "PATCH", open, whole)
	if got := paged(t, w.Me, notesPath+"?pinned=true", "content"); !slices.Equal(got, []string{"disk is full on sundays"}) {
		t.Errorf("pinned: %v", got)
	}
	if got := paged(t, w.Me, notesPath+"?server="+idIn(db), "content"); !slices.Equal(got, []string{"of the database"}) {
		t.Errorf("of one server: %v", got)
	}
	refused(t, w.Me, "invalid_value", "GET", notesPath+"?pinned=maybe", nil)
	refused(t, w.Me, "invalid_value", "GET", notesPath+"?ordering=content", nil)
	want(t, mia.Visitor, http.StatusNoContent, "DELETE", open, nil)
	unknown(t, mia.Visitor, "GET", open, nil)
	got := kindsOf(t, w)
	if got[audit.ServerNoteCreated] != 3 || got[audit.ServerNoteUpdated] != 1 || got[audit.ServerNoteDeleted] != 1 {
		t.Errorf("events of notes: %v", got)
	}
	settled(t, w)
}

// TestServersOfAnotherWorkspace asks with one workspace's credentials for what
// another has: it is told what it is told of nothing.
func TestServersOfAnotherWorkspace(t *testing.T) {
	w, foreign := relaxed(t, "servers-own"), relaxed(t, "servers-other")
	token := newToken(t, foreign.Me, map[string]any{"name": "fleet"})
	path := registered(t, foreign, token.key, "web-1")
	note := field(t, want(t, foreign.Me, http.StatusCreated, "POST", notesPath, map[string]any{"server": idIn(path), "content": "theirs"}), "id")
	assignment := field(t, want(t, foreign.Me, http.StatusCreated, "POST", assignPath, map[string]any{"user": idIn(own(t, foreign)), "server": idIn(path)}), "id")
	for _, one := range []struct {
		method, path string
		body         any
	}{
		{"GET", path, nil},
		{"PATCH", path, map[string]any{"name": "x"}},
		{"DELETE", path, nil},
		{"POST", path + "actions/", map[string]any{"action": "reboot_system"}},
		{"DELETE", tokensPath + token.id + "/", nil},
		{"DELETE", assignPath + assignment + "/", nil},
		{"GET", notesPath + note + "/", nil},
		{"PATCH", notesPath + note + "/", map[string]any{"content": "x"}},
		{"DELETE", notesPath + note + "/", nil},
	} {
		unknown(t, w.Me, one.method, one.path, one.body)
	}
	for _, list := range []string{serversPath, serversPath + "?name=web-1", tokensPath, assignPath, assignPath + "?server=" + idIn(path), notesPath, notesPath + "?server=" + idIn(path)} {
		if got := paged(t, w.Me, list, "id"); len(got) != 0 {
			t.Errorf("%s: %v", list, got)
		}
	}
	for _, body := range []map[string]any{{"user": idIn(own(t, w)), "server": idIn(path)}, {"user": idIn(own(t, foreign)), "pattern": "*"}} {
		refused(t, w.Me, "invalid_value", "POST", assignPath, body)
	}
	refused(t, w.Me, "invalid_value", "POST", notesPath, map[string]any{"server": idIn(path), "content": "x"})
	guide := "/api/servers/registration-methods/token-install/guide/?response_type=json"
	refused(t, w.Me, "invalid_value", "POST", guide, map[string]any{"platform": "debian", "registration_token": token.id})
}

// TestGuides name where agents connect, and put nothing into a command that
// was not checked.
func TestGuides(t *testing.T) {
	w := relaxed(t, "guides")
	mia := made(t, w, "mia", "member", "203.0.113.53")
	token := newToken(t, w.Me, map[string]any{"name": "fleet"})
	for _, method := range []string{"token-install", "ansible"} {
		path := "/api/servers/registration-methods/" + method + "/guide/?response_type=json"
		for _, platform := range []string{"debian", "rhel", "darwin", "windows"} {
			a := want(t, w.Me, http.StatusOK, "POST", path, map[string]any{"platform": platform, "server_name": "web-1", "registration_token": token.id})
			if !strings.Contains(field(t, a, "alpacon_url"), "://gw.") || strings.Contains(string(a.Body), token.key) || !strings.Contains(string(a.Body), "web-1") {
				t.Errorf("%s: %s", path, a.Body)
			}
		}
		refused(t, w.Me, "invalid_value", "POST", path, map[string]any{"platform": "plan9"})
		refused(t, w.Me, "invalid_value", "POST", path, map[string]any{"platform": "debian", "server_name": "$(reboot)"})
		refused(t, w.Me, "invalid_value", "POST", path, map[string]any{"platform": "debian", "registration_token": nobody})
		refused(t, mia.Visitor, "permission_denied", "POST", path, map[string]any{"platform": "debian"})
	}
}

// plantServer makes one of each thing that is stored of servers, and returns
// the key of a registration token.
func plantServer(t *testing.T, w *world.Walk, user string) string {
	t.Helper()
	token := newToken(t, w.Me, map[string]any{"name": "planted"})
	path := registered(t, w, token.key, world.ServerName)
	want(t, w.Me, http.StatusCreated, "POST", assignPath, map[string]any{"user": user, "server": idIn(path)})
	want(t, w.Me, http.StatusCreated, "POST", notesPath, map[string]any{"server": idIn(path), "content": world.NoteContent})
	return token.key
}

// TestActionsOfACommandLineAskForAProof holds that a server does nothing for a
// command line whose owner's proof is too old, where the workspace asks for one.
func TestActionsOfACommandLineAskForAProof(t *testing.T) {
	w := relaxed(t, "server-actions")
	path := registered(t, w, newToken(t, w.Me, map[string]any{"name": "fleet"}).key, "web-1") + "actions/"
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, http.StatusOK, "PATCH", security, map[string]any{"mfa_timeout": 60, "cli_login": "browser"})
	reboot := map[string]any{"action": "reboot_system", "force": true}
	l := line(t, w)
	refused(t, l.Visit, "server_not_connected", "POST", path, reboot)
	shared.Clock.Advance(time.Minute)
	refused(t, l.Visit, "auth_mfa_required", "POST", path, reboot)
}

// TestAServerWithMuchOnItIsDeleted holds that bounds are refused by name, and
// that a server at its bounds, and in more groups than one transaction changes,
// is deleted with all that is on it.
func TestAServerWithMuchOnItIsDeleted(t *testing.T) {
	w := relaxed(t, "server-much")
	path := registered(t, w, newToken(t, w.Me, map[string]any{"name": "fleet"}).key, "web-1")
	many := func(n int) (ids []string, refs []map[string]string) {
		for i := range n {
			of := fmt.Sprintf("01900000-0000-7000-8000-%012d", i)
			ids, refs = append(ids, of), append(refs, map[string]string{"id": of})
		}
		return ids, refs
	}
	ids, refs := many(21)
	refused(t, w.Me, "limit_reached", "POST", tokensPath, map[string]any{"name": "wide", "allowed_groups": ids})
	refused(t, w.Me, "limit_reached", "PATCH", path, map[string]any{"managers": refs})
	var group string
	for i := range 130 {
		group = newGroup(t, w.Me, map[string]any{"name": fmt.Sprint("group ", i), "servers": []string{idIn(path)}})
	}
	for range 40 {
		want(t, w.Me, http.StatusCreated, "POST", notesPath, map[string]any{"server": idIn(path), "content": "one of many"})
	}
	refused(t, w.Me, "limit_reached", "POST", notesPath, map[string]any{"server": idIn(path), "content": "one too many"})
	if d := want(t, w.Me, http.StatusOK, "GET", path, nil); strings.Count(string(d.Body), `"group `) != 130 {
		t.Errorf("the groups that open it: %s", d.Body)
	}
	want(t, w.Me, http.StatusNoContent, "DELETE", path, nil)
	want(t, w.Me, http.StatusNotFound, "GET", path, nil)
	if got := paged(t, w.Me, notesPath, "id"); len(got) != 0 {
		t.Errorf("%d notes are left", len(got))
	}
	if d := want(t, w.Me, http.StatusOK, "GET", groupsPath+"?page_size=100", nil); strings.Contains(string(d.Body), idIn(path)) {
		t.Errorf("a group names the server that is gone: %s", d.Body)
	}
	want(t, w.Me, http.StatusOK, "PATCH", groupsPath+group+"/", map[string]any{"description": "without it"})
	settled(t, w)
}

// TestOwnersAreNotDeleted gives what somebody owns to a named person first.
func TestOwnersAreNotDeleted(t *testing.T) {
	w := relaxed(t, "server-owners")
	sam, mia := prover(t, w, "sam", "staff", "203.0.113.211"), made(t, w, "mia", "member", "203.0.113.212")
	server := registered(t, w, newToken(t, sam.Visitor, map[string]any{"name": "fleet"}).key, "web-1")
	refused(t, w.Me, "user_owns_objects", "DELETE", sam.path, nil)
	want(t, w.Me, http.StatusOK, "PATCH", server, map[string]any{"owner": map[string]any{"id": mia.idOf()}})
	want(t, w.Me, http.StatusNoContent, "DELETE", sam.path, nil)
	refused(t, w.Me, "user_owns_objects", "DELETE", mia.path, nil)
	settled(t, w)
}

// TestWhatATokenMakesEndsWithIt makes registration tokens with an API token that
// ends, and with one of full access.
func TestWhatATokenMakesEndsWithIt(t *testing.T) {
	w := relaxed(t, "server-minted")
	end := shared.Clock.Now().Add(time.Hour).Truncate(time.Second)
	holder := func(name string, fields map[string]any) *visitor.Visitor {
		fields["name"] = name
		v := w.Entries.Visitor(w.Slug, "203.0.113.214")
		v.Bearer = field(t, want(t, w.Me, http.StatusCreated, "POST", apiTokens, fields), "key")
		return v
	}
	full := holder("full", map[string]any{})
	refused(t, full, "token_scope_not_allowed", "POST", tokensPath, map[string]any{"name": "x"})
	brief := holder("brief", map[string]any{"scopes": []string{"registration:create"}, "expires_at": end})
	refused(t, brief, "invalid_value", "POST", tokensPath, map[string]any{"name": "endless"})
	refused(t, brief, "invalid_value", "POST", tokensPath, map[string]any{"name": "longer", "expires_at": end.Add(time.Second)})
	want(t, brief, http.StatusCreated, "POST", tokensPath, map[string]any{"name": "as long", "expires_at": end})
	settled(t, w)
}

// TestATokenSeesTheServersOfItsRows needs a row for each server, whatever its
// owner may.
func TestATokenSeesTheServersOfItsRows(t *testing.T) {
	w := relaxed(t, "server-token")
	key := newToken(t, w.Me, map[string]any{"name": "fleet"}).key
	web, db := registered(t, w, key, "web-1"), registered(t, w, key, "db-1")
	made := want(t, w.Me, http.StatusCreated, "POST", apiTokens, scope("fleet", "server:read", "server:update"))
	token := w.Entries.Visitor(w.Slug, "203.0.113.213")
	token.Bearer = field(t, made, "key")
	if names := paged(t, token, serversPath, "name"); len(names) != 0 {
		t.Errorf("without rows it lists %v", names)
	}
	refused(t, token, "api_token_acl_not_allowed", "GET", web, nil)
	refused(t, token, "api_token_acl_not_allowed", "GET", serversPath+nobody+"/", nil)
	want(t, w.Me, http.StatusCreated, "POST", "/api/security/server-acl/", map[string]any{"token": field(t, made, "id"), "server": idIn(web)})
	if names := paged(t, token, serversPath, "name"); len(names) != 1 || names[0] != "web-1" {
		t.Errorf("with a row it lists %v", names)
	}
	want(t, token, http.StatusOK, "GET", web, nil)
	want(t, token, http.StatusOK, "PATCH", web, map[string]any{"name": "web-2"})
	refused(t, token, "api_token_acl_not_allowed", "GET", db, nil)
	refused(t, token, "api_token_acl_not_allowed", "PATCH", db, map[string]any{"name": "db-2"})
	refused(t, token, "token_scope_not_allowed", "DELETE", web, nil)
	settled(t, w)
}
