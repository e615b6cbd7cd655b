package deployed_test

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"

	"paddock/localstack/authenticator"
	"paddock/localstack/visitor"
	"paddock/shared/mfa"
)

const (
	factorsPath    = "/api/auth/mfa/factors/"
	challengesPath = "/api/auth/mfa/challenges/"
)

// A waiting challenge, or a method being set up.
type waiting struct {
	ID       string          `json:"id"`
	WebAuthn json.RawMessage `json:"webauthn"`
}

// opens sends what is answered with an id.
func opens(t *testing.T, v *visitor.Visitor, path string, body map[string]string) (out waiting) {
	t.Helper()
	if err := v.Want(t.Context(), http.StatusCreated, "POST", path, body, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// texted returns the code of the newest text to a number, once there are n.
func texted(t *testing.T, number string, n int) map[string]string {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		texts, err := shared.Engine.Texts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var codes []string
		for _, text := range texts {
			if text.PhoneNumber == number {
				codes = append(codes, text.Message[:6])
			}
		}
		if len(codes) >= n {
			return map[string]string{"code": codes[len(codes)-1]}
		}
	}
	t.Fatal("no text came")
	return nil
}

// An attempt answers one challenge in one browser.
type attempt struct {
	*visitor.Visitor
	path string
	body any
}

// oneWins makes all attempts at once, and returns the browser of the only one
// that was answered with 200.
func oneWins(t *testing.T, what string, attempts []attempt) (winner *visitor.Visitor) {
	t.Helper()
	statuses := make([]int, len(attempts))
	var wait sync.WaitGroup
	for i, a := range attempts {
		wait.Go(func() {
			answer, err := a.Do(t.Context(), "POST", a.path, a.body)
			if err != nil {
				t.Error(err)
			}
			statuses[i] = answer.Status
		})
	}
	wait.Wait()
	count := map[int]int{}
	for i, status := range statuses {
		if count[status]++; status == http.StatusOK {
			winner = attempts[i].Visitor
		}
	}
	if count[http.StatusOK] != 1 {
		t.Fatalf("%s: statuses %v, want one 200", what, count)
	}
	return winner
}

// TestOneAnswerOneSuccess gives one answer of each kind many times at once: a code
// that was sent, an answer of a security key, and a recovery code, the last in as
// many half-signed-in browsers.
func TestOneAnswerOneSuccess(t *testing.T) {
	const number, n = "+31687654322", 100
	mia := shared.Account(t, "member")
	v := shared.SignIn(t, mia)
	many := func(v *visitor.Visitor, path string, body any) (out []attempt) {
		for range n {
			out = append(out, attempt{v.WithCookie(v.Cookie()), path, body})
		}
		return out
	}
	phone := opens(t, v, factorsPath, map[string]string{"method": "phone", "name": "Mobile", "phone": number})
	var first struct {
		RecoveryCodes []string `json:"recovery_codes"`
	}
	if err := v.Want(t.Context(), http.StatusOK, "POST", factorsPath+phone.ID+"/confirm/", texted(t, number, 1), &first); err != nil {
		t.Fatal(err)
	}
	k, err := authenticator.Device(shared.Env.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	key := opens(t, v, factorsPath, map[string]string{"method": "biometric", "name": "Finger"})
	credential := func(answer json.RawMessage, err error) map[string]any {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return map[string]any{"credential": answer}
	}
	oneWins(t, "a registration", many(v, factorsPath+key.ID+"/confirm/", credential(k.Create(key.WebAuthn))))

	shared.Advance(t, mfa.ResendAfter)
	half := shared.Half(t, mia)
	c := opens(t, half, challengesPath, map[string]string{"method": "phone", "purpose": "login"})
	oneWins(t, "a code that was sent", many(half, challengesPath+c.ID+"/verify/", texted(t, number, 2)))

	var attempts []attempt
	for range 5 {
		half := shared.Half(t, mia)
		c := opens(t, half, challengesPath, map[string]string{"method": "recovery_code", "purpose": "login"})
		attempts = append(attempts, attempt{half, challengesPath + c.ID + "/verify/", map[string]string{"code": first.RecoveryCodes[0]}})
	}
	oneWins(t, "a recovery code", attempts)

	half = shared.Half(t, mia)
	c = opens(t, half, challengesPath, map[string]string{"method": "biometric", "purpose": "login"})
	v = oneWins(t, "an answer of a key", many(half, challengesPath+c.ID+"/verify/", credential(k.Get(c.WebAuthn))))
	for _, id := range []string{phone.ID, key.ID} { // as the others find the account; its proof is the key's
		if err := v.Want(t.Context(), http.StatusNoContent, "DELETE", factorsPath+id+"/", nil, nil); err != nil {
			t.Fatal(err)
		}
	}
}
