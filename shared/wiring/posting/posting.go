// Package posting builds the entry of the tasks function.
package posting

import (
	"github.com/aws/aws-sdk-go-v2/service/pinpointsmsvoicev2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"paddock/shared/aws/phone"
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
	voice := pinpointsmsvoicev2.NewFromConfig(c.AWS, func(o *pinpointsmsvoicev2.Options) {
		if c.Calls != nil {
			o.HTTPClient = c.Calls
		}
	})
	return consumer.NewPost(store, c.Engine(), consumer.Senders{
		Mail:  ses.New(sesv2.NewFromConfig(c.AWS), c.MailSender),
		SMS:   phone.NewTexter(sns.NewFromConfig(c.AWS), c.SMSSender),
		Voice: phone.NewCaller(voice, c.VoiceOrigin),
	}), nil
}
