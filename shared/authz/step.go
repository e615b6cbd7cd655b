package authz

import (
	"slices"
	"time"

	"paddock/shared/id"
	"paddock/shared/permission"
)

// A StepKind is a kind of change that gives somebody something. Source: design,
// section 8.
type StepKind uint8

// The kinds of steps, in the order in which they are preferred.
const (
	JoinGroup StepKind = iota + 1
	AssignServer
	AssignRole
	SetRoleSetting
)

// StepKinds lists them.
var StepKinds = []StepKind{JoinGroup, AssignServer, AssignRole, SetRoleSetting}

// String returns the kind's name on the wire.
func (k StepKind) String() string {
	switch k {
	case JoinGroup:
		return "membership"
	case AssignServer:
		return "server_assignment"
	case AssignRole:
		return "role_assignment"
	case SetRoleSetting:
		return "role_setting"
	}
	return "unknown"
}

// A Step is one change that gives a subject something, without an end. The
// fields that its kind does not speak of are zero.
type Step struct {
	Kind    StepKind
	Subject id.UUID
	Group   id.UUID // to join, as Member
	Member  MemberRole
	Server  id.UUID // to be assigned, with Access
	Access  Access
	Role    id.UUID // to be assigned
	Setting RoleSetting
	// New counts the pairs of permission and object that it newly allows.
	New int
}

// Apply returns the principal after the step, which must be of it.
func (s Step) Apply(p Principal) Principal {
	switch s.Kind {
	case JoinGroup:
		p.Memberships = append(without(p.Memberships, s.Group), Membership{Group: s.Group, Role: s.Member})
	case AssignServer:
		p.Grants = append(slices.Clone(p.Grants), Grant{Source: "assignment", Permissions: s.Access.Permissions(), Object: s.Server})
	case AssignRole:
		p.Roles = append(slices.Clone(p.Roles), RoleAssignment{Role: s.Role})
	case SetRoleSetting:
		p.Role = s.Setting
	}
	return p
}

// without returns the memberships but those of a group.
func without(all []Membership, group id.UUID) []Membership {
	return slices.DeleteFunc(slices.Clone(all), func(m Membership) bool { return m.Group == group })
}

// place returns what p is in a group at now, 0 for nothing.
func (p *Principal) place(group id.UUID, now time.Time) MemberRole {
	for _, m := range p.Memberships {
		if m.Group == group && live(m.Until, now) {
			return m.Role
		}
	}
	return 0
}

// steps calls yield with the alphabet for a question, in a fixed order: a place
// in each group that is not less than the present one; an assignment of the
// server with the one access that opens what is asked, or the terminal where any
// does; each custom role; each higher role setting. Applications are given roles
// alone.
func (p *Principal) steps(what permission.Permission, o Object, now time.Time, yield func(Step)) {
	self := p.ID.UUID()
	person := p.Role != 0
	if person {
		for _, g := range p.Policy.Groups() {
			for _, r := range MemberRoles {
				if r >= p.place(g.ID, now) {
					yield(Step{Kind: JoinGroup, Subject: self, Group: g.ID, Member: r})
				}
			}
		}
	}
	if a := opening(what); person && a != 0 && !o.Everywhere() {
		yield(Step{Kind: AssignServer, Subject: self, Server: o.ID, Access: a})
	}
	for _, r := range p.Policy.Roles() {
		yield(Step{Kind: AssignRole, Subject: self, Role: r.ID})
	}
	for _, to := range RoleSettings {
		if person && to > p.Role {
			yield(Step{Kind: SetRoleSetting, Subject: self, Setting: to})
		}
	}
}

// opening returns the access that opens a permission, 0 for none.
func opening(what permission.Permission) Access {
	for _, a := range Accesses {
		if a.Permissions().Has(what) {
			return a
		}
	}
	return 0
}

// MayMake says whether p may make a step of a subject at now.
func MayMake(p *Principal, s Step, subject *Principal, now time.Time) error {
	switch s.Kind {
	case JoinGroup:
		after := Membership{Group: s.Group, Role: s.Member}
		for _, before := range subject.Memberships {
			if before.Group == s.Group {
				return MayChangeMembership(p, before, after, now)
			}
		}
		return MayJoin(p, after, now)
	case AssignServer:
		return MayAssign(p, Assignment{Subject: s.Subject, Server: s.Server, Access: s.Access}, now)
	case AssignRole:
		if p.Policy.kind(s.Subject) == application {
			after := append(slices.Clone(subject.Roles), RoleAssignment{Role: s.Role})
			return MayChangeApplication(p, p.Policy.object(s.Subject), subject.Roles, after, now)
		}
		r, ok := p.Policy.Role(s.Role)
		if !ok {
			r = &Role{}
		}
		return MayAssignRole(p, *r, time.Time{}, now)
	case SetRoleSetting:
		return MayPromote(p, s.Setting, now)
	}
	return ErrDenied
}
