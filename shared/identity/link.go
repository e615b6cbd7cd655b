package identity

import (
	"crypto/subtle"
	"encoding/hex"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/table"
)

// A LinkPurpose is what a mailed link is for; it opens nothing else.
type LinkPurpose string

// The purposes. Of one account there is at most one live link of each but
// UndoEmail and Report, which come with notices.
const (
	ResetPassword LinkPurpose = "reset"
	ConfirmEmail  LinkPurpose = "email"
	Unlock        LinkPurpose = "unlock"
	UndoEmail     LinkPurpose = "undo"
	Report        LinkPurpose = "report"
)

// Lives of links. Source: security, RS-1 and RS-3; issue B.
const (
	ResetLife   = 30 * time.Minute
	ConfirmLife = 24 * time.Hour
	UnlockLife  = 15 * time.Minute
	NoticeLife  = 7 * 24 * time.Hour
)

// ErrLink refuses a link that is unknown, used, replaced or expired; which of
// them is not told.
var ErrLink = fault.Error{
	Kind: fault.NotFound, Code: "link_not_found",
	Detail: "This link is not valid any more. Ask for a new one.",
}

// A Link is what is stored of a mailed link: the hash of its secret, and what
// it does.
type Link struct {
	Hash      string    `json:"hash"`
	Epoch     int64     `json:"epoch"` // of the account when it was made
	ExpiresAt time.Time `json:"expires_at"`
	Email     string    `json:"email,omitempty"`     // to be confirmed, or restored
	EmailKey  string    `json:"email_key,omitempty"` // its canonical form
	Change    int64     `json:"change,omitempty"`    // which change of the address is undone
}

// LinkKey places a link. Those of which one lives at a time lie at their
// purpose, so that a newer one replaces the older; the others at their hash.
func LinkKey(ws id.ID[id.Workspace], user id.ID[id.Principal], p LinkPurpose, hash [32]byte) table.Key {
	sk := "link#" + string(p)
	if p == UndoEmail || p == Report {
		sk += "#" + hex.EncodeToString(hash[:])
	}
	return table.Key{Table: table.Data, Kind: "U", Workspace: ws, Of: user.String(), SK: sk}
}

// Of reports whether a secret is this link's.
func (l Link) Of(s credential.Secret) bool {
	hash := s.Hash()
	return subtle.ConstantTimeCompare([]byte(l.Hash), []byte(hex.EncodeToString(hash[:]))) == 1
}

// Matches reports whether a secret is this link's, and the link still lives at
// now: the end instant is already outside.
func (l Link) Matches(s credential.Secret, now time.Time) bool {
	return l.Of(s) && now.Before(l.ExpiresAt)
}

// pages are the console's pages that links lead to.
var pages = map[LinkPurpose]string{
	ResetPassword: "/reset-password", ConfirmEmail: "/confirm-email", Unlock: "/unlock", UndoEmail: "/undo-email", Report: "/not-me",
}

// Sent returns the event that a link to an account of this purpose was mailed;
// to is its masked address.
func (p LinkPurpose) Sent(by authz.Allowed, at time.Time, user id.ID[id.Principal], to string) audit.Event {
	return by.Event(audit.AuthVerificationSent, at).With(audit.Text("purpose", string(p)), audit.Text("channel", "mail"), audit.Text("masked_to", to)).
		WithSubject(user.UUID()).WithDescription("A link was mailed.")
}

// URL returns the address of a link. The secret stands behind "#": browsers
// send that to nobody, so it is in no log and no Referer. The origin is the
// workspace's own, never what a request said.
func (p LinkPurpose) URL(origin string, s credential.Secret) string {
	return origin + pages[p] + "#" + s.Reveal()
}
