package session

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/fault"
	"paddock/shared/group"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/message"
	"paddock/shared/mfa"
	"paddock/shared/policy"
	"paddock/shared/role"
	"paddock/shared/table"
	"paddock/shared/token"
	"paddock/shared/workspace"
)

// hashNew returns the hash of a new password of an account, or the policy's
// refusal.
func (s *Service) hashNew(ctx context.Context, w workspace.Workspace, u identity.User, typed string) (string, error) {
	password, err := credential.NewPassword(typed)
	if err != nil {
		return "", err
	}
	local, _, _ := strings.Cut(u.EmailKey, "@")
	words := []string{local, u.Username, u.FirstName, u.LastName, w.Name, w.Slug}
	if err := credential.CheckPolicy(password, credential.PolicyContext{Words: words, MFA: u.HasSecondFactor()}); err != nil {
		return "", err
	}
	if err := s.checkNew(ctx, w, password); err != nil {
		return "", err
	}
	var phc string
	var failed error
	if err := s.hasher.Do(func() { phc, failed = credential.HashPassword(s.random, password, credential.Current) }); err != nil {
		return "", err
	}
	return phc, failed
}

// newAccount returns the operations that make an account, with the POSIX user
// id that it got. read holds its listing and its names; phc is empty for an
// account without a password yet.
func (s *Service) newAccount(ctx context.Context, by authz.Allowed, w workspace.Workspace, read []table.Item, u identity.User, phc string) ([]table.Op, identity.User, error) {
	ws := w.ID
	listing, err := identity.Listed(ws, u.ID, read)
	if err != nil {
		return nil, identity.User{}, err
	}
	listing, u, err = listing.Add(u, w.Billing)
	if err != nil {
		return nil, identity.User{}, err
	}
	ops := append(listing.Save(), table.Insert(identity.UserKey(ws, u.ID), u, table.Num("epoch", u.Epoch)).Else(table.ErrTryAgain))
	unique, err := s.uniques(ctx, by, u)
	if err != nil {
		return nil, identity.User{}, err
	}
	for _, n := range unique {
		claim, err := identity.Claim(read, n.key, u.ID, s.store.Now(), n.taken)
		if err != nil {
			return nil, identity.User{}, err
		}
		ops = append(ops, claim)
	}
	if phc != "" {
		ops = append(ops, table.Insert(PasswordKey(ws, u.ID), PasswordRecord{PHC: phc, SetAt: s.store.Now()}).Else(table.ErrTryAgain))
	}
	return ops, u, nil
}

// A name is where one of an account's login names lies, and what refuses a
// second one like it.
type name struct {
	key   table.Key
	taken fault.Error
}

// uniques returns the login names of an account.
func (s *Service) uniques(ctx context.Context, by authz.Allowed, u identity.User) ([]name, error) {
	var out []name
	for _, n := range []struct {
		text  string
		taken fault.Error
	}{{u.EmailKey, identity.ErrEmailTaken}, {u.Username, identity.ErrUsernameTaken}} {
		if n.text == "" {
			continue
		}
		mac, err := s.store.MAC(ctx, by, identity.LoginField, n.text)
		if err != nil {
			return nil, err
		}
		out = append(out, name{identity.UniqueKey(by.Workspace(), mac), n.taken})
	}
	return out, nil
}

// accountKeys returns the keys that newAccount wants read.
func (s *Service) accountKeys(ctx context.Context, by authz.Allowed, u identity.User) ([]table.Key, error) {
	keys := identity.ListingKeys(by.Workspace(), u.ID)
	unique, err := s.uniques(ctx, by, u)
	for _, n := range unique {
		keys = append(keys, n.key)
	}
	return keys, err
}

// A NewAccount is one that an administrator makes for somebody.
type NewAccount struct {
	Workspace workspace.Workspace
	Actor     table.Item // the administrator's account
	Username  string
	Email     string
	Role      authz.RoleSetting
	Profile   identity.Profile
	// Password may be empty: then only the mailed link sets one. Else its
	// owner must replace it at the first sign-in, for two people know it, and
	// within the life of an invitation.
	Password string
}

// CreateAccount makes an account, and mails its owner a link to choose a
// password.
func (s *Service) CreateAccount(ctx context.Context, by authz.Allowed, n NewAccount) (identity.User, error) {
	user, phc, err := s.prepared(ctx, by, n)
	if err != nil {
		return identity.User{}, s.rejected(ctx, by, err)
	}
	if err := identity.MailBudget(ctx, s.store, by); err != nil {
		return identity.User{}, err
	}
	for range 3 {
		made, err := s.createAccount(ctx, by, n, user, phc)
		if !errors.Is(err, identity.ErrDirectoryMoved) {
			return made, err
		}
	}
	return identity.User{}, table.ErrTryAgain
}

// prepared checks what was sent and returns the account with its password hash.
func (s *Service) prepared(ctx context.Context, by authz.Allowed, n NewAccount) (identity.User, string, error) {
	if n.Role != authz.Member && !identity.MayPromote(by, s.store.Now()) {
		return identity.User{}, "", identity.ErrInviteRole.In(identity.RoleField(n.Role))
	}
	email, err := identity.ParseEmail(n.Email)
	if err != nil {
		return identity.User{}, "", err
	}
	name, err := s.store.NewID()
	if err != nil {
		return identity.User{}, "", err
	}
	user := identity.User{ID: id.Of[id.Principal](name), Email: email.Address, EmailKey: email.Key, Role: n.Role, DateJoined: s.store.Now()}
	if n.Username != "" {
		if user.Username, err = identity.ParseUsername(n.Username); err != nil {
			return identity.User{}, "", err
		}
	}
	changed, err := identity.Patch{Profile: n.Profile}.Apply(user, false)
	if err != nil || n.Password == "" {
		return changed.User, "", err
	}
	phc, err := s.hashNew(ctx, n.Workspace, changed.User, n.Password)
	return changed.User, phc, err
}

func (s *Service) createAccount(ctx context.Context, by authz.Allowed, n NewAccount, user identity.User, phc string) (identity.User, error) {
	ws, now := n.Workspace.ID, s.store.Now()
	life := time.Duration(n.Workspace.Preferences.InviteTTL) * time.Second
	if phc != "" {
		user.TemporaryUntil = now.Add(life)
	}
	keys, err := s.accountKeys(ctx, by, user)
	if err != nil {
		return identity.User{}, err
	}
	items, err := s.store.Read(ctx, by, keys...)
	if err != nil {
		return identity.User{}, err
	}
	ops, user, err := s.newAccount(ctx, by, n.Workspace, items, user, "")
	if err != nil {
		return identity.User{}, err
	}
	if phc != "" {
		ops = append(ops, table.Insert(PasswordKey(ws, user.ID), PasswordRecord{PHC: phc, SetAt: now, Temporary: true}).Else(table.ErrTryAgain))
	}
	link, secret, err := s.link(ws, user, life)
	if err != nil {
		return identity.User{}, err
	}
	ops = append(ops, table.Unchanged(n.Actor).Else(table.ErrTryAgain),
		identity.PutLink(identity.LinkKey(ws, user.ID, identity.ResetPassword, secret.Hash()), nil, link))
	created := by.Event(audit.UserCreated, now).With(audit.Text("role", user.Role.String()), audit.Text("source", "admin"), audit.ID("subject", user.ID.UUID())).
		WithSubject(user.ID.UUID()).WithTarget(audit.Target{Type: "user", ID: user.ID.UUID(), Name: user.Username}).
		WithDescription("An administrator made an account.")
	events := []audit.Event{created}
	if role := user.Role.BuiltIn(); role != "" {
		events = append(events, by.Event(audit.RoleAssigned, now).With(audit.Text("subject_type", "user"), audit.ID("subject", user.ID.UUID()), audit.Text("role_id", role), audit.Flag("automatic", true)).
			WithSubject(user.ID.UUID()).WithDescription("The role of the account's setting was assigned."))
	}
	events = append(events, identity.ResetPassword.Sent(by, now, user.ID, identity.Mask(identity.Email{Key: user.EmailKey})))
	return user, s.store.Commit(ctx, by, table.Change{
		Events: events, Ops: ops,
		Messages: []message.Message{{
			Channel: message.Mail, Template: message.AccountMade, To: user.Email, Workspace: n.Workspace.Name,
			Person: by.Principal().Actor.Display, Until: link.ExpiresAt, Link: identity.ResetPassword.URL(n.Workspace.Canonical(), secret),
		}},
	})
}

// link returns a new link of an account, with its secret.
func (s *Service) link(ws id.ID[id.Workspace], u identity.User, life time.Duration) (identity.Link, credential.Secret, error) {
	secret, err := credential.New(s.random, credential.MailedLink, ws.UUID(), u.ID.UUID())
	if err != nil {
		return identity.Link{}, credential.Secret{}, err
	}
	hash := secret.Hash()
	return identity.Link{Hash: hex.EncodeToString(hash[:]), Epoch: u.Epoch, ExpiresAt: s.store.Now().Add(life)}, secret, nil
}

// relisted commits a change of an account's sign-in methods with what the
// directory tells of them.
func (s *Service) relisted(ctx context.Context, by authz.Allowed, before, after identity.User, change table.Change, commit func(table.Change) error) error {
	ws := by.Workspace()
	if identity.RowOf(before) == identity.RowOf(after) {
		return commit(change)
	}
	for range 3 {
		items, err := s.store.Read(ctx, by, identity.ListingKeys(ws, after.ID)...)
		if err != nil {
			return err
		}
		listing, err := identity.Listed(ws, after.ID, items)
		if err != nil {
			return err
		}
		if listing, err = listing.Change(before, after); err != nil {
			return err
		}
		next := change
		next.Ops = append(slices.Clone(change.Ops), listing.Save()...)
		if err = commit(next); !errors.Is(err, identity.ErrDirectoryMoved) {
			return err
		}
	}
	return table.ErrTryAgain
}

// DeleteAccount removes an account with everything that proves its owner: its
// sessions end at the next request, for they rest on the account.
func (s *Service) DeleteAccount(ctx context.Context, by authz.Allowed, a Authenticated, target table.Item) error {
	user, err := identity.DecodeUser(target)
	if err != nil {
		return err
	}
	if user.ID == a.User.ID {
		return identity.ErrOwnState
	}
	if a.Policy.OwnedBy(user.ID.UUID()) > 0 {
		return identity.ErrOwner
	}
	if target, user, err = s.strip(ctx, by, a, target, user); err != nil {
		return err
	}
	if _, err := s.tokens.DeleteAll(ctx, by, token.HolderOf(user)); err != nil {
		return err
	}
	for range 3 {
		err := s.deleteAccount(ctx, by, a, target, user)
		if !errors.Is(err, identity.ErrDirectoryMoved) {
			return err
		}
	}
	return table.ErrTryAgain
}

// strip takes an account that is about to go out of its groups and takes its
// roles, which would be too much for the transaction that deletes it.
func (s *Service) strip(ctx context.Context, by authz.Allowed, a Authenticated, account table.Item, u identity.User) (table.Item, identity.User, error) {
	event := func(k audit.Kind) audit.Event { return by.Event(k, s.store.Now()) }
	before := u.Role
	for len(u.Memberships)+len(u.Roles) > 0 {
		keys, roles := role.KeptOf(a.Workspace.ID, u)
		if len(u.Memberships) > 0 {
			keys = group.PlacesOf(a.Workspace.ID, u)
		}
		read, err := s.store.Read(ctx, by, keys...)
		if err != nil {
			return table.Item{}, identity.User{}, err
		}
		var change table.Change
		if len(u.Memberships) > 0 {
			if change, _, err = group.Strip(by, account, u, read, s.store.Now(), event); err != nil {
				return table.Item{}, identity.User{}, err
			}
		} else {
			change, _ = role.Strip(account, u, roles, read, event)
		}
		change.Ops = append(change.Ops, table.Unchanged(a.UserItem).Else(table.ErrTryAgain))
		if err := s.store.Commit(ctx, by, change); err != nil {
			return table.Item{}, identity.User{}, err
		}
		var ok bool
		if account, ok, err = s.store.One(ctx, by, account.Key); err != nil || !ok {
			return table.Item{}, identity.User{}, cmp.Or(err, error(table.ErrTryAgain))
		}
		if u, err = identity.DecodeUser(account); err != nil {
			return table.Item{}, identity.User{}, err
		}
		if u.Role != before { // who deletes was allowed to delete another one
			return table.Item{}, identity.User{}, table.ErrTryAgain
		}
	}
	return account, u, nil
}

func (s *Service) deleteAccount(ctx context.Context, by authz.Allowed, a Authenticated, target table.Item, user identity.User) error {
	ws := a.Workspace.ID
	keys := append(identity.ListingKeys(ws, user.ID), PasswordKey(ws, user.ID), mfa.RecoveryKey(ws, user.ID), mfa.SendsKey(ws, user.ID))
	for _, f := range user.Factors {
		keys = append(keys, mfa.StoredOf(ws, user.ID, f)...)
	}
	unique, err := s.uniques(ctx, by, user)
	if err != nil {
		return err
	}
	for _, n := range unique {
		keys = append(keys, n.key)
	}
	held, err := s.heldFor(ctx, by, user.ID)
	if err != nil {
		return err
	}
	keys = append(keys, held...)
	items, err := s.store.Read(ctx, by, keys...)
	if err != nil {
		return err
	}
	listing, err := identity.Listed(ws, user.ID, items)
	if err != nil {
		return err
	}
	if listing, err = listing.Drop(user); err != nil {
		return err
	}
	ops := append(listing.Save(), table.Remove(target).Else(table.ErrTryAgain), table.Unchanged(a.UserItem).Else(table.ErrTryAgain))
	// Nothing has become theirs in between.
	unowned := table.Absent(policy.HeadKey(ws))
	if a.PolicyItem.Version > 0 {
		unowned = table.Unchanged(a.PolicyItem)
	}
	ops = append(ops, unowned.Else(table.ErrTryAgain))
	for _, item := range items {
		if item.Key.Table == table.Credentials || item.Key.SK == "key" {
			ops = append(ops, table.Remove(item).Else(table.ErrTryAgain))
		}
		if item.Key.SK != "unique" {
			continue
		}
		free, err := identity.Leave(items, item.Key, user.ID, time.Time{})
		if err != nil {
			return err
		}
		ops = append(ops, free...)
	}
	e := by.Event(audit.UserDeleted, s.store.Now()).With(audit.ID("subject", user.ID.UUID())).WithSubject(user.ID.UUID()).
		WithTarget(audit.Target{Type: "user", ID: user.ID.UUID(), Name: user.Username}).WithDescription("An account was deleted; its sessions ended.")
	return s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: ops})
}
