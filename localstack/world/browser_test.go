package world_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/audit"
)

const signin = "/api/auth/signin/"

// code returns the newest code that was mailed to an address.
func code(t *testing.T, w *world.Walk, to string) string {
	t.Helper()
	if err := w.Delivery.All(t.Context()); err != nil {
		t.Fatal(err)
	}
	mails := w.Entries.Recorder.Mails()
	for i := len(mails) - 1; i >= 0; i-- {
		if mails[i].To == to && strings.HasPrefix(mails[i].Subject, "Your code") {
			return strings.TrimSpace(strings.Split(mails[i].Text, "\n")[2])
		}
	}
	t.Fatalf("no code was mailed to %s", to)
	return ""
}

// mails returns how many mails with this subject went to an address.
func mails(t *testing.T, w *world.Walk, to, subject string) (n int) {
	t.Helper()
	if err := w.Delivery.All(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, m := range w.Entries.Recorder.Mails() {
		if m.To == to && m.Subject == subject {
			n++
		}
	}
	return n
}

// kinds counts the stored events of a kind.
func kinds(t *testing.T, w *world.Walk, k audit.Kind) (n int) {
	t.Helper()
	events, err := w.Events(t.Context())
	if err != nil {
		t.Error(err)
	}
	for _, e := range events {
		if e.Kind == k {
			n++
		}
	}
	return n
}

// TestAnUnusualSignInAsksForACode signs in with the right password from a new
// device in a new network.
func TestAnUnusualSignInAsksForACode(t *testing.T) {
	w := relaxed(t, "unusual")
	mia := made(t, w, "mia", "member", "203.0.113.101")
	thief := w.Entries.Visitor(w.Slug, "198.51.100.101")
	body := map[string]string{"login": mia.email, "password": mia.word}
	refused(t, thief, "mfa_required", "POST", "/api/auth/login/", map[string]string{"username": mia.email, "password": mia.word})
	var state struct {
		State   string
		Methods []string
	}
	if err := want(t, thief, http.StatusOK, "POST", signin, body).Decode(http.StatusOK, &state); err != nil {
		t.Fatal(err)
	}
	if state.State != "mfa_required" || fmt.Sprint(state.Methods) != "[email]" {
		t.Fatalf("%+v", state)
	}
	refused(t, thief, "sign_in_incomplete", "GET", "/api/status/", nil)
	refused(t, thief, "sign_in_incomplete", "POST", "/api/auth/mfa/factors/", map[string]string{"method": "otp", "name": "Mine"})
	for _, method := range []string{"otp", "recovery_code"} {
		refused(t, thief, "mfa_method_unavailable", "POST", "/api/auth/mfa/challenges/", map[string]string{"method": method, "purpose": "login"})
	}
	var challenge struct {
		ID     string
		SentTo string `json:"sent_to"`
	}
	ask := func() {
		t.Helper()
		shared.Clock.Advance(30 * time.Second) // between codes
		if err := want(t, thief, http.StatusCreated, "POST", "/api/auth/mfa/challenges/", map[string]string{"method": "email", "purpose": "login"}).Decode(http.StatusCreated, &challenge); err != nil {
			t.Fatal(err)
		}
	}
	ask()
	if challenge.SentTo != "m***@people.example" {
		t.Errorf("sent to %q", challenge.SentTo)
	}
	first := code(t, w, mia.email)
	verify := func() string { return "/api/auth/mfa/challenges/" + challenge.ID + "/verify/" }
	refused(t, thief, "mfa_code_invalid", "POST", verify(), map[string]string{"code": ""})
	refused(t, thief, "mfa_code_invalid", "POST", verify(), map[string]string{"code": "x" + first[1:]})
	// The code of one challenge opens no other, a newer one ends it, and none
	// opens at its end.
	older := verify()
	ask()
	refused(t, thief, "challenge_not_found", "POST", older, map[string]string{"code": first})
	if second := code(t, w, mia.email); second != first {
		refused(t, thief, "mfa_code_invalid", "POST", verify(), map[string]string{"code": first})
	}
	shared.Clock.Advance(5 * time.Minute)
	refused(t, thief, "challenge_not_found", "POST", verify(), map[string]string{"code": code(t, w, mia.email)})
	ask()
	// One code, one success, of many at once.
	right := code(t, w, mia.email)
	statuses := make([]int, 20)
	var wait sync.WaitGroup
	cookies := make([]*visitor.Visitor, len(statuses))
	for i := range statuses {
		cookies[i] = thief.WithCookie(thief.Cookie())
		wait.Go(func() {
			a, err := cookies[i].Do(t.Context(), "POST", verify(), map[string]string{"code": right})
			if err == nil {
				statuses[i] = a.Status
			}
		})
	}
	wait.Wait()
	won := -1
	for i, status := range statuses {
		if status == http.StatusOK {
			if won >= 0 {
				t.Errorf("one code opened twice: %v", statuses)
			}
			won = i
		}
	}
	if won < 0 {
		t.Fatalf("the right code opened nothing: %v", statuses)
	}
	opened := cookies[won]
	want(t, opened, http.StatusOK, "GET", "/api/status/", nil)
	refused(t, opened, "auth_mfa_required", "PATCH", "/api/iam/users/-/", map[string]string{"email": "thief@people.example"})
	if n := mails(t, w, mia.email, "Your account was used from a new place"); n != 1 {
		t.Errorf("%d notices were mailed", n)
	}
	if n := kinds(t, w, audit.AuthAnomaly); n != 1 {
		t.Errorf("%d events of an anomaly", n)
	}
	// From now on browser and network are known; a new device in the same
	// network is asked for nothing, and the setting can be turned off.
	want(t, w.Entries.Visitor(w.Slug, "198.51.100.102"), http.StatusOK, "POST", signin, body)
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, http.StatusOK, "PATCH", "/api/workspaces/security/-/", map[string]bool{"unusual_sign_in": false})
	elsewhere := w.Entries.Visitor(w.Slug, "192.0.2.222")
	want(t, elsewhere, http.StatusOK, "POST", signin, body)
	want(t, elsewhere, http.StatusOK, "GET", "/api/status/", nil)
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestCodesByMailAreBounded asks for one code after the other.
func TestCodesByMailAreBounded(t *testing.T) {
	w := relaxed(t, "codes")
	mia := made(t, w, "mia", "member", "203.0.113.103")
	shared.Clock.Advance(shared.Clock.Now().Truncate(time.Hour).Add(time.Hour).Sub(shared.Clock.Now()))
	thief := w.Entries.Visitor(w.Slug, "198.51.100.103")
	want(t, thief, http.StatusOK, "POST", signin, map[string]string{"login": mia.email, "password": mia.word})
	body := map[string]string{"method": "email", "purpose": "login"}
	for range 5 {
		want(t, thief, http.StatusCreated, "POST", "/api/auth/mfa/challenges/", body)
		later()
	}
	if a := refused(t, thief, "mfa_too_many_codes", "POST", "/api/auth/mfa/challenges/", body); a.Retry() == 0 {
		t.Error("no Retry-After")
	}
	if n := kinds(t, w, audit.APIThrottled); n != 1 {
		t.Errorf("%d events of a used up budget, want one", n)
	}
}

// TestTheOwnerIsNotLockedOut guesses from many addresses until every budget of
// the account is used up: a known browser signs in at the first try, and a new
// one with a mailed link, once (security, EN-5 and LK-1 to LK-4).
func TestTheOwnerIsNotLockedOut(t *testing.T) {
	w := relaxed(t, "siege")
	mia := made(t, w, "mia", "member", "203.0.113.111")
	eve := made(t, w, "eve", "member", "203.0.113.112")
	shared.Clock.Advance(shared.Clock.Now().Truncate(24 * time.Hour).Add(24*time.Hour + 15*time.Minute).Sub(shared.Clock.Now()))
	counts := siege(t, w, mia.email, 25, 10)
	if counts[http.StatusUnauthorized] != 100 || counts[http.StatusTooManyRequests] != 150 {
		t.Errorf("250 guesses of 25 addresses: %v", counts)
	}
	right := map[string]string{"login": mia.email, "password": mia.word}
	fresh := w.Entries.Visitor(w.Slug, "203.0.113.113")
	if a := refused(t, fresh, "too_many_attempts", "POST", signin, right); a.Retry() == 0 {
		t.Error("no Retry-After")
	}
	// The owner's browser, by its cookie and its session long over.
	known := w.Entries.Visitor(w.Slug, "198.51.100.200").KnownBy(mia.Browser())
	want(t, known, http.StatusOK, "POST", signin, right)
	if known.Browser() == mia.Browser() || known.Browser() == "" {
		t.Error("the secret of a known browser did not change")
	}
	// Its old secret, somebody else's, and a made-up one open nothing more.
	for name, cookie := range map[string]string{"used": mia.Browser(), "another account's": eve.Browser(), "forged": "pdkb_" + strings.Repeat("0", len(known.Browser())-5)} {
		v := w.Entries.Visitor(w.Slug, "203.0.113.114").KnownBy(cookie)
		if a, err := v.Do(t.Context(), "POST", signin, right); err != nil || a.Status != http.StatusTooManyRequests {
			t.Errorf("%s: %d %s, %v", name, a.Status, a.Body, err)
		}
	}
	// Guesses from a known browser have a budget too.
	tried := map[int]int{}
	mine := w.Entries.Visitor(w.Slug, "198.51.100.201").KnownBy(known.Browser())
	for range 12 {
		a, err := mine.Do(t.Context(), "POST", signin, map[string]string{"login": mia.email, "password": "a-wrong-password-of-hers"})
		if err != nil {
			t.Fatal(err)
		}
		tried[a.Status]++
	}
	if tried[http.StatusUnauthorized] != 10 || tried[http.StatusTooManyRequests] != 2 {
		t.Errorf("guesses from a known browser: %v", tried)
	}
	// A mailed link opens one attempt: a wrong password uses it up.
	unlock := func() string {
		want(t, fresh, http.StatusAccepted, "POST", "/api/auth/unlock/", map[string]string{"login": mia.email})
		return mailed(t, w, mia.email, "/unlock")
	}
	with := func(ticket, password string) map[string]string {
		return map[string]string{"login": mia.email, "password": password, "ticket": ticket}
	}
	ticket := unlock()
	refused(t, fresh, "invalid_credentials", "POST", signin, with(ticket, "a-wrong-password-of-hers"))
	refused(t, fresh, "too_many_attempts", "POST", signin, with(ticket, mia.word))
	ticket = unlock()
	want(t, fresh, http.StatusAccepted, "POST", "/api/auth/unlock/", map[string]string{"login": eve.email})
	refused(t, fresh, "too_many_attempts", "POST", signin, with(mailed(t, w, eve.email, "/unlock"), mia.word))
	want(t, fresh, http.StatusOK, "POST", signin, with(ticket, mia.word))
	late := unlock()
	shared.Clock.Advance(15 * time.Minute)
	refused(t, w.Entries.Visitor(w.Slug, "203.0.113.115"), "too_many_attempts", "POST", signin, with(late, mia.word))
	if n := mails(t, w, mia.email, "Someone is guessing the password of your account"); n != 1 {
		t.Errorf("%d notices of an attack within the hour, want 1", n)
	}
	if n := kinds(t, w, audit.AuthAccountUnlocked); n != 2 {
		t.Errorf("%d attempts were unlocked, want 2", n)
	}
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// siege guesses at an account from so many addresses, each so often, and
// counts the statuses.
func siege(t *testing.T, w *world.Walk, login string, addresses, each int) map[int]int {
	t.Helper()
	counts := map[int]int{}
	var mu sync.Mutex
	var wait sync.WaitGroup
	next := make(chan int, addresses)
	for i := range addresses {
		next <- i
	}
	close(next)
	for range 4 {
		wait.Go(func() {
			for i := range next {
				v := w.Entries.Visitor(w.Slug, fmt.Sprintf("198.51.%d.%d", 101+i/250, 1+i%250))
				for range each {
					a, err := v.Do(t.Context(), "POST", signin, map[string]string{"login": login, "password": "a-wrong-password-of-hers"})
					if err != nil {
						t.Errorf("%v", err)
						return
					}
					mu.Lock()
					counts[a.Status]++
					mu.Unlock()
				}
			}
		})
	}
	wait.Wait()
	return counts
}

// TestParallelGuessesAreCountedExactly sends 500 wrong passwords at once: all
// are counted, and exactly the budget reaches the hash (security, LK-3).
func TestParallelGuessesAreCountedExactly(t *testing.T) {
	w := walk(t, "parallel", 3)
	atMinute()
	var wait sync.WaitGroup
	var mu sync.Mutex
	counts := map[int]int{}
	const n = 500
	for range 50 {
		v := w.Entries.Visitor(w.Slug, "198.51.100.150")
		wait.Go(func() {
			for range n / 50 {
				a, err := v.Do(t.Context(), "POST", signin, map[string]string{"login": w.Email(), "password": "a-wrong-password-of-hers"})
				mu.Lock()
				if err == nil {
					counts[a.Status]++
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	reached := counts[http.StatusUnauthorized]
	if reached+counts[http.StatusTooManyRequests] != n || reached != 10 {
		t.Errorf("%v, want 10 refused as wrong and the rest throttled", counts)
	}
	settled(t, w)
}

// TestOneNetworkAtManyAccountsIsAnAttack goes beyond the budget of an address
// over all accounts: it is an event of its own, once an hour, and stops guesses
// at accounts that were not guessed at before.
func TestOneNetworkAtManyAccountsIsAnAttack(t *testing.T) {
	w := walk(t, "stuffing", 3)
	atMinute()
	spent(t, w, "address", "198.51.100.171", "address", 298)
	v := w.Entries.Visitor(w.Slug, "198.51.100.171")
	statuses := map[int]int{}
	for i := range 6 {
		statuses[guess(t, v, fmt.Sprintf("person%d", i), "a-wrong-password-of-hers").Status]++
	}
	if statuses[http.StatusUnauthorized] != 2 || statuses[http.StatusTooManyRequests] != 4 {
		t.Errorf("%v, want 2 guesses of the 300 that are left and 4 refused", statuses)
	}
	if n, m := kinds(t, w, audit.AuthAttackDetected), kinds(t, w, audit.AuthAccountLocked); n != 1 || m != 1 {
		t.Errorf("%d events of an attack and %d of a used up budget, want one each", n, m)
	}
	if a := guess(t, w.Entries.Visitor(w.Slug, "198.51.100.172"), "person9", "a-wrong-password-of-hers"); a.Status != http.StatusUnauthorized {
		t.Errorf("another address is answered %d", a.Status)
	}
	settled(t, w)
}

// TestKnownBrowsersAreListedAndForgotten forgets the browser that asks.
func TestKnownBrowsersAreListedAndForgotten(t *testing.T) {
	w := relaxed(t, "browsers")
	mia := made(t, w, "mia", "member", "203.0.113.121")
	other := person{Visitor: w.Entries.Visitor(w.Slug, "203.0.113.122"), email: mia.email, word: mia.word}
	other.signIn(t)
	var list struct {
		Results []struct {
			ID, Device, Network string
			Current             bool
		}
	}
	read := func() {
		t.Helper()
		list.Results = nil
		if err := json.Unmarshal(want(t, mia.Visitor, http.StatusOK, "GET", "/api/auth/devices/", nil).Body, &list); err != nil {
			t.Fatal(err)
		}
	}
	read()
	if len(list.Results) != 2 || list.Results[0].Current == list.Results[1].Current || list.Results[0].Network != "203.0.113.0/24" {
		t.Fatalf("%+v", list.Results)
	}
	for _, b := range list.Results {
		if b.Current {
			want(t, mia.Visitor, http.StatusNoContent, "DELETE", "/api/auth/devices/"+b.ID+"/", nil)
			refused(t, mia.Visitor, "not_found", "DELETE", "/api/auth/devices/"+b.ID+"/", nil)
		} else {
			refused(t, w.Me, "not_found", "DELETE", "/api/auth/devices/"+b.ID+"/", nil)
		}
	}
	read()
	if len(list.Results) != 1 || list.Results[0].Current {
		t.Errorf("%+v", list.Results)
	}
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestSessionsOfOthers reads and ends them, as those who may and those who may
// not.
func TestSessionsOfOthers(t *testing.T) {
	w := relaxed(t, "others")
	stan := made(t, w, "stan", "staff", "203.0.113.131").enrolled(t)
	mia := made(t, w, "mia", "member", "203.0.113.132")
	second := person{Visitor: w.Entries.Visitor(w.Slug, "203.0.113.133"), email: mia.email, word: mia.word}
	second.signIn(t)
	var list struct {
		Results []struct {
			ID, Address string
			Current     bool
		}
	}
	if err := json.Unmarshal(want(t, stan.Visitor, http.StatusOK, "GET", mia.path+"sessions/", nil).Body, &list); err != nil || len(list.Results) != 2 || list.Results[0].Current {
		t.Fatalf("%+v, %v", list.Results, err)
	}
	refused(t, mia.Visitor, "not_found", "GET", stan.path+"sessions/", nil)
	refused(t, mia.Visitor, "not_found", "POST", stan.path+"sessions/end-all/", nil)
	refused(t, stan.Visitor, "permission_denied", "POST", own(t, w)+"sessions/end-all/", nil)
	for _, s := range list.Results {
		if s.Address == "203.0.113.133" {
			refused(t, stan.Visitor, "not_found", "DELETE", stan.path+"sessions/"+s.ID+"/", nil)
			want(t, stan.Visitor, http.StatusNoContent, "DELETE", mia.path+"sessions/"+s.ID+"/", nil)
		}
	}
	refused(t, second.Visitor, "session_invalid", "GET", "/api/status/", nil)
	want(t, mia.Visitor, http.StatusOK, "GET", "/api/status/", nil)
	second.signIn(t)
	old := second.Cookie()
	want(t, second.Visitor, http.StatusNoContent, "POST", "/api/auth/sessions/end-others/", nil)
	want(t, second.Visitor, http.StatusOK, "GET", "/api/status/", nil)
	refused(t, second.WithCookie(old), "session_invalid", "GET", "/api/status/", nil)
	refused(t, mia.Visitor, "session_invalid", "GET", "/api/status/", nil)
	want(t, stan.Visitor, http.StatusNoContent, "POST", mia.path+"sessions/end-all/", nil)
	refused(t, second.Visitor, "session_invalid", "GET", "/api/status/", nil)
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestSessionLimitsBiteAtTheNextRequest lowers both limits under sessions that
// are there.
func TestSessionLimitsBiteAtTheNextRequest(t *testing.T) {
	w := relaxed(t, "limits")
	mia := made(t, w, "mia", "member", "203.0.113.141")
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	set := func(name string, seconds int) {
		t.Helper()
		want(t, w.Me, http.StatusOK, "PATCH", "/api/workspaces/security/-/", map[string]int{name: seconds})
	}
	set("session_idle_timeout", 300)
	shared.Clock.Advance(5*time.Minute - time.Second)
	want(t, mia.Visitor, http.StatusOK, "GET", "/api/status/", nil)
	shared.Clock.Advance(5 * time.Minute)
	refused(t, mia.Visitor, "session_invalid", "GET", "/api/status/", nil)
	if err := w.SignIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	set("session_idle_timeout", 86_400)
	mia.signIn(t)
	set("session_absolute_timeout", 3600)
	shared.Clock.Advance(time.Hour - time.Second)
	want(t, mia.Visitor, http.StatusOK, "GET", "/api/status/", nil)
	shared.Clock.Advance(time.Second)
	refused(t, mia.Visitor, "session_invalid", "GET", "/api/status/", nil)
	if n := kinds(t, w, audit.AuthSessionExpired); n < 2 {
		t.Errorf("%d events of sessions that came to their end", n)
	}
	refused(t, mia.Visitor, "session_invalid", "GET", "/api/status/", nil)
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
	if err := w.SignIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{`{"session_idle_timeout": 299}`, `{"session_absolute_timeout": 2592001}`} {
		a := refused(t, w.Me, "out_of_range", "PATCH", "/api/workspaces/security/-/", json.RawMessage(bad))
		if !strings.Contains(bad, a.Problem().Source) {
			t.Errorf("%s: the refusal names %q", bad, a.Problem().Source)
		}
	}
}
