package token

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
	"paddock/shared/table"
)

// A Service makes, changes and deletes tokens.
type Service struct {
	store  *table.Store
	random io.Reader
}

// New returns a Service; random nil means crypto/rand.
func New(store *table.Store, random io.Reader) (*Service, error) {
	if store == nil {
		return nil, errors.New("token: a store is required")
	}
	if random == nil {
		random = rand.Reader
	}
	return &Service{store: store, random: random}, nil
}

// A Wanted token is one that shall be made.
type Wanted struct {
	Name      string
	Scopes    []string // as Parse returns them
	ExpiresAt time.Time

	holds permission.Set // what the scopes stand for
}

// CheckName refuses what is no name of a token.
func CheckName(name string) error {
	if name == "" || strings.TrimSpace(name) != name || identity.CheckText("name", name, MaxName, false) != nil {
		return ErrName
	}
	return nil
}

// again repeats what met another change: a token that is used all the time can be
// taken away.
func again(try func() error) error {
	for range 8 {
		if err := try(); !errors.Is(err, table.ErrTryAgain) {
			return err
		}
	}
	return table.ErrTryAgain
}

// book returns the list of an owner's tokens, in the order of their making.
func (s *Service) book(ctx context.Context, by authz.Allowed, h Holder) (table.Item, []entry, error) {
	item, ok, err := s.store.One(ctx, by, h.Family.BookKey(by.Workspace(), h.ID))
	if err != nil || !ok {
		return table.Item{}, nil, err
	}
	var all []entry
	err = table.Decode(item, &all)
	return item, all, err
}

func saveBook(key table.Key, read table.Item, all []entry) table.Op {
	if read.Version > 0 {
		return table.Replace(read, all).Else(table.ErrTryAgain)
	}
	return table.Insert(key, all).Else(table.ErrTryAgain)
}

// lessBook returns the operation that leaves fewer tokens in the list, which
// goes with the last of them.
func lessBook(read table.Item, left []entry) table.Op {
	if len(left) == 0 {
		return table.Remove(read).Else(table.ErrTryAgain)
	}
	return table.Replace(read, left).Else(table.ErrTryAgain)
}

// named reports whether a name is another token's than which.
func named(all []entry, name string, which id.ID[id.Token]) bool {
	return slices.ContainsFunc(all, func(e entry) bool { return e.Name == name && e.ID != which })
}

// Create makes a token: of the actor's own account, or of an application. The
// secret is shown once.
func (s *Service) Create(ctx context.Context, by authz.Allowed, h Holder, w Wanted) (Token, credential.Secret, error) {
	if err := CheckName(w.Name); err != nil {
		return Token{}, credential.Secret{}, err
	}
	if w.holds = Set(w.Scopes); !h.Most.Empty() {
		w.holds = w.holds.Intersect(h.Most)
	}
	return s.issue(ctx, by, h, w, func(all []entry, t *Token) (audit.Event, error) {
		if named(all, t.Name, t.ID) {
			return audit.Event{}, h.Family.taken()
		}
		var e audit.Event
		if h.Family == OfApplications {
			e = h.event(by, audit.ServiceTokenIssued, s.store.Now(), t.ID, t.Name, "A service token was made.").With(audit.ID("application_id", h.ID.UUID()))
		} else {
			e = h.event(by, audit.TokenCreated, s.store.Now(), t.ID, t.Name, "An API token was made.").With(audit.Text("name", t.Name),
				audit.List("scopes", t.Scopes...), audit.Text("prefix", string(h.Family.Prefix())))
		}
		if !t.ExpiresAt.IsZero() {
			e = e.With(audit.Instant("expires_at", t.ExpiresAt))
		}
		return e, nil
	}, ACL{})
}

// Duplicate makes a token that may what another one of a person's tokens may, on
// the same until the same end, under a name of its own; without one it gets the
// first that is free.
func (s *Service) Duplicate(ctx context.Context, by authz.Allowed, h Holder, of id.ID[id.Token], name string) (Token, credential.Secret, error) {
	if name != "" {
		if err := CheckName(name); err != nil {
			return Token{}, credential.Secret{}, err
		}
	}
	source, rows, err := s.One(ctx, by, h, of)
	if err != nil {
		return Token{}, credential.Secret{}, err
	}
	if source.Blocked {
		return Token{}, credential.Secret{}, ErrBlocked
	}
	for _, k := range Kinds {
		copied := slices.Clone(rows.Rows(k))
		for i := range copied {
			made, err := s.store.NewID()
			if err != nil {
				return Token{}, credential.Secret{}, err
			}
			copied[i].ID = id.Of[id.Rule](made)
		}
		rows = rows.with(k, copied)
	}
	w := Wanted{Name: name, Scopes: source.Scopes, ExpiresAt: source.ExpiresAt, holds: source.Holds}
	return s.issue(ctx, by, h, w, func(all []entry, t *Token) (audit.Event, error) {
		if name == "" {
			t.Name = free(all, source.Name)
		}
		if named(all, t.Name, t.ID) {
			return audit.Event{}, h.Family.taken()
		}
		return h.event(by, audit.TokenDuplicated, s.store.Now(), t.ID, t.Name, "An API token was copied with its rules.").
			With(audit.ID("source_token_id", of.UUID())), nil
	}, rows)
}

// free returns the first name of a copy that no token has.
func free(all []entry, of string) string {
	for n := 1; ; n++ {
		suffix := " copy"
		if n > 1 {
			suffix += " " + strconv.Itoa(n)
		}
		runes := []rune(of)
		name := strings.TrimSpace(string(runes[:min(len(runes), MaxName-len(suffix))])) + suffix
		if !named(all, name, id.ID[id.Token]{}) {
			return name
		}
	}
}

// issue writes a new token; finish names it and tells its event.
func (s *Service) issue(ctx context.Context, by authz.Allowed, h Holder, w Wanted, finish func([]entry, *Token) (audit.Event, error), rows ACL) (Token, credential.Secret, error) {
	fail := func(err error) (Token, credential.Secret, error) { return Token{}, credential.Secret{}, err }
	now := s.store.Now()
	if !w.ExpiresAt.IsZero() && !now.Before(w.ExpiresAt) {
		return fail(ErrEnd)
	}
	made, err := s.store.NewID()
	if err != nil {
		return fail(err)
	}
	secret, err := credential.New(s.random, h.Family.Prefix(), by.Workspace().UUID(), h.ID.UUID())
	if err != nil {
		return fail(err)
	}
	hash := secret.Hash()
	t := Token{
		ID: id.Of[id.Token](made), Name: w.Name, Scopes: w.Scopes, Holds: w.holds, Proved: by.Proved(), Enabled: true, Epoch: h.Epoch, CreatedAt: now, UpdatedAt: now, ExpiresAt: w.ExpiresAt,
	}
	err = again(func() error {
		book, all, err := s.book(ctx, by, h)
		if err != nil {
			return err
		}
		if most, refusal := h.Family.most(); len(all) >= most {
			return refusal
		}
		e, err := finish(all, &t)
		if err != nil {
			return err
		}
		all = append(slices.Clone(all), entry{ID: t.ID, Name: t.Name, Hash: hex.EncodeToString(hash[:])})
		ops := append(slices.Clone(h.Rests), table.Insert(h.Family.Key(by.Workspace(), h.ID, hash), t).Else(table.ErrTryAgain),
			saveBook(h.Family.BookKey(by.Workspace(), h.ID), book, all))
		if len(rows.Commands)+len(rows.Servers)+len(rows.Files) > 0 {
			op, err := s.saveRows(h.Family.RowsKey(by.Workspace(), h.ID, hash), table.Item{}, rows)
			if err != nil {
				return err
			}
			ops = append(ops, op)
		}
		return s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: ops})
	})
	if err != nil {
		return fail(err)
	}
	return t, secret, nil
}

// All returns an owner's tokens, or those with this name (empty: all), in the
// order of their making.
func (s *Service) All(ctx context.Context, by authz.Allowed, h Holder, name string) ([]Token, error) {
	_, all, err := s.book(ctx, by, h)
	if err != nil {
		return nil, err
	}
	if name != "" {
		all = slices.DeleteFunc(all, func(e entry) bool { return e.Name != name })
	}
	out := make([]Token, 0, len(all))
	for some := range slices.Chunk(all, table.MaxRead) {
		keys := make([]table.Key, len(some))
		for i, e := range some {
			keys[i] = h.Family.keyOf(by.Workspace(), h.ID, e.Hash)
		}
		items, err := s.store.Read(ctx, by, keys...)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			at := slices.IndexFunc(items, func(i table.Item) bool { return i.Key == k })
			if at < 0 {
				continue // deleted since
			}
			t, err := Decode(items[at])
			if err != nil {
				return nil, err
			}
			out = append(out, t)
		}
	}
	return out, nil
}

// One returns a token with its rows.
func (s *Service) One(ctx context.Context, by authz.Allowed, h Holder, of id.ID[id.Token]) (Token, ACL, error) {
	f, err := s.find(ctx, by, h, of)
	return f.token, f.acl, err
}

// found is a token with everything that is stored of it.
type found struct {
	token      Token
	acl        ACL
	item, rows table.Item // rows are zero when there are none
	book       table.Item
	all        []entry
}

func (s *Service) find(ctx context.Context, by authz.Allowed, h Holder, of id.ID[id.Token]) (found, error) {
	var f found
	var err error
	if f.book, f.all, err = s.book(ctx, by, h); err != nil {
		return found{}, err
	}
	at := slices.IndexFunc(f.all, func(e entry) bool { return e.ID == of })
	if at < 0 {
		return found{}, ErrNoToken
	}
	place, rows := h.Family.keyOf(by.Workspace(), h.ID, f.all[at].Hash), h.Family.rowsOf(by.Workspace(), h.ID, f.all[at].Hash)
	items, err := s.store.Read(ctx, by, place, rows)
	if err != nil {
		return found{}, err
	}
	for _, item := range items {
		if item.Key == rows {
			f.rows = item
			f.acl, err = DecodeRows(item)
		} else {
			f.item = item
			f.token, err = Decode(item)
		}
		if err != nil {
			return found{}, err
		}
	}
	if f.item.Version == 0 {
		return found{}, ErrNoToken // deleted since
	}
	return f, nil
}

// A Patch is what shall be different of a token; nil: as it is.
type Patch struct {
	Name    *string
	Enabled *bool
}

// Update renames a token, or switches it off and on. Somebody else than its
// owner blocks it, so that its owner does not switch it on again. What has ended
// is not switched on.
func (s *Service) Update(ctx context.Context, by authz.Allowed, h Holder, of id.ID[id.Token], p Patch) (Token, error) {
	if p.Name != nil {
		if err := CheckName(*p.Name); err != nil {
			return Token{}, err
		}
	}
	var out Token
	err := again(func() error {
		f, err := s.find(ctx, by, h, of)
		if err != nil {
			return err
		}
		next := f.token
		e := h.event(by, audit.TokenUpdated, s.store.Now(), of, f.token.Name, "A token was changed.")
		if p.Enabled != nil {
			if next, err = f.token.switched(*p.Enabled, h.self(by), h, s.store.Now()); err != nil {
				return err
			}
			for path, c := range map[string][2]bool{"enabled": {f.token.Enabled, next.Enabled}, "blocked": {f.token.Blocked, next.Blocked}} {
				if c[0] != c[1] { // one of them at most
					e = e.WithChange(path, strconv.FormatBool(c[0]), strconv.FormatBool(c[1]))
				}
			}
		}
		ops := slices.Clone(h.Rests)
		if p.Name != nil && *p.Name != f.token.Name {
			if named(f.all, *p.Name, of) {
				return h.Family.taken()
			}
			next.Name = *p.Name
			e = e.WithChange("name", f.token.Name, next.Name)
			for i := range f.all {
				if f.all[i].ID == of {
					f.all[i].Name = next.Name
				}
			}
			ops = append(ops, table.Replace(f.book, f.all).Else(table.ErrTryAgain))
		}
		if out = f.token; len(e.Changes) == 0 {
			return nil
		}
		next.UpdatedAt = s.store.Now()
		out = next
		return s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: append(ops,
			table.Replace(f.item, next).Else(table.ErrTryAgain))})
	})
	return out, err
}

// switched is the rule of who switches a token off and on.
func (t Token) switched(on, self bool, owner Holder, now time.Time) (Token, error) {
	switch {
	case !on && self:
		t.Enabled = false
	case !on:
		t.Blocked = true
	case t.Epoch != owner.Epoch || !t.Live(now):
		return Token{}, ErrEnded
	case t.Blocked && self:
		return Token{}, ErrBlocked
	case self:
		t.Enabled = true
	default:
		t.Blocked = false
	}
	return t, nil
}
