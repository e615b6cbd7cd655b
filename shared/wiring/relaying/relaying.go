// Package relaying builds the entry of the relay function.
package relaying

import (
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"paddock/shared/aws/sqs"
	"paddock/shared/consumer"
	"paddock/shared/wiring"
)

// New builds the consumer of stored messages.
func New(c wiring.Config) *consumer.Relay {
	return consumer.NewRelay(sqs.New(awssqs.NewFromConfig(c.AWS), c.MessageQueue), c.Now)
}
