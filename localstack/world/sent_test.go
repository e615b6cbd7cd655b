package world_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/mfa"
	"paddock/shared/table"
)

const number = "+31612345679"

// A sent is what is answered where a code was sent.
type sent struct {
	ID       string
	Method   string
	SentTo   string `json:"sent_to"`
	Delivery string
}

func sentBy(t *testing.T, a visitor.Answer) (out sent) {
	t.Helper()
	if err := a.Decode(a.Status, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// texted delivers what is stored and returns the newest code that went to a
// number, as text or as call.
func texted(t *testing.T, w *world.Walk, to string, call bool) map[string]string {
	t.Helper()
	if err := w.Delivery.All(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, text := range slices.Backward(w.Entries.Recorder.Texts()) {
		if text.To == to && text.Call == call {
			return map[string]string{"code": world.CodeOf(text)}
		}
	}
	t.Fatalf("nothing was sent to %s", to)
	return nil
}

// byMail delivers what is stored and returns the newest code that was mailed.
func byMail(t *testing.T, w *world.Walk, to string) map[string]string {
	t.Helper()
	return map[string]string{"code": code(t, w, to)}
}

// later lets the time go by after which another code may be sent.
func later() { shared.Clock.Advance(mfa.ResendAfter) }

// withPhone gives a person a phone.
func withPhone(t *testing.T, w *world.Walk, p person, to string) (factor string) {
	t.Helper()
	later()
	e := sentBy(t, want(t, p.Visitor, http.StatusCreated, "POST", factors, map[string]string{"method": "phone", "name": "Mobile", "phone": to, "via": "sms"}))
	want(t, p.Visitor, http.StatusOK, "POST", factors+e.ID+"/confirm/", texted(t, w, to, false))
	return e.ID
}

// withMail gives a person codes by e-mail.
func withMail(t *testing.T, w *world.Walk, p person) (factor string) {
	t.Helper()
	later()
	e := sentBy(t, want(t, p.Visitor, http.StatusCreated, "POST", factors, map[string]string{"method": "email", "name": "Mail"}))
	want(t, p.Visitor, http.StatusOK, "POST", factors+e.ID+"/confirm/", byMail(t, w, p.email))
	return e.ID
}

// asking opens a challenge whose code is sent.
func asking(t *testing.T, v *visitor.Visitor, body map[string]string) sent {
	t.Helper()
	later()
	return sentBy(t, want(t, v, http.StatusCreated, "POST", challenges, body))
}

// TestCodesByMailAreASecondFactor sets them up, signs in and steps up with them.
func TestCodesByMailAreASecondFactor(t *testing.T) {
	w := relaxed(t, "mailfactor")
	mia := made(t, w, "mia", "member", "203.0.113.180")
	enrol := map[string]string{"method": "email", "name": "Mail"}
	e := sentBy(t, want(t, mia.Visitor, http.StatusCreated, "POST", factors, enrol))
	if e.SentTo != "m***@people.example" {
		t.Errorf("sent to %q", e.SentTo)
	}
	// It counts for nothing yet, and is not listed.
	refused(t, mia.Visitor, "mfa_method_unavailable", "POST", challenges, map[string]string{"method": "email", "purpose": "step_up"})
	right := byMail(t, w, mia.email)
	refused(t, mia.Visitor, "mfa_code_invalid", "POST", factors+e.ID+"/confirm/", map[string]string{"code": "x" + right["code"][1:]})
	var done struct {
		RecoveryCodes []string `json:"recovery_codes"`
		Factor        struct {
			Method     string
			Restricted bool
		}
	}
	if err := want(t, mia.Visitor, http.StatusOK, "POST", factors+e.ID+"/confirm/", right).Decode(http.StatusOK, &done); err != nil {
		t.Fatal(err)
	}
	if len(done.RecoveryCodes) != 10 || done.Factor.Method != "email" || !done.Factor.Restricted {
		t.Errorf("the method was answered with %+v", done)
	}
	if n := mails(t, w, mia.email, "A sign-in method was added to your account"); n != 1 {
		t.Errorf("%d notices of the new method", n)
	}
	later()
	refused(t, mia.Visitor, "mfa_method_in_use", "POST", factors, enrol)
	// From a new place a sign-in asks for it, and no other code stands in.
	elsewhere := w.Entries.Visitor(w.Slug, "198.51.100.180")
	var state struct {
		State   string
		Methods []string
	}
	body := map[string]string{"login": mia.email, "password": mia.word}
	if err := want(t, elsewhere, http.StatusOK, "POST", signin, body).Decode(http.StatusOK, &state); err != nil {
		t.Fatal(err)
	}
	if state.State != "mfa_required" || fmt.Sprint(state.Methods) != "[email recovery_code]" {
		t.Errorf("%+v", state)
	}
	c := asking(t, elsewhere, map[string]string{"method": "email", "purpose": "login"})
	want(t, elsewhere, http.StatusOK, "POST", challenges+c.ID+"/verify/", byMail(t, w, mia.email))
	want(t, elsewhere, http.StatusNoContent, "DELETE", factors+e.ID+"/", nil) // the sign-in is a proof
	if n := mails(t, w, mia.email, "A sign-in method was removed from your account"); n != 1 {
		t.Errorf("%d notices of the removal", n)
	}
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestPhonesAreASecondFactor sets up a phone, signs in by text and steps up by
// call; a second phone beside it; numbers are shown masked.
func TestPhonesAreASecondFactor(t *testing.T) {
	w := relaxed(t, "phones")
	mia := made(t, w, "mia", "member", "203.0.113.181")
	for _, wrong := range []struct {
		code string
		body map[string]string
	}{
		{"invalid_phone", map[string]string{"method": "phone", "name": "M"}},
		{"invalid_phone", map[string]string{"method": "phone", "name": "M", "phone": "0612345678"}},
		{"invalid_phone", map[string]string{"method": "phone", "name": "M", "phone": "+31 612345678"}},
		{"invalid_value", map[string]string{"method": "phone", "name": "M", "phone": number, "via": "pigeon"}},
		{"invalid_value", map[string]string{"method": "email", "name": "M", "phone": number}},
		{"invalid_value", map[string]string{"method": "otp", "name": "M", "via": "sms"}},
		{"invalid_name", map[string]string{"method": "phone", "name": "", "phone": number}},
	} {
		refused(t, mia.Visitor, wrong.code, "POST", factors, wrong.body)
	}
	if n := len(w.Entries.Recorder.Texts()); n != 0 {
		t.Errorf("%d texts were sent", n)
	}
	phone := withPhone(t, w, mia, number)
	var list struct {
		Results []struct {
			ID         string
			SentTo     string `json:"sent_to"`
			Restricted bool
		}
	}
	a := want(t, mia.Visitor, http.StatusOK, "GET", factors, nil)
	if err := a.Decode(http.StatusOK, &list); err != nil {
		t.Fatal(err)
	}
	if f := list.Results[0]; f.ID != phone || f.SentTo != "+31***79" || !f.Restricted || strings.Contains(string(a.Body), number[3:]) {
		t.Errorf("the list is %s", a.Body)
	}
	mia.signIn(t)
	c := asking(t, mia.Visitor, map[string]string{"method": "phone", "purpose": "login"})
	if c.SentTo != "+31***79" {
		t.Errorf("sent to %q", c.SentTo)
	}
	want(t, mia.Visitor, http.StatusOK, "POST", challenges+c.ID+"/verify/", texted(t, w, number, false))
	shared.Clock.Advance(20 * time.Minute)
	refused(t, mia.Visitor, "auth_mfa_required", "DELETE", factors+phone+"/", nil)
	refused(t, mia.Visitor, "auth_mfa_required", "POST", factors, map[string]string{"method": "phone", "name": "Thief's", "phone": "+31600000000"})
	c = asking(t, mia.Visitor, map[string]string{"method": "phone", "purpose": "step_up", "via": "voice"})
	want(t, mia.Visitor, http.StatusOK, "POST", challenges+c.ID+"/verify/", texted(t, w, number, true))
	// Another number is another method: the one before goes only then.
	const next = "+4915112345678"
	second := withPhone(t, w, mia, next)
	shared.Clock.Advance(time.Hour)
	mia.signIn(t)
	asking(t, mia.Visitor, map[string]string{"method": "phone", "purpose": "login"})
	texted(t, w, next, false)
	c = asking(t, mia.Visitor, map[string]string{"method": "phone", "purpose": "login", "factor": phone})
	want(t, mia.Visitor, http.StatusOK, "POST", challenges+c.ID+"/verify/", texted(t, w, number, false))
	refused(t, mia.Visitor, "mfa_method_unavailable", "POST", challenges, map[string]string{"method": "phone", "purpose": "step_up", "factor": id.Of[id.Factor](id.UUID{1}).String()})
	c = asking(t, mia.Visitor, map[string]string{"method": "phone", "purpose": "step_up", "factor": second})
	right := texted(t, w, next, false)
	want(t, mia.Visitor, http.StatusNoContent, "DELETE", factors+second+"/", nil)
	refused(t, mia.Visitor, "mfa_method_unavailable", "POST", challenges+c.ID+"/verify/", right)
	refused(t, mia.Visitor, "mfa_method_unavailable", "POST", challenges, map[string]string{"method": "phone", "purpose": "step_up", "factor": second})
	want(t, mia.Visitor, http.StatusNoContent, "DELETE", factors+phone+"/", nil)
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
	// Nothing of it outlives the account.
	withPhone(t, w, mia, number)
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, http.StatusNoContent, "DELETE", mia.path, nil)
	records, err := shared.Records(t.Context(), w.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if strings.Contains(mia.path, r.Key.Of) && r.Key.Kind == "C" && (r.Key.SK == "sends" || strings.HasPrefix(r.Key.SK, "factor#")) {
			t.Errorf("%s outlives its account", r.Key)
		}
	}
}

// TestMessagesSayWhatTheCodeIsFor reads each message that carries a code: what it
// is for, and no link (security, MF-4).
func TestMessagesSayWhatTheCodeIsFor(t *testing.T) {
	w := relaxed(t, "purposes")
	mia := made(t, w, "mia", "member", "203.0.113.182")
	withPhone(t, w, mia, number)
	withMail(t, w, mia)
	up := map[string]string{"purpose": "step_up"}
	for _, method := range []string{"phone", "email"} {
		asking(t, mia.Visitor, map[string]string{"method": method, "purpose": up["purpose"]})
	}
	if err := w.Delivery.All(t.Context()); err != nil {
		t.Fatal(err)
	}
	shared.Clock.Advance(time.Hour)
	mia.signIn(t)
	for _, method := range []string{"phone", "email"} {
		asking(t, mia.Visitor, map[string]string{"method": method, "purpose": "login"})
	}
	if err := w.Delivery.All(t.Context()); err != nil {
		t.Fatal(err)
	}
	var texts, subjects []string
	for _, text := range w.Entries.Recorder.Texts() {
		texts = append(texts, text.Text[len("012345"):])
		if strings.ContainsAny(text.Text, "/@") {
			t.Errorf("%q holds a link", text.Text)
		}
	}
	for _, m := range w.Entries.Recorder.Mails() {
		if m.To == mia.email && strings.HasPrefix(m.Subject, "Your code") {
			subjects = append(subjects, m.Subject)
			if strings.Contains(m.Text, "http") {
				t.Errorf("%q holds a link", m.Text)
			}
		}
	}
	const name, never = "Quackenbush Works", ". Never tell it to anybody."
	if want := []string{
		" is your code to confirm this number for your account in " + name + never,
		" is your code to verify a protected action in " + name + never, " is your code to sign in to " + name + never,
	}; !slices.Equal(texts, want) {
		t.Errorf("the texts are %q", texts)
	}
	if want := []string{
		"Your code to confirm this address for " + name, "Your code to verify a protected action in " + name, "Your code to sign in to " + name,
	}; !slices.Equal(subjects, want) {
		t.Errorf("the mails are %q", subjects)
	}
}

// TestCodesAreBound answers with wrong, late and replayed codes, and with those
// of other challenges, sessions, purposes and people (security, MF-3 and MF-4).
func TestCodesAreBound(t *testing.T) {
	w := relaxed(t, "bound")
	mia, ada := made(t, w, "mia", "member", "203.0.113.183"), made(t, w, "ada", "member", "203.0.113.184")
	withPhone(t, w, mia, number)
	withPhone(t, w, ada, "+31612345680")
	up := map[string]string{"method": "phone", "purpose": "step_up"}
	verify := func(c sent) string { return challenges + c.ID + "/verify/" }
	old := asking(t, mia.Visitor, up)
	oldCode := texted(t, w, number, false)
	c := asking(t, mia.Visitor, up)
	right := texted(t, w, number, false)
	// The newer code ended the older one, of whatever method.
	refused(t, mia.Visitor, "challenge_not_found", "POST", verify(old), oldCode)
	if oldCode["code"] != right["code"] {
		refused(t, mia.Visitor, "mfa_code_invalid", "POST", verify(c), oldCode)
	}
	// Another session of hers, and another person, do not have it.
	other := person{Visitor: w.Entries.Visitor(w.Slug, "203.0.113.183"), email: mia.email, word: mia.word}
	other.signIn(t)
	refused(t, other.Visitor, "challenge_not_found", "POST", verify(c), right)
	refused(t, other.Visitor, "challenge_not_found", "GET", challenges+c.ID+"/", nil)
	refused(t, ada.Visitor, "challenge_not_found", "POST", verify(c), right)
	refused(t, ada.Visitor, "challenge_not_found", "GET", challenges+c.ID+"/", nil)
	theirs := asking(t, ada.Visitor, up)
	if theirCode := texted(t, w, "+31612345680", false); theirCode["code"] != right["code"] {
		refused(t, mia.Visitor, "mfa_code_invalid", "POST", verify(c), theirCode)
		refused(t, ada.Visitor, "mfa_code_invalid", "POST", verify(theirs), right)
	}
	// A code to sign in steps nobody up, nor the reverse.
	refused(t, other.Visitor, "invalid_value", "POST", challenges, up)
	refused(t, mia.Visitor, "invalid_value", "POST", challenges, map[string]string{"method": "phone", "purpose": "login"})
	// A code is good until its end, which is outside.
	before := shared.Clock.Now()
	shared.Clock.Advance(mfa.ChallengeLife)
	refused(t, mia.Visitor, "challenge_not_found", "POST", verify(c), right)
	shared.Clock.Set(before)
	want(t, mia.Visitor, http.StatusOK, "POST", verify(c), right)
	refused(t, mia.Visitor, "challenge_not_found", "POST", verify(c), right)
	// Five tries; then the right code opens nothing either.
	shared.Clock.Advance(time.Hour)
	mia.signIn(t)
	c = asking(t, mia.Visitor, map[string]string{"method": "phone", "purpose": "login"})
	right = texted(t, w, number, false)
	for range mfa.MaxTries {
		refused(t, mia.Visitor, "mfa_code_invalid", "POST", verify(c), map[string]string{"code": "x" + right["code"][1:]})
	}
	refused(t, mia.Visitor, "mfa_too_many_attempts", "POST", verify(c), right)
	if why := whyFailed(t, w); why["wrong"] < mfa.MaxTries {
		t.Errorf("failures are %v", why)
	}
	// The same for a code that confirms.
	fresh := made(t, w, "eve", "member", "203.0.113.185")
	enrol := map[string]string{"method": "phone", "name": "M", "phone": "+31612345681"}
	first := sentBy(t, want(t, fresh.Visitor, http.StatusCreated, "POST", factors, enrol))
	firstCode := texted(t, w, "+31612345681", false)
	later()
	second := sentBy(t, want(t, fresh.Visitor, http.StatusCreated, "POST", factors, enrol))
	right = texted(t, w, "+31612345681", false)
	refused(t, fresh.Visitor, "not_found", "POST", factors+first.ID+"/confirm/", firstCode)
	joe := made(t, w, "joe", "member", "203.0.113.186")
	refused(t, joe.Visitor, "not_found", "POST", factors+second.ID+"/confirm/", right)
	twin := person{Visitor: w.Entries.Visitor(w.Slug, "203.0.113.185"), email: fresh.email, word: fresh.word}
	twin.signIn(t)
	if a, err := twin.Do(t.Context(), "POST", factors+second.ID+"/confirm/", right); err != nil || a.Status < 400 {
		t.Errorf("another session confirmed: %d %s %v", a.Status, a.Body, err)
	}
	for range mfa.MaxTries {
		refused(t, fresh.Visitor, "mfa_code_invalid", "POST", factors+second.ID+"/confirm/", map[string]string{"code": ""})
	}
	refused(t, fresh.Visitor, "mfa_too_many_attempts", "POST", factors+second.ID+"/confirm/", right)
	later()
	third := sentBy(t, want(t, fresh.Visitor, http.StatusCreated, "POST", factors, enrol))
	right = texted(t, w, "+31612345681", false)
	before = shared.Clock.Now()
	shared.Clock.Advance(mfa.ChallengeLife)
	refused(t, fresh.Visitor, "sign_in_again", "POST", factors+third.ID+"/confirm/", right)
	shared.Clock.Set(before)
	want(t, fresh.Visitor, http.StatusOK, "POST", factors+third.ID+"/confirm/", right)
}

// atOnce posts the same at once, each time with the same session, and returns how
// often it was answered with 200.
func atOnce(t *testing.T, v *visitor.Visitor, n int, path string, body any) (won int) {
	t.Helper()
	statuses := make([]int, n)
	var wait sync.WaitGroup
	for i := range statuses {
		one := v.WithCookie(v.Cookie())
		wait.Go(func() {
			if a, err := one.Do(t.Context(), "POST", path, body); err == nil {
				statuses[i] = a.Status
			}
		})
	}
	wait.Wait()
	for _, s := range statuses {
		if s == http.StatusOK || s == http.StatusCreated {
			won++
		}
	}
	return won
}

// TestOneSentCodeOneSuccess posts the right code many times at once, by each
// method and to confirm, and asks for many codes at once.
func TestOneSentCodeOneSuccess(t *testing.T) {
	w := relaxed(t, "onesent")
	mia := made(t, w, "mia", "member", "203.0.113.186")
	e := sentBy(t, want(t, mia.Visitor, http.StatusCreated, "POST", factors, map[string]string{"method": "phone", "name": "M", "phone": number}))
	if n := atOnce(t, mia.Visitor, 100, factors+e.ID+"/confirm/", texted(t, w, number, false)); n != 1 {
		t.Errorf("%d of 100 equal codes confirmed", n)
	}
	for _, method := range []string{"phone", "email"} {
		shared.Clock.Advance(time.Hour)
		mia.signIn(t)
		if method == "email" {
			c := asking(t, mia.Visitor, map[string]string{"method": "phone", "purpose": "login"})
			want(t, mia.Visitor, http.StatusOK, "POST", challenges+c.ID+"/verify/", texted(t, w, number, false))
			withMail(t, w, mia)
			mia.signIn(t)
		}
		c := asking(t, mia.Visitor, map[string]string{"method": method, "purpose": "login"})
		var right map[string]string
		if method == "phone" {
			right = texted(t, w, number, false)
		} else {
			right = byMail(t, w, mia.email)
		}
		if n := atOnce(t, mia.Visitor, 100, challenges+c.ID+"/verify/", right); n != 1 {
			t.Errorf("%d of 100 equal codes by %s succeeded", n, method)
		}
	}
	mia.signIn(t)
	later()
	if n := atOnce(t, mia.Visitor, 20, challenges, map[string]string{"method": "phone", "purpose": "login"}); n != 1 {
		t.Errorf("%d of 20 codes that were asked for at once were sent", n)
	}
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestARaceForOneSentCode holds two equal answers back until both have read what
// they are held to, and lets them commit.
func TestARaceForOneSentCode(t *testing.T) {
	w := relaxed(t, "sentrace")
	mia := made(t, w, "mia", "member", "203.0.113.193")
	withPhone(t, w, mia, number)
	later()
	var enrol asked
	if err := want(t, mia.Visitor, http.StatusCreated, "POST", factors, map[string]string{"method": "email", "name": "Mail"}).Decode(http.StatusCreated, &enrol); err != nil {
		t.Fatal(err)
	}
	confirms := byMail(t, w, mia.email)
	if won := raced(t, w, mia.Visitor, factors+enrol.ID+"/confirm/", confirms); won != 1 {
		t.Errorf("%d of two confirmed", won)
	}
	mia.signIn(t)
	c := asking(t, mia.Visitor, map[string]string{"method": "phone", "purpose": "login"})
	if won := raced(t, w, mia.Visitor, challenges+c.ID+"/verify/", texted(t, w, number, false)); won != 1 {
		t.Errorf("%d of two verified", won)
	}
	mia.signIn(t)
	later()
	if won := raced(t, w, mia.Visitor, challenges, map[string]string{"method": "phone", "purpose": "login"}); won != 1 {
		t.Errorf("%d of two codes were sent", won)
	}
}

// raced posts the same twice, so that both requests reach their first transaction
// before either is carried out, and returns how many succeeded. The walk goes on
// with functions that hold nothing back.
func raced(t *testing.T, w *world.Walk, v *visitor.Visitor, path string, body any) int {
	t.Helper()
	var both sync.WaitGroup
	var arrived atomic.Int32
	both.Add(2)
	hold := &world.Recorder{Before: func(c world.Call) {
		if c.Operation == "TransactWriteItems" && arrived.Add(1) <= 2 {
			both.Done()
			both.Wait()
		}
	}}
	held, err := shared.Entries(hold)
	if err != nil {
		t.Fatal(err)
	}
	racer := held.Visitor(w.Slug, "203.0.113.193").WithCookie(v.Cookie())
	won := atOnce(t, racer, 2, path, body)
	if n := arrived.Load(); n < 2 {
		t.Errorf("%d requests came to a transaction", n)
	}
	return won
}

// waits returns how long a refusal says to wait.
func waits(t *testing.T, a visitor.Answer) time.Duration {
	t.Helper()
	n, err := strconv.Atoi(a.Header.Get("Retry-After"))
	if err != nil || a.Status != http.StatusTooManyRequests {
		t.Errorf("%d, Retry-After %q", a.Status, a.Header.Get("Retry-After"))
	}
	return time.Duration(n) * time.Second
}

// TestOnePersonGetsSoManyCodes asks for codes at the limits of resend, hour and
// day, by both methods and from another session (security, MF-12).
func TestOnePersonGetsSoManyCodes(t *testing.T) {
	w := relaxed(t, "sends")
	mia := made(t, w, "mia", "member", "203.0.113.187")
	withPhone(t, w, mia, number)
	withMail(t, w, mia)
	shared.Clock.Advance(24 * time.Hour)
	ask := map[string]string{"method": "phone", "purpose": "login"}
	mailed := map[string]string{"method": "email", "purpose": "login"}
	before := kinds(t, w, audit.APIThrottled)
	sends, hour := 0, shared.Clock.Now()
	for sends < mfa.SendsADay {
		mia.signIn(t)
		for i := range mfa.SendsAnHour {
			body := ask
			if i%2 == 1 {
				body = mailed
			}
			want(t, mia.Visitor, http.StatusCreated, "POST", challenges, body)
			sends++
			if i == 0 {
				shared.Clock.Advance(mfa.ResendAfter - time.Second)
				if got := waits(t, refused(t, mia.Visitor, "mfa_too_many_codes", "POST", challenges, mailed)); got != time.Second {
					t.Errorf("to wait %s after %s", got, mfa.ResendAfter-time.Second)
				}
				shared.Clock.Advance(time.Second)
			} else {
				later()
			}
		}
		other := person{Visitor: w.Entries.Visitor(w.Slug, "203.0.113.187"), email: mia.email, word: mia.word}
		other.signIn(t)
		wait := waits(t, refused(t, other.Visitor, "mfa_too_many_codes", "POST", challenges, ask))
		if sends < mfa.SendsADay {
			if over := shared.Clock.Now().Add(wait).Sub(hour); over != time.Hour {
				t.Errorf("the hour lasts %s", over)
			}
			shared.Clock.Advance(wait - time.Second)
			other.signIn(t)
			refused(t, other.Visitor, "mfa_too_many_codes", "POST", challenges, ask)
			shared.Clock.Advance(time.Second)
			hour = shared.Clock.Now()
			continue
		}
		if wait < 20*time.Hour || wait > 24*time.Hour {
			t.Errorf("the day ends in %s", wait)
		}
		shared.Clock.Advance(wait)
		mia.signIn(t)
		want(t, mia.Visitor, http.StatusCreated, "POST", challenges, ask)
	}
	if n := kinds(t, w, audit.APIThrottled) - before; n < 11 {
		t.Errorf("%d events tell of used-up budgets, want 11", n)
	}
}

// TestPhonesOfAWorkspaceGetSoMany uses up the budgets of a range of numbers and of
// the workspace (security, MF-12). The counters are moved near their limits.
func TestPhonesOfAWorkspaceGetSoMany(t *testing.T) {
	w := relaxed(t, "pumping")
	mia := made(t, w, "mia", "member", "203.0.113.188")
	near := func(of string, window time.Duration, limit int64) {
		t.Helper()
		store, err := shared.Store()
		if err != nil {
			t.Fatal(err)
		}
		by, now := authz.ForTask(w.ID, "inspection"), shared.Clock.Now()
		if of != "workspace" {
			if of, err = store.MAC(t.Context(), by, "phone prefix", of); err != nil {
				t.Fatal(err)
			}
		}
		k := table.Key{Table: table.Data, Kind: "B", Workspace: w.ID, Of: of, SK: fmt.Sprintf("phone#%d", now.Unix()/int64(window/time.Second))}
		for n := int64(0); n < limit-1; {
			if n, err = store.Count(t.Context(), by, table.Budgets, k, limit, now.Add(2*window)); err != nil {
				t.Fatal(err)
			}
		}
	}
	enrol := func(to string) map[string]string {
		later()
		return map[string]string{"method": "phone", "name": "M", "phone": to}
	}
	// The middle of an hour: the window does not end while the test runs.
	shared.Clock.Set(shared.Clock.Now().Truncate(24 * time.Hour).Add(36*time.Hour + 10*time.Minute))
	mia.signIn(t)
	near("+31612", time.Hour, mfa.PrefixSendsAnHour)
	want(t, mia.Visitor, http.StatusCreated, "POST", factors, enrol("+31612111111"))
	wait := waits(t, refused(t, mia.Visitor, "mfa_too_many_codes", "POST", factors, enrol("+31612222222")))
	if end := shared.Clock.Now().Add(wait); !end.Equal(end.Truncate(time.Hour)) || wait > time.Hour {
		t.Errorf("the hour ends in %s", wait)
	}
	want(t, mia.Visitor, http.StatusCreated, "POST", factors, enrol("+31613222222")) // another range
	shared.Clock.Advance(time.Hour)
	mia.signIn(t)
	want(t, mia.Visitor, http.StatusCreated, "POST", factors, enrol("+31612222222"))
	near("workspace", 24*time.Hour, mfa.PhoneSendsADay)
	want(t, mia.Visitor, http.StatusCreated, "POST", factors, enrol("+31633333333"))
	wait = waits(t, refused(t, mia.Visitor, "mfa_too_many_codes", "POST", factors, enrol("+31622222222")))
	if end := shared.Clock.Now().Add(wait); !end.Equal(end.Truncate(24*time.Hour)) || wait > 24*time.Hour {
		t.Errorf("the day ends in %s", wait)
	}
	want(t, mia.Visitor, http.StatusCreated, "POST", factors, map[string]string{"method": "email", "name": "M"}) // mail goes on
	shared.Clock.Advance(wait)
	mia.signIn(t)
	want(t, mia.Visitor, http.StatusCreated, "POST", factors, enrol("+31612345679"))
	keys := map[string]int{}
	events, err := w.Events(t.Context())
	if err != nil {
		t.Error(err)
	}
	for _, e := range events {
		if e.Kind == audit.APIThrottled {
			key, _ := e.Field("key")
			keys[key.Text()]++
		}
	}
	if keys["number"] != 1 || keys["workspace"] != 1 {
		t.Errorf("events of used-up budgets are %v", keys)
	}
}

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

// TestSentCodesStepUpWhereTheyMay allows codes for sign-in and not for protected
// actions, then not at all (security, MF-8 and MF-9).
func TestSentCodesStepUpWhereTheyMay(t *testing.T) {
	w := relaxed(t, "restrictedcodes")
	mia := made(t, w, "mia", "member", "203.0.113.190")
	phone := withPhone(t, w, mia, number)
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, http.StatusOK, "PATCH", security, map[string]any{"step_up_methods": []string{"otp"}})
	c := asking(t, mia.Visitor, map[string]string{"method": "phone", "purpose": "step_up"})
	want(t, mia.Visitor, http.StatusOK, "POST", challenges+c.ID+"/verify/", texted(t, w, number, false))
	refused(t, mia.Visitor, "auth_mfa_required", "DELETE", factors+phone+"/", nil)
	want(t, w.Me, http.StatusOK, "PATCH", security, map[string]any{"step_up_methods": []string{}})
	want(t, mia.Visitor, http.StatusOK, "GET", "/api/status/", nil)
	c = asking(t, mia.Visitor, map[string]string{"method": "phone", "purpose": "step_up"})
	right := texted(t, w, number, false)
	want(t, w.Me, http.StatusOK, "PATCH", security, map[string]any{"allowed_mfa_methods": []string{"otp", "hardware_key", "recovery_code"}, "acknowledge_affected": 1})
	refused(t, mia.Visitor, "mfa_method_unavailable", "POST", challenges+c.ID+"/verify/", right)
	refused(t, mia.Visitor, "sign_in_again", "POST", factors, map[string]string{"method": "email", "name": "Mail"})
	ada := made(t, w, "ada", "member", "203.0.113.191")
	refused(t, ada.Visitor, "mfa_method_unavailable", "POST", factors, map[string]string{"method": "email", "name": "Mail"})
	refused(t, ada.Visitor, "mfa_method_unavailable", "POST", factors, map[string]string{"method": "phone", "name": "M", "phone": number})
}

// TestPhonesThatAreNotConfigured refuses them plainly, and what is sent in the way
// that is not.
func TestPhonesThatAreNotConfigured(t *testing.T) {
	w := relaxed(t, "nophones")
	mia := made(t, w, "mia", "member", "203.0.113.192")
	withPhone(t, w, mia, number)
	variables := shared.Environment["signin"]
	sender, origin := variables["PADDOCK_SMS_SENDER"], variables["PADDOCK_VOICE_ORIGIN"]
	if sender == "" || origin == "" {
		t.Fatal("phones are not configured in this world")
	}
	restore := func() { variables["PADDOCK_SMS_SENDER"], variables["PADDOCK_VOICE_ORIGIN"] = sender, origin }
	defer restore()
	with := func(sms, voice string) *visitor.Visitor {
		t.Helper()
		variables["PADDOCK_SMS_SENDER"], variables["PADDOCK_VOICE_ORIGIN"] = sms, voice
		if err := w.Cold(&world.Recorder{}); err != nil {
			t.Fatal(err)
		}
		restore()
		return w.Entries.Visitor(w.Slug, "203.0.113.192").WithCookie(mia.Cookie())
	}
	enrol := map[string]string{"method": "phone", "name": "M", "phone": number, "via": "sms"}
	up := map[string]string{"method": "phone", "purpose": "step_up"}
	v := with("", "")
	refused(t, v, "phone_not_configured", "POST", factors, enrol)
	refused(t, v, "phone_not_configured", "POST", challenges, up)
	v = with("", origin)
	refused(t, v, "phone_not_configured", "POST", factors, enrol)
	refused(t, v, "phone_not_configured", "POST", challenges, up)
	later()
	up["via"] = "voice"
	want(t, v, http.StatusCreated, "POST", challenges, up)
}
