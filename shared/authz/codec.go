package authz

import (
	"encoding/binary"
	"errors"
	"time"

	"paddock/shared/id"
	"paddock/shared/pattern"
	"paddock/shared/permission"
)

// ErrChunk is returned for bytes that are no chunk of a policy.
var ErrChunk = errors.New("authz: not a chunk of a policy")

// A Chunk is a part of a policy as it is stored: rows of all kinds, in any
// order. The format is compact and needs no look-up to be read: a byte that
// tells the format, then rows, each a byte that tells its kind and its fields
// one after the other.
type Chunk struct {
	Roles       []Role
	Groups      []Group
	Servers     []Server
	Assignments []Assignment
}

const chunkFormat = 1

const (
	roleRow byte = iota + 1
	groupRow
	serverRow
	assignmentRow
)

// Append appends the stored form of c.
func (c *Chunk) Append(b []byte) []byte {
	b = append(b, chunkFormat)
	for i := range c.Roles {
		r := &c.Roles[i]
		b = appendText(appendID(append(b, roleRow), r.ID), r.Name)
		b = appendSet(b, r.Permissions)
		b = appendNames(appendIDs(b, r.Scope.Objects), r.Scope.Names)
	}
	for i := range c.Groups {
		g := &c.Groups[i]
		b = appendText(appendID(append(b, groupRow), g.ID), g.Name)
		b = append(appendIDs(b, g.Roles), byte(g.Access))
		b = appendNames(appendIDs(b, g.Servers), g.Names)
	}
	for i := range c.Servers {
		s := &c.Servers[i]
		b = appendText(appendID(append(b, serverRow), s.ID), s.Name)
		b = appendIDs(appendID(b, s.Owner), s.Managers)
	}
	for i := range c.Assignments {
		a := &c.Assignments[i]
		b = appendID(appendID(append(b, assignmentRow), a.ID), a.Subject)
		flag := byte(0)
		if a.Group {
			flag = 1
		}
		b = appendText(appendID(append(b, flag, byte(a.Access)), a.Server), a.Name.String())
		b = appendTime(b, a.Until)
	}
	return b
}

func appendID(b []byte, u id.UUID) []byte { return append(b, u[:]...) }

func appendIDs(b []byte, ids []id.UUID) []byte {
	b = binary.AppendUvarint(b, uint64(len(ids)))
	for _, u := range ids {
		b = appendID(b, u)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendNames(b []byte, names []pattern.Pattern) []byte {
	b = binary.AppendUvarint(b, uint64(len(names)))
	for _, n := range names {
		b = appendText(b, n.String())
	}
	return b
}

func appendSet(b []byte, s permission.Set) []byte {
	for _, w := range s {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return b
}

// appendTime appends an instant in nanoseconds since 1970, 0 for none.
func appendTime(b []byte, at time.Time) []byte {
	if at.IsZero() {
		return binary.AppendVarint(b, 0)
	}
	return binary.AppendVarint(b, at.UnixNano())
}

// Read adds the rows of a stored chunk to c. The text of rows shares one copy
// of the bytes.
func (c *Chunk) Read(stored []byte) error {
	d := decoder{b: stored, text: string(stored)}
	if d.byte() != chunkFormat {
		return ErrChunk
	}
	for !d.bad && d.at < len(d.b) {
		switch d.byte() {
		case roleRow:
			r := Role{ID: d.id(), Name: d.string(), Permissions: d.set()}
			r.Scope = Scope{Objects: d.ids(), Names: d.names()}
			c.Roles = append(c.Roles, r)
		case groupRow:
			g := Group{ID: d.id(), Name: d.string(), Roles: d.ids(), Access: Access(d.byte())}
			g.Servers, g.Names = d.ids(), d.names()
			c.Groups = append(c.Groups, g)
		case serverRow:
			c.Servers = append(c.Servers, Server{ID: d.id(), Name: d.string(), Owner: d.id(), Managers: d.ids()})
		case assignmentRow:
			a := Assignment{ID: d.id(), Subject: d.id(), Group: d.byte() == 1, Access: Access(d.byte()), Server: d.id()}
			if text := d.string(); text != "" {
				a.Name = d.pattern(text)
			}
			a.Until = d.time()
			c.Assignments = append(c.Assignments, a)
		default:
			d.bad = true
		}
	}
	if d.bad {
		return ErrChunk
	}
	return nil
}

// A decoder reads fields; after the first that is not there it is bad, and
// everything it reads is zero.
type decoder struct {
	b    []byte
	text string
	at   int
	bad  bool
}

func (d *decoder) take(n int) int {
	if d.bad || n < 0 || n > len(d.b)-d.at {
		d.bad = true
		return -1
	}
	at := d.at
	d.at += n
	return at
}

func (d *decoder) byte() byte {
	if at := d.take(1); at >= 0 {
		return d.b[at]
	}
	return 0
}

func (d *decoder) id() (u id.UUID) {
	if at := d.take(len(u)); at >= 0 {
		copy(u[:], d.b[at:])
	}
	return u
}

func (d *decoder) count(size int) int {
	if d.bad {
		return 0
	}
	n, used := binary.Uvarint(d.b[d.at:])
	if used <= 0 || n > uint64(len(d.b)-d.at)/uint64(size) {
		d.bad = true
		return 0
	}
	d.at += used
	return int(n)
}

func (d *decoder) ids() []id.UUID {
	n := d.count(len(id.UUID{}))
	if n == 0 {
		return nil
	}
	out := make([]id.UUID, n)
	for i := range out {
		out[i] = d.id()
	}
	return out
}

func (d *decoder) string() string {
	n := d.count(1)
	if at := d.take(n); at >= 0 {
		return d.text[at : at+n]
	}
	return ""
}

func (d *decoder) names() []pattern.Pattern {
	n := d.count(1)
	if n == 0 {
		return nil
	}
	out := make([]pattern.Pattern, n)
	for i := range out {
		out[i] = d.pattern(d.string())
	}
	return out
}

func (d *decoder) pattern(text string) pattern.Pattern {
	p, err := pattern.Parse(pattern.Name, text)
	if err != nil {
		d.bad = true
	}
	return p
}

func (d *decoder) set() (s permission.Set) {
	for i := range s {
		if at := d.take(8); at >= 0 {
			s[i] = binary.LittleEndian.Uint64(d.b[at:])
		}
	}
	return s
}

func (d *decoder) time() time.Time {
	if d.bad {
		return time.Time{}
	}
	n, used := binary.Varint(d.b[d.at:])
	if used <= 0 {
		d.bad = true
		return time.Time{}
	}
	d.at += used
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
