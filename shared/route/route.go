// Package route is the one list of what the HTTP API answers: for each row the
// pattern, the function that serves it and the rule that guards it, as data.
// Package httpapi binds handlers to the rows and refuses to start when a row
// has none; the infrastructure makes the gateway's routes from them.
package route

import (
	"strings"

	"paddock/shared/permission"
)

// A Function is a Lambda function that serves HTTP.
type Function string

// The functions that serve HTTP.
const (
	API     Function = "api"
	Console Function = "console"
	Signin  Function = "signin"
)

// A Form says what kind of rule a row has.
type Form uint8

// The forms of rules.
const (
	// Public rows need no credential; Rule.Reason says why.
	Public Form = iota + 1
	// Self rows concern the caller's own account.
	Self
	// Everywhere rows need the permission on all objects.
	Everywhere
	// Path rows need the permission on the object that the path names.
	Path
	// Body rows need the permission on at least one object; the service
	// decides for each object in the body.
	Body
	// List rows answer what the caller may see.
	List
)

// Forms lists every form, for tests that walk them.
var Forms = []Form{Public, Self, Everywhere, Path, Body, List}

// String returns the form's name.
func (f Form) String() string {
	switch f {
	case Public:
		return "public"
	case Self:
		return "self"
	case Everywhere:
		return "everywhere"
	case Path:
		return "path"
	case Body:
		return "body"
	case List:
		return "list"
	}
	return "unknown"
}

// An Object is a kind of thing that paths name.
type Object uint8

// The kinds of things that paths name.
const (
	User Object = iota + 1
	Group
	Membership
	Role
	RoleAssignment
	Server
	Registration
	Note
	Application
)

// Objects lists them, for tests that walk them.
var Objects = []Object{User, Group, Membership, Role, RoleAssignment, Server, Registration, Note, Application}

// A Rule is what a caller must hold.
type Rule struct {
	Form       Form
	On         Object // Path only: what {id} names
	Permission permission.Permission
	Reason     string // Public only
	Fresh      bool   // needs an MFA proof younger than the workspace's timeout
	CLI        bool   // Fresh only: not of a command line that signed in with a password, which can hold no proof
	Named      bool   // Fresh only: not of an API token whose scopes name the permission; full access names none
	Half       bool   // Self only: also open to a half-signed-in session
	Change     bool   // Self only: also open to a session that must replace its password
	Console    bool   // closed to sessions of command lines
	Token      bool   // Self only: also open to tokens, whatever their scopes
	Person     bool   // Token only: not to those of applications, which have no account
	Device     bool   // Self only: for sessions of device logins, whatever they have proved
	DryRun     bool   // with ?dry_run=true it tells who would gain and lose what, and changes nothing
}

// String returns the rule in one line, as the golden file and the description
// of the API show it.
func (r Rule) String() string {
	text := r.Form.String()
	if r.Form == Public {
		return text + " (" + r.Reason + ")"
	}
	text += " " + r.Permission.String()
	if r.Fresh {
		text += ", fresh proof"
	}
	if r.CLI {
		text += " unless it is a command line's password session"
	}
	if r.Named {
		text += " or a token that names it"
	}
	if r.Half {
		text += ", half-signed-in too"
	}
	if r.Change {
		text += ", password to be replaced too"
	}
	if r.Console {
		text += ", in the console"
	}
	switch {
	case r.Person:
		text += ", tokens of people too"
	case r.Token:
		text += ", tokens too"
	}
	if r.Device {
		text += ", of a device login"
	}
	if r.DryRun {
		text += ", with a dry run"
	}
	return text
}

// A Row is one method and path of the API.
type Row struct {
	Method   string
	Path     string // net/http.ServeMux path; a trailing slash means exactly that
	Function Function
	Rule     Rule
	Wire     bool // kept for compatible clients: unknown fields are ignored
}

// OAuth reports whether the row speaks OAuth: it takes form bodies too, and its
// refusals have the shape of RFC 6749 section 5.2.
func (r Row) OAuth() bool { return strings.HasPrefix(r.Path, "/oauth/") }

// Pattern returns the net/http.ServeMux pattern of the row. A trailing slash
// matches only itself, never what lies below.
func (r Row) Pattern() string {
	if r.Path[len(r.Path)-1] == '/' {
		return r.Method + " " + r.Path + "{$}"
	}
	return r.Method + " " + r.Path
}

func public(reason string) Rule { return Rule{Form: Public, Reason: reason} }
func self() Rule                { return Rule{Form: Self, Permission: permission.OwnAccount} }

// token is for what tells a client who it is: each token opens it. All else of
// one's own account is closed to tokens.
func token() Rule { return Rule{Form: Self, Permission: permission.OwnAccount, Token: true} }

// person is token, of what applications have none of.
func person() Rule {
	r := token()
	r.Person = true
	return r
}

func half() Rule {
	return Rule{Form: Self, Permission: permission.OwnAccount, Half: true}
}

// leaving is half, to tokens too: a command line that holds one forgets it only
// when its logout is answered, and the token goes on.
func leaving() Rule {
	r := half()
	r.Token = true
	return r
}

// device is for what a command line does to earn a proof.
func device() Rule {
	return Rule{Form: Self, Permission: permission.OwnAccount, Device: true}
}

func console(r Rule) Rule {
	r.Console = true
	return r
}
func everywhere(p permission.Permission) Rule { return Rule{Form: Everywhere, Permission: p} }
func path(p permission.Permission) Rule       { return on(User, p) }
func on(o Object, p permission.Permission) Rule {
	return Rule{Form: Path, Permission: p, On: o}
}
func body(p permission.Permission) Rule { return Rule{Form: Body, Permission: p} }
func list(p permission.Permission) Rule { return Rule{Form: List, Permission: p} }
func fresh(r Rule) Rule {
	r.Fresh = true
	return r
}

// able is fresh, for what the command line does from sessions that can hold no
// proof too. Those are of accounts without a second factor, where the workspace
// lets command lines send passwords.
func able(r Rule) Rule {
	r = fresh(r)
	r.CLI = true
	return r
}

// gift is able, for what hands something out. A token goes on whose scopes name
// it: to make one asked for the proof, and it hands out no more than it holds.
func gift(r Rule) Rule {
	r = able(r)
	r.Named = true
	return r
}

// tried is for changes of who may do what: they can be looked at before they are
// made.
func tried(r Rule) Rule {
	r.DryRun = true
	return r
}

// Rows is the API. Order has no meaning.
var Rows = []Row{
	// Signing in.
	{"GET", "/api/auth/env/", Signin, public("clients ask how to sign in"), true},
	{"POST", "/api/auth/login/", Signin, public("nobody is signed in yet"), true},
	{"POST", "/api/auth/logout/", Signin, leaving(), true},
	{"POST", "/api/auth/signin/", Signin, public("nobody is signed in yet"), false},
	{"POST", "/api/auth/invitations/view/", Signin, public("the invitation itself is the credential"), false},
	{"POST", "/api/auth/invitations/accept/", Signin, public("the invitation itself is the credential"), false},
	{"POST", "/api/auth/passkey/challenges/", Signin, public("nobody is signed in yet"), false},
	{"POST", "/api/auth/passkey/challenges/{id}/verify/", Signin, public("nobody is signed in yet"), false},
	{"POST", "/api/auth/mfa/challenges/", Signin, console(half()), false},
	{"GET", "/api/auth/mfa/challenges/{id}/", Signin, console(half()), false},
	{"POST", "/api/auth/mfa/challenges/{id}/verify/", Signin, console(half()), false},
	{"GET", "/api/auth/mfa/factors/", Signin, half(), false},
	{"POST", "/api/auth/mfa/factors/", Signin, console(half()), false},
	{"GET", "/api/auth/mfa/factors/{id}/", Signin, console(half()), false},
	{"POST", "/api/auth/mfa/factors/{id}/confirm/", Signin, console(half()), false},
	{"DELETE", "/api/auth/mfa/factors/{id}/", Signin, console(fresh(self())), false},
	{"POST", "/api/auth/mfa/recovery-codes/", Signin, console(fresh(self())), false},
	{"POST", "/api/auth/password/change/", Signin, console(Rule{Form: Self, Permission: permission.OwnAccount, Change: true}), false},
	{"POST", "/api/auth/password/forgot/", Signin, public("nobody is signed in who forgot the password"), false},
	{"POST", "/api/auth/unlock/", Signin, public("nobody is signed in yet"), false},
	{"GET", "/api/auth/devices/", Signin, self(), false},
	{"DELETE", "/api/auth/devices/{id}/", Signin, self(), false},
	{"POST", "/api/auth/password/reset/", Signin, public("the mailed link is the credential"), false},
	{"POST", "/api/auth/email/confirm/", Signin, public("the mailed link is the credential"), false},
	{"POST", "/api/auth/email/undo/", Signin, public("the mailed link is the credential"), false},
	{"POST", "/api/auth/report/", Signin, public("the mailed link is the credential"), false},
	{"GET", "/api/auth/sessions/", Signin, self(), false},
	{"DELETE", "/api/auth/sessions/{id}/", Signin, self(), false},
	{"POST", "/api/auth/sessions/end-all/", Signin, self(), false},
	{"POST", "/api/auth/sessions/end-others/", Signin, console(self()), false},

	// Device login. The person approves in the console what the command line
	// asks for and polls.
	{"POST", "/oauth/device/code/", Signin, public("nobody is signed in yet"), true},
	{"POST", "/oauth/token/", Signin, public("the device code or refresh token is the credential"), true},
	{"POST", "/oauth/revoke/", Signin, public("the refresh token is the credential"), true},
	{"POST", "/api/auth0/token/blacklist/", Signin, self(), true},
	{"GET", "/api/auth0/mfa/", Signin, device(), true},
	{"GET", "/api/auth0/mfa/completion/", Signin, device(), true},
	{"POST", "/api/auth/mfa/requests/lookup/", Signin, console(self()), false},
	{"POST", "/api/auth/mfa/requests/give/", Signin, console(fresh(self())), false},
	{"POST", "/api/auth/device/lookup/", Signin, console(self()), false},
	{"POST", "/api/auth/device/approve/", Signin, console(self()), false},
	{"POST", "/api/auth/device/deny/", Signin, console(self()), false},

	// Who am I, and is the service there.
	{"GET", "/api/health/", API, public("load balancers and people ask whether it runs"), false},
	{"GET", "/api/openapi.json", API, public("the description of the API is no secret"), false},
	{"GET", "/api/status/", API, token(), true},
	{"GET", "/api/auth/whoami/", API, token(), true},

	// API tokens of one's own, and their rules.
	{"GET", "/api/auth/tokens/", API, self(), true},
	{"POST", "/api/auth/tokens/", API, self(), true},
	{"GET", "/api/auth/tokens/scopes/", API, self(), true},
	{"PATCH", "/api/auth/tokens/{id}/", API, self(), false},
	{"DELETE", "/api/auth/tokens/{id}/", API, self(), true},
	{"GET", "/api/auth/tokens/{id}/usage/", API, self(), false},
	{"POST", "/api/auth/tokens/{id}/duplicate/", API, self(), true},
	{"GET", "/api/security/command-acl/", API, self(), true},
	{"POST", "/api/security/command-acl/", API, self(), true},
	{"DELETE", "/api/security/command-acl/{id}/", API, self(), true},
	{"GET", "/api/security/server-acl/", API, self(), true},
	{"POST", "/api/security/server-acl/", API, self(), true},
	{"POST", "/api/security/server-acl/bulk/", API, self(), true},
	{"POST", "/api/security/server-acl/bulk/delete/", API, self(), true},
	{"DELETE", "/api/security/server-acl/{id}/", API, self(), true},
	{"GET", "/api/security/file-acl/", API, self(), true},
	{"POST", "/api/security/file-acl/", API, self(), true},
	{"DELETE", "/api/security/file-acl/{id}/", API, self(), true},

	// People.
	{"GET", "/api/iam/users/", API, list(permission.ReadUser), true},
	{"GET", "/api/iam/users/-", API, person(), true},
	{"GET", "/api/iam/users/-/", API, person(), true},
	{"GET", "/api/iam/users/{id}/", API, path(permission.ReadUser), true},
	{"POST", "/api/iam/users/", Signin, everywhere(permission.CreateUser), true},
	{"PATCH", "/api/iam/users/-/", API, self(), false},
	{"PATCH", "/api/iam/users/{id}/", API, path(permission.UpdateUser), true},
	{"DELETE", "/api/iam/users/{id}/", Signin, able(path(permission.DeleteUser)), true},
	{"POST", "/api/iam/users/{id}/mfa/reset/", Signin, console(fresh(path(permission.UpdateUser))), false},
	{"GET", "/api/iam/users/{id}/sessions/", API, path(permission.ReadSession), false},
	{"DELETE", "/api/iam/users/{id}/sessions/{session}/", Signin, able(path(permission.DeleteSession)), false},
	{"POST", "/api/iam/users/{id}/sessions/end-all/", Signin, able(path(permission.DeleteSession)), false},
	{"GET", "/api/iam/users/{id}/tokens/", API, path(permission.ReadSession), false},
	{"PATCH", "/api/iam/users/{id}/tokens/{token}/", API, able(path(permission.DeleteSession)), false},
	{"DELETE", "/api/iam/users/{id}/tokens/{token}/", Signin, able(path(permission.DeleteSession)), false},
	{"GET", "/api/iam/users/{id}/tokens/{token}/usage/", API, path(permission.ReadSession), false},
	{"GET", "/api/iam/users/{id}/usage/", API, path(permission.ReadSession), false},
	{"GET", "/api/iam/users/-/usage/", API, self(), false},
	{"POST", "/api/iam/username/", API, self(), true},
	{"GET", "/api/iam/invitations/", API, everywhere(permission.CreateUser), false},
	{"DELETE", "/api/iam/invitations/{id}/", API, everywhere(permission.CreateUser), false},
	{"POST", "/api/workspaces/users/invite/", API, everywhere(permission.CreateUser), true},

	// Groups.
	{"GET", "/api/iam/groups/", API, list(permission.ReadGroup), true},
	{"POST", "/api/iam/groups/", API, tried(gift(everywhere(permission.CreateGroup))), true},
	{"GET", "/api/iam/groups/{id}/", API, on(Group, permission.ReadGroup), true},
	{"PATCH", "/api/iam/groups/{id}/", API, tried(gift(on(Group, permission.UpdateGroup))), true},
	{"DELETE", "/api/iam/groups/{id}/", API, tried(on(Group, permission.DeleteGroup)), true},
	{"GET", "/api/iam/groups/{id}/config/", API, on(Group, permission.ReadGroup), false},
	{"PUT", "/api/iam/groups/{id}/config/", API, tried(gift(on(Group, permission.UpdateGroup))), false},
	{"POST", "/api/iam/groups/import/", API, gift(everywhere(permission.CreateGroup)), false},
	{"GET", "/api/iam/memberships/", API, list(permission.ReadMembership), true},
	{"POST", "/api/iam/memberships/", API, tried(gift(body(permission.CreateMembership))), true},
	{"GET", "/api/iam/memberships/{id}/", API, on(Membership, permission.ReadMembership), false},
	{"PATCH", "/api/iam/memberships/{id}/", API, tried(gift(on(Membership, permission.UpdateMembership))), false},
	{"DELETE", "/api/iam/memberships/{id}/", API, tried(on(Membership, permission.DeleteMembership)), true},

	// Why.
	{"POST", "/api/iam/explain/", API, self(), false},
	{"GET", "/api/iam/decisions/{id}/", API, self(), false},
	{"GET", "/api/iam/reach/", API, self(), false},

	// Roles.
	{"GET", "/api/iam/permissions/", API, self(), false},
	{"GET", "/api/iam/roles/", API, list(permission.ReadRole), false},
	{"POST", "/api/iam/roles/", API, tried(fresh(everywhere(permission.CreateRole))), false},
	{"GET", "/api/iam/roles/{id}/", API, on(Role, permission.ReadRole), false},
	{"PATCH", "/api/iam/roles/{id}/", API, tried(fresh(on(Role, permission.UpdateRole))), false},
	{"DELETE", "/api/iam/roles/{id}/", API, tried(fresh(on(Role, permission.DeleteRole))), false},
	{"GET", "/api/iam/role-assignments/", API, list(permission.ReadRoleAssignment), false},
	{"POST", "/api/iam/role-assignments/", API, tried(fresh(everywhere(permission.CreateRoleAssignment))), false},
	{"DELETE", "/api/iam/role-assignments/{id}/", API, tried(fresh(on(RoleAssignment, permission.DeleteRoleAssignment))), false},

	// Applications, their roles and their tokens.
	{"GET", "/api/iam/applications/", API, list(permission.ReadApplication), false},
	{"POST", "/api/iam/applications/", API, everywhere(permission.CreateApplication), false},
	{"GET", "/api/iam/applications/{id}/", API, on(Application, permission.ReadApplication), false},
	{"PATCH", "/api/iam/applications/{id}/", API, on(Application, permission.UpdateApplication), false},
	{"DELETE", "/api/iam/applications/{id}/", API, fresh(on(Application, permission.DeleteApplication)), false},
	{"GET", "/api/iam/applications/{id}/roles/", API, on(Application, permission.ReadApplication), false},
	{"POST", "/api/iam/applications/{id}/roles/", API, fresh(on(Application, permission.UpdateApplication)), false},
	{"DELETE", "/api/iam/applications/{id}/roles/{assignment}/", API, fresh(on(Application, permission.UpdateApplication)), false},
	{"GET", "/api/iam/applications/{id}/tokens/", API, on(Application, permission.ReadServiceToken), false},
	{"POST", "/api/iam/applications/{id}/tokens/", API, fresh(on(Application, permission.CreateServiceToken)), false},
	{"PATCH", "/api/iam/applications/{id}/tokens/{token}/", API, on(Application, permission.UpdateServiceToken), false},
	{"DELETE", "/api/iam/applications/{id}/tokens/{token}/", API, on(Application, permission.DeleteServiceToken), false},
	{"GET", "/api/iam/applications/{id}/tokens/{token}/usage/", API, on(Application, permission.ReadServiceToken), false},
	{"GET", "/api/iam/applications/{id}/tokens/{token}/rules/", API, on(Application, permission.ReadServiceToken), false},
	{"POST", "/api/iam/applications/{id}/tokens/{token}/rules/", API, fresh(on(Application, permission.UpdateServiceToken)), false},
	{"DELETE", "/api/iam/applications/{id}/tokens/{token}/rules/{rule}/", API, on(Application, permission.UpdateServiceToken), false},

	// Servers.
	{"GET", "/api/servers/servers/", API, list(permission.ReadServer), true},
	{"GET", "/api/servers/servers/{id}/", API, on(Server, permission.ReadServer), true},
	{"PATCH", "/api/servers/servers/{id}/", API, tried(on(Server, permission.UpdateServer)), true},
	{"DELETE", "/api/servers/servers/{id}/", API, on(Server, permission.DeleteServer), true},
	{"POST", "/api/servers/servers/{id}/actions/", API, on(Server, permission.OperateServer), true},
	{"POST", "/api/servers/servers/register/", API, public("the registration token is the credential"), true},
	{"GET", "/api/servers/registration-tokens/", API, everywhere(permission.ReadRegistration), true},
	{"POST", "/api/servers/registration-tokens/", API, gift(everywhere(permission.CreateRegistration)), true},
	{"DELETE", "/api/servers/registration-tokens/{id}/", API, on(Registration, permission.DeleteRegistration), true},
	{"POST", "/api/servers/registration-methods/token-install/guide/", API, everywhere(permission.CreateRegistration), true},
	{"POST", "/api/servers/registration-methods/ansible/guide/", API, everywhere(permission.CreateRegistration), true},
	{"GET", "/api/servers/assignments/", API, list(permission.ReadAssignment), false},
	{"POST", "/api/servers/assignments/", API, tried(gift(body(permission.CreateAssignment))), false},
	{"DELETE", "/api/servers/assignments/{id}/", API, tried(body(permission.DeleteAssignment)), false},
	{"GET", "/api/servers/notes/", API, list(permission.ReadNote), true},
	{"POST", "/api/servers/notes/", API, body(permission.CreateNote), true},
	{"GET", "/api/servers/notes/{id}/", API, on(Note, permission.ReadNote), true},
	{"PATCH", "/api/servers/notes/{id}/", API, on(Note, permission.UpdateNote), true},
	{"DELETE", "/api/servers/notes/{id}/", API, on(Note, permission.DeleteNote), true},

	// The gate of work on servers.
	{"POST", "/api/access/check/", API, token(), false},

	// The workspace.
	{"GET", "/api/workspaces/security/-/", API, everywhere(permission.ReadSecurity), true},
	{"PATCH", "/api/workspaces/security/-/", API, fresh(everywhere(permission.UpdateSecurity)), true},
	{"POST", "/api/workspaces/security/-/preview/", API, console(everywhere(permission.UpdateSecurity)), false},
	{"GET", "/api/workspaces/security/-/mfa-methods/", API, self(), true},
	{"GET", "/api/workspaces/preferences/-/", API, everywhere(permission.ReadPreferences), true},
	{"PATCH", "/api/workspaces/preferences/-/", API, able(everywhere(permission.UpdatePreferences)), true},
	{"GET", "/api/workspaces/access-control/-/", API, everywhere(permission.ReadAccessControl), true},
	{"PATCH", "/api/workspaces/access-control/-/", API, fresh(everywhere(permission.UpdateAccessControl)), true},

	// Plan, invoice contact and seats.
	{"GET", "/api/workspaces/billing/-/", API, everywhere(permission.ReadBilling), false},
	{"PATCH", "/api/workspaces/billing/-/", API, fresh(everywhere(permission.UpdateBilling)), false},

	// The audit log.
	{"GET", "/api/audit/activity/", API, list(permission.ReadAudit), true},
}

// A GatewayRoute sends requests of one key to one function.
type GatewayRoute struct {
	Key      string // API Gateway HTTP API route key
	Function Function
}

// Gateway returns the fewest gateway routes that tell the functions apart.
// The gateway matches the most specific key, so the long ones win.
func Gateway() []GatewayRoute {
	return []GatewayRoute{
		{"ANY /api/auth/{proxy+}", Signin},
		{"ANY /api/auth0/{proxy+}", Signin},
		{"ANY /oauth/{proxy+}", Signin},
		{"ANY /.well-known/{proxy+}", Signin},
		{"ANY /api/auth/tokens/{proxy+}", API},
		{"ANY /api/auth/tokens/", API},
		{"ANY /api/auth/tokens", API},
		{"ANY /api/auth/whoami/{proxy+}", API},
		{"ANY /api/auth/whoami/", API},
		{"ANY /api/auth/whoami", API},
		{"POST /api/iam/users/{proxy+}", Signin},
		{"POST /api/iam/users/", Signin},
		{"POST /api/iam/users", Signin},
		{"DELETE /api/iam/users/{proxy+}", Signin},
		{"ANY /api/{proxy+}", API},
		{"$default", Console},
	}
}
