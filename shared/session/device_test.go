package session_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"paddock/shared/credential"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/mfa"
	"paddock/shared/session"
)

const installation = "6c0f3f5a-3b5e-4f1e-9d57-0a4c8d1b2e37"

func TestRedeemable(t *testing.T) {
	begun := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	end := begun.Add(session.DeviceLife)
	for _, c := range []struct {
		name   string
		state  session.DeviceState
		client string
		at     time.Time
		want   error
		waits  bool
	}{
		{name: "waits", state: session.DeviceWaits, at: begun, want: session.ErrPending, waits: true},
		{name: "waits to the last", state: session.DeviceWaits, at: end.Add(-1), want: session.ErrPending, waits: true},
		{name: "waited too long", state: session.DeviceWaits, at: end, want: session.ErrExpired},
		{name: "approved", state: session.DeviceApproved, at: begun},
		{name: "approved, at the last", state: session.DeviceApproved, at: end.Add(-1)},
		{name: "approved, too late", state: session.DeviceApproved, at: end, want: session.ErrExpired},
		{name: "denied", state: session.DeviceDenied, at: begun, want: session.ErrDenied},
		{name: "denied, too late", state: session.DeviceDenied, at: end, want: session.ErrExpired},
		{name: "another client", state: session.DeviceApproved, client: "other", at: begun, want: session.ErrGrant},
		{name: "another client, too late", state: session.DeviceApproved, client: "other", at: end, want: session.ErrGrant},
		{name: "no state", at: begun, want: session.ErrGrant},
	} {
		d := session.DeviceLogin{State: c.state, Client: session.CLIClient, RequestedAt: begun, ExpiresAt: end}
		client := c.client
		if client == "" {
			client = session.CLIClient
		}
		if err := d.Redeemable(client, c.at); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if c.client == "" && d.Waits(c.at) != c.waits {
			t.Errorf("%s: waits is %t", c.name, !c.waits)
		}
	}
	for _, s := range session.DeviceStates {
		if s.String() == "unknown" {
			t.Errorf("state %d has no name", s)
		}
	}
}

func TestARecoveryCodeProvesNothingElsewhere(t *testing.T) {
	proof := mfa.Proof{ID: id.Of[id.Proof](id.UUID{15: 1}), Method: identity.OTP, At: time.Unix(1, 0)}
	a := session.Authenticated{User: identity.User{ID: id.Of[id.Principal](id.UUID{15: 2}), Epoch: 7}, Session: session.Session{Method: "password", Factors: []string{"password", "otp"}, Proof: proof}}
	got := session.DeviceLogin{State: session.DeviceWaits}.ApprovedBy(a)
	if got.State != session.DeviceApproved || got.Approval.Proof != proof || got.Approval.Epoch != 7 || got.Approval.User != a.User.ID {
		t.Errorf("approved %+v", got)
	}
	a.Session.Proof.Method = identity.RecoveryCode
	if got := (session.DeviceLogin{}).ApprovedBy(a); !got.Approval.Proof.ID.Zero() {
		t.Error("the proof of a recovery code was handed on")
	}
}

func TestParseScope(t *testing.T) {
	whole := "openid profile email offline_access cli org:demo device:" + installation
	for name, c := range map[string]struct {
		text string
		good bool
	}{
		"of a login":             {whole, true},
		"of a refresh":           {"cli org:demo device:" + installation, true},
		"without organisation":   {"cli device:" + installation, true},
		"of another workspace":   {"cli org:other device:" + installation, false},
		"without installation":   {"cli org:demo", false},
		"without cli":            {"openid device:" + installation, false},
		"two installations":      {"cli device:" + installation + " device:00000000", false},
		"one word twice":         {"cli cli device:" + installation, false},
		"two blanks":             {"cli  device:" + installation, false},
		"a blank at the end":     {"cli device:" + installation + " ", false},
		"a tab":                  {"cli\tdevice:" + installation, false},
		"an unknown word":        {"cli admin device:" + installation, false},
		"a value where none is":  {"cli:x device:" + installation, false},
		"another case":           {"CLI device:" + installation, false},
		"a short installation":   {"cli device:1234567", false},
		"a long installation":    {"cli device:" + strings.Repeat("a", 65), false},
		"the longest":            {"cli device:" + strings.Repeat("a", 64), true},
		"the shortest":           {"cli device:12345678", true},
		"a letter of no name":    {"cli device:1234567_", false},
		"a colon in the value":   {"cli device:1234:5678", false},
		"nothing":                {"", false},
		"longer than anybody's":  {"cli device:" + installation + strings.Repeat(" openid", 100), false},
		"an organisation's twin": {"cli org:demo org:demo device:" + installation, false},
	} {
		got, err := session.ParseScope(c.text, "demo")
		if (err == nil) != c.good || (err != nil && (!errors.Is(err, session.ErrScope) || got != session.Scope{})) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if c.good && (got.Text != c.text || !strings.Contains(c.text, "device:"+got.Device)) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	granted, err := session.ParseScope("cli device:"+installation, "demo")
	if err != nil {
		t.Fatal(err)
	}
	for text, within := range map[string]bool{"cli device:" + installation: true, "cli device:other-installation": true, "cli openid device:" + installation: false, whole: false} {
		asked, err := session.ParseScope(text, "demo")
		if err != nil || asked.Within(granted) != within {
			t.Errorf("%q is within: %t, %v", text, !within, err)
		}
	}
}

func TestUserCodesReadBackAsTyped(t *testing.T) {
	seen := map[session.UserCode]bool{}
	for range 200 {
		code, err := session.NewUserCode(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		seen[code] = true
		shown := code.Shown()
		if len(shown) != 9 || shown[4] != '-' || strings.Trim(shown, "BCDFGHJKLMNPQRSTVWXZ-") != "" {
			t.Fatalf("shown as %q", shown)
		}
		for _, typed := range []string{shown, strings.ToLower(shown), string(code), " " + shown + " ", strings.ReplaceAll(shown, "-", " "), strings.Join(strings.Split(string(code), ""), "-")} {
			if got, ok := session.ParseUserCode(typed); !ok || got != code {
				t.Fatalf("%q reads as %q, %t", typed, got, ok)
			}
		}
	}
	if len(seen) != 200 {
		t.Errorf("%d codes of 200 differ", len(seen))
	}
	for _, typed := range []string{"", "BCDF", "BCDFGHJ", "BCDFGHJKL", "ACDFGHJK", "BCDF_GHJK", "ＢCDFGHJK", "BCDF\nGHJK", strings.Repeat("-", 100) + "BCDFGHJK"} {
		if got, ok := session.ParseUserCode(typed); ok {
			t.Errorf("%q reads as %q", typed, got)
		}
	}
	if _, err := session.NewUserCode(iotest.ErrReader(errors.New("no randomness"))); err == nil {
		t.Error("a code without randomness")
	}
}

// TestLettersOfUserCodesAreAsLikely feeds every byte once: each letter comes as
// often as the others.
func TestLettersOfUserCodesAreAsLikely(t *testing.T) {
	var all []byte
	for i := range 256 {
		all = append(all, byte(i))
	}
	r := bytes.NewReader(all)
	count := map[rune]int{}
	for range 240 / 8 {
		code, err := session.NewUserCode(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range string(code) {
			count[c]++
		}
	}
	for c, n := range count {
		if n != 12 {
			t.Errorf("%c comes %d times of 240", c, n)
		}
	}
	if len(count) != 20 {
		t.Errorf("%d letters", len(count))
	}
}

func FuzzParseUserCode(f *testing.F) {
	for _, s := range []string{"BCDF-GHJK", "bcdf ghjk", "", "BCDFGHJKL", "É"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := session.ParseUserCode(typed)
		if !ok {
			if code != "" {
				t.Fatalf("%q is no code and reads as %q", typed, code)
			}
			return
		}
		if again, ok := session.ParseUserCode(code.Shown()); !ok || again != code {
			t.Fatalf("%q reads as %q, which is shown as %q", typed, code, code.Shown())
		}
		if want := strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(typed)); want != string(code) {
			t.Fatalf("%q reads as %q", typed, code)
		}
	})
}

// TestHandlesOfAccessTokens holds that the handle follows from refresh token and
// generation and from nothing less.
func TestHandlesOfAccessTokens(t *testing.T) {
	one, two := refreshToken(t, 1), refreshToken(t, 2)
	seen := map[string]bool{}
	for _, r := range []credential.Secret{one, two} {
		for generation := range int64(3) {
			h, err := session.AccessHandle(r, generation)
			if err != nil {
				t.Fatal(err)
			}
			again, err := session.AccessHandle(r, generation)
			if err != nil || again.Reveal() != h.Reveal() {
				t.Error("the same handle is made otherwise")
			}
			if seen[h.Reveal()] || h.Prefix() != credential.Device || h.Workspace() != r.Workspace() || h.Principal() != r.Principal() {
				t.Errorf("generation %d of %s", generation, r.Workspace())
			}
			seen[h.Reveal()] = true
		}
	}
}

func refreshToken(t *testing.T, fill byte) credential.Secret {
	t.Helper()
	s, err := credential.New(bytes.NewReader(bytes.Repeat([]byte{fill}, 32)), credential.Refresh, id.UUID{15: 1}, id.UUID{15: 2})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
