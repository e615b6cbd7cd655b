// Package group holds groups of people: what they are, who is in them and as
// what. What a group gives its members stands in the workspace's policy.
package group

import (
	"time"

	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/table"
)

// A Group is what a workspace keeps of a group beside what it gives.
type Group struct {
	ID          id.ID[id.Group] `json:"id"`
	Name        string          `json:"name"` // as in the policy
	DisplayName string          `json:"display_name,omitempty"`
	Description string          `json:"description,omitempty"`
	Tags        string          `json:"tags,omitempty"`
	GID         int             `json:"gid"` // POSIX group id on servers
	AddedAt     time.Time       `json:"added_at"`
	UpdatedAt   time.Time       `json:"updated_at"`
	// Lasting is how many are in it without an end, and Ends are the ends of the
	// others, as far as they were to come when one changed. Each change of a place
	// writes them; see Members.
	Lasting int         `json:"lasting,omitempty"`
	Ends    []time.Time `json:"ends,omitempty"`
}

// A Place is somebody's place in a group, as the group lists it. The account
// holds the same and decides: a place whose account does not name it is none.
type Place struct {
	ID      id.ID[id.Membership] `json:"id"`
	Group   id.ID[id.Group]      `json:"group"`
	User    id.ID[id.Principal]  `json:"user"`
	Role    authz.MemberRole     `json:"role"`
	Until   time.Time            `json:"until,omitzero"` // exclusive; zero: no end
	AddedAt time.Time            `json:"added_at"`
}

// Live reports whether the place has not ended at now.
func (p Place) Live(now time.Time) bool { return p.Until.IsZero() || now.Before(p.Until) }

// FirstGID is where POSIX group ids begin, above those that Linux distributions
// give by themselves.
const FirstGID = 2000

// Refusals.
var (
	ErrNoGroup    = fault.Error{Kind: fault.NotFound, Code: "not_found", Detail: "There is no such group."}
	ErrNoPlace    = fault.Error{Kind: fault.NotFound, Code: "not_found", Detail: "There is no such membership."}
	ErrNameTaken  = fault.Error{Kind: fault.Conflict, Code: "group_name_in_use", Detail: "A group of this workspace has this name.", Source: "name"}
	ErrMember     = fault.Error{Kind: fault.Conflict, Code: "already_member", Detail: "This person is in the group already.", Source: "user"}
	ErrManyGroups = fault.Error{Kind: fault.Conflict, Code: "limit_reached", Detail: "Nobody is in more than 100 groups.", Source: "user"}
	ErrUntil      = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "The end must lie in the future.", Source: "expires_at"}
	ErrNoUser     = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "There is no such user.", Source: "user"}
	ErrNoServer   = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "There is no such server.", Source: "servers"}
)

// Key places a group.
func Key(ws id.ID[id.Workspace], of id.ID[id.Group]) table.Key {
	return table.Key{Table: table.Data, Kind: "J", Workspace: ws, Of: of.String(), SK: "group"}
}

// countKey places the highest POSIX group id that was ever given.
func countKey(ws id.ID[id.Workspace]) table.Key {
	return table.Key{Table: table.Data, Kind: "J", Workspace: ws, SK: "head"}
}

const memberPrefix = "member#"

// memberKey places a place where its group lists it.
func memberKey(ws id.ID[id.Workspace], of id.ID[id.Group], user id.ID[id.Principal]) table.Key {
	return table.Key{Table: table.Data, Kind: "J", Workspace: ws, Of: of.String(), SK: memberPrefix + user.String()}
}

// PlaceKey places a place under its own id.
func PlaceKey(ws id.ID[id.Workspace], of id.ID[id.Membership]) table.Key {
	return table.Key{Table: table.Data, Kind: "J", Workspace: ws, Of: of.String(), SK: "place"}
}

// Decode reads the item of a group.
func Decode(item table.Item) (g Group, err error) {
	err = table.Decode(item, &g)
	return g, err
}

// DecodePlace reads the item of a place.
func DecodePlace(item table.Item) (p Place, err error) {
	err = table.Decode(item, &p)
	return p, err
}
