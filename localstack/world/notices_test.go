package world_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"paddock/localstack/authenticator"
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

// methods returns the names of a person's methods, as administrators see them.
func methods(t *testing.T, w *world.Walk, p person) string {
	t.Helper()
	if err := w.SignIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	var seen struct {
		Methods []string `json:"mfa_methods"`
	}
	if err := want(t, w.Me, http.StatusOK, "GET", p.path, nil).Decode(http.StatusOK, &seen); err != nil {
		t.Fatal(err)
	}
	return strings.Join(seen.Methods, " ")
}

// TestNotMeEndsMethodsOfAThief presses the link of each notice of a method: what
// was added since goes, and what was there before stays (security, MF-6).
func TestNotMeEndsMethodsOfAThief(t *testing.T) {
	w := relaxed(t, "notmethods")
	for n, c := range []struct {
		name, subject string
		do            func(person) // by the thief
	}{
		{"a key", "A sign-in method was added to your account", func(p person) { keyed(t, w, p.Visitor, "biometric") }},
		{"an app", "A sign-in method was added to your account", func(p person) { withApp(t, p.Visitor) }},
		{"recovery codes", "New recovery codes were made for your account", func(p person) { want(t, p.Visitor, http.StatusCreated, "POST", codesPath, nil) }},
		{"a removal", "A sign-in method was removed from your account", func(p person) {
			_, factor := keyed(t, w, p.Visitor, "hardware_key")
			want(t, p.Visitor, http.StatusNoContent, "DELETE", factors+factor+"/", nil)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			mia := made(t, w, "mia"+string(rune('a'+n)), "member", "203.0.113.221")
			mias := withApp(t, mia.Visitor)
			shared.Clock.Advance(time.Hour)
			mia.signedInBy(t, mias)
			c.do(mia)
			if text := newestMail(t, w, mia.email, c.subject); !strings.Contains(text, "/not-me") {
				t.Fatalf("the notice has no link:\n%s", text)
			}
			owner := w.Entries.Visitor(w.Slug, "203.0.113.222")
			want(t, owner, http.StatusNoContent, "POST", report, map[string]string{"token": mailed(t, w, mia.email, "/not-me")})
			refused(t, mia.Visitor, "session_invalid", "GET", "/api/status/", nil)
			wanted := "otp recovery_code"
			if c.name == "recovery codes" {
				wanted = "otp"
			}
			if got := methods(t, w, mia); got != wanted {
				t.Errorf("the methods are %q, want %q", got, wanted)
			}
		})
	}
	// The link of a later notice ends the key that was added days before it, and
	// none that is older.
	mia := made(t, w, "mia", "member", "203.0.113.223")
	old, _ := keyed(t, w, mia.Visitor, "biometric")
	shared.Clock.Advance(24 * time.Hour)
	mia.signInWith(t, old)
	thiefs, _ := keyed(t, w, mia.Visitor, "hardware_key")
	thiefs.Verified = true
	shared.Clock.Advance(6*24*time.Hour + time.Hour)
	thief := person{Visitor: w.Entries.Visitor(w.Slug, "198.51.100.223")}
	thief.signInWith(t, thiefs)
	owner := w.Entries.Visitor(w.Slug, "203.0.113.222")
	want(t, owner, http.StatusNoContent, "POST", report, map[string]string{"token": mailed(t, w, mia.email, "/not-me")})
	a := ask(t, thief.Visitor, passkeys, nil)
	refused(t, thief.Visitor, "invalid_credentials", "POST", passkeys+a.ID+"/verify/", answered(t, thiefs, a))
	mia.signInWith(t, old)
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestAnUndoEndsMethodsOfAThief begins with a key, removes the owner's method,
// moves the account and adds another one: whoever brings the address back finds
// nothing of it.
func TestAnUndoEndsMethodsOfAThief(t *testing.T) {
	w := relaxed(t, "undomethods")
	mia := made(t, w, "mia", "member", "203.0.113.224")
	mias := withApp(t, mia.Visitor)
	shared.Clock.Advance(8 * 24 * time.Hour)
	mia.signedInBy(t, mias)
	before, _ := keyed(t, w, mia.Visitor, "biometric")
	shared.Clock.Advance(24 * time.Hour)
	mia.signInWith(t, before)
	undo := move(t, w, mia, mia.email, "thief@people.example")
	after, _ := keyed(t, w, mia.Visitor, "biometric")
	withApp(t, mia.Visitor)
	owner := w.Entries.Visitor(w.Slug, "203.0.113.225")
	want(t, owner, http.StatusNoContent, "POST", "/api/auth/email/undo/", map[string]string{"token": undo})
	for _, k := range []*authenticator.Key{before, after} {
		a := ask(t, mia.Visitor, passkeys, nil)
		refused(t, mia.Visitor, "invalid_credentials", "POST", passkeys+a.ID+"/verify/", answered(t, k, a))
	}
	if got := methods(t, w, mia); got != "otp recovery_code" {
		t.Errorf("the methods are %q", got)
	}
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}
