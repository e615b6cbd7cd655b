package session_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/mfa"
	"paddock/shared/session"
	"paddock/shared/workspace"
)

var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func TestSessionsEndAtTheirInstant(t *testing.T) {
	var w workspace.Workspace
	w.Security.SessionIdleTimeout, w.Security.SessionAbsoluteTimeout = 3600, 86_400
	for _, c := range []struct {
		name string
		s    session.Session
		at   time.Time
		want bool
	}{
		{"just begun", session.Session{Kind: session.Console, CreatedAt: now, SeenAt: now, EndsAt: now.Add(time.Hour)}, now, true},
		{"a nanosecond before the end", session.Session{Kind: session.CLI, CreatedAt: now, SeenAt: now, EndsAt: now.Add(time.Hour)}, now.Add(time.Hour - 1), true},
		{"at the end", session.Session{Kind: session.CLI, CreatedAt: now, SeenAt: now, EndsAt: now.Add(time.Hour)}, now.Add(time.Hour), false},
		{"idle to the limit", session.Session{Kind: session.Console, CreatedAt: now, SeenAt: now, EndsAt: now.Add(24 * time.Hour)}, now.Add(time.Hour), false},
		{"idle a nanosecond less", session.Session{Kind: session.Console, CreatedAt: now, SeenAt: now, EndsAt: now.Add(24 * time.Hour)}, now.Add(time.Hour - 1), true},
		{"a command line is never idle", session.Session{Kind: session.CLI, CreatedAt: now, SeenAt: now, EndsAt: now.Add(24 * time.Hour)}, now.Add(23 * time.Hour), true},
		{"begun under a longer limit", session.Session{Kind: session.CLI, CreatedAt: now, EndsAt: now.Add(48 * time.Hour)}, now.Add(24*time.Hour - 1), true},
		{"the limit was lowered since", session.Session{Kind: session.CLI, CreatedAt: now, EndsAt: now.Add(48 * time.Hour)}, now.Add(24 * time.Hour), false},
		{"the zero session", session.Session{}, now, false},
	} {
		if got := c.s.Live(w, c.at); got != c.want {
			t.Errorf("%s: live %t", c.name, got)
		}
	}
}

func withFactor(method identity.Method) identity.User {
	return identity.User{Factors: []identity.Factor{{Method: method}}}
}

func TestWhatIsOwedAfterAPassword(t *testing.T) {
	var free, strict workspace.Workspace
	strict.Security.MFARequired = true
	for _, c := range []struct {
		name   string
		w      workspace.Workspace
		u      identity.User
		change bool
		want   session.State
	}{
		{"no factor, not enforced", free, identity.User{}, false, session.SignedIn},
		{"no factor, enforced", strict, identity.User{}, false, session.EnrolmentRequired},
		{"factor, not enforced", free, withFactor(identity.OTP), false, session.MFARequired},
		{"factor, enforced", strict, withFactor(identity.OTP), false, session.MFARequired},
		{"recovery codes alone are no factor", strict, withFactor(identity.RecoveryCode), false, session.EnrolmentRequired},
		{"a password to be replaced", free, identity.User{}, true, session.ChangeRequired},
		{"the factor comes before the new password", free, withFactor(identity.OTP), true, session.MFARequired},
		{"so does enrolling one", strict, identity.User{}, true, session.EnrolmentRequired},
	} {
		if got := session.StateAfterPassword(c.w, c.u, c.change); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

// TestRecoveryCodesAreTheLastResort holds the order in which methods are
// offered, whenever the codes were made.
func TestRecoveryCodesAreTheLastResort(t *testing.T) {
	var w workspace.Workspace
	w.Security.AllowedMFAMethods = []string{string(identity.OTP), string(identity.RecoveryCode)}
	u := identity.User{Factors: []identity.Factor{{Method: identity.RecoveryCode}, {Method: identity.OTP}, {Method: identity.OTP}}}
	if got := session.MethodsOf(w, u); !slices.Equal(got, []identity.Method{identity.OTP, identity.RecoveryCode}) {
		t.Errorf("%v", got)
	}
}

func TestWhoMayEnrol(t *testing.T) {
	proof := mfa.Proof{ID: id.Of[id.Proof](id.UUID{15: 1}), Method: identity.OTP, At: now}
	var w workspace.Workspace
	w.Security.MFATimeout, w.Security.AllowedMFAMethods = 900, []string{string(identity.OTP), string(identity.HardwareKey)}
	keysOnly, slow, stranger := w, w, proof
	both := identity.User{Factors: []identity.Factor{{Method: identity.OTP}, {ID: id.Of[id.Factor](id.UUID{15: 3}), Method: identity.HardwareKey}}}
	keysOnly.Security.AllowedMFAMethods = []string{string(identity.HardwareKey)}
	slow.Security.StepUpMethods = []string{string(identity.HardwareKey)}
	stranger.Factor = id.Of[id.Factor](id.UUID{15: 2})
	for _, c := range []struct {
		name string
		a    session.Authenticated
		at   time.Time
		want error
	}{
		{"first factor, half signed in", session.Authenticated{Session: session.Session{Kind: session.Half}}, now, nil},
		{"first factor, fresh sign-in", session.Authenticated{Session: session.Session{Kind: session.Console, CreatedAt: now}}, now.Add(session.FirstEnrolment - 1), nil},
		{"first factor, old sign-in", session.Authenticated{Session: session.Session{Kind: session.Console, CreatedAt: now}}, now.Add(session.FirstEnrolment), session.ErrSignInAgain},
		{"second factor, half signed in", session.Authenticated{User: withFactor(identity.OTP), Session: session.Session{Kind: session.Half}}, now, mfa.ErrEnrolled},
		{"second factor, no proof", session.Authenticated{Workspace: w, User: withFactor(identity.OTP), Session: session.Session{Kind: session.Console, CreatedAt: now}}, now, session.ErrStepUp},
		{"second factor, fresh proof", session.Authenticated{Workspace: w, User: withFactor(identity.OTP), Session: session.Session{Kind: session.Console, Proof: proof}}, now.Add(899 * time.Second), nil},
		{"second factor, stale proof", session.Authenticated{Workspace: w, User: withFactor(identity.OTP), Session: session.Session{Kind: session.Console, Proof: proof}}, now.Add(900 * time.Second), session.ErrStepUp},
		{"the only method opens no protected action", session.Authenticated{Workspace: slow, User: withFactor(identity.OTP), Session: session.Session{Kind: session.Console, Proof: proof}}, now, nil},
		{"another method opens protected actions", session.Authenticated{Workspace: slow, User: both, Session: session.Session{Kind: session.Console, Proof: proof}}, now, session.ErrStepUp},
		{"second factor, proof by one that was removed", session.Authenticated{Workspace: w, User: withFactor(identity.OTP), Session: session.Session{Kind: session.Console, Proof: stranger}}, now, session.ErrStepUp},
		{"no method is allowed any more", session.Authenticated{Workspace: keysOnly, User: withFactor(identity.OTP), Session: session.Session{Kind: session.Console, Proof: proof}}, now, session.ErrSignInAgain},
		{"by recovery code", session.Authenticated{Workspace: w, User: withFactor(identity.OTP), Session: session.Session{Kind: session.Console, EnrolOnly: true}}, now, nil},
	} {
		if err := session.MayEnrol(c.a, c.at); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
