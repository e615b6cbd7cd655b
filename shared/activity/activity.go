// Package activity reads the audit log for people: newest first, filtered, in
// pages, and only what the reader may see. It writes nothing.
package activity

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/permission"
	"paddock/shared/table"
)

// A Service reads events.
type Service struct{ store *table.Store }

// New returns a Service.
func New(store *table.Store) (*Service, error) {
	if store == nil {
		return nil, errors.New("activity: a store is required")
	}
	return &Service{store: store}, nil
}

// A Filter narrows what is read; zero fields admit everything.
type Filter struct {
	User   id.UUID // actor or subject
	App    string
	Model  string
	Size   int    // events a page, 1 to 100
	Cursor string // of the page before
	// Since is when the workspace was made: nothing is older.
	Since time.Time
}

// ErrOthers refuses the events of others to who may read only their own.
var ErrOthers = authz.ErrDenied.In("user")

// ErrCursor refuses a cursor that was made for another reader or filter.
var ErrCursor = fault.Error{Kind: fault.Invalid, Code: "invalid_cursor", Detail: "This cursor does not belong to this list.", Source: "cursor"}

// maxDays bounds how many days one request looks through, maxReads how many
// times it asks the table. A page may then hold fewer events than asked, with a
// cursor to go on.
const (
	maxDays  = 31
	maxReads = 20
)

// Page returns one page of events and the cursor of the next, "" at the end. The
// read is an event itself.
func (s *Service) Page(ctx context.Context, by authz.Allowed, f Filter) ([]audit.Event, string, error) {
	reader := by.Principal()
	all := by.Permission() == permission.ReadAudit
	if !all {
		if !f.User.Zero() && f.User != reader.ID.UUID() {
			return nil, "", ErrOthers
		}
		f.User = reader.ID.UUID()
	}
	bound := strings.Join([]string{"activity", reader.ID.String(), f.User.String(), f.App, f.Model}, "|")
	before := ""
	if f.Cursor != "" {
		text, err := s.store.OpenCursor(ctx, by, bound, f.Cursor)
		if err != nil {
			return nil, "", ErrCursor
		}
		before = text
	}
	keep := func(e audit.Event) bool { return visible(reader, all, e) && f.matches(e) }
	var events []audit.Event
	var last string
	var err error
	if f.User.Zero() {
		events, last, err = s.byDay(ctx, by, f, before, keep)
	} else {
		events, last, err = s.byUser(ctx, by, f, before, keep)
	}
	if err != nil {
		return nil, "", err
	}
	cursor := ""
	if last != "" {
		if cursor, err = s.store.SealCursor(ctx, by, bound, last); err != nil {
			return nil, "", err
		}
	}
	return events, cursor, s.read(ctx, by, f, len(events))
}

// ErrNoDecision refuses to show a decision that is not there, or not the
// reader's.
var ErrNoDecision = fault.Error{Kind: fault.NotFound, Code: "not_found", Detail: "There is no such decision."}

// Decision returns the event of a decision that refused a request: to whom it
// was about, and to who may read all events. It is looked for among the events
// from the decision's own instant on.
func (s *Service) Decision(ctx context.Context, by authz.Allowed, of id.UUID, all bool) (audit.Event, error) {
	const within = 200 // the event follows its decision in the same request
	first := of
	clear(first[6:]) // the same millisecond (RFC 9562 section 5.7)
	items, err := s.store.Query(ctx, by, table.Query{Key: table.EventKey(by.Workspace(), of), From: first.String(), Limit: within})
	if err != nil {
		return audit.Event{}, err
	}
	reader := by.Principal().ID.UUID()
	for _, item := range items {
		e, err := audit.Decode(item.Payload)
		if err != nil {
			return audit.Event{}, err
		}
		if e.Decision.ID == of && (all || e.Actor.ID == reader) {
			if !all && hidden(e) {
				e.Decision.FailingCondition = "not there, or not yours to see"
			}
			return e, nil
		}
	}
	return audit.Event{}, ErrNoDecision
}

// hidden reports whether a refusal was answered as what is not there: the true
// condition would tell whether it is (security, RB-9).
func hidden(e audit.Event) bool {
	return slices.ContainsFunc(e.Fields, func(f audit.Field) bool { return f.Name() == "error_code" && f.Text() == "not_found" })
}

// Questions bounds what one account may ask of why in one QuestionWindow: each
// looks at all that the workspace gives.
const (
	Questions      = 200
	QuestionWindow = 15 * time.Minute
)

// ErrQuestions refuses one more question.
var ErrQuestions = fault.Error{Kind: fault.Limited, Code: "too_many_questions", Detail: "Too much was asked. Try again later."}

// questionsKey counts what an account asked in a window.
func questionsKey(ws id.ID[id.Workspace], who id.ID[id.Principal], at time.Time) table.Key {
	return table.Key{Table: table.Data, Kind: "B", Workspace: ws, Of: who.String(), SK: "asked#" + strconv.FormatInt(at.Unix(), 10)}
}

// Ask counts a question of the actor's before it is looked into.
func (s *Service) Ask(ctx context.Context, by authz.Allowed) error {
	now := s.store.Now()
	window := now.Truncate(QuestionWindow)
	_, err := s.store.Count(ctx, by, table.Budgets, questionsKey(by.Workspace(), by.Principal().ID, window), Questions, window.Add(2*QuestionWindow))
	if errors.Is(err, table.ErrStale) {
		return ErrQuestions.After(window.Add(QuestionWindow).Sub(now))
	}
	return err
}

// Explained records that somebody asked why.
func (s *Service) Explained(ctx context.Context, by authz.Allowed, decision id.UUID, result string) error {
	e := by.Event(audit.AccessExplained, s.store.Now()).With(audit.Text("result", result)).WithDescription("Somebody asked why.")
	if !decision.Zero() {
		e = e.With(audit.ID("decision_id", decision))
	}
	return s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}})
}

// maxQuery bounds how much of a query its event holds, in bytes.
const maxQuery = 500

// read records that the log was read. Source: security, AU-6.
func (s *Service) read(ctx context.Context, by authz.Allowed, f Filter, rows int) error {
	query := url.Values{}
	for name, value := range map[string]string{"app": f.App, "model": f.Model} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if !f.User.Zero() {
		query.Set("user", f.User.String())
	}
	text := query.Encode() // ASCII, and as long as the caller likes
	e := by.Event(audit.AuditRead, s.store.Now()).With(audit.Text("query", text[:min(len(text), maxQuery)]), audit.Number("rows_n", int64(rows))).
		WithDescription("The audit log was read.")
	return s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}})
}

func (f Filter) matches(e audit.Event) bool {
	app, model, _ := e.Path()
	return (f.App == "" || app == f.App) && (f.Model == "" || model == f.Model)
}

// visible is the rule of who sees which event. Source: audit events contract,
// rule 4.
func visible(reader authz.Principal, all bool, e audit.Event) bool {
	switch e.Kind.Visibility() {
	case audit.Own:
		return all || e.Actor.ID == reader.ID.UUID() || e.Subject == reader.ID.UUID()
	case audit.Staff:
		return all
	case audit.Superuser:
		return all && reader.Role == authz.Superuser
	}
	return false
}

// byDay walks the outbox day by day, newest first. last is where to go on,
// "" when the log's beginning was reached.
func (s *Service) byDay(ctx context.Context, by authz.Allowed, f Filter, before string, keep func(audit.Event) bool) (events []audit.Event, last string, err error) {
	day := s.store.Now()
	if uid, err := id.ParseUUID(before); err == nil {
		day = uid.Time()
	}
	oldest := f.Since.UTC().Truncate(24 * time.Hour)
	reads := maxReads
	for range maxDays {
		if day.Before(oldest) {
			return events, "", nil
		}
		key := table.Key{Table: table.Data, Kind: "A", Workspace: by.Workspace(), Of: table.EventDay(day)}
		got, end, err := s.walk(ctx, by, table.Query{Key: key, Backward: true, Before: before}, f.Size-len(events), &reads, keep)
		if err != nil {
			return nil, "", err
		}
		events = append(events, got...)
		if end != "" {
			return events, end, nil
		}
		day = day.UTC().Truncate(24 * time.Hour).Add(-time.Nanosecond)
		before = firstAfter(day)
	}
	return events, before, nil
}

// firstAfter returns a sort key just beyond every event of the day of at.
func firstAfter(at time.Time) string {
	end := at.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	u, err := id.Source{Reader: zeros{}}.NewUUID(end)
	if err != nil {
		return ""
	}
	return u.String()
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// byUser merges the events that a person did and those done to them.
func (s *Service) byUser(ctx context.Context, by authz.Allowed, f Filter, before string, keep func(audit.Event) bool) ([]audit.Event, string, error) {
	var merged []audit.Event
	cut := ""
	for _, index := range []struct{ name, attribute string }{{table.ByActor, "ga"}, {table.BySubject, "gs"}} {
		mac, err := s.store.MAC(ctx, by, index.name, f.User.String())
		if err != nil {
			return nil, "", err
		}
		q := table.Query{
			Index: index.name, HashName: index.attribute, Hash: mac, Backward: true, Before: before,
			Key: table.Key{Table: table.Data, Kind: "A", Workspace: by.Workspace()},
		}
		reads := maxReads / 2
		got, end, err := s.walk(ctx, by, q, f.Size, &reads, keep)
		if err != nil {
			return nil, "", err
		}
		merged, cut = append(merged, got...), max(cut, end)
	}
	events, last := page(merged, cut, f.Size)
	return events, last, nil
}

// page returns the newest events, each once, of what several walks brought:
// nothing beyond the cut, the newest place where one of them stopped, for
// others may lie there. last is where to go on, "" at the end.
func page(events []audit.Event, cut string, size int) (out []audit.Event, last string) {
	slices.SortFunc(events, func(a, b audit.Event) int { return strings.Compare(b.UID.String(), a.UID.String()) })
	events = slices.CompactFunc(events, func(a, b audit.Event) bool { return a.UID == b.UID })
	events = slices.DeleteFunc(events, func(e audit.Event) bool { return e.UID.String() < cut })
	if len(events) > size {
		return events[:size], events[size-1].UID.String()
	}
	return events, cut
}

// walk reads one partition until size events are kept or reads are used up. end
// is the last event looked at then, "" when the partition ended before.
func (s *Service) walk(ctx context.Context, by authz.Allowed, q table.Query, size int, reads *int, keep func(audit.Event) bool) (events []audit.Event, end string, err error) {
	q.Limit = max(size, 25)
	for ; *reads > 0; *reads-- {
		items, err := s.store.Query(ctx, by, q)
		if err != nil {
			return nil, "", err
		}
		for _, item := range items {
			e, err := audit.Decode(item.Payload)
			if err != nil {
				return nil, "", err
			}
			if !keep(e) {
				continue
			}
			events = append(events, e)
			if len(events) == size {
				return events, e.UID.String(), nil
			}
		}
		if len(items) < q.Limit {
			*reads--
			return events, "", nil
		}
		q.Before = items[len(items)-1].Key.SK
	}
	return events, q.Before, nil
}
