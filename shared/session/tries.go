package session

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"paddock/shared/authz"
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
// in this hour, and by the method since a right one.
func (s *Service) try(ctx context.Context, by authz.Allowed, a Authenticated, c mfa.Challenge) (try, error) {
	ws, user, now := a.Workspace.ID, a.User.ID, s.store.Now()
	t := try{budget: mfa.GuessKey(ws, user, string(c.Method), now), total: mfa.TotalKey(ws, a.User, c.Method), end: now.Add(2 * mfa.FactorWindow)}
	var err error
	if t.attempt, err = s.count(ctx, by, mfa.TriesKey(ws, user, c.ID), mfa.MaxTries, c.ExpiresAt); err != nil {
		return t, afterWindow(err)
	}
	if t.guessed = guessed(c.Method); !t.guessed {
		return t, nil
	}
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
