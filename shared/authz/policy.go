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
	if a == 0 {
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

// A Policy is everything that changes rarely about who may do what in a
// workspace. It never changes; many may use it at once. A nil Policy is empty.
type Policy struct {
	roles       []Role
	groups      []Group
	servers     []Server
	assignments []Assignment

	roleAt, groupAt, serverAt map[id.UUID]int32
	bySubject                 map[id.UUID][]int32 // of assignments
	byManager                 map[id.UUID][]int32 // of servers, by owner and managers

	mu    sync.Mutex
	named map[string]bitset // servers that a pattern matches
}

// NewPolicy returns the policy of these rows, which it keeps. Of rows with one
// id the last counts.
func NewPolicy(roles []Role, groups []Group, servers []Server, assignments []Assignment) *Policy {
	p := &Policy{
		roles: roles, groups: groups, servers: servers, assignments: assignments,
		roleAt: make(map[id.UUID]int32, len(roles)), groupAt: make(map[id.UUID]int32, len(groups)),
		serverAt: make(map[id.UUID]int32, len(servers)), bySubject: make(map[id.UUID][]int32, len(assignments)),
		byManager: map[id.UUID][]int32{}, named: map[string]bitset{},
	}
	for i := range roles {
		p.roleAt[roles[i].ID] = int32(i)
	}
	for i := range groups {
		p.groupAt[groups[i].ID] = int32(i)
	}
	for i := range servers {
		s := &servers[i]
		p.serverAt[s.ID] = int32(i)
		if !s.Owner.Zero() {
			p.byManager[s.Owner] = append(p.byManager[s.Owner], int32(i))
		}
		for _, m := range s.Managers {
			p.byManager[m] = append(p.byManager[m], int32(i))
		}
	}
	for i := range assignments {
		p.bySubject[assignments[i].Subject] = append(p.bySubject[assignments[i].Subject], int32(i))
	}
	return p
}

// Roles returns all custom roles.
func (p *Policy) Roles() []Role { return rows(p, func(p *Policy) []Role { return p.roles }) }

// Groups returns all groups.
func (p *Policy) Groups() []Group { return rows(p, func(p *Policy) []Group { return p.groups }) }

// Servers returns all servers; their order is that of Effective.Servers.
func (p *Policy) Servers() []Server { return rows(p, func(p *Policy) []Server { return p.servers }) }

// Assignments returns all assignments.
func (p *Policy) Assignments() []Assignment {
	return rows(p, func(p *Policy) []Assignment { return p.assignments })
}

func rows[T any](p *Policy, of func(*Policy) []T) []T {
	if p == nil {
		return nil
	}
	return of(p)
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
	return &p.roles[i], true
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
	return &p.groups[i], true
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
	return &p.servers[i], int(i), true
}

// AssignedTo returns the assignments of a user or group.
func (p *Policy) AssignedTo(subject id.UUID) []Assignment {
	if p == nil {
		return nil
	}
	var out []Assignment
	for _, i := range p.bySubject[subject] {
		out = append(out, p.assignments[i])
	}
	return out
}
