package consumer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"paddock/shared/archive"
	"paddock/shared/id"
	"paddock/shared/table"
)

// A Ledger keeps the heads and index entries of the audit logs. They hold
// hashes and identifiers only, in the clear: the archive opens nothing.
type Ledger struct {
	engine    table.Engine
	retention time.Duration
}

// NewLedger returns a Ledger whose logs are kept for retention.
func NewLedger(e table.Engine, retention time.Duration) *Ledger {
	return &Ledger{engine: e, retention: retention}
}

func logKey(ws id.UUID, sk string) table.Key {
	return table.Key{Table: table.Data, Kind: "L", Workspace: id.Of[id.Workspace](ws), SK: sk}
}

const batchPrefix = "batch#"

func batchSK(newest time.Time, from uint64) string {
	return fmt.Sprintf("%s%013d#%020d", batchPrefix, newest.UnixMilli(), from)
}

// Load implements the archive's logs.
func (l *Ledger) Load(ctx context.Context, ws id.UUID) (archive.State, error) {
	state := archive.State{Head: archive.Head{Workspace: ws}, Retention: l.retention}
	records, err := l.engine.Get(ctx, []table.Key{logKey(ws, "head")})
	if err != nil || len(records) == 0 {
		return state, err
	}
	state.Head, err = archive.ParseHead(ws, records[0].Version, records[0].Sealed)
	return state, err
}

// Since implements the archive's logs.
func (l *Ledger) Since(ctx context.Context, ws id.UUID, newest time.Time) ([]archive.Entry, error) {
	records, err := l.engine.Query(ctx, table.Query{Key: logKey(ws, "-"), Prefix: batchPrefix, From: batchSK(newest, 0)})
	if err != nil {
		return nil, err
	}
	out := make([]archive.Entry, 0, len(records))
	for _, r := range records {
		e, err := parseEntry(ws, r)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// Commit implements the archive's logs. The workspace must be alive: a late
// delivery cannot bring rows of a deleted one back.
func (l *Ledger) Commit(ctx context.Context, version uint64, next archive.Batch) error {
	head, err := next.Head.AppendBinary(nil)
	if err != nil {
		return err
	}
	ws := next.Head.Workspace
	writes := []table.Write{
		{Verb: table.Put, Expect: version, Record: table.Record{Key: logKey(ws, "head"), Version: version + 1, Sealed: head}},
		{Verb: table.Put, Record: table.Record{Key: logKey(ws, batchSK(next.Entry.Newest, next.Entry.From)), Version: 1, Sealed: appendEntry(nil, next.Entry)}},
		{Verb: table.Check, Record: table.Record{Key: table.WorkspaceKey(id.Of[id.Workspace](ws), 0)}, Where: []table.Attribute{table.Alive}},
	}
	token, err := (id.Source{}).NewUUID(next.Entry.Created)
	if err != nil {
		return err
	}
	err = l.engine.Transact(ctx, token.String(), writes)
	failed, ok := errors.AsType[*table.Failed](err)
	if ok {
		for _, i := range failed.Writes {
			if i == 2 {
				return table.ErrGone
			}
		}
		return archive.ErrConflict
	}
	if errors.Is(err, table.ErrContended) {
		return archive.ErrConflict
	}
	return err
}

func appendEntry(dst []byte, e archive.Entry) []byte {
	dst = binary.BigEndian.AppendUint64(dst, e.From)
	dst = binary.BigEndian.AppendUint64(dst, uint64(e.Created.UnixMilli())) //nolint:gosec // after 1970
	for _, u := range e.IDs {
		dst = append(dst, u[:]...)
	}
	return dst
}

func parseEntry(ws id.UUID, r table.Record) (archive.Entry, error) {
	b := r.Sealed
	if len(b) < 16 || len(b)%16 != 0 || !strings.HasPrefix(r.Key.SK, batchPrefix) {
		return archive.Entry{}, errors.New("consumer: an index entry is damaged")
	}
	e := archive.Entry{Workspace: ws, From: binary.BigEndian.Uint64(b), Created: time.UnixMilli(int64(binary.BigEndian.Uint64(b[8:]))).UTC()} //nolint:gosec // as written above
	for b = b[16:]; len(b) > 0; b = b[16:] {
		u := id.UUID(b[:16])
		if at := u.Time(); at.After(e.Newest) {
			e.Newest = at
		}
		e.IDs = append(e.IDs, u)
	}
	return e, nil
}
