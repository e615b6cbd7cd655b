package authz

import (
	"errors"
	"time"

	"paddock/shared/id"
	"paddock/shared/pattern"
	"paddock/shared/permission"
)

// A MemberRole is what somebody is in a group. Source: specification,
// "Resource-scoped roles"; alpacon-wire 3.3.
type MemberRole uint8

// The roles of members.
const (
	GroupMember MemberRole = iota + 1
	GroupManager
	GroupOwner
)

// MemberRoles lists them.
var MemberRoles = []MemberRole{GroupMember, GroupManager, GroupOwner}

// String returns the role's name on the wire.
func (r MemberRole) String() string {
	switch r {
	case GroupMember:
		return "member"
	case GroupManager:
		return "manager"
	case GroupOwner:
		return "owner"
	}
	return "unknown"
}

// ParseMemberRole accepts what String prints.
func ParseMemberRole(s string) (MemberRole, bool) {
	for _, r := range MemberRoles {
		if r.String() == s {
			return r, true
		}
	}
	return 0, false
}

// MarshalText returns the role's name.
func (r MemberRole) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText accepts what MarshalText returns.
func (r *MemberRole) UnmarshalText(b []byte) error {
	parsed, ok := ParseMemberRole(string(b))
	if !ok {
		return errors.New("authz: no role of a member")
	}
	*r = parsed
	return nil
}

// A Membership is a place in a group until an end; a zero Until has none.
type Membership struct {
	ID    id.UUID
	Group id.UUID
	Role  MemberRole
	Until time.Time
}

// A RoleAssignment is a custom role that is held until an end.
type RoleAssignment struct {
	ID    id.UUID
	Role  id.UUID
	Until time.Time
}

// live reports whether what ends at until has not at now; half-open.
func live(until, now time.Time) bool { return until.IsZero() || now.Before(until) }

// Permissions that come with being owner or manager of an object, on it alone.
// Source: specification, "Resource-scoped roles".
var (
	groupMember  = permission.SetOf(permission.ReadGroup)
	groupManager = groupMember.Union(permission.SetOf(
		permission.ReadMembership, permission.CreateMembership, permission.UpdateMembership, permission.DeleteMembership))
	groupOwner    = groupManager.Union(permission.SetOf(permission.UpdateGroup, permission.DeleteGroup))
	serverManager = accessRights.Union(permission.SetOf(permission.UpdateServer, permission.OperateServer,
		permission.ReadAssignment, permission.CreateAssignment, permission.DeleteAssignment,
		permission.ReadNote, permission.CreateNote, permission.UpdateNote, permission.DeleteNote))
	serverOwner        = serverManager.Union(permission.SetOf(permission.DeleteServer))
	applicationManager = permission.SetOf(permission.ReadApplication, permission.UpdateApplication,
		permission.ReadServiceToken, permission.CreateServiceToken, permission.UpdateServiceToken, permission.DeleteServiceToken)
	applicationOwner = applicationManager.Union(permission.SetOf(permission.DeleteApplication))
)

// standing returns what somebody of this role may in the group itself.
func (r MemberRole) standing() permission.Set {
	switch r {
	case GroupMember:
		return groupMember
	case GroupManager:
		return groupManager
	case GroupOwner:
		return groupOwner
	}
	return permission.Set{}
}

// A kind is what the objects of a resource are.
type kind uint8

const (
	none kind = iota
	user
	group
	server
	application
)

// kindOf returns on what the permissions of a resource are asked.
func kindOf(r permission.Resource) kind {
	switch r {
	case permission.User, permission.Session, permission.Account:
		return user
	case permission.Group, permission.Membership:
		return group
	case permission.Server, permission.Assignment, permission.Websh, permission.WebFTP, permission.Command,
		permission.Editor, permission.Tunnel, permission.Sudo, permission.DeployShell, permission.Note:
		return server
	case permission.Application, permission.ServiceToken:
		return application
	case permission.AccessControl, permission.Audit, permission.Billing, permission.Preferences, permission.Security,
		permission.Workspace, permission.Policy, permission.Registration, permission.Role, permission.RoleAssignment:
		return none
	}
	return none
}

// OfObjects reports whether a permission speaks of objects that a scope can
// name.
func OfObjects(what permission.Permission) bool { return kindOf(what.Resource) != none }

// owned returns what owners and managers may do with an object of a kind.
func owned(k kind) (owner, manager permission.Set) {
	switch k {
	case server:
		return serverOwner, serverManager
	case application:
		return applicationOwner, applicationManager
	case none, user, group: // of groups the memberships tell
	}
	return permission.Set{}, permission.Set{}
}

// A Reason names what gave a permission: a role or an assignment, and the group
// through which it came, if it did.
type Reason struct {
	What  string // "role", "assignment", "servers of group", "owner", …
	Of    id.UUID
	Group id.UUID
	Text  string // of a grant; of a role setting its name
}

// String returns the reason as decisions hold it.
func (r Reason) String() string {
	out := r.What
	if r.Text != "" {
		out += " " + r.Text
	}
	if !r.Of.Zero() {
		out += " " + r.Of.String()
	}
	if !r.Group.Zero() {
		out += " by group " + r.Group.String()
	}
	return out
}

// A unit is one thing that gives permissions: a set on a scope.
type unit struct {
	set        permission.Set
	only       kind // objects of this kind only; none for any
	everywhere bool
	one        id.UUID
	objects    []id.UUID
	names      []pattern.Pattern
	name       pattern.Pattern
	from       time.Time // it gives in [from, until); a zero until has no end
	until      time.Time
	reason     Reason
}

// covers reports whether u gives the permission on the object.
func (u *unit) covers(what permission.Permission, o Object) bool {
	if !u.set.Has(what) {
		return false
	}
	if u.only != none && u.only != kindOf(what.Resource) {
		return false
	}
	return u.reaches(o)
}

// reaches reports whether the object is of u's scope.
func (u *unit) reaches(o Object) bool {
	if u.everywhere {
		return true
	}
	if o.ID.Zero() {
		return false
	}
	if u.one == o.ID || u.name.Kind() != 0 && o.Name != "" && u.name.Match(o.Name) {
		return true
	}
	return Scope{Objects: u.objects, Names: u.names}.lists(o)
}

// live reports whether u gives at each instant from first to last.
func (u *unit) live(first, last time.Time) bool { return !first.Before(u.from) && live(u.until, last) }

// each calls yield with everything that gives p something at some time, until
// yield returns false. What p owns is not among it: judge asks the object, and
// belongings the policy.
func (p *Principal) each(yield func(unit) bool) {
	if set := BuiltIn(p.Role); !set.Empty() &&
		!yield(unit{set: set, everywhere: true, reason: Reason{What: "role", Text: p.Role.String()}}) {
		return
	}
	for _, a := range p.Roles {
		if !p.role(a.Role, a.Until, id.UUID{}, yield) {
			return
		}
	}
	if !p.assigned(p.ID.UUID(), time.Time{}, id.UUID{}, yield) {
		return
	}
	for _, m := range p.Memberships {
		if !p.member(m, yield) {
			return
		}
	}
	for _, g := range p.Grants {
		if !yield(unit{
			set: g.Permissions, everywhere: g.Object.Zero(), one: g.Object, from: g.From, until: g.Until, reason: Reason{What: g.Source},
		}) {
			return
		}
	}
}

// belongings calls yield with what p owns and manages, as the policy tells.
func (p *Principal) belongings(yield func(unit) bool) {
	if p.Policy == nil {
		return
	}
	for _, m := range p.Policy.byManager[p.ID.UUID()] {
		owner, manager := owned(m.kind)
		u := unit{set: manager, only: m.kind, reason: Reason{What: "manager"}}
		if m.owner {
			u.set, u.reason = owner, Reason{What: "owner"}
		}
		if m.kind == server {
			u.one = p.Policy.servers.rows[m.at].ID
		} else {
			u.one = p.Policy.applications.rows[m.at].ID
		}
		if !yield(u) {
			return
		}
	}
}

func (p *Principal) role(of id.UUID, until time.Time, by id.UUID, yield func(unit) bool) bool {
	r, ok := p.Policy.Role(of)
	return !ok || yield(unit{
		set: r.Permissions, everywhere: r.Scope.Everywhere(), objects: r.Scope.Objects, names: r.Scope.Names,
		until: until, reason: Reason{What: "role", Of: r.ID, Group: by},
	})
}

// assigned yields the assignments of a subject: p, or a group through which
// they count until an end.
func (p *Principal) assigned(subject id.UUID, until time.Time, by id.UUID, yield func(unit) bool) bool {
	if p.Policy == nil {
		return true
	}
	for _, i := range p.Policy.bySubject[subject] {
		a := &p.Policy.assignments[i]
		if a.Group != !by.Zero() {
			continue
		}
		if !yield(unit{
			set: a.Access.Permissions(), only: server, one: a.Server, name: a.Name,
			until: earlier(until, a.Until), reason: Reason{What: "assignment", Of: a.ID, Group: by},
		}) {
			return false
		}
	}
	return true
}

// earlier returns the first of two ends, of which zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// member yields what a membership gives.
func (p *Principal) member(m Membership, yield func(unit) bool) bool {
	g, ok := p.Policy.Group(m.Group)
	if !ok {
		return true
	}
	own := m.Role.standing()
	if own.Empty() {
		return true // no role that is
	}
	if !yield(unit{set: own, only: group, one: g.ID, until: m.Until, reason: Reason{What: "group", Text: m.Role.String(), Of: g.ID}}) {
		return false
	}
	for _, r := range g.Roles {
		if !p.role(r, m.Until, g.ID, yield) {
			return false
		}
	}
	if g.Access != 0 && (len(g.Servers) > 0 || len(g.Names) > 0) && !yield(unit{
		set: g.Access.Permissions(), only: server, objects: g.Servers, names: g.Names,
		until: m.Until, reason: Reason{What: "servers of group", Of: g.ID},
	}) {
		return false
	}
	return p.assigned(g.ID, m.Until, g.ID, yield)
}
