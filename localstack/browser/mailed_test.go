package browser_test

import (
	"net/http"
	"regexp"
	"testing"
)

var mailedCode = regexp.MustCompile(`(?m)^    (\d{6})$`)

// codes waits until so many codes to sign in were mailed to an address and
// returns them, the newest first.
func (b *bench) codes(t *testing.T, to string, n int) []string {
	t.Helper()
	return await(t, "a mailed code", func() ([]string, bool) {
		mails, err := b.Engine.Mails(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for i := len(mails) - 1; i >= 0; i-- {
			match := mailedCode.FindStringSubmatch(mails[i].BodyText)
			if match != nil && len(mails[i].To) == 1 && mails[i].To[0] == to {
				out = append(out, match[1])
			}
		}
		return out, len(out) >= n
	})
}

// TestTheFirstSignInToAnAccountThatWasMade asks for a mailed code, as nothing
// is known of its owner, then for another password, then opens what was wanted.
func TestTheFirstSignInToAnAccountThatWasMade(t *testing.T) {
	const first, address = "eleven-quiet-lanterns-drift", "cleo@demo.example"
	shared.must(t, shared.SignIn(t, shared.Account(t, "superuser")), http.StatusCreated, "/api/iam/users/", map[string]string{
		"username": "cleo", "email": address, "first_name": "Cleo", "last_name": "Cole", "password": first,
	}, nil)
	x := shared.tab(t, wide())
	x.open("/account/sessions")
	x.page("Sign in")
	x.fill("Username or e-mail address", "cleo")
	x.fill("Password", first)
	x.press("Sign in")
	x.page("Verify that it is you")
	x.text("A code was mailed to c")
	if eval[bool](x, `document.body.innerText.includes(`+"`"+address+"`"+`)`) {
		t.Error("whoever has the password is shown the whole address")
	}
	x.accessible()
	code := shared.codes(t, address, 1)[0]
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	x.fill("Code", wrong)
	x.press("Verify")
	x.text("The code is wrong or was used already.")
	x.accessible()
	x.later()
	x.press("Mail me a new code")
	newest := shared.codes(t, address, 2)[0]
	x.until("the focus in the code's field", `document.activeElement.name === 'code' && document.activeElement.value === ''`)
	x.text("A code was mailed to c")
	x.fill("Code", newest)
	x.press("Verify")
	x.page("Choose a new password")
	x.accessible()
	x.fill("Present password", first)
	x.fill("New password", first)
	x.press("Change password")
	x.until("a refusal", `document.activeElement.name === 'password'`)
	x.fill("New password", password)
	x.press("Change password")
	x.page("My sessions")
	x.until("one session", `document.querySelectorAll('[aria-label=Sessions] > li').length === 1`)
	x.accessible()

	// Now the browser is known: the password is enough.
	x.press("Sign out")
	x.page("Sign in")
	x.signIn("cleo", password, "")
}
