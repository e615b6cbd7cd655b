package world_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paddock/localstack/visitor"
	"paddock/shared/audit"
	"paddock/shared/credential"
	"paddock/shared/id"
	"paddock/shared/route"
)

// TestServiceTokens goes through the life of a service token: what it is shown
// as, what it opens, and what it never does (security, TK-1, TK-8, TK-12).
func TestServiceTokens(t *testing.T) {
	w := relaxed(t, "service")
	sue, mia := prover(t, w, "sue", "superuser", "203.0.113.230"), made(t, w, "mia", "member", "203.0.113.231")
	app := newApp(t, sue.Visitor, "ci", "user:read", "user:update", "group:write", "audit:read", "role:read")
	tokens := app + "tokens/"
	roleOf(t, sue.Visitor, app, newRole(t, sue.Visitor, "all of it", "user:read", "user:create", "group:create", "group:update", "group:read", "group:delete", "audit:read", "billing:read", "service_token:create", "application:create", "registration:create"))

	bot := service(t, w, sue.Visitor, app, map[string]any{"name": "bot", "expires_at": nil})
	if secret, err := credential.Parse(bot.key); err != nil || !strings.HasPrefix(bot.key, "alpst-") || secret.Principal().String() != idIn(app) {
		t.Errorf("the key is %.6s…, %v", bot.key, err)
	}
	if list := want(t, sue.Visitor, http.StatusOK, "GET", tokens, nil); strings.Contains(string(list.Body), bot.key) || !strings.Contains(string(list.Body), `"last_used_at":null`) {
		t.Errorf("the list is %s", list.Body)
	}
	narrow := service(t, w, sue.Visitor, app, scope("narrow", "user:read")) // two at once
	refused(t, sue.Visitor, "token_name_in_use", "POST", tokens, called("bot"))
	refused(t, sue.Visitor, "token_name_in_use", "PATCH", tokens+narrow.id+"/", called("bot"))
	refused(t, sue.Visitor, "invalid_name", "POST", tokens, called(" bot"))
	refused(t, sue.Visitor, "invalid_value", "POST", tokens, map[string]any{"name": "past", "expires_at": shared.Clock.Now()})
	refused(t, sue.Visitor, "unknown_field", "PATCH", tokens+bot.id+"/", map[string]any{"scopes": []string{}})
	for _, wrong := range []string{"group:delete", "group:owner", "user:create", "server:read", "service_token:create"} {
		refused(t, sue.Visitor, "invalid_scope", "POST", tokens, scope("wide", wrong))
	}
	refused(t, sue.Visitor, "invalid_scope", "POST", tokens, scope("none", "user"))
	want(t, sue.Visitor, http.StatusOK, "PATCH", tokens+narrow.id+"/", called("narrower"))
	for name, n := range map[string]int{"narrower": 1, "narrow": 0} {
		if got := paged(t, sue.Visitor, tokens+"?name="+name, "name"); len(got) != n {
			t.Errorf("named %s: %v", name, got)
		}
	}
	for _, of := range []string{nobody, idIn(app)} {
		refused(t, sue.Visitor, "not_found", "PATCH", tokens+of+"/", map[string]any{})
		refused(t, sue.Visitor, "not_found", "DELETE", tokens+of+"/", nil)
	}

	// Who it is, in both forms of the header and in no cookie.
	bearer := w.Entries.Visitor(w.Slug, "203.0.113.200")
	bearer.Access = narrow.key
	for _, v := range []*visitor.Visitor{narrow.Visitor, bearer} {
		want(t, v, http.StatusOK, "GET", "/api/status/", nil)
		a := want(t, v, http.StatusOK, "GET", "/api/auth/whoami/", nil)
		if text := strings.TrimSpace(string(a.Body)); text != `{"principal_type":"application","auth":{"scopes":["user:read"]},"application":{"id":"`+idIn(app)+`","name":"ci","service_type":"service","username":""}}` {
			t.Errorf("it is %s", text)
		}
	}
	if a := want(t, bot.Visitor, http.StatusOK, "GET", "/api/auth/whoami/", nil); !strings.Contains(string(a.Body), `"scopes":["audit:read","group:write","role:read","user:read","user:update"]`) {
		t.Errorf("it is %s", a.Body)
	}
	refused(t, sue.WithCookie(bot.key), "session_invalid", "GET", "/api/status/", nil)
	refused(t, clientOf(w, "", bot.key[:len(bot.key)-1]+"_").Visitor, "session_invalid", "GET", "/api/status/", nil)
	want(t, bot.Visitor, http.StatusNoContent, "POST", "/api/auth/logout/", nil) // ends nothing

	// Roles and scopes of both: what only one of them holds is not there.
	want(t, bot.Visitor, http.StatusOK, "GET", mia.path, nil)
	group := newGroup(t, bot.Visitor, map[string]any{"name": "by a machine"})
	want(t, bot.Visitor, http.StatusOK, "PATCH", groupsPath+group+"/", map[string]any{"description": "changed"})
	refused(t, bot.Visitor, "token_scope_not_allowed", "DELETE", groupsPath+group+"/", nil)
	refused(t, narrow.Visitor, "token_scope_not_allowed", "GET", groupsPath, nil)
	refused(t, bot.Visitor, "permission_denied", "PATCH", mia.path, map[string]any{"last_name": "x"}) // in the scopes, and in no role
	if got := paged(t, bot.Visitor, rolesPath, "name"); !slices.Equal(got, []string{"admin", "superuser"}) {
		t.Errorf("without a role that reads them it sees %v", got)
	}
	want(t, bot.Visitor, http.StatusOK, "GET", "/api/audit/activity/", nil)

	// Nothing of a person's, nothing that asks for a person, no billing, and no
	// credentials whatever its role says.
	for _, ask := range []string{
		"GET /api/iam/users/-", "GET /api/iam/users/-/", "PATCH /api/iam/users/-/", "GET " + apiTokens, "POST " + apiTokens, "GET " + serverRules, "POST " + commandACL,
		"GET /api/auth/sessions/", "GET /api/auth/mfa/factors/", "POST /api/auth/mfa/factors/", "POST /api/auth/mfa/challenges/", "POST " + change, "POST /api/auth/device/approve/",
		"POST " + explainPath, "GET " + reachPath, "POST /api/iam/username/",
	} {
		method, path, _ := strings.Cut(ask, " ")
		refused(t, bot.Visitor, "token_not_allowed", method, path, map[string]any{})
	}
	for _, ask := range []string{
		"POST " + appsPath, "PATCH " + app, "DELETE " + app, "POST " + app + "roles/", "POST " + tokens, "PATCH " + tokens + bot.id + "/", "POST " + tokens + bot.id + "/rules/",
		"POST /api/iam/users/", "POST /api/workspaces/users/invite/", "POST " + tokensPath, "POST " + rolesPath, "POST " + assignedPath, "DELETE " + mia.path,
	} {
		method, path, _ := strings.Cut(ask, " ")
		refused(t, bot.Visitor, "token_scope_not_allowed", method, path, map[string]any{})
	}
	full := newApp(t, sue.Visitor, "full", "*")
	roleOf(t, sue.Visitor, full, newRole(t, sue.Visitor, "security", "security:update", "security:read"))
	wide := service(t, w, sue.Visitor, full, called("wide"))
	want(t, wide.Visitor, http.StatusOK, "GET", "/api/workspaces/security/-/", nil)
	refused(t, wide.Visitor, "token_step_up_refused", "PATCH", "/api/workspaces/security/-/", map[string]any{"mfa_required": true})
	// Nor does an API token of a person who may.
	minter := tokenOf(t, w, sue.Visitor, scope("minter", "service_token:owner", "application:owner"))
	want(t, minter.Visitor, http.StatusOK, "GET", tokens, nil)
	refused(t, minter.Visitor, "permission_denied", "POST", tokens, called("minted")) // whose scopes are less than the application's roles
	roleless := newApp(t, sue.Visitor, "roleless", "*")
	for _, ask := range []string{"POST tokens/", "PATCH tokens/" + nobody + "/", "POST tokens/" + nobody + "/rules/", "POST roles/", "PATCH ", "DELETE "} {
		method, path, _ := strings.Cut(ask, " ")
		body := map[string]any{}
		if method == "PATCH" {
			body = map[string]any{"enabled": true}
		}
		refused(t, minter.Visitor, "token_step_up_refused", method, roleless+path, body)
	}

	// Nor a session that can hold no proof.
	cli := w.Entries.Visitor(w.Slug, "203.0.113.231")
	cli.Bearer = field(t, want(t, cli, http.StatusOK, "POST", "/api/auth/login/", map[string]string{"username": "mia", "password": mia.word}), "token")
	want(t, sue.Visitor, http.StatusOK, "PATCH", roleless, map[string]any{"owner": mia.idOf()})
	refused(t, cli, "mfa_session_required", "POST", roleless+"tokens/", called("cli"))

	got := kindsOf(t, w)
	for kind, n := range map[audit.Kind]int{audit.ServiceTokenIssued: 3, audit.TokenFirstUsed: 4, audit.TokenUpdated: 1} {
		if got[kind] != n {
			t.Errorf("%d times %s, want %d", got[kind], kind, n)
		}
	}
	events, err := w.Events(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	by := func(kind audit.Kind) func(audit.Event) bool {
		return func(e audit.Event) bool {
			return e.Kind == kind && e.Actor.Type == audit.ServiceTokenActor && e.Actor.ID.String() == idIn(app) && e.Actor.ApplicationID.String() == idIn(app) &&
				e.Actor.TokenID.String() == bot.id && e.Actor.Username == "ci" && e.Actor.OnBehalfOf.Zero() && e.Actor.RoleSetting == ""
		}
	}
	for _, kind := range []audit.Kind{audit.GroupCreated, audit.AccessDenied, audit.TokenFirstUsed, audit.AuthLogout} {
		if !slices.ContainsFunc(events, by(kind)) {
			t.Errorf("no event %s names the application and its token", kind)
		}
	}
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
	settled(t, w)
}

// TestAServiceTokenEnds holds that a token opens nothing at its next request,
// whatever ended it, and that its maker's leaving ends nothing (security, TK-7,
// TK-9, TK-12).
func TestAServiceTokenEnds(t *testing.T) {
	w := relaxed(t, "service-ends")
	sue, sam := prover(t, w, "sue", "superuser", "203.0.113.232"), prover(t, w, "sam", "staff", "203.0.113.233")
	app := newApp(t, sam.Visitor, "app", "user:read", "group:read")
	tokens := app + "tokens/"
	reader := newRole(t, sue.Visitor, "reader", "user:read", "group:read")
	place := roleOf(t, sam.Visitor, app, reader)
	opens := func(a apiToken) { t.Helper(); want(t, a.Visitor, http.StatusOK, "GET", sue.path, nil) }
	ended := func(a apiToken) { t.Helper(); refused(t, a.Visitor, "session_invalid", "GET", sue.path, nil) }

	end := shared.Clock.Now().Add(5 * time.Minute)
	brief := service(t, w, sam.Visitor, app, map[string]any{"name": "brief", "expires_at": end})
	shared.Clock.Set(end.Add(-time.Nanosecond))
	opens(brief)
	shared.Clock.Set(end)
	for range 2 {
		ended(brief)
	}
	if n := kindsOf(t, w)[audit.TokenExpired]; n != 1 {
		t.Errorf("its end is %d times in the log", n)
	}
	refused(t, sam.Visitor, "token_ended", "PATCH", tokens+brief.id+"/", map[string]any{"enabled": true})

	// Rotation: the new one opens before the old one ends.
	old, next := service(t, w, sam.Visitor, app, called("old")), service(t, w, sam.Visitor, app, called("next"))
	opens(old)
	opens(next)
	want(t, sam.Visitor, http.StatusNoContent, "DELETE", tokens+old.id+"/", nil)
	ended(old)
	opens(next)
	want(t, sam.Visitor, http.StatusOK, "PATCH", tokens+next.id+"/", map[string]any{"enabled": false})
	ended(next)
	want(t, sam.Visitor, http.StatusOK, "PATCH", tokens+next.id+"/", map[string]any{"enabled": true})
	opens(next)

	// What the application loses counts at the next request: scope, role, what the
	// role holds, the role itself.
	patch := func(path string, body map[string]any) {
		t.Helper()
		want(t, sue.Visitor, http.StatusOK, "PATCH", path, body)
	}
	patch(app, map[string]any{"scopes": []string{"group:read"}})
	refused(t, next.Visitor, "token_scope_not_allowed", "GET", sue.path, nil)
	patch(app, map[string]any{"scopes": []string{"group:read", "user:read"}})
	opens(next)
	patch(rolesPath+reader+"/", map[string]any{"permissions": []string{"group:read"}})
	want(t, next.Visitor, http.StatusNotFound, "GET", sue.path, nil)
	patch(rolesPath+reader+"/", map[string]any{"permissions": []string{"user:read"}})
	opens(next)
	want(t, sam.Visitor, http.StatusNoContent, "DELETE", place, nil)
	want(t, next.Visitor, http.StatusNotFound, "GET", sue.path, nil)
	roleOf(t, sam.Visitor, app, reader)
	opens(next)
	want(t, sue.Visitor, http.StatusNoContent, "DELETE", rolesPath+reader+"/", nil)
	want(t, next.Visitor, http.StatusNotFound, "GET", sue.path, nil)
	roleOf(t, sam.Visitor, app, newRole(t, sue.Visitor, "reader", "user:read"))
	opens(next)

	// Whoever made it leaves, with all their sessions and their account.
	want(t, sam.Visitor, http.StatusOK, "PATCH", app, map[string]any{"owner": sue.idOf()})
	want(t, sue.Visitor, http.StatusOK, "PATCH", sam.path, map[string]any{"is_active": false})
	opens(next)
	want(t, sue.Visitor, http.StatusNoContent, "DELETE", sam.path, nil)
	opens(next)

	// Disabled: all tokens end, for good.
	too := service(t, w, sue.Visitor, app, called("too"))
	opens(too)
	want(t, sue.Visitor, http.StatusOK, "PATCH", app, map[string]any{"enabled": false})
	ended(next)
	ended(too)
	refused(t, sue.Visitor, "application_disabled", "POST", tokens, called("while it is off"))
	refused(t, sue.Visitor, "token_ended", "PATCH", tokens+too.id+"/", map[string]any{"enabled": true})
	want(t, sue.Visitor, http.StatusOK, "PATCH", app, map[string]any{"enabled": true})
	ended(next)
	if list := want(t, sue.Visitor, http.StatusOK, "GET", tokens+"?name=too", nil); !strings.Contains(string(list.Body), `"ended":true`) || !strings.Contains(string(list.Body), `"enabled":false`) {
		t.Errorf("an ended token is shown as %s", list.Body)
	}
	opens(service(t, w, sue.Visitor, app, called("anew")))

	reasons := rejectedSecrets(t, w)
	for _, reason := range []string{"alpst- expired app", "alpst- revoked app", "alpst- unknown app"} {
		if !slices.ContainsFunc(reasons, func(r string) bool { return strings.HasSuffix(r, reason) }) {
			t.Errorf("no refusal %q among %v", reason, reasons)
		}
	}
	settled(t, w)
}

// TestServiceTokensElsewhere sends a token to another workspace, and asks there
// for what is here.
func TestServiceTokensElsewhere(t *testing.T) {
	w, foreign := relaxed(t, "service-here"), relaxed(t, "service-there")
	app := newApp(t, w.Me, "app", "*")
	bot := service(t, w, w.Me, app, called("bot"))
	there := foreign.Entries.Visitor(foreign.Slug, "203.0.113.236")
	there.Bearer = bot.key
	refused(t, there, "session_invalid", "GET", "/api/status/", nil)
	if got := rejectedSecrets(t, foreign); !slices.Contains(got, "/api/status/ alpst- foreign") {
		t.Errorf("the log there has %v", got)
	}
	want(t, bot.Visitor, http.StatusOK, "GET", "/api/status/", nil)
	for _, ask := range []string{"GET ", "PATCH ", "DELETE ", "GET roles/", "POST roles/", "GET tokens/", "POST tokens/", "PATCH tokens/" + bot.id + "/", "DELETE tokens/" + bot.id + "/", "GET tokens/" + bot.id + "/rules/"} {
		method, path, _ := strings.Cut(ask, " ")
		unknown(t, foreign.Me, method, app+path, map[string]any{})
	}
}

// TestServiceTokensWaitOnceToo sends each guarded row with a service token to warm
// functions: one read before the handler, and one note of its use a minute.
func TestServiceTokensWaitOnceToo(t *testing.T) {
	w := relaxed(t, "service-counts")
	app := newApp(t, w.Me, "app", "*")
	roleOf(t, w.Me, app, newRole(t, w.Me, "reader", "user:read", "server:read", "application:read"))
	bot := service(t, w, w.Me, app, called("bot"))
	want(t, w.Me, http.StatusCreated, "POST", app+"tokens/"+bot.id+"/rules/", map[string]any{"kind": "command", "rules": []map[string]string{{"command": "uptime"}}})
	want(t, bot.Visitor, http.StatusOK, "GET", "/api/status/", nil)                              // notes its use
	refused(t, bot.Visitor, "token_not_allowed", "GET", "/api/auth/sessions/", map[string]any{}) // warms the other function
	r := w.Entries.Recorder
	guardsWaitOnce(t, r, bot.Visitor, idIn(app), func(route.Row) bool { return false })
	shared.Clock.Advance(time.Minute)
	for i, most := range []int{2, 0} { // when it was used, and from where
		before := len(r.Calls())
		want(t, bot.Visitor, http.StatusOK, "GET", "/api/status/", nil)
		if list, _ := written(r, before); len(list) != most {
			t.Errorf("request %d of a minute writes %v", i, list)
		}
	}
}

// TestRefusedServiceTokensTellNothing compares what is answered and done for
// tokens that nothing has: of an application that is there, of one that is
// disabled, of a person and of nobody.
func TestRefusedServiceTokensTellNothing(t *testing.T) {
	w := relaxed(t, "service-silence")
	app, off := newApp(t, w.Me, "app", "*"), newApp(t, w.Me, "off", "*")
	want(t, w.Me, http.StatusOK, "PATCH", off, map[string]any{"enabled": false})
	refused(t, clientOf(w, "", "nothing").Visitor, "session_invalid", "GET", "/api/iam/users/", nil) // warms the function, to refusals too
	r := w.Entries.Recorder
	var first string
	for _, of := range []string{idIn(app), idIn(off), idIn(own(t, w)), nobody} {
		owner, err := id.ParseUUID(of)
		if err != nil {
			t.Fatal(err)
		}
		v := clientOf(w, "", secretOf(t, w, credential.ServiceToken, owner))
		before := len(r.Calls())
		a := send(t, v.Visitor, "GET", "/api/iam/users/", nil)
		var done []string
		for _, c := range r.Calls()[before:] {
			done = append(done, c.Operation)
		}
		list, _ := written(r, before)
		var names []string
		for name := range a.Header {
			names = append(names, name)
		}
		slices.Sort(names)
		got := fmt.Sprint(a.Status, a.Problem(), names, done, list)
		if first == "" {
			first = got
		}
		if got != first || a.Status != http.StatusUnauthorized {
			t.Errorf("of %s: %s, not %s", of, got, first)
		}
	}
	settled(t, w)
}

// TestAServiceTokenIsRevokedWhileItIsUsed lets requests and the disabling of the
// application meet: none that begins after it is served.
func TestAServiceTokenIsRevokedWhileItIsUsed(t *testing.T) {
	w := relaxed(t, "service-race")
	app := newApp(t, w.Me, "app", "*")
	bot := service(t, w, w.Me, app, called("bot"))
	shared.Clock.Advance(time.Minute) // each request notes its use
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				a, err := clientOf(w, bot.id, bot.key).Do(t.Context(), "GET", "/api/status/", nil)
				if err != nil || a.Status != http.StatusOK && a.Problem().Code != "session_invalid" {
					t.Errorf("%d %s, %v", a.Status, a.Body, err)
				}
				shared.Clock.Advance(time.Minute)
			}
		})
	}
	want(t, w.Me, http.StatusOK, "PATCH", app, map[string]any{"enabled": false})
	refused(t, bot.Visitor, "session_invalid", "GET", "/api/status/", nil)
	wg.Wait()
	refused(t, bot.Visitor, "session_invalid", "GET", "/api/status/", nil)
	settled(t, w)
}
