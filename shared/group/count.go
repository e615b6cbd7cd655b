package group

import (
	"context"
	"slices"
	"time"

	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/policy"
	"paddock/shared/table"
)

// maxEnds bounds how many places of a group have an end: the group keeps each.
const maxEnds = 1_000

// ErrManyEnds refuses one more place with an end.
var ErrManyEnds = fault.Error{Kind: fault.Conflict, Code: "limit_reached", Detail: "At most 1,000 places of a group have an end.", Source: "expires_at"}

// Members returns how many are in the group at now: places that have ended are
// none, also before anything collects them.
func (g Group) Members(now time.Time) int { return max(0, g.Lasting) + len(live(g.Ends, now)) }

// live returns the ends that are still to come.
func live(ends []time.Time, now time.Time) []time.Time {
	return slices.DeleteFunc(slices.Clone(ends), func(end time.Time) bool { return !now.Before(end) })
}

// joined returns the group with one place more, which ends at until.
func (g Group) joined(until, now time.Time) (Group, error) {
	g.Ends = live(g.Ends, now)
	if until.IsZero() {
		g.Lasting++
		return g, nil
	}
	if len(g.Ends) >= maxEnds {
		return g, ErrManyEnds
	}
	g.Ends = append(g.Ends, until)
	return g, nil
}

// left returns the group without a place that ends at until; one that has ended
// by now is counted no more.
func (g Group) left(until, now time.Time) Group {
	g.Ends = live(g.Ends, now)
	if until.IsZero() {
		g.Lasting--
	} else if at := slices.IndexFunc(g.Ends, until.Equal); at >= 0 {
		g.Ends = slices.Delete(g.Ends, at, at+1)
	}
	return g
}

// current returns a group as it is stored now, ErrNoGroup when it is gone.
func (s *Service) current(ctx context.Context, by authz.Allowed, key table.Key) (table.Item, Group, error) {
	item, ok, err := s.store.One(ctx, by, key)
	if err != nil {
		return table.Item{}, Group{}, err
	}
	if !ok {
		return table.Item{}, Group{}, ErrNoGroup
	}
	g, err := Decode(item)
	return item, g, err
}

// counted writes a group whose places changed.
func counted(item table.Item, g Group) table.Op {
	return table.Replace(item, g).Else(policy.ErrMoved)
}
