package table

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/seal"
)

// ErrTryAgain refuses a write that kept meeting others.
var ErrTryAgain = fault.Error{
	Kind: fault.Unavailable, Code: "try_again",
	Detail: "The workspace is busy. Try again.", RetryAfter: time.Second,
}

// ErrGone refuses every write to a workspace that is not alive.
var ErrGone = fault.Error{Kind: fault.NotFound, Code: "workspace_not_found", Detail: "There is no such workspace."}

// ErrNoProof is returned for a read or write without authz.Allowed of the
// workspace. It is a defect of the caller.
var ErrNoProof = errors.New("table: no proof for this workspace")

// ErrDamaged is returned when a stored payload does not open at its place. It
// is answered as an internal error and raises an alarm through the log line
// "payload does not open".
var ErrDamaged = errors.New("table: payload does not open")

// A Store reads and writes sealed items.
type Store struct {
	engine   Engine
	cache    *seal.Cache
	keyrings []Name
	now      func() time.Time
	ids      id.Source
	retain   time.Duration
}

// Config is what a Store needs. All fields are required but IDs.
type Config struct {
	Engine Engine
	Cache  *seal.Cache
	// Keyrings are the keyring tables that this function may read; the rights
	// of its role decide, not this list.
	Keyrings []Name
	Now      func() time.Time
	IDs      id.Source
	// Retain is how long events stay in the table, at least 35 days.
	Retain time.Duration
}

// New returns a Store, or an error naming what is missing.
func New(c Config) (*Store, error) {
	if c.Engine == nil || c.Cache == nil || c.Now == nil {
		return nil, errors.New("table: engine, key cache and clock are required")
	}
	if c.Retain < 35*24*time.Hour {
		return nil, errors.New("table: events stay at least 35 days")
	}
	return &Store{engine: c.Engine, cache: c.Cache, keyrings: c.Keyrings, now: c.Now, ids: c.IDs, retain: c.Retain}, nil
}

// Now returns the store's clock.
func (s *Store) Now() time.Time { return s.now().UTC() }

// NewID returns a fresh time-sortable identifier.
func (s *Store) NewID() (id.UUID, error) { return s.ids.NewUUID(s.Now()) }

// keyring returns the key of a workspace's keyring item in a keyring table.
func keyring(n Name, ws id.ID[id.Workspace]) Key {
	return Key{Table: n, Kind: "K", Workspace: ws, SK: "ring"}
}

// KeyringRecord returns the keyring item of a workspace, to be written once
// when the workspace is created. kmsKey names the workspace's key.
func KeyringRecord(n Name, ws id.ID[id.Workspace], kmsKey string, wrapped []seal.Wrapped) Record {
	return Record{Key: keyring(n, ws), Version: 1, Sealed: seal.AppendRing(nil, wrapped), Plain: []Attribute{Text("kms", kmsKey)}}
}

// MaxRead is how many keys one read may have.
const MaxRead = 100

// Read returns the items that are there, opened, in no particular order. All
// keys are read consistently in one round trip, together with the workspace's
// keyring when its keys are not in memory.
func (s *Store) Read(ctx context.Context, by authz.Allowed, keys ...Key) ([]Item, error) {
	if err := within(by, keys); err != nil {
		return nil, err
	}
	ws := by.Workspace()
	known, ok := s.cache.Held(ws.UUID())
	if !ok && len(keys)+len(s.keyrings) > MaxRead {
		var err error
		if known, err = s.keys(ctx, ws); err != nil {
			return nil, err
		}
		ok = true
	}
	ask := keys
	if !ok {
		ask = append(append([]Key(nil), keys...), s.ringKeys(ws)...)
	}
	records, err := s.engine.Get(ctx, ask)
	if err != nil {
		return nil, fmt.Errorf("read %d items: %w", len(ask), err)
	}
	if !ok {
		known, records, err = s.load(ctx, ws, records)
		if err != nil {
			return nil, err
		}
	}
	return openAll(known, records)
}

// One returns the item at a key, and false when there is none.
func (s *Store) One(ctx context.Context, by authz.Allowed, key Key) (Item, bool, error) {
	items, err := s.Read(ctx, by, key)
	if err != nil || len(items) == 0 {
		return Item{}, false, err
	}
	return items[0], true, nil
}

// Size returns how many items Query would, without reading what they hold.
func (s *Store) Size(ctx context.Context, by authz.Allowed, q Query) (int, error) {
	if err := within(by, []Key{q.Key}); err != nil {
		return 0, err
	}
	n, err := s.engine.Size(ctx, q)
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", q.Key.PK(), err)
	}
	return n, nil
}

// Query returns items of one partition, opened, in the order of their sort
// keys. Queries of an index are eventually consistent, others consistent.
func (s *Store) Query(ctx context.Context, by authz.Allowed, q Query) ([]Item, error) {
	if err := within(by, []Key{q.Key}); err != nil {
		return nil, err
	}
	keys, err := s.keys(ctx, by.Workspace())
	if err != nil {
		return nil, err
	}
	records, err := s.engine.Query(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", q.Key.PK(), err)
	}
	return openAll(keys, records)
}

// MAC returns the index value of a text in a field, as hexadecimal text.
func (s *Store) MAC(ctx context.Context, by authz.Allowed, field, text string) (string, error) {
	if by.Workspace().Zero() {
		return "", ErrNoProof
	}
	keys, err := s.keys(ctx, by.Workspace())
	if err != nil {
		return "", err
	}
	index, err := keys.Current(seal.Index)
	if err != nil {
		return "", err
	}
	sum := index.MAC(field, text)
	return HashText(sum[:]), nil
}

// SigningKey returns the key with which the workspace signs for a purpose: an
// HMAC of the purpose's name under the index key, which rotation leaves alone.
// Keys of two purposes have nothing to do with each other, nor with a MAC.
func (s *Store) SigningKey(ctx context.Context, by authz.Allowed, purpose string) ([sha256.Size]byte, error) {
	if by.Workspace().Zero() {
		return [sha256.Size]byte{}, ErrNoProof
	}
	keys, err := s.keys(ctx, by.Workspace())
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	index, err := keys.Current(seal.Index)
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	return index.MAC("signing key", purpose), nil
}

func (s *Store) ringKeys(ws id.ID[id.Workspace]) []Key {
	out := make([]Key, len(s.keyrings))
	for i, n := range s.keyrings {
		out[i] = keyring(n, ws)
	}
	return out
}

// keys returns the data keys of a workspace, reading its keyring when they are
// not in memory.
func (s *Store) keys(ctx context.Context, ws id.ID[id.Workspace]) (*seal.Keys, error) {
	if k, ok := s.cache.Held(ws.UUID()); ok {
		return k, nil
	}
	records, err := s.engine.Get(ctx, s.ringKeys(ws))
	if err != nil {
		return nil, fmt.Errorf("read the keyring: %w", err)
	}
	k, _, err := s.load(ctx, ws, records)
	return k, err
}

// load takes the keyring items out of records and unwraps their keys. A
// workspace without keyring is gone.
func (s *Store) load(ctx context.Context, ws id.ID[id.Workspace], records []Record) (*seal.Keys, []Record, error) {
	var wrapped []seal.Wrapped
	var kms string
	var rest []Record
	for _, r := range records {
		if r.Key.Table != DataKeyring && r.Key.Table != CredentialKeyring {
			rest = append(rest, r)
			continue
		}
		w, err := seal.ParseRing(r.Sealed)
		if err != nil {
			return nil, nil, err
		}
		wrapped, kms = append(wrapped, w...), r.Attr("kms").Text
	}
	if len(wrapped) == 0 {
		return nil, nil, ErrGone
	}
	k, err := s.cache.Load(ctx, ws.UUID(), kms, wrapped)
	return k, rest, err
}

func within(by authz.Allowed, keys []Key) error {
	if by.Workspace().Zero() {
		return ErrNoProof
	}
	for _, k := range keys {
		if k.Workspace != by.Workspace() {
			return ErrNoProof
		}
	}
	return nil
}

func place(k Key, version uint64) seal.Place {
	return seal.Place{Workspace: k.Workspace.UUID(), Table: k.Table.String(), PK: k.PK(), SK: k.SK, Version: version}
}

func openAll(keys *seal.Keys, records []Record) ([]Item, error) {
	out := make([]Item, 0, len(records))
	for _, r := range records {
		item := Item{Record: r}
		if len(r.Sealed) > 0 {
			key, err := keys.Named(r.KeyID, r.Key.Table.Purpose())
			if err != nil {
				return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, r.Key, err)
			}
			item.Payload, err = key.Open(place(r.Key, r.Version), r.Sealed)
			if err != nil {
				return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, r.Key, err)
			}
		}
		out = append(out, item)
	}
	return out, nil
}

// Decode reads an item's payload into v, which must match what was stored.
func Decode(item Item, v any) error {
	if err := json.Unmarshal(item.Payload, v); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrDamaged, item.Key, err)
	}
	return nil
}

// pause waits before the nth repeat, 20 to 80 ms times n, or until ctx ends.
func pause(ctx context.Context, n int) error {
	wait := time.Duration(n) * (20 + time.Duration(rand.IntN(60))) * time.Millisecond
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// deployment stands in for a workspace in the keys of the few items that lead
// to one: which workspace has a slug. They hold no sealed payload.
var deployment = id.Of[id.Workspace](id.UUID{6: 0x80, 8: 0x80, 15: 0x01})

func slugKey(slug string) Key {
	return Key{Table: Data, Kind: "S", Workspace: deployment, Of: slug, SK: "slug"}
}

// SlugRecord returns the item that leads from a slug to its workspace.
func SlugRecord(slug string, ws id.ID[id.Workspace]) Record {
	return Record{Key: slugKey(slug), Version: 1, Plain: []Attribute{Text("ws", ws.String())}}
}

// Slug returns the workspace that has a slug, or ErrGone.
func (s *Store) Slug(ctx context.Context, slug string) (id.ID[id.Workspace], error) {
	records, err := s.engine.Get(ctx, []Key{slugKey(slug)})
	if err != nil {
		return id.ID[id.Workspace]{}, fmt.Errorf("read a slug: %w", err)
	}
	if len(records) == 0 {
		return id.ID[id.Workspace]{}, ErrGone
	}
	ws, err := id.Parse[id.Workspace](records[0].Attr("ws").Text)
	if err != nil {
		return id.ID[id.Workspace]{}, fmt.Errorf("%w: slug item", ErrDamaged)
	}
	return ws, nil
}

// SealCursor returns a place in a list as opaque text, bound to what bound
// says: reader, list and filter.
func (s *Store) SealCursor(ctx context.Context, by authz.Allowed, bound, at string) (string, error) {
	keys, err := s.keys(ctx, by.Workspace())
	if err != nil {
		return "", err
	}
	key, err := keys.Current(seal.Data)
	if err != nil {
		return "", err
	}
	sealed, err := key.Seal(cursorPlace(by, bound), []byte(at))
	return base64.RawURLEncoding.EncodeToString(append(key.ID[:], sealed...)), err
}

// OpenCursor returns the place that SealCursor was given, or seal.ErrOpen.
func (s *Store) OpenCursor(ctx context.Context, by authz.Allowed, bound, cursor string) (string, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(b) < len(seal.KeyID{}) {
		return "", seal.ErrOpen
	}
	keys, err := s.keys(ctx, by.Workspace())
	if err != nil {
		return "", err
	}
	key, err := keys.Named(seal.KeyID(b[:8]), seal.Data)
	if err != nil {
		return "", seal.ErrOpen
	}
	at, err := key.Open(cursorPlace(by, bound), b[8:])
	return string(at), err
}

func cursorPlace(by authz.Allowed, bound string) seal.Place {
	return seal.Place{Workspace: by.Workspace().UUID(), Table: "cursor", PK: bound}
}

// RegistryKey places the item that lists a workspace in its deployment; sk is
// the workspace's id.
func RegistryKey(sk string) Key {
	return Key{Table: Data, Kind: "S", Workspace: deployment, Of: "all.workspaces", SK: sk}
}

// RegistryRecord returns the item that lists a workspace in its deployment.
func RegistryRecord(ws id.ID[id.Workspace]) Record {
	return Record{Key: RegistryKey(ws.String()), Version: 1}
}

// All returns the payloads of items in the order of their keys, at most 100 of
// them in one consistent read; keys without an item are left out.
func All[T any](ctx context.Context, s *Store, by authz.Allowed, keys []Key) ([]T, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	items, err := s.Read(ctx, by, keys...)
	if err != nil {
		return nil, err
	}
	byKey := make(map[Key]Item, len(items))
	for _, item := range items {
		byKey[item.Key] = item
	}
	out := make([]T, 0, len(items))
	for _, k := range keys {
		item, ok := byKey[k]
		if !ok {
			continue
		}
		var t T
		if err := Decode(item, &t); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}
