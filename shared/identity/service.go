package identity

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"slices"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/message"
	"paddock/shared/permission"
	"paddock/shared/table"
	"paddock/shared/workspace"
)

// A Service reads and invites people.
type Service struct {
	store  *table.Store
	random io.Reader
}

// New returns a Service; random nil means crypto/rand.
func New(store *table.Store, random io.Reader) (*Service, error) {
	if store == nil {
		return nil, errors.New("identity: a store is required")
	}
	if random == nil {
		random = rand.Reader
	}
	return &Service{store: store, random: random}, nil
}

// Directory returns the rows that the proof shows: all with ReadUser on all
// users, else only the caller's own.
func (s *Service) Directory(ctx context.Context, by authz.Allowed) ([]Row, error) {
	item, ok, err := s.store.One(ctx, by, DirectoryKey(by.Workspace()))
	if err != nil || !ok {
		return nil, err
	}
	d, err := DecodeDirectory(item)
	if err != nil {
		return nil, err
	}
	if by.Permission() == permission.ReadUser {
		return d.Rows, nil
	}
	own := by.Principal().ID
	for _, r := range d.Rows {
		if r.ID == own {
			return []Row{r}, nil
		}
	}
	return nil, nil
}

// Users returns accounts by id, in the order asked; ids without account are
// left out.
func (s *Service) Users(ctx context.Context, by authz.Allowed, ids []id.ID[id.Principal]) ([]User, error) {
	keys := make([]table.Key, len(ids))
	for i, user := range ids {
		keys[i] = UserKey(by.Workspace(), user)
	}
	if len(keys) == 0 {
		return nil, nil
	}
	items, err := s.store.Read(ctx, by, keys...)
	if err != nil {
		return nil, err
	}
	byKey := make(map[table.Key]User, len(items))
	for _, item := range items {
		u, err := DecodeUser(item)
		if err != nil {
			return nil, err
		}
		byKey[item.Key] = u
	}
	out := make([]User, 0, len(items))
	for _, k := range keys {
		if u, ok := byKey[k]; ok {
			out = append(out, u)
		}
	}
	return out, nil
}

// Named returns the id of the user with exactly this username or e-mail
// address, and false when there is none.
func (s *Service) Named(ctx context.Context, by authz.Allowed, name string) (id.ID[id.Principal], bool, error) {
	login := name
	if e, err := ParseEmail(name); err == nil {
		login = e.Key
	}
	mac, err := s.store.MAC(ctx, by, LoginField, login)
	if err != nil {
		return id.ID[id.Principal]{}, false, err
	}
	item, ok, err := s.store.One(ctx, by, UniqueKey(by.Workspace(), mac))
	if err != nil || !ok {
		return id.ID[id.Principal]{}, false, err
	}
	var u Unique
	err = table.Decode(item, &u)
	return u.User, err == nil, err
}

// ErrInviteRole refuses an invitation to a role that the inviter may not give.
var ErrInviteRole = fault.Error{Kind: fault.Denied, Code: "permission_denied", Detail: "Only a superuser may invite staff or superusers."}

// Invite stores an invitation and mails its link. Whoever may not promote
// invites members only (reading A1 of the matrix). The operations that also
// returns are committed with it.
func (s *Service) Invite(ctx context.Context, by authz.Allowed, w workspace.Workspace, address string, role authz.RoleSetting, also func(Invitation) ([]table.Op, error)) (Invitation, error) {
	email, err := ParseEmail(address)
	if err != nil {
		return Invitation{}, err
	}
	if !MayInvite(by, role, s.store.Now()) {
		return Invitation{}, ErrInviteRole.In(RoleField(role))
	}
	mac, err := s.store.MAC(ctx, by, LoginField, email.Key)
	if err != nil {
		return Invitation{}, err
	}
	inv, change, err := s.invitation(by, w, email, role)
	if err != nil {
		return Invitation{}, err
	}
	more, err := also(inv)
	if err != nil {
		return Invitation{}, err
	}
	change.Ops = slices.Concat(more, change.Ops, []table.Op{table.Absent(UniqueKey(w.ID, mac)).Else(ErrEmailTaken)})
	if err := s.store.Commit(ctx, by, change); err != nil {
		return Invitation{}, err
	}
	return inv, nil
}

// MayInvite is the rule of who may invite to a role (reading A1 of the matrix).
func MayInvite(by authz.Allowed, role authz.RoleSetting, now time.Time) bool {
	inviter := by.Principal()
	return role == authz.Member || authz.May(&inviter, permission.PromoteUser, authz.Object{}, now)
}

// RoleField returns the field of an invitation that asks for a role.
func RoleField(r authz.RoleSetting) string {
	if r == authz.Superuser {
		return "is_superuser"
	}
	return "is_staff"
}

// First returns the invitation of a new workspace's first superuser, with the
// change that stores it and mails its link.
func (s *Service) First(by authz.Allowed, w workspace.Workspace, email Email) (Invitation, table.Change, error) {
	return s.invitation(by, w, email, authz.Superuser)
}

func (s *Service) invitation(by authz.Allowed, w workspace.Workspace, email Email, role authz.RoleSetting) (Invitation, table.Change, error) {
	now := s.store.Now()
	name, err := s.store.NewID()
	if err != nil {
		return Invitation{}, table.Change{}, err
	}
	user, err := s.store.NewID()
	if err != nil {
		return Invitation{}, table.Change{}, err
	}
	secret, err := credential.New(s.random, credential.Invitation, w.ID.UUID(), user)
	if err != nil {
		return Invitation{}, table.Change{}, err
	}
	inv := Invitation{
		ID: id.Of[id.Invitation](name), User: id.Of[id.Principal](user), Email: email.Address, EmailKey: email.Key, Role: role,
		InvitedBy: by.Principal().ID, ExpiresAt: now.Add(time.Duration(w.Preferences.InviteTTL) * time.Second),
	}
	e := by.Event(audit.UserInvited, now).With(audit.Text("masked_email", Mask(email)), audit.Text("role", role.String()), audit.Instant("expires_at", inv.ExpiresAt)).
		WithTarget(audit.Target{Type: "invitation", ID: name}).WithDescription("A person was invited.")
	return inv, table.Change{
		Events: []audit.Event{e},
		Ops:    []table.Op{table.Insert(InvitationKey(w.ID, user, secret.Hash()), inv).Until(inv.ExpiresAt.Add(24 * time.Hour))},
		Messages: []message.Message{{
			Channel: message.Mail, Template: message.Invitation, To: email.Address, Workspace: w.Name,
			Person: by.Principal().Actor.Display, Until: inv.ExpiresAt,
			// The secret stands behind "#": browsers send it to nobody, so it is
			// in no log and no Referer.
			Link: w.Canonical() + "/invitation#" + secret.Reveal(),
		}},
	}, nil
}

// Mask returns an address as events show it: the first letter and the domain.
func Mask(e Email) string {
	at := 0
	for i := range e.Key {
		if e.Key[i] == '@' {
			at = i
		}
	}
	return e.Key[:min(1, at)] + "***" + e.Key[at:]
}
