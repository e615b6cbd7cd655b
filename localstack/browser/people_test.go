package browser_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// mailed waits for a link to a page of the console that was mailed to an
// address, other than those of old, and returns its secret.
func (b *bench) mailed(t *testing.T, to, page string, old ...string) string {
	t.Helper()
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		mails, err := b.Engine.Mails(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i := len(mails) - 1; i >= 0; i-- {
			_, after, found := strings.Cut(mails[i].BodyText, page+"#")
			if !found || len(mails[i].To) != 1 || mails[i].To[0] != to {
				continue
			}
			secret := strings.Fields(after)[0]
			if len(old) == 0 || secret != old[0] {
				return secret
			}
			break
		}
	}
	t.Fatalf("no link to %s was mailed to %s", page, to)
	return ""
}

// listed is true while a list of the page shows a text.
func listed(list, text string) string {
	return fmt.Sprintf(`[...document.querySelectorAll('[aria-label=%q] > li')].some((e) => e.textContent.includes(%q))`, list, text)
}

// TestPeopleAreManaged is a superuser's work with people: an invitation and its
// withdrawal, an account that is made, changed, disabled, enabled and deleted.
func TestPeopleAreManaged(t *testing.T) {
	sam := shared.Account(t, "superuser")
	x := shared.tab(t, wide())
	x.signIn(sam.Email, sam.Password, sam.TOTPSecret)
	x.press("People")
	x.page("People")
	x.until("oneself", listed("People", sam.Email))
	x.accessible()
	x.inviteAndWithdraw(t)

	// An account whose first password its owner must replace.
	const first = "eleven-quiet-lanterns-drift"
	x.press("Make an account")
	x.page("Make an account")
	x.accessible()
	x.fill("E-mail address", "olga@demo.example")
	x.fill("First name", "Olga")
	x.fill("Last name", "Oak")
	x.fill("Username", "9olga")
	x.fill("First password", first)
	x.press("Make account")
	x.text("A username has 1 to 32 of a-z")
	if at := eval[string](x, "document.activeElement.name"); at != "username" {
		t.Errorf("after a refused username the focus is on %q", at)
	}
	x.accessible()
	x.fill("Username", "olga")
	x.press("Make account")
	x.page("Olga Oak")
	x.accessible()
	x.fill("Last name", "Olsen")
	x.press("Save profile")
	x.page("Olga Olsen")
	x.text("The profile was saved.")

	x.press("Disable account")
	x.text("All sessions of Olga Olsen end at once.")
	x.accessible()
	x.press("Disable")
	x.until("a disabled account", "!!"+control(buttons, "Enable account"))
	x.text("This account is disabled")
	y := shared.tab(t, wide())
	y.open("/signin")
	y.page("Sign in")
	y.fill("Username or e-mail address", "olga")
	y.fill("Password", first)
	y.press("Sign in")
	y.text("The username or the password is wrong.")
	x.press("Enable account")
	x.until("an enabled account", "!!"+control(buttons, "Disable account"))

	y.replacePassword(t, first)
	y.ownProfile(t)
	x.promoteAndReaddress(t, sam.TOTPSecret)

	x.press("Back to people")
	x.page("People")
	x.fill("Username or e-mail address", "olga")
	x.press("Find")
	x.until("one person", listed("People", "Olga Olsen")+` && document.querySelectorAll('[aria-label=People] > li').length === 1`)
	x.fill("Username or e-mail address", "olg")
	x.press("Find")
	x.text("Nobody has this username or e-mail address.")
	x.accessible()
	x.press("Show everybody")
	x.press("Olga Olsen")
	x.page("Olga Olsen")
	x.press("Delete account")
	x.text("This cannot be undone.")
	x.press("Delete")
	x.page("People")
	x.until("one person less", "!("+listed("People", "Olga Olsen")+")")
}

func (x *tab) inviteAndWithdraw(t *testing.T) {
	t.Helper()
	x.tabTo("Invite somebody")
	do(x, chromedp.KeyEvent(kb.Enter))
	x.page("Invite somebody")
	x.accessible()
	x.fill("E-mail address", "nora at demo.example")
	x.press("Send invitation")
	x.text("This is not one plain e-mail address")
	if at := eval[string](x, "document.activeElement.name"); at != "email" {
		t.Errorf("after a refused address the focus is on %q", at)
	}
	x.fill("E-mail address", "nora@demo.example")
	x.toggle("Staff: manages people and servers")
	x.press("Send invitation")
	x.text("An invitation was mailed to nora@demo.example.")
	x.accessible()
	if left := eval[string](x, control(inputs, "E-mail address")+".value"); left != "" {
		t.Errorf("after it was sent the form still holds %q", left)
	}
	x.press("Back to people")
	x.page("People")
	x.until("the invitation", listed("Open invitations", "nora@demo.example"))
	x.text("Staff, open until")
	x.accessible()
	x.tabTo("Withdraw the invitation of nora@demo.example")
	do(x, chromedp.KeyEvent(kb.Enter))
	x.text("stops working.")
	x.until("the focus on what changes nothing", `document.activeElement.textContent === 'Cancel'`)
	x.accessible()
	x.tabTo("Withdraw")
	do(x, chromedp.KeyEvent(kb.Enter))
	x.until("no invitation", "!("+listed("Open invitations", "nora@demo.example")+")")
	y := shared.tab(t, wide())
	y.open("/invitation#" + shared.mailed(t, "nora@demo.example", "/invitation"))
	y.page("Invitation")
	y.text("This invitation is not valid any more.")
}

// replacePassword signs olga in, who must choose another password first.
func (x *tab) replacePassword(t *testing.T, first string) {
	t.Helper()
	x.open("/signin?next=%2Faccount%2Fsessions")
	x.page("Sign in")
	x.fill("Username or e-mail address", "olga")
	x.fill("Password", first)
	x.press("Sign in")
	x.page("Verify that it is you")
	x.fill("Code", shared.codes(t, "olga@demo.example", 1)[0])
	x.press("Verify")
	x.page("Choose a new password")
	x.accessible()
	x.open("/audit")
	x.page("Choose a new password")
	x.fill("Present password", "not-"+first)
	x.fill("New password", password)
	x.press("Change password")
	x.text("Give your present password")
	if at := eval[string](x, "document.activeElement.name"); at != "current" {
		t.Errorf("after a wrong password the focus is on %q", at)
	}
	x.accessible()
	x.fill("Present password", first)
	x.press("Change password")
	x.page("Audit log")
}

func (x *tab) ownProfile(t *testing.T) {
	t.Helper()
	if strings.Contains(eval[string](x, `document.querySelector('nav').innerText`), "People") {
		t.Error("a member is led to people")
	}
	x.press("My profile")
	x.page("My profile")
	x.accessible()
	x.fill("Telephone", "12")
	x.press("Save profile")
	x.text("Write the number with its country")
	x.fill("Telephone", "+82212345678")
	x.press("Save profile")
	x.text("The profile was saved.")
	x.press("My security")
	x.page("My security")
	x.accessible()
	x.fill("Present password", password)
	x.fill("New password", password+"-again")
	x.press("Change password")
	x.text("Your password was changed. Your other sessions have ended.")
	x.press("My profile")
	x.page("My profile")
	x.until("the saved number", control(inputs, "Telephone")+`?.value === "+82212345678"`)
}

// promoteAndReaddress changes what asks for a fresh proof: the role and where
// mail goes. The new address counts when its owner confirmed it.
func (x *tab) promoteAndReaddress(t *testing.T, secret string) {
	t.Helper()
	shared.Advance(t, 16*time.Minute)
	x.toggle("Staff: manages people and servers")
	x.press("Save role")
	x.text("Verify that it is you")
	x.fill("Code", shared.Code(t, secret))
	x.press("Verify")
	x.text("The role was saved: staff.")
	x.fill("New e-mail address", "olga.olsen@demo.example")
	x.press("Change address")
	x.text("A link was mailed to olga.olsen@demo.example.")
	x.accessible()
	cancelled := shared.mailed(t, "olga.olsen@demo.example", "/confirm-email")
	x.press("Cancel the new address")
	x.until("the end of the notice", `!document.querySelector('main').innerText.includes('A link was mailed')`)
	x.fill("New e-mail address", "olga.olsen@demo.example")
	x.press("Change address")
	x.text("A link was mailed to olga.olsen@demo.example.")

	y := shared.tab(t, wide())
	y.open("/confirm-email#" + shared.mailed(t, "olga.olsen@demo.example", "/confirm-email", cancelled))
	y.page("Confirm your new address")
	if left := eval[string](y, "location.href"); strings.Contains(left, "#") {
		t.Error("the link's secret stays in the address")
	}
	y.accessible()
	y.press("Confirm the address")
	y.page("Your address is confirmed")
	y.accessible()
	y.open("/undo-email#" + shared.mailed(t, "olga@demo.example", "/undo-email"))
	y.page("Bring your address back")
	y.accessible()
	x.open(eval[string](x, "location.pathname"))
	x.page("Olga Olsen")
	x.text("olga.olsen@demo.example")
	x.accessible()
}

// TestStaffManagesMembersOnly sees that staff is offered no roles, and nothing
// on the account of a superuser.
func TestStaffManagesMembersOnly(t *testing.T) {
	stan, sam := shared.Account(t, "staff"), shared.Account(t, "superuser")
	x := shared.tab(t, wide())
	x.signIn(stan.Email, stan.Password, stan.TOTPSecret)
	x.press("People")
	x.page("People")
	x.press("Make an account")
	x.page("Make an account")
	if eval[bool](x, "!!"+control(switches, "Superuser: may do everything")) {
		t.Error("staff is offered to make superusers")
	}
	x.press("Back to people")
	x.page("People")
	x.fill("Username or e-mail address", sam.Email)
	x.press("Find")
	x.text("One person")
	x.click(`document.querySelector('[aria-label=People] a')`, "the superuser")
	x.text("Only a superuser may change the account of a superuser.")
	if eval[bool](x, "!!"+control(buttons, "Delete account")) {
		t.Error("staff is offered to delete a superuser")
	}
	x.accessible()
}

// TestAForgottenPassword goes from the sign-in page over the mailed link to a
// new password, and then reports that it was somebody else.
func TestAForgottenPassword(t *testing.T) {
	x := shared.tab(t, wide())
	x.join("fern@demo.example", "fern")
	x.press("Sign out")
	x.page("Sign in")
	x.press("Forgot your password?")
	x.page("Forgot your password?")
	x.accessible()
	x.fill("Username or e-mail address", "fern")
	x.press("Mail me a link")
	x.page("Look into your mail")
	x.text("If there is such an account, a link was mailed to its address.")
	x.accessible()
	link := shared.mailed(t, "fern@demo.example", "/reset-password")

	x.follow(t, "/reset-password", link, "Choose your password")
	x.fill("New password", "short")
	x.press("Set password")
	x.text("The password is too short: use at least 15 characters.")
	x.accessible()
	x.fill("New password", password+"-anew")
	x.press("Set password")
	x.page("Your new password is set")
	x.accessible()
	x.press("Sign in with it")
	x.page("Sign in")
	x.fill("Username or e-mail address", "fern")
	x.fill("Password", password+"-anew")
	x.press("Sign in")
	x.page("My security")

	// The link works once.
	x.open("/reset-password#" + link)
	x.page("Choose your password")
	x.fill("New password", password)
	x.press("Set password")
	x.page("This link does not work")
	x.accessible()

	report := shared.mailed(t, "fern@demo.example", "/not-me")
	x.open("/not-me#" + report)
	x.page("This was not me")
	x.accessible()
	x.press("End everything")
	x.page("Everything of your account has ended")
	x.accessible()
	x.open("/account/profile")
	x.page("Sign in")
	x.open("/reset-password#" + shared.mailed(t, "fern@demo.example", "/reset-password", link))
	x.page("Choose your password")
}

// TestLinksWithoutTheirSecret opens the pages of mailed links as a reload does.
func TestLinksWithoutTheirSecret(t *testing.T) {
	x := shared.tab(t, wide())
	for _, c := range []struct{ path, heading string }{
		{"/unlock", "Try once more"},
		{"/reset-password", "Choose your password"},
		{"/confirm-email", "Confirm your new address"},
		{"/not-me", "This was not me"},
		{"/undo-email", "Bring your address back"},
	} {
		x.open(c.path)
		x.page(c.heading)
		x.text("Open this page with the link of the mail.")
	}
	x.accessible()
	x.open("/unlock#pdkl_x")
	x.page("Try once more")
	x.accessible()
	x.press("Go on to sign in")
	x.page("Sign in")
	x.accessible()

	// A second link in the same tab, of the same page, is opened too.
	x.open("/undo-email")
	x.page("Bring your address back")
	x.open("/undo-email#pdkl_x")
	x.until("the link's question", "!!"+control(buttons, "Bring it back"))
	x.press("Bring it back")
	x.page("This link does not work")
	x.accessible()
}

// TestADevicesCodeSurvivesSignIn follows a command line's link, signed out.
func TestADevicesCodeSurvivesSignIn(t *testing.T) {
	mia := shared.Account(t, "member")
	for _, c := range []struct{ name, link string }{
		{"behind the hash", "/device#BCDF-GHJK"},
		{"in the query", "/device?code=BCDF-GHJK"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := shared.tab(t, wide())
			x.open(c.link)
			x.page("Sign in")
			x.fill("Username or e-mail address", mia.Username)
			x.fill("Password", mia.Password)
			x.press("Sign in")
			x.page("Sign a device in")
			x.until("the code", control(inputs, "Code")+`?.value === "BCDF-GHJK"`)
			x.accessible()
		})
	}
}
