package world_test

import (
	"slices"
	"strings"
	"testing"

	"paddock/localstack/world"
	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
	"paddock/shared/policy"
	"paddock/shared/session"
)

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
	for _, of := range paged(t, w.Me, "/api/iam/users/?page=1&page_size=100", "id") {
		user, err := id.Parse[id.Principal](of)
		if err != nil {
			t.Fatal(err)
		}
		item, _, err := store.One(t.Context(), by, identity.UserKey(w.ID, user))
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
