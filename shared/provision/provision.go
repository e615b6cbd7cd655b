// Package provision makes workspaces. It holds the right to make keys and
// never the right to open what they seal: what it writes it can read no more.
package provision

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/seal"
	"paddock/shared/table"
	"paddock/shared/workspace"
)

// keys makes workspace keys.
type keys interface {
	// Create makes the key of a workspace and returns its name.
	Create(ctx context.Context, ws id.UUID) (string, error)
	// DataKey makes a data key for a purpose under it.
	DataKey(ctx context.Context, key string, ws id.UUID, p seal.Purpose) (*seal.Key, seal.Wrapped, error)
}

// A Service makes workspaces.
type Service struct{ config Config }

// Config is what a Service needs; all fields are required but DefaultSlug.
type Config struct {
	Store    *table.Store
	People   *identity.Service
	Keys     keys
	BaseURLs []string // canonical first
	// DefaultSlug is the workspace that answers on the base host itself.
	DefaultSlug string
}

// New returns a Service, or an error naming what is missing.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.People == nil || c.Keys == nil || len(c.BaseURLs) == 0 {
		return nil, errors.New("provision: store, people, keys and base URLs are required")
	}
	return &Service{config: c}, nil
}

// A Request asks for a workspace.
type Request struct {
	Slug        string `json:"slug"`
	Name        string `json:"name"`
	Email       string `json:"email"` // of the first superuser
	MFARequired *bool  `json:"mfa_required,omitempty"`
}

// An Answer tells the operator what was made: nothing secret.
type Answer struct {
	ID        id.ID[id.Workspace] `json:"id"`
	Slug      string              `json:"slug"`
	URL       string              `json:"url"`
	InvitedTo string              `json:"invited_to"` // masked
	ExpiresAt time.Time           `json:"expires_at"`
}

// ErrSlugTaken refuses a slug that another workspace has.
var ErrSlugTaken = fault.Error{Kind: fault.Conflict, Code: "slug_in_use", Detail: "A workspace with this slug exists.", Source: "slug"}

// Create makes a workspace: its key, its data keys, its settings and the
// invitation of its first superuser, all stored in one transaction. A crash
// before it leaves a key that nothing uses, tagged with an id that no
// workspace has.
func (s *Service) Create(ctx context.Context, r Request) (Answer, error) {
	email, err := check(r)
	if err != nil {
		return Answer{}, err
	}
	if _, err := s.config.Store.Slug(ctx, r.Slug); err == nil {
		return Answer{}, ErrSlugTaken
	} else if !errors.Is(err, table.ErrGone) {
		return Answer{}, err
	}
	u, err := s.config.Store.NewID()
	if err != nil {
		return Answer{}, err
	}
	ws := id.Of[id.Workspace](u)
	w := s.workspace(ws, r)
	ready, records, kms, err := s.keys(ctx, ws)
	if err != nil {
		return Answer{}, err
	}
	records = append(records, table.SlugRecord(r.Slug, ws), table.RegistryRecord(ws))
	by := authz.ForTask(ws, "provision")
	inv, change, err := s.config.People.First(by, w, email)
	if err != nil {
		return Answer{}, err
	}
	now := s.config.Store.Now()
	created := by.Event(audit.WorkspaceCreated, now).With(audit.ID("workspace_id", u), audit.Text("key_id", kms)).
		WithTarget(audit.Target{Type: "workspace", ID: u, Name: w.Name}).WithDescription("The workspace was created.")
	change.Events = append([]audit.Event{created}, change.Events...)
	change.Ops = append(change.Ops,
		table.Insert(workspace.HeadKey(ws), w, table.Alive),
		table.Insert(identity.HeadKey(ws), identity.Head{}))
	if err := s.config.Store.CommitNew(ctx, by, ready, records, change); err != nil {
		if errors.Is(err, table.ErrStale) {
			return Answer{}, ErrSlugTaken
		}
		return Answer{}, fmt.Errorf("store the workspace: %w", err)
	}
	return Answer{ID: ws, Slug: r.Slug, URL: w.Canonical(), InvitedTo: identity.Mask(email), ExpiresAt: inv.ExpiresAt}, nil
}

func check(r Request) (identity.Email, error) {
	if err := workspace.CheckSlug(r.Slug); err != nil {
		return identity.Email{}, err
	}
	if len([]rune(r.Name)) < 1 || len([]rune(r.Name)) > 80 || identity.CheckPersonName("name", r.Name) != nil {
		return identity.Email{}, workspace.ErrName
	}
	return identity.ParseEmail(r.Email)
}

func (s *Service) workspace(ws id.ID[id.Workspace], r Request) workspace.Workspace {
	w := workspace.Workspace{ID: ws, Slug: r.Slug, Name: r.Name, CreatedAt: s.config.Store.Now(), Billing: workspace.Billing{Plan: workspace.Enterprise}}
	w.Security, w.Preferences, w.AccessControl = workspace.Defaults()
	if r.MFARequired != nil {
		w.Security.MFARequired = *r.MFARequired
	}
	var own []string
	for _, base := range s.config.BaseURLs {
		u, err := url.Parse(base)
		if err != nil || u.Host == "" {
			continue
		}
		u.Path = ""
		if r.Slug == s.config.DefaultSlug {
			w.Origins = append(w.Origins, strings.TrimSuffix(u.String(), "/"))
		}
		u.Host = r.Slug + "." + u.Host
		own = append(own, strings.TrimSuffix(u.String(), "/"))
	}
	w.Origins = append(w.Origins, own...)
	return w
}

// keys makes the workspace's key and its data keys: those for data and index
// lie in one keyring, those for credentials in the other.
func (s *Service) keys(ctx context.Context, ws id.ID[id.Workspace]) (*seal.Keys, []table.Record, string, error) {
	kms, err := s.config.Keys.Create(ctx, ws.UUID())
	if err != nil {
		return nil, nil, "", err
	}
	var ready []*seal.Key
	rings := map[table.Name][]seal.Wrapped{}
	for _, p := range seal.Purposes {
		key, wrapped, err := s.config.Keys.DataKey(ctx, kms, ws.UUID(), p)
		if err != nil {
			return nil, nil, "", err
		}
		ready = append(ready, key)
		ring := table.DataKeyring
		if p == seal.Credentials {
			ring = table.CredentialKeyring
		}
		rings[ring] = append(rings[ring], wrapped)
	}
	var records []table.Record
	for _, ring := range []table.Name{table.DataKeyring, table.CredentialKeyring} {
		records = append(records, table.KeyringRecord(ring, ws, kms, rings[ring]))
	}
	return seal.NewKeys(ready...), records, kms, nil
}
