package front

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"paddock/localstack/internal/pki"
	"paddock/localstack/internal/process"
)

type seen struct {
	method, uri, host, body string
	header                  http.Header
}

// backend returns a front before a server that stores what reached it.
func backend(t *testing.T, answer http.HandlerFunc) (*httptest.Server, *seen) {
	t.Helper()
	got := &seen{}
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*got = seen{r.Method, r.RequestURI, r.Host, string(body), r.Header.Clone()}
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(engine.Close)
	target, err := url.Parse(engine.URL + "/_aws/execute-api/abc123/$default")
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	front := httptest.NewServer(Handler(target, transport, slog.New(slog.DiscardHandler)))
	t.Cleanup(front.Close)
	return front, got
}

// send writes a request as it stands, so that no client tidies it up.
func send(t *testing.T, server *httptest.Server, text string) *http.Response {
	t.Helper()
	connection, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	if _, err := io.WriteString(connection, strings.ReplaceAll(text, "\n", "\r\n")); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

func TestPathAndQueryPassAsTheyCame(t *testing.T) {
	front, got := backend(t, nil)
	for _, uri := range []string{
		"/", "/api/iam/users/", "/api/iam/users", "/api/iam/users/-/", "//", "//a//b//", "/a/../b/./c",
		"/a%2Fb", "/a%2fb", "/%E3%81%82", "/a+b", "/a;b=c", "/$default/", "/?", "/?a=1&a=2", "/?a=%zz&b", "/?a=b;c=d", "/x?next=/a//b",
	} {
		t.Run(uri, func(t *testing.T) {
			send(t, front, "GET "+uri+" HTTP/1.1\nHost: demo.localhost:8080\n\n")
			if want := "/_aws/execute-api/abc123/$default" + uri; got.uri != want {
				t.Errorf("the engine saw %q, want %q", got.uri, want)
			}
		})
	}
}

func TestHostCookiesAndBodyPassAndForwardedHeadersDoNot(t *testing.T) {
	front, got := backend(t, nil)
	send(t, front, `POST /api/auth/login/ HTTP/1.1
Host: acme.localhost:8080
Cookie: a=1; b=2
Accept: text/html, application/json;q=0.5
X-Forwarded-For: 203.0.113.9
x-forwarded-proto: https
X-Forwarded-Host: evil.example
X-Forwarded-Port: 1
X-FORWARDED-ANYTHING: 1
Forwarded: for=203.0.113.9
Content-Length: 8

{"a": 1}`)
	if got.method != "POST" || got.host != "acme.localhost:8080" || got.body != `{"a": 1}` {
		t.Errorf("the engine saw %s for host %q with body %q", got.method, got.host, got.body)
	}
	want := http.Header{
		"Cookie": {"a=1; b=2"}, "Accept": {"text/html, application/json;q=0.5"}, "Content-Length": {"8"},
	}
	if !maps.EqualFunc(got.header, want, slices.Equal) {
		t.Errorf("the engine saw headers %v, want %v", got.header, want)
	}
}

func TestAnswersPassUnchanged(t *testing.T) {
	front, _ := backend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("Set-Cookie", "a=1; Path=/")
		w.Header().Add("Set-Cookie", "b=2; Path=/")
		w.Header().Set("Location", "http://localhost:8080/x")
		w.Header().Set("Content-Encoding", "br")
		w.WriteHeader(http.StatusSeeOther)
		fmt.Fprint(w, "\x00\xff")
	})
	response := send(t, front, "GET / HTTP/1.1\nHost: localhost\nAccept-Encoding: br, gzip\n\n")
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusSeeOther || string(body) != "\x00\xff" {
		t.Errorf("answer is %s with %q", response.Status, body)
	}
	if got := response.Header["Set-Cookie"]; !slices.Equal(got, []string{"a=1; Path=/", "b=2; Path=/"}) {
		t.Errorf("Set-Cookie = %q", got)
	}
	if response.Header.Get("Location") != "http://localhost:8080/x" || response.Header.Get("Content-Encoding") != "br" {
		t.Errorf("headers are %v", response.Header)
	}
}

func TestBrowsersAreNotToldToUseHTTPSOnly(t *testing.T) {
	front, _ := backend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
		w.Header().Set("X-Content-Type-Options", "nosniff")
	})
	response := send(t, front, "GET / HTTP/1.1\nHost: localhost:8443\n\n")
	if got, ok := response.Header["Strict-Transport-Security"]; ok {
		t.Errorf("the browser is told %q", got)
	}
	if response.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("another header is gone: %v", response.Header)
	}
}

func TestUnreachableEngineIsAProblemDocument(t *testing.T) {
	port, err := process.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	target := &url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", port)}
	front := httptest.NewServer(Handler(target, &http.Transport{}, slog.New(slog.DiscardHandler)))
	defer front.Close()
	response := send(t, front, "GET / HTTP/1.1\nHost: localhost\n\n")
	body, _ := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusBadGateway || !strings.Contains(string(body), `"code":"engine_unreachable"`) {
		t.Errorf("answer is %s %s", response.Status, body)
	}
}

func ports(t *testing.T) (int, int) {
	t.Helper()
	plain, err := process.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	secure, err := process.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return plain, secure
}

func TestServeSpeaksBothSchemesAndEndsWithItsContext(t *testing.T) {
	files, err := pki.Ensure(filepath.Join(t.TempDir(), "tls"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pki.Pool(files.CA)
	if err != nil {
		t.Fatal(err)
	}
	plain, secure := ports(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	config := Config{
		Port: plain, TLSPort: secure, CertFile: files.Chain, KeyFile: files.Key,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.TLS != nil) }),
		Log:     slog.New(slog.DiscardHandler),
	}
	go func() { ended <- Serve(ctx, config) }()
	up := func() bool { return process.Listening(plain) && process.Listening(secure) || len(ended) > 0 }
	if err := process.Until(t.Context(), up); err != nil || len(ended) > 0 {
		t.Fatalf("it did not come up: %v, ended %d", err, len(ended))
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	defer transport.CloseIdleConnections()
	for address, want := range map[string]string{
		fmt.Sprintf("http://localhost:%d/", plain): "false", fmt.Sprintf("https://localhost:%d/", secure): "true",
	} {
		response, err := (&http.Client{Transport: transport}).Get(address)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if string(body) != want {
			t.Errorf("%s answered %q, want %q", address, body, want)
		}
	}
	if err := Serve(ctx, config); !errors.Is(err, ErrPortInUse) {
		t.Errorf("a second front on the same port: %v, want ErrPortInUse", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Serve ended with %v", err)
	}
}
