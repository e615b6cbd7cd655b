package session

import (
	"context"
	"errors"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/identity"
	"paddock/shared/table"
	"paddock/shared/workspace"
)

// An Acceptance is what an invited person sends.
type Acceptance struct {
	Host      string
	Secret    credential.Secret
	Username  string
	FirstName string
	LastName  string
	Password  string
	Source    audit.Source
	Request   authz.Request
}

// Invited returns the invitation that a secret opens, with its workspace;
// everything that is wrong with it is identity.ErrInvitation and leaves an
// event.
func (s *Service) Invited(ctx context.Context, c Caller, secret credential.Secret) (workspace.Workspace, identity.Invitation, table.Item, error) {
	fail := func(err error) (workspace.Workspace, identity.Invitation, table.Item, error) {
		return workspace.Workspace{}, identity.Invitation{}, table.Item{}, err
	}
	w, err := s.WorkspaceAt(ctx, c.Host)
	if err != nil {
		return fail(err)
	}
	if secret.Prefix() != credential.Invitation || secret.Workspace() != w.ID.UUID() {
		return fail(s.rejectedInvitation(ctx, c, secret, SecretUnknown))
	}
	by := authz.ForCeremony(w.ID, "invitation", authz.Principal{})
	item, ok, err := s.store.One(ctx, by, identity.InvitationKey(w.ID, secret.Principal(), secret.Hash()))
	if err != nil {
		return fail(err)
	}
	if !ok {
		return fail(s.rejectedInvitation(ctx, c, secret, SecretUnknown))
	}
	inv, err := identity.DecodeInvitation(item)
	if err != nil {
		return fail(err)
	}
	if !inv.Usable(s.store.Now()) {
		return fail(s.rejectedInvitation(ctx, c, secret, SecretExpired))
	}
	return w, inv, item, nil
}

// rejectedInvitation records an invitation that opened nothing, and returns the
// refusal. It was made for nobody yet.
func (s *Service) rejectedInvitation(ctx context.Context, c Caller, secret credential.Secret, reason string) error {
	return s.rejectedSecret(ctx, c, rejection{secret: secret, reason: reason, refusal: identity.ErrInvitation, text: "An invitation was refused."})
}

// Accept makes the account that an invitation promises and begins its first
// session: a full one, or a half one that must enrol a second factor. The
// invitation is used up in the same transaction.
func (s *Service) Accept(ctx context.Context, a Acceptance) (Started, error) {
	c := Caller{Host: a.Host, Source: a.Source, Request: a.Request}
	w, inv, item, err := s.Invited(ctx, c, a.Secret)
	if err != nil {
		return Started{}, err
	}
	user, phc, err := s.newUser(ctx, w, inv, a)
	if err != nil {
		p := authz.Principal{Source: a.Source, Request: a.Request}
		return Started{}, s.rejected(ctx, authz.ForCeremony(w.ID, "invitation", p), err)
	}
	for range 3 {
		started, err := s.accept(ctx, w, inv, item, user, phc, a)
		if errors.Is(err, identity.ErrInvitation) { // used at the same time, or its inviter lost the right
			err = s.rejectedInvitation(ctx, c, a.Secret, SecretRevoked)
		}
		if !errors.Is(err, identity.ErrDirectoryMoved) {
			return started, err
		}
	}
	return Started{}, table.ErrTryAgain
}

// newUser checks what was sent and returns the account with its password hash.
func (s *Service) newUser(ctx context.Context, w workspace.Workspace, inv identity.Invitation, a Acceptance) (identity.User, string, error) {
	user := identity.User{
		ID: inv.User, Email: inv.Email, EmailKey: inv.EmailKey, EmailVerified: true, FirstName: a.FirstName, LastName: a.LastName,
		Role: inv.Role, DateJoined: s.store.Now(), Networks: []string{networkOf(a.Source.IP)},
	}
	if err := identity.CheckPersonName("first_name", a.FirstName); err != nil {
		return identity.User{}, "", err
	}
	if err := identity.CheckPersonName("last_name", a.LastName); err != nil {
		return identity.User{}, "", err
	}
	if a.Username != "" { // it can be set later, once
		var err error
		if user.Username, err = identity.ParseUsername(a.Username); err != nil {
			return identity.User{}, "", err
		}
	}
	phc, err := s.hashNew(ctx, w, user, a.Password)
	return user, phc, err
}

func (s *Service) accept(ctx context.Context, w workspace.Workspace, inv identity.Invitation, item table.Item, user identity.User, phc string, a Acceptance) (Started, error) {
	p := PrincipalOf(w.ID, user, a.Source)
	p.Request = a.Request
	by := authz.ForCeremony(w.ID, "invitation", p)
	now := s.store.Now()
	mac, err := s.store.MAC(ctx, by, identity.LoginField, user.EmailKey)
	if err != nil {
		return Started{}, err
	}
	open, inviter := identity.OpenKey(w.ID, mac), identity.UserKey(w.ID, inv.InvitedBy)
	keys, err := s.accountKeys(ctx, by, user)
	if err != nil {
		return Started{}, err
	}
	keys = append(keys, open)
	if !inv.InvitedBy.Zero() {
		keys = append(keys, inviter)
	}
	items, err := s.store.Read(ctx, by, keys...)
	if err != nil {
		return Started{}, err
	}
	ops := []table.Op{table.Remove(item).Else(identity.ErrInvitation)}
	still, err := inv.Stands(items, inviter, now)
	if err != nil {
		return Started{}, err
	}
	ops = append(ops, still...)
	for _, read := range items {
		if read.Key == open {
			ops = append(ops, table.Remove(read).Else(table.ErrTryAgain))
		}
	}
	made, user, err := s.newAccount(ctx, by, w, items, user, phc)
	if err != nil {
		return Started{}, err
	}
	ops = append(ops, made...)
	out := Started{State: StateAfterPassword(w, user, false), User: user}
	kind := Console
	if out.State != SignedIn {
		kind, out.Methods = Half, s.Enrollable(w)
	}
	name, err := s.store.NewID()
	if err != nil {
		return Started{}, err
	}
	out.Session = Begin(name, kind, w, user, "password", a.Source, now)
	if out.Secret, err = credential.New(s.random, kind.Prefix(), w.ID.UUID(), user.ID.UUID()); err != nil {
		return Started{}, err
	}
	ops = append(ops, table.Insert(Key(w.ID, user.ID, out.Secret.Hash()), out.Session).Until(out.Session.EndsAt))
	events := acceptEvents(by, user, inv, out, now)
	if kind == Console {
		c, err := s.remember(by, user, presented{})
		if err != nil {
			return Started{}, err
		}
		out.Browser, events, ops = c.Secret, append(events, c.events...), append(ops, c.ops...)
	}
	return out, s.store.Commit(ctx, by, table.Change{Events: events, Ops: ops})
}

// acceptEvents returns the events of an accepted invitation: the account first.
func acceptEvents(by authz.Allowed, user identity.User, inv identity.Invitation, out Started, now time.Time) []audit.Event {
	created := by.Event(audit.UserCreated, now).With(audit.Text("role", user.Role.String()), audit.Text("source", "invite"), audit.ID("subject", user.ID.UUID())).
		WithSubject(user.ID.UUID()).WithTarget(audit.Target{Type: "user", ID: user.ID.UUID(), Name: user.Username}).
		WithDescription("An invitation was accepted: the account was created.")
	events := []audit.Event{created}
	if inv.Role != authz.Member {
		events = append(events, by.Event(audit.RoleAssigned, now).With(audit.Text("subject_type", "user"), audit.ID("subject", user.ID.UUID()), audit.Text("role_id", user.Role.BuiltIn()), audit.Flag("automatic", true)).
			WithSubject(user.ID.UUID()).WithDescription("The role of the account's setting was assigned."))
	}
	if out.State == SignedIn {
		events = append(events, by.Event(audit.AuthLogin, now).With(audit.Text("method", "password"), audit.List("factors", "password"),
			audit.ID("session_id", out.Session.ID.UUID())).WithDescription("Signed in with a password."))
	}
	return events
}
