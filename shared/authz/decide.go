package authz

import (
	"slices"
	"time"

	"paddock/shared/audit"
	"paddock/shared/id"
	"paddock/shared/permission"
)

// Permissions of the built-in roles. Source: specification, "Built-in roles"
// and "Permission matrix". Being staff or superuser gives no access to a
// server: everyone needs an assignment (reading A4 of the matrix), which who
// holds CreateAssignment may give, to themselves too.
var (
	adminRole = permission.SetOf(
		permission.ReadUser, permission.CreateUser, permission.UpdateUser, permission.DeleteUser,
		permission.ReadSession, permission.DeleteSession,
		permission.ReadGroup, permission.CreateGroup, permission.UpdateGroup, permission.DeleteGroup,
		permission.ReadMembership, permission.CreateMembership, permission.UpdateMembership, permission.DeleteMembership,
		permission.ReadServer, permission.CreateServer, permission.UpdateServer, permission.DeleteServer, permission.OperateServer,
		permission.ReadAssignment, permission.CreateAssignment, permission.DeleteAssignment,
		permission.ReadRegistration, permission.CreateRegistration, permission.DeleteRegistration,
		permission.ReadNote, permission.CreateNote, permission.UpdateNote, permission.DeleteNote,
		permission.ReadApplication, permission.CreateApplication, permission.UpdateApplication, permission.DeleteApplication,
		permission.ReadServiceToken, permission.CreateServiceToken, permission.UpdateServiceToken, permission.DeleteServiceToken,
		permission.ReadRole, permission.ReadRoleAssignment, permission.ReadPolicy,
		permission.ReadAudit,
		permission.ReadSecurity, permission.ReadPreferences, permission.ReadAccessControl, permission.ReadWorkspace,
	)
	superuserRole = adminRole.Union(permission.SetOf(
		permission.PromoteUser,
		permission.CreateRole, permission.UpdateRole, permission.DeleteRole,
		permission.CreateRoleAssignment, permission.DeleteRoleAssignment,
		permission.UpdateSecurity, permission.UpdatePreferences, permission.UpdateAccessControl,
		permission.ReadBilling, permission.UpdateBilling,
		permission.UpdateWorkspace, permission.DeleteWorkspace,
	))
	// ownRights are held by everyone, each on what is their own.
	ownRights = permission.SetOf(permission.OwnAccount, permission.ReadOwnAudit)
	// Reserved permissions come with being superuser and in no custom role:
	// whoever holds one could make themselves anything (security, RB-2, RB-5).
	Reserved = ownRights.Union(permission.SetOf(permission.PromoteUser,
		permission.CreateRole, permission.UpdateRole, permission.DeleteRole,
		permission.CreateRoleAssignment, permission.DeleteRoleAssignment))
	// ownMembership is what everyone may with a place in a group that is theirs.
	ownMembership = permission.SetOf(permission.ReadMembership, permission.DeleteMembership)
	// guardedRights let their holder act as the account they are used on:
	// nobody uses them on an account that may more than they do (reading A1 of
	// the matrix; security, RB-3). Who has a token of an application acts as it.
	guardedRights = permission.SetOf(permission.UpdateUser, permission.DeleteUser, permission.DeleteSession,
		permission.CreateServiceToken, permission.UpdateServiceToken)
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
// or ErrDenied; of a token ErrScope or ErrACL. The decision names the grants that allowed, or the first
// condition that failed; decisionID is its identifier in the audit log.
func Decide(p Principal, what permission.Permission, object Object, now time.Time, decisionID id.UUID) (Allowed, audit.Decision, error) {
	reason, failing := judge(&p, what, object, now)
	if failing != "" {
		return Allowed{}, audit.Decision{ID: decisionID, Effect: audit.Deny, FailingCondition: condition(failing, what)}, refusal(failing)
	}
	d := audit.Decision{ID: decisionID, Effect: audit.Allow, Grants: []string{reason.String()}}
	return Allowed{workspace: p.Workspace, principal: p, permission: what, object: object, decision: d}, d, nil
}

// refusal returns what a condition that fails is answered with.
func refusal(failing string) error {
	switch failing {
	case noScope:
		return ErrScope
	case noServerRow:
		return ErrACL
	}
	return ErrDenied
}

// May reports whether p may use the permission on the object at now. It makes
// no proof: lists are filtered with it.
func May(p *Principal, what permission.Permission, object Object, now time.Time) bool {
	_, failing := judge(p, what, object, now)
	return failing == ""
}

// Anywhere reports whether p holds the permission on at least one object at
// now.
func Anywhere(p *Principal, what permission.Permission, now time.Time) bool {
	if p.ID.Zero() || p.Workspace.Zero() || !p.anywhere(what, now) {
		return false
	}
	k, found := kindOf(what.Resource), false
	p.each(func(u unit) bool {
		found = u.set.Has(what) && (u.only == none || u.only == k) && u.live(now, now)
		return !found
	})
	if found || p.Policy == nil {
		return found
	}
	asOwner, asManager := owned(k)
	return slices.ContainsFunc(p.Policy.byManager[p.ID.UUID()], func(m managed) bool {
		return m.kind == k && (asManager.Has(what) || m.owner && asOwner.Has(what))
	})
}

// Conditions that fail.
const (
	noGrant = "no role, group or grant holds"
	greater = "the account may more than who would"
)

// judge returns what allows the act, or the first condition that fails. It
// allocates nothing: lists are filtered with it.
func judge(p *Principal, what permission.Permission, object Object, now time.Time) (reason Reason, failing string) {
	reason, failing = p.held(what, object, now, now)
	if failing != "" || !guardedRights.Has(what) || object.Everywhere() || object.ID == p.ID.UUID() {
		return reason, failing
	}
	if object.Account == nil || exceeds(object.Account, p, now) {
		return Reason{}, greater
	}
	return reason, ""
}

// held returns what gives p the permission on the object at each instant from
// first to last, or the first condition that fails.
func (p *Principal) held(what permission.Permission, object Object, first, last time.Time) (reason Reason, failing string) {
	if p.ID.Zero() || p.Workspace.Zero() {
		return Reason{}, "no principal"
	}
	if failing := p.limited(what, object.ID, last); failing != "" {
		return Reason{}, failing
	}
	self := p.ID.UUID()
	if ownRights.Has(what) {
		if object.ID == self {
			return Reason{What: "own account"}, ""
		}
		return Reason{}, "not one's own"
	}
	found := false
	p.each(func(u unit) bool {
		found = u.covers(what, object) && u.live(first, last)
		if found {
			reason = u.reason
		}
		return !found
	})
	if !found {
		reason, found = p.owns(what, object)
	}
	if !found && what == permission.ReadUser && object.ID == self {
		reason, found = Reason{What: "own account"}, true
	}
	if !found {
		return Reason{}, noGrant
	}
	return reason, ""
}

// owns returns what p may as owner or manager of the object.
func (p *Principal) owns(what permission.Permission, o Object) (Reason, bool) {
	k, self := kindOf(what.Resource), p.ID.UUID()
	asOwner, asManager := owned(k)
	switch {
	case o.ID.Zero() || k == user:
	case k == group: // what its members may stands with their memberships
		if o.Owner == self && ownMembership.Has(what) {
			return Reason{What: "own membership"}, true
		}
	case o.Owner == self && asOwner.Has(what):
		return Reason{What: "owner"}, true
	case asManager.Has(what) && slices.Contains(o.Managers, self):
		return Reason{What: "manager"}, true
	}
	return Reason{}, false
}
