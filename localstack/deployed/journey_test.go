package deployed_test

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"

	"paddock/localstack/journey"
	"paddock/localstack/visitor"
	"paddock/shared/mfa"
)

// TestJourney walks what `make demo` walks.
func TestJourney(t *testing.T) {
	if err := journey.Run(t.Context(), journey.Config{Engine: shared.Engine, Environment: shared.Env, Root: shared.ClockRoot, Out: t.Output()}); err != nil {
		t.Fatal(err)
	}
}

// TestOneCodeOneSuccess answers one challenge of each of many half-signed-in
// browsers with the same code at once.
func TestOneCodeOneSuccess(t *testing.T) {
	sue := shared.Account(t, "superuser")
	shared.Advance(t, 31e9)
	code, err := visitor.Code(sue.TOTPSecret, shared.Now())
	if err != nil {
		t.Fatal(err)
	}
	const n = 5
	var wait sync.WaitGroup
	statuses := make(chan int, n)
	for range n {
		v := shared.Half(t, sue)
		var challenge struct{ ID string }
		if err := v.Want(t.Context(), http.StatusCreated, "POST", "/api/auth/mfa/challenges/", map[string]string{"method": "otp", "purpose": "login"}, &challenge); err != nil {
			t.Fatal(err)
		}
		wait.Go(func() {
			a, err := v.Do(t.Context(), "POST", "/api/auth/mfa/challenges/"+challenge.ID+"/verify/", map[string]string{"code": code})
			if err != nil {
				t.Error(err)
			}
			statuses <- a.Status
		})
	}
	wait.Wait()
	close(statuses)
	count := map[int]int{}
	for s := range statuses {
		count[s]++
	}
	if count[http.StatusOK] != 1 || count[http.StatusForbidden] != n-1 {
		t.Fatalf("statuses %v: want one 200 and %d times 403", count, n-1)
	}
}

// TestRightAnswersUseUpNoBudget verifies more often within an hour than one may
// guess, and is refused after as many wrong answers.
func TestRightAnswersUseUpNoBudget(t *testing.T) {
	sue := shared.Account(t, "superuser")
	start := shared.Now().Truncate(mfa.FactorWindow).Add(mfa.FactorWindow)
	shared.Advance(t, start.Sub(shared.Now()))
	v := shared.SignIn(t, sue)
	for range mfa.FactorTries + 2 {
		shared.Prove(t, v, shared.Code(t, sue.TOTPSecret), "step_up")
	}
	var statuses []string
	for range mfa.FactorTries + 1 {
		var challenge struct{ ID string }
		if err := v.Want(t.Context(), http.StatusCreated, "POST", "/api/auth/mfa/challenges/", map[string]string{"method": "otp", "purpose": "step_up"}, &challenge); err != nil {
			t.Fatal(err)
		}
		a, err := v.Do(t.Context(), "POST", "/api/auth/mfa/challenges/"+challenge.ID+"/verify/", map[string]string{"code": "00000a"})
		if err != nil {
			t.Fatal(err)
		}
		statuses = append(statuses, statusAndCode(a))
	}
	if got := statuses[mfa.FactorTries-1]; got != "403 mfa_code_invalid" {
		t.Errorf("the last try of the budget: %s", got)
	}
	if got := statuses[mfa.FactorTries]; got != "429 mfa_too_many_attempts" {
		t.Errorf("one more: %s", got)
	}
	shared.Advance(t, mfa.FactorWindow)
}

// TestRefusalsOfLoginLookAlike compares an unknown user with a wrong password.
func TestRefusalsOfLoginLookAlike(t *testing.T) {
	v := &visitor.Visitor{Base: shared.Env.BaseURL}
	bodies := map[string]bool{}
	for _, login := range []string{shared.Account(t, "member").Email, "nobody@demo.example", "nobody", "no such name\u0000"} {
		a, err := v.Do(t.Context(), "POST", "/api/auth/signin/", map[string]string{"login": login, "password": "wrong-horse-battery-lamp"})
		if err != nil {
			t.Fatal(err)
		}
		var p map[string]any
		if err := json.Unmarshal(a.Body, &p); err != nil {
			t.Fatal(err)
		}
		delete(p, "request_id")
		rest, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if a.Status != http.StatusUnauthorized {
			t.Errorf("%q: %d %s", login, a.Status, a.Body)
		}
		bodies[string(rest)] = true
	}
	if len(bodies) != 1 {
		t.Errorf("refusals differ: %v", bodies)
	}
}

func TestForeignPagesAreRefused(t *testing.T) {
	member := shared.Account(t, "member")
	v := shared.SignIn(t, member)
	for name, change := range map[string]func(http.Header){
		"foreign origin":   func(h http.Header) { h.Set("Origin", "https://evil.example") },
		"null origin":      func(h http.Header) { h.Set("Origin", "null") },
		"no origin at all": func(h http.Header) { h.Del("Origin") },
		"plain text":       func(h http.Header) { h.Set("Content-Type", "text/plain") },
		"form":             func(h http.Header) { h.Set("Content-Type", "application/x-www-form-urlencoded") },
		"cross site fetch": func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site") },
	} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", shared.Env.BaseURL+"/api/auth/logout/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", shared.Env.BaseURL)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Cookie", "__Host-paddock="+v.Cookie())
		change(r.Header)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusForbidden && answer.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", name, answer.StatusCode)
		}
	}
	if err := v.Want(t.Context(), http.StatusOK, "GET", "/api/status/", nil, nil); err != nil {
		t.Errorf("the session did not survive: %v", err)
	}
}
