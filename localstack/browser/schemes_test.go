package browser_test

import "testing"

// TestPagesInDarkColours looks at the pages as accessible does not: wide in dark
// colours.
func TestPagesInDarkColours(t *testing.T) {
	mia := shared.SignIn(t, shared.Account(t, "member"))
	x := shared.tab(t, wide()).with(shared.SignIn(t, shared.Account(t, "superuser")))
	dark := look{width: 1280, dark: true}
	for _, c := range []struct{ path, ready string }{
		{"/people", "document.querySelectorAll('[aria-label=People] > li').length > 2"},
		{"/people/new", "!!" + control(buttons, "Make account")},
		{"/people/invite", "!!" + control(buttons, "Send invitation")},
		{"/people/" + shared.own(t, mia), "document.querySelectorAll('[aria-label=Sessions] > li').length > 0"},
		{"/groups", "!!" + control(buttons, "Find")},
		{"/groups/new", "!!" + control(buttons, "Make group")},
		{"/servers", "!!" + control(buttons, "Find")},
		{"/servers/register", "!!" + control(buttons, "Show the guide")},
		{"/reach", "document.querySelector('h1')?.textContent === 'What you reach, and why' && !document.body.textContent.includes('Loading…')"},
		{"/check-access", "!!" + control(buttons, "Check")},
		{"/preferences", "!!" + control(buttons, "API tokens")},
		{"/preferences/tokens", "!!" + control(buttons, "New API token")},
		{"/preferences/tokens/new", "!!" + control(buttons, "Make token")},
		{"/account/profile", "!!" + control(buttons, "Save profile")},
		{"/account/security", "!!" + control(buttons, "Change password")},
		{"/account/sessions", "document.querySelectorAll('[aria-label=\"Known devices\"] > li').length > 0"},
		{"/settings/security", "!!" + control(buttons, "Save")},
		{"/device", "!!" + control(buttons, "Go on")},
		{"/verify", "document.querySelector('h1')?.textContent === 'Verify a command line'"},
	} {
		x.open(c.path)
		x.until(c.path, c.ready)
		x.accessibleAs(dark)
	}
	x.open("/account/sessions")
	x.until("the lists, which move what is below", "document.querySelectorAll('[aria-label=\"Known devices\"] > li').length > 0 && document.querySelectorAll('[aria-label=Sessions] > li').length > 0")
	x.press("End all sessions")
	x.text("You are signed out everywhere, here too.")
	x.accessibleAs(dark)

	y := shared.tab(t, wide())
	for _, c := range []struct{ path, heading string }{
		{"/signin", "Sign in"},
		{"/forgot-password", "Forgot your password?"},
		{"/reset-password#pdkl_x", "Choose your password"},
		{"/confirm-email#pdkl_x", "Confirm your new address"},
		{"/undo-email#pdkl_x", "Bring your address back"},
		{"/not-me#pdkl_x", "This was not me"},
		{"/unlock#pdkl_x", "Try once more"},
		{"/change-password", "Choose a new password"},
	} {
		y.open(c.path)
		y.page(c.heading)
		y.accessibleAs(dark)
	}
}
