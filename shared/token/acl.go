package token

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"paddock/shared/acl"
	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/permission"
	"paddock/shared/table"
)

// A Kind is a kind of rows of a token's access control list.
type Kind uint8

// The kinds.
const (
	KindCommand Kind = iota + 1
	KindServer
	KindFile
)

// Kinds lists them.
var Kinds = []Kind{KindCommand, KindServer, KindFile}

// String returns the kind's name.
func (k Kind) String() string {
	switch k {
	case KindCommand:
		return "command"
	case KindServer:
		return "server"
	case KindFile:
		return "file"
	}
	return "unknown"
}

// A Row is one rule of a token. Which fields have a meaning its kind says.
type Row struct {
	ID      id.ID[id.Rule]   `json:"id"`
	Command string           `json:"command,omitempty"`
	Path    string           `json:"path,omitempty"`
	Action  string           `json:"action,omitempty"`
	User    string           `json:"username,omitempty"`
	Group   string           `json:"groupname,omitempty"`
	Server  id.ID[id.Server] `json:"server,omitzero"`
}

// An ACL is the rows of one token. No row of a kind allows nothing of it.
type ACL struct {
	Commands []Row `json:"commands,omitempty"`
	Servers  []Row `json:"servers,omitempty"`
	Files    []Row `json:"files,omitempty"`
}

// Rows returns the rows of a kind.
func (a ACL) Rows(k Kind) []Row {
	switch k {
	case KindCommand:
		return a.Commands
	case KindServer:
		return a.Servers
	case KindFile:
		return a.Files
	}
	return nil
}

func (a ACL) with(k Kind, rows []Row) ACL {
	switch k {
	case KindCommand:
		a.Commands = rows
	case KindServer:
		a.Servers = rows
	case KindFile:
		a.Files = rows
	}
	return a
}

// CommandRows returns the rows that allow command lines.
func (a ACL) CommandRows() ([]acl.CommandRow, error) {
	out := make([]acl.CommandRow, len(a.Commands))
	for i, r := range a.Commands {
		var err error
		if out[i], err = acl.ParseCommandRow(r.Command, acl.Account{User: r.User, Group: r.Group}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// FileRows returns the rows that allow moving files.
func (a ACL) FileRows() ([]acl.FileRow, error) {
	out := make([]acl.FileRow, len(a.Files))
	for i, r := range a.Files {
		var err error
		if out[i], err = acl.ParseFileRow(r.Path, r.Action, acl.Account{User: r.User, Group: r.Group}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// check refuses a row that is none of its kind.
func (r Row) check(k Kind) error {
	as := acl.Account{User: r.User, Group: r.Group}
	var err error
	switch k {
	case KindCommand:
		_, err = acl.ParseCommandRow(r.Command, as)
	case KindFile:
		_, err = acl.ParseFileRow(r.Path, r.Action, as)
	case KindServer:
	}
	if wrong, ok := errors.AsType[acl.Error](err); ok {
		return ErrRule.In(wrong.Field).Saying("The field " + wrong.Error() + ".")
	}
	return err
}

// rule returns what a row says in one line, for events.
func (r Row) rule(k Kind) string {
	text := ""
	switch k {
	case KindCommand:
		text = r.Command
	case KindFile:
		text = r.Action + " " + r.Path
	case KindServer:
		text = r.Server.String()
	}
	if r.User != "" || r.Group != "" {
		text += " as " + r.User + ":" + r.Group
	}
	const most = 200
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}

// A Listed row is one with its token.
type Listed struct {
	Row

	Token id.ID[id.Token]
	Name  string // of the token
}

// Rows returns the rows of a kind of an owner's tokens, or of one of them (zero:
// all), by token and in the order of their making.
func (s *Service) Rows(ctx context.Context, by authz.Allowed, h Holder, k Kind, of id.ID[id.Token]) ([]Listed, error) {
	ws := by.Workspace()
	_, book, err := s.book(ctx, by, h)
	if err != nil {
		return nil, err
	}
	var items []table.Item
	if of.Zero() {
		items, err = s.store.Query(ctx, by, table.Query{Key: h.Family.BookKey(ws, h.ID), Prefix: rowsPrefix})
	} else if at := slices.IndexFunc(book, func(e entry) bool { return e.ID == of }); at >= 0 {
		items, err = s.store.Read(ctx, by, h.Family.rowsOf(ws, h.ID, book[at].Hash))
	}
	if err != nil {
		return nil, err
	}
	byKey := make(map[table.Key]table.Item, len(items))
	for _, item := range items {
		byKey[item.Key] = item
	}
	var out []Listed
	for _, e := range book {
		item, ok := byKey[h.Family.rowsOf(ws, h.ID, e.Hash)]
		if !ok {
			continue
		}
		rows, err := DecodeRows(item)
		if err != nil {
			return nil, err
		}
		for _, r := range rows.Rows(k) {
			out = append(out, Listed{Row: r, Token: e.ID, Name: e.Name})
		}
	}
	return out, nil
}

// MaxBulk is how many rows one request adds or takes away: they are one
// transaction, with an event each.
const MaxBulk = 80

// Add gives one of an owner's tokens rows of a kind, all or none. Servers must be
// ones that the actor sees.
func (s *Service) Add(ctx context.Context, by authz.Allowed, h Holder, of id.ID[id.Token], k Kind, rows []Row) ([]Listed, error) {
	now, who := s.store.Now(), by.Principal()
	for i, r := range rows {
		if err := r.check(k); err != nil {
			return nil, err
		}
		if k == KindServer {
			server, _, ok := who.Policy.Server(r.Server.UUID())
			if !ok || !authz.May(&who, permission.ReadServer, server.Object(), now) {
				return nil, ErrServer
			}
		}
		made, err := s.store.NewID()
		if err != nil {
			return nil, err
		}
		rows[i].ID = id.Of[id.Rule](made)
	}
	var out []Listed
	err := s.changeRows(ctx, by, h, of, func(e entry, a ACL) (ACL, []audit.Event, error) {
		out = nil
		var events []audit.Event
		have := slices.Clone(a.Rows(k))
		for _, r := range rows {
			same := func(other Row) bool { other.ID = r.ID; return other == r }
			if slices.ContainsFunc(have, same) {
				return ACL{}, nil, ErrRow
			}
			have = append(have, r)
			out = append(out, Listed{Row: r, Token: e.ID, Name: e.Name})
			events = append(events, s.about(by, h, audit.ACLAdded, e, k, r, "create", "A token got a rule."))
		}
		return a.with(k, have), events, nil
	})
	return out, err
}

// Remove takes one rule of a kind from a token of an owner: from whichever has it
// when of is zero.
func (s *Service) Remove(ctx context.Context, by authz.Allowed, h Holder, of id.ID[id.Token], k Kind, which id.ID[id.Rule]) error {
	all, err := s.Rows(ctx, by, h, k, of)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(l Listed) bool { return l.ID == which })
	if at < 0 {
		return ErrNoRow
	}
	return s.drop(ctx, by, h, all[at].Token, k, 1, ErrNoRow, func(r Row) bool { return r.ID == which })
}

// RemoveServers takes the rows of servers from a token, all or none.
func (s *Service) RemoveServers(ctx context.Context, by authz.Allowed, h Holder, of id.ID[id.Token], servers []id.ID[id.Server]) error {
	return s.drop(ctx, by, h, of, KindServer, len(servers), ErrServer.In("servers"), func(r Row) bool { return slices.Contains(servers, r.Server) })
}

// drop takes n rows away, or refuses when there are not as many.
func (s *Service) drop(ctx context.Context, by authz.Allowed, h Holder, of id.ID[id.Token], k Kind, n int, missing error, gone func(Row) bool) error {
	return s.changeRows(ctx, by, h, of, func(e entry, a ACL) (ACL, []audit.Event, error) {
		var events []audit.Event
		var left []Row
		for _, r := range a.Rows(k) {
			if !gone(r) {
				left = append(left, r)
				continue
			}
			events = append(events, s.about(by, h, audit.ACLRemoved, e, k, r, "delete", "A token lost a rule."))
		}
		if len(events) != n {
			return ACL{}, nil, missing
		}
		return a.with(k, left), events, nil
	})
}

func (s *Service) about(by authz.Allowed, h Holder, kind audit.Kind, e entry, k Kind, r Row, verb, text string) audit.Event {
	return h.event(by, kind, s.store.Now(), e.ID, e.Name, text).
		With(audit.ID("acl_id", r.ID.UUID()), audit.Text("kind", k.String()), audit.Text("rule", r.rule(k))).
		WithPath("security", k.String()+"_acl", verb)
}

// changeRows writes the changed rows of one of an owner's tokens.
func (s *Service) changeRows(ctx context.Context, by authz.Allowed, h Holder, of id.ID[id.Token], change func(entry, ACL) (ACL, []audit.Event, error)) error {
	ws := by.Workspace()
	return again(func() error {
		_, book, err := s.book(ctx, by, h)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(book, func(e entry) bool { return e.ID == of })
		if at < 0 {
			return ErrToken
		}
		place := h.Family.rowsOf(ws, h.ID, book[at].Hash)
		items, err := s.store.Read(ctx, by, h.Family.keyOf(ws, h.ID, book[at].Hash), place)
		if err != nil {
			return err
		}
		var item, rows table.Item
		for _, i := range items {
			if i.Key == place {
				rows = i
			} else {
				item = i
			}
		}
		if item.Version == 0 {
			return table.ErrTryAgain // it is being deleted
		}
		var had ACL
		if rows.Version > 0 {
			if had, err = DecodeRows(rows); err != nil {
				return err
			}
		}
		next, events, err := change(book[at], had)
		if err != nil {
			return err
		}
		op, err := s.saveRows(place, rows, next)
		if err != nil {
			return err
		}
		return s.store.Commit(ctx, by, table.Change{Events: events, Ops: append(slices.Clone(h.Rests), op, table.Unchanged(item).Else(table.ErrTryAgain))})
	})
}

// saveRows returns the operation that writes rows within their bounds.
func (s *Service) saveRows(key table.Key, read table.Item, a ACL) (table.Op, error) {
	if len(a.Commands)+len(a.Servers)+len(a.Files) > MaxRows {
		return table.Op{}, ErrRows
	}
	text, err := json.Marshal(a)
	if err != nil {
		return table.Op{}, err
	}
	if len(text) > maxStored {
		return table.Op{}, ErrRows
	}
	if read.Version > 0 {
		return table.Replace(read, a).Else(table.ErrTryAgain), nil
	}
	return table.Insert(key, a).Else(table.ErrTryAgain), nil
}
