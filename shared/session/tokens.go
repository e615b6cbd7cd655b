package session

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"paddock/shared/accesstoken"
	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/table"
	"paddock/shared/workspace"
)

// signingPurpose names the workspace's key for access tokens.
const signingPurpose = "access token"

// Issued tokens of a command line: an access token that lasts Life and never
// beyond the session, and, once, the refresh token.
type Issued struct {
	Access  string
	Refresh credential.Secret
	Life    time.Duration
	Scope   string
}

// errSessionMoved tells that the session or account changed in between.
var errSessionMoved = errors.New("session: the session has changed")

// RedeemDevice gives the tokens of an approved device login, once: of any
// number of polls at the same time one succeeds. The refusals are those of
// DeviceLogin.Redeemable; whatever is wrong with the code is ErrGrant. A code
// that is refused leaves an event; to poll while it waits is no refusal, and
// what was denied has the event of that.
func (s *Service) RedeemDevice(ctx context.Context, c Caller, text string) (Issued, error) {
	ws, err := s.named(ctx, c.Host)
	if err != nil {
		return Issued{}, err
	}
	if c.Client != CLIClient {
		return Issued{}, ErrOAuthClient
	}
	code, err := credential.Parse(text)
	if err != nil || code.Prefix() != credential.DeviceCode || code.Workspace() != ws.UUID() {
		return Issued{}, s.rejectedCode(ctx, c, code, ErrGrant)
	}
	by := authz.ForCeremony(ws, "device login", authz.Principal{Source: c.Source, Request: c.Request})
	items, err := s.store.Read(ctx, by, workspace.HeadKey(ws), deviceKey(ws, code.Principal()))
	if err != nil {
		return Issued{}, err
	}
	var head, item table.Item
	var d DeviceLogin
	for _, one := range items {
		if one.Key == workspace.HeadKey(ws) {
			head = one
			continue
		}
		item = one
		if err := table.Decode(one, &d); err != nil {
			return Issued{}, err
		}
	}
	w, err := serving(head, c.Host)
	if err != nil {
		return Issued{}, err
	}
	// Two logins have the same place only one after the other: the older code
	// is then unknown.
	hash := code.Hash()
	if d.Hash != hex.EncodeToString(hash[:]) {
		return Issued{}, s.rejectedCode(ctx, c, code, ErrGrant)
	}
	switch err := d.Redeemable(c.Client, s.store.Now()); {
	case errors.Is(err, ErrExpired):
		return Issued{}, s.rejectedCode(ctx, c, code, ErrExpired)
	case errors.Is(err, ErrGrant):
		return Issued{}, s.rejectedCode(ctx, c, code, ErrGrant)
	case err != nil:
		return Issued{}, err
	}
	out, err := s.redeem(ctx, w, d, item, c)
	if errors.Is(err, errRedeemed) {
		err = s.rejectedCode(ctx, c, code, ErrGrant)
	}
	return out, err
}

// errRedeemed tells that a device login was used up at the same time, or that
// its account is gone.
var errRedeemed = errors.New("session: the device login is used up")

// rejectedCode records a device code that opened nothing, and returns the
// refusal.
func (s *Service) rejectedCode(ctx context.Context, c Caller, code credential.Secret, refusal fault.Error) error {
	reason := SecretUnknown
	if errors.Is(refusal, ErrExpired) {
		reason = SecretExpired
	}
	return s.rejectedSecret(ctx, c, rejection{secret: code, reason: reason, refusal: refusal, text: "A device code was refused."})
}

// redeem begins the session of an approved login and uses the login up.
func (s *Service) redeem(ctx context.Context, w workspace.Workspace, d DeviceLogin, item table.Item, c Caller) (Issued, error) {
	by := authz.ForCeremony(w.ID, "device login", authz.Principal{Source: c.Source, Request: c.Request})
	userItem, ok, err := s.store.One(ctx, by, identity.UserKey(w.ID, d.Approval.User))
	if err != nil {
		return Issued{}, err
	}
	if !ok {
		return Issued{}, errRedeemed
	}
	u, err := identity.DecodeUser(userItem)
	if err != nil {
		return Issued{}, err
	}
	now := s.store.Now()
	if u.Disabled || u.Epoch != d.Approval.Epoch {
		e := by.Refusal(audit.AuthLoginRefused, now, ErrGrant).With(audit.Text("reason", "disabled")).WithSubject(u.ID.UUID()).
			WithTarget(audit.Target{Type: "user", ID: u.ID.UUID(), Name: u.Username}).
			WithDescription("An approved login of a command line was refused: the account was disabled or its sessions ended since.")
		if err := s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}}); err != nil {
			return Issued{}, err
		}
		return Issued{}, ErrGrant
	}
	name, err := s.store.NewID()
	if err != nil {
		return Issued{}, err
	}
	refresh, err := credential.New(s.random, credential.Refresh, w.ID.UUID(), u.ID.UUID())
	if err != nil {
		return Issued{}, err
	}
	begun := beginDevice(name, d, w, u, c.Source, now)
	out, err := s.issue(ctx, by, w, u, &begun, refresh)
	if err != nil {
		return Issued{}, err
	}
	a := Authenticated{Workspace: w, User: u, Session: begun}
	by = authz.ForCeremony(w.ID, "device login", a.Principal(c.Source, c.Request, now))
	e := by.Event(audit.AuthLogin, now).With(audit.Text("method", begun.Method), audit.List("factors", begun.Factors...),
		audit.ID("session_id", name), audit.Flag("new_device", true)).WithDescription("Signed in with a command line, approved in the browser.")
	if !begun.Proof.ID.Zero() {
		e = e.With(audit.Number("mfa_age_s", max(0, int64(now.Sub(begun.Proof.At)/time.Second))))
	}
	at := Key(w.ID, u.ID, refresh.Hash())
	err = s.commit(ctx, by, w, u, table.Change{Events: []audit.Event{e}, Ops: []table.Op{
		table.Remove(item).Else(errRedeemed),
		table.Unchanged(userItem).Else(table.ErrTryAgain),
		table.Insert(at, begun).Until(begun.EndsAt),
	}}, newcomers{session: at})
	if err != nil {
		return Issued{}, err
	}
	return out, nil
}

// issue signs an access token for a session and notes the handle in it.
func (s *Service) issue(ctx context.Context, by authz.Allowed, w workspace.Workspace, u identity.User, of *Session, refresh credential.Secret) (Issued, error) {
	handle, err := accessHandle(refresh, of.Tokens.Generation)
	if err != nil {
		return Issued{}, err
	}
	hash, place := handle.Hash(), refresh.Hash()
	tokens := *of.Tokens
	tokens.Access = hex.EncodeToString(hash[:])
	of.Tokens = &tokens
	name, err := s.store.NewID()
	if err != nil {
		return Issued{}, err
	}
	key, err := s.store.SigningKey(ctx, by, signingPurpose)
	if err != nil {
		return Issued{}, err
	}
	issued := s.store.Now().Truncate(time.Second)
	expires := issued.Add(accesstoken.Life)
	if end := of.EndsAt.Truncate(time.Second); end.Before(expires) {
		expires = end
	}
	text, err := accesstoken.Sign(key, accesstoken.Claims{
		Issuer: w.Canonical(), Audience: w.Canonical(), Subject: u.ID.String(), IssuedAt: issued.Unix(), ExpiresAt: expires.Unix(),
		ID: name.String(), Client: of.Tokens.Client, Scope: of.Tokens.Scope.Text,
		Workspaces: []accesstoken.Workspace{{Name: w.Slug, ID: w.ID.String()}},
		Session:    hex.EncodeToString(place[:]), Handle: handle.Reveal(),
	})
	return Issued{Access: text, Refresh: refresh, Life: expires.Sub(issued), Scope: of.Tokens.Scope.Text}, err
}

// holder returns whose a refresh token is, reading session, user and workspace
// in one round trip. Whatever is wrong with it is ErrGrant, with what was read
// all the same.
func (s *Service) holder(ctx context.Context, c Caller, refresh credential.Secret) (Authenticated, error) {
	if refresh.Prefix() != credential.Refresh {
		return Authenticated{}, ErrGrant
	}
	ws, user := id.Of[id.Workspace](refresh.Workspace()), id.Of[id.Principal](refresh.Principal())
	a, err := s.gather(ctx, ws, user, refresh.Hash(), nil)
	if errors.Is(err, table.ErrGone) {
		return Authenticated{}, ErrGrant
	}
	if err != nil {
		return Authenticated{}, err
	}
	if a.Session.Kind != Device || a.Session.Tokens == nil || a.Session.Tokens.Client != c.Client || !a.good(s.store.Now(), user, c.Host) {
		return a, ErrGrant
	}
	return a, nil
}

// Refresh gives another access token for a refresh token, which stays as it is:
// the command line drops new ones (alpacon-wire 1.6). What binds it instead is
// the installation: another one ends the session.
func (s *Service) Refresh(ctx context.Context, c Caller, text, scope string) (Issued, error) {
	if c.Client != CLIClient {
		return Issued{}, ErrOAuthClient
	}
	refresh, err := credential.Parse(text)
	if err != nil {
		return Issued{}, s.rejectedRefresh(ctx, c, refresh, Authenticated{})
	}
	for range 3 {
		out, err := s.refresh(ctx, c, refresh, scope)
		if !errors.Is(err, errSessionMoved) {
			return out, err
		}
	}
	return Issued{}, table.ErrTryAgain
}

func (s *Service) refresh(ctx context.Context, c Caller, refresh credential.Secret, scope string) (Issued, error) {
	a, err := s.holder(ctx, c, refresh)
	if errors.Is(err, ErrGrant) {
		return Issued{}, s.rejectedRefresh(ctx, c, refresh, a)
	}
	if err != nil {
		return Issued{}, err
	}
	asked, err := ParseScope(scope, a.Workspace.Slug)
	if err != nil {
		return Issued{}, err
	}
	now := s.store.Now()
	by := authz.ForCeremony(a.Workspace.ID, "refresh", a.Principal(c.Source, c.Request, now))
	if asked.Device != a.Session.Tokens.Scope.Device {
		e := by.Refusal(audit.AuthTokenReuseDetected, now, ErrGrant).With(audit.ID("session_id", a.Session.ID.UUID()), audit.Text("first_use_ip", a.Session.Address)).
			WithDescription("A refresh token came from another installation: its session was ended.")
		if err := s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: []table.Op{table.Remove(a.SessionItem).Else(errSessionMoved)}}); err != nil {
			return Issued{}, err
		}
		return Issued{}, ErrGrant
	}
	if !asked.Within(a.Session.Tokens.Scope) {
		return Issued{}, ErrScope
	}
	next := a.Session
	out, err := s.issue(ctx, by, a.Workspace, a.User, &next, refresh)
	if err != nil {
		return Issued{}, err
	}
	// The session changes only after its access tokens were invalidated, so
	// that processes which refresh at the same time are not in each other's way.
	session := table.Unchanged(a.SessionItem)
	if next.Tokens.Access != a.Session.Tokens.Access {
		session = table.Replace(a.SessionItem, next)
	}
	e := by.Event(audit.AuthTokenRefreshed, now).With(audit.ID("session_id", a.Session.ID.UUID()), audit.Flag("rotated", false)).
		WithDescription("An access token was renewed.")
	err = s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: []table.Op{
		session.Else(errSessionMoved),
		table.Unchanged(a.UserItem).Else(errSessionMoved),
	}})
	if err != nil {
		return Issued{}, err
	}
	return out, nil
}

// rejectedRefresh records a refresh token that opened nothing, and returns the
// refusal.
func (s *Service) rejectedRefresh(ctx context.Context, c Caller, refresh credential.Secret, a Authenticated) error {
	return s.rejectedSecret(ctx, c, rejection{
		secret: refresh, owner: a.User, reason: a.whyNot(s.store.Now()), refusal: ErrGrant, text: "A refresh token was refused.",
	})
}

// RevokeTokens ends the session of a refresh token. An unknown one is no error
// (RFC 7009 section 2.2).
func (s *Service) RevokeTokens(ctx context.Context, c Caller, text string) error {
	if c.Client != CLIClient {
		return ErrOAuthClient
	}
	refresh, err := credential.Parse(text)
	if err != nil {
		return nil //nolint:nilerr // the purpose is fulfilled
	}
	for range 3 {
		a, err := s.holder(ctx, c, refresh)
		if errors.Is(err, ErrGrant) {
			return nil
		}
		if err != nil {
			return err
		}
		now := s.store.Now()
		by := authz.ForCeremony(a.Workspace.ID, "revoke", a.Principal(c.Source, c.Request, now))
		e := by.Event(audit.AuthLogout, now).With(audit.Text("scope", "this"), audit.ID("session_id", a.Session.ID.UUID())).
			WithDescription("A command line signed out.")
		err = s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: []table.Op{table.Remove(a.SessionItem).Else(errSessionMoved)}})
		if !errors.Is(err, errSessionMoved) {
			return err
		}
	}
	return table.ErrTryAgain
}

// DropAccess invalidates the access tokens of the caller's session at once; its
// refresh token still opens new ones. For a session without access tokens it is
// ErrNoAccessToken.
func (s *Service) DropAccess(ctx context.Context, by authz.Allowed, a Authenticated) error {
	if a.Session.Tokens == nil {
		return ErrNoAccessToken
	}
	next, tokens := a.Session, *a.Session.Tokens
	tokens.Access, tokens.Generation = "", tokens.Generation+1
	next.Tokens = &tokens
	e := by.Event(audit.AuthLogout, s.store.Now()).With(audit.Text("scope", "this"), audit.ID("session_id", a.Session.ID.UUID())).
		WithDescription("The access tokens of a command line were invalidated.")
	return s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: []table.Op{table.Replace(a.SessionItem, next).Else(table.ErrTryAgain)}})
}
