package impact_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/impact"
	"paddock/shared/pattern"
	"paddock/shared/permission"
	"paddock/shared/policy"
)

// A town is small enough that its people, groups, roles and servers meet often.
const town = 4

func uuid(kind, n int) id.UUID { return id.UUID{0: byte(kind), 15: byte(n + 1)} }

const (
	aRole = iota + 1
	aGroup
	aServer
	aPerson
	anAssignment
)

// some returns some of the ids of a kind.
func some(t *rapid.T, kind int) []id.UUID {
	var out []id.UUID
	for n := range town {
		if rapid.IntRange(0, 3).Draw(t, "in") == 0 {
			out = append(out, uuid(kind, n))
		}
	}
	return out
}

func names(t *rapid.T) []pattern.Pattern {
	var out []pattern.Pattern
	for range rapid.IntRange(0, 2).Draw(t, "patterns") {
		p, err := pattern.Parse(pattern.Name, rapid.SampledFrom([]string{"*", "web-*", "db-*", "*-1", "web-1"}).Draw(t, "pattern"))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

func name(t *rapid.T) string {
	return rapid.SampledFrom([]string{"web-1", "web-2", "db-1", "db-2"}).Draw(t, "name")
}

var permitted = []permission.Permission{ //nolint:gochecknoglobals // a list
	permission.ReadServer, permission.UpdateServer, permission.ReadGroup, permission.UpdateGroup, permission.ReadUser, permission.ReadAudit, permission.ReadPolicy,
}

func aScope(t *rapid.T) authz.Scope {
	return authz.Scope{Objects: append(some(t, aServer), some(t, aGroup)...), Names: names(t)}
}

func access(t *rapid.T) authz.Access { return authz.Access(rapid.IntRange(0, 15).Draw(t, "access")) }

// row adds what a policy may hold at one place of a kind: nothing or a
// row.
func row(t *rapid.T, c *authz.Chunk, kind, n int) {
	if rapid.IntRange(0, 3).Draw(t, "none") == 0 {
		return
	}
	of := uuid(kind, n)
	switch kind {
	case aRole:
		c.Roles = append(c.Roles, authz.Role{ID: of, Name: name(t), Permissions: permission.SetOf(rapid.SliceOfN(rapid.SampledFrom(permitted), 1, 3).Draw(t, "permissions")...), Scope: aScope(t)})
	case aGroup:
		c.Groups = append(c.Groups, authz.Group{ID: of, Name: name(t), Roles: some(t, aRole), Access: access(t), Servers: some(t, aServer), Names: names(t)})
	case aServer:
		c.Servers = append(c.Servers, authz.Server{ID: of, Name: name(t), Owner: uuid(aPerson, rapid.IntRange(0, town-1).Draw(t, "owner")), Managers: some(t, aPerson)})
	case anAssignment:
		a := authz.Assignment{ID: of, Access: access(t), Subject: uuid(aPerson, rapid.IntRange(0, town-1).Draw(t, "subject"))}
		if rapid.Bool().Draw(t, "group") {
			a.Subject, a.Group = uuid(aGroup, rapid.IntRange(0, town-1).Draw(t, "subject")), true
		}
		if a.Server = uuid(aServer, rapid.IntRange(0, town-1).Draw(t, "server")); rapid.Bool().Draw(t, "pattern") {
			if all := names(t); len(all) > 0 {
				a.Server, a.Name = id.UUID{}, all[0]
			}
		}
		c.Assignments = append(c.Assignments, a)
	}
}

// both returns two policies that are the same but at one place.
func both(t *rapid.T) *policy.Tried {
	kind, at := rapid.IntRange(aRole, anAssignment).Draw(t, "kind"), rapid.IntRange(0, town-1).Draw(t, "at")
	var before, after authz.Chunk
	for k := aRole; k <= anAssignment; k++ {
		for n := range town {
			if k == aPerson || k == kind && n == at {
				continue
			}
			row(t, &before, k, n)
		}
	}
	after = before
	after.Roles, after.Groups = append([]authz.Role(nil), before.Roles...), append([]authz.Group(nil), before.Groups...)
	after.Servers, after.Assignments = append([]authz.Server(nil), before.Servers...), append([]authz.Assignment(nil), before.Assignments...)
	if kind != aPerson {
		row(t, &before, kind, at)
		row(t, &after, kind, at)
	}
	return &policy.Tried{Before: before.Policy(), After: after.Policy()}
}

// TestNobodyIsLeftOut changes one row of a random policy, and holds that whoever
// gains or loses anything is one of those that the change is said to concern.
func TestNobodyIsLeftOut(t *testing.T) {
	differences := 0
	rapid.Check(t, func(t *rapid.T) {
		change := both(t)
		var people []*authz.Principal
		for n := range town {
			p := &authz.Principal{Workspace: id.Of[id.Workspace](id.UUID{9}), ID: id.Of[id.Principal](uuid(aPerson, n)), Role: rapid.SampledFrom(authz.RoleSettings).Draw(t, "setting")}
			for _, r := range some(t, aRole) {
				p.Roles = append(p.Roles, authz.RoleAssignment{Role: r})
			}
			for _, g := range some(t, aGroup) {
				p.Memberships = append(p.Memberships, authz.Membership{Group: g, Role: rapid.SampledFrom([]authz.MemberRole{authz.GroupMember, authz.GroupManager, authz.GroupOwner}).Draw(t, "as")})
			}
			people = append(people, p)
		}
		concerned := impact.Concerned(change, people)
		compared, now := authz.Compare(change.Before, change.After), time.Unix(0, 0)
		for _, p := range people {
			before, after := *p, *p
			before.Policy, after.Policy = change.Before, change.After
			got := compared.Impact(&before, &after, now, authz.Object{ID: uuid(aPerson, 0), Name: "web-1"})
			if got.Gained.Empty() && got.Lost.Empty() {
				continue
			}
			differences++
			if !concerned[p.ID.UUID()] {
				t.Fatalf("%s is left out: %+v", p.ID, got)
			}
		}
	})
	if differences == 0 {
		t.Error("nothing was ever gained or lost")
	}
}
