package session

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/identity"
	"paddock/shared/table"
	"paddock/shared/workspace"
)

// Bounds of what is kept of one account. Where a new session or browser would
// pass them the oldest gives way.
const (
	// maxSessions counts what is stored: half-signed-in sessions too, and those
	// that are over but not collected yet.
	maxSessions = 100
	maxBrowsers = 50
	// spare is how many beyond its bound are read. Sign-ins at the same time do
	// not see each other and pass it together; each later one ends up to spare of
	// what is too many, in one transaction.
	spare = 20
)

// newcomers are the places of what a change adds to an account; zero for none.
type newcomers struct{ session, browser table.Key }

// commit stores a change that begins a session or makes a browser known, and
// makes room for them. What there is, is read beside the commit: a sign-in
// waits no longer for it, and those of wrong passwords read nothing. Room that
// could not be made is made by the next one.
func (s *Service) commit(ctx context.Context, by authz.Allowed, w workspace.Workspace, u identity.User, change table.Change, added newcomers) error {
	var committed, unread error
	var sessions, browsers []table.Item
	read := func(place table.Key, prefix string, limit int, into *[]table.Item) func() error {
		return func() (err error) {
			if place.SK != "" {
				*into, err = s.store.Query(ctx, by, table.Query{Key: place, Prefix: prefix, Limit: limit + spare})
			}
			return err
		}
	}
	_ = together(
		func() error { committed = s.store.Commit(ctx, by, change); return nil },
		func() error {
			unread = together(read(added.session, skPrefix, maxSessions, &sessions), read(added.browser, browserPrefix, maxBrowsers, &browsers))
			return nil
		},
	)
	if committed != nil {
		return committed
	}
	err := unread
	if err == nil {
		err = s.makeRoom(ctx, by, w, u, except(sessions, added.session), except(browsers, added.browser))
	}
	if err != nil {
		slog.WarnContext(ctx, "an account keeps more than its bound", "err", err.Error())
	}
	return nil
}

// except returns the items that lie elsewhere.
func except(items []table.Item, place table.Key) []table.Item {
	return slices.DeleteFunc(items, func(i table.Item) bool { return i.Key == place })
}

// makeRoom ends what is one too many with a newcomer beside these items.
func (s *Service) makeRoom(ctx context.Context, by authz.Allowed, w workspace.Workspace, u identity.User, sessions, browsers []table.Item) error {
	if len(sessions) < maxSessions && len(browsers) < maxBrowsers {
		return nil
	}
	all, err := decoded[Session](sessions)
	if err != nil {
		return err
	}
	known, err := decoded[Browser](browsers)
	if err != nil {
		return err
	}
	now := s.store.Now()
	var change table.Change
	for _, one := range surplus(all, maxSessions, func(x, y Session) int { return firstToEnd(x, y, w, u, now) }) {
		change.Ops = append(change.Ops, table.Remove(one.item).Else(table.ErrTryAgain))
		change.Events = append(change.Events, gaveWay(by, one.value, w, u, now))
	}
	for _, one := range surplus(known, maxBrowsers, func(x, y Browser) int { return x.SeenAt.Compare(y.SeenAt) }) {
		change.Ops = append(change.Ops, table.Remove(one.item).Else(table.ErrTryAgain))
		change.Events = append(change.Events, by.Event(audit.AuthDeviceRemoved, now).With(audit.ID("device_id", one.value.ID.UUID()), audit.ID("by", u.ID.UUID())).
			WithDescription("The known device that was away longest gave way to a new one."))
	}
	return s.store.Commit(ctx, by, change)
}

// gaveWay returns the event of a session that gave way to a new one: of one
// that had come to its end, that.
func gaveWay(by authz.Allowed, one Session, w workspace.Workspace, u identity.User, now time.Time) audit.Event {
	if one.Kind != Half && !one.Live(w, now) {
		return one.expiry(by, w, now)
	}
	e := by.Event(audit.AuthSessionTerminated, now).With(audit.ID("session_id", one.ID.UUID()), audit.ID("ended_by", u.ID.UUID())).
		WithDescription("The oldest session gave way to a new one.")
	if one.Kind == Half {
		return e.WithDescription("The oldest unfinished sign-in gave way to a new one.")
	}
	return e.With(audit.Text("kind", one.Kind.String()))
}

// A kept value with its item.
type kept[T any] struct {
	item  table.Item
	value T
}

func decoded[T any](items []table.Item) ([]kept[T], error) {
	out := make([]kept[T], len(items))
	for i, item := range items {
		out[i].item = item
		if err := table.Decode(item, &out[i].value); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// surplus returns those, the first in order, that leave with one more than the
// rest no more than limit; at most spare.
func surplus[T any](all []kept[T], limit int, order func(x, y T) int) []kept[T] {
	n := min(max(0, len(all)+1-limit), spare)
	if n == 0 {
		return nil
	}
	slices.SortFunc(all, func(x, y kept[T]) int { return order(x.value, y.value) })
	return all[:n]
}

// firstToEnd orders sessions by which gives way first: those that are over,
// then half-signed-in ones, so that whoever knows only the password does not end
// those of the owner, then the oldest.
func firstToEnd(x, y Session, w workspace.Workspace, u identity.User, now time.Time) int {
	rank := func(s Session) int {
		switch {
		case !s.Live(w, now) || s.Epoch != u.Epoch:
			return 0
		case s.Kind == Half:
			return 1
		}
		return 2
	}
	if a, b := rank(x), rank(y); a != b {
		return a - b
	}
	return x.CreatedAt.Compare(y.CreatedAt)
}
