package server

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
	"paddock/shared/policy"
	"paddock/shared/session"
	"paddock/shared/table"
	"paddock/shared/tally"
)

// A Refused registration token opens nothing, for a reason that events name and
// who presents it is not told.
type Refused struct{ Reason string }

func (r *Refused) Error() string { return "server: a registration token was refused: " + r.Reason }

// A Registering server is what an agent says of its machine.
type Registering struct {
	Name     string
	Platform string // one of Platforms
}

func (r Registering) check() error {
	if err := CheckName(r.Name); err != nil {
		return err
	}
	if !slices.Contains(Platforms, r.Platform) {
		return ErrPlatform
	}
	return nil
}

// Register makes a server of what presents a registration token of the
// workspace, and returns what its agent proves itself with, which is kept
// nowhere. The server is owned by the token's maker and comes into the token's
// groups, as far as its maker may still change them. A token that opens
// nothing is a *Refused.
func (s *Service) Register(ctx context.Context, ws id.ID[id.Workspace], as authz.Principal, secret credential.Secret, r Registering) (authz.Server, credential.Secret, error) {
	by := authz.ForCeremony(ws, "server registration", as)
	tried, err := s.try(ctx, by)
	if err != nil {
		return authz.Server{}, credential.Secret{}, err
	}
	item, t, err := s.presented(ctx, by, secret)
	if err != nil {
		return authz.Server{}, credential.Secret{}, err
	}
	if err := tried(); err != nil { // it is none that opens nothing
		return authz.Server{}, credential.Secret{}, err
	}
	if err := r.check(); err != nil {
		return authz.Server{}, credential.Secret{}, err
	}
	made, err := s.store.NewID()
	if err != nil {
		return authz.Server{}, credential.Secret{}, err
	}
	key, err := credential.New(s.random, credential.ServerKey, ws.UUID(), made)
	if err != nil {
		return authz.Server{}, credential.Secret{}, err
	}
	row := authz.Server{ID: made, Name: r.Name, Owner: t.By.UUID()}
	kept := Server{ID: id.Of[id.Server](made), Platform: r.Platform, Token: t.ID, Key: hashed(key), AddedAt: s.store.Now()}
	err = s.policies.Change(ctx, by, func(e *policy.Edit) (table.Change, error) {
		maker, who, err := s.maker(ctx, by, e.Before, t)
		if err != nil {
			return table.Change{}, err
		}
		if err := free(e.Before, r.Name, made); err != nil {
			return table.Change{}, err
		}
		if len(e.Before.Servers()) >= policy.MaxServers {
			return table.Change{}, policy.Limit("servers", "10,000 servers")
		}
		e.PutServer(row)
		opened, err := s.opened(ctx, by, e.Before, "", r.Name)
		if err != nil {
			return table.Change{}, err
		}
		registered := s.about(by, audit.ServerRegistered, row, "A server registered.").
			With(audit.Text("name", r.Name), audit.Text("platform", r.Platform), audit.ID("registration_token_id", t.ID.UUID()))
		if len(opened.Patterns) > 0 {
			registered = registered.With(audit.List("matched_patterns", opened.Patterns...))
		}
		events, err := s.intoGroups(by, e, who, t, row)
		if err != nil {
			return table.Change{}, err
		}
		events = append(append([]audit.Event{registered}, events...), s.widened(by, row, opened)...)
		actor := audit.Actor{Type: audit.ServerActor, ID: made, Username: r.Name, TokenID: t.ID.UUID()}
		for i := range events {
			events[i] = events[i].WithActor(actor)
		}
		return table.Change{Events: events, Ops: []table.Op{
			table.Insert(Key(ws, kept.ID), kept).Else(table.ErrTryAgain), table.Unchanged(item).Else(table.ErrTryAgain), table.Unchanged(maker).Else(table.ErrTryAgain),
		}}, nil
	})
	return row, key, err
}

// tries bounds how many registration tokens that open nothing one network
// presents in triesWindow: what they are compared with is read for each.
const (
	tries       = 100
	triesWindow = 15 * time.Minute
)

// try counts an attempt of the network that asks, before anything is read for it,
// and returns what takes it back.
func (s *Service) try(ctx context.Context, by authz.Allowed) (back func() error, err error) {
	of, err := s.store.MAC(ctx, by, "address", tally.Network(by.Principal().Source.IP).String())
	if err != nil {
		return nil, err
	}
	now := s.store.Now()
	window := now.Truncate(triesWindow)
	key := table.Key{Table: table.Data, Kind: "B", Workspace: by.Workspace(), Of: of, SK: "register#" + strconv.FormatInt(window.Unix(), 10)}
	end := window.Add(2 * triesWindow)
	if _, err := s.store.Count(ctx, by, table.Budgets, key, tries, end); err != nil {
		if errors.Is(err, table.ErrStale) {
			err = ErrTries.After(window.Add(triesWindow).Sub(now))
		}
		return nil, err
	}
	return func() error { return s.store.Refund(ctx, by, table.Budgets, key, tries, end) }, nil
}

// presented returns the live token that a secret opens.
func (s *Service) presented(ctx context.Context, by authz.Allowed, secret credential.Secret) (table.Item, Token, error) {
	if secret.Prefix() != credential.RegistrationKey {
		return table.Item{}, Token{}, &Refused{session.SecretUnknown}
	}
	if secret.Workspace() != by.Workspace().UUID() {
		return table.Item{}, Token{}, &Refused{session.SecretForeign}
	}
	item, all, err := s.tokens(ctx, by)
	if err != nil {
		return table.Item{}, Token{}, err
	}
	at := slices.IndexFunc(all, func(t Token) bool { return t.ID.UUID() == secret.Principal() })
	if at < 0 || !all[at].opens(secret) {
		return table.Item{}, Token{}, &Refused{session.SecretUnknown}
	}
	if !all[at].Live(s.store.Now()) {
		return table.Item{}, Token{}, &Refused{session.SecretExpired}
	}
	return item, all[at], nil
}

// maker returns whoever made a token, if they may still make one.
func (s *Service) maker(ctx context.Context, by authz.Allowed, p *authz.Policy, t Token) (table.Item, *authz.Principal, error) {
	item, ok, err := s.store.One(ctx, by, identity.UserKey(by.Workspace(), t.By))
	if err != nil {
		return table.Item{}, nil, err
	}
	if !ok {
		return table.Item{}, nil, &Refused{session.SecretRevoked}
	}
	u, err := identity.DecodeUser(item)
	if err != nil {
		return table.Item{}, nil, err
	}
	if !Enabled(by.Workspace(), u, p, s.store.Now()) {
		return table.Item{}, nil, &Refused{session.SecretRevoked}
	}
	who := principal(by.Workspace(), u, p)
	return item, &who, nil
}

// intoGroups puts a new server into the groups of a token, and returns the
// events of it.
func (s *Service) intoGroups(by authz.Allowed, e *policy.Edit, who *authz.Principal, t Token, row authz.Server) ([]audit.Event, error) {
	var events []audit.Event
	for _, of := range t.Groups {
		g, ok := e.Before.Group(of.UUID())
		if !ok || !authz.May(who, permission.UpdateGroup, authz.Object{ID: g.ID, Name: g.Name}, s.store.Now()) {
			continue
		}
		if len(g.Servers) >= maxGroupServers {
			return nil, ErrFullGroup
		}
		next := *g
		next.Servers = append(slices.Clone(g.Servers), row.ID)
		e.PutGroup(next)
		events = append(events, by.Event(audit.GroupUpdated, s.store.Now()).With(audit.ID("group_id", g.ID)).
			WithTarget(audit.Target{Type: "group", ID: g.ID, Name: g.Name}).
			WithChange("servers", "", row.ID.String()).WithDescription("A server came into a group when it registered."))
	}
	return events, nil
}

// ReasonOf returns why a registration token was refused, "" for other errors.
func ReasonOf(err error) string {
	if r, ok := errors.AsType[*Refused](err); ok {
		return r.Reason
	}
	return ""
}
