package lambdaio_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

// FuzzHTTP sends foreign events: each is answered with a status and a type,
// and the handler never sees an address that the gateway did not give.
func FuzzHTTP(f *testing.F) {
	for _, name := range []string{"gateway-get-cookies-array", "gateway-get-cookie-header", "gateway-post-json", "gateway-post-base64", "gateway-get-odd-path"} {
		b, err := json.Marshal(gateway(f, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var event events.APIGatewayV2HTTPRequest
		if json.Unmarshal(b, &event) != nil {
			return
		}
		answer := send(t, event, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Host != "" || r.URL.Path == "" || r.URL.Path[0] != '/' || r.Header.Get("X-Forwarded-For") != "" {
				t.Errorf("URL %+v, headers %v", r.URL, r.Header)
			}
			_, _ = io.Copy(w, r.Body)
			w.WriteHeader(http.StatusOK)
		})
		if answer.StatusCode < 200 || answer.StatusCode > 599 || answer.Headers["Content-Type"] == "" {
			t.Fatalf("%+v", answer)
		}
	})
}
