package world_test

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"paddock/localstack/visitor"
	"paddock/shared/activity"
	"paddock/shared/audit"
)

var decisionID = regexp.MustCompile(`"decision_id":"[^"]*"`)

// triedAlike holds that a dry run is refused as the change is.
func triedAlike(t *testing.T, v *visitor.Visitor, code, method, path string, body any) {
	t.Helper()
	made := refused(t, v, code, method, path, body)
	dry := refused(t, v, code, method, path+"?dry_run=true", body)
	mask := func(a visitor.Answer) string { return decisionID.ReplaceAllString(masked(a), "") }
	if mask(made) != mask(dry) || !reflect.DeepEqual(slices.Sorted(maps.Keys(made.Header)), slices.Sorted(maps.Keys(dry.Header))) {
		t.Errorf("%s %s is refused with\n%s\nand tried with\n%s", method, path, mask(made), mask(dry))
	}
}

// TestDryRunsAreRefusedLikeChanges holds refusals of dry runs to those of the
// changes, and what is not meant as one is not taken for one.
func TestDryRunsAreRefusedLikeChanges(t *testing.T) {
	w := relaxed(t, "dry-refused")
	sam, mia := prover(t, w, "sam", "staff", "203.0.113.66"), made(t, w, "mia", "member", "203.0.113.67")
	server := registered(t, w, newToken(t, w.Me, map[string]any{"name": "fleet"}).key, "web-1")
	group := newGroup(t, w.Me, map[string]any{"name": "people", "server_patterns": []string{"*"}})
	path := groupsPath + group + "/"
	role := field(t, want(t, w.Me, http.StatusCreated, "POST", rolesPath, map[string]any{"name": "biller", "permissions": []string{"billing:read"}}), "id")
	want(t, w.Me, http.StatusCreated, "POST", assignedPath, map[string]any{"role": role, "group": group})
	me := w.Me

	triedAlike(t, me, "group_name_in_use", "POST", groupsPath, map[string]any{"name": "people"})
	triedAlike(t, me, "invalid_pattern", "PATCH", path, map[string]any{"server_patterns": []string{"a\nb"}})
	triedAlike(t, me, "invalid_value", "PATCH", path, map[string]any{"servers": []map[string]string{{"id": nobody}}})
	triedAlike(t, me, "invalid_config", "PUT", path+"config/", map[string]any{"config": "nam: x"})
	triedAlike(t, me, "unknown_field", "PUT", path+"config/", map[string]any{"conf": "nam: x"})
	triedAlike(t, me, "role_name_in_use", "POST", rolesPath, map[string]any{"name": "biller", "permissions": []string{"audit:read"}})
	triedAlike(t, me, "permission_reserved", "PATCH", rolesPath+role+"/", map[string]any{"permissions": []string{"user:promote"}})
	triedAlike(t, me, "already_assigned", "POST", assignedPath, map[string]any{"role": role, "group": group})
	triedAlike(t, me, "server_name_in_use", "PATCH", serversPath+idIn(registered(t, w, newToken(t, me, map[string]any{"name": "more"}).key, "web-2"))+"/", map[string]any{"name": "web-1"})
	triedAlike(t, me, "invalid_value", "POST", assignPath, map[string]any{"user": nobody, "server": idIn(server)})
	triedAlike(t, sam.Visitor, "grant_ceiling", "POST", membersPath, map[string]any{"group": group, "user": mia.idOf(), "role": "member"})
	triedAlike(t, sam.Visitor, "permission_denied", "PATCH", rolesPath+role+"/", map[string]any{"name": "x"})
	triedAlike(t, mia.Visitor, "permission_denied", "POST", groupsPath, map[string]any{"name": "mine"})
	for _, v := range []*visitor.Visitor{me, mia.Visitor} { // what is not there, or not theirs
		for _, foreign := range []string{nobody, group, idIn(server), role} {
			for _, row := range []struct{ method, path string }{
				{"PATCH", groupsPath},
				{"DELETE", groupsPath},
				{"PATCH", membersPath},
				{"DELETE", membersPath},
				{"PATCH", rolesPath},
				{"DELETE", rolesPath},
				{"DELETE", assignedPath},
				{"PATCH", serversPath},
				{"DELETE", assignPath},
			} {
				if v == me && foreign != nobody && (row.path == groupsPath || row.path == rolesPath || row.path == serversPath) {
					continue // there it is
				}
				code := "not_found"
				if v != me && row.path == assignPath {
					code = "permission_denied"
				}
				triedAlike(t, v, code, row.method, row.path+foreign+"/", map[string]any{})
			}
		}
	}
	stranger := w.Entries.Visitor(w.Slug, "203.0.113.68")
	triedAlike(t, stranger, "authentication_required", "PATCH", path, map[string]any{"name": "x"})

	// A session that can give no proof can make no such change, and tries none.
	boss := made(t, w, "boss", "superuser", "203.0.113.69")
	line := w.Entries.Visitor(w.Slug, "203.0.113.69")
	line.Bearer = field(t, want(t, line, http.StatusOK, "POST", "/api/auth/login/", map[string]string{"username": boss.email, "password": boss.word}), "token")
	triedAlike(t, line, "mfa_session_required", "DELETE", rolesPath+role+"/", nil)
	tried(t, w, line, "PATCH", path, map[string]any{"name": "x"})

	// It is true or false, once; elsewhere it is not offered.
	for _, query := range []string{"dry_run=1", "dry_run=", "dry_run=True", "dry_run=true&dry_run=true", "dry_run=true&dry_run=false", "dry_run=true;x", "x=%zz"} {
		if a := refused(t, me, "invalid_value", "PATCH", path+"?"+query, map[string]any{"name": "changed"}); a.Problem().Source != "dry_run" {
			t.Errorf("%s is refused at %q", query, a.Problem().Source)
		}
	}
	for _, row := range []struct{ method, path string }{{"PATCH", mia.path}, {"DELETE", serversPath + idIn(server) + "/"}, {"POST", groupsPath + "import/"}} {
		for _, value := range []string{"true", "false"} {
			refused(t, me, "dry_run_not_offered", row.method, row.path+"?dry_run="+value, nil)
		}
	}
	if name := field(t, want(t, me, http.StatusOK, "GET", path, nil), "name"); name != "people" {
		t.Errorf("the group is called %q", name)
	}
	want(t, me, http.StatusOK, "PATCH", path+"?dry_run=false", map[string]any{"name": "changed"})
	if name := field(t, want(t, me, http.StatusOK, "GET", path, nil), "name"); name != "changed" {
		t.Errorf("the group is called %q", name)
	}

	// A key keeps nothing of a dry run: the change under it is made afterwards.
	keyed := map[string]any{"name": "keyed"}
	me.Key = "the first"
	tried(t, w, me, "POST", groupsPath, keyed)
	want(t, me, http.StatusCreated, "POST", groupsPath, keyed)
	me.Key = ""
	refused(t, me, "group_name_in_use", "POST", groupsPath, keyed)

	// Nothing changes: no proof is asked for of who could give one.
	shared.Clock.Advance(20 * time.Minute)
	refused(t, me, "auth_mfa_required", "DELETE", rolesPath+role+"/", nil)
	if i := tried(t, w, me, "DELETE", rolesPath+role+"/", nil); i.Count != 0 {
		t.Errorf("a role of an empty group goes, and %v", i)
	}
	if e := kindsOf(t, w); e[audit.RoleDeleted]+e[audit.GroupDeleted] > 0 {
		t.Errorf("something was deleted: %v", e)
	}
	settled(t, w)
}

// TestDryRunsTellNoMoreThanTheChange holds what people learn who may not read
// the policy: of those whom they see, what the change itself gives and takes.
func TestDryRunsTellNoMoreThanTheChange(t *testing.T) {
	w := relaxed(t, "dry-sight")
	olga, mia, max := prover(t, w, "olga", "member", "203.0.113.71"), made(t, w, "mia", "member", "203.0.113.72"), made(t, w, "max", "member", "203.0.113.73")
	key := newToken(t, w.Me, map[string]any{"name": "fleet"}).key
	web1 := registered(t, w, key, "web-1")
	registered(t, w, key, "web-2")
	group := newGroup(t, w.Me, map[string]any{"name": "web", "server_patterns": []string{"web-*"}})
	other := newGroup(t, w.Me, map[string]any{"name": "others", "server_patterns": []string{"front-*"}})
	join(t, w.Me, group, olga, "owner")
	join(t, w.Me, group, mia, "member")
	join(t, w.Me, other, max, "member")
	// What mia has besides is hers, and the workspace's staff's, to know.
	want(t, w.Me, http.StatusCreated, "POST", assignPath, map[string]any{"user": mia.idOf(), "pattern": "*"})
	path := groupsPath + group + "/"

	narrower := map[string]any{"server_patterns": []string{"web-1"}}
	off := made(t, w, "off", "member", "203.0.113.74")
	join(t, w.Me, group, off, "member")
	want(t, w.Me, http.StatusOK, "PATCH", off.path, map[string]any{"is_active": false}) // nor who is disabled
	for who, n := range map[*visitor.Visitor]int{olga.Visitor: 3, w.Me: 1} {
		got := tried(t, w, who, "PATCH", path, narrower)
		if got.Count != n || len(got.People) != n || !got.Complete {
			t.Errorf("%d of %d people lose, complete: %t; want %d", len(got.People), got.Count, got.Complete, n)
		}
		for _, p := range got.People {
			if len(p.Lost.Servers) != 1 || p.Lost.Servers[0].Name != "web-2" || len(p.Gained.Servers)+len(p.Gained.Others) > 0 {
				t.Errorf("%s: %+v", p.User.Email, p)
			}
		}
	}
	refused(t, mia.Visitor, "permission_denied", "PATCH", path+"?dry_run=true", narrower)
	refused(t, max.Visitor, "not_found", "PATCH", path+"?dry_run=true", narrower)

	// The owner of a server: whom its name opens it to, of those they see; a group of
	// others by nothing at all.
	want(t, w.Me, http.StatusOK, "PATCH", web1, map[string]any{"owner": map[string]string{"id": olga.idOf()}})
	given := tried(t, w, olga.Visitor, "POST", assignPath, map[string]any{"group": other, "server": idIn(web1)})
	if given.Count != 0 || given.Complete {
		t.Errorf("the members of another group: %+v", given)
	}
	if all := tried(t, w, w.Me, "POST", assignPath, map[string]any{"group": other, "server": idIn(web1)}); all.Count != 1 || all.People[0].User.ID != max.idOf() {
		t.Errorf("a superuser is told %+v", all)
	}
	one := tried(t, w, olga.Visitor, "POST", assignPath, map[string]any{"user": mia.idOf(), "server": idIn(web1)})
	if one.Count != 1 || one.People[0].User.ID != mia.idOf() || len(one.People[0].Gained.Servers) != 1 {
		t.Errorf("an assignment, whatever they have besides: %+v", one)
	}
	if all := tried(t, w, w.Me, "POST", assignPath, map[string]any{"user": mia.idOf(), "server": idIn(web1)}); all.Count != 0 || !all.Complete {
		t.Errorf("a superuser is told %+v", all)
	}
	renamed := tried(t, w, olga.Visitor, "PATCH", web1, map[string]any{"name": "front-1"})
	if renamed.Complete || len(renamed.lines()) == 0 || strings.Contains(fmt.Sprint(renamed.lines()), max.idOf()) {
		t.Errorf("a server goes from one pattern to another: %+v", renamed)
	}

	// Who reads the policy and not the people is told numbers.
	role := field(t, want(t, w.Me, http.StatusCreated, "POST", rolesPath, map[string]any{"name": "planner", "permissions": []string{"policy:read", "group:update"}}), "id")
	want(t, w.Me, http.StatusCreated, "POST", assignedPath, map[string]any{"role": role, "user": max.idOf()})
	if got := tried(t, w, max.Visitor, "PATCH", path, narrower); got.Count != 1 || len(got.People) != 0 || !got.Complete {
		t.Errorf("a planner is told %+v", got)
	}
	want(t, olga.Visitor, http.StatusOK, "PATCH", path, narrower)
	settled(t, w)
}

// TestATokenBeginsWithADryRun uses a token for the first time to look at a change.
func TestATokenBeginsWithADryRun(t *testing.T) {
	w := relaxed(t, "dry-token")
	path := groupsPath + newGroup(t, w.Me, map[string]any{"name": "people"}) + "/"
	key := tokenOf(t, w, w.Me, map[string]any{"name": "looks", "scopes": []string{"group:read", "group:update"}})
	want(t, clientOf(w, key.id, key.key).Visitor, http.StatusOK, "PATCH", path+"?dry_run=true", map[string]any{"name": "changed"})
	if got := kindsOf(t, w); got[audit.TokenFirstUsed] != 1 {
		t.Errorf("%d events of a first use", got[audit.TokenFirstUsed])
	}
}

// TestDryRunsAreCounted holds dry runs to the budget of questions.
func TestDryRunsAreCounted(t *testing.T) {
	w := relaxed(t, "dry-budget")
	path := groupsPath + newGroup(t, w.Me, map[string]any{"name": "people"}) + "/?dry_run=true"
	for range activity.Questions {
		want(t, w.Me, http.StatusOK, "PATCH", path, map[string]any{})
	}
	refused(t, w.Me, "too_many_questions", "PATCH", path, map[string]any{})
	shared.Clock.Advance(activity.QuestionWindow)
	want(t, w.Me, http.StatusOK, "PATCH", path, map[string]any{})
}
