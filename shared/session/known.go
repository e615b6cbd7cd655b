package session

import (
	"context"
	"log/slog"

	"paddock/shared/credential"
	"paddock/shared/credential/breach"
	"paddock/shared/workspace"
)

// A rangeService knows which passwords were breached elsewhere.
type rangeService interface {
	Listed(context.Context, credential.RangeKey) (bool, error)
}

// checkNew refuses a new password that the operator's list or the range service
// knows. Without a usable answer of the service the workspace's setting says
// what happens.
func (s *Service) checkNew(ctx context.Context, w workspace.Workspace, p credential.Password) error {
	listed, err := s.listed(p)
	switch {
	case err != nil:
		return err
	case listed:
		return credential.ErrPasswordCommon
	case s.ranges == nil:
		return nil
	}
	setting := breach.Refuse
	if w.Security.PasswordCheckFailure == workspace.FailureAllows {
		setting = breach.Allow
	}
	return breach.Check(ctx, s.ranges, p, setting)
}

// guessable reports whether a right password must be replaced, for it is known.
// Nobody is kept out because a list cannot be read or a network failed: what
// gives no answer, the range service within breach.Timeout, has no say.
func (s *Service) guessable(ctx context.Context, p credential.Password) bool {
	if credential.Common(p) {
		return true
	}
	known, err := s.listed(p)
	if err == nil && !known && s.ranges != nil {
		known, err = s.ranges.Listed(ctx, p.RangeKey())
	}
	if err != nil {
		slog.WarnContext(ctx, "a right password was not compared with every list", "err", err.Error())
		return false
	}
	return known
}

// listed reports whether the operator's list has a password.
func (s *Service) listed(p credential.Password) (bool, error) {
	if s.list == nil {
		return false, nil
	}
	list, err := s.list()
	if err != nil {
		return false, err
	}
	return p.In(list), nil
}
