package world_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paddock/shared/audit"
)

const (
	billingPath = "/api/workspaces/billing/-/"
	invitePath  = "/api/workspaces/users/invite/"
)

// TestBillingIsTheSuperusers' plan, contact and seats: nobody else sees or
// changes them, and a change asks for a fresh proof and is an event.
func TestBillingIsTheSuperusers(t *testing.T) {
	w := relaxed(t, "billing")
	stan := made(t, w, "stan", "staff", "203.0.113.231").enrolled(t)
	mia := made(t, w, "mia", "member", "203.0.113.232").enrolled(t)
	const first = `{"plan":"enterprise","contact_name":"","contact_email":"","seats":null,"seats_used":3,"features":["ip_allowlist","sso","long_retention"]}`
	if a := want(t, w.Me, http.StatusOK, "GET", billingPath, nil); strings.TrimSpace(string(a.Body)) != first {
		t.Errorf("a new workspace has %s", a.Body)
	}
	for _, p := range []person{stan, mia} {
		refused(t, p.Visitor, "permission_denied", "GET", billingPath, nil)
		refused(t, p.Visitor, "permission_denied", "PATCH", billingPath, map[string]any{"plan": "essentials"})
	}
	sue := prover(t, w, "sue", "superuser", "203.0.113.233")
	bot := tokenOf(t, w, sue.Visitor, map[string]any{"name": "full"})
	want(t, bot.Visitor, http.StatusOK, "GET", billingPath, nil)
	refused(t, bot.Visitor, "token_scope_not_allowed", "PATCH", billingPath, map[string]any{"plan": "essentials"})
	shared.Clock.Advance(20 * time.Minute)
	asksForProof(t, w, w.Me, "900", "PATCH", billingPath, map[string]any{"plan": "essentials"})
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for source, body := range map[string]map[string]any{
		"plan": {"plan": "free"}, "seats": {"seats": 0}, "contact_name": {"contact_name": "a\nb"}, "contact_email": {"contact_email": "nobody"},
		"seats_used": {"seats_used": 1}, "features": {"features": []string{}},
	} {
		if a := send(t, w.Me, "PATCH", billingPath, body); a.Status != http.StatusBadRequest || a.Problem().Source != source {
			t.Errorf("%v: %d %s", body, a.Status, a.Body)
		}
	}
	if kinds(t, w, audit.BillingChanged) != 0 {
		t.Error("what was refused is an event of a change")
	}
	body := map[string]any{"plan": "essentials", "contact_name": "Ada", "contact_email": "Ada@Billing.example", "seats": 9}
	const second = `{"plan":"essentials","contact_name":"Ada","contact_email":"Ada@Billing.example","seats":9,"seats_used":4,"features":["ip_allowlist"]}`
	if a := want(t, w.Me, http.StatusOK, "PATCH", billingPath, body); strings.TrimSpace(string(a.Body)) != second {
		t.Errorf("changed: %s", a.Body)
	}
	if a := want(t, w.Me, http.StatusOK, "GET", billingPath, nil); strings.TrimSpace(string(a.Body)) != second {
		t.Errorf("read back: %s", a.Body)
	}
	if n := kinds(t, w, audit.BillingChanged); n != 1 {
		t.Fatalf("%d events of one change", n)
	}
	e := newest(t, w, audit.BillingChanged)
	if got, told := fmt.Sprint(e.Changes), `[{plan enterprise essentials} {contact_name  Ada} {contact_email  A***@Billing.example} {seats no limit 9}]`; got != told || e.Auth.ProofID.Zero() {
		t.Errorf("the event tells %s, not %s; proof %v", got, told, e.Auth)
	}
	for name, v := range map[string]struct {
		p    person
		sees bool
	}{"a superuser": {sue, true}, "staff": {stan, false}} {
		a := want(t, v.p.Visitor, http.StatusOK, "GET", "/api/audit/activity/?app=workspaces&model=billing", nil)
		if strings.Contains(string(a.Body), "billing.changed") != v.sees {
			t.Errorf("%s sees %s", name, a.Body)
		}
	}
	settled(t, w)
	if a := want(t, w.Me, http.StatusOK, "PATCH", billingPath, body); strings.TrimSpace(string(a.Body)) != second {
		t.Errorf("changed to what it is: %s", a.Body)
	}
	if n := kinds(t, w, audit.BillingChanged); n != 1 {
		t.Errorf("a change to what there is left %d events", n-1)
	}
}

// TestSeatsBoundAccounts holds the seats for accounts that are made and for
// invitations, sent and accepted, and takes nobody's account away.
func TestSeatsBoundAccounts(t *testing.T) {
	w := relaxed(t, "seats")
	mia := made(t, w, "mia", "member", "203.0.113.234")
	max := made(t, w, "max", "member", "203.0.113.235")
	guest := map[string]any{"email": "guest@seats.example"}
	want(t, w.Me, http.StatusCreated, "POST", invitePath, guest)
	secret := mailed(t, w, "guest@seats.example", "/invitation")
	seats := func(n any) {
		t.Helper()
		if err := w.Fresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		want(t, w.Me, http.StatusOK, "PATCH", billingPath, map[string]any{"seats": n})
	}
	accepting := map[string]string{"token": secret, "username": "gwen", "password": "a-quiet-lamp-for-them"}
	full := func() {
		t.Helper()
		before := kindsOf(t, w)
		for path, body := range map[string]any{
			"/api/iam/users/": map[string]any{"email": "more@seats.example"},
			invitePath:        map[string]any{"email": "other@seats.example"},
			acceptPath:        accepting,
		} {
			v := w.Me
			if path == acceptPath {
				v = w.Entries.Visitor(w.Slug, "203.0.113.236")
			}
			if a := refused(t, v, "limit_reached", "POST", path, body); a.Status != http.StatusConflict || a.Problem().Source != "seats_used" {
				t.Errorf("%s: %d %s", path, a.Status, a.Body)
			}
		}
		after := kindsOf(t, w)
		for _, k := range []audit.Kind{audit.UserCreated, audit.UserInvited} {
			if after[k] != before[k] {
				t.Errorf("what was refused left %d of %v", after[k]-before[k], k)
			}
		}
	}
	seats(3)
	full()
	seats(1) // fewer than there are: they stay
	full()
	want(t, mia.Visitor, http.StatusOK, "GET", "/api/status/", nil)
	mia.signIn(t)
	want(t, w.Me, http.StatusOK, "PATCH", max.path, map[string]any{"is_active": false})
	seats(3)
	full() // one that is disabled has its seat
	want(t, w.Me, http.StatusNoContent, "DELETE", max.path, nil)
	want(t, w.Entries.Visitor(w.Slug, "203.0.113.236"), http.StatusCreated, "POST", acceptPath, accepting)
	if a := refused(t, w.Me, "limit_reached", "POST", "/api/iam/users/", map[string]any{"email": "more@seats.example"}); a.Problem().Source != "seats_used" {
		t.Errorf("the guest has the seat, and %s", a.Body)
	}
	// Two at once for the last seat: one has it.
	seats(4)
	statuses := make([]int, 2)
	var wait sync.WaitGroup
	for i := range statuses {
		v := w.Me.WithCookie(w.Me.Cookie())
		wait.Go(func() {
			a, err := v.Do(t.Context(), "POST", "/api/iam/users/", map[string]any{"email": fmt.Sprintf("last%d@seats.example", i)})
			if err == nil {
				statuses[i] = a.Status
			}
		})
	}
	wait.Wait()
	if slices.Sort(statuses); !slices.Equal(statuses, []int{http.StatusCreated, http.StatusConflict}) {
		t.Errorf("two at once: %v", statuses)
	}
	seats(nil)
	want(t, w.Me, http.StatusCreated, "POST", "/api/iam/users/", map[string]any{"email": "more@seats.example"})
	settled(t, w)
}
