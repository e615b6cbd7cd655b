package archive

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"

	"paddock/shared/id"
)

// Retention of audit objects: 90 to 1,826 days, five years with a leap day.
// Source: product specification, "Log retention"; limits, audit_retention.
const (
	MinRetention = 90 * 24 * time.Hour
	MaxRetention = 1826 * 24 * time.Hour
)

// attempts is how often one workspace's delivery starts again after another
// archiver was first. Each round that fails means that another one succeeded.
const attempts = 10

// Errors of archiving.
var (
	// ErrConflict is returned by Commit when the stored head is not the one
	// that the batch follows.
	ErrConflict = errors.New("archive: another archiver was first")
	// ErrForeignObject is returned when the object that lies under the next
	// name is not a batch that continues the log under its key.
	ErrForeignObject = errors.New("archive: the next object's name is taken by what does not continue the log")
	// ErrRetention is returned for a retention outside MinRetention to
	// MaxRetention.
	ErrRetention = errors.New("archive: retention out of bounds")
)

// A State is a log's stored head and how long its new objects are kept.
type State struct {
	Head      Head
	Retention time.Duration
}

// logs is the stored side of heads and index entries.
type logs interface {
	// Load returns the head by a consistent read, and the workspace's
	// retention. A log that has no head yet is the zero Head of its workspace.
	Load(ctx context.Context, workspace id.UUID) (State, error)
	// Since returns, by a consistent read, the entries whose Newest is at or
	// after this time. No clock but that of the ids matters for it.
	Since(ctx context.Context, workspace id.UUID, newest time.Time) ([]Entry, error)
	// Commit stores next.Head and next.Entry in one transaction, on condition
	// that the stored head still has this version (0: that there is none) and
	// that the entry is not there, or returns ErrConflict.
	Commit(ctx context.Context, version uint64, next Batch) error
}

// bucket is the audit bucket.
type bucket interface {
	// PutIfAbsent stores the object locked until this time, unless there is one
	// with its name: then it changes nothing and returns the bytes of that one.
	PutIfAbsent(ctx context.Context, key string, body []byte, until time.Time) (existing []byte, err error)
}

// signingKey is the deployment's Ed25519 key.
type signingKey interface {
	// Public returns the public key, which never changes.
	Public(ctx context.Context) (ed25519.PublicKey, error)
	// Sign returns the raw signature of message.
	Sign(ctx context.Context, message []byte) ([]byte, error)
}

// A Config is what an Archiver needs. All fields are required.
type Config struct {
	Domain string // base domain of the deployment, first part of each log's name
	Logs   logs
	Bucket bucket
	Key    signingKey
	Now    func() time.Time
}

// An Archiver puts delivered events into the logs of their workspaces.
type Archiver struct{ config Config }

// New returns an Archiver, or an error that names what is missing.
func New(c Config) (*Archiver, error) {
	if c.Domain == "" || c.Logs == nil || c.Bucket == nil || c.Key == nil || c.Now == nil {
		return nil, errors.New("archive: domain, logs, bucket, key and clock are required")
	}
	return &Archiver{c}, nil
}

// A Result says what became of a delivery.
type Result struct {
	Archived int      // events that this call put into logs
	Present  int      // deliveries of events that were already in a log
	Parked   []Parked // records that no log takes: store them elsewhere and raise an alarm
	Failed   []Record // records of workspaces that could not be served now: deliver them again
}

// Archive puts the events of a delivery, from any shard, in any order and
// however often, into the logs of their workspaces. A record that cannot enter
// is parked and the others go on; a workspace that cannot be served does not
// hold up another. The error joins the causes of Failed and is nil when Failed
// is empty.
func (a *Archiver) Archive(ctx context.Context, records []Record) (Result, error) {
	var result Result
	public, err := a.config.Key.Public(ctx)
	if err != nil {
		return Result{Failed: records}, fmt.Errorf("read signing key: %w", err)
	}
	var causes []error
	for _, group := range byWorkspace(records) {
		part, err := a.workspace(ctx, public, group)
		result.Archived += part.Archived
		result.Present += part.Present
		result.Parked = append(result.Parked, part.Parked...)
		if err != nil {
			causes = append(causes, fmt.Errorf("archive workspace %s: %w", group[0].Workspace, err))
			result.Failed = append(result.Failed, part.Failed...)
		}
	}
	return result, errors.Join(causes...)
}

// byWorkspace groups records, keeping their order.
func byWorkspace(records []Record) [][]Record {
	places := make(map[id.UUID]int)
	var groups [][]Record
	for _, r := range records {
		at, ok := places[r.Workspace]
		if !ok {
			at = len(groups)
			places[r.Workspace] = at
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], r)
	}
	return groups
}

// workspace archives the records of one workspace. Each round reads the head
// first and the index after it, and commits on condition of that head: whoever
// commits between makes the commit fail, so no event enters twice.
func (a *Archiver) workspace(ctx context.Context, public ed25519.PublicKey, records []Record) (Result, error) {
	workspace := records[0].Workspace
	sound, parked := Pending(records, nil)
	result := Result{Parked: parked}
	verifier, err := NewVerifier(a.config.Domain, workspace, public)
	if err != nil {
		result.Failed = sound
		return result, err
	}
	own := 0
	for conflicts := 0; ; {
		pending, err := a.round(ctx, verifier, workspace, sound, &own)
		switch {
		case errors.Is(err, ErrConflict) && conflicts < attempts:
			conflicts++
			continue
		case err != nil:
			result.Archived, result.Failed = own, sound
			return result, err
		case pending == 0:
			result.Archived = own
			result.Present = len(records) - len(parked) - own
			return result, nil
		}
	}
}

// round archives up to one batch and returns how many records are still
// pending after it; own counts the events of ours that it put into the log.
func (a *Archiver) round(ctx context.Context, verifier note.Verifier, workspace id.UUID, sound []Record, own *int) (int, error) {
	if len(sound) == 0 {
		return 0, nil
	}
	state, err := a.config.Logs.Load(ctx, workspace)
	if err != nil {
		return 0, fmt.Errorf("load head: %w", err)
	}
	if state.Retention < MinRetention || state.Retention > MaxRetention {
		return 0, ErrRetention
	}
	entries, err := a.config.Logs.Since(ctx, workspace, oldest(sound))
	if err != nil {
		return 0, fmt.Errorf("read index: %w", err)
	}
	pending, _ := Pending(sound, entries)
	if len(pending) == 0 {
		return 0, nil
	}
	batch, err := a.store(ctx, verifier, state, pending)
	if err != nil {
		return 0, err
	}
	if err := a.config.Logs.Commit(ctx, state.Head.Version, batch); err != nil {
		return 0, fmt.Errorf("commit %s: %w", batch.Key, err)
	}
	entered := countOf(pending, batch.Entry.IDs)
	*own += entered
	return len(pending) - entered, nil
}

// store puts the next batch into the bucket. When an object is there already,
// left by an archiver that ended before its commit or is about to commit, that
// one is checked and returned instead.
func (a *Archiver) store(ctx context.Context, verifier note.Verifier, state State, pending []Record) (Batch, error) {
	signer := NewSigner(verifier, func(message []byte) ([]byte, error) { return a.config.Key.Sign(ctx, message) })
	now := a.config.Now()
	batch, err := Append(state.Head, fitting(pending), now, signer)
	if err != nil {
		return Batch{}, err
	}
	existing, err := a.config.Bucket.PutIfAbsent(ctx, batch.Key, batch.Object, now.Add(state.Retention))
	if err != nil {
		return Batch{}, fmt.Errorf("put %s: %w", batch.Key, err)
	}
	if existing == nil || bytes.Equal(existing, batch.Object) {
		return batch, nil
	}
	return Adopt(state.Head, existing, verifier)
}

// Adopt returns the batch that lies in an object found under the name that
// follows head, or ErrForeignObject unless it continues the log in every
// respect that Verify checks.
func Adopt(head Head, body []byte, verifier note.Verifier) (Batch, error) {
	key := ObjectKey(head.Workspace, head.Size)
	o, err := Parse(body)
	if err != nil {
		return Batch{}, fmt.Errorf("%w: %s: %w", ErrForeignObject, key, err)
	}
	one := func(yield func(Stored, error) bool) { yield(Stored{key, body}, nil) }
	report, err := Verify(one, verifier, Expectation{BeginsLate: true})
	if err != nil {
		return Batch{}, err
	}
	if !report.Intact() {
		return Batch{}, fmt.Errorf("%w: %s", ErrForeignObject, report.Findings[0])
	}
	if o.Workspace != head.Workspace || !slices.Equal(o.Base, head.Frontier) {
		return Batch{}, fmt.Errorf("%w: %s does not continue the head", ErrForeignObject, key)
	}
	next, err := head.extend(o.Hashes)
	if err != nil {
		return Batch{}, err
	}
	entry := Entry{Workspace: head.Workspace, From: o.From, Created: o.Created}
	for _, leaf := range o.Leaves {
		uid, err := EventID(leaf.SK)
		if err != nil {
			return Batch{}, err
		}
		entry.add(uid)
	}
	return Batch{Key: key, Object: body, Head: next, Entry: entry}, nil
}

// fitting returns the first records that one object holds: MaxLeaves, or fewer
// when their ciphertexts together would come near MaxObject.
func fitting(pending []Record) []Record {
	size := 0
	for i, r := range pending {
		size += len(r.Event.Ciphertext) + 4*MaxKey
		if r.Detail != nil {
			size += len(r.Detail.Ciphertext) + 4*MaxKey
		}
		if i == MaxLeaves || (i > 0 && size > MaxObject/4) {
			return pending[:i]
		}
	}
	return pending
}

// oldest returns the time of the first event, as its id tells it.
func oldest(records []Record) time.Time {
	var first time.Time
	for i, r := range records {
		uid, err := r.ID()
		if err == nil && (i == 0 || uid.Time().Before(first)) {
			first = uid.Time()
		}
	}
	return first
}

// countOf returns how many of the records have one of these ids.
func countOf(records []Record, ids []id.UUID) int {
	known := make(map[id.UUID]bool, len(ids))
	for _, uid := range ids {
		known[uid] = true
	}
	count := 0
	for _, r := range records {
		if uid, err := r.ID(); err == nil && known[uid] {
			count++
		}
	}
	return count
}
