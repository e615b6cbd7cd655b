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
	"paddock/shared/credential/known"
	"paddock/shared/id"
	"paddock/shared/table"
	"paddock/shared/token"
	"paddock/shared/workspace"
)

// A Service begins, proves and ends sessions.
type Service struct {
	store       *table.Store
	tokens      *token.Service
	hasher      *credential.Hasher
	list        func() (*known.List, error)
	ranges      rangeService
	keys        ceremonies
	sms, voice  bool
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
	// List returns the operator's list of known passwords, the same one each
	// time; nil means that there is none.
	List func() (*known.List, error)
	// Ranges is asked for breached passwords; nil means that nothing is.
	Ranges rangeService
	// Keys runs the ceremonies of security keys; nil for functions that prove
	// nobody.
	Keys ceremonies
	// SMS and Voice tell which messages to phones the deployment can send.
	SMS, Voice bool
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
	tokens, err := token.New(c.Store, c.Random)
	if err != nil {
		return nil, err
	}
	return &Service{
		store: c.Store, tokens: tokens, hasher: c.Hasher, list: c.List, ranges: c.Ranges, keys: c.Keys, sms: c.SMS, voice: c.Voice, random: c.Random, baseDomains: c.BaseHosts,
		fallback: c.DefaultWorkspace, slugs: map[string]found{},
	}, nil
}

// slugFor bounds how long the answer to "which workspace has this slug" is
// kept. The workspace itself is read with each request all the same.
const slugFor = time.Minute

// WorkspaceAt returns the workspace that a host names, alive; table.ErrGone
// when there is none.
func (s *Service) WorkspaceAt(ctx context.Context, host string) (workspace.Workspace, error) {
	ws, err := s.named(ctx, host)
	if err != nil {
		return workspace.Workspace{}, err
	}
	head, _, err := s.store.One(ctx, authz.ForCeremony(ws, "host", authz.Principal{}), workspace.HeadKey(ws))
	if err != nil {
		return workspace.Workspace{}, err
	}
	return serving(head, host)
}

// serving returns the workspace of a head item when it is alive and answers on
// host, else table.ErrGone. The zero Item is no workspace.
func serving(head table.Item, host string) (workspace.Workspace, error) {
	if head.Attr("status") != table.Alive {
		return workspace.Workspace{}, table.ErrGone
	}
	w, err := workspace.Decode(head)
	if err != nil {
		return workspace.Workspace{}, err
	}
	if !w.Serves(host) {
		return workspace.Workspace{}, table.ErrGone
	}
	return w, nil
}

// named returns the workspace whose slug a host names, alive or not.
func (s *Service) named(ctx context.Context, host string) (id.ID[id.Workspace], error) {
	slug, ok := workspace.SlugOf(host, s.baseDomains, s.fallback)
	if !ok {
		return id.ID[id.Workspace]{}, table.ErrGone
	}
	return s.slug(ctx, slug)
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

// Now returns the service's clock.
func (s *Service) Now() time.Time { return s.store.Now() }
