package browser_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"paddock/localstack/visitor"
)

// A line is a command line that signs in by browser, over https.
type line struct {
	*visitor.Visitor

	code     string
	complete string // the address that it shows
	device   string // the code that it keeps
}

// installation names what the command line is installed on.
const installation = "6c0f3f5a-3b5e-4f1e-9d57-0a4c8d1b2e37"

// over returns a client over https that trusts the checkout's authority and no
// other.
func (b *bench) over(t *testing.T) *visitor.Visitor {
	t.Helper()
	pem, err := os.ReadFile(filepath.Join(b.Root, ".local", "tls", "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatal("the checkout's authority is no certificate")
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	t.Cleanup(client.CloseIdleConnections)
	return &visitor.Visitor{Base: b.Secure, Client: client, Agent: "Go-http-client/1.1"}
}

// line begins a device login.
func (b *bench) line(t *testing.T) *line {
	t.Helper()
	l := &line{Visitor: b.over(t)}
	var env struct{ Auth0 map[string]string }
	if err := l.Want(t.Context(), http.StatusOK, http.MethodGet, "/api/auth/env/?client=cli", nil, &env); err != nil {
		t.Fatal(err)
	}
	if env.Auth0["method"] != "auth0" || "https://"+env.Auth0["domain"] != b.Secure {
		t.Fatalf("the command line is told %v", env.Auth0)
	}
	var opened struct {
		DeviceCode string `json:"device_code"`
		UserCode   string `json:"user_code"`
		Complete   string `json:"verification_uri_complete"`
	}
	b.must(t, l.Visitor, http.StatusOK, "/oauth/device/code/", map[string]string{
		"client_id": "paddock-cli", "scope": "cli org:demo device:" + installation, "audience": env.Auth0["audience"],
	}, &opened)
	l.code, l.complete, l.device = opened.UserCode, opened.Complete, opened.DeviceCode
	if l.complete != b.Secure+"/device#"+l.code {
		t.Fatalf("the command line shows %s", l.complete)
	}
	return l
}

// poll asks once whether the login was allowed. It returns the error of the
// answer, or none and the access token.
func (l *line) poll(t *testing.T) (refusal, access string) {
	t.Helper()
	a, err := l.Do(t.Context(), http.MethodPost, "/oauth/token/", map[string]string{
		"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": l.device, "client_id": "paddock-cli",
	})
	if err != nil {
		t.Fatal(err)
	}
	if refusal = a.OAuthError(); refusal != "" {
		return refusal, ""
	}
	var tokens struct {
		Access string `json:"access_token"`
	}
	if err := a.Decode(http.StatusOK, &tokens); err != nil {
		t.Fatal(err)
	}
	return "", tokens.Access
}

// key presses one key, or types.
func (x *tab) key(keys string) {
	x.t.Helper()
	do(x, chromedp.KeyEvent(keys))
}

// TestADeviceIsSignedIn follows the link of a command line on a narrow screen
// with the keyboard only, signs in on the way, and allows it; a second one is
// denied.
func TestADeviceIsSignedIn(t *testing.T) {
	shared.person(t, "dora", firefox)
	first := shared.line(t)
	x := shared.tab(t, look{width: 360})
	x.base = shared.Secure
	do(x, chromedp.Navigate(first.complete))
	x.page("Sign in")
	x.until("the focus in the first field", `document.activeElement.name === 'login'`)
	x.key("dora" + kb.Tab)
	x.key(password + kb.Enter)
	x.page("Sign a device in")
	x.until("the code", control(inputs, "Code")+`?.value === "`+first.code+`"`)
	if left := eval[string](x, "location.href"); strings.Contains(left, first.code) {
		t.Error("the code stays in the address")
	}
	x.accessible()
	x.as(look{width: 360})
	x.until("the focus in the code's field", `document.activeElement.name === 'user_code'`)
	x.key(kb.Enter)
	x.page("Sign this device in?")
	x.until("the focus on the heading", `document.activeElement.tagName === 'H1'`)
	for _, shown := range []string{first.code, installation, "Address 127.0.0.1", "Only go on if you started this yourself, on this device, just now."} {
		x.text(shown)
	}
	x.accessible()
	if refusal, _ := first.poll(t); refusal != "authorization_pending" {
		t.Errorf("before it was allowed the command line is answered %q", refusal)
	}
	x.as(look{width: 360})
	x.tabTo("Allow")
	x.key(kb.Enter)
	x.page("The device is signed in")
	x.accessible()
	refusal, access := first.poll(t)
	first.Access = access
	if status := shared.opens(t, first.Visitor); refusal != "" || status != http.StatusOK {
		t.Fatalf("the command line is answered %q, its token opens %d", refusal, status)
	}
	x.press("My sessions")
	x.page("My sessions")
	x.until("the session of the device", listed("Sessions", "Command line on device "+installation))
	x.accessible()

	// The second one's link is opened where the first one was.
	second := shared.line(t)
	do(x, chromedp.Navigate(second.complete))
	x.page("Sign a device in")
	x.fill("Code", "BBBB-BBBB")
	x.key(kb.Enter)
	x.until("a refusal", `document.activeElement.getAttribute('aria-invalid') === 'true'`)
	x.accessible()
	x.fill("Code", strings.ToLower(strings.ReplaceAll(second.code, "-", " "))) // as people type
	x.key(kb.Enter)
	x.page("Sign this device in?")
	x.tabTo("Deny")
	x.key(kb.Enter)
	x.page("The device was refused")
	x.accessible()
	if refusal, _ := second.poll(t); refusal != "access_denied" {
		t.Errorf("after it was denied the command line is answered %q", refusal)
	}

	// What was allowed ends in the list of sessions.
	x.press("My sessions")
	x.press("End the session on Command line on device " + installation)
	x.press("End session")
	x.until("no session of a device", "!("+listed("Sessions", installation)+")")
	if status := shared.opens(t, first.Visitor); status != http.StatusUnauthorized {
		t.Errorf("after its session was ended the access token opens %d", status)
	}
}
