package token

import (
	"context"
	"slices"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/table"
)

// Delete revokes a token: it opens nothing at its next request.
func (s *Service) Delete(ctx context.Context, by authz.Allowed, h Holder, of id.ID[id.Token]) error {
	cause := "user"
	if by.Principal().ID != h.ID {
		cause = "admin"
	}
	return again(func() error {
		f, err := s.find(ctx, by, h, of)
		if err != nil {
			return err
		}
		e := s.revoked(by, h, of, f.token.Name, cause, "A token was revoked.")
		if h.Family == OfPeople && !f.token.UsedAt.IsZero() {
			e = e.With(audit.Instant("last_used", f.token.UsedAt))
		}
		left := slices.DeleteFunc(slices.Clone(f.all), func(e entry) bool { return e.ID == of })
		ops := append(slices.Clone(h.Rests), table.Remove(f.item).Else(table.ErrTryAgain), lessBook(f.book, left))
		if f.rows.Version > 0 {
			ops = append(ops, table.Remove(f.rows).Else(table.ErrTryAgain))
		}
		return s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: ops})
	})
}

// revoked returns the event of a token that opens nothing any more.
func (s *Service) revoked(by authz.Allowed, h Holder, of id.ID[id.Token], name, cause, text string) audit.Event {
	if h.Family == OfApplications {
		return h.event(by, audit.ServiceTokenRevoked, s.store.Now(), of, name, text).With(audit.ID("application_id", h.ID.UUID()), audit.Text("cause", cause))
	}
	return h.event(by, audit.TokenRevoked, s.store.Now(), of, name, text).With(audit.ID("by", by.Principal().ID.UUID()), audit.Text("cause", cause))
}

// atOnce is how many tokens one transaction takes away, each with its rules and
// its event.
const atOnce = 25

// DeleteAll takes away the tokens of an account or application that is about to
// go, which are too many for the transaction that deletes it. It returns how
// many there were.
func (s *Service) DeleteAll(ctx context.Context, by authz.Allowed, h Holder) (int, error) {
	for n := 0; ; {
		left := 0
		err := again(func() error {
			book, all, err := s.book(ctx, by, h)
			if err != nil || book.Version == 0 {
				left = 0
				return err
			}
			some := all[:min(len(all), atOnce)]
			left = len(all) - len(some)
			c, err := s.leaving(ctx, by, h, some)
			if err != nil {
				return err
			}
			c.Ops = append(c.Ops, lessBook(book, all[len(some):]))
			if err := s.store.Commit(ctx, by, c); err != nil {
				return err
			}
			n += len(some)
			return nil
		})
		if err != nil || left == 0 {
			return n, err
		}
	}
}

// leaving returns the change that takes tokens away with their rules.
func (s *Service) leaving(ctx context.Context, by authz.Allowed, h Holder, some []entry) (table.Change, error) {
	var keys []table.Key
	for _, e := range some {
		keys = append(keys, h.Family.keyOf(by.Workspace(), h.ID, e.Hash), h.Family.rowsOf(by.Workspace(), h.ID, e.Hash))
	}
	items, err := s.store.Read(ctx, by, keys...)
	if err != nil {
		return table.Change{}, err
	}
	var c table.Change
	for _, item := range items {
		c.Ops = append(c.Ops, table.Remove(item).Else(table.ErrTryAgain))
	}
	for _, e := range some {
		c.Events = append(c.Events, s.revoked(by, h, e.ID, e.Name, "owner_left", "A token went with its owner."))
	}
	return c, nil
}
