package world_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/credential"
	"paddock/shared/id"
	"paddock/shared/route"
)

// TestATokenIsRevokedWhileItIsUsed lets requests and the revocation meet: none
// that begins after it is served.
func TestATokenIsRevokedWhileItIsUsed(t *testing.T) {
	w := relaxed(t, "token-race")
	sue := prover(t, w, "sue", "superuser", "203.0.113.212")
	bot := tokenOf(t, w, sue.Visitor, scope("bot", "user:read"))
	shared.Clock.Advance(time.Minute) // each request notes its use
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				a, err := clientOf(w, bot.id, bot.key).Do(t.Context(), "GET", "/api/status/", nil)
				if err != nil || a.Status != http.StatusOK && a.Problem().Code != "session_invalid" {
					t.Errorf("%d %s, %v", a.Status, a.Body, err)
				}
				shared.Clock.Advance(time.Minute)
			}
		})
	}
	want(t, sue.Visitor, http.StatusNoContent, "DELETE", apiTokens+bot.id+"/", nil)
	refused(t, bot.Visitor, "session_invalid", "GET", "/api/status/", nil)
	wg.Wait()
	refused(t, bot.Visitor, "session_invalid", "GET", "/api/status/", nil)
	// Two of one name at once: one is made.
	sue = prover(t, w, "sun", "superuser", "203.0.113.213")
	var codes [4]int
	for i := range codes {
		v := sue.WithCookie(sue.Cookie())
		wg.Go(func() {
			if a, err := v.Do(t.Context(), "POST", apiTokens, scope("same", "user:read")); err == nil {
				codes[i] = a.Status
			}
		})
	}
	wg.Wait()
	if a := want(t, sue.Visitor, http.StatusOK, "GET", apiTokens+"?name=same", nil); !strings.Contains(string(a.Body), `"count":1,`) {
		t.Errorf("%v made %s", codes, a.Body)
	}
	settled(t, w)
}

// TestTokensWaitOnceToo sends each guarded row with a token to warm functions:
// one read before the handler, as with a session, whatever rules it has.
func TestTokensWaitOnceToo(t *testing.T) {
	w := relaxed(t, "token-counts")
	sue := prover(t, w, "sue", "superuser", "203.0.113.214")
	bot := tokenOf(t, w, sue.Visitor, map[string]any{"name": "full"})
	want(t, sue.Visitor, http.StatusCreated, "POST", commandACL, map[string]string{"token": bot.id, "command": "uptime"})
	want(t, bot.Visitor, http.StatusOK, "GET", "/api/status/", nil)                              // notes its use
	refused(t, bot.Visitor, "token_not_allowed", "GET", "/api/auth/sessions/", map[string]any{}) // warms the other function
	r := w.Entries.Recorder
	guardsWaitOnce(t, r, bot.Visitor, sue.idOf(), func(row route.Row) bool {
		return row.Rule.Form == route.Path && row.Method == http.MethodDelete && row.Rule.On != route.User
	})
	// Its use is noted once a minute, when what it was used for is stored.
	shared.Clock.Advance(time.Minute)
	want(t, bot.Visitor, http.StatusOK, "GET", "/api/status/", nil)
	shared.Clock.Advance(time.Minute)
	for i, most := range []int{1, 0} {
		before := len(r.Calls())
		want(t, bot.Visitor, http.StatusOK, "GET", "/api/status/", nil)
		if list, _ := written(r, before); len(list) != most {
			t.Errorf("request %d of a minute writes %v", i, list)
		}
	}
}

// guardsWaitOnce sends each guarded row, but for those that are left out, with a
// body that no handler takes: each has one read before its handler, and beyond
// it the event of a refusal at most. of is the id that paths name.
func guardsWaitOnce(t *testing.T, r *world.Recorder, bot *visitor.Visitor, of string, leave func(route.Row) bool) {
	t.Helper()
	guarded := 0
	for _, row := range route.Rows {
		if row.Rule.Form == route.Public || leave(row) {
			continue
		}
		before := len(r.Calls())
		path := strings.NewReplacer("{id}", of, "{session}", nobody, "{token}", nobody, "{assignment}", nobody, "{rule}", nobody).Replace(row.Path)
		a, err := bot.Raw(t.Context(), row.Method, path, json.RawMessage(`{"broken":`))
		if err != nil {
			t.Fatal(err)
		}
		if a.Status >= http.StatusInternalServerError || a.Status == http.StatusUnauthorized {
			t.Errorf("%s %s: %d %s", row.Method, row.Path, a.Status, a.Body)
		}
		var reads, writes int
		for _, c := range r.Calls()[before:] {
			switch {
			case !c.Guard:
			case c.Operation == "BatchGetItem":
				reads++
			default:
				writes++ // the event of a refusal
			}
		}
		if guarded += reads; reads != 1 || writes > 1 || writes == 1 && a.Status < http.StatusBadRequest {
			t.Errorf("%s %s: %d reads and %d writes before the handler", row.Method, row.Path, reads, writes)
		}
	}
	if guarded < 40 {
		t.Errorf("only %d guards read anything", guarded)
	}
}

// TestRefusedTokensTellNothing compares what is answered and done for tokens
// that nobody has, of an account that is there, of one that is disabled and of
// one that is not.
func TestRefusedTokensTellNothing(t *testing.T) {
	w := relaxed(t, "token-silence")
	mia, max := made(t, w, "mia", "member", "203.0.113.215"), made(t, w, "max", "member", "203.0.113.216")
	want(t, w.Me, http.StatusOK, "PATCH", max.path, map[string]any{"is_active": false})
	refused(t, clientOf(w, "", "nothing").Visitor, "session_invalid", "GET", "/api/iam/users/", nil) // warms the function, to refusals too
	r := w.Entries.Recorder
	var first string
	for _, of := range []string{mia.idOf(), max.idOf(), nobody} {
		owner, err := id.ParseUUID(of)
		if err != nil {
			t.Fatal(err)
		}
		v := clientOf(w, "", secretOf(t, w, credential.APIToken, owner))
		before := len(r.Calls())
		a := send(t, v.Visitor, "GET", "/api/iam/users/", nil)
		var done []string
		for _, c := range r.Calls()[before:] {
			done = append(done, c.Operation)
		}
		list, _ := written(r, before)
		var names []string
		for name := range a.Header {
			names = append(names, name)
		}
		slices.Sort(names)
		body := a.Problem()
		got := fmt.Sprint(a.Status, body, names, done, list)
		if first == "" {
			first = got
		}
		if got != first || a.Status != http.StatusUnauthorized {
			t.Errorf("of %s: %s, not %s", of, got, first)
		}
	}
	settled(t, w)
}
