package authz

import (
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
	rows Chunk

	roleAt, groupAt, serverAt, applicationAt map[id.UUID]int32
	bySubject                                map[id.UUID][]int32   // of assignments
	byManager                                map[id.UUID][]managed // by owner and managers

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
		bySubject: make(map[id.UUID][]int32, len(c.Assignments)),
		byManager: map[id.UUID][]managed{}, named: map[string]bitset{},
	}
	p.rows.Roles, p.roleAt = last(c.Roles, func(r *Role) id.UUID { return r.ID })
	p.rows.Groups, p.groupAt = last(c.Groups, func(g *Group) id.UUID { return g.ID })
	p.rows.Servers, p.serverAt = last(c.Servers, func(s *Server) id.UUID { return s.ID })
	p.rows.Applications, p.applicationAt = last(c.Applications, func(a *Application) id.UUID { return a.ID })
	p.rows.Assignments, _ = last(c.Assignments, func(a *Assignment) id.UUID { return a.ID })
	for i := range p.rows.Servers {
		s := &p.rows.Servers[i]
		p.manage(server, int32(i), s.Owner, s.Managers)
	}
	for i := range p.rows.Applications {
		a := &p.rows.Applications[i]
		p.manage(application, int32(i), a.Owner, a.Managers)
	}
	for i := range p.rows.Assignments {
		subject := p.rows.Assignments[i].Subject
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

// last returns the rows that no later one with the same id replaces, and their
// places.
func last[T any](rows []T, of func(*T) id.UUID) ([]T, map[id.UUID]int32) {
	at := make(map[id.UUID]int32, len(rows))
	for i := range rows {
		at[of(&rows[i])] = int32(i)
	}
	if len(at) == len(rows) {
		return rows, at
	}
	kept := make([]T, 0, len(at))
	for i := range rows {
		if at[of(&rows[i])] == int32(i) {
			kept = append(kept, rows[i])
		}
	}
	return last(kept, of)
}

// Roles returns all custom roles.
func (p *Policy) Roles() []Role { return p.all().Roles }

// Groups returns all groups.
func (p *Policy) Groups() []Group { return p.all().Groups }

// Servers returns all servers; their order is that of Effective.Servers.
func (p *Policy) Servers() []Server { return p.all().Servers }

// Assignments returns all assignments.
func (p *Policy) Assignments() []Assignment {
	return p.all().Assignments
}

// Applications returns all applications.
func (p *Policy) Applications() []Application { return p.all().Applications }

func (p *Policy) all() *Chunk {
	if p == nil {
		return &Chunk{}
	}
	return &p.rows
}

// Role returns the role with this id.
func (p *Policy) Role(of id.UUID) (*Role, bool) {
	if p == nil {
		return nil, false
	}
	i, ok := p.roleAt[of]
	if !ok {
		return nil, false
	}
	return &p.rows.Roles[i], true
}

// Group returns the group with this id.
func (p *Policy) Group(of id.UUID) (*Group, bool) {
	if p == nil {
		return nil, false
	}
	i, ok := p.groupAt[of]
	if !ok {
		return nil, false
	}
	return &p.rows.Groups[i], true
}

// Server returns the server with this id and its place in Servers.
func (p *Policy) Server(of id.UUID) (*Server, int, bool) {
	if p == nil {
		return nil, 0, false
	}
	i, ok := p.serverAt[of]
	if !ok {
		return nil, 0, false
	}
	return &p.rows.Servers[i], int(i), true
}

// AssignedTo returns the assignments of a user or group.
func (p *Policy) AssignedTo(subject id.UUID) []Assignment {
	if p == nil {
		return nil
	}
	var out []Assignment
	for _, i := range p.bySubject[subject] {
		out = append(out, p.rows.Assignments[i])
	}
	return out
}

// object returns what the policy tells of an object; of others the id alone.
func (p *Policy) object(of id.UUID) Object {
	if p == nil {
		return Object{ID: of}
	}
	if i, ok := p.serverAt[of]; ok {
		return p.rows.Servers[i].Object()
	}
	if i, ok := p.applicationAt[of]; ok {
		return p.rows.Applications[i].Object()
	}
	if g, ok := p.Group(of); ok {
		return Object{ID: of, Name: g.Name}
	}
	return Object{ID: of}
}
