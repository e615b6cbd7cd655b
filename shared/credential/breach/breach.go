// Package breach asks a range service whether a password is known from a
// breach. The service learns five digits of a hash and an address. The package
// promises that nothing else leaves, that no answer is trusted further than
// its format, and that no error names what was asked. It is off unless a
// deployment makes a Client.
package breach

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"paddock/shared/credential"
	"paddock/shared/fault"
)

// Bounds of one question. Source: test vectors of the password policy;
// security, SR-1. A padded answer has some 1,000 lines of 45 bytes.
const (
	Timeout  = time.Second
	maxBytes = 1 << 20
)

var (
	// ErrBreached refuses a password that the service knows.
	ErrBreached = fault.Error{
		Kind: fault.Invalid, Code: "password_breached",
		Detail: "The password is known from a breach of another service.", Source: "password",
	}
	// ErrUnavailable means that the service gave no usable answer in time.
	ErrUnavailable = fault.Error{
		Kind: fault.Unavailable, Code: "password_check_unavailable",
		Detail: "The password could not be checked against known breaches. Try again.", Source: "password",
		RetryAfter: 30 * time.Second,
	}
)

// An OnFailure is what a workspace wants when there is no usable answer.
type OnFailure uint8

// The settings.
const (
	Refuse OnFailure = iota + 1 // the default
	Allow
)

// A lister knows which passwords were breached.
type lister interface {
	Listed(context.Context, credential.RangeKey) (bool, error)
}

// Check refuses a password that from knows with ErrBreached. Without a usable
// answer it is ErrUnavailable, unless the setting is Allow.
func Check(ctx context.Context, from lister, p credential.Password, setting OnFailure) error {
	listed, err := from.Listed(ctx, p.RangeKey())
	switch {
	case err != nil && setting == Allow:
		return nil
	case err != nil:
		return ErrUnavailable
	case listed:
		return ErrBreached
	}
	return nil
}

// A Config says where the service is and how it is reached.
type Config struct {
	// URL is the address up to "/range/", https only.
	URL string
	// Transport makes the connections; it guards against inner addresses.
	Transport http.RoundTripper
}

// A Client asks one service. It follows no redirect.
type Client struct {
	http *http.Client
	base string
}

// CheckURL refuses what cannot be the address of a service.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#") {
		return errors.New("the address of a range service must be https, without user, query or fragment")
	}
	return nil
}

// New returns a client, or an error that says what the Config lacks.
func New(c Config) (*Client, error) {
	if err := CheckURL(c.URL); err != nil {
		return nil, err
	}
	if c.Transport == nil {
		return nil, errors.New("breach: no transport")
	}
	return &Client{base: strings.TrimSuffix(c.URL, "/"), http: &http.Client{
		Transport:     c.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Listed reports whether the service knows the password of key. Every failure
// is ErrUnavailable without its cause, for net/http's errors hold the address
// that was asked and so the prefix.
func (c *Client) Listed(ctx context.Context, key credential.RangeKey) (listed bool, err error) {
	if len(key.Prefix()) != credential.RangePrefix {
		return false, ErrUnavailable
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/range/"+key.Prefix(), nil)
	if err != nil {
		return false, ErrUnavailable
	}
	r.Header.Set("Add-Padding", "true")
	answer, err := c.http.Do(r)
	if err != nil {
		return false, ErrUnavailable
	}
	defer func() {
		if answer.Body.Close() != nil {
			listed, err = false, ErrUnavailable
		}
	}()
	if answer.StatusCode != http.StatusOK {
		return false, ErrUnavailable
	}
	return search(answer.Body, key)
}

// search reads the whole answer before it believes any of it.
func search(body io.Reader, key credential.RangeKey) (bool, error) {
	limited := &io.LimitedReader{R: body, N: maxBytes + 1}
	lines, listed := bufio.NewScanner(limited), false
	for lines.Scan() {
		suffix, count, ok := strings.Cut(lines.Text(), ":")
		n, err := strconv.ParseUint(count, 10, 63)
		if !ok || err != nil || !hexadecimal(suffix) {
			return false, ErrUnavailable
		}
		listed = listed || n > 0 && key.Is(suffix) // lines of count 0 are padding
	}
	if lines.Err() != nil || limited.N == 0 {
		return false, ErrUnavailable
	}
	return listed, nil
}

// hexadecimal reports whether s is the rest of a SHA-1: 35 digits.
func hexadecimal(s string) bool {
	return len(s) == 40-credential.RangePrefix && strings.Trim(s, "0123456789ABCDEFabcdef") == ""
}
