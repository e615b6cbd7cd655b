// Package ses sends mail through SES v2.
package ses

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"paddock/shared/fault"
	"paddock/shared/message"
)

// A Mailer sends mail from one address.
type Mailer struct {
	client *sesv2.Client
	from   string
}

// New returns a Mailer that sends from this address, an identity of the
// account.
func New(c *sesv2.Client, from string) *Mailer { return &Mailer{client: c, from: from} }

var errAddress = fault.Error{Kind: fault.Invalid, Code: "invalid_email", Detail: "The address holds a line break."}

// Send sends one mail as plain text. It returns message.ErrRefused for what the
// service will never take.
func (m *Mailer) Send(ctx context.Context, r message.Rendered) error {
	if strings.ContainsAny(r.To+r.Subject, "\r\n") {
		return errAddress
	}
	utf8 := aws.String("UTF-8")
	_, err := m.client.SendEmail(ctx, &sesv2.SendEmailInput{
		FromEmailAddress: &m.from,
		Destination:      &types.Destination{ToAddresses: []string{r.To}},
		Content: &types.EmailContent{Simple: &types.Message{
			Subject: &types.Content{Data: &r.Subject, Charset: utf8},
			Body:    &types.Body{Text: &types.Content{Data: &r.Text, Charset: utf8}},
		}},
	})
	if _, ok := errors.AsType[*types.MessageRejected](err); ok {
		return errors.Join(message.ErrRefused, err)
	}
	if _, ok := errors.AsType[*types.BadRequestException](err); ok {
		return errors.Join(message.ErrRefused, err)
	}
	return err
}
