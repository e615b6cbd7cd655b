package session

import (
	"context"
	"fmt"
	"slices"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/table"
)

// ErrNoSession refuses to end a session that the caller does not have.
var ErrNoSession = fault.Error{Kind: fault.NotFound, Code: "not_found", Detail: "There is no such session."}

// maxSessions bounds how many sessions of one person are listed, newest by
// handle; older ones still end.
const maxSessions = 200

// Logout ends the caller's session.
func (s *Service) Logout(ctx context.Context, by authz.Allowed, a Authenticated) error {
	e := by.Event(audit.AuthLogout, s.store.Now()).With(audit.Text("scope", "this"), audit.ID("session_id", a.Session.ID.UUID())).
		WithDescription("Signed out.")
	return s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: []table.Op{table.Remove(a.SessionItem).Else(table.ErrTryAgain)}})
}

// Listed is one session in the list of a person's sessions.
type Listed struct {
	Session Session
	Item    table.Item
	Current bool
}

// Own returns the caller's live sessions, newest first, without half-signed-in
// ones.
func (s *Service) Own(ctx context.Context, by authz.Allowed, a Authenticated) ([]Listed, error) {
	items, err := s.store.Query(ctx, by, table.Query{Key: identity.UserKey(a.Workspace.ID, a.User.ID), Prefix: skPrefix, Limit: maxSessions})
	if err != nil {
		return nil, err
	}
	now := s.store.Now()
	var out []Listed
	for _, item := range items {
		var one Session
		if err := table.Decode(item, &one); err != nil {
			return nil, err
		}
		if one.Kind == Half || !one.Live(now) || one.Epoch != a.User.Epoch {
			continue
		}
		out = append(out, Listed{Session: one, Item: item, Current: item.Key == a.SessionItem.Key})
	}
	slices.SortFunc(out, func(x, y Listed) int { return y.Session.CreatedAt.Compare(x.Session.CreatedAt) })
	return out, nil
}

// End ends one session of the caller.
func (s *Service) End(ctx context.Context, by authz.Allowed, a Authenticated, which id.ID[id.Session]) error {
	all, err := s.Own(ctx, by, a)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(l Listed) bool { return l.Session.ID == which })
	if at < 0 {
		return ErrNoSession
	}
	e := by.Event(audit.AuthSessionTerminated, s.store.Now()).With(audit.ID("session_id", which.UUID()), audit.Text("kind", all[at].Session.Kind.String())).
		WithDescription("A session was ended remotely.")
	return s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: []table.Op{table.Remove(all[at].Item).Else(table.ErrTryAgain)}})
}

// EndAll ends every session of the caller, this one too: raising the account's
// epoch is one write, whatever their number.
func (s *Service) EndAll(ctx context.Context, by authz.Allowed, a Authenticated) error {
	user := a.User
	user.Epoch++
	e := by.Event(audit.AuthLogout, s.store.Now()).With(audit.Text("scope", "all"), audit.ID("session_id", a.Session.ID.UUID())).
		WithDescription("Signed out everywhere.")
	err := s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: []table.Op{identity.SaveUser(a.UserItem, user).Else(table.ErrTryAgain)}})
	if err != nil {
		return fmt.Errorf("end all sessions: %w", err)
	}
	return nil
}
