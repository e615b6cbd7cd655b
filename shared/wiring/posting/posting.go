// Package posting builds the entry of the tasks function.
package posting

import (
	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"paddock/shared/aws/ses"
	"paddock/shared/consumer"
	"paddock/shared/table"
	"paddock/shared/wiring"
)

// New builds the consumer of queued messages.
func New(c wiring.Config) (*consumer.Post, error) {
	store, err := c.Store(c.Keys(), table.DataKeyring)
	if err != nil {
		return nil, err
	}
	return consumer.NewPost(store, c.Engine(), ses.New(sesv2.NewFromConfig(c.AWS), c.MailSender)), nil
}
