package session

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
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
	"paddock/shared/tally"
	"paddock/shared/workspace"
)

// RecoveryLimit is how long a session that a recovery code opened may enrol a
// new method. Source: issue C, recovery codes.
const RecoveryLimit = 15 * time.Minute

// challengeTries bounds the challenges that one person opens in
// mfa.FactorWindow.
const challengeTries = 120

var errPurpose = fault.Field("purpose", "invalid_value", "The purpose is login for a half-signed-in session, else step_up.")

// Challenge opens a challenge to prove a factor by this method. A
// half-signed-in session signs in with it, any other steps up.
func (s *Service) Challenge(ctx context.Context, by authz.Allowed, a Authenticated, q Question) (Asked, error) {
	method, purpose := q.Method, q.Purpose
	want := mfa.StepUp
	if a.Session.Kind == Half {
		want = mfa.SignIn
	}
	if purpose != want {
		return Asked{}, errPurpose
	}
	if !mayProve(a, method) {
		return Asked{}, remaining(a)
	}
	if method != identity.Phone && (q.Via != "" || !q.Factor.Zero()) {
		return Asked{}, mfa.ErrVia
	}
	if _, err := s.count(ctx, by, mfa.GuessKey(a.Workspace.ID, a.User.ID, "challenge", s.store.Now()), challengeTries, s.store.Now().Add(2*mfa.FactorWindow)); err != nil {
		return Asked{}, s.overTries(ctx, by, challengeTries, err)
	}
	if mfa.IsCode(method) {
		c, err := s.sendCode(ctx, by, a, q)
		return Asked{Challenge: c}, err
	}
	name, err := s.store.NewID()
	if err != nil {
		return Asked{}, err
	}
	now := s.store.Now()
	var out Asked
	if mfa.IsKey(method) {
		if out.Options, out.Ceremony, err = s.askKeys(ctx, by, a, method); err != nil {
			return Asked{}, err
		}
	}
	c := mfa.Challenge{Ceremony: out.Ceremony, ID: id.Of[id.Challenge](name), Session: a.Hash, Method: method, Purpose: purpose, ExpiresAt: now.Add(mfa.ChallengeLife)}
	e := by.Event(audit.MFAChallengeCreated, now).With(audit.ID("challenge_id", name), audit.List("methods", string(method)), audit.Text("purpose", string(purpose))).
		WithDescription("A challenge for a second factor was opened.")
	err = s.store.Commit(ctx, by, table.Change{
		Events: []audit.Event{e},
		Ops:    []table.Op{table.Insert(mfa.ChallengeKey(a.Workspace.ID, a.User.ID, c.ID), c).Until(c.ExpiresAt.Add(time.Hour))},
	})
	out.Challenge = c
	return out, err
}

// remaining is the refusal of a method that is not set up or not allowed; it
// tells which ones are (security, MF-9).
func remaining(a Authenticated) fault.Error {
	var names []string
	for _, m := range MethodsOf(a.Workspace, a.User) {
		if mayProve(a, m) {
			names = append(names, string(m))
		}
	}
	if len(names) == 0 {
		return mfa.ErrMethod
	}
	return mfa.ErrMethod.Saying("This method is not set up or not allowed in this workspace. Use one of: " + strings.Join(names, ", ") + ".")
}

// An Asked challenge, with what a browser is to ask of a security key.
type Asked struct {
	mfa.Challenge

	Options json.RawMessage // PublicKeyCredentialRequestOptionsJSON; nil for other methods
}

// mayProve is the rule of which methods a session can prove: those of its
// account that the workspace allows, and a mailed code where a sign-in was
// unusual and nothing else was asked for.
func mayProve(a Authenticated, method identity.Method) bool {
	if a.Session.Unusual && !a.User.HasSecondFactor() {
		return method == identity.MailedCode
	}
	if a.Session.Kind == Half {
		return slices.Contains(MethodsOf(a.Workspace, a.User), method)
	}
	return slices.Contains(StepUpMethods(a.Workspace, a.User), method)
}

// StepUpMethods returns the methods of u that open protected actions. Who has
// none of them proves another one that is allowed: it opens the way to set one
// up, and nothing else.
func StepUpMethods(w workspace.Workspace, u identity.User) []identity.Method {
	var opens, others []identity.Method
	for _, m := range MethodsOf(w, u) {
		switch {
		case slices.Contains(w.Security.StepsUp(), string(m)):
			opens = append(opens, m)
		case m != identity.RecoveryCode && allowed(w, m):
			others = append(others, m)
		}
	}
	if len(opens) == 0 {
		return others
	}
	return opens
}

// A Risen session is the one that replaces another after a proof.
type Risen struct {
	Secret  credential.Secret
	Session Session
	Browser credential.Secret // by which the browser is known from now on; zero for none
}

// An Answer is what is given to a challenge, and the browser that gives it.
type Answer struct {
	Code       string
	Credential json.RawMessage // of a security key, as its browser wrote it
	Browser    credential.Secret
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
	if ok && c.Session != a.Hash {
		return Risen{}, s.strange(ctx, by)
	}
	if ok && !now.Before(c.ExpiresAt) {
		return Risen{}, s.failed(ctx, by, c, 0, "expired", mfa.ErrChallenge)
	}
	if !ok || !c.Live(a.Session.Mailed, now) {
		c.ID, c.Method = which, cmp.Or(c.Method, "unknown")
		return Risen{}, s.failed(ctx, by, c, 0, "replay", mfa.ErrChallenge)
	}
	if !mayProve(a, c.Method) || mfa.IsCode(c.Method) && !standing(a, c) { // the policy changed, or the method went
		return Risen{}, s.failed(ctx, by, c, 0, "expired", remaining(a))
	}
	t, err := s.try(ctx, by, a, c, answer.Browser)
	if refusal, ok := errors.AsType[fault.Error](err); ok {
		return Risen{}, s.failed(ctx, by, c, t.attempt, "wrong", refusal)
	}
	if err != nil {
		return Risen{}, err
	}
	attempt := t.attempt
	var risen Risen
	switch c.Method {
	case identity.RecoveryCode:
		risen, err = s.recover(ctx, by, a, c, item, answer.Code, attempt)
	case identity.MailedCode, identity.Phone:
		risen, err = s.proveCode(ctx, by, a, c, item, answer, attempt)
	case identity.OTP:
		risen, err = s.proveTOTP(ctx, by, a, c, item, answer, attempt)
	case identity.HardwareKey, identity.Biometric:
		risen, err = s.proveKey(ctx, by, a, c, item, answer, attempt)
	default:
		err = mfa.ErrMethod
	}
	if err != nil {
		return Risen{}, err
	}
	s.right(ctx, by, t)
	return risen, nil
}

// strange records that a challenge of another session was answered, and returns
// the refusal, which does not tell. Source: security, SU-2.
func (s *Service) strange(ctx context.Context, by authz.Allowed) error {
	e := by.Refusal(audit.StepUpProofRejected, s.store.Now(), mfa.ErrChallenge).With(audit.Text("mismatch", "session")).
		WithDescription("A challenge of another session was answered.")
	if err := tally.Refused(ctx, s.store, by, e); err != nil {
		return err
	}
	return mfa.ErrChallenge
}

// failed writes the event of a wrong answer and returns the refusal.
func (s *Service) failed(ctx context.Context, by authz.Allowed, c mfa.Challenge, attempt int64, reason string, refusal fault.Error) error {
	kind := audit.MFAFailed
	fields := []audit.Field{audit.ID("challenge_id", c.ID.UUID()), audit.Text("method", string(c.Method)), audit.Text("reason", reason), audit.Number("attempt_no", attempt)}
	if c.Method == identity.RecoveryCode {
		kind, fields = audit.MFARecoveryCodeFailed, []audit.Field{audit.Number("attempt_no", attempt)}
	}
	e := by.Refusal(kind, s.store.Now(), refusal).With(fields...).WithDescription("A second factor was answered wrongly.")
	if err := tally.Refused(ctx, s.store, by, e); err != nil {
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
		risen, err := s.rise(ctx, by, a, proved{challenge: c, item: challenge, factor: factorAt(item.Key), browser: answer.Browser, ops: []table.Op{used}})
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

// What was proved: the answered challenge, the factor, and what the commit does
// besides.
type proved struct {
	challenge mfa.Challenge
	item      table.Item
	factor    id.ID[id.Factor]
	browser   credential.Secret
	ops       []table.Op // that make the answer unusable
	events    []audit.Event
	messages  []message.Message
}

// rise replaces the session by one with the proof.
func (s *Service) rise(ctx context.Context, by authz.Allowed, a Authenticated, p proved) (Risen, error) {
	now, c := s.store.Now(), p.challenge
	next, secret, proof, err := s.next(a, c.Method, now)
	if err != nil {
		return Risen{}, err
	}
	next.Proof.Factor = p.factor
	if p.factor.Zero() { // no factor of the account: it proves no step-up
		next.Proof = mfa.Proof{}
	}
	if c.Purpose == mfa.SignIn && !allowed(a.Workspace, c.Method) && !p.factor.Zero() {
		next.EnrolOnly, next.EndsAt = true, now.Add(RecoveryLimit)
	}
	verified := by.Event(audit.MFAVerified, now).With(audit.ID("challenge_id", c.ID.UUID()), audit.Text("method", string(c.Method)),
		audit.Instant("valid_until", now.Add(a.Workspace.MFATimeout()))).WithDescription("A second factor was proved.")
	if !p.factor.Zero() {
		verified = verified.With(audit.ID("factor_id", p.factor.UUID()))
	}
	change := table.Change{Events: append([]audit.Event{verified}, p.events...), Messages: p.messages, Ops: append(p.ops,
		table.Remove(p.item).Else(mfa.ErrChallenge),
		table.Remove(a.SessionItem).Else(table.ErrTryAgain),
		table.Insert(Key(a.Workspace.ID, a.User.ID, secret.Hash()), next).Until(next.EndsAt))}
	out := Risen{Secret: secret, Session: next}
	var added newcomers
	if c.Purpose == mfa.SignIn {
		done, err := s.completed(ctx, by, a, p.browser)
		if err != nil {
			return Risen{}, err
		}
		added.browser = done.added
		out.Browser, change = done.Secret, done.join(change, loginEvent(by, next, done.NewBrowser, now))
	} else {
		change.Ops = append(change.Ops, table.Unchanged(a.UserItem).Else(table.ErrTryAgain))
		if !slices.Contains(a.Workspace.Security.StepsUp(), string(c.Method)) { // it opens the way to a method that does
			return out, s.commit(ctx, by, a.Workspace, a.User, change, added)
		}
		change.Events = append(change.Events, by.Event(audit.StepUpGranted, now).With(audit.ID("proof_id", proof.ID.UUID()), audit.Text("method", string(c.Method)),
			audit.Instant("valid_until", now.Add(a.Workspace.MFATimeout()))).WithDescription("Privileged actions are open until the MFA timeout."))
		if m, ok := stepUpNotice(by, a, c.Method); ok {
			change.Messages = append(change.Messages, m)
		}
	}
	return out, s.commit(ctx, by, a.Workspace, a.User, change, added)
}

// stepUpNotice tells an account of a step-up, where workspace or account want
// it told.
func stepUpNotice(by authz.Allowed, a Authenticated, m identity.Method) (message.Message, bool) {
	return notice(by, a, message.StepUpDone, nameOf(m)), a.Workspace.Security.NotifyStepUp || a.User.NotifyStepUp
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
	next.Proof = mfa.Proof{ID: id.Of[id.Proof](proofID), Method: method, At: now, For: a.Workspace.MFATimeout()}
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
