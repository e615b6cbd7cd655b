package server

import (
	"context"
	"strings"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
	"paddock/shared/policy"
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

// AddNote writes a note on a server. keep returns what is stored beside it.
func (s *Service) AddNote(ctx context.Context, by authz.Allowed, actor table.Item, on authz.Server, c NoteChange, keep func(Note) ([]table.Op, error)) (Note, error) {
	made, err := s.store.NewID()
	if err != nil {
		return Note{}, err
	}
	n, err := c.apply(Note{ID: id.Of[id.Note](made), Server: id.Of[id.Server](on.ID), Author: by.Principal().ID, AddedAt: s.store.Now()})
	if err != nil {
		return Note{}, err
	}
	return n, s.noting(ctx, by, actor, permission.CreateNote, on.ID, func(on authz.Server) (table.Change, error) {
		all, err := s.Noted(ctx, by, id.ID[id.Server]{})
		if err != nil {
			return table.Change{}, err
		}
		if err := room(all, n); err != nil {
			return table.Change{}, err
		}
		listed, err := s.list(ctx, by, n, true)
		if err != nil {
			return table.Change{}, err
		}
		kept, err := keep(n)
		return table.Change{
			Events: []audit.Event{s.aboutNote(by, audit.ServerNoteCreated, on, n, "A note on a server was made.")},
			Ops:    append(kept, table.Insert(NoteKey(by.Workspace(), n.ID), n).Else(table.ErrTryAgain), listed),
		}, err
	})
}

// noting commits what change returns, under the policy by which the actor may do
// it to the notes of the server.
func (s *Service) noting(ctx context.Context, by authz.Allowed, actor table.Item, what permission.Permission, of id.UUID, change func(authz.Server) (table.Change, error)) error {
	return s.policies.Change(ctx, by, func(e *policy.Edit) (table.Change, error) {
		on, _, ok := e.Before.Server(of)
		if !ok {
			return table.Change{}, ErrGone
		}
		if !authz.May(e.Actor(by), what, on.Object(), s.store.Now()) {
			return table.Change{}, authz.ErrDenied
		}
		c, err := change(*on)
		if len(c.Events) > 0 {
			c.Ops = append(append(c.Ops, e.Hold()...), table.Unchanged(actor).Else(table.ErrTryAgain))
		}
		return c, err
	})
}

// ChangeNote changes a note. What it says, and whether it is private, is its
// author's to say; others pin it.
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
	if n.Author != by.Principal().ID {
		if n.Content != was.Content {
			return Note{}, identity.ErrReadOnly.In("content")
		}
		if n.Private != was.Private {
			return Note{}, identity.ErrReadOnly.In("private")
		}
	}
	return n, s.noting(ctx, by, actor, permission.UpdateNote, on.ID, func(on authz.Server) (table.Change, error) {
		ops := []table.Op{table.Replace(item, n).Else(table.ErrTryAgain)}
		if n.noted() != was.noted() {
			if n.Private != was.Private {
				all, err := s.Noted(ctx, by, n.Server)
				if err != nil {
					return table.Change{}, err
				}
				if err := room(all, n); err != nil {
					return table.Change{}, err
				}
			}
			listed, err := s.list(ctx, by, n, true)
			if err != nil {
				return table.Change{}, err
			}
			ops = append(ops, listed)
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
		return table.Change{Events: []audit.Event{e}, Ops: ops}, nil
	})
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
	return s.noting(ctx, by, actor, permission.DeleteNote, on.ID, func(on authz.Server) (table.Change, error) {
		listed, err := s.list(ctx, by, n, false)
		return table.Change{
			Events: []audit.Event{s.aboutNote(by, audit.ServerNoteDeleted, on, n, "A note on a server was removed.")},
			Ops:    []table.Op{table.Remove(item).Else(table.ErrTryAgain), listed},
		}, err
	})
}

func (s *Service) aboutNote(by authz.Allowed, kind audit.Kind, on authz.Server, n Note, text string) audit.Event {
	return s.about(by, kind, on, text).With(audit.ID("note_id", n.ID.UUID()), audit.Flag("private", n.Private))
}
