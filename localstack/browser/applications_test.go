package browser_test

import (
	"net/http"
	"strings"
	"testing"

	"paddock/localstack/visitor"
)

// TestApplicationsAreRun is what a superuser does with an application and its
// tokens, and what its manager sees and may.
func TestApplicationsAreRun(t *testing.T) {
	mia := shared.Account(t, "member")
	sue := shared.SignIn(t, shared.Account(t, "superuser"))
	shared.must(t, sue, http.StatusCreated, "/api/iam/roles/", map[string]any{"name": "reader of people", "permissions": []string{"user:read"}}, nil)
	narrow := look{width: 360, dark: true}
	x := shared.tab(t, wide()).with(sue)
	x.open("/applications")
	x.page("Applications")
	x.text("There is no application yet.")
	x.enter("Make an application")
	x.page("Make an application")
	x.fill("Name", "Pipeline")
	x.press("Make application")
	x.text("Say what the application may at most")
	x.focused("scopes")
	x.accessibleAs(narrow)
	x.write("Scopes", "user:read\nserver:read")
	x.press("Make application")
	x.page("Pipeline")
	x.text("It has no role, and may nothing.")
	x.fill("Name of a custom role", "nobody's")
	x.press("Give role")
	x.text("There is no custom role of this name.")
	x.focused("role")
	x.fill("Name of a custom role", "reader of people")
	x.press("Give role")
	x.until("the role", listed("Roles", "reader of people"))

	key := x.tokens(t)
	bot := &visitor.Visitor{Base: shared.Env.BaseURL, Bearer: key}
	if got := shared.opens(t, bot); got != http.StatusOK {
		t.Errorf("the key opens %d", got)
	}
	x.fill("Username or e-mail address", mia.Username)
	x.press("Save who runs it")
	x.until("the manager", listed("Owner and managers", "Manager"))
	x.accessibleAs(narrow)

	y := shared.tab(t, narrow).with(shared.SignIn(t, mia))
	y.helps()
	if got := shared.opens(t, bot); got != http.StatusUnauthorized {
		t.Errorf("the key of a deleted token opens %d", got)
	}

	x.press("Change the application")
	x.page("Change the application")
	x.write("Description", "Ships it.")
	x.press("Save")
	x.page("Pipeline")
	x.text("Ships it.")
	x.press("Disable application")
	x.text("All its tokens end at their next request, for good.")
	x.press("Disable")
	x.text("Disabled: none of its tokens opens anything")
	x.text("A disabled application gets no tokens.")
	x.press("Enable application")
	x.until("a form for tokens", "!!"+control(buttons, "Make token"))
	x.press("Back to applications")
	x.page("Applications")
	x.fill("Name", "Pipe")
	x.press("Find")
	x.text("No application has this name.")
	x.press("Show all applications")
	x.text("One application")
	x.press("Pipeline")
	x.page("Pipeline")
	x.press("Delete application")
	x.text("Its roles and tokens go with it.")
	x.press("Delete")
	x.page("Applications")
	x.text("There is no application yet.")
}

// tokens makes a token on the page of the application that is open, and returns
// its key, which is shown once.
func (x *tab) tokens(t *testing.T) string {
	t.Helper()
	x.fill("Name of the token", "ci")
	x.press("Make token")
	x.text("The key of ci.")
	key := eval[string](x, `document.querySelector('[aria-label="Key"]').textContent`)
	if !strings.HasPrefix(key, "alpst-") {
		t.Errorf("the key is %.6s…", key)
	}
	x.until("the token", listed("Tokens", "never used"))
	x.accessible()
	x.press("I put it away")
	x.until("no key", `!document.body.textContent.includes('alpst-')`)
	x.fill("Name of the token", "ci")
	x.press("Make token")
	x.text("The application has a token of this name.")
	x.focused("name")
	x.press("Disable ci")
	x.until("a disabled token", listed("Tokens", "disabled"))
	x.press("Enable ci")
	x.until("an enabled token", "!"+listed("Tokens", "disabled"))
	x.press("What it reaches: ci")
	x.text("No server: it needs a rule for each.")
	x.fill("Server", "no-such-server")
	x.press("Add server")
	x.text("There is no such server.")
	x.focused("server")
	return key
}

// helps goes through what a manager who holds less than the application has of
// it, with the keyboard, and deletes its token.
func (x *tab) helps() {
	x.t.Helper()
	x.open("/account/profile")
	x.page("My profile")
	x.enter("Applications")
	x.page("Applications")
	x.text("The applications that you run.")
	x.offersNone("Make an application", "Find")
	x.until("the application", listed("Applications", "Pipeline"))
	x.enter("Pipeline")
	x.page("Pipeline")
	x.text("Tokens are made by who holds all that its roles hold.")
	x.offersNone("Make token", "Disable ci", "Delete application", "Save who runs it")
	x.accessibleAs(look{width: 360, dark: true})
	x.as(look{width: 360, dark: true})
	x.enter("Delete ci")
	x.text("Whatever uses it is refused at the next request.")
	x.enter("Delete")
	x.text("It has no token.")
}
