package world_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"paddock/localstack/world"
	"paddock/shared/mfa"
)

// TestAFailedDeliveryIsShown asks what became of codes: one that waits, one that
// was sent, one that the service refuses, and one that it takes too long to send.
func TestAFailedDeliveryIsShown(t *testing.T) {
	w := relaxed(t, "undelivered-codes")
	mia := made(t, w, "mia", "member", "203.0.113.189")
	shows := func(path, want string, deliver bool) {
		t.Helper()
		if deliver {
			if err := w.Delivery.All(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		var got sent
		if err := mia.Want(t.Context(), http.StatusOK, "GET", path, nil, &got); err != nil {
			t.Fatal(err)
		}
		if got.Delivery != want || got.SentTo == "" || got.Method == "" || !strings.Contains(path, got.ID) {
			t.Errorf("shown as %+v, want %s", got, want)
		}
	}
	enrol := func(to string) string {
		later()
		e := sentBy(t, want(t, mia.Visitor, http.StatusCreated, "POST", factors, map[string]string{"method": "phone", "name": "M", "phone": to, "via": "voice"}))
		return factors + e.ID + "/"
	}
	at := enrol(number)
	shows(at, "queued", false)
	shows(at, "sent", true)
	want(t, mia.Visitor, http.StatusOK, "POST", at+"confirm/", texted(t, w, number, true))
	refused(t, mia.Visitor, "not_found", "GET", at, nil) // it is set up
	shows(enrol(world.NoAnswer), "failed", true)
	c := asking(t, mia.Visitor, map[string]string{"method": "phone", "purpose": "step_up"})
	shows(challenges+c.ID+"/", "queued", false)
	shows(challenges+c.ID+"/", "sent", true)
	newer := asking(t, mia.Visitor, map[string]string{"method": "phone", "purpose": "step_up"})
	refused(t, mia.Visitor, "challenge_not_found", "GET", challenges+c.ID+"/", nil)
	shared.Clock.Advance(mfa.ChallengeLife)
	refused(t, mia.Visitor, "challenge_not_found", "GET", challenges+newer.ID+"/", nil)
	if err := w.Delivery.All(t.Context()); err != nil { // too late: it is not sent any more
		t.Fatal(err)
	}
	if n := len(w.Entries.Recorder.Texts()); n != 2 {
		t.Errorf("%d calls were made, want the one that confirmed and the one that proved", n)
	}
	// A service that does not work for now is asked again, until the code is of no
	// use; its sentence, which holds the number, is not logged.
	shared.Clock.Advance(time.Hour)
	mia.signIn(t)
	c = asking(t, mia.Visitor, map[string]string{"method": "phone", "purpose": "login"})
	want(t, mia.Visitor, http.StatusOK, "POST", challenges+c.ID+"/verify/", texted(t, w, number, true))
	busy := enrol(world.Busy)
	if err := w.Delivery.All(t.Context()); err == nil {
		t.Error("a ticket that failed was not reported")
	}
	shows(busy, "queued", false)
	shared.Clock.Advance(mfa.ChallengeLife)
	if err := w.Delivery.All(t.Context()); err != nil {
		t.Error(err)
	}
	// Only challenges whose code is sent tell of it.
	a := withApp(t, mia.Visitor)
	mia.signedInBy(t, a)
	up := begun(t, mia.Visitor, "otp", "step_up")
	if got := sentBy(t, want(t, mia.Visitor, http.StatusOK, "GET", strings.TrimSuffix(up, "verify/"), nil)); got.Delivery != "" || got.Method != "otp" {
		t.Errorf("a challenge of an app is shown as %+v", got)
	}
	found, _, err := shared.Search(t.Context(), []string{number[1:], world.NoAnswer[1:], world.Busy[1:]})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Error(f)
	}
}

// TestARefusedMailIsShown has the mail service refuse a code, as it does with a
// sender that it does not know.
func TestARefusedMailIsShown(t *testing.T) {
	w := relaxed(t, "refusedmail")
	mia := made(t, w, "mia", "member", "203.0.113.194")
	withMail(t, w, mia)
	variables := shared.Environment["tasks"]
	sender := variables["PADDOCK_MAIL_SENDER"]
	variables["PADDOCK_MAIL_SENDER"] = "nobody@unknown.example"
	err := w.Cold(&world.Recorder{})
	variables["PADDOCK_MAIL_SENDER"] = sender
	if err != nil {
		t.Fatal(err)
	}
	v := w.Entries.Visitor(w.Slug, "203.0.113.194").WithCookie(mia.Cookie())
	c := asking(t, v, map[string]string{"method": "email", "purpose": "step_up"})
	if err := w.Delivery.Messages(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := sentBy(t, want(t, v, http.StatusOK, "GET", challenges+c.ID+"/", nil)); got.Delivery != "failed" {
		t.Errorf("shown as %+v", got)
	}
}
