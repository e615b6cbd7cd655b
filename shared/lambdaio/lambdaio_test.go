package lambdaio_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"paddock/shared/ingress"
	"paddock/shared/lambdaio"
)

// sample reads one of the sample events.
func sample[T any](t testing.TB, name string) T {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "events", "samples", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var event T
	if err := json.Unmarshal(b, &event); err != nil {
		t.Fatal(err)
	}
	return event
}

func gateway(t testing.TB, name string) events.APIGatewayV2HTTPRequest {
	t.Helper()
	return sample[events.APIGatewayV2HTTPRequest](t, name)
}

// seen sends event and returns the request that the handler saw, with its body.
func seen(t *testing.T, event events.APIGatewayV2HTTPRequest) (*http.Request, string) {
	t.Helper()
	var got *http.Request
	var body string
	answer := send(t, event, func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got, body = r, string(b)
		w.WriteHeader(http.StatusNoContent)
	})
	if got == nil {
		t.Fatalf("the handler was not called: %d %s", answer.StatusCode, answer.Body)
	}
	return got, body
}

func send(t testing.TB, event events.APIGatewayV2HTTPRequest, h http.HandlerFunc) events.APIGatewayV2HTTPResponse {
	t.Helper()
	answer, err := lambdaio.HTTP(h)(context.Background(), event)
	if err != nil {
		t.Fatalf("a gateway answers, it does not fail: %v", err)
	}
	return answer
}

func TestHostIsTheClientsNotTheAPIs(t *testing.T) {
	r, _ := seen(t, gateway(t, "gateway-get-cookie-header"))
	if r.Host != "localhost:8080" || r.Header.Get("Host") != "" {
		t.Fatalf("Host %q, header %q", r.Host, r.Header.Get("Host"))
	}
	event := gateway(t, "gateway-get-cookie-header")
	delete(event.Headers, "host")
	if r, _ := seen(t, event); r.Host != event.RequestContext.DomainName {
		t.Fatalf("without the header: Host %q", r.Host)
	}
}

func TestHeaderValuesStayWhole(t *testing.T) {
	r, _ := seen(t, gateway(t, "gateway-get-cookies-array"))
	if got, want := r.Header.Values("Accept-Language"), []string{"de-CH, de;q=0.9, en;q=0.8"}; !slices.Equal(got, want) {
		t.Fatalf("%q", got)
	}
}

func TestCookies(t *testing.T) {
	both := gateway(t, "gateway-get-cookies-array")
	both.Headers["cookie"] = "theme=dark; lang=de"
	for name, c := range map[string]struct {
		event events.APIGatewayV2HTTPRequest
		want  string
	}{
		"array as AWS sends it":         {gateway(t, "gateway-get-cookies-array"), "__Host-paddock=pdks_example; theme=dark"},
		"header as the engine sends it": {gateway(t, "gateway-get-cookie-header"), "__Host-paddock=pdks_example; theme=dark"},
		"both, none twice":              {both, "__Host-paddock=pdks_example; theme=dark; lang=de"},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := seen(t, c.event)
			if got := r.Header.Values("Cookie"); len(got) != 1 || got[0] != c.want {
				t.Fatalf("%q", got)
			}
			if cookie, err := r.Cookie("__Host-paddock"); err != nil || cookie.Value != "pdks_example" {
				t.Fatalf("%v, %v", cookie, err)
			}
		})
	}
}

func TestOriginIsWhatTheGatewaySays(t *testing.T) {
	for name, c := range map[string]struct {
		source, remote string
		want           netip.Addr
	}{
		"IPv4":          {"203.0.113.7", "203.0.113.7:0", netip.MustParseAddr("203.0.113.7")},
		"IPv6":          {"2001:db8::7", "[2001:db8::7]:0", netip.MustParseAddr("2001:db8::7")},
		"mapped IPv4":   {"::ffff:203.0.113.7", "203.0.113.7:0", netip.MustParseAddr("203.0.113.7")},
		"zone":          {"fe80::1%eth0", "", netip.Addr{}},
		"leading zeros": {"203.000.113.007", "", netip.Addr{}},
		"nothing":       {"", "", netip.Addr{}},
	} {
		t.Run(name, func(t *testing.T) {
			event := gateway(t, "gateway-get-cookies-array")
			event.RequestContext.HTTP.SourceIP = c.source
			for _, h := range []string{"Forwarded", "x-real-ip", "True-Client-IP", "CF-Connecting-IP", "X-FORWARDED-HOST", "x-client-ip"} {
				event.Headers[h] = "198.51.100.66"
			}
			r, _ := seen(t, event)
			origin := ingress.OriginOf(r.Context())
			if r.RemoteAddr != c.remote || origin.SourceIP != c.want || origin.RequestID != "JKJaXmPLvHcESHA=" || origin.UserAgent != "alpacon-cli/1.9.0" {
				t.Fatalf("RemoteAddr %q, origin %+v", r.RemoteAddr, origin)
			}
			for name, values := range r.Header {
				if strings.Contains(strings.Join(values, ","), "198.51.100.66") {
					t.Errorf("%s reached the handler", name)
				}
			}
		})
	}
}

func TestPathIsKeptAsSent(t *testing.T) {
	for name, c := range map[string]struct{ raw, path, escaped string }{
		"trailing slash":         {"/api/iam/users/", "/api/iam/users/", "/api/iam/users/"},
		"no trailing slash":      {"/api/iam/users/-", "/api/iam/users/-", "/api/iam/users/-"},
		"doubled slash":          {"/api//iam/", "/api//iam/", "/api//iam/"},
		"doubled slash in front": {"//evil.example/api/", "//evil.example/api/", "//evil.example/api/"},
		"escapes":                {"/a%2Fb%20c/", "/a/b c/", "/a%2Fb%20c/"},
		"dots":                   {"/api/../x/", "/api/../x/", "/api/../x/"},
		"question mark":          {"/a?b", "/a?b", "/a%3Fb"},
		"no valid escape":        {"/100%zz/", "/100%zz/", "/100%25zz/"},
		"no slash in front":      {"http://evil.example/", "/", "/"},
		"empty":                  {"", "/", "/"},
	} {
		t.Run(name, func(t *testing.T) {
			event := gateway(t, "gateway-get-odd-path")
			event.RawPath = c.raw
			r, _ := seen(t, event)
			if r.URL.Path != c.path || r.URL.EscapedPath() != c.escaped || r.URL.Host != "" {
				t.Fatalf("path %q, escaped %q, host %q", r.URL.Path, r.URL.EscapedPath(), r.URL.Host)
			}
			if r.URL.Query().Get("name") != "a+b" || r.RequestURI != c.escaped+"?name=a%2Bb&tag=x" {
				t.Fatalf("query %q, target %q", r.URL.RawQuery, r.RequestURI)
			}
		})
	}
}

func TestBodies(t *testing.T) {
	r, body := seen(t, gateway(t, "gateway-post-json"))
	if !strings.HasPrefix(body, `{"username":"alice"`) || r.ContentLength != int64(len(body)) {
		t.Fatalf("%q, length %d", body, r.ContentLength)
	}
	if _, body := seen(t, gateway(t, "gateway-post-base64")); body != "\x00\xff\xfebinary" {
		t.Fatalf("base64: %q", body)
	}
}

func TestWhatIsNoRequestIsRefusedBeforeTheHandler(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*events.APIGatewayV2HTTPRequest)
		status int
		code   string
	}{
		"one byte over": {
			func(e *events.APIGatewayV2HTTPRequest) { e.Body = strings.Repeat("x", lambdaio.MaxBodyBytes+1) },
			http.StatusRequestEntityTooLarge, "body_too_large",
		},
		"one byte over in base64": {func(e *events.APIGatewayV2HTTPRequest) {
			e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(make([]byte, lambdaio.MaxBodyBytes+1)), true
		}, http.StatusRequestEntityTooLarge, "body_too_large"},
		"broken base64": {
			func(e *events.APIGatewayV2HTTPRequest) { e.Body, e.IsBase64Encoded = "%%%%", true },
			http.StatusBadRequest, "malformed_request",
		},
		"two hosts": {
			func(e *events.APIGatewayV2HTTPRequest) { e.Headers["Host"] = "evil.example" },
			http.StatusBadRequest, "malformed_request",
		},
		"method with a blank": {
			func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.HTTP.Method = "GET /x" },
			http.StatusBadRequest, "malformed_request",
		},
	} {
		t.Run(name, func(t *testing.T) {
			event := gateway(t, "gateway-post-json")
			c.change(&event)
			answer := send(t, event, func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") })
			problemIs(t, answer, c.status, c.code)
		})
	}
}

func TestBodyOfExactlyTheBoundIsAccepted(t *testing.T) {
	event := gateway(t, "gateway-post-json")
	event.Body, event.IsBase64Encoded = base64.StdEncoding.EncodeToString(make([]byte, lambdaio.MaxBodyBytes)), true
	if _, body := seen(t, event); len(body) != lambdaio.MaxBodyBytes {
		t.Fatalf("%d bytes", len(body))
	}
}

func TestEveryEndOfAHandlerIsAnAnswer(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"wrote nothing": func(http.ResponseWriter, *http.Request) {},
		"interim only":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusEarlyHints) },
		"panic":         func(http.ResponseWriter, *http.Request) { panic("marker-of-the-cause") },
		"aborted":       func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"panic half-way": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("half"))
			panic("marker-of-the-cause")
		},
	} {
		t.Run(name, func(t *testing.T) {
			answer := send(t, gateway(t, "gateway-get-cookies-array"), h)
			problemIs(t, answer, http.StatusInternalServerError, "internal_error")
			if strings.Contains(answer.Body, "marker-of-the-cause") {
				t.Fatalf("the cause is told: %s", answer.Body)
			}
		})
	}
}

func problemIs(t *testing.T, answer events.APIGatewayV2HTTPResponse, status int, code string) {
	t.Helper()
	var p ingress.Problem
	if err := json.Unmarshal([]byte(answer.Body), &p); err != nil {
		t.Fatalf("%q: %v", answer.Body, err)
	}
	if answer.StatusCode != status || p.Code != code || p.Detail == "" || p.RequestID != "JKJaXmPLvHcESHA=" ||
		answer.Headers["Content-Type"] != "application/json" || answer.IsBase64Encoded {
		t.Fatalf("%d %v %+v", answer.StatusCode, answer.Headers, p)
	}
}

func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		h       http.HandlerFunc
		method  string
		status  int
		typ     string
		body    string
		base64  bool
		cookies []string
	}{
		"cookies are separate": {func(w http.ResponseWriter, _ *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
			http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
			w.WriteHeader(http.StatusNoContent)
		}, "GET", 204, "application/json", "", false, []string{"a=1", "b=2"}},
		"binary goes as base64": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "font/woff2")
			_, _ = w.Write([]byte{0xff, 0xfe})
		}, "GET", 200, "font/woff2", "//4=", true, nil},
		"an unnamed body is not guessed to be HTML": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("<html><script>"))
		}, "GET", 200, "application/octet-stream", "<html><script>", false, nil},
		"the first status counts": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			w.WriteHeader(http.StatusOK)
		}, "GET", 403, "application/json", "", false, nil},
		"HEAD has no body": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte("{}"))
		}, "HEAD", 200, "application/json", "", false, nil},
		"204 has no body": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
			_, _ = w.Write([]byte("{}"))
		}, "GET", 204, "application/json", "", false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			event := gateway(t, "gateway-get-cookies-array")
			event.RequestContext.HTTP.Method = c.method
			answer := send(t, event, c.h)
			if answer.StatusCode != c.status || answer.Headers["Content-Type"] != c.typ || answer.Body != c.body ||
				answer.IsBase64Encoded != c.base64 || !slices.Equal(answer.Cookies, c.cookies) {
				t.Fatalf("%+v", answer)
			}
			if answer.Headers["Set-Cookie"] != "" {
				t.Fatal("cookies are among the headers")
			}
		})
	}
}

func TestHandlersEndBeforeTheFunctionDoes(t *testing.T) {
	end := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	ctx, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	var got time.Time
	_, _ = lambdaio.HTTP(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got, _ = r.Context().Deadline()
	}))(ctx, gateway(t, "gateway-get-cookies-array"))
	if want := end.Add(-lambdaio.Reserve); !got.Equal(want) {
		t.Fatalf("deadline %v, want %v", got, want)
	}
}

// TestServesAsNetHTTPDoes sends the same requests through a server of net/http
// and through the gateway: a ServeMux with the wire's slashes answers alike.
func TestServesAsNetHTTPDoes(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/iam/users/{$}", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "list "+r.Host) })
	mux.HandleFunc("GET /api/iam/users/{id}/{$}", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "one "+r.PathValue("id")) })
	for _, path := range []string{"/api/iam/users/", "/api/iam/users/-/", "/api/iam/users/a%2Fb/", "/api/iam/users", "/api//iam/users/", "/other"} {
		recorder := httptest.NewRecorder()
		mux.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "http://acme.paddock.example.com"+path, nil))
		event := gateway(t, "gateway-get-cookies-array")
		event.RawPath, event.RawQueryString = path, ""
		answer := send(t, event, mux.ServeHTTP)
		if answer.StatusCode != recorder.Code || answer.Body != recorder.Body.String() || answer.Headers["Location"] != recorder.Header().Get("Location") {
			t.Errorf("%s: %d %q %v; net/http answers %d %q", path, answer.StatusCode, answer.Body, answer.Headers, recorder.Code, recorder.Body)
		}
	}
}
