package browser_test

import (
	"net/http"
	"testing"

	"paddock/localstack/visitor"
)

// TestALinkOpensOneAttempt uses up the guesses of this address at an account.
// The form then offers a link, which opens one attempt; the browser that the
// account knows needs none.
func TestALinkOpensOneAttempt(t *testing.T) {
	own := shared.person(t, "gus", firefox)
	shared.window(t)
	stranger := &visitor.Visitor{Base: shared.Env.BaseURL}
	for range 10 {
		shared.must(t, stranger, http.StatusUnauthorized, "/api/auth/signin/", map[string]string{"login": "gus", "password": "wrong-" + password}, nil)
	}
	x := shared.tab(t, wide())
	x.attempt("gus", password)
	x.until("the offer of a link", "!!"+control(buttons, "Mail me a link to try once more"))
	x.accessible()
	x.press("Mail me a link to try once more")
	x.text("If there is such an account, a link was mailed to its address.")
	x.accessible()
	link := shared.mailed(t, "gus@demo.example", "/unlock")

	x.follow(t, "/unlock", link, "Try once more")
	x.press("Go on to sign in")
	x.page("Sign in")
	x.fill("Username or e-mail address", "gus")
	x.fill("Password", password)
	x.press("Sign in")
	x.page("My security")

	// The link is used up.
	y := shared.tab(t, wide())
	y.open("/unlock#" + link)
	y.page("Try once more")
	y.press("Go on to sign in")
	y.page("Sign in")
	y.fill("Username or e-mail address", "gus")
	y.fill("Password", password)
	y.press("Sign in")
	y.until("the offer of a link", "!!"+control(buttons, "Mail me a link to try once more"))

	z := shared.tab(t, wide()).with((&visitor.Visitor{}).KnownBy(own.Browser()))
	z.attempt("gus", password)
	z.page("My security")
}

// attempt gives name and password on the page that asks for them.
func (x *tab) attempt(login, word string) {
	x.t.Helper()
	x.open("/signin")
	x.page("Sign in")
	x.fill("Username or e-mail address", login)
	x.fill("Password", word)
	x.press("Sign in")
}
