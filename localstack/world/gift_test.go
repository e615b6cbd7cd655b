package world_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"paddock/localstack/visitor"
	"paddock/shared/audit"
	"paddock/shared/authz"
	groups "paddock/shared/group"
	"paddock/shared/id"
	"paddock/shared/permission"
	"paddock/shared/route"
)

// TestGiftsAskForAProof hands out by each row that does: from a session in the
// console with a stale proof, from a command line's password session, which can
// hold none, and by tokens.
func TestGiftsAskForAProof(t *testing.T) {
	w := relaxed(t, "gifts")
	mia := made(t, w, "mia", "member", "203.0.113.215")
	sue := made(t, w, "sue", "superuser", "203.0.113.216")
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	var session struct{ Token string }
	if err := want(t, sue.Visitor, http.StatusOK, "POST", "/api/auth/login/", map[string]string{"username": sue.email, "password": sue.word}).Decode(http.StatusOK, &session); err != nil {
		t.Fatal(err)
	}
	line := w.Entries.Visitor(w.Slug, "203.0.113.216")
	line.Bearer = session.Token
	full := tokenOf(t, w, w.Me, map[string]any{"name": "full"})
	naming := tokenOf(t, w, w.Me, scope("naming", "registration:create", "group:owner", "membership:owner", "server:owner", "assignment:owner",
		"note:owner", "webftp:create", "editor:create", "websh:create", "command:create", "tunnel:create", "deploy_shell:create", "sudo:access"))
	server := registered(t, w, newToken(t, w.Me, map[string]any{"name": "fleet"}).key, "web-1")
	for _, of := range []apiToken{full, naming} {
		want(t, w.Me, http.StatusCreated, "POST", serverRules, map[string]any{"token": of.id, "server": idIn(server)})
	}
	group := newGroup(t, w.Me, map[string]any{"name": "web"})
	place := join(t, w.Me, group, mia, "member")
	spare := []person{made(t, w, "ann", "member", "203.0.113.217"), made(t, w, "bob", "member", "203.0.113.218")}
	shared.Clock.Advance(20 * time.Minute) // the proof is stale, the session is not

	// What each row is sent, the nth time that it is carried out.
	names := []string{"first", "second"}
	bodies := map[string]func(n int) any{
		"POST /api/iam/groups/":                  func(n int) any { return map[string]any{"name": names[n]} },
		"PATCH /api/iam/groups/{id}/":            func(n int) any { return map[string]any{"description": names[n]} },
		"PUT /api/iam/groups/{id}/config/":       func(n int) any { return map[string]any{"config": "name: web\ndescription: " + names[n] + "\n"} },
		"POST /api/iam/groups/import/":           func(n int) any { return map[string]any{"config": "name: imported-" + names[n] + "\n"} },
		"POST /api/iam/memberships/":             func(n int) any { return map[string]any{"group": group, "user": spare[n].idOf(), "role": "member"} },
		"PATCH /api/iam/memberships/{id}/":       func(n int) any { return map[string]any{"role": []string{"manager", "member"}[n]} },
		"POST /api/servers/registration-tokens/": func(n int) any { return map[string]any{"name": names[n]} },
		"POST /api/servers/assignments/":         func(n int) any { return map[string]any{"user": spare[n].idOf(), "server": idIn(server)} },
	}
	paths := map[route.Object]string{route.Group: group, route.Membership: place}
	for _, row := range route.Rows {
		if !row.Rule.Named {
			continue
		}
		body := bodies[row.Method+" "+row.Path]
		if body == nil {
			t.Fatalf("%s %s has no sample", row.Method, row.Path)
		}
		path := parameter.ReplaceAllString(row.Path, paths[row.Rule.On])
		refused(t, w.Me, "auth_mfa_required", row.Method, path, body(0))
		refusal := "token_step_up_refused"
		if row.Rule.Permission == permission.CreateRegistration {
			refusal = "token_scope_not_allowed" // full access does not hold it
		}
		refused(t, full.Visitor, refusal, row.Method, path, body(0))
		for n, v := range []*visitor.Visitor{line, naming.Visitor} {
			if a := send(t, v, row.Method, path, body(n)); a.Status >= http.StatusBadRequest {
				t.Errorf("%s %s by caller %d: %d %s", row.Method, path, n, a.Status, a.Body)
			}
		}
	}

	// Of a server, only who it is given to.
	owner := func(p person) map[string]any { return map[string]any{"owner": map[string]string{"id": p.idOf()}} }
	want(t, w.Me, http.StatusOK, "PATCH", server, map[string]any{"name": "web-2"})
	refused(t, w.Me, "auth_mfa_required", "PATCH", server, owner(mia))
	refused(t, w.Me, "auth_mfa_required", "PATCH", server, map[string]any{"managers": []map[string]string{{"id": mia.idOf()}}})
	refused(t, full.Visitor, "token_step_up_refused", "PATCH", server, owner(mia))
	want(t, naming.Visitor, http.StatusOK, "PATCH", server, owner(mia))
	want(t, line, http.StatusOK, "PATCH", server, owner(sue))
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, http.StatusOK, "PATCH", server, owner(mia))
	if n := kindsOf(t, w)[audit.ServerUpdated]; n != 4 {
		t.Errorf("%d changes of the server, want 4", n)
	}
	settled(t, w)
}

// TestATokenGivesNobodyAPassword makes accounts by tokens that may: without a
// password of their holder's choice (security, TK-1).
func TestATokenGivesNobodyAPassword(t *testing.T) {
	w := relaxed(t, "token-password")
	for name, fields := range map[string]map[string]any{"full": {"name": "full"}, "precise": scope("precise", "user:write")} {
		token := tokenOf(t, w, w.Me, fields)
		body := map[string]any{"username": name, "email": name + "@people.example", "password": "a-quiet-lamp-for-them"}
		if a := refused(t, token.Visitor, "token_not_allowed", "POST", "/api/iam/users/", body); a.Problem().Source != "password" {
			t.Errorf("%s: %s", name, a.Body)
		}
		delete(body, "password")
		want(t, token.Visitor, http.StatusCreated, "POST", "/api/iam/users/", body)
	}
	if n := kindsOf(t, w)[audit.AccessDenied]; n != 2 {
		t.Errorf("%d events of refusals, want 2", n)
	}
	want(t, w.Me, http.StatusCreated, "POST", "/api/iam/users/", map[string]any{"username": "by-hand", "email": "hand@people.example", "password": "a-quiet-lamp-for-them"})
	settled(t, w)
}

// TestMembersAreCounted joins, changes, ends and leaves, and compares what a group
// says with who is in it: without reading them all.
func TestMembersAreCounted(t *testing.T) {
	w := relaxed(t, "group-count")
	group := newGroup(t, w.Me, map[string]any{"name": "counted"})
	people := []person{made(t, w, "ann", "member", "203.0.113.221"), made(t, w, "bob", "member", "203.0.113.222"), made(t, w, "cid", "member", "203.0.113.223")}
	counts := func(n int) {
		t.Helper()
		var said struct {
			Members int `json:"num_members"`
		}
		if err := want(t, w.Me, http.StatusOK, "GET", groupsPath+group+"/", nil).Decode(http.StatusOK, &said); err != nil {
			t.Fatal(err)
		}
		if listed := paged(t, w.Me, membersPath+"?page=1&group="+group, "id"); said.Members != n || len(listed) != n {
			t.Errorf("the group says %d, lists %d, want %d", said.Members, len(listed), n)
		}
	}
	counts(0)
	end := shared.Clock.Now().Add(5 * time.Minute).Truncate(time.Second)
	add := func(p person, until any) string {
		t.Helper()
		return field(t, want(t, w.Me, http.StatusCreated, "POST", membersPath, map[string]any{"group": group, "user": p.idOf(), "role": "member", "expires_at": until}), "id")
	}
	place := join(t, w.Me, group, people[0], "member")
	add(people[1], end)
	other := newGroup(t, w.Me, map[string]any{"name": "other"})
	brief := field(t, want(t, w.Me, http.StatusCreated, "POST", membersPath, map[string]any{"group": other, "user": people[1].idOf(), "role": "owner", "expires_at": end}), "id")
	third := add(people[2], end)
	counts(3)
	refused(t, w.Me, "already_member", "POST", membersPath, map[string]any{"group": group, "user": people[1].idOf(), "role": "member"})
	want(t, w.Me, http.StatusOK, "PATCH", groupsPath+group+"/", map[string]any{"description": "of three"})
	want(t, w.Me, http.StatusOK, "PATCH", membersPath+third+"/", map[string]any{"expires_at": end.Add(time.Minute)})
	want(t, w.Me, http.StatusOK, "PATCH", membersPath+place+"/", map[string]any{"role": "manager"})
	counts(3)
	shared.Clock.Set(end)
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	counts(2)
	add(people[1], end.Add(10*time.Minute)) // again, in the place of one that ended
	counts(3)
	// With that change their places that had ended are collected, and told.
	told := 0
	events, err := w.Events(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Kind == audit.GroupMemberRemoved && slices.ContainsFunc(e.Fields, func(f audit.Field) bool { return f.Name() == "cause" && f.Text() == "expired" }) {
			told++
		}
	}
	store, err := shared.Store()
	if err != nil {
		t.Fatal(err)
	}
	of, err := id.Parse[id.Membership](brief)
	if err != nil {
		t.Fatal(err)
	}
	if _, there, err := store.One(t.Context(), authz.ForTask(w.ID, "test"), groups.PlaceKey(w.ID, of)); told != 2 || there || err != nil {
		t.Errorf("%d ends are told, one is still stored: %v, %v", told, there, err)
	}
	want(t, w.Me, http.StatusOK, "PATCH", membersPath+third+"/", map[string]any{"expires_at": ""})
	counts(3)
	want(t, w.Me, http.StatusNoContent, "DELETE", membersPath+third+"/", nil)
	counts(2)
	want(t, w.Me, http.StatusNoContent, "DELETE", people[0].path, nil)
	counts(1)
	settled(t, w)
}
