package world_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"paddock/localstack/authenticator"
	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/audit"
)

const (
	factors    = "/api/auth/mfa/factors/"
	challenges = "/api/auth/mfa/challenges/"
	passkeys   = "/api/auth/passkey/challenges/"
)

// asked is an open challenge or enrolment.
type asked struct {
	ID       string
	WebAuthn json.RawMessage `json:"webauthn"`
}

func ask(t *testing.T, v *visitor.Visitor, path string, body any) (out asked) {
	t.Helper()
	if err := want(t, v, http.StatusCreated, "POST", path, body).Decode(http.StatusCreated, &out); err != nil {
		t.Fatal(err)
	}
	if len(out.WebAuthn) == 0 {
		t.Fatal("there is nothing to ask a key")
	}
	return out
}

// created returns the answer of a key that is being registered, answered that
// of one that proves.
func created(t *testing.T, k *authenticator.Key, a asked) map[string]any {
	t.Helper()
	answer, err := k.Create(a.WebAuthn)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"credential": answer}
}

func answered(t *testing.T, k *authenticator.Key, a asked) map[string]any {
	t.Helper()
	answer, err := k.Get(a.WebAuthn)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"credential": answer}
}

// keyed registers a new key of a method for a person.
func keyed(t *testing.T, w *world.Walk, v *visitor.Visitor, method string) (k *authenticator.Key, factor string) {
	t.Helper()
	k, err := authenticator.New(world.Origin(w.Slug))
	if method == "biometric" {
		k, err = authenticator.Device(world.Origin(w.Slug))
	}
	if err != nil {
		t.Fatal(err)
	}
	a := ask(t, v, factors, map[string]string{"method": method, "name": "My " + method})
	want(t, v, http.StatusOK, "POST", factors+a.ID+"/confirm/", created(t, k, a))
	return k, a.ID
}

// stepUp opens a challenge to step up by a method.
func stepUp(t *testing.T, v *visitor.Visitor, method string) asked {
	t.Helper()
	return ask(t, v, challenges, map[string]string{"method": method, "purpose": "step_up"})
}

// TestASecurityKeyIsASecondFactor sets one up, and signs in and steps up with
// it; a second one beside it; none opens anything once it is removed.
func TestASecurityKeyIsASecondFactor(t *testing.T) {
	w := relaxed(t, "keys")
	mia := made(t, w, "mia", "member", "203.0.113.150")
	var first struct {
		RecoveryCodes []string `json:"recovery_codes"`
		Factor        struct{ Method, Name string }
	}
	k, err := authenticator.New(world.Origin(w.Slug))
	if err != nil {
		t.Fatal(err)
	}
	a := ask(t, mia.Visitor, factors, map[string]string{"method": "hardware_key", "name": "Yellow key"})
	if err := want(t, mia.Visitor, http.StatusOK, "POST", factors+a.ID+"/confirm/", created(t, k, a)).Decode(http.StatusOK, &first); err != nil {
		t.Fatal(err)
	}
	if len(first.RecoveryCodes) != 10 || first.Factor.Method != "hardware_key" || first.Factor.Name != "Yellow key" {
		t.Errorf("the first method was answered with %+v", first)
	}
	device, _ := keyed(t, w, mia.Visitor, "biometric")
	if n := mails(t, w, mia.email, "A sign-in method was added to your account"); n != 2 {
		t.Errorf("%d notices of new methods", n)
	}
	// Signing in from elsewhere asks for one of them.
	elsewhere := w.Entries.Visitor(w.Slug, "203.0.113.151")
	var state struct{ Methods []string }
	if err := want(t, elsewhere, http.StatusOK, "POST", signin, map[string]string{"login": mia.email, "password": mia.word}).Decode(http.StatusOK, &state); err != nil {
		t.Fatal(err)
	}
	if strings.Join(state.Methods, " ") != "hardware_key biometric recovery_code" {
		t.Errorf("methods are %v", state.Methods)
	}
	login := ask(t, elsewhere, challenges, map[string]string{"method": "hardware_key", "purpose": "login"})
	want(t, elsewhere, http.StatusOK, "POST", challenges+login.ID+"/verify/", answered(t, k, login))
	want(t, elsewhere, http.StatusOK, "GET", "/api/status/", nil)
	// After the timeout the device steps up.
	shared.Clock.Advance(20 * time.Minute)
	refused(t, elsewhere, "auth_mfa_required", "DELETE", factors+a.ID+"/", nil)
	up := stepUp(t, elsewhere, "biometric")
	want(t, elsewhere, http.StatusOK, "POST", challenges+up.ID+"/verify/", answered(t, device, up))
	up = stepUp(t, elsewhere, "hardware_key")
	want(t, elsewhere, http.StatusNoContent, "DELETE", factors+a.ID+"/", nil)
	refused(t, elsewhere, "mfa_method_unavailable", "POST", challenges+up.ID+"/verify/", answered(t, k, up))
	refused(t, elsewhere, "mfa_method_unavailable", "POST", challenges, map[string]string{"method": "hardware_key", "purpose": "step_up"})
	// What was removed is free.
	again := ask(t, elsewhere, factors, map[string]string{"method": "hardware_key", "name": "Yellow key"})
	want(t, elsewhere, http.StatusOK, "POST", factors+again.ID+"/confirm/", created(t, k, again))
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestWrongAnswersOfKeys varies one part of a right answer at a time. Each is
// refused, and the event says why; the key itself goes on to work.
func TestWrongAnswersOfKeys(t *testing.T) {
	w := relaxed(t, "wrongkeys")
	mia := made(t, w, "mia", "member", "203.0.113.152")
	origin := world.Origin(w.Slug)
	for _, wrong := range []struct {
		name, reason string
		change       func(*authenticator.Key)
		get          bool // wrong in an assertion too
	}{
		{"another origin", "origin", func(k *authenticator.Key) { k.Origin = "https://evil.example" }, true},
		{"plain http", "origin", func(k *authenticator.Key) { k.Origin = strings.Replace(origin, "https", "http", 1) }, true},
		{"another port", "origin", func(k *authenticator.Key) { k.Origin = origin + ":444" }, true},
		{"a longer host", "origin", func(k *authenticator.Key) { k.Origin = origin + ".evil.example" }, true},
		{"another workspace", "origin", func(k *authenticator.Key) { k.Origin = world.Origin("else") }, true},
		{"no origin", "origin", func(k *authenticator.Key) { k.Origin = "null" }, true},
		{"from within another site", "origin", func(k *authenticator.Key) { k.CrossOrigin = true }, true},
		{"from within a named site", "origin", func(k *authenticator.Key) { k.CrossOrigin, k.TopOrigin = true, "https://evil.example" }, true},
		{"the hash of another host", "wrong", func(k *authenticator.Key) { k.Host = "evil.example" }, true},
		{"the hash of the domain above", "wrong", func(k *authenticator.Key) { k.Host = "paddock.test" }, true},
		{"another challenge", "wrong", func(k *authenticator.Key) { k.Challenge = "b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcm90aGVy" }, true},
		{"nobody touched it", "wrong", func(k *authenticator.Key) { k.Present = false }, true},
		{"the other ceremony", "wrong", func(k *authenticator.Key) { k.Type = "webauthn.get" }, false},
		{"the other ceremony", "wrong", func(k *authenticator.Key) { k.Type = "webauthn.create" }, true},
		{"an algorithm that was not offered", "wrong", func(k *authenticator.Key) { k.Algorithm = -65535 }, false},
		{"the algorithm of another kind of key", "wrong", func(k *authenticator.Key) { k.Algorithm = -257 }, false},
		{"another account", "wrong", func(k *authenticator.Key) { k.Handle = []byte("sixteen bytes id") }, true},
		{"a backup that it had not", "wrong", func(k *authenticator.Key) { k.Eligible = true }, true},
	} {
		t.Run(wrong.name, func(t *testing.T) {
			shared.Clock.Advance(2 * time.Hour) // budgets begin anew
			mia.signIn(t)
			k, err := authenticator.New(origin)
			if err != nil {
				t.Fatal(err)
			}
			a := ask(t, mia.Visitor, factors, map[string]string{"method": "hardware_key", "name": "K"})
			before := whyFailed(t, w)
			creates := *k
			if wrong.change(&creates); wrong.name != "another account" && wrong.name != "a backup that it had not" && creates.Type != "webauthn.create" {
				refused(t, mia.Visitor, "mfa_credential_invalid", "POST", factors+a.ID+"/confirm/", created(t, &creates, a))
				if got := whyFailed(t, w)[wrong.reason] - before[wrong.reason]; got != 1 {
					t.Errorf("registered: %d events say %s", got, wrong.reason)
				}
			}
			if !wrong.get {
				return
			}
			want(t, mia.Visitor, http.StatusOK, "POST", factors+a.ID+"/confirm/", created(t, k, a))
			up := stepUp(t, mia.Visitor, "hardware_key")
			before = whyFailed(t, w)
			gets := *k
			wrong.change(&gets)
			refused(t, mia.Visitor, "mfa_credential_invalid", "POST", challenges+up.ID+"/verify/", answered(t, &gets, up))
			if got := whyFailed(t, w)[wrong.reason] - before[wrong.reason]; got != 1 {
				t.Errorf("proved: %d events say %s", got, wrong.reason)
			}
			want(t, mia.Visitor, http.StatusOK, "POST", challenges+up.ID+"/verify/", answered(t, k, up))
			want(t, mia.Visitor, http.StatusNoContent, "DELETE", factors+a.ID+"/", nil)
		})
	}
	shared.Clock.Advance(2 * time.Hour)
	mia.signIn(t)
	up := ask(t, mia.Visitor, factors, map[string]string{"method": "hardware_key", "name": "K"})
	for _, body := range []any{
		map[string]any{"credential": 1},
		map[string]any{"credential": map[string]any{}},
		map[string]any{"credential": "x"},
		map[string]string{"code": "123456"},
		map[string]any{"credential": map[string]any{"id": "AA", "rawId": "AA", "type": "public-key", "response": map[string]any{"clientDataJSON": "e30", "attestationObject": "oA"}}},
	} {
		a, err := mia.Do(t.Context(), "POST", factors+up.ID+"/confirm/", body)
		if err != nil || a.Status >= 500 || a.Status < 400 {
			t.Errorf("%v: %d %s, %v", body, a.Status, a.Body, err)
		}
	}
}

// whyFailed counts the failed proofs of a workspace by the reason of the event.
func whyFailed(t *testing.T, w *world.Walk) map[string]int {
	t.Helper()
	events, err := w.Events(t.Context())
	if err != nil {
		t.Error(err)
	}
	out := map[string]int{}
	for _, e := range events {
		if e.Kind == audit.MFAFailed {
			reason, _ := e.Field("reason")
			out[reason.Text()]++
		}
	}
	return out
}

// TestAnAnswerOfAKeyCountsOnce replays answers, swaps them between challenges,
// sessions and people, and posts one many times at once.
func TestAnAnswerOfAKeyCountsOnce(t *testing.T) {
	w := relaxed(t, "replayed")
	mia, ada := made(t, w, "mia", "member", "203.0.113.153"), made(t, w, "ada", "member", "203.0.113.154")
	k, _ := keyed(t, w, mia.Visitor, "hardware_key")
	theirs, _ := keyed(t, w, ada.Visitor, "hardware_key")
	verify := func(a asked) string { return challenges + a.ID + "/verify/" }
	first, second := stepUp(t, mia.Visitor, "hardware_key"), stepUp(t, mia.Visitor, "hardware_key")
	proof := answered(t, k, first)
	refused(t, mia.Visitor, "mfa_credential_invalid", "POST", verify(second), proof)
	refused(t, ada.Visitor, "challenge_not_found", "POST", verify(first), proof)
	refused(t, mia.Visitor, "mfa_credential_invalid", "POST", verify(first), answered(t, theirs, first))
	want(t, mia.Visitor, http.StatusOK, "POST", verify(first), proof)
	refused(t, mia.Visitor, "challenge_not_found", "POST", verify(first), proof)
	refused(t, mia.Visitor, "challenge_not_found", "POST", verify(second), answered(t, k, second)) // the session has another handle
	// A challenge of the sign-in is of the half session that began it.
	half := w.Entries.Visitor(w.Slug, "203.0.113.155")
	want(t, half, http.StatusOK, "POST", signin, map[string]string{"login": mia.email, "password": mia.word})
	login := ask(t, half, challenges, map[string]string{"method": "hardware_key", "purpose": "login"})
	refused(t, mia.Visitor, "challenge_not_found", "POST", verify(login), answered(t, k, login))
	shared.Clock.Advance(5 * time.Minute)
	refused(t, half, "challenge_not_found", "POST", verify(login), answered(t, k, login))
	// Of equal answers at once one counts.
	up := stepUp(t, mia.Visitor, "hardware_key")
	proof = answered(t, k, up)
	if won := atOnce(t, mia.Visitor, 20, verify(up), proof); won != 1 {
		t.Errorf("one answer opened %d sessions", won)
	}
	// A key is one person's.
	shared.Clock.Advance(time.Hour)
	ada.signIn(t)
	in := ask(t, ada.Visitor, challenges, map[string]string{"method": "hardware_key", "purpose": "login"})
	want(t, ada.Visitor, http.StatusOK, "POST", verify(in), answered(t, theirs, in))
	a := ask(t, ada.Visitor, factors, map[string]string{"method": "hardware_key", "name": "Theirs"})
	refused(t, ada.Visitor, "mfa_credential_in_use", "POST", factors+a.ID+"/confirm/", created(t, k, a))
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestWhatMayBeWhichMethod registers what the method or the policy rules out.
func TestWhatMayBeWhichMethod(t *testing.T) {
	w := relaxed(t, "models")
	const model = "2fc0579f-8113-47ea-b116-bb5a8db9202a"
	mia := made(t, w, "mia", "member", "203.0.113.156")
	try := func(method, code string, change func(*authenticator.Key)) {
		t.Helper()
		shared.Clock.Advance(time.Hour)
		mia.signIn(t)
		k, err := authenticator.New(world.Origin(w.Slug))
		if err != nil {
			t.Fatal(err)
		}
		change(k)
		a := ask(t, mia.Visitor, factors, map[string]string{"method": method, "name": "K"})
		if code != "" {
			refused(t, mia.Visitor, code, "POST", factors+a.ID+"/confirm/", created(t, k, a))
			return
		}
		want(t, mia.Visitor, http.StatusOK, "POST", factors+a.ID+"/confirm/", created(t, k, a))
		want(t, mia.Visitor, http.StatusNoContent, "DELETE", factors+a.ID+"/", nil)
	}
	const other = "mfa_authenticator_not_allowed"
	try("hardware_key", other, func(k *authenticator.Key) { k.Eligible = true })
	try("hardware_key", other, func(k *authenticator.Key) { k.Attachment = "platform" })
	try("biometric", "mfa_credential_invalid", func(k *authenticator.Key) { k.Attachment = "platform" }) // verified nobody
	try("biometric", other, func(k *authenticator.Key) { k.Verified = true })                            // a roaming key
	try("biometric", "", func(k *authenticator.Key) { k.Verified, k.Eligible = true, true })             // a phone nearby
	shared.Clock.Advance(time.Hour)
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, http.StatusOK, "PATCH", security, map[string]any{"hardware_key_models": []string{strings.ToUpper(model)}})
	refused(t, w.Me, "invalid_value", "PATCH", security, map[string]any{"hardware_key_models": []string{"yellow"}})
	try("hardware_key", other, func(*authenticator.Key) {})
	try("hardware_key", "", func(k *authenticator.Key) {
		k.AAGUID = [16]byte{0x2f, 0xc0, 0x57, 0x9f, 0x81, 0x13, 0x47, 0xea, 0xb1, 0x16, 0xbb, 0x5a, 0x8d, 0xb9, 0x20, 0x2a}
	})
}

// TestAKeyThatCountsBackwards answers as a copy would.
func TestAKeyThatCountsBackwards(t *testing.T) {
	w := relaxed(t, "copied")
	mia := made(t, w, "mia", "member", "203.0.113.157")
	k, _ := keyed(t, w, mia.Visitor, "hardware_key")
	prove := func() (string, map[string]any) {
		t.Helper()
		up := stepUp(t, mia.Visitor, "hardware_key")
		return challenges + up.ID + "/verify/", answered(t, k, up)
	}
	k.Count = 4
	path, proof := prove() // 5
	want(t, mia.Visitor, http.StatusOK, "POST", path, proof)
	k.Count = 3
	path, proof = prove() // 4
	refused(t, mia.Visitor, "mfa_credential_copied", "POST", path, proof)
	path, proof = prove() // 5 again
	refused(t, mia.Visitor, "mfa_credential_copied", "POST", path, proof)
	const subject = "There may be a copy of your security key"
	if got, told := whyFailed(t, w)["sign_count"], mails(t, w, mia.email, subject); got != 2 || told != 2 {
		t.Errorf("%d events, %d notices", got, told)
	}
	want(t, w.Me, http.StatusOK, "PATCH", security, map[string]string{"sign_count_regression": "report"})
	k.Count = 1
	path, proof = prove()
	want(t, mia.Visitor, http.StatusOK, "POST", path, proof)
	if got, told := whyFailed(t, w)["sign_count"], mails(t, w, mia.email, subject); got != 3 || told != 3 {
		t.Errorf("reported: %d events, %d notices", got, told)
	}
	// The highest count is kept, and a key that never counts is no copy.
	k.Count = 9
	path, proof = prove()
	want(t, mia.Visitor, http.StatusOK, "POST", path, proof)
	shared.Clock.Advance(time.Hour)
	quiet := made(t, w, "ada", "member", "203.0.113.158")
	still, _ := keyed(t, w, quiet.Visitor, "hardware_key")
	still.Still = true
	for range 2 {
		up := stepUp(t, quiet.Visitor, "hardware_key")
		want(t, quiet.Visitor, http.StatusOK, "POST", challenges+up.ID+"/verify/", answered(t, still, up))
	}
}

// TestAPasskeySignsInAlone opens a session with nothing else, where the
// workspace lets it, and only for its owner.
func TestAPasskeySignsInAlone(t *testing.T) {
	w, other := relaxed(t, "alone"), relaxed(t, "alone-else")
	mia, ada := made(t, w, "mia", "member", "203.0.113.159"), made(t, w, "ada", "member", "203.0.113.160")
	k, factor := keyed(t, w, mia.Visitor, "biometric")
	theirs, _ := keyed(t, w, ada.Visitor, "biometric")
	stranger := w.Entries.Visitor(w.Slug, "203.0.113.161")
	begin := func() (asked, string) {
		t.Helper()
		a := ask(t, stranger, passkeys, nil)
		return a, passkeys + a.ID + "/verify/"
	}
	a, path := begin()
	proof := answered(t, k, a)
	var state struct{ State string }
	if err := want(t, stranger, http.StatusOK, "POST", path, proof).Decode(http.StatusOK, &state); err != nil || state.State != "signed_in" {
		t.Errorf("signed in: %+v, %v", state, err)
	}
	want(t, stranger, http.StatusOK, "GET", "/api/status/", nil)
	// It proved all factors: a protected change of one's own is open.
	want(t, stranger, http.StatusCreated, "POST", "/api/auth/mfa/recovery-codes/", nil)
	fresh := w.Entries.Visitor(w.Slug, "203.0.113.162")
	refused(t, fresh, "challenge_not_found", "POST", path, proof)
	// Not with another challenge, unverified, in another's name, or elsewhere.
	a, path = begin()
	refused(t, fresh, "invalid_credentials", "POST", path, proof)
	sly := *k
	sly.Verified = false
	refused(t, fresh, "invalid_credentials", "POST", path, answered(t, &sly, a))
	sly = *theirs
	sly.Handle = k.Handle
	refused(t, fresh, "invalid_credentials", "POST", path, answered(t, &sly, a))
	sly.Handle = nil
	refused(t, fresh, "invalid_credentials", "POST", path, answered(t, &sly, a))
	elsewhere := other.Entries.Visitor(other.Slug, "203.0.113.163")
	refused(t, elsewhere, "challenge_not_found", "POST", path, answered(t, k, a))
	shared.Clock.Advance(5 * time.Minute)
	refused(t, fresh, "challenge_not_found", "POST", path, answered(t, k, a))
	// Guesses at the password do not lock its owner out.
	for range 11 {
		if _, err := fresh.Do(t.Context(), "POST", signin, map[string]string{"login": mia.email, "password": "wrong-wrong-wrong"}); err != nil {
			t.Fatal(err)
		}
	}
	a, path = begin()
	if won := atOnce(t, w.Entries.Visitor(w.Slug, "203.0.113.162"), 10, path, answered(t, k, a)); won != 1 {
		t.Errorf("one answer opened %d sessions", won)
	}
	// A disabled account, a removed key, and the setting.
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, http.StatusOK, "PATCH", ada.path, map[string]bool{"is_active": false})
	a, path = begin()
	refused(t, fresh, "invalid_credentials", "POST", path, answered(t, theirs, a))
	mia.signInWith(t, k)
	want(t, mia.Visitor, http.StatusNoContent, "DELETE", factors+factor+"/", nil)
	a, path = begin()
	refused(t, fresh, "invalid_credentials", "POST", path, answered(t, k, a))
	want(t, w.Me, http.StatusOK, "PATCH", security, map[string]bool{"passkey_as_mfa": false})
	refused(t, fresh, "passkey_not_allowed", "POST", path, answered(t, k, a))
	refused(t, fresh, "passkey_not_allowed", "POST", passkeys, nil)
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// signInWith signs a person in by passkey.
func (p person) signInWith(t *testing.T, k *authenticator.Key) {
	t.Helper()
	a := ask(t, p.Visitor, passkeys, nil)
	want(t, p.Visitor, http.StatusOK, "POST", passkeys+a.ID+"/verify/", answered(t, k, a))
}
