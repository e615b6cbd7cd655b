package world_test

import (
	"encoding/json"
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
)

const (
	groupsPath  = "/api/iam/groups/"
	membersPath = "/api/iam/memberships/"
)

// nobody is the id of nothing.
const nobody = "01900000-0000-7000-8000-000000000000"

// field returns a member of an answer as text.
func field(t *testing.T, a visitor.Answer, name string) string {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(a.Body, &fields); err != nil {
		t.Fatalf("%s: %v", a.Body, err)
	}
	text, _ := fields[name].(string)
	return text
}

// idOf returns the id of a person.
func (p person) idOf() string {
	parts := strings.Split(strings.Trim(p.path, "/"), "/")
	return parts[len(parts)-1]
}

// newGroup makes a group and returns its id.
func newGroup(t *testing.T, v *visitor.Visitor, fields map[string]any) string {
	t.Helper()
	return field(t, want(t, v, http.StatusCreated, "POST", groupsPath, fields), "id")
}

// join puts somebody into a group and returns the membership's id.
func join(t *testing.T, v *visitor.Visitor, group string, p person, role string) string {
	t.Helper()
	return field(t, want(t, v, http.StatusCreated, "POST", membersPath, map[string]any{"group": group, "user": p.idOf(), "role": role}), "id")
}

// kindsOf counts the events of the log by what they are.
func kindsOf(t *testing.T, w *world.Walk) map[audit.Kind]int {
	t.Helper()
	events, err := w.Events(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := map[audit.Kind]int{}
	for _, e := range events {
		out[e.Kind]++
	}
	return out
}

// TestGroupsAndTheirMembers goes through the life of a group: what staff may,
// what owner and manager may, and what members see.
func TestGroupsAndTheirMembers(t *testing.T) {
	w := relaxed(t, "groups")
	staff := made(t, w, "sam", "staff", "203.0.113.31").enrolled(t)
	mia, olga, max := prover(t, w, "mia", "member", "203.0.113.32"), prover(t, w, "olga", "member", "203.0.113.33"), prover(t, w, "max", "member", "203.0.113.34")

	refused(t, mia.Visitor, "permission_denied", "POST", groupsPath, map[string]any{"name": "mine"})
	group := newGroup(t, staff.Visitor, map[string]any{"name": "DevOps Team", "description": "Production", "server_patterns": []string{"production-web-*"}})
	refused(t, staff.Visitor, "group_name_in_use", "POST", groupsPath, map[string]any{"name": "DevOps Team"})
	refused(t, staff.Visitor, "invalid_pattern", "POST", groupsPath, map[string]any{"name": "x", "server_patterns": []string{"a\nb"}})
	refused(t, staff.Visitor, "invalid_value", "POST", groupsPath, map[string]any{"name": "x", "servers": []string{nobody}})
	many := refused(t, staff.Visitor, "limit_reached", "POST", groupsPath, map[string]any{"name": "x", "server_patterns": slices.Repeat([]string{"web-*"}, 201)})
	if at := many.Problem().Source; at != "server_patterns" {
		t.Errorf("too many patterns are refused at %q", at)
	}
	path := groupsPath + group + "/"

	want(t, mia.Visitor, http.StatusNotFound, "GET", path, nil)
	owner := join(t, staff.Visitor, group, olga, "owner")
	refused(t, staff.Visitor, "already_member", "POST", membersPath, map[string]any{"group": group, "user": olga.idOf(), "role": "member"})
	refused(t, staff.Visitor, "invalid_value", "POST", membersPath, map[string]any{"group": group, "user": max.idOf(), "role": "boss"})
	refused(t, staff.Visitor, "invalid_value", "POST", membersPath, map[string]any{"group": nobody, "user": max.idOf(), "role": "member"})
	refused(t, staff.Visitor, "invalid_value", "POST", membersPath, map[string]any{"group": group, "user": nobody, "role": "member"})

	// The owner, a member of the workspace, runs the group and nothing else.
	manager := join(t, olga.Visitor, group, mia, "manager")
	want(t, olga.Visitor, http.StatusOK, "PATCH", path, map[string]any{"description": "Production and staging"})
	refused(t, olga.Visitor, "grant_ceiling", "PATCH", path, map[string]any{"server_patterns": []string{"production-*"}})
	want(t, olga.Visitor, http.StatusOK, "PATCH", path, map[string]any{"server_patterns": []string{"production-web-*", "production-web-0*"}})
	refused(t, olga.Visitor, "grant_ceiling", "PATCH", path, map[string]any{"permissions": map[string]bool{"terminal": true, "webftp": true, "sudo": true}})
	refused(t, olga.Visitor, "permission_denied", "POST", groupsPath, map[string]any{"name": "another"})
	refused(t, olga.Visitor, "grant_ceiling", "PATCH", path, map[string]any{"servers": []map[string]string{{"id": nobody}}})
	refused(t, olga.Visitor, "dry_run_not_offered", "POST", groupsPath+"import/?dry_run=true", map[string]any{"config": "name: to look"})

	// A manager puts members in and takes them out, and makes no owners.
	member := join(t, mia.Visitor, group, max, "member")
	refused(t, mia.Visitor, "permission_denied", "PATCH", path, map[string]any{"description": "mine"})
	refused(t, mia.Visitor, "grant_ceiling", "PATCH", membersPath+member+"/", map[string]any{"role": "owner"})
	refused(t, mia.Visitor, "grant_ceiling", "DELETE", membersPath+owner+"/", nil)
	want(t, max.Visitor, http.StatusOK, "GET", path, nil)
	refused(t, max.Visitor, "permission_denied", "PATCH", path, map[string]any{"description": "mine"})
	want(t, max.Visitor, http.StatusNotFound, "DELETE", membersPath+manager+"/", nil)

	// Who is in the group sees it; only who runs it sees who else is.
	if d := want(t, max.Visitor, http.StatusOK, "GET", path, nil); strings.Contains(string(d.Body), "olga") || !strings.Contains(string(d.Body), `"num_members":0`) {
		t.Errorf("a member reads %s", d.Body)
	}
	if d := want(t, mia.Visitor, http.StatusOK, "GET", path, nil); !strings.Contains(string(d.Body), `"num_members":3`) {
		t.Errorf("a manager reads %s", d.Body)
	}
	if all := want(t, max.Visitor, http.StatusOK, "GET", membersPath+"?group="+group, nil); strings.Count(string(all.Body), `"group_name"`) != 1 {
		t.Errorf("a member reads %s", all.Body)
	}
	one := want(t, staff.Visitor, http.StatusOK, "GET", membersPath+"?group="+group+"&user="+max.idOf(), nil)
	if !strings.HasPrefix(string(one.Body), "[") || !strings.Contains(string(one.Body), member) {
		t.Errorf("without a page: %s", one.Body)
	}

	// A list is narrowed by the whole name, or by a part of it; nobody finds what is not theirs.
	for query, n := range map[string]int{"": 1, "?name=DevOps+Team": 1, "?name=DevOps": 0, "?search=ops": 1, "?search=ops&name=x": 0, "?search=web": 0} {
		if all := want(t, max.Visitor, http.StatusOK, "GET", groupsPath+query, nil); !strings.Contains(string(all.Body), fmt.Sprintf(`"count":%d,`, n)) {
			t.Errorf("%q finds %s", query, all.Body)
		}
	}
	hidden := newGroup(t, staff.Visitor, map[string]any{"name": "DevOps hidden"})
	if all := want(t, max.Visitor, http.StatusOK, "GET", groupsPath+"?search=devops", nil); strings.Contains(string(all.Body), hidden) {
		t.Errorf("a member finds %s", all.Body)
	}

	// Leaving is everyone's; being taken out is immediate.
	want(t, max.Visitor, http.StatusNoContent, "DELETE", membersPath+member+"/", nil)
	want(t, max.Visitor, http.StatusNotFound, "GET", path, nil)
	want(t, staff.Visitor, http.StatusNoContent, "DELETE", membersPath+manager+"/", nil)
	refused(t, mia.Visitor, "not_found", "GET", path, nil)
	want(t, staff.Visitor, http.StatusNoContent, "DELETE", path, nil)
	want(t, olga.Visitor, http.StatusNotFound, "GET", path, nil)
	if all := want(t, olga.Visitor, http.StatusOK, "GET", membersPath+"?page=1", nil); !strings.Contains(string(all.Body), `"count":0`) {
		t.Errorf("of a group that is gone: %s", all.Body)
	}

	got := kindsOf(t, w)
	for kind, n := range map[audit.Kind]int{
		audit.GroupCreated: 2, audit.GroupUpdated: 2, audit.GroupDeleted: 1, audit.GroupMemberAdded: 3, audit.GroupMemberRemoved: 2,
	} {
		if got[kind] != n {
			t.Errorf("%d times %s, want %d", got[kind], kind, n)
		}
	}
	settled(t, w)
}

// allowedOf returns what an answer says that the caller may.
func allowedOf(t *testing.T, a visitor.Answer) string {
	t.Helper()
	var d struct{ Allowed []string }
	if err := json.Unmarshal(a.Body, &d); err != nil {
		t.Fatalf("%s: %v", a.Body, err)
	}
	return strings.Join(d.Allowed, " ")
}

// TestAnswersTellWhatTheCallerMay compares what documents of groups and of places
// say with what each kind of caller is then allowed.
func TestAnswersTellWhatTheCallerMay(t *testing.T) {
	w := relaxed(t, "group-allowed")
	olga, mia, max := made(t, w, "olga", "member", "203.0.113.41"), prover(t, w, "mia", "member", "203.0.113.42"), made(t, w, "max", "member", "203.0.113.43")
	group := newGroup(t, w.Me, map[string]any{"name": "told"})
	owner, manager, member := join(t, w.Me, group, olga, "owner"), join(t, w.Me, group, mia, "manager"), join(t, w.Me, group, max, "member")
	const (
		leave = "membership:delete"
		both  = "membership:update membership:delete"
		run   = "membership:read membership:create"
		all   = "group:update group:delete " + run
	)
	for _, c := range []struct {
		who                           string
		v                             *visitor.Visitor
		group, owner, manager, member string
	}{
		{"superuser", w.Me, all, both, both, both},
		{"owner", olga.Visitor, all, both, both, both},
		{"manager", mia.Visitor, run, "", both, both},
		{"member", max.Visitor, "", "", "", leave},
	} {
		if got := allowedOf(t, want(t, c.v, http.StatusOK, "GET", groupsPath+group+"/", nil)); got != c.group {
			t.Errorf("a %s may %q with the group, want %q", c.who, got, c.group)
		}
		for place, may := range map[string]string{owner: c.owner, manager: c.manager, member: c.member} {
			if may == "" && c.who == "member" {
				want(t, c.v, http.StatusNotFound, "GET", membersPath+place+"/", nil)
				continue
			}
			if got := allowedOf(t, want(t, c.v, http.StatusOK, "GET", membersPath+place+"/", nil)); got != may {
				t.Errorf("a %s may %q with a place, want %q", c.who, got, may)
			}
		}
	}
	refused(t, mia.Visitor, "grant_ceiling", "PATCH", membersPath+owner+"/", map[string]any{"role": "member"})
	settled(t, w)
}

// TestAPersonIsNamedByUsername puts people into a group as who cannot list people
// does: by a whole username or address.
func TestAPersonIsNamedByUsername(t *testing.T) {
	w := relaxed(t, "group-named")
	olga, mia, max := prover(t, w, "olga", "member", "203.0.113.44"), made(t, w, "mia", "member", "203.0.113.45"), made(t, w, "max", "member", "203.0.113.46")
	group := newGroup(t, w.Me, map[string]any{"name": "named"})
	join(t, w.Me, group, olga, "owner")
	adds := func(fields map[string]any) map[string]any {
		fields["group"], fields["role"] = group, "member"
		return fields
	}
	for _, fields := range []map[string]any{{}, {"user": mia.idOf(), "username": "mia"}, {"username": "mi"}, {"username": ""}} {
		if a := refused(t, olga.Visitor, "invalid_value", "POST", membersPath, adds(fields)); a.Problem().Source != "user" {
			t.Errorf("%v is refused at %q", fields, a.Problem().Source)
		}
	}
	mail := field(t, want(t, w.Me, http.StatusOK, "GET", max.path, nil), "email")
	for name, p := range map[string]person{"mia": mia, mail: max} {
		got := want(t, olga.Visitor, http.StatusCreated, "POST", membersPath, adds(map[string]any{"username": name}))
		if !strings.Contains(string(got.Body), p.idOf()) {
			t.Errorf("%s brings in %s", name, got.Body)
		}
	}
	// Who may not put people in learns of no name.
	for _, name := range []string{"mia", "nobody"} {
		refused(t, max.Visitor, "permission_denied", "POST", membersPath, adds(map[string]any{"username": name}))
	}
	settled(t, w)
}

// TestAPlaceEndsAtItsInstant holds half-open ends, and that nobody hands out
// for longer than they hold.
func TestAPlaceEndsAtItsInstant(t *testing.T) {
	w := relaxed(t, "group-ends")
	olga, max := prover(t, w, "olga", "member", "203.0.113.35"), made(t, w, "max", "member", "203.0.113.36")
	group := newGroup(t, w.Me, map[string]any{"name": "brief", "server_patterns": []string{"web-*"}})
	end := shared.Clock.Now().Add(30 * time.Minute).Truncate(time.Second)
	refused(t, w.Me, "invalid_value", "POST", membersPath, map[string]any{"group": group, "user": olga.idOf(), "role": "manager", "expires_at": shared.Clock.Now()})
	want(t, w.Me, http.StatusCreated, "POST", membersPath, map[string]any{"group": group, "user": olga.idOf(), "role": "manager", "expires_at": end})

	until := func(at time.Time) map[string]any {
		return map[string]any{"group": group, "user": max.idOf(), "role": "member", "expires_at": at}
	}
	refused(t, olga.Visitor, "grant_ceiling", "POST", membersPath, map[string]any{"group": group, "user": max.idOf(), "role": "member"})
	refused(t, olga.Visitor, "grant_ceiling", "POST", membersPath, until(end.Add(time.Second)))
	want(t, olga.Visitor, http.StatusCreated, "POST", membersPath, until(end))

	shared.Clock.Set(end.Add(-time.Nanosecond))
	want(t, max.Visitor, http.StatusOK, "GET", groupsPath+group+"/", nil)
	shared.Clock.Set(end)
	want(t, max.Visitor, http.StatusNotFound, "GET", groupsPath+group+"/", nil)
	refused(t, olga.Visitor, "permission_denied", "POST", membersPath, until(end.Add(time.Hour)))
	// A place that has ended is none: it bars nobody.
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, http.StatusCreated, "POST", membersPath, until(end.Add(time.Hour)))
	want(t, max.Visitor, http.StatusOK, "GET", groupsPath+group+"/", nil)
	for _, at := range []string{"9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00Z"} {
		refused(t, w.Me, "invalid_value", "POST", membersPath, map[string]any{"group": group, "user": olga.idOf(), "role": "member", "expires_at": at})
	}
	settled(t, w)
}

// TestAConfigurationGoesOutAndIn imports what was exported, and names the line
// of what is wrong.
func TestAConfigurationGoesOutAndIn(t *testing.T) {
	w := relaxed(t, "group-yaml")
	text := "name: \"DevOps Team\"\ndescription: \"Production infrastructure access\"\nservers:\n  - production-web-*\n  - production-db-*\npermissions:\n  terminal: true\n  webftp: true\n  deploy_shell: true\n  sudo: true\n"
	made := want(t, w.Me, http.StatusCreated, "POST", groupsPath+"import/", map[string]any{"config": text})
	path := groupsPath + field(t, made, "id") + "/config/"
	out := field(t, want(t, w.Me, http.StatusOK, "GET", path, nil), "config")
	want(t, w.Me, http.StatusOK, "PUT", path, map[string]any{"config": strings.Replace(out, "production-db-*", "*", 1)})
	want(t, w.Me, http.StatusOK, "PUT", path, map[string]any{"config": out})
	if again := field(t, want(t, w.Me, http.StatusOK, "GET", path, nil), "config"); again != out || kindsOf(t, w)[audit.GroupUpdated] != 2 {
		t.Errorf("what went out and in again is %q", again)
	}
	a := refused(t, w.Me, "invalid_config", "PUT", path, map[string]any{"config": strings.Replace(text, "webftp", "ftp", 1)})
	if d := a.Problem().Detail; !strings.Contains(d, "line 8") || !strings.Contains(d, "ftp") {
		t.Errorf("the refusal says %q", d)
	}
	settled(t, w)
}

// TestWhoIsDeletedLeavesTheirGroups deletes an account that is in as many groups
// as one transaction does not take.
func TestWhoIsDeletedLeavesTheirGroups(t *testing.T) {
	w := relaxed(t, "group-deleted")
	mia := made(t, w, "mia", "member", "203.0.113.37")
	var group string
	const groups = 23
	for i := range groups {
		group = newGroup(t, w.Me, map[string]any{"name": fmt.Sprint("group-", i)})
		join(t, w.Me, group, mia, "member")
	}
	role := field(t, want(t, w.Me, http.StatusCreated, "POST", rolesPath, map[string]any{"name": "reader", "permissions": []string{"user:read"}}), "id")
	want(t, w.Me, http.StatusCreated, "POST", assignedPath, map[string]any{"role": role, "user": mia.idOf()})
	want(t, w.Me, http.StatusNoContent, "DELETE", mia.path, nil)
	if all := want(t, w.Me, http.StatusOK, "GET", assignedPath+"?role="+role, nil); !strings.Contains(string(all.Body), `"count":0`) {
		t.Errorf("somebody still has the role: %s", all.Body)
	}
	if all := want(t, w.Me, http.StatusOK, "GET", membersPath+"?page=1&group="+group, nil); !strings.Contains(string(all.Body), `"count":0`) {
		t.Errorf("somebody is left: %s", all.Body)
	}
	if n := kindsOf(t, w)[audit.GroupMemberRemoved]; n != groups {
		t.Errorf("%d left, want %d", n, groups)
	}
	settled(t, w)
}

// TestChangesAtOnceAreEachThere makes many groups at once through functions that
// hold nothing in memory: each change that was acknowledged is there, and the
// policy can be read by a function that begins anew.
func TestChangesAtOnceAreEachThere(t *testing.T) {
	w := relaxed(t, "group-race")
	const at = 10
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := map[string]bool{}
	for i := range at {
		e, err := shared.Entries(&world.Recorder{})
		if err != nil {
			t.Fatal(err)
		}
		v := e.Visitor(w.Slug, "203.0.113.38").WithCookie(w.Me.Cookie())
		wg.Go(func() {
			name := fmt.Sprint("at-once-", i)
			a, err := v.Do(t.Context(), "POST", groupsPath, map[string]any{"name": name, "server_patterns": []string{name + "-*"}})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case a.Status == http.StatusCreated:
				made[name] = true
			case a.Problem().Code != "try_again":
				t.Errorf("%d %s", a.Status, a.Body)
			}
		})
	}
	wg.Wait()
	if len(made) == 0 {
		t.Fatal("none was made")
	}
	if err := w.Cold(&world.Recorder{}); err != nil {
		t.Fatal(err)
	}
	all := want(t, w.Me, http.StatusOK, "GET", groupsPath, nil)
	for i := range at {
		name := fmt.Sprint("at-once-", i)
		if there := strings.Contains(string(all.Body), `"`+name+`-*"`); there != made[name] {
			t.Errorf("%s: acknowledged %t, there %t", name, made[name], there)
		}
	}
	settled(t, w)
}
