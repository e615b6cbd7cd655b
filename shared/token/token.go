// Package token holds the API tokens of people and the service tokens of
// applications: what a token may at most, on what, until when. A token never
// makes its owner more than they are, and no token makes, changes or widens a
// token: people do, in a session.
package token

import (
	"encoding/hex"
	"time"

	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/permission"
	"paddock/shared/table"
)

// A Token is one token of a person or an application. Its secret is stored as a
// hash only, in the key of its item.
type Token struct {
	ID     id.ID[id.Token] `json:"id"`
	Name   string          `json:"name"`
	Scopes []string        `json:"scopes"` // texts that Set reads; never none
	// Holds is what the scopes stood for when the token was made. A permission that
	// comes to the catalogue later is in no token that was there before, whatever
	// its level. A permission's place in the catalogue is for good.
	Holds permission.Set `json:"holds"`
	// Proved says that it was made with a fresh proof. Source: security, SU-5.
	Proved bool `json:"proved,omitempty"`
	// Enabled is the switch of the owner, or of who runs the application; Blocked
	// an administrator's of people's tokens.
	Enabled   bool      `json:"enabled"`
	Blocked   bool      `json:"blocked,omitempty"`
	Epoch     int64     `json:"epoch"` // of the owner when it was made
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"` // exclusive; zero: no end
	UsedAt    time.Time `json:"used_at,omitzero"`    // to the minute
	// Noted is set when the log has the token's end, which nothing writes before
	// somebody comes with it.
	Noted bool `json:"noted,omitempty"`
}

// Live reports whether the token has not come to its end at now.
func (t Token) Live(now time.Time) bool { return t.ExpiresAt.IsZero() || now.Before(t.ExpiresAt) }

// Good reports whether nothing but its end keeps the token from opening what
// its owner may: it is switched on, and the owner has not ended it with
// everything else.
func (t Token) Good(owner Holder) bool {
	return t.Enabled && !t.Blocked && t.Epoch == owner.Epoch && !owner.Disabled
}

// Limits returns what the token leaves of its owner's rights, with the rows of
// its access control list.
func (t Token) Limits(rows ACL) *authz.Limits {
	l := &authz.Limits{Token: t.ID.UUID(), Scopes: t.Holds.Intersect(authz.Scopable()), Until: t.ExpiresAt}
	for _, r := range rows.Servers {
		l.Servers = append(l.Servers, r.Server.UUID())
	}
	authz.SortServers(l.Servers)
	return l
}

// Bounds. Source: design, section 5.
const (
	MaxTokens        = 200 // of a person
	MaxServiceTokens = 20  // of an application
	MaxRows          = 500
	// MaxName bounds the name of a token, in characters.
	MaxName = 100
	// maxStored bounds what is stored of the rows of one token, in bytes.
	maxStored = 200 << 10
)

// Refusals.
var (
	ErrNoToken = fault.Error{Kind: fault.NotFound, Code: "not_found", Detail: "There is no such token."}
	ErrName    = fault.Error{Kind: fault.Invalid, Code: "invalid_name", Detail: "A token has a name of at most 100 characters, without control characters and blanks around it.", Source: "name"}
	ErrTaken   = fault.Error{Kind: fault.Conflict, Code: "token_name_in_use", Detail: "You have a token of this name.", Source: "name"}
	ErrNames   = fault.Error{Kind: fault.Conflict, Code: "token_name_in_use", Detail: "The application has a token of this name.", Source: "name"}
	ErrMany    = fault.Error{Kind: fault.Conflict, Code: "limit_reached", Detail: "A person has at most 200 tokens. Delete some.", Source: "tokens"}
	ErrService = fault.Error{Kind: fault.Conflict, Code: "limit_reached", Detail: "An application has at most 20 tokens. Delete some.", Source: "tokens"}
	ErrScope   = fault.Error{Kind: fault.Invalid, Code: "invalid_scope", Detail: "There is no such scope.", Source: "scopes"}
	ErrEnd     = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "The end must lie in the future.", Source: "expires_at"}
	ErrEnded   = fault.Error{Kind: fault.Conflict, Code: "token_ended", Detail: "This token ended with the sessions of its owner, or at its end. Make another."}
	ErrBlocked = fault.Error{Kind: fault.Conflict, Code: "token_blocked", Detail: "An administrator has disabled this token."}
	ErrNoRow   = fault.Error{Kind: fault.NotFound, Code: "not_found", Detail: "There is no such rule."}
	ErrRows    = fault.Error{Kind: fault.Conflict, Code: "limit_reached", Detail: "A token has at most 500 rules, of 200 KiB. Use fewer, wider patterns.", Source: "token"}
	ErrRow     = fault.Error{Kind: fault.Conflict, Code: "acl_exists", Detail: "The token has this rule already."}
	ErrServer  = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "There is no such server.", Source: "server"}
	ErrToken   = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "You have no such token.", Source: "token"}
	ErrRule    = fault.Error{Kind: fault.Invalid, Code: "invalid_rule", Detail: "This is no rule."}
)

// Key places a token by the hash of its secret, in the partition of its holder.
func (f Family) Key(ws id.ID[id.Workspace], owner id.ID[id.Principal], hash [32]byte) table.Key {
	return f.keyOf(ws, owner, hex.EncodeToString(hash[:]))
}

func (f Family) keyOf(ws id.ID[id.Workspace], owner id.ID[id.Principal], hash string) table.Key {
	return f.place(ws, owner, "token#"+hash)
}

// RowsKey places the rows of a token beside it.
func (f Family) RowsKey(ws id.ID[id.Workspace], owner id.ID[id.Principal], hash [32]byte) table.Key {
	return f.rowsOf(ws, owner, hex.EncodeToString(hash[:]))
}

const rowsPrefix = "acl#"

func (f Family) rowsOf(ws id.ID[id.Workspace], owner id.ID[id.Principal], hash string) table.Key {
	return f.place(ws, owner, rowsPrefix+hash)
}

// BookKey places the list of a holder's tokens; it is there while there are any.
func (f Family) BookKey(ws id.ID[id.Workspace], owner id.ID[id.Principal]) table.Key {
	return f.place(ws, owner, "tokens")
}

// Decode reads the item of a token.
func Decode(item table.Item) (t Token, err error) {
	err = table.Decode(item, &t)
	return t, err
}

// DecodeRows reads the item of a token's rows.
func DecodeRows(item table.Item) (a ACL, err error) {
	err = table.Decode(item, &a)
	return a, err
}

// An entry leads from a token's id and name to its place. The list of entries is
// written with each token that is made, renamed or deleted: names stay unique.
type entry struct {
	ID   id.ID[id.Token] `json:"id"`
	Name string          `json:"name"`
	Hash string          `json:"hash"`
}
