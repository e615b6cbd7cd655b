package world_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"paddock/localstack/visitor"
	"paddock/localstack/world"
)

// guess tries a password and returns the answer.
func guess(t *testing.T, v *visitor.Visitor, login, password string) visitor.Answer {
	t.Helper()
	a, err := v.Do(t.Context(), "POST", "/api/auth/signin/", map[string]string{"login": login, "password": password})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestOneAddressLocksNobodyOut guesses from one address until long after its
// budget: the owner signs in from another one at the first try.
func TestOneAddressLocksNobodyOut(t *testing.T) {
	w := walk(t, "lockout", 3)
	atMinute()
	stranger := w.Entries.Visitor(w.Slug, "198.51.100.66")
	statuses := map[int]int{}
	for range 130 {
		statuses[guess(t, stranger, w.Email(), "a-wrong-password-of-hers").Status]++
	}
	if statuses[http.StatusUnauthorized] != 10 || statuses[http.StatusTooManyRequests] != 120 {
		t.Errorf("statuses %v, want 10 guesses and the rest throttled", statuses)
	}
	if a := guess(t, w.Entries.Visitor(w.Slug, "203.0.113.77"), w.Email(), world.Password); a.Status != http.StatusOK {
		t.Errorf("the owner is answered %d %s", a.Status, a.Body)
	}
	settled(t, w)
}

// TestBothNamesOfAnAccountHaveOneBudget guesses by e-mail and by username, and
// from every other address of one IPv6 network.
func TestBothNamesOfAnAccountHaveOneBudget(t *testing.T) {
	w := walk(t, "names", 3)
	atMinute()
	for i := range 11 {
		login := w.Email()
		if i%2 == 1 {
			login = world.Username
		}
		v := w.Entries.Visitor(w.Slug, fmt.Sprintf("2001:db8:0:1::%x", i+1))
		a := guess(t, v, login, "a-wrong-password-of-hers")
		want := http.StatusUnauthorized
		if i == 10 {
			want = http.StatusTooManyRequests
		}
		if a.Status != want {
			t.Errorf("guess %d: %d, want %d", i+1, a.Status, want)
		}
		if want == http.StatusTooManyRequests {
			left := shared.Clock.Now().Truncate(15 * time.Minute).Add(15 * time.Minute).Sub(shared.Clock.Now())
			if got := a.Header.Get("Retry-After"); got != fmt.Sprint(int(left.Seconds())) {
				t.Errorf("Retry-After is %q, the window ends in %s", got, left)
			}
		}
	}
}
