// Package policy keeps what changes rarely about who may do what in a
// workspace: custom roles, groups with what they give, servers and applications
// as decisions see them, and assignments. It is stored in chunks that one head names with their
// versions, and held in memory until the head has another version. It knows
// nothing of people.
package policy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/table"
)

// Bounds of a workspace. Source: design, section 5.
const (
	MaxRoles       = 2_000
	MaxGroups      = 1_000
	MaxServers     = 10_000
	MaxAssignments = 10_000
	// MaxApplications bounds the applications of a workspace.
	MaxApplications = 1_000
	// maxChunk bounds one stored chunk, in bytes. Source: design, section 8.
	maxChunk = 100 << 10
)

// ErrLarge refuses a change after which what is stored in one place is too much.
var ErrLarge = fault.Error{Kind: fault.Conflict, Code: "limit_reached", Detail: "Roles and groups of this workspace name too many objects and patterns. Use fewer, wider patterns."}

// Limit refuses one more of a kind than a workspace may have.
func Limit(source, most string) fault.Error {
	return fault.Error{Kind: fault.Conflict, Code: "limit_reached", Detail: "A workspace has at most " + most + ".", Source: source}
}

// ErrMoved tells that another change of the policy came between. An operation that
// names it as its refusal is prepared again by Change, like the policy's own.
var ErrMoved = errors.New("policy: it has changed")

// spread is over how many chunks the rows of each kind lie.
const spread = 64

// A head names the chunks that are, with their versions. It is written with
// each change, so that its version is that of the policy.
type head struct {
	Chunks map[string]uint64 `json:"chunks"`
}

// HeadKey places the head of a workspace's policy: what a decision needs read.
func HeadKey(ws id.ID[id.Workspace]) table.Key {
	return table.Key{Table: table.Data, Kind: "P", Workspace: ws, SK: "head"}
}

const chunkPrefix = "chunk#"

func chunkKey(ws id.ID[id.Workspace], name string) table.Key {
	return table.Key{Table: table.Data, Kind: "P", Workspace: ws, SK: chunkPrefix + name}
}

// chunkName returns the chunk in which a row lies: identifiers end in random
// bits.
func chunkName(kind string, of id.UUID) string {
	return fmt.Sprintf("%s#%02d", kind, of[len(of)-1]%spread)
}

// The kinds of rows, as chunks are named.
const (
	roles       = "role"
	groups      = "group"
	servers     = "server"
	assignments = "assignment"
	// applications are those of names, owners and managers.
	applications = "application"
)

// A held policy is good for as long as the head has its version.
type held struct {
	head   table.Item
	until  time.Time
	items  map[string]table.Item
	chunks map[string]authz.Chunk
	policy *authz.Policy
}

// heldFor bounds how long a policy stays in memory, like the keys that opened
// it.
const heldFor = time.Minute

// A Service reads and changes policies.
type Service struct {
	store *table.Store

	mu   sync.Mutex
	held map[id.ID[id.Workspace]]*held
}

// New returns a Service.
func New(store *table.Store) (*Service, error) {
	if store == nil {
		return nil, errors.New("policy: a store is required")
	}
	return &Service{store: store, held: map[id.ID[id.Workspace]]*held{}}, nil
}

// At returns the policy that a head names which was just read; nil for the zero
// Item: nothing was ever written. It reads nothing when the policy in memory is
// that one.
func (s *Service) At(ctx context.Context, by authz.Allowed, at table.Item) (*authz.Policy, error) {
	h, err := s.at(ctx, by, at)
	if err != nil {
		return nil, err
	}
	return h.policy, nil
}

func (s *Service) at(ctx context.Context, by authz.Allowed, at table.Item) (*held, error) {
	if at.Version == 0 {
		return &held{}, nil
	}
	for range 3 {
		h, err := s.follow(ctx, by, at)
		if !errors.Is(err, ErrMoved) {
			return h, err
		}
		// A change came between the head and its chunks: follow the newer one.
		var ok bool
		if at, ok, err = s.store.One(ctx, by, HeadKey(by.Workspace())); err != nil || !ok {
			return nil, cmp.Or(err, error(table.ErrGone))
		}
	}
	return nil, table.ErrTryAgain
}

// follow returns the policy of a head: what is in memory of it, and the chunks
// that are not. Chunks of another version than the head says are ErrMoved.
func (s *Service) follow(ctx context.Context, by authz.Allowed, at table.Item) (*held, error) {
	ws, now := by.Workspace(), s.store.Now()
	s.mu.Lock()
	had := s.held[ws]
	s.mu.Unlock()
	if had != nil && !now.Before(had.until) {
		had = nil
	}
	if had != nil && had.head.Version == at.Version {
		return had, nil
	}
	var names head
	if err := table.Decode(at, &names); err != nil {
		return nil, err
	}
	h := &held{head: at, until: now.Add(heldFor), items: map[string]table.Item{}, chunks: map[string]authz.Chunk{}}
	if had != nil {
		h.until = had.until // its oldest chunk decides
	}
	var missing []table.Key
	for name, version := range names.Chunks {
		if had != nil && had.items[name].Version == version {
			h.items[name], h.chunks[name] = had.items[name], had.chunks[name]
			continue
		}
		missing = append(missing, chunkKey(ws, name))
	}
	if err := s.read(ctx, by, h, missing); err != nil {
		return nil, err
	}
	for name, version := range names.Chunks {
		if h.items[name].Version != version {
			return nil, ErrMoved
		}
	}
	h.policy = joined(h.chunks)
	s.keep(ws, h, now)
	return h, nil
}

// keep remembers a policy, and forgets those whose time is up.
func (s *Service) keep(ws id.ID[id.Workspace], h *held, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.held, func(_ id.ID[id.Workspace], other *held) bool { return !now.Before(other.until) })
	s.held[ws] = h
}

// read adds chunks to h: all of the workspace at once when none is in memory.
func (s *Service) read(ctx context.Context, by authz.Allowed, h *held, missing []table.Key) error {
	if len(missing) == 0 {
		return nil
	}
	var items []table.Item
	var err error
	if len(h.items) == 0 && len(missing) > 1 {
		items, err = s.store.Query(ctx, by, table.Query{Key: HeadKey(by.Workspace()), Prefix: chunkPrefix})
	} else {
		for some := range slices.Chunk(missing, 100) {
			var part []table.Item
			if part, err = s.store.Read(ctx, by, some...); err != nil {
				break
			}
			items = append(items, part...)
		}
	}
	if err != nil {
		return err
	}
	for _, item := range items {
		var c authz.Chunk
		if err := c.Read(item.Payload); err != nil {
			return fmt.Errorf("%s: %w", item.Key, err)
		}
		name := strings.TrimPrefix(item.Key.SK, chunkPrefix)
		h.items[name], h.chunks[name] = item, c
	}
	return nil
}

// joined returns the policy of chunks.
func joined(chunks map[string]authz.Chunk) *authz.Policy {
	all := make([]authz.Chunk, 0, len(chunks))
	for _, name := range slices.Sorted(maps.Keys(chunks)) {
		all = append(all, chunks[name])
	}
	return authz.Join(all...).Policy()
}
