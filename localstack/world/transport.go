package world

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"paddock/localstack/visitor"
	"paddock/shared/route"
)

// gatewayEvent is an event of API Gateway's HTTP API, payload format 2.0, as
// far as it is used.
type gatewayEvent struct {
	Version         string            `json:"version"`
	RawPath         string            `json:"rawPath"`
	RawQueryString  string            `json:"rawQueryString"`
	Cookies         []string          `json:"cookies,omitempty"`
	Headers         map[string]string `json:"headers"`
	RequestContext  gatewayContext    `json:"requestContext"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

type gatewayContext struct {
	DomainName string      `json:"domainName"`
	RequestID  string      `json:"requestId"`
	HTTP       gatewayHTTP `json:"http"`
}

type gatewayHTTP struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

type gatewayAnswer struct {
	StatusCode        int                 `json:"statusCode"`
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Cookies           []string            `json:"cookies"`
	Body              string              `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

// A gateway is a http.RoundTripper that hands each request to the function
// which the route table names, as API Gateway does.
type gateway struct {
	entries *Entries
	address string
	n       int
}

// Visitor returns a browser at a workspace, seen by the gateway at address.
func (e *Entries) Visitor(slug, address string) *visitor.Visitor {
	return &visitor.Visitor{Base: Origin(slug), Agent: "world-test", Client: e.client(address)}
}

func (e *Entries) client(address string) *http.Client {
	return &http.Client{
		Transport: &gateway{entries: e, address: address}, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// RoundTrip implements http.RoundTripper.
func (g *gateway) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	g.n++
	host := r.URL.Host
	if r.Host != "" {
		host = r.Host
	}
	event := gatewayEvent{
		Version: "2.0", RawPath: r.URL.EscapedPath(), RawQueryString: r.URL.RawQuery, Headers: map[string]string{"host": host},
		Body: base64.StdEncoding.EncodeToString(body), IsBase64Encoded: true,
		RequestContext: gatewayContext{DomainName: host, RequestID: fmt.Sprintf("%p-%d", g, g.n), HTTP: gatewayHTTP{
			Method: r.Method, Path: r.URL.Path, SourceIP: g.address, UserAgent: r.UserAgent(),
		}},
	}
	for name, values := range r.Header {
		if name == "Cookie" {
			event.Cookies = strings.Split(values[0], "; ")
			continue
		}
		event.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	text, err := g.entries.Invoke(r.Context(), string(functionOf(r.Method, r.URL.Path)), event)
	if err != nil {
		return nil, err
	}
	var answer gatewayAnswer
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, err
	}
	g.entries.Recorder.answered(r.Method, r.URL.Path, string(body), event.RequestContext.RequestID, answer.StatusCode)
	out := []byte(answer.Body)
	if answer.IsBase64Encoded {
		if out, err = base64.StdEncoding.DecodeString(answer.Body); err != nil {
			return nil, err
		}
	}
	header := http.Header{}
	for name, value := range answer.Headers {
		header.Set(name, value)
	}
	for name, values := range answer.MultiValueHeaders {
		header[http.CanonicalHeaderKey(name)] = values
	}
	for _, cookie := range answer.Cookies {
		header.Add("Set-Cookie", cookie)
	}
	return &http.Response{
		StatusCode: answer.StatusCode, Status: http.StatusText(answer.StatusCode), Proto: "HTTP/2.0", ProtoMajor: 2, Header: header,
		Body: io.NopCloser(bytes.NewReader(out)), ContentLength: int64(len(out)), Request: r,
	}, nil
}

// functionOf returns the function whose gateway route is the most specific one
// for a method and path.
func functionOf(method, path string) route.Function {
	best, function := -1, route.Console
	for _, r := range route.Gateway() {
		of, key, ok := strings.Cut(r.Key, " ")
		if !ok || of != "ANY" && of != method {
			continue
		}
		prefix, greedy := strings.CutSuffix(key, "{proxy+}")
		if (path == key || greedy && strings.HasPrefix(path, prefix) && path != prefix) && len(prefix) > best {
			best, function = len(prefix), r.Function
		}
	}
	return function
}
