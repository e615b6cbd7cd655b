package world_test

import (
	"net/http"
	"testing"
	"time"

	"paddock/localstack/stranger"
	"paddock/localstack/world"
	"paddock/shared/authz"
	"paddock/shared/route"
)

// TestEveryRowRefusesEveryStranger sends each row of the route table as each
// kind of caller.
func TestEveryRowRefusesEveryStranger(t *testing.T) {
	w, foreign := relaxed(t, "strangers"), relaxed(t, "foreign-strangers")
	mia, stan := made(t, w, "mia", "member", "203.0.113.71"), made(t, w, "stan", "staff", "203.0.113.72")
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	half := w.Entries.Visitor(w.Slug, "203.0.113.74")
	named := stranger.Samples(t, w.Me)
	want(t, half, http.StatusOK, "POST", "/api/auth/signin/", map[string]string{"login": w.Email(), "password": world.Password})
	ended := made(t, w, "max", "superuser", "203.0.113.73")
	revoked := ended.Cookie()
	want(t, ended.Visitor, http.StatusNoContent, "POST", "/api/auth/logout/", nil)
	nobody := w.Entries.Visitor(w.Slug, "203.0.113.76")
	all := []stranger.Caller{
		{Name: stranger.Anonymous, Visit: nobody},
		{Name: stranger.Garbage, Visit: nobody.WithCookie("pdks_garbage")},
		{Name: stranger.Half, Visit: half},
		{Name: stranger.Revoked, Visit: nobody.WithCookie(revoked)},
		{Name: stranger.Foreign, Visit: nobody.WithCookie(foreign.Me.Cookie())},
		{Name: "member", Visit: mia.Visitor, Role: authz.Member},
		{Name: "staff", Visit: stan.Visitor, Role: authz.Staff},
		{Name: "superuser", Visit: w.Me, Role: authz.Superuser},
		{Name: stranger.Token, Visit: tokenOf(t, w, w.Me, map[string]any{"name": "matrix"}).Visitor, Role: authz.Superuser},
	}
	for _, row := range route.Rows {
		for _, s := range all {
			stranger.Probe(t, row, s, named)
		}
	}
	shared.Clock.Advance(20 * time.Minute)
	for _, row := range route.Rows {
		stranger.Probe(t, row, stranger.Caller{Name: "superuser with a stale proof", Visit: w.Me, Role: authz.Superuser, Stale: true}, named)
	}
	shared.Clock.Advance(61 * time.Minute)
	for _, row := range route.Rows {
		stranger.Probe(t, row, stranger.Caller{Name: stranger.Expired, Visit: stan.Visitor}, named)
	}
	if len(route.Rows) < 100 {
		t.Fatalf("%d rows", len(route.Rows))
	}
}
