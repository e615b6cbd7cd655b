package world_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paddock/localstack/visitor"
	"paddock/localstack/world"
)

// atOnce posts the same at once, each time with the same session, and returns how
// often it was answered with 200.
func atOnce(t *testing.T, v *visitor.Visitor, n int, path string, body any) (won int) {
	t.Helper()
	statuses := make([]int, n)
	var wait sync.WaitGroup
	for i := range statuses {
		one := v.WithCookie(v.Cookie())
		wait.Go(func() {
			if a, err := one.Do(t.Context(), "POST", path, body); err == nil {
				statuses[i] = a.Status
			}
		})
	}
	wait.Wait()
	for _, s := range statuses {
		if s == http.StatusOK || s == http.StatusCreated {
			won++
		}
	}
	return won
}

// TestOneSentCodeOneSuccess posts the right code many times at once, by each
// method and to confirm, and asks for many codes at once.
func TestOneSentCodeOneSuccess(t *testing.T) {
	w := relaxed(t, "onesent")
	mia := made(t, w, "mia", "member", "203.0.113.186")
	e := sentBy(t, want(t, mia.Visitor, http.StatusCreated, "POST", factors, map[string]string{"method": "phone", "name": "M", "phone": number}))
	if n := atOnce(t, mia.Visitor, 100, factors+e.ID+"/confirm/", texted(t, w, number, false)); n != 1 {
		t.Errorf("%d of 100 equal codes confirmed", n)
	}
	for _, method := range []string{"phone", "email"} {
		shared.Clock.Advance(time.Hour)
		mia.signIn(t)
		if method == "email" {
			c := asking(t, mia.Visitor, map[string]string{"method": "phone", "purpose": "login"})
			want(t, mia.Visitor, http.StatusOK, "POST", challenges+c.ID+"/verify/", texted(t, w, number, false))
			withMail(t, w, mia)
			mia.signIn(t)
		}
		c := asking(t, mia.Visitor, map[string]string{"method": method, "purpose": "login"})
		var right map[string]string
		if method == "phone" {
			right = texted(t, w, number, false)
		} else {
			right = byMail(t, w, mia.email)
		}
		if n := atOnce(t, mia.Visitor, 100, challenges+c.ID+"/verify/", right); n != 1 {
			t.Errorf("%d of 100 equal codes by %s succeeded", n, method)
		}
	}
	mia.signIn(t)
	later()
	if n := atOnce(t, mia.Visitor, 20, challenges, map[string]string{"method": "phone", "purpose": "login"}); n != 1 {
		t.Errorf("%d of 20 codes that were asked for at once were sent", n)
	}
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestARaceForOneSentCode holds two equal answers back until both have read what
// they are held to, and lets them commit.
func TestARaceForOneSentCode(t *testing.T) {
	w := relaxed(t, "sentrace")
	mia := made(t, w, "mia", "member", "203.0.113.193")
	withPhone(t, w, mia, number)
	later()
	var enrol asked
	if err := want(t, mia.Visitor, http.StatusCreated, "POST", factors, map[string]string{"method": "email", "name": "Mail"}).Decode(http.StatusCreated, &enrol); err != nil {
		t.Fatal(err)
	}
	confirms := byMail(t, w, mia.email)
	if won := raced(t, w, mia.Visitor, factors+enrol.ID+"/confirm/", confirms); won != 1 {
		t.Errorf("%d of two confirmed", won)
	}
	mia.signIn(t)
	c := asking(t, mia.Visitor, map[string]string{"method": "phone", "purpose": "login"})
	if won := raced(t, w, mia.Visitor, challenges+c.ID+"/verify/", texted(t, w, number, false)); won != 1 {
		t.Errorf("%d of two verified", won)
	}
	mia.signIn(t)
	later()
	if won := raced(t, w, mia.Visitor, challenges, map[string]string{"method": "phone", "purpose": "login"}); won != 1 {
		t.Errorf("%d of two codes were sent", won)
	}
}

// raced posts the same twice, so that both requests reach their first transaction
// before either is carried out, and returns how many succeeded. The walk goes on
// with functions that hold nothing back.
func raced(t *testing.T, w *world.Walk, v *visitor.Visitor, path string, body any) int {
	t.Helper()
	var both sync.WaitGroup
	var arrived atomic.Int32
	both.Add(2)
	hold := &world.Recorder{Before: func(c world.Call) {
		if c.Operation == "TransactWriteItems" && arrived.Add(1) <= 2 {
			both.Done()
			both.Wait()
		}
	}}
	held, err := shared.Entries(hold)
	if err != nil {
		t.Fatal(err)
	}
	racer := held.Visitor(w.Slug, "203.0.113.193").WithCookie(v.Cookie())
	won := atOnce(t, racer, 2, path, body)
	if n := arrived.Load(); n < 2 {
		t.Errorf("%d requests came to a transaction", n)
	}
	return won
}
