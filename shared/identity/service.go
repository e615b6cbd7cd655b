package identity

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/permission"
	"paddock/shared/table"
)

// A Service reads, invites and changes people.
type Service struct {
	store  *table.Store
	random io.Reader

	mu    sync.Mutex
	lists map[id.ID[id.Workspace]]list
}

// A list is a directory as it was read, good for as long as its head has this
// version.
type list struct {
	version uint64
	until   time.Time
	rows    []Row
}

// listFor bounds how long rows stay in memory, like the keys that opened them.
const listFor = time.Minute

// New returns a Service; random nil means crypto/rand.
func New(store *table.Store, random io.Reader) (*Service, error) {
	if store == nil {
		return nil, errors.New("identity: a store is required")
	}
	if random == nil {
		random = rand.Reader
	}
	return &Service{store: store, random: random, lists: map[id.ID[id.Workspace]]list{}}, nil
}

// Directory returns the rows that the proof shows, by name: all with ReadUser
// on all users, else only the caller's own.
func (s *Service) Directory(ctx context.Context, by authz.Allowed) ([]Row, error) {
	rows, err := s.rows(ctx, by)
	if err != nil || by.Permission() == permission.ReadUser {
		return rows, err
	}
	own := by.Principal().ID
	at := slices.IndexFunc(rows, func(r Row) bool { return r.ID == own })
	if at < 0 {
		return nil, nil
	}
	return rows[at : at+1 : at+1], nil
}

// Seats returns how many accounts there are, those that are disabled too.
func (s *Service) Seats(ctx context.Context, by authz.Allowed) (int, error) {
	item, ok, err := s.store.One(ctx, by, HeadKey(by.Workspace()))
	if err != nil || !ok {
		return 0, err
	}
	var h Head
	err = table.Decode(item, &h)
	return h.Count, err
}

// rows returns all rows of the directory: one read when those in memory are
// still good, else two.
func (s *Service) rows(ctx context.Context, by authz.Allowed) ([]Row, error) {
	ws := by.Workspace()
	head, ok, err := s.store.One(ctx, by, HeadKey(ws))
	if err != nil || !ok {
		return nil, err
	}
	now := s.store.Now()
	s.mu.Lock()
	held := s.lists[ws]
	s.mu.Unlock()
	if held.version == head.Version && now.Before(held.until) {
		return held.rows, nil
	}
	// What a change brings between the two reads is newer than the head: the
	// next one shows it anew.
	chunks, err := s.store.Query(ctx, by, table.Query{Key: HeadKey(ws), Prefix: chunkPrefix})
	if err != nil {
		return nil, err
	}
	rows, err := sorted(chunks)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for other, l := range s.lists {
		if !now.Before(l.until) {
			delete(s.lists, other)
		}
	}
	s.lists[ws] = list{version: head.Version, until: now.Add(listFor), rows: rows}
	return rows, nil
}

// Superusers returns the active superusers.
func (s *Service) Superusers(ctx context.Context, by authz.Allowed) ([]id.ID[id.Principal], error) {
	item, ok, err := s.store.One(ctx, by, HeadKey(by.Workspace()))
	if err != nil || !ok {
		return nil, err
	}
	var head Head
	err = table.Decode(item, &head)
	return head.Superusers, err
}

// Users returns accounts by id, in the order asked; ids without account are
// left out.
func (s *Service) Users(ctx context.Context, by authz.Allowed, ids []id.ID[id.Principal]) ([]User, error) {
	keys := make([]table.Key, len(ids))
	for i, one := range ids {
		keys[i] = UserKey(by.Workspace(), one)
	}
	return table.All[User](ctx, s.store, by, keys)
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
	return u.User, err == nil && u.Leads(), err
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
