package engine

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"runtime"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"paddock/shared/aws/client"
)

// AWSConfig returns an SDK configuration that reaches this engine as root.
// Root passes every policy; see WithCredentials.
func (e *Engine) AWSConfig() aws.Config {
	return e.WithCredentials(credentials.NewStaticCredentialsProvider(RootKey, RootKey, ""))
}

// WithCredentials returns an SDK configuration that reaches this engine with
// the given credentials, e.g. those of an assumed role.
func (e *Engine) WithCredentials(provider aws.CredentialsProvider) aws.Config {
	return aws.Config{
		Region:       Region,
		Credentials:  provider,
		HTTPClient:   client.Whole(e.client),
		BaseEndpoint: aws.String(e.URL),
	}
}

// A Mail is a message the engine took for delivery.
type Mail struct {
	MessageID string   `json:"MessageId"`
	Source    string   `json:"Source"`
	To        []string `json:"To"`
	Subject   string   `json:"Subject"`
	BodyText  string   `json:"BodyText"`
	BodyHTML  string   `json:"BodyHtml"`
	Timestamp any      `json:"Timestamp"`
}

// Mails returns all messages sent through this engine, oldest first.
func (e *Engine) Mails(ctx context.Context) ([]Mail, error) {
	var page struct {
		Messages map[string][]Mail `json:"messages"`
	}
	err := e.getJSON(ctx, "/_ministack/ses/messages", &page)
	if errors.Is(err, errNoPage) {
		return e.mailsOfLocalStack(ctx)
	}
	if err != nil {
		return nil, err
	}
	return page.Messages[Account], nil
}

// mailsOfLocalStack reads the mailbox where LocalStack has it, in the form of
// its documentation.
func (e *Engine) mailsOfLocalStack(ctx context.Context) ([]Mail, error) {
	var page struct {
		Messages []struct {
			ID          string `json:"Id"`
			Source      string
			Destination struct{ ToAddresses []string }
			Subject     string
			Body        struct {
				Text string `json:"text_part"`
				HTML string `json:"html_part"`
			}
			Timestamp any
		} `json:"messages"`
	}
	if err := e.getJSON(ctx, "/_aws/ses", &page); err != nil {
		return nil, err
	}
	mails := make([]Mail, len(page.Messages))
	for i, m := range page.Messages {
		mails[i] = Mail{
			MessageID: m.ID, Source: m.Source, To: m.Destination.ToAddresses, Subject: m.Subject,
			BodyText: m.Body.Text, BodyHTML: m.Body.HTML, Timestamp: m.Timestamp,
		}
	}
	return mails, nil
}

// A Text is a message to a phone the engine took for delivery.
type Text struct {
	PhoneNumber string
	Message     string
}

// Texts returns all messages to phones sent through this engine: by number, those
// to one oldest first.
func (e *Engine) Texts(ctx context.Context) ([]Text, error) {
	var page struct {
		Messages map[string][]Text `json:"sms_messages"`
	}
	err := e.getJSON(ctx, "/_ministack/sns/sms-messages", &page)
	if errors.Is(err, errNoPage) { // where LocalStack has it
		err = e.getJSON(ctx, "/_aws/sns/sms-messages", &page)
	}
	var out []Text
	for _, number := range slices.Sorted(maps.Keys(page.Messages)) {
		out = append(out, page.Messages[number]...)
	}
	return out, err
}

// Client returns an HTTP client that trusts this engine's certificate.
func (e *Engine) Client() *http.Client { return e.client }

// APIURL returns the address of an HTTP API's $default stage, without a slash
// at its end. The path form is used because `*.localhost` names are not
// resolved everywhere.
func (e *Engine) APIURL(api string) string {
	return e.URL + "/_aws/execute-api/" + api + "/$default"
}

// Architecture returns this machine's architecture as Lambda names it. The
// engine runs functions as processes of the machine, so they are built for it.
func Architecture() string {
	if runtime.GOARCH == "arm64" {
		return "arm64"
	}
	return "x86_64"
}
