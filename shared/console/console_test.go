package console_test

import (
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"paddock/shared/console"
)

const script = "/assets/index-abc123.js"

// build is a small build: every file says which form of it was served.
func build() fstest.MapFS {
	files := fstest.MapFS{}
	for name, content := range map[string]string{
		".gitignore":                "*",
		"index.html":                "<!doctype html>plain",
		"index.html.br":             "page br",
		"index.html.gz":             "page gzip",
		"icon.svg":                  "<svg/>",
		"robots.txt":                "User-agent: *\nDisallow: /\n",
		"assets/index-abc123.js":    "plain script",
		"assets/index-abc123.js.br": "script br",
		"assets/index-abc123.js.gz": "script gzip",
		"assets/index-abc123.css":   "plain style",
	} {
		files[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return files
}

func handler(t *testing.T, files fstest.MapFS) http.Handler {
	t.Helper()
	h, err := console.Over(files)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func ask(t *testing.T, h http.Handler, method, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	answer := w.Result()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func TestServe(t *testing.T) {
	const page, lasting = "no-cache", "public, max-age=31536000, immutable"
	html, js := "text/html; charset=utf-8", "text/javascript; charset=utf-8"
	for _, c := range []struct {
		name, method, path        string
		status                    int
		contentType, cache, wants string
	}{
		{"root is the page", "GET", "/", 200, html, page, "<!doctype html>plain"},
		{"path of the console is the page", "GET", "/settings/security", 200, html, page, "<!doctype html>plain"},
		{"path with a trailing slash is the page", "GET", "/audit/", 200, html, page, "<!doctype html>plain"},
		{"page by its name is never kept unasked", "GET", "/index.html", 200, html, page, "<!doctype html>plain"},
		{"hashed script is kept for a year", "GET", script, 200, js, lasting, "plain script"},
		{"hashed style is kept for a year", "GET", "/assets/index-abc123.css", 200, "text/css; charset=utf-8", lasting, "plain style"},
		{"icon has its type", "GET", "/icon.svg", 200, "image/svg+xml", page, "<svg/>"},
		{"HEAD has no body", "HEAD", script, 200, js, lasting, ""},
		{"asset of another build is not there", "GET", "/assets/index-old.js", 404, "application/json", "no-store", ""},
		{"assets folder is not there", "GET", "/assets/", 404, "application/json", "no-store", ""},
		{"compressed form has no path of its own", "GET", script + ".br", 404, "application/json", "no-store", ""},
		{"placeholder is not served", "GET", "/.gitignore", 404, "application/json", "no-store", ""},
		{"parent folders lead nowhere", "GET", "/assets/../../console.go", 404, "application/json", "no-store", ""},
		{"API root is not the page", "GET", "/api", 404, "application/json", "no-store", ""},
		{"API path is not the page", "POST", "/api/auth/signin/", 404, "application/json", "no-store", ""},
		{"path that begins like the API's is the page", "GET", "/apidocs", 200, html, page, "<!doctype html>plain"},
		{"POST is refused", "POST", "/", 405, "application/json", "no-store", ""},
		{"OPTIONS is refused", "OPTIONS", "/", 405, "application/json", "no-store", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer, body := ask(t, handler(t, build()), c.method, c.path)
			if answer.StatusCode != c.status || answer.Header.Get("Content-Type") != c.contentType || answer.Header.Get("Cache-Control") != c.cache {
				t.Fatalf("%s %s = %d %q, Cache-Control %q; want %d %q, %q", c.method, c.path, answer.StatusCode,
					answer.Header.Get("Content-Type"), answer.Header.Get("Cache-Control"), c.status, c.contentType, c.cache)
			}
			if c.status == 200 && body != c.wants {
				t.Fatalf("%s %s: body %q, want %q", c.method, c.path, body, c.wants)
			}
			if c.status >= 400 && !strings.HasPrefix(body, `{"detail":"`) {
				t.Fatalf("%s %s: body %q is no problem", c.method, c.path, body)
			}
		})
	}
}

func TestEveryAnswerHasTheSecurityHeaders(t *testing.T) {
	want := map[string]string{
		"Content-Security-Policy":      console.Policy,
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Referrer-Policy":              "no-referrer",
		"Strict-Transport-Security":    "max-age=63072000; includeSubDomains",
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
	}
	for name, h := range map[string]http.Handler{"built": handler(t, build()), "not built": handler(t, fstest.MapFS{})} {
		for _, path := range []string{"/", "/audit", script, "/assets/none.js", "/api/none"} {
			for _, method := range []string{"GET", "HEAD", "POST"} {
				answer, _ := ask(t, h, method, path)
				for header, value := range want {
					if got := answer.Header.Values(header); len(got) != 1 || got[0] != value {
						t.Errorf("%s: %s %s: %s = %q, want %q", name, method, path, header, got, value)
					}
				}
				if answer.Header.Get("Set-Cookie") != "" || answer.Header.Get("Access-Control-Allow-Origin") != "" {
					t.Errorf("%s: %s %s: sets a cookie or opens the origin", name, method, path)
				}
			}
		}
	}
}

func TestPolicyAllowsNoInlineCode(t *testing.T) {
	for _, bad := range []string{"unsafe-inline", "unsafe-eval", "http:", "https:", "*", "blob:"} {
		if strings.Contains(console.Policy, bad) {
			t.Errorf("the policy contains %q", bad)
		}
	}
}

func TestEncoding(t *testing.T) {
	for _, c := range []struct {
		name     string
		accept   []string
		encoding string
	}{
		{"brotli is best", []string{"gzip, deflate, br, zstd"}, "br"},
		{"gzip where brotli is unknown", []string{"gzip, deflate"}, "gzip"},
		{"plain where nothing is said", nil, ""},
		{"plain for an empty header", []string{""}, ""},
		{"plain where only others are known", []string{"zstd, deflate"}, ""},
		{"weight 0 refuses", []string{"br;q=0, gzip;q=0.5"}, "gzip"},
		{"star admits all", []string{"*"}, "br"},
		{"star does not admit what is refused by name", []string{"br;q=0, *;q=0.1"}, "gzip"},
		{"star with weight 0 admits nothing", []string{"*;q=0"}, ""},
		{"identity only", []string{"identity"}, ""},
		{"header in two lines", []string{"gzip", "br"}, "br"},
		{"upper case", []string{"BR ; Q=1.0"}, "br"},
		{"weight that is no number refuses", []string{"br;q=high, gzip"}, "gzip"},
		{"weight out of range refuses", []string{"br;q=2, gzip"}, "gzip"},
		{"name that only contains the encoding", []string{"brx, xgzip"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var headers []string
			for _, a := range c.accept {
				headers = append(headers, "Accept-Encoding", a)
			}
			answer, body := ask(t, handler(t, build()), "GET", script, headers...)
			want := strings.TrimSpace("script " + c.encoding)
			if c.encoding == "" {
				want = "plain script"
			}
			if answer.Header.Get("Content-Encoding") != c.encoding || body != want {
				t.Fatalf("encoding %q, body %q; want %q, %q", answer.Header.Get("Content-Encoding"), body, c.encoding, want)
			}
			if answer.Header.Get("Vary") != "Accept-Encoding" {
				t.Fatalf("Vary = %q", answer.Header.Get("Vary"))
			}
		})
	}
}

func TestNotModified(t *testing.T) {
	h := handler(t, build())
	first, _ := ask(t, h, "GET", "/", "Accept-Encoding", "br")
	tag := first.Header.Get("ETag")
	for _, c := range []struct {
		name, encoding, match string
		status                int
	}{
		{"same form is not sent again", "br", tag, 304},
		{"one of several tags", "br", `"other", ` + tag, 304},
		{"weak tag", "br", "W/" + tag, 304},
		{"star", "br", "*", 304},
		{"another form is another tag", "gzip", tag, 200},
		{"another tag", "br", `"other"`, 200},
		{"tag without quotes is none", "br", strings.Trim(tag, `"`), 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer, body := ask(t, h, "GET", "/", "Accept-Encoding", c.encoding, "If-None-Match", c.match)
			if answer.StatusCode != c.status || (c.status == 304) != (body == "") {
				t.Fatalf("%d with %d bytes, want %d", answer.StatusCode, len(body), c.status)
			}
			if answer.StatusCode == 304 && (answer.Header.Get("Content-Encoding") != "" || answer.Header.Get("ETag") != tag) {
				t.Fatalf("304 with headers %v", answer.Header)
			}
		})
	}
}

func TestNotBuilt(t *testing.T) {
	answer, body := ask(t, handler(t, fstest.MapFS{".gitignore": {Data: []byte("*")}}), "GET", "/")
	if answer.StatusCode != 503 || answer.Header.Get("Cache-Control") != "no-store" || !strings.Contains(body, "make build") {
		t.Fatalf("%d %q %q", answer.StatusCode, answer.Header.Get("Cache-Control"), body)
	}
}

func TestUnknownTypeDoesNotStart(t *testing.T) {
	files := build()
	files["assets/worker.wasm"] = &fstest.MapFile{Data: []byte("x")}
	if h, err := console.Over(files); err == nil || h != nil {
		t.Fatalf("Over = %v, %v; want an error", h, err)
	}
}

// TestUnreadableFileIsAProblem serves a build of which one file cannot be read:
// the others are served, and nothing is kept of an answer that was none.
func TestUnreadableFileIsAProblem(t *testing.T) {
	h, err := console.Over(torn{build(), strings.TrimPrefix(script, "/")})
	if err != nil {
		t.Fatal(err)
	}
	answer, body := ask(t, h, "GET", script)
	if answer.StatusCode != 500 || answer.Header.Get("Cache-Control") != "no-store" || answer.Header.Get("ETag") != "" || !strings.Contains(body, `"internal_error"`) {
		t.Errorf("%d %v %s", answer.StatusCode, answer.Header, body)
	}
	if answer, _ := ask(t, h, "GET", "/"); answer.StatusCode != 200 {
		t.Errorf("GET / = %d", answer.StatusCode)
	}
}

// torn is a build that lists a file and does not give it out.
type torn struct {
	fstest.MapFS
	name string
}

func (f torn) Open(name string) (fs.File, error) {
	if name == f.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return f.MapFS.Open(name)
}

func (f torn) ReadFile(name string) ([]byte, error) {
	if name == f.name {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrPermission}
	}
	return f.MapFS.ReadFile(name)
}

func TestNewStarts(t *testing.T) {
	h, err := console.New()
	if err != nil {
		t.Fatal(err)
	}
	if answer, _ := ask(t, h, "GET", "/"); answer.StatusCode != 200 && answer.StatusCode != 503 {
		t.Fatalf("GET / = %d", answer.StatusCode)
	}
}

func FuzzServe(f *testing.F) {
	f.Add("/", "br", "*")
	f.Add(script, "br;q=0,*", `W/"x"`)
	f.Add("/assets//", ";;,=", "W/")
	h, err := console.Over(build())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path, accept, match string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path = path
		r.Header.Set("Accept-Encoding", accept)
		r.Header.Set("If-None-Match", match)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 200 && w.Code != 304 && w.Code != 404 {
			t.Fatalf("GET %q = %d", path, w.Code)
		}
		if strings.HasPrefix(path, "/api/") && w.Code != 404 {
			t.Fatalf("GET %q = %d: a page in place of the API", path, w.Code)
		}
		if w.Header().Get("Content-Security-Policy") != console.Policy {
			t.Fatalf("GET %q has no policy", path)
		}
	})
}
