package world_test

import (
	"encoding/base32"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paddock/localstack/authenticator"
	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/audit"
)

// TestRaisingTheTimeoutRevivesNoProof lets a proof go stale and raises the
// workspace's timeout beyond its age: it stays stale, and lowering bites at once
// (security, SU-3).
func TestRaisingTheTimeoutRevivesNoProof(t *testing.T) {
	w := relaxed(t, "revives")
	mia := made(t, w, "mia", "member", "203.0.113.230")
	mias := withApp(t, mia.Visitor)
	want(t, mia.Visitor, http.StatusCreated, "POST", codesPath, nil)
	shared.Clock.Advance(15 * time.Minute)
	asksForProof(t, w, mia.Visitor, "900", "POST", codesPath, nil)
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, http.StatusOK, "PATCH", security, map[string]int{"mfa_timeout": 86400})
	asksForProof(t, w, mia.Visitor, "86400", "POST", codesPath, nil)
	want(t, mia.Visitor, http.StatusOK, "POST", begun(t, mia.Visitor, "otp", "step_up"), mias.code(t))
	shared.Clock.Advance(20 * time.Minute)
	want(t, mia.Visitor, http.StatusCreated, "POST", codesPath, nil)
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, http.StatusOK, "PATCH", security, map[string]int{"mfa_timeout": 1200})
	asksForProof(t, w, mia.Visitor, "1200", "POST", codesPath, nil)
}

// TestPasskeyChallengesHaveBudgets uses up what an address, its network and the
// workspace may begin: a browser that its owner has signed in from goes on, up to
// a budget of its own.
func TestPasskeyChallengesHaveBudgets(t *testing.T) {
	w := relaxed(t, "manypasskeys")
	mia := made(t, w, "mia", "member", "203.0.113.231")
	for _, c := range []struct {
		field, text, same, other string
		budget                   int64
	}{
		{"address", "198.51.100.231", "198.51.100.231", "198.51.100.232", 300},
		{"network", "198.51.100.0/24", "198.51.100.233", "192.0.2.233", 1_000},
		{"guess", "passkey", "192.0.2.234", "", 20_000},
	} {
		t.Run(c.field, func(t *testing.T) {
			atMinute()
			spent(t, w, c.field, c.text, "passkey", c.budget-1)
			at := w.Entries.Visitor(w.Slug, c.same)
			want(t, at, http.StatusCreated, "POST", passkeys, nil)
			before := kinds(t, w, audit.AuthLoginRefused)
			if a := refused(t, at, "too_many_attempts", "POST", passkeys, nil); a.Retry() == 0 {
				t.Error("no Retry-After")
			}
			if n := kinds(t, w, audit.AuthLoginRefused) - before; n != 1 {
				t.Errorf("%d events", n)
			}
			if c.other != "" {
				want(t, w.Entries.Visitor(w.Slug, c.other), http.StatusCreated, "POST", passkeys, nil)
			}
			known := w.Entries.Visitor(w.Slug, c.same).KnownBy(mia.Browser())
			want(t, known, http.StatusCreated, "POST", passkeys, nil)
			shared.Clock.Advance(15 * time.Minute)
		})
	}
	known := w.Entries.Visitor(w.Slug, "203.0.113.231").KnownBy(mia.Browser())
	for range 60 {
		want(t, known, http.StatusCreated, "POST", passkeys, nil)
	}
	refused(t, known, "too_many_attempts", "POST", passkeys, nil)
}

// TestAPasskeyChallengeEndsOfWrongAnswers gives one challenge five wrong answers:
// the right one comes too late (security, MF-3 and WA-2).
func TestAPasskeyChallengeEndsOfWrongAnswers(t *testing.T) {
	w := relaxed(t, "wrongpasskeys")
	mia := made(t, w, "mia", "member", "203.0.113.235")
	k, _ := keyed(t, w, mia.Visitor, "biometric")
	stranger := w.Entries.Visitor(w.Slug, "203.0.113.236")
	a := ask(t, stranger, passkeys, nil)
	path := passkeys + a.ID + "/verify/"
	sly := *k
	sly.Verified = false
	for range 5 {
		refused(t, stranger, "invalid_credentials", "POST", path, answered(t, &sly, a))
	}
	refused(t, stranger, "challenge_not_found", "POST", path, answered(t, k, a))
	mia.signInWith(t, k)
}

// TestNewRecoveryCodesAreANewFactor holds that codes are as old as they are,
// whoever made the ones before: what ends methods by their age finds them.
func TestNewRecoveryCodesAreANewFactor(t *testing.T) {
	w := relaxed(t, "codesanew")
	mia := made(t, w, "mia", "member", "203.0.113.237")
	withApp(t, mia.Visitor)
	codes := func() (id string, made time.Time) {
		t.Helper()
		var held struct {
			Results []struct {
				ID, Method  string
				ConfirmedAt time.Time `json:"confirmed_at"`
			}
		}
		if err := want(t, mia.Visitor, http.StatusOK, "GET", factors, nil).Decode(http.StatusOK, &held); err != nil {
			t.Fatal(err)
		}
		for _, f := range held.Results {
			if f.Method == "recovery_code" {
				if id != "" {
					t.Error("the account has two sets of codes")
				}
				id, made = f.ID, f.ConfirmedAt
			}
		}
		return id, made
	}
	first, at := codes()
	shared.Clock.Advance(time.Minute)
	want(t, mia.Visitor, http.StatusCreated, "POST", codesPath, nil)
	second, then := codes()
	if first == "" || second == "" || first == second || then.Sub(at) != time.Minute {
		t.Errorf("the codes are %q of %s, then %q of %s", first, at, second, then)
	}
}

// TestTheNoticeOfStepUpsEndsWithAProof turns it on without one, and off with one
// only: what follows would be silent.
func TestTheNoticeOfStepUpsEndsWithAProof(t *testing.T) {
	w := relaxed(t, "quieter")
	mia := made(t, w, "mia", "member", "203.0.113.238")
	mias := withApp(t, mia.Visitor)
	shared.Clock.Advance(15 * time.Minute)
	const profile = "/api/iam/users/-/"
	want(t, mia.Visitor, http.StatusOK, "PATCH", profile, map[string]bool{"notify_step_up": true})
	asksForProof(t, w, mia.Visitor, "900", "PATCH", profile, map[string]bool{"notify_step_up": false})
	want(t, mia.Visitor, http.StatusOK, "PATCH", profile, map[string]bool{"notify_step_up": true})
	want(t, mia.Visitor, http.StatusOK, "POST", begun(t, mia.Visitor, "otp", "step_up"), mias.code(t))
	if n := mails(t, w, mia.email, "Your second factor was verified"); n != 1 {
		t.Errorf("%d notices of a step-up", n)
	}
	want(t, mia.Visitor, http.StatusOK, "PATCH", profile, map[string]bool{"notify_step_up": false})
}

// TestAnUnusualSignInComesBeforeEnrolment signs in to an account without a method
// where one is demanded, from a new device in a new network: the mailed code comes
// first, so that a stolen password sets up nothing.
func TestAnUnusualSignInComesBeforeEnrolment(t *testing.T) {
	w := relaxed(t, "unusualenrol")
	mia := made(t, w, "mia", "member", "203.0.113.239")
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, http.StatusOK, "PATCH", security, map[string]bool{"mfa_required": true})
	thief := person{Visitor: w.Entries.Visitor(w.Slug, "198.51.100.239"), email: mia.email, word: mia.word}
	var state struct {
		State   string
		Methods []string
	}
	begin := func(p person) {
		t.Helper()
		body := map[string]string{"login": p.email, "password": p.word}
		if err := want(t, p.Visitor, http.StatusOK, "POST", signin, body).Decode(http.StatusOK, &state); err != nil {
			t.Fatal(err)
		}
	}
	begin(thief)
	if state.State != "mfa_required" || !slices.Equal(state.Methods, []string{"email"}) {
		t.Errorf("from elsewhere: %+v", state)
	}
	for _, method := range []string{"otp", "hardware_key", "biometric", "email"} {
		refused(t, thief.Visitor, "sign_in_incomplete", "POST", factors, map[string]string{"method": method, "name": "Mine"})
	}
	begin(mia)
	if state.State != "enrolment_required" {
		t.Errorf("from a known browser: %+v", state)
	}
	// Its owner reads the code, and sets one up then.
	path := begun(t, thief.Visitor, "email", "login")
	if err := want(t, thief.Visitor, http.StatusOK, "POST", path, map[string]string{"code": code(t, w, mia.email)}).Decode(http.StatusOK, &state); err != nil || state.State != "enrolment_required" {
		t.Errorf("after the code: %+v, %v", state, err)
	}
	refused(t, thief.Visitor, "enrolment_required", "GET", "/api/status/", nil)
	withApp(t, thief.Visitor)
	want(t, thief.Visitor, http.StatusOK, "GET", "/api/status/", nil)
}

// TestARaceForOneAnswer holds two equal answers back, of each kind that is not
// sent, until both have read what they are held to (security, MF-1, MF-5, WA-2).
func TestARaceForOneAnswer(t *testing.T) {
	w := relaxed(t, "answerrace")
	mia := made(t, w, "mia", "member", "203.0.113.193")
	var factor struct{ ID, Secret string }
	if err := want(t, mia.Visitor, http.StatusCreated, "POST", factors, map[string]string{"method": "otp", "name": "App"}).Decode(http.StatusCreated, &factor); err != nil {
		t.Fatal(err)
	}
	a := app{factor.ID, factor.Secret}
	var confirmed struct {
		RecoveryCodes []string `json:"recovery_codes"`
	}
	if err := want(t, mia.Visitor, http.StatusOK, "POST", factors+a.id+"/confirm/", a.code(t)).Decode(http.StatusOK, &confirmed); err != nil {
		t.Fatal(err)
	}
	k, err := authenticator.Device(world.Origin(w.Slug))
	if err != nil {
		t.Fatal(err)
	}
	made := ask(t, mia.Visitor, factors, map[string]string{"method": "biometric", "name": "B"})
	once := func(what, path string, body any) {
		t.Helper()
		if won := raced(t, w, mia.Visitor, path, body); won != 1 {
			t.Errorf("%s: %d of two succeeded", what, won)
		}
	}
	once("a registration", factors+made.ID+"/confirm/", created(t, k, made))
	mia.signIn(t)
	once("a code of an app", begun(t, mia.Visitor, "otp", "login"), a.code(t))
	mia.signIn(t)
	up := ask(t, mia.Visitor, challenges, map[string]string{"method": "biometric", "purpose": "login"})
	once("an answer of a key", challenges+up.ID+"/verify/", answered(t, k, up))
	mia.signIn(t)
	once("a recovery code", begun(t, mia.Visitor, "recovery_code", "login"), map[string]string{"code": confirmed.RecoveryCodes[0]})
	alone := ask(t, mia.Visitor, passkeys, nil)
	once("a passkey", passkeys+alone.ID+"/verify/", answered(t, k, alone))
	// One code in two sessions, of a challenge each: the code itself is used up.
	other := w.Entries.Visitor(w.Slug, "203.0.113.194")
	mia.signIn(t)
	want(t, other, http.StatusOK, "POST", signin, map[string]string{"login": mia.email, "password": mia.word})
	mine, theirs := begun(t, mia.Visitor, "recovery_code", "login"), begun(t, other, "recovery_code", "login")
	want(t, mia.Visitor, http.StatusOK, "POST", mine, map[string]string{"code": confirmed.RecoveryCodes[1]})
	refused(t, other, "mfa_code_invalid", "POST", theirs, map[string]string{"code": confirmed.RecoveryCodes[1]})
}

// TestStrangersDoNotUseUpTheAnswersOfAnHour guesses at an app with the right
// password: a browser that its owner has signed in from goes on, up to a budget of
// its own, and no other does (security, LK-1 and MF-3).
func TestStrangersDoNotUseUpTheAnswersOfAnHour(t *testing.T) {
	w := relaxed(t, "hours")
	mia, eve := made(t, w, "mia", "member", "203.0.113.240"), made(t, w, "eve", "member", "203.0.113.241")
	mias := withApp(t, mia.Visitor)
	shared.Clock.Advance(shared.Clock.Now().Truncate(time.Hour).Add(time.Hour).Sub(shared.Clock.Now()))
	guess := func(p person, n int) {
		t.Helper()
		for i := range n {
			if i%5 == 0 {
				p.signIn(t)
			}
			refused(t, p.Visitor, "mfa_code_invalid", "POST", begun(t, p.Visitor, "otp", "login"), map[string]string{"code": "00000x"})
		}
		p.signIn(t)
		if a := refused(t, p.Visitor, "mfa_too_many_attempts", "POST", begun(t, p.Visitor, "otp", "login"), mias.code(t)); a.Retry() == 0 {
			t.Error("no Retry-After")
		}
	}
	from := func(address, browser string) person {
		return person{Visitor: w.Entries.Visitor(w.Slug, address).KnownBy(browser), email: mia.email, word: mia.word}
	}
	guess(from("198.51.100.240", ""), 10)
	for name, p := range map[string]person{"a new one": from("203.0.113.242", ""), "another account's": from("203.0.113.243", eve.Browser())} {
		p.signIn(t)
		if a := refused(t, p.Visitor, "mfa_too_many_attempts", "POST", begun(t, p.Visitor, "otp", "login"), mias.code(t)); a.Retry() == 0 {
			t.Errorf("%s: no Retry-After", name)
		}
	}
	mia.signedInBy(t, mias)
	guess(from("203.0.113.244", mia.Browser()), 10)
}

// atStep returns an app's code so many steps from now.
func (a app) atStep(t *testing.T, steps int) map[string]string {
	t.Helper()
	text, err := visitor.Code(a.secret, shared.Clock.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"code": text}
}

// TestAnAppsCodeOpensOnce takes the steps beside the present one, and no step that
// is as old as one that was used (security, MF-1 and MF-2).
func TestAnAppsCodeOpensOnce(t *testing.T) {
	w := relaxed(t, "steps")
	mia := made(t, w, "mia", "member", "203.0.113.245")
	mias := withApp(t, mia.Visitor)
	shared.Clock.Advance(2 * time.Hour)
	mia.signIn(t)
	want(t, mia.Visitor, http.StatusOK, "POST", begun(t, mia.Visitor, "otp", "login"), mias.code(t))
	shared.Clock.Advance(2 * time.Minute)
	before := whyFailed(t, w)
	for _, c := range []struct {
		step int
		code string
	}{{-2, "mfa_code_invalid"}, {2, "mfa_code_invalid"}, {-1, ""}, {-1, "mfa_code_invalid"}, {0, ""}, {0, "mfa_code_invalid"}, {-1, "mfa_code_invalid"}, {1, ""}, {1, "mfa_code_invalid"}, {0, "mfa_code_invalid"}} {
		refused(t, mia.Visitor, c.code, "POST", begun(t, mia.Visitor, "otp", "step_up"), mias.atStep(t, c.step))
	}
	after := whyFailed(t, w)
	if replayed, wrong := after["replay"]-before["replay"], after["wrong"]-before["wrong"]; replayed != 5 || wrong != 2 {
		t.Errorf("%d events say replay and %d wrong", replayed, wrong)
	}
}

// TestOneChallengeTakesFiveAnswers gives one challenge many wrong answers at once:
// five are looked at, and the right one comes too late (security, MF-3).
func TestOneChallengeTakesFiveAnswers(t *testing.T) {
	w := relaxed(t, "fivetries")
	mia := made(t, w, "mia", "member", "203.0.113.246")
	mias := withApp(t, mia.Visitor)
	path := begun(t, mia.Visitor, "otp", "step_up")
	codes := make(chan string, 50)
	var wait sync.WaitGroup
	for range cap(codes) {
		one := mia.WithCookie(mia.Cookie())
		wait.Go(func() {
			if a, err := one.Do(t.Context(), "POST", path, map[string]string{"code": "00000x"}); err == nil {
				codes <- a.Problem().Code
			}
		})
	}
	wait.Wait()
	close(codes)
	count := map[string]int{}
	for c := range codes {
		count[c]++
	}
	if count["mfa_code_invalid"] != 5 || count["mfa_too_many_attempts"] != 45 {
		t.Errorf("50 wrong answers at once: %v", count)
	}
	refused(t, mia.Visitor, "mfa_too_many_attempts", "POST", path, mias.code(t))
	want(t, mia.Visitor, http.StatusOK, "POST", begun(t, mia.Visitor, "otp", "step_up"), mias.code(t))
}

// TestAMethodThatIsNotConfirmedCountsForNothing begins to set up each kind: a
// sign-in asks for none of them, nothing shows a secret again, and another session
// cannot finish (security, MF-11).
func TestAMethodThatIsNotConfirmedCountsForNothing(t *testing.T) {
	w := relaxed(t, "unconfirmed")
	mia := made(t, w, "mia", "member", "203.0.113.247")
	var factor struct{ ID, Secret string }
	if err := want(t, mia.Visitor, http.StatusCreated, "POST", factors, map[string]string{"method": "otp", "name": "App"}).Decode(http.StatusCreated, &factor); err != nil {
		t.Fatal(err)
	}
	if raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(factor.Secret); err != nil || len(raw) < 20 {
		t.Errorf("a secret of %d bytes, %v", len(raw), err)
	}
	mias := app{factor.ID, factor.Secret}
	refused(t, mia.Visitor, "mfa_method_unavailable", "POST", challenges, map[string]string{"method": "otp", "purpose": "step_up"})
	other := person{Visitor: w.Entries.Visitor(w.Slug, "203.0.113.247"), email: mia.email, word: mia.word}
	other.signIn(t)
	want(t, other.Visitor, http.StatusOK, "GET", "/api/status/", nil)
	refused(t, other.Visitor, "not_found", "POST", factors+mias.id+"/confirm/", mias.code(t))
	want(t, mia.Visitor, http.StatusOK, "POST", factors+mias.id+"/confirm/", mias.code(t))
	if body := string(want(t, mia.Visitor, http.StatusOK, "GET", factors, nil).Body); strings.Contains(body, mias.secret) || strings.Contains(body, "otpauth") {
		t.Errorf("the secret is shown again: %s", body)
	}
	// Its proof is the session's that gave it (SU-2).
	want(t, mia.Visitor, http.StatusCreated, "POST", codesPath, nil)
	asksForProof(t, w, other.Visitor, "900", "POST", codesPath, nil)
}

// TestRecoveryCodesEndWithTheirSet makes new codes: an old one opens nothing, a
// new one opens one session that can only set up a method, and its owner is told
// (security, MF-5 and SU-4).
func TestRecoveryCodesEndWithTheirSet(t *testing.T) {
	w := relaxed(t, "oldset")
	mia := made(t, w, "mia", "member", "203.0.113.248")
	mias := withApp(t, mia.Visitor)
	codes := func() []string {
		t.Helper()
		var out struct {
			RecoveryCodes []string `json:"recovery_codes"`
		}
		if err := want(t, mia.Visitor, http.StatusCreated, "POST", codesPath, nil).Decode(http.StatusCreated, &out); err != nil {
			t.Fatal(err)
		}
		return out.RecoveryCodes
	}
	old := codes()
	fresh := codes()
	if len(fresh) != 10 {
		t.Errorf("%d codes", len(fresh))
	}
	for _, c := range []struct {
		name, code, says string
	}{{"of the old set", old[0], "mfa_code_invalid"}, {"a new one", fresh[0], ""}, {"the same again", fresh[0], "mfa_code_invalid"}} {
		mia.signIn(t)
		if a := refused(t, mia.Visitor, c.says, "POST", begun(t, mia.Visitor, "recovery_code", "login"), map[string]string{"code": c.code}); c.says == "" {
			var state struct{ State string }
			if err := a.Decode(http.StatusOK, &state); err != nil || state.State != "enrolment_required" {
				t.Errorf("a recovery code opened %+v, %v", state, err)
			}
			refused(t, mia.Visitor, "enrolment_required", "POST", codesPath, nil)
		}
	}
	if n := mails(t, w, mia.email, "A recovery code was used for your account"); n != 1 {
		t.Errorf("%d notices", n)
	}
	if n := kinds(t, w, audit.MFARecoveryCodeUsed); n != 1 {
		t.Errorf("%d events", n)
	}
	mia.signedInBy(t, mias)
	refused(t, mia.Visitor, "mfa_method_unavailable", "POST", challenges, map[string]string{"method": "recovery_code", "purpose": "step_up"})
}
