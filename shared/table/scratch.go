package table

import (
	"context"
	"errors"
	"fmt"
	"time"

	"paddock/shared/authz"
)

// A Scratch kind is state that changes without an audit event. The list is
// closed; a test holds it. Source: design, section 4.
type Scratch uint8

// The scratch kinds.
const (
	Guesses    Scratch = iota + 1 // guess counters
	Challenges                    // open one-time challenges
	Delivery                      // marks of delivered messages
	Touch                         // when a session was last seen
	Tallies                       // counts of refusals whose one event is to come
	Budgets                       // counts of mail that was sent, and of questions
	Usage                         // what rights were used, a day
)

// ScratchKinds lists every scratch kind with its name.
var ScratchKinds = map[Scratch]string{Guesses: "guesses", Challenges: "challenges", Delivery: "delivery", Touch: "touch", Tallies: "tallies", Budgets: "budgets", Usage: "usage"}

// WriteScratch does one conditional operation of a scratch kind, without an
// event. A failed condition returns what Op.Else named, or ErrStale.
func (s *Store) WriteScratch(ctx context.Context, by authz.Allowed, kind Scratch, op Op) error {
	ws := by.Workspace()
	if ws.Zero() || ScratchKinds[kind] == "" {
		return ErrNoProof
	}
	keys, err := s.keys(ctx, ws)
	if err != nil {
		return err
	}
	w, err := s.sealOp(ws, keys, op)
	if err != nil {
		return err
	}
	err = s.engine.Write(ctx, w)
	if errors.Is(err, ErrStale) && op.err != nil {
		return op.err
	}
	if err != nil && !errors.Is(err, ErrStale) {
		return fmt.Errorf("write %s: %w", ScratchKinds[kind], err)
	}
	return err
}

// Count adds one to a counter of a scratch kind, before the costly work that
// it bounds, and returns the sum. When limit was reached already nothing is
// added and the error is ErrStale. The counter may be collected after end.
func (s *Store) Count(ctx context.Context, by authz.Allowed, kind Scratch, key Key, limit int64, end time.Time) (int64, error) {
	if by.Workspace().Zero() || key.Workspace != by.Workspace() || ScratchKinds[kind] == "" {
		return 0, ErrNoProof
	}
	if err := key.check(); err != nil {
		return 0, err
	}
	return s.engine.Add(ctx, key, "n", 1, limit, end)
}

// Refund takes back one that Count added: what was counted turned out to be no
// guess.
func (s *Store) Refund(ctx context.Context, by authz.Allowed, kind Scratch, key Key, limit int64, end time.Time) error {
	return s.RefundAll(ctx, by, kind, key, 1, limit, end)
}

// RefundAll takes back n that Count added.
func (s *Store) RefundAll(ctx context.Context, by authz.Allowed, kind Scratch, key Key, n, limit int64, end time.Time) error {
	if by.Workspace().Zero() || key.Workspace != by.Workspace() || ScratchKinds[kind] == "" {
		return ErrNoProof
	}
	_, err := s.engine.Add(ctx, key, "n", -n, limit, end)
	if errors.Is(err, ErrStale) {
		return nil // collected since, or taken back already
	}
	return err
}
