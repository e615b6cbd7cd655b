package deployed_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"paddock/localstack/seeding"
	"paddock/localstack/stranger"
	"paddock/localstack/visitor"
	"paddock/shared/authz"
	"paddock/shared/provision"
	"paddock/shared/route"
)

// TestRowsRefuseStrangersBehindTheGateway sends each row as one kind of caller
// after the other, and some with a proof that is too old; each row as each kind
// is asked in one process (TestEveryRowRefusesEveryStranger of package world).
func TestRowsRefuseStrangersBehindTheGateway(t *testing.T) {
	sue, stan, mia := shared.Account(t, "superuser"), shared.Account(t, "staff"), shared.Account(t, "member")
	chief := shared.SignIn(t, sue)
	named := stranger.Samples(t, chief)
	all := []stranger.Caller{
		{Name: stranger.Anonymous, Visit: &visitor.Visitor{Base: shared.Env.BaseURL}},
		{Name: stranger.Garbage, Visit: (&visitor.Visitor{Base: shared.Env.BaseURL}).WithCookie("pdks_garbage")},
		{Name: stranger.Half, Visit: shared.Half(t, sue)},
		{Name: stranger.Foreign, Visit: foreign(t)},
		{Name: "member", Visit: shared.SignIn(t, mia), Role: authz.Member},
		{Name: "staff", Visit: shared.SignIn(t, stan), Role: authz.Staff},
		{Name: "superuser", Visit: chief, Role: authz.Superuser},
		{Name: stranger.Token, Visit: tokenOf(t, chief), Role: authz.Superuser},
	}
	for i, row := range route.Rows {
		stranger.Probe(t, row, all[i%len(all)], named)
	}
	shared.Advance(t, 20*time.Minute)
	stale, fresh := stranger.Caller{Name: "superuser with a stale proof", Visit: chief, Role: authz.Superuser, Stale: true}, 0
	for _, row := range route.Rows {
		if row.Rule.Fresh {
			if fresh++; fresh%len(all) == 0 {
				stranger.Probe(t, row, stale, named)
			}
		}
	}
	if len(route.Rows) < len(all) || fresh < len(all) {
		t.Fatalf("%d rows, %d of them ask for a proof", len(route.Rows), fresh)
	}
}

// tokenOf returns a token of somebody's with full access and no rules.
func tokenOf(t *testing.T, owner *visitor.Visitor) *visitor.Visitor {
	t.Helper()
	var made struct{ Key string }
	if err := owner.Want(t.Context(), http.StatusCreated, "POST", "/api/auth/tokens/", map[string]any{"name": "matrix"}, &made); err != nil {
		t.Fatal(err)
	}
	return &visitor.Visitor{Base: shared.Env.BaseURL, Bearer: made.Key}
}

// foreign returns the session of another workspace's superuser, sent to this
// workspace's host.
func foreign(t *testing.T) *visitor.Visitor {
	t.Helper()
	no := false
	if _, err := seeding.Workspace(t.Context(), shared.Engine, provision.Request{Slug: "foreign", Name: "Foreign", Email: "boss@foreign.example", MFARequired: &no}); err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse(shared.Env.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := seeding.Link(t.Context(), shared.Engine, "boss@foreign.example")
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor.Visitor{Base: shared.Env.BaseURL, Host: "foreign." + base.Host, Origin: "http://foreign." + base.Host}
	err = v.Want(t.Context(), http.StatusCreated, "POST", "/api/auth/invitations/accept/", map[string]string{"token": secret, "username": "boss", "password": "correct-horse-battery-lamp"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return (&visitor.Visitor{Base: shared.Env.BaseURL}).WithCookie(v.Cookie())
}
