package world_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/audit"
)

// A used document is what is told of usage.
type used struct {
	Since       string
	Granted     []string
	Unused      []string
	Permissions []struct {
		Permission string
		Days       int
		LastOn     string `json:"last_on"`
	}
	Objects   []struct{ Type, ID string }
	Addresses []struct {
		Address string
		Days    int
	}
	MoreObjects  bool     `json:"more_objects"`
	UnusedScopes []string `json:"unused_scopes"`
	Rules        []struct{ ID, Server string }
	UnusedRules  []struct{ ID, Server string } `json:"unused_rules"`
	ByDay        []struct {
		Day                  string
		Permissions, Objects int
	} `json:"by_day"`
}

func usageAt(t *testing.T, v *visitor.Visitor, path string) (u used) {
	t.Helper()
	if err := json.Unmarshal(want(t, v, http.StatusOK, "GET", path, nil).Body, &u); err != nil {
		t.Fatal(err)
	}
	return u
}

// names are the permissions that were used, sorted.
func (u used) names() string {
	out := []string{}
	for _, p := range u.Permissions {
		out = append(out, p.Permission)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// TestWhatATokenIsUsedFor uses part of what a token may, within one minute, and
// reads which part: by its owner, by staff, and by nobody else.
func TestWhatATokenIsUsedFor(t *testing.T) {
	w := relaxed(t, "usage-token")
	sue := prover(t, w, "sue", "superuser", "203.0.113.241")
	stan, mia := made(t, w, "stan", "staff", "203.0.113.242"), made(t, w, "mia", "member", "203.0.113.243")
	fleet := newToken(t, w.Me, map[string]any{"name": "fleet"})
	web, db := registered(t, w, fleet.key, "web-1"), registered(t, w, fleet.key, "db-1")
	bot := tokenOf(t, w, sue.Visitor, scope("bot", "user:read", "group:write", "server:read", "audit:read"))
	for _, server := range []string{web, db} {
		want(t, sue.Visitor, http.StatusCreated, "POST", serverRules, map[string]string{"token": bot.id, "server": idIn(server)})
	}
	path := apiTokens + bot.id + "/usage/"
	if u := usageAt(t, sue.Visitor, path); len(u.Permissions)+len(u.Addresses)+len(u.ByDay) != 0 || len(u.UnusedScopes) != 4 || len(u.UnusedRules) != 2 || !slices.Equal(u.Unused, u.Granted) {
		t.Errorf("never used: %+v", u)
	}
	// As a job does that runs once a day: a few requests, and nothing after them.
	want(t, bot.Visitor, http.StatusOK, "GET", "/api/iam/users/", nil)
	want(t, bot.Visitor, http.StatusOK, "GET", web, nil)
	group := newGroup(t, bot.Visitor, map[string]any{"name": "of the bot"})
	want(t, bot.Visitor, http.StatusOK, "PATCH", groupsPath+group+"/", map[string]any{"description": "changed"})
	refused(t, bot.Visitor, "token_scope_not_allowed", "GET", billingPath, nil) // is no use
	if err := w.Cold(w.Entries.Recorder); err != nil {
		t.Fatal(err)
	}
	u := usageAt(t, sue.Visitor, path+"?days=1")
	if u.names() != "group:create group:update server:read user:read" || u.Since != shared.Clock.Now().UTC().Format("2006-01-02") {
		t.Errorf("used since %s: %s", u.Since, u.names())
	}
	if fmt.Sprint(u.UnusedScopes) != "[audit:read]" || !slices.Contains(u.Unused, "audit:read") || slices.Contains(u.Unused, "user:read") || !slices.Contains(u.Granted, "group:update") {
		t.Errorf("of %v unused: %v, %v", u.Granted, u.UnusedScopes, u.Unused)
	}
	objects := fmt.Sprint(u.Objects)
	if len(u.Objects) != 2 || !strings.Contains(objects, "{server "+idIn(web)+"}") || !strings.Contains(objects, "{group "+group+"}") {
		t.Errorf("on %s", objects)
	}
	if len(u.Rules) != 1 || u.Rules[0].Server != idIn(web) || len(u.UnusedRules) != 1 || u.UnusedRules[0].Server != idIn(db) {
		t.Errorf("by %v, not by %v", u.Rules, u.UnusedRules)
	}
	if len(u.Addresses) != 1 || u.Addresses[0].Address != "203.0.113.200" {
		t.Errorf("from %v", u.Addresses)
	}
	if len(u.ByDay) != 1 || u.ByDay[0].Permissions != 4 || u.ByDay[0].Objects != 2 {
		t.Errorf("by day: %v", u.ByDay)
	}
	// Who reads it.
	admin := sue.path + "tokens/" + bot.id + "/usage/"
	if a := usageAt(t, stan.Visitor, admin); a.names() != u.names() {
		t.Errorf("staff is told %s", a.names())
	}
	want(t, mia.Visitor, http.StatusNotFound, "GET", admin, nil)
	for _, p := range []person{stan, mia} {
		unknown(t, p.Visitor, "GET", path, nil) // it is none of theirs
	}
	refused(t, bot.Visitor, "token_not_allowed", "GET", path, nil)
	for query, code := range map[string]string{"?days=0": "invalid_value", "?days=91": "out_of_range", "?days=x": "invalid_value"} {
		if a := refused(t, sue.Visitor, code, "GET", path+query, nil); a.Problem().Source != "days" {
			t.Errorf("%s: %s", query, a.Body)
		}
	}
	settled(t, w)
}

// TestWhatAServiceTokenIsUsedFor reads what of a service token was used, against
// what it and its application hold: by who may see the application's tokens.
func TestWhatAServiceTokenIsUsedFor(t *testing.T) {
	w := relaxed(t, "usage-service")
	sue := prover(t, w, "sue", "superuser", "203.0.113.252")
	mia, max := prover(t, w, "mia", "member", "203.0.113.253"), made(t, w, "max", "member", "203.0.113.254")
	web := registered(t, w, newToken(t, w.Me, called("fleet")).key, "web-1")
	app := newApp(t, sue.Visitor, "ci", "user:read", "group:write", "server:read", "audit:read")
	elsewhere := newApp(t, sue.Visitor, "elsewhere", "user:read")
	roleOf(t, sue.Visitor, app, newRole(t, sue.Visitor, "ci", "user:read", "server:read", "group:read"))
	bot, idle := service(t, w, sue.Visitor, app, scope("bot", "user:read", "group:write", "server:read")), service(t, w, sue.Visitor, app, called("idle"))
	want(t, sue.Visitor, http.StatusCreated, "POST", app+"tokens/"+bot.id+"/rules/", map[string]any{"kind": "server", "rules": []map[string]string{{"server": idIn(web)}}})
	want(t, sue.Visitor, http.StatusOK, "PATCH", app, map[string]any{"owner": mia.idOf()})
	path := app + "tokens/" + bot.id + "/usage/"

	want(t, bot.Visitor, http.StatusOK, "GET", "/api/iam/users/", nil)
	want(t, bot.Visitor, http.StatusOK, "GET", web, nil)
	refused(t, bot.Visitor, "permission_denied", "POST", groupsPath, called("of no role")) // is no use
	if err := w.Cold(w.Entries.Recorder); err != nil {
		t.Fatal(err)
	}
	for _, v := range []*visitor.Visitor{sue.Visitor, mia.Visitor} {
		u := usageAt(t, v, path+"?days=1")
		if u.names() != "server:read user:read" || fmt.Sprint(u.UnusedScopes) != "[group:write]" || fmt.Sprint(u.Granted) != "[group:create group:read group:update server:read user:read]" ||
			fmt.Sprint(u.Unused) != "[group:create group:read group:update]" {
			t.Errorf("used %s of %v, unused %v, %v", u.names(), u.Granted, u.Unused, u.UnusedScopes)
		}
		if len(u.Objects) != 1 || u.Objects[0].ID != idIn(web) || len(u.Rules) != 1 || u.Rules[0].Server != idIn(web) || len(u.UnusedRules) != 0 || len(u.Addresses) != 1 {
			t.Errorf("on %v by %v, not by %v, from %v", u.Objects, u.Rules, u.UnusedRules, u.Addresses)
		}
	}
	if u := usageAt(t, sue.Visitor, app+"tokens/"+idle.id+"/usage/"); u.names() != "" || !slices.Contains(u.Granted, "audit:read") {
		t.Errorf("another token: used %s of %v", u.names(), u.Granted)
	}
	// What the application's scopes hold no more is granted no more.
	want(t, sue.Visitor, http.StatusOK, "PATCH", app, map[string]any{"scopes": []string{"user:read"}})
	if u := usageAt(t, mia.Visitor, path); fmt.Sprint(u.Granted) != "[user:read]" || len(u.Unused) != 0 {
		t.Errorf("granted %v, unused %v", u.Granted, u.Unused)
	}
	unknown(t, max.Visitor, "GET", path, nil)
	for _, of := range []string{app + "tokens/" + nobody, app + "tokens/none", elsewhere + "tokens/" + bot.id} {
		refused(t, sue.Visitor, "not_found", "GET", of+"/usage/", nil)
	}
	refused(t, sue.Visitor, "not_found", "GET", apiTokens+bot.id+"/usage/", nil)
	refused(t, bot.Visitor, "token_scope_not_allowed", "GET", path, nil)
	if a := refused(t, mia.Visitor, "out_of_range", "GET", path+"?days=91", nil); a.Problem().Source != "days" {
		t.Errorf("91 days: %s", a.Body)
	}
	settled(t, w)
}

// TestWhatPeopleUse reads which of their permissions people use, with sessions
// and tokens, and that what they may is told to who may ask.
func TestWhatPeopleUse(t *testing.T) {
	w := relaxed(t, "usage-people")
	stan, mia := prover(t, w, "stan", "staff", "203.0.113.244"), made(t, w, "mia", "member", "203.0.113.245")
	want(t, stan.Visitor, http.StatusOK, "GET", "/api/workspaces/security/-/", nil)
	bot := tokenOf(t, w, stan.Visitor, scope("bot", "registration:read"))
	want(t, bot.Visitor, http.StatusOK, "GET", tokensPath, nil)
	u := usageAt(t, stan.Visitor, "/api/iam/users/-/usage/")
	if u.names() != "registration:read security:read" || slices.Contains(u.Unused, "security:read") || !slices.Contains(u.Unused, "user:delete") || slices.Contains(u.Granted, "security:update") {
		t.Errorf("staff: used %s, unused %v", u.names(), u.Unused)
	}
	if len(u.Addresses) != 2 {
		t.Errorf("from %v", u.Addresses)
	}
	want(t, mia.Visitor, http.StatusOK, "GET", "/api/status/", nil)
	if m := usageAt(t, mia.Visitor, "/api/iam/users/-/usage/"); m.names() != "" || len(m.Granted) != 0 || len(m.Addresses) != 1 {
		t.Errorf("a member: %+v", m)
	}
	// A list of what is one's own is no use of the right to see all.
	want(t, mia.Visitor, http.StatusOK, "GET", "/api/iam/users/", nil)
	if m := usageAt(t, mia.Visitor, "/api/iam/users/-/usage/"); m.names() != "" {
		t.Errorf("a member used %s", m.names())
	}
	want(t, w.Me, http.StatusOK, "PATCH", mia.path, map[string]any{"is_staff": true})
	if s := usageAt(t, w.Me, "/api/iam/users/-/usage/"); !strings.Contains(s.names(), "user:promote") {
		t.Errorf("a superuser who promoted used %s", s.names())
	}
	want(t, w.Me, http.StatusOK, "PATCH", mia.path, map[string]any{"is_staff": false})
	mia.signIn(t)
	if a := usageAt(t, stan.Visitor, mia.path+"usage/"); len(a.Addresses) != 1 {
		t.Errorf("staff is told %+v", a)
	}
	want(t, mia.Visitor, http.StatusNotFound, "GET", stan.path+"usage/", nil)
	zoe := made(t, w, "zoe", "member", "203.0.113.246")
	given(t, w, zoe, map[string]any{"name": "sessions", "permissions": []string{"session:read", "user:read"}})
	refused(t, zoe.Visitor, "permission_denied", "GET", stan.path+"usage/", nil) // it tells what they may
	want(t, zoe.Visitor, http.StatusOK, "GET", stan.path+"tokens/"+bot.id+"/usage/", nil)
	settled(t, w)
}

// TestUsageIsKeptFor90Days holds the interval to the day, whatever is collected.
func TestUsageIsKeptFor90Days(t *testing.T) {
	w := relaxed(t, "usage-days")
	sue := made(t, w, "sue", "superuser", "203.0.113.247")
	sues := withApp(t, sue.Visitor)
	bot := tokenOf(t, w, sue.Visitor, scope("bot", "user:read", "group:read"))
	path := apiTokens + bot.id + "/usage/"
	want(t, bot.Visitor, http.StatusOK, "GET", "/api/iam/users/", nil)
	day := 24 * time.Hour
	shared.Clock.Advance(day)
	want(t, bot.Visitor, http.StatusOK, "GET", groupsPath, nil)
	sue.signedInBy(t, sues)
	for days, names := range map[int]string{1: "group:read", 2: "group:read user:read"} {
		if u := usageAt(t, sue.Visitor, fmt.Sprintf("%s?days=%d", path, days)); u.names() != names {
			t.Errorf("%d days: %s", days, u.names())
		}
	}
	shared.Clock.Advance(88 * day)
	sue.signedInBy(t, sues)
	if u := usageAt(t, sue.Visitor, path+"?days=90"); u.names() != "group:read user:read" || len(u.ByDay) != 2 {
		t.Errorf("on the 90th day: %s", u.names())
	}
	shared.Clock.Advance(day)
	sue.signedInBy(t, sues)
	if u := usageAt(t, sue.Visitor, path+"?days=90"); u.names() != "group:read" {
		t.Errorf("on the 91st: %s", u.names())
	}
	if u := usageAt(t, sue.Visitor, "/api/iam/users/-/usage/?days=90"); strings.Contains(u.names(), "user:read") {
		t.Errorf("of a person on the 91st: %s", u.names())
	}
}

// TestUsageKeepsNobodyWaiting counts what recording does: nothing before the
// handler, one write for what is new, none for what is not, and none that a
// request depends on.
func TestUsageKeepsNobodyWaiting(t *testing.T) {
	w := relaxed(t, "usage-quiet")
	sue := prover(t, w, "sue", "superuser", "203.0.113.248")
	bot := tokenOf(t, w, sue.Visitor, scope("bot", "user:read", "group:read", "role:read", "server:read"))
	want(t, bot.Visitor, http.StatusOK, "GET", "/api/iam/users/", nil)
	r := w.Entries.Recorder
	count := func(path string) (stored int) {
		t.Helper()
		before := len(r.Calls())
		want(t, bot.Visitor, http.StatusOK, "GET", path, nil)
		list, _ := written(r, before)
		for _, one := range list {
			if strings.HasPrefix(one, "put V") {
				stored++
			}
		}
		for _, c := range r.Calls()[before:] {
			if c.Guard && c.Operation != "BatchGetItem" {
				t.Errorf("%s: %s before the handler", path, c)
			}
		}
		return stored
	}
	for _, c := range []struct {
		path string
		puts int
	}{{"/api/iam/users/", 0}, {groupsPath, 1}, {groupsPath, 0}, {"/api/status/", 0}} {
		if n := count(c.path); n != c.puts {
			t.Errorf("%s stores usage %d times, want %d", c.path, n, c.puts)
		}
	}
	shared.Clock.Advance(5 * time.Minute)
	want(t, bot.Visitor, http.StatusOK, "GET", "/api/status/", nil) // notes its use
	if n := count(groupsPath); n != 0 {
		t.Errorf("minutes later the same is stored %d times", n)
	}
	// It fails nobody, and is stored with the next request.
	for _, mode := range []world.Mode{world.Unapplied, world.Lost} {
		path := map[world.Mode]string{world.Unapplied: rolesPath, world.Lost: serversPath}[mode]
		cold := &world.Recorder{Mode: mode, FaultOf: func(c world.Call) bool { return c.Operation == "PutItem" && !c.Guard }}
		if err := w.Cold(cold); err != nil {
			t.Fatal(err)
		}
		again := clientOf(w, bot.id, bot.key)
		want(t, again.Visitor, http.StatusOK, "GET", path, nil)
		want(t, again.Visitor, http.StatusOK, "GET", path, nil)
		sue.Client = again.Client
		if u := usageAt(t, sue.Visitor, apiTokens+bot.id+"/usage/"); !strings.Contains(u.names(), strings.TrimSuffix(strings.Split(path, "/")[3], "s")+":read") {
			t.Errorf("%s, used %s", mode, u.names())
		}
	}
}

// TestInstancesMergeUsage uses different rights at once from several instances:
// each is there.
func TestInstancesMergeUsage(t *testing.T) {
	w := relaxed(t, "usage-merge")
	sue := prover(t, w, "sue", "superuser", "203.0.113.249")
	bot := tokenOf(t, w, sue.Visitor, scope("bot", "user:read", "group:read", "role:read", "server:read", "security:read"))
	paths := []string{"/api/iam/users/", groupsPath, rolesPath, serversPath, "/api/workspaces/security/-/"}
	clients := make([]apiToken, len(paths))
	for i := range paths {
		if err := w.Cold(&world.Recorder{}); err != nil {
			t.Fatal(err)
		}
		clients[i] = clientOf(w, bot.id, bot.key)
	}
	var wait sync.WaitGroup
	for i, path := range paths {
		wait.Go(func() {
			for range 3 { // who met others is stored with the next request
				if a, err := clients[i].Do(t.Context(), "GET", path, nil); err != nil || a.Status != http.StatusOK {
					t.Errorf("%s: %d, %v", path, a.Status, err)
				}
			}
		})
	}
	wait.Wait()
	sue.Client = clients[0].Client
	if u := usageAt(t, sue.Visitor, apiTokens+bot.id+"/usage/"); u.names() != "group:read role:read security:read server:read user:read" {
		t.Errorf("used %s", u.names())
	}
}

// TestUsageIsBounded walks through more objects than are stored at once: they
// are stored with the next minute, and one's rights are never left out.
func TestUsageIsBounded(t *testing.T) {
	w := relaxed(t, "usage-many")
	sue := made(t, w, "sue", "superuser", "203.0.113.250")
	sues := withApp(t, sue.Visitor)
	bot := tokenOf(t, w, sue.Visitor, scope("bot", "group:read"))
	const many = 14
	for i := range many {
		group := newGroup(t, w.Me, map[string]any{"name": fmt.Sprint("many ", i)})
		want(t, bot.Visitor, http.StatusOK, "GET", groupsPath+group+"/", nil)
	}
	if u := usageAt(t, sue.Visitor, apiTokens+bot.id+"/usage/"); len(u.Objects) >= many || len(u.Objects) < 8 {
		t.Errorf("%d objects are stored within a minute", len(u.Objects))
	}
	shared.Clock.Advance(time.Minute)
	want(t, bot.Visitor, http.StatusOK, "GET", groupsPath, nil)
	if u := usageAt(t, sue.Visitor, apiTokens+bot.id+"/usage/"); len(u.Objects) != many || u.MoreObjects {
		t.Errorf("%d objects", len(u.Objects))
	}
	// What is owed when the day ends is stored on it.
	for i := range many {
		group := newGroup(t, w.Me, map[string]any{"name": fmt.Sprint("more ", i)})
		want(t, bot.Visitor, http.StatusOK, "GET", groupsPath+group+"/", nil)
	}
	today := shared.Clock.Now().UTC().Format("2006-01-02")
	shared.Clock.Advance(24 * time.Hour)
	want(t, bot.Visitor, http.StatusOK, "GET", "/api/status/", nil)
	sue.signedInBy(t, sues)
	days := map[string]int{}
	for _, d := range usageAt(t, sue.Visitor, apiTokens+bot.id+"/usage/").ByDay {
		days[d.Day] = d.Objects
	}
	if days[today] != 2*many {
		t.Errorf("%d objects on the day before", days[today])
	}
}

// TestATokenOutsideItsRulesIsRecorded asks for servers that no rule names, there
// or not: each is refused, recorded alike, and named by what was asked only.
func TestATokenOutsideItsRulesIsRecorded(t *testing.T) {
	w := relaxed(t, "acl-denied")
	sue := prover(t, w, "sue", "superuser", "203.0.113.251")
	web := registered(t, w, newToken(t, w.Me, map[string]any{"name": "fleet"}).key, "web-1")
	bot := tokenOf(t, w, sue.Visitor, scope("bot", "server:write"))
	for i, path := range []string{web, serversPath + nobody + "/"} {
		shared.Clock.Advance(time.Second) // the newest is one
		refused(t, bot.Visitor, "api_token_acl_not_allowed", "GET", path, nil)
		e := newest(t, w, audit.ACLDenied)
		if n := kinds(t, w, audit.ACLDenied); n != i+1 {
			t.Fatalf("%d events of %d refusals", n, i+1)
		}
		if text(e, "value") != idIn(path) || text(e, "kind") != "server" || e.Target.ID.String() != bot.id || e.CauseUID.Zero() || e.HTTP.Status != http.StatusForbidden || strings.Contains(fmt.Sprint(e), "web-1") {
			t.Errorf("%s: the event tells %+v", path, e)
		}
	}
	refused(t, bot.Visitor, "api_token_acl_not_allowed", "PATCH", web, map[string]any{"name": "mine"})
	refused(t, bot.Visitor, "token_scope_not_allowed", "GET", "/api/iam/users/", nil) // no matter of rules
	if n, m := kinds(t, w, audit.ACLDenied), kinds(t, w, audit.AccessDenied); n != 3 || m != 4 {
		t.Errorf("%d events of rules, %d of refusals", n, m)
	}
	if u := usageAt(t, sue.Visitor, apiTokens+bot.id+"/usage/"); u.names() != "" {
		t.Errorf("what was refused is told to be used: %s", u.names())
	}
	settled(t, w)
}
