package deployed_test

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"

	"paddock/localstack/journey"
	"paddock/localstack/visitor"
)

// TestJourney walks what `make demo` walks.
func TestJourney(t *testing.T) {
	if err := journey.Run(t.Context(), journey.Config{Engine: shared.engine, Environment: shared.env, Root: shared.root, Out: t.Output()}); err != nil {
		t.Fatal(err)
	}
}

// TestOneCodeOneSuccess answers one challenge of each of many half-signed-in
// browsers with the same code at once.
func TestOneCodeOneSuccess(t *testing.T) {
	sue := shared.account(t, "superuser")
	shared.advance(t, 31e9)
	code, err := visitor.Code(sue.TOTPSecret, shared.now())
	if err != nil {
		t.Fatal(err)
	}
	const n = 5
	var wait sync.WaitGroup
	statuses := make(chan int, n)
	for range n {
		v := shared.half(t, sue)
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

// TestRefusalsOfLoginLookAlike compares an unknown user with a wrong password.
func TestRefusalsOfLoginLookAlike(t *testing.T) {
	v := &visitor.Visitor{Base: shared.env.BaseURL}
	bodies := map[string]bool{}
	for _, login := range []string{shared.account(t, "member").Email, "nobody@demo.example", "nobody", "no such name\u0000"} {
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
	member := shared.account(t, "member")
	v := shared.signIn(t, member)
	for name, change := range map[string]func(http.Header){
		"foreign origin":   func(h http.Header) { h.Set("Origin", "https://evil.example") },
		"null origin":      func(h http.Header) { h.Set("Origin", "null") },
		"no origin at all": func(h http.Header) { h.Del("Origin") },
		"plain text":       func(h http.Header) { h.Set("Content-Type", "text/plain") },
		"form":             func(h http.Header) { h.Set("Content-Type", "application/x-www-form-urlencoded") },
		"cross site fetch": func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site") },
	} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", shared.env.BaseURL+"/api/auth/logout/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", shared.env.BaseURL)
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
