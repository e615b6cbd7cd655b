package authz

import (
	"encoding/binary"
	"errors"
	"iter"
	"slices"
	"time"

	"paddock/shared/id"
	"paddock/shared/pattern"
	"paddock/shared/permission"
)

// ErrChunk is returned for bytes that are no chunk of a policy.
var ErrChunk = errors.New("authz: not a chunk of a policy")

// A Chunk is a part of a policy as it is stored: rows of all kinds. The format
// is compact and needs no look-up to be read: a byte that tells the format, how
// many rows there are of each kind, and the fields of the rows one after the
// other. There is one stored form of a chunk.
type Chunk struct {
	Roles        []Role
	Groups       []Group
	Servers      []Server
	Applications []Application
	Assignments  []Assignment
}

const chunkFormat = 1

// Append appends the stored form of c.
func (c *Chunk) Append(b []byte) []byte {
	b = append(b, chunkFormat)
	for _, n := range c.counts() {
		b = binary.AppendUvarint(b, uint64(n))
	}
	for i := range c.Roles {
		r := &c.Roles[i]
		b = appendSet(appendText(appendID(b, r.ID), r.Name), r.Permissions)
		b = appendNames(appendIDs(b, r.Scope.Objects), r.Scope.Names)
	}
	for i := range c.Groups {
		g := &c.Groups[i]
		b = appendIDs(appendText(appendID(b, g.ID), g.Name), g.Roles)
		b = appendNames(appendIDs(append(b, byte(g.Access)), g.Servers), g.Names)
	}
	for i := range c.Servers {
		s := &c.Servers[i]
		b = appendIDs(appendID(appendText(appendID(b, s.ID), s.Name), s.Owner), s.Managers)
	}
	for i := range c.Applications {
		a := &c.Applications[i]
		b = appendIDs(appendID(appendText(appendID(b, a.ID), a.Name), a.Owner), a.Managers)
	}
	for i := range c.Assignments {
		a := &c.Assignments[i]
		flag := byte(0)
		if a.Group {
			flag = 1
		}
		b = append(appendID(appendID(b, a.ID), a.Subject), flag, byte(a.Access))
		b = appendTime(appendText(appendID(b, a.Server), a.Name.String()), a.Until)
	}
	return b
}

func appendID(b []byte, u id.UUID) []byte { return append(b, u[:]...) }

func appendIDs(b []byte, ids []id.UUID) []byte {
	b = binary.AppendUvarint(b, uint64(len(ids)))
	for i := range ids {
		b = append(b, ids[i][:]...)
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

// appendTime appends 0 for no time, otherwise 1, the seconds since 1970 and the
// nanoseconds of the second: also an end at 1970 or after 2262 is one. Years are 1
// to 9999.
func appendTime(b []byte, at time.Time) []byte {
	if at.IsZero() {
		return append(b, 0)
	}
	b = binary.AppendUvarint(append(b, 1), uint64(at.Unix()))
	return binary.AppendUvarint(b, uint64(at.Nanosecond()))
}

// Join returns the rows of all chunks, in slices of their own.
func Join(chunks ...Chunk) Chunk {
	return Chunk{
		Roles:        joined(chunks, func(c *Chunk) []Role { return c.Roles }),
		Groups:       joined(chunks, func(c *Chunk) []Group { return c.Groups }),
		Servers:      joined(chunks, func(c *Chunk) []Server { return c.Servers }),
		Applications: joined(chunks, func(c *Chunk) []Application { return c.Applications }),
		Assignments:  joined(chunks, func(c *Chunk) []Assignment { return c.Assignments }),
	}
}

func joined[T any](chunks []Chunk, of func(*Chunk) []T) []T {
	n := 0
	for i := range chunks {
		n += len(of(&chunks[i]))
	}
	all := make([]T, 0, n)
	for i := range chunks {
		all = append(all, of(&chunks[i])...)
	}
	return all
}

// counts returns how many rows there are of each kind.
func (c *Chunk) counts() [kindsOfRows]int {
	return [...]int{len(c.Roles), len(c.Groups), len(c.Servers), len(c.Applications), len(c.Assignments)}
}

const kindsOfRows = 5

// least holds the bytes that a row of each kind has at least: what a count may
// claim.
var least = [kindsOfRows]int{16 + 1 + 16 + 1 + 1, 16 + 1 + 1 + 1 + 1 + 1, 16 + 1 + 16 + 1, 16 + 1 + 16 + 1, 16 + 16 + 1 + 1 + 16 + 1 + 1}

// Read adds the rows of stored chunks to c. The text of rows shares one copy of
// the bytes. Bytes that Append does not write are ErrChunk and add nothing.
func (c *Chunk) Read(stored ...[]byte) error {
	var counts [kindsOfRows]int
	decoders := make([]decoder, len(stored))
	patterns := map[string]pattern.Pattern{}
	for i, b := range stored {
		d := &decoders[i]
		*d = decoder{b: b, text: string(b), patterns: patterns}
		d.header()
		if d.bad {
			return ErrChunk
		}
		for k, n := range d.counts {
			counts[k] += n
		}
	}
	out := Chunk{
		slices.Grow(c.Roles, counts[0]), slices.Grow(c.Groups, counts[1]), slices.Grow(c.Servers, counts[2]),
		slices.Grow(c.Applications, counts[3]), slices.Grow(c.Assignments, counts[4]),
	}
	for i := range decoders {
		if d := &decoders[i]; !d.rows(&out) {
			return ErrChunk
		}
	}
	*c = out
	return nil
}

// rows reads the rows of one chunk into the room that was made for them, and
// reports whether they and nothing else were there.
func (d *decoder) rows(out *Chunk) bool {
	for r := range room(&out.Roles, d.counts[0]) {
		r.ID, r.Name, r.Permissions = d.id(), d.string(), d.set()
		r.Scope.Objects, r.Scope.Names = d.ids(), d.names()
	}
	for g := range room(&out.Groups, d.counts[1]) {
		g.ID, g.Name, g.Roles, g.Access = d.id(), d.string(), d.ids(), d.access()
		g.Servers, g.Names = d.ids(), d.names()
	}
	for s := range room(&out.Servers, d.counts[2]) {
		s.ID, s.Name, s.Owner, s.Managers = d.id(), d.string(), d.id(), d.ids()
	}
	for a := range room(&out.Applications, d.counts[3]) {
		a.ID, a.Name, a.Owner, a.Managers = d.id(), d.string(), d.id(), d.ids()
	}
	for a := range room(&out.Assignments, d.counts[4]) {
		a.ID, a.Subject, a.Group, a.Access, a.Server = d.id(), d.id(), d.bool(), d.access(), d.id()
		a.Name = pattern.Pattern{}
		if text := d.string(); text != "" {
			a.Name = d.pattern(text)
		}
		a.Until = d.time()
	}
	return !d.bad && d.at == len(d.b)
}

// room lengthens a list by n rows, for which there is room, and returns them.
func room[T any](list *[]T, n int) iter.Seq[*T] {
	had := len(*list)
	*list = (*list)[:had+n]
	return func(yield func(*T) bool) {
		for i := had; i < had+n && yield(&(*list)[i]); i++ {
		}
	}
}

// A decoder reads fields; after the first that is not there it is bad, and
// everything it reads is zero.
type decoder struct {
	b        []byte
	text     string
	at       int
	bad      bool
	counts   [kindsOfRows]int
	patterns map[string]pattern.Pattern // by their texts: many rows have the same
}

// header reads what stands before the rows.
func (d *decoder) header() {
	d.bad = d.byte() != chunkFormat
	for k := range d.counts {
		d.counts[k] = d.count(least[k])
	}
}

// take returns the place of n bytes, or -1.
func (d *decoder) take(n int) int {
	if d.bad || n > len(d.b)-d.at {
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

func (d *decoder) bool() bool {
	b := d.byte()
	d.bad = d.bad || b > 1
	return b == 1
}

func (d *decoder) access() Access {
	a := Access(d.byte())
	d.bad = d.bad || a&^allAccess != 0
	return a
}

func (d *decoder) id() (u id.UUID) {
	if at := d.take(len(u)); at >= 0 {
		copy(u[:], d.b[at:])
	}
	return u
}

// uvarint reads a number in its one form.
func (d *decoder) uvarint() uint64 {
	if d.bad {
		return 0
	}
	if d.at < len(d.b) && d.b[d.at] < 0x80 { // nearly always
		d.at++
		return uint64(d.b[d.at-1])
	}
	n, used := binary.Uvarint(d.b[d.at:])
	if used <= 0 || used > 1 && d.b[d.at+used-1] == 0 {
		d.bad = true
		return 0
	}
	d.at += used
	return n
}

// count reads how many of something follow that has at least size bytes.
func (d *decoder) count(size int) int {
	n := d.uvarint()
	if n == 0 {
		return 0
	}
	if left := uint64(len(d.b) - d.at); n > left || n*uint64(size) > left {
		d.bad = true
		return 0
	}
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
	n := d.count(2)
	if n == 0 {
		return nil
	}
	out := make([]pattern.Pattern, n)
	for i := range out {
		if out[i] = d.pattern(d.string()); d.bad {
			return nil
		}
	}
	return out
}

func (d *decoder) pattern(text string) pattern.Pattern {
	if p, ok := d.patterns[text]; ok {
		return p
	}
	p, err := pattern.Parse(pattern.Name, text)
	if err != nil {
		d.bad = true
		return pattern.Pattern{}
	}
	d.patterns[text] = p
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
	if !d.bool() {
		return time.Time{}
	}
	seconds, nanoseconds := d.uvarint(), d.uvarint()
	if d.bad || nanoseconds >= uint64(time.Second) {
		d.bad = true
		return time.Time{}
	}
	at := time.Unix(int64(seconds), int64(nanoseconds)).UTC()
	d.bad = at.IsZero() || at.Year() < 1 || at.Year() > 9999
	return at
}
