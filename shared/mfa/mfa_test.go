package mfa_test

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/mfa"
)

var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func proof(m identity.Method, at time.Time) mfa.Proof {
	return mfa.Proof{ID: id.Of[id.Proof](id.UUID{15: 1}), Method: m, At: at}
}

func TestFreshnessEdges(t *testing.T) {
	var v struct {
		Durations []struct {
			ID   string
			Edge []struct {
				Timeout int    `json:"timeout"`
				Age     int    `json:"age_s"`
				Expect  string `json:"expect"`
			}
		}
	}
	b, err := os.ReadFile("testdata/limits.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	cases := 0
	for _, d := range v.Durations {
		for _, e := range d.Edge {
			cases++
			p := proof(identity.OTP, now.Add(-time.Duration(e.Age)*time.Second))
			if got := mfa.Fresh(p, now, time.Duration(e.Timeout)*time.Second); got != (e.Expect == "valid") {
				t.Errorf("%s: age %d of %d is fresh: %t, want %s", d.ID, e.Age, e.Timeout, got, e.Expect)
			}
		}
	}
	if cases == 0 {
		t.Fatal("no edges in the vectors")
	}
}

func TestFreshnessIsHalfOpenToTheNanosecond(t *testing.T) {
	for age, want := range map[time.Duration]bool{0: true, -1: false, time.Minute - 1: true, time.Minute: false, time.Minute + 1: false} {
		if got := mfa.Fresh(proof(identity.OTP, now.Add(-age)), now, time.Minute); got != want {
			t.Errorf("age %d ns: %t", age, got)
		}
	}
}

// TestAProofHasTheTimeoutOfItsTime holds that a timeout which was raised later
// revives no proof, and one that was lowered ends it.
func TestAProofHasTheTimeoutOfItsTime(t *testing.T) {
	p := proof(identity.OTP, now.Add(-20*time.Minute))
	p.For = 15 * time.Minute
	if mfa.Fresh(p, now, 24*time.Hour) {
		t.Error("a stale proof came back")
	}
	p.For = 20*time.Minute + 1
	if !mfa.Fresh(p, now, 24*time.Hour) || mfa.Fresh(p, now, 20*time.Minute) {
		t.Error("the lower of both timeouts does not decide")
	}
}

func TestWhatNeverCountsAsFresh(t *testing.T) {
	if mfa.Fresh(mfa.Proof{At: now, Method: identity.OTP}, now, time.Hour) {
		t.Error("no proof is fresh")
	}
	if mfa.Fresh(proof(identity.RecoveryCode, now), now, time.Hour) {
		t.Error("a recovery code is fresh")
	}
}
