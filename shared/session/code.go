package session

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"slices"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/message"
	"paddock/shared/mfa"
	"paddock/shared/table"
)

// A Question asks for a challenge.
type Question struct {
	Method  identity.Method
	Purpose mfa.Purpose
	// Via and Factor are for phones: how the code comes, "" for as it was set up,
	// and to which of several, zero for the newest.
	Via    mfa.Via
	Factor id.ID[id.Factor]
}

// A destination is where a code goes.
type destination struct {
	factor  id.ID[id.Factor] // zero for none of the account's
	channel message.Channel
	to      string
	masked  string
}

// newest returns the factor of a method that was set up last; the zero one for
// a method without.
func newest(u identity.User, m identity.Method) (out id.ID[id.Factor]) {
	for _, f := range u.Factors {
		if f.Method == m {
			out = f.ID
		}
	}
	return out
}

// mailbox returns the account's address as a destination.
func mailbox(u identity.User) destination {
	return destination{factor: newest(u, identity.MailedCode), channel: message.Mail, to: u.Email, masked: identity.Mask(identity.Email{Key: u.EmailKey})}
}

// PhoneVias returns the ways in which codes are sent to phones here.
func (s *Service) PhoneVias() []mfa.Via {
	out := []mfa.Via{}
	if s.sms {
		out = append(out, mfa.SMS)
	}
	if s.voice {
		out = append(out, mfa.Voice)
	}
	return out
}

// line returns a phone as a destination, if codes are sent there in this way.
func (s *Service) line(number string, via mfa.Via) (destination, error) {
	to := destination{channel: message.SMS, to: number, masked: identity.MaskPhone(number)}
	offered := s.sms
	switch via {
	case mfa.SMS:
	case mfa.Voice:
		to.channel, offered = message.Voice, s.voice
	default:
		return destination{}, mfa.ErrVia
	}
	if !offered {
		return destination{}, mfa.ErrPhone
	}
	return to, nil
}

// destination returns where the code of a challenge goes.
func (s *Service) destination(ctx context.Context, by authz.Allowed, a Authenticated, q Question) (destination, error) {
	if q.Method != identity.Phone {
		return mailbox(a.User), nil
	}
	which := cmp.Or(q.Factor, newest(a.User, identity.Phone))
	if !holds(a.User, which, identity.Phone) {
		return destination{}, remaining(a)
	}
	item, ok, err := s.store.One(ctx, by, mfa.FactorKey(a.Workspace.ID, a.User.ID, which))
	if err != nil {
		return destination{}, err
	}
	if !ok {
		return destination{}, table.ErrTryAgain // removed in the meantime
	}
	var stored mfa.CodeFactor
	if err := table.Decode(item, &stored); err != nil {
		return destination{}, err
	}
	to, err := s.line(stored.Number, cmp.Or(q.Via, stored.Via))
	to.factor = which
	return to, err
}

// holds reports whether an account has a factor of a method.
func holds(u identity.User, which id.ID[id.Factor], m identity.Method) bool {
	return slices.ContainsFunc(u.Factors, func(f identity.Factor) bool { return f.ID == which && f.Method == m })
}

// standing reports whether a code that was sent is still one of the account's: of
// a factor that it has, or of an unusual sign-in of one that has none.
func standing(a Authenticated, c mfa.Challenge) bool {
	if c.Factor.Zero() {
		return a.Session.Unusual && !a.User.HasSecondFactor()
	}
	return holds(a.User, c.Factor, c.Method)
}

// sendCode opens a challenge whose code is sent. An older one of the session
// ends. Source: security, MF-4.
func (s *Service) sendCode(ctx context.Context, by authz.Allowed, a Authenticated, q Question) (mfa.Challenge, error) {
	to, err := s.destination(ctx, by, a, q)
	if err != nil {
		return mfa.Challenge{}, err
	}
	name, err := s.store.NewID()
	if err != nil {
		return mfa.Challenge{}, err
	}
	now := s.store.Now()
	c := mfa.Challenge{
		ID: id.Of[id.Challenge](name), Session: a.Hash, Method: q.Method, Purpose: q.Purpose, ExpiresAt: now.Add(mfa.ChallengeLife),
		SentTo: to.masked, Factor: to.factor,
	}
	template := message.SignInCode
	if q.Purpose == mfa.StepUp {
		template = message.StepUpCode
	}
	p, err := s.pack(ctx, by, a, to, template, string(q.Purpose), c.ExpiresAt)
	if err != nil {
		return mfa.Challenge{}, err
	}
	c.Code, c.Message = p.message.Code, p.message.ID
	created := by.Event(audit.MFAChallengeCreated, now).With(audit.ID("challenge_id", name), audit.List("methods", string(c.Method)), audit.Text("purpose", string(c.Purpose))).
		WithDescription("A challenge for a code that is sent was opened.")
	session := a.Session
	session.Mailed = c.ID
	return c, s.dispatch(ctx, by, p, table.Change{
		Events: []audit.Event{created},
		Ops: []table.Op{
			table.Insert(mfa.ChallengeKey(a.Workspace.ID, a.User.ID, c.ID), c).Until(c.ExpiresAt.Add(time.Hour)),
			table.Replace(a.SessionItem, session).Else(table.ErrTryAgain),
		},
	})
}

// same reports whether a code is the one that was sent, in constant time.
func same(sent, given string) bool {
	return sent != "" && subtle.ConstantTimeCompare([]byte(sent), []byte(given)) == 1
}

// proveCode answers a challenge with the code that was sent. It is used up with
// the challenge.
func (s *Service) proveCode(ctx context.Context, by authz.Allowed, a Authenticated, c mfa.Challenge, challenge table.Item, answer Answer, attempt int64) (Risen, error) {
	if !same(c.Code, answer.Code) {
		return Risen{}, s.failed(ctx, by, c, attempt, "wrong", mfa.ErrCode)
	}
	risen, err := s.rise(ctx, by, a, proved{challenge: c, item: challenge, factor: c.Factor, browser: answer.Browser})
	if errors.Is(err, mfa.ErrChallenge) { // another answer used it at the same time
		err = s.failed(ctx, by, c, attempt, "replay", mfa.ErrCode)
	}
	return risen, err
}

// EnrolCode begins to set up codes by e-mail, to the account's address, or by
// phone, and sends one. It counts for nothing until ConfirmCode. An older one of
// the session ends.
func (s *Service) EnrolCode(ctx context.Context, by authz.Allowed, a Authenticated, wanted mfa.CodeFactor) (Enrolment, error) {
	if err := s.mayBegin(ctx, by, a, wanted.Method, wanted.Name); err != nil {
		return Enrolment{}, err
	}
	by = provedFor(by, a)
	to, err := s.wanted(a, &wanted)
	if err != nil {
		return Enrolment{}, err
	}
	factor, err := s.store.NewID()
	if err != nil {
		return Enrolment{}, err
	}
	e := Enrolment{ID: id.Of[id.Factor](factor), SentTo: to.masked, ExpiresAt: s.store.Now().Add(mfa.ChallengeLife)}
	p, err := s.pack(ctx, by, a, to, message.ConfirmCode, "enrol", e.ExpiresAt)
	if err != nil {
		return Enrolment{}, err
	}
	wanted.Pending, wanted.Session, wanted.Code, wanted.SentTo, wanted.Message, wanted.ExpiresAt = true, a.Hash, p.message.Code, to.masked, p.message.ID, e.ExpiresAt
	session := a.Session
	session.Enrolling = e.ID
	return e, s.dispatch(ctx, by, p, table.Change{Ops: []table.Op{
		table.Insert(mfa.FactorKey(a.Workspace.ID, a.User.ID, e.ID), wanted).Until(e.ExpiresAt.Add(time.Hour)),
		table.Replace(a.SessionItem, session).Else(table.ErrTryAgain),
	}})
}

// wanted checks what is to be set up, and returns where its code goes. A phone
// that says nothing else gets text messages.
func (s *Service) wanted(a Authenticated, f *mfa.CodeFactor) (destination, error) {
	switch {
	case f.Method == identity.MailedCode && !newest(a.User, identity.MailedCode).Zero():
		return destination{}, mfa.ErrMailed
	case f.Method == identity.MailedCode:
		return mailbox(a.User), nil
	case !s.sms && !s.voice:
		return destination{}, mfa.ErrPhone
	case !identity.Number(f.Number):
		return destination{}, mfa.ErrNumber
	}
	f.Via = cmp.Or(f.Via, mfa.SMS)
	return s.line(f.Number, f.Via)
}

// confirmSent finishes the enrolment of a method with the code that was sent to
// it.
func (s *Service) confirmSent(ctx context.Context, by authz.Allowed, a Authenticated, which id.ID[id.Factor], stored, recovery table.Item, f mfa.CodeFactor, answer Answer) (Confirmed, error) {
	now := s.store.Now()
	if !pendingIn(a, which, f, now) {
		return Confirmed{}, mfa.ErrFactor
	}
	if !allowed(a.Workspace, f.Method) { // the policy may have changed since
		return Confirmed{}, mfa.ErrMethod
	}
	if len(a.User.Factors) >= MaxFactors {
		return Confirmed{}, ErrFactorLimit
	}
	if f.Method == identity.MailedCode && !newest(a.User, identity.MailedCode).Zero() {
		return Confirmed{}, mfa.ErrMailed
	}
	c := mfa.Challenge{ID: id.Of[id.Challenge](which.UUID()), Method: f.Method}
	attempt, err := s.count(ctx, by, mfa.TriesKey(a.Workspace.ID, a.User.ID, c.ID), mfa.MaxTries, f.ExpiresAt)
	if err != nil {
		return Confirmed{}, s.overTries(ctx, by, mfa.MaxTries, err)
	}
	if !same(f.Code, answer.Code) {
		return Confirmed{}, s.failed(ctx, by, c, attempt, "wrong", mfa.ErrCode)
	}
	factor := identity.Factor{ID: which, Method: f.Method, Name: f.Name, ConfirmedAt: now}
	if f.Method == identity.Phone {
		factor.SentTo = f.SentTo
	}
	lasting := stored
	lasting.TTL = time.Time{}
	return s.confirm(ctx, by, a, factor, []table.Op{
		table.Replace(lasting, mfa.CodeFactor{Method: f.Method, Name: f.Name, Number: f.Number, Via: f.Via}).Else(mfa.ErrFactor),
	}, recovery, answer.Browser)
}

// pendingIn reports whether a method is being set up by this session, and no
// newer one.
func pendingIn(a Authenticated, which id.ID[id.Factor], f mfa.CodeFactor, now time.Time) bool {
	return f.Pending && mfa.IsCode(f.Method) && f.Session == a.Hash && which == a.Session.Enrolling && now.Before(f.ExpiresAt)
}
