package browser_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"paddock/localstack/engine"
	"paddock/shared/mfa"
)

// texted waits until so many texts went to a number and returns their codes, the
// newest first.
func (b *bench) texted(t *testing.T, to string, n int) []string {
	t.Helper()
	return await(t, "a text", func() ([]string, bool) {
		texts, err := b.Engine.Texts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, text := range slices.Backward(texts) {
			if text.PhoneNumber == to {
				out = append(out, text.Message[:6])
			}
		}
		return out, len(out) >= n
	})
}

// later lets the time go by after which another code may be sent, for the server
// and for the page that is open.
func (x *tab) later() {
	x.t.Helper()
	shared.Advance(x.t, mfa.ResendAfter)
	eval[bool](x, fmt.Sprintf(`(() => { const now = Date.now; Date.now = () => now() + %d; return true })()`, mfa.ResendAfter.Milliseconds()))
}

// waits sees that a button for another code tells how long it is of no use, and
// asks for nothing until then.
func (x *tab) waits(label string) {
	x.t.Helper()
	button := fmt.Sprintf(`[...document.querySelectorAll('button')].find((e) => /^%s \(wait \d+ s\)$/.test(e.textContent))`, label)
	x.until("the wait on "+label, button+"?.ariaDisabled === 'true'")
	asked := do(x, chromedp.Evaluate[int](`new Promise((tell) => {
		const send = window.fetch;
		let n = 0;
		window.fetch = (path, init) => { if (init?.method === 'POST') n++; return send(path, init); };
		`+button+`.click();
		setTimeout(() => { window.fetch = send; tell(n); });
	})`, chromedp.EvalAwaitPromise))
	if asked > 0 {
		x.t.Errorf("%s asks before its time", label)
	}
}

// unsent takes the sender's address from the mail service: it refuses what is
// sent. The returned function gives it back.
func (b *bench) unsent(t *testing.T) (restore func()) {
	t.Helper()
	service, sender := sesv2.NewFromConfig(b.Engine.AWSConfig()), aws.String(engine.Sender)
	if _, err := service.DeleteEmailIdentity(t.Context(), &sesv2.DeleteEmailIdentityInput{EmailIdentity: sender}); err != nil {
		t.Fatal(err)
	}
	return func() {
		if _, err := service.CreateEmailIdentity(t.Context(), &sesv2.CreateEmailIdentityInput{EmailIdentity: sender}); err != nil {
			t.Error(err)
		}
	}
}

// TestCodesByMail sets them up, signs in with one, and shows one that does not go
// out.
func TestCodesByMail(t *testing.T) {
	const address, masked = "mara@demo.example", "A code was mailed to m***@demo.example."
	x := shared.tab(t, wide()).with(shared.person(t, "mara", firefox))
	x.open("/enrolment?next=/account/security")
	x.page("Set up your sign-in method")
	x.toggle("Code by e-mail")
	x.text("a key or an app protects better")
	x.press("Send a code")
	x.text(masked)
	x.until("the focus in the code's field", `document.activeElement.name === 'code'`)
	x.waits("Mail me a new code")
	x.accessible()
	first := shared.codes(t, address, 1)[0]
	x.fill("Code", other(first))
	x.press("Confirm")
	x.text("The code is wrong or was used already.")
	x.fill("Code", first)
	x.press("Confirm")
	x.text("Save your recovery codes")
	x.toggle("I saved these codes")
	x.press("Continue")
	x.page("My security")
	x.until("the method", listed("Sign-in methods", "E-mail less secure")+" && "+listed("Sign-in methods", "Code by e-mail, since"))
	x.press("Add a sign-in method")
	x.page("Add a sign-in method")
	if eval[bool](x, "!!"+control(switches, "Code by e-mail")) {
		t.Error("codes by e-mail are offered twice")
	}
	x.press("Sign out")
	x.page("Sign in")

	// The next code is not sent at once, and the page says how long it takes.
	x.fill("Username or e-mail address", "mara")
	x.fill("Password", password)
	x.press("Sign in")
	x.page("Verify that it is you")
	x.as(look{width: 360, dark: true})
	x.tabTo("Mail me a code")
	x.key(kb.Enter)
	x.text("Too many codes were sent.")
	x.waits("Mail me a code")
	x.accessible()
	x.later()
	restore := shared.unsent(t)
	defer func() { restore() }()
	x.press("Mail me a code")
	x.text("The mail to m***@demo.example could not be delivered. Have a new code sent, or use another method.")
	x.accessible()
	restore()
	restore = func() {}
	x.later()
	x.press("Mail me a new code")
	x.text(masked)
	x.until("the focus in the code's field", `document.activeElement.name === 'code'`)
	x.key(shared.codes(t, address, 2)[0] + kb.Enter)
	x.page("My security")
}

// other returns another code.
func other(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

// TestCodesByText sets a phone up, steps up and signs in with it; an older code is
// worth nothing after a newer one.
func TestCodesByText(t *testing.T) {
	const number, masked = "+31687654399", "A code was sent to +31***99 by text message."
	theo := shared.person(t, "theo", firefox)
	shared.app(t, theo)
	x := shared.tab(t, wide()).with(theo)
	x.open("/account/security")
	x.page("My security")
	x.press("Add a sign-in method")
	x.page("Add a sign-in method")
	x.toggle("Code by telephone")
	x.fill("Name of the device", "Blue phone")
	x.fill("Phone number", "06 87654399")
	if eval[bool](x, "!!"+control(switches, "Call")) {
		t.Error("calls are offered where there are none")
	}
	x.press("Send a code")
	x.text("Write the number with its country: +, then 7 to 15 digits.")
	x.until("the focus in the number's field", `document.activeElement.name === 'phone'`)
	x.accessible()
	x.fill("Phone number", "+31 (6) 87-65 43.99")
	x.key(kb.Enter)
	x.text(masked)
	older := shared.texted(t, number, 1)[0]
	x.waits("Text me a new code")
	x.later()
	x.press("Text me a new code")
	newer := shared.texted(t, number, 2)[0]
	x.waits("Text me a new code")
	if older != newer {
		x.fill("Code", older)
		x.press("Confirm")
		x.text("The code is wrong or was used already.")
	}
	x.fill("Code", newer)
	x.press("Confirm")
	x.until("the phone", listed("Sign-in methods", "Code by telephone to +31***99, since")+" && "+listed("Sign-in methods", "Blue phone less secure"))
	x.accessible()

	shared.Advance(t, 16*time.Minute)
	x.as(look{width: 360, dark: true})
	x.renew()
	x.text("The six digits that your authenticator app shows now.")
	x.toggle("Text message to Blue phone, +31***99")
	x.accessible()
	x.as(look{width: 360, dark: true})
	x.tabTo("Text me a code")
	x.key(kb.Enter)
	x.text(masked)
	x.until("the focus in the code's field", `document.activeElement.name === 'code'`)
	x.accessible()
	x.key(shared.texted(t, number, 3)[0] + kb.Enter)
	x.text("Save your recovery codes")
	x.toggle("I saved these codes")
	x.press("Continue")
	x.later()
	x.press("Sign out")
	x.page("Sign in")
	x.fill("Username or e-mail address", "theo")
	x.fill("Password", password)
	x.press("Sign in")
	x.page("Verify that it is you")
	x.toggle("Text message to Blue phone, +31***99")
	x.press("Text me a code")
	x.text(masked)
	x.fill("Code", shared.texted(t, number, 4)[0])
	x.press("Verify")
	x.page("My security")
	x.press("Remove Blue phone")
	x.press("Remove")
	x.until("the app alone", listed("Sign-in methods", "App")+" && !"+listed("Sign-in methods", "Blue phone"))
}
