package browser_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// join accepts an invitation and leads to the account's own page.
func (x *tab) join(email, username string) {
	x.t.Helper()
	x.open("/invitation#" + shared.invite(x.t, email, false))
	x.page("Join Demo")
	x.fill("First name", "Rory")
	x.fill("Last name", "Reed")
	x.fill("Username", username)
	x.fill("Password", password)
	x.press("Create account")
	x.page("My security")
}

// TestRecoveryCodesAreTakenAlong copies and downloads the codes that are shown
// once, and makes new ones.
func TestRecoveryCodesAreTakenAlong(t *testing.T) {
	x := shared.tab(t, wide())
	folder := t.TempDir()
	mine := chromedp.FromContext(x.ctx).BrowserContextID
	command(x, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder, BrowserContextID: mine,
	})
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		command(x, browser.SetPermission, browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: name}, Setting: browser.PermissionSettingGranted, BrowserContextID: mine,
		})
	}
	x.join("rory@demo.example", "rory")
	x.press("Add a sign-in method")
	x.page("Add a sign-in method")
	_, codes := x.enrol()

	x.press("Copy")
	x.until("the copied codes", `!!document.querySelector('[aria-live]') && [...document.querySelectorAll('[aria-live]')].some((e) => e.textContent.includes('The codes were copied.'))`)
	copied := do(x, chromedp.Evaluate[string]("navigator.clipboard.readText()", chromedp.EvalAwaitPromise))
	if got := codesIn(copied); !slices.Equal(got, codes) {
		t.Errorf("copied are %d codes, not those that are shown", len(got))
	}
	x.press("Download")
	if got := codesIn(downloaded(t, folder)); !slices.Equal(got, codes) {
		t.Errorf("downloaded are %d codes, not those that are shown", len(got))
	}
	x.toggle("I saved these codes")
	x.press("Continue")

	x.press("Make new recovery codes")
	x.text("The codes that you have now stop working.")
	x.accessible()
	x.press("Make new codes")
	x.text("Save your recovery codes")
	fresh := eval[[]string](x, `[...document.querySelectorAll('.codes code')].map((e) => e.textContent)`)
	if len(fresh) != 10 || slices.ContainsFunc(fresh, func(c string) bool { return slices.Contains(codes, c) }) {
		t.Errorf("%d new codes, or an old one among them", len(fresh))
	}
	x.toggle("I saved these codes")
	x.press("Continue")
	x.press("Sign out")
	x.page("Sign in")

	// An old code opens nothing any more.
	x.fill("Username or e-mail address", "rory")
	x.fill("Password", password)
	x.press("Sign in")
	x.page("Verify that it is you")
	x.toggle("Recovery code")
	x.fill("Recovery code", codes[0])
	x.press("Verify")
	x.text("The code is wrong or was used already.")
}

// codesIn returns the lines of a text that look like recovery codes.
func codesIn(text string) []string {
	_, list, _ := strings.Cut(text, "\n\n")
	return strings.Fields(list)
}

// downloaded returns the one file that arrives in folder.
func downloaded(t *testing.T, folder string) string {
	t.Helper()
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		text, err := os.ReadFile(filepath.Join(folder, "paddock-recovery-codes.txt"))
		if err == nil && len(text) > 0 {
			return string(text)
		}
	}
	t.Fatal("nothing was downloaded")
	return ""
}

// TestAMethodIsRemoved adds a second method, removes the first, and signs in
// with what is left; the last one goes too where no second factor is demanded.
func TestAMethodIsRemoved(t *testing.T) {
	x := shared.tab(t, wide())
	x.join("remy@demo.example", "remy")
	x.press("Add a sign-in method")
	x.page("Add a sign-in method")
	first, _ := x.enrol()
	x.toggle("I saved these codes")
	x.press("Continue")
	x.text("Authenticator app, since")
	x.press("Add a sign-in method")
	x.page("Add a sign-in method")
	x.toggle("Authenticator app")
	x.press("Next")
	second := x.secret()
	x.fill("Code", shared.Code(t, second))
	x.press("Confirm")
	x.page("My security")
	x.until("two methods", methodsAre(2))

	remove := "Remove " + eval[string](x, "document.querySelector('ul.cards li strong').textContent")
	x.press(remove)
	x.text("You can no longer sign in with it.")
	x.accessible()
	x.press("Cancel")
	x.until("no dialog", `!document.querySelector('[role=alertdialog]')`)
	if !eval[bool](x, methodsAre(2)) {
		t.Error("a cancelled removal removed something")
	}
	// A removal asks for a fresh proof.
	shared.Advance(t, 16*time.Minute)
	x.press(remove)
	x.press("Remove")
	x.text("Verify that it is you")
	x.fill("Code", shared.Code(t, second))
	x.press("Verify")
	x.until("one method", methodsAre(1))
	x.press("Sign out")
	x.page("Sign in")

	x.fill("Username or e-mail address", "remy")
	x.fill("Password", password)
	x.press("Sign in")
	x.page("Verify that it is you")
	x.fill("Code", shared.Code(t, first))
	x.press("Verify")
	x.text("The code is wrong or was used already.")
	x.fill("Code", shared.Code(t, second))
	x.press("Verify")
	x.page("My security")
	x.until("one method", methodsAre(1))
	x.press("Remove " + eval[string](x, "document.querySelector('ul.cards li strong').textContent"))
	x.press("Remove")
	x.text("You have none yet")
	x.press("Sign out")
	x.page("Sign in")
	x.signIn("remy", password, "")
}

func methodsAre(n int) string {
	return "document.querySelectorAll('ul.cards > li').length === " + string(rune('0'+n))
}

// TestOneSessionIsEnded ends another browser's session and leaves this one.
func TestOneSessionIsEnded(t *testing.T) {
	here, there := shared.tab(t, wide()), shared.tab(t, look{width: 360})
	here.join("tessa@demo.example", "tessa")
	there.signIn("tessa", password, "")
	here.press("My sessions")
	here.page("My sessions")
	here.until("two sessions", `document.querySelectorAll('[aria-label=Sessions] > li').length === 2`)
	other := eval[string](here, `[...document.querySelectorAll('[aria-label=Sessions] > li')].find((e) => !e.textContent.includes('This session')).querySelector('button').getAttribute('aria-label')`)
	here.press(other)
	here.text("is signed out at its next request.")
	here.accessible()
	here.press("End session")
	here.until("one session", `document.querySelectorAll('[aria-label=Sessions] > li').length === 1`)
	here.text("This session")
	there.press("Audit log")
	there.page("Sign in")
	there.text("Your session has ended. Sign in again.")
	here.press("Audit log")
	here.page("Audit log")
}

// TestOverTLS signs in at the https address, where cookies are kept from
// scripts and go to nothing else.
func TestOverTLS(t *testing.T) {
	mia := shared.Account(t, "member")
	x := shared.tab(t, wide())
	x.base = shared.Secure
	x.signIn(mia.Username, mia.Password, "")
	if seen := x.scriptCookies(); seen != "" {
		t.Errorf("scripts can read cookies: %d bytes", len(seen))
	}
	if !eval[bool](x, "isSecureContext && location.protocol === 'https:'") {
		t.Error("the page is not secure")
	}
	x.press("My sessions")
	x.page("My sessions")
	x.text("This session")
	x.press("Sign out")
	x.page("Sign in")
}
