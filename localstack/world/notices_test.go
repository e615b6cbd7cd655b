package world_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"paddock/localstack/world"
)

const (
	formerNotice = "The sign-in methods of your account were changed"
	codesPath    = "/api/auth/mfa/recovery-codes/"
)

// newestMail returns the text of the newest mail with this subject to an address.
func newestMail(t *testing.T, w *world.Walk, to, subject string) (text string) {
	t.Helper()
	if err := w.Delivery.All(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, m := range w.Entries.Recorder.Mails() {
		if m.To == to && m.Subject == subject {
			text = m.Text
		}
	}
	return text
}

// TestAnAddressThatWasLeftIsToldOfMethods changes an address, and then each kind
// of method: the address that was left is told while it can be brought back, once
// for each act, and no longer (security, MF-6).
func TestAnAddressThatWasLeftIsToldOfMethods(t *testing.T) {
	w := relaxed(t, "formerly")
	mia := made(t, w, "mia", "member", "203.0.113.220")
	withApp(t, mia.Visitor)
	first := mia.email
	move(t, w, mia, first, "mia.second@people.example")
	move(t, w, mia, "mia.second@people.example", "mia.third@people.example")
	mia.email = "mia.third@people.example"
	told := func(n int, says string) {
		t.Helper()
		for _, former := range []string{first, "mia.second@people.example"} {
			if got := mails(t, w, former, formerNotice); got != n {
				t.Errorf("%d notices went to %s, want %d", got, former, n)
			}
			if text := newestMail(t, w, former, formerNotice); !strings.Contains(text, says) || strings.Contains(text, "{") || strings.Contains(text, "://") {
				t.Errorf("the notice says no %q:\n%s", says, text)
			}
		}
		if got := mails(t, w, mia.email, formerNotice); got != 0 {
			t.Errorf("%d such notices went to the present address", got)
		}
	}
	told(0, "")
	_, factor := keyed(t, w, mia.Visitor, "hardware_key")
	told(1, "A security key was added to your account")
	want(t, mia.Visitor, http.StatusCreated, "POST", codesPath, nil)
	told(2, "Recovery codes were made for your account")
	want(t, mia.Visitor, http.StatusNoContent, "DELETE", factors+factor+"/", nil)
	told(3, "My hardware_key was removed from your account")
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, http.StatusNoContent, "POST", mia.path+"mfa/reset/", map[string]string{"reason": "seen in person"})
	told(4, "removed every sign-in method of your account")
	if got := mails(t, w, mia.email, "Your sign-in methods were removed"); got != 1 {
		t.Errorf("%d notices of the reset went to the present address", got)
	}
	shared.Clock.Advance(7 * 24 * time.Hour)
	mia.signIn(t)
	want(t, mia.Visitor, http.StatusOK, "POST", begun(t, mia.Visitor, "email", "login"), map[string]string{"code": code(t, w, mia.email)})
	withApp(t, mia.Visitor)
	told(4, "removed every sign-in method of your account")
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}
