package world_test

import (
	"fmt"
	"net/http"
	"reflect"
	"sync"
	"testing"
	"time"

	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/table"
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

// wrong is no password of anybody in these tests.
const wrong = "a-wrong-password-of-hers"

// reasons counts the refused sign-ins that have an event of their own by why
// they were.
func reasons(t *testing.T, w *world.Walk) map[string]int {
	t.Helper()
	events, err := w.Events(t.Context())
	if err != nil {
		t.Error(err)
	}
	out := map[string]int{}
	for _, e := range events {
		for _, f := range e.Fields {
			if e.Kind == audit.AuthLoginRefused && f.Name() == "reason" {
				out[f.Text()]++
			}
		}
	}
	return out
}

// weighed returns the present count of guesses at the walker's account, in all
// and from an address.
func weighed(t *testing.T, w *world.Walk, address string) (all, pair int64) {
	t.Helper()
	store, err := shared.Store()
	if err != nil {
		t.Fatal(err)
	}
	by := authz.ForTask(w.ID, "test")
	mac := func(field, text string) string {
		sum, err := store.MAC(t.Context(), by, field, text)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	var me struct{ ID string }
	if err := want(t, w.Me, http.StatusOK, "GET", "/api/iam/users/-/", nil).Decode(http.StatusOK, &me); err != nil {
		t.Fatal(err)
	}
	now := shared.Clock.Now().Unix()
	key := func(sk string) table.Key {
		return table.Key{Table: table.Credentials, Kind: "G", Workspace: w.ID, Of: mac("guess", me.ID), SK: sk}
	}
	ofAll, ofPair := key(fmt.Sprintf("account#%d", now/86_400)), key(fmt.Sprintf("pair#%s#%d", mac("address", address), now/900))
	items, err := store.Read(t.Context(), by, ofAll, ofPair)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		switch item.Key {
		case ofAll:
			all = item.Attr("n").Num
		case ofPair:
			pair = item.Attr("n").Num
		}
	}
	return all, pair
}

// TestBothNamesOfAnAccountHaveOneBudget guesses by e-mail and by username, and
// from every other address of one IPv6 network: ten reach the hash, whatever is
// tried beyond them is refused like a wrong password, and each name has its own
// refusal that says so (security, EN-1).
func TestBothNamesOfAnAccountHaveOneBudget(t *testing.T) {
	w := walk(t, "names", 3)
	atMinute()
	names := []string{w.Email(), world.Username}
	try := func(i, status int, password string) visitor.Answer {
		t.Helper()
		a := guess(t, w.Entries.Visitor(w.Slug, fmt.Sprintf("2001:db8:0:1::%x", i+1)), names[i%2], password)
		if a.Status != status {
			t.Errorf("try %d: %d %s, want %d", i+1, a.Status, a.Body, status)
		}
		return a
	}
	for i := range 12 {
		try(i, http.StatusUnauthorized, wrong)
	}
	if all, pair := weighed(t, w, "2001:db8:0:1::"); all != 10 || pair != 10 {
		t.Errorf("%d guesses were counted at the account and %d of the network, want 10", all, pair)
	}
	shared.Clock.Advance(time.Minute) // events of their own
	right := []visitor.Answer{try(12, http.StatusUnauthorized, world.Password), try(13, http.StatusUnauthorized, world.Password)}
	for _, a := range right {
		if code := a.Problem().Code; code != "invalid_credentials" {
			t.Errorf("a right password beyond the budget is answered %s", code)
		}
	}
	// A mailed link opens one attempt here too, and a right one is no guess.
	owner := w.Entries.Visitor(w.Slug, "2001:db8:0:1::ff")
	want(t, owner, http.StatusAccepted, "POST", "/api/auth/unlock/", map[string]string{"login": world.Username})
	ticket := mailed(t, w, w.Email(), "/unlock")
	want(t, owner, http.StatusOK, "POST", signin, map[string]string{"login": world.Username, "password": world.Password, "ticket": ticket})
	if all, pair := weighed(t, w, "2001:db8:0:1::"); all != 10 || pair != 10 {
		t.Errorf("after a mailed link %d guesses are counted at the account and %d of the network, want 10", all, pair)
	}
	for i := range 6 {
		try(i, http.StatusUnauthorized, wrong)
	}
	if got := reasons(t, w); got["bad_credentials"] != 10 || got["throttled"] != 10 {
		t.Errorf("refused as %v, want 10 that reached the hash and 10 that did not", got)
	}
	left := shared.Clock.Now().Truncate(15 * time.Minute).Add(15 * time.Minute).Sub(shared.Clock.Now())
	for i := range 2 {
		if a := try(i, http.StatusTooManyRequests, wrong); a.Retry() != int(left.Seconds()) {
			t.Errorf("Retry-After is %d, the window ends in %s", a.Retry(), left)
		}
	}
	settled(t, w)
}

// TestParallelGuessesAtBothNames sends 500 wrong passwords at once, half of them
// for each name: each name shows its ten, and of all of them exactly ten reach
// the hash of the account.
func TestParallelGuessesAtBothNames(t *testing.T) {
	w := walk(t, "parallel-names", 3)
	atMinute()
	const n, address = 500, "198.51.100.151"
	var wait sync.WaitGroup
	var mu sync.Mutex
	statuses := map[string]int{}
	for i := range 50 {
		login, v := []string{w.Email(), world.Username}[i%2], w.Entries.Visitor(w.Slug, address)
		wait.Go(func() {
			for range n / 50 {
				a, err := v.Do(t.Context(), "POST", signin, map[string]string{"login": login, "password": wrong})
				mu.Lock()
				statuses[fmt.Sprint(login == world.Username, a.Status, err)]++
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	for _, byUsername := range []bool{true, false} {
		if got := statuses[fmt.Sprint(byUsername, http.StatusUnauthorized, nil)]; got > 10 {
			t.Errorf("%d guesses at one name were answered as wrong: %v", got, statuses)
		}
	}
	total := 0
	for _, count := range statuses {
		total += count
	}
	if all, pair := weighed(t, w, address); all != 10 || pair != 10 || total != n || len(statuses) != 4 {
		t.Errorf("%d guesses reached the account, %d of the network; answers %v", all, pair, statuses)
	}
	settled(t, w)
}

// TestTwoNamesOfAnAccountTellNothing guesses at one name until it is refused,
// then at another: step by step the answers are the same for both names of one
// account, names of two accounts, of one and none, and of none (security, EN-1).
func TestTwoNamesOfAnAccountTellNothing(t *testing.T) {
	w := relaxed(t, "two-names")
	mia := made(t, w, "mia", "member", "203.0.113.171")
	made(t, w, "ann", "member", "203.0.113.172")
	bob := made(t, w, "bob", "member", "203.0.113.173")
	made(t, w, "una", "member", "203.0.113.174")
	pairs := [][2]string{
		{"nobody", "nobody.else@people.example"}, {"mia", mia.email}, {"ann", bob.email}, {"una", "somebody@people.example"},
	}
	for round, path := range []string{signin, "/api/auth/login/"} {
		shared.Clock.Advance(shared.Clock.Now().Truncate(24 * time.Hour).Add(24*time.Hour + 16*time.Minute).Sub(shared.Clock.Now()))
		body := func(login string) map[string]string {
			if path == signin {
				return map[string]string{"login": login, "password": wrong}
			}
			return map[string]string{"username": login, "password": wrong}
		}
		shape(t, w, w.Entries.Visitor(w.Slug, "198.51.100.180"), path, body("warm@people.example"))
		var reference []same
		for i, pair := range pairs {
			address := fmt.Sprintf("198.51.100.%d", 181+10*round+i)
			var got []same
			for _, login := range pair {
				for range 12 {
					v := w.Entries.Visitor(w.Slug, address)
					got = append(got, shape(t, w, v, path, body(login)))
				}
			}
			if i == 0 {
				reference = got
				continue
			}
			for n := range got {
				if !reflect.DeepEqual(got[n], reference[n]) {
					t.Errorf("%s, %s, try %d:\n%+v\nwant\n%+v", path, pair, n+1, got[n], reference[n])
				}
			}
		}
		for n, a := range reference {
			want := http.StatusUnauthorized
			if n%12 >= 10 {
				want = http.StatusTooManyRequests
			}
			if a.status != want {
				t.Errorf("%s: try %d is answered %d, want %d", path, n+1, a.status, want)
			}
		}
	}
	settled(t, w)
}

// TestGuessesFromEverywhereAreAnAttack sprays names from so many addresses that
// none tries much: beyond the workspace's budget it is an event, once an hour,
// and each address may try less, until the next window. Known browsers go on
// (security, EN-5).
func TestGuessesFromEverywhereAreAnAttack(t *testing.T) {
	w := relaxed(t, "spray")
	mia := made(t, w, "mia", "member", "203.0.113.175")
	atMinute()
	spent(t, w, "guess", "all accounts", "workspace", 298)
	spent(t, w, "address", "198.51.100.210", "address", 28)
	try := func(address string, status int) visitor.Answer {
		t.Helper()
		a := guess(t, w.Entries.Visitor(w.Slug, address), "somebody@people.example", wrong)
		if a.Status != status {
			t.Errorf("%s is answered %d %s, want %d", address, a.Status, a.Body, status)
		}
		return a
	}
	detected := func(want int) {
		t.Helper()
		if n := kinds(t, w, audit.AuthAttackDetected); n != want {
			t.Errorf("%d events of an attack, want %d", n, want)
		}
	}
	try("198.51.100.211", http.StatusUnauthorized)
	try("198.51.100.212", http.StatusUnauthorized) // the last of the workspace's
	detected(0)
	try("198.51.100.213", http.StatusUnauthorized)
	try("198.51.100.214", http.StatusUnauthorized)
	detected(1)
	try("198.51.100.210", http.StatusUnauthorized)
	try("198.51.100.210", http.StatusUnauthorized)
	left := shared.Clock.Now().Truncate(15 * time.Minute).Add(15 * time.Minute).Sub(shared.Clock.Now())
	if a := try("198.51.100.210", http.StatusTooManyRequests); a.Retry() != int(left.Seconds()) {
		t.Errorf("Retry-After is %d, the window ends in %s", a.Retry(), left)
	}
	known := w.Entries.Visitor(w.Slug, "198.51.100.210").KnownBy(mia.Browser())
	want(t, known, http.StatusOK, "POST", signin, map[string]string{"login": mia.email, "password": mia.word})
	shared.Clock.Advance(left)
	try("198.51.100.210", http.StatusUnauthorized)
	detected(2) // the second tells of the address
	settled(t, w)
}
