package world

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/pinpointsmsvoicev2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"paddock/shared/id"
	"paddock/shared/table"
)

// A Mail is what was handed to SES.
type Mail struct {
	To, Subject, Text string
	At                time.Time
}

// Mails returns the mails that were sent, oldest first.
func (r *Recorder) Mails() []Mail {
	var out []Mail
	for _, c := range r.applied() {
		in, ok := c.Input.(*sesv2.SendEmailInput)
		if ok {
			simple := in.Content.Simple
			out = append(out, Mail{in.Destination.ToAddresses[0], *simple.Subject.Data, *simple.Body.Text.Data, c.Began})
		}
	}
	return out
}

// A Text is what was handed to SNS, or to the service that makes calls.
type Text struct {
	To, Text string
	Call     bool
	At       time.Time
}

// Texts returns what was sent to phones, oldest first.
func (r *Recorder) Texts() []Text {
	var out []Text
	for _, c := range r.applied() {
		switch in := c.Input.(type) {
		case *sns.PublishInput:
			out = append(out, Text{*in.PhoneNumber, *in.Message, false, c.Began})
		case *pinpointsmsvoicev2.SendVoiceMessageInput:
			out = append(out, Text{*in.DestinationPhoneNumber, *in.MessageBody, true, c.Began})
		}
	}
	return out
}

// voiceOrigin is the number that calls in a world.
const voiceOrigin = "arn:aws:sms-voice:us-east-1:000000000000:phone-number/phone-world"

// calls stands for the service that makes calls, which the engine has not.
type calls struct{}

// NoAnswer is a number at which the service refuses to call, Busy one at which it
// does not work for now.
const (
	NoAnswer = "+31612000001"
	Busy     = "+31612000002"
)

// Do implements aws.HTTPClient.
func (calls) Do(r *http.Request) (*http.Response, error) {
	var in struct{ DestinationPhoneNumber, OriginationIdentity string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	status, body := http.StatusOK, `{"MessageId":"world"}`
	switch {
	case in.OriginationIdentity != voiceOrigin || in.DestinationPhoneNumber == NoAnswer:
		status, body = http.StatusBadRequest, `{"__type":"ValidationException","Message":"`+in.DestinationPhoneNumber+`"}`
	case in.DestinationPhoneNumber == Busy:
		status, body = http.StatusInternalServerError, `{"__type":"InternalServerException","Message":"`+in.DestinationPhoneNumber+`"}`
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

// applied returns the calls that were carried out, whatever their caller was
// told.
func (r *Recorder) applied() []Call {
	var out []Call
	for _, c := range r.Calls() {
		if c.Applied {
			out = append(out, c)
		}
	}
	return out
}

// Inserted returns the items with this plain "kind" that were written for the
// first time, in the order of their commits: what the table's stream delivers.
func (r *Recorder) Inserted(kind string) []Item {
	var out []Item
	take := func(item Item) {
		k, _ := item["kind"].(*types.AttributeValueMemberS)
		v, _ := item["v"].(*types.AttributeValueMemberN)
		if k != nil && k.Value == kind && v != nil && v.Value == "1" {
			out = append(out, item)
		}
	}
	for _, c := range r.applied() {
		switch in := c.Input.(type) {
		case *dynamodb.TransactWriteItemsInput:
			for _, w := range in.TransactItems {
				if w.Put != nil {
					take(w.Put.Item)
				}
			}
		case *dynamodb.PutItemInput:
			take(in.Item)
		}
	}
	return out
}

// An Item is an item as DynamoDB holds it.
type Item map[string]types.AttributeValue

// image returns the item as a stream record shows it.
func (i Item) image() map[string]map[string]string {
	out := map[string]map[string]string{}
	for name, value := range i {
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			out[name] = map[string]string{"S": v.Value}
		case *types.AttributeValueMemberN:
			out[name] = map[string]string{"N": v.Value}
		case *types.AttributeValueMemberB:
			out[name] = map[string]string{"B": base64.StdEncoding.EncodeToString(v.Value)}
		}
	}
	return out
}

// batch returns the stream batch of these items.
func batch(items []Item) any {
	type change struct {
		NewImage map[string]map[string]string `json:"NewImage"`
	}
	type record struct {
		EventID   string `json:"eventID"`
		EventName string `json:"eventName"`
		Change    change `json:"dynamodb"`
	}
	out := struct{ Records []record }{}
	for n, item := range items {
		out.Records = append(out.Records, record{EventID: fmt.Sprint(n), EventName: "INSERT", Change: change{item.image()}})
	}
	return out
}

// A Delivery brings what was committed to the functions that follow.
type Delivery struct {
	Entries *Entries
	// Times is how often each record is delivered, Shuffle in what order; the
	// zero Delivery delivers once and in order.
	Times   int
	Shuffle *rand.Rand

	messages, events, tickets int
}

// deliveries bounds how often a failed batch comes again.
const deliveries = 3

// All delivers everything that was committed since the last call: messages to
// the queue, from there to people, events to the log. A batch that fails comes
// again, as from the stream.
func (d *Delivery) All(ctx context.Context) error {
	if err := d.Messages(ctx); err != nil {
		return err
	}
	events := d.Entries.Recorder.Inserted("event")
	err := d.stream(ctx, "archive", events[d.events:])
	d.events = len(events)
	return err
}

// Messages delivers the messages alone.
func (d *Delivery) Messages(ctx context.Context) error {
	r := d.Entries.Recorder
	messages := r.Inserted("message")
	if err := d.stream(ctx, "relay", messages[d.messages:]); err != nil {
		return err
	}
	d.messages = len(messages)
	tickets := r.tickets()
	for _, body := range d.order(tickets[d.tickets:]) {
		if err := d.queue(ctx, body); err != nil {
			return err
		}
	}
	d.tickets = len(tickets)
	return nil
}

// Sweep runs the sweeps of the schedules.
func (d *Delivery) Sweep(ctx context.Context) error {
	for _, name := range []string{"tasks", "archive"} {
		if err := again(func() error {
			_, err := d.Entries.Invoke(ctx, name, map[string]string{"task": "sweep"})
			return err
		}); err != nil {
			return fmt.Errorf("sweep of %s: %w", name, err)
		}
	}
	return nil
}

func again(do func() error) error {
	var err error
	for range deliveries {
		if err = do(); err == nil {
			return nil
		}
	}
	return err
}

func (d *Delivery) stream(ctx context.Context, function string, items []Item) error {
	for _, part := range d.parts(items) {
		err := again(func() error {
			_, err := d.Entries.Invoke(ctx, function, batch(part))
			return err
		})
		if err != nil {
			return fmt.Errorf("deliver to %s: %w", function, err)
		}
	}
	return nil
}

// parts returns the items as one batch or, shuffled, in batches of a few.
func (d *Delivery) parts(items []Item) [][]Item {
	if len(items) == 0 {
		return nil
	}
	if d.Shuffle == nil {
		return [][]Item{items}
	}
	var out [][]Item
	for all := d.orderItems(items); len(all) > 0; {
		n := min(len(all), 1+d.Shuffle.IntN(5))
		out, all = append(out, all[:n]), all[n:]
	}
	return out
}

func (d *Delivery) orderItems(items []Item) []Item { return shuffled(d, items) }

func (d *Delivery) order(bodies []string) []string { return shuffled(d, bodies) }

func shuffled[T any](d *Delivery, in []T) []T {
	var out []T
	for range max(1, d.Times) {
		out = append(out, in...)
	}
	if d.Shuffle != nil {
		d.Shuffle.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	}
	return out
}

// queue delivers one ticket as SQS does: a reported failure comes again.
func (d *Delivery) queue(ctx context.Context, body string) error {
	type record struct {
		MessageID string `json:"messageId"`
		Body      string `json:"body"`
	}
	event := struct{ Records []record }{[]record{{"1", body}}}
	for range deliveries {
		text, err := d.Entries.Invoke(ctx, "tasks", event)
		if err != nil {
			return err
		}
		var answer struct {
			Failures []struct {
				Item string `json:"itemIdentifier"`
			} `json:"batchItemFailures"`
		}
		if err := json.Unmarshal(text, &answer); err != nil {
			return err
		}
		if len(answer.Failures) == 0 {
			return nil
		}
	}
	return fmt.Errorf("a ticket failed %d times: %s", deliveries, body)
}

func (r *Recorder) tickets() []string {
	var out []string
	for _, c := range r.applied() {
		if in, ok := c.Input.(*sqs.SendMessageInput); ok && c.Function == "relay" {
			out = append(out, *in.MessageBody)
		}
	}
	return out
}

// Poison delivers to the archive a record that no log takes.
func (d *Delivery) Poison(ctx context.Context, ws id.ID[id.Workspace]) error {
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	key := table.Key{Kind: "A", Workspace: ws, Of: "20260101"}
	item := Item{
		"pk": text(key.PK()), "sk": text("no event id"), "kind": text("event"),
		"v": &types.AttributeValueMemberN{Value: "1"}, "p": &types.AttributeValueMemberB{Value: []byte("poison")},
		"k": &types.AttributeValueMemberB{Value: make([]byte, 8)},
	}
	if _, err := d.Entries.Invoke(ctx, "archive", batch([]Item{item})); err != nil {
		return fmt.Errorf("a record that no log takes held the stream up: %w", err)
	}
	return nil
}
