package session

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/table"
	"paddock/shared/token"
)

// authenticateToken returns who an API token belongs to, with what it leaves of
// its owner's rights, reading it with its rules as a session is read. Every
// defect is ErrInvalid and leaves an event.
func (s *Service) authenticateToken(ctx context.Context, n Need) (Authenticated, error) {
	ws, owner, hash := id.Of[id.Workspace](n.Secret.Workspace()), principalID(n.Secret), n.Secret.Hash()
	a := Authenticated{Hash: hex.EncodeToString(hash[:]), Token: &token.Token{}}
	rows := token.RowsKey(ws, owner, hash)
	err := s.gatherAt(ctx, &a, ws, owner, token.Key(ws, owner, hash), a.Token, func(ws id.ID[id.Workspace], owner id.ID[id.Principal]) []table.Key {
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
	a.Session = Session{Kind: APIToken, Epoch: a.Token.Epoch, Method: "api_token", Factors: []string{"api_token"}}
	return a, nil
}

// tokenRefused tells why the token that was read opens nothing at now; "" when
// it does.
func (a *Authenticated) tokenRefused(now time.Time, owner id.ID[id.Principal], host string) string {
	switch {
	case a.SessionItem.Version == 0 || a.User.ID != owner || a.WorkspaceItem.Attr("status") != table.Alive || !a.Workspace.Serves(host):
		return SecretUnknown
	case !a.Token.Good(a.User):
		return SecretRevoked
	case !a.Token.Live(now):
		return SecretExpired
	}
	return ""
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
	e := by.Event(audit.TokenFirstUsed, used.UsedAt).With(audit.ID("token_id", used.ID.UUID()), audit.Text("ip", by.Principal().Source.IP.String())).
		WithTarget(audit.Target{Type: "token", ID: used.ID.UUID(), Name: used.Name}).WithDescription("An API token was used for the first time.")
	return s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: []table.Op{table.Replace(a.SessionItem, used)}})
}

// noteEnd writes that a token had come to its end. Another request may have seen
// it first.
func (s *Service) noteEnd(ctx context.Context, a Authenticated) error {
	by := authz.ForCeremony(a.Workspace.ID, "guard", PrincipalOf(a.Workspace.ID, a.User, audit.Source{}))
	ended := *a.Token
	ended.Noted = true
	e := by.Event(audit.TokenExpired, s.store.Now()).With(audit.ID("token_id", ended.ID.UUID())).
		WithTarget(audit.Target{Type: "token", ID: ended.ID.UUID(), Name: ended.Name}).WithDescription("An API token had come to its end.")
	err := s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: []table.Op{table.Replace(a.SessionItem, ended)}})
	if errors.Is(err, table.ErrStale) || errors.Is(err, table.ErrTryAgain) {
		return nil
	}
	return err
}
