package world_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"paddock/localstack/world"
	"paddock/shared/route"
)

// TestAtMostOneWaitBeforeTheHandler sends each row of the route table to warm
// functions and counts the calls of the SDK that its guard makes.
func TestAtMostOneWaitBeforeTheHandler(t *testing.T) {
	w := walk(t, "counts", 4)
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api/status/", "/api/auth/sessions/"} { // warms both functions
		do(t, w, "GET", path, nil)
	}
	r := w.Entries.Recorder
	guarded := 0
	for _, row := range route.Rows {
		if ends(row) {
			continue // after them the others would be refused; see below
		}
		guarded += guardCalls(t, w, r, row)
	}
	for _, row := range route.Rows {
		if ends(row) {
			if err := w.SignIn(t.Context()); err != nil {
				t.Fatal(err)
			}
			guarded += guardCalls(t, w, r, row)
		}
	}
	if guarded < 20 {
		t.Errorf("only %d guards read anything", guarded)
	}
}

// ends reports whether a row ends the session that asks.
func ends(row route.Row) bool {
	return row.Path == "/api/auth/logout/" || row.Path == "/api/auth/sessions/end-all/" || row.Path == "/api/auth/sessions/end-others/"
}

func guardCalls(t *testing.T, w *world.Walk, r *world.Recorder, row route.Row) int {
	t.Helper()
	before := len(r.Calls())
	body := map[string]string{}
	path := strings.ReplaceAll(row.Path, "{id}", w.Factors[0])
	a := do(t, w, row.Method, path, body)
	if a.Status >= http.StatusInternalServerError || a.Status == http.StatusUnauthorized && row.Rule.Form != route.Public {
		t.Errorf("%s %s: %d %s", row.Method, row.Path, a.Status, a.Body)
	}
	var reads, writes, keys int
	for _, c := range r.Calls()[before:] {
		switch {
		case c.Service == "KMS":
			keys++
		case !c.Guard:
		case c.Operation == "BatchGetItem":
			reads++
		default:
			writes++ // the event of a refusal, or the touch
		}
	}
	if keys > 0 {
		t.Errorf("%s %s: %d calls of KMS, warm", row.Method, row.Path, keys)
	}
	want := 1
	if row.Rule.Form == route.Public {
		want = 0
	}
	if reads != want || writes > 1 || (writes == 1 && a.Status < http.StatusBadRequest) {
		t.Errorf("%s %s: %d reads and %d writes before the handler, want %d and none", row.Method, row.Path, reads, writes, want)
	}
	return reads
}

// TestColdFunctionsAskOnce counts what the first request of a cold function
// needs more: the keyring comes with the same read, then its keys.
func TestColdFunctionsAskOnce(t *testing.T) {
	w := walk(t, "cold", 3)
	r := &world.Recorder{}
	if err := w.Cold(r); err != nil {
		t.Fatal(err)
	}
	if a := do(t, w, "GET", "/api/status/", nil); a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	count := map[string]int{}
	for _, c := range r.Calls() {
		if c.Guard || c.Service == "KMS" { // what was used is read beside the handler
			count[c.Operation]++
		}
	}
	if want := map[string]int{"BatchGetItem": 1, "Decrypt": 2}; !maps.Equal(count, want) {
		t.Errorf("a cold request makes %v, want %v", count, want)
	}
}

// written returns what the calls since the nth wrote, as "verb kind", sorted.
func written(r *world.Recorder, n int) (list []string, waits int) {
	for _, c := range r.Calls()[n:] {
		switch in := c.Input.(type) {
		case *dynamodb.TransactWriteItemsInput:
			for _, item := range in.TransactItems {
				switch {
				case item.Put != nil:
					list = append(list, "put "+world.KindOf(item.Put.Item))
				case item.Delete != nil:
					list = append(list, "delete "+world.KindOf(item.Delete.Key))
				case item.ConditionCheck != nil:
					list = append(list, "check "+world.KindOf(item.ConditionCheck.Key))
				}
			}
		case *dynamodb.PutItemInput:
			list = append(list, "put "+world.KindOf(in.Item))
		case *dynamodb.UpdateItemInput:
			list = append(list, "count "+world.KindOf(in.Key))
		}
	}
	slices.Sort(list)
	return list, waitsOf(r.Calls()[n:])
}

// waitsOf returns how many calls follow one another: calls that overlap in
// time are one wait.
func waitsOf(calls []world.Call) int {
	waits := 0
	for i := 0; i < len(calls); {
		end := calls[i].Ended
		j := i + 1
		for j < len(calls) && calls[j].Began.Before(end) {
			if calls[j].Ended.Before(end) {
				end = calls[j].Ended
			}
			j++
		}
		waits++
		i = j
	}
	return waits
}

// TestWritesOfASignInAndOfASetting holds what a sign-in and a change of a
// setting write, each with its event.
func TestWritesOfASignInAndOfASetting(t *testing.T) {
	w := walk(t, "writes", 3)
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := w.Entries.Recorder
	var n int
	for range 2 { // the first warms the function
		n = len(r.Calls())
		if a := do(t, w, "POST", "/api/auth/signin/", map[string]string{"login": w.Email(), "password": world.Password}); a.Status != http.StatusOK {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	}
	list, _ := written(r, n)
	if want := []string{"check U user", "check W head", "count G address", "count G browser", "count G browser", "put A event", "put U session"}; !slices.Equal(list, want) {
		t.Errorf("a sign-in writes %v, want %v", list, want)
	}
	// Each call is held for a moment, so that what goes side by side has begun before
	// any of it ends: what follows another call begins later, however long that takes.
	r.Before = func(world.Call) { time.Sleep(20 * time.Millisecond) }
	defer func() { r.Before = nil }()
	for password, most := range map[string]int{world.Password: 3, wrong: 4} { // a refusal is counted first
		v := w.Entries.Visitor(w.Slug, "198.51.100.221") // no browser of hers
		least := most + 1
		for range 3 { // what is begun together may still be begun apart
			n = len(r.Calls())
			guess(t, v, w.Email(), password)
			_, waits := written(r, n)
			least = min(least, waits)
		}
		if least > most {
			t.Errorf("a sign-in with %s waits %d times at least, want at most %d", password, least, most)
		}
	}
	do(t, w, "PATCH", "/api/workspaces/security/-/", map[string]int{"mfa_timeout": 776}) // warms the function, and is used today
	n = len(r.Calls())
	if a := do(t, w, "PATCH", "/api/workspaces/security/-/", map[string]int{"mfa_timeout": 777}); a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	list, waits := written(r, n)
	if want := []string{"put A event", "put W head"}; !slices.Equal(list, want) {
		t.Errorf("a change of a setting writes %v, want %v", list, want)
	}
	if waits != 2 {
		t.Errorf("a change of a setting waits %d times, want 2", waits)
	}
}
