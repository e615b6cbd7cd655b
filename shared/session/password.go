package session

import (
	"context"
	"errors"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/credential/breach"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/message"
	"paddock/shared/table"
	"paddock/shared/tally"
)

// Refusals around one's own password.
var (
	// ErrCurrent refuses a change without the present password or a fresh proof.
	ErrCurrent = fault.Error{
		Kind: fault.Denied, Code: "current_password_wrong",
		Detail: "Give your present password, or verify your second factor again.", Source: "current",
	}
	// ErrSamePassword refuses a new password that is the present one.
	ErrSamePassword = fault.Field("password", "password_same", "This is your present password. Choose another one.")
	// ErrChangePassword refuses everything else to a session whose password
	// must be replaced first.
	ErrChangePassword = fault.Error{
		Kind: fault.Denied, Code: "password_change_required",
		Detail: "Choose a new password first, in the console: this session may do nothing else.",
	}
)

// rejections tells which of the policy's rules a refusal is, as events name
// them. What is no well-formed password at all is no attempt at one.
var rejections = map[string]string{
	credential.ErrPasswordShort.Code: "length", credential.ErrPasswordCommon.Code: "breached", credential.ErrPasswordRepeated.Code: "breached",
	breach.ErrBreached.Code: "breached", credential.ErrPasswordName.Code: "similar", ErrSamePassword.Code: "reused",
}

// rejected writes the event of a password that the policy refused, and returns
// the refusal.
func (s *Service) rejected(ctx context.Context, by authz.Allowed, err error) error {
	refusal, ok := errors.AsType[fault.Error](err)
	rule := rejections[refusal.Code]
	if !ok || rule == "" {
		return err
	}
	e := by.Refusal(audit.AuthPasswordRejected, s.store.Now(), refusal).With(audit.Text("rule", rule)).WithDescription("A new password was refused.")
	if err := tally.Refused(ctx, s.store, by, e); err != nil {
		return err
	}
	return refusal
}

// ChangePassword replaces the caller's password. It takes the present one or a
// fresh proof; every other session ends, and this one goes on under a new
// handle. Source: security, PW-9.
func (s *Service) ChangePassword(ctx context.Context, by authz.Allowed, a Authenticated, current, typed string) (Risen, error) {
	ws, user := a.Workspace.ID, a.User
	item, stored, err := s.storedPassword(ctx, by, user.ID)
	if err != nil {
		return Risen{}, err
	}
	present := stored
	if user.PasswordEnded(s.store.Now()) {
		present = credential.Dummy()
	}
	if err := s.mayChange(ctx, by, a, present, current); err != nil {
		return Risen{}, err
	}
	if current == "" {
		by = by.Privileged()
	}
	same := false
	if fresh, err := credential.NewPassword(typed); err == nil && item.Version > 0 {
		if err := s.hasher.Do(func() { same = stored.Matches(fresh) }); err != nil {
			return Risen{}, err
		}
	}
	if same {
		return Risen{}, s.rejected(ctx, by, ErrSamePassword)
	}
	phc, err := s.hashNew(ctx, a.Workspace, user, typed)
	if err != nil {
		return Risen{}, s.rejected(ctx, by, err)
	}
	user.Epoch++
	user.TemporaryUntil = time.Time{}
	a.Session.ChangePassword = false
	risen, goesOn, err := s.replaced(a, user)
	if err != nil {
		return Risen{}, err
	}
	notice, report, err := s.reportable(by, a, message.PasswordChanged)
	if err != nil {
		return Risen{}, err
	}
	e := by.Event(audit.AuthPasswordChanged, s.store.Now()).WithDescription("The password was changed; other sessions ended.")
	err = s.store.Commit(ctx, by, table.Change{
		Events: []audit.Event{e}, Messages: []message.Message{notice},
		Ops: []table.Op{
			savePassword(PasswordKey(ws, user.ID), item, PasswordRecord{PHC: phc, SetAt: s.store.Now()}), report,
			identity.SaveUser(a.UserItem, user).Else(table.ErrTryAgain), table.Remove(a.SessionItem).Else(table.ErrTryAgain), goesOn,
		},
	})
	return risen, err
}

// storedPassword returns an account's password item, of version 0 when it has
// none, and its hash.
func (s *Service) storedPassword(ctx context.Context, by authz.Allowed, user id.ID[id.Principal]) (table.Item, credential.Hash, error) {
	item, ok, err := s.store.One(ctx, by, PasswordKey(by.Workspace(), user))
	if err != nil || !ok {
		return table.Item{}, credential.Dummy(), err
	}
	hash, err := hashOf(item)
	return item, hash, err
}

// hashOf returns the hash in a password item: one that nothing matches for
// text that is no hash.
func hashOf(item table.Item) (credential.Hash, error) {
	var stored PasswordRecord
	if err := table.Decode(item, &stored); err != nil {
		return credential.Hash{}, err
	}
	if h, ok := credential.ParseHash(stored.PHC); ok {
		return h, nil
	}
	return credential.Dummy(), nil
}

func savePassword(key table.Key, read table.Item, r PasswordRecord) table.Op {
	if read.Version == 0 {
		return table.Insert(key, r).Else(table.ErrTryAgain)
	}
	return table.Replace(read, r).Else(table.ErrTryAgain)
}

// mayChange admits a change of the password with the present one, which is
// counted as a guess, or with a fresh proof.
func (s *Service) mayChange(ctx context.Context, by authz.Allowed, a Authenticated, stored credential.Hash, current string) error {
	if current == "" {
		if a.Fresh(s.store.Now()) {
			return nil
		}
		return ErrCurrent
	}
	of, err := s.store.MAC(ctx, by, "guess", a.User.ID.String())
	if err != nil {
		return err
	}
	attempt, err := s.spend(ctx, by, of, "change", pairTries, pairWindow)
	if spent, ok := errors.AsType[*spentBudget](err); ok {
		return s.refuse(ctx, by, candidate{user: a.User}, of, "throttled", attempt, ErrThrottled.After(spent.left))
	}
	if err != nil {
		return err
	}
	password, malformed := credential.NewPassword(current)
	matched := false
	if err := s.hasher.Do(func() { matched = stored.Matches(password) }); err != nil {
		return s.busy(ctx, by, candidate{user: a.User}, of, attempt, err)
	}
	if !matched || malformed != nil {
		return s.refuse(ctx, by, candidate{user: a.User}, of, "bad_credentials", attempt, ErrCurrent)
	}
	return nil
}

// reportable returns a notice to the caller with a link that tells us it was
// not them, and the operation that stores the link.
func (s *Service) reportable(by authz.Allowed, a Authenticated, t message.Template) (message.Message, table.Op, error) {
	link, secret, err := s.link(a.Workspace.ID, a.User, identity.NoticeLife)
	if err != nil {
		return message.Message{}, table.Op{}, err
	}
	m := notice(by, a, t, "")
	m.Until, m.Link = link.ExpiresAt, identity.Report.URL(a.Workspace.Canonical(), secret)
	return m, identity.PutLink(identity.LinkKey(a.Workspace.ID, a.User.ID, identity.Report, secret.Hash()), nil, link), nil
}

// Forgot mails a link to choose a new password. Whether the account exists is
// not told; see mailLink.
func (s *Service) Forgot(ctx context.Context, at Attempt) error {
	return s.mailLink(ctx, at, mailedLink{purpose: identity.ResetPassword, template: message.PasswordReset, life: identity.ResetLife, budget: "forgot"})
}
