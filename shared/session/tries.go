package session

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/identity"
	"paddock/shared/mfa"
	"paddock/shared/table"
)

// A try is where one answer was counted.
type try struct {
	attempt       int64 // at the challenge
	budget, total table.Key
	guessed       bool  // counted at the method too
	wrong         int64 // by the method since the last right one, this one too
	end           time.Time
}

// totalKept is how long wrong answers are remembered.
const totalKept = 365 * 24 * time.Hour

// try counts an answer before it is looked at: at its challenge, by the method
// in this hour, and by the method since a right one. A browser that the account
// knows has an hour's budget of its own: whoever knows the password only does not
// use it up. Source: security, LK-1 and MF-3.
func (s *Service) try(ctx context.Context, by authz.Allowed, a Authenticated, c mfa.Challenge, browser credential.Secret) (try, error) {
	ws, user, now := a.Workspace.ID, a.User.ID, s.store.Now()
	t := try{guessed: guessed(c.Method), total: mfa.TotalKey(ws, a.User, c.Method), end: now.Add(2 * mfa.FactorWindow)}
	var from presented
	var atChallenge error
	err := together(
		func() error {
			t.attempt, atChallenge = s.count(ctx, by, mfa.TriesKey(ws, user, c.ID), mfa.MaxTries, c.ExpiresAt)
			return unlessTries(atChallenge)
		},
		func() (err error) {
			if t.guessed {
				from, err = s.browser(ctx, by, browser)
			}
			return err
		},
	)
	if err != nil {
		return t, err
	}
	if atChallenge != nil || !t.guessed {
		return t, afterWindow(atChallenge)
	}
	of := string(c.Method)
	if from.trusts(a.User, now) {
		of += "#" + from.browser.ID.String()
	}
	t.budget = mfa.GuessKey(ws, user, of, now)
	var hour, all error
	err = together(
		func() error { _, hour = s.count(ctx, by, t.budget, mfa.FactorTries, t.end); return unlessTries(hour) },
		func() error {
			t.wrong, all = s.count(ctx, by, t.total, mfa.FactorTotal, now.Add(totalKept))
			return unlessTries(all)
		},
	)
	switch {
	case err != nil:
		return t, err
	case hour != nil && all == nil: // it is not looked at
		return t, errors.Join(s.store.Refund(ctx, by, table.Guesses, t.total, mfa.FactorTotal, now.Add(totalKept)), afterWindow(hour))
	case all != nil:
		return t, mfa.ErrSpent
	}
	return t, nil
}

// afterWindow says when a spent budget begins anew.
func afterWindow(err error) error {
	if errors.Is(err, mfa.ErrTries) {
		return mfa.ErrTries.After(mfa.FactorWindow)
	}
	return err
}

// unlessTries returns an error that is no used-up budget.
func unlessTries(err error) error {
	if errors.Is(err, mfa.ErrTries) {
		return nil
	}
	return err
}

// guessed reports whether a method has answers short enough to be guessed. Keys
// and recovery codes have none, and budgets of theirs would only lock their owner
// out.
func guessed(m identity.Method) bool { return !mfa.IsKey(m) && m != identity.RecoveryCode }

// right takes a right answer back: it is no guess, and who verifies often is
// not locked out. With it the wrong ones before it are forgotten.
func (s *Service) right(ctx context.Context, by authz.Allowed, t try) {
	if !t.guessed {
		return
	}
	err := together(
		func() error { return s.store.Refund(ctx, by, table.Guesses, t.budget, mfa.FactorTries, t.end) },
		func() error {
			return s.store.RefundAll(ctx, by, table.Guesses, t.total, t.wrong, mfa.FactorTotal, s.store.Now().Add(totalKept))
		},
	)
	if err != nil {
		slog.WarnContext(ctx, "a right answer stays counted as a guess", "err", err.Error())
	}
}

func (s *Service) count(ctx context.Context, by authz.Allowed, key table.Key, limit int64, end time.Time) (int64, error) {
	n, err := s.store.Count(ctx, by, table.Guesses, key, limit, end)
	if errors.Is(err, table.ErrStale) {
		return limit, mfa.ErrTries
	}
	return n, err
}
