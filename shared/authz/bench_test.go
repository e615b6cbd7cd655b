package authz_test

import (
	"fmt"
	"testing"

	"paddock/localstack/paired"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/pattern"
	"paddock/shared/permission"
)

// BenchmarkDecision asks what a principal of a large workspace may: 2,000
// roles, of which 200 by 20 groups, 10,000 servers named by patterns. The bar is
// four times a look-up and bit test in sets made beforehand. Source: design,
// Numbers to keep.
func BenchmarkDecision(b *testing.B) {
	p, places := large(b)
	e := p.Effective(now)
	type question struct {
		what permission.Permission
		at   int
	}
	var questions []question
	made := map[int]permission.Set{}
	for i, at := range places {
		what := permission.Catalogue[i%len(permission.Catalogue)]
		questions = append(questions, question{what, at})
		if e.Server(what, at) {
			made[at] = made[at].Union(permission.SetOf(what))
		}
	}
	var yes int
	paired.Ratio(b, 4, func() {
		for _, q := range questions {
			if e.Server(q.what, q.at) {
				yes++
			}
		}
	}, func() {
		for _, q := range questions {
			if made[q.at].Has(q.what) {
				yes++
			}
		}
	})
}

// large returns a principal of a large workspace and 64 places of its servers.
func large(tb testing.TB) (p authz.Principal, places []int) {
	tb.Helper()
	var (
		roles   []authz.Role
		groups  []authz.Group
		servers []authz.Server
	)
	name := func(n int) id.UUID { return id.UUID{0: byte(n), 1: byte(n >> 8), 2: byte(n >> 16), 3: 1} }
	for i := range 2_000 {
		r := authz.Role{ID: name(1<<16 + i), Name: fmt.Sprint("role-", i)}
		for k := range 4 {
			r.Permissions = r.Permissions.Union(permission.SetOf(permission.Catalogue[(i+7*k)%len(permission.Catalogue)]))
		}
		r.Scope.Names = []pattern.Pattern{parsed(tb, fmt.Sprintf("kind-%d-*", i%100))}
		roles = append(roles, r)
	}
	for i := range 200 {
		g := authz.Group{ID: name(2<<16 + i), Name: fmt.Sprint("group-", i), Access: authz.Terminal, Names: []pattern.Pattern{parsed(tb, fmt.Sprintf("*-%d", i))}}
		for k := range 10 {
			g.Roles = append(g.Roles, roles[(10*i+k)%len(roles)].ID)
		}
		groups = append(groups, g)
	}
	for i := range 10_000 {
		servers = append(servers, authz.Server{ID: name(3<<16 + i), Name: fmt.Sprintf("kind-%d-%d", i%200, i)})
	}
	p = authz.Principal{Workspace: ws, ID: me, Role: authz.Member, Policy: authz.NewPolicy(roles, groups, servers, nil)}
	for i := range 20 {
		p.Memberships = append(p.Memberships, authz.Membership{Group: groups[i*10].ID, Role: authz.GroupMember})
	}
	for i := range 64 {
		places = append(places, i*150)
	}
	return p, places
}

func parsed(tb testing.TB, text string) pattern.Pattern {
	tb.Helper()
	p, err := pattern.Parse(pattern.Name, text)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// TestDecisionsAllocateNothing holds what guards rows and filters lists.
func TestDecisionsAllocateNothing(t *testing.T) {
	p, places := large(t)
	e := p.Effective(now)
	object := p.Policy.Servers()[places[3]].Object()
	for _, what := range permission.Catalogue {
		if n := testing.AllocsPerRun(10, func() { authz.May(&p, what, object, now) }); n != 0 {
			t.Errorf("%s: %v allocations", what, n)
		}
		if n := testing.AllocsPerRun(10, func() { e.Server(what, places[3]) }); n != 0 {
			t.Errorf("%s unfolded: %v allocations", what, n)
		}
	}
}

// BenchmarkList lists the servers that one may see among 10,000, each time anew
// from what one holds. The policy is in memory and was asked before, so that the
// servers of each pattern are known. The bar is five times that many bit tests,
// in sets by place that are made beforehand. Source: issue of authorization.
func BenchmarkList(b *testing.B) {
	p, _ := large(b)
	servers := p.Policy.Servers()
	made := make([]permission.Set, len(servers))
	seen := 0
	for at := range servers {
		if authz.May(&p, permission.ReadServer, servers[at].Object(), now) {
			made[at] = permission.SetOf(permission.ReadServer)
			seen++
		}
	}
	var listed, tested int
	paired.Ratio(b, 5, func() {
		listed = len(p.Servers(permission.ReadServer, now))
	}, func() {
		tested = 0
		for at := range made {
			if made[at].Has(permission.ReadServer) {
				tested++
			}
		}
	})
	if listed != seen || tested != seen || seen == 0 {
		b.Errorf("%d, %d and %d are seen", listed, tested, seen)
	}
	b.ReportMetric(float64(seen), "seen")
}

// BenchmarkColdLoad makes the stored policy of a large workspace ready and asks it
// once, beside the same from JSON. The bar is a fifteenth. Source: design,
// Numbers to keep.
func BenchmarkColdLoad(b *testing.B) {
	p, places := large(b)
	what, at := permission.ReadServer, places[3]
	ask := func(c authz.Chunk) bool {
		q := p
		q.Policy = c.Policy()
		return authz.May(&q, what, q.Policy.Servers()[at].Object(), now)
	}
	want := authz.May(&p, what, p.Policy.Servers()[at].Object(), now)
	stored, documents := storedChunks(b, p.Policy)
	bytes := 0
	for _, d := range documents {
		bytes += len(d)
	}
	paired.Ratio(b, 1.0/15, func() {
		var c authz.Chunk
		if err := c.Read(stored...); err != nil {
			b.Fatal(err)
		}
		if ask(c) != want {
			b.Fatal("another answer")
		}
	}, func() {
		var c authz.Chunk
		for _, d := range documents {
			readJSON(b, d, &c)
		}
		if ask(c) != want {
			b.Fatal("another answer of JSON")
		}
	})
	b.ReportMetric(float64(bytes), "B-json")
}
