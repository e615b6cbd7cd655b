package archive

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"

	"paddock/shared/id"
)

// A Head is the stored state of a workspace's log. The zero Head with a
// workspace is the empty log that nothing has stored yet.
type Head struct {
	Workspace id.UUID
	Size      uint64
	Frontier  []Hash // compact range [0, Size), the largest subtree first
	Root      Hash   // RFC 6962 tree hash; zero while Size is 0
	Version   uint64 // of the stored head, 0 when nothing is stored
}

// ErrHead is returned for a head whose frontier does not give its root.
var ErrHead = errors.New("archive: the head does not hold together")

var tree = compact.RangeFactory{Hash: hashChildren}

// hashChildren is rfc6962.DefaultHasher.HashChildren in one pass: appending and
// verifying make one such call for each event.
func hashChildren(left, right []byte) []byte {
	var node [1 + 2*sha256.Size]byte
	node[0] = rfc6962.RFC6962NodeHashPrefix
	copy(node[1:], left)
	copy(node[1+sha256.Size:], right)
	sum := sha256.Sum256(node[:])
	return sum[:]
}

// rangeOf returns the compact range [0, size) with these hashes.
func rangeOf(size uint64, frontier []Hash) (*compact.Range, error) {
	if len(frontier) != bits.OnesCount64(size) {
		return nil, ErrHead
	}
	hashes := make([][]byte, len(frontier))
	for i := range frontier {
		hashes[i] = frontier[i][:]
	}
	return tree.NewRange(0, size, hashes)
}

// stateOf returns frontier and root of a range that begins at 0.
func stateOf(r *compact.Range) ([]Hash, Hash, error) {
	var root Hash
	top, err := r.GetRootHash(nil)
	if err != nil {
		return nil, root, err
	}
	copy(root[:], top)
	frontier := make([]Hash, 0, len(r.Hashes()))
	for _, h := range r.Hashes() {
		frontier = append(frontier, Hash(h))
	}
	return frontier, root, nil
}

// Check returns ErrHead unless frontier, size and root agree.
func (h Head) Check() error {
	r, err := rangeOf(h.Size, h.Frontier)
	if err != nil {
		return ErrHead
	}
	_, root, err := stateOf(r)
	if err != nil || root != h.Root || (h.Version == 0 && h.Size != 0) {
		return ErrHead
	}
	return nil
}

// extend returns the head after these leaves.
func (h Head) extend(leaves []Hash) (Head, error) {
	r, err := rangeOf(h.Size, h.Frontier)
	if err != nil {
		return Head{}, err
	}
	for i := range leaves {
		if err := r.Append(leaves[i][:], nil); err != nil {
			return Head{}, fmt.Errorf("extend log: %w", err)
		}
	}
	next := Head{Workspace: h.Workspace, Size: h.Size + uint64(len(leaves)), Version: h.Version + 1}
	next.Frontier, next.Root, err = stateOf(r)
	if err != nil {
		return Head{}, err
	}
	return next, nil
}

// AppendBinary appends the stored form of the head but for workspace and
// version: size in 8 bytes, root, frontier.
func (h Head) AppendBinary(dst []byte) ([]byte, error) {
	dst = binary.BigEndian.AppendUint64(dst, h.Size)
	dst = append(dst, h.Root[:]...)
	return appendHashes(dst, h.Frontier), nil
}

// ParseHead reads what AppendBinary wrote, or returns ErrHead.
func ParseHead(workspace id.UUID, version uint64, b []byte) (Head, error) {
	const fixed = 8 + sha256.Size
	if len(b) < fixed || (len(b)-fixed)%sha256.Size != 0 || (len(b)-fixed)/sha256.Size > 64 {
		return Head{}, ErrHead
	}
	h := Head{Workspace: workspace, Version: version, Size: binary.BigEndian.Uint64(b), Root: Hash(b[8:fixed])}
	for at := fixed; at < len(b); at += sha256.Size {
		h.Frontier = append(h.Frontier, Hash(b[at:at+sha256.Size]))
	}
	if err := h.Check(); err != nil {
		return Head{}, err
	}
	return h, nil
}

// An Entry is the index item of one batch: which events it put into the log.
type Entry struct {
	Workspace id.UUID
	From      uint64
	Created   time.Time // to the millisecond
	Newest    time.Time // latest time that an id of the batch carries
	IDs       []id.UUID // in the order of the log; IDs[i] has number From+i
}

func (e *Entry) add(uid id.UUID) {
	if at := uid.Time(); len(e.IDs) == 0 || at.After(e.Newest) {
		e.Newest = at
	}
	e.IDs = append(e.IDs, uid)
}

// A Batch is one step of a log: the object to store, the head after it and its
// index entry.
type Batch struct {
	Key    string
	Object []byte
	Head   Head
	Entry  Entry
}

// Append returns the batch that appends these records, of head's workspace, at
// now. The records enter in the order given, 1 to MaxLeaves of them, each
// event once; a record that cannot enter is ErrRecord, a head that does not
// hold together ErrHead.
func Append(head Head, records []Record, now time.Time, signer note.Signer) (Batch, error) {
	if err := head.Check(); err != nil {
		return Batch{}, err
	}
	if len(records) == 0 || len(records) > MaxLeaves {
		return Batch{}, fmt.Errorf("%w: a batch holds 1 to %d records", ErrRecord, MaxLeaves)
	}
	o := &Object{Workspace: head.Workspace, From: head.Size, Created: now.Truncate(time.Millisecond).UTC(), Base: head.Frontier}
	entry := Entry{Workspace: head.Workspace, From: head.Size, Created: o.Created}
	seen := make(map[id.UUID]bool, len(records))
	var hash hasher
	for i, r := range records {
		uid, err := r.ID()
		if err != nil {
			return Batch{}, err
		}
		if err := r.Check(); err != nil {
			return Batch{}, err
		}
		if r.Workspace != head.Workspace || seen[uid] {
			return Batch{}, fmt.Errorf("%w: it is of another workspace or twice in the batch", ErrRecord)
		}
		seen[uid] = true
		entry.add(uid)
		o.Leaves = append(o.Leaves, r.Event)
		o.Hashes = append(o.Hashes, hash.leaf(r.Workspace, r.Event))
		if r.Detail != nil {
			o.Details = append(o.Details, Detail{i, *r.Detail})
		}
	}
	next, err := head.extend(o.Hashes)
	if err != nil {
		return Batch{}, err
	}
	o.Frontier = next.Frontier
	body, err := seal(o, next, signer)
	if err != nil {
		return Batch{}, err
	}
	return Batch{Key: ObjectKey(head.Workspace, head.Size), Object: body, Head: next, Entry: entry}, nil
}

// seal returns the object's bytes with its signed checkpoint.
func seal(o *Object, next Head, signer note.Signer) ([]byte, error) {
	body := o.appendBody(nil)
	c := Checkpoint{Origin: signer.Name(), Size: next.Size, Root: next.Root, Batch: sha256.Sum256(body)}
	signed, err := note.Sign(&note.Note{Text: c.Text()}, signer)
	if err != nil {
		return nil, fmt.Errorf("sign batch %s: %w", ObjectKey(o.Workspace, o.From), err)
	}
	body = binary.AppendUvarint(body, uint64(len(signed)))
	return append(body, signed...), nil
}

// Pending returns the records whose events are in none of the entries, each
// event once, in the order of first delivery, and those that no log takes. An
// event enters the log once however often and in whatever order it comes,
// provided that entries hold every batch with an event as new as the oldest of
// records, were read after the head, and that head is the condition of the
// commit.
func Pending(records []Record, entries []Entry) (pending []Record, parked []Parked) {
	known := make(map[id.UUID]bool)
	for _, e := range entries {
		for _, uid := range e.IDs {
			known[uid] = true
		}
	}
	for _, r := range records {
		uid, err := r.ID()
		if err == nil {
			err = r.Check()
		}
		if err != nil {
			parked = append(parked, Parked{r, err})
			continue
		}
		if !known[uid] {
			known[uid] = true
			pending = append(pending, r)
		}
	}
	return pending, parked
}

// A Parked is a record that no log takes, with the reason, which wraps
// ErrRecord.
type Parked struct {
	Record Record
	Reason error
}
