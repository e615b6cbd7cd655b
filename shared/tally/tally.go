// Package tally bounds how many events the refusals of one stranger write. The
// first of a minute have one each; the others are counted, and one event with
// the exact count stands for them when the minute is over. Source: design,
// section 10; security, AU-10.
package tally

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/table"
)

// Each is how many refusals a minute from one network have an event each, of
// each kind.
const Each = 20

// Late is how long after its minute a tally is settled: requests that began in
// the minute have ended by then. One that has not is counted anew.
const Late = 45 * time.Second

// What marks the record of a tally among the messages that go out.
const What = "tally"

// keep is how long counters stay when nothing settles them: the sweep of
// messages looks back as far.
const keep = 48 * time.Hour

// A Tally says which refusals are counted: those of one kind, network and
// minute. It is stored sealed.
type Tally struct {
	Kind    string       `json:"kind"` // code of the event
	Status  int          `json:"status"`
	Of      string       `json:"of"` // the network's place in keys
	Minute  time.Time    `json:"minute"`
	Actor   audit.Actor  `json:"actor"`
	Source  audit.Source `json:"source"` // of the first that was only counted
	Request string       `json:"request"`
	Method  string       `json:"method"`
	Route   string       `json:"route"`
	App     string       `json:"app,omitempty"` // where the kind leaves them open
	Model   string       `json:"model,omitempty"`
	Action  string       `json:"action,omitempty"`
}

// Network returns what an address is counted under: itself, and for IPv6 its
// /64, of which one holder has every address.
func Network(ip netip.Addr) netip.Addr {
	if !ip.Is6() || ip.Is4In6() {
		return ip.Unmap()
	}
	prefix, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return ip
	}
	return prefix.Addr()
}

func counterKey(ws id.ID[id.Workspace], t Tally) table.Key {
	return table.Key{Table: table.Data, Kind: "T", Workspace: ws, Of: t.Of, SK: fmt.Sprintf("%s#%d", t.Kind, t.Minute.Unix()/60)}
}

// markKey is the same for every refusal of a tally: a time-sorted id made of
// what the tally counts.
func markKey(ws id.ID[id.Workspace], t Tally) (table.Key, error) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", t.Kind, t.Of, t.Minute.Unix()))
	name, err := id.Source{Reader: bytes.NewReader(sum[:])}.NewUUID(t.Minute)
	return table.MessageKey(ws, id.Of[id.Message](name)), err
}

// Refused records the refusal that e tells of: as e, or counted. Either is
// stored when it returns without an error. The contract of e's kind must have
// the number "count".
func Refused(ctx context.Context, s *table.Store, by authz.Allowed, e audit.Event) error {
	ws, from := by.Workspace(), by.Principal()
	of, err := s.MAC(ctx, by, "address", Network(from.Source.IP).String())
	if err != nil {
		return err
	}
	t := Tally{
		Kind: e.Kind.Code(), Actor: e.Actor, Status: e.HTTP.Status, Of: of, Minute: s.Now().Truncate(time.Minute), Source: from.Source,
		Request: from.Request.ID, Method: from.Request.Method, Route: from.Request.Route, App: e.App, Model: e.Model, Action: e.Action,
	}
	n, err := s.Count(ctx, by, table.Tallies, counterKey(ws, t), math.MaxInt64, t.Minute.Add(keep))
	if err != nil {
		return err
	}
	if n <= Each {
		return s.Commit(ctx, by, table.Change{Events: []audit.Event{e}})
	}
	key, err := markKey(ws, t)
	if err != nil {
		return err
	}
	mark := table.Insert(key, t, table.Text("kind", "message"), table.Text("state", table.Undelivered), table.Text("what", What),
		table.Num("due", t.Minute.Add(time.Minute+Late).Unix())).Until(t.Minute.Add(keep))
	err = s.WriteScratch(ctx, by, table.Tallies, mark)
	if errors.Is(err, table.ErrStale) {
		return nil // marked by an earlier one
	}
	return err
}

// Settle writes the event of the refusals that were only counted, and takes
// counter and mark away with it: a refusal that comes later is counted anew.
func Settle(ctx context.Context, s *table.Store, by authz.Allowed, mark table.Item) error {
	var t Tally
	if err := table.Decode(mark, &t); err != nil {
		return err
	}
	kind, err := audit.ParseKind(t.Kind)
	if err != nil {
		return fmt.Errorf("settle a tally: %w", err)
	}
	key := counterKey(by.Workspace(), t)
	counter, found, err := s.One(ctx, by, key)
	if err != nil {
		return err
	}
	n := counter.Attr("n").Num
	if !found || n <= Each {
		// Settled before, and marked once more by a refusal that came between.
		err := s.WriteScratch(ctx, by, table.Tallies, table.Remove(mark))
		if errors.Is(err, table.ErrStale) {
			return nil
		}
		return err
	}
	e := by.Event(kind, t.Minute).WithActor(t.Actor).WithSource(t.Source).WithPath(t.App, t.Model, t.Action).
		WithRequest(t.Request, audit.HTTP{Method: t.Method, Route: t.Route, Status: t.Status}).
		With(audit.Number("count", n-Each)).
		WithDescription(fmt.Sprintf("Refusals of one network beyond %d in a minute: %d.", Each, n-Each))
	for _, f := range []audit.Field{audit.Text("reason", "throttled"), audit.Text("limit", fmt.Sprintf("%d a minute", Each))} {
		if typ, ok := kind.FieldType(f.Name()); ok && typ == audit.TextField {
			e = e.With(f)
		}
	}
	return s.Commit(ctx, by, table.Change{
		Events: []audit.Event{e},
		Ops:    []table.Op{table.Remove(mark), table.RemoveCount(key, n)},
	})
}
