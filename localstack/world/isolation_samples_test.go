package world_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"paddock/localstack/world"
	"paddock/shared/route"
)

// Furniture is one of everything of a workspace, by its kind.
type furniture struct {
	w       *world.Walk
	member  person
	ids     map[string]string
	secrets map[string]string
	names   map[string]string
}

// objectNames are the kinds of what paths name.
var objectNames = map[route.Object]string{
	0: "Principal", route.User: "Principal", route.Group: "Group", route.Membership: "Membership", route.Role: "Role",
	route.RoleAssignment: "RoleAssignment", route.Server: "Server", route.Registration: "Registration", route.Note: "Note",
	route.Application: "Application",
}

// inner are the kinds of what paths name below another thing, by their parameter
// and, of what applications have, after their path.
var inner = map[string]string{
	"session": "Session", "token": "Token", // of people
	"application token": "ServiceToken", "application rule": "ServiceRule", "application assignment": "ApplicationRole",
}

// sampleOf returns what of the workspace a parameter of a path names.
func (f *furniture) sampleOf(row route.Row, parameter string) string {
	switch {
	case parameter == "id":
		return f.ids[objectNames[row.Rule.On]]
	case row.Rule.On == route.Application:
		return f.ids[inner["application "+parameter]]
	}
	return f.ids[inner[parameter]]
}

// unshown are kinds whose ids no row shows and none takes.
var unshown = []string{"Proof", "Message"}

// first returns the id of the first result of a list.
func first(t *testing.T, v *person, path string) string {
	t.Helper()
	var page struct{ Results []struct{ ID string } }
	if err := want(t, v.Visitor, http.StatusOK, "GET", path, nil).Decode(http.StatusOK, &page); err != nil || len(page.Results) == 0 {
		t.Fatalf("%s: %d results, %v", path, len(page.Results), err)
	}
	return page.Results[0].ID
}

// furnished makes a workspace with one of everything.
func furnished(t *testing.T, slug string) furniture {
	t.Helper()
	for _, o := range route.Objects {
		if objectNames[o] == "" {
			t.Fatalf("what kind is object %d?", o)
		}
	}
	w := relaxed(t, slug)
	f := furniture{w: w, member: made(t, w, "mia-of-"+slug, "member", "203.0.113.240"), secrets: map[string]string{}}
	me := &person{Visitor: w.Me}
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, http.StatusOK, "PATCH", security, map[string]any{"cli_login": "browser"})
	create := func(path string, fields map[string]any) string {
		t.Helper()
		return field(t, want(t, w.Me, http.StatusCreated, "POST", path, fields), "id")
	}
	f.names = map[string]string{
		"username": "mia-of-" + slug, "e-mail": w.Email(), "group": "people of " + slug, "server": "server-of-" + slug, "role": "role of " + slug, "token": "token of " + slug,
		"application": "application of " + slug, "service token": "service token of " + slug,
	}
	registration := newToken(t, w.Me, map[string]any{"name": "fleet of " + slug})
	key := tokenOf(t, w, w.Me, map[string]any{"name": f.names["token"]})
	f.ids = map[string]string{
		"Workspace": w.ID.String(), "Principal": f.member.idOf(), "Factor": w.Factors[0], "Registration": registration.id, "Token": key.id,
		"Session":   first(t, &f.member, "/api/auth/sessions/"),
		"Browser":   first(t, &f.member, "/api/auth/devices/"),
		"Event":     first(t, me, "/api/audit/activity/"),
		"Challenge": field(t, want(t, w.Me, http.StatusCreated, "POST", "/api/auth/mfa/challenges/", map[string]string{"method": "otp", "purpose": "step_up"}), "id"),
		"Decision":  decisionOf(t, refused(t, f.member.Visitor, "permission_denied", "POST", groupsPath, map[string]any{"name": "mine"})),
		"Invitation": create("/api/workspaces/users/invite/", map[string]any{
			"email": "ina@" + slug + ".example",
		}),
		"Group":  newGroup(t, w.Me, map[string]any{"name": f.names["group"]}),
		"Server": idIn(registered(t, w, registration.key, f.names["server"])),
		"Role":   create(rolesPath, map[string]any{"name": f.names["role"], "permissions": []string{"user:read"}}),
	}
	f.ids["Membership"] = join(t, w.Me, f.ids["Group"], f.member, "member")
	f.ids["RoleAssignment"] = create(assignedPath, map[string]any{"role": f.ids["Role"], "user": f.ids["Principal"]})
	f.ids["Assignment"] = create(assignPath, map[string]any{"server": f.ids["Server"], "user": f.ids["Principal"]})
	f.ids["Note"] = create(notesPath, map[string]any{"server": f.ids["Server"], "content": "of " + slug})
	f.ids["Rule"] = create(serverRules, map[string]any{"token": f.ids["Token"], "server": f.ids["Server"]})
	app := newApp(t, w.Me, f.names["application"], "user:read", "server:read")
	bot := service(t, w, w.Me, app, map[string]any{"name": f.names["service token"]})
	f.ids["Application"], f.ids["ServiceToken"] = idIn(app), bot.id
	f.ids["ApplicationRole"] = idIn(roleOf(t, w.Me, app, f.ids["Role"]))
	rules := app + "tokens/" + bot.id + "/rules/"
	want(t, w.Me, http.StatusCreated, "POST", rules, map[string]any{"kind": "server", "rules": []map[string]any{{"server": f.ids["Server"]}}})
	f.ids["ServiceRule"] = first(t, me, rules)
	f.secretsOf(t, registration.key, key.key)
	f.secrets["service token"] = bot.key
	return f
}

// secretsOf fills in the secrets of the workspace that are good now.
func (f *furniture) secretsOf(t *testing.T, registration, token string) {
	t.Helper()
	w, stranger := f.w, f.w.Entries.Visitor(f.w.Slug, "203.0.113.241")
	for _, path := range []string{forgot, "/api/auth/unlock/"} {
		want(t, stranger, http.StatusAccepted, "POST", path, map[string]string{"login": f.member.email})
	}
	line := line(t, w)
	open := open(t, w, stranger)
	var log struct{ Next string }
	if err := json.Unmarshal(want(t, w.Me, http.StatusOK, "GET", "/api/audit/activity/?page_size=1", nil).Body, &log); err != nil || log.Next == "" {
		t.Fatalf("the log has no next page: %v", err)
	}
	f.secrets = map[string]string{
		"session": w.Me.Cookie(), "API token": token, "registration token": registration, "refresh token": line.Refresh, "access token": line.Access,
		"device code": open.DeviceCode, "user code": open.UserCode, "cursor": log.Next,
		"verification": link(t, line.Visit)["token"],
		"invitation":   mailed(t, w, "ina@"+w.Slug+".example", "/invitation"),
		"reset link":   mailed(t, w, f.member.email, "/reset-password"),
		"unlock link":  mailed(t, w, f.member.email, "/unlock"),
	}
}

// at returns what of the workspace may stand at a position, by its kind.
func (f *furniture) at(p position) map[string]string {
	switch p.form {
	case identifier:
		return f.ids
	case name:
		return f.names
	case secret:
		for _, kind := range []string{"user code", "cursor"} { // wrong codes are counted by person, and no other secret may be in a query
			if p.name == strings.ReplaceAll(kind, " ", "_") {
				return map[string]string{kind: f.secrets[kind]}
			}
		}
		return f.secrets
	case plain:
	}
	return nil
}

// body returns fields that a row takes, without what stands at a position. n
// makes names that must differ.
func (f *furniture) body(p position, n int) any {
	made := fmt.Sprintf("probe-%06d", n)
	switch p.row.Method + " " + p.row.Path {
	case "POST /api/auth/mfa/challenges/":
		return map[string]any{"method": "otp", "purpose": "step_up"}
	case "POST /api/auth/invitations/accept/", "POST /api/auth/password/reset/":
		return map[string]any{"password": "a-quiet-lamp-for-them"}
	case "POST /api/auth/signin/":
		return map[string]any{"login": "mia-of-nobody", "password": "a-quiet-lamp-for-them"}
	case "POST /oauth/token/":
		grant := "urn:ietf:params:oauth:grant-type:device_code"
		if p.name == "refresh_token" {
			grant = "refresh_token"
		}
		return map[string]any{"grant_type": grant, "client_id": "paddock-cli", "scope": world.Scope(f.w.Slug, world.Device)}
	case "POST /oauth/revoke/", "POST /api/auth0/token/blacklist/":
		return map[string]any{"client_id": "paddock-cli"}
	case "POST /api/security/command-acl/":
		return map[string]any{"command": "uptime"}
	case "POST /api/security/file-acl/":
		return map[string]any{"path": "/tmp/a", "action": "upload"}
	case "POST /api/security/server-acl/", "POST /api/security/server-acl/bulk/", "POST /api/security/server-acl/bulk/delete/":
		body := map[string]any{"token": f.ids["Token"], "server": f.ids["Server"]}
		if p.row.Path != "/api/security/server-acl/" {
			body = map[string]any{"token": f.ids["Token"], "servers": []string{f.ids["Server"]}}
		}
		return body
	case "POST /api/iam/groups/":
		return map[string]any{"name": made}
	case "POST /api/iam/memberships/":
		body := map[string]any{"group": f.ids["Group"], "role": "member"}
		if p.name == "group" {
			body["user"] = f.ids["Principal"]
		}
		return body
	case "PATCH /api/iam/users/{id}/", "PATCH /api/iam/groups/{id}/", "PATCH /api/servers/servers/{id}/", "PATCH /api/servers/notes/{id}/":
		return map[string]any{}
	case "POST /api/iam/explain/":
		return map[string]any{"permission": "user:read"}
	case "POST /api/iam/roles/":
		return map[string]any{"name": made, "permissions": []string{"user:read"}}
	case "POST /api/iam/role-assignments/":
		body := map[string]any{"role": f.ids["Role"]}
		if p.name == "role" {
			body["user"] = f.ids["Principal"]
		}
		return body
	case "POST /api/servers/registration-tokens/":
		return map[string]any{"name": made}
	case "POST /api/servers/registration-methods/token-install/guide/", "POST /api/servers/registration-methods/ansible/guide/":
		return map[string]any{"platform": "debian"}
	case "POST /api/servers/assignments/":
		body := map[string]any{"server": f.ids["Server"]}
		if p.name == "server" {
			body = map[string]any{"user": f.ids["Principal"]}
		}
		return body
	case "POST /api/iam/applications/":
		return map[string]any{"name": made, "scopes": []string{"user:read"}}
	case "POST /api/iam/applications/{id}/roles/":
		return map[string]any{"role": f.ids["Role"]}
	case "POST /api/iam/applications/{id}/tokens/":
		return map[string]any{"name": made}
	case "POST /api/iam/applications/{id}/tokens/{token}/rules/":
		return map[string]any{"kind": "server", "rules": []map[string]any{{"server": f.ids["Server"]}}}
	case "POST /api/servers/notes/":
		return map[string]any{"content": "of a probe"}
	case "POST /api/access/check/":
		return map[string]any{"action": "websh", "username": "postgres"}
	}
	return map[string]any{}
}
