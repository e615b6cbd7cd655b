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
	"paddock/shared/mfa"
	"paddock/shared/table"
	"paddock/shared/tally"
	"paddock/shared/workspace"
)

// A PasskeyAttempt is a sign-in by a passkey alone.
type PasskeyAttempt struct {
	Host       string
	Credential json.RawMessage
	Browser    credential.Secret
	Source     audit.Source
	Request    authz.Request
}

// Refusals of passkeys.
var (
	ErrPasskey = fault.Error{
		Kind: fault.Unauthenticated, Code: "invalid_credentials",
		Detail: "This passkey opens no account here.",
	}
	// ErrNoPasskeys answers where passkeys alone sign nobody in.
	ErrNoPasskeys = fault.Error{
		Kind: fault.Denied, Code: "passkey_not_allowed",
		Detail: "This workspace asks for a password before a passkey.",
	}
)

// Budgets of sign-ins by passkey that are begun in pairWindow: they bound what
// strangers can store. A browser that an account knows has one of its own.
// passkeyAnswers bounds the answers to one challenge.
const (
	passkeyBudget    = "passkey"
	passkeyAddress   = 300
	passkeyNetwork   = 1_000
	passkeyWorkspace = 20_000
	passkeyBrowser   = 60
	passkeyAnswers   = mfa.MaxTries
)

// BeginPasskey opens a challenge for whoever holds a passkey of the workspace.
// It names nobody, so everybody is asked alike. The authenticator must verify
// its user: the passkey is the only factor.
func (s *Service) BeginPasskey(ctx context.Context, a PasskeyAttempt) (Asked, error) {
	w, err := s.WorkspaceAt(ctx, a.Host)
	if err != nil {
		return Asked{}, err
	}
	if !w.Security.PasskeyAsMFA {
		return Asked{}, ErrNoPasskeys
	}
	by := authz.ForCeremony(w.ID, "passkey", authz.Principal{Source: a.Source, Request: a.Request})
	if err := s.mayBeginPasskey(ctx, by, a); err != nil {
		return Asked{}, err
	}
	name, err := s.store.NewID()
	if err != nil {
		return Asked{}, err
	}
	options, ceremony, err := s.keys.Request(mfa.SiteOf(w), nil, true)
	if err != nil {
		return Asked{}, err
	}
	c := mfa.Challenge{ID: id.Of[id.Challenge](name), Purpose: mfa.SignIn, ExpiresAt: s.store.Now().Add(mfa.ChallengeLife), Ceremony: ceremony}
	err = s.store.WriteScratch(ctx, by, table.Challenges, table.Insert(mfa.PasskeyKey(w.ID, c.ID), c).Until(c.ExpiresAt.Add(time.Hour)))
	return Asked{Challenge: c, Options: options}, err
}

func (s *Service) mayBeginPasskey(ctx context.Context, by authz.Allowed, a PasskeyAttempt) error {
	from, err := s.browser(ctx, by, a.Browser)
	if err != nil {
		return err
	}
	budgets := []struct {
		field, of string
		tries     int64
	}{
		{"address", tally.Network(a.Source.IP).String(), passkeyAddress},
		{"network", networkOf(a.Source.IP), passkeyNetwork},
		{"guess", passkeyBudget, passkeyWorkspace},
	}
	if from.item.Version > 0 && from.of(principalID(a.Browser), s.store.Now()) {
		budgets = budgets[:1]
		budgets[0].field, budgets[0].of, budgets[0].tries = "browser", from.browser.ID.String(), passkeyBrowser
	}
	for _, b := range budgets {
		of, err := s.store.MAC(ctx, by, b.field, b.of)
		if err != nil {
			return err
		}
		_, err = s.spend(ctx, by, of, passkeyBudget, b.tries, pairWindow)
		if spent, ok := errors.AsType[*spentBudget](err); ok {
			return s.refusePasskey(ctx, by, identity.User{}, "throttled", ErrThrottled.After(spent.left))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Passkey signs in with the answer to a challenge of BeginPasskey. It proves
// all factors at once. A challenge opens one session.
func (s *Service) Passkey(ctx context.Context, which id.ID[id.Challenge], a PasskeyAttempt) (Started, error) {
	ws, err := s.named(ctx, a.Host)
	if err != nil {
		return Started{}, err
	}
	by := authz.ForCeremony(ws, "passkey", authz.Principal{Source: a.Source, Request: a.Request})
	handle, keyID, err := s.keys.Named(a.Credential)
	if failure, ok := errors.AsType[*mfa.KeyFailure](err); ok {
		return Started{}, s.refusePasskey(ctx, by, identity.User{}, reasonOf(failure), ErrPasskey)
	}
	if err != nil {
		return Started{}, err
	}
	_, err = s.count(ctx, by, mfa.PasskeyTriesKey(ws, which), passkeyAnswers, s.store.Now().Add(mfa.ChallengeLife))
	if errors.Is(err, mfa.ErrTries) {
		return Started{}, s.refusePasskey(ctx, by, identity.User{}, "throttled", mfa.ErrChallenge)
	}
	if err != nil {
		return Started{}, err
	}
	p := passkey{attempt: a}
	if err := s.claimed(ctx, by, which, handle, &p); err != nil {
		return Started{}, err
	}
	if err := s.held(ctx, by, keyID, &p); err != nil {
		return Started{}, err
	}
	return s.admit(ctx, by, p)
}

// A passkey is what stands behind an answer: the challenge, the account that it
// claims, and the account's keys.
type passkey struct {
	attempt   PasskeyAttempt
	ws        workspace.Workspace
	challenge mfa.Challenge
	item      table.Item
	user      identity.User
	userItem  table.Item
	from      presented
	keys      []heldKey
	factor    identity.Factor
}

// claimed reads the workspace, the challenge and the account that an answer
// claims.
func (s *Service) claimed(ctx context.Context, by authz.Allowed, which id.ID[id.Challenge], handle []byte, p *passkey) error {
	ws := by.Workspace()
	var who id.UUID
	if len(handle) == len(who) {
		who = id.UUID(handle)
	}
	account := identity.UserKey(ws, id.Of[id.Principal](who))
	keys := []table.Key{workspace.HeadKey(ws), mfa.PasskeyKey(ws, which)}
	if !who.Zero() {
		keys = append(keys, account)
	}
	var items []table.Item
	err := together(
		func() (err error) { items, err = s.store.Read(ctx, by, keys...); return err },
		func() (err error) { p.from, err = s.browser(ctx, by, p.attempt.Browser); return err },
	)
	if err != nil {
		return err
	}
	var head table.Item
	for _, item := range items {
		switch item.Key {
		case account:
			p.userItem = item
			p.user, err = identity.DecodeUser(item)
		case mfa.PasskeyKey(ws, which):
			p.item = item
			err = table.Decode(item, &p.challenge)
		default:
			head = item
		}
		if err != nil {
			return err
		}
	}
	if p.ws, err = serving(head, p.attempt.Host); err != nil {
		return err
	}
	switch {
	case !p.ws.Security.PasskeyAsMFA:
		return ErrNoPasskeys
	case p.item.Version == 0 || !s.store.Now().Before(p.challenge.ExpiresAt):
		return s.refusePasskey(ctx, by, identity.User{}, "mfa_failed", mfa.ErrChallenge)
	case p.userItem.Version == 0:
		return s.refusePasskey(ctx, by, identity.User{}, "unknown_user", ErrPasskey)
	case p.user.Disabled:
		return s.refusePasskey(ctx, by, p.user, "disabled", ErrPasskey)
	}
	return nil
}

// held reads the keys of the account and finds the one that an answer names.
func (s *Service) held(ctx context.Context, by authz.Allowed, keyID []byte, p *passkey) (err error) {
	if p.keys, err = s.keysOf(ctx, by, p.ws, p.user, identity.HardwareKey, identity.Biometric); err != nil {
		return err
	}
	at := mfa.Find(bare(p.keys), keyID)
	if at >= 0 {
		name := factorAt(p.keys[at].item.Key)
		if f := slices.IndexFunc(p.user.Factors, func(f identity.Factor) bool { return f.ID == name }); f >= 0 {
			p.factor = p.user.Factors[f]
		}
	}
	if at < 0 || !allowed(p.ws, p.factor.Method) {
		return s.refusePasskey(ctx, by, p.user, "bad_credentials", ErrPasskey)
	}
	return nil
}

// admit checks the answer and begins the session.
func (s *Service) admit(ctx context.Context, by authz.Allowed, p passkey) (Started, error) {
	at, key, err := s.keys.Answered(mfa.SiteOf(p.ws), mfa.HolderOf(p.user), bare(p.keys), p.challenge.Ceremony, p.attempt.Credential)
	if failure, ok := errors.AsType[*mfa.KeyFailure](err); ok {
		return Started{}, s.refusePasskey(ctx, by, p.user, reasonOf(failure), ErrPasskey)
	}
	if err != nil {
		return Started{}, err
	}
	who := PrincipalOf(p.ws.ID, p.user, p.attempt.Source)
	who.Request = p.attempt.Request
	now := s.store.Now()
	name, err := s.store.NewID()
	if err != nil {
		return Started{}, err
	}
	proof, err := s.store.NewID()
	if err != nil {
		return Started{}, err
	}
	secret, err := credential.New(s.random, credential.ConsoleSession, p.ws.ID.UUID(), p.user.ID.UUID())
	if err != nil {
		return Started{}, err
	}
	next := Begin(name, Console, p.ws, p.user, "passkey", p.attempt.Source, now)
	next.Factors = []string{string(p.factor.Method)}
	next.Proof = mfa.Proof{ID: id.Of[id.Proof](proof), Method: p.factor.Method, At: now, For: p.ws.MFATimeout(), Factor: p.factor.ID}
	who.Actor.SessionID = next.ID.UUID()
	by = authz.ForCeremony(p.ws.ID, "passkey", who)
	a := Authenticated{Workspace: p.ws, User: p.user}
	c := p.challenge
	c.Method = p.factor.Method
	messages, events, err := s.counted(ctx, by, a, c, p.keys[at].Key, key, 1)
	if err != nil {
		return Started{}, err
	}
	key.SignCount = max(key.SignCount, p.keys[at].SignCount)
	done, err := s.complete(by, p.ws, p.user, p.userItem, p.from)
	if err != nil {
		return Started{}, err
	}
	verified := by.Event(audit.MFAVerified, now).With(audit.ID("challenge_id", c.ID.UUID()), audit.Text("method", string(c.Method)), audit.ID("factor_id", p.factor.ID.UUID()),
		audit.Instant("valid_until", now.Add(p.ws.MFATimeout()))).WithDescription("A passkey was proved.")
	change := done.join(table.Change{Events: append([]audit.Event{verified}, events...), Messages: messages, Ops: []table.Op{
		table.Remove(p.item).Else(mfa.ErrChallenge),
		table.Replace(p.keys[at].item, key).Else(mfa.ErrChallenge),
		table.Insert(Key(p.ws.ID, p.user.ID, secret.Hash()), next).Until(next.EndsAt),
	}}, by.Event(audit.AuthLogin, now).With(audit.Text("method", next.Method), audit.List("factors", next.Factors...), audit.ID("session_id", next.ID.UUID()),
		audit.Flag("new_device", done.NewBrowser), audit.Number("mfa_age_s", 0)).WithDescription("Signed in with a passkey."))
	added := newcomers{session: Key(p.ws.ID, p.user.ID, secret.Hash()), browser: done.added}
	err = s.commit(ctx, by, p.ws, p.user, change, added)
	if errors.Is(err, mfa.ErrChallenge) { // another answer used it at the same time
		err = s.refusePasskey(ctx, by, p.user, "mfa_failed", mfa.ErrChallenge)
	}
	if err != nil {
		return Started{}, err
	}
	return Started{State: SignedIn, Secret: secret, Session: next, User: p.user, Browser: done.Secret}, nil
}

func reasonOf(f *mfa.KeyFailure) string {
	if f.Reason == "wrong" {
		return "bad_credentials"
	}
	return "mfa_failed"
}

// refusePasskey records a refused sign-in by passkey and returns the refusal.
func (s *Service) refusePasskey(ctx context.Context, by authz.Allowed, u identity.User, reason string, refusal fault.Error) error {
	e := by.Refusal(audit.AuthLoginRefused, s.store.Now(), refusal).With(audit.Text("reason", reason)).WithDescription("A sign-in by passkey was refused.")
	if !u.ID.Zero() {
		e = e.WithSubject(u.ID.UUID()).WithTarget(audit.Target{Type: "user", ID: u.ID.UUID(), Name: u.Username})
	}
	if err := tally.Refused(ctx, s.store, by, e); err != nil {
		return err
	}
	return refusal
}
