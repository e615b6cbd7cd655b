package world_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/access"
	"paddock/shared/audit"
	"paddock/shared/workspace"
)

const checkPath = "/api/access/check/"

// workOn returns the body of a whole ask of a kind of work.
func workOn(w access.Work, server, user string) map[string]any {
	body := map[string]any{"server": server, "action": w.String()}
	if user != "" {
		body["username"] = user
	}
	switch w {
	case access.Command:
		body["line"] = "PGPASSWORD=" + secretWord + " psql"
	case access.WebFTP:
		body["path"], body["direction"] = "/srv/a", "download"
	case access.Editor:
		body["path"] = "/srv/a"
	case access.Websh, access.DeployShell:
	}
	return body
}

// secretWord stands in command lines, which no event may repeat.
const secretWord = "correct-horse-battery"

// fleetOf makes a server that a group opens to a person, with all that a group
// can give.
func fleetOf(t *testing.T, w *world.Walk, p person) string {
	t.Helper()
	of := idIn(registered(t, w, newToken(t, w.Me, map[string]any{"name": "fleet"}).key, "db-1"))
	group := newGroup(t, w.Me, map[string]any{
		"name": "operators", "servers": []string{of},
		"permissions": map[string]any{"terminal": true, "webftp": true, "deploy_shell": true, "sudo": true},
	})
	join(t, w.Me, group, p, "member")
	return of
}

// TestEachClassOfWorkAsksForAProof holds that a session whose proof is too old
// works as no system account, nor by a Deploy shell as root, in each of the
// classes, that its own account is open, and that a class asks where the
// workspace demands it and nowhere else (security, SU-1 to SU-3).
func TestEachClassOfWorkAsksForAProof(t *testing.T) {
	const timeout = 15 * time.Minute // by default
	w := relaxed(t, "access-classes")
	of := idIn(registered(t, w, newToken(t, w.Me, map[string]any{"name": "fleet"}).key, "db-1"))
	prove := func() {
		t.Helper()
		if err := w.Fresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	settings := func(body map[string]any, path string) { // and the proof is too old
		t.Helper()
		prove()
		want(t, w.Me, http.StatusOK, "PATCH", path, body)
		shared.Clock.Advance(timeout)
	}
	says := func(work access.Work, user, what string) {
		t.Helper()
		if a := want(t, w.Me, http.StatusOK, "POST", checkPath, workOn(work, of, user)); !strings.Contains(string(a.Body), what) {
			t.Errorf("%s as %q: %s, want %s", work, user, a.Body, what)
		}
	}
	asks := func(work access.Work, user string) {
		t.Helper()
		refused(t, w.Me, "auth_mfa_required", "POST", checkPath, workOn(work, of, user))
	}
	settings(map[string]any{"allow_direct_root": true}, "/api/workspaces/access-control/-/")
	for i, work := range access.Works {
		settings(map[string]any{"mfa_required_actions": workspace.MFAActions}, security)
		asks(work, "root")
		if work == access.DeployShell { // runs as root unless it is told
			asks(work, "")
			says(work, "postgres", `"system_account":true,"protected":false`)
		} else {
			says(work, "", `"groupname":"","system_account":false,"protected":false,"verified_until":null`)
			asks(work, "postgres")
		}
		another := access.Works[(i+1)%len(access.Works)]
		settings(map[string]any{"mfa_required_actions": []string{another.String()}}, security)
		says(work, "root", `"username":"root","groupname":"","system_account":true,"protected":false,"verified_until":null`)
		settings(map[string]any{"mfa_required_actions": []string{work.String()}}, security)
		asks(work, "root")
		prove()
		until := shared.Clock.Now().Add(timeout).UTC().Format(time.RFC3339Nano)
		says(work, "root", `"protected":true,"verified_until":"`+until+`"`)
		shared.Clock.Advance(timeout - time.Nanosecond)
		says(work, "root", `"protected":true`)
		shared.Clock.Advance(time.Nanosecond)
		asks(work, "root")
	}
	events, err := w.Events(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	asksFor := map[string]bool{}
	for _, e := range events {
		if e.Kind == audit.StepUpRequired {
			family, _ := e.Field("action_family")
			asksFor[family.Text()] = true
		}
		if strings.Contains(fmt.Sprint(e), secretWord) {
			t.Errorf("an event repeats a command line: %v", e)
		}
	}
	for _, work := range access.Works {
		if !asksFor[work.String()+":create"] {
			t.Errorf("no event names the class %s: %v", work, asksFor)
		}
	}
}

// TestTheGateAsksForEachPermission holds that work takes its permission on the
// server, a system account what sudo takes, and root the workspace's word, each
// at the next request.
func TestTheGateAsksForEachPermission(t *testing.T) {
	w := relaxed(t, "access-gate")
	mia, max := prover(t, w, "mia", "member", "203.0.113.61"), prover(t, w, "max", "member", "203.0.113.62")
	of := fleetOf(t, w, mia)
	operators := paged(t, w.Me, groupsPath+"?name=operators", "id")[0]
	allow := func(on ...string) {
		t.Helper()
		given := map[string]any{"terminal": false, "webftp": false, "deploy_shell": false, "sudo": false}
		for _, name := range on {
			given[name] = true
		}
		want(t, w.Me, http.StatusOK, "PATCH", groupsPath+operators+"/", map[string]any{"permissions": given})
	}
	by := map[access.Work]string{access.Websh: "terminal", access.Command: "terminal", access.WebFTP: "webftp", access.Editor: "webftp", access.DeployShell: "deploy_shell"}
	for _, work := range access.Works {
		allow("sudo")
		refused(t, mia.Visitor, "permission_denied", "POST", checkPath, workOn(work, of, "mia"))
		allow(by[work])
		want(t, mia.Visitor, http.StatusOK, "POST", checkPath, workOn(work, of, "mia"))
		if work == access.DeployShell {
			want(t, mia.Visitor, http.StatusOK, "POST", checkPath, workOn(work, of, ""))
			continue
		}
		refused(t, mia.Visitor, "permission_denied", "POST", checkPath, workOn(work, of, "postgres"))
		allow(by[work], "sudo")
		want(t, mia.Visitor, http.StatusOK, "POST", checkPath, workOn(work, of, "postgres"))
		refused(t, mia.Visitor, "direct_root_not_allowed", "POST", checkPath, workOn(work, of, "root"))
		// Who sees no server is told the same of it as of none.
		there, never := refused(t, max.Visitor, "permission_denied", "POST", checkPath, workOn(work, of, "max")), refused(t, max.Visitor, "permission_denied", "POST", checkPath, workOn(work, nobody, "max"))
		if named.ReplaceAllString(string(there.Body), "") != named.ReplaceAllString(string(never.Body), "") {
			t.Errorf("%s: a server that one does not see is told apart: %s, %s", work, there.Body, never.Body)
		}
	}
	want(t, w.Me, http.StatusOK, "PATCH", "/api/workspaces/access-control/-/", map[string]any{"allow_direct_root": true})
	allow("terminal", "webftp", "sudo")
	want(t, mia.Visitor, http.StatusOK, "POST", checkPath, workOn(access.WebFTP, of, "root"))

	good := workOn(access.Command, of, "")
	for _, c := range []struct {
		code, field string
		value       any
	}{
		{"invalid_value", "action", "ssh"},
		{"invalid_value", "username", "a b"},
		{"invalid_value", "line", ""},
		{"invalid_value", "path", "/etc"},
		{"invalid_value", "direction", "upload"},
		{"unknown_field", "port", 22},
	} {
		body := maps.Clone(good)
		body[c.field] = c.value
		if a := refused(t, mia.Visitor, c.code, "POST", checkPath, body); a.Problem().Source != c.field {
			t.Errorf("%s is refused at %q", c.field, a.Problem().Source)
		}
	}
	roles := newRole(t, w.Me, "everywhere", "websh:create")
	want(t, w.Me, http.StatusCreated, "POST", assignedPath, map[string]any{"role": roles, "user": max.idOf()})
	if a := refused(t, max.Visitor, "invalid_value", "POST", checkPath, workOn(access.Websh, nobody, "")); a.Problem().Source != "server" {
		t.Errorf("a server that is not there is refused at %q", a.Problem().Source)
	}
}

// TestTheGateAsksForTheRulesOfTokens holds that a token works as the accounts,
// and does what, its rules name, and that only scopes that name the work stand
// for a fresh proof (security, SU-5, TK-2).
func TestTheGateAsksForTheRulesOfTokens(t *testing.T) {
	w := relaxed(t, "access-tokens")
	mia := prover(t, w, "mia", "member", "203.0.113.63")
	of := fleetOf(t, w, mia)
	want(t, w.Me, http.StatusOK, "PATCH", "/api/workspaces/access-control/-/", map[string]any{"allow_direct_root": true})
	outside := func(k *visitor.Visitor, work access.Work, user string) {
		t.Helper()
		refused(t, k, "api_token_acl_not_allowed", "POST", checkPath, workOn(work, of, user))
	}
	open := func(k *visitor.Visitor, work access.Work, user string) {
		t.Helper()
		want(t, k, http.StatusOK, "POST", checkPath, workOn(work, of, user))
	}
	ruled := func(path string, body map[string]any) {
		t.Helper()
		want(t, mia.Visitor, http.StatusCreated, "POST", path, body)
	}
	other := idIn(registered(t, w, newToken(t, w.Me, map[string]any{"name": "elsewhere"}).key, "db-2"))
	naming := tokenOf(t, w, mia.Visitor, map[string]any{"name": "named", "scopes": []string{"websh:create", "webftp:create", "command:create", "editor:create", "deploy_shell:create", "sudo:access"}})
	whole := tokenOf(t, w, mia.Visitor, map[string]any{"name": "whole"})
	narrow := tokenOf(t, w, mia.Visitor, map[string]any{"name": "narrow", "scopes": []string{"command:create"}})
	for _, k := range []apiToken{naming, whole, narrow} {
		outside(k.Visitor, access.Command, "") // no server row
		ruled(serverRules, map[string]any{"token": k.id, "server": of})
		outside(k.Visitor, access.Command, "")
		ruled(commandACL, map[string]any{"token": k.id, "command": "PGPASSWORD=* psql"})
		open(k.Visitor, access.Command, "")
	}
	outside(naming.Visitor, access.Command, "mia2")
	refused(t, narrow.Visitor, "token_scope_not_allowed", "POST", checkPath, workOn(access.Command, of, "mia2"))
	refused(t, narrow.Visitor, "token_scope_not_allowed", "POST", checkPath, workOn(access.Websh, of, ""))
	for _, k := range []apiToken{naming, whole} {
		outside(k.Visitor, access.Websh, "")
		outside(k.Visitor, access.DeployShell, "")
		outside(k.Visitor, access.WebFTP, "")
		ruled(commandACL, map[string]any{"token": k.id, "command": "*"})
		open(k.Visitor, access.Websh, "")
		outside(k.Visitor, access.Websh, "root")
		ruled(commandACL, map[string]any{"token": k.id, "command": "*", "username": "root"})
		ruled(fileACL, map[string]any{"token": k.id, "path": "/srv/**", "action": "download"})
		open(k.Visitor, access.WebFTP, "")
		outside(k.Visitor, access.Editor, "")
		ruled(fileACL, map[string]any{"token": k.id, "path": "/srv/**", "action": "*", "username": "root"})
	}
	for _, work := range access.Works {
		open(naming.Visitor, work, "root")
		refused(t, whole.Visitor, "token_step_up_refused", "POST", checkPath, workOn(work, of, "root"))
	}
	// Full access beside a scope that names the work does not name sudo, and the
	// levels of a resource do name what they hold.
	mixed := tokenOf(t, w, mia.Visitor, map[string]any{"name": "mixed", "scopes": []string{"*", "websh:create"}})
	levels := tokenOf(t, w, mia.Visitor, map[string]any{"name": "levels", "scopes": []string{"websh:write", "sudo:write"}})
	for _, k := range []apiToken{mixed, levels} {
		ruled(serverRules, map[string]any{"token": k.id, "server": of})
		ruled(commandACL, map[string]any{"token": k.id, "command": "*", "username": "root"})
	}
	refused(t, mixed.Visitor, "token_step_up_refused", "POST", checkPath, workOn(access.Websh, of, "root"))
	open(levels.Visitor, access.Websh, "root")
	// There and never there are told alike, whatever is missing.
	for _, k := range []*visitor.Visitor{naming.Visitor, whole.Visitor, narrow.Visitor} {
		for _, work := range access.Works {
			for _, user := range []string{"", "root"} {
				a, b := send(t, k, "POST", checkPath, workOn(work, other, user)), send(t, k, "POST", checkPath, workOn(work, nobody, user))
				if a.Status != b.Status || a.Status == http.StatusOK || named.ReplaceAllString(string(a.Body), "") != named.ReplaceAllString(string(b.Body), "") {
					t.Errorf("%s as %q: %s is told apart from %s", work, user, a.Body, b.Body)
				}
			}
		}
	}
	events, err := w.Events(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, e := range events {
		if e.Kind == audit.ACLDenied {
			kind, _ := e.Field("kind")
			kinds[kind.Text()] = true
		}
		if object, _ := e.Field("object"); e.Kind == audit.AccessDenied && e.HTTP.Route == checkPath && object.Text() == "" {
			t.Errorf("a refusal names no server: %v", e)
		}
		if strings.Contains(fmt.Sprint(e), secretWord) {
			t.Errorf("an event repeats a command line: %v", e)
		}
	}
	for _, kind := range []string{"server", "command", "file"} {
		if !kinds[kind] {
			t.Errorf("the log tells of no ask outside the %s rules", kind)
		}
	}
}

// TestAnApplicationHasNoAccountOfItsOwn holds that the name of an application is
// no account on servers, not even where it is spelled like one.
func TestAnApplicationHasNoAccountOfItsOwn(t *testing.T) {
	w := relaxed(t, "access-application")
	of := idIn(registered(t, w, newToken(t, w.Me, map[string]any{"name": "fleet"}).key, "db-1"))
	app := newApp(t, w.Me, "root", "websh:create", "command:create")
	roleOf(t, w.Me, app, newRole(t, w.Me, "operator", "websh:create", "command:create"))
	bot := service(t, w, w.Me, app, called("bot"))
	want(t, w.Me, http.StatusCreated, "POST", app+"tokens/"+bot.id+"/rules/", map[string]any{"kind": "server", "rules": []map[string]any{{"server": of}}})
	want(t, w.Me, http.StatusCreated, "POST", app+"tokens/"+bot.id+"/rules/", map[string]any{"kind": "command", "rules": []map[string]any{{"command": "*"}, {"command": "*", "username": "root"}}})
	for _, work := range []access.Work{access.Websh, access.Command} {
		refused(t, bot.Visitor, "username_missing", "POST", checkPath, workOn(work, of, ""))
		refused(t, bot.Visitor, "token_scope_not_allowed", "POST", checkPath, workOn(work, of, "root"))
	}
	want(t, w.Me, http.StatusOK, "PATCH", app, map[string]any{"scopes": []string{"websh:create", "command:create", "sudo:access"}})
	bot = service(t, w, w.Me, app, called("second"))
	want(t, w.Me, http.StatusCreated, "POST", app+"tokens/"+bot.id+"/rules/", map[string]any{"kind": "server", "rules": []map[string]any{{"server": of}}})
	refused(t, bot.Visitor, "permission_denied", "POST", checkPath, workOn(access.Websh, of, "root"))
}

// TestWhatCanHoldNoProofOpensNoClass holds that a command line's password session
// neither works as a system account nor makes a token that does: what stands for
// a proof was made with one (security, SU-2, SU-5).
func TestWhatCanHoldNoProofOpensNoClass(t *testing.T) {
	w := relaxed(t, "access-proofless")
	mia := made(t, w, "mia", "member", "203.0.113.64") // without a second factor
	of := fleetOf(t, w, mia)
	line := w.Entries.Visitor(w.Slug, "203.0.113.64")
	line.Bearer = field(t, want(t, line, http.StatusOK, "POST", "/api/auth/login/", map[string]string{"username": mia.email, "password": mia.word}), "token")
	want(t, line, http.StatusOK, "POST", checkPath, workOn(access.Websh, of, ""))
	refused(t, line, "mfa_session_required", "POST", checkPath, workOn(access.Websh, of, "postgres"))
	k := tokenOf(t, w, line, map[string]any{"name": "minted", "scopes": []string{"websh:create", "sudo:access"}})
	want(t, line, http.StatusCreated, "POST", serverRules, map[string]any{"token": k.id, "server": of})
	for _, user := range []string{"", "postgres"} {
		want(t, line, http.StatusCreated, "POST", commandACL, map[string]any{"token": k.id, "command": "*", "username": user})
	}
	want(t, k.Visitor, http.StatusOK, "POST", checkPath, workOn(access.Websh, of, ""))
	refused(t, k.Visitor, "token_step_up_refused", "POST", checkPath, workOn(access.Websh, of, "postgres"))
	proved := mia.enrolled(t)
	refused(t, k.Visitor, "token_step_up_refused", "POST", checkPath, workOn(access.Websh, of, "postgres"))
	copied := want(t, proved.Visitor, http.StatusCreated, "POST", apiTokens+k.id+"/duplicate/", map[string]any{})
	want(t, clientOf(w, field(t, copied, "id"), field(t, copied, "key")).Visitor, http.StatusOK, "POST", checkPath, workOn(access.Websh, of, "postgres"))

	// A server does for a token what its scopes name, and nothing for full access.
	reboot := map[string]any{"action": "reboot_system"}
	path := serversPath + of + "/actions/"
	sue := prover(t, w, "sue", "superuser", "203.0.113.65")
	for code, scopes := range map[string][]string{"server_not_connected": {"server:operate"}, "token_step_up_refused": {"*"}} {
		k := tokenOf(t, w, sue.Visitor, scope(code, scopes...))
		want(t, sue.Visitor, http.StatusCreated, "POST", serverRules, map[string]any{"token": k.id, "server": of})
		refused(t, k.Visitor, code, "POST", path, reboot)
	}
}
