package seal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"paddock/shared/id"
)

// CacheFor bounds how long an unwrapped data key stays in memory. Source:
// design, section 6; it bounds how long a deleted workspace can still be read
// by a frozen instance.
const CacheFor = 60 * time.Second

// A Wrapped key is a data key as the keyring stores it: encrypted by the
// workspace's own key in the key service.
type Wrapped struct {
	ID      KeyID
	Purpose Purpose
	Blob    []byte
}

// An Unwrapper decrypts wrapped keys with the workspace's key, naming the
// workspace and purpose as encryption context.
type Unwrapper interface {
	Unwrap(ctx context.Context, kmsKey string, workspace id.UUID, w Wrapped) ([]byte, error)
}

// Keys are the usable data keys of one workspace. The last key of a purpose is
// the one that seals; all of them open.
type Keys struct {
	byID    map[KeyID]*Key
	current map[Purpose]*Key
}

// NewKeys collects keys, in the order in which they were made.
func NewKeys(keys ...*Key) *Keys {
	k := &Keys{byID: map[KeyID]*Key{}, current: map[Purpose]*Key{}}
	for _, key := range keys {
		k.byID[key.ID] = key
		k.current[key.Purpose] = key
	}
	return k
}

// Current returns the key that seals for a purpose, or ErrNoKey.
func (k *Keys) Current(p Purpose) (*Key, error) {
	if key, ok := k.current[p]; ok {
		return key, nil
	}
	return nil, fmt.Errorf("%w for %s", ErrNoKey, p)
}

// Named returns the key that a payload names, or ErrNoKey.
func (k *Keys) Named(name KeyID, p Purpose) (*Key, error) {
	if key, ok := k.byID[name]; ok && key.Purpose == p {
		return key, nil
	}
	return nil, ErrNoKey
}

// A Cache holds the keys of recently used workspaces for at most CacheFor.
type Cache struct {
	unwrap Unwrapper
	now    func() time.Time

	mu   sync.Mutex
	held map[id.UUID]held
}

type held struct {
	keys  *Keys
	until time.Time
}

// NewCache returns an empty cache that reads the clock through now.
func NewCache(u Unwrapper, now func() time.Time) *Cache {
	return &Cache{unwrap: u, now: now, held: map[id.UUID]held{}}
}

// Held returns the keys of a workspace when they are in memory and fresh.
func (c *Cache) Held(workspace id.UUID) (*Keys, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, ok := c.held[workspace]
	if ok && c.now().Before(h.until) {
		return h.keys, true
	}
	delete(c.held, workspace)
	return nil, false
}

// Drop forgets the keys of a workspace, as when it is found deleted.
func (c *Cache) Drop(workspace id.UUID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.held, workspace)
}

// Load unwraps keys, one call to the key service each, all at once, and holds
// them. Nothing is held when one of them fails.
func (c *Cache) Load(ctx context.Context, workspace id.UUID, kmsKey string, wrapped []Wrapped) (*Keys, error) {
	if len(wrapped) == 0 {
		return nil, ErrNoKey
	}
	until := c.now().Add(CacheFor)
	keys := make([]*Key, len(wrapped))
	errs := make([]error, len(wrapped))
	var wait sync.WaitGroup
	for i, w := range wrapped {
		wait.Go(func() {
			raw, err := c.unwrap.Unwrap(ctx, kmsKey, workspace, w)
			if err != nil {
				errs[i] = fmt.Errorf("unwrap the %s key: %w", w.Purpose, err)
				return
			}
			keys[i], errs[i] = NewKey(w.ID, w.Purpose, raw)
		})
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	k := NewKeys(keys...)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held[workspace] = held{keys: k, until: until}
	return k, nil
}

// AppendRing encodes wrapped keys for storage.
func AppendRing(dst []byte, wrapped []Wrapped) []byte {
	for _, w := range wrapped {
		dst = append(dst, w.ID[:]...)
		dst = append(dst, byte(w.Purpose))
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(w.Blob)))
		dst = append(dst, w.Blob...)
	}
	return dst
}

// ParseRing reads what AppendRing wrote and nothing else.
func ParseRing(b []byte) ([]Wrapped, error) {
	var out []Wrapped
	for len(b) > 0 {
		if len(b) < 13 {
			return nil, errors.New("seal: keyring is cut short")
		}
		w := Wrapped{ID: KeyID(b[:8]), Purpose: Purpose(b[8])}
		n := binary.BigEndian.Uint32(b[9:13])
		b = b[13:]
		if uint64(n) > uint64(len(b)) || w.Purpose < Data || w.Purpose > Index {
			return nil, errors.New("seal: keyring is damaged")
		}
		w.Blob, b = b[:n:n], b[n:]
		out = append(out, w)
	}
	return out, nil
}
