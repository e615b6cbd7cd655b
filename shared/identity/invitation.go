package identity

import (
	"encoding/hex"
	"time"

	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/permission"
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
	return invitationKey(ws, user, hex.EncodeToString(hash[:]))
}

func invitationKey(ws id.ID[id.Workspace], user id.UUID, hash string) table.Key {
	return table.Key{Table: table.Data, Kind: "U", Workspace: ws, Of: user.String(), SK: "invitation#" + hash}
}

// inviteGrace is how long an invitation stays stored after its end.
const inviteGrace = 24 * time.Hour

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

// Stands returns the operations that hold what an invitation rests on: whoever
// invited is there, active, and may still invite to its role. read holds their
// account at inviter; an operator's invitation rests on nobody's.
func (i Invitation) Stands(read []table.Item, inviter table.Key, now time.Time) ([]table.Op, error) {
	if i.InvitedBy.Zero() {
		return nil, nil
	}
	for _, item := range read {
		if item.Key != inviter {
			continue
		}
		u, err := DecodeUser(item)
		if err != nil {
			return nil, err
		}
		who := authz.Principal{Workspace: item.Key.Workspace, ID: u.ID, Role: u.Role}
		needs := permission.CreateUser
		if i.Role != authz.Member {
			needs = permission.PromoteUser
		}
		if u.Disabled || !authz.May(&who, needs, authz.Object{}, now) {
			return nil, ErrInvitation
		}
		return []table.Op{table.Unchanged(item).Else(table.ErrTryAgain)}, nil
	}
	return nil, ErrInvitation
}
