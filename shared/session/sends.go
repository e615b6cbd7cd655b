package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/message"
	"paddock/shared/mfa"
	"paddock/shared/table"
)

// A packed code is one that was counted and can be sent.
type packed struct {
	message message.Message
	sent    audit.Event
	budget  table.Op   // of the person
	counted []phoneUse // of the workspace
}

// pack makes a code and counts it in the budgets of person, range of numbers and
// workspace; one that is used up is the refusal. The person's is written by the
// commit, so that of codes asked for at the same time one is sent.
func (s *Service) pack(ctx context.Context, by authz.Allowed, a Authenticated, to destination, t message.Template, purpose string, until time.Time) (packed, error) {
	now, key := s.store.Now(), mfa.SendsKey(a.Workspace.ID, a.User.ID)
	item, found, err := s.store.One(ctx, by, key)
	if err != nil {
		return packed{}, err
	}
	var before mfa.Sends
	if found {
		if err := table.Decode(item, &before); err != nil {
			return packed{}, err
		}
	}
	after, spent := before.Add(now)
	if spent != nil {
		return packed{}, s.overSends(ctx, by, *spent)
	}
	p := packed{message: notice(by, a, t, ""), budget: table.Insert(key, after)}
	if found {
		p.budget = table.Replace(item, after)
	}
	p.budget = p.budget.Until(now.Add(mfa.SendsLife + time.Hour)).Else(mfa.ErrSends)
	n, err := rand.Int(s.random, big.NewInt(1_000_000))
	if err != nil {
		return packed{}, err
	}
	name, err := s.store.NewID()
	if err != nil {
		return packed{}, err
	}
	p.message.ID, p.message.Channel, p.message.To = id.Of[id.Message](name), to.channel, to.to
	p.message.Code, p.message.Until = fmt.Sprintf("%06d", n), until
	p.sent = by.Event(audit.AuthVerificationSent, now).With(audit.Text("purpose", purpose), audit.Text("channel", to.channel.String()), audit.Text("masked_to", to.masked)).
		WithDescription("A code was sent.")
	if to.channel != message.Mail {
		p.counted, err = s.usePhones(ctx, by, to.to)
	}
	return p, err
}

// dispatch commits a change with the code that goes out.
func (s *Service) dispatch(ctx context.Context, by authz.Allowed, p packed, c table.Change) error {
	c.Events, c.Messages = append(c.Events, p.sent), append(c.Messages, p.message)
	c.Ops = append([]table.Op{p.budget}, c.Ops...)
	err := s.store.Commit(ctx, by, c)
	if errors.Is(err, mfa.ErrSends) { // another code was sent at the same time
		if err := s.unusePhones(ctx, by, p.counted); err != nil {
			return err
		}
		return s.overSends(ctx, by, mfa.Budget{Limit: 1, Window: mfa.ResendAfter, Wait: mfa.ResendAfter, Key: "user"})
	}
	return err
}

// A phoneUse is where a message to a phone was counted.
type phoneUse struct {
	key   table.Key
	limit int64
	end   time.Time
}

// usePhones counts a message to a number in the present hour of its range and the
// present day of the workspace. One that is refused counts in neither.
func (s *Service) usePhones(ctx context.Context, by authz.Allowed, number string) ([]phoneUse, error) {
	now := s.store.Now()
	prefix, err := s.store.MAC(ctx, by, "phone prefix", identity.PhonePrefix(number))
	if err != nil {
		return nil, err
	}
	var counted []phoneUse
	for _, b := range []struct {
		of, key string
		limit   int64
		window  time.Duration
	}{{prefix, "number", mfa.PrefixSendsAnHour, time.Hour}, {"workspace", "workspace", mfa.PhoneSendsADay, mfa.SendsLife}} {
		use := phoneUse{limit: b.limit, end: now.Add(2 * b.window), key: table.Key{
			Table: table.Data, Kind: "B", Workspace: by.Workspace(), Of: b.of, SK: fmt.Sprintf("phone#%d", now.Unix()/int64(b.window/time.Second)),
		}}
		_, err := s.store.Count(ctx, by, table.Budgets, use.key, use.limit, use.end)
		if errors.Is(err, table.ErrStale) {
			if err := s.unusePhones(ctx, by, counted); err != nil {
				return nil, err
			}
			return nil, s.overSends(ctx, by, mfa.Budget{Limit: b.limit, Window: b.window, Wait: now.Truncate(b.window).Add(b.window).Sub(now), Key: b.key})
		}
		if err != nil {
			return nil, err
		}
		counted = append(counted, use)
	}
	return counted, nil
}

func (s *Service) unusePhones(ctx context.Context, by authz.Allowed, counted []phoneUse) error {
	var do []func() error
	for _, u := range counted {
		do = append(do, func() error { return s.store.Refund(ctx, by, table.Budgets, u.key, u.limit, u.end) })
	}
	return together(do...)
}

// overSends records that a budget of codes is used up, and returns the refusal.
func (s *Service) overSends(ctx context.Context, by authz.Allowed, b mfa.Budget) error {
	return s.overBudget(ctx, by, mfa.ErrSends.After(b.Wait), b, "A budget of codes that are sent was used up.")
}

// A Delivery is what became of a code that was sent.
type Delivery string

// The deliveries. Sent means that the delivery service took it; whether it
// arrived nobody tells.
const (
	Queued Delivery = "queued"
	Sent   Delivery = "sent"
	Failed Delivery = "failed"
)

// delivery returns what became of a message; "" for none.
func (s *Service) delivery(ctx context.Context, by authz.Allowed, m id.ID[id.Message]) (Delivery, error) {
	if m.Zero() {
		return "", nil
	}
	item, _, err := s.store.One(ctx, by, table.MessageKey(by.Workspace(), m))
	if err != nil {
		return "", err
	}
	switch item.Attr("state").Text {
	case table.Delivered:
		return Sent, nil
	case table.Undeliverable:
		return Failed, nil
	}
	return Queued, nil
}

// Opened returns an open challenge of the session, and what became of its code.
func (s *Service) Opened(ctx context.Context, by authz.Allowed, a Authenticated, which id.ID[id.Challenge]) (mfa.Challenge, Delivery, error) {
	item, ok, err := s.store.One(ctx, by, mfa.ChallengeKey(a.Workspace.ID, a.User.ID, which))
	if err != nil {
		return mfa.Challenge{}, "", err
	}
	var c mfa.Challenge
	if ok {
		if err := table.Decode(item, &c); err != nil {
			return mfa.Challenge{}, "", err
		}
	}
	if !ok || c.Session != a.Hash || !c.Live(a.Session.Mailed, s.store.Now()) {
		return mfa.Challenge{}, "", mfa.ErrChallenge
	}
	became, err := s.delivery(ctx, by, c.Message)
	return c, became, err
}

// Pending returns a method that the session is setting up with a code that was
// sent, and what became of the code.
func (s *Service) Pending(ctx context.Context, by authz.Allowed, a Authenticated, which id.ID[id.Factor]) (mfa.CodeFactor, Delivery, error) {
	item, ok, err := s.store.One(ctx, by, mfa.FactorKey(a.Workspace.ID, a.User.ID, which))
	if err != nil {
		return mfa.CodeFactor{}, "", err
	}
	var f mfa.CodeFactor
	if ok {
		if err := table.Decode(item, &f); err != nil {
			return mfa.CodeFactor{}, "", err
		}
	}
	if !pendingIn(a, which, f, s.store.Now()) {
		return mfa.CodeFactor{}, "", mfa.ErrFactor
	}
	became, err := s.delivery(ctx, by, f.Message)
	return f, became, err
}
