package world_test

import (
	"net/http"
	"testing"
	"time"

	"paddock/localstack/world"
)

const (
	users       = "/api/iam/users/"
	invitations = "/api/workspaces/users/invite/"
)

// move changes a person's address and returns the secret that undoes it.
func move(t *testing.T, w *world.Walk, p person, from, to string) string {
	t.Helper()
	want(t, p.Visitor, http.StatusOK, "PATCH", "/api/iam/users/-/", map[string]string{"email": to})
	stranger := w.Entries.Visitor(w.Slug, "203.0.113.182")
	want(t, stranger, http.StatusNoContent, "POST", "/api/auth/email/confirm/", map[string]string{"token": mailed(t, w, to, "/confirm-email")})
	return mailed(t, w, from, "/undo-email")
}

// makes makes an account with an address, or is refused with a code.
func makes(t *testing.T, w *world.Walk, code, email string) {
	t.Helper()
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	refused(t, w.Me, code, "POST", users, map[string]string{"email": email})
}

// TestAnAddressThatWasLeftStaysItsOwners tries to give it to another account
// while the change may be undone (security, RS-3).
func TestAnAddressThatWasLeftStaysItsOwners(t *testing.T) {
	w := relaxed(t, "held")
	ann := made(t, w, "ann", "member", "203.0.113.181").enrolled(t)
	bob := made(t, w, "bob", "member", "203.0.113.183").enrolled(t)
	stranger := w.Entries.Visitor(w.Slug, "203.0.113.182")
	undo := move(t, w, ann, ann.email, "ann@moved.example")
	makes(t, w, "email_in_use", "Ann@people.example")
	refused(t, w.Me, "email_in_use", "POST", invitations, map[string]string{"email": ann.email})
	refused(t, w.Me, "email_in_use", "PATCH", bob.path, map[string]string{"email": ann.email})
	// Who sees no other accounts is told nothing when asking.
	want(t, bob.Visitor, http.StatusOK, "PATCH", "/api/iam/users/-/", map[string]string{"email": ann.email})
	refused(t, stranger, "email_in_use", "POST", "/api/auth/email/confirm/", map[string]string{"token": mailed(t, w, ann.email, "/confirm-email")})
	// It is no name of the account any more.
	refused(t, stranger, "invalid_credentials", "POST", signin, map[string]string{"login": ann.email, "password": ann.word})
	var found struct{ Count int }
	if err := want(t, w.Me, http.StatusOK, "GET", users+"?username="+ann.email, nil).Decode(http.StatusOK, &found); err != nil || found.Count != 0 {
		t.Errorf("%d accounts have the address that was left, %v", found.Count, err)
	}
	want(t, stranger, http.StatusNoContent, "POST", "/api/auth/email/undo/", map[string]string{"token": undo})
	makes(t, w, "email_in_use", ann.email)
	makes(t, w, "", "ann@moved.example") // the undo freed it
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestUndoesFreeWhatTheyLeave undoes the second of two changes, then the first.
func TestUndoesFreeWhatTheyLeave(t *testing.T) {
	w := relaxed(t, "held-chain")
	eve := made(t, w, "eve", "member", "203.0.113.184").enrolled(t)
	stranger := w.Entries.Visitor(w.Slug, "203.0.113.182")
	first := move(t, w, eve, eve.email, "eve@second.example")
	second := move(t, w, eve, "eve@second.example", "eve@third.example")
	want(t, stranger, http.StatusNoContent, "POST", "/api/auth/email/undo/", map[string]string{"token": second})
	makes(t, w, "email_in_use", eve.email)
	makes(t, w, "email_in_use", "eve@second.example")
	makes(t, w, "", "eve@third.example")
	want(t, stranger, http.StatusNoContent, "POST", "/api/auth/email/undo/", map[string]string{"token": first})
	makes(t, w, "email_in_use", eve.email)
	makes(t, w, "", "eve@second.example")

	// Back and forth: the second undo leaves an address that the first brings back.
	fay := made(t, w, "fay", "member", "203.0.113.185").enrolled(t)
	first = move(t, w, fay, fay.email, "fay@second.example")
	second = move(t, w, fay, "fay@second.example", fay.email)
	want(t, stranger, http.StatusNoContent, "POST", "/api/auth/email/undo/", map[string]string{"token": second})
	makes(t, w, "email_in_use", fay.email)
	want(t, stranger, http.StatusNoContent, "POST", "/api/auth/email/undo/", map[string]string{"token": first})
	makes(t, w, "", "fay@second.example")
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestAHeldAddressIsFreeAtTheEnd lets the seven days pass, and deletes an
// account that holds one.
func TestAHeldAddressIsFreeAtTheEnd(t *testing.T) {
	w := relaxed(t, "held-end")
	cal := made(t, w, "cal", "member", "203.0.113.186").enrolled(t)
	dan := made(t, w, "dan", "member", "203.0.113.187").enrolled(t)
	undo := move(t, w, cal, cal.email, "cal@moved.example")
	end := shared.Clock.Now().Add(7 * 24 * time.Hour)
	move(t, w, dan, dan.email, "dan@moved.example")
	want(t, w.Me, http.StatusNoContent, "DELETE", dan.path, nil)
	makes(t, w, "", dan.email)
	makes(t, w, "", "dan@moved.example")
	shared.Clock.Advance(end.Add(-10 * time.Minute).Sub(shared.Clock.Now()))
	makes(t, w, "email_in_use", cal.email)
	shared.Clock.Advance(end.Add(-1).Sub(shared.Clock.Now()))
	refused(t, w.Me, "email_in_use", "POST", users, map[string]string{"email": cal.email})
	shared.Clock.Advance(1)
	refused(t, w.Me, "", "POST", users, map[string]string{"email": cal.email})
	refused(t, w.Entries.Visitor(w.Slug, "203.0.113.182"), "link_not_found", "POST", "/api/auth/email/undo/", map[string]string{"token": undo})
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}
