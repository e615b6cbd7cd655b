package world_test

import (
	"bytes"
	"cmp"
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
	"paddock/localstack/world"
	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
	"paddock/shared/policy"
	"paddock/shared/session"
	"paddock/shared/table"
)

// An impacted is the answer to a dry run.
type impacted struct {
	People []struct {
		User         struct{ ID, Name, Email string }
		Gained, Lost impactedSide
	}
	Count    int
	Complete bool
}

type impactedSide struct {
	Everywhere   []string
	Servers      []impactedOn
	ServersCount int `json:"servers_count"`
	Others       []impactedOn
	OthersCount  int `json:"others_count"`
}

type impactedOn struct {
	ID, Kind, Name string
	Permissions    []string
}

// lines returns the pairs of person, object and permission of an answer.
func (i impacted) lines() []string {
	out := []string{}
	for _, p := range i.People {
		for sign, side := range map[string]impactedSide{"+": p.Gained, "-": p.Lost} {
			for _, what := range side.Everywhere {
				out = append(out, sign+" "+p.User.ID+" everywhere "+what)
			}
			for _, on := range slices.Concat(side.Servers, side.Others) {
				for _, what := range on.Permissions {
					out = append(out, sign+" "+p.User.ID+" "+cmp.Or(on.ID, "new")+" "+what)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// A standing is who there is and what decisions look at, as it is stored.
type standing struct {
	policy *authz.Policy
	people map[id.UUID]identity.User
	ws     id.ID[id.Workspace]
}

// standingOf reads everything that decisions look at.
func standingOf(t *testing.T, w *world.Walk) standing {
	t.Helper()
	store, err := shared.Store()
	if err != nil {
		t.Fatal(err)
	}
	policies, err := policy.New(store)
	if err != nil {
		t.Fatal(err)
	}
	by := authz.ForTask(w.ID, "test")
	s := standing{people: map[id.UUID]identity.User{}, ws: w.ID}
	head, _, err := store.One(t.Context(), by, policy.HeadKey(w.ID))
	if err != nil {
		t.Fatal(err)
	}
	if s.policy, err = policies.At(t.Context(), by, head); err != nil {
		t.Fatal(err)
	}
	records, err := shared.Records(t.Context(), w.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if r.Key.Kind != "U" || r.Key.SK != "user" {
			continue
		}
		item, _, err := store.One(t.Context(), by, r.Key)
		if err != nil {
			t.Fatal(err)
		}
		u, err := identity.DecodeUser(item)
		if err != nil {
			t.Fatal(err)
		}
		s.people[u.ID.UUID()] = u
	}
	return s
}

// objects returns all that there is, by id, as it is named.
func (s standing) objects() map[id.UUID]authz.Object {
	out := map[id.UUID]authz.Object{}
	for _, x := range s.policy.Servers() {
		out[x.ID] = x.Object()
	}
	for _, x := range s.policy.Groups() {
		out[x.ID] = authz.Object{ID: x.ID, Name: x.Name}
	}
	for of, u := range s.people {
		out[of] = authz.Object{ID: of, Owner: of, Name: u.Username}
	}
	return out
}

// resourcesOf are the resources that are asked on servers, groups and users.
var resourcesOf = map[string][]permission.Resource{ //nolint:gochecknoglobals // a list
	"server": {
		permission.Server, permission.Assignment, permission.Websh, permission.WebFTP, permission.Command, permission.Editor, permission.Tunnel,
		permission.Sudo, permission.DeployShell, permission.Note,
	},
	"group": {permission.Group, permission.Membership},
	"user":  {permission.User, permission.Session, permission.Account},
}

func (s standing) kind(of id.UUID) string {
	if _, _, ok := s.policy.Server(of); ok {
		return "server"
	}
	if _, ok := s.policy.Group(of); ok {
		return "group"
	}
	return "user"
}

// held returns all that everybody may, of what the kinds of objects are asked
// for. What is held everywhere stands once. known are all objects of both sides.
func (s standing) held(known map[id.UUID]string) map[string]bool {
	out := map[string]bool{}
	now, there := shared.Clock.Now(), s.objects()
	for who, u := range s.people {
		if u.Disabled {
			continue
		}
		p := session.PrincipalOf(s.ws, u, audit.Source{})
		p.Policy = s.policy
		may := p.Effective(now)
		for _, what := range permission.Catalogue {
			if may.Everywhere.Has(what) {
				out[who.String()+" everywhere "+what.String()] = true
			}
			for of, kind := range known {
				if !slices.Contains(resourcesOf[kind], what.Resource) {
					continue
				}
				o, ok := there[of]
				if !ok {
					o = authz.Object{ID: of}
				}
				if _, at, server := s.policy.Server(of); server && may.Server(what, at) || !server && may.Other(what, o) {
					out[who.String()+" "+of.String()+" "+what.String()] = true
				}
			}
		}
	}
	return out
}

// between returns what everybody gains and loses, as lines of an answer.
func between(before, after standing) []string {
	known := map[id.UUID]string{}
	for _, s := range []standing{before, after} {
		for of := range s.objects() {
			known[of] = s.kind(of)
		}
	}
	had, has := before.held(known), after.held(known)
	out := []string{}
	for sign, sides := range map[string][2]map[string]bool{"+": {had, has}, "-": {has, had}} {
		for line := range sides[1] {
			words := strings.Fields(line)
			everywhere := words[0] + " everywhere " + words[2]
			if _, there := before.objects()[parsed(words[1])]; !there && words[1] != "everywhere" {
				line = words[0] + " new " + words[2]
			}
			if !sides[0][strings.Join(words, " ")] && (words[1] == "everywhere" || !sides[1][everywhere] || sides[0][everywhere]) {
				out = append(out, sign+" "+line)
			}
		}
	}
	slices.Sort(out)
	return out
}

func parsed(text string) id.UUID {
	of, _ := id.ParseUUID(text) // zero for everywhere
	return of
}

// tried asks what a change would mean, and holds that nothing is stored by it
// but its event.
func tried(t *testing.T, w *world.Walk, v *visitor.Visitor, method, path string, body any) impacted {
	t.Helper()
	stored := func() map[table.Key]table.Record {
		records, err := shared.Records(t.Context(), w.ID)
		if err != nil {
			t.Fatal(err)
		}
		out := map[table.Key]table.Record{}
		for _, r := range records {
			if !strings.HasPrefix(r.Key.SK, "session#") { // when it was last seen
				out[r.Key] = r
			}
		}
		return out
	}
	before := stored()
	a := want(t, v, http.StatusOK, method, path+"?dry_run=true", body)
	events := 0
	after := stored()
	for key, r := range after {
		switch was, ok := before[key]; {
		case !ok && key.Kind == "A":
			events++
		case !ok || was.Version != r.Version || !bytes.Equal(was.Sealed, r.Sealed):
			t.Errorf("%s %s: the dry run wrote %s", method, path, key)
		}
		delete(before, key)
	}
	for key := range before {
		t.Errorf("%s %s: the dry run removed %s", method, path, key)
	}
	if events != 1 {
		t.Errorf("%s %s: %d events of a dry run", method, path, events)
	}
	var out impacted
	if err := a.Decode(http.StatusOK, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// brings looks at a change, makes it, and holds what was said of it against what
// everybody has before and after. It returns the answer of the change.
func brings(t *testing.T, w *world.Walk, v *visitor.Visitor, status int, method, path string, body any) visitor.Answer {
	t.Helper()
	said := tried(t, w, v, method, path, body)
	before := standingOf(t, w)
	a := want(t, v, status, method, path, body)
	is := between(before, standingOf(t, w))
	if got := said.lines(); !slices.Equal(got, is) {
		t.Errorf("%s %s %v is said to bring\n%s\nand brings\n%s", method, path, body, strings.Join(got, "\n"), strings.Join(is, "\n"))
	}
	if said.Count != len(said.People) || !said.Complete {
		t.Errorf("%s %s: %d people of %d, complete: %t", method, path, len(said.People), said.Count, said.Complete)
	}
	impactLines += len(is)
	return a
}

var impactLines int //nolint:gochecknoglobals // of one test: how much was compared

// TestImpactIsWhatAChangeBrings looks at one change after the other on each row
// that can be tried, makes it, and compares what was said with all that all people
// have before and after.
func TestImpactIsWhatAChangeBrings(t *testing.T) {
	w := relaxed(t, "impact")
	sam, mia := prover(t, w, "sam", "staff", "203.0.113.61"), made(t, w, "mia", "member", "203.0.113.62")
	max, olga := made(t, w, "max", "member", "203.0.113.63"), prover(t, w, "olga", "member", "203.0.113.64")
	off := made(t, w, "off", "member", "203.0.113.65")
	key := newToken(t, w.Me, map[string]any{"name": "fleet"}).key
	web1, db1 := registered(t, w, key, "web-1"), registered(t, w, key, "db-1")
	registered(t, w, key, "web-2")
	me, impactLines0 := w.Me, impactLines
	terminal := map[string]bool{"terminal": true}

	// Groups and who is in them.
	web := field(t, brings(t, w, me, http.StatusCreated, "POST", groupsPath, map[string]any{"name": "web people", "server_patterns": []string{"web-*"}, "permissions": terminal}), "id")
	join(t, me, web, off, "member")
	want(t, me, http.StatusOK, "PATCH", off.path, map[string]any{"is_active": false})
	path := groupsPath + web + "/"
	place := field(t, brings(t, w, me, http.StatusCreated, "POST", membersPath, map[string]any{"group": web, "user": mia.idOf(), "role": "member"}), "id")
	brings(t, w, sam.Visitor, http.StatusCreated, "POST", membersPath, map[string]any{"group": web, "username": "olga", "role": "owner"})
	brings(t, w, me, http.StatusOK, "PATCH", membersPath+place+"/", map[string]any{"role": "manager"})
	brings(t, w, me, http.StatusOK, "PATCH", membersPath+place+"/", map[string]any{"expires_at": shared.Clock.Now().Add(20 * time.Minute).Format(time.RFC3339)})
	brings(t, w, me, http.StatusOK, "PATCH", path, map[string]any{"description": "changes nothing"})
	if none := tried(t, w, me, "PATCH", path, map[string]any{}); none.Count != 0 || !none.Complete {
		t.Errorf("nothing brings %+v", none)
	}
	brings(t, w, me, http.StatusOK, "PATCH", path, map[string]any{"server_patterns": []string{"web-1"}, "servers": []map[string]string{{"id": idIn(db1)}}})
	brings(t, w, me, http.StatusOK, "PUT", path+"config/", map[string]any{"config": "name: web people\nservers: [\"*\"]\npermissions: {terminal: true, sudo: true}\n"})

	// Roles: made, given, changed, by name and by id, on servers, groups and people.
	role := field(t, brings(t, w, me, http.StatusCreated, "POST", rolesPath, map[string]any{"name": "helper", "permissions": []string{"server:read", "group:read"}, "scope": map[string]any{"patterns": []string{"web*", "m*"}}}), "id")
	helper := rolesPath + role + "/"
	given := field(t, brings(t, w, me, http.StatusCreated, "POST", assignedPath, map[string]any{"role": role, "user": max.idOf()}), "id")
	byGroup := field(t, brings(t, w, me, http.StatusCreated, "POST", assignedPath, map[string]any{"role": role, "group": web}), "id")
	brings(t, w, me, http.StatusOK, "PATCH", helper, map[string]any{"permissions": []string{"server:read", "user:read", "group:read"}, "scope": map[string]any{"objects": []string{idIn(db1), olga.idOf()}}})
	brings(t, w, me, http.StatusOK, "PATCH", helper, map[string]any{"scope": map[string]any{}, "permissions": []string{"server:read", "audit:read"}})
	brings(t, w, me, http.StatusOK, "PATCH", helper, map[string]any{"scope": map[string]any{"patterns": []string{"web*"}}, "permissions": []string{"server:read", "server:update", "group:read", "note:read"}})
	brings(t, w, me, http.StatusOK, "PATCH", helper, map[string]any{"name": "helpers"})
	// Another name of a group is within or without a pattern, as one that comes or goes.
	brings(t, w, me, http.StatusOK, "PATCH", path, map[string]any{"name": "people of the web"})
	second := field(t, brings(t, w, me, http.StatusCreated, "POST", groupsPath, map[string]any{"name": "web others"}), "id")
	brings(t, w, me, http.StatusNoContent, "DELETE", groupsPath+second+"/", nil)
	brings(t, w, me, http.StatusNoContent, "DELETE", assignedPath+byGroup+"/", nil)

	// Servers: given to people and groups, renamed, given away.
	byID := field(t, brings(t, w, sam.Visitor, http.StatusCreated, "POST", assignPath, map[string]any{"user": max.idOf(), "server": idIn(db1), "permissions": terminal}), "id")
	byName := field(t, brings(t, w, me, http.StatusCreated, "POST", assignPath, map[string]any{"group": web, "pattern": "db-*"}), "id")
	brings(t, w, me, http.StatusCreated, "POST", assignPath, map[string]any{"user": olga.idOf(), "pattern": "front-*", "permissions": terminal})
	brings(t, w, me, http.StatusOK, "PATCH", web1, map[string]any{"name": "front-1"})
	brings(t, w, me, http.StatusOK, "PATCH", web1, map[string]any{"owner": map[string]string{"id": mia.idOf()}, "managers": []map[string]string{{"id": max.idOf()}}})
	brings(t, w, me, http.StatusOK, "PATCH", web1, map[string]any{"name": "web-9", "managers": []map[string]string{}})
	brings(t, w, me, http.StatusNoContent, "DELETE", assignPath+byID+"/", nil)
	brings(t, w, me, http.StatusNoContent, "DELETE", assignPath+byName+"/", nil)

	// All of it goes again.
	brings(t, w, me, http.StatusNoContent, "DELETE", membersPath+place+"/", nil)
	brings(t, w, me, http.StatusNoContent, "DELETE", assignedPath+given+"/", nil)
	want(t, me, http.StatusCreated, "POST", assignedPath, map[string]any{"role": role, "user": mia.idOf()})
	brings(t, w, me, http.StatusNoContent, "DELETE", helper, nil)
	brings(t, w, me, http.StatusNoContent, "DELETE", path, nil)
	if n := impactLines - impactLines0; n < 200 {
		t.Errorf("only %d differences were compared", n)
	}
	if got := kindsOf(t, w); got[audit.PolicySimulated] < 25 {
		t.Errorf("%d events of dry runs", got[audit.PolicySimulated])
	}
	settled(t, w)
}

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

// TestImpactHasBounds looks at a change that concerns more people, and more
// servers, than an answer tells of.
func TestImpactHasBounds(t *testing.T) {
	w := relaxed(t, "dry-bounds")
	group := newGroup(t, w.Me, map[string]any{"name": "everybody"})
	key := newToken(t, w.Me, map[string]any{"name": "fleet"}).key
	for i := range 60 {
		registered(t, w, key, fmt.Sprintf("web-%d", i))
	}
	change := map[string]any{"server_patterns": []string{"web-*"}}
	crowd(t, w, group, 1999)
	all := tried(t, w, w.Me, "PATCH", groupsPath+group+"/", change)
	if all.Count != 1999 || len(all.People) != 200 || !all.Complete {
		t.Errorf("%d people of %d, complete: %t", len(all.People), all.Count, all.Complete)
	}
	for i, p := range all.People {
		listed := 50
		if i >= 2000/50 {
			listed = 0
		}
		if len(p.Gained.Servers) != listed || p.Gained.ServersCount != 60 {
			t.Fatalf("person %d: %d servers of %d", i, len(p.Gained.Servers), p.Gained.ServersCount)
		}
	}
	crowd(t, w, group, 2)
	if all := tried(t, w, w.Me, "PATCH", groupsPath+group+"/", change); all.Count != 2000 || all.Complete {
		t.Errorf("%d people, complete: %t", all.Count, all.Complete)
	}
}

// crowd puts n new accounts into a group, past the API: each is nothing but
// that.
func crowd(t *testing.T, w *world.Walk, group string, n int) {
	t.Helper()
	store, err := shared.Store()
	if err != nil {
		t.Fatal(err)
	}
	by := authz.ForTask(w.ID, "test")
	of, err := id.Parse[id.Group](group)
	if err != nil {
		t.Fatal(err)
	}
	var ops []table.Op
	for i := range n {
		made, err := store.NewID()
		if err != nil {
			t.Fatal(err)
		}
		user, place := id.Of[id.Principal](made), id.Of[id.Membership](made)
		u := identity.User{ID: user, Username: fmt.Sprintf("crowd-%d", i), Role: authz.Member, Memberships: []identity.Membership{{ID: place, Group: of, Role: authz.GroupMember}}}
		listed := map[string]any{"id": place, "group": of, "user": user, "role": authz.GroupMember}
		ops = append(ops, table.Insert(identity.UserKey(w.ID, user), u, table.Num("epoch", 0)),
			table.Insert(table.Key{Table: table.Data, Kind: "J", Workspace: w.ID, Of: group, SK: "member#" + user.String()}, listed))
	}
	for some := range slices.Chunk(ops, table.MaxOps) {
		e := by.Event(audit.GroupUpdated, store.Now()).With(audit.ID("group_id", of.UUID())).WithDescription("A crowd came.")
		if err := store.Commit(t.Context(), by, table.Change{Events: []audit.Event{e}, Ops: some}); err != nil {
			t.Fatal(err)
		}
	}
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
