package world_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/audit"
)

// newest returns the newest stored event of a kind.
func newest(t *testing.T, w *world.Walk, k audit.Kind) (out audit.Event) {
	t.Helper()
	events, err := w.Events(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Kind == k && !e.Time.Before(out.Time) {
			out = e
		}
	}
	return out
}

// asksForProof sends a request that is refused for want of a fresh proof: the
// answer says how fresh it must be and of which class (security, SU-1).
func asksForProof(t *testing.T, w *world.Walk, v *visitor.Visitor, maxAge, method, path string, body any) {
	t.Helper()
	before := kinds(t, w, audit.StepUpRequired)
	a := refused(t, v, "auth_mfa_required", method, path, body)
	got := a.Header.Get("WWW-Authenticate")
	for _, want := range []string{`Bearer error="insufficient_user_authentication"`, `acr_values="step_up"`, `max_age="` + maxAge + `"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s %s: the challenge is %q, without %s", method, path, got, want)
		}
	}
	if n := kinds(t, w, audit.StepUpRequired) - before; n != 1 {
		t.Errorf("%s %s: %d events, want 1", method, path, n)
	}
}

// TestProofsAreAskedForAlike holds each way in which a proof is asked for to one
// form: by the row, by the fields, to add a method, and by a workspace that
// demands a second factor.
func TestProofsAreAskedForAlike(t *testing.T) {
	w := relaxed(t, "asksalike")
	mia, bob := made(t, w, "mia", "member", "203.0.113.210"), made(t, w, "bob", "member", "203.0.113.211")
	mias := withApp(t, mia.Visitor)
	stale := person{Visitor: w.Entries.Visitor(w.Slug, "203.0.113.210"), email: mia.email, word: mia.word}
	stale.signedInBy(t, mias)
	keyed(t, w, mia.Visitor, "hardware_key")
	shared.Clock.Advance(15 * time.Minute)
	const timeout = "900"
	asksForProof(t, w, mia.Visitor, timeout, "POST", "/api/auth/mfa/recovery-codes/", nil)
	asksForProof(t, w, mia.Visitor, timeout, "POST", factors, map[string]string{"method": "otp", "name": "Another"})
	asksForProof(t, w, mia.Visitor, timeout, "PATCH", "/api/iam/users/-/", map[string]string{"email": "mia.moves@people.example"})
	// Whoever runs the workspace needs one for what cannot be made good again.
	if err := w.SignIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	shared.Clock.Advance(15 * time.Minute)
	asksForProof(t, w, w.Me, timeout, "DELETE", bob.path, nil)
	asksForProof(t, w, w.Me, timeout, "PATCH", bob.path, map[string]bool{"is_active": false})
	asksForProof(t, w, w.Me, timeout, "POST", bob.path+"sessions/end-all/", nil)
	asksForProof(t, w, w.Me, timeout, "DELETE", bob.path+"sessions/"+w.ID.String()+"/", nil)
	asksForProof(t, w, w.Me, timeout, "PATCH", "/api/workspaces/preferences/-/", map[string]int{"invite_ttl": 7200})
	want(t, w.Me, http.StatusOK, "PATCH", bob.path, map[string]string{"first_name": "Bob"})
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, http.StatusOK, "PATCH", bob.path, map[string]bool{"is_active": false})
	if e := newest(t, w, audit.UserDisabled); !e.Privileged {
		t.Error("the event of a disabled account is not privileged")
	}
	want(t, w.Me, http.StatusOK, "PATCH", security, map[string]bool{"mfa_required": true})
	// What this session proved goes: where a second factor is demanded, nothing is
	// open without another proof.
	want(t, mia.Visitor, http.StatusOK, "POST", begun(t, mia.Visitor, "otp", "step_up"), mias.code(t))
	want(t, mia.Visitor, http.StatusNoContent, "DELETE", factors+mias.id+"/", nil)
	asksForProof(t, w, stale.Visitor, timeout, "GET", "/api/status/", nil)
}

// TestPrivilegedEventsNameTheirProof signs in by password and app and steps up by
// key: what that opened names the key and its proof, and not what the session
// began with.
func TestPrivilegedEventsNameTheirProof(t *testing.T) {
	w := relaxed(t, "privileged")
	mia := made(t, w, "mia", "member", "203.0.113.212")
	mias := withApp(t, mia.Visitor)
	if e := newest(t, w, audit.MFAFactorAdded); e.Privileged {
		t.Error("the first method is privileged: there was nothing to prove")
	}
	shared.Clock.Advance(time.Second)
	k, _ := keyed(t, w, mia.Visitor, "hardware_key")
	names := func(kind audit.Kind) {
		t.Helper()
		granted, _ := newest(t, w, audit.StepUpGranted).Field("proof_id")
		e := newest(t, w, kind)
		if !e.Privileged || e.Auth.Method != "hardware_key" || e.Auth.MFAAge != time.Minute || e.Auth.ProofID != granted.ID() {
			t.Errorf("%s: privileged %t, by %+v; want the key, a minute ago, proof %s", kind.Name(), e.Privileged, e.Auth, granted.ID())
		}
	}
	if e := newest(t, w, audit.MFAFactorAdded); !e.Privileged || e.Auth.Method != "otp" {
		t.Errorf("the second method: privileged %t, by %+v", e.Privileged, e.Auth)
	}
	mia.signedInBy(t, mias)
	stepUpOf(t, mia.Visitor, k)
	shared.Clock.Advance(time.Minute)
	want(t, mia.Visitor, http.StatusCreated, "POST", "/api/auth/mfa/recovery-codes/", nil)
	names(audit.MFARecoveryCodesGenerated)
	want(t, mia.Visitor, http.StatusOK, "PATCH", "/api/iam/users/-/", map[string]string{"email": "mia.moves@people.example"})
	names(audit.UserUpdated)
	keyed(t, w, mia.Visitor, "biometric")
	names(audit.MFAFactorAdded)
	mia.signedInBy(t, mias)
	stepUpOf(t, mia.Visitor, k)
	shared.Clock.Advance(time.Minute)
	want(t, mia.Visitor, http.StatusOK, "POST", change, map[string]string{"password": "the-lamp-of-a-minute"})
	names(audit.AuthPasswordChanged)
	// A proof that was not asked for makes nothing privileged.
	shared.Clock.Advance(time.Second)
	want(t, mia.Visitor, http.StatusOK, "POST", change, map[string]string{"current": "the-lamp-of-a-minute", "password": "the-lamp-of-another"})
	if e := newest(t, w, audit.AuthPasswordChanged); e.Privileged || e.Auth.Method != "password" {
		t.Errorf("with the present password: privileged %t, by %+v", e.Privileged, e.Auth)
	}
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, http.StatusNoContent, "DELETE", mia.path, nil)
	if e := newest(t, w, audit.UserDeleted); !e.Privileged || e.Auth.Method != "otp" || e.Auth.ProofID.Zero() {
		t.Errorf("a deletion: privileged %t, by %+v", e.Privileged, e.Auth)
	}
}

// TestAPasswordSessionOfACommandLineManagesPeople holds that a command line which
// can hold no proof deletes and disables as before, and does nothing that always
// asks for one.
func TestAPasswordSessionOfACommandLineManagesPeople(t *testing.T) {
	w := relaxed(t, "cliproof")
	sid, bob := made(t, w, "sid", "superuser", "203.0.113.213"), made(t, w, "bob", "member", "203.0.113.214")
	var in struct{ Token string }
	if err := want(t, sid.Visitor, http.StatusOK, "POST", "/api/auth/login/", map[string]string{"username": "sid", "password": sid.word}).Decode(http.StatusOK, &in); err != nil {
		t.Fatal(err)
	}
	line := w.Entries.Visitor(w.Slug, "203.0.113.213")
	line.Bearer = in.Token
	want(t, line, http.StatusOK, "PATCH", bob.path, map[string]bool{"is_active": false})
	want(t, line, http.StatusOK, "PATCH", "/api/workspaces/preferences/-/", map[string]int{"invite_ttl": 7200})
	want(t, line, http.StatusNoContent, "POST", bob.path+"sessions/end-all/", nil)
	want(t, line, http.StatusNoContent, "DELETE", bob.path, nil)
	if e := newest(t, w, audit.UserDeleted); e.Privileged {
		t.Error("what rests on no proof is privileged")
	}
	refused(t, line, "mfa_session_required", "PATCH", security, map[string]int{"mfa_timeout": 800})
	refused(t, sid.Visitor, "auth_mfa_required", "PATCH", "/api/workspaces/preferences/-/", map[string]int{"invite_ttl": 7201})
}
