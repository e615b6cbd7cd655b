// Package stranger holds what rows of the route table answer to each kind of
// caller: status and code follow from the row's rule alone.
package stranger

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"paddock/localstack/visitor"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/permission"
	"paddock/shared/route"
)

// Kinds of callers that are nobody in the workspace, and the token of a
// superuser with full access and no rules. Others are named as one likes.
const (
	Anonymous = "anonymous"
	Garbage   = "garbage"
	Expired   = "expired"
	Revoked   = "revoked"
	Half      = "half"
	Foreign   = "foreign superuser"
	Token     = "token"
)

// A Caller is one kind of caller. Of those with a role only the superuser has a
// second factor, so a proof.
type Caller struct {
	Name  string
	Visit *visitor.Visitor
	Role  authz.RoleSetting // zero for nobody known
	Stale bool              // the proof is too old
}

// Samples makes one of each thing that paths name and returns its id: of users
// the superuser's own account, so that seeing and touching it can be told apart.
func Samples(t testing.TB, chief *visitor.Visitor) map[route.Object]string {
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
	maps.Copy(out, serverSamples(t, chief))
	for _, o := range route.Objects {
		if out[o] == "" {
			t.Fatalf("there is no sample of object %d", o)
		}
	}
	return out
}

// serverSamples makes one of each thing that paths name of servers.
func serverSamples(t testing.TB, chief *visitor.Visitor) map[route.Object]string {
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
	machine := chief.WithCookie("")
	machine.Bearer = token.Key
	create(machine, "/api/servers/servers/register/", map[string]string{"name": "matrix", "platform": "debian"}, &server)
	create(chief, "/api/servers/notes/", map[string]string{"server": server.ID, "content": "of the matrix"}, &note)
	return map[route.Object]string{route.Registration: token.ID, route.Server: server.ID, route.Note: note.ID}
}

// Probe sends a row as a caller and compares status and code with what the
// row's rule says. Callers that the rule admits send a body that is no JSON:
// authorization comes first, so admitted means refused for the body, or served.
func Probe(t testing.TB, row route.Row, s Caller, samples map[route.Object]string) {
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
	a, err := s.Visit.Raw(t.Context(), row.Method, path, body)
	if err != nil {
		t.Fatalf("%s as %s: %v", name, s.Name, err)
	}
	got := fmt.Sprintf("%d %s", a.Status, a.Problem().Code)
	switch {
	case want != "" && got != want:
		t.Errorf("%s as %s: %s, want %s", name, s.Name, got, want)
	case want == "" && (a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden || a.Status >= http.StatusInternalServerError):
		t.Errorf("%s as %s: %s, want it admitted", name, s.Name, got)
	}
	if media := a.Header.Get("Content-Type"); len(a.Body) > 0 && !strings.HasPrefix(media, "application/json") {
		t.Errorf("%s as %s: content type %q", name, s.Name, media)
	}
	if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s as %s: security headers are missing", name, s.Name)
	}
}

// idFor returns an id for the path: of a sample, or one that names nothing.
func idFor(row route.Row, samples map[route.Object]string) string {
	if row.Rule.Form == route.Path {
		return samples[row.Rule.On]
	}
	return id.UUID{15: 1}.String()
}

// expected derives "status code" from the rule; "" means admitted.
func expected(row route.Row, s Caller) string {
	r := row.Rule
	if r.Form == route.Public {
		return ""
	}
	switch s.Name {
	case Anonymous:
		return "401 authentication_required"
	case Garbage, Revoked, Expired, Foreign:
		return "401 session_invalid"
	case Half:
		if r.Half {
			return ""
		}
		return "401 sign_in_incomplete"
	case Token:
		return expectedOfToken(r)
	}
	if r.Device {
		return "403 device_session_required"
	}
	if (r.Form == route.Everywhere || r.Form == route.Body) && !authz.BuiltIn(s.Role).Has(r.Permission) {
		return "403 permission_denied"
	}
	if r.Form == route.Path && !authz.BuiltIn(s.Role).Has(r.Permission) {
		if authz.BuiltIn(s.Role).Has(permission.Permission{Resource: r.Permission.Resource, Action: permission.Read}) {
			return "403 permission_denied"
		}
		return "404 not_found"
	}
	if r.Form == route.Path && r.On == route.User && r.Permission.Action != permission.Read && s.Role != authz.Superuser {
		return "403 permission_denied" // the account that is named is a superuser's
	}
	if r.Fresh && (s.Stale || s.Role != authz.Superuser) { // only the superuser has a factor, so a proof
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
