// Package role holds custom roles and who has them. What a role permits stands
// in the workspace's policy; that somebody has it stands with them.
package role

import (
	"time"

	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/table"
)

// A Role is what a workspace keeps of a custom role beside what it permits.
type Role struct {
	ID          id.ID[id.Role] `json:"id"`
	Name        string         `json:"name"` // as in the policy
	Description string         `json:"description,omitempty"`
	AddedAt     time.Time      `json:"added_at"`
	UpdatedAt   time.Time      `json:"updated_at"`
}

// An Assignment is that a user, a group or an application has a role, as the role
// lists it. The account, the group or the application holds the same and decides.
type Assignment struct {
	ID    id.ID[id.RoleAssignment] `json:"id"`
	Role  id.ID[id.Role]           `json:"role"`
	User  id.ID[id.Principal]      `json:"user,omitzero"`
	Group id.ID[id.Group]          `json:"group,omitzero"`
	// Application is zero but for roles of applications.
	Application id.ID[id.Principal] `json:"application,omitzero"`
	Until       time.Time           `json:"until,omitzero"` // exclusive; zero: no end; never of groups
	AddedAt     time.Time           `json:"added_at"`
}

// Live reports whether the assignment has not ended at now.
func (a Assignment) Live(now time.Time) bool { return a.Until.IsZero() || now.Before(a.Until) }

// subject returns who has the role.
func (a Assignment) subject() id.UUID {
	switch {
	case !a.Group.Zero():
		return a.Group.UUID()
	case !a.Application.Zero():
		return a.Application.UUID()
	}
	return a.User.UUID()
}

// Refusals.
var (
	ErrNoRole        = fault.Error{Kind: fault.NotFound, Code: "not_found", Detail: "There is no such role."}
	ErrNoAssignment  = fault.Error{Kind: fault.NotFound, Code: "not_found", Detail: "There is no such assignment."}
	ErrNameTaken     = fault.Error{Kind: fault.Conflict, Code: "role_name_in_use", Detail: "A role of this workspace has this name.", Source: "name"}
	ErrReserved      = fault.Error{Kind: fault.Invalid, Code: "permission_reserved", Detail: "This permission comes with being superuser only.", Source: "permissions"}
	ErrUnscoped      = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "This permission speaks of no objects: it counts everywhere or not at all.", Source: "scope"}
	ErrEmpty         = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "A role has at least one permission.", Source: "permissions"}
	ErrAssigned      = fault.Error{Kind: fault.Conflict, Code: "already_assigned", Detail: "They have this role already."}
	ErrManyRoles     = fault.Error{Kind: fault.Conflict, Code: "limit_reached", Detail: "Nobody has more than 100 roles.", Source: "user"}
	ErrUntil         = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "The end must lie in the future; a group's roles have none.", Source: "expires_at"}
	ErrNoUser        = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "There is no such user.", Source: "user"}
	ErrNoApplication = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "There is no such application.", Source: "application"}
	ErrNoGroup       = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "There is no such group.", Source: "group"}
)

// Key places a role.
func Key(ws id.ID[id.Workspace], of id.ID[id.Role]) table.Key {
	return table.Key{Table: table.Data, Kind: "R", Workspace: ws, Of: of.String(), SK: "role"}
}

const holderPrefix = "holder#"

// holderKey places an assignment where its role lists it.
func holderKey(ws id.ID[id.Workspace], a Assignment) table.Key {
	return table.Key{Table: table.Data, Kind: "R", Workspace: ws, Of: a.Role.String(), SK: holderPrefix + a.subject().String()}
}

// AssignmentKey places an assignment under its own id.
func AssignmentKey(ws id.ID[id.Workspace], of id.ID[id.RoleAssignment]) table.Key {
	return table.Key{Table: table.Data, Kind: "R", Workspace: ws, Of: of.String(), SK: "assignment"}
}

// Decode reads the item of a role.
func Decode(item table.Item) (r Role, err error) {
	err = table.Decode(item, &r)
	return r, err
}

// DecodeAssignment reads the item of an assignment.
func DecodeAssignment(item table.Item) (a Assignment, err error) {
	err = table.Decode(item, &a)
	return a, err
}
