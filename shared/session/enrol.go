package session

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/message"
	"paddock/shared/mfa"
	"paddock/shared/table"
)

// PendingLife is how long an enrolment can be confirmed, FirstEnrolment how
// old a sign-in may be that enrols the first method. Source: security, MF-6
// and MF-11.
const (
	PendingLife    = 10 * time.Minute
	FirstEnrolment = 5 * time.Minute
)

// MaxFactors bounds the methods of one person.
const MaxFactors = 10

// Refusals of enrolments.
var (
	// ErrFactorLimit refuses a method beyond MaxFactors.
	ErrFactorLimit = fault.Error{Kind: fault.Conflict, Code: "limit_reached", Detail: "An account has at most 10 sign-in methods.", Source: "factors"}
	// ErrFactorName refuses a name that cannot be shown on one line.
	ErrFactorName = fault.Field("name", "invalid_name", "A name has 1 to 60 characters and no control characters.")
	// ErrStepUp demands a fresh verification by an existing factor.
	ErrStepUp = fault.Error{Kind: fault.Denied, Code: "auth_mfa_required", Detail: "Verify your second factor again to do this."}
	// ErrSignInAgain demands a fresh sign-in: there is no factor yet to verify.
	ErrSignInAgain = fault.Error{Kind: fault.Denied, Code: "sign_in_again", Detail: "Sign in again to set up your first sign-in method."}
)

// mayAdd reports whether the session's proof lets it add a method: as one opens
// protected actions, or, of who has no method that does, any that is allowed.
func (a Authenticated) mayAdd(now time.Time) bool {
	return a.fresh(now, StepUpMethods(a.Workspace, a.User))
}

// An Enrolment is a method being set up: its secret is shown this once.
type Enrolment struct {
	ID        id.ID[id.Factor]
	Secret    string
	URI       string
	QR        string
	Options   json.RawMessage // PublicKeyCredentialCreationOptionsJSON, of a security key
	SentTo    string          // masked: where a code was sent
	ExpiresAt time.Time
}

// MayEnrol is the rule of who may add a method: with a method there already, a
// fresh proof by one; without, a sign-in at most FirstEnrolment ago. A session
// opened by a recovery code may always, for as long as it lasts. Source:
// security, MF-6.
func MayEnrol(a Authenticated, now time.Time) error {
	switch {
	case a.Session.Unusual && a.Session.Kind == Half:
		return ErrHalf // a method of one's own would stand in for the mailed code
	case a.Session.EnrolOnly:
		return nil
	case a.User.HasSecondFactor():
		if a.Session.Kind == Half {
			return mfa.ErrEnrolled
		}
		switch {
		case a.mayAdd(now):
			return nil
		case stranded(a.Workspace, a.User): // nothing to step up with: only a sign-in
			return ErrSignInAgain
		}
		return ErrStepUp
	case a.Session.Kind == Half:
		return nil // lives ten minutes and began with the password
	case now.Sub(a.Session.CreatedAt) >= FirstEnrolment:
		return ErrSignInAgain
	}
	return nil
}

// provedFor returns by as resting on the session's proof, where MayEnrol asked for
// one.
func provedFor(by authz.Allowed, a Authenticated) authz.Allowed {
	if a.User.HasSecondFactor() && !a.Session.EnrolOnly {
		return by.Privileged()
	}
	return by
}

// mayBegin refuses to set up a method: by MayEnrol, the workspace's policy, the
// number of methods, the budget and the name.
func (s *Service) mayBegin(ctx context.Context, by authz.Allowed, a Authenticated, m identity.Method, name string) error {
	now := s.store.Now()
	if err := MayEnrol(a, now); err != nil {
		return err
	}
	if !allowed(a.Workspace, m) {
		return mfa.ErrMethod
	}
	if len(a.User.Factors) >= MaxFactors {
		return ErrFactorLimit
	}
	if len([]rune(name)) == 0 || len([]rune(name)) > 60 || identity.CheckPersonName("name", name) != nil {
		return ErrFactorName
	}
	_, err := s.count(ctx, by, mfa.GuessKey(a.Workspace.ID, a.User.ID, "enrol", now), mfa.FactorTries, now.Add(2*mfa.FactorWindow))
	return s.overTries(ctx, by, mfa.FactorTries, err)
}

// EnrolTOTP begins to set up an authenticator app. It counts for nothing until
// ConfirmCode.
func (s *Service) EnrolTOTP(ctx context.Context, by authz.Allowed, a Authenticated, name string) (Enrolment, error) {
	if err := s.mayBegin(ctx, by, a, identity.OTP, name); err != nil {
		return Enrolment{}, err
	}
	now := s.store.Now()
	factor, err := s.store.NewID()
	if err != nil {
		return Enrolment{}, err
	}
	secret, err := credential.NewTOTPSecret(s.random)
	if err != nil {
		return Enrolment{}, err
	}
	uri := credential.TOTPURI(secret, a.Workspace.Name, a.User.Email)
	svg, err := credential.QRCodeSVG(uri)
	if err != nil {
		return Enrolment{}, err
	}
	e := Enrolment{ID: id.Of[id.Factor](factor), Secret: credential.TOTPText(secret), URI: uri, QR: svg, ExpiresAt: now.Add(PendingLife)}
	stored := mfa.TOTPSecret{Secret: secret, Pending: true, Name: name, Session: a.Hash, ExpiresAt: e.ExpiresAt}
	err = s.store.WriteScratch(ctx, by, table.Challenges, table.Insert(mfa.FactorKey(a.Workspace.ID, a.User.ID, e.ID), stored).Until(e.ExpiresAt.Add(time.Hour)))
	return e, err
}

// A Confirmed enrolment: the session that replaces the caller's, and recovery
// codes when these are the first.
type Confirmed struct {
	Risen
	Factor        identity.Factor
	RecoveryCodes []string
}

// ConfirmCode finishes an enrolment with a code: of the app, or the one that was
// sent. It proves the factor, so that the session rises; the first method brings
// recovery codes, shown this once.
func (s *Service) ConfirmCode(ctx context.Context, by authz.Allowed, a Authenticated, which id.ID[id.Factor], answer Answer) (Confirmed, error) {
	now := s.store.Now()
	if err := MayEnrol(a, now); err != nil {
		return Confirmed{}, err
	}
	by = provedFor(by, a)
	ws, user := a.Workspace.ID, a.User.ID
	items, err := s.store.Read(ctx, by, mfa.FactorKey(ws, user, which), mfa.RecoveryKey(ws, user))
	if err != nil {
		return Confirmed{}, err
	}
	pending, recovery := apart(items)
	var secret mfa.TOTPSecret
	if pending.Version > 0 {
		var sent mfa.CodeFactor
		if err := table.Decode(pending, &sent); err != nil {
			return Confirmed{}, err
		}
		if mfa.IsCode(sent.Method) {
			return s.confirmSent(ctx, by, a, which, pending, recovery, sent, answer)
		}
		if err := table.Decode(pending, &secret); err != nil {
			return Confirmed{}, err
		}
	}
	if !secret.Pending || len(secret.Secret) == 0 || secret.Session != a.Hash || !now.Before(secret.ExpiresAt) {
		return Confirmed{}, mfa.ErrFactor
	}
	attempt, err := s.mayConfirm(ctx, by, a, identity.OTP, which)
	if err != nil {
		return Confirmed{}, err
	}
	step, ok := credential.CheckTOTP(secret.Secret, answer.Code, now, 0)
	if !ok {
		return Confirmed{}, s.failed(ctx, by, mfa.Challenge{ID: id.Of[id.Challenge](which.UUID()), Method: identity.OTP}, attempt, "wrong", mfa.ErrCode)
	}
	secret.Pending, secret.LastStep, secret.Session, secret.ExpiresAt = false, step, "", time.Time{}
	confirmed := pending
	confirmed.TTL = time.Time{}
	return s.confirm(ctx, by, a, identity.Factor{ID: which, Method: identity.OTP, Name: secret.Name, ConfirmedAt: now},
		[]table.Op{table.Replace(confirmed, secret).Else(mfa.ErrFactor)}, recovery, answer.Browser)
}

// mayConfirm refuses to finish setting up a method by the policy, which may have
// changed since, and the number of methods, and counts the answer: the first is
// 1, after mfa.FactorTries in mfa.FactorWindow it is mfa.ErrTries.
func (s *Service) mayConfirm(ctx context.Context, by authz.Allowed, a Authenticated, m identity.Method, which id.ID[id.Factor]) (attempt int64, err error) {
	if !allowed(a.Workspace, m) {
		return 0, mfa.ErrMethod
	}
	if len(a.User.Factors) >= MaxFactors {
		return 0, ErrFactorLimit
	}
	now := s.store.Now()
	attempt, err = s.count(ctx, by, mfa.GuessKey(a.Workspace.ID, a.User.ID, which.String(), now), mfa.FactorTries, now.Add(2*mfa.FactorWindow))
	return attempt, s.overTries(ctx, by, mfa.FactorTries, err)
}

// confirm stores a confirmed factor: the account lists it, recovery codes are
// made with the first, and the session rises.
func (s *Service) confirm(ctx context.Context, by authz.Allowed, a Authenticated, f identity.Factor, ops []table.Op, recovery table.Item, browser credential.Secret, more ...audit.Field) (Confirmed, error) {
	now := s.store.Now()
	out := Confirmed{Factor: f}
	user := a.User
	user.Factors = append(slices.Clone(user.Factors), f)
	next, secret, _, err := s.next(a, f.Method, now)
	if err != nil {
		return Confirmed{}, err
	}
	next.EnrolOnly = false
	if a.Session.EnrolOnly {
		next.EndsAt = now.Add(a.Workspace.SessionAbsolute())
	}
	next.Proof.Factor = f.ID
	events := []audit.Event{by.Event(audit.MFAFactorAdded, now).With(append(more, audit.ID("factor_id", f.ID.UUID()), audit.Text("method", kindOf(f.Method)))...).
		WithDescription("A sign-in method was added.")}
	if recovery.Version == 0 {
		codes, set, err := s.recoveryCodes(a)
		if err != nil {
			return Confirmed{}, err
		}
		out.RecoveryCodes = codes
		made, err := s.store.NewID()
		if err != nil {
			return Confirmed{}, err
		}
		user.Factors = append(user.Factors, recoveryFactor(made, now))
		ops = append(ops, table.Insert(mfa.RecoveryKey(a.Workspace.ID, a.User.ID), set).Else(table.ErrTryAgain))
		events = append(events, by.Event(audit.MFARecoveryCodesGenerated, now).With(audit.Number("count", int64(len(codes)))).
			WithDescription("Recovery codes were made."))
	}
	told, report, err := s.reportable(by, a, message.FactorAdded)
	if err != nil {
		return Confirmed{}, err
	}
	told.What = nameOf(f.Method)
	messages, err := s.tell(ctx, by, a.User, told)
	if err != nil {
		return Confirmed{}, err
	}
	change, ops := table.Change{Events: events, Messages: messages}, append(ops, report)
	var added newcomers
	if a.Session.Kind == Half {
		done, err := s.rememberHalf(ctx, by, a, browser)
		if err != nil {
			return Confirmed{}, err
		}
		change.Messages = append(change.Messages, done.messages...)
		user, _ = visited(user, networkOf(by.Principal().Source.IP))
		added.browser = done.added
		out.Browser, ops = done.Secret, append(ops, done.ops...)
		change.Events = append(append(change.Events, loginEvent(by, next, done.NewBrowser, now)), done.events...)
	}
	change.Ops = append(ops, identity.SaveUser(a.UserItem, user).Else(table.ErrTryAgain),
		table.Remove(a.SessionItem).Else(table.ErrTryAgain),
		table.Insert(Key(a.Workspace.ID, a.User.ID, secret.Hash()), next).Until(next.EndsAt))
	out.Secret, out.Session = secret, next
	return out, s.relisted(ctx, by, a.User, user, change, func(c table.Change) error { return s.commit(ctx, by, a.Workspace, user, c, added) })
}

// rememberHalf makes the browser of a half-signed-in session a known one.
func (s *Service) rememberHalf(ctx context.Context, by authz.Allowed, a Authenticated, browser credential.Secret) (Completion, error) {
	from, err := s.browser(ctx, by, browser)
	if err != nil {
		return Completion{}, err
	}
	c, err := s.remember(by, a.User, from)
	if err != nil {
		return Completion{}, err
	}
	return c, s.tellOwner(by, a.Workspace, a.User, &c)
}

func (s *Service) recoveryCodes(a Authenticated) ([]string, mfa.RecoverySet, error) {
	codes, err := credential.NewRecoveryCodes(s.random)
	if err != nil {
		return nil, mfa.RecoverySet{}, err
	}
	set := mfa.RecoverySet{}
	for _, c := range codes {
		canonical, ok := credential.ReadRecoveryCode(c)
		if !ok {
			return nil, mfa.RecoverySet{}, errors.New("session: a recovery code does not read back")
		}
		set.Hashes = append(set.Hashes, credential.HashRecoveryCode(a.Workspace.ID.UUID(), a.User.ID.UUID(), canonical))
	}
	return codes, set, nil
}

func recoveryFactor(made id.UUID, now time.Time) identity.Factor {
	return identity.Factor{ID: id.Of[id.Factor](made), Method: identity.RecoveryCode, Name: "Recovery codes", ConfirmedAt: now}
}

// NewRecoveryCodes replaces the recovery codes; the old ones end at once.
func (s *Service) NewRecoveryCodes(ctx context.Context, by authz.Allowed, a Authenticated) ([]string, error) {
	if !a.User.HasSecondFactor() {
		return nil, mfa.ErrMethod
	}
	item, ok, err := s.store.One(ctx, by, mfa.RecoveryKey(a.Workspace.ID, a.User.ID))
	if err != nil {
		return nil, err
	}
	codes, set, err := s.recoveryCodes(a)
	if err != nil {
		return nil, err
	}
	var old mfa.RecoverySet
	write := table.Insert(mfa.RecoveryKey(a.Workspace.ID, a.User.ID), set)
	if ok {
		if err := table.Decode(item, &old); err != nil {
			return nil, err
		}
		write = table.Replace(item, set)
	}
	made, err := s.store.NewID()
	if err != nil {
		return nil, err
	}
	user, now := a.User, s.store.Now()
	user.Factors = slices.DeleteFunc(slices.Clone(user.Factors), func(f identity.Factor) bool { return f.Method == identity.RecoveryCode })
	user.Factors = append(user.Factors, recoveryFactor(made, now)) // made now, whoever made the ones before
	e := by.Event(audit.MFARecoveryCodesGenerated, now).With(audit.Number("count", int64(len(codes))),
		audit.Number("previous_unused_n", int64(len(old.Hashes)))).WithDescription("Recovery codes were made; older ones no longer work.")
	told, report, err := s.reportable(by, a, message.RecoveryCodesMade)
	if err != nil {
		return nil, err
	}
	told.What = "Recovery codes"
	messages, err := s.tell(ctx, by, a.User, told)
	if err != nil {
		return nil, err
	}
	err = s.store.Commit(ctx, by, table.Change{
		Events: []audit.Event{e}, Ops: []table.Op{write.Else(table.ErrTryAgain), identity.SaveUser(a.UserItem, user).Else(table.ErrTryAgain), report},
		Messages: messages,
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// RemoveFactor removes a method of the caller. The last one stays while the
// workspace requires MFA; without any, the recovery codes go too.
func (s *Service) RemoveFactor(ctx context.Context, by authz.Allowed, a Authenticated, which id.ID[id.Factor]) error {
	at := slices.IndexFunc(a.User.Factors, func(f identity.Factor) bool { return f.ID == which && f.Method != identity.RecoveryCode })
	if at < 0 {
		return mfa.ErrFactor
	}
	ws := a.Workspace.ID
	user := a.User
	removed := user.Factors[at]
	user.Factors = slices.Delete(slices.Clone(user.Factors), at, at+1)
	if a.Workspace.Security.MFARequired && (!user.HasSecondFactor() || stranded(a.Workspace, user)) {
		return mfa.ErrLast
	}
	items, err := s.store.Read(ctx, by, append(mfa.StoredOf(ws, user.ID, removed), mfa.RecoveryKey(ws, user.ID))...)
	if err != nil {
		return err
	}
	var ops []table.Op
	for _, item := range items {
		if item.Key.SK != "recovery" || !user.HasSecondFactor() {
			ops = append(ops, table.Remove(item).Else(table.ErrTryAgain))
		}
	}
	if !user.HasSecondFactor() {
		user.Factors = nil
	}
	e := by.Event(audit.MFAFactorRemoved, s.store.Now()).With(audit.ID("factor_id", which.UUID()), audit.Text("method", kindOf(removed.Method)),
		audit.Number("remaining_n", int64(len(user.Factors)))).WithDescription("A sign-in method was removed.")
	ops = append(ops, identity.SaveUser(a.UserItem, user).Else(table.ErrTryAgain), table.Unchanged(a.WorkspaceItem).Else(table.ErrTryAgain))
	told, report, err := s.reportable(by, a, message.FactorRemoved)
	if err != nil {
		return err
	}
	told.What = removed.Name
	messages, err := s.tell(ctx, by, a.User, told)
	if err != nil {
		return err
	}
	return s.relisted(ctx, by, a.User, user, table.Change{
		Events: []audit.Event{e}, Ops: append(ops, report), Messages: messages,
	}, func(c table.Change) error { return s.store.Commit(ctx, by, c) })
}

// ResetFactors removes every sign-in method of another person, who lost them:
// sessions end, and the next sign-in sets one up. The person is told.
func (s *Service) ResetFactors(ctx context.Context, by authz.Allowed, a Authenticated, item table.Item, user identity.User, reason string) error {
	if user.ID == a.User.ID {
		return identity.ErrOwnState
	}
	if len(user.Factors) == 0 {
		return mfa.ErrFactor
	}
	ws := a.Workspace.ID
	keys := []table.Key{mfa.RecoveryKey(ws, user.ID)}
	for _, f := range user.Factors {
		keys = append(keys, mfa.StoredOf(ws, user.ID, f)...)
	}
	items, err := s.store.Read(ctx, by, keys...)
	if err != nil {
		return err
	}
	after := user
	after.Factors = nil
	after.Epoch++
	after.BrowsersSince, after.Networks = s.store.Now(), nil // the next sign-in proves the address
	e := by.Event(audit.MFAFactorResetByAdmin, s.store.Now()).With(audit.ID("subject", user.ID.UUID()), audit.Number("factors_n", int64(len(user.Factors))),
		audit.Text("reason", reason)).WithSubject(user.ID.UUID()).WithTarget(audit.Target{Type: "user", ID: user.ID.UUID(), Name: user.Username}).
		WithDescription("Every sign-in method of an account was removed; its sessions ended.")
	ops := []table.Op{identity.SaveUser(item, after).Else(table.ErrTryAgain), table.Unchanged(a.UserItem).Else(table.ErrTryAgain)}
	for _, one := range items {
		ops = append(ops, table.Remove(one).Else(table.ErrTryAgain))
	}
	told := notice(by, a, message.FactorsReset, a.User.DisplayName())
	told.To = user.Email
	messages, err := s.tell(ctx, by, user, told)
	if err != nil {
		return err
	}
	return s.relisted(ctx, by, user, after, table.Change{Events: []audit.Event{e}, Ops: ops, Messages: messages},
		func(c table.Change) error { return s.store.Commit(ctx, by, c) })
}

// did says what became of an account's methods where a notice of it has no words
// of its own.
var did = map[message.Template]string{ //nolint:gochecknoglobals // a table
	message.FactorAdded:       " was added to your account",
	message.FactorRemoved:     " was removed from your account",
	message.RecoveryCodesMade: " were made for your account",
	message.FactorsReset:      " removed every sign-in method of your account",
}

// tell returns a notice of a change of methods to the account's address, and to
// each that it left while a link can bring it back: whoever took the account over
// may read the first one only. Source: security, MF-6.
func (s *Service) tell(ctx context.Context, by authz.Allowed, u identity.User, told message.Message) ([]message.Message, error) {
	out := []message.Message{told}
	if u.EmailChanges == 0 {
		return out, nil
	}
	links, err := s.undoLinks(ctx, by, u.ID)
	if err != nil {
		return nil, err
	}
	seen := []string{u.EmailKey}
	for _, l := range links {
		if slices.Contains(seen, l.EmailKey) {
			continue
		}
		seen = append(seen, l.EmailKey)
		former := told
		former.Template, former.To, former.What, former.Link, former.Until = message.FormerAddress, l.Email, told.What+did[told.Template], "", time.Time{}
		out = append(out, former)
	}
	return out, nil
}
