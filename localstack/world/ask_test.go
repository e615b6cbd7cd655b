package world_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"paddock/localstack/visitor"
	"paddock/localstack/world"
)

// The paths of a verification that a command line asks for.
const (
	askPath       = "/api/auth0/mfa/?location=cli&workspace=x"
	givenPath     = "/api/auth0/mfa/completion/"
	askLookupPath = "/api/auth/mfa/requests/lookup/"
	givePath      = "/api/auth/mfa/requests/give/"
)

// link asks for a verification and returns what its page posts.
func link(t *testing.T, v *visitor.Visitor) map[string]string {
	t.Helper()
	var out struct {
		URL string `json:"mfa_url"`
	}
	if err := want(t, v, http.StatusOK, "GET", askPath, nil).Decode(http.StatusOK, &out); err != nil {
		t.Fatal(err)
	}
	page, secret, ok := strings.Cut(out.URL, "#")
	if !ok || !strings.HasSuffix(page, "/verify") || !strings.HasPrefix(page, "https://") {
		t.Fatalf("the link is %q", out.URL)
	}
	return map[string]string{"token": secret}
}

// completed reports what a command line is told of its verification.
func completed(t *testing.T, v *visitor.Visitor) bool {
	t.Helper()
	var out struct{ Completed bool }
	if err := want(t, v, http.StatusOK, "GET", givenPath, nil).Decode(http.StatusOK, &out); err != nil {
		t.Fatal(err)
	}
	return out.Completed
}

// TestACommandLineIsVerifiedInTheBrowser makes a protected change with a command
// line whose proof is stale: only its owner's fresh proof in a browser opens it,
// for that command line and as long as the proof lasts.
func TestACommandLineIsVerifiedInTheBrowser(t *testing.T) {
	w := walk(t, "asking", 3)
	cli, second := line(t, w), line(t, w)
	mia := made(t, w, "mia", "member", "203.0.113.180")
	mias := withApp(t, mia.Visitor)
	shared.Clock.Advance(20 * time.Minute)
	renew := func(l *world.CommandLine) {
		t.Helper()
		l.Visit.Access = redeemed(t, send(t, l.Visit, "POST", tokenPath, world.RefreshBody(w.Slug, l.Device, l.Refresh))).Access
	}
	renew(cli)
	renew(second)
	body := map[string]int{"mfa_timeout": 800}
	refused(t, cli.Visit, "auth_mfa_required", "PATCH", security, body)
	if completed(t, cli.Visit) {
		t.Error("a stale proof completes")
	}
	asked := link(t, cli.Visit)
	var shown struct {
		Address   string
		UserAgent string `json:"user_agent"`
	}
	// Another person, fresh or not, sees and gives nothing.
	want(t, mia.Visitor, http.StatusOK, "POST", begun(t, mia.Visitor, "otp", "step_up"), mias.code(t))
	refused(t, mia.Visitor, "verification_not_found", "POST", askLookupPath, asked)
	refused(t, mia.Visitor, "verification_not_found", "POST", givePath, asked)
	refused(t, cli.Visit, "console_session_required", "POST", givePath, asked)
	// The owner is shown who asks, and must verify first.
	if err := want(t, w.Me, http.StatusOK, "POST", askLookupPath, asked).Decode(http.StatusOK, &shown); err != nil || shown.Address != "198.51.100.44" {
		t.Errorf("shown is %+v, %v", shown, err)
	}
	refused(t, w.Me, "auth_mfa_required", "POST", givePath, asked)
	if completed(t, cli.Visit) {
		t.Error("a verification that nobody gave completes")
	}
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	shared.Clock.Advance(10 * time.Second)
	want(t, w.Me, http.StatusNoContent, "POST", givePath, asked)
	refused(t, w.Me, "verification_not_found", "POST", givePath, asked)
	if !completed(t, cli.Visit) || completed(t, second.Visit) {
		t.Error("the verification does not complete for the command line that asked, and for it alone")
	}
	renew(cli) // as the command line does
	fresh := cli.Visit
	want(t, fresh, http.StatusOK, "PATCH", security, body)
	refused(t, second.Visit, "auth_mfa_required", "PATCH", security, body)
	// It lasts as long as the browser's own: a timeout after that was given.
	shared.Clock.Advance(800*time.Second - 10*time.Second - time.Nanosecond)
	renew(cli)
	want(t, fresh, http.StatusOK, "PATCH", security, map[string]int{"mfa_timeout": 800, "session_idle_timeout": 7200})
	shared.Clock.Advance(time.Nanosecond)
	renew(cli)
	refused(t, fresh, "auth_mfa_required", "PATCH", security, map[string]int{"session_idle_timeout": 7000})
	// A link ends with its time, and a session with what it asked.
	asked = link(t, fresh)
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	shared.Clock.Advance(5 * time.Minute)
	refused(t, w.Me, "verification_not_found", "POST", askLookupPath, asked)
	refused(t, w.Me, "verification_not_found", "POST", givePath, asked)
	renew(second)
	asked = link(t, second.Visit)
	want(t, second.Visit, http.StatusOK, "POST", revokePath, map[string]string{"client_id": "paddock-cli", "token": second.Refresh})
	refused(t, w.Me, "verification_not_found", "POST", givePath, asked)
	for _, wrong := range []string{"", "x", w.Me.Cookie()} {
		refused(t, w.Me, "verification_not_found", "POST", askLookupPath, map[string]string{"token": wrong})
	}
	// Sessions that earn their proof otherwise, or hold none, are told so.
	refused(t, w.Me, "device_session_required", "GET", askPath, nil)
	refused(t, w.Me, "device_session_required", "GET", givenPath, nil)
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestAPasswordSessionCannotAsk asks with a command line that signed in by
// password.
func TestAPasswordSessionCannotAsk(t *testing.T) {
	w := relaxed(t, "cannotask")
	mia := made(t, w, "mia", "member", "203.0.113.181")
	var out struct{ Token string }
	if err := want(t, mia.Visitor, http.StatusOK, "POST", "/api/auth/login/", map[string]string{"username": mia.email, "password": mia.word}).Decode(http.StatusOK, &out); err != nil {
		t.Fatal(err)
	}
	cli := w.Entries.Visitor(w.Slug, "203.0.113.181")
	cli.Bearer = out.Token
	refused(t, cli, "mfa_session_required", "GET", askPath, nil)
	refused(t, cli, "mfa_session_required", "GET", givenPath, nil)
}
