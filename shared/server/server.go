// Package server holds servers: how they register, what is kept of them, who
// is assigned to them, and notes on them. Name, owner and managers of a server
// stand in the workspace's policy, and so do assignments.
package server

import (
	"time"

	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/table"
)

// A Server is what a workspace keeps of a server beside what its policy says.
type Server struct {
	ID       id.ID[id.Server]       `json:"id"`
	Platform string                 `json:"platform"`
	Token    id.ID[id.Registration] `json:"token"` // with which it registered
	Key      string                 `json:"key"`   // hash of what its agent proves itself with
	AddedAt  time.Time              `json:"added_at"`
}

// Bounds. MaxNotes and what a server is named by must leave room in the one
// transaction that deletes it; see maxTaken.
const (
	MaxTokens         = 200 // of a workspace
	MaxTokenGroups    = 20
	MaxManagers       = 20
	MaxNotes          = 40    // of a server, without private ones
	MaxPrivateNotes   = 10    // of a server and an author
	MaxWorkspaceNotes = 5_000 // nearly: notes made at one time are not counted against each other
	maxServerName     = 64    // alpacon-wire 7.6
	maxTokenName      = 100
	maxNote           = 2_000 // characters
)

// Platforms are those that agents register as. Source: alpacon-wire 7.6.
var Platforms = []string{"debian", "rhel", "darwin", "windows"}

// Refusals.
var (
	ErrName         = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "A server's name has 1 to 64 letters, digits, hyphens and underscores, and is no UUID.", Source: "name"}
	ErrNameTaken    = fault.Error{Kind: fault.Conflict, Code: "server_name_in_use", Detail: "A server of this workspace has this name.", Source: "name"}
	ErrPlatform     = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "The platform is debian, rhel, darwin or windows.", Source: "platform"}
	ErrNoServer     = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "There is no such server.", Source: "server"}
	ErrGone         = fault.Error{Kind: fault.NotFound, Code: "not_found", Detail: "There is no such server."}
	ErrManyManagers = fault.Error{Kind: fault.Conflict, Code: "limit_reached", Detail: "A server has at most 20 managers.", Source: "managers"}
	ErrNotConnected = fault.Error{Kind: fault.Conflict, Code: "server_not_connected", Detail: "The server's agent is not connected."}
	ErrTokenName    = fault.Error{Kind: fault.Conflict, Code: "token_name_in_use", Detail: "A registration token of this workspace has this name.", Source: "name"}
	ErrManyTokens   = fault.Error{Kind: fault.Conflict, Code: "limit_reached", Detail: "A workspace has at most 200 registration tokens, each of at most 20 groups."}
	ErrGroup        = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "There is no such group.", Source: "allowed_groups"}
	ErrUntil        = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "The end must lie in the future.", Source: "expires_at"}
	ErrToken        = fault.Error{Kind: fault.Unauthenticated, Code: "registration_token_invalid", Detail: "This registration token is not valid."}
	ErrTries        = fault.Error{Kind: fault.Limited, Code: "too_many_attempts", Detail: "Too many registration tokens that open nothing came from here. Try again later."}
	ErrNoToken      = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "There is no such registration token.", Source: "registration_token"}
	ErrFullGroup    = fault.Error{Kind: fault.Conflict, Code: "limit_reached", Detail: "A group that the registration token names has 200 servers."}
	ErrAssigned     = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "Name either a user or a group, and either a server or a pattern."}
	ErrAccess       = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "An assignment opens something.", Source: "permissions"}
	ErrEqual        = fault.Error{Kind: fault.Conflict, Code: "already_assigned", Detail: "There is an equal assignment."}
	ErrNoAssignment = fault.Error{Kind: fault.NotFound, Code: "not_found", Detail: "There is no such assignment."}
	ErrNote         = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "A note has 1 to 2,000 characters.", Source: "content"}
	ErrManyNotes    = fault.Error{Kind: fault.Conflict, Code: "limit_reached", Detail: "A server has at most 40 notes and 10 private ones of each author, a workspace 5,000.", Source: "server"}
)

// Key places a server.
func Key(ws id.ID[id.Workspace], of id.ID[id.Server]) table.Key {
	return table.Key{Table: table.Data, Kind: "H", Workspace: ws, Of: of.String(), SK: "server"}
}

// Decode reads the item of a server.
func Decode(item table.Item) (s Server, err error) {
	err = table.Decode(item, &s)
	return s, err
}

// CheckName refuses what cannot be the name of a server. Nothing is changed of
// it: another name could match other patterns. A command line asks by id and by
// name alike, so that no name may look like an id.
func CheckName(name string) error {
	if name == "" || len(name) > maxServerName || uuidLike(name) {
		return ErrName
	}
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return ErrName
		}
	}
	return nil
}

// uuidLike reports whether clients may take a text for an id: 32 hexadecimal
// digits, whatever the hyphens.
func uuidLike(name string) bool {
	digits := 0
	for i := range len(name) {
		switch c := name[i]; {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'f', 'A' <= c && c <= 'F':
			digits++
		case c != '-':
			return false
		}
	}
	return digits == 32
}
