package session

import (
	"context"
	"errors"
	"strings"
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
// everything that is wrong with it is identity.ErrInvitation.
func (s *Service) Invited(ctx context.Context, host string, secret credential.Secret) (workspace.Workspace, identity.Invitation, table.Item, error) {
	fail := func(err error) (workspace.Workspace, identity.Invitation, table.Item, error) {
		return workspace.Workspace{}, identity.Invitation{}, table.Item{}, err
	}
	w, err := s.WorkspaceAt(ctx, host)
	if err != nil {
		return fail(err)
	}
	if secret.Prefix() != credential.Invitation || secret.Workspace() != w.ID.UUID() {
		return fail(identity.ErrInvitation)
	}
	by := authz.ForCeremony(w.ID, "invitation", authz.Principal{})
	item, ok, err := s.store.One(ctx, by, identity.InvitationKey(w.ID, secret.Principal(), secret.Hash()))
	if err != nil {
		return fail(err)
	}
	if !ok {
		return fail(identity.ErrInvitation)
	}
	inv, err := identity.DecodeInvitation(item)
	if err != nil {
		return fail(err)
	}
	if !inv.Usable(s.store.Now()) {
		return fail(identity.ErrInvitation)
	}
	return w, inv, item, nil
}

// Accept makes the account that an invitation promises and begins its first
// session: a full one, or a half one that must enrol a second factor. The
// invitation is used up in the same transaction.
func (s *Service) Accept(ctx context.Context, a Acceptance) (Started, error) {
	w, inv, item, err := s.Invited(ctx, a.Host, a.Secret)
	if err != nil {
		return Started{}, err
	}
	user, phc, err := s.newUser(w, inv, a)
	if err != nil {
		return Started{}, err
	}
	for range 3 {
		started, err := s.accept(ctx, w, inv, item, user, phc, a)
		if !errors.Is(err, errDirectoryMoved) {
			return started, err
		}
	}
	return Started{}, table.ErrTryAgain
}

// errDirectoryMoved tells that another account was made in between.
var errDirectoryMoved = errors.New("session: the directory has changed")

// newUser checks what was sent and returns the account with its password hash.
func (s *Service) newUser(w workspace.Workspace, inv identity.Invitation, a Acceptance) (identity.User, string, error) {
	name := a.Username
	if name == "" {
		name, _, _ = strings.Cut(inv.EmailKey, "@")
	}
	username, err := identity.ParseUsername(name)
	if err != nil {
		return identity.User{}, "", err
	}
	if err := identity.CheckPersonName("first_name", a.FirstName); err != nil {
		return identity.User{}, "", err
	}
	if err := identity.CheckPersonName("last_name", a.LastName); err != nil {
		return identity.User{}, "", err
	}
	password, err := credential.NewPassword(a.Password)
	if err != nil {
		return identity.User{}, "", err
	}
	local, _, _ := strings.Cut(inv.EmailKey, "@")
	if err := credential.CheckPolicy(password, credential.PolicyContext{Words: []string{local, username, a.FirstName, a.LastName, w.Name, w.Slug}}); err != nil {
		return identity.User{}, "", err
	}
	var phc string
	var hashErr error
	if err := s.hasher.Do(func() { phc, hashErr = credential.HashPassword(s.random, password, credential.Current) }); err != nil {
		return identity.User{}, "", err
	}
	return identity.User{
		ID: inv.User, Username: username, Email: inv.Email, EmailKey: inv.EmailKey, FirstName: a.FirstName, LastName: a.LastName,
		Role: inv.Role, DateJoined: s.store.Now(),
	}, phc, hashErr
}

func (s *Service) accept(ctx context.Context, w workspace.Workspace, inv identity.Invitation, item table.Item, user identity.User, phc string, a Acceptance) (Started, error) {
	p := PrincipalOf(w.ID, user, a.Source)
	p.Request = a.Request
	by := authz.ForCeremony(w.ID, "invitation", p)
	now := s.store.Now()
	dirItem, _, err := s.store.One(ctx, by, identity.DirectoryKey(w.ID))
	if err != nil {
		return Started{}, err
	}
	dir, err := identity.DecodeDirectory(dirItem)
	if err != nil {
		return Started{}, err
	}
	dir, user.UID, err = dir.Add(user.ID, user.Username)
	if err != nil {
		return Started{}, err
	}
	emailMAC, err := s.store.MAC(ctx, by, identity.LoginField, user.EmailKey)
	if err != nil {
		return Started{}, err
	}
	nameMAC, err := s.store.MAC(ctx, by, identity.LoginField, user.Username)
	if err != nil {
		return Started{}, err
	}
	out := Started{State: StateAfterPassword(w, user), User: user}
	kind := Console
	if out.State != SignedIn {
		kind = Half
	}
	name, err := s.store.NewID()
	if err != nil {
		return Started{}, err
	}
	out.Session = Begin(name, kind, user, "password", a.Source, now)
	if out.Secret, err = credential.New(s.random, kind.Prefix(), w.ID.UUID(), user.ID.UUID()); err != nil {
		return Started{}, err
	}
	ops := []table.Op{
		table.Remove(item).Else(identity.ErrInvitation),
		table.Replace(dirItem, dir).Else(errDirectoryMoved),
		table.Insert(identity.UniqueKey(w.ID, emailMAC), identity.Unique{User: user.ID}).Else(identity.ErrEmailTaken),
		table.Insert(identity.UniqueKey(w.ID, nameMAC), identity.Unique{User: user.ID}).Else(identity.ErrUsernameTaken),
		table.Insert(identity.UserKey(w.ID, user.ID), user, table.Num("epoch", user.Epoch)).Else(identity.ErrInvitation),
		table.Insert(PasswordKey(w.ID, user.ID), PasswordRecord{PHC: phc, SetAt: now}),
		table.Insert(Key(w.ID, user.ID, out.Secret.Hash()), out.Session).Until(out.Session.EndsAt),
	}
	err = s.store.Commit(ctx, by, table.Change{Events: acceptEvents(by, user, inv, out, now), Ops: ops})
	return out, err
}

// acceptEvents returns the events of an accepted invitation: the account first.
func acceptEvents(by authz.Allowed, user identity.User, inv identity.Invitation, out Started, now time.Time) []audit.Event {
	created := by.Event(audit.UserCreated, now).With(audit.Text("role", user.Role.String()), audit.Text("source", "invite"), audit.ID("subject", user.ID.UUID())).
		WithSubject(user.ID.UUID()).WithTarget(audit.Target{Type: "user", ID: user.ID.UUID(), Name: user.Username}).
		WithDescription("An invitation was accepted: the account was created.")
	events := []audit.Event{created}
	if inv.Role != authz.Member {
		events = append(events, by.Event(audit.RoleAssigned, now).With(audit.Text("subject_type", "user"), audit.ID("subject", user.ID.UUID()), audit.Flag("automatic", true)).
			WithSubject(user.ID.UUID()).WithDescription("The role of the account's setting was assigned."))
	}
	if out.State == SignedIn {
		events = append(events, by.Event(audit.AuthLogin, now).With(audit.Text("method", "password"), audit.List("factors", "password"),
			audit.ID("session_id", out.Session.ID.UUID())).WithDescription("Signed in with a password."))
	}
	return events
}
