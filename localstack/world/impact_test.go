package world_test

import (
	"cmp"
	"fmt"
	"net/http"
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

// resourcesOf are the resources that are asked on servers, groups and users.
var resourcesOf = map[string][]permission.Resource{ //nolint:gochecknoglobals // a list
	"server": {
		permission.Server, permission.Assignment, permission.Websh, permission.WebFTP, permission.Command, permission.Editor, permission.Tunnel,
		permission.Sudo, permission.DeployShell, permission.Note,
	},
	"group": {permission.Group, permission.Membership},
	"user":  {permission.User, permission.Session, permission.Account},
}

// tried asks what a change would mean, and holds that nothing is written by it
// but its event and what each request leaves.
func tried(t *testing.T, w *world.Walk, v *visitor.Visitor, method, path string, body any) impacted {
	t.Helper()
	_, at := w.Entries.Recorder.Since(0)
	a := want(t, v, http.StatusOK, method, path+"?dry_run=true", body)
	calls, _ := w.Entries.Recorder.Since(at)
	events, others, err := shared.Written(calls)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range others {
		t.Errorf("%s %s: the dry run wrote %s", method, path, key)
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
