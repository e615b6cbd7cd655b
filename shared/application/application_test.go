package application_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"paddock/shared/application"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
	"paddock/shared/token"
)

// TestScopesOfApplications holds what an application may at most: what is said,
// nothing that makes credentials or accounts, and no billing (security, TK-1,
// TK-12).
func TestScopesOfApplications(t *testing.T) {
	for text, want := range map[string]error{
		"*": nil, "user:read": nil, "user:write": nil, "server:owner": nil, "service_token:read": nil, "service_token:delete": nil, "application:delete": nil,
		"user:create": token.ErrScope, "billing:read": token.ErrScope, "billing:owner": token.ErrScope, "application:create": token.ErrScope,
		"application:update": token.ErrScope, "service_token:create": token.ErrScope, "service_token:update": token.ErrScope, "registration:create": token.ErrScope,
		"role:create": token.ErrScope, "user:promote": token.ErrScope, "account:own": token.ErrScope, "": token.ErrScope, "user": token.ErrScope,
	} {
		got, err := application.Parse([]string{"group:read", text})
		if !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
		if want == nil && !slices.Contains(got, text) {
			t.Errorf("%q is kept as %v", text, got)
		}
	}
	for _, none := range [][]string{nil, {}} {
		if got, err := application.Parse(none); !errors.Is(err, application.ErrScopes) || got != nil {
			t.Errorf("none: %v, %v", got, err)
		}
	}
	all := application.Application{Scopes: []string{"*"}}.Set()
	for _, never := range append(authz.Minting().Permissions(), permission.CreateUser, permission.ReadBilling, permission.UpdateBilling, permission.OwnAccount) {
		if all.Has(never) || (application.Application{Scopes: []string{never.Resource.String() + ":owner"}}).Set().Has(never) {
			t.Errorf("an application may %s", never)
		}
	}
}

// TestATokenNarrowsItsApplication holds that a token has scopes of its application
// and no others, whenever they change.
func TestATokenNarrowsItsApplication(t *testing.T) {
	app := application.Application{Scopes: []string{"group:read", "user:write"}}
	for text, want := range map[string]error{
		"*": nil, "user:read": nil, "user:update": nil, "group:read": nil, "user:write": nil,
		"user:delete": application.ErrWider, "user:create": application.ErrWider, "group:write": application.ErrWider, "server:read": application.ErrWider, "user": token.ErrScope,
	} {
		if got, err := app.Narrow([]string{text}); !errors.Is(err, want) || want == nil && !slices.Equal(got, []string{text}) {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
	if got, err := app.Narrow(nil); err != nil || !slices.Equal(got, []string{"*"}) {
		t.Errorf("none: %v, %v", got, err)
	}
	server := id.ID[id.Server]{}
	end := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		scopes []string
		want   permission.Set
	}{
		{[]string{"*"}, app.Set()},
		{[]string{"user:read"}, permission.SetOf(permission.ReadUser)},
		{[]string{"user:read", "server:read"}, permission.SetOf(permission.ReadUser)}, // the application had it once
	} {
		l := app.Limits(token.Token{Scopes: c.scopes, ExpiresAt: end}, token.ACL{Servers: []token.Row{{Server: server}}})
		if l.Scopes != c.want || !l.Until.Equal(end) || len(l.Servers) != 1 {
			t.Errorf("%v leaves %v", c.scopes, l)
		}
	}
}

// TestAnApplicationIsItsRoles holds as what decisions see an application, and which
// roles count: half-open, and while they are there.
func TestAnApplicationIsItsRoles(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	ws, of, there, gone := id.Of[id.Workspace](id.UUID{1}), id.UUID{2}, id.UUID{3}, id.UUID{4}
	policy := authz.Chunk{Roles: []authz.Role{{ID: there}}, Applications: []authz.Application{{ID: of, Name: "ci", Owner: id.UUID{5}}}}.Policy()
	app := application.Application{ID: id.Of[id.Principal](of), Name: "ci", Roles: []identity.RoleGrant{
		{Role: id.Of[id.Role](there), Until: now}, {Role: id.Of[id.Role](gone)}, {Role: id.Of[id.Role](there), Until: now.Add(time.Nanosecond)},
	}}
	if got := app.Live(policy, now); len(got) != 1 || !got[0].Until.After(now) {
		t.Errorf("of its roles %v are live", got)
	}
	o := app.Object(ws, policy)
	if o.ID != of || o.Owner != (id.UUID{5}) || o.Account == nil || len(o.Account.Roles) != 3 || o.Account.Role != 0 || o.Account.Policy != policy {
		t.Errorf("it is asked about as %+v", o)
	}
	if !(application.Application{ID: id.Of[id.Principal](gone)}).Object(ws, policy).Everywhere() {
		t.Error("one that is gone is an object")
	}
	app.Epoch = 2
	for name, c := range map[string]struct {
		token token.Token
		app   bool
		want  bool
	}{
		"enabled":       {token.Token{Enabled: true, Epoch: 2}, true, true},
		"disabled":      {token.Token{Enabled: true, Epoch: 2}, false, false},
		"of before":     {token.Token{Enabled: true, Epoch: 1}, true, false},
		"switched off":  {token.Token{Epoch: 2}, true, false},
		"of both these": {token.Token{Epoch: 1}, false, false},
	} {
		if app.Enabled = c.app; c.token.Good(app.Holder()) != c.want {
			t.Errorf("%s: a good token %t, want %t", name, !c.want, c.want)
		}
	}
}
