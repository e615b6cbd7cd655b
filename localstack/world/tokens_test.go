package world_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/accesstoken"
	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/table"
)

// altered returns a secret with another last character.
func altered(secret string) string {
	last := "0"
	if strings.HasSuffix(secret, last) {
		last = "1"
	}
	return secret[:len(secret)-1] + last
}

func TestCodesAndTokensAreBound(t *testing.T) {
	w, other := walk(t, "device-bound", 3), walk(t, "device-other", 3)
	cli, there := w.Entries.Visitor(w.Slug, "203.0.113.8"), other.Entries.Visitor(other.Slug, "203.0.113.8")
	o := open(t, w, cli)
	poll := world.PollBody(o.DeviceCode)
	poll["client_id"] = "another"
	expect(t, cli, tokenPath, poll, "401 invalid_client")
	expect(t, there, tokenPath, world.PollBody(o.DeviceCode), "400 invalid_grant")
	expect(t, other.Me, lookupPath, typed(o.UserCode), "404 device_request_not_found")
	expect(t, other.Me, approvePath, typed(o.UserCode), "404 device_request_not_found")
	expect(t, cli, tokenPath, world.PollBody(altered(o.DeviceCode)), "400 invalid_grant")
	expect(t, cli, tokenPath, map[string]string{"client_id": "paddock-cli", "grant_type": "password"}, "400 unsupported_grant_type")
	expect(t, w.Me, approvePath, typed(o.UserCode), "204")
	l := line(t, w)
	got := redeemed(t, send(t, cli, "POST", tokenPath, world.PollBody(o.DeviceCode)))

	// Another workspace's host.
	if a := send(t, as(there, got.Access), "GET", "/api/status/", nil); told(a) != "401 session_invalid" {
		t.Errorf("an access token of another workspace: %s", told(a))
	}
	expect(t, there, tokenPath, world.RefreshBody(other.Slug, world.Device, got.Refresh), "400 invalid_grant")
	expect(t, there, revokePath, map[string]string{"client_id": "paddock-cli", "token": got.Refresh}, "200")
	if s := status(t, l, got.Access); s != "200" {
		t.Errorf("another host ended the session: %s", s)
	}
	// Nothing else than the access token opens the API.
	claims := claimsOf(t, got.Access)
	for name, bearer := range map[string]string{
		"refresh token": got.Refresh, "device code": o.DeviceCode, "bare handle": claims["handle"].(string),
		"access token without its signature":  got.Access[:strings.LastIndex(got.Access, ".")+1],
		"access token with another signature": got.Access[:strings.LastIndex(got.Access, ".")] + l.Access[strings.LastIndex(l.Access, "."):],
	} {
		if s := status(t, l, bearer); s != "401 session_invalid" {
			t.Errorf("%s: %s", name, s)
		}
	}
	// A scope beyond the grant, and one without installation.
	for _, scope := range []string{"cli org:device-bound", "cli admin device:" + world.Device, "cli org:device-other device:" + world.Device, ""} {
		body := world.RefreshBody(w.Slug, world.Device, got.Refresh)
		body["scope"] = scope
		expect(t, cli, tokenPath, body, "400 invalid_scope")
	}
	for _, scope := range []string{"cli org:device-bound", "cli device:short", "openid device:" + world.Device, "cli  device:" + world.Device} {
		body := opening(w.Slug)
		body["scope"] = scope
		expect(t, cli, openPath, body, "400 invalid_scope")
	}
	body := opening(w.Slug)
	body["audience"] = world.Origin(other.Slug)
	expect(t, cli, openPath, body, "400 invalid_target")
	body = opening(w.Slug)
	body["client_id"] = "another"
	expect(t, cli, openPath, body, "401 invalid_client")
}

// claimsOf returns what a token says, as a client reads it.
func claimsOf(t *testing.T, access string) map[string]any {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(access, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(payload, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestASignatureAloneOpensNothing signs with the workspace's own key, as a
// function that holds it could: without the handle of a session nothing opens.
func TestASignatureAloneOpensNothing(t *testing.T) {
	w := walk(t, "device-signed", 3)
	one, two := line(t, w), line(t, w)
	store, err := shared.Store()
	if err != nil {
		t.Fatal(err)
	}
	key, err := store.SigningKey(t.Context(), authz.ForTask(w.ID, "test"), "access token")
	if err != nil {
		t.Fatal(err)
	}
	claims := func(access string) (c accesstoken.Claims) {
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(access, ".")[1])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(payload, &c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	mine, other := claims(one.Access), claims(two.Access)
	invented, err := credential.New(rand.Reader, credential.Device, w.ID.UUID(), id.UUID{15: 1})
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(c *accesstoken.Claims){
		"":                               func(*accesstoken.Claims) {},
		"another session's handle":       func(c *accesstoken.Claims) { c.Handle = other.Handle },
		"another session":                func(c *accesstoken.Claims) { c.Session = other.Session },
		"no session":                     func(c *accesstoken.Claims) { c.Session = strings.Repeat("00", 32) },
		"another user":                   func(c *accesstoken.Claims) { c.Subject = id.UUID{15: 1}.String() },
		"an invented handle":             func(c *accesstoken.Claims) { c.Handle = invented.Reveal() },
		"the issuer of another":          func(c *accesstoken.Claims) { c.Issuer = world.Origin("device") },
		"the audience of another":        func(c *accesstoken.Claims) { c.Audience = world.Origin("device") },
		"a life beyond that of a token":  func(c *accesstoken.Claims) { c.ExpiresAt += 3600 },
		"the end of a token gone before": func(c *accesstoken.Claims) { c.ExpiresAt = shared.Clock.Now().Unix() },
	} {
		c := mine
		change(&c)
		text, err := accesstoken.Sign(key, c)
		if err != nil {
			t.Fatal(err)
		}
		want := "401 session_invalid"
		if name == "" {
			want = "200"
		}
		if got := status(t, one, text); got != want {
			t.Errorf("signed with %q: %s, want %s", name, got, want)
		}
	}
	again, err := accesstoken.Sign([accesstoken.KeySize]byte{}, mine)
	if err != nil {
		t.Fatal(err)
	}
	if got := status(t, one, again); got != "401 session_invalid" {
		t.Errorf("signed with another key: %s", got)
	}
}

// TestAccessTokenNeedsNoMoreReads counts what the first request of a cold
// function needs for an access token: its key comes with the one read.
func TestAccessTokenNeedsNoMoreReads(t *testing.T) {
	w := walk(t, "device-cold", 3)
	l := line(t, w)
	r := &world.Recorder{}
	if err := w.Cold(r); err != nil {
		t.Fatal(err)
	}
	v := w.Entries.Visitor(w.Slug, "198.51.100.44")
	v.Access = l.Access
	if a := send(t, v, "GET", "/api/status/", nil); a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	count := map[string]int{}
	for _, c := range r.Calls() {
		if c.Guard || c.Service == "KMS" { // what was used is read beside the handler
			count[c.Operation]++
		}
	}
	if want := map[string]int{"BatchGetItem": 1, "Decrypt": 2}; !maps.Equal(count, want) {
		t.Errorf("a cold request makes %v, want %v", count, want)
	}
}

func TestAnotherInstallationEndsTheSession(t *testing.T) {
	w := walk(t, "device-stolen", 3)
	l := line(t, w)
	thief := w.Entries.Visitor(w.Slug, "192.0.2.200")
	expect(t, thief, tokenPath, world.RefreshBody(w.Slug, "11111111-2222-4333-8444-555555555555", l.Refresh), "400 invalid_grant")
	if got := status(t, l, l.Access); got != "401 session_invalid" {
		t.Errorf("the access token still opens: %s", got)
	}
	expect(t, l.Visit, tokenPath, world.RefreshBody(w.Slug, world.Device, l.Refresh), "400 invalid_grant")
	if n := counted(t, w, audit.AuthTokenReuseDetected); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
}

// TestProcessesOfOneInstallationRefreshTogether holds that refreshes at the
// same time are not in each other's way, and that all their tokens are good.
func TestProcessesOfOneInstallationRefreshTogether(t *testing.T) {
	w := walk(t, "device-parallel", 3)
	l := line(t, w)
	var mu sync.Mutex
	var wait sync.WaitGroup
	var answers []visitor.Answer
	for i := range 8 {
		v := w.Entries.Visitor(w.Slug, fmt.Sprintf("203.0.113.%d", 150+i))
		wait.Go(func() {
			a, err := v.Do(t.Context(), "POST", tokenPath, world.RefreshBody(w.Slug, l.Device, l.Refresh))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			answers = append(answers, a)
		})
	}
	wait.Wait()
	good := 0
	for _, a := range answers {
		if told(a) == "503 temporarily_unavailable" { // the engine let it wait too long
			continue
		}
		good++
		if got := status(t, l, redeemed(t, a).Access); got != "200" {
			t.Errorf("a token of a refresh at the same time: %s", got)
		}
	}
	if n := counted(t, w, audit.AuthTokenRefreshed); n != good || good < 2 {
		t.Errorf("%d refreshes succeeded, %d have an event", good, n)
	}
}

func TestAccessTokenAndSessionEndAtTheirInstants(t *testing.T) {
	w := walk(t, "device-clock", 3)
	shared.Clock.Advance(shared.Clock.Now().Truncate(time.Second).Add(time.Second).Sub(shared.Clock.Now())) // tokens count whole seconds
	l := line(t, w)
	began := shared.Clock.Now()
	shared.Clock.Advance(15*time.Minute - time.Millisecond)
	if got := status(t, l, l.Access); got != "200" {
		t.Errorf("a millisecond before its end: %s", got)
	}
	shared.Clock.Advance(time.Millisecond)
	if got := status(t, l, l.Access); got != "401 session_invalid" {
		t.Errorf("at its end: %s", got)
	}
	shared.Clock.Advance(began.Add(24*time.Hour - 5*time.Minute).Sub(shared.Clock.Now()))
	last := redeemed(t, send(t, l.Visit, "POST", tokenPath, world.RefreshBody(w.Slug, l.Device, l.Refresh)))
	if last.Life != 300 {
		t.Errorf("a token at the end of its session lasts %d seconds, want 300", last.Life)
	}
	shared.Clock.Advance(5*time.Minute - time.Millisecond)
	if got := status(t, l, last.Access); got != "200" {
		t.Errorf("a millisecond before the end of the session: %s", got)
	}
	shared.Clock.Advance(time.Millisecond)
	if got := status(t, l, last.Access); got != "401 session_invalid" {
		t.Errorf("at the end of the session: %s", got)
	}
	expect(t, l.Visit, tokenPath, world.RefreshBody(w.Slug, l.Device, l.Refresh), "400 invalid_grant")
}

func TestDisabledAccountHasNoTokens(t *testing.T) {
	w := walk(t, "device-disabled", 3)
	l := line(t, w)
	approved := open(t, w, l.Visit)
	expect(t, w.Me, approvePath, typed(approved.UserCode), "204")
	edit(t, w, func(u *identity.User) { u.Disabled = true })
	if got := status(t, l, l.Access); got != "401 session_invalid" {
		t.Errorf("the access token: %s", got)
	}
	expect(t, l.Visit, tokenPath, world.RefreshBody(w.Slug, l.Device, l.Refresh), "400 invalid_grant")
	expect(t, l.Visit, tokenPath, world.PollBody(approved.DeviceCode), "400 invalid_grant")
}

// TestRoleIsReadAndNotRemembered demotes a user whose token is from before.
func TestRoleIsReadAndNotRemembered(t *testing.T) {
	w := walk(t, "device-demoted", 3)
	l := line(t, w)
	patch := func(seconds int) string {
		return told(send(t, l.Visit, "PATCH", "/api/workspaces/security/-/", map[string]int{"mfa_timeout": seconds}))
	}
	if got := patch(700); got != "200" {
		t.Fatalf("the superuser's command line: %s", got)
	}
	edit(t, w, func(u *identity.User) { u.Role = authz.Member })
	if got := patch(710); got != "403 permission_denied" {
		t.Errorf("after the demotion: %s", got)
	}
	if got := status(t, l, l.Access); got != "200" {
		t.Errorf("what everybody may: %s", got)
	}
}

// edit changes the account of a walk as root.
func edit(t *testing.T, w *world.Walk, change func(*identity.User)) {
	t.Helper()
	store, err := shared.Store()
	if err != nil {
		t.Fatal(err)
	}
	me := struct{ ID string }{}
	by := authz.ForTask(w.ID, "test")
	if err := w.Me.Want(t.Context(), http.StatusOK, "GET", "/api/iam/users/-/", nil, &me); err != nil {
		t.Fatal(err)
	}
	user, err := id.Parse[id.Principal](me.ID)
	if err != nil {
		t.Fatal(err)
	}
	item, ok, err := store.One(t.Context(), by, identity.UserKey(w.ID, user))
	if err != nil || !ok {
		t.Fatal(err)
	}
	u, err := identity.DecodeUser(item)
	if err != nil {
		t.Fatal(err)
	}
	change(&u)
	e := audit.New(audit.UserCreated, shared.Clock.Now()).WithActor(audit.Actor{Type: audit.SystemActor, Username: "test"}).WithDescription("An account was changed by a test.")
	if err := store.Commit(t.Context(), by, table.Change{Events: []audit.Event{e}, Ops: []table.Op{identity.SaveUser(item, u)}}); err != nil {
		t.Fatal(err)
	}
}
