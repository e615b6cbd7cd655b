package identity

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/message"
	"paddock/shared/table"
	"paddock/shared/workspace"
)

// Budgets of invitations: mail that a workspace sends to people who did not
// ask for it. Source: security, MF-12.
const (
	invitesADay  = 500 // of one workspace
	addressADay  = 5   // to one address
	inviteWindow = 24 * time.Hour
	maxOpen      = 1000 // open at a time, that are listed
)

// Refusals of invitations.
var (
	// ErrInviteRole refuses an invitation to a role that the inviter may not give.
	ErrInviteRole = fault.Error{Kind: fault.Denied, Code: "permission_denied", Detail: "Only a superuser may invite staff or superusers."}
	// ErrInvites refuses more invitations than a day allows.
	ErrInvites = fault.Error{Kind: fault.Limited, Code: "too_many_invitations", Detail: "Too many invitations were sent today. Try again tomorrow.", Source: "email"}
	// ErrOpen refuses more open invitations than a workspace lists.
	ErrOpen = fault.Error{Kind: fault.Conflict, Code: "limit_reached", Detail: "At most 1,000 invitations are open at a time. Withdraw some.", Source: "invitations"}
)

// An Open invitation is what the list of invitations holds of one, at the
// address that it went to: of an address, one is open at a time.
type Open struct {
	Invitation
	Hash string `json:"hash"` // of its secret: where the invitation itself lies
	// Sent counts the invitations of this address on Day. A withdrawn one stays
	// listed as over until the day is, so that it counts.
	Sent int   `json:"sent"`
	Day  int64 `json:"day"`
}

// OpenKey places an open invitation by its address, MACed under LoginField.
func OpenKey(ws id.ID[id.Workspace], mac string) table.Key {
	return table.Key{Table: table.Data, Kind: "D", Workspace: ws, Of: "invitation", SK: "open#" + mac}
}

// void returns the operation that ends an older invitation, none when it is
// over already: then the store may have collected it.
func (o Open) void(ws id.ID[id.Workspace], now time.Time) []table.Op {
	if !o.Usable(now) {
		return nil
	}
	key := invitationKey(ws, o.User.UUID(), o.Hash)
	return []table.Op{table.Remove(table.Item{Record: table.Record{Key: key, Version: 1}}).Else(table.ErrTryAgain)}
}

// over returns an invitation that ended at now.
func (o Open) over(now time.Time) Open {
	o.ExpiresAt = now
	return o
}

// Invite stores an invitation and mails its link; an older one to the same
// address ends. Whoever may not promote invites members only (reading A1 of
// the matrix). The operations that also returns are committed with it.
func (s *Service) Invite(ctx context.Context, by authz.Allowed, w workspace.Workspace, inviter table.Item, address string, role authz.RoleSetting, also func(Invitation) ([]table.Op, error)) (Invitation, error) {
	email, err := ParseEmail(address)
	if err != nil {
		return Invitation{}, err
	}
	if !MayInvite(by, role, s.store.Now()) {
		return Invitation{}, ErrInviteRole.In(RoleField(role))
	}
	mac, err := s.store.MAC(ctx, by, LoginField, email.Key)
	if err != nil {
		return Invitation{}, err
	}
	open, err := s.store.Query(ctx, by, table.Query{Key: OpenKey(w.ID, mac), Prefix: "open#"})
	if err != nil {
		return Invitation{}, err
	}
	inv, change, err := s.invitation(by, w, email, role)
	if err != nil {
		return Invitation{}, err
	}
	replaced, err := s.replace(by, open, OpenKey(w.ID, mac), inv)
	if err != nil {
		return Invitation{}, err
	}
	more, err := also(inv.Invitation)
	if err != nil {
		return Invitation{}, err
	}
	name := UniqueKey(w.ID, mac)
	held, err := s.store.Read(ctx, by, name, HeadKey(w.ID))
	if err != nil {
		return Invitation{}, err
	}
	if err := seat(w, held); err != nil {
		return Invitation{}, err
	}
	if err := MailBudget(ctx, s.store, by); err != nil {
		return Invitation{}, err
	}
	free, err := Free(held, name, inv.User, s.store.Now(), ErrEmailTaken)
	if err != nil {
		return Invitation{}, err
	}
	change.Ops = slices.Concat(more, change.Ops, replaced, []table.Op{free, table.Unchanged(inviter).Else(table.ErrTryAgain)})
	if err := s.store.Commit(ctx, by, change); err != nil {
		return Invitation{}, err
	}
	return inv.Invitation, nil
}

// seat refuses an invitation where every seat has an account already. read holds
// the head of the directory.
func seat(w workspace.Workspace, read []table.Item) error {
	at := slices.IndexFunc(read, func(i table.Item) bool { return i.Key == HeadKey(w.ID) })
	if at < 0 {
		return nil
	}
	var h Head
	if err := table.Decode(read[at], &h); err != nil {
		return err
	}
	return w.Billing.Room(h.Count)
}

// replace returns the operations that list an invitation in the place of an
// older one to the same address.
func (s *Service) replace(by authz.Allowed, open []table.Item, at table.Key, inv Open) ([]table.Op, error) {
	now, live := s.store.Now(), 0
	end := inv.ExpiresAt.Add(inviteGrace)
	inv.Sent, inv.Day = 1, now.Unix()/int64(inviteWindow/time.Second)
	for _, item := range open {
		var old Open
		if err := table.Decode(item, &old); err != nil {
			return nil, err
		}
		if old.Usable(now) {
			live++
		}
		if item.Key != at {
			continue
		}
		if old.Usable(now) && !MayInvite(by, old.Role, now) {
			return nil, ErrInviteRole // it is not theirs to end
		}
		if old.Day == inv.Day {
			inv.Sent += old.Sent
		}
		if inv.Sent > addressADay {
			return nil, tomorrow(now)
		}
		return append(old.void(by.Workspace(), now), table.Replace(item, inv).Else(table.ErrTryAgain).Until(end)), nil
	}
	if live >= maxOpen {
		return nil, ErrOpen
	}
	return []table.Op{table.Insert(at, inv).Else(table.ErrTryAgain).Until(end)}, nil
}

// MailBudget counts one mail of the workspace to somebody who is not in it yet,
// in the present day: invitations and accounts that are made.
func MailBudget(ctx context.Context, store *table.Store, by authz.Allowed) error {
	now := store.Now()
	key := table.Key{
		Table: table.Data, Kind: "B", Workspace: by.Workspace(), Of: "workspace",
		SK: fmt.Sprintf("invite#%d", now.Unix()/int64(inviteWindow/time.Second)),
	}
	_, err := store.Count(ctx, by, table.Budgets, key, invitesADay, now.Add(2*inviteWindow))
	if errors.Is(err, table.ErrStale) {
		return tomorrow(now)
	}
	return err
}

// tomorrow is the refusal that a day's budget ends with the day.
func tomorrow(now time.Time) error {
	return ErrInvites.After(now.Truncate(inviteWindow).Add(inviteWindow).Sub(now))
}

// MayInvite is the rule of who may invite to a role (reading A1 of the matrix).
func MayInvite(by authz.Allowed, role authz.RoleSetting, now time.Time) bool {
	return role == authz.Member || MayPromote(by, now)
}

// RoleOf returns the role setting that the two flags of a request ask for.
func RoleOf(staff, superuser bool) authz.RoleSetting {
	switch {
	case superuser:
		return authz.Superuser
	case staff:
		return authz.Staff
	}
	return authz.Member
}

// RoleField returns the field of a request that asks for a role.
func RoleField(r authz.RoleSetting) string {
	if r == authz.Superuser {
		return "is_superuser"
	}
	return "is_staff"
}

// Invitations returns the open invitations, the newest first.
func (s *Service) Invitations(ctx context.Context, by authz.Allowed) ([]Open, error) {
	items, err := s.store.Query(ctx, by, table.Query{Key: OpenKey(by.Workspace(), ""), Prefix: "open#"})
	if err != nil {
		return nil, err
	}
	var out []Open
	for _, item := range items {
		var o Open
		if err := table.Decode(item, &o); err != nil {
			return nil, err
		}
		if o.Usable(s.store.Now()) {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b Open) int { return b.ExpiresAt.Compare(a.ExpiresAt) })
	return out, nil
}

// Withdraw ends an open invitation.
func (s *Service) Withdraw(ctx context.Context, by authz.Allowed, o Open) error {
	ws := by.Workspace()
	mac, err := s.store.MAC(ctx, by, LoginField, o.EmailKey)
	if err != nil {
		return err
	}
	item, ok, err := s.store.One(ctx, by, OpenKey(ws, mac))
	if err != nil {
		return err
	}
	var stored Open
	if ok {
		if err := table.Decode(item, &stored); err != nil {
			return err
		}
	}
	void := stored.void(ws, s.store.Now())
	if stored.ID != o.ID || len(void) == 0 {
		return ErrInvitation
	}
	e := by.Event(audit.UserInvitationWithdrawn, s.store.Now()).With(audit.Text("masked_email", Mask(Email{Key: o.EmailKey})), audit.Text("role", o.Role.String())).
		WithTarget(audit.Target{Type: "invitation", ID: o.ID.UUID()}).WithDescription("An invitation was withdrawn.")
	return s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: append(void, table.Replace(item, stored.over(s.store.Now())).Else(table.ErrTryAgain).Until(s.store.Now().Add(inviteGrace)))})
}

// First returns the invitation of a new workspace's first superuser, with the
// change that stores it and mails its link. It is in no list: nobody is there
// yet to read one.
func (s *Service) First(by authz.Allowed, w workspace.Workspace, email Email) (Invitation, table.Change, error) {
	inv, change, err := s.invitation(by, w, email, authz.Superuser)
	return inv.Invitation, change, err
}

func (s *Service) invitation(by authz.Allowed, w workspace.Workspace, email Email, role authz.RoleSetting) (Open, table.Change, error) {
	now := s.store.Now()
	name, err := s.store.NewID()
	if err != nil {
		return Open{}, table.Change{}, err
	}
	user, err := s.store.NewID()
	if err != nil {
		return Open{}, table.Change{}, err
	}
	secret, err := credential.New(s.random, credential.Invitation, w.ID.UUID(), user)
	if err != nil {
		return Open{}, table.Change{}, err
	}
	hash := secret.Hash()
	inv := Open{Hash: hex.EncodeToString(hash[:]), Invitation: Invitation{
		ID: id.Of[id.Invitation](name), User: id.Of[id.Principal](user), Email: email.Address, EmailKey: email.Key, Role: role,
		InvitedBy: by.Principal().ID, ExpiresAt: now.Add(time.Duration(w.Preferences.InviteTTL) * time.Second),
	}}
	e := by.Event(audit.UserInvited, now).With(audit.Text("masked_email", Mask(email)), audit.Text("role", role.String()), audit.Instant("expires_at", inv.ExpiresAt)).
		WithTarget(audit.Target{Type: "invitation", ID: name}).WithDescription("A person was invited.")
	return inv, table.Change{
		Events: []audit.Event{e},
		Ops:    []table.Op{table.Insert(InvitationKey(w.ID, user, hash), inv.Invitation).Until(inv.ExpiresAt.Add(inviteGrace))},
		Messages: []message.Message{{
			Channel: message.Mail, Template: message.Invitation, To: email.Address, Workspace: w.Name,
			Person: by.Principal().Actor.Display, Until: inv.ExpiresAt,
			// The secret stands behind "#": browsers send it to nobody, so it is
			// in no log and no Referer.
			Link: w.Canonical() + "/invitation#" + secret.Reveal(),
		}},
	}, nil
}
