package session

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"paddock/shared/accesstoken"
	"paddock/shared/application"
	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/policy"
	"paddock/shared/table"
	"paddock/shared/token"
	"paddock/shared/workspace"
)

// A Need is what a request brings and asks.
type Need struct {
	Secret credential.Secret
	// Access is the access token around Secret, nil for a bare handle.
	Access *accesstoken.Token
	Caller Caller
	// Objects are the keys that the path names; they are read along.
	Objects func(ws id.ID[id.Workspace], user id.ID[id.Principal]) []table.Key
	// Half admits half-signed-in sessions.
	Half bool
}

var kinds = map[credential.Prefix]Kind{credential.ConsoleSession: Console, credential.CLISession: CLI, credential.HalfSession: Half, credential.Device: Device}

// principalID returns whom a secret names.
func principalID(s credential.Secret) id.ID[id.Principal] { return id.Of[id.Principal](s.Principal()) }

// Authenticate returns who a handle belongs to, reading session, user,
// workspace and the objects of the path in one round trip. Every defect of the
// handle is ErrInvalid and leaves an event; a half-signed-in one where it does
// not suffice is ErrHalf.
func (s *Service) Authenticate(ctx context.Context, n Need) (Authenticated, error) {
	if family, ok := token.FamilyOf(n.Secret.Prefix()); ok && n.Access == nil {
		return s.authenticateToken(ctx, n, family)
	}
	kind, ok := kinds[n.Secret.Prefix()]
	if !ok || (kind == Device) != (n.Access != nil) {
		return Authenticated{}, s.rejectedHandle(ctx, n, Authenticated{}, SecretUnknown)
	}
	if kind == Half && !n.Half {
		return Authenticated{}, ErrHalf
	}
	ws, user := id.Of[id.Workspace](n.Secret.Workspace()), id.Of[id.Principal](n.Secret.Principal())
	place := n.Secret.Hash()
	if n.Access != nil {
		place = n.Access.Session()
	}
	a, err := s.gather(ctx, ws, user, place, n.Objects)
	if errors.Is(err, table.ErrGone) {
		return Authenticated{}, s.rejectedHandle(ctx, n, Authenticated{}, SecretUnknown)
	}
	if err != nil {
		return Authenticated{}, err
	}
	if now := s.store.Now(); a.Session.Kind != kind || !a.good(now, user, n.Caller.Host) {
		if kind != Half && a.Session.Kind == kind && a.owned(user, n.Caller.Host) && !a.Session.Live(a.Workspace, now) {
			return Authenticated{}, s.expired(ctx, a, now) // the event of its end
		}
		return Authenticated{}, s.rejectedHandle(ctx, n, a, a.whyNot(now))
	}
	if n.Access != nil {
		err := s.checkAccess(ctx, a, *n.Access)
		if errors.Is(err, ErrInvalid) {
			err = s.rejectedHandle(ctx, n, a, SecretRevoked)
		}
		if err != nil {
			return Authenticated{}, err
		}
	}
	return a, nil
}

// rejectedHandle records a handle that opened nothing, and returns ErrInvalid.
func (s *Service) rejectedHandle(ctx context.Context, n Need, a Authenticated, reason string) error {
	return s.rejectedSecret(ctx, n.Caller, rejection{secret: n.Secret, owner: a.User, token: a.Token, reason: reason, refusal: ErrInvalid, text: rejectedHandle})
}

// whyNot tells for events why the session that was read is not good at now.
func (a *Authenticated) whyNot(now time.Time) string {
	switch {
	case a.SessionItem.Version == 0:
		return SecretUnknown
	case a.User.Disabled || a.Session.Epoch != a.User.Epoch:
		return SecretRevoked
	case !a.Session.Live(a.Workspace, now):
		return SecretExpired
	}
	return SecretUnknown
}

// checkAccess refuses an access token that is not one of the session's own: its
// signature and claims are checked with the keys that came with the one read.
func (s *Service) checkAccess(ctx context.Context, a Authenticated, t accesstoken.Token) error {
	key, err := s.store.SigningKey(ctx, authz.ForCeremony(a.Workspace.ID, "guard", authz.Principal{}), signingPurpose)
	if err != nil {
		return err
	}
	want := accesstoken.Expected{Origin: a.Workspace.Canonical(), Subject: a.User.ID.UUID(), Now: s.store.Now()}
	if t.Check(key, want) != nil || !a.Session.Tokens.opens(t.Handle()) {
		return ErrInvalid
	}
	return nil
}

// gather reads the session at a place with its user, its workspace and the
// objects of a path, in one round trip, and believes nothing yet.
func (s *Service) gather(ctx context.Context, ws id.ID[id.Workspace], user id.ID[id.Principal], place [32]byte, objects func(id.ID[id.Workspace], id.ID[id.Principal]) []table.Key) (Authenticated, error) {
	a := Authenticated{Hash: hex.EncodeToString(place[:])}
	err := s.gatherAt(ctx, &a, ws, user, Key(ws, user, place), identity.UserKey(ws, user), &a.Session, objects)
	return a, err
}

// gatherAt is gather for what lies at a key, which it reads into something, and
// an account or application at another one.
func (s *Service) gatherAt(ctx context.Context, a *Authenticated, ws id.ID[id.Workspace], user id.ID[id.Principal], at, account table.Key, into any, objects func(id.ID[id.Workspace], id.ID[id.Principal]) []table.Key) error {
	keys := []table.Key{at, account, workspace.HeadKey(ws), policy.HeadKey(ws)}
	if objects != nil {
		keys = append(keys, objects(ws, user)...)
	}
	items, err := s.store.Read(ctx, authz.ForCeremony(ws, "guard", authz.Principal{}), keys...)
	if err != nil {
		return err
	}
	return a.sort(keys, items, into)
}

// good reports whether the session is live at now, of an account that may sign
// in and has not ended it, in a workspace that is alive and serves the host.
func (a *Authenticated) good(now time.Time, user id.ID[id.Principal], host string) bool {
	return a.Session.Live(a.Workspace, now) && a.owned(user, host)
}

// owned is good without its end.
func (a *Authenticated) owned(user id.ID[id.Principal], host string) bool {
	return a.SessionItem.Version > 0 && a.User.ID == user && !a.User.Disabled && a.Session.Epoch == a.User.Epoch &&
		a.WorkspaceItem.Attr("status") == table.Alive && a.Workspace.Serves(host)
}

// expired takes a session away that has come to its end, with the event that
// tells when, and returns ErrInvalid.
func (s *Service) expired(ctx context.Context, a Authenticated, now time.Time) error {
	p := PrincipalOf(a.Workspace.ID, a.User, audit.Source{})
	p.Actor.SessionID = a.Session.ID.UUID()
	by := authz.ForCeremony(a.Workspace.ID, "guard", p)
	err := s.store.Commit(ctx, by, table.Change{Events: []audit.Event{a.Session.expiry(by, a.Workspace, now)}, Ops: []table.Op{table.Remove(a.SessionItem)}})
	if err != nil && !errors.Is(err, table.ErrStale) && !errors.Is(err, table.ErrTryAgain) { // another request saw it first
		return err
	}
	return ErrInvalid
}

// expiry returns the event of a session that had come to its end before now.
func (s Session) expiry(by authz.Allowed, w workspace.Workspace, now time.Time) audit.Event {
	cause, at := "absolute", s.End(w)
	if now.Before(at) {
		cause, at = "idle", s.SeenAt.Add(w.SessionIdle())
	}
	return by.Event(audit.AuthSessionExpired, now).With(audit.Text("cause", cause), audit.Instant("ended_at", at)).
		WithDescription("A session had come to its end.")
}

// sort puts the items that were read where they belong, the first one into
// something.
func (a *Authenticated) sort(keys []table.Key, items []table.Item, into any) (err error) {
	for _, item := range items {
		switch item.Key {
		case keys[0]:
			a.SessionItem = item
			if err = table.Decode(item, into); err != nil {
				return err
			}
		case keys[1]:
			a.UserItem = item
			if err = a.named(item); err != nil {
				return err
			}
		case keys[2]:
			a.WorkspaceItem = item
			if a.Workspace, err = workspace.Decode(item); err != nil {
				return err
			}
		case keys[3]:
			a.PolicyItem = item
		}
		for _, k := range keys[1:] {
			if item.Key == k {
				a.Objects = append(a.Objects, item)
				break
			}
		}
	}
	return nil
}

// named reads the account or application that a credential names.
func (a *Authenticated) named(item table.Item) (err error) {
	if a.Application == nil {
		a.User, err = identity.DecodeUser(item)
		return err
	}
	if *a.Application, err = application.Decode(item); err == nil {
		a.User = identity.User{ID: a.Application.ID, Username: a.Application.Name}
	}
	return err
}

// Touch notes that the session or token is in use, at most once in TouchEvery, and
// returns a as it is then. Losing the race to another request that notes the
// same, or changes the session, is no error.
func (s *Service) Touch(ctx context.Context, by authz.Allowed, a Authenticated) (Authenticated, error) {
	if a.Token != nil {
		return s.touchToken(ctx, by, a)
	}
	now := s.store.Now()
	if now.Sub(a.Session.SeenAt) < TouchEvery {
		return a, nil
	}
	seen := a.Session
	seen.SeenAt = now
	err := s.store.WriteScratch(ctx, by, table.Touch, table.Replace(a.SessionItem, seen))
	if errors.Is(err, table.ErrStale) || errors.Is(err, table.ErrContended) {
		return a, nil
	}
	if err == nil {
		a.Session = seen
		a.SessionItem.Version++
	}
	return a, err
}
