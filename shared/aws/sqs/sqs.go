// Package sqs puts texts on queues.
package sqs

import (
	"context"
	"encoding/json"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// A Queue is one queue.
type Queue struct {
	client *sqs.Client
	url    string
}

// New returns the queue with this URL.
func New(c *sqs.Client, url string) *Queue { return &Queue{client: c, url: url} }

// Send puts one message on the queue, to be handed out after the delay, in
// whole seconds rounded up; at most 15 minutes.
func (q *Queue) Send(ctx context.Context, body string, delay time.Duration) error {
	seconds := int32(math.Ceil(delay.Seconds())) //nolint:gosec // the queue refuses more than 900
	_, err := q.client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: &body, DelaySeconds: seconds})
	return err
}

// Park puts a record that cannot be handled on the queue, named by its place
// in the tables; its content stays where it is.
func (q *Queue) Park(ctx context.Context, record, reason string) error {
	body, err := json.Marshal(struct {
		Record string `json:"record"`
		Reason string `json:"reason"`
	}{record, reason})
	if err != nil {
		return err
	}
	return q.Send(ctx, string(body), 0)
}
