package browser_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"paddock/localstack/visitor"
)

// The authenticators that tests plug into a tab: a security key that can verify
// nobody, and a device that verifies its owner and keeps passkeys.
var (
	usbKey = webauthn.VirtualAuthenticatorOptions{ //nolint:gochecknoglobals // a constant
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportUsb, AutomaticPresenceSimulation: true,
	}
	phone = webauthn.VirtualAuthenticatorOptions{ //nolint:gochecknoglobals // a constant
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true,
		HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}
)

// plug gives the tab an authenticator.
func (x *tab) plug(o webauthn.VirtualAuthenticatorOptions) webauthn.AuthenticatorID {
	x.t.Helper()
	command(x, webauthn.Enable, webauthn.EnableParams{})
	return command(x, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &o}).AuthenticatorID
}

// count sets the counter of the one key of an authenticator.
func (x *tab) count(a webauthn.AuthenticatorID, n float64) {
	x.t.Helper()
	held := command(x, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: a}).Credentials
	if len(held) != 1 {
		x.t.Fatalf("the authenticator holds %d keys", len(held))
	}
	command(x, webauthn.SetCredentialProperties, webauthn.SetCredentialPropertiesParams{AuthenticatorID: a, CredentialID: held[0].CredentialID, SignCount: &n})
}

// add sets up a method that is a key, from the page of one's own security, and
// takes the recovery codes.
func (x *tab) add(method, name string) {
	x.t.Helper()
	x.press("Add a sign-in method")
	x.page("Add a sign-in method")
	x.toggle(method)
	x.fill("Name of the device", name)
	x.accessible()
	x.press("Next")
	x.text("Save your recovery codes")
	x.toggle("I saved these codes")
	x.press("Continue")
	x.text(name)
	x.accessible()
}

// renew asks for new recovery codes, which is protected.
func (x *tab) renew() {
	x.t.Helper()
	x.press("Make new recovery codes")
	x.press("Make new codes")
	x.text("To make new recovery codes you verify your second factor.")
}

// TestASecurityKey is a second factor: at sign-in, with the keyboard only, and
// before a protected action. A copy of it is refused and told.
func TestASecurityKey(t *testing.T) {
	x := shared.tab(t, wide()).with(shared.person(t, "kim", firefox))
	key := x.plug(usbKey)
	x.open("/account/security")
	x.page("My security")
	x.add("Security key", "Yellow key")
	x.press("Sign out")
	x.page("Sign in")

	x.fill("Username or e-mail address", "kim")
	x.fill("Password", password)
	x.press("Sign in")
	x.page("Verify that it is you")
	x.accessible()
	x.as(look{width: 360, dark: true})
	x.tabTo("Verify")
	x.key(kb.Enter)
	x.page("My security")
	x.as(wide())

	shared.Advance(t, 16*time.Minute)
	x.count(key, 0)
	x.renew()
	x.accessible()
	x.press("Verify")
	x.text("This key counted backwards: there may be a copy of it.")
	x.accessible()
	x.count(key, 100)
	x.press("Verify")
	x.text("Save your recovery codes")
	await(t, "the notice of the copy", func() (bool, bool) {
		mails, err := shared.Engine.Mails(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mails {
			if len(m.To) == 1 && m.To[0] == "kim@demo.example" && strings.Contains(m.BodyText, "copy") {
				return true, true
			}
		}
		return false, false
	})
}

// TestAPasskey signs in alone with a device that verifies its owner, steps up,
// and answers no page but the console's.
func TestAPasskey(t *testing.T) {
	x := shared.tab(t, wide()).with(shared.person(t, "pia", firefox))
	device := x.plug(phone)
	x.open("/account/security")
	x.page("My security")
	x.add("Fingerprint or face", "My phone")
	command(x, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: device})
	x.press("Sign out")
	x.page("Sign in")
	x.accessible()
	x.press("Sign in with a passkey")
	x.text("There was no answer: it was cancelled")
	x.accessible()
	command(x, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: device, IsUserVerified: true})
	x.press("Sign in with a passkey")
	x.page("My security")

	shared.Advance(t, 16*time.Minute)
	x.renew()
	x.press("Verify")
	x.text("Save your recovery codes")
	x.toggle("I saved these codes")
	x.press("Continue")

	// Mail of each verification, as its owner wants it.
	x.toggle("Mail me each verification")
	x.until("the setting", control(switches, "Mail me each verification")+"?.checked")
	x.open("/account/security")
	x.until("the setting kept", control(switches, "Mail me each verification")+"?.checked")

	// A virtual device takes what the field of the name offers at once.
	x.press("My sessions")
	x.page("My sessions")
	x.text("with fingerprint or face")
	x.press("Sign out")
	x.page("My security")
	x.foreign(t)
}

// foreign asks the tab's passkey from pages of somebody else, who then gives
// what it answers.
func (x *tab) foreign(t *testing.T) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>Prizes</title><main><h1>Prizes</h1></main>`))
	}))
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	mallory := &visitor.Visitor{Base: shared.Env.BaseURL}
	ask := func(host string) (id, answer string) {
		var asked struct {
			ID       string
			WebAuthn json.RawMessage `json:"webauthn"`
		}
		shared.must(t, mallory, http.StatusCreated, "/api/auth/passkey/challenges/", nil, &asked)
		do(x, chromedp.Navigate("http://"+host+":"+at.Port()+"/"))
		x.until("the foreign page", `document.querySelector('h1')?.textContent === 'Prizes'`)
		return asked.ID, do(x, chromedp.Evaluate[string](`navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(`+string(asked.WebAuthn)+`) })
			.then((c) => JSON.stringify(c.toJSON()), (e) => e.name)`, chromedp.EvalAwaitPromise))
	}
	if _, answer := ask("evil.localhost"); answer != "SecurityError" {
		t.Errorf("a page of another host is answered %.80s", answer)
	}
	// This host at another port gets an answer, which names that port.
	id, answer := ask("localhost")
	if !strings.HasPrefix(answer, "{") {
		t.Fatalf("this host at another port is answered %s", answer)
	}
	a, err := mallory.Do(t.Context(), http.MethodPost, "/api/auth/passkey/challenges/"+id+"/verify/", map[string]any{"credential": json.RawMessage(answer)})
	if err != nil || a.Problem().Code != "invalid_credentials" {
		t.Errorf("an answer made for another origin: %d %s, %v", a.Status, a.Body, err)
	}
	x.logged() // what the browser says of the foreign pages
}

// TestACommandLineIsVerified follows the link that a command line shows when its
// verification is too old.
func TestACommandLineIsVerified(t *testing.T) {
	vera := shared.person(t, "vera", firefox)
	secret := shared.app(t, vera)
	shared.Advance(t, 9*time.Minute) // so that the proof ends before the access token does
	l := shared.line(t)
	shared.must(t, vera, http.StatusNoContent, "/api/auth/device/approve/", map[string]string{"user_code": l.code}, nil)
	if _, l.Access = l.poll(t); l.Access == "" {
		t.Fatal("the command line is not signed in")
	}
	shared.Advance(t, 7*time.Minute)
	token := l.asks(t)
	completed := func() (out struct{ Completed bool }) {
		t.Helper()
		if err := l.Want(t.Context(), http.StatusOK, http.MethodGet, "/api/auth0/mfa/completion/", nil, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	x := shared.tab(t, look{width: 360, dark: true}).with(vera)
	x.follow(t, "/verify", token, "Verify this command line?")
	x.as(look{width: 360, dark: true})
	x.text("Only go on if you started this yourself, on this command line, just now.")
	x.text("Address 127.0.0.1")
	x.tabTo("Verify")
	x.key(kb.Enter)
	x.text("To verify a command line you verify your second factor.")
	x.until("the focus in the code's field", `document.activeElement.name === 'code'`)
	if completed().Completed {
		t.Error("the command line goes on before its owner verified")
	}
	x.key(shared.Code(t, secret) + kb.Enter)
	x.page("The command line is verified")
	x.accessible()
	if !completed().Completed {
		t.Error("the command line does not go on after its owner verified")
	}
	// A link opens once.
	x.open("/account/security")
	x.page("My security")
	x.open("/verify#" + token)
	x.text("This verification has ended, or is not yours.")
	x.accessible()
	// Who must sign in on the way has verified with that.
	y := shared.tab(t, wide())
	y.open("/verify#" + l.asks(t))
	y.page("Sign in")
	y.fill("Username or e-mail address", "vera")
	y.fill("Password", password)
	y.press("Sign in")
	y.page("Verify that it is you")
	y.fill("Code", shared.Code(t, secret))
	y.press("Verify")
	y.page("Verify this command line?")
	y.press("Verify")
	y.page("The command line is verified")
}

// asks asks for a verification and returns the secret of its link.
func (l *line) asks(t *testing.T) string {
	t.Helper()
	var asked struct {
		URL string `json:"mfa_url"`
	}
	if err := l.Want(t.Context(), http.StatusOK, http.MethodGet, "/api/auth0/mfa/", nil, &asked); err != nil {
		t.Fatal(err)
	}
	page, token, _ := strings.Cut(asked.URL, "#")
	if page != shared.Secure+"/verify" {
		t.Fatalf("the command line shows %s", page)
	}
	return token
}

// app gives a visitor an authenticator app and returns its secret.
func (b *bench) app(t *testing.T, v *visitor.Visitor) string {
	t.Helper()
	var factor struct{ ID, Secret string }
	b.must(t, v, http.StatusCreated, "/api/auth/mfa/factors/", map[string]string{"method": "otp", "name": "App"}, &factor)
	b.must(t, v, http.StatusOK, "/api/auth/mfa/factors/"+factor.ID+"/confirm/", map[string]string{"code": b.Code(t, factor.Secret)}, nil)
	return factor.Secret
}
