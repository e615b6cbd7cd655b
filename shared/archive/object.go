package archive

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/bits"
	"time"
	"unicode/utf8"

	"paddock/shared/id"
)

// A batch object, version 1. All fixed numbers are big-endian, uvarints have
// their shortest form, and there is exactly one object text per content.
//
//	magic        "PDKA1"
//	workspace    16 bytes
//	from         8 bytes, number of the first event
//	count        4 bytes, 1 to MaxLeaves
//	created      8 bytes, milliseconds since 1970
//	base         frontier of the log before the batch: 32 bytes for each bit
//	             set in from, the largest subtree first
//	leaves       count sealed records
//	hashes       count × 32 bytes, the leaf hashes
//	details      uvarint count; for each the position of its leaf in the batch
//	             (uvarint, ascending) and a sealed record
//	frontier     frontier after the batch, as base, for from + count
//	checkpoint   uvarint length; the signed note
//
// A sealed record is PK, SK and key id, each as the length of the prefix it
// shares with the record before (uvarint) and the rest (uvarint length and
// bytes); version (uvarint); ciphertext (uvarint length and bytes). An SK that
// is a UUID, as those of events are, is the byte 0xFF and, of its 16 bytes, the
// number shared with the UUID before (1 byte) and the rest; any other SK has
// the byte 0 before it. Details start again with nothing before them.
//
// The checkpoint signs the SHA-256 of everything before its length, so no byte
// of an object can change unnoticed, whether or not the tree covers it.
const magic = "PDKA1"

// Bounds of an object. MaxLeaves keeps the index item at 16 KB.
const (
	MaxLeaves     = 1000
	MaxObject     = 64 << 20
	maxCheckpoint = 16 << 10
)

// ErrObject is returned for bytes that are not a batch object.
var ErrObject = errors.New("archive: malformed object")

// A Detail is the sealed detail of the event at this position in its batch.
type Detail struct {
	Position int
	Sealed   Sealed
}

// An Object is the content of one batch object, as stored: Parse checks its
// form, only Verify its truth.
type Object struct {
	Workspace  id.UUID
	From       uint64
	Created    time.Time
	Base       []Hash
	Leaves     []Sealed
	Hashes     []Hash
	Details    []Detail
	Frontier   []Hash
	Checkpoint []byte // signed note

	digest Hash // of the bytes before the checkpoint
}

// Size returns the size of the log after the batch.
func (o *Object) Size() uint64 { return o.From + uint64(len(o.Leaves)) }

// appendBody appends everything before the checkpoint.
func (o *Object) appendBody(dst []byte) []byte {
	dst = append(append(dst, magic...), o.Workspace[:]...)
	dst = binary.BigEndian.AppendUint64(dst, o.From)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(o.Leaves)))
	dst = binary.BigEndian.AppendUint64(dst, uint64(o.Created.UnixMilli()))
	dst = appendHashes(dst, o.Base)
	var before Sealed
	for i := range o.Leaves {
		dst = appendSealed(dst, &before, &o.Leaves[i])
		before = o.Leaves[i]
	}
	dst = appendHashes(dst, o.Hashes)
	dst = binary.AppendUvarint(dst, uint64(len(o.Details)))
	before = Sealed{}
	for i := range o.Details {
		d := &o.Details[i]
		dst = binary.AppendUvarint(dst, uint64(d.Position))
		dst = appendSealed(dst, &before, &d.Sealed)
		before = d.Sealed
	}
	return appendHashes(dst, o.Frontier)
}

func appendHashes(dst []byte, hashes []Hash) []byte {
	for i := range hashes {
		dst = append(dst, hashes[i][:]...)
	}
	return dst
}

func appendSealed(dst []byte, before, s *Sealed) []byte {
	dst = appendShared(dst, before.PK, s.PK)
	dst = appendSK(dst, before.SK, s.SK)
	dst = appendShared(dst, before.KeyID, s.KeyID)
	dst = binary.AppendUvarint(dst, s.Version)
	dst = binary.AppendUvarint(dst, uint64(len(s.Ciphertext)))
	return append(dst, s.Ciphertext...)
}

// The forms of an SK.
const (
	textSK = 0
	uuidSK = 0xFF
)

func appendSK(dst []byte, before, sk string) []byte {
	u, err := id.ParseUUID(sk)
	if err != nil {
		return appendShared(append(dst, textSK), before, sk)
	}
	n := sharedBytes(before, u)
	return append(append(dst, uuidSK, byte(n)), u[n:]...)
}

// sharedBytes returns how many leading bytes u shares with the SK before, when
// that is a UUID too.
func sharedBytes(before string, u id.UUID) int {
	b, err := id.ParseUUID(before)
	if err != nil {
		return 0
	}
	return shared(string(b[:]), string(u[:]))
}

func appendShared(dst []byte, before, s string) []byte {
	n := shared(before, s)
	dst = binary.AppendUvarint(dst, uint64(n))
	dst = binary.AppendUvarint(dst, uint64(len(s)-n))
	return append(dst, s[n:]...)
}

func shared(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// Parse reads one batch object. It refuses with ErrObject what is not exactly
// in the form above. The result shares the memory of b.
func Parse(b []byte) (*Object, error) {
	if len(b) > MaxObject {
		return nil, ErrObject
	}
	p := parser{b: b}
	o := p.object()
	if p.bad {
		return nil, ErrObject
	}
	return o, nil
}

type parser struct {
	b   []byte
	bad bool
}

func (p *parser) object() *Object {
	o := &Object{}
	whole := p.b
	p.require(string(p.take(len(magic))) == magic)
	copy(o.Workspace[:], p.take(16))
	o.From = p.fixed(8)
	count := p.fixed(4)
	created := p.fixed(8)
	p.require(count >= 1 && count <= MaxLeaves && o.From <= 1<<63 && created <= maxMilli && !o.Workspace.Zero())
	o.Created = time.UnixMilli(int64(created)).UTC()
	o.Base = p.hashes(bits.OnesCount64(o.From))

	if p.bad {
		return nil
	}
	var before Sealed
	o.Leaves = make([]Sealed, 0, count)
	for range count {
		before = p.sealed(&before)
		if p.bad {
			return nil
		}
		o.Leaves = append(o.Leaves, before)
	}
	o.Hashes = p.hashes(int(count))
	o.Details = p.details(int(count))
	o.Frontier = p.hashes(bits.OnesCount64(o.Size()))
	o.digest = sha256.Sum256(whole[:len(whole)-len(p.b)])
	o.Checkpoint = p.sized(maxCheckpoint)
	p.require(len(o.Checkpoint) > 0 && len(p.b) == 0)
	return o
}

// maxMilli is 9999-12-31T23:59:59.999Z, the last instant of RFC 3339.
const maxMilli = 253402300799999

func (p *parser) details(leaves int) []Detail {
	n := p.uvarint()
	p.require(n <= uint64(leaves))
	if p.bad {
		return nil
	}
	var details []Detail
	var before Sealed
	next := uint64(0)
	for range n {
		at := p.uvarint()
		p.require(at >= next && at < uint64(leaves))
		next = at + 1
		before = p.sealed(&before)
		if p.bad {
			return nil
		}
		details = append(details, Detail{int(at), before})
	}
	return details
}

func (p *parser) sealed(before *Sealed) Sealed {
	s := Sealed{
		PK:    p.shared(before.PK, MaxKey),
		SK:    p.sk(before.SK),
		KeyID: p.shared(before.KeyID, MaxKeyID),
	}
	s.Version = p.uvarint()
	s.Ciphertext = p.sized(MaxCiphertext)
	p.require(s.check() == nil)
	return s
}

func (p *parser) sk(before string) string {
	switch p.fixed(1) {
	case textSK:
		sk := p.shared(before, MaxKey)
		_, err := id.ParseUUID(sk)
		p.require(err != nil)
		return sk
	case uuidSK:
		var u id.UUID
		n := int(p.fixed(1))
		p.require(n <= len(u))
		if n > 0 {
			b, err := id.ParseUUID(before)
			p.require(err == nil)
			u = b
		}
		if p.bad {
			return ""
		}
		copy(u[n:], p.take(len(u)-n))
		p.require(sharedBytes(before, u) == n)
		return u.String()
	}
	p.bad = true
	return ""
}

func (p *parser) shared(before string, limit int) string {
	n := p.uvarint()
	p.require(n <= uint64(len(before)))
	rest := p.sized(limit)
	if p.bad {
		return ""
	}
	s := before[:n] + string(rest)
	p.require(shared(before, s) == int(n) && utf8.ValidString(s))
	return s
}

func (p *parser) hashes(n int) []Hash {
	b := p.take(n * sha256.Size)
	if p.bad {
		return nil
	}
	hashes := make([]Hash, n)
	for i := range hashes {
		copy(hashes[i][:], b[i*sha256.Size:])
	}
	return hashes
}

// sized returns bytes after their length; they still belong to the input.
func (p *parser) sized(limit int) []byte {
	n := p.uvarint()
	p.require(n <= uint64(limit))
	if p.bad {
		return nil
	}
	return p.take(int(n))
}

func (p *parser) fixed(size int) uint64 {
	n := uint64(0)
	for _, c := range p.take(size) {
		n = n<<8 | uint64(c)
	}
	return n
}

func (p *parser) uvarint() uint64 {
	if p.bad {
		return 0
	}
	n, size := binary.Uvarint(p.b)
	if size <= 0 || size != max(1, (bits.Len64(n)+6)/7) {
		p.bad = true
		return 0
	}
	p.b = p.b[size:]
	return n
}

func (p *parser) take(n int) []byte {
	if p.bad || n > len(p.b) {
		p.bad = true
		return nil
	}
	b := p.b[:n]
	p.b = p.b[n:]
	return b
}

func (p *parser) require(is bool) {
	if !is {
		p.bad = true
	}
}
