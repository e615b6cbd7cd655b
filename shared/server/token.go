package server

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
	"paddock/shared/policy"
	"paddock/shared/table"
)

// A Token is what servers register with: as its maker's, and into groups. It
// is good for as long as its maker may make one.
type Token struct {
	ID      id.ID[id.Registration] `json:"id"`
	Name    string                 `json:"name"`
	Hash    string                 `json:"hash"`
	Groups  []id.ID[id.Group]      `json:"groups,omitempty"`
	By      id.ID[id.Principal]    `json:"by"`
	Until   time.Time              `json:"until,omitzero"` // exclusive; zero: no end
	AddedAt time.Time              `json:"added_at"`
}

// Live reports whether the token has not ended at now.
func (t Token) Live(now time.Time) bool { return t.Until.IsZero() || now.Before(t.Until) }

// TokensKey places the registration tokens of a workspace.
func TokensKey(ws id.ID[id.Workspace]) table.Key {
	return table.Key{Table: table.Data, Kind: "H", Workspace: ws, SK: "tokens"}
}

// DecodeTokens reads the item of a workspace's tokens; none of the zero Item.
func DecodeTokens(item table.Item) (all []Token, err error) {
	if item.Version == 0 {
		return nil, nil
	}
	err = table.Decode(item, &all)
	return all, err
}

// Tokens returns the registration tokens of a workspace, in the order of their
// making.
func (s *Service) Tokens(ctx context.Context, by authz.Allowed) ([]Token, error) {
	_, all, err := s.tokens(ctx, by)
	return all, err
}

func (s *Service) tokens(ctx context.Context, by authz.Allowed) (table.Item, []Token, error) {
	item, _, err := s.store.One(ctx, by, TokensKey(by.Workspace()))
	if err != nil {
		return table.Item{}, nil, err
	}
	all, err := DecodeTokens(item)
	return item, all, err
}

// A NewToken is what a registration token shall be.
type NewToken struct {
	Name   string
	Groups []id.ID[id.Group]
	Until  time.Time // exclusive; zero: no end
}

// CreateToken makes a registration token, and returns the secret, which is
// kept nowhere. The actor must be allowed to change each of its groups: that
// they open the new servers is theirs to give, for whose the servers are.
func (s *Service) CreateToken(ctx context.Context, by authz.Allowed, actor table.Item, n NewToken) (Token, credential.Secret, error) {
	made, err := s.store.NewID()
	if err != nil {
		return Token{}, credential.Secret{}, err
	}
	secret, err := credential.New(s.random, credential.RegistrationKey, by.Workspace().UUID(), made)
	if err != nil {
		return Token{}, credential.Secret{}, err
	}
	t := Token{
		ID: id.Of[id.Registration](made), Name: n.Name, Hash: hashed(secret), Groups: n.Groups,
		By: by.Principal().ID, Until: n.Until, AddedAt: s.store.Now(),
	}
	err = s.policies.Change(ctx, by, func(e *policy.Edit) (table.Change, error) {
		if err := s.checkToken(e.Actor(by), n); err != nil {
			return table.Change{}, err
		}
		item, all, err := s.tokens(ctx, by)
		if err != nil {
			return table.Change{}, err
		}
		if slices.ContainsFunc(all, func(o Token) bool { return o.Name == t.Name }) {
			return table.Change{}, ErrTokenName
		}
		if len(all) >= MaxTokens {
			return table.Change{}, ErrManyTokens
		}
		return table.Change{Events: []audit.Event{s.created(by, t)}, Ops: append(e.Hold(),
			s.writeTokens(by, item, append(all, t)), table.Unchanged(actor).Else(table.ErrTryAgain))}, nil
	})
	if err != nil {
		return Token{}, credential.Secret{}, err
	}
	return t, secret, nil
}

func (s *Service) created(by authz.Allowed, t Token) audit.Event {
	groups := make([]string, len(t.Groups))
	for i, g := range t.Groups {
		groups[i] = g.String()
	}
	e := s.aboutToken(by, audit.ServerTokenCreated, t, "A token with which servers register was made.").With(audit.List("groups", groups...))
	if !t.Until.IsZero() {
		e = e.With(audit.Instant("expires_at", t.Until))
	}
	return e
}

// checkToken refuses a token that cannot be, or that who must not make it.
func (s *Service) checkToken(who *authz.Principal, n NewToken) error {
	if err := identity.CheckText("name", n.Name, maxTokenName, false); err != nil {
		return err
	}
	if n.Name == "" {
		return identity.ErrProfile.In("name").Saying("A registration token has a name.")
	}
	now := s.store.Now()
	if !n.Until.IsZero() && !now.Before(n.Until) {
		return ErrUntil
	}
	// What a token makes ends with it at the latest (security, TK-1).
	if l := who.Limits; l != nil && !l.Until.IsZero() && (n.Until.IsZero() || n.Until.After(l.Until)) {
		return ErrUntil.Saying("A registration token that a token makes ends with it at the latest.")
	}
	if len(n.Groups) > MaxTokenGroups {
		return ErrManyTokens
	}
	if !authz.May(who, permission.CreateRegistration, authz.Object{}, now) {
		return authz.ErrDenied
	}
	for _, of := range n.Groups {
		g, ok := who.Policy.Group(of.UUID())
		if ok && authz.May(who, permission.UpdateGroup, authz.Object{ID: g.ID, Name: g.Name}, now) {
			continue
		}
		if authz.May(who, permission.UpdateGroup, authz.Object{}, now) {
			return ErrGroup
		}
		return &authz.Lacking{What: permission.UpdateGroup} // of what is not there, too
	}
	return nil
}

func (s *Service) writeTokens(by authz.Allowed, read table.Item, all []Token) table.Op {
	if read.Version == 0 {
		return table.Insert(TokensKey(by.Workspace()), all).Else(table.ErrTryAgain)
	}
	return table.Replace(read, all).Else(table.ErrTryAgain)
}

func (s *Service) aboutToken(by authz.Allowed, kind audit.Kind, t Token, text string) audit.Event {
	return by.Event(kind, s.store.Now()).With(audit.ID("token_id", t.ID.UUID())).
		WithTarget(audit.Target{Type: "registration_token", ID: t.ID.UUID(), Name: t.Name}).WithDescription(text)
}

// DeleteToken takes a registration token away: from then on it opens nothing.
// The servers that registered with it stay.
func (s *Service) DeleteToken(ctx context.Context, by authz.Allowed, actor, item table.Item, of id.ID[id.Registration]) error {
	all, err := DecodeTokens(item)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(t Token) bool { return t.ID == of })
	if at < 0 {
		return ErrNoToken
	}
	e := s.aboutToken(by, audit.ServerTokenDeleted, all[at], "A token with which servers register was removed.")
	return s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: []table.Op{
		s.writeTokens(by, item, slices.Delete(slices.Clone(all), at, at+1)), table.Unchanged(actor).Else(table.ErrTryAgain),
	}})
}

// hashed returns what is stored of a secret.
func hashed(secret credential.Secret) string {
	sum := secret.Hash()
	return hex.EncodeToString(sum[:])
}

// opens reports whether the secret is the token's.
func (t Token) opens(secret credential.Secret) bool {
	return subtle.ConstantTimeCompare([]byte(t.Hash), []byte(hashed(secret))) == 1
}
