package audit

import (
	"encoding/binary"
	"errors"
	"slices"

	"paddock/shared/id"
)

// The stored form of an event is canonical: two different texts never decode
// to the same event.
//
//	version       1 byte, 1
//	code          2 bytes big-endian number, 1 byte letter
//	uid           16 bytes
//	time          milliseconds since 1970, uvarint
//	outcome       1 byte
//	presence      4 bytes little-endian, a bit for each part below in the
//	              order of writer.envelope; absent parts take no bytes
//	parts         text: uvarint length and UTF-8; list: uvarint count and
//	              texts; number: zigzag varint; id: 16 bytes; a group of
//	              parts (actor, source, …): presence of 2 bytes and its parts;
//	              user agent: length in 2 bytes big-endian and its packed form
//
// New parts are added at the end, so that older events keep their meaning. The
// workspace is not in it: it is in the key and the AAD of the sealed item.
const version = 1

// Errors of encoding.
var (
	// ErrNoUID is returned for an event that the commit gave no identifier.
	ErrNoUID = errors.New("audit: the event has no uid")
	// ErrTooLarge is returned for an event of more than MaxEncoded bytes.
	ErrTooLarge = errors.New("audit: the encoded event is too large")
)

// AppendEncode appends the stored form of e to dst. It fails, and returns dst
// as it was, with a *Violation, ErrNoUID or ErrTooLarge. It allocates nothing
// but what dst needs to grow.
func (e *Event) AppendEncode(dst []byte) ([]byte, error) {
	if err := e.Check(); err != nil {
		return dst, err
	}
	if e.UID.Zero() {
		return dst, ErrNoUID
	}
	w := writer{b: dst}
	w.envelope(e)
	if len(w.b)-len(dst) > MaxEncoded {
		return dst, ErrTooLarge
	}
	return w.b, nil
}

// AppendEncode appends the stored form of e to dst; see Event.AppendEncode.
func AppendEncode(dst []byte, e Event) ([]byte, error) { return e.AppendEncode(dst) }

// A writer appends parts. A group is a set of optional parts under one
// presence mask, written in a fixed order.
type writer struct{ b []byte }

type group struct {
	at   int    // offset of the mask
	next uint   // bit of the next part
	mask uint32 // parts present so far
}

// present claims the next bit and reports whether the part follows.
func (g *group) present(is bool) bool {
	if is {
		g.mask |= 1 << g.next
	}
	g.next++
	return is
}

func (w *writer) envelope(e *Event) {
	code := e.Kind.Code()
	number := uint16(code[2]-'0')*1000 + uint16(code[3]-'0')*100 + uint16(code[4]-'0')*10 + uint16(code[5]-'0')
	w.b = append(w.b, version, byte(number>>8), byte(number), code[6])
	w.b = append(w.b, e.UID[:]...)
	w.b = binary.AppendUvarint(w.b, uint64(e.Time.UnixMilli()))
	w.b = append(w.b, byte(e.Outcome))

	top := group{at: len(w.b)}
	w.b = append(w.b, 0, 0, 0, 0)
	if top.present(!e.RecordedAt.IsZero()) {
		w.b = binary.AppendUvarint(w.b, uint64(e.RecordedAt.UnixMilli()))
	}
	w.actor(&top, &e.Actor)
	w.auth(&top, &e.Auth)
	w.source(&top, &e.Source)
	w.target(&top, &e.Target)
	w.uuid(&top, e.Subject)
	w.decision(&top, &e.Decision)
	w.uuid(&top, e.WorkSessionID)
	w.uuid(&top, e.ApprovalID)
	w.uuid(&top, e.GrantID)
	w.uuid(&top, e.CauseUID)
	w.text(&top, e.RequestID)
	w.http(&top, &e.HTTP)
	w.text(&top, e.App)
	w.text(&top, e.Model)
	w.text(&top, e.Action)
	w.text(&top, e.Description)
	w.text(&top, e.Reason)
	if top.present(len(e.Changes) > 0) {
		w.changes(e.Changes)
	}
	if top.present(len(e.Fields) > 0) {
		w.fields(e.Kind, e.Fields)
	}
	if top.present(e.DetailHash != [32]byte{}) {
		w.b = append(w.b, e.DetailHash[:]...)
	}
	top.present(e.Privileged)
	binary.LittleEndian.PutUint32(w.b[top.at:], top.mask)
}

func (w *writer) actor(top *group, a *Actor) {
	g := w.open()
	w.number(&g, int64(a.Type))
	w.uuid(&g, a.ID)
	w.text(&g, a.Username)
	w.text(&g, a.Display)
	w.text(&g, a.RoleSetting)
	w.uuid(&g, a.OnBehalfOf)
	w.uuid(&g, a.SessionID)
	w.uuid(&g, a.TokenID)
	w.uuid(&g, a.ApplicationID)
	w.uuid(&g, a.DeviceID)
	w.close(top, g)
}

func (w *writer) auth(top *group, a *Auth) {
	g := w.open()
	w.text(&g, a.Method)
	w.list(&g, a.Factors)
	w.number(&g, int64(a.MFAAge/1e9))
	w.uuid(&g, a.ProofID)
	w.close(top, g)
}

func (w *writer) source(top *group, s *Source) {
	g := w.open()
	if g.present(s.IP.IsValid()) {
		if s.IP.Is4() {
			ip := s.IP.As4()
			w.b = append(append(w.b, 4), ip[:]...)
		} else {
			ip := s.IP.As16()
			w.b = append(append(w.b, 16), ip[:]...)
		}
	}
	w.text(&g, s.NetworkLabel)
	if g.present(s.UserAgent != "") {
		at := len(w.b)
		w.b = appendAgent(append(w.b, 0, 0), s.UserAgent)
		binary.BigEndian.PutUint16(w.b[at:], uint16(len(w.b)-at-2))
	}
	w.text(&g, s.ClientType)
	w.text(&g, s.CLIVersion)
	w.close(top, g)
}

func (w *writer) target(top *group, t *Target) {
	g := w.open()
	w.text(&g, t.Type)
	w.uuid(&g, t.ID)
	w.text(&g, t.Name)
	w.close(top, g)
}

func (w *writer) decision(top *group, d *Decision) {
	g := w.open()
	w.uuid(&g, d.ID)
	w.number(&g, int64(d.Effect))
	w.list(&g, d.Grants)
	w.text(&g, d.FailingCondition)
	w.close(top, g)
}

func (w *writer) http(top *group, h *HTTP) {
	g := w.open()
	w.text(&g, h.Method)
	w.text(&g, h.Route)
	w.number(&g, int64(h.Status))
	w.close(top, g)
}

func (w *writer) changes(changes []Change) {
	w.b = binary.AppendUvarint(w.b, uint64(len(changes)))
	for i := range changes {
		w.b = appendText(w.b, changes[i].Path)
		w.b = appendText(w.b, changes[i].Before)
		w.b = appendText(w.b, changes[i].After)
	}
}

// fields writes each field as one byte, its place in the contract times eight
// plus its type, and its value. Contracts only grow at their end, so a place
// keeps its meaning.
func (w *writer) fields(kind Kind, fields []Field) {
	rules := kind.contract().fields
	w.b = binary.AppendUvarint(w.b, uint64(len(fields)))
	for i := range fields {
		f := &fields[i]
		w.b = append(w.b, byte(place(rules, f.name)<<3)|byte(f.typ))
		switch f.typ {
		case TextField:
			w.b = appendText(w.b, f.text)
		case NumberField, InstantField:
			w.b = binary.AppendVarint(w.b, f.number)
		case FlagField:
			w.b = append(w.b, byte(f.number))
		case ListField:
			w.b = binary.AppendUvarint(w.b, uint64(len(f.list)))
			for _, s := range f.list {
				w.b = appendText(w.b, s)
			}
		case IDField:
			w.b = append(w.b, f.uuid[:]...)
		case ChangeField:
			// Check refuses a Field of this type.
		}
	}
}

func (w *writer) open() group {
	g := group{at: len(w.b)}
	w.b = append(w.b, 0, 0)
	return g
}

// close writes the mask of g, or takes g back when nothing was present.
func (w *writer) close(top *group, g group) {
	if !top.present(g.mask != 0) {
		w.b = w.b[:g.at]
		return
	}
	binary.LittleEndian.PutUint16(w.b[g.at:], uint16(g.mask))
}

func (w *writer) text(g *group, s string) {
	if g.present(s != "") {
		w.b = appendText(w.b, s)
	}
}

func (w *writer) number(g *group, n int64) {
	if g.present(n != 0) {
		w.b = binary.AppendVarint(w.b, n)
	}
}

func (w *writer) uuid(g *group, u id.UUID) {
	if g.present(!u.Zero()) {
		w.b = append(w.b, u[:]...)
	}
}

func (w *writer) list(g *group, list []string) {
	if g.present(len(list) > 0) {
		w.b = binary.AppendUvarint(w.b, uint64(len(list)))
		for _, s := range list {
			w.b = appendText(w.b, s)
		}
	}
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// Encode is AppendEncode into a new slice of the right size for most events.
func Encode(e Event) ([]byte, error) {
	b, err := e.AppendEncode(make([]byte, 0, 512))
	if err != nil {
		return nil, err
	}
	return slices.Clip(b), nil
}
