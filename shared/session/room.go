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
// makes room for them. What there is, is counted beside the commit: a sign-in
// waits no longer for it as long as there is room, and those of wrong passwords
// read nothing. Room that could not be made is made by the next one.
func (s *Service) commit(ctx context.Context, by authz.Allowed, w workspace.Workspace, u identity.User, change table.Change, added newcomers) error {
	var committed, failed error
	var sessions, browsers bool
	count := func(place table.Key, prefix string, limit int, full *bool) func() error {
		return func() error {
			if place.SK == "" {
				return nil
			}
			n, err := s.store.Size(ctx, by, table.Query{Key: place, Prefix: prefix, Limit: limit})
			*full = n == limit
			return err
		}
	}
	_ = together(
		func() error { committed = s.store.Commit(ctx, by, change); return nil },
		func() error {
			failed = together(count(added.session, skPrefix, maxSessions, &sessions), count(added.browser, browserPrefix, maxBrowsers, &browsers))
			return nil
		},
	)
	if committed != nil {
		return committed
	}
	var room table.Change
	if failed == nil && sessions {
		failed = s.roomForSession(ctx, by, w, u, added.session, &room)
	}
	if failed == nil && browsers {
		failed = s.roomForBrowser(ctx, by, u, added.browser, &room)
	}
	if failed == nil && len(room.Events) > 0 {
		failed = s.store.Commit(ctx, by, room)
	}
	if failed != nil {
		slog.WarnContext(ctx, "an account keeps more than its bound", "err", failed.Error())
	}
	return nil
}

// roomForSession adds to a change the end of the sessions that are too many.
// Those that are over go with them, so that not each sign-in has to.
func (s *Service) roomForSession(ctx context.Context, by authz.Allowed, w workspace.Workspace, u identity.User, added table.Key, room *table.Change) error {
	all, err := others[Session](ctx, s.store, by, table.Query{Key: added, Prefix: skPrefix, Limit: maxSessions + spare})
	if err != nil {
		return err
	}
	now := s.store.Now()
	slices.SortFunc(all, func(x, y kept[Session]) int { return firstToEnd(x.value, y.value, w, u, now) })
	over := slices.IndexFunc(all, func(k kept[Session]) bool { return !isOver(k.value, w, u, now) })
	if over < 0 {
		over = len(all)
	}
	for _, one := range all[:min(max(over, len(all)+1-maxSessions), spare)] {
		room.Ops = append(room.Ops, table.Remove(one.item).Else(table.ErrTryAgain))
		room.Events = append(room.Events, gaveWay(by, one.value, w, u, now))
	}
	return nil
}

// roomForBrowser adds to a change the end of the known browsers that are too
// many.
func (s *Service) roomForBrowser(ctx context.Context, by authz.Allowed, u identity.User, added table.Key, room *table.Change) error {
	all, err := others[Browser](ctx, s.store, by, table.Query{Key: added, Prefix: browserPrefix, Limit: maxBrowsers + spare})
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(x, y kept[Browser]) int { return x.value.SeenAt.Compare(y.value.SeenAt) })
	for _, one := range all[:min(max(0, len(all)+1-maxBrowsers), spare)] {
		room.Ops = append(room.Ops, table.Remove(one.item).Else(table.ErrTryAgain))
		room.Events = append(room.Events, by.Event(audit.AuthDeviceRemoved, s.store.Now()).With(audit.ID("device_id", one.value.ID.UUID()), audit.ID("by", u.ID.UUID())).
			WithDescription("The known device that was away longest gave way to a new one."))
	}
	return nil
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

// others returns what a query finds beside the place that it names.
func others[T any](ctx context.Context, store *table.Store, by authz.Allowed, q table.Query) ([]kept[T], error) {
	items, err := store.Query(ctx, by, q)
	if err != nil {
		return nil, err
	}
	var out []kept[T]
	for _, item := range items {
		if item.Key == q.Key {
			continue
		}
		one := kept[T]{item: item}
		if err := table.Decode(item, &one.value); err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// isOver reports whether a session opens nothing any more.
func isOver(s Session, w workspace.Workspace, u identity.User, now time.Time) bool {
	return !s.Live(w, now) || s.Epoch != u.Epoch
}

// firstToEnd orders sessions by which gives way first: those that are over,
// then half-signed-in ones, so that whoever knows only the password does not end
// those of the owner, then the oldest.
func firstToEnd(x, y Session, w workspace.Workspace, u identity.User, now time.Time) int {
	rank := func(s Session) int {
		switch {
		case isOver(s, w, u, now):
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
