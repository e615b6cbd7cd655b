package deployed_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"paddock/localstack/visitor"
)

const invitePath = "/api/workspaces/users/invite/"

// keyed returns another browser with the same session that sends a key.
func keyed(v *visitor.Visitor, key string) *visitor.Visitor {
	out := v.WithCookie(v.Cookie())
	out.Key = key
	return out
}

func invite(t *testing.T, v *visitor.Visitor, body string) visitor.Answer {
	t.Helper()
	a, err := v.Raw(t.Context(), "POST", invitePath, json.RawMessage(body))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// invitations counts the invitations in the audit log.
func invitations(t *testing.T, v *visitor.Visitor) int {
	t.Helper()
	n, cursor := 0, ""
	for {
		var log struct {
			Next    string
			Results []struct{ Event string }
		}
		if err := v.Want(t.Context(), http.StatusOK, "GET", "/api/audit/activity/?app=iam&page_size=100"+cursor, nil, &log); err != nil {
			t.Fatal(err)
		}
		for _, e := range log.Results {
			if e.Event == "user.invited" {
				n++
			}
		}
		if log.Next == "" {
			return n
		}
		cursor = "&cursor=" + url.QueryEscape(log.Next)
	}
}

func TestARepeatIsAnsweredAsTheFirstAndMakesNothing(t *testing.T) {
	chief := shared.SignIn(t, shared.Account(t, "superuser"))
	staff := shared.SignIn(t, shared.Account(t, "staff"))
	before := invitations(t, chief)
	first := invite(t, keyed(chief, "k-1"), `{"email":"once@demo.example"}`)
	if first.Status != http.StatusCreated {
		t.Fatalf("%d %s", first.Status, first.Body)
	}
	for _, c := range []struct {
		name    string
		as      *visitor.Visitor
		body    string
		problem string // "" for the first answer again
	}{
		{"the same", keyed(chief, "k-1"), `{"email":"once@demo.example"}`, ""},
		{"the same in other writing, with a field that nobody reads", keyed(chief, "k-1"), ` {"x":1, "email" : "once@demo.example","is_staff":false}`, ""},
		{"another address", keyed(chief, "k-1"), `{"email":"twice@demo.example"}`, "409 idempotency_key_reused"},
		{"another role", keyed(chief, "k-1"), `{"email":"once@demo.example","is_staff":true}`, "409 idempotency_key_reused"},
		{"a key of 256 characters", keyed(chief, strings.Repeat("k", 256)), `{"email":"once@demo.example"}`, "400 idempotency_key_invalid"},
		{"a key beyond ASCII", keyed(chief, "clé"), `{"email":"once@demo.example"}`, "400 idempotency_key_invalid"},
	} {
		a := invite(t, c.as, c.body)
		got := http.StatusText(a.Status)
		if p := a.Problem(); p.Code != "" {
			got = statusAndCode(a)
			if p.Source != "Idempotency-Key" {
				t.Errorf("%s: the source is %q", c.name, p.Source)
			}
		}
		if c.problem != "" && got != c.problem || c.problem == "" && (a.Status != first.Status || string(a.Body) != string(first.Body)) {
			t.Errorf("%s: %d %s", c.name, a.Status, a.Body)
		}
	}
	if n := invitations(t, chief) - before; n != 1 {
		t.Errorf("%d invitations were made, want 1", n)
	}
	for name, v := range map[string]*visitor.Visitor{
		"another person's key": keyed(staff, "k-1"), "no key": chief, "a key of 255 characters": keyed(chief, strings.Repeat("k", 255)),
	} {
		if a := invite(t, v, `{"email":"once@demo.example"}`); a.Status != http.StatusCreated || string(a.Body) == string(first.Body) {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	if n := invitations(t, chief) - before; n != 4 {
		t.Errorf("%d invitations were made, want 4", n)
	}
}

// TestARefusedRequestKeepsNothing lets a client correct what was refused under
// the key that it chose.
func TestARefusedRequestKeepsNothing(t *testing.T) {
	chief := keyed(shared.SignIn(t, shared.Account(t, "superuser")), "k-refused")
	if a := invite(t, chief, `{"email":"no address"}`); statusAndCode(a) != "400 invalid_email" {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if a := invite(t, chief, `{"email":"corrected@demo.example"}`); a.Status != http.StatusCreated {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
}

// TestAKeyIsFreeAfterADay asks one second before the end and at the end.
func TestAKeyIsFreeAfterADay(t *testing.T) {
	sue := shared.Account(t, "superuser")
	first := invite(t, keyed(shared.SignIn(t, sue), "k-day"), `{"email":"day@demo.example"}`)
	made := shared.Now()
	shared.Advance(t, 23*time.Hour)
	chief := keyed(shared.SignIn(t, sue), "k-day")
	shared.Advance(t, made.Add(24*time.Hour-30*time.Second).Sub(shared.Now()))
	if a := invite(t, chief, `{"email":"day@demo.example"}`); string(a.Body) != string(first.Body) {
		t.Errorf("before the end: %d %s", a.Status, a.Body)
	}
	shared.Advance(t, 31*time.Second)
	again := invite(t, chief, `{"email":"day@demo.example"}`)
	if again.Status != http.StatusCreated || string(again.Body) == string(first.Body) {
		t.Errorf("at the end: %d %s", again.Status, again.Body)
	}
	if a := invite(t, chief, `{"email":"day@demo.example"}`); string(a.Body) != string(again.Body) {
		t.Errorf("the new answer is not kept: %d %s", a.Status, a.Body)
	}
}

// TestManyAtOnceMakeOne sends one request many times side by side.
func TestManyAtOnceMakeOne(t *testing.T) {
	chief := shared.SignIn(t, shared.Account(t, "superuser"))
	before := invitations(t, chief)
	const n = 6
	var wait sync.WaitGroup
	answers := make(chan visitor.Answer, n)
	for range n {
		v := keyed(chief, "k-many")
		wait.Go(func() {
			a, err := v.Raw(t.Context(), "POST", invitePath, json.RawMessage(`{"email":"many@demo.example"}`))
			if err != nil {
				t.Error(err)
			}
			answers <- a
		})
	}
	wait.Wait()
	close(answers)
	bodies := map[string]int{}
	for a := range answers {
		// Contention that lasts is told as such, never as a second success.
		if a.Status != http.StatusCreated && statusAndCode(a) != "503 try_again" {
			t.Errorf("%d %s", a.Status, a.Body)
		}
		if a.Status == http.StatusCreated {
			bodies[string(a.Body)]++
		}
	}
	if len(bodies) != 1 {
		t.Errorf("different answers: %v", bodies)
	}
	if made := invitations(t, chief) - before; made != 1 {
		t.Errorf("%d invitations were made, want 1", made)
	}
}

func statusAndCode(a visitor.Answer) string {
	return strconv.Itoa(a.Status) + " " + a.Problem().Code
}
