package world_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/audit"
	"paddock/shared/route"
)

// The paths of device login.
const (
	openPath    = "/oauth/device/code/"
	tokenPath   = "/oauth/token/"
	revokePath  = "/oauth/revoke/"
	dropPath    = "/api/auth0/token/blacklist/"
	lookupPath  = "/api/auth/device/lookup/"
	approvePath = "/api/auth/device/approve/"
	denyPath    = "/api/auth/device/deny/"
)

// tokens are what the token endpoint answers.
type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Type    string `json:"token_type"`
	Life    int    `json:"expires_in"`
}

// send sends a request as v.
func send(t *testing.T, v *visitor.Visitor, method, path string, body any) visitor.Answer {
	t.Helper()
	a, err := v.Do(t.Context(), method, path, body)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// told returns status and code of an answer, in the shape of its row.
func told(a visitor.Answer) string {
	return strings.TrimSpace(fmt.Sprint(a.Status, " ", a.Problem().Code, a.OAuthError()))
}

// expect sends a request as v and compares status and code.
func expect(t *testing.T, v *visitor.Visitor, path string, body any, want string) visitor.Answer {
	t.Helper()
	a := send(t, v, "POST", path, body)
	if got := told(a); got != want {
		t.Errorf("%s %v: %s, want %s", path, body, got, want)
	}
	return a
}

func opening(slug string) map[string]string {
	return map[string]string{"client_id": "paddock-cli", "scope": world.Scope(slug, world.Device), "audience": world.Origin(slug)}
}

// open begins a device login as v.
func open(t *testing.T, w *world.Walk, v *visitor.Visitor) world.Opened {
	t.Helper()
	var out world.Opened
	if err := send(t, v, "POST", openPath, opening(w.Slug)).Decode(http.StatusOK, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func typed(code string) map[string]string { return map[string]string{"user_code": code} }

// redeemed is what an answer of the token endpoint holds.
func redeemed(t *testing.T, a visitor.Answer) tokens {
	t.Helper()
	var out tokens
	if err := a.Decode(http.StatusOK, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// line signs a command line in.
func line(t *testing.T, w *world.Walk) *world.CommandLine {
	t.Helper()
	out, err := w.CommandLine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// as returns v with another access token.
func as(v *visitor.Visitor, access string) *visitor.Visitor {
	out := *v
	out.Access = access
	return &out
}

// status returns what the access token opens.
func status(t *testing.T, l *world.CommandLine, access string) string {
	t.Helper()
	return told(send(t, as(l.Visit, access), "GET", "/api/status/", nil))
}

// counted returns how many events of a kind the workspace has.
func counted(t *testing.T, w *world.Walk, k audit.Kind) int {
	t.Helper()
	events, err := w.Events(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range events {
		if e.Kind == k {
			n++
		}
	}
	return n
}

func TestDeviceLoginFromOpeningToLogout(t *testing.T) {
	w := walk(t, "device", 3)
	cli := w.Entries.Visitor(w.Slug, "203.0.113.4")
	cli.Agent = "Go-http-client/2.0"
	var env struct{ Auth0 map[string]string }
	if err := send(t, cli, "GET", "/api/auth/env/?client=cli", nil).Decode(http.StatusOK, &env); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"method": "auth0", "client_id": "paddock-cli", "domain": "device.paddock.test", "audience": "https://device.paddock.test", "schema_name": "device",
	}
	if fmt.Sprint(env.Auth0) != fmt.Sprint(want) {
		t.Errorf("env is %v, want %v", env.Auth0, want)
	}
	o := open(t, w, cli)
	if o.ExpiresIn != 600 || o.Interval != 5 || len(o.UserCode) != 9 || o.VerificationURI != "https://device.paddock.test/device" ||
		o.VerificationURIComplete != o.VerificationURI+"#"+o.UserCode {
		t.Errorf("opened %+v", o)
	}
	for range 3 { // as fast as it likes: a client is never told to slow down
		expect(t, cli, tokenPath, world.PollBody(o.DeviceCode), "400 authorization_pending")
	}
	var seen map[string]string
	if err := send(t, w.Me, "POST", lookupPath, typed(" "+strings.ToLower(strings.ReplaceAll(o.UserCode, "-", " ")))).Decode(http.StatusOK, &seen); err != nil {
		t.Fatal(err)
	}
	now := shared.Clock.Now()
	for field, want := range map[string]string{
		"user_code": o.UserCode, "client_id": "paddock-cli", "device_id": world.Device, "user_agent": cli.Agent, "address": "203.0.113.4",
		"requested_at": now.Format(time.RFC3339Nano), "expires_at": now.Add(10 * time.Minute).Format(time.RFC3339Nano),
	} {
		if seen[field] != want {
			t.Errorf("%s is %q, want %q", field, seen[field], want)
		}
	}
	expect(t, w.Me, approvePath, typed(o.UserCode), "204")
	expect(t, w.Me, approvePath, typed(o.UserCode), "404 device_request_not_found")
	expect(t, w.Me, denyPath, typed(o.UserCode), "404 device_request_not_found")
	first := redeemed(t, send(t, cli, "POST", tokenPath, world.PollBody(o.DeviceCode)))
	if first.Type != "Bearer" || first.Life != 900 || !strings.HasPrefix(first.Refresh, "pdkr_") {
		t.Errorf("tokens %+v", first)
	}
	l := &world.CommandLine{Visit: cli, Device: world.Device, Access: first.Access, Refresh: first.Refresh}
	if got := status(t, l, first.Access); got != "200" {
		t.Errorf("the access token: %s", got)
	}
	var sessions struct {
		Results []struct{ ID, Kind, Device, Address string }
	}
	if err := send(t, w.Me, "GET", "/api/auth/sessions/", nil).Decode(http.StatusOK, &sessions); err != nil {
		t.Fatal(err)
	}
	listed := 0
	for _, s := range sessions.Results {
		if s.Kind == "cli" && s.Device == "Command line on device "+world.Device && s.Address == "203.0.113.4" {
			listed++
		}
	}
	if listed != 1 {
		t.Errorf("the owner's list has it %d times: %+v", listed, sessions.Results)
	}
	shared.Clock.Advance(time.Minute)
	second := redeemed(t, send(t, cli, "POST", tokenPath, world.RefreshBody(w.Slug, world.Device, first.Refresh)))
	if second.Refresh != "" || second.Access == first.Access {
		t.Error("a refresh rotates its token or gives the old one")
	}
	for name, access := range map[string]string{"old": first.Access, "new": second.Access} {
		if got := status(t, l, access); got != "200" {
			t.Errorf("the %s access token after a refresh: %s", name, got)
		}
	}
	expect(t, as(cli, second.Access), dropPath, nil, "204")
	for name, access := range map[string]string{"old": first.Access, "new": second.Access} {
		if got := status(t, l, access); got != "401 session_invalid" {
			t.Errorf("the %s access token after it was invalidated: %s", name, got)
		}
	}
	third := redeemed(t, send(t, cli, "POST", tokenPath, world.RefreshBody(w.Slug, world.Device, first.Refresh)))
	if got := status(t, l, third.Access); got != "200" {
		t.Errorf("the access token after a new refresh: %s", got)
	}
	expect(t, cli, revokePath, map[string]string{"client_id": "paddock-cli", "token": first.Refresh}, "200")
	expect(t, cli, revokePath, map[string]string{"client_id": "paddock-cli", "token": first.Refresh}, "200")
	expect(t, cli, revokePath, map[string]string{"client_id": "paddock-cli", "token": "nonsense"}, "200")
	expect(t, cli, revokePath, map[string]string{"client_id": "other", "token": first.Refresh}, "401 invalid_client")
	expect(t, cli, tokenPath, world.RefreshBody(w.Slug, world.Device, first.Refresh), "400 invalid_grant")
	if got := status(t, l, third.Access); got != "401 session_invalid" {
		t.Errorf("the access token after the logout: %s", got)
	}
	if n := counted(t, w, audit.AuthTokenRefreshed); n != 2 {
		t.Errorf("%d events of refreshes, want 2", n)
	}
	if n := counted(t, w, audit.AuthDeviceRegistered); n != 2 { // the browser, and the command line
		t.Errorf("%d events of devices, want 2", n)
	}
}

func TestDeviceLoginEndsAtItsInstant(t *testing.T) {
	w := walk(t, "device-ends", 3)
	cli := w.Entries.Visitor(w.Slug, "203.0.113.5")
	waits, approved := open(t, w, cli), open(t, w, cli)
	expect(t, w.Me, approvePath, typed(approved.UserCode), "204")
	shared.Clock.Advance(10*time.Minute - time.Millisecond)
	expect(t, cli, tokenPath, world.PollBody(waits.DeviceCode), "400 authorization_pending")
	expect(t, w.Me, lookupPath, typed(waits.UserCode), "200")
	shared.Clock.Advance(time.Millisecond)
	expect(t, cli, tokenPath, world.PollBody(waits.DeviceCode), "400 expired_token")
	expect(t, cli, tokenPath, world.PollBody(approved.DeviceCode), "400 expired_token")
	for _, path := range []string{lookupPath, approvePath, denyPath} {
		expect(t, w.Me, path, typed(waits.UserCode), "404 device_request_not_found")
	}
}

func TestDeniedDeviceLogin(t *testing.T) {
	w := walk(t, "device-denied", 3)
	cli := w.Entries.Visitor(w.Slug, "203.0.113.6")
	o := open(t, w, cli)
	before := counted(t, w, audit.AuthLoginRefused)
	expect(t, w.Me, denyPath, typed(o.UserCode), "204")
	if n := counted(t, w, audit.AuthLoginRefused) - before; n != 1 {
		t.Errorf("%d events of the denial", n)
	}
	expect(t, cli, tokenPath, world.PollBody(o.DeviceCode), "400 access_denied")
	expect(t, w.Me, approvePath, typed(o.UserCode), "404 device_request_not_found")
	expect(t, cli, tokenPath, world.PollBody(o.DeviceCode), "400 access_denied")
}

// TestOneRedemptionOneSuccess redeems one code at the same time from many
// places.
func TestOneRedemptionOneSuccess(t *testing.T) {
	w := walk(t, "device-race", 3)
	cli := w.Entries.Visitor(w.Slug, "203.0.113.7")
	o := open(t, w, cli)
	expect(t, w.Me, approvePath, typed(o.UserCode), "204")
	before := counted(t, w, audit.AuthLogin)
	var mu sync.Mutex
	var wait sync.WaitGroup
	outcomes := map[string]int{}
	for i := range 20 {
		v := w.Entries.Visitor(w.Slug, fmt.Sprintf("203.0.113.%d", 100+i))
		wait.Go(func() {
			a, err := v.Do(t.Context(), "POST", tokenPath, world.PollBody(o.DeviceCode))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			outcomes[told(a)]++
		})
	}
	wait.Wait()
	if outcomes["200"] != 1 || outcomes["200"]+outcomes["400 invalid_grant"]+outcomes["503 temporarily_unavailable"] != 20 {
		t.Errorf("20 redemptions ended as %v", outcomes)
	}
	expect(t, cli, tokenPath, world.PollBody(o.DeviceCode), "400 invalid_grant")
	if n := counted(t, w, audit.AuthLogin) - before; n != 1 {
		t.Errorf("%d sessions began", n)
	}
}

func TestSessionsOfCommandLinesEndWithTheOthers(t *testing.T) {
	w := walk(t, "device-end", 3)
	one, two := line(t, w), line(t, w)
	approved := open(t, w, one.Visit)
	expect(t, w.Me, approvePath, typed(approved.UserCode), "204")
	var sessions struct {
		Results []struct {
			ID, Kind string
			Current  bool
		}
	}
	if err := send(t, one.Visit, "GET", "/api/auth/sessions/", nil).Decode(http.StatusOK, &sessions); err != nil {
		t.Fatal(err)
	}
	for _, s := range sessions.Results {
		if s.Current {
			if s.Kind != "cli" {
				t.Errorf("the session of the command line is a %q", s.Kind)
			}
			if a := send(t, w.Me, "DELETE", "/api/auth/sessions/"+s.ID+"/", nil); a.Status != http.StatusNoContent {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
		}
	}
	if got := [2]string{status(t, one, one.Access), status(t, two, two.Access)}; got != [2]string{"401 session_invalid", "200"} {
		t.Errorf("after one was ended: %v", got)
	}
	expect(t, one.Visit, tokenPath, world.RefreshBody(w.Slug, one.Device, one.Refresh), "400 invalid_grant")
	expect(t, w.Me, "/api/auth/sessions/end-all/", nil, "204")
	if got := status(t, two, two.Access); got != "401 session_invalid" {
		t.Errorf("after all were ended: %s", got)
	}
	expect(t, two.Visit, tokenPath, world.RefreshBody(w.Slug, two.Device, two.Refresh), "400 invalid_grant")
	expect(t, one.Visit, tokenPath, world.PollBody(approved.DeviceCode), "400 invalid_grant")
}

// TestStepUpOfACommandLine holds that a command line has the proof of the
// browser that approved it, at that proof's own time, and cannot make another.
func TestStepUpOfACommandLine(t *testing.T) {
	w := walk(t, "device-stepup", 3)
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	shared.Clock.Advance(5 * time.Minute)
	l := line(t, w)
	a := send(t, l.Visit, "PATCH", "/api/workspaces/security/-/", map[string]int{"mfa_timeout": 800})
	if a.Status != http.StatusOK {
		t.Errorf("with a proof of five minutes: %s", told(a))
	}
	shared.Clock.Advance(9 * time.Minute) // the proof is 14 minutes old, the session 9
	a = send(t, l.Visit, "PATCH", "/api/workspaces/security/-/", map[string]int{"mfa_timeout": 810})
	if told(a) != "403 auth_mfa_required" || !strings.Contains(a.Header.Get("WWW-Authenticate"), `max_age="800"`) {
		t.Errorf("with a stale proof: %s, %q", told(a), a.Header.Get("WWW-Authenticate"))
	}
	closed := 0
	for _, row := range route.Rows {
		path := strings.ReplaceAll(row.Path, "{id}", w.Factors[0])
		if a := send(t, l.Visit, row.Method, path, map[string]string{}); (told(a) == "403 console_session_required") != row.Rule.Console {
			t.Errorf("%s %s: %s, in the console only: %t", row.Method, row.Path, told(a), row.Rule.Console)
		}
		if row.Rule.Console {
			closed++
		}
		if row.Path == "/api/auth/logout/" || row.Path == "/api/auth/sessions/end-all/" || row.Path == dropPath {
			if err := w.SignIn(t.Context()); err != nil { // its own session was ended, or its tokens
				t.Fatal(err)
			}
			l = line(t, w)
		}
	}
	if closed < 9 {
		t.Errorf("only %d rows are closed to command lines", closed)
	}
	half := w.Entries.Visitor(w.Slug, "192.0.2.99")
	expect(t, half, "/api/auth/signin/", map[string]string{"login": w.Email(), "password": world.Password}, "200")
	expect(t, half, approvePath, typed("BBBB-BBBB"), "401 sign_in_incomplete")
	expect(t, w.Entries.Visitor(w.Slug, "192.0.2.98"), approvePath, typed("BBBB-BBBB"), "401 authentication_required")
}

func TestLegacyLoginOpensNoDeviceLogin(t *testing.T) {
	w := walk(t, "device-legacy", 3)
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	l := line(t, w)
	patch := func(value string) visitor.Answer {
		return send(t, w.Me, "PATCH", "/api/workspaces/security/-/", map[string]string{"cli_login": value})
	}
	if a := patch("sometimes"); told(a) != "400 invalid_value" || a.Problem().Source != "cli_login" {
		t.Errorf("a bad value: %s %s", told(a), a.Body)
	}
	if a := patch("legacy"); a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	var env struct{ Auth0 map[string]string }
	if err := send(t, l.Visit, "GET", "/api/auth/env/", nil).Decode(http.StatusOK, &env); err != nil {
		t.Fatal(err)
	}
	if len(env.Auth0) != 1 || env.Auth0["method"] != "legacy" {
		t.Errorf("env %v", env.Auth0)
	}
	expect(t, l.Visit, openPath, opening(w.Slug), "400 unauthorized_client")
	if got := status(t, l, l.Access); got != "200" {
		t.Errorf("a session from before: %s", got)
	}
}

// TestFormsAreTaken sends what the text of the standards has: forms.
func TestFormsAreTaken(t *testing.T) {
	w := walk(t, "device-form", 3)
	client := w.Entries.Visitor(w.Slug, "203.0.113.12").Client
	post := func(path, body string) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, world.Origin(w.Slug)+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		a, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		var p struct{ Error string }
		if err := json.NewDecoder(a.Body).Decode(&p); err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(fmt.Sprint(a.StatusCode, " ", p.Error))
	}
	form := "client_id=paddock-cli&scope=cli+device%3A" + world.Device
	for body, want := range map[string]string{form: "200", form + "&client_id=paddock-cli": "400 invalid_request", form + "&%zz": "400 invalid_request", "": "401 invalid_client"} {
		if got := post(openPath, body); got != want {
			t.Errorf("%q: %s, want %s", body, got, want)
		}
	}
}
