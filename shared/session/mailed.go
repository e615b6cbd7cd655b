package session

import (
	"context"
	"errors"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/identity"
	"paddock/shared/message"
	"paddock/shared/table"
	"paddock/shared/tally"
)

// Unlock mails a link that opens one attempt to sign in beyond the budgets of
// guesses. Whether the account exists is not told; see Forgot.
func (s *Service) Unlock(ctx context.Context, at Attempt) error {
	return s.mailLink(ctx, at, mailedLink{purpose: identity.Unlock, template: message.OneMoreTry, life: identity.UnlockLife, budget: "unlock"})
}

// unlock uses up the ticket of an attempt whose budget is spent, and returns
// nil when it opens the attempt, else the error that was given.
func (s *Service) unlock(ctx context.Context, by authz.Allowed, got *candidate, a Attempt, spent error) error {
	ws := by.Workspace()
	if a.Ticket.Workspace() != ws.UUID() || principalID(a.Ticket) != got.who {
		return spent
	}
	items, err := s.store.Read(ctx, by, identity.LinkKey(ws, got.who, identity.Unlock, a.Ticket.Hash()))
	if err != nil {
		return err
	}
	if len(items) == 0 {
		return spent
	}
	var link identity.Link
	if err := table.Decode(items[0], &link); err != nil {
		return err
	}
	if err := s.account(ctx, by, got.who, got); err != nil {
		return err
	}
	if !got.known || link.Epoch != got.user.Epoch || !link.Matches(a.Ticket, s.store.Now()) {
		return spent
	}
	e := by.Event(audit.AuthAccountUnlocked, s.store.Now()).With(audit.Text("by", "link")).WithSubject(got.who.UUID()).
		WithDescription("A mailed link opened one attempt to sign in.")
	err = s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: []table.Op{table.Remove(items[0])}})
	if errors.Is(err, table.ErrStale) { // used by another attempt
		return spent
	}
	// The attempt is one at the account: what was counted of it stays counted, or
	// is taken back with the rest when the password is right.
	got.spent, got.counted, got.excess = false, append(got.counted, got.excess...), nil
	return err
}

// A mailedLink is what is mailed to those who cannot sign in.
type mailedLink struct {
	purpose  identity.LinkPurpose
	template message.Template
	life     time.Duration
	budget   string
}

// Budgets of links that strangers ask for. Source: security, MF-12.
const (
	linkTries  = 30 // per address
	linkMails  = 5  // per account; beyond it see mailedAnyway
	linkWindow = time.Hour
)

// mailLink mails a link to the account of a login name. Whether it exists is
// not told, and not to be seen in what is done either: for one that does not,
// or is disabled, the same is stored at a place that leads to nobody, and the
// message goes to no one.
func (s *Service) mailLink(ctx context.Context, at Attempt, l mailedLink) error {
	ws, err := s.named(ctx, at.Host)
	if err != nil {
		return err
	}
	by := authz.ForCeremony(ws, "mailed link", authz.Principal{Source: at.Source, Request: at.Request})
	login := canonicalLogin(at.Login)
	account, err := s.store.MAC(ctx, by, "guess", login)
	if err != nil {
		return err
	}
	address, err := s.store.MAC(ctx, by, "address", tally.Network(at.Source.IP).String())
	if err != nil {
		return err
	}
	if n, err := s.spend(ctx, by, address, l.budget, linkTries, linkWindow); err != nil {
		return s.throttled(ctx, by, candidate{}, account, n, err)
	}
	var got candidate
	if got.who, err = s.resolve(ctx, by, at.Host, login, &got); err != nil {
		return err
	}
	_, budget := s.spend(ctx, by, got.of, l.budget, linkMails, linkWindow)
	if err := unlessSpent(budget); err != nil {
		return err
	}
	for range 3 {
		items, err := s.store.Read(ctx, by, identity.UserKey(ws, got.who), identity.LinkKey(ws, got.who, l.purpose, [32]byte{}))
		if err != nil {
			return err
		}
		err = s.storeLink(ctx, by, l, got, items, account, budget == nil)
		if !errors.Is(err, table.ErrTryAgain) {
			return err
		}
	}
	return nil // others stored a link at the same time; that they did is not told
}

// mailedAnyway is the rule of what is mailed beyond the budget of an account,
// which strangers can use up: a link where the one before is no good any more.
// So its owner always has one that lives, and the lives of links bound the mails.
func mailedAnyway(u identity.User, before identity.Link, now time.Time) bool {
	return !now.Before(before.ExpiresAt) || before.Epoch != u.Epoch
}

// storeLink stores a link of the account that was read, and the message with
// it: for nobody when send is false or there is no such account.
func (s *Service) storeLink(ctx context.Context, by authz.Allowed, l mailedLink, got candidate, read []table.Item, account string, send bool) error {
	ws, key := by.Workspace(), identity.UserKey(by.Workspace(), got.who)
	same, user := table.Absent(key), identity.User{ID: got.who}
	var older identity.Link
	for _, item := range read {
		var err error
		if item.Key == key {
			same = table.Unchanged(item)
			user, err = identity.DecodeUser(item)
		} else {
			err = table.Decode(item, &older)
		}
		if err != nil {
			return err
		}
	}
	send = send || mailedAnyway(user, older, s.store.Now())
	link, secret, err := s.link(ws, user, l.life)
	if err != nil {
		return err
	}
	src := by.Principal().Source
	m := message.Message{
		Channel: message.Mail, Template: l.template, To: user.Email, Workspace: got.ws.Name, From: src.IP.String() + ", " + src.UserAgent,
		Until: link.ExpiresAt, Link: l.purpose.URL(got.ws.Canonical(), secret),
	}
	put := identity.PutLink(identity.LinkKey(ws, got.who, l.purpose, secret.Hash()), read, link)
	if user.Disabled || !send {
		// The older link stays: what is not sent replaces nothing.
		decoy, err := s.absent()
		if err != nil {
			return err
		}
		m.To, put = "", identity.PutLink(identity.LinkKey(ws, decoy, l.purpose, secret.Hash()), nil, link)
	}
	e := by.Event(audit.AuthPasswordResetRequested, s.store.Now()).With(audit.Text("channel", "mail"), audit.Text("identifier_hmac", account)).
		WithDescription("A link to choose a new password was asked for.")
	if l.purpose == identity.Unlock {
		e = by.Event(audit.AuthVerificationSent, s.store.Now()).With(audit.Text("purpose", "unlock"), audit.Text("channel", "mail")).
			WithDescription("A link to one more attempt to sign in was asked for.")
	}
	if user.EmailKey != "" {
		e = e.WithSubject(user.ID.UUID())
	}
	return s.store.Commit(ctx, by, table.Change{
		Events: []audit.Event{e}, Messages: []message.Message{m}, Ops: []table.Op{put, same.Else(table.ErrTryAgain)},
	})
}
