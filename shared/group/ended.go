package group

import (
	"context"
	"slices"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/policy"
	"paddock/shared/table"
)

// stale returns which places of an account mean nothing at now, for they have
// ended or their group is gone: those in a group first.
func stale(u identity.User, p *authz.Policy, in id.ID[id.Group], now time.Time) []identity.Membership {
	return identity.Ended(u.Memberships, func(m identity.Membership) bool {
		_, there := p.Group(m.Group.UUID())
		return !there || !m.Until.IsZero() && !now.Before(m.Until)
	}, func(m identity.Membership) bool { return m.Group == in })
}

// collect returns the change that takes places of an account away which mean
// nothing any more, with the events of their ends. What is stored of the one in
// a group that the account joins again is left to that.
func (s *Service) collect(ctx context.Context, by authz.Allowed, e *policy.Edit, u identity.User, gone []identity.Membership, joining id.ID[id.Group]) (table.Change, error) {
	var c table.Change
	var keys []table.Key
	for _, m := range gone {
		if m.Group != joining {
			keys = append(keys, PlaceKey(by.Workspace(), m.ID), memberKey(by.Workspace(), m.Group, u.ID))
		}
		row, ok := e.Before.Group(m.Group.UUID())
		if !ok {
			continue // its deletion is in the log
		}
		was := Place{ID: m.ID, Group: m.Group, User: u.ID, Role: m.Role, Until: m.Until}
		c.Events = append(c.Events, s.abouts(by, audit.GroupMemberRemoved, row, was, "A place in a group had come to its end.").
			With(audit.Text("cause", "expired")).WithChange("role", m.Role.String(), "").WithChange("expires_at", instant(m.Until), ""))
	}
	if len(keys) == 0 {
		return c, nil
	}
	items, err := s.store.Read(ctx, by, keys...)
	if err != nil {
		return c, err
	}
	for _, item := range items {
		p, err := DecodePlace(item)
		if err != nil {
			return c, err
		}
		if slices.ContainsFunc(gone, func(m identity.Membership) bool { return m.ID == p.ID }) {
			c.Ops = append(c.Ops, table.Remove(item).Else(table.ErrTryAgain))
		}
	}
	return c, nil
}
