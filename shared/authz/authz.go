// Package authz decides. A decision is a pure function of a principal, a
// permission, an object and an instant; its proof is a value of type Allowed,
// without which no workspace data can be read or changed. The package promises
// that only it makes such a value, and refuses to know storage and HTTP.
package authz

import (
	"time"

	"paddock/shared/audit"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/permission"
)

// ErrDenied refuses an act that the principal's grants do not cover.
var ErrDenied = fault.Error{
	Kind: fault.Denied, Code: "permission_denied",
	Detail: "Your roles and groups do not permit this.",
}

// A RoleSetting is what a user is set to. Source: specification, "Built-in
// roles". The zero RoleSetting is none and permits nothing.
type RoleSetting uint8

// The role settings.
const (
	Member RoleSetting = iota + 1
	Staff
	Superuser
)

// RoleSettings lists every setting.
var RoleSettings = []RoleSetting{Member, Staff, Superuser}

// String returns the setting's name in events and stored form.
func (r RoleSetting) String() string {
	switch r {
	case Member:
		return "member"
	case Staff:
		return "staff"
	case Superuser:
		return "superuser"
	}
	return "unknown"
}

// BuiltIn returns the name of the role that the setting assigns, "" for none.
// Source: specification, "Built-in roles".
func (r RoleSetting) BuiltIn() string {
	switch r {
	case Member:
		return ""
	case Staff:
		return "admin"
	case Superuser:
		return "superuser"
	}
	return ""
}

// ParseRoleSetting accepts what String prints.
func ParseRoleSetting(s string) (RoleSetting, bool) {
	for _, r := range RoleSettings {
		if r.String() == s {
			return r, true
		}
	}
	return 0, false
}

// An Object is what a permission is asked on. The zero Object stands for all
// objects of the permission's resource. Object items carry what a rule may
// ask, so that a decision never needs a second read.
type Object struct {
	ID       id.UUID
	Owner    id.UUID
	Managers []id.UUID
	Name     string
	// Account is who a user or an application is: nobody acts as an account
	// that may more than they do, or that is not told. Nil for other objects.
	Account *Principal
}

// Everywhere reports whether o stands for all objects.
func (o Object) Everywhere() bool { return o.ID.Zero() }

// A Grant permits some permissions on one object, or on all when Object is
// zero, in the half-open interval [From, Until); a zero Until has no end.
type Grant struct {
	Source      string // what gave it, for reasons: "role admin", "assignment …"
	Permissions permission.Set
	Object      id.UUID
	From, Until time.Time
}

// A Principal is who asks, with everything a decision may look at.
type Principal struct {
	Workspace id.ID[id.Workspace]
	ID        id.ID[id.Principal]
	Actor     audit.Actor // how the audit log names the principal
	Auth      audit.Auth
	ProvedBy  string // the method of the proof that Auth names
	Source    audit.Source
	Role      RoleSetting
	// Roles, Memberships and Grants are the principal's own; what they mean
	// stands in Policy.
	Roles       []RoleAssignment
	Memberships []Membership
	Grants      []Grant
	Policy      *Policy
	// Limits are there for a principal who came with a token.
	Limits  *Limits
	Request Request
}

// A Request is the request that a principal came with, for the audit log.
type Request struct {
	ID      string
	Method  string
	Route   string
	Success int // status that its success answers
	// Refused returns the status that a refusal answers; nil when nothing
	// answers in statuses.
	Refused func(fault.Kind) int
	// DryRun is set where a change is only looked at: nothing but events is stored
	// with its proofs.
	DryRun bool
}

// Allowed is the proof of one decision: who may do what to which object of
// which workspace. The zero Allowed covers nothing.
type Allowed struct {
	workspace  id.ID[id.Workspace]
	principal  Principal
	permission permission.Permission
	object     Object
	decision   audit.Decision
	privileged bool
	task       string
}

// Workspace returns the workspace whose data the proof opens; zero for the
// zero Allowed.
func (a Allowed) Workspace() id.ID[id.Workspace] { return a.workspace }

// Principal returns who was allowed. Tasks and ceremonies have none.
func (a Allowed) Principal() Principal { return a.principal }

// Permission returns what was allowed.
func (a Allowed) Permission() permission.Permission { return a.permission }

// Covers reports whether the proof is of permission p on this object.
func (a Allowed) Covers(p permission.Permission, object id.UUID) bool {
	if a.workspace.Zero() || a.permission != p {
		return false
	}
	if a.object.Everywhere() {
		// Of accounts each is weighed: no proof covers all of them.
		return object.Zero() || !guardedRights.Has(p)
	}
	return a.object.ID == object
}

// Task returns the name of the task or ceremony, empty for principals.
func (a Allowed) Task() string { return a.task }

// Privileged returns a marked as resting on a fresh MFA proof: events name its
// method, and not what the session began with.
func (a Allowed) Privileged() Allowed {
	a.privileged = true
	a.principal.Auth.Method = a.principal.ProvedBy
	return a
}

// Proved reports whether the request was admitted with a fresh proof.
func (a Allowed) Proved() bool { return a.privileged }

// Event starts the audit event of the act that a allows: actor, source, what
// was proved, the decision and the request are filled in.
func (a Allowed) Event(kind audit.Kind, at time.Time) audit.Event {
	e := audit.New(kind, at).WithActor(a.principal.Actor).WithAuth(a.principal.Auth).WithSource(a.principal.Source).
		WithDecision(a.decision)
	if a.task != "" && a.principal.ID.Zero() {
		e = e.WithActor(audit.Actor{Type: audit.SystemActor, Username: a.task})
	}
	if r := a.principal.Request; r.ID != "" {
		e = e.WithRequest(r.ID, audit.HTTP{Method: r.Method, Route: r.Route, Status: r.Success})
	}
	if a.privileged {
		e = e.WithPrivilege()
	}
	return e
}

// Refusal returns an event of this kind about a request that is refused, with
// the status that the refusal answers.
func (a Allowed) Refusal(kind audit.Kind, at time.Time, refusal fault.Error) audit.Event {
	e := a.Event(kind, at)
	e.HTTP.Status = 0
	if r := a.principal.Request; r.ID != "" && r.Refused != nil {
		e.HTTP.Status = r.Refused(refusal.Kind)
	}
	return e
}

// ForTask returns the proof for an entry named in wiring that acts for no
// principal: a consumer, a schedule, a provisioning step. A golden file lists
// its callers.
func ForTask(workspace id.ID[id.Workspace], task string) Allowed {
	return Allowed{workspace: workspace, task: task}
}

// ForCeremony returns the proof for a step of signing in, when nobody is a
// principal yet. who may be the zero Principal. A golden file lists its
// callers.
func ForCeremony(workspace id.ID[id.Workspace], ceremony string, who Principal) Allowed {
	who.Workspace = workspace
	return Allowed{workspace: workspace, task: ceremony, principal: who}
}
