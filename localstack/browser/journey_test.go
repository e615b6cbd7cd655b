package browser_test

import (
	"strings"
	"testing"
	"time"
)

// password is that of accounts that tests make.
const password = "seven-green-kettles-hum-along"

// signIn signs in with password and, when there is a secret, a one-time code.
func (x *tab) signIn(login, word, secret string) {
	x.t.Helper()
	x.open("/signin")
	x.page("Sign in")
	x.fill("Username or e-mail address", login)
	x.fill("Password", word)
	x.press("Sign in")
	if secret != "" {
		x.page("Verify that it is you")
		x.fill("Code", shared.Code(x.t, secret))
		x.press("Verify")
	}
	x.page("My security")
}

// enrol sets up an authenticator app on the page that is open and returns its
// secret and the recovery codes.
func (x *tab) enrol() (secret string, codes []string) {
	x.t.Helper()
	x.toggle("Authenticator app")
	x.press("Next")
	secret = x.secret()
	x.until("the QR code", `(() => { const i = document.querySelector('img.qr'); return i.complete && i.naturalWidth > 0 })()`)
	x.accessible()
	x.fill("Code", shared.Code(x.t, secret))
	x.press("Confirm")
	x.text("Save your recovery codes")
	codes = eval[[]string](x, `[...document.querySelectorAll('.codes code')].map((e) => e.textContent)`)
	if len(codes) != 10 {
		x.t.Fatalf("%d recovery codes are shown", len(codes))
	}
	return secret, codes
}

// TestJourneyOfAnInvitedSuperuser is the first whole journey in a browser: the
// mailed link, a password, an authenticator app, a protected change that asks
// for a step-up, the audit log, a recovery code, the end of all sessions.
func TestJourneyOfAnInvitedSuperuser(t *testing.T) {
	link := shared.invite(t, "ines@demo.example", true)
	x := shared.tab(t, wide())

	x.open("/invitation#" + link)
	x.page("Join Demo")
	if left := eval[string](x, "location.hash + history.state?.hash"); strings.Contains(left, link) {
		t.Error("the invitation's secret stays in the address")
	}
	x.accessible()
	x.fill("First name", "Ines")
	x.fill("Last name", "Iron")
	x.fill("Username", "ines")
	x.fill("Password", "short")
	x.press("Create account")
	x.text("The password is too short: use at least 15 characters.")
	if at := eval[string](x, "document.activeElement.name"); at != "password" {
		t.Errorf("after a refused password the focus is on %q", at)
	}
	x.accessible()
	x.fill("Password", password)
	x.press("Create account")
	x.page("My security")
	if seen := x.scriptCookies(); seen != "" {
		t.Errorf("scripts can read cookies: %d bytes", len(seen))
	}
	x.text("You have none yet")
	x.accessible()

	x.press("Add a sign-in method")
	x.page("Add a sign-in method")
	secret, codes := x.enrol()
	x.accessible()
	if eval[bool](x, control(buttons, "Continue")+".disabled === false") {
		t.Error("one may go on before the codes are saved")
	}
	x.toggle("I saved these codes")
	x.press("Continue")
	x.text("Authenticator app, since")
	x.accessible()
	if strings.Contains(eval[string](x, "document.body.innerText"), codes[0]) {
		t.Error("recovery codes are shown twice")
	}

	// The proof of the enrolment is fresh: no question.
	x.press("Settings")
	x.page("Workspace security")
	x.accessible()
	x.setTimeout("11")
	x.text("The settings were saved.")

	// After the timeout the same change asks first, and a cancelled question
	// changes nothing.
	shared.Advance(t, 12*time.Minute)
	x.setTimeout("12")
	x.text("Verify that it is you")
	x.text("To change the security settings you verify your second factor.")
	x.accessible()
	x.press("Cancel")
	x.text("Nothing was changed")
	x.press("Save")
	x.text("Verify that it is you")
	x.fill("Code", "000000")
	x.press("Verify")
	x.text("The code is wrong or was used already.")
	x.fill("Code", shared.Code(t, secret))
	x.press("Verify")
	x.text("The settings were saved.")
	x.until("no dialog", `!document.querySelector('[role=dialog]')`)

	x.setTimeout("1441")
	x.text("The value must be from 1 to 1440 minutes.")
	x.setTimeout("15")
	x.text("The settings were saved.")

	x.press("Audit log")
	x.page("Audit log")
	x.until("the change", `!!document.querySelector('[data-code=PD2010I] summary')`)
	x.press("1 change")
	x.text("mfa_timeout")
	if seen := eval[string](x, "document.body.innerText"); strings.Contains(seen, secret) || strings.Contains(seen, codes[0]) {
		t.Error("the log shows a secret")
	}
	x.accessible()
	x.filterAndPage(t)

	x.press("Sign out")
	x.page("Sign in")
	x.recover(t, secret, codes[0])
}

func (x *tab) setTimeout(minutes string) {
	x.t.Helper()
	x.fill("Minutes that a verification counts", minutes)
	x.press("Save")
}

// filterAndPage narrows the log and goes back in it.
func (x *tab) filterAndPage(t *testing.T) {
	t.Helper()
	count := func() int { return eval[int](x, "document.querySelectorAll('.log > li').length") }
	before := count()
	x.press("Older events")
	x.until("older events", "document.querySelectorAll('.log > li').length > 25")
	if before != 25 {
		t.Errorf("a page of the log has %d events, not 25", before)
	}
	times := eval[[]string](x, "[...document.querySelectorAll('.log > li time')].map((e) => new Date(e.dateTime).toISOString())") // of one length
	for i, at := range times[1:] {
		if at > times[i] {
			t.Errorf("the log is not newest first: %s stands above %s", times[i], at)
		}
	}
	x.press("Filter")
	x.fill("App", "workspaces")
	x.press("Apply")
	x.until("only workspaces", `location.search.includes('app=workspaces') && [...document.querySelectorAll('.log > li')].length > 0 &&
		[...document.querySelectorAll('.log > li')].every((e) => e.textContent.includes(', workspaces.'))`)
	x.accessible()
	x.press("Show everything")
	x.until("everything", `location.search === ''`)
}

// recover signs in with a recovery code, which opens nothing but enrolment,
// and then ends all sessions.
func (x *tab) recover(t *testing.T, secret, code string) {
	t.Helper()
	x.fill("Username or e-mail address", "ines")
	x.fill("Password", "wrong-"+password)
	x.press("Sign in")
	x.text("The username or the password is wrong.")
	x.accessible()
	x.fill("Password", password)
	x.press("Sign in")
	x.page("Verify that it is you")
	x.accessible()
	// A reload goes on where the sign-in was.
	x.open("/audit")
	x.page("Verify that it is you")
	x.toggle("Recovery code")
	x.fill("Recovery code", code)
	x.press("Verify")
	x.page("Set up your sign-in method")
	x.accessible()
	x.open("/settings/security")
	x.page("Set up your sign-in method")
	fresh, _ := x.enrolAgain()
	if fresh == secret {
		t.Fatal("the new method has the old secret")
	}
	x.page("Workspace security")

	x.press("My sessions")
	x.page("My sessions")
	x.text("This session")
	x.text("Chrome")
	x.accessible()
	x.press("End all sessions")
	x.text("You are signed out everywhere, here too.")
	x.accessible()
	x.press("End all")
	x.page("Sign in")
	x.open("/audit")
	x.page("Sign in")
	if search := eval[string](x, "location.search"); !strings.Contains(search, "next=%2Faudit") {
		t.Errorf("the way back is lost: %q", search)
	}
	x.fill("Username or e-mail address", "ines")
	x.fill("Password", password)
	x.press("Sign in")
	x.page("Verify that it is you")
	x.fill("Code", shared.Code(t, fresh))
	x.press("Verify")
	x.page("Audit log")
}

// enrolAgain sets up a further method: it brings no recovery codes.
func (x *tab) enrolAgain() (secret string, codes []string) {
	x.t.Helper()
	x.toggle("Authenticator app")
	x.press("Next")
	secret = x.secret()
	x.fill("Code", shared.Code(x.t, secret))
	x.press("Confirm")
	return secret, nil
}
