package authz_test

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/pattern"
	"paddock/shared/permission"
)

// The model says by itself, in plain loops over pairs of permission and object,
// who may what. It shares nothing with the package but the rows.

// kindNames says on which objects the permissions of a resource are asked.
var kindNames = map[permission.Resource]string{
	permission.User: "user", permission.Session: "user", permission.Account: "user",
	permission.Group: "group", permission.Membership: "group",
	permission.Server: "server", permission.Assignment: "server", permission.Websh: "server", permission.WebFTP: "server",
	permission.Command: "server", permission.Editor: "server", permission.Tunnel: "server", permission.Sudo: "server",
	permission.DeployShell: "server", permission.Note: "server",
	permission.Application: "application", permission.ServiceToken: "application",
}

// texts returns the permissions that are written in a text.
func texts(list string) permission.Set {
	var out []permission.Permission
	for _, text := range strings.Fields(list) {
		p, err := permission.Parse(text)
		if err != nil {
			panic(text)
		}
		out = append(out, p)
	}
	return permission.SetOf(out...)
}

const (
	openedByAll = "server:read server:access "
	everyAccess = openedByAll + "websh:create command:create tunnel:create webftp:create editor:create deploy_shell:create sudo:access "
	inGroup     = "group:read "
	runsGroup   = inGroup + "membership:read membership:create membership:update membership:delete "
	runsServer  = everyAccess + "server:update server:operate assignment:read assignment:create assignment:delete note:read note:create note:update note:delete "
	runsApp     = "application:read application:update service_token:read service_token:create service_token:update service_token:delete "
)

var opens = map[authz.Access]string{
	authz.Terminal: "websh:create command:create tunnel:create", authz.FileAccess: "webftp:create editor:create",
	authz.DeployShell: "deploy_shell:create", authz.Sudo: "sudo:access",
}

// inGroupAs and owning say what comes with a place, or with owning something.
var (
	inGroupAs = map[authz.MemberRole]permission.Set{
		authz.GroupMember: texts(inGroup), authz.GroupManager: texts(runsGroup), authz.GroupOwner: texts(runsGroup + "group:update group:delete"),
	}
	owning = map[string][2]permission.Set{
		"server":      {texts(runsServer + "server:delete"), texts(runsServer)},
		"application": {texts(runsApp + "application:delete"), texts(runsApp)},
	}
	accesses = func() map[authz.Access]permission.Set {
		out := map[authz.Access]permission.Set{}
		for a := authz.Access(1); a < 16; a++ {
			list := openedByAll
			for one, text := range opens {
				if a&one != 0 {
					list += text + " "
				}
			}
			out[a] = texts(list)
		}
		return out
	}()
)

// named reports whether an object has a name that the pattern matches.
func (o thing) named(pattern string) bool { return o.Name != "" && matches(pattern, o.Name) }

// matches is a matcher of names of its own.
func matches(pattern, name string) bool {
	switch {
	case pattern == "":
		return name == ""
	case pattern[0] == '*':
		return matches(pattern[1:], name) || name != "" && matches(pattern, name[1:])
	}
	return name != "" && pattern[0] == name[0] && matches(pattern[1:], name[1:])
}

// askedOn holds the permissions that are asked on objects of each kind; all are on
// everything.
var askedOn = func() map[string]permission.Set {
	out := map[string]permission.Set{}
	for _, what := range permission.Catalogue {
		out[""] = out[""].Union(permission.SetOf(what))
		if k := kindNames[what.Resource]; k != "" {
			out[k] = out[k].Union(permission.SetOf(what))
		}
	}
	return out
}()

// pairs are permissions on objects; the zero id is everything.
type pairs map[id.UUID]permission.Set

func (p pairs) has(what permission.Permission, on id.UUID) bool { return p[on].Has(what) }

// A thing is an object that is asked about.
type thing struct {
	authz.Object
	kind string // "" of what stands for everything
}

// A model is the rows of a workspace.
type model struct {
	rows   authz.Chunk
	things []thing
}

// things returns all objects of rows, everything, and these others.
func thingsOf(c authz.Chunk, others ...thing) []thing {
	out := append([]thing{{}}, others...)
	for _, s := range c.Servers {
		out = append(out, thing{s.Object(), "server"})
	}
	for _, g := range c.Groups {
		out = append(out, thing{authz.Object{ID: g.ID, Name: g.Name}, "group"})
	}
	for _, a := range c.Applications {
		out = append(out, thing{a.Object(), "application"})
	}
	return out
}

func over(until, at time.Time) bool { return !until.IsZero() && !at.Before(until) }

// pairs returns what somebody holds at an instant.
func (m model) pairs(p *authz.Principal, at time.Time) pairs {
	held := pairs{}
	give := func(what permission.Set, covers func(thing) bool) {
		for _, o := range m.things {
			if covers(o) {
				held[o.ID] = held[o.ID].Union(what.Intersect(askedOn[o.kind]))
			}
		}
	}
	always := func(thing) bool { return true }
	role := func(of id.UUID) {
		for _, r := range m.rows.Roles {
			if r.ID != of {
				continue
			}
			give(r.Permissions, func(o thing) bool {
				return len(r.Scope.Objects)+len(r.Scope.Names) == 0 || o.kind != "" && listed(o, r.Scope.Objects, r.Scope.Names)
			})
		}
	}
	assigned := func(subject id.UUID, group bool) {
		for _, a := range m.rows.Assignments {
			if a.Subject == subject && a.Group == group && !over(a.Until, at) {
				give(accesses[a.Access], func(o thing) bool {
					return o.kind == "server" && (o.ID == a.Server || o.named(a.Name.String()))
				})
			}
		}
	}
	give(authz.BuiltIn(p.Role), always)
	for _, a := range p.Roles {
		if !over(a.Until, at) {
			role(a.Role)
		}
	}
	assigned(p.ID.UUID(), false)
	for _, mine := range p.Memberships {
		for _, g := range m.rows.Groups {
			if g.ID != mine.Group || over(mine.Until, at) {
				continue
			}
			give(inGroupAs[mine.Role], func(o thing) bool { return o.ID == g.ID })
			for _, r := range g.Roles {
				role(r)
			}
			give(accesses[g.Access], func(o thing) bool { return o.kind == "server" && listed(o, g.Servers, g.Names) })
			assigned(g.ID, true)
		}
	}
	for _, g := range p.Grants {
		if !at.Before(g.From) && !over(g.Until, at) {
			give(g.Permissions, func(o thing) bool { return g.Object.Zero() || o.ID == g.Object })
		}
	}
	for _, o := range m.things {
		sets := owning[o.kind]
		if o.Owner == p.ID.UUID() {
			give(sets[0], func(other thing) bool { return other.ID == o.ID })
		}
		for _, who := range o.Managers {
			if who == p.ID.UUID() {
				give(sets[1], func(other thing) bool { return other.ID == o.ID })
			}
		}
	}
	for _, o := range m.things {
		held[o.ID] = held[o.ID].Minus(texts("account:own audit:own"))
	}
	self := p.ID.UUID()
	held[self] = held[self].Union(texts("account:own audit:own user:read"))
	return held
}

func listed(o thing, ids []id.UUID, names []pattern.Pattern) bool {
	for _, i := range ids {
		if i == o.ID {
			return true
		}
	}
	for _, n := range names {
		if o.named(n.String()) {
			return true
		}
	}
	return false
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// some returns up to n of them.
func some[T any](r *rand.Rand, n int, from []T) (out []T) {
	for range r.IntN(n + 1) {
		out = append(out, pick(r, from))
	}
	return out
}

// ids returns n ids of a kind.
func ids(kind byte, n int) (out []id.UUID) {
	for i := range n {
		out = append(out, named(kind, byte(i+1)))
	}
	return out
}

// stranger is a server that the policy does not know, or not yet.
var stranger = named('s', 9)

var nameTexts = []string{"web-1", "web-2", "db-1", "web-db", "*", "web-*", "*-1", "w*b*1", "db-**", "team"}

// randomly returns a small workspace and somebody in it.
func randomly(r *rand.Rand, parse func(string) pattern.Pattern) (model, authz.Principal) {
	end := func() time.Time {
		return pick(r, []time.Time{{}, {}, now, now.Add(-time.Nanosecond), now.Add(time.Nanosecond), now.Add(time.Hour)})
	}
	names := func(n int) (out []pattern.Pattern) {
		for range r.IntN(n + 1) {
			out = append(out, parse(pick(r, nameTexts)))
		}
		return out
	}
	set := func(n int) permission.Set { return permission.SetOf(some(r, n, permission.Catalogue)...) }
	objects := append(append(append(ids('s', 5), ids('g', 3)...), ids('p', 2)...), ids('u', 2)...)
	var c authz.Chunk
	for i, o := range ids('r', 4) {
		c.Roles = append(c.Roles, authz.Role{ID: o, Name: nameTexts[i], Permissions: set(12), Scope: authz.Scope{Objects: some(r, 2, objects), Names: names(1)}})
	}
	for _, o := range ids('g', 3) {
		c.Groups = append(c.Groups, authz.Group{
			ID: o, Name: pick(r, nameTexts), Roles: some(r, 2, ids('r', 5)), Access: authz.Access(r.IntN(16)),
			Servers: some(r, 2, ids('s', 5)), Names: names(1),
		})
	}
	for i, o := range ids('s', 5) {
		c.Servers = append(c.Servers, authz.Server{ID: o, Name: nameTexts[i%4], Owner: pick(r, ids('u', 3)), Managers: some(r, 2, ids('u', 3))})
	}
	for i, o := range ids('p', 2) {
		c.Applications = append(c.Applications, authz.Application{ID: o, Name: nameTexts[i], Owner: pick(r, ids('u', 3)), Managers: some(r, 1, ids('u', 3))})
	}
	for _, o := range ids('a', r.IntN(6)) {
		a := authz.Assignment{ID: o, Access: authz.Access(r.IntN(16)), Until: end()}
		if a.Group = r.IntN(2) == 0; a.Group {
			a.Subject = pick(r, ids('g', 3))
		} else {
			a.Subject = pick(r, ids('u', 2))
		}
		if r.IntN(2) == 0 {
			a.Server = pick(r, ids('s', 5))
		} else {
			a.Name = parse(pick(r, nameTexts))
		}
		c.Assignments = append(c.Assignments, a)
	}
	p := user(1, pick(r, []authz.RoleSetting{authz.Member, authz.Member, authz.Member, authz.Staff, authz.Superuser}), nil)
	for range r.IntN(3) {
		p.Roles = append(p.Roles, authz.RoleAssignment{Role: pick(r, ids('r', 5)), Until: end()})
	}
	for range r.IntN(3) {
		p.Memberships = append(p.Memberships, authz.Membership{Group: pick(r, ids('g', 4)), Role: pick(r, authz.MemberRoles), Until: end()})
	}
	for range r.IntN(2) {
		p.Grants = append(p.Grants, authz.Grant{Permissions: set(4), Object: pick(r, append(objects, id.UUID{})), From: end(), Until: end()})
	}
	m := model{rows: c}
	m.things = thingsOf(c, thing{authz.Object{ID: named('u', 1), Name: "web-1"}, "user"}, thing{authz.Object{ID: named('u', 2), Name: "team"}, "user"},
		thing{authz.Object{ID: stranger, Name: "web-9"}, "server"})
	p.Policy = c.Policy()
	return m, p
}

// cases is how many random workspaces tests look at, and questions each.
func cases() (workspaces, questions int) {
	if os.Getenv("PADDOCK_SOAK") != "" {
		return 50_000, 20
	}
	return 1_000, 20
}

// TestTheModelAgrees asks the package, in its three ways, and cedar what the
// model says: 20,000 questions, a million with PADDOCK_SOAK.
func TestTheModelAgrees(t *testing.T) {
	parse := func(text string) pattern.Pattern { return parsed(t, text) }
	workspaces, questions := cases()
	yes, asks := 0, 0
	for n := range workspaces {
		r := rand.New(rand.NewPCG(uint64(n), 1))
		m, p := randomly(r, parse)
		at := now.Add(pick(r, []time.Duration{0, 0, -time.Nanosecond, time.Nanosecond, time.Hour}))
		held, e := m.pairs(&p, at), p.Effective(at)
		oracle := cedarOf(t, m, &p)
		for range questions {
			o := pick(r, m.things)
			what := pick(r, askedOn[o.kind].Permissions())
			want := held.has(what, o.ID)
			asks++
			if want {
				yes++
			}
			// That an account may not be touched is no matter of the model.
			o.Account = &authz.Principal{Workspace: ws, ID: id.Of[id.Principal](named('u', 99))}
			if got := authz.May(&p, what, o.Object, at); got != want {
				t.Fatalf("workspace %d: %s on %s %s %q: %t, the model says %t", n, what, o.kind, o.ID, o.Name, got, want)
			}
			if got := unfolded(&p, e, what, o); got != want {
				t.Fatalf("workspace %d, unfolded: %s on %s %s: %t, the model says %t", n, what, o.kind, o.ID, got, want)
			}
			if got := oracle(what, o, at); got != want {
				t.Fatalf("workspace %d: %s on %s %s: cedar says %t, the model %t", n, what, o.kind, o.ID, got, want)
			}
		}
	}
	if asks != workspaces*questions || yes < asks/10 || yes > asks*9/10 {
		t.Errorf("%d of %d are held: hardly a question", yes, asks)
	}
}

// unfolded asks Effective, which knows servers of the policy by their place.
func unfolded(p *authz.Principal, e *authz.Effective, what permission.Permission, o thing) bool {
	if _, at, ok := p.Policy.Server(o.ID); ok {
		return e.Server(what, at)
	}
	return e.Other(what, o.Object)
}
