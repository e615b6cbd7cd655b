// Package console serves the web console: static files that are built from
// web/ and embedded, compressed already. It promises that every answer carries
// the headers that keep foreign scripts and frames out, and that a file whose
// name tells its content is the only thing that caches keep. It knows nothing
// of the API and reads no cookie.
package console

import (
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
)

// built holds what web/ was built into; without a build only a placeholder.
//
//go:embed all:dist
var built embed.FS

// New returns the handler of the console that was built into the program. When
// none was, the handler says so with status 503.
func New() (http.Handler, error) {
	files, err := fs.Sub(built, "dist")
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	return Over(files)
}

// Names within a build.
const (
	index  = "index.html"
	assets = "assets/" // files whose names change with their content
)

// Over returns the handler of a build. Of each file it takes the compressed
// forms that lie beside it, NAME.br and NAME.gz. It fails when a file has a type
// that it does not know.
func Over(files fs.FS) (http.Handler, error) {
	s := site{files: map[string]file{}}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || hidden(name) || compressed(name) {
			return err
		}
		f, err := open(files, name)
		s.files["/"+name] = f
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	s.page, s.built = s.files["/"+index]
	return s, nil
}

func hidden(name string) bool     { return strings.HasPrefix(path.Base(name), ".") }
func compressed(name string) bool { return slices.Contains([]string{".br", ".gz"}, path.Ext(name)) }

// A site is a build by path.
type site struct {
	files map[string]file
	page  file // what every path of the console itself answers
	built bool
}

// elsewhere lists what belongs to the API. The gateway sends only their exact
// names here; a page in their place would read as success.
func elsewhere() []string {
	return []string{"/api", "/oauth", "/.well-known", "/saml", "/scim"}
}

// ServeHTTP answers GET and HEAD: a file, or the page for every other path that
// can be one of the console's own.
func (s site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	for _, prefix := range elsewhere() {
		if r.URL.Path == prefix || strings.HasPrefix(r.URL.Path, prefix+"/") {
			notFound(w)
			return
		}
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, `{"detail":"This method is not allowed here.","code":"method_not_allowed","source":""}`)
		return
	}
	if !s.built {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(unbuilt))
		return
	}
	if f, ok := s.files[r.URL.Path]; ok {
		f.serve(w, r)
		return
	}
	if path.Ext(r.URL.Path) != "" || strings.HasPrefix(r.URL.Path, "/"+assets) {
		notFound(w) // no path of the console has an extension
		return
	}
	s.page.serve(w, r)
}

const unbuilt = `<!doctype html><html lang="en"><title>Paddock</title><h1>The console is not built</h1>` +
	"<p>Run <code>make build</code>, then deploy again. The API and the command line work without it.\n"

func notFound(w http.ResponseWriter) {
	refuse(w, http.StatusNotFound, `{"detail":"There is nothing here.","code":"not_found","source":""}`)
}

// refuse answers with a problem: clients of the API that lost their way take
// only JSON.
func refuse(w http.ResponseWriter, status int, problem string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(problem + "\n"))
}

// Policy is what pages of the console may load and do: nothing but their own
// files, images that they make themselves, and requests to their own origin.
// No script makes code or markup from text. Source: security, WB-6; Content
// Security Policy Level 3; Trusted Types.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// secure sets the headers that every answer has.
func secure(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", Policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
}
