package client_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"paddock/shared/aws/client"
)

// closed is a body as the SDK leaves it once the answer has begun.
type closed struct{ io.Reader }

func (closed) Close() error                     { return nil }
func (closed) WriteTo(io.Writer) (int64, error) { return 0, io.EOF }

type transport func(*http.Request) (*http.Response, error)

func (t transport) Do(r *http.Request) (*http.Response, error) { return t(r) }

// TestABodyThatIsClosedEarlyEndsAsItShould copies what the transport copies
// after the length that was announced.
func TestABodyThatIsClosedEarlyEndsAsItShould(t *testing.T) {
	var copied error
	c := client.Whole(transport(func(r *http.Request) (*http.Response, error) {
		_, copied = io.Copy(io.Discard, r.Body)
		return &http.Response{}, nil
	}))
	r, err := http.NewRequest(http.MethodPost, "https://dynamodb.example", closed{strings.NewReader("")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(r); err != nil || copied != nil {
		t.Errorf("%v, copying ends with %v", err, copied)
	}
	if none, _ := http.NewRequest(http.MethodGet, "https://s3.example", nil); none != nil {
		if _, err := client.Whole(transport(func(r *http.Request) (*http.Response, error) {
			if r.Body != nil {
				t.Error("a request without body gets one")
			}
			return &http.Response{}, nil
		})).Do(none); err != nil {
			t.Error(err)
		}
	}
}
