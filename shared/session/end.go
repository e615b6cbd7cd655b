package session

import (
	"context"
	"slices"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/table"
)

// ErrNoSession refuses to end a session that the caller does not have.
var ErrNoSession = fault.Error{Kind: fault.NotFound, Code: "not_found", Detail: "There is no such session."}

// Logout ends the caller's session. A token goes on: whoever came with it only
// forgets it.
func (s *Service) Logout(ctx context.Context, by authz.Allowed, a Authenticated) error {
	e := by.Event(audit.AuthLogout, s.store.Now()).With(audit.Text("scope", "this"))
	if a.Token != nil {
		return s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e.WithDescription("A command line forgot a token.")}})
	}
	e = e.With(audit.ID("session_id", a.Session.ID.UUID())).WithDescription("Signed out.")
	return s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: []table.Op{table.Remove(a.SessionItem).Else(table.ErrTryAgain)}})
}

// Listed is one session in the list of a person's sessions.
type Listed struct {
	Session Session
	Item    table.Item
	Current bool
}

// Of returns a person's live sessions, newest first, without half-signed-in
// ones; the one that asks is marked.
func (s *Service) Of(ctx context.Context, by authz.Allowed, a Authenticated, u identity.User) ([]Listed, error) {
	items, err := s.store.Query(ctx, by, table.Query{Key: identity.UserKey(a.Workspace.ID, u.ID), Prefix: skPrefix, Limit: maxSessions + spare})
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
		if one.Kind == Half || !one.Live(a.Workspace, now) || one.Epoch != u.Epoch || u.Disabled {
			continue
		}
		out = append(out, Listed{Session: one, Item: item, Current: item.Key == a.SessionItem.Key})
	}
	slices.SortFunc(out, func(x, y Listed) int { return y.Session.CreatedAt.Compare(x.Session.CreatedAt) })
	return out, nil
}

// End ends one session of a person.
func (s *Service) End(ctx context.Context, by authz.Allowed, a Authenticated, u identity.User, which id.ID[id.Session]) error {
	all, err := s.Of(ctx, by, a, u)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(l Listed) bool { return l.Session.ID == which })
	if at < 0 {
		return ErrNoSession
	}
	e := by.Event(audit.AuthSessionTerminated, s.store.Now()).With(audit.ID("session_id", which.UUID()), audit.Text("kind", all[at].Session.Kind.String()),
		audit.ID("ended_by", a.User.ID.UUID())).WithSubject(u.ID.UUID()).WithDescription("A session was ended remotely.")
	return s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: []table.Op{table.Remove(all[at].Item).Else(table.ErrTryAgain)}})
}

// EndAll ends every session of the caller, this one too: raising the account's
// epoch is one write, whatever their number. Links, proofs and what else rests
// on the epoch end with them.
func (s *Service) EndAll(ctx context.Context, by authz.Allowed, a Authenticated) error {
	e := by.Event(audit.AuthLogout, s.store.Now()).With(audit.Text("scope", "all"), audit.ID("session_id", a.Session.ID.UUID())).
		WithDescription("Signed out everywhere.")
	return s.raise(ctx, by, e, a.UserItem, a.User)
}

// EndAllOf ends every session of somebody else.
func (s *Service) EndAllOf(ctx context.Context, by authz.Allowed, a Authenticated, item table.Item, u identity.User) error {
	e := by.Event(audit.AuthSessionTerminated, s.store.Now()).With(audit.ID("ended_by", a.User.ID.UUID())).WithSubject(u.ID.UUID()).
		WithTarget(audit.Target{Type: "user", ID: u.ID.UUID(), Name: u.Username}).WithDescription("Every session of an account was ended.")
	return s.raise(ctx, by, e, item, u)
}

func (s *Service) raise(ctx context.Context, by authz.Allowed, e audit.Event, item table.Item, u identity.User) error {
	u.Epoch++
	return s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: []table.Op{identity.SaveUser(item, u).Else(table.ErrTryAgain)}})
}

// EndOthers ends every session of the caller but this one, which goes on under
// a new handle.
func (s *Service) EndOthers(ctx context.Context, by authz.Allowed, a Authenticated) (Risen, error) {
	user := a.User
	user.Epoch++
	risen, op, err := s.replaced(a, user)
	if err != nil {
		return Risen{}, err
	}
	e := by.Event(audit.AuthLogout, s.store.Now()).With(audit.Text("scope", "all"), audit.ID("session_id", a.Session.ID.UUID())).
		WithDescription("Signed out everywhere else.")
	return risen, s.store.Commit(ctx, by, table.Change{
		Events: []audit.Event{e},
		Ops:    []table.Op{identity.SaveUser(a.UserItem, user).Else(table.ErrTryAgain), table.Remove(a.SessionItem).Else(table.ErrTryAgain), op},
	})
}

// replaced returns the caller's session as it goes on under the account's new
// epoch and a new handle, with the operation that stores it.
func (s *Service) replaced(a Authenticated, user identity.User) (Risen, table.Op, error) {
	next := a.Session
	next.Epoch, next.SeenAt = user.Epoch, s.store.Now()
	secret, err := credential.New(s.random, next.Kind.Prefix(), a.Workspace.ID.UUID(), user.ID.UUID())
	if err != nil {
		return Risen{}, table.Op{}, err
	}
	return Risen{Secret: secret, Session: next}, table.Insert(Key(a.Workspace.ID, user.ID, secret.Hash()), next).Until(next.EndsAt), nil
}
