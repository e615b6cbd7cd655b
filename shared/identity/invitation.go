package identity

import (
	"encoding/hex"
	"time"

	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/table"
)

// An Invitation lets one person make an account. Only the hash of its secret
// is stored, in its key.
type Invitation struct {
	ID        id.ID[id.Invitation] `json:"id"`
	User      id.ID[id.Principal]  `json:"user"` // the account that accepting makes
	Email     string               `json:"email"`
	EmailKey  string               `json:"email_key"`
	Role      authz.RoleSetting    `json:"role"`
	InvitedBy id.ID[id.Principal]  `json:"invited_by"` // zero: by the operator
	ExpiresAt time.Time            `json:"expires_at"`
}

// ErrInvitation refuses an invitation that is unknown, used, withdrawn or
// expired; which of them is not told.
var ErrInvitation = fault.Error{
	Kind: fault.NotFound, Code: "invitation_not_found",
	Detail: "This invitation is not valid any more. Ask for a new one.",
}

// InvitationKey places an invitation by the hash of its secret.
func InvitationKey(ws id.ID[id.Workspace], user id.UUID, hash [32]byte) table.Key {
	return table.Key{Table: table.Data, Kind: "U", Workspace: ws, Of: user.String(), SK: "invitation#" + hex.EncodeToString(hash[:])}
}

// Usable reports whether the invitation can be accepted at now: the end
// instant is already outside.
func (i Invitation) Usable(now time.Time) bool { return now.Before(i.ExpiresAt) }

// DecodeInvitation reads an invitation item.
func DecodeInvitation(item table.Item) (Invitation, error) {
	var i Invitation
	if err := table.Decode(item, &i); err != nil {
		return Invitation{}, err
	}
	return i, nil
}
