package audit

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"net/netip"
	"strconv"
	"time"
	"unicode/utf8"

	"paddock/shared/id"
)

// ErrMalformed is returned for bytes that are not the stored form of an event.
var ErrMalformed = errors.New("audit: malformed event")

// Decode reads the stored form of one event. It refuses, with ErrMalformed,
// another version, trailing bytes, bad UTF-8, lengths and counts beyond the
// input or the bounds, numbers in a longer form than needed, and absent parts
// written out; and, with ErrUnknownKind, a code that names no kind. Nothing of
// the result shares memory with b.
func Decode(b []byte) (Event, error) {
	if len(b) > MaxEncoded {
		return Event{}, ErrMalformed
	}
	r := reader{b: b}
	var e Event
	head := r.take(4)
	if r.bad || head[0] != version {
		return Event{}, ErrMalformed
	}
	kind, err := kindOf(binary.BigEndian.Uint16(head[1:]), head[3])
	if err != nil {
		return Event{}, err
	}
	e.Kind = kind
	r.envelope(&e)
	if r.bad || len(r.b) > 0 || e.UID.Zero() {
		return Event{}, ErrMalformed
	}
	return e, nil
}

func kindOf(number uint16, letter byte) (Kind, error) {
	if number > 9999 {
		return 0, ErrMalformed
	}
	code := [7]byte{'P', 'D', '0' + byte(number/1000), '0' + byte(number/100%10), '0' + byte(number/10%10), '0' + byte(number%10), letter}
	return ParseKind(string(code[:]))
}

// A reader takes parts from the front of b. After the first fault bad stays
// true and every part reads as absent.
type reader struct {
	b   []byte
	bad bool
}

// has claims the next bit and reports whether the part follows.
func (r *reader) has(g *group) bool {
	is := g.mask>>g.next&1 == 1
	g.next++
	return is && !r.bad
}

func (r *reader) envelope(e *Event) {
	copy(e.UID[:], r.take(16))
	e.Time = r.instant()
	e.Outcome = Outcome(r.octet())
	r.require(e.Outcome >= Success && e.Outcome <= Error)

	mask := r.take(4)
	if r.bad {
		return
	}
	top := group{mask: binary.LittleEndian.Uint32(mask)}
	if r.has(&top) {
		e.RecordedAt = r.instant()
	}
	r.actor(&top, &e.Actor)
	r.auth(&top, &e.Auth)
	r.source(&top, &e.Source)
	r.target(&top, &e.Target)
	e.Subject = r.uuid(&top)
	r.decision(&top, &e.Decision)
	e.WorkSessionID = r.uuid(&top)
	e.ApprovalID = r.uuid(&top)
	e.GrantID = r.uuid(&top)
	e.CauseUID = r.uuid(&top)
	e.RequestID = r.text(&top)
	r.http(&top, &e.HTTP)
	e.App = r.text(&top)
	e.Model = r.text(&top)
	e.Action = r.text(&top)
	e.Description = r.text(&top)
	e.Reason = r.text(&top)
	if r.has(&top) {
		e.Changes = r.changes()
	}
	if r.has(&top) {
		e.Fields = r.fields(e.Kind)
	}
	if r.has(&top) {
		copy(e.DetailHash[:], r.take(32))
		r.require(e.DetailHash != [32]byte{})
	}
	e.Privileged = r.has(&top)
	r.finish(top)
}

func (r *reader) actor(top *group, a *Actor) {
	g, ok := r.open(top)
	if !ok {
		return
	}
	n := r.number(&g)
	r.require(n >= 0 && n <= int64(PlatformActor))
	a.Type = ActorType(n)
	a.ID = r.uuid(&g)
	a.Username = r.text(&g)
	a.Display = r.text(&g)
	a.RoleSetting = r.text(&g)
	a.OnBehalfOf = r.uuid(&g)
	a.SessionID = r.uuid(&g)
	a.TokenID = r.uuid(&g)
	a.ApplicationID = r.uuid(&g)
	a.DeviceID = r.uuid(&g)
	r.finish(g)
}

func (r *reader) auth(top *group, a *Auth) {
	g, ok := r.open(top)
	if !ok {
		return
	}
	a.Method = r.text(&g)
	a.Factors = r.list(&g)
	n := r.number(&g)
	r.require(n >= 0 && n <= int64(1<<63-1)/int64(time.Second))
	a.MFAAge = time.Duration(n) * time.Second
	a.ProofID = r.uuid(&g)
	r.finish(g)
}

func (r *reader) source(top *group, s *Source) {
	g, ok := r.open(top)
	if !ok {
		return
	}
	if r.has(&g) {
		size := r.octet()
		r.require(size == 4 || size == 16)
		ip, fits := netip.AddrFromSlice(r.take(int(size)))
		r.require(fits && !ip.Is4In6())
		s.IP = ip
	}
	s.NetworkLabel = r.text(&g)
	if r.has(&g) {
		s.UserAgent = r.agent()
	}
	s.ClientType = r.text(&g)
	s.CLIVersion = r.text(&g)
	r.finish(g)
}

func (r *reader) agent() string {
	size := r.take(2)
	if r.bad {
		return ""
	}
	s, ok := unpackAgent(r.take(int(binary.BigEndian.Uint16(size))))
	r.require(ok && s != "" && utf8.ValidString(s))
	if r.bad {
		return ""
	}
	return s
}

func (r *reader) target(top *group, t *Target) {
	g, ok := r.open(top)
	if !ok {
		return
	}
	t.Type = r.text(&g)
	t.ID = r.uuid(&g)
	t.Name = r.text(&g)
	r.finish(g)
}

func (r *reader) decision(top *group, d *Decision) {
	g, ok := r.open(top)
	if !ok {
		return
	}
	d.ID = r.uuid(&g)
	n := r.number(&g)
	r.require(n >= 0 && n <= int64(Deny))
	d.Effect = Effect(n)
	d.Grants = r.list(&g)
	d.FailingCondition = r.text(&g)
	r.finish(g)
}

func (r *reader) http(top *group, h *HTTP) {
	g, ok := r.open(top)
	if !ok {
		return
	}
	h.Method = r.text(&g)
	h.Route = r.text(&g)
	n := r.number(&g)
	r.require(n >= 0 && n <= 999)
	h.Status = int(n)
	r.finish(g)
}

func (r *reader) changes() []Change {
	n := r.count(MaxItems)
	changes := make([]Change, 0, n)
	for range n {
		changes = append(changes, Change{r.chars(), r.chars(), r.chars()})
	}
	return changes
}

// fields reads fields. One that a later version of the contract added gets its
// place as name, "#7", so that older readers still read the rest.
func (r *reader) fields(kind Kind) []Field {
	rules := kind.contract().fields
	n := r.count(MaxFields)
	fields := make([]Field, 0, n)
	for range n {
		head := r.octet()
		f := Field{typ: FieldType(head & 7)}
		if at := int(head >> 3); at < len(rules) {
			f.name = rules[at].name
		} else {
			f.name = "#" + strconv.Itoa(at)
		}
		switch f.typ {
		case TextField:
			f.text = r.chars()
		case NumberField, InstantField:
			f.number = r.varint()
		case FlagField:
			f.number = int64(r.octet())
			r.require(f.number <= 1)
		case ListField:
			f.list = r.texts()
		case IDField:
			copy(f.uuid[:], r.take(16))
		case ChangeField:
			r.bad = true
		default:
			r.bad = true
		}
		fields = append(fields, f)
	}
	return fields
}

func (r *reader) open(top *group) (group, bool) {
	if !r.has(top) {
		return group{}, false
	}
	mask := r.take(2)
	if r.bad {
		return group{}, false
	}
	g := group{mask: uint32(binary.LittleEndian.Uint16(mask))}
	r.require(g.mask != 0)
	return g, true
}

// finish refuses bits that no part claimed.
func (r *reader) finish(g group) { r.require(g.mask>>g.next == 0) }

func (r *reader) text(g *group) string {
	if !r.has(g) {
		return ""
	}
	s := r.chars()
	r.require(s != "")
	return s
}

func (r *reader) number(g *group) int64 {
	if !r.has(g) {
		return 0
	}
	n := r.varint()
	r.require(n != 0)
	return n
}

func (r *reader) uuid(g *group) id.UUID {
	var u id.UUID
	if r.has(g) {
		copy(u[:], r.take(16))
		r.require(!u.Zero())
	}
	return u
}

func (r *reader) list(g *group) []string {
	if !r.has(g) {
		return nil
	}
	list := r.texts()
	r.require(len(list) > 0)
	return list
}

func (r *reader) texts() []string {
	if r.bad {
		return nil
	}
	n, size := r.uvarint()
	r.b = r.b[size:]
	r.require(n <= MaxItems && n <= uint64(len(r.b)))
	if r.bad {
		return nil
	}
	list := make([]string, 0, n)
	for range n {
		list = append(list, r.chars())
	}
	return list
}

// count reads how many elements follow, at least one and at most limit.
func (r *reader) count(limit int) int {
	n, size := r.uvarint()
	r.b = r.b[size:]
	r.require(n > 0 && n <= uint64(limit) && n <= uint64(len(r.b)))
	if r.bad {
		return 0
	}
	return int(n)
}

func (r *reader) chars() string {
	n, size := r.uvarint()
	r.b = r.b[size:]
	r.require(n <= uint64(len(r.b)))
	if r.bad {
		return ""
	}
	s := string(r.take(int(n)))
	r.require(utf8.ValidString(s))
	return s
}

func (r *reader) instant() time.Time {
	ms, size := r.uvarint()
	r.b = r.b[size:]
	r.require(ms <= maxMilli)
	return time.UnixMilli(int64(ms)).UTC()
}

func (r *reader) varint() int64 {
	n, size := r.uvarint()
	r.b = r.b[size:]
	return int64(n>>1) ^ -int64(n&1)
}

// uvarint returns the number at the front and its size, 0 after a fault.
func (r *reader) uvarint() (n uint64, size int) {
	if r.bad {
		return 0, 0
	}
	n, size = binary.Uvarint(r.b)
	if size <= 0 || size != max(1, (bits.Len64(n)+6)/7) {
		r.bad = true
		return 0, 0
	}
	return n, size
}

func (r *reader) octet() byte {
	b := r.take(1)
	if r.bad {
		return 0
	}
	return b[0]
}

func (r *reader) take(n int) []byte {
	if r.bad || n > len(r.b) {
		r.bad = true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) require(is bool) {
	if !is {
		r.bad = true
	}
}
