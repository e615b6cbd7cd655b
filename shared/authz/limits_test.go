package authz_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/pattern"
	"paddock/shared/permission"
)

// limitsOf returns limits of some scopes and every nth server.
func limitsOf(scopes permission.Set, all []authz.Server, n int) *authz.Limits {
	l := &authz.Limits{Token: id.UUID{15: 8}, Scopes: scopes}
	for i, s := range all {
		if n > 0 && i%n == 0 {
			l.Servers = append(l.Servers, s.ID)
		}
	}
	authz.SortServers(l.Servers)
	return l
}

// byRows are the permissions that need a row on a server.
var byRows = func() (s permission.Set) {
	for _, r := range []permission.Resource{
		permission.Server, permission.Assignment, permission.Websh, permission.WebFTP, permission.Command,
		permission.Editor, permission.Tunnel, permission.Sudo, permission.DeployShell, permission.Note,
	} {
		for _, p := range permission.Catalogue {
			if p.Resource == r && p != permission.CreateServer {
				s = s.Union(permission.SetOf(p))
			}
		}
	}
	return s
}()

// TestLimitsOnlyTakeAway compares what a token may with what follows from its
// owner, its scopes and its rows, for every permission, on servers, on people
// and on all; unfolded for lists too (security, TK-7).
func TestLimitsOnlyTakeAway(t *testing.T) {
	p, _ := large(t)
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test
	for _, role := range authz.RoleSettings {
		for round := range 8 {
			p.Role, p.Limits = role, nil
			owner := p
			scopes := permission.SetOf()
			for _, what := range permission.Catalogue {
				if r.IntN(3) > 0 {
					scopes = scopes.Union(permission.SetOf(what))
				}
			}
			p.Limits = limitsOf(scopes, p.Policy.Servers(), round%4)
			e := p.Effective(now)
			for _, what := range permission.Catalogue {
				left := what == permission.OwnAccount || scopes.Has(what)
				for _, o := range []authz.Object{{}, mine, other} {
					want := authz.May(&owner, what, o, now) && left && !byRows.Has(what)
					if got := authz.May(&p, what, o, now); got != want {
						t.Fatalf("%s %s on %s: %v, want %v", role, what, o.ID, got, want)
					}
				}
				for range 20 {
					at := r.IntN(len(p.Policy.Servers()))
					o := p.Policy.Servers()[at].Object()
					listed := !byRows.Has(what) || slices.Contains(p.Limits.Servers, o.ID)
					want := authz.May(&owner, what, o, now) && left && listed
					if got := authz.May(&p, what, o, now); got != want {
						t.Fatalf("%s %s on %s: %v, want %v", role, what, o.Name, got, want)
					}
					if byRows.Has(what) && e.Server(what, at) != want {
						t.Fatalf("%s %s on %s, unfolded: %v, want %v", role, what, o.Name, !want, want)
					}
				}
				if got, most := authz.Anywhere(&p, what, now), authz.Anywhere(&owner, what, now) && left; got && !most {
					t.Fatalf("%s %s anywhere", role, what)
				}
			}
		}
	}
}

// TestRefusalsOfTokens holds which refusal tells what is missing, and that the
// end of a token is half-open.
func TestRefusalsOfTokens(t *testing.T) {
	p := principal(authz.Staff)
	p.Limits = &authz.Limits{Scopes: permission.SetOf(permission.ReadServer, permission.ReadUser), Until: now.Add(time.Hour)}
	decide := func(what permission.Permission, o authz.Object, at time.Time) error {
		_, _, err := authz.Decide(p, what, o, at, id.UUID{15: 7})
		return err
	}
	if err := decide(permission.UpdateUser, other, now); !errors.Is(err, authz.ErrScope) {
		t.Errorf("a scope that is not there: %v", err)
	}
	if err := decide(permission.ReadServer, server, now); !errors.Is(err, authz.ErrACL) {
		t.Errorf("a server without row: %v", err)
	}
	p.Limits.Servers = []id.UUID{server.ID}
	if err := decide(permission.ReadServer, server, now); err != nil {
		t.Errorf("a server with a row: %v", err)
	}
	if err := decide(permission.ReadServer, authz.Object{}, now); !errors.Is(err, authz.ErrACL) {
		t.Errorf("all servers: %v", err)
	}
	end := p.Limits.Until
	if err := decide(permission.ReadUser, other, end.Add(-time.Nanosecond)); err != nil {
		t.Errorf("before its end: %v", err)
	}
	for _, what := range []permission.Permission{permission.ReadUser, permission.OwnAccount} {
		if err := decide(what, mine, end); !errors.Is(err, authz.ErrDenied) {
			t.Errorf("%s at its end: %v", what, err)
		}
	}
}

// TestTokensHandOutWhatTheyHold holds the ceiling of tokens: scopes, rows and
// end (security, TK-1).
func TestTokensHandOutWhatTheyHold(t *testing.T) {
	p, _ := large(t)
	p.Role = authz.Superuser
	first := p.Policy.Servers()[0].ID
	p.Limits = limitsOf(authz.FullAccess(), p.Policy.Servers()[:1], 1)
	p.Limits.Until = now.Add(time.Hour)
	gift := func(what permission.Permission, on authz.Scope, until time.Time) authz.Gift {
		return authz.Gift{Permissions: permission.SetOf(what), Scope: on, Until: until}
	}
	this, that := authz.Scope{Objects: []id.UUID{first}}, authz.Scope{Objects: []id.UUID{p.Policy.Servers()[1].ID}}
	for name, c := range map[string]struct {
		g     authz.Gift
		lacks bool
	}{
		"a server of its rows":        {gift(permission.CreateWebsh, this, p.Limits.Until), false},
		"for longer than it lives":    {gift(permission.CreateWebsh, this, p.Limits.Until.Add(time.Second)), true},
		"for ever":                    {gift(permission.ReadUser, authz.Scope{}, time.Time{}), true},
		"another server":              {gift(permission.CreateWebsh, that, p.Limits.Until), true},
		"all servers":                 {gift(permission.ReadServer, authz.Scope{}, p.Limits.Until), true},
		"what makes credentials":      {gift(permission.CreateServiceToken, authz.Scope{}, p.Limits.Until), true},
		"what no token holds":         {gift(permission.PromoteUser, authz.Scope{}, p.Limits.Until), true},
		"what its scopes hold, brief": {gift(permission.ReadUser, authz.Scope{}, p.Limits.Until), false},
	} {
		if _, lacks := p.Lacks(c.g, now); lacks != c.lacks {
			t.Errorf("%s: lacks %v", name, lacks)
		}
	}
	names := authz.Gift{Permissions: permission.SetOf(permission.ReadServer), Scope: authz.Scope{Names: []pattern.Pattern{parsed(t, "kind-0-0")}}, Until: p.Limits.Until}
	if _, lacks := p.Lacks(names, now); !lacks {
		t.Error("a pattern of names is handed out by rows")
	}
	p.Limits.Scopes = permission.SetOf(permission.CreateAssignment)
	if _, lacks := p.Lacks(gift(permission.CreateWebsh, this, p.Limits.Until), now); !lacks {
		t.Error("a token assigns what its scopes do not hold")
	}
}

// TestDecisionsOfTokensAllocateNothing is TestDecisionsAllocateNothing with
// limits.
func TestDecisionsOfTokensAllocateNothing(t *testing.T) {
	p, places := large(t)
	p.Limits = limitsOf(authz.FullAccess(), p.Policy.Servers(), 20)
	object := p.Policy.Servers()[places[3]].Object()
	for _, what := range permission.Catalogue {
		if n := testing.AllocsPerRun(10, func() { authz.May(&p, what, object, now) }); n != 0 {
			t.Errorf("%s: %v allocations", what, n)
		}
	}
}
