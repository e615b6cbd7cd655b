package mfa_test

import (
	"testing"
	"time"

	"paddock/shared/mfa"
)

// TestCodesAreSentSoOften asks for a code each second of two days and counts what
// is sent, and tries the edges of each window.
func TestCodesAreSentSoOften(t *testing.T) {
	var s mfa.Sends
	var sent []time.Time
	for at := now; at.Before(now.Add(48 * time.Hour)); at = at.Add(time.Second) {
		next, spent := s.Add(at)
		if spent != nil {
			if _, still := s.Add(at.Add(spent.Wait - 1)); still == nil {
				t.Fatalf("there was room before %s", spent.Wait)
			}
			if _, still := s.Add(at.Add(spent.Wait)); still != nil {
				t.Fatalf("there is no room after %s", spent.Wait)
			}
			if spent.Wait <= 0 || spent.Wait > spent.Window || len(next.At) != 0 {
				t.Fatalf("refused with %+v and %v", spent, next)
			}
			continue
		}
		s, sent = next, append(sent, at)
	}
	if len(sent) != 2*mfa.SendsADay {
		t.Errorf("%d codes in two days", len(sent))
	}
	if len(s.At) > mfa.SendsADay {
		t.Errorf("%d instants are kept", len(s.At))
	}
	for i, at := range sent {
		if i > 0 && at.Sub(sent[i-1]) < mfa.ResendAfter {
			t.Errorf("a code %s after the one before", at.Sub(sent[i-1]))
		}
		if i >= mfa.SendsAnHour && at.Sub(sent[i-mfa.SendsAnHour]) < time.Hour {
			t.Errorf("%d codes within an hour", mfa.SendsAnHour+1)
		}
	}
	one, _ := mfa.Sends{}.Add(now)
	for age, wait := range map[time.Duration]time.Duration{0: mfa.ResendAfter, mfa.ResendAfter - 1: 1, mfa.ResendAfter: 0} {
		_, spent := one.Add(now.Add(age))
		if got := spent; (got == nil) != (wait == 0) || got != nil && got.Wait != wait {
			t.Errorf("after %s: %+v, want to wait %s", age, got, wait)
		}
	}
}
