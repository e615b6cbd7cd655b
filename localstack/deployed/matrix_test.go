package deployed_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"paddock/localstack/seeding"
	"paddock/localstack/visitor"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/permission"
	"paddock/shared/provision"
	"paddock/shared/route"
)

// A stranger is one kind of caller of the matrix.
type stranger struct {
	name  string
	visit *visitor.Visitor
	role  authz.RoleSetting // zero for nobody known
	stale bool
}

// TestEveryRowRefusesEveryStranger sends each row of the route table as each
// kind of caller. What status and code it must answer follows from the row's
// rule alone. Callers that the rule admits send a body that is no JSON:
// authorization comes first, so admitted means refused for the body, or served.
func TestEveryRowRefusesEveryStranger(t *testing.T) {
	sue, stan, mia := shared.Account(t, "superuser"), shared.Account(t, "staff"), shared.Account(t, "member")
	chief := shared.SignIn(t, sue)
	named := samples(t, chief)
	all := []stranger{
		{name: "anonymous", visit: &visitor.Visitor{Base: shared.Env.BaseURL}},
		{name: "garbage", visit: (&visitor.Visitor{Base: shared.Env.BaseURL}).WithCookie("pdks_garbage")},
		{name: "half", visit: shared.Half(t, sue)},
		{name: "foreign superuser", visit: foreign(t)},
		{name: "member", visit: shared.SignIn(t, mia), role: authz.Member},
		{name: "staff", visit: shared.SignIn(t, stan), role: authz.Staff},
		{name: "superuser", visit: chief, role: authz.Superuser},
		{name: "token", visit: tokenOf(t, chief), role: authz.Superuser},
	}
	probes := 0
	for _, row := range route.Rows {
		for _, s := range all {
			probes += probe(t, row, s, named)
		}
	}
	shared.Advance(t, 20*time.Minute)
	for _, row := range route.Rows {
		probes += probe(t, row, stranger{name: "superuser with a stale proof", visit: chief, role: authz.Superuser, stale: true}, named)
	}
	if want := len(route.Rows) * (len(all) + 1); probes != want || want == 0 {
		t.Fatalf("%d probes of %d", probes, want)
	}
}

// samples makes one of each thing that paths name and returns its id: of users
// the superuser's own account, so that seeing and touching it can be told apart.
func samples(t *testing.T, chief *visitor.Visitor) map[route.Object]string {
	t.Helper()
	var self, group, place, role, given, app struct{ ID string }
	for _, ask := range []struct {
		status       int
		method, path string
		body         func() any
		out          any
	}{
		{http.StatusOK, "GET", "/api/iam/users/-/", func() any { return nil }, &self},
		{http.StatusCreated, "POST", "/api/iam/groups/", func() any { return map[string]any{"name": "matrix"} }, &group},
		{http.StatusCreated, "POST", "/api/iam/memberships/", func() any { return map[string]any{"group": group.ID, "user": self.ID, "role": "member"} }, &place},
		{http.StatusCreated, "POST", "/api/iam/roles/", func() any { return map[string]any{"name": "matrix", "permissions": []string{"user:read"}} }, &role},
		{http.StatusCreated, "POST", "/api/iam/role-assignments/", func() any { return map[string]any{"role": role.ID, "user": self.ID} }, &given},
		{http.StatusCreated, "POST", "/api/iam/applications/", func() any { return map[string]any{"name": "matrix", "scopes": []string{"*"}} }, &app},
	} {
		if err := chief.Want(t.Context(), ask.status, ask.method, ask.path, ask.body(), ask.out); err != nil {
			t.Fatal(err)
		}
	}
	out := map[route.Object]string{route.User: self.ID, route.Group: group.ID, route.Membership: place.ID, route.Role: role.ID, route.RoleAssignment: given.ID, route.Application: app.ID}
	for o, of := range serverSamples(t, chief) {
		out[o] = of
	}
	for _, o := range route.Objects {
		if out[o] == "" {
			t.Fatalf("there is no sample of object %d", o)
		}
	}
	return out
}

// serverSamples makes one of each thing that paths name of servers.
func serverSamples(t *testing.T, chief *visitor.Visitor) map[route.Object]string {
	t.Helper()
	var token struct{ ID, Key string }
	var server, note struct{ ID string }
	create := func(v *visitor.Visitor, path string, body, out any) {
		t.Helper()
		if err := v.Want(t.Context(), http.StatusCreated, "POST", path, body, out); err != nil {
			t.Fatal(err)
		}
	}
	create(chief, "/api/servers/registration-tokens/", map[string]string{"name": "matrix"}, &token)
	create(&visitor.Visitor{Base: shared.Env.BaseURL, Bearer: token.Key}, "/api/servers/servers/register/", map[string]string{"name": "matrix", "platform": "debian"}, &server)
	create(chief, "/api/servers/notes/", map[string]string{"server": server.ID, "content": "of the matrix"}, &note)
	return map[route.Object]string{route.Registration: token.ID, route.Server: server.ID, route.Note: note.ID}
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

func probe(t *testing.T, row route.Row, s stranger, samples map[route.Object]string) int {
	t.Helper()
	want := expected(row, s)
	name := row.Method + " " + row.Path
	path := strings.Replace(row.Path, "{id}", idFor(row, samples), 1)
	below := id.UUID{15: 1}.String() // of what lies below an object
	path = strings.NewReplacer("{session}", below, "{token}", below, "{assignment}", below, "{rule}", below).Replace(path)
	var body any
	if row.Method != http.MethodGet {
		body = json.RawMessage(`{"broken":`)
	}
	a, err := s.visit.Raw(t.Context(), row.Method, path, body)
	if err != nil {
		t.Fatalf("%s as %s: %v", name, s.name, err)
	}
	got := fmt.Sprintf("%d %s", a.Status, a.Problem().Code)
	switch {
	case want != "" && got != want:
		t.Errorf("%s as %s: %s, want %s", name, s.name, got, want)
	case want == "" && (a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden || a.Status >= http.StatusInternalServerError):
		t.Errorf("%s as %s: %s, want it admitted", name, s.name, got)
	}
	if media := a.Header.Get("Content-Type"); len(a.Body) > 0 && !strings.HasPrefix(media, "application/json") {
		t.Errorf("%s as %s: content type %q", name, s.name, media)
	}
	if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s as %s: security headers are missing", name, s.name)
	}
	return 1
}

// idFor returns an id for the path: of a sample, or one that names nothing.
func idFor(row route.Row, samples map[route.Object]string) string {
	if row.Rule.Form == route.Path {
		return samples[row.Rule.On]
	}
	return id.UUID{15: 1}.String()
}

// expected derives "status code" from the rule; "" means admitted.
func expected(row route.Row, s stranger) string {
	r := row.Rule
	if r.Form == route.Public {
		return ""
	}
	switch s.name {
	case "anonymous":
		return "401 authentication_required"
	case "garbage", "foreign superuser":
		return "401 session_invalid"
	case "half":
		if r.Half {
			return ""
		}
		return "401 sign_in_incomplete"
	case "token":
		return expectedOfToken(r)
	}
	if r.Device {
		return "403 device_session_required"
	}
	if (r.Form == route.Everywhere || r.Form == route.Body) && !authz.BuiltIn(s.role).Has(r.Permission) {
		return "403 permission_denied"
	}
	if r.Form == route.Path && !authz.BuiltIn(s.role).Has(r.Permission) {
		if authz.BuiltIn(s.role).Has(permission.Permission{Resource: r.Permission.Resource, Action: permission.Read}) {
			return "403 permission_denied"
		}
		return "404 not_found"
	}
	if r.Form == route.Path && r.On == route.User && r.Permission.Action != permission.Read && s.role != authz.Superuser {
		return "403 permission_denied" // the account that is named is a superuser's
	}
	if r.Fresh && (s.stale || s.role != authz.Superuser) { // only the superuser has a factor, so a proof
		return "403 auth_mfa_required"
	}
	return ""
}

// expectedOfToken is expected for a superuser's token with full access.
func expectedOfToken(r route.Rule) string {
	switch {
	case r.Console || r.Form == route.Self && !r.Token:
		return "403 token_not_allowed"
	case r.Form == route.Self:
		return ""
	case !authz.FullAccess().Has(r.Permission):
		return "403 token_scope_not_allowed"
	case r.Form != route.List && authz.ByRows(r.Permission): // it has no rows
		return "403 api_token_acl_not_allowed"
	case r.Fresh:
		return "403 token_step_up_refused"
	}
	return ""
}
