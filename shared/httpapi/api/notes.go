package api

import (
	"net/http"
	"slices"
	"time"

	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
	"paddock/shared/server"
	"paddock/shared/table"
)

func (f *Face) noteBindings() []*httpapi.Binding {
	const get, post, patch, ok = http.MethodGet, http.MethodPost, http.MethodPatch, http.StatusOK
	return []*httpapi.Binding{
		httpapi.Answer(get, "/api/servers/notes/", ok, f.listNotes).Summed("List the notes on servers that the caller may see, the newest first.").Refuses(&errFilter, &errOrdering),
		httpapi.Create(post, "/api/servers/notes/", http.StatusCreated, f.addNote).Summed("Write a note on a server.").Refuses(&server.ErrNote, &server.ErrManyNotes, &server.ErrNoServer, &server.ErrGone),
		httpapi.Answer(get, "/api/servers/notes/{id}/", ok, f.showNote).Summed("Show one note."),
		httpapi.Answer(patch, "/api/servers/notes/{id}/", ok, f.patchNote).Summed("Change a note: what it says and whether it is private, only its author.").Refuses(&server.ErrNote, &server.ErrManyNotes, &identity.ErrReadOnly),
		httpapi.Answer(http.MethodDelete, "/api/servers/notes/{id}/", http.StatusNoContent, f.deleteNote).Summed("Remove a note.").Refuses(&server.ErrNoServer),
	}
}

// Refusals of lists of notes.
var (
	errFilter   = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "The value is true or false.", Source: "pinned"}
	errOrdering = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "The order is added_at or -added_at.", Source: "ordering"}
)

// NoteDocument is a note on the wire. Source: alpacon-wire 4.3.
type NoteDocument struct {
	ID      id.ID[id.Note] `json:"id"`
	Server  ServerBrief    `json:"server"`
	Author  Brief          `json:"author"`
	Content string         `json:"content"`
	Private bool           `json:"private"`
	Pinned  bool           `json:"pinned"`
	AddedAt time.Time      `json:"added_at"`
}

// NotesQuery narrows the list of notes.
type NotesQuery struct {
	// Server narrows the list by id.
	Server *string `query:"server,omitempty"`
	Pinned *string `query:"pinned,omitempty" jsonschema:"enum=true,enum=false"`
	// Ordering is -added_at, the newest first, or added_at.
	Ordering *string `query:"ordering,omitempty" jsonschema:"enum=-added_at,enum=added_at"`
	httpapi.PageQuery
}

func (f *Face) listNotes(c httpapi.Call, in NotesQuery) (httpapi.Page[NoteDocument], error) {
	none := httpapi.Page[NoteDocument]{}
	if in.Pinned != nil && *in.Pinned != "true" && *in.Pinned != "false" {
		return none, errFilter
	}
	if in.Ordering != nil && *in.Ordering != "-added_at" && *in.Ordering != "added_at" {
		return none, errOrdering
	}
	var on id.ID[id.Server]
	if in.Server != nil {
		var err error
		if on, err = id.Parse[id.Server](*in.Server); err != nil {
			return httpapi.Cut([]server.Noted{}, in.Window(), func(server.Noted) NoteDocument { return NoteDocument{} }), nil //nolint:nilerr // what is no id names no server
		}
	}
	all, err := f.servers.Noted(c.Context(), c.Allowed, on)
	if err != nil {
		return none, err
	}
	who := c.Principal()
	may := who.Effective(c.Now())
	all = slices.DeleteFunc(all, func(n server.Noted) bool {
		_, at, ok := c.Who.Policy.Server(n.Server.UUID())
		return !ok || !may.Server(permission.ReadNote, at) || !n.Visible(c.Who.User.ID) || in.Pinned != nil && n.Pinned != (*in.Pinned == "true")
	})
	if in.Ordering != nil && *in.Ordering == "added_at" {
		slices.Reverse(all)
	}
	page := httpapi.Cut(all, in.Window(), func(n server.Noted) id.ID[id.Note] { return n.ID })
	notes, err := f.servers.Notes(c.Context(), c.Allowed, page.Results)
	if err != nil {
		return none, err
	}
	out := httpapi.Page[NoteDocument]{Count: page.Count, Current: page.Current, Next: page.Next, Previous: page.Previous, Last: page.Last}
	out.Results, err = f.noteDocuments(c, notes)
	return out, err
}

func (f *Face) noteDocuments(c httpapi.Call, all []server.Note) ([]NoteDocument, error) {
	var people []id.UUID
	for _, n := range all {
		people = append(people, n.Author.UUID())
	}
	named, err := f.namesFor(c, people)
	if err != nil {
		return nil, err
	}
	out := make([]NoteDocument, 0, len(all))
	for _, n := range all {
		d := NoteDocument{ID: n.ID, Server: ServerBrief{ID: n.Server.String()}, Author: named(n.Author.UUID()), Content: n.Content, Private: n.Private, Pinned: n.Pinned, AddedAt: n.AddedAt}
		if s, _, ok := c.Who.Policy.Server(n.Server.UUID()); ok {
			d.Server.Name = s.Name
		}
		out = append(out, d)
	}
	return out, nil
}

func (f *Face) noteDocument(c httpapi.Call, n server.Note) (NoteDocument, error) {
	all, err := f.noteDocuments(c, []server.Note{n})
	if err != nil {
		return NoteDocument{}, err
	}
	return all[0], nil
}

// NewNote is the body of a new note. Source: alpacon-wire 4.3.
type NewNote struct {
	Server  id.ID[id.Server] `json:"server"`
	Content string           `json:"content" jsonschema:"minLength=1,maxLength=2000"`
	Private bool             `json:"private,omitempty"`
	Pinned  bool             `json:"pinned,omitempty"`
}

func (f *Face) addNote(c httpapi.Call, in NewNote, keep httpapi.Keep[NoteDocument]) (NoteDocument, error) {
	o := authz.Object{ID: in.Server.UUID()}
	s, _, there := c.Who.Policy.Server(in.Server.UUID())
	if there {
		o = s.Object()
	}
	allowed, err := c.Decide(permission.CreateNote, o)
	if err != nil {
		return NoteDocument{}, err
	}
	if !there {
		return NoteDocument{}, server.ErrNoServer
	}
	var d NoteDocument
	change := server.NoteChange{Content: &in.Content, Private: &in.Private, Pinned: &in.Pinned}
	_, err = f.servers.AddNote(c.Context(), allowed, c.Who.UserItem, *s, change, func(n server.Note) ([]table.Op, error) {
		var err error
		if d, err = f.noteDocument(c, n); err != nil {
			return nil, err
		}
		return keep(d)
	})
	return d, err
}

// noteOf returns the note that a path names, with its server.
func noteOf(c httpapi.Call) (server.Note, authz.Server, error) {
	item, err := c.Item()
	if err != nil {
		return server.Note{}, authz.Server{}, err
	}
	n, err := server.DecodeNote(item)
	if err != nil {
		return server.Note{}, authz.Server{}, err
	}
	s, _, ok := c.Who.Policy.Server(n.Server.UUID())
	if !ok {
		return server.Note{}, authz.Server{}, server.ErrGone
	}
	return n, *s, nil
}

func (f *Face) showNote(c httpapi.Call, _ httpapi.None) (NoteDocument, error) {
	n, _, err := noteOf(c)
	if err != nil {
		return NoteDocument{}, err
	}
	return f.noteDocument(c, n)
}

// NotePatch is a change of a note. Clients send the whole document back: a
// field that cannot be changed is refused by name when its value differs.
type NotePatch struct {
	Content *string    `json:"content,omitempty" jsonschema:"minLength=1,maxLength=2000"`
	Private *bool      `json:"private,omitempty"`
	Pinned  *bool      `json:"pinned,omitempty"`
	ID      *string    `json:"id,omitempty"`
	Server  *ServerRef `json:"server,omitempty"`
	Author  *UserRef   `json:"author,omitempty"`
	AddedAt *time.Time `json:"added_at,omitempty"`
}

func (in NotePatch) fixed(n server.Note) error {
	for _, field := range []struct {
		name   string
		differ bool
	}{
		{"id", in.ID != nil && *in.ID != n.ID.String()},
		{"server", in.Server != nil && in.Server.ID != n.Server},
		{"author", in.Author != nil && in.Author.ID != n.Author},
		{"added_at", in.AddedAt != nil && !in.AddedAt.Equal(n.AddedAt)},
	} {
		if field.differ {
			return identity.ErrReadOnly.In(field.name)
		}
	}
	return nil
}

func (f *Face) patchNote(c httpapi.Call, in NotePatch) (NoteDocument, error) {
	n, s, err := noteOf(c)
	if err != nil {
		return NoteDocument{}, err
	}
	if err := in.fixed(n); err != nil {
		return NoteDocument{}, err
	}
	item, err := c.Item()
	if err != nil {
		return NoteDocument{}, err
	}
	n, err = f.servers.ChangeNote(c.Context(), c.Allowed, c.Who.UserItem, item, s, server.NoteChange{Content: in.Content, Private: in.Private, Pinned: in.Pinned})
	if err != nil {
		return NoteDocument{}, err
	}
	return f.noteDocument(c, n)
}

func (f *Face) deleteNote(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	_, s, err := noteOf(c)
	if err != nil {
		return httpapi.None{}, err
	}
	item, err := c.Item()
	if err != nil {
		return httpapi.None{}, err
	}
	return httpapi.None{}, f.servers.DeleteNote(c.Context(), c.Allowed, c.Who.UserItem, item, s)
}
