// Package permission holds the closed set of typed permissions. A permission
// is one action on one kind of resource; text such as "server:read" exists
// only in Parse and String.
package permission

import (
	"errors"
	"math/bits"
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
	Application
	Assignment   // of servers to people and groups
	Command      // commands run on servers
	DeployShell  // a terminal as a system account
	Editor       // files edited in the browser
	Note         // notes on servers
	Policy       // who may what, and why
	Registration // tokens with which servers register
	Role
	RoleAssignment // of roles to people, groups and applications
	ServiceToken   // tokens of applications
	Sudo           // elevation on servers
	Tunnel         // ports of servers
)

// resourceNames are the names of resources in permission texts.
var resourceNames = [...]string{
	Account:        "account",
	AccessControl:  "access_control",
	Audit:          "audit",
	Billing:        "billing",
	Group:          "group",
	Membership:     "membership",
	Preferences:    "preferences",
	Security:       "security",
	Server:         "server",
	Session:        "session",
	User:           "user",
	WebFTP:         "webftp",
	Websh:          "websh",
	Workspace:      "workspace",
	Application:    "application",
	Assignment:     "assignment",
	Command:        "command",
	DeployShell:    "deploy_shell",
	Editor:         "editor",
	Note:           "note",
	Policy:         "policy",
	Registration:   "registration",
	Role:           "role",
	RoleAssignment: "role_assignment",
	ServiceToken:   "service_token",
	Sudo:           "sudo",
	Tunnel:         "tunnel",
}

// Resources lists every resource in the order of their values.
var Resources = []Resource{
	Account, AccessControl, Audit, Billing, Group, Membership, Preferences, Security, Server, Session, User, WebFTP, Websh, Workspace,
	Application, Assignment, Command, DeployShell, Editor, Note, Policy, Registration, Role, RoleAssignment, ServiceToken, Sudo, Tunnel,
}

// String returns the resource's name in permission texts.
func (r Resource) String() string {
	if r == 0 || int(r) >= len(resourceNames) {
		return "unknown"
	}
	return resourceNames[r]
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
	Operate // reboot it, upgrade it
)

// actionNames are the names of actions in permission texts.
var actionNames = [...]string{
	Access:  "access",
	Create:  "create",
	Delete:  "delete",
	Own:     "own",
	Promote: "promote",
	Read:    "read",
	Update:  "update",
	Operate: "operate",
}

// Actions lists every action in the order of their values.
var Actions = []Action{Access, Create, Delete, Own, Promote, Read, Update, Operate}

// String returns the action's name in permission texts.
func (a Action) String() string {
	if a == 0 || int(a) >= len(actionNames) {
		return "unknown"
	}
	return actionNames[a]
}

// A Permission is one action on one kind of resource. The zero Permission is
// held by nobody.
type Permission struct {
	Resource Resource
	Action   Action
}

// The permissions that exist. docs/api.md explains each.
var (
	ReadAccessControl    = Permission{AccessControl, Read}
	UpdateAccessControl  = Permission{AccessControl, Update}
	OwnAccount           = Permission{Account, Own}
	CreateApplication    = Permission{Application, Create}
	DeleteApplication    = Permission{Application, Delete}
	ReadApplication      = Permission{Application, Read}
	UpdateApplication    = Permission{Application, Update}
	CreateAssignment     = Permission{Assignment, Create}
	DeleteAssignment     = Permission{Assignment, Delete}
	ReadAssignment       = Permission{Assignment, Read}
	ReadOwnAudit         = Permission{Audit, Own}
	ReadAudit            = Permission{Audit, Read}
	ReadBilling          = Permission{Billing, Read}
	UpdateBilling        = Permission{Billing, Update}
	CreateCommand        = Permission{Command, Create}
	CreateDeployShell    = Permission{DeployShell, Create}
	CreateEditor         = Permission{Editor, Create}
	CreateGroup          = Permission{Group, Create}
	DeleteGroup          = Permission{Group, Delete}
	ReadGroup            = Permission{Group, Read}
	UpdateGroup          = Permission{Group, Update}
	CreateMembership     = Permission{Membership, Create}
	DeleteMembership     = Permission{Membership, Delete}
	ReadMembership       = Permission{Membership, Read}
	UpdateMembership     = Permission{Membership, Update}
	CreateNote           = Permission{Note, Create}
	DeleteNote           = Permission{Note, Delete}
	ReadNote             = Permission{Note, Read}
	UpdateNote           = Permission{Note, Update}
	ReadPolicy           = Permission{Policy, Read}
	ReadPreferences      = Permission{Preferences, Read}
	UpdatePreferences    = Permission{Preferences, Update}
	CreateRegistration   = Permission{Registration, Create}
	DeleteRegistration   = Permission{Registration, Delete}
	ReadRegistration     = Permission{Registration, Read}
	CreateRole           = Permission{Role, Create}
	DeleteRole           = Permission{Role, Delete}
	ReadRole             = Permission{Role, Read}
	UpdateRole           = Permission{Role, Update}
	CreateRoleAssignment = Permission{RoleAssignment, Create}
	DeleteRoleAssignment = Permission{RoleAssignment, Delete}
	ReadRoleAssignment   = Permission{RoleAssignment, Read}
	ReadSecurity         = Permission{Security, Read}
	UpdateSecurity       = Permission{Security, Update}
	AccessServer         = Permission{Server, Access}
	CreateServer         = Permission{Server, Create}
	DeleteServer         = Permission{Server, Delete}
	OperateServer        = Permission{Server, Operate}
	ReadServer           = Permission{Server, Read}
	UpdateServer         = Permission{Server, Update}
	CreateServiceToken   = Permission{ServiceToken, Create}
	DeleteServiceToken   = Permission{ServiceToken, Delete}
	ReadServiceToken     = Permission{ServiceToken, Read}
	UpdateServiceToken   = Permission{ServiceToken, Update}
	DeleteSession        = Permission{Session, Delete}
	ReadSession          = Permission{Session, Read}
	AccessSudo           = Permission{Sudo, Access}
	CreateTunnel         = Permission{Tunnel, Create}
	CreateUser           = Permission{User, Create}
	DeleteUser           = Permission{User, Delete}
	PromoteUser          = Permission{User, Promote}
	ReadUser             = Permission{User, Read}
	UpdateUser           = Permission{User, Update}
	CreateWebFTP         = Permission{WebFTP, Create}
	CreateWebsh          = Permission{Websh, Create}
	DeleteWorkspace      = Permission{Workspace, Delete}
	ReadWorkspace        = Permission{Workspace, Read}
	UpdateWorkspace      = Permission{Workspace, Update}
)

// Catalogue lists every permission. The index of a permission in it is its bit
// in a Set, which is stored, and never changes: new ones are appended.
var Catalogue = []Permission{
	OwnAccount, ReadAccessControl, UpdateAccessControl, ReadOwnAudit, ReadAudit, ReadBilling,
	UpdateBilling, CreateGroup, DeleteGroup, ReadGroup, UpdateGroup, CreateMembership,
	DeleteMembership, ReadMembership, ReadPreferences, UpdatePreferences, ReadSecurity, UpdateSecurity,
	AccessServer, CreateServer, DeleteServer, ReadServer, UpdateServer, DeleteSession,
	ReadSession, CreateUser, DeleteUser, PromoteUser, ReadUser, UpdateUser,
	CreateWebFTP, CreateWebsh, DeleteWorkspace, ReadWorkspace, UpdateWorkspace, CreateApplication,
	DeleteApplication, ReadApplication, UpdateApplication, CreateAssignment, DeleteAssignment, ReadAssignment,
	CreateCommand, CreateDeployShell, CreateEditor, UpdateMembership, CreateNote, DeleteNote,
	ReadNote, UpdateNote, ReadPolicy, CreateRegistration, DeleteRegistration, ReadRegistration,
	CreateRole, DeleteRole, ReadRole, UpdateRole, CreateRoleAssignment, DeleteRoleAssignment,
	ReadRoleAssignment, OperateServer, CreateServiceToken, DeleteServiceToken, ReadServiceToken, UpdateServiceToken,
	AccessSudo, CreateTunnel,
}

// MaxPermissions bounds the catalogue: a Set is this many bits.
const MaxPermissions = 128

// places holds for each resource and action the bit of the permission plus one,
// 0 for what is not in the catalogue.
var places = func() (b [len(resourceNames)][len(actionNames)]uint8) {
	for i, p := range Catalogue {
		b[p.Resource][p.Action] = uint8(i + 1)
	}
	return b
}()

// Index returns the permission's bit in a Set, and false when p is not in the
// catalogue.
func (p Permission) Index() (int, bool) {
	if int(p.Resource) >= len(resourceNames) || int(p.Action) >= len(actionNames) {
		return 0, false
	}
	b := places[p.Resource][p.Action]
	return int(b) - 1, b != 0
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

// Empty reports whether nothing is in s.
func (s Set) Empty() bool { return s == Set{} }

// Intersect returns what is in s and in t.
func (s Set) Intersect(t Set) Set {
	for i := range s {
		s[i] &= t[i]
	}
	return s
}

// Minus returns what is in s and not in t.
func (s Set) Minus(t Set) Set {
	for i := range s {
		s[i] &^= t[i]
	}
	return s
}

// Permissions returns what is in s, in the order of the catalogue.
func (s Set) Permissions() []Permission {
	var out []Permission
	for _, p := range Catalogue {
		if s.Has(p) {
			out = append(out, p)
		}
	}
	return out
}

// Len returns how many permissions are in s.
func (s Set) Len() int { return bits.OnesCount64(s[0]) + bits.OnesCount64(s[1]) }
