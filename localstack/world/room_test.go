package world_test

import (
	"net/http"
	"testing"
	"time"

	"paddock/localstack/visitor"
	"paddock/shared/audit"
)

// listed returns the ids that a list of one's own answers.
func listed(t *testing.T, v *visitor.Visitor, path string) (ids []string) {
	t.Helper()
	var list struct{ Results []struct{ ID string } }
	if err := want(t, v, http.StatusOK, "GET", path, nil).Decode(http.StatusOK, &list); err != nil {
		t.Fatal(err)
	}
	for _, one := range list.Results {
		ids = append(ids, one.ID)
	}
	return ids
}

// TestTheOldestGivesWay signs in more often than an account keeps sessions and
// known browsers: the oldest of them end, each with its event.
func TestTheOldestGivesWay(t *testing.T) {
	w := relaxed(t, "room")
	mia := made(t, w, "mia", "member", "203.0.113.171")
	atMinute()
	var newest *visitor.Visitor
	for range 53 { // with the first one 54 sessions and browsers
		shared.Clock.Advance(time.Second) // which is the oldest is known by its time
		newest = w.Entries.Visitor(w.Slug, "203.0.113.171")
		want(t, newest, http.StatusOK, "POST", signin, map[string]string{"login": mia.email, "password": mia.word})
	}
	if n := len(listed(t, newest, "/api/auth/devices/")); n != 50 {
		t.Errorf("%d browsers are known, want 50", n)
	}
	if n := kinds(t, w, audit.AuthDeviceRemoved); n != 4 {
		t.Errorf("%d events of browsers that gave way, want 4", n)
	}
	for range 48 {
		want(t, newest, http.StatusOK, "POST", "/api/auth/login/", map[string]string{"username": mia.email, "password": mia.word})
		shared.Clock.Advance(time.Second) // the newest is known by its time
	}
	if n := len(listed(t, newest, "/api/auth/sessions/")); n != 100 {
		t.Errorf("%d sessions are live, want 100", n)
	}
	if n := kinds(t, w, audit.AuthSessionTerminated); n != 2 {
		t.Errorf("%d events of sessions that gave way, want 2", n)
	}
	refused(t, mia.Visitor, "session_invalid", "GET", "/api/status/", nil)
	want(t, newest, http.StatusOK, "GET", "/api/status/", nil)
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestUnfinishedSignInsEndNoSession gives only the password, more often than an
// account keeps sessions.
func TestUnfinishedSignInsEndNoSession(t *testing.T) {
	w := relaxed(t, "room-half")
	sue := made(t, w, "sue", "member", "203.0.113.172").enrolled(t)
	atMinute()
	var thief *visitor.Visitor
	before := kinds(t, w, audit.AuthSessionTerminated)
	for range 102 {
		thief = w.Entries.Visitor(w.Slug, "203.0.113.173")
		want(t, thief, http.StatusOK, "POST", signin, map[string]string{"login": sue.email, "password": sue.word})
	}
	if n := kinds(t, w, audit.AuthSessionTerminated) - before; n != 3 {
		t.Errorf("%d events of sign-ins that gave way, want 3", n)
	}
	want(t, sue.Visitor, http.StatusOK, "GET", "/api/status/", nil)
	want(t, thief, http.StatusCreated, "POST", "/api/auth/mfa/challenges/", map[string]string{"method": "otp", "purpose": "login"})
	// Those that are over go together, so that not each sign-in has to.
	shared.Clock.Advance(11 * time.Minute)
	for range 2 {
		want(t, thief, http.StatusOK, "POST", signin, map[string]string{"login": sue.email, "password": sue.word})
		if n := kinds(t, w, audit.AuthSessionTerminated) - before; n != 23 {
			t.Errorf("%d events of sign-ins that gave way, want 23", n)
		}
	}
	want(t, sue.Visitor, http.StatusOK, "GET", "/api/status/", nil)
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}
