package consumer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"paddock/shared/archive"
	"paddock/shared/id"
	"paddock/shared/table"
)

// parking stores what no log takes, where people find it.
type parking interface {
	Park(ctx context.Context, record, reason string) error
}

// An Archive moves events from the outbox into the locked logs: as the stream
// delivers them, and by a sweep that finds what the stream lost.
type Archive struct {
	archiver *archive.Archiver
	engine   table.Engine
	parking  parking
	now      func() time.Time
}

// NewArchive returns an Archive.
func NewArchive(a *archive.Archiver, e table.Engine, p parking, now func() time.Time) *Archive {
	return &Archive{archiver: a, engine: e, parking: p, now: now}
}

// ArchiveRecord returns an outbox item as the archive takes it.
func ArchiveRecord(r table.Record) archive.Record {
	return archive.Record{Workspace: r.Key.Workspace.UUID(), Event: archive.Sealed{
		PK: r.Key.PK(), SK: r.Key.SK, Version: r.Version,
		KeyID: table.HashText(r.KeyID[:]), Ciphertext: r.Sealed,
	}}
}

// Deliver archives the events of one stream batch. What cannot be handled is
// parked and alarmed; what could not be served now is returned as an error, so
// that the stream delivers it again; the sweep finds it in any case.
func (a *Archive) Deliver(ctx context.Context, records []table.Record) error {
	in := make([]archive.Record, 0, len(records))
	for _, r := range records {
		in = append(in, ArchiveRecord(r))
	}
	return a.archive(ctx, in)
}

func (a *Archive) archive(ctx context.Context, in []archive.Record) error {
	if len(in) == 0 {
		return nil
	}
	result, err := a.archiver.Archive(ctx, in)
	for _, p := range result.Parked {
		slog.ErrorContext(ctx, "audit record parked", "workspace", p.Record.Workspace.String(), "sk", p.Record.Event.SK, "err", p.Reason.Error())
		if err := a.parking.Park(ctx, p.Record.Workspace.String()+"/"+p.Record.Event.PK+"/"+p.Record.Event.SK, p.Reason.Error()); err != nil {
			return fmt.Errorf("park a record: %w", err)
		}
	}
	return ofLiving(ctx, err)
}

// ofLiving leaves out of joined failures those of deleted workspaces: their
// events are not archived, and hold up nobody else's.
func ofLiving(ctx context.Context, err error) error {
	causes := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		causes = joined.Unwrap()
	}
	var rest []error
	for _, cause := range causes {
		if errors.Is(cause, table.ErrGone) {
			slog.InfoContext(ctx, "events of a deleted workspace are not archived")
			continue
		}
		rest = append(rest, cause)
	}
	return errors.Join(rest...)
}

// Reach of sweeps: each looks through the last two days, the one at 3 o'clock
// UTC through as many days as events surely stay in the outbox.
const (
	sweepDays = 2
	deepDays  = 35
	deepHour  = 3
)

// Sweep archives every event that is in the outbox and in no log, of all
// workspaces. One workspace's failure does not keep it from the others.
func (a *Archive) Sweep(ctx context.Context) error {
	workspaces, err := Workspaces(ctx, a.engine)
	if err != nil {
		return err
	}
	now := a.now().UTC()
	days := sweepDays
	if now.Hour() == deepHour {
		days = deepDays
	}
	var faults []error
	for _, ws := range workspaces {
		for d := days - 1; d >= 0; d-- {
			key := table.Key{Table: table.Data, Kind: "A", Workspace: ws, Of: table.EventDay(now.AddDate(0, 0, -d)), SK: "-"}
			records, err := a.engine.Query(ctx, table.Query{Key: key})
			if err == nil {
				err = a.Deliver(ctx, records)
			}
			if err != nil {
				faults = append(faults, fmt.Errorf("sweep %s: %w", ws, err))
			}
		}
	}
	return errors.Join(faults...)
}

// Workspaces lists all workspaces of the deployment.
func Workspaces(ctx context.Context, e table.Engine) ([]id.ID[id.Workspace], error) {
	records, err := e.Query(ctx, table.Query{Key: table.RegistryKey("-")})
	if err != nil {
		return nil, fmt.Errorf("list workspaces: %w", err)
	}
	out := make([]id.ID[id.Workspace], 0, len(records))
	for _, r := range records {
		ws, err := id.Parse[id.Workspace](r.Key.SK)
		if err != nil {
			return nil, fmt.Errorf("registry: %w", err)
		}
		out = append(out, ws)
	}
	return out, nil
}
