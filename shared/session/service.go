package session

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"sync"
	"time"

	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/table"
	"paddock/shared/workspace"
)

// A Service begins, proves and ends sessions.
type Service struct {
	store       *table.Store
	hasher      *credential.Hasher
	random      io.Reader
	baseDomains []string
	fallback    string

	mu    sync.Mutex
	slugs map[string]found
}

type found struct {
	ws    id.ID[id.Workspace]
	until time.Time
}

// Config is what a Service needs.
type Config struct {
	Store *table.Store
	// Hasher bounds password hashes; nil for functions that hash none.
	Hasher *credential.Hasher
	// Random guards secrets; nil means crypto/rand.
	Random io.Reader
	// BaseHosts are the hosts (with port) of the deployment's base URLs. A
	// workspace answers on <slug>.<base host>.
	BaseHosts []string
	// DefaultWorkspace is the slug that answers on a base host itself, or "".
	DefaultWorkspace string
}

// New returns a Service, or an error naming what is missing.
func New(c Config) (*Service, error) {
	if c.Store == nil || len(c.BaseHosts) == 0 {
		return nil, errors.New("session: store and base hosts are required")
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	return &Service{
		store: c.Store, hasher: c.Hasher, random: c.Random, baseDomains: c.BaseHosts,
		fallback: c.DefaultWorkspace, slugs: map[string]found{},
	}, nil
}

// slugFor bounds how long the answer to "which workspace has this slug" is
// kept. The workspace itself is read with each request all the same.
const slugFor = time.Minute

// WorkspaceAt returns the workspace that a host names, alive, with its head
// item; table.ErrGone when there is none.
func (s *Service) WorkspaceAt(ctx context.Context, host string) (workspace.Workspace, table.Item, error) {
	slug, ok := workspace.SlugOf(host, s.baseDomains, s.fallback)
	if !ok {
		return workspace.Workspace{}, table.Item{}, table.ErrGone
	}
	ws, err := s.slug(ctx, slug)
	if err != nil {
		return workspace.Workspace{}, table.Item{}, err
	}
	item, ok, err := s.store.One(ctx, authz.ForCeremony(ws, "host", authz.Principal{}), workspace.HeadKey(ws))
	if err != nil {
		return workspace.Workspace{}, table.Item{}, err
	}
	if !ok || item.Attr("status") != table.Alive {
		return workspace.Workspace{}, table.Item{}, table.ErrGone
	}
	w, err := workspace.Decode(item)
	if err != nil || !w.Serves(host) {
		return workspace.Workspace{}, table.Item{}, errors.Join(err, table.ErrGone)
	}
	return w, item, nil
}

func (s *Service) slug(ctx context.Context, slug string) (id.ID[id.Workspace], error) {
	now := s.store.Now()
	s.mu.Lock()
	f, ok := s.slugs[slug]
	s.mu.Unlock()
	if ok && now.Before(f.until) {
		return f.ws, nil
	}
	ws, err := s.store.Slug(ctx, slug)
	if err != nil {
		return id.ID[id.Workspace]{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slugs[slug] = found{ws: ws, until: now.Add(slugFor)}
	return ws, nil
}

// userByLogin returns the user whose username or e-mail key is login, with the
// items read; ok is false when there is none.
func (s *Service) userByLogin(ctx context.Context, by authz.Allowed, login string) (u identity.Unique, ok bool, err error) {
	mac, err := s.store.MAC(ctx, by, identity.LoginField, login)
	if err != nil {
		return identity.Unique{}, false, err
	}
	item, ok, err := s.store.One(ctx, by, identity.UniqueKey(by.Workspace(), mac))
	if err != nil || !ok {
		return identity.Unique{}, false, err
	}
	err = table.Decode(item, &u)
	return u, err == nil, err
}

// Now returns the service's clock.
func (s *Service) Now() time.Time { return s.store.Now() }
