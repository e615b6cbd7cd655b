package authz

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"paddock/shared/id"
	"paddock/shared/pattern"
	"paddock/shared/permission"
)

// A Scope says on which objects something counts: those with these ids and
// those whose name a pattern matches. The zero Scope is all objects.
type Scope struct {
	Objects []id.UUID
	Names   []pattern.Pattern
}

// Everywhere reports whether s is all objects.
func (s Scope) Everywhere() bool { return len(s.Objects) == 0 && len(s.Names) == 0 }

// Holds reports whether s holds an object. What stands for all objects is held
// only by what is everywhere.
func (s Scope) Holds(o Object) bool { return s.Everywhere() || s.lists(o) }

// lists reports whether s names the object; an empty list names none.
func (s Scope) lists(o Object) bool {
	if o.ID.Zero() {
		return false
	}
	return slices.Contains(s.Objects, o.ID) ||
		o.Name != "" && slices.ContainsFunc(s.Names, func(p pattern.Pattern) bool { return p.Match(o.Name) })
}

// Access is what an assignment to servers opens. Source: specification, "Group
// configuration".
type Access uint8

// The accesses, to be joined.
const (
	Terminal    Access = 1 << iota // web terminal, commands, port forwarding
	FileAccess                     // file transfer, code editor
	DeployShell                    // terminal as a system account
	Sudo                           // privilege elevation
)

// Accesses lists them.
var Accesses = []Access{Terminal, FileAccess, DeployShell, Sudo}

const allAccess = Terminal | FileAccess | DeployShell | Sudo

var accessSets = [...]permission.Set{
	permission.SetOf(permission.CreateWebsh, permission.CreateCommand, permission.CreateTunnel),
	permission.SetOf(permission.CreateWebFTP, permission.CreateEditor),
	permission.SetOf(permission.CreateDeployShell),
	permission.SetOf(permission.AccessSudo),
}

// seen comes with every access.
var seen = permission.SetOf(permission.ReadServer, permission.AccessServer)

// accessRights are what assignments can open: nobody has them by a role
// setting.
var accessRights = func() permission.Set {
	all := seen
	for _, s := range accessSets {
		all = all.Union(s)
	}
	return all
}()

var accessNames = [...]string{"terminal", "webftp", "deploy_shell", "sudo"}

// String returns the names of the accesses in a, as group configurations write
// them, with blanks between.
func (a Access) String() string {
	var out []string
	for i, name := range accessNames {
		if a&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return strings.Join(out, " ")
}

// Permissions returns what a opens on each server; nothing for none.
func (a Access) Permissions() permission.Set {
	if a&allAccess == 0 {
		return permission.Set{}
	}
	out := seen
	for i, s := range accessSets {
		if a&(1<<i) != 0 {
			out = out.Union(s)
		}
	}
	return out
}

// A Role is a custom role. Source: specification, "Custom roles".
type Role struct {
	ID          id.UUID
	Name        string
	Permissions permission.Set
	Scope       Scope
}

// A Group is what a group gives each of its members.
type Group struct {
	ID      id.UUID
	Name    string
	Roles   []id.UUID
	Access  Access
	Servers []id.UUID
	Names   []pattern.Pattern
}

// An Assignment gives a user or a group servers: one, or all whose name a
// pattern matches, until an end; a zero Until has none.
type Assignment struct {
	ID      id.UUID
	Subject id.UUID // a user or a group
	Group   bool
	Server  id.UUID         // zero with a pattern
	Name    pattern.Pattern // zero with a server
	Access  Access
	Until   time.Time
}

// A Server is what decisions ask of a server.
type Server struct {
	ID       id.UUID
	Name     string
	Owner    id.UUID
	Managers []id.UUID
}

// Object returns the server as object of a decision.
func (s Server) Object() Object {
	return Object{ID: s.ID, Name: s.Name, Owner: s.Owner, Managers: s.Managers}
}

// An Application is what decisions ask of an application. What it may itself
// stands with its principal.
type Application struct {
	ID       id.UUID
	Name     string
	Owner    id.UUID
	Managers []id.UUID
}

// Object returns the application as object of a decision; whoever asks for its
// tokens adds the Account.
func (a Application) Object() Object {
	return Object{ID: a.ID, Name: a.Name, Owner: a.Owner, Managers: a.Managers}
}

// A Policy is everything that changes rarely about who may do what in a
// workspace. It never changes; many may use it at once. A nil Policy is empty.
type Policy struct {
	roles        index[Role]
	groups       index[Group]
	servers      index[Server]
	applications index[Application]
	assignments  []Assignment

	bySubject map[id.UUID][]int32   // of assignments
	byManager map[id.UUID][]managed // by owner and managers

	mu    sync.Mutex
	named map[string]bitset // servers that a pattern matches
}

// A managed is the place of an object that somebody owns or manages.
type managed struct {
	kind  kind
	at    int32
	owner bool
}

// NewPolicy returns the policy of these rows, which it keeps, and of no
// applications. Of rows of a kind with one id the last counts.
func NewPolicy(roles []Role, groups []Group, servers []Server, assignments []Assignment) *Policy {
	return Chunk{Roles: roles, Groups: groups, Servers: servers, Assignments: assignments}.Policy()
}

// Policy returns the policy of the rows of c, which it keeps. Of rows of a kind
// with one id the last counts.
func (c Chunk) Policy() *Policy {
	p := &Policy{
		roles:        newIndex(c.Roles, func(r *Role) id.UUID { return r.ID }),
		groups:       newIndex(c.Groups, func(g *Group) id.UUID { return g.ID }),
		servers:      newIndex(c.Servers, func(s *Server) id.UUID { return s.ID }),
		applications: newIndex(c.Applications, func(a *Application) id.UUID { return a.ID }),
		assignments:  newIndex(c.Assignments, func(a *Assignment) id.UUID { return a.ID }).rows,
		bySubject:    make(map[id.UUID][]int32, len(c.Assignments)),
		byManager:    map[id.UUID][]managed{}, named: map[string]bitset{},
	}
	for i := range p.servers.rows {
		s := &p.servers.rows[i]
		p.manage(server, int32(i), s.Owner, s.Managers)
	}
	for i := range p.applications.rows {
		a := &p.applications.rows[i]
		p.manage(application, int32(i), a.Owner, a.Managers)
	}
	for i := range p.assignments {
		subject := p.assignments[i].Subject
		p.bySubject[subject] = append(p.bySubject[subject], int32(i))
	}
	return p
}

func (p *Policy) manage(k kind, at int32, owner id.UUID, managers []id.UUID) {
	if !owner.Zero() {
		p.byManager[owner] = append(p.byManager[owner], managed{k, at, true})
	}
	for _, m := range managers {
		if m != owner {
			p.byManager[m] = append(p.byManager[m], managed{k, at, false})
		}
	}
}

// OwnedBy returns how many servers and applications somebody owns.
func (p *Policy) OwnedBy(who id.UUID) int {
	n := 0
	for _, m := range p.orEmpty().byManager[who] {
		if m.owner {
			n++
		}
	}
	return n
}

// empty stands for a nil Policy.
var empty = Chunk{}.Policy()

func (p *Policy) orEmpty() *Policy { return cmp.Or(p, empty) }

// Roles returns all custom roles.
func (p *Policy) Roles() []Role { return p.orEmpty().roles.rows }

// Groups returns all groups.
func (p *Policy) Groups() []Group { return p.orEmpty().groups.rows }

// Servers returns all servers; their order is that of Effective.Servers.
func (p *Policy) Servers() []Server { return p.orEmpty().servers.rows }

// Applications returns all applications.
func (p *Policy) Applications() []Application { return p.orEmpty().applications.rows }

// Assignments returns all assignments.
func (p *Policy) Assignments() []Assignment { return p.orEmpty().assignments }

// row returns the row with this id and its place.
func row[T any](x *index[T], of id.UUID) (*T, int, bool) {
	i, ok := x.place(of)
	if !ok {
		return nil, 0, false
	}
	return &x.rows[i], i, true
}

// Role returns the role with this id.
func (p *Policy) Role(of id.UUID) (*Role, bool) {
	r, _, ok := row(&p.orEmpty().roles, of)
	return r, ok
}

// Group returns the group with this id.
func (p *Policy) Group(of id.UUID) (*Group, bool) {
	g, _, ok := row(&p.orEmpty().groups, of)
	return g, ok
}

// Server returns the server with this id and its place in Servers.
func (p *Policy) Server(of id.UUID) (*Server, int, bool) { return row(&p.orEmpty().servers, of) }

// Application returns the application with this id.
func (p *Policy) Application(of id.UUID) (*Application, bool) {
	a, _, ok := row(&p.orEmpty().applications, of)
	return a, ok
}

// AssignedTo returns the assignments of a user or group.
func (p *Policy) AssignedTo(subject id.UUID) []Assignment {
	p = p.orEmpty()
	var out []Assignment
	for _, i := range p.bySubject[subject] {
		out = append(out, p.assignments[i])
	}
	return out
}

// object returns what the policy tells of an object; of others the id alone.
func (p *Policy) object(of id.UUID) Object {
	if s, _, ok := p.Server(of); ok {
		return s.Object()
	}
	if a, ok := p.Application(of); ok {
		return a.Object()
	}
	if g, ok := p.Group(of); ok {
		return Object{ID: of, Name: g.Name}
	}
	return Object{ID: of}
}
