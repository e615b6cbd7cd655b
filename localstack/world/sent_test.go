package world_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/id"
	"paddock/shared/mfa"
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
	offered := func(v *visitor.Visitor, want ...string) {
		t.Helper()
		var held struct {
			Vias []string `json:"phone_vias"`
		}
		if err := v.Want(t.Context(), http.StatusOK, "GET", factors, nil, &held); err != nil || held.Vias == nil || !slices.Equal(held.Vias, want) {
			t.Errorf("codes come to phones by %v, want %v: %v", held.Vias, want, err)
		}
	}
	offered(mia.Visitor, "sms", "voice")
	v := with("", "")
	offered(v)
	refused(t, v, "phone_not_configured", "POST", factors, enrol)
	refused(t, v, "phone_not_configured", "POST", challenges, up)
	v = with("", origin)
	offered(v, "voice")
	refused(t, v, "phone_not_configured", "POST", factors, enrol)
	refused(t, v, "phone_not_configured", "POST", challenges, up)
	later()
	up["via"] = "voice"
	want(t, v, http.StatusCreated, "POST", challenges, up)
}
