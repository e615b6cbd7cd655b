package peers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/casbin/casbin/v3"
	"github.com/casbin/casbin/v3/model"

	"paddock/localstack/paired"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/pattern"
	"paddock/shared/permission"
)

var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// A question is whether somebody may do something on a server.
type question struct {
	what permission.Permission
	name string
	at   int // place of the server in the policy
}

// workspace returns somebody with 200 roles, by 20 groups, in a workspace of 2,000
// roles, 200 groups and 10,000 servers, and 64 questions. Source: design, Numbers
// to keep.
func workspace(tb testing.TB) (authz.Principal, []question) {
	tb.Helper()
	uuid := func(kind byte, n int) id.UUID { return id.UUID{0: byte(n), 1: byte(n >> 8), 3: kind} }
	name := func(text string) []pattern.Pattern {
		p, err := pattern.Parse(pattern.Name, text)
		if err != nil {
			tb.Fatal(err)
		}
		return []pattern.Pattern{p}
	}
	var c authz.Chunk
	for i := range 2_000 {
		r := authz.Role{ID: uuid('r', i), Scope: authz.Scope{Names: name(fmt.Sprintf("kind-%d-*", i%100))}}
		for k := range 4 {
			r.Permissions = r.Permissions.Union(permission.SetOf(permission.Catalogue[(i+7*k)%len(permission.Catalogue)]))
		}
		c.Roles = append(c.Roles, r)
	}
	for i := range 200 {
		g := authz.Group{ID: uuid('g', i), Access: authz.Terminal, Names: name(fmt.Sprintf("*-%d", i))}
		for k := range 10 {
			g.Roles = append(g.Roles, c.Roles[10*i+k].ID)
		}
		c.Groups = append(c.Groups, g)
	}
	for i := range 10_000 {
		c.Servers = append(c.Servers, authz.Server{ID: uuid('s', i), Name: fmt.Sprintf("kind-%d-%d", i%200, i)})
	}
	p := authz.Principal{Workspace: id.Of[id.Workspace](uuid('w', 1)), ID: id.Of[id.Principal](uuid('u', 1)), Role: authz.Member, Policy: c.Policy()}
	for i := range 20 {
		p.Memberships = append(p.Memberships, authz.Membership{Group: c.Groups[i*10].ID, Role: authz.GroupMember})
	}
	return p, questions(&p)
}

// questions returns 64 questions, of which half are answered yes.
func questions(p *authz.Principal) (out []question) {
	e := p.Effective(now)
	servers := p.Policy.Servers()
	ofServers := []permission.Permission{}
	for _, what := range permission.Catalogue {
		if what.Resource == permission.Server || what.Resource == permission.Websh || what.Resource == permission.Note || what.Resource == permission.Assignment {
			ofServers = append(ofServers, what)
		}
	}
	yes := 0
	for n := 0; len(out) < 64; n++ {
		at, what := n*37%len(servers), ofServers[n%len(ofServers)]
		if may := e.Server(what, at); may && yes < 32 || !may && len(out)-yes < 32 {
			out = append(out, question{what, servers[at].Name, at})
			if may {
				yes++
			}
		}
	}
	return out
}

const rbac = `
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.act == p.act && named(r.obj, p.obj) && g(r.sub, p.sub)
`

// casbinOf returns casbin with this one user's rules in memory, in the shape that
// suits it best: roles given to the user directly, the cheapest condition first,
// and a matcher that knows a star at one end only.
func casbinOf(tb testing.TB, p *authz.Principal) *casbin.Enforcer {
	tb.Helper()
	m, err := model.NewModelFromString(rbac)
	if err != nil {
		tb.Fatal(err)
	}
	e, err := casbin.NewEnforcer(m)
	if err != nil {
		tb.Fatal(err)
	}
	e.AddFunction("named", func(args ...any) (any, error) {
		name, rule := args[0].(string), args[1].(string)
		if tail, ok := strings.CutPrefix(rule, "*"); ok {
			return strings.HasSuffix(name, tail), nil
		}
		head, _ := strings.CutSuffix(rule, "*")
		return strings.HasPrefix(name, head), nil
	})
	var rules, roles [][]string
	given := map[string]bool{}
	add := func(role, name string, set permission.Set) {
		if given[role] {
			return
		}
		given[role] = true
		roles = append(roles, []string{"me", role})
		for _, what := range set.Permissions() {
			rules = append(rules, []string{role, name, what.String()})
		}
	}
	for _, member := range p.Memberships {
		g, _ := p.Policy.Group(member.Group)
		add(g.ID.String(), g.Names[0].String(), g.Access.Permissions())
		for _, of := range g.Roles {
			r, _ := p.Policy.Role(of)
			add(r.ID.String(), r.Scope.Names[0].String(), r.Permissions)
		}
	}
	if _, err := e.AddPolicies(rules); err != nil {
		tb.Fatal(err)
	}
	if _, err := e.AddGroupingPolicies(roles); err != nil {
		tb.Fatal(err)
	}
	return e
}

// rounds is how often we answer all questions while casbin answers them once.
const rounds = 1_000

// BenchmarkCasbin answers the same questions by casbin and by what a principal
// holds, unfolded. Both are in memory and were asked before; each answer is
// compared first. The bar is 2,000 times faster.
func BenchmarkCasbin(b *testing.B) {
	p, questions := workspace(b)
	e, peer := p.Effective(now), casbinOf(b, &p)
	for _, q := range questions {
		theirs, err := peer.Enforce("me", q.name, q.what.String())
		if ours := e.Server(q.what, q.at); err != nil || theirs != ours || authz.May(&p, q.what, p.Policy.Servers()[q.at].Object(), now) != ours {
			b.Fatalf("%s on %s: we say %t, casbin %t, %v", q.what, q.name, ours, theirs, err)
		}
	}
	yes := 0
	texts := make([]string, len(questions))
	for i, q := range questions {
		texts[i] = q.what.String()
	}
	paired.Ratio(b, rounds/2_000.0, func() {
		for range rounds {
			for _, q := range questions {
				if e.Server(q.what, q.at) {
					yes++
				}
			}
		}
	}, func() {
		for i, q := range questions {
			if ok, _ := peer.Enforce("me", q.name, texts[i]); ok {
				yes++
			}
		}
	})
}

// BenchmarkCasbinFolded is the same with decisions of a principal that was just
// read: every role and group is looked at anew, as it is at the guard. The bar is
// ten times faster.
func BenchmarkCasbinFolded(b *testing.B) {
	p, questions := workspace(b)
	peer, yes := casbinOf(b, &p), 0
	paired.Ratio(b, 1/10.0, func() {
		for _, q := range questions {
			if authz.May(&p, q.what, p.Policy.Servers()[q.at].Object(), now) {
				yes++
			}
		}
	}, func() {
		for _, q := range questions {
			if ok, _ := peer.Enforce("me", q.name, q.what.String()); ok {
				yes++
			}
		}
	})
}
