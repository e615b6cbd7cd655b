// Package visitor is a small client of the HTTP API that behaves as the
// console does in a browser: it keeps the session cookie, names its origin and
// sends JSON. The demo, the seeding and the tests of the deployed stack visit
// with it.
package visitor

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/pquerna/otp/totp"
)

// A Visitor is one browser. It is not safe for concurrent use.
type Visitor struct {
	Base   string // origin, no slash at the end
	Client *http.Client
	Agent  string
	Bearer string // sent as token="…" instead of the cookie, as the CLI does
	Access string // access token, sent as Bearer …, as the CLI does after a device login
	Host   string // sent instead of the host of Base, when not empty
	Origin string // sent instead of Base, when not empty
	Key    string // sent as Idempotency-Key, when not empty

	cookie  string
	browser string // the cookie by which the browser is known
}

// An Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// A Problem is a refusal on the wire.
type Problem struct {
	Detail string `json:"detail"`
	Code   string `json:"code"`
	Source string `json:"source"`
}

// Problem returns the refusal in an answer; it is zero for a success.
func (a Answer) Problem() Problem {
	var p Problem
	if a.Status >= http.StatusBadRequest {
		_ = json.Unmarshal(a.Body, &p)
	}
	return p
}

const (
	cookieName  = "__Host-paddock"
	browserName = "__Host-paddock-browser"
)

// OAuthError returns the error of an answer in the shape of OAuth, "" for none.
func (a Answer) OAuthError() string {
	var p struct {
		Error string `json:"error"`
	}
	if a.Status < http.StatusBadRequest || json.Unmarshal(a.Body, &p) != nil {
		return ""
	}
	return p.Error
}

// Cookie returns the session cookie that the visitor holds.
func (v *Visitor) Cookie() string { return v.cookie }

// Browser returns the cookie by which the browser is known.
func (v *Visitor) Browser() string { return v.browser }

// KnownBy makes the visitor a browser that holds this cookie.
func (v *Visitor) KnownBy(browser string) *Visitor {
	v.browser = browser
	return v
}

// WithCookie returns another browser that holds this cookie.
func (v *Visitor) WithCookie(cookie string) *Visitor {
	copied := *v
	copied.cookie = cookie
	return &copied
}

// Do sends one request; body nil sends none. Requests that the engine throttles
// are repeated, as its guide says.
func (v *Visitor) Do(ctx context.Context, method, path string, body any) (Answer, error) {
	var payload []byte
	if body != nil {
		var err error
		if payload, err = json.Marshal(body); err != nil {
			return Answer{}, err
		}
	}
	return v.patiently(ctx, method, path, payload)
}

// Raw is Do with a body that may be no JSON: json.RawMessage is sent as it is.
func (v *Visitor) Raw(ctx context.Context, method, path string, body any) (Answer, error) {
	if raw, ok := body.(json.RawMessage); ok {
		return v.patiently(ctx, method, path, raw)
	}
	return v.Do(ctx, method, path, body)
}

func (v *Visitor) patiently(ctx context.Context, method, path string, payload []byte) (Answer, error) {
	for attempt := 0; ; attempt++ {
		a, err := v.once(ctx, method, path, payload)
		engine := a.Status == http.StatusTooManyRequests && a.Problem().Code == "" && a.OAuthError() == ""
		if err != nil || !engine || attempt == 20 {
			return a, err
		}
		select {
		case <-ctx.Done():
			return a, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (v *Visitor) once(ctx context.Context, method, path string, payload []byte) (Answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, v.Base+path, bytes.NewReader(payload))
	if err != nil {
		return Answer{}, err
	}
	if payload != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Host = v.Host
	r.Header.Set("Origin", cmp.Or(v.Origin, v.Base))
	if v.Agent != "" {
		r.Header.Set("User-Agent", v.Agent)
	}
	if v.Key != "" {
		r.Header.Set("Idempotency-Key", v.Key)
	}
	switch {
	case v.Access != "":
		r.Header.Set("Authorization", "Bearer "+v.Access)
	case v.Bearer != "":
		r.Header.Set("Authorization", `token="`+v.Bearer+`"`)
	case v.cookie != "":
		r.AddCookie(&http.Cookie{Name: cookieName, Value: v.cookie})
		r.Header.Set("Content-Type", "application/json")
	}
	if v.browser != "" {
		r.AddCookie(&http.Cookie{Name: browserName, Value: v.browser})
	}
	client := v.Client
	if client == nil {
		client = http.DefaultClient
	}
	answer, err := client.Do(r)
	if err != nil {
		return Answer{}, err
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return Answer{}, err
	}
	for _, c := range answer.Cookies() {
		switch c.Name {
		case cookieName:
			v.cookie = c.Value
		case browserName:
			v.browser = c.Value
		}
	}
	return Answer{Status: answer.StatusCode, Header: answer.Header, Body: got}, nil
}

// Want sends one request and decodes the answer into out, which may be nil. An
// answer with another status is an error that shows it.
func (v *Visitor) Want(ctx context.Context, status int, method, path string, body, out any) error {
	a, err := v.Do(ctx, method, path, body)
	if err != nil {
		return err
	}
	if err := a.Decode(status, out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// Decode reads an answer into out, which may be nil. An answer with another
// status is an error that shows it.
func (a Answer) Decode(status int, out any) error {
	if a.Status != status {
		return fmt.Errorf("status %d, not %d: %s", a.Status, status, bytes.TrimSpace(a.Body))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(a.Body, out)
}

// Code returns the one-time code that an authenticator app shows at now.
func Code(secret string, now time.Time) (string, error) {
	return totp.GenerateCode(secret, now)
}

// Retry returns the seconds that an answer asks to wait, 0 for none.
func (a Answer) Retry() int {
	n, err := strconv.Atoi(a.Header.Get("Retry-After"))
	if err != nil {
		return 0
	}
	return n
}
