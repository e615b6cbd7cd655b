package server

import (
	"context"
	"fmt"
	"slices"

	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/policy"
	"paddock/shared/table"
)

// A Noted is a note as lists find it: all that says who sees it, and not what it
// says. The notes themselves are read a page at a time.
type Noted struct {
	ID      id.ID[id.Note]      `json:"id"`
	Server  id.ID[id.Server]    `json:"server"`
	Author  id.ID[id.Principal] `json:"author"`
	Private bool                `json:"private,omitempty"`
	Pinned  bool                `json:"pinned,omitempty"`
}

// Visible reports whether the note is there for somebody who may read the
// server's notes.
func (n Noted) Visible(who id.ID[id.Principal]) bool { return !n.Private || n.Author == who }

func (n Note) noted() Noted {
	return Noted{ID: n.ID, Server: n.Server, Author: n.Author, Private: n.Private, Pinned: n.Pinned}
}

const (
	notedPrefix = "notes#"
	// spread is over how many items the list of a workspace's notes lies.
	spread = 64
	// maxNoted bounds the rows of one, well below what an item may hold.
	maxNoted = 1_500
)

// notedKey places the list of notes that those of a server are on: identifiers
// end in random bits.
func notedKey(ws id.ID[id.Workspace], of id.ID[id.Server]) table.Key {
	last := of.UUID()[15] % spread
	return table.Key{Table: table.Data, Kind: "H", Workspace: ws, SK: fmt.Sprintf("%s%02d", notedPrefix, last)}
}

func decodeNoted(item table.Item) (rows []Noted, err error) {
	if item.Version == 0 {
		return nil, nil
	}
	err = table.Decode(item, &rows)
	return rows, err
}

// Noted returns the notes of a workspace as lists find them, the newest first:
// of one server, or with the zero id of all.
func (s *Service) Noted(ctx context.Context, by authz.Allowed, of id.ID[id.Server]) ([]Noted, error) {
	var items []table.Item
	var err error
	if of.Zero() {
		items, err = s.store.Query(ctx, by, table.Query{Key: notedKey(by.Workspace(), of), Prefix: notedPrefix})
	} else {
		items, err = s.store.Read(ctx, by, notedKey(by.Workspace(), of))
	}
	if err != nil {
		return nil, err
	}
	var out []Noted
	for _, item := range items {
		rows, err := decodeNoted(item)
		if err != nil {
			return nil, err
		}
		for _, n := range rows {
			if of.Zero() || n.Server == of {
				out = append(out, n)
			}
		}
	}
	slices.SortFunc(out, func(a, b Noted) int { return Newest(a.ID.UUID(), b.ID.UUID()) })
	return out, nil
}

// Notes returns notes by id, in the order asked; ids without note are left out.
func (s *Service) Notes(ctx context.Context, by authz.Allowed, ids []id.ID[id.Note]) ([]Note, error) {
	keys := make([]table.Key, len(ids))
	for i, one := range ids {
		keys[i] = NoteKey(by.Workspace(), one)
	}
	return table.All[Note](ctx, s.store, by, keys)
}

// room refuses a note of an author that a server or the workspace has no room
// for, among all that there are.
func room(all []Noted, n Note) error {
	shared, own := 0, 0
	for _, o := range all {
		switch {
		case o.Server != n.Server:
		case !o.Private:
			shared++
		case o.Author == n.Author:
			own++
		}
	}
	if len(all) >= MaxWorkspaceNotes || n.Private && own >= MaxPrivateNotes || !n.Private && shared >= MaxNotes {
		return ErrManyNotes
	}
	return nil
}

// relist returns the operation that puts a changed list in the place of the one
// that was read.
func relist(key table.Key, read table.Item, rows []Noted) (table.Op, error) {
	if len(rows) > maxNoted {
		return table.Op{}, ErrManyNotes
	}
	if read.Version == 0 {
		return table.Insert(key, rows).Else(policy.ErrMoved), nil
	}
	return table.Replace(read, rows).Else(policy.ErrMoved), nil
}

// list returns the operation that puts a note on its list, or takes it off.
func (s *Service) list(ctx context.Context, by authz.Allowed, n Note, there bool) (table.Op, error) {
	key := notedKey(by.Workspace(), n.Server)
	item, _, err := s.store.One(ctx, by, key)
	if err != nil {
		return table.Op{}, err
	}
	rows, err := decodeNoted(item)
	if err != nil {
		return table.Op{}, err
	}
	rows = slices.DeleteFunc(rows, func(o Noted) bool { return o.ID == n.ID })
	if there {
		rows = append(rows, n.noted())
	}
	return relist(key, item, rows)
}

// maxTaken is how many notes go with a server, in its one transaction. Others are
// private ones: off the list, of no server, and seen by nobody.
const maxTaken = 50

// takeNotes returns the operations that take the notes of a server away.
func (s *Service) takeNotes(ctx context.Context, by authz.Allowed, of id.ID[id.Server]) ([]table.Op, error) {
	key := notedKey(by.Workspace(), of)
	item, _, err := s.store.One(ctx, by, key)
	if err != nil {
		return nil, err
	}
	rows, err := decodeNoted(item)
	if err != nil {
		return nil, err
	}
	var keys []table.Key
	others := make([]Noted, 0, len(rows))
	for _, n := range rows {
		switch {
		case n.Server != of:
			others = append(others, n)
		case !n.Private:
			keys = slices.Insert(keys, 0, NoteKey(by.Workspace(), n.ID))
		default:
			keys = append(keys, NoteKey(by.Workspace(), n.ID))
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	op, err := relist(key, item, others)
	if err != nil {
		return nil, err
	}
	notes, err := s.store.Read(ctx, by, keys[:min(maxTaken, len(keys))]...)
	if err != nil {
		return nil, err
	}
	ops := []table.Op{op}
	for _, n := range notes {
		ops = append(ops, table.Remove(n).Else(policy.ErrMoved))
	}
	return ops, nil
}
