package table

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/message"
	"paddock/shared/seal"
)

// MaxOps bounds the operations of one change; the store's own limit is 100
// writes in a transaction. Source: design, section 4.
const MaxOps = 90

// Bounds of the store: writes in one transaction, and the bytes of all its items
// together. Source: DynamoDB, "TransactWriteItems". What a commit writes must
// stay below: what is bounded by the product can be done.
const (
	maxWrites = 100
	maxBytes  = 4_000_000
)

// ErrTooMuch tells of a change that no transaction takes: a defect of what
// prepared it, found before anything is sent.
var ErrTooMuch = errors.New("table: a change is too much for one transaction")

// fits refuses writes that the store would refuse.
func fits(writes []Write) error {
	size := 0
	for _, w := range writes {
		size += len(w.Record.Sealed) + len(w.Record.Key.PK()) + len(w.Record.Key.SK)
		for _, a := range w.Record.Plain {
			size += len(a.Name) + len(a.Text) + 21 // of a number at most
		}
	}
	if len(writes) > maxWrites || size > maxBytes {
		return fmt.Errorf("%w: %d writes of %d bytes", ErrTooMuch, len(writes), size)
	}
	return nil
}

// errDryRun keeps a change from being made that was to be looked at.
var errDryRun = errors.New("table: with the proof of a dry run nothing but events is stored")

// An Op is one operation of a change, made by the functions below.
type Op struct {
	write Write
	value any
	err   error // what to return when this operation's condition fails
	// whole is set for records that are stored as they are: those that lead to
	// a workspace, and its keyrings.
	whole bool
}

// Raw is a payload that is stored as it is, and not as JSON.
type Raw []byte

// Insert writes a new item whose payload is value as JSON; nothing may be
// there yet.
func Insert(key Key, value any, plain ...Attribute) Op {
	return Op{write: Write{Verb: Put, Record: Record{Key: key, Version: 1, Plain: plain}}, value: value}
}

// Replace writes the next version of an item that was read.
func Replace(read Item, value any, plain ...Attribute) Op {
	return Op{value: value, write: Write{
		Verb: Put, Expect: read.Version,
		Record: Record{Key: read.Key, Version: read.Version + 1, TTL: read.TTL, Plain: plain},
	}}
}

// Remove deletes an item that was read, if it has not changed since.
func Remove(read Item) Op {
	return Op{write: Write{Verb: Delete, Expect: read.Version, Record: Record{Key: read.Key}}}
}

// RemoveCount deletes a counter that shows n.
func RemoveCount(key Key, n int64) Op {
	return Op{write: Write{Verb: Delete, Record: Record{Key: key}, Where: []Attribute{Num("n", n)}}}
}

// Unchanged holds that an item still is what was read.
func Unchanged(read Item) Op {
	return Op{write: Write{Verb: Check, Expect: read.Version, Record: Record{Key: read.Key}}}
}

// Absent holds that no item is at a key.
func Absent(key Key) Op { return Op{write: Write{Verb: Check, Record: Record{Key: key}}} }

// Until gives the written item an end after which the store may collect it.
func (o Op) Until(end time.Time) Op {
	o.write.Record.TTL = end
	return o
}

// Else names the refusal that Commit returns when this operation's condition
// fails; without it Commit returns ErrStale.
func (o Op) Else(refusal error) Op {
	o.err = refusal
	return o
}

// A Change is what one commit writes: at least one event, the operations, and
// the messages that go out when it is stored.
type Change struct {
	Events   []audit.Event
	Ops      []Op
	Messages []message.Message
}

// WorkspaceKey returns the key of the nth copy of a workspace's head item,
// whose plain attribute "status" fences every write.
func WorkspaceKey(ws id.ID[id.Workspace], n int) Key {
	return Key{Table: Data, Kind: "W", Workspace: ws, SK: fmt.Sprintf("head#%d", n)}
}

// Written returns the payload that the operation writes as JSON, and where; false
// for one that writes none.
func (o Op) Written() (Key, any, bool) {
	_, raw := o.value.(Raw)
	return o.write.Record.Key, o.value, o.value != nil && !raw
}

// Alive is the plain attribute of a workspace that may be written to.
var Alive = Text("status", "alive")

// Commit stores a change in one conditional transaction, with a check that the
// workspace is alive. The first event is the primary one; later ones get it as
// their cause. Contention is retried three times under one token, then
// ErrTryAgain. A failed condition returns what Op.Else named, or ErrStale.
func (s *Store) Commit(ctx context.Context, by authz.Allowed, c Change) error {
	ws := by.Workspace()
	if ws.Zero() {
		return ErrNoProof
	}
	if len(c.Events) == 0 || len(c.Ops) > MaxOps {
		return fmt.Errorf("table: a change has at least one event and at most %d operations", MaxOps)
	}
	if by.Principal().Request.DryRun && len(c.Ops)+len(c.Messages) > 0 {
		return errDryRun
	}
	keys, err := s.keys(ctx, ws)
	if err != nil {
		return err
	}
	return s.commit(ctx, ws, keys, c)
}

// CommitNew is Commit for the creation of a workspace, whose keys the caller
// has just made and no keyring item yet holds.
func (s *Store) CommitNew(ctx context.Context, by authz.Allowed, keys *seal.Keys, records []Record, c Change) error {
	if by.Workspace().Zero() {
		return ErrNoProof
	}
	for _, r := range records {
		c.Ops = append(c.Ops, Op{write: Write{Verb: Put, Record: r}, whole: true})
	}
	return s.commit(ctx, by.Workspace(), keys, c)
}

func (s *Store) commit(ctx context.Context, ws id.ID[id.Workspace], keys *seal.Keys, c Change) error {
	writes := make([]Write, 0, len(c.Ops)+len(c.Events)+len(c.Messages)+1)
	fence := WorkspaceKey(ws, 0)
	fenced := false
	for i, op := range c.Ops {
		w, err := s.sealOp(ws, keys, op)
		if err != nil {
			return fmt.Errorf("operation %d: %w", i, err)
		}
		if w.Record.Key == fence {
			fenced = true
			if w.Expect > 0 {
				w.Where = append(w.Where, Alive)
			}
		}
		writes = append(writes, w)
	}
	evented, err := s.eventWrites(ws, keys, c.Events)
	if err != nil {
		return err
	}
	writes = append(writes, evented...)
	posted, err := s.messageWrites(ws, keys, c.Messages)
	if err != nil {
		return err
	}
	writes = append(writes, posted...)
	if len(writes) == 1 {
		return s.lone(ctx, writes[0])
	}
	if !fenced {
		writes = append(writes, Write{Verb: Check, Record: Record{Key: fence}, Where: []Attribute{Alive}})
	}
	if err := fits(writes); err != nil {
		return err
	}
	token, err := s.NewID()
	if err != nil {
		return err
	}
	return refusal(s.transact(ctx, token.String(), writes), c.Ops, len(writes), fenced)
}

// lone stores a single event. Its identifier is fresh, so that an item already
// there is this very event, stored by a call whose answer was lost.
func (s *Store) lone(ctx context.Context, w Write) error {
	if err := s.engine.Write(ctx, w); err != nil && !errors.Is(err, ErrStale) {
		return fmt.Errorf("store an event: %w", err)
	}
	return nil
}

func (s *Store) transact(ctx context.Context, token string, writes []Write) error {
	for n := 1; ; n++ {
		err := s.engine.Transact(ctx, token, writes)
		if !errors.Is(err, ErrContended) {
			return err
		}
		if n == 4 {
			return ErrTryAgain
		}
		if err := pause(ctx, n); err != nil {
			return err
		}
	}
}

// refusal turns a failed condition into what the caller asked for.
func refusal(err error, ops []Op, writes int, fenced bool) error {
	var failed *Failed
	if !errors.As(err, &failed) {
		return err
	}
	for _, i := range failed.Writes {
		if i == writes-1 && !fenced {
			return ErrGone
		}
	}
	for _, i := range failed.Writes {
		if i < len(ops) && ops[i].err != nil {
			return ops[i].err
		}
	}
	return err
}

func (s *Store) sealOp(ws id.ID[id.Workspace], keys *seal.Keys, op Op) (Write, error) {
	w := op.write
	if w.Record.Key.Workspace != ws && !op.whole {
		return Write{}, ErrNoProof
	}
	if err := w.Record.Key.check(); err != nil {
		return Write{}, err
	}
	if w.Verb != Put || op.value == nil {
		return w, nil
	}
	payload, raw := op.value.(Raw)
	if !raw {
		var err error
		if payload, err = json.Marshal(op.value); err != nil {
			return Write{}, err
		}
	}
	var err error
	w.Record, err = sealRecord(keys, w.Record, payload)
	return w, err
}

func sealRecord(keys *seal.Keys, r Record, payload []byte) (Record, error) {
	key, err := keys.Current(r.Key.Table.Purpose())
	if err != nil {
		return Record{}, err
	}
	r.KeyID = key.ID
	r.Sealed, err = key.Seal(place(r.Key, r.Version), payload)
	return r, err
}

// EventKey places an event in the outbox: one partition a workspace, UTC day
// and shard, sorted by time.
func EventKey(ws id.ID[id.Workspace], uid id.UUID) Key {
	return Key{Table: Data, Kind: "A", Workspace: ws, Of: EventDay(uid.Time()), SK: uid.String()}
}

// EventDay names the outbox partition of an instant.
func EventDay(at time.Time) string { return at.UTC().Format("20060102") }

// The names under which the three index attributes of an event are MACed.
const (
	ByActor   = "by_actor"
	BySubject = "by_subject"
	ByTopic   = "by_topic"
)

// Topic is the text that the index by_topic holds for an event.
func Topic(app, model string) string { return app + "/" + model }

func (s *Store) eventWrites(ws id.ID[id.Workspace], keys *seal.Keys, events []audit.Event) ([]Write, error) {
	index, err := keys.Current(seal.Index)
	if err != nil {
		return nil, err
	}
	mac := func(field, text string) string {
		sum := index.MAC(field, text)
		return HashText(sum[:])
	}
	uids, err := s.eventIDs(len(events))
	if err != nil {
		return nil, err
	}
	out := make([]Write, 0, len(events))
	for i, e := range events {
		uid := uids[i]
		if i > 0 {
			e = e.WithCause(uids[0])
		}
		e = e.WithUID(uid, s.Now())
		payload, err := audit.AppendEncode(nil, e)
		if err != nil {
			return nil, fmt.Errorf("encode event %s: %w", e.Kind, err)
		}
		app, model, _ := e.Path()
		plain := []Attribute{Text("kind", "event"), Text("gt", mac(ByTopic, Topic(app, model)))}
		if !e.Actor.ID.Zero() {
			plain = append(plain, Text("ga", mac(ByActor, e.Actor.ID.String())))
		}
		if !e.Subject.Zero() {
			plain = append(plain, Text("gs", mac(BySubject, e.Subject.String())))
		}
		r, err := sealRecord(keys, Record{Key: EventKey(ws, uid), Version: 1, Plain: plain, TTL: s.Now().Add(s.retain)}, payload)
		if err != nil {
			return nil, err
		}
		out = append(out, Write{Verb: Put, Record: r})
	}
	return out, nil
}

// eventIDs returns n fresh ids in rising order, so that the log lists the events
// of one change in theirs.
func (s *Store) eventIDs(n int) ([]id.UUID, error) {
	out := make([]id.UUID, n)
	for i := range out {
		var err error
		if out[i], err = s.NewID(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b id.UUID) int { return bytes.Compare(a[:], b[:]) })
	return out, nil
}

// MessageKey places an outgoing message.
func MessageKey(ws id.ID[id.Workspace], name id.ID[id.Message]) Key {
	return Key{Table: Data, Kind: "M", Workspace: ws, Of: EventDay(name.UUID().Time()), SK: name.String()}
}

// States of a message, plain beside it.
const (
	Undelivered = "new"
	Delivered   = "sent"
	// Undeliverable is a message that the delivery service refused for good, or that
	// came too late to be of use.
	Undeliverable = "failed"
)

// messageLife is how long a message stays stored, so that its delivery can be
// looked into.
const messageLife = 14 * 24 * time.Hour

func (s *Store) messageWrites(ws id.ID[id.Workspace], keys *seal.Keys, messages []message.Message) ([]Write, error) {
	out := make([]Write, 0, len(messages))
	for _, m := range messages {
		u := m.ID.UUID()
		if m.ID.Zero() {
			var err error
			if u, err = s.NewID(); err != nil {
				return nil, err
			}
		}
		payload, err := json.Marshal(m)
		if err != nil {
			return nil, err
		}
		r := Record{
			Key: MessageKey(ws, id.Of[id.Message](u)), Version: 1,
			Plain: []Attribute{Text("kind", "message"), Text("state", Undelivered)}, TTL: s.Now().Add(messageLife),
		}
		if r, err = sealRecord(keys, r, payload); err != nil {
			return nil, err
		}
		out = append(out, Write{Verb: Put, Record: r})
	}
	return out, nil
}
