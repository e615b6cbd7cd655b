// Package phone sends text messages through SNS, and calls through AWS End User
// Messaging. Errors name what went wrong by the service's code alone: its
// sentences can hold the number.
package phone

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/pinpointsmsvoicev2"
	voicetypes "github.com/aws/aws-sdk-go-v2/service/pinpointsmsvoicev2/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"paddock/shared/message"
)

// A Texter sends text messages under one sender id.
type Texter struct {
	client *sns.Client
	sender string
}

// NewTexter returns a Texter. sender is 1 to 11 letters and digits; countries
// that know no sender ids show a number instead.
func NewTexter(c *sns.Client, sender string) *Texter { return &Texter{client: c, sender: sender} }

// Send sends one text message, as one that must arrive. It returns
// message.ErrRefused for what the service will never take.
func (t *Texter) Send(ctx context.Context, r message.Rendered) error {
	text := func(s string) snstypes.MessageAttributeValue {
		return snstypes.MessageAttributeValue{DataType: aws.String("String"), StringValue: &s}
	}
	_, err := t.client.Publish(ctx, &sns.PublishInput{
		PhoneNumber: &r.To, Message: &r.Text,
		MessageAttributes: map[string]snstypes.MessageAttributeValue{"AWS.SNS.SMS.SenderID": text(t.sender), "AWS.SNS.SMS.SMSType": text("Transactional")},
	})
	return spoken("sns", err, "InvalidParameter", "InvalidParameterValue", "OptedOut", "UserError")
}

// A Caller makes calls from one number or pool of the account.
type Caller struct {
	client *pinpointsmsvoicev2.Client
	origin string
}

// NewCaller returns a Caller; origin is the ARN of a phone number or pool.
func NewCaller(c *pinpointsmsvoicev2.Client, origin string) *Caller {
	return &Caller{client: c, origin: origin}
}

// callLife is how many seconds the service may try to call: as long as a code is
// good for.
const callLife = 300

// Send makes one call that reads the text out. It returns message.ErrRefused for
// what the service will never take.
func (c *Caller) Send(ctx context.Context, r message.Rendered) error {
	_, err := c.client.SendVoiceMessage(ctx, &pinpointsmsvoicev2.SendVoiceMessageInput{
		DestinationPhoneNumber: &r.To, OriginationIdentity: &c.origin, MessageBody: &r.Text,
		MessageBodyTextType: voicetypes.VoiceMessageBodyTextTypeText, TimeToLive: aws.Int32(callLife),
	})
	return spoken("voice", err, "ValidationException", "ConflictException", "ResourceNotFoundException")
}

// spoken returns what a service's error comes to: message.ErrRefused for these
// codes.
func spoken(service string, err error, refused ...string) error {
	if err == nil {
		return nil
	}
	told, ok := errors.AsType[smithy.APIError](err)
	switch {
	case !ok:
		return fmt.Errorf("%s: no answer", service)
	case slices.Contains(refused, told.ErrorCode()):
		return fmt.Errorf("%s: %s: %w", service, told.ErrorCode(), message.ErrRefused)
	}
	return fmt.Errorf("%s: %s", service, told.ErrorCode())
}
