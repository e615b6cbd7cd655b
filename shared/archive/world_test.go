package archive_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"paddock/shared/archive"
	"paddock/shared/id"
)

const domain = "paddock.example.com"

var (
	moment  = time.Date(2026, 11, 24, 9, 30, 15, 0, time.UTC)
	acme    = id.UUID{0xac, 15: 1}
	private = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	errLost = errors.New("connection lost")
)

// record returns a sealed event of a workspace: same n, same bytes.
func record(workspace id.UUID, n int) archive.Record {
	at := moment.Add(time.Duration(n) * time.Second)
	seed := sha256.Sum256(fmt.Appendf(nil, "%s %d", workspace, n))
	uid := id.UUID(seed[:16])
	for i := range 6 {
		uid[i] = byte(at.UnixMilli() >> (40 - 8*i))
	}
	uid[6], uid[8] = uid[6]&0x0f|0x70, uid[8]&0x3f|0x80
	var text []byte
	for i := range 14 {
		part := sha256.Sum256(append(seed[:], byte(i)))
		text = append(text, part[:]...)
	}
	r := archive.Record{Workspace: workspace, Event: archive.Sealed{
		PK: "A#" + workspace.String() + "#" + at.Format("2006010215"), SK: uid.String(),
		Version: 1, KeyID: "01935d2e-0000-7000-8000-000000000001", Ciphertext: text[:410+n%30],
	}}
	if n%10 == 9 {
		r.Detail = &archive.Sealed{PK: r.Event.PK, SK: "D#" + uid.String(), Version: 1, KeyID: r.Event.KeyID, Ciphertext: text[30:]}
	}
	return r
}

func records(workspace id.UUID, from, to int) []archive.Record {
	var rs []archive.Record
	for n := from; n < to; n++ {
		rs = append(rs, record(workspace, n))
	}
	return rs
}

func verifierOf(t testing.TB, workspace id.UUID) note.Verifier {
	t.Helper()
	v, err := archive.NewVerifier(domain, workspace, private.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func signerOf(t testing.TB, workspace id.UUID) note.Signer {
	t.Helper()
	return archive.NewSigner(verifierOf(t, workspace), func(m []byte) ([]byte, error) { return ed25519.Sign(private, m), nil })
}

// log returns a log of batches with these numbers of events.
func log(t testing.TB, sizes ...int) (objects []archive.Stored, heads []archive.Head) {
	t.Helper()
	head := archive.Head{Workspace: acme}
	signer := signerOf(t, acme)
	n := 0
	for i, size := range sizes {
		b, err := archive.Append(head, records(acme, n, n+size), moment.Add(time.Duration(i)*time.Minute), signer)
		if err != nil {
			t.Fatal(err)
		}
		n += size
		head = b.Head
		objects = append(objects, archive.Stored{Key: b.Key, Body: b.Object})
		heads = append(heads, head)
	}
	return objects, heads
}

func each(objects []archive.Stored) iter.Seq2[archive.Stored, error] {
	return func(yield func(archive.Stored, error) bool) {
		for _, o := range objects {
			if !yield(o, nil) {
				return
			}
		}
	}
}

// A world is the stored side, in memory, behind the interfaces of the
// Archiver. Before each call it asks fault what should happen.
type world struct {
	mu      sync.Mutex
	heads   map[id.UUID]archive.Head
	entries map[id.UUID][]archive.Entry
	objects map[string][]byte
	until   map[string]time.Time
	now     time.Time
	calls   int
	fault   func(call int, name string) outcome
	between func(name string) // runs before the call takes effect, without the lock
	keep    time.Duration
}

type outcome int

const (
	works outcome = iota
	unapplied
	appliedButLost
)

func newWorld() *world {
	return &world{
		heads: map[id.UUID]archive.Head{}, entries: map[id.UUID][]archive.Entry{}, objects: map[string][]byte{},
		until: map[string]time.Time{}, now: moment, keep: archive.MinRetention,
	}
}

func (w *world) call(name string, effect func() error) error {
	if w.between != nil {
		w.between(name)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	what := works
	if w.fault != nil {
		what = w.fault(w.calls, name)
	}
	if what == unapplied {
		return errLost
	}
	err := effect()
	if what == appliedButLost {
		return errLost
	}
	return err
}

func (w *world) Load(_ context.Context, workspace id.UUID) (state archive.State, err error) {
	err = w.call("load", func() error {
		head, ok := w.heads[workspace]
		if !ok {
			head = archive.Head{Workspace: workspace}
		}
		state = archive.State{Head: head, Retention: w.keep}
		return nil
	})
	return state, err
}

func (w *world) Since(_ context.Context, workspace id.UUID, newest time.Time) (entries []archive.Entry, err error) {
	err = w.call("since", func() error {
		for _, e := range w.entries[workspace] {
			if !e.Newest.Before(newest) {
				entries = append(entries, e)
			}
		}
		return nil
	})
	return entries, err
}

func (w *world) Commit(_ context.Context, version uint64, next archive.Batch) error {
	return w.call("commit", func() error {
		workspace := next.Head.Workspace
		if w.heads[workspace].Version != version {
			return archive.ErrConflict
		}
		w.heads[workspace] = next.Head
		w.entries[workspace] = append(w.entries[workspace], next.Entry)
		return nil
	})
}

func (w *world) PutIfAbsent(_ context.Context, key string, body []byte, until time.Time) (existing []byte, err error) {
	err = w.call("put", func() error {
		if b, ok := w.objects[key]; ok {
			existing = b
			return nil
		}
		w.objects[key], w.until[key] = bytes.Clone(body), until
		return nil
	})
	return existing, err
}

func (w *world) Public(context.Context) (key ed25519.PublicKey, err error) {
	err = w.call("public", func() error {
		key = private.Public().(ed25519.PublicKey)
		return nil
	})
	return key, err
}

func (w *world) Sign(_ context.Context, message []byte) (signature []byte, err error) {
	err = w.call("sign", func() error {
		signature = ed25519.Sign(private, message)
		return nil
	})
	return signature, err
}

func (w *world) archiver(t testing.TB) *archive.Archiver {
	t.Helper()
	a, err := archive.New(archive.Config{Domain: domain, Logs: w, Bucket: w, Key: w, Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// stored returns the objects of one workspace in the order of their names.
func (w *world) stored(workspace id.UUID) []archive.Stored {
	w.mu.Lock()
	defer w.mu.Unlock()
	var objects []archive.Stored
	for key, body := range w.objects {
		if ws, _, err := archive.ParseObjectKey(key); err == nil && ws == workspace {
			objects = append(objects, archive.Stored{Key: key, Body: body})
		}
	}
	slices.SortFunc(objects, func(a, b archive.Stored) int { return bytes.Compare([]byte(a.Key), []byte(b.Key)) })
	return objects
}

// holds fails unless the stored log verifies and holds exactly these events,
// each once, and head and index agree with the objects.
func (w *world) holds(t testing.TB, workspace id.UUID, want []archive.Record) {
	t.Helper()
	report, err := archive.Verify(each(w.stored(workspace)), verifierOf(t, workspace), archive.Expectation{})
	if err != nil || !report.Intact() {
		t.Fatalf("the stored log does not verify: %v %v", err, report.Findings)
	}
	head := w.heads[workspace]
	if head.Size != report.Size || head.Root != report.Root || report.Size != uint64(len(want)) {
		t.Fatalf("head %d %x, objects %d %x, want %d events", head.Size, head.Root, report.Size, report.Root, len(want))
	}
	in := map[id.UUID]bool{}
	for _, e := range w.entries[workspace] {
		for _, uid := range e.IDs {
			in[uid] = true
		}
	}
	for _, r := range want {
		if uid, err := r.ID(); err != nil || !in[uid] {
			t.Fatalf("event %s is not in the index", uid)
		}
	}
	if len(in) != len(want) {
		t.Fatalf("%d events in the index, want %d", len(in), len(want))
	}
}
