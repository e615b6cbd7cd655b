// Package permission holds the closed set of typed permissions. A permission
// is one action on one kind of resource; text such as "server:read" exists
// only in Parse and String.
package permission

import (
	"errors"
	"strings"
)

// A Resource is a kind of object that permissions speak of.
type Resource uint8

// The resources.
const (
	Account Resource = iota + 1 // one's own account: factors, sessions, profile
	AccessControl
	Audit
	Billing
	Group
	Membership
	Preferences
	Security
	Server
	Session // sign-in sessions of other people
	User
	WebFTP
	Websh
	Workspace
)

// Resources lists every resource in the order of their values.
var Resources = []Resource{
	Account, AccessControl, Audit, Billing, Group, Membership, Preferences, Security,
	Server, Session, User, WebFTP, Websh, Workspace,
}

// String returns the resource's name in permission texts.
func (r Resource) String() string {
	switch r {
	case Account:
		return "account"
	case AccessControl:
		return "access_control"
	case Audit:
		return "audit"
	case Billing:
		return "billing"
	case Group:
		return "group"
	case Membership:
		return "membership"
	case Preferences:
		return "preferences"
	case Security:
		return "security"
	case Server:
		return "server"
	case Session:
		return "session"
	case User:
		return "user"
	case WebFTP:
		return "webftp"
	case Websh:
		return "websh"
	case Workspace:
		return "workspace"
	}
	return "unknown"
}

// An Action is what is done to a resource.
type Action uint8

// The actions.
const (
	Access Action = iota + 1 // use it: connect to a server
	Create
	Delete
	Own // act on what is one's own
	Promote
	Read
	Update
)

// Actions lists every action in the order of their values.
var Actions = []Action{Access, Create, Delete, Own, Promote, Read, Update}

// String returns the action's name in permission texts.
func (a Action) String() string {
	switch a {
	case Access:
		return "access"
	case Create:
		return "create"
	case Delete:
		return "delete"
	case Own:
		return "own"
	case Promote:
		return "promote"
	case Read:
		return "read"
	case Update:
		return "update"
	}
	return "unknown"
}

// A Permission is one action on one kind of resource. The zero Permission is
// held by nobody.
type Permission struct {
	Resource Resource
	Action   Action
}

// The permissions that exist. docs/api.md explains each.
var (
	OwnAccount          = Permission{Account, Own}
	ReadAccessControl   = Permission{AccessControl, Read}
	UpdateAccessControl = Permission{AccessControl, Update}
	ReadOwnAudit        = Permission{Audit, Own}
	ReadAudit           = Permission{Audit, Read}
	ReadBilling         = Permission{Billing, Read}
	UpdateBilling       = Permission{Billing, Update}
	CreateGroup         = Permission{Group, Create}
	DeleteGroup         = Permission{Group, Delete}
	ReadGroup           = Permission{Group, Read}
	UpdateGroup         = Permission{Group, Update}
	CreateMembership    = Permission{Membership, Create}
	DeleteMembership    = Permission{Membership, Delete}
	ReadMembership      = Permission{Membership, Read}
	ReadPreferences     = Permission{Preferences, Read}
	UpdatePreferences   = Permission{Preferences, Update}
	ReadSecurity        = Permission{Security, Read}
	UpdateSecurity      = Permission{Security, Update}
	AccessServer        = Permission{Server, Access}
	CreateServer        = Permission{Server, Create}
	DeleteServer        = Permission{Server, Delete}
	ReadServer          = Permission{Server, Read}
	UpdateServer        = Permission{Server, Update}
	DeleteSession       = Permission{Session, Delete}
	ReadSession         = Permission{Session, Read}
	CreateUser          = Permission{User, Create}
	DeleteUser          = Permission{User, Delete}
	PromoteUser         = Permission{User, Promote}
	ReadUser            = Permission{User, Read}
	UpdateUser          = Permission{User, Update}
	CreateWebFTP        = Permission{WebFTP, Create}
	CreateWebsh         = Permission{Websh, Create}
	DeleteWorkspace     = Permission{Workspace, Delete}
	ReadWorkspace       = Permission{Workspace, Read}
	UpdateWorkspace     = Permission{Workspace, Update}
)

// Catalogue lists every permission, sorted by resource and action. The index
// of a permission in it is its bit in a Set and never changes: new ones are
// appended to the stored order below, not inserted.
var Catalogue = []Permission{
	OwnAccount, ReadAccessControl, UpdateAccessControl, ReadOwnAudit, ReadAudit, ReadBilling, UpdateBilling,
	CreateGroup, DeleteGroup, ReadGroup, UpdateGroup, CreateMembership, DeleteMembership, ReadMembership,
	ReadPreferences, UpdatePreferences, ReadSecurity, UpdateSecurity, AccessServer, CreateServer, DeleteServer,
	ReadServer, UpdateServer, DeleteSession, ReadSession, CreateUser, DeleteUser, PromoteUser, ReadUser,
	UpdateUser, CreateWebFTP, CreateWebsh, DeleteWorkspace, ReadWorkspace, UpdateWorkspace,
}

// MaxPermissions bounds the catalogue: a Set is this many bits.
const MaxPermissions = 128

// Index returns the permission's bit in a Set, and false when p is not in the
// catalogue.
func (p Permission) Index() (int, bool) {
	for i, q := range Catalogue {
		if q == p {
			return i, true
		}
	}
	return 0, false
}

// String returns the text form "resource:action".
func (p Permission) String() string { return p.Resource.String() + ":" + p.Action.String() }

// ErrUnknown is returned for text that names no permission of the catalogue.
var ErrUnknown = errors.New("permission: not in the catalogue")

// Parse accepts exactly what String prints for a permission of the catalogue.
// Wildcards, blanks and other letter cases are ErrUnknown.
func Parse(s string) (Permission, error) {
	resource, action, found := strings.Cut(s, ":")
	if !found {
		return Permission{}, ErrUnknown
	}
	for _, p := range Catalogue {
		if p.Resource.String() == resource && p.Action.String() == action {
			return p, nil
		}
	}
	return Permission{}, ErrUnknown
}

// A Set is a set of permissions of the catalogue. The zero Set is empty.
type Set [MaxPermissions / 64]uint64

// SetOf returns the set of ps; what is not in the catalogue is left out.
func SetOf(ps ...Permission) Set {
	var s Set
	for _, p := range ps {
		if i, ok := p.Index(); ok {
			s[i/64] |= 1 << (i % 64)
		}
	}
	return s
}

// Has reports whether p is in s.
func (s Set) Has(p Permission) bool {
	i, ok := p.Index()
	return ok && s[i/64]&(1<<(i%64)) != 0
}

// Union returns what is in s or in t.
func (s Set) Union(t Set) Set {
	for i := range s {
		s[i] |= t[i]
	}
	return s
}
