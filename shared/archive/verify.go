package archive

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"paddock/shared/id"
)

// A Flaw is what can be wrong with a log.
type Flaw uint8

// The flaws.
const (
	// Foreign: the object's name is not that of a batch of this log.
	Foreign Flaw = iota + 1
	// Malformed: the bytes are not a batch object, or a leaf has no event id.
	Malformed
	// Misnamed: the object holds another batch than its name says.
	Misnamed
	// Gap: events are missing before this object.
	Gap
	// Overlap: the object begins before the end of the one before it.
	Overlap
	// LeafChanged: a record is not the one that its stored hash was made from.
	LeafChanged
	// BaseMismatch: the object does not continue the log before it.
	BaseMismatch
	// FrontierMismatch: the records do not lead to the stored frontier.
	FrontierMismatch
	// SignatureInvalid: the checkpoint is not signed for this log by its key.
	SignatureInvalid
	// SizeMismatch: the checkpoint signs another number of events.
	SizeMismatch
	// RootMismatch: the checkpoint signs another tree.
	RootMismatch
	// BytesChanged: the checkpoint signs other bytes of the object.
	BytesChanged
	// Repeated: an event is in the log a second time.
	Repeated
	// TailCut: a known checkpoint signs events that are no longer there.
	TailCut
	// Fork: a known checkpoint signs another history.
	Fork
)

// String returns the flaw's name in reports.
func (f Flaw) String() string {
	names := [...]string{
		"invalid", "foreign object", "malformed object", "misnamed object", "gap", "overlap",
		"changed record", "wrong base", "wrong frontier", "invalid signature", "wrong size", "wrong root",
		"changed bytes", "repeated event", "tail cut", "fork",
	}
	if int(f) >= len(names) {
		return names[0]
	}
	return names[f]
}

// A Finding is one flaw and where it is.
type Finding struct {
	Flaw   Flaw
	Object string // name of the object, "" for a known checkpoint
	Text   string // one sentence
}

// String returns the finding on one line, the object's name quoted: it may be
// anything that lies in a folder.
func (f Finding) String() string { return fmt.Sprintf("%s %q: %s", f.Flaw, f.Object, f.Text) }

// MaxFindings bounds a report; Report.Unlisted counts the rest.
const MaxFindings = 1000

// A Report is what Verify saw.
type Report struct {
	Objects  int
	First    uint64 // number of the first event seen
	Size     uint64 // size of the log after the last object
	Root     Hash
	Since    time.Time // when the first batch was made
	Until    time.Time // when the last batch was made
	Findings []Finding
	Unlisted int
}

// Intact reports whether nothing was found.
func (r *Report) Intact() bool { return len(r.Findings) == 0 }

// A Stored is an object with its name.
type Stored struct {
	Key  string
	Body []byte
}

// Expectation is what the caller knows about a log beforehand.
type Expectation struct {
	// Checkpoints are signed notes kept elsewhere, such as one from a witness
	// or an earlier run. Without a later one a cut tail cannot be seen.
	Checkpoints [][]byte
	// BeginsLate accepts a log whose first events are gone, as after the end
	// of their retention. The rest is still checked against the signed trees.
	BeginsLate bool
}

// Verify checks the objects of one log, given in the order of their names, as
// far as anyone can without a key of the workspace: form, order, completeness,
// each leaf, each tree and each signature. The verifier's name is the log's
// origin. The error is that of the iterator, of the verifier's name or of a
// known checkpoint that is not signed for this log; flaws are in the report.
func Verify(objects iter.Seq2[Stored, error], verifier note.Verifier, known Expectation) (Report, error) {
	v := verification{verifier: verifier, known: known, seen: make(map[id.UUID]uint64), sizes: make(map[uint64]Hash)}
	name := verifier.Name()
	workspace, err := id.ParseUUID(name[strings.LastIndexByte(name, '/')+1:])
	if err != nil {
		return Report{}, fmt.Errorf("log name %q: %w", name, err)
	}
	v.workspace = workspace
	for stored, err := range objects {
		if err != nil {
			return Report{}, fmt.Errorf("read objects: %w", err)
		}
		v.report.Objects++
		v.object(stored)
	}
	for _, signed := range known.Checkpoints {
		if err := v.checkpoint(signed); err != nil {
			return Report{}, err
		}
	}
	return v.report, nil
}

type verification struct {
	verifier  note.Verifier
	known     Expectation
	workspace id.UUID
	report    Report

	begun bool // an object was read
	lost  bool // the last object could not be read: where the next begins is unknown
	head  Head // after the last object
	seen  map[id.UUID]uint64
	sizes map[uint64]Hash // root at each end of a batch
	hash  hasher
}

func (v *verification) find(f Flaw, object, format string, args ...any) {
	if len(v.report.Findings) == MaxFindings {
		v.report.Unlisted++
		return
	}
	v.report.Findings = append(v.report.Findings, Finding{f, object, fmt.Sprintf(format, args...)})
}

func (v *verification) object(stored Stored) {
	workspace, from, err := ParseObjectKey(stored.Key)
	if err != nil || workspace != v.workspace {
		v.find(Foreign, stored.Key, "the name is not that of a batch of this log")
		return
	}
	o, err := Parse(stored.Body)
	if err != nil {
		v.find(Malformed, stored.Key, "the %d bytes are not a batch object", len(stored.Body))
		v.lost = true
		return
	}
	if o.Workspace != workspace || o.From != from {
		v.find(Misnamed, stored.Key, "it holds the batch %s", ObjectKey(o.Workspace, o.From))
	}
	v.order(stored.Key, o)
	hashes := v.leaves(stored.Key, o)
	after, err := Head{Workspace: workspace, Size: o.From, Frontier: o.Base}.extend(hashes)
	if err != nil {
		v.find(Malformed, stored.Key, "its base is not a frontier of %d events", o.From)
		v.lost = true
		return
	}
	if !slices.Equal(after.Frontier, o.Frontier) {
		v.find(FrontierMismatch, stored.Key, "its records do not lead to its frontier")
	}
	v.signature(stored.Key, o, after)
	v.advance(o, after)
}

// order compares where o begins with where the log ended.
func (v *verification) order(key string, o *Object) {
	switch {
	case v.lost:
	case !v.begun && o.From > 0 && !v.known.BeginsLate:
		v.find(Gap, key, "the events before number %d are missing", o.From)
	case !v.begun:
	case o.From > v.head.Size:
		v.find(Gap, key, "the events %d to %d are missing", v.head.Size, o.From-1)
	case o.From < v.head.Size:
		v.find(Overlap, key, "it begins at %d, but the log before it ends at %d", o.From, v.head.Size)
	case !slices.Equal(o.Base, v.head.Frontier):
		v.find(BaseMismatch, key, "it does not continue the log before it")
	}
}

// leaves returns the hashes of the records themselves.
func (v *verification) leaves(key string, o *Object) []Hash {
	hashes := make([]Hash, len(o.Leaves))
	for i, leaf := range o.Leaves {
		number := o.From + uint64(i)
		hashes[i] = v.hash.leaf(v.workspace, leaf)
		if hashes[i] != o.Hashes[i] {
			v.find(LeafChanged, key, "the record of event %d does not have its hash", number)
		}
		uid, err := EventID(leaf.SK)
		if err != nil {
			v.find(Malformed, key, "the record of event %d names no event", number)
			continue
		}
		if at, ok := v.seen[uid]; ok {
			v.find(Repeated, key, "event %d (%s) is already number %d", number, uid, at)
			continue
		}
		v.seen[uid] = number
	}
	return hashes
}

func (v *verification) signature(key string, o *Object, after Head) {
	c, err := OpenCheckpoint(o.Checkpoint, v.verifier)
	if err != nil {
		v.find(SignatureInvalid, key, "the checkpoint is not signed for this log by its key")
		return
	}
	if c.Size != after.Size {
		v.find(SizeMismatch, key, "the checkpoint signs %d events, here are %d", c.Size, after.Size)
	}
	if c.Root != after.Root {
		v.find(RootMismatch, key, "the checkpoint signs another tree than the records make")
	}
	if c.Batch != o.digest {
		v.find(BytesChanged, key, "the checkpoint signs other bytes of this object")
	}
}

func (v *verification) advance(o *Object, after Head) {
	if !v.begun {
		v.report.First, v.report.Since = o.From, o.Created
	}
	v.begun, v.lost, v.head = true, false, after
	v.sizes[after.Size] = after.Root
	v.report.Size, v.report.Root, v.report.Until = after.Size, after.Root, o.Created
}

// checkpoint compares the log with a checkpoint kept elsewhere.
func (v *verification) checkpoint(signed []byte) error {
	c, err := OpenCheckpoint(signed, v.verifier)
	if err != nil {
		return err
	}
	root, ends := v.sizes[c.Size]
	switch {
	case c.Size > v.report.Size:
		v.find(TailCut, "", "a known checkpoint signs %d events, here are %d", c.Size, v.report.Size)
	case ends && root != c.Root:
		v.find(Fork, "", "a known checkpoint signs another tree of %d events", c.Size)
	case !ends && c.Size > v.report.First:
		v.find(Fork, "", "a known checkpoint signs %d events, where no batch ends", c.Size)
	}
	return nil
}
