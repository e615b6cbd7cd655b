package world_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"paddock/localstack/visitor"
	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/mfa"
	"paddock/shared/table"
)

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
