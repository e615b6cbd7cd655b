package world_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/policy"
	"paddock/shared/table"
)

const (
	apiTokens   = "/api/auth/tokens/"
	serverRules = "/api/security/server-acl/"
	commandACL  = "/api/security/command-acl/"
	fileACL     = "/api/security/file-acl/"
)

// An apiToken is a token with a client that sends it as the command line does.
type apiToken struct {
	*visitor.Visitor

	id, key string
}

// tokenOf makes a token of somebody.
func tokenOf(t *testing.T, w *world.Walk, v *visitor.Visitor, fields map[string]any) apiToken {
	t.Helper()
	a := want(t, v, http.StatusCreated, "POST", apiTokens, fields)
	return clientOf(w, field(t, a, "id"), field(t, a, "key"))
}

func clientOf(w *world.Walk, id, key string) apiToken {
	v := w.Entries.Visitor(w.Slug, "203.0.113.200")
	v.Bearer = key
	return apiToken{Visitor: v, id: id, key: key}
}

// scope is the body of a token with these scopes.
func scope(name string, scopes ...string) map[string]any {
	return map[string]any{"name": name, "scopes": scopes}
}

// prover makes somebody who can give a fresh proof.
func prover(t *testing.T, w *world.Walk, name, role, address string) person {
	t.Helper()
	return made(t, w, name, role, address).enrolled(t)
}

// placeServers puts servers into the policy of a walk's workspace.
func placeServers(t *testing.T, w *world.Walk, all ...authz.Server) {
	t.Helper()
	store, err := shared.Store()
	if err != nil {
		t.Fatal(err)
	}
	policies, err := policy.New(store)
	if err != nil {
		t.Fatal(err)
	}
	by := authz.ForTask(w.ID, "test")
	err = policies.Change(t.Context(), by, func(e *policy.Edit) (table.Change, error) {
		for _, s := range all {
			e.PutServer(s)
		}
		return table.Change{Events: []audit.Event{by.Event(audit.ServerUpdated, shared.Clock.Now()).WithDescription("Servers for a test.")}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestATokenOpensWhatItsScopesSay goes through the life of a token: what it is
// shown as, what it opens, and what it never does (security, TK-1, TK-8, TK-12).
func TestATokenOpensWhatItsScopesSay(t *testing.T) {
	w := relaxed(t, "token-life")
	staff := prover(t, w, "sam", "staff", "203.0.113.201")
	mia := made(t, w, "mia", "member", "203.0.113.202")
	bot := tokenOf(t, w, staff.Visitor, map[string]any{"name": "bot", "scopes": []string{"user:read", "group:write", "user:read"}, "expires_at": nil})
	if !strings.HasPrefix(bot.key, "alpat-") {
		t.Errorf("the key is %.6s…", bot.key)
	}
	list := want(t, staff.Visitor, http.StatusOK, "GET", apiTokens+"?page=1&page_size=100", nil)
	if text := string(list.Body); strings.Contains(text, bot.key) || !strings.Contains(text, `"scopes":["group:write","user:read"]`) || !strings.Contains(text, `"last_used_at":null`) {
		t.Errorf("the list is %s", text)
	}
	for name, n := range map[string]int{"bot": 1, "bo": 0} {
		if a := want(t, staff.Visitor, http.StatusOK, "GET", apiTokens+"?name="+name, nil); !strings.Contains(string(a.Body), fmt.Sprintf(`"count":%d`, n)) {
			t.Errorf("named %s: %s", name, a.Body)
		}
	}
	refused(t, staff.Visitor, "token_name_in_use", "POST", apiTokens, scope("bot", "user:read"))
	for _, wrong := range []string{"user", "user:*", "*:*", "User:read", "user:read ", "account:own", "audit:own", "user:promote", "role:create", "role_assignment:create", "billing:update", "workspace:delete", "account:owner"} {
		refused(t, staff.Visitor, "invalid_scope", "POST", apiTokens, scope("wrong", wrong))
	}
	refused(t, staff.Visitor, "invalid_value", "POST", apiTokens, map[string]any{"name": "past", "scopes": []string{"user:read"}, "expires_at": shared.Clock.Now()})

	// What tells who it is, each token opens; as both forms of the header.
	for _, path := range []string{"/api/status/", "/api/auth/whoami/", "/api/iam/users/-", "/api/iam/users/-/"} {
		want(t, bot.Visitor, http.StatusOK, "GET", path, nil)
	}
	bearer := w.Entries.Visitor(w.Slug, "203.0.113.200")
	bearer.Access = bot.key
	if a := want(t, bearer, http.StatusOK, "GET", "/api/auth/whoami/", nil); !strings.Contains(string(a.Body), `"scopes":["group:write","user:read"]`) {
		t.Errorf("it is %s", a.Body)
	}
	refused(t, staff.WithCookie(bot.key), "session_invalid", "GET", "/api/status/", nil)
	refused(t, clientOf(w, "", bot.key[:len(bot.key)-1]+"_").Visitor, "session_invalid", "GET", "/api/status/", nil)

	want(t, bot.Visitor, http.StatusNoContent, "POST", "/api/auth/logout/", nil) // ends no token

	// Scopes, each with what its owner may.
	want(t, bot.Visitor, http.StatusOK, "GET", "/api/iam/users/", nil)
	group := newGroup(t, bot.Visitor, map[string]any{"name": "by a bot"})
	want(t, bot.Visitor, http.StatusOK, "PATCH", groupsPath+group+"/", map[string]any{"description": "changed"})
	refused(t, bot.Visitor, "token_scope_not_allowed", "DELETE", groupsPath+group+"/", nil)
	refused(t, bot.Visitor, "token_scope_not_allowed", "DELETE", groupsPath+nobody+"/", nil)
	refused(t, bot.Visitor, "token_scope_not_allowed", "POST", membersPath, map[string]any{"group": group, "user": mia.idOf(), "role": "member"})
	refused(t, bot.Visitor, "token_scope_not_allowed", "GET", "/api/audit/activity/", nil)
	refused(t, bot.Visitor, "token_scope_not_allowed", "PATCH", mia.path, map[string]any{"last_name": "x"})

	// Nothing of one's own account, and nothing that asks for a proof.
	full := tokenOf(t, w, staff.Visitor, map[string]any{"name": "full"})
	for _, ask := range []string{
		"GET " + apiTokens, "POST " + apiTokens, "GET " + apiTokens + "scopes/", "PATCH " + apiTokens + bot.id + "/", "DELETE " + apiTokens + bot.id + "/", "POST " + apiTokens + bot.id + "/duplicate/",
		"GET " + serverRules, "POST " + serverRules, "POST " + commandACL, "POST " + fileACL, "POST " + serverRules + "bulk/",
		"GET /api/auth/sessions/", "POST /api/auth/sessions/end-all/", "GET /api/auth/mfa/factors/", "POST /api/auth/mfa/factors/", "POST /api/auth/mfa/challenges/", "POST /api/auth/mfa/recovery-codes/",
		"POST " + change, "PATCH /api/iam/users/-/", "POST /api/iam/username/", "POST /api/auth/device/approve/",
		"POST " + mia.path + "mfa/reset/", "POST /api/workspaces/security/-/preview/",
	} {
		method, path, _ := strings.Cut(ask, " ")
		refused(t, full.Visitor, "token_not_allowed", method, path, map[string]any{})
	}
	refused(t, full.Visitor, "token_step_up_refused", "DELETE", mia.path, nil)
	refused(t, full.Visitor, "token_step_up_refused", "DELETE", mia.path+"tokens/"+bot.id+"/", nil)
	refused(t, full.Visitor, "token_step_up_refused", "PATCH", mia.path, map[string]any{"is_active": false})
	refused(t, full.Visitor, "token_step_up_refused", "PATCH", mia.path, map[string]any{"email": "other@people.example"})

	got := kindsOf(t, w)
	if got[audit.TokenCreated] != 2 || got[audit.TokenFirstUsed] != 2 {
		t.Errorf("%d tokens made by the log, %d used", got[audit.TokenCreated], got[audit.TokenFirstUsed])
	}
	events, err := w.Events(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	byToken := func(e audit.Event) bool {
		return e.Kind == audit.GroupCreated && e.Actor.Type == audit.APITokenActor && e.Actor.TokenID.String() == bot.id && e.Actor.OnBehalfOf.String() == staff.idOf()
	}
	if !slices.ContainsFunc(events, byToken) {
		t.Error("no event names the token that made the group")
	}
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
	var every struct {
		Resources []struct {
			Name    string
			Actions []string
		}
	}
	if err := want(t, staff.Visitor, http.StatusOK, "GET", apiTokens+"scopes/", nil).Decode(http.StatusOK, &every); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range every.Resources {
		for _, a := range r.Actions {
			all = append(all, r.Name+":"+a)
		}
	}
	want(t, tokenOf(t, w, staff.Visitor, map[string]any{"name": strings.Repeat("ü", 100), "scopes": all}).Visitor, http.StatusOK, "GET", "/api/iam/users/", nil)
	settled(t, w)
}

// TestFullAccessIsAnExplicitAct asks for a fresh proof of a person, and holds no
// power to make credentials (security, TK-1, TK-10).
func TestFullAccessIsAnExplicitAct(t *testing.T) {
	w := relaxed(t, "token-full")
	staff := prover(t, w, "sam", "staff", "203.0.113.203")
	mia := made(t, w, "mia", "member", "203.0.113.204") // she has no factor
	cli := w.Entries.Visitor(w.Slug, "203.0.113.204")
	cli.Bearer = field(t, want(t, cli, http.StatusOK, "POST", "/api/auth/login/", map[string]string{"username": "mia", "password": mia.word}), "token")
	for _, wide := range []any{nil, []string{}, []string{"*"}, []string{"user:read", "*"}, []string{"service_token:create"}, []string{"application:write"}} {
		body := map[string]any{"name": "wide", "scopes": wide}
		refused(t, mia.Visitor, "auth_mfa_required", "POST", apiTokens, body)
		refused(t, cli, "mfa_session_required", "POST", apiTokens, body)
	}
	refused(t, mia.Visitor, "auth_mfa_required", "POST", apiTokens, scope("narrow", "user:read"))
	narrow := tokenOf(t, w, cli, scope("narrow", "user:read"))
	want(t, cli, http.StatusCreated, "POST", apiTokens+narrow.id+"/duplicate/", nil)
	full := tokenOf(t, w, staff.Visitor, map[string]any{"name": "full", "scopes": nil})
	if a := want(t, full.Visitor, http.StatusOK, "GET", "/api/auth/whoami/", nil); !strings.Contains(string(a.Body), `"scopes":["*"]`) {
		t.Errorf("full access is shown as %s", a.Body)
	}
	shared.Clock.Advance(20 * time.Minute)
	refused(t, staff.Visitor, "auth_mfa_required", "POST", apiTokens, map[string]any{"name": "later"})
	refused(t, staff.Visitor, "auth_mfa_required", "POST", apiTokens+full.id+"/duplicate/", map[string]any{})
	want(t, staff.Visitor, http.StatusOK, "PATCH", apiTokens+full.id+"/", map[string]any{"enabled": false})
	refused(t, staff.Visitor, "auth_mfa_required", "PATCH", apiTokens+full.id+"/", map[string]any{"enabled": true})
	refused(t, staff.Visitor, "unknown_field", "PATCH", apiTokens+full.id+"/", map[string]any{"scopes": []string{}})
	settled(t, w)
}

// TestATokenEnds holds that a token is refused at its next request whatever
// ended it, and at the instant of its end (security, TK-7, TK-9).
func TestATokenEnds(t *testing.T) {
	w := relaxed(t, "token-ends")
	staff := prover(t, w, "sam", "staff", "203.0.113.205")
	chief := prover(t, w, "sue", "superuser", "203.0.113.206")
	end := shared.Clock.Now().Add(5 * time.Minute)
	brief := tokenOf(t, w, staff.Visitor, map[string]any{"name": "brief", "scopes": []string{"user:read"}, "expires_at": end})
	shared.Clock.Set(end.Add(-time.Nanosecond))
	want(t, brief.Visitor, http.StatusOK, "GET", "/api/iam/users/", nil)
	shared.Clock.Set(end)
	for range 2 {
		refused(t, brief.Visitor, "session_invalid", "GET", "/api/iam/users/", nil)
	}
	if n := kindsOf(t, w)[audit.TokenExpired]; n != 1 {
		t.Errorf("its end is %d times in the log", n)
	}
	refused(t, staff.Visitor, "token_ended", "PATCH", apiTokens+brief.id+"/", map[string]any{"enabled": true})
	refused(t, staff.Visitor, "invalid_value", "POST", apiTokens+brief.id+"/duplicate/", map[string]any{})

	opens := func(a apiToken) { t.Helper(); want(t, a.Visitor, http.StatusOK, "GET", "/api/status/", nil) }
	ended := func(a apiToken) { t.Helper(); refused(t, a.Visitor, "session_invalid", "GET", "/api/status/", nil) }
	one := tokenOf(t, w, staff.Visitor, scope("one", "user:read", "group:read"))
	opens(one)
	want(t, staff.Visitor, http.StatusOK, "PATCH", apiTokens+one.id+"/", map[string]any{"enabled": false})
	ended(one)
	want(t, staff.Visitor, http.StatusOK, "PATCH", apiTokens+one.id+"/", map[string]any{"enabled": true, "name": "renamed"})
	opens(one)

	// An administrator blocks; its owner does not lift that.
	path := staff.path + "tokens/" + one.id + "/"
	if a := want(t, chief.Visitor, http.StatusOK, "GET", staff.path+"tokens/", nil); !strings.Contains(string(a.Body), `"name":"renamed"`) || !strings.Contains(string(a.Body), `"count":2`) {
		t.Errorf("an administrator sees %s", a.Body)
	}
	want(t, chief.Visitor, http.StatusOK, "PATCH", path, map[string]any{"enabled": false})
	ended(one)
	refused(t, staff.Visitor, "token_blocked", "PATCH", apiTokens+one.id+"/", map[string]any{"enabled": true})
	want(t, chief.Visitor, http.StatusOK, "PATCH", path, map[string]any{"enabled": true})
	opens(one)
	// Nobody touches the tokens of who may more, or sees those of others.
	hers := tokenOf(t, w, chief.Visitor, scope("hers", "user:read"))
	refused(t, staff.Visitor, "permission_denied", "PATCH", chief.path+"tokens/"+hers.id+"/", map[string]any{"enabled": false})
	refused(t, staff.Visitor, "permission_denied", "DELETE", chief.path+"tokens/"+hers.id+"/", nil)
	for _, c := range []string{"PATCH " + apiTokens + hers.id + "/", "DELETE " + apiTokens + hers.id + "/", "POST " + apiTokens + hers.id + "/duplicate/", "PATCH " + apiTokens + nobody + "/"} {
		method, path, _ := strings.Cut(c, " ")
		refused(t, staff.Visitor, "not_found", method, path, map[string]any{})
	}

	// What its owner loses, it loses: a role, and everything.
	want(t, one.Visitor, http.StatusOK, "GET", groupsPath, nil)
	group := newGroup(t, chief.Visitor, map[string]any{"name": "theirs"})
	place := join(t, chief.Visitor, group, staff, "member")
	reader := tokenOf(t, w, staff.Visitor, scope("reader", "group:read"))
	want(t, reader.Visitor, http.StatusOK, "GET", groupsPath+group+"/", nil)
	want(t, chief.Visitor, http.StatusOK, "PATCH", staff.path, map[string]any{"is_staff": false})
	ended(reader) // the account signs in anew, and so do its tokens
	staff.signIn(t)
	want(t, chief.Visitor, http.StatusNoContent, "DELETE", staff.path+"tokens/"+one.id+"/", nil)
	want(t, chief.Visitor, http.StatusNoContent, "DELETE", membersPath+place+"/", nil)

	again := tokenOf(t, w, chief.Visitor, scope("again", "user:read"))
	opens(again)
	want(t, chief.Visitor, http.StatusNoContent, "DELETE", apiTokens+again.id+"/", nil)
	ended(again)
	want(t, chief.Visitor, http.StatusNoContent, "POST", "/api/auth/sessions/end-all/", nil)
	ended(hers)

	reasons := rejectedSecrets(t, w)
	for _, reason := range []string{"alpat- expired sam", "alpat- revoked sam", "alpat- revoked sue", "alpat- unknown sue"} {
		if !slices.ContainsFunc(reasons, func(r string) bool { return strings.HasSuffix(r, reason) }) {
			t.Errorf("no refusal %q among %v", reason, reasons)
		}
	}
	settled(t, w)
}

// TestAMembersTokenFollowsTheirGroups takes somebody out of a group between two
// requests of their token, and disables and deletes them (security, TK-7).
func TestAMembersTokenFollowsTheirGroups(t *testing.T) {
	w := relaxed(t, "token-groups")
	mia := prover(t, w, "mia", "member", "203.0.113.207")
	group := newGroup(t, w.Me, map[string]any{"name": "hers"})
	place := join(t, w.Me, group, mia, "owner")
	bot := tokenOf(t, w, mia.Visitor, scope("bot", "group:read", "membership:owner"))
	reader := tokenOf(t, w, mia.Visitor, scope("reader", "audit:read", "user:owner"))
	want(t, reader.Visitor, http.StatusOK, "GET", "/api/audit/activity/", nil) // her own, as she reads herself
	refused(t, reader.Visitor, "permission_denied", "GET", "/api/audit/activity/?user="+me(t, w), nil)
	if a := want(t, reader.Visitor, http.StatusOK, "GET", "/api/iam/users/", nil); !strings.Contains(string(a.Body), `"count":1,`) {
		t.Errorf("she sees others by a token: %s", a.Body)
	}
	want(t, reader.Visitor, http.StatusNotFound, "GET", "/api/iam/users/"+me(t, w)+"/", nil)
	refused(t, reader.Visitor, "permission_denied", "POST", "/api/iam/users/", map[string]any{"username": "x", "email": "x@people.example"})
	want(t, bot.Visitor, http.StatusOK, "GET", groupsPath+group+"/", nil)
	refused(t, bot.Visitor, "token_scope_not_allowed", "PATCH", groupsPath+group+"/", map[string]any{"description": "x"})
	// It hands out no more than it holds: an owner of the group may change it.
	max := made(t, w, "max", "member", "203.0.113.208")
	refused(t, bot.Visitor, "grant_ceiling", "POST", membersPath, map[string]any{"group": group, "user": max.idOf(), "role": "owner"})
	theirs := join(t, bot.Visitor, group, max, "member")
	want(t, bot.Visitor, http.StatusNoContent, "DELETE", membersPath+theirs+"/", nil)
	// Nor for longer than it lives.
	end := shared.Clock.Now().Add(time.Hour)
	brief := tokenOf(t, w, mia.Visitor, map[string]any{"name": "brief", "scopes": []string{"group:read", "membership:owner"}, "expires_at": end})
	refused(t, brief.Visitor, "grant_ceiling", "POST", membersPath, map[string]any{"group": group, "user": max.idOf(), "role": "member"})
	want(t, brief.Visitor, http.StatusCreated, "POST", membersPath, map[string]any{"group": group, "user": max.idOf(), "role": "member", "expires_at": end})

	want(t, w.Me, http.StatusNoContent, "DELETE", membersPath+place+"/", nil)
	want(t, bot.Visitor, http.StatusNotFound, "GET", groupsPath+group+"/", nil)
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, http.StatusOK, "PATCH", mia.path, map[string]any{"is_active": false})
	refused(t, bot.Visitor, "session_invalid", "GET", "/api/status/", nil)
	want(t, w.Me, http.StatusNoContent, "DELETE", mia.path, nil)
	refused(t, bot.Visitor, "session_invalid", "GET", "/api/status/", nil)
	if n := kindsOf(t, w)[audit.TokenRevoked]; n != 3 {
		t.Errorf("%d of three tokens went with their owner", n)
	}
	for shape, records := range stored(t, w.ID) {
		if strings.Contains(shape, "/ token") || strings.Contains(shape, "/ acl") {
			t.Errorf("%d left of %s", len(records), shape)
		}
	}
	settled(t, w)
}

// TestATokenOfAnotherWorkspaceOpensNothing sends one elsewhere.
func TestATokenOfAnotherWorkspaceOpensNothing(t *testing.T) {
	w, foreign := relaxed(t, "token-here"), relaxed(t, "token-there")
	sue := prover(t, w, "sue", "superuser", "203.0.113.209")
	bot := tokenOf(t, w, sue.Visitor, map[string]any{"name": "full"})
	there := foreign.Entries.Visitor(foreign.Slug, "203.0.113.209")
	there.Bearer = bot.key
	refused(t, there, "session_invalid", "GET", "/api/status/", nil)
	if got := rejectedSecrets(t, foreign); !slices.Contains(got, "/api/status/ alpat- foreign") {
		t.Errorf("the log there has %v", got)
	}
	want(t, bot.Visitor, http.StatusOK, "GET", "/api/status/", nil)
}

// TestRulesOfTokens gives tokens rules of each kind and takes them away: deny by
// default, all or nothing in bulk, one's own tokens only (security, TK-2).
func TestRulesOfTokens(t *testing.T) {
	w := relaxed(t, "token-rules")
	sue := prover(t, w, "sue", "superuser", "203.0.113.210")
	var servers []string
	for i := range 3 {
		s := authz.Server{ID: id.UUID{6: 0x70, 8: 0x80, 15: byte(i + 1)}, Name: fmt.Sprintf("web-%02d", i)}
		servers = append(servers, s.ID.String())
		placeServers(t, w, s)
	}
	full := tokenOf(t, w, sue.Visitor, scope("full", "*", "group:write"))
	// A group that gives servers is in nobody's hands who reaches none.
	gives := func(code string, server ...string) {
		t.Helper()
		body := map[string]any{"name": "g" + strings.Join(server, ""), "servers": server}
		if code == "" {
			want(t, full.Visitor, http.StatusCreated, "POST", groupsPath, body)
			return
		}
		refused(t, full.Visitor, code, "POST", groupsPath, body)
	}
	gives("grant_ceiling", servers[0])
	refused(t, full.Visitor, "grant_ceiling", "POST", groupsPath, map[string]any{"name": "wide", "server_patterns": []string{"web-*"}})
	row := want(t, sue.Visitor, http.StatusCreated, "POST", serverRules, map[string]any{"token": full.id, "server": servers[0]})
	if !strings.Contains(string(row.Body), `"server":{"id":"`+servers[0]+`","name":"web-00"}`) || !strings.Contains(string(row.Body), `"token_name":"full"`) {
		t.Errorf("the rule is %s", row.Body)
	}
	gives("", servers[0])
	gives("grant_ceiling", servers[1])
	refused(t, full.Visitor, "grant_ceiling", "POST", groupsPath, map[string]any{"name": "wide", "server_patterns": []string{"web-00"}})

	bulk := func(of string, some ...string) map[string]any {
		return map[string]any{"token": of, "servers": some}
	}
	refused(t, sue.Visitor, "acl_exists", "POST", serverRules, map[string]any{"token": full.id, "server": servers[0]})
	refused(t, sue.Visitor, "invalid_value", "POST", serverRules+"bulk/", bulk(full.id, servers[1], nobody))
	refused(t, sue.Visitor, "acl_exists", "POST", serverRules+"bulk/", bulk(full.id, servers[1], servers[0]))
	refused(t, sue.Visitor, "invalid_value", "POST", serverRules+"bulk/", bulk(full.id, servers[1], servers[1]))
	refused(t, sue.Visitor, "invalid_value", "POST", serverRules+"bulk/", bulk(nobody, servers[1]))
	count := func(v *visitor.Visitor, path string, n int) {
		t.Helper()
		if a := want(t, v, http.StatusOK, "GET", path+"?token="+full.id+"&page=1&page_size=100", nil); !strings.Contains(string(a.Body), fmt.Sprintf(`"count":%d,`, n)) {
			t.Errorf("%s: %s, want %d", path, a.Body, n)
		}
	}
	count(sue.Visitor, serverRules, 1)
	want(t, sue.Visitor, http.StatusCreated, "POST", serverRules+"bulk/", bulk(full.id, servers[1], servers[2]))
	count(sue.Visitor, serverRules, 3)
	refused(t, sue.Visitor, "invalid_value", "POST", serverRules+"bulk/delete/", bulk(full.id, servers[1], nobody))
	count(sue.Visitor, serverRules, 3)
	want(t, sue.Visitor, http.StatusNoContent, "POST", serverRules+"bulk/delete/", bulk(full.id, servers[1], servers[2]))
	count(sue.Visitor, serverRules, 1)

	command := field(t, want(t, sue.Visitor, http.StatusCreated, "POST", commandACL, map[string]any{"token": full.id, "command": "systemctl status *", "username": "deploy"}), "id")
	file := field(t, want(t, sue.Visitor, http.StatusCreated, "POST", fileACL, map[string]any{"token": full.id, "path": "/var/log/**", "action": "download"}), "id")
	refused(t, sue.Visitor, "invalid_rule", "POST", commandACL, map[string]any{"token": full.id, "command": "a", "username": "*"})
	refused(t, sue.Visitor, "invalid_rule", "POST", fileACL, map[string]any{"token": full.id, "path": "../etc", "action": "download"})
	refused(t, sue.Visitor, "invalid_rule", "POST", fileACL, map[string]any{"token": full.id, "path": "/etc/**", "action": "both"})
	count(sue.Visitor, commandACL, 1)
	count(sue.Visitor, fileACL, 1)

	// A copy has the rules; they are its own.
	made := want(t, sue.Visitor, http.StatusCreated, "POST", apiTokens+full.id+"/duplicate/", map[string]any{})
	if name := field(t, made, "name"); name != "full copy" {
		t.Errorf("the copy is called %q", name)
	}
	if a := want(t, sue.Visitor, http.StatusOK, "GET", serverRules+"?token="+field(t, made, "id"), nil); !strings.Contains(string(a.Body), servers[0]) {
		t.Errorf("the copy has %s", a.Body)
	}
	// Somebody else's rules and tokens are nothing.
	kim := prover(t, w, "kim", "superuser", "203.0.113.211")
	count(kim.Visitor, serverRules, 0)
	refused(t, kim.Visitor, "invalid_value", "POST", serverRules, map[string]any{"token": full.id, "server": servers[1]})
	refused(t, kim.Visitor, "not_found", "DELETE", commandACL+command+"/", nil)
	refused(t, sue.Visitor, "not_found", "DELETE", fileACL+command+"/", nil)
	want(t, sue.Visitor, http.StatusNoContent, "DELETE", commandACL+command+"/", nil)
	want(t, sue.Visitor, http.StatusNoContent, "DELETE", fileACL+file+"/", nil)
	want(t, sue.Visitor, http.StatusNoContent, "DELETE", serverRules+field(t, row, "id")+"/", nil)
	refused(t, full.Visitor, "grant_ceiling", "PATCH", groupsPath+newGroup(t, full.Visitor, map[string]any{"name": "late"})+"/", map[string]any{"servers": []map[string]string{{"id": servers[0]}}})
	got := kindsOf(t, w)
	if got[audit.ACLAdded] != 5 || got[audit.ACLRemoved] != 5 || got[audit.TokenDuplicated] != 1 {
		t.Errorf("%d rules added, %d removed, %d copies in the log", got[audit.ACLAdded], got[audit.ACLRemoved], got[audit.TokenDuplicated])
	}
	settled(t, w)
}
