package world_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/policy"
	"paddock/shared/table"
)

const appsPath = "/api/iam/applications/"

// app makes an application with these scopes and returns its path.
func newApp(t *testing.T, v *visitor.Visitor, name string, scopes ...string) string {
	t.Helper()
	return appsPath + field(t, want(t, v, http.StatusCreated, "POST", appsPath, scope(name, scopes...)), "id") + "/"
}

// newRole makes a custom role and returns its id.
func newRole(t *testing.T, v *visitor.Visitor, name string, permissions ...string) string {
	t.Helper()
	return field(t, want(t, v, http.StatusCreated, "POST", rolesPath, map[string]any{"name": name, "permissions": permissions}), "id")
}

// roleOf gives an application a role and returns the path of the assignment.
func roleOf(t *testing.T, v *visitor.Visitor, app, role string) string {
	t.Helper()
	return app + "roles/" + field(t, want(t, v, http.StatusCreated, "POST", app+"roles/", map[string]any{"role": role}), "id") + "/"
}

// service makes a token of an application.
func service(t *testing.T, w *world.Walk, v *visitor.Visitor, app string, fields map[string]any) apiToken {
	t.Helper()
	a := want(t, v, http.StatusCreated, "POST", app+"tokens/", fields)
	return clientOf(w, field(t, a, "id"), field(t, a, "key"))
}

func called(name string) map[string]any { return map[string]any{"name": name} }

// TestApplications goes through the life of an application: what it is made of,
// who sees and changes it, and that it leaves nothing behind.
func TestApplications(t *testing.T) {
	w := relaxed(t, "apps")
	sam := prover(t, w, "sam", "staff", "203.0.113.220")
	mia, max := prover(t, w, "mia", "member", "203.0.113.221"), made(t, w, "max", "member", "203.0.113.222")

	for code, bodies := range map[string][]map[string]any{
		"invalid_scope": {
			{"name": "x"},
			{"name": "x", "scopes": []string{}},
			scope("x", "user"), scope("x", "user:*"), scope("x", "account:own"), scope("x", "user:create"),
			scope("x", "billing:read"), scope("x", "billing:update"), scope("x", "application:create"), scope("x", "application:update"), scope("x", "service_token:create"),
			scope("x", "service_token:update"), scope("x", "registration:create"), scope("x", "role:create"), scope("x", "workspace:delete"), scope("x", "user:read", "billing:read"),
		},
		"invalid_value": {scope("", "*"), scope(" x", "*"), scope("a\x00b", "*"), scope(strings.Repeat("x", 101), "*"), {"name": "x", "scopes": nil}, {"name": "x", "scopes": []string{"*"}, "description": strings.Repeat("x", 1001)}},
		"unknown_field": {{"name": "x", "scopes": []string{"*"}, "enabled": false}, {"name": "x", "scopes": []string{"*"}, "owner": mia.idOf()}},
	} {
		for _, body := range bodies {
			refused(t, sam.Visitor, code, "POST", appsPath, body)
		}
	}
	refused(t, mia.Visitor, "permission_denied", "POST", appsPath, scope("hers", "*"))
	app := newApp(t, sam.Visitor, "deploys", "user:read", "group:write", "user:read")
	refused(t, sam.Visitor, "application_name_in_use", "POST", appsPath, scope("deploys", "*"))
	other := newApp(t, w.Me, "zebra", "*")
	if a := want(t, sam.Visitor, http.StatusOK, "GET", app, nil); !strings.Contains(string(a.Body), `"scopes":["group:write","user:read"]`) || !strings.Contains(string(a.Body), sam.email) ||
		!strings.Contains(string(a.Body), `"enabled":true`) {
		t.Errorf("it is shown as %s", a.Body)
	}

	// Who reads all applications, owns or manages one sees it; to others it is what
	// never was.
	for v, names := range map[*visitor.Visitor][]string{sam.Visitor: {"deploys", "zebra"}, w.Me: {"deploys", "zebra"}, mia.Visitor: {}} {
		if got := paged(t, v, appsPath, "name"); !slices.Equal(got, names) {
			t.Errorf("somebody sees %v, want %v", got, names)
		}
	}
	if got := paged(t, sam.Visitor, appsPath+"?name=deploys", "name"); !slices.Equal(got, []string{"deploys"}) {
		t.Errorf("named deploys: %v", got)
	}
	for _, ask := range []string{"GET ", "PATCH ", "DELETE ", "GET roles/", "POST roles/", "GET tokens/", "POST tokens/", "PATCH tokens/" + nobody + "/", "GET tokens/" + nobody + "/rules/"} {
		method, path, _ := strings.Cut(ask, " ")
		unknown(t, mia.Visitor, method, app+path, map[string]any{})
	}
	want(t, sam.Visitor, http.StatusOK, "PATCH", app, map[string]any{"managers": []string{mia.idOf(), mia.idOf()}})
	if a := want(t, mia.Visitor, http.StatusOK, "GET", app, nil); !strings.Contains(string(a.Body), `"allowed":["application:update","service_token:read","service_token:create","service_token:update","service_token:delete"]`) {
		t.Errorf("a manager sees %s", a.Body)
	}
	if got := paged(t, mia.Visitor, appsPath, "name"); !slices.Equal(got, []string{"deploys"}) {
		t.Errorf("a manager sees %v", got)
	}
	want(t, mia.Visitor, http.StatusOK, "PATCH", app, map[string]any{"description": "Ships it.", "name": "ships"})
	refused(t, mia.Visitor, "permission_denied", "DELETE", app, nil)
	refused(t, mia.Visitor, "grant_ceiling", "PATCH", app, map[string]any{"owner": mia.idOf()})
	want(t, mia.Visitor, http.StatusOK, "PATCH", app, map[string]any{"managers": []string{mia.idOf(), max.idOf()}}) // what she is, she may make others

	refused(t, sam.Visitor, "application_name_in_use", "PATCH", app, called("zebra"))
	for fieldName, bad := range map[string]any{"name": "", "owner": nobody, "managers": []string{nobody}, "scopes": nil} {
		refused(t, sam.Visitor, "invalid_value", "PATCH", app, map[string]any{fieldName: bad})
	}
	refused(t, sam.Visitor, "invalid_scope", "PATCH", app, map[string]any{"scopes": []string{}})
	refused(t, sam.Visitor, "invalid_scope", "PATCH", app, map[string]any{"scopes": []string{"service_token:create"}})
	var many []string
	for i := range 21 {
		many = append(many, id.UUID{6: 0x70, 8: 0x80, 15: byte(i + 1)}.String())
	}
	refused(t, sam.Visitor, "limit_reached", "PATCH", app, map[string]any{"managers": many})
	refused(t, sam.Visitor, "unknown_field", "PATCH", app, map[string]any{"id": nobody})

	// Given away; who owns one is not deleted.
	want(t, sam.Visitor, http.StatusOK, "PATCH", app, map[string]any{"owner": mia.idOf(), "managers": []string{}})
	unknown(t, max.Visitor, "GET", app, nil)
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	refused(t, w.Me, "user_owns_objects", "DELETE", mia.path, nil)
	want(t, w.Me, http.StatusOK, "PATCH", max.path, map[string]any{"is_active": false})
	refused(t, sam.Visitor, "invalid_value", "PATCH", app, map[string]any{"owner": max.idOf()})

	// A new name hands out what an older pattern gives on it.
	role := field(t, want(t, w.Me, http.StatusCreated, "POST", rolesPath, map[string]any{"name": "prod", "permissions": []string{"application:delete"}, "scope": map[string]any{"patterns": []string{"prod-*"}}}), "id")
	want(t, w.Me, http.StatusCreated, "POST", assignedPath, map[string]any{"role": role, "user": sam.idOf()})
	want(t, mia.Visitor, http.StatusOK, "PATCH", app, called("prod-1")) // its owner holds that
	want(t, sam.Visitor, http.StatusOK, "PATCH", app, map[string]any{"managers": []string{sam.idOf()}})

	bot := service(t, w, mia.Visitor, app, called("ci"))
	want(t, mia.Visitor, http.StatusCreated, "POST", app+"tokens/"+bot.id+"/rules/", map[string]any{"kind": "command", "rules": []map[string]string{{"command": "uptime"}}})
	given := roleOf(t, w.Me, app, newRole(t, w.Me, "reader", "user:read"))
	want(t, bot.Visitor, http.StatusOK, "GET", max.path, nil)
	want(t, mia.Visitor, http.StatusNoContent, "DELETE", app, nil)
	refused(t, bot.Visitor, "session_invalid", "GET", "/api/status/", nil)
	unknown(t, sam.Visitor, "GET", app, nil)
	unknown(t, w.Me, "DELETE", given, nil)
	want(t, w.Me, http.StatusNoContent, "DELETE", mia.path, nil)
	want(t, w.Me, http.StatusNoContent, "DELETE", other, nil)
	for shape, records := range stored(t, w.ID) {
		if strings.HasPrefix(shape, "data X#") || strings.Contains(shape, "R#workspace#* / holder") && len(records) != 1 {
			t.Errorf("%d left of %s", len(records), shape)
		}
	}
	got := kindsOf(t, w)
	for kind, n := range map[audit.Kind]int{
		audit.ApplicationCreated: 2, audit.ApplicationUpdated: 6, audit.ApplicationDeleted: 2, audit.ServiceTokenIssued: 1, audit.ServiceTokenRevoked: 1,
		audit.RoleUnassigned: 1, audit.ACLAdded: 1,
	} {
		if got[kind] != n {
			t.Errorf("%d times %s, want %d", got[kind], kind, n)
		}
	}
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
	settled(t, w)
}

// TestAnApplicationGetsWhatItsGiverHolds holds the ceiling of roles, of scopes and
// of tokens (decision 15; security, TK-1, RB-4).
func TestAnApplicationGetsWhatItsGiverHolds(t *testing.T) {
	w := relaxed(t, "app-ceiling")
	sam, mia := prover(t, w, "sam", "staff", "203.0.113.223"), prover(t, w, "mia", "member", "203.0.113.224")
	sue := prover(t, w, "sue", "superuser", "203.0.113.225")
	reader, payer := newRole(t, sue.Visitor, "reader", "user:read", "group:read"), newRole(t, sue.Visitor, "payer", "billing:read")
	app := newApp(t, sam.Visitor, "app", "user:read")
	want(t, sam.Visitor, http.StatusOK, "PATCH", app, map[string]any{"managers": []string{mia.idOf()}})

	give := func(role string) map[string]any { return map[string]any{"role": role} }
	first := service(t, w, mia.Visitor, app, called("by a manager of nothing"))
	refused(t, mia.Visitor, "grant_ceiling", "POST", app+"roles/", give(reader))
	refused(t, sam.Visitor, "grant_ceiling", "POST", app+"roles/", give(payer))
	refused(t, sam.Visitor, "permission_denied", "POST", assignedPath, map[string]any{"role": reader, "application": idIn(app)})
	refused(t, sam.Visitor, "invalid_value", "POST", app+"roles/", give(nobody))
	place := roleOf(t, sam.Visitor, app, reader)
	refused(t, sam.Visitor, "already_assigned", "POST", app+"roles/", give(reader))
	if all := want(t, mia.Visitor, http.StatusOK, "GET", app+"roles/", nil); !strings.Contains(string(all.Body), `"role_name":"reader"`) || !strings.Contains(string(all.Body), `"application":{"id":"`+idIn(app)+`","name":"app"}`) {
		t.Errorf("its roles are %s", all.Body)
	}
	for _, path := range []string{assignedPath + "?role=" + reader, assignedPath + "?application=" + idIn(app)} {
		if all := want(t, sam.Visitor, http.StatusOK, "GET", path, nil); !strings.Contains(string(all.Body), idIn(place)) || !strings.Contains(string(all.Body), `"user":null`) {
			t.Errorf("%s: %s", path, all.Body)
		}
	}

	// A manager who may less than the application touches its tokens no more, but
	// ends them.
	before := want(t, first.Visitor, http.StatusOK, "GET", sam.path, nil)
	if before.Status != http.StatusOK {
		t.Error("the role gives nothing")
	}
	tokens := app + "tokens/"
	refused(t, mia.Visitor, "permission_denied", "POST", tokens, called("more"))
	refused(t, mia.Visitor, "permission_denied", "PATCH", tokens+first.id+"/", called("more"))
	refused(t, mia.Visitor, "permission_denied", "POST", tokens+first.id+"/rules/", map[string]any{"kind": "server", "rules": []map[string]string{{"server": nobody}}})
	refused(t, mia.Visitor, "grant_ceiling", "PATCH", app, map[string]any{"scopes": []string{"user:read", "group:read"}})
	want(t, mia.Visitor, http.StatusOK, "PATCH", app, map[string]any{"description": "hers to describe"})
	want(t, mia.Visitor, http.StatusNoContent, "DELETE", tokens+first.id+"/", nil)

	// What a superuser gives it beyond its owner, its owner does not hand on.
	want(t, sam.Visitor, http.StatusOK, "PATCH", app, map[string]any{"scopes": []string{"user:read", "group:read"}})
	paid := field(t, want(t, sue.Visitor, http.StatusCreated, "POST", assignedPath, map[string]any{"role": payer, "application": idIn(app)}), "id")
	refused(t, sam.Visitor, "permission_denied", "POST", tokens, called("more"))
	refused(t, sam.Visitor, "grant_ceiling", "PATCH", app, map[string]any{"scopes": []string{"*"}})
	want(t, sue.Visitor, http.StatusCreated, "POST", tokens, called("hers"))
	want(t, sue.Visitor, http.StatusNoContent, "DELETE", assignedPath+paid+"/", nil)
	want(t, sam.Visitor, http.StatusOK, "PATCH", app, map[string]any{"scopes": []string{"*"}}) // it may no more than its owner again
	want(t, sam.Visitor, http.StatusNoContent, "DELETE", place, nil)                           // taking away has no ceiling
	refused(t, sam.Visitor, "not_found", "DELETE", place, nil)

	// Not for longer than the giver has it.
	max := prover(t, w, "max", "member", "203.0.113.226")
	end := shared.Clock.Now().Add(10 * time.Minute).Truncate(time.Second)
	want(t, sue.Visitor, http.StatusCreated, "POST", assignedPath, map[string]any{"role": reader, "user": max.idOf(), "expires_at": end})
	theirs := newApp(t, sam.Visitor, "theirs", "*")
	want(t, sam.Visitor, http.StatusOK, "PATCH", theirs, map[string]any{"owner": max.idOf()})
	refused(t, max.Visitor, "grant_ceiling", "POST", theirs+"roles/", give(reader))
	want(t, max.Visitor, http.StatusCreated, "POST", theirs+"roles/", map[string]any{"role": reader, "expires_at": end})
	bot := service(t, w, max.Visitor, theirs, called("bot"))
	shared.Clock.Set(end.Add(-time.Nanosecond))
	want(t, bot.Visitor, http.StatusOK, "GET", sam.path, nil)
	shared.Clock.Set(end)
	want(t, bot.Visitor, http.StatusNotFound, "GET", sam.path, nil)

	// Changes that give, and making tokens, ask for a fresh proof.
	shared.Clock.Advance(20 * time.Minute)
	for _, ask := range []struct {
		method, path string
		body         any
	}{
		{"PATCH", theirs, map[string]any{"scopes": []string{"user:read"}}},
		{"PATCH", theirs, map[string]any{"owner": max.idOf()}},
		{"PATCH", theirs, map[string]any{"managers": []string{}}},
		{"PATCH", theirs, map[string]any{"enabled": true}},
		{"POST", theirs + "roles/", give(reader)},
		{"POST", theirs + "tokens/", called("late")},
		{"POST", theirs + "tokens/" + bot.id + "/rules/", map[string]any{}},
		{"PATCH", theirs + "tokens/" + bot.id + "/", map[string]any{"enabled": true}},
		{"DELETE", theirs, nil},
	} {
		refused(t, max.Visitor, "auth_mfa_required", ask.method, ask.path, ask.body)
	}
	want(t, max.Visitor, http.StatusOK, "PATCH", theirs+"tokens/"+bot.id+"/", map[string]any{"enabled": false})
	want(t, max.Visitor, http.StatusNoContent, "DELETE", theirs+"tokens/"+bot.id+"/", nil)
	want(t, max.Visitor, http.StatusOK, "PATCH", theirs, map[string]any{"enabled": false})
	settled(t, w)
}

// TestAWorkspaceHasSoManyApplications fills it up.
func TestAWorkspaceHasSoManyApplications(t *testing.T) {
	w := relaxed(t, "app-many")
	store, err := shared.Store()
	if err != nil {
		t.Fatal(err)
	}
	policies, err := policy.New(store)
	if err != nil {
		t.Fatal(err)
	}
	by := authz.ForTask(w.ID, "test")
	err = policies.Change(t.Context(), by, func(e *policy.Edit) (table.Change, error) {
		for i := range policy.MaxApplications - 1 {
			e.PutApplication(authz.Application{ID: id.UUID{0: 1, 6: 0x70, 8: 0x80, 14: byte(i / 256), 15: byte(i % 256)}, Name: fmt.Sprintf("app-%d", i)})
		}
		return table.Change{Events: []audit.Event{by.Event(audit.ApplicationCreated, shared.Clock.Now()).WithDescription("Applications for a test.")}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	newApp(t, w.Me, "the last", "*")
	refused(t, w.Me, "limit_reached", "POST", appsPath, scope("one more", "*"))
	for i := range 20 {
		want(t, w.Me, http.StatusCreated, "POST", appsPath+idOfNamed(t, w.Me, "the last")+"/tokens/", called(fmt.Sprint(i)))
	}
	refused(t, w.Me, "limit_reached", "POST", appsPath+idOfNamed(t, w.Me, "the last")+"/tokens/", called("one more"))
	// With twenty tokens it still goes at once.
	want(t, w.Me, http.StatusNoContent, "DELETE", appsPath+idOfNamed(t, w.Me, "the last")+"/", nil)
}

func idOfNamed(t *testing.T, v *visitor.Visitor, name string) string {
	t.Helper()
	return paged(t, v, appsPath+"?name="+strings.ReplaceAll(name, " ", "%20"), "id")[0]
}

// TestApplicationsAreChangedAtOnce lets changes of one application meet: one name
// is one application's, and a token is never of an application that is gone.
func TestApplicationsAreChangedAtOnce(t *testing.T) {
	w := relaxed(t, "app-race")
	sue := prover(t, w, "sue", "superuser", "203.0.113.227")
	won := atOnceEach(t, 4, func(int) int {
		a, err := sue.WithCookie(sue.Cookie()).Do(t.Context(), "POST", appsPath, scope("same", "*"))
		if err != nil {
			t.Error(err)
		}
		return a.Status
	})
	if made := paged(t, sue.Visitor, appsPath, "name"); len(made) != 1 {
		t.Errorf("%v made %v", won, made)
	}
	app := appsPath + idOfNamed(t, sue.Visitor, "same") + "/"
	for range 3 {
		codes := atOnceEach(t, 5, func(i int) int {
			v, ask := sue.WithCookie(sue.Cookie()), []any{"POST", app + "tokens/", called(fmt.Sprint(i))}
			if i == 0 {
				ask = []any{"DELETE", app, nil}
			}
			a, err := v.Do(t.Context(), ask[0].(string), ask[1].(string), ask[2])
			if err != nil {
				t.Error(err)
			}
			return a.Status
		})
		left, deleted := stored(t, w.ID), slices.Contains(codes[:1], http.StatusNoContent)
		if deleted {
			for shape, records := range left {
				if strings.HasPrefix(shape, "data X#") {
					t.Errorf("%v: %d left of %s", codes, len(records), shape)
				}
			}
			app = newApp(t, sue.Visitor, "same", "*")
		}
	}
	settled(t, w)
}

// atOnceEach calls something n times at once and returns what each returned.
func atOnceEach(t *testing.T, n int, do func(i int) int) []int {
	t.Helper()
	out := make([]int, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { out[i] = do(i) })
	}
	wg.Wait()
	return out
}
