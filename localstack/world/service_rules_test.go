package world_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"paddock/shared/audit"
)

// TestRulesOfServiceTokens gives tokens rules of each kind and takes them away:
// no server without a rule that names it, whatever the role (security, TK-2).
func TestRulesOfServiceTokens(t *testing.T) {
	w := relaxed(t, "service-rules")
	sue, mia := prover(t, w, "sue", "superuser", "203.0.113.234"), prover(t, w, "mia", "member", "203.0.113.235")
	var servers []string
	fleet := newToken(t, w.Me, map[string]any{"name": "fleet"}).key
	for i := range 3 {
		servers = append(servers, idIn(registered(t, w, fleet, fmt.Sprintf("web-%02d", i))))
	}
	app := newApp(t, sue.Visitor, "deploys", "server:read", "server:access", "websh:create")
	roleOf(t, sue.Visitor, app, newRole(t, sue.Visitor, "operator", "server:read", "server:access", "websh:create"))
	bot, other := service(t, w, sue.Visitor, app, called("bot")), service(t, w, sue.Visitor, app, called("other"))
	rules := app + "tokens/" + bot.id + "/rules/"
	add := func(kind string, rows ...map[string]any) map[string]any {
		return map[string]any{"kind": kind, "rules": rows}
	}
	row := func(name, value string) map[string]any { return map[string]any{name: value} }

	for _, v := range []apiToken{bot, other} {
		if got := paged(t, v.Visitor, serversPath, "name"); len(got) != 0 {
			t.Errorf("without a rule it sees %v", got)
		}
		refused(t, v.Visitor, "api_token_acl_not_allowed", "GET", serversPath+servers[0]+"/", nil)
		refused(t, v.Visitor, "api_token_acl_not_allowed", "GET", serversPath+nobody+"/", nil)
	}
	for code, bodies := range map[string][]map[string]any{
		"invalid_value": {{}, {"kind": "server"}, add("server"), add("Server", row("server", servers[0])), add("server", row("server", nobody)), add("server", row("server", servers[0]), row("server", nobody))},
		"invalid_rule":  {add("command", row("command", "")), add("server", row("command", "uptime")), add("command", row("server", servers[0])), add("file", row("path", "../etc")), add("command", map[string]any{"command": "a", "username": "*"})},
		"unknown_field": {add("server", row("name", "web-00"))},
		"acl_exists":    {add("server", row("server", servers[0]), row("server", servers[0]))},
	} {
		for _, body := range bodies {
			refused(t, sue.Visitor, code, "POST", rules, body)
		}
	}
	refused(t, sue.Visitor, "not_found", "POST", app+"tokens/"+nobody+"/rules/", add("server", row("server", servers[0])))
	want(t, sue.Visitor, http.StatusCreated, "POST", rules, add("server", row("server", servers[0]), row("server", servers[1])))
	want(t, sue.Visitor, http.StatusCreated, "POST", rules, add("command", map[string]any{"command": "systemctl status *", "username": "deploy"}))
	want(t, sue.Visitor, http.StatusCreated, "POST", rules, add("file", map[string]any{"path": "/var/log/**", "action": "download"}))
	if got := paged(t, bot.Visitor, serversPath, "name"); !slices.Equal(got, []string{"web-00", "web-01"}) {
		t.Errorf("with two rules it sees %v", got)
	}
	want(t, bot.Visitor, http.StatusOK, "GET", serversPath+servers[0]+"/", nil)
	refused(t, bot.Visitor, "api_token_acl_not_allowed", "GET", serversPath+servers[2]+"/", nil)
	refused(t, other.Visitor, "api_token_acl_not_allowed", "GET", serversPath+servers[0]+"/", nil)
	if got := paged(t, sue.Visitor, rules, "kind"); !slices.Equal(got, []string{"command", "server", "server", "file"}) {
		t.Errorf("its rules are %v", got)
	}
	if all := want(t, sue.Visitor, http.StatusOK, "GET", rules, nil); !strings.Contains(string(all.Body), `"server":{"id":"`+servers[0]+`","name":"web-00"}`) {
		t.Errorf("its rules are %s", all.Body)
	}
	// Who manages the application and sees no servers is told no names, and adds
	// none of them.
	want(t, sue.Visitor, http.StatusOK, "PATCH", app, map[string]any{"managers": []string{mia.idOf()}})
	if all := want(t, mia.Visitor, http.StatusOK, "GET", rules, nil); strings.Contains(string(all.Body), "web-0") {
		t.Errorf("names of servers are told: %s", all.Body)
	}
	refused(t, mia.Visitor, "permission_denied", "POST", rules, add("server", row("server", servers[2])))
	// The rules and tokens of an application are of it alone.
	elsewhere := newApp(t, sue.Visitor, "elsewhere", "*")
	first := paged(t, sue.Visitor, rules, "id")[1]
	for _, path := range []string{elsewhere + "tokens/" + bot.id + "/rules/", app + "tokens/" + other.id + "/rules/"} {
		refused(t, sue.Visitor, "not_found", "DELETE", path+first+"/", nil)
	}
	refused(t, sue.Visitor, "not_found", "GET", elsewhere+"tokens/"+bot.id+"/rules/", nil)
	refused(t, sue.Visitor, "not_found", "DELETE", rules+nobody+"/", nil)
	refused(t, sue.Visitor, "invalid_value", "POST", serverRules, map[string]any{"token": bot.id, "server": servers[2]}) // not one's own

	want(t, sue.Visitor, http.StatusNoContent, "DELETE", rules+first+"/", nil)
	refused(t, bot.Visitor, "api_token_acl_not_allowed", "GET", serversPath+servers[0]+"/", nil)
	want(t, bot.Visitor, http.StatusOK, "GET", serversPath+servers[1]+"/", nil)
	if got := kindsOf(t, w); got[audit.ACLAdded] != 4 || got[audit.ACLRemoved] != 1 {
		t.Errorf("%d rules added by the log, %d removed", got[audit.ACLAdded], got[audit.ACLRemoved])
	}

	// Who reaches a server, and why: an application by its role and scopes.
	reach := func(want bool) {
		t.Helper()
		if all := send(t, sue.Visitor, "GET", reachPath+"?server="+servers[1], nil); strings.Contains(string(all.Body), `"application":{"id":"`+idIn(app)+`","name":"deploys"}`) != want {
			t.Errorf("who reaches it: %s", all.Body)
		}
		var names []string
		if want {
			names = []string{"web-00", "web-01", "web-02"}
		}
		var page struct {
			Results []struct{ Server struct{ Name string } }
		}
		if err := send(t, sue.Visitor, "GET", reachPath+"?application="+idIn(app), nil).Decode(http.StatusOK, &page); err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Results {
			if at := slices.Index(names, r.Server.Name); at < 0 {
				t.Errorf("it reaches %s", r.Server.Name)
			} else {
				names = slices.Delete(names, at, at+1)
			}
		}
		if len(names) > 0 {
			t.Errorf("it does not reach %v", names)
		}
	}
	explained := func(fields map[string]any) string {
		t.Helper()
		fields["application"], fields["permission"] = idIn(app), "websh:create"
		return string(want(t, sue.Visitor, http.StatusOK, "POST", explainPath, fields).Body)
	}
	reach(true)
	if why := explained(map[string]any{"object": servers[1]}); !strings.Contains(why, `"allowed":true`) {
		t.Errorf("it may by %s", why)
	}
	want(t, sue.Visitor, http.StatusOK, "PATCH", app, map[string]any{"scopes": []string{"server:read"}})
	reach(false)
	if why := explained(map[string]any{"object": servers[1]}); !strings.Contains(why, `"allowed":false`) || !strings.Contains(why, "the application's scopes do not hold websh:create") || !strings.Contains(why, `"step":null`) {
		t.Errorf("it may not by %s", why)
	}
	app = elsewhere
	if why := explained(map[string]any{}); !strings.Contains(why, `"kind":"role_assignment"`) || !strings.Contains(why, `"role":"operator"`) || !strings.Contains(why, sue.email) {
		t.Errorf("what would let it: %s", why)
	}
	refused(t, sue.Visitor, "invalid_value", "POST", explainPath, map[string]any{"application": nobody, "permission": "user:read"})
	refused(t, sue.Visitor, "invalid_value", "POST", explainPath, map[string]any{"application": idIn(app), "user": mia.idOf(), "permission": "user:read"})
	refused(t, mia.Visitor, "permission_denied", "GET", reachPath+"?application="+idIn(app), nil)
	refused(t, sue.Visitor, "invalid_value", "GET", reachPath+"?application="+mia.idOf(), nil)
	refused(t, mia.Visitor, "permission_denied", "POST", explainPath, map[string]any{"application": idIn(app), "permission": "user:read"})
	if why := want(t, sue.Visitor, http.StatusOK, "POST", explainPath, map[string]any{"permission": "service_token:create", "object": idIn(app)}); !strings.Contains(string(why.Body), `"allowed":true`) {
		t.Errorf("who makes tokens of it: %s", why.Body)
	}
	settled(t, w)
}
