package session

import (
	"context"
	"errors"
	"log/slog"
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

// RecoveryLimit is how long a session that a recovery code opened may enrol a
// new method. Source: issue C, recovery codes.
const RecoveryLimit = 15 * time.Minute

var errPurpose = fault.Field("purpose", "invalid_value", "The purpose is login for a half-signed-in session, else step_up.")

// Challenge opens a challenge to prove a factor by this method. A
// half-signed-in session signs in with it, any other steps up.
func (s *Service) Challenge(ctx context.Context, by authz.Allowed, a Authenticated, method identity.Method, purpose mfa.Purpose) (mfa.Challenge, error) {
	want := mfa.StepUp
	if a.Session.Kind == Half {
		want = mfa.SignIn
	}
	if purpose != want {
		return mfa.Challenge{}, errPurpose
	}
	if !mayProve(a, method) {
		return mfa.Challenge{}, mfa.ErrMethod
	}
	if method == identity.MailedCode {
		return s.mailCode(ctx, by, a)
	}
	name, err := s.store.NewID()
	if err != nil {
		return mfa.Challenge{}, err
	}
	now := s.store.Now()
	c := mfa.Challenge{ID: id.Of[id.Challenge](name), Session: a.Hash, Method: method, Purpose: purpose, ExpiresAt: now.Add(mfa.ChallengeLife)}
	e := by.Event(audit.MFAChallengeCreated, now).With(audit.ID("challenge_id", name), audit.List("methods", string(method)), audit.Text("purpose", string(purpose))).
		WithDescription("A challenge for a second factor was opened.")
	err = s.store.Commit(ctx, by, table.Change{
		Events: []audit.Event{e},
		Ops:    []table.Op{table.Insert(mfa.ChallengeKey(a.Workspace.ID, a.User.ID, c.ID), c).Until(c.ExpiresAt.Add(time.Hour))},
	})
	return c, err
}

// mayProve is the rule of which methods a session can prove: those of its
// account that the workspace allows, and a mailed code where a sign-in was
// unusual and nothing else was asked for.
func mayProve(a Authenticated, method identity.Method) bool {
	if a.Session.Unusual && !a.User.HasSecondFactor() {
		return method == identity.MailedCode
	}
	return slices.Contains(MethodsOf(a.Workspace, a.User), method)
}

// A Risen session is the one that replaces another after a proof.
type Risen struct {
	Secret  credential.Secret
	Session Session
	Browser credential.Secret // by which the browser is known from now on; zero for none
}

// An Answer is what is given to a challenge, and the browser that gives it.
type Answer struct {
	Code    string
	Browser credential.Secret
}

// Verify answers a challenge. On success the session is replaced by one that
// holds the proof, under a new handle, and the challenge and the code are used
// up in the same transaction: of any number of equal answers one succeeds.
// Wrong, replayed and late answers are mfa.ErrCode and leave an event.
func (s *Service) Verify(ctx context.Context, by authz.Allowed, a Authenticated, which id.ID[id.Challenge], answer Answer) (Risen, error) {
	ws, user := a.Workspace.ID, a.User.ID
	item, ok, err := s.store.One(ctx, by, mfa.ChallengeKey(ws, user, which))
	if err != nil {
		return Risen{}, err
	}
	now := s.store.Now()
	var c mfa.Challenge
	if ok {
		if err := table.Decode(item, &c); err != nil {
			return Risen{}, err
		}
	}
	replaced := c.Method == identity.MailedCode && c.ID != a.Session.Mailed
	if !ok || c.Session != a.Hash || replaced || !now.Before(c.ExpiresAt) {
		return Risen{}, mfa.ErrChallenge
	}
	if !mayProve(a, c.Method) {
		return Risen{}, mfa.ErrMethod
	}
	budget, budgetEnd := mfa.GuessKey(ws, user, string(c.Method), now), now.Add(2*mfa.FactorWindow)
	attempt, err := s.count(ctx, by, mfa.TriesKey(ws, user, which), mfa.MaxTries, c.ExpiresAt)
	if err == nil {
		_, err = s.count(ctx, by, budget, mfa.FactorTries, budgetEnd)
	}
	if errors.Is(err, mfa.ErrTries) {
		return Risen{}, s.failed(ctx, by, c, attempt, "wrong", mfa.ErrTries.After(mfa.FactorWindow))
	}
	if err != nil {
		return Risen{}, err
	}
	var risen Risen
	switch c.Method {
	case identity.RecoveryCode:
		risen, err = s.recover(ctx, by, a, c, item, answer.Code, attempt)
	case identity.MailedCode:
		risen, err = s.proveMailed(ctx, by, a, c, item, answer, attempt)
	case identity.OTP:
		risen, err = s.proveTOTP(ctx, by, a, c, item, answer, attempt)
	default:
		err = mfa.ErrMethod
	}
	if err != nil {
		return Risen{}, err
	}
	// A right answer is no guess: who verifies often is not locked out.
	if err := s.store.Refund(ctx, by, table.Guesses, budget, mfa.FactorTries, budgetEnd); err != nil {
		slog.WarnContext(ctx, "a right answer stays counted as a guess", "err", err.Error())
	}
	return risen, nil
}

func (s *Service) count(ctx context.Context, by authz.Allowed, key table.Key, limit int64, end time.Time) (int64, error) {
	n, err := s.store.Count(ctx, by, table.Guesses, key, limit, end)
	if errors.Is(err, table.ErrStale) {
		return limit, mfa.ErrTries
	}
	return n, err
}

// failed writes the event of a wrong answer and returns the refusal.
func (s *Service) failed(ctx context.Context, by authz.Allowed, c mfa.Challenge, attempt int64, reason string, refusal fault.Error) error {
	kind := audit.MFAFailed
	fields := []audit.Field{audit.ID("challenge_id", c.ID.UUID()), audit.Text("method", string(c.Method)), audit.Text("reason", reason), audit.Number("attempt_no", attempt)}
	if c.Method == identity.RecoveryCode {
		kind, fields = audit.MFARecoveryCodeFailed, []audit.Field{audit.Number("attempt_no", attempt)}
	}
	e := by.Refusal(kind, s.store.Now(), refusal).With(fields...).WithDescription("A second factor was answered wrongly.")
	if err := s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}}); err != nil {
		return err
	}
	return refusal
}

func (s *Service) proveTOTP(ctx context.Context, by authz.Allowed, a Authenticated, c mfa.Challenge, challenge table.Item, answer Answer, attempt int64) (Risen, error) {
	ws, user, code := a.Workspace.ID, a.User.ID, answer.Code
	var keys []table.Key
	for _, f := range a.User.Factors {
		if f.Method == identity.OTP {
			keys = append(keys, mfa.FactorKey(ws, user, f.ID))
		}
	}
	items, err := s.store.Read(ctx, by, keys...)
	if err != nil {
		return Risen{}, err
	}
	now := s.store.Now()
	for _, item := range items {
		var secret mfa.TOTPSecret
		if err := table.Decode(item, &secret); err != nil {
			return Risen{}, err
		}
		step, ok := credential.CheckTOTP(secret.Secret, code, now, secret.LastStep)
		if secret.Pending || !ok {
			continue
		}
		secret.LastStep = step
		used := table.Replace(item, secret).Else(mfa.ErrCode)
		risen, err := s.rise(ctx, by, a, c, challenge, answer.Browser, used)
		if errors.Is(err, mfa.ErrCode) { // another answer used it at the same time
			err = s.failed(ctx, by, c, attempt, "replay", mfa.ErrCode)
		}
		return risen, err
	}
	reason := "wrong"
	for _, item := range items {
		var secret mfa.TOTPSecret
		if err := table.Decode(item, &secret); err != nil {
			return Risen{}, err
		}
		if _, seen := credential.CheckTOTP(secret.Secret, code, now, 0); seen {
			reason = "replay"
		}
	}
	return Risen{}, s.failed(ctx, by, c, attempt, reason, mfa.ErrCode)
}

// rise replaces the session by one with the proof of challenge c. used are the
// operations that make the code unusable.
func (s *Service) rise(ctx context.Context, by authz.Allowed, a Authenticated, c mfa.Challenge, challenge table.Item, browser credential.Secret, used ...table.Op) (Risen, error) {
	now := s.store.Now()
	next, secret, proof, err := s.next(a, c.Method, now)
	if err != nil {
		return Risen{}, err
	}
	if c.Method == identity.MailedCode { // no factor of the account: it proves no step-up
		next.Proof = mfa.Proof{}
	}
	verified := by.Event(audit.MFAVerified, now).With(audit.ID("challenge_id", c.ID.UUID()), audit.Text("method", string(c.Method)),
		audit.Instant("valid_until", now.Add(a.Workspace.MFATimeout()))).WithDescription("A second factor was proved.")
	change := table.Change{Events: []audit.Event{verified}, Ops: append(used,
		table.Remove(challenge).Else(mfa.ErrChallenge),
		table.Remove(a.SessionItem).Else(table.ErrTryAgain),
		table.Insert(Key(a.Workspace.ID, a.User.ID, secret.Hash()), next).Until(next.EndsAt))}
	out := Risen{Secret: secret, Session: next}
	var added newcomers
	if c.Purpose == mfa.SignIn {
		done, err := s.completed(ctx, by, a, browser)
		if err != nil {
			return Risen{}, err
		}
		added.browser = done.added
		out.Browser, change = done.Secret, done.join(change, loginEvent(by, next, done.NewBrowser, now))
	} else {
		change.Events = append(change.Events, by.Event(audit.StepUpGranted, now).With(audit.ID("proof_id", proof.ID.UUID()), audit.Text("method", string(c.Method)),
			audit.Instant("valid_until", now.Add(a.Workspace.MFATimeout()))).WithDescription("Privileged actions are open until the MFA timeout."))
		change.Ops = append(change.Ops, table.Unchanged(a.UserItem).Else(table.ErrTryAgain))
	}
	return out, s.commit(ctx, by, a.Workspace, a.User, change, added)
}

// completed returns the completion of the sign-in of a half-signed-in session.
func (s *Service) completed(ctx context.Context, by authz.Allowed, a Authenticated, browser credential.Secret) (Completion, error) {
	from, err := s.browser(ctx, by, browser)
	if err != nil {
		return Completion{}, err
	}
	return s.complete(by, a.Workspace, a.User, a.UserItem, from)
}

// next returns the session that follows a, with a fresh proof by method.
func (s *Service) next(a Authenticated, method identity.Method, now time.Time) (Session, credential.Secret, mfa.Proof, error) {
	proofID, err := s.store.NewID()
	if err != nil {
		return Session{}, credential.Secret{}, mfa.Proof{}, err
	}
	next := a.Session
	if next.Kind == Half {
		next = Begin(a.Session.ID.UUID(), Console, a.Workspace, a.User, a.Session.Method, audit.Source{UserAgent: a.Session.Device}, now)
		next.Address, next.ChangePassword = a.Session.Address, a.Session.ChangePassword
	}
	next.SeenAt = now
	if !slices.Contains(next.Factors, string(method)) {
		next.Factors = append(slices.Clone(next.Factors), string(method))
	}
	next.Proof = mfa.Proof{ID: id.Of[id.Proof](proofID), Method: method, At: now}
	secret, err := credential.New(s.random, next.Kind.Prefix(), a.Workspace.ID.UUID(), a.User.ID.UUID())
	return next, secret, next.Proof, err
}

func loginEvent(by authz.Allowed, s Session, newBrowser bool, now time.Time) audit.Event {
	return by.Event(audit.AuthLogin, now).With(audit.Text("method", s.Method), audit.List("factors", s.Factors...),
		audit.ID("session_id", s.ID.UUID()), audit.Flag("new_device", newBrowser), audit.Number("mfa_age_s", 0)).WithDescription("Signed in with a password and a second factor.")
}

// recover opens the session that a recovery code gives: it can only enrol a
// new method, for RecoveryLimit, and its proof never counts as fresh.
func (s *Service) recover(ctx context.Context, by authz.Allowed, a Authenticated, c mfa.Challenge, challenge table.Item, code string, attempt int64) (Risen, error) {
	item, ok, err := s.store.One(ctx, by, mfa.RecoveryKey(a.Workspace.ID, a.User.ID))
	if err != nil {
		return Risen{}, err
	}
	var set mfa.RecoverySet
	if ok {
		if err := table.Decode(item, &set); err != nil {
			return Risen{}, err
		}
	}
	canonical, wellFormed := credential.ReadRecoveryCode(code)
	hash := credential.HashRecoveryCode(a.Workspace.ID.UUID(), a.User.ID.UUID(), canonical)
	at := slices.Index(set.Hashes, hash)
	if c.Purpose != mfa.SignIn || !wellFormed || at < 0 {
		return Risen{}, s.failed(ctx, by, c, attempt, "wrong", mfa.ErrCode)
	}
	set.Hashes = slices.Delete(slices.Clone(set.Hashes), at, at+1)
	now := s.store.Now()
	next, secret, _, err := s.next(a, identity.RecoveryCode, now)
	if err != nil {
		return Risen{}, err
	}
	next.EnrolOnly, next.EndsAt = true, now.Add(RecoveryLimit)
	used := by.Event(audit.MFARecoveryCodeUsed, now).With(audit.Number("remaining_n", int64(len(set.Hashes))), audit.Instant("restricted_until", next.EndsAt)).
		WithDescription("A recovery code opened a session that can only set up a new method.")
	ops := []table.Op{
		table.Replace(item, set).Else(mfa.ErrCode),
		table.Remove(challenge).Else(mfa.ErrChallenge),
		table.Remove(a.SessionItem).Else(table.ErrTryAgain),
		table.Unchanged(a.UserItem).Else(table.ErrTryAgain),
		table.Insert(Key(a.Workspace.ID, a.User.ID, secret.Hash()), next).Until(next.EndsAt),
	}
	err = s.store.Commit(ctx, by, table.Change{
		Events: []audit.Event{used, loginEvent(by, next, false, now)}, Ops: ops,
		Messages: []message.Message{notice(by, a, message.RecoveryCodeUsed, "A recovery code")},
	})
	if errors.Is(err, mfa.ErrCode) { // another answer used a code at the same time
		err = s.failed(ctx, by, c, attempt, "replay", mfa.ErrCode)
	}
	if err != nil {
		return Risen{}, err
	}
	return Risen{Secret: secret, Session: next}, nil
}

// notice returns the security notice of an act on one's own account.
func notice(by authz.Allowed, a Authenticated, t message.Template, what string) message.Message {
	from := by.Principal().Source
	return message.Message{
		Channel: message.Mail, Template: t, To: a.User.Email, Workspace: a.Workspace.Name, What: what,
		From: from.IP.String() + ", " + from.UserAgent,
	}
}
