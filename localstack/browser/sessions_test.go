package browser_test

import (
	"net/http"
	"testing"

	"paddock/localstack/visitor"
)

// TestAllOtherSessionsEnd ends what is not here, and forgets a browser.
func TestAllOtherSessionsEnd(t *testing.T) {
	first := shared.person(t, "otto", firefox)
	second := shared.enters(t, "otto", safari)
	here, there := shared.tab(t, wide()).with(first), shared.tab(t, look{width: 360}).with(second)
	there.open("/account/profile")
	there.page("My profile")
	here.open("/account/sessions")
	here.page("My sessions")
	here.until("both sessions", listed("Sessions", "Firefox 140 on Linux")+" && "+listed("Sessions", "Safari 26 on macOS"))
	here.until("both devices", `document.querySelectorAll('[aria-label="Known devices"] > li').length === 2`)
	here.accessible()
	here.press("End all others")
	here.text("You stay signed in here, and are signed out everywhere else.")
	here.accessible()
	here.press("Cancel")
	here.until("no dialog", `!document.querySelector('[role=alertdialog]')`)
	if status := shared.opens(t, second); status != http.StatusOK {
		t.Fatalf("a cancelled end answers the other browser %d", status)
	}
	here.press("End all others")
	here.press("End the others")
	here.until("one session", `document.querySelectorAll('[aria-label=Sessions] > li').length === 1`)
	here.text("This session")
	here.accessible()
	there.press("My security")
	there.page("Sign in")
	there.text("Your session has ended. Sign in again.")
	here.press("Audit log")
	here.page("Audit log")
	if status := shared.opens(t, first); status != http.StatusUnauthorized {
		t.Errorf("the handle from before opens %d", status)
	}

	// A browser that was forgotten is a new one at its next sign-in.
	here.press("My sessions")
	here.page("My sessions")
	here.press("Forget Safari 26 on macOS")
	here.text("Its next sign-in counts as one from a new device.")
	here.accessible()
	here.press("Forget")
	here.until("one device", `document.querySelectorAll('[aria-label="Known devices"] > li').length === 1`)
	here.text("This device")
	if got := devices(t, known(t, first, "otto")); got != 1 {
		t.Errorf("the browser that was not forgotten signed in again: %d devices are known", got)
	}
	if got := devices(t, known(t, second, "otto")); got != 2 {
		t.Errorf("the forgotten browser signed in again: %d devices are known", got)
	}
}

// known signs in again with the cookie by which a browser is known.
func known(t *testing.T, v *visitor.Visitor, username string) *visitor.Visitor {
	t.Helper()
	again := (&visitor.Visitor{Base: v.Base, Agent: v.Agent}).KnownBy(v.Browser())
	shared.must(t, again, http.StatusOK, "/api/auth/signin/", map[string]string{"login": username, "password": password}, nil)
	return again
}

// devices returns how many browsers the visitor's account knows.
func devices(t *testing.T, v *visitor.Visitor) int {
	t.Helper()
	var list struct{ Results []struct{ ID string } }
	if err := v.Want(t.Context(), http.StatusOK, http.MethodGet, "/api/auth/devices/", nil, &list); err != nil {
		t.Fatal(err)
	}
	return len(list.Results)
}

// TestSessionsOfAPersonEnd is a superuser's work on the page of a person.
func TestSessionsOfAPersonEnd(t *testing.T) {
	one := shared.person(t, "otis", firefox)
	two := shared.enters(t, "otis", safari)
	x := shared.tab(t, wide()).with(shared.SignIn(t, shared.Account(t, "superuser")))
	x.open("/people/" + shared.own(t, one))
	x.page("Otis Oak")
	x.until("both sessions", listed("Sessions", "Firefox 140 on Linux")+" && "+listed("Sessions", "Safari 26 on macOS"))
	x.accessible()
	x.press("End the session on Safari 26 on macOS")
	x.text("Otis Oak is signed out on Safari 26 on macOS at its next request.")
	x.accessible()
	x.press("End session")
	x.until("one session", `document.querySelectorAll('[aria-label=Sessions] > li').length === 1`)
	if got := [2]int{shared.opens(t, one), shared.opens(t, two)}; got != [2]int{http.StatusOK, http.StatusUnauthorized} {
		t.Errorf("after one was ended they open %v", got)
	}
	y := shared.tab(t, wide()).with(one)
	y.open("/account/profile")
	y.page("My profile")
	x.press("End all sessions of Otis Oak")
	x.text("Otis Oak is signed out everywhere.")
	x.accessible()
	x.press("End all")
	x.text("Otis Oak is signed in nowhere.")
	x.accessible()
	y.press("My security")
	y.page("Sign in")
	y.text("Your session has ended. Sign in again.")
}
