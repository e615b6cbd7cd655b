package browser_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestMemberUsesTheKeyboardOnly signs in, goes round and signs out without a
// mouse, on a narrow screen.
func TestMemberUsesTheKeyboardOnly(t *testing.T) {
	mia := shared.Account(t, "member")
	x := shared.tab(t, look{width: 360, dark: true})
	x.open("/")
	x.page("Sign in")
	x.until("the focus in the first field", `document.activeElement.name === 'login'`)
	do(x, chromedp.KeyEvent(mia.Username+kb.Tab))
	do(x, chromedp.KeyEvent(mia.Password+kb.Enter))
	x.page("My security")
	x.until("the focus on the heading", `document.activeElement.tagName === 'H1'`)

	x.open("/account/sessions")
	x.page("My sessions")
	x.tabTo("Skip to the content")
	do(x, chromedp.KeyEvent(kb.Enter))
	x.until("the focus in the content", `document.activeElement.id === 'content'`)
	x.text("This session")
	x.tabTo("End all sessions")
	do(x, chromedp.KeyEvent(kb.Enter))
	x.text("You are signed out everywhere, here too.")
	x.until("the focus on what changes nothing", `document.activeElement.textContent === 'Cancel'`)
	do(x, chromedp.KeyEvent(kb.Escape))
	x.until("no dialog", `!document.querySelector('[role=alertdialog]')`)
	x.until("the focus back where it was", `document.activeElement.textContent === 'End all sessions'`)

	x.open("/account/security")
	x.page("My security")
	x.tabTo("Audit log")
	do(x, chromedp.KeyEvent(kb.Enter))
	x.page("Audit log")
	x.until("the focus on the heading", `document.activeElement.tagName === 'H1'`)
	x.text("What you did and what was done to your account")
	if strings.Contains(eval[string](x, `document.querySelector('nav').innerText`), "Settings") {
		t.Error("a member is led to the settings")
	}
	x.as(wide())
	x.accessible()

	x.open("/settings/security")
	x.page("Workspace security")
	x.until("a refusal", `!!document.querySelector('[role=alert]')`)
	if eval[bool](x, "!!"+control(buttons, "Save")) {
		t.Error("a member is offered to save settings")
	}
	x.accessible()
	x.tabTo("Sign out")
	do(x, chromedp.KeyEvent(" "))
	x.page("Sign in")
}

// TestStaffReadsTheSettings sees the values without a way to change them.
func TestStaffReadsTheSettings(t *testing.T) {
	stan := shared.Account(t, "staff")
	x := shared.tab(t, wide())
	x.signIn(stan.Email, stan.Password, stan.TOTPSecret)
	x.press("Settings")
	x.page("Workspace security")
	x.text("Only superusers can change these settings.")
	if eval[bool](x, "!!"+control(buttons, "Save")) {
		t.Error("staff is offered to save settings")
	}
	x.accessible()
}

// TestSessionEndedElsewhere is sent to the sign-in page at the next request.
func TestSessionEndedElsewhere(t *testing.T) {
	mia := shared.Account(t, "member")
	here, there := shared.tab(t, wide()), shared.tab(t, wide())
	here.signIn(mia.Username, mia.Password, "")
	shared.Advance(t, time.Minute)
	there.signIn(mia.Username, mia.Password, "")
	there.press("My sessions")
	there.page("My sessions")
	there.until("two sessions", `document.querySelectorAll('[aria-label=Sessions] > li').length >= 2`)
	there.press("End all sessions")
	there.press("End all")
	there.page("Sign in")
	here.press("Audit log")
	here.page("Sign in")
	here.text("Your session has ended. Sign in again.")
	here.accessible()
}

// TestSignInLeadsNowhereElse follows links that ask to go to another site
// after signing in.
func TestSignInLeadsNowhereElse(t *testing.T) {
	mia := shared.Account(t, "member")
	for _, c := range []struct{ name, next string }{
		{"another host", "https%3A%2F%2Fevil.example%2F"},
		{"another host without scheme", "%2F%2Fevil.example%2F"},
		{"backslash", "%2F%5Cevil.example%2F"},
		{"script", "javascript%3Aalert(1)"},
		{"dots that end in two slashes", "%2F.%2F%2Fevil.example"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := shared.tab(t, wide())
			x.open("/signin?next=" + c.next)
			x.page("Sign in")
			x.fill("Username or e-mail address", mia.Username)
			x.fill("Password", mia.Password)
			x.press("Sign in")
			x.page("My security")
			if at := eval[string](x, "location.href"); at != shared.Env.BaseURL+"/account/security" {
				t.Fatalf("signing in led to %s", at)
			}
		})
	}
}
