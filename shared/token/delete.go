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
func (s *Service) Delete(ctx context.Context, by authz.Allowed, actor table.Item, owner id.ID[id.Principal], of id.ID[id.Token]) error {
	cause := "user"
	if by.Principal().ID != owner {
		cause = "admin"
	}
	return again(func() error {
		f, err := s.find(ctx, by, owner, of)
		if err != nil {
			return err
		}
		e := by.Event(audit.TokenRevoked, s.store.Now()).With(audit.ID("token_id", of.UUID()), audit.ID("by", by.Principal().ID.UUID()), audit.Text("cause", cause)).
			WithTarget(targetOf(f.token)).WithDescription("An API token was revoked.")
		if cause == "admin" {
			e = e.WithSubject(owner.UUID())
		}
		if !f.token.UsedAt.IsZero() {
			e = e.With(audit.Instant("last_used", f.token.UsedAt))
		}
		left := slices.DeleteFunc(slices.Clone(f.all), func(e entry) bool { return e.ID == of })
		ops := []table.Op{table.Remove(f.item).Else(table.ErrTryAgain), lessBook(f.book, left), table.Unchanged(actor).Else(table.ErrTryAgain)}
		if f.rows.Version > 0 {
			ops = append(ops, table.Remove(f.rows).Else(table.ErrTryAgain))
		}
		return s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: ops})
	})
}

// atOnce is how many tokens one transaction takes away, each with its rules and
// its event.
const atOnce = 25

// DeleteAll takes away the tokens of somebody whose account is about to go,
// which are too many for the transaction that deletes it.
func (s *Service) DeleteAll(ctx context.Context, by authz.Allowed, owner id.ID[id.Principal]) error {
	for {
		left := 0
		err := again(func() error {
			book, all, err := s.book(ctx, by, owner)
			if err != nil || book.Version == 0 {
				left = 0
				return err
			}
			some := all[:min(len(all), atOnce)]
			left = len(all) - len(some)
			c, err := s.leaving(ctx, by, owner, some)
			if err != nil {
				return err
			}
			c.Ops = append(c.Ops, lessBook(book, all[len(some):]))
			return s.store.Commit(ctx, by, c)
		})
		if err != nil || left == 0 {
			return err
		}
	}
}

// leaving returns the change that takes tokens away with their rules.
func (s *Service) leaving(ctx context.Context, by authz.Allowed, owner id.ID[id.Principal], some []entry) (table.Change, error) {
	var keys []table.Key
	for _, e := range some {
		keys = append(keys, keyOf(by.Workspace(), owner, e.Hash), rowsOf(by.Workspace(), owner, e.Hash))
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
		c.Events = append(c.Events, by.Event(audit.TokenRevoked, s.store.Now()).
			With(audit.ID("token_id", e.ID.UUID()), audit.ID("by", by.Principal().ID.UUID()), audit.Text("cause", "owner_left")).
			WithTarget(audit.Target{Type: "token", ID: e.ID.UUID(), Name: e.Name}).WithSubject(owner.UUID()).WithDescription("An API token went with its owner's account."))
	}
	return c, nil
}
