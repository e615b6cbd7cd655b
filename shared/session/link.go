package session

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/message"
	"paddock/shared/mfa"
	"paddock/shared/table"
	"paddock/shared/workspace"
)

// A Redemption is a mailed link that somebody opened.
type Redemption struct {
	Host    string
	Secret  credential.Secret
	Source  audit.Source
	Request authz.Request
}

// opened is what a link opens: the account, and what was read beside it.
type opened struct {
	by       authz.Allowed
	ws       workspace.Workspace
	link     identity.Link
	linkItem table.Item
	user     identity.User
	userItem table.Item
	password table.Item // version 0 when there is none
	items    []table.Item
}

// follow does what a link of this purpose opens. Whatever is wrong with the
// link, and that another request used it up at the same time, is
// identity.ErrLink and leaves an event.
func (s *Service) follow(ctx context.Context, r Redemption, p identity.LinkPurpose, do func(context.Context, opened) error) error {
	o, err := s.openLink(ctx, r, p)
	if err == nil {
		err = do(ctx, o)
	}
	if !errors.Is(err, identity.ErrLink) {
		return err
	}
	reason := SecretUnknown
	if o.link.Of(r.Secret) && !s.store.Now().Before(o.link.ExpiresAt) {
		reason = SecretExpired
	}
	return s.rejectedSecret(ctx, Caller{Host: r.Host, Source: r.Source, Request: r.Request}, rejection{
		secret: r.Secret, owner: o.user, reason: reason, refusal: identity.ErrLink, text: "A mailed link was refused.",
	})
}

// openLink returns what a link of this purpose opens. Whatever is wrong with it is
// identity.ErrLink, with what was read all the same.
func (s *Service) openLink(ctx context.Context, r Redemption, p identity.LinkPurpose) (opened, error) {
	w, err := s.WorkspaceAt(ctx, r.Host)
	if err != nil {
		return opened{}, err
	}
	if r.Secret.Prefix() != credential.MailedLink || r.Secret.Workspace() != w.ID.UUID() {
		return opened{}, identity.ErrLink
	}
	who := principalID(r.Secret)
	by := authz.ForCeremony(w.ID, "link", authz.Principal{Source: r.Source, Request: r.Request})
	at, account, password := identity.LinkKey(w.ID, who, p, r.Secret.Hash()), identity.UserKey(w.ID, who), PasswordKey(w.ID, who)
	keys := append(identity.ListingKeys(w.ID, who), at, account, password)
	for _, other := range []identity.LinkPurpose{identity.ResetPassword, identity.ConfirmEmail} {
		if other != p {
			keys = append(keys, identity.LinkKey(w.ID, who, other, [32]byte{}))
		}
	}
	o := opened{ws: w}
	if o.items, err = s.store.Read(ctx, by, keys...); err != nil {
		return opened{}, err
	}
	for _, item := range o.items {
		switch item.Key {
		case at:
			o.linkItem = item
			err = table.Decode(item, &o.link)
		case account:
			o.userItem = item
			o.user, err = identity.DecodeUser(item)
		case password:
			o.password = item
		}
		if err != nil {
			return opened{}, err
		}
	}
	if o.user.ID.Zero() || o.user.Disabled || !o.link.Matches(r.Secret, s.store.Now()) {
		return o, identity.ErrLink
	}
	p0 := PrincipalOf(w.ID, o.user, r.Source)
	p0.Request = r.Request
	o.by = authz.ForCeremony(w.ID, "link", p0)
	return o, nil
}

// void returns the operations that end the account's live links of these
// purposes, as far as they were read.
func (o opened) void(purposes ...identity.LinkPurpose) []table.Op {
	var ops []table.Op
	for _, p := range purposes {
		key := identity.LinkKey(o.ws.ID, o.user.ID, p, [32]byte{})
		for _, item := range o.items {
			if item.Key == key {
				ops = append(ops, table.Remove(item).Else(table.ErrTryAgain))
			}
		}
	}
	return ops
}

// notice returns a message about the account.
func (o opened) notice(t message.Template, to string) message.Message {
	src := o.by.Principal().Source
	return message.Message{Channel: message.Mail, Template: t, To: to, Workspace: o.ws.Name, From: src.IP.String() + ", " + src.UserAgent}
}

// Reset sets the password of the account that a link opens. It proves the
// address and nothing else: a second factor is asked at sign-in as before.
// Every session ends. Source: security, RS-1 and RS-2.
func (s *Service) Reset(ctx context.Context, r Redemption, typed string) error {
	return s.follow(ctx, r, identity.ResetPassword, func(ctx context.Context, o opened) error { return s.reset(ctx, o, typed) })
}

func (s *Service) reset(ctx context.Context, o opened, typed string) error {
	if o.link.Epoch != o.user.Epoch {
		return identity.ErrLink
	}
	phc, err := s.hashNew(ctx, o.ws, o.user, typed)
	if err != nil {
		return s.rejected(ctx, o.by, err)
	}
	after := o.user
	after.Epoch++
	after.EmailVerified, after.TemporaryUntil = true, time.Time{}
	report, secret, err := s.link(o.ws.ID, after, identity.NoticeLife)
	if err != nil {
		return err
	}
	m := o.notice(message.PasswordChanged, o.user.Email)
	m.Until, m.Link = report.ExpiresAt, identity.Report.URL(o.ws.Canonical(), secret)
	e := o.by.Event(audit.AuthPasswordReset, s.store.Now()).WithSubject(o.user.ID.UUID()).WithDescription("A password was set through a mailed link; sessions ended.")
	return s.store.Commit(ctx, o.by, table.Change{
		Events: []audit.Event{e}, Messages: []message.Message{m},
		Ops: append(o.void(identity.ConfirmEmail),
			table.Remove(o.linkItem).Else(identity.ErrLink), identity.SaveUser(o.userItem, after).Else(table.ErrTryAgain),
			savePassword(PasswordKey(o.ws.ID, o.user.ID), o.password, PasswordRecord{PHC: phc, SetAt: s.store.Now()}),
			identity.PutLink(identity.LinkKey(o.ws.ID, o.user.ID, identity.Report, secret.Hash()), nil, report)),
	})
}

// ConfirmEmail makes the address that a link was mailed to the account's own.
// The old one is told, with a link that undoes it, and stays held for the
// account as long as that lives. Source: security, RS-3.
func (s *Service) ConfirmEmail(ctx context.Context, r Redemption) error {
	return s.follow(ctx, r, identity.ConfirmEmail, s.confirmEmail)
}

func (s *Service) confirmEmail(ctx context.Context, o opened) error {
	if o.link.Epoch != o.user.Epoch {
		return identity.ErrLink
	}
	after := o.user
	after.Email, after.EmailKey, after.EmailVerified, after.PendingEmail = o.link.Email, o.link.EmailKey, true, ""
	after.EmailChanges++
	undo, secret, err := s.link(o.ws.ID, after, identity.NoticeLife)
	if err != nil {
		return err
	}
	undo.Email, undo.EmailKey, undo.Change = o.user.Email, o.user.EmailKey, after.EmailChanges
	m := o.notice(message.EmailChanged, o.user.Email)
	m.Until, m.Link = undo.ExpiresAt, identity.UndoEmail.URL(o.ws.Canonical(), secret)
	ops, err := s.readdress(ctx, o, after, map[string]time.Time{o.user.EmailKey: undo.ExpiresAt})
	if err != nil {
		return err
	}
	e := s.addressEvent(o, after, "An address was confirmed and is the account's now.")
	return s.store.Commit(ctx, o.by, table.Change{
		Events: []audit.Event{e}, Messages: []message.Message{m},
		Ops: append(append(ops, o.void(identity.ResetPassword)...),
			identity.PutLink(identity.LinkKey(o.ws.ID, o.user.ID, identity.UndoEmail, secret.Hash()), nil, undo)),
	})
}

// UndoEmail brings an address back that was changed, ends every session,
// removes the password and the sign-in methods that without names, and mails
// a link to choose a new password. Links that undo later changes end with
// it, and those of earlier ones stay: whoever took the account over must
// neither take it back nor keep its owner from doing so.
func (s *Service) UndoEmail(ctx context.Context, r Redemption) error {
	return s.follow(ctx, r, identity.UndoEmail, s.undoEmail)
}

func (s *Service) undoEmail(ctx context.Context, o opened) error {
	later, leaves, err := s.undoneAfter(ctx, o)
	if err != nil {
		return err
	}
	after := o.user
	after.Email, after.EmailKey, after.EmailVerified, after.PendingEmail = o.link.Email, o.link.EmailKey, true, ""
	after.Epoch++
	after.BrowsersSince, after.Networks, after.TemporaryUntil = s.store.Now(), nil, time.Time{}
	after, added, err := s.without(ctx, o, after, o.link.ExpiresAt.Add(-identity.NoticeLife))
	if err != nil {
		return err
	}
	ops, err := s.readdress(ctx, o, after, leaves)
	if err != nil {
		return err
	}
	ops = slices.Concat(ops, added, o.noPassword())
	reset, m, sent, err := s.newReset(o, after)
	if err != nil {
		return err
	}
	reported := o.by.Event(audit.AuthReportedByUser, s.store.Now()).With(audit.List("actions_taken", "email_restored", "sessions_ended", "password_removed", "new_methods_removed", "links_ended")).
		WithSubject(o.user.ID.UUID()).WithDescription("A change of address was undone by the owner of the old one.")
	return s.store.Commit(ctx, o.by, table.Change{
		Events: []audit.Event{reported, s.addressEvent(o, after, "An address was brought back."), sent}, Messages: []message.Message{m},
		Ops: slices.Concat(ops, o.void(identity.ConfirmEmail), later, []table.Op{reset}),
	})
}

// without returns the account without the sign-in methods that were added since
// an instant, and the operations that remove their secrets: with them whoever
// changed the address would keep its owner out. Keys, which can sign in alone, go
// if they were added within identity.NoticeLife before it too: whoever changed the
// address may have begun with one.
func (s *Service) without(ctx context.Context, o opened, after identity.User, since time.Time) (identity.User, []table.Op, error) {
	var kept []identity.Factor
	var keys []table.Key
	for _, f := range after.Factors {
		switch {
		case f.ConfirmedAt.Before(since.Add(-aloneBefore(f))):
			kept = append(kept, f)
		case f.Method == identity.RecoveryCode:
			keys = append(keys, mfa.RecoveryKey(o.ws.ID, after.ID))
		default:
			keys = append(keys, mfa.StoredOf(o.ws.ID, after.ID, f)...)
		}
	}
	after.Factors = kept
	if len(keys) == 0 {
		return after, nil, nil
	}
	items, err := s.store.Read(ctx, o.by, keys...)
	if err != nil {
		return identity.User{}, nil, err
	}
	var ops []table.Op
	for _, item := range items {
		ops = append(ops, table.Remove(item).Else(table.ErrTryAgain))
	}
	return after, ops, nil
}

// aloneBefore returns how long before an act a method can have been added that is
// taken for a part of it.
func aloneBefore(f identity.Factor) time.Duration {
	if mfa.IsKey(f.Method) {
		return identity.NoticeLife
	}
	return 0
}

// noPassword returns the operation that removes the account's password, if it
// has one: only a mailed link sets another.
func (o opened) noPassword() []table.Op {
	if o.password.Version == 0 {
		return nil
	}
	return []table.Op{table.Remove(o.password).Else(table.ErrTryAgain)}
}

// undoneAfter returns the operations that end the links which undo changes
// later than the one that o undoes, and the addresses that the account leaves
// with them; see readdress. One that an earlier link brings back stays held for
// it. How many there can be is bounded by identity.Service's budget of new
// addresses.
func (s *Service) undoneAfter(ctx context.Context, o opened) ([]table.Op, map[string]time.Time, error) {
	links, err := s.undoLinks(ctx, o.by, o.user.ID)
	if err != nil {
		return nil, nil, err
	}
	var ops []table.Op
	leaves := map[string]time.Time{o.user.EmailKey: {}}
	for _, l := range links {
		if l.Change > o.link.Change {
			ops = append(ops, table.Remove(l.item).Else(table.ErrTryAgain))
			leaves[l.EmailKey] = time.Time{}
		}
	}
	for _, l := range links {
		until, left := leaves[l.EmailKey]
		if left && l.Change < o.link.Change && l.ExpiresAt.After(until) {
			leaves[l.EmailKey] = l.ExpiresAt
		}
	}
	return ops, leaves, nil
}

// An undoLink is one that undoes a change of address, with its item.
type undoLink struct {
	identity.Link
	item table.Item
}

// undoLinks returns the live links that undo changes of an account's address.
func (s *Service) undoLinks(ctx context.Context, by authz.Allowed, user id.ID[id.Principal]) ([]undoLink, error) {
	items, err := s.store.Query(ctx, by, table.Query{Key: identity.UserKey(by.Workspace(), user), Prefix: "link#" + string(identity.UndoEmail) + "#"})
	if err != nil {
		return nil, err
	}
	var out []undoLink
	for _, item := range items {
		l := undoLink{item: item}
		if err := table.Decode(item, &l.Link); err != nil {
			return nil, err
		}
		if s.store.Now().Before(l.ExpiresAt) {
			out = append(out, l)
		}
	}
	return out, nil
}

// heldFor returns where the addresses lie that are held for an account.
func (s *Service) heldFor(ctx context.Context, by authz.Allowed, user id.ID[id.Principal]) ([]table.Key, error) {
	links, err := s.undoLinks(ctx, by, user)
	if err != nil {
		return nil, err
	}
	var keys []table.Key
	for _, l := range links {
		mac, err := s.store.MAC(ctx, by, identity.LoginField, l.EmailKey)
		if err != nil {
			return nil, err
		}
		if key := identity.UniqueKey(by.Workspace(), mac); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// NotMe ends everything that can act for an account whose owner says that it
// was not them: its sessions, its password and its links. A link to choose a
// new password is mailed. Second factors stay, but for those that without names.
func (s *Service) NotMe(ctx context.Context, r Redemption) error {
	return s.follow(ctx, r, identity.Report, s.notMe)
}

func (s *Service) notMe(ctx context.Context, o opened) error {
	after := o.user
	after.Epoch++
	after.BrowsersSince, after.Networks, after.TemporaryUntil = s.store.Now(), nil, time.Time{}
	after.PendingEmail = ""
	// What was added since the notice that tells of it is whose the act was.
	after, added, err := s.without(ctx, o, after, o.link.ExpiresAt.Add(-identity.NoticeLife))
	if err != nil {
		return err
	}
	reset, m, sent, err := s.newReset(o, after)
	if err != nil {
		return err
	}
	ops := append(o.void(identity.ConfirmEmail), reset, table.Remove(o.linkItem).Else(identity.ErrLink), identity.SaveUser(o.userItem, after).Else(table.ErrTryAgain))
	ops = slices.Concat(ops, o.noPassword(), added)
	e := o.by.Event(audit.AuthReportedByUser, s.store.Now()).With(audit.List("actions_taken", "sessions_ended", "password_removed", "new_methods_removed", "links_ended")).
		WithSubject(o.user.ID.UUID()).WithDescription("The owner reported that it was not them: everything of the account ended.")
	return s.relisted(ctx, o.by, o.user, after, table.Change{Events: []audit.Event{e, sent}, Messages: []message.Message{m}, Ops: ops},
		func(c table.Change) error { return s.store.Commit(ctx, o.by, c) })
}

// newReset returns the operation that stores a fresh link to choose a password,
// the message with it, and the event that it was sent.
func (s *Service) newReset(o opened, after identity.User) (table.Op, message.Message, audit.Event, error) {
	link, secret, err := s.link(o.ws.ID, after, identity.ResetLife)
	if err != nil {
		return table.Op{}, message.Message{}, audit.Event{}, err
	}
	sent := identity.ResetPassword.Sent(o.by, s.store.Now(), after.ID, identity.Mask(identity.Email{Key: after.EmailKey}))
	m := o.notice(message.PasswordReset, after.Email)
	m.Until, m.Link = link.ExpiresAt, identity.ResetPassword.URL(o.ws.Canonical(), secret)
	return identity.PutLink(identity.LinkKey(o.ws.ID, after.ID, identity.ResetPassword, secret.Hash()), o.items, link), m, sent, nil
}

// readdress returns the operations that use up the link and give the account
// another address. leaves are the addresses, in canonical form, that it leaves,
// each with the instant until which it stays held for it; zero frees it.
func (s *Service) readdress(ctx context.Context, o opened, after identity.User, leaves map[string]time.Time) ([]table.Op, error) {
	ops := []table.Op{table.Remove(o.linkItem).Else(identity.ErrLink), identity.SaveUser(o.userItem, after).Else(table.ErrTryAgain)}
	delete(leaves, after.EmailKey)
	names := append(slices.Sorted(maps.Keys(leaves)), after.EmailKey)
	keys := make([]table.Key, len(names))
	for i, name := range names {
		mac, err := s.store.MAC(ctx, o.by, identity.LoginField, name)
		if err != nil {
			return nil, err
		}
		keys[i] = identity.UniqueKey(o.ws.ID, mac)
	}
	read, err := s.store.Read(ctx, o.by, keys...)
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		if name == after.EmailKey {
			continue
		}
		left, err := identity.Leave(read, keys[i], after.ID, leaves[name])
		if err != nil {
			return nil, err
		}
		ops = append(ops, left...)
	}
	if after.EmailKey != o.user.EmailKey {
		claim, err := identity.Claim(read, keys[len(keys)-1], after.ID, s.store.Now(), identity.ErrEmailTaken)
		if err != nil {
			return nil, err
		}
		ops = append(ops, claim)
	}
	if identity.RowOf(after) == identity.RowOf(o.user) {
		return ops, nil
	}
	listing, err := identity.Listed(o.ws.ID, after.ID, o.items)
	if err != nil {
		return nil, err
	}
	if listing, err = listing.Change(o.user, after); err != nil {
		return nil, err
	}
	for _, op := range listing.Save() {
		ops = append(ops, op.Else(table.ErrTryAgain))
	}
	return ops, nil
}

// addressEvent is the event of a changed address, which it shows masked.
func (s *Service) addressEvent(o opened, after identity.User, text string) audit.Event {
	return o.by.Event(audit.UserUpdated, s.store.Now()).With(audit.ID("subject", after.ID.UUID())).WithSubject(after.ID.UUID()).
		WithChange("email", identity.Mask(identity.Email{Key: o.user.EmailKey}), identity.Mask(identity.Email{Key: after.EmailKey})).
		WithTarget(audit.Target{Type: "user", ID: after.ID.UUID(), Name: after.Username}).WithDescription(text)
}
