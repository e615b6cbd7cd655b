package authz

import (
	"time"

	"paddock/shared/audit"
	"paddock/shared/id"
	"paddock/shared/permission"
)

// Permissions of the built-in roles. Source: specification, "Built-in roles"
// and "Permission matrix". Being staff or superuser gives no access to a
// server: everyone needs an assignment (reading A4 of the matrix).
var (
	adminRole = permission.SetOf(
		permission.ReadUser, permission.CreateUser, permission.UpdateUser, permission.DeleteUser,
		permission.ReadSession, permission.DeleteSession,
		permission.ReadGroup, permission.CreateGroup, permission.UpdateGroup, permission.DeleteGroup,
		permission.ReadMembership, permission.CreateMembership, permission.DeleteMembership,
		permission.ReadServer, permission.CreateServer, permission.UpdateServer, permission.DeleteServer,
		permission.ReadAudit,
		permission.ReadSecurity, permission.ReadPreferences, permission.ReadAccessControl, permission.ReadWorkspace,
	)
	superuserRole = adminRole.Union(permission.SetOf(
		permission.PromoteUser,
		permission.UpdateSecurity, permission.UpdatePreferences, permission.UpdateAccessControl,
		permission.ReadBilling, permission.UpdateBilling,
		permission.UpdateWorkspace, permission.DeleteWorkspace,
	))
	// ownRights are held by everyone, each on what is their own.
	ownRights = permission.SetOf(permission.OwnAccount, permission.ReadOwnAudit)
	// AssignmentRights come with being assigned to a server.
	AssignmentRights = permission.SetOf(permission.ReadServer, permission.AccessServer,
		permission.CreateWebsh, permission.CreateWebFTP)
	// guardedRights may be used on a superuser's account only by a superuser
	// (reading A1 of the matrix).
	guardedRights = permission.SetOf(permission.UpdateUser, permission.DeleteUser, permission.DeleteSession)
)

// BuiltIn returns the permissions of the role that a setting assigns.
func BuiltIn(r RoleSetting) permission.Set {
	switch r {
	case Member:
		return permission.Set{}
	case Staff:
		return adminRole
	case Superuser:
		return superuserRole
	}
	return permission.Set{}
}

// Decide returns the proof that p may use the permission on the object at now,
// or ErrDenied. The decision names the grants that allowed, or the first
// condition that failed; decisionID is its identifier in the audit log.
func Decide(p Principal, what permission.Permission, object Object, now time.Time, decisionID id.UUID) (Allowed, audit.Decision, error) {
	source, failing := judge(&p, what, object, now)
	if failing == noGrant {
		failing += " " + what.String()
	}
	if failing != "" {
		return Allowed{}, audit.Decision{ID: decisionID, Effect: audit.Deny, FailingCondition: failing}, ErrDenied
	}
	d := audit.Decision{ID: decisionID, Effect: audit.Allow, Grants: []string{source}}
	return Allowed{workspace: p.Workspace, principal: p, permission: what, object: object, decision: d}, d, nil
}

// May reports whether p may use the permission on the object at now. It makes
// no proof: lists are filtered with it.
func May(p *Principal, what permission.Permission, object Object, now time.Time) bool {
	_, failing := judge(p, what, object, now)
	return failing == ""
}

const noGrant = "no role, group or grant holds"

// judge returns what allows the act, or the first condition that fails. It
// allocates nothing: lists are filtered with it.
func judge(p *Principal, what permission.Permission, object Object, now time.Time) (source, failing string) {
	if p.ID.Zero() || p.Workspace.Zero() {
		return "", "no principal"
	}
	if ownRights.Has(what) {
		if object.ID == p.ID.UUID() {
			return "own account", ""
		}
		return "", "not one's own"
	}
	if guardedRights.Has(what) && object.Role == Superuser && p.Role != Superuser {
		return "", "the account is a superuser's"
	}
	if BuiltIn(p.Role).Has(what) {
		return p.Role.source(), ""
	}
	if what == permission.ReadUser && object.ID == p.ID.UUID() {
		return "own account", ""
	}
	for _, g := range p.Grants {
		if g.Permissions.Has(what) && g.live(now) && (g.Object.Zero() || g.Object == object.ID) {
			return g.Source, ""
		}
	}
	return "", noGrant
}
