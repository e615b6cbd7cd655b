package server

import (
	"context"
	"slices"
	"strings"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/table"
)

// A Note is what somebody wrote of a server. A private one is its author's
// alone.
type Note struct {
	ID      id.ID[id.Note]      `json:"id"`
	Server  id.ID[id.Server]    `json:"server"`
	Author  id.ID[id.Principal] `json:"author"`
	Content string              `json:"content"`
	Private bool                `json:"private,omitempty"`
	Pinned  bool                `json:"pinned,omitempty"`
	AddedAt time.Time           `json:"added_at"`
}

// Visible reports whether the note is there for somebody who may read the
// server's notes.
func (n Note) Visible(who id.ID[id.Principal]) bool { return !n.Private || n.Author == who }

const notePrefix = "note#"

// NoteKey places a note.
func NoteKey(ws id.ID[id.Workspace], of id.ID[id.Note]) table.Key {
	return table.Key{Table: table.Data, Kind: "H", Workspace: ws, SK: notePrefix + of.String()}
}

// DecodeNote reads the item of a note.
func DecodeNote(item table.Item) (n Note, err error) {
	err = table.Decode(item, &n)
	return n, err
}

func notes(ws id.ID[id.Workspace]) table.Query {
	return table.Query{Key: NoteKey(ws, id.ID[id.Note]{}), Prefix: notePrefix}
}

// Notes returns the notes of a workspace, the newest first.
func (s *Service) Notes(ctx context.Context, by authz.Allowed) ([]Note, error) {
	items, err := s.store.Query(ctx, by, notes(by.Workspace()))
	if err != nil {
		return nil, err
	}
	out := make([]Note, len(items))
	for i, item := range items {
		if out[i], err = DecodeNote(item); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b Note) int { return Newest(a.ID.UUID(), b.ID.UUID()) })
	return out, nil
}

// notesOf returns the items of a server's notes.
func (s *Service) notesOf(ctx context.Context, by authz.Allowed, of Server) ([]table.Item, error) {
	if of.Notes == 0 {
		return nil, nil
	}
	items, err := s.store.Query(ctx, by, notes(by.Workspace()))
	if err != nil {
		return nil, err
	}
	var out []table.Item
	for _, item := range items {
		n, err := DecodeNote(item)
		if err != nil {
			return nil, err
		}
		if n.Server == of.ID {
			out = append(out, item)
		}
	}
	return out, nil
}

// A NoteChange is what shall be different of a note; nil: as it is.
type NoteChange struct {
	Content         *string
	Private, Pinned *bool
}

func (c NoteChange) apply(n Note) (Note, error) {
	if c.Content != nil {
		n.Content = *c.Content
	}
	if c.Private != nil {
		n.Private = *c.Private
	}
	if c.Pinned != nil {
		n.Pinned = *c.Pinned
	}
	if strings.TrimSpace(n.Content) == "" || identity.CheckText("content", n.Content, maxNote, true) != nil {
		return n, ErrNote
	}
	return n, nil
}

// AddNote writes a note on a server.
func (s *Service) AddNote(ctx context.Context, by authz.Allowed, actor table.Item, on authz.Server, c NoteChange) (Note, error) {
	made, err := s.store.NewID()
	if err != nil {
		return Note{}, err
	}
	n, err := c.apply(Note{ID: id.Of[id.Note](made), Server: id.Of[id.Server](on.ID), Author: by.Principal().ID, AddedAt: s.store.Now()})
	if err != nil {
		return Note{}, err
	}
	item, kept, err := s.kept(ctx, by, n.Server)
	if err != nil {
		return Note{}, err
	}
	total, err := s.store.Size(ctx, by, notes(by.Workspace()))
	if err != nil {
		return Note{}, err
	}
	if kept.Notes >= MaxNotes || total >= MaxWorkspaceNotes {
		return Note{}, ErrManyNotes
	}
	kept.Notes++
	return n, s.store.Commit(ctx, by, table.Change{
		Events: []audit.Event{s.aboutNote(by, audit.ServerNoteCreated, on, n, "A note on a server was made.")},
		Ops: []table.Op{
			table.Insert(NoteKey(by.Workspace(), n.ID), n).Else(table.ErrTryAgain), table.Replace(item, kept).Else(table.ErrTryAgain),
			table.Unchanged(actor).Else(table.ErrTryAgain),
		},
	})
}

// kept returns the item of a server, ErrNoServer when there is none.
func (s *Service) kept(ctx context.Context, by authz.Allowed, of id.ID[id.Server]) (table.Item, Server, error) {
	item, ok, err := s.store.One(ctx, by, Key(by.Workspace(), of))
	if err != nil {
		return table.Item{}, Server{}, err
	}
	if !ok {
		return table.Item{}, Server{}, ErrNoServer
	}
	kept, err := Decode(item)
	return item, kept, err
}

// ChangeNote changes a note. Whether it is private is its author's to say.
func (s *Service) ChangeNote(ctx context.Context, by authz.Allowed, actor, item table.Item, on authz.Server, c NoteChange) (Note, error) {
	was, err := DecodeNote(item)
	if err != nil {
		return Note{}, err
	}
	n, err := c.apply(was)
	if err != nil {
		return Note{}, err
	}
	if n == was {
		return n, nil
	}
	if n.Private != was.Private && n.Author != by.Principal().ID {
		return Note{}, identity.ErrReadOnly.In("private")
	}
	e := s.aboutNote(by, audit.ServerNoteUpdated, on, n, "A note on a server was changed.").With(audit.Flag("content_changed", n.Content != was.Content))
	for _, f := range []struct {
		path     string
		was, now bool
	}{{"private", was.Private, n.Private}, {"pinned", was.Pinned, n.Pinned}} {
		if f.was != f.now {
			e = e.WithChange(f.path, yes(f.was), yes(f.now))
		}
	}
	return n, s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: []table.Op{
		table.Replace(item, n).Else(table.ErrTryAgain), table.Unchanged(actor).Else(table.ErrTryAgain),
	}})
}

func yes(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// DeleteNote takes a note away.
func (s *Service) DeleteNote(ctx context.Context, by authz.Allowed, actor, item table.Item, on authz.Server) error {
	n, err := DecodeNote(item)
	if err != nil {
		return err
	}
	place, kept, err := s.kept(ctx, by, n.Server)
	if err != nil {
		return err
	}
	kept.Notes--
	return s.store.Commit(ctx, by, table.Change{
		Events: []audit.Event{s.aboutNote(by, audit.ServerNoteDeleted, on, n, "A note on a server was removed.")},
		Ops: []table.Op{
			table.Remove(item).Else(table.ErrTryAgain), table.Replace(place, kept).Else(table.ErrTryAgain), table.Unchanged(actor).Else(table.ErrTryAgain),
		},
	})
}

func (s *Service) aboutNote(by authz.Allowed, kind audit.Kind, on authz.Server, n Note, text string) audit.Event {
	return s.about(by, kind, on, text).With(audit.ID("note_id", n.ID.UUID()), audit.Flag("private", n.Private))
}
