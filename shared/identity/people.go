package identity

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/message"
	"paddock/shared/permission"
	"paddock/shared/table"
	"paddock/shared/workspace"
)

// repeats bounds how often a change is tried again when another one of the
// directory came between.
const repeats = 3

// ErrUsernameSet refuses a second username: servers know the first.
var ErrUsernameSet = fault.Error{Kind: fault.Conflict, Code: "user_username_already_set", Detail: "This account has a username already; it stays.", Source: "username"}

// An Edit is a change of an account by the one who asks for it.
type Edit struct {
	Workspace workspace.Workspace
	Actor     table.Item // the account that asks
	Target    table.Item // the account that changes
	Before    User
	Changed   Changed
}

// Update stores an edit. What it takes beyond the proof's permission, a role
// change, is asked here once more. An address counts only when it is confirmed:
// until then it is pending. One that is cancelled is confirmed no more.
func (s *Service) Update(ctx context.Context, by authz.Allowed, e Edit) (User, error) {
	if e.Changed.None() {
		return e.Before, nil
	}
	if e.Changed.Role && !MayPromote(by, s.store.Now()) {
		return User{}, authz.ErrDenied
	}
	for range repeats {
		user, err := s.update(ctx, by, e)
		if !errors.Is(err, ErrDirectoryMoved) {
			return user, err
		}
	}
	return User{}, table.ErrTryAgain
}

// MayPromote is the rule of who may change role settings.
func MayPromote(by authz.Allowed, now time.Time) bool {
	who := by.Principal()
	return authz.May(&who, permission.PromoteUser, authz.Object{}, now)
}

func (s *Service) update(ctx context.Context, by authz.Allowed, e Edit) (User, error) {
	user := e.Changed.User
	ws := e.Workspace.ID
	slot := LinkKey(ws, user.ID, ConfirmEmail, [32]byte{})
	items, err := s.store.Read(ctx, by, append(ListingKeys(ws, user.ID), slot)...)
	if err != nil {
		return User{}, err
	}
	change := table.Change{Events: changeEvents(by, e, s.store.Now())}
	if e.Changed.Role || e.Changed.Disabled || e.Changed.Enabled {
		listing, err := Listed(ws, user.ID, items)
		if err != nil {
			return User{}, err
		}
		if listing, err = listing.Change(e.Before, user); err != nil {
			return User{}, err
		}
		change.Ops = listing.Save()
	}
	if e.Changed.NewEmail.Key != "" {
		user.PendingEmail = e.Changed.NewEmail.Address
		if err := s.confirmation(ctx, by, e, items, &change); err != nil {
			return User{}, err
		}
	}
	for _, item := range items {
		if item.Key == slot && e.Changed.Cancelled.Key != "" {
			change.Ops = append(change.Ops, table.Remove(item).Else(table.ErrTryAgain))
		}
	}
	change.Ops = append(change.Ops, SaveUser(e.Target, user).Else(table.ErrTryAgain))
	if e.Actor.Key != e.Target.Key {
		// Whoever lost the right to do this in between does not do it.
		change.Ops = append(change.Ops, table.Unchanged(e.Actor).Else(table.ErrTryAgain))
	}
	return user, s.store.Commit(ctx, by, change)
}

// confirmation adds to a change the link that confirms a new address.
func (s *Service) confirmation(ctx context.Context, by authz.Allowed, e Edit, read []table.Item, change *table.Change) error {
	ws, user, email := e.Workspace.ID, e.Changed.User, e.Changed.NewEmail
	if err := s.addressBudget(ctx, by, user.ID); err != nil {
		return err
	}
	secret, err := credential.New(s.random, credential.MailedLink, ws.UUID(), user.ID.UUID())
	if err != nil {
		return err
	}
	hash := secret.Hash()
	link := Link{
		Hash: hex.EncodeToString(hash[:]), Epoch: user.Epoch, ExpiresAt: s.store.Now().Add(ConfirmLife),
		Email: email.Address, EmailKey: email.Key,
	}
	change.Ops = append(change.Ops, PutLink(LinkKey(ws, user.ID, ConfirmEmail, hash), read, link))
	if by.Permission() == permission.UpdateUser && email.Key != user.EmailKey {
		// Whoever sees all accounts is told at once; anybody else would learn
		// here who has an account.
		mac, err := s.store.MAC(ctx, by, LoginField, email.Key)
		if err != nil {
			return err
		}
		name := UniqueKey(ws, mac)
		held, err := s.store.Read(ctx, by, name)
		if err != nil {
			return err
		}
		free, err := Free(held, name, user.ID, s.store.Now(), ErrEmailTaken)
		if err != nil {
			return err
		}
		change.Ops = append(change.Ops, free)
	}
	change.Events = append(change.Events, ConfirmEmail.Sent(by, s.store.Now(), user.ID, Mask(email)))
	change.Messages = append(change.Messages, message.Message{
		Channel: message.Mail, Template: message.EmailConfirmation, To: email.Address, Workspace: e.Workspace.Name,
		Person: by.Principal().Actor.Display, Until: link.ExpiresAt, Link: ConfirmEmail.URL(e.Workspace.Canonical(), secret),
	})
	return nil
}

// newAddresses bounds the addresses that an account asks for in addressWindow,
// each of which is mailed. With it the links that undo a change, and the
// addresses that are held for them, are few enough for one transaction. Source:
// security, MF-12.
const (
	newAddresses  = 3
	addressWindow = 24 * time.Hour
)

// ErrNewAddresses refuses more new addresses than a day allows.
var ErrNewAddresses = fault.Error{Kind: fault.Limited, Code: "too_many_addresses", Detail: "Too many new addresses were asked for today. Try again tomorrow.", Source: "email"}

// addressBudget counts one new address of an account in the present day.
func (s *Service) addressBudget(ctx context.Context, by authz.Allowed, user id.ID[id.Principal]) error {
	now := s.store.Now()
	key := table.Key{
		Table: table.Data, Kind: "B", Workspace: by.Workspace(), Of: user.String(),
		SK: fmt.Sprintf("address#%d", now.Unix()/int64(addressWindow/time.Second)),
	}
	_, err := s.store.Count(ctx, by, table.Budgets, key, newAddresses, now.Add(2*addressWindow))
	if errors.Is(err, table.ErrStale) {
		return ErrNewAddresses.After(now.Truncate(addressWindow).Add(addressWindow).Sub(now))
	}
	return err
}

// PutLink returns the operation that stores a link in the place of an older
// one, if read holds it.
func PutLink(key table.Key, read []table.Item, l Link) table.Op {
	op := table.Insert(key, l)
	for _, item := range read {
		if item.Key == key {
			op = table.Replace(item, l)
		}
	}
	return op.Else(table.ErrTryAgain).Until(l.ExpiresAt.Add(time.Hour))
}

// changeEvents returns the events of an edit, the weightiest first.
func changeEvents(by authz.Allowed, e Edit, now time.Time) []audit.Event {
	after := e.Changed.User
	about := func(kind audit.Kind, text string) audit.Event {
		return by.Event(kind, now).With(audit.ID("subject", after.ID.UUID())).WithSubject(after.ID.UUID()).
			WithTarget(audit.Target{Type: "user", ID: after.ID.UUID(), Name: after.Username}).WithDescription(text)
	}
	var events []audit.Event
	if e.Changed.Role {
		events = append(events, about(audit.UserRoleSettingChanged, "The role setting of an account was changed.").
			WithChange("role", e.Before.Role.String(), after.Role.String()))
		events = append(events, roleEvents(about, e.Before.Role, after.Role)...)
	}
	if e.Changed.Disabled {
		events = append(events, about(audit.UserDisabled, "An account was disabled; its sessions ended."))
	}
	if e.Changed.Enabled {
		events = append(events, about(audit.UserEnabled, "A disabled account was enabled."))
	}
	changes := e.Changed.Profile
	if mail := e.Changed.NewEmail; mail.Key != "" {
		changes = append(changes, audit.Change{Path: "pending_email", After: Mask(mail)})
	}
	if mail := e.Changed.Cancelled; mail.Key != "" {
		changes = append(changes, audit.Change{Path: "pending_email", Before: Mask(mail)})
	}
	if len(changes) > 0 {
		updated := about(audit.UserUpdated, "An account was changed.")
		for _, c := range changes {
			updated = updated.WithChange(c.Path, c.Before, c.After)
		}
		events = append(events, updated)
	}
	return events
}

// roleEvents tells which built-in role a changed setting takes and gives.
func roleEvents(about func(audit.Kind, string) audit.Event, before, after authz.RoleSetting) []audit.Event {
	var events []audit.Event
	if name := before.BuiltIn(); name != "" {
		events = append(events, about(audit.RoleUnassigned, "The role of the account's setting was taken away.").
			With(audit.Text("role_id", name), audit.Text("cause", "admin")))
	}
	if name := after.BuiltIn(); name != "" {
		events = append(events, about(audit.RoleAssigned, "The role of the account's setting was assigned.").
			With(audit.Text("subject_type", "user"), audit.Text("role_id", name), audit.Flag("automatic", true)))
	}
	return events
}

// SetUsername gives the caller's account its username, once and for good.
func (s *Service) SetUsername(ctx context.Context, by authz.Allowed, own table.Item, u User, typed string) (User, error) {
	if u.Username != "" {
		return User{}, ErrUsernameSet
	}
	name, err := ParseUsername(typed)
	if err != nil {
		return User{}, err
	}
	mac, err := s.store.MAC(ctx, by, LoginField, name)
	if err != nil {
		return User{}, err
	}
	before := u
	u.Username = name
	e := by.Event(audit.UserUpdated, s.store.Now()).With(audit.ID("subject", u.ID.UUID())).WithChange("username", "", name).
		WithTarget(audit.Target{Type: "user", ID: u.ID.UUID(), Name: name}).WithDescription("An account got its username.")
	for range repeats {
		items, err := s.store.Read(ctx, by, ListingKeys(by.Workspace(), u.ID)...)
		if err != nil {
			return User{}, err
		}
		listing, err := Listed(by.Workspace(), u.ID, items)
		if err != nil {
			return User{}, err
		}
		if listing, err = listing.Change(before, u); err != nil {
			return User{}, err
		}
		ops := append(listing.Save(), SaveUser(own, u).Else(table.ErrTryAgain),
			table.Insert(UniqueKey(by.Workspace(), mac), Unique{User: u.ID}).Else(ErrUsernameTaken))
		err = s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: ops})
		if !errors.Is(err, ErrDirectoryMoved) {
			return u, err
		}
	}
	return User{}, table.ErrTryAgain
}
