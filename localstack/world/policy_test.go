package world_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"paddock/localstack/authenticator"
	"paddock/localstack/visitor"
	"paddock/shared/audit"
)

// app is a person's authenticator app.
type app struct{ id, secret string }

// withApp gives a person an authenticator app.
func withApp(t *testing.T, v *visitor.Visitor) app {
	t.Helper()
	var factor struct{ ID, Secret string }
	if err := want(t, v, http.StatusCreated, "POST", factors, map[string]string{"method": "otp", "name": "App"}).Decode(http.StatusCreated, &factor); err != nil {
		t.Fatal(err)
	}
	a := app{factor.ID, factor.Secret}
	want(t, v, http.StatusOK, "POST", factors+a.id+"/confirm/", a.code(t))
	return a
}

// code returns the app's next code.
func (a app) code(t *testing.T) map[string]string {
	t.Helper()
	shared.Clock.Advance(31 * time.Second)
	text, err := visitor.Code(a.secret, shared.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"code": text}
}

// begun opens a challenge and returns where it is answered.
func begun(t *testing.T, v *visitor.Visitor, method, purpose string) string {
	t.Helper()
	var out struct{ ID string }
	if err := want(t, v, http.StatusCreated, "POST", challenges, map[string]string{"method": method, "purpose": purpose}).Decode(http.StatusCreated, &out); err != nil {
		t.Fatal(err)
	}
	return challenges + out.ID + "/verify/"
}

// signedInBy signs a person in by password and app.
func (p person) signedInBy(t *testing.T, a app) {
	t.Helper()
	p.signIn(t)
	want(t, p.Visitor, http.StatusOK, "POST", begun(t, p.Visitor, "otp", "login"), a.code(t))
}

// TestMethodsAreRestricted allows security keys only: what that means is told
// and acknowledged, nobody can be left without a way in, and codes open nothing
// any more but the way to a key.
func TestMethodsAreRestricted(t *testing.T) {
	w := relaxed(t, "restricted")
	mia, ada := made(t, w, "mia", "member", "203.0.113.170"), made(t, w, "ada", "member", "203.0.113.171")
	mias, adas := withApp(t, mia.Visitor), withApp(t, ada.Visitor)
	adaKey, _ := keyed(t, w, ada.Visitor, "hardware_key")
	keysOnly := map[string]any{"allowed_mfa_methods": []string{"recovery_code", "hardware_key", "biometric"}}
	refused(t, w.Me, "invalid_value", "PATCH", security, map[string]any{"allowed_mfa_methods": []string{"recovery_code"}})
	refused(t, w.Me, "invalid_value", "PATCH", security, map[string]any{"allowed_mfa_methods": []string{"pigeon"}})
	refused(t, w.Me, "invalid_value", "PATCH", security, map[string]any{"step_up_methods": []string{"recovery_code"}})
	// The only superuser has an app only.
	refused(t, w.Me, "mfa_no_superuser", "PATCH", security, keysOnly)
	refused(t, w.Me, "mfa_no_superuser", "PATCH", security, map[string]any{"step_up_methods": []string{"hardware_key"}})
	mine, _ := keyed(t, w, w.Me, "hardware_key")
	var preview struct {
		AffectedCount int `json:"affected_count"`
		Affected      []struct{ Name string }
		Superusers    int
	}
	if err := want(t, w.Me, http.StatusOK, "POST", security+"preview/", keysOnly).Decode(http.StatusOK, &preview); err != nil {
		t.Fatal(err)
	}
	if preview.AffectedCount != 1 || preview.Superusers != 1 || preview.Affected[0].Name != "mia" {
		t.Errorf("the preview is %+v", preview)
	}
	if a := refused(t, w.Me, "mfa_users_affected", "PATCH", security, keysOnly); !strings.HasPrefix(a.Problem().Detail, "1 people") {
		t.Errorf("the refusal says %q", a.Problem().Detail)
	}
	keysOnly["acknowledge_affected"] = 2
	refused(t, w.Me, "mfa_users_affected", "PATCH", security, keysOnly)
	// What is open when the policy changes ends under the new one.
	shared.Clock.Advance(20 * time.Minute)
	pending := begun(t, ada.Visitor, "otp", "step_up")
	code := adas.code(t)
	stepUpOf(t, w.Me, mine)
	keysOnly["acknowledge_affected"] = 1
	want(t, w.Me, http.StatusOK, "PATCH", security, keysOnly)
	if a := refused(t, ada.Visitor, "mfa_method_unavailable", "POST", pending, code); !strings.Contains(a.Problem().Detail, "hardware_key") || strings.Contains(a.Problem().Detail, "otp") {
		t.Errorf("the refusal says %q", a.Problem().Detail)
	}
	refused(t, ada.Visitor, "mfa_method_unavailable", "POST", challenges, map[string]string{"method": "otp", "purpose": "step_up"})
	// Who holds both signs in with the key only.
	again := w.Entries.Visitor(w.Slug, "203.0.113.171")
	var state struct {
		State   string
		Methods []string
	}
	if err := want(t, again, http.StatusOK, "POST", signin, map[string]string{"login": ada.email, "password": ada.word}).Decode(http.StatusOK, &state); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(state.Methods, []string{"hardware_key", "recovery_code"}) {
		t.Errorf("the methods are %v", state.Methods)
	}
	refused(t, again, "mfa_method_unavailable", "POST", challenges, map[string]string{"method": "otp", "purpose": "login"})
	login := ask(t, again, challenges, map[string]string{"method": "hardware_key", "purpose": "login"})
	want(t, again, http.StatusOK, "POST", challenges+login.ID+"/verify/", answered(t, adaKey, login))
	refused(t, again, "mfa_method_unavailable", "POST", factors, map[string]string{"method": "otp", "name": "Another"})
	// Who lost the last one proves it once more, and may then only set up a key.
	if err := want(t, mia.Visitor, http.StatusOK, "POST", signin, map[string]string{"login": mia.email, "password": mia.word}).Decode(http.StatusOK, &state); err != nil {
		t.Fatal(err)
	}
	if state.State != "mfa_required" || !slices.Contains(state.Methods, "otp") {
		t.Errorf("the sign-in of who lost the last method is %+v", state)
	}
	refused(t, mia.Visitor, "mfa_factor_exists", "POST", factors, map[string]string{"method": "hardware_key", "name": "K"})
	if err := want(t, mia.Visitor, http.StatusOK, "POST", begun(t, mia.Visitor, "otp", "login"), mias.code(t)).Decode(http.StatusOK, &state); err != nil || state.State != "enrolment_required" {
		t.Errorf("the old method opened %+v, %v", state, err)
	}
	refused(t, mia.Visitor, "enrolment_required", "GET", "/api/status/", nil)
	keyed(t, w, mia.Visitor, "hardware_key")
	want(t, mia.Visitor, http.StatusOK, "GET", "/api/status/", nil)
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// stepUpOf steps up with a key.
func stepUpOf(t *testing.T, v *visitor.Visitor, k *authenticator.Key) {
	t.Helper()
	up := stepUp(t, v, "hardware_key")
	want(t, v, http.StatusOK, "POST", challenges+up.ID+"/verify/", answered(t, k, up))
}

// TestWhichMethodsStepUp lets security keys only open protected actions.
func TestWhichMethodsStepUp(t *testing.T) {
	w := relaxed(t, "stepsup")
	mine, _ := keyed(t, w, w.Me, "hardware_key")
	want(t, w.Me, http.StatusOK, "PATCH", security, map[string]any{"step_up_methods": []string{"hardware_key"}, "notify_step_up": true})
	if err := w.SignIn(t.Context()); err != nil { // by the app
		t.Fatal(err)
	}
	want(t, w.Me, http.StatusOK, "GET", "/api/status/", nil)
	var held struct {
		SignIn []string `json:"sign_in_methods"`
		Enrol  []string `json:"enrol_methods"`
		StepUp []string `json:"step_up_methods"`
	}
	if err := want(t, w.Me, http.StatusOK, "GET", factors, nil).Decode(http.StatusOK, &held); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(held.SignIn, []string{"otp", "hardware_key", "recovery_code"}) || !slices.Equal(held.Enrol, []string{"hardware_key", "biometric", "otp", "email", "phone"}) ||
		!slices.Equal(held.StepUp, []string{"hardware_key"}) {
		t.Errorf("what the policy makes of the methods is %+v", held)
	}
	body := map[string]any{"mfa_timeout": 700}
	refused(t, w.Me, "auth_mfa_required", "PATCH", security, body)
	stepUpOf(t, w.Me, mine)
	want(t, w.Me, http.StatusOK, "PATCH", security, body)
	if n := mails(t, w, w.Email(), "Your second factor was verified"); n != 1 {
		t.Errorf("%d notices of a step-up", n)
	}
}

// TestAProofEndsWithItsMethod removes a method in one session: what another
// proved with it is stale.
func TestAProofEndsWithItsMethod(t *testing.T) {
	w := relaxed(t, "proofends")
	mia := made(t, w, "mia", "member", "203.0.113.172")
	mias := withApp(t, mia.Visitor)
	keyed(t, w, mia.Visitor, "hardware_key")
	other := person{Visitor: w.Entries.Visitor(w.Slug, "203.0.113.172"), email: mia.email, word: mia.word}
	other.signedInBy(t, mias)
	want(t, mia.Visitor, http.StatusNoContent, "DELETE", factors+mias.id+"/", nil)
	refused(t, other.Visitor, "auth_mfa_required", "POST", "/api/auth/mfa/recovery-codes/", nil)
	want(t, mia.Visitor, http.StatusCreated, "POST", "/api/auth/mfa/recovery-codes/", nil)
}

// TestAMethodDiesOfWrongCodes guesses at a method for so long that it is dead,
// whatever the hour; another one opens, and a right code begins anew.
func TestAMethodDiesOfWrongCodes(t *testing.T) {
	w := relaxed(t, "wrongcodes")
	mia := made(t, w, "mia", "member", "203.0.113.173")
	mias := withApp(t, mia.Visitor)
	k, _ := keyed(t, w, mia.Visitor, "biometric")
	guess := func(n int) {
		t.Helper()
		for range n {
			shared.Clock.Advance(20 * time.Minute)
			mia.signInWith(t, k)
			path := begun(t, mia.Visitor, "otp", "step_up")
			for range 3 {
				refused(t, mia.Visitor, "mfa_code_invalid", "POST", path, map[string]string{"code": "000000"})
			}
		}
	}
	guess(33) // 99
	want(t, mia.Visitor, http.StatusOK, "POST", begun(t, mia.Visitor, "otp", "step_up"), mias.code(t))
	guess(33)
	shared.Clock.Advance(20 * time.Minute)
	mia.signInWith(t, k)
	path := begun(t, mia.Visitor, "otp", "step_up")
	refused(t, mia.Visitor, "mfa_code_invalid", "POST", path, map[string]string{"code": "000000"})
	refused(t, mia.Visitor, "mfa_method_locked", "POST", path, mias.code(t))
	want(t, mia.Visitor, http.StatusNoContent, "DELETE", factors+mias.id+"/", nil)
	withApp(t, mia.Visitor)
	mia.signInWith(t, k)
}

// TestMethodsAreReset removes what a person lost: by whoever may change the
// account, with a fresh proof and a reason, and the person is told.
func TestMethodsAreReset(t *testing.T) {
	w := relaxed(t, "reset")
	mia, sam := made(t, w, "mia", "member", "203.0.113.174"), made(t, w, "sam", "staff", "203.0.113.175").enrolled(t)
	withApp(t, mia.Visitor)
	k, _ := keyed(t, w, mia.Visitor, "biometric")
	reset := mia.path + "mfa/reset/"
	body := map[string]string{"reason": "lost the phone, seen in person"}
	refused(t, mia.Visitor, "permission_denied", "POST", reset, body)
	refused(t, sam.Visitor, "invalid_value", "POST", reset, map[string]string{"reason": " "})
	refused(t, sam.Visitor, "permission_denied", "POST", own(t, w)+"mfa/reset/", body)
	refused(t, sam.Visitor, "own_account", "POST", sam.path+"mfa/reset/", body)
	want(t, sam.Visitor, http.StatusNoContent, "POST", reset, body)
	refused(t, mia.Visitor, "session_invalid", "GET", "/api/status/", nil)
	a := ask(t, mia.Visitor, passkeys, nil)
	refused(t, mia.Visitor, "invalid_credentials", "POST", passkeys+a.ID+"/verify/", answered(t, k, a))
	mia.signIn(t)
	refused(t, sam.Visitor, "not_found", "POST", reset, body)
	shared.Clock.Advance(20 * time.Minute)
	refused(t, sam.Visitor, "auth_mfa_required", "POST", reset, body)
	if n := mails(t, w, mia.email, "Your sign-in methods were removed"); n != 1 {
		t.Errorf("%d notices", n)
	}
	if n := kinds(t, w, audit.MFAFactorResetByAdmin); n != 1 {
		t.Errorf("%d events", n)
	}
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestDemandingAMethodIsPreviewed asks who would be held to set one up, and turns
// the demand on: they are, at the next request, and nobody else (security, MF-10).
func TestDemandingAMethodIsPreviewed(t *testing.T) {
	w := relaxed(t, "demanded")
	mia, ada, bob := made(t, w, "mia", "member", "203.0.113.176"), made(t, w, "ada", "member", "203.0.113.177"), made(t, w, "bob", "member", "203.0.113.178")
	gone := made(t, w, "gone", "member", "203.0.113.179")
	withApp(t, mia.Visitor)
	keyed(t, w, ada.Visitor, "hardware_key")
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, http.StatusOK, "PATCH", gone.path, map[string]bool{"is_active": false})
	without := func(body map[string]any) string {
		t.Helper()
		var preview struct {
			Affected           []struct{ Name string }
			WithoutMethodCount int                     `json:"without_method_count"`
			WithoutMethod      []struct{ Name string } `json:"without_method"`
		}
		if err := want(t, w.Me, http.StatusOK, "POST", security+"preview/", body).Decode(http.StatusOK, &preview); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, p := range preview.WithoutMethod {
			names = append(names, p.Name)
		}
		if preview.WithoutMethodCount != len(names) {
			t.Errorf("%d people, %v", preview.WithoutMethodCount, names)
		}
		slices.Sort(names)
		return strings.Join(names, " ")
	}
	if got := without(map[string]any{"mfa_required": true}); got != "bob" {
		t.Errorf("who has no method: %q", got)
	}
	if got := without(map[string]any{"mfa_required": true, "allowed_mfa_methods": []string{"otp", "recovery_code"}}); got != "ada bob" {
		t.Errorf("who has no method that would be allowed: %q", got)
	}
	if got := without(map[string]any{"mfa_timeout": 700}); got != "" {
		t.Errorf("where nothing is demanded: %q", got)
	}
	want(t, w.Me, http.StatusOK, "PATCH", security, map[string]bool{"mfa_required": true})
	refused(t, bob.Visitor, "enrolment_required", "GET", "/api/status/", nil)
	for _, p := range []person{mia, ada} {
		want(t, p.Visitor, http.StatusOK, "GET", "/api/status/", nil)
	}
	if got := without(map[string]any{"mfa_required": true}); got != "" {
		t.Errorf("where it is demanded already: %q", got)
	}
}
