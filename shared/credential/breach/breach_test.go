package breach_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"paddock/shared/credential"
	"paddock/shared/credential/breach"
)

const (
	suffix  = "1E4C9B93F3F0682250B6CF8331B7EE68FD8" // of "password", whose prefix is 5BAA6
	padding = "0018A45C4D1DEF81644B54AB7F969B88D65"
)

func password(t *testing.T, typed string) credential.Password {
	t.Helper()
	p, err := credential.NewPassword(typed)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// service answers with h over TLS and returns a client of it.
func service(t *testing.T, h http.HandlerFunc) *breach.Client {
	t.Helper()
	server := httptest.NewTLSServer(h)
	t.Cleanup(server.Close)
	c, err := breach.New(breach.Config{URL: server.URL, Transport: server.Client().Transport})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func body(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

func TestOnlyFiveDigitsAreSent(t *testing.T) {
	var sent bytes.Buffer
	c := service(t, func(w http.ResponseWriter, r *http.Request) {
		if err := r.Write(&sent); err != nil {
			t.Error(err)
		}
		if r.Method != http.MethodGet || r.URL.Path != "/range/5BAA6" || r.URL.RawQuery != "" || r.Header.Get("Add-Padding") != "true" {
			t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
		}
		_, _ = io.WriteString(w, suffix+":10434004\r\n"+padding+":0\r\n")
	})
	if err := breach.Check(context.Background(), c, password(t, "password"), breach.Refuse); !errors.Is(err, breach.ErrBreached) {
		t.Fatal(err)
	}
	for _, text := range []string{suffix, suffix[:6], "password"} {
		if strings.Contains(strings.ToUpper(sent.String()), strings.ToUpper(text)) {
			t.Fatalf("%q was sent", text)
		}
	}
}

func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want error
	}{
		"listed":                 {suffix + ":3\r\n", nil},
		"listed in lower case":   {strings.ToLower(suffix) + ":3\r\n", nil},
		"listed last, no CRLF":   {padding + ":0\n" + suffix + ":3", nil},
		"padding of this suffix": {suffix + ":0\r\n", errNotListed},
		"others":                 {padding + ":17\r\n", errNotListed},
		"empty":                  {"", errNotListed},
		"HTML":                   {"<html><body>sorry</body></html>", breach.ErrUnavailable},
		"no colon":               {suffix + "\r\n", breach.ErrUnavailable},
		"34 characters":          {suffix[1:] + ":3\r\n", breach.ErrUnavailable},
		"36 characters":          {"0" + suffix + ":3\r\n", breach.ErrUnavailable},
		"count NaN":              {suffix + ":NaN\r\n", breach.ErrUnavailable},
		"negative count":         {suffix + ":-1\r\n", breach.ErrUnavailable},
		"not hexadecimal":        {"G" + suffix[1:] + ":1\r\n", breach.ErrUnavailable},
		"bad line after a hit":   {suffix + ":3\r\nsorry\r\n", breach.ErrUnavailable},
		"10 MiB of lines":        {strings.Repeat(padding+":1\r\n", 10<<20/len(padding)), breach.ErrUnavailable},
		"10 MiB in one line":     {strings.Repeat("A", 10<<20), breach.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			listed, err := service(t, body(c.body)).Listed(context.Background(), password(t, "password").RangeKey())
			switch {
			case c.want == nil && (!listed || err != nil), errors.Is(c.want, errNotListed) && (listed || err != nil):
				t.Fatalf("%v, %v", listed, err)
			case errors.Is(c.want, breach.ErrUnavailable) && (listed || !errors.Is(err, breach.ErrUnavailable)):
				t.Fatalf("%v, %v", listed, err)
			}
		})
	}
}

var errNotListed = errors.New("not listed")

func TestServiceThatFails(t *testing.T) {
	other := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer other.Close()
	for name, h := range map[string]http.HandlerFunc{
		"500": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, suffix+":3", http.StatusInternalServerError)
		},
		"429": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "2")
			w.WriteHeader(http.StatusTooManyRequests)
		},
		"204":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) },
		"cut short": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "90")
			_, _ = io.WriteString(w, suffix+":3\r\n")
		},
		"no answer ever": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			c, p := service(t, h), password(t, "password")
			if err := breach.Check(context.Background(), c, p, breach.Refuse); !errors.Is(err, breach.ErrUnavailable) {
				t.Fatalf("%v", err)
			}
			if err := breach.Check(context.Background(), c, p, 0); !errors.Is(err, breach.ErrUnavailable) {
				t.Fatalf("without a setting: %v", err)
			}
			if err := breach.Check(context.Background(), c, p, breach.Allow); err != nil {
				t.Fatalf("%v", err)
			}
		})
	}
}

func TestNothingThatWasAskedIsPrinted(t *testing.T) {
	var log bytes.Buffer
	key := password(t, "password").RangeKey()
	server := httptest.NewTLSServer(body(""))
	c, err := breach.New(breach.Config{URL: server.URL, Transport: server.Client().Transport})
	if err != nil {
		t.Fatal(err)
	}
	server.Close() // net/http's error now names the address
	_, err = c.Listed(context.Background(), key)
	slog.New(slog.NewJSONHandler(&log, nil)).Error("failed", "err", err, "key", key, "keys", []any{key})
	all := log.String() + fmt.Sprintf("%v %+v %#v %s", err, key, key, key)
	for _, text := range []string{"5BAA6", suffix, server.URL} {
		if strings.Contains(strings.ToUpper(all), strings.ToUpper(text)) {
			t.Fatalf("%q is in %s", text, all)
		}
	}
}

func TestClientsThatAreNotMade(t *testing.T) {
	for name, c := range map[string]breach.Config{
		"http":         {URL: "http://range.example", Transport: http.DefaultTransport},
		"no host":      {URL: "https://", Transport: http.DefaultTransport},
		"user":         {URL: "https://a:b@range.example", Transport: http.DefaultTransport},
		"query":        {URL: "https://range.example?x=", Transport: http.DefaultTransport},
		"empty query":  {URL: "https://range.example/?", Transport: http.DefaultTransport},
		"fragment":     {URL: "https://range.example/#", Transport: http.DefaultTransport},
		"port alone":   {URL: "https://:443", Transport: http.DefaultTransport},
		"empty":        {Transport: http.DefaultTransport},
		"no transport": {URL: "https://range.example"},
	} {
		if client, err := breach.New(c); err == nil || client != nil {
			t.Errorf("%s: made", name)
		}
	}
}

// answering is a transport that answers everything with the same text.
type answering string

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(a))), Request: r, Header: http.Header{}}, nil
}

// FuzzAnswer holds that a password is breached only by an answer that names the
// rest of its hash, and that a failure says nothing else.
func FuzzAnswer(f *testing.F) {
	for _, text := range []string{"", suffix + ":3\r\n" + padding + ":0\r\n", suffix + ":0", suffix + ":", suffix + ":-1", "\n", strings.ToLower(suffix) + ":1\n\n", padding + ":1\nsorry"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := breach.New(breach.Config{URL: "https://range.example", Transport: answering(text)})
		if err != nil {
			t.Fatal(err)
		}
		listed, err := c.Listed(t.Context(), password(t, "password").RangeKey())
		switch {
		case err != nil && (listed || !errors.Is(err, breach.ErrUnavailable)):
			t.Fatalf("%t, %v", listed, err)
		case listed && !strings.Contains(strings.ToUpper(text), suffix+":"):
			t.Fatalf("%q names no password", text)
		}
	})
}
