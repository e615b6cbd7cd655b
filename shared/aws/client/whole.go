package client

import (
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Whole returns an HTTP client that gives a connection up only when something
// went wrong on it. The SDK closes the body of a request when the answer
// begins, and from then on its body's WriteTo fails with io.EOF; a transport
// that has yet to look for the body's end takes that for an error and closes
// the connection under the answer, so that a call that was carried out is sent
// again. Bodies that can only be read end with io.EOF as they should.
func Whole(c aws.HTTPClient) aws.HTTPClient { return whole{c} }

type whole struct{ aws.HTTPClient }

// Do implements aws.HTTPClient.
func (w whole) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return w.HTTPClient.Do(r)
}
