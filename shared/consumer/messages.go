// Package consumer holds what happens after a commit: messages go to the queue
// and out to people, events go into the locked logs. Every consumer takes each
// record any number of times and in any order.
package consumer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/message"
	"paddock/shared/table"
	"paddock/shared/tally"
)

// A Ticket is what travels in the queue: where a message lies, nothing of it.
type Ticket struct {
	Workspace id.ID[id.Workspace] `json:"workspace"`
	Message   id.ID[id.Message]   `json:"message"`
}

// queue is where tickets go.
type queue interface {
	// Send hands the text out after the delay, at most 15 minutes.
	Send(ctx context.Context, body string, delay time.Duration) error
}

// A Relay puts stored messages on the queue. It opens nothing.
type Relay struct {
	queue queue
	now   func() time.Time
}

// NewRelay returns a Relay to a queue.
func NewRelay(q queue, now func() time.Time) *Relay { return &Relay{queue: q, now: now} }

// maxDelay is the longest that a queue keeps a text back.
const maxDelay = 15 * time.Minute

// delay is how long a message must wait: until it is due, if it says when.
func (r *Relay) delay(record table.Record) time.Duration {
	due := record.Attr("due").Num
	if due == 0 {
		return 0
	}
	return min(max(0, time.Unix(due, 0).Sub(r.now())), maxDelay)
}

// Deliver queues the messages of one stream batch. Queueing one twice is
// harmless: delivering marks it.
func (r *Relay) Deliver(ctx context.Context, records []table.Record) error {
	for _, record := range records {
		name, err := id.Parse[id.Message](record.Key.SK)
		if err != nil {
			slog.ErrorContext(ctx, "message record has no id", "key", record.Key.String())
			continue
		}
		body, err := json.Marshal(Ticket{Workspace: record.Key.Workspace, Message: name})
		if err != nil {
			return err
		}
		if err := r.queue.Send(ctx, string(body), r.delay(record)); err != nil {
			return fmt.Errorf("queue a message: %w", err)
		}
	}
	return nil
}

// sender delivers a rendered message. What it will never take is
// message.ErrRefused.
type sender interface {
	Send(ctx context.Context, m message.Rendered) error
}

// A Post delivers queued messages.
type Post struct {
	store   *table.Store
	engine  table.Engine
	senders map[message.Channel]sender
}

// Senders are the services that deliver, one for each channel.
type Senders struct{ Mail, SMS, Voice sender }

// NewPost returns a Post that sends through these services. The engine lists
// workspaces and undelivered messages; the store opens them.
func NewPost(s *table.Store, e table.Engine, by Senders) *Post {
	return &Post{store: s, engine: e, senders: map[message.Channel]sender{message.Mail: by.Mail, message.SMS: by.SMS, message.Voice: by.Voice}}
}

// Deliver sends the message of one ticket and marks it, so that a second
// ticket finds it sent. A crash between sending and marking sends it again: a
// mail that comes twice does no harm, one that never comes does. A code that is
// refused for good, or is of no use any more, is marked as failed: whoever waits
// for it is told. A malformed ticket is dropped with an alarm, for no retry
// mends it.
func (p *Post) Deliver(ctx context.Context, body string) error {
	var t Ticket
	if err := json.Unmarshal([]byte(body), &t); err != nil || t.Workspace.Zero() || t.Message.Zero() {
		slog.ErrorContext(ctx, "queue holds a malformed ticket")
		return nil //nolint:nilerr // no retry mends it
	}
	by := authz.ForTask(t.Workspace, "post")
	item, ok, err := p.store.One(ctx, by, table.MessageKey(t.Workspace, t.Message))
	if errors.Is(err, table.ErrGone) {
		return nil // the workspace was deleted in the meantime
	}
	if err != nil {
		return err
	}
	if !ok || item.Attr("state").Text != table.Undelivered {
		return nil
	}
	if item.Attr("what").Text == tally.What {
		err := tally.Settle(ctx, p.store, by, item)
		if errors.Is(err, table.ErrGone) {
			return nil
		}
		return err
	}
	var m message.Message
	if err := table.Decode(item, &m); err != nil {
		return err
	}
	state, err := p.send(ctx, m)
	if err != nil {
		return fmt.Errorf("send message %s: %w", t.Message, err)
	}
	if state == table.Undeliverable {
		slog.WarnContext(ctx, "a code was not delivered", "message", t.Message.String())
	}
	err = p.store.WriteScratch(ctx, by, table.Delivery, table.Replace(item, m, table.Text("kind", "message"), table.Text("state", state)))
	if errors.Is(err, table.ErrStale) {
		return nil // another ticket of the same message was first
	}
	return err
}

// send delivers a message and returns what becomes of it.
func (p *Post) send(ctx context.Context, m message.Message) (string, error) {
	rendered, err := message.Render(m)
	if err != nil {
		return "", err
	}
	by, ok := p.senders[m.Channel]
	switch {
	case m.To == "": // one to nobody stands in where there is no account
		return table.Delivered, nil
	case m.Code != "" && !p.store.Now().Before(m.Until):
		return table.Undeliverable, nil
	case !ok:
		return "", fmt.Errorf("no service delivers by %s", m.Channel)
	}
	err = by.Send(ctx, rendered)
	if m.Code != "" && errors.Is(err, message.ErrRefused) {
		return table.Undeliverable, nil
	}
	return table.Delivered, err
}

// The sweep of messages runs each quarter of an hour and leaves alone what
// stream and queue may still be bringing.
const (
	sweepEvery = 15 // minutes
	overdue    = 5 * time.Minute
)

// Sweep delivers what stream and queue lost: messages of today and yesterday
// that are still undelivered after overdue. Called each minute, it works at
// each quarter of an hour. One message's failure does not keep it from others.
func (p *Post) Sweep(ctx context.Context) error {
	now := p.store.Now()
	if now.Minute()%sweepEvery != 0 {
		return nil
	}
	workspaces, err := Workspaces(ctx, p.engine)
	if err != nil {
		return err
	}
	var faults []error
	for _, ws := range workspaces {
		for _, at := range []time.Time{now.AddDate(0, 0, -1), now} {
			records, err := p.engine.Query(ctx, table.Query{Key: table.Key{Table: table.Data, Kind: "M", Workspace: ws, Of: table.EventDay(at), SK: "-"}})
			if err != nil {
				faults = append(faults, fmt.Errorf("sweep messages of %s: %w", ws, err))
				continue
			}
			for _, r := range records {
				faults = append(faults, p.late(ctx, r, now))
			}
		}
	}
	return errors.Join(faults...)
}

// late delivers a stored message when it is overdue.
func (p *Post) late(ctx context.Context, r table.Record, now time.Time) error {
	name, err := id.Parse[id.Message](r.Key.SK)
	if err != nil {
		return fmt.Errorf("message %s: %w", r.Key, err)
	}
	if r.Attr("state").Text != table.Undelivered || now.Sub(name.UUID().Time()) < overdue {
		return nil
	}
	body, err := json.Marshal(Ticket{Workspace: r.Key.Workspace, Message: name})
	if err != nil {
		return err
	}
	return p.Deliver(ctx, string(body))
}
