package session

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"paddock/shared/application"
	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/table"
	"paddock/shared/token"
)

// authenticateToken returns whom a token of a family belongs to, with what it
// leaves of its owner's rights, reading it with its rules as a session is read.
// Every defect is ErrInvalid and leaves an event.
func (s *Service) authenticateToken(ctx context.Context, n Need, family token.Family) (Authenticated, error) {
	ws, owner, hash := id.Of[id.Workspace](n.Secret.Workspace()), principalID(n.Secret), n.Secret.Hash()
	a := Authenticated{Hash: hex.EncodeToString(hash[:]), Token: &token.Token{}}
	rows, account := family.RowsKey(ws, owner, hash), identity.UserKey(ws, owner)
	kind := APIToken
	if family == token.OfApplications {
		a.Application = &application.Application{}
		account, kind = application.Key(ws, owner), ServiceToken
	}
	err := s.gatherAt(ctx, &a, ws, owner, family.Key(ws, owner, hash), account, a.Token, func(ws id.ID[id.Workspace], owner id.ID[id.Principal]) []table.Key {
		keys := []table.Key{rows}
		if n.Objects != nil {
			keys = append(keys, n.Objects(ws, owner)...)
		}
		return keys
	})
	if errors.Is(err, table.ErrGone) {
		return Authenticated{}, s.rejectedHandle(ctx, n, Authenticated{}, SecretUnknown)
	}
	if err != nil {
		return Authenticated{}, err
	}
	if reason := a.tokenRefused(s.store.Now(), owner, n.Caller.Host); reason != "" {
		if reason == SecretExpired && !a.Token.Noted {
			if err := s.noteEnd(ctx, a); err != nil {
				return Authenticated{}, err
			}
		}
		return Authenticated{}, s.rejectedHandle(ctx, n, a, reason)
	}
	if at := slices.IndexFunc(a.Objects, func(i table.Item) bool { return i.Key == rows }); at >= 0 {
		if a.Rules, err = token.DecodeRows(a.Objects[at]); err != nil {
			return Authenticated{}, err
		}
	}
	a.Session = Session{Kind: kind, Epoch: a.Token.Epoch, Method: kind.String(), Factors: []string{kind.String()}}
	return a, nil
}

// tokenRefused tells why the token that was read opens nothing at now; "" when
// it does.
func (a *Authenticated) tokenRefused(now time.Time, owner id.ID[id.Principal], host string) string {
	switch {
	case a.SessionItem.Version == 0 || a.User.ID != owner || a.WorkspaceItem.Attr("status") != table.Alive || !a.Workspace.Serves(host):
		return SecretUnknown
	case !a.Token.Good(a.holder()):
		return SecretRevoked
	case !a.Token.Live(now):
		return SecretExpired
	}
	return ""
}

// holder returns whose token the request came with.
func (a *Authenticated) holder() token.Holder {
	if a.Application != nil {
		return a.Application.Holder()
	}
	return token.HolderOf(a.User)
}

// tokenEvent starts an event about the token of the request.
func (a *Authenticated) tokenEvent(by authz.Allowed, kind audit.Kind, at time.Time) audit.Event {
	family := a.holder().Family
	return by.Event(kind, at).With(audit.ID("token_id", a.Token.ID.UUID())).
		WithTarget(audit.Target{Type: family.String(), ID: a.Token.ID.UUID(), Name: a.Token.Name})
}

// touchToken is Touch for tokens; the first use of one is an event.
func (s *Service) touchToken(ctx context.Context, by authz.Allowed, a Authenticated) (Authenticated, error) {
	now := s.store.Now()
	if now.Sub(a.Token.UsedAt) < TouchEvery {
		return a, nil
	}
	used := *a.Token
	used.UsedAt = now
	err := s.noteUse(ctx, by, a, used)
	if errors.Is(err, table.ErrStale) || errors.Is(err, table.ErrContended) || errors.Is(err, table.ErrTryAgain) {
		return a, nil
	}
	if err == nil {
		a.Token = &used
		a.SessionItem.Version++
	}
	return a, err
}

func (s *Service) noteUse(ctx context.Context, by authz.Allowed, a Authenticated, used token.Token) error {
	if !a.Token.UsedAt.IsZero() {
		return s.store.WriteScratch(ctx, by, table.Touch, table.Replace(a.SessionItem, used))
	}
	e := a.tokenEvent(by, audit.TokenFirstUsed, used.UsedAt).With(audit.Text("ip", by.Principal().Source.IP.String())).
		WithDescription("A token was used for the first time.")
	who := by.Principal()
	who.Request.DryRun = false // it was used, if only to look at a change
	return s.store.Commit(ctx, authz.ForCeremony(a.Workspace.ID, "guard", who), table.Change{Events: []audit.Event{e}, Ops: []table.Op{table.Replace(a.SessionItem, used)}})
}

// noteEnd writes that a token had come to its end. Another request may have seen
// it first.
func (s *Service) noteEnd(ctx context.Context, a Authenticated) error {
	who := PrincipalOf(a.Workspace.ID, a.User, audit.Source{})
	if a.Application != nil {
		who = a.principal(audit.Source{})
	}
	by := authz.ForCeremony(a.Workspace.ID, "guard", who)
	ended := *a.Token
	ended.Noted = true
	e := a.tokenEvent(by, audit.TokenExpired, s.store.Now()).WithDescription("A token had come to its end.")
	err := s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: []table.Op{table.Replace(a.SessionItem, ended)}})
	if errors.Is(err, table.ErrStale) || errors.Is(err, table.ErrTryAgain) {
		return nil
	}
	return err
}
