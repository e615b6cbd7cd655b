package session

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/message"
	"paddock/shared/mfa"
	"paddock/shared/table"
	"paddock/shared/workspace"
)

// ceremonies is the relying party of WebAuthn; see passkey.Ceremonies.
type ceremonies interface {
	Register(site mfa.Site, who mfa.Holder, m identity.Method, held []mfa.Key, attested bool) (json.RawMessage, mfa.Ceremony, error)
	Registered(site mfa.Site, who mfa.Holder, c mfa.Ceremony, answer []byte) (mfa.Key, error)
	Request(site mfa.Site, held []mfa.Key, verified bool) (json.RawMessage, mfa.Ceremony, error)
	Named(answer []byte) (handle, key []byte, err error)
	Answered(site mfa.Site, who mfa.Holder, held []mfa.Key, c mfa.Ceremony, answer []byte) (int, mfa.Key, error)
}

// kindOf returns a method as events name it.
func kindOf(m identity.Method) string {
	switch m {
	case identity.HardwareKey:
		return "webauthn"
	case identity.Biometric:
		return "biometric"
	case identity.OTP:
		return "totp"
	case identity.MailedCode:
		return "email"
	case identity.Phone:
		return "phone"
	case identity.RecoveryCode:
		return "recovery"
	}
	return string(m)
}

// nameOf returns a method as its owner reads of it.
func nameOf(m identity.Method) string {
	switch m {
	case identity.HardwareKey:
		return "A security key"
	case identity.Biometric:
		return "A device with fingerprint or face"
	case identity.OTP:
		return "An authenticator app"
	case identity.MailedCode:
		return "Codes by e-mail"
	case identity.Phone:
		return "Codes by phone"
	case identity.RecoveryCode:
		return "Recovery codes"
	}
	return string(m)
}

// factorAt returns the factor whose secret a key places.
func factorAt(k table.Key) id.ID[id.Factor] {
	f, err := id.Parse[id.Factor](k.SK[len("factor#"):])
	if err != nil {
		return id.ID[id.Factor]{}
	}
	return f
}

// A heldKey is a key of an account with the item that holds it.
type heldKey struct {
	item table.Item
	mfa.Key
}

// keysOf reads the keys of an account that are of these methods.
func (s *Service) keysOf(ctx context.Context, by authz.Allowed, w workspace.Workspace, u identity.User, methods ...identity.Method) ([]heldKey, error) {
	var keys []table.Key
	for _, f := range u.Factors {
		for _, m := range methods {
			if f.Method == m {
				keys = append(keys, mfa.FactorKey(w.ID, u.ID, f.ID))
			}
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	items, err := s.store.Read(ctx, by, keys...)
	if err != nil {
		return nil, err
	}
	var out []heldKey
	for _, item := range items {
		k := heldKey{item: item}
		if err := table.Decode(item, &k.Key); err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}

func bare(held []heldKey) []mfa.Key {
	var out []mfa.Key
	for _, k := range held {
		out = append(out, k.Key)
	}
	return out
}

// askKeys returns what a browser is to ask of the account's keys. A device that
// is there for its owner's finger or face always verifies it.
func (s *Service) askKeys(ctx context.Context, by authz.Allowed, a Authenticated, m identity.Method) (json.RawMessage, mfa.Ceremony, error) {
	held, err := s.keysOf(ctx, by, a.Workspace, a.User, m)
	if err != nil {
		return nil, mfa.Ceremony{}, err
	}
	if len(held) == 0 {
		return nil, mfa.Ceremony{}, mfa.ErrMethod
	}
	return s.keys.Request(mfa.SiteOf(a.Workspace), bare(held), m == identity.Biometric)
}

// proveKey answers a challenge with a security key. The key's counter moves in
// the same commit, so that of equal answers one succeeds.
func (s *Service) proveKey(ctx context.Context, by authz.Allowed, a Authenticated, c mfa.Challenge, challenge table.Item, answer Answer, attempt int64) (Risen, error) {
	held, err := s.keysOf(ctx, by, a.Workspace, a.User, c.Method)
	if err != nil {
		return Risen{}, err
	}
	at, key, err := s.keys.Answered(mfa.SiteOf(a.Workspace), mfa.HolderOf(a.User), bare(held), c.Ceremony, answer.Credential)
	if refused, ok := errors.AsType[*mfa.KeyFailure](err); ok {
		return Risen{}, s.failed(ctx, by, c, attempt, refused.Reason, mfa.ErrKey)
	}
	if err != nil {
		return Risen{}, err
	}
	p := proved{challenge: c, item: challenge, factor: factorAt(held[at].item.Key), browser: answer.Browser}
	if p.messages, p.events, err = s.counted(ctx, by, a, c, held[at].Key, key, attempt); err != nil {
		return Risen{}, err
	}
	key.SignCount = max(key.SignCount, held[at].SignCount)
	p.ops = []table.Op{table.Replace(held[at].item, key).Else(mfa.ErrKey)}
	risen, err := s.rise(ctx, by, a, p)
	if errors.Is(err, mfa.ErrKey) || errors.Is(err, mfa.ErrChallenge) { // another answer used it at the same time
		err = s.failed(ctx, by, c, attempt, "replay", mfa.ErrKey)
	}
	return risen, err
}

// copiedNotices bounds the mails in mfa.FactorWindow that tell of a copied key.
const copiedNotices = 5

// counted weighs the counter of an answer. One that does not move on is an
// event, its owner is told, and the workspace's setting says whether it is
// refused.
func (s *Service) counted(ctx context.Context, by authz.Allowed, a Authenticated, c mfa.Challenge, stored, answered mfa.Key, attempt int64) ([]message.Message, []audit.Event, error) {
	if mfa.Counted(stored.SignCount, answered.SignCount) {
		return nil, nil, nil
	}
	var messages []message.Message
	_, err := s.count(ctx, by, mfa.GuessKey(a.Workspace.ID, a.User.ID, "copied", s.store.Now()), copiedNotices, s.store.Now().Add(2*mfa.FactorWindow))
	if err := unlessTries(err); err != nil {
		return nil, nil, err
	}
	if err == nil {
		messages = append(messages, notice(by, a, message.KeyCopied, nameOf(c.Method)))
	}
	e := copied(by.Refusal(audit.MFAFailed, s.store.Now(), mfa.ErrKeyCopied), c, attempt)
	if a.Workspace.Security.SignCountRegression != workspace.RegressionRefused {
		return messages, []audit.Event{e}, nil
	}
	if err := s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Messages: messages}); err != nil {
		return nil, nil, err
	}
	return nil, nil, mfa.ErrKeyCopied
}

func copied(e audit.Event, c mfa.Challenge, attempt int64) audit.Event {
	return e.With(audit.ID("challenge_id", c.ID.UUID()), audit.Text("method", string(c.Method)), audit.Text("reason", "sign_count"), audit.Number("attempt_no", attempt)).
		WithDescription("A security key counted backwards: there may be a copy of it.")
}

// EnrolKey begins to set up a security key. It counts for nothing until
// ConfirmKey.
func (s *Service) EnrolKey(ctx context.Context, by authz.Allowed, a Authenticated, m identity.Method, name string) (Enrolment, error) {
	if err := s.mayBegin(ctx, by, a, m, name); err != nil {
		return Enrolment{}, err
	}
	held, err := s.keysOf(ctx, by, a.Workspace, a.User, identity.HardwareKey, identity.Biometric)
	if err != nil {
		return Enrolment{}, err
	}
	factor, err := s.store.NewID()
	if err != nil {
		return Enrolment{}, err
	}
	attested := m == identity.HardwareKey && len(a.Workspace.Security.HardwareKeyModels) > 0
	options, ceremony, err := s.keys.Register(mfa.SiteOf(a.Workspace), mfa.HolderOf(a.User), m, bare(held), attested)
	if err != nil {
		return Enrolment{}, err
	}
	now := s.store.Now()
	e := Enrolment{ID: id.Of[id.Factor](factor), Options: options, ExpiresAt: now.Add(mfa.ChallengeLife)}
	pending := mfa.PendingKey{Pending: true, Method: m, Name: name, Session: a.Hash, Ceremony: ceremony, ExpiresAt: e.ExpiresAt}
	err = s.store.WriteScratch(ctx, by, table.Challenges, table.Insert(mfa.FactorKey(a.Workspace.ID, a.User.ID, e.ID), pending).Until(e.ExpiresAt.Add(time.Hour)))
	return e, err
}

// ConfirmKey finishes the enrolment of a security key with the answer of the
// authenticator that made it. It proves the factor, so that the session rises;
// the first method brings recovery codes, shown this once.
func (s *Service) ConfirmKey(ctx context.Context, by authz.Allowed, a Authenticated, which id.ID[id.Factor], answer Answer) (Confirmed, error) {
	now, ws, user := s.store.Now(), a.Workspace.ID, a.User.ID
	if err := MayEnrol(a, now); err != nil {
		return Confirmed{}, err
	}
	by = provedFor(by, a)
	items, err := s.store.Read(ctx, by, mfa.FactorKey(ws, user, which), mfa.RecoveryKey(ws, user))
	if err != nil {
		return Confirmed{}, err
	}
	stored, recovery := apart(items)
	var pending mfa.PendingKey
	if stored.Version > 0 {
		if err := table.Decode(stored, &pending); err != nil {
			return Confirmed{}, err
		}
	}
	if !pending.Pending || !mfa.IsKey(pending.Method) || pending.Session != a.Hash || !now.Before(pending.ExpiresAt) {
		return Confirmed{}, mfa.ErrFactor
	}
	attempt, err := s.mayConfirm(ctx, by, a, pending.Method, which)
	if err != nil {
		return Confirmed{}, err
	}
	wrong := func(reason string, refusal fault.Error) error {
		return s.failed(ctx, by, mfa.Challenge{ID: id.Of[id.Challenge](which.UUID()), Method: pending.Method}, attempt, reason, refusal)
	}
	key, err := s.keys.Registered(mfa.SiteOf(a.Workspace), mfa.HolderOf(a.User), pending.Ceremony, answer.Credential)
	if refused, ok := errors.AsType[*mfa.KeyFailure](err); ok {
		return Confirmed{}, wrong(refused.Reason, mfa.ErrKey)
	}
	if err != nil {
		return Confirmed{}, err
	}
	if !mfa.MayBe(pending.Method, key, a.Workspace.Security.HardwareKeyModels) {
		return Confirmed{}, wrong("wrong", mfa.ErrKeyKind)
	}
	mac, err := s.store.MAC(ctx, by, mfa.KeyIDField, string(key.ID))
	if err != nil {
		return Confirmed{}, err
	}
	lasting := stored
	lasting.TTL = time.Time{}
	f := identity.Factor{ID: which, Method: pending.Method, Name: pending.Name, ConfirmedAt: now, Taken: mac}
	more := []audit.Field{audit.Flag("uv", key.UserVerified)}
	if len(key.AAGUID) == len(id.UUID{}) {
		more = append(more, audit.ID("aaguid", id.UUID(key.AAGUID)))
	}
	return s.confirm(ctx, by, a, f, []table.Op{
		table.Replace(lasting, key).Else(mfa.ErrFactor),
		table.Insert(mfa.TakenKey(ws, mac), identity.Unique{User: user}).Else(mfa.ErrKeyTaken),
	}, recovery, answer.Browser, more...)
}

// apart tells a method being set up from the recovery codes read beside it.
func apart(items []table.Item) (pending, recovery table.Item) {
	for _, item := range items {
		if item.Key.SK == "recovery" {
			recovery = item
		} else {
			pending = item
		}
	}
	return pending, recovery
}
