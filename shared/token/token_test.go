package token_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"paddock/shared/authz"
	"paddock/shared/permission"
	"paddock/shared/token"
)

// TestScopes holds what each text stands for: one permission, a level of a
// resource, or full access.
func TestScopes(t *testing.T) {
	set := permission.SetOf
	for text, want := range map[string]permission.Set{
		"server:read":         set(permission.ReadServer),
		"server:write":        set(permission.ReadServer, permission.CreateServer, permission.UpdateServer, permission.AccessServer, permission.OperateServer),
		"server:owner":        set(permission.ReadServer, permission.CreateServer, permission.UpdateServer, permission.AccessServer, permission.OperateServer, permission.DeleteServer),
		"role:owner":          set(permission.ReadRole),
		"user:owner":          set(permission.ReadUser, permission.CreateUser, permission.UpdateUser, permission.DeleteUser),
		"audit:owner":         set(permission.ReadAudit),
		"websh:create":        set(permission.CreateWebsh),
		"websh:read":          {},
		"service_token:write": set(permission.ReadServiceToken, permission.CreateServiceToken, permission.UpdateServiceToken),
		"*":                   authz.FullAccess(),
		"account:own":         {}, "account:owner": {}, "audit:own": {}, "user:promote": {}, "role:create": {}, "billing:update": {}, "workspace:delete": {},
		"": {}, ":": {}, "server": {}, "server:": {}, ":read": {}, "server:*": {}, "*:*": {}, "Server:read": {}, "server:read ": {}, "server:Owner": {},
	} {
		if got := token.Set([]string{text}); got != want {
			t.Errorf("%q stands for %v, want %v", text, got.Permissions(), want.Permissions())
		}
		_, err := token.Parse([]string{"user:read", text})
		if errors.Is(err, token.ErrScope) != want.Empty() {
			t.Errorf("%q: %v", text, err)
		}
	}
	if got, err := token.Parse([]string{"user:read", "group:read", "user:read"}); err != nil || !slices.Equal(got, []string{"group:read", "user:read"}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, none := range [][]string{nil, {}} {
		if got, err := token.Parse(none); err != nil || !slices.Equal(got, []string{"*"}) {
			t.Errorf("none: %v, %v", got, err)
		}
	}
	for _, strong := range [][]string{{"*"}, {"user:read", "*"}, {"application:create"}, {"service_token:owner"}} {
		if !token.Strong(strong) {
			t.Errorf("%v asks for no proof of a person", strong)
		}
	}
	if token.Strong([]string{"user:owner", "service_token:read"}) || !authz.FullAccess().Intersect(authz.Minting()).Empty() {
		t.Error("full access makes credentials, or less does")
	}
}

// TestEveryScopeOfTheCatalogueIsOne reads back what is listed.
func TestEveryScopeOfTheCatalogueIsOne(t *testing.T) {
	var all permission.Set
	for _, r := range token.Catalogue() {
		for _, a := range r.Actions {
			if _, err := token.Parse([]string{r.Name + ":" + a}); err != nil {
				t.Errorf("%s:%s: %v", r.Name, a, err)
			}
			all = all.Union(token.Set([]string{r.Name + ":" + a}))
		}
	}
	if all != authz.Scopable() {
		t.Errorf("listed are %v, want %v", all.Permissions(), authz.Scopable().Permissions())
	}
}

// TestATokenIsGood holds what ends one, and that its end is half-open.
func TestATokenIsGood(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	good := token.Token{Enabled: true, Epoch: 3, ExpiresAt: now}
	owner := token.Holder{Epoch: 3}
	if !good.Good(owner) || !good.Live(now.Add(-time.Nanosecond)) || good.Live(now) {
		t.Error("a good token is none, or its end is not half-open")
	}
	for name, bad := range map[string]func(*token.Token, *token.Holder){
		"switched off":  func(t *token.Token, _ *token.Holder) { t.Enabled = false },
		"blocked":       func(t *token.Token, _ *token.Holder) { t.Blocked = true },
		"another epoch": func(_ *token.Token, u *token.Holder) { u.Epoch++ },
		"disabled":      func(_ *token.Token, u *token.Holder) { u.Disabled = true },
	} {
		tok, u := good, owner
		if bad(&tok, &u); tok.Good(u) {
			t.Errorf("%s: good", name)
		}
	}
}
