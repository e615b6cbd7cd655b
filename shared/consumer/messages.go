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

	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/message"
	"paddock/shared/table"
)

// A Ticket is what travels in the queue: where a message lies, nothing of it.
type Ticket struct {
	Workspace id.ID[id.Workspace] `json:"workspace"`
	Message   id.ID[id.Message]   `json:"message"`
}

// queue is where tickets go.
type queue interface {
	Send(ctx context.Context, body string) error
}

// A Relay puts stored messages on the queue. It opens nothing.
type Relay struct{ queue queue }

// NewRelay returns a Relay to a queue.
func NewRelay(q queue) *Relay { return &Relay{queue: q} }

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
		if err := r.queue.Send(ctx, string(body)); err != nil {
			return fmt.Errorf("queue a message: %w", err)
		}
	}
	return nil
}

// sender delivers a rendered mail.
type sender interface {
	Send(ctx context.Context, m message.Rendered) error
}

// A Post delivers queued messages.
type Post struct {
	store *table.Store
	mail  sender
}

// NewPost returns a Post that sends through mail.
func NewPost(s *table.Store, mail sender) *Post { return &Post{store: s, mail: mail} }

// Deliver sends the message of one ticket, once: it claims the message before
// sending, so that a second delivery finds it taken. A crash between claim and
// sending loses the message rather than repeating it; the claim names no
// outcome, so an operator sees it in state "sending". A malformed ticket is
// dropped with an alarm, for no retry mends it.
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
	if !ok || item.Attr("state").Text != "new" {
		return nil
	}
	var m message.Message
	if err := table.Decode(item, &m); err != nil {
		return err
	}
	rendered, err := message.Render(m)
	if err != nil {
		return err
	}
	mark := func(from table.Item, state string) error {
		return p.store.WriteScratch(ctx, by, table.Delivery, table.Replace(from, m, table.Text("kind", "message"), table.Text("state", state)))
	}
	if err := mark(item, "sending"); errors.Is(err, table.ErrStale) {
		return nil
	} else if err != nil {
		return err
	}
	item.Version++
	if err := p.mail.Send(ctx, rendered); err != nil {
		if back := mark(item, "new"); back != nil {
			return errors.Join(err, back)
		}
		return fmt.Errorf("send message %s: %w", t.Message, err)
	}
	return mark(item, "sent")
}
