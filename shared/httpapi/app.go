// Package httpapi answers HTTP: it binds handlers to the rows of package
// route, guards each by its rule, reads bodies strictly and turns refusals
// into problems. A row of its function without handler, or a handler without
// row, does not start.
package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"

	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/route"
	"paddock/shared/session"
	"paddock/shared/table"
)

// An App is the API of one function.
type App struct {
	mux      *http.ServeMux
	methods  map[string][]string // by path pattern
	sessions *session.Service
	store    *table.Store
	now      func() time.Time
	ids      id.Source
}

// Config is what an App needs.
type Config struct {
	Function route.Function
	Sessions *session.Service
	Store    *table.Store
	Now      func() time.Time
	Bindings []Binding
}

// New returns the App of a function, or an error naming every row without
// handler and every handler without row.
func New(c Config) (*App, error) {
	if c.Sessions == nil || c.Store == nil || c.Now == nil {
		return nil, errors.New("httpapi: sessions, store and clock are required")
	}
	a := &App{mux: http.NewServeMux(), methods: map[string][]string{}, sessions: c.Sessions, store: c.Store, now: c.Now}
	bound := map[string]Binding{}
	for _, b := range c.Bindings {
		bound[b.Method+" "+b.Path] = b
	}
	var faults []error
	for _, row := range route.Rows {
		if row.Function != c.Function {
			continue
		}
		name := row.Method + " " + row.Path
		b := bound[name]
		if b.serve == nil {
			faults = append(faults, fmt.Errorf("httpapi: %s has no handler", name))
			continue
		}
		delete(bound, name)
		if row.Rule.Form == 0 || (row.Rule.Form == route.Public && row.Rule.Reason == "") {
			faults = append(faults, fmt.Errorf("httpapi: %s has no rule", name))
		}
		a.mux.Handle(row.Pattern(), a.serve(row, b))
		a.methods[row.Path] = append(a.methods[row.Path], row.Method)
	}
	for name := range bound {
		faults = append(faults, fmt.Errorf("httpapi: %s is in no row", name))
	}
	return a, errors.Join(faults...)
}

var errMethod = fault.Error{Kind: fault.Method, Code: "method_not_allowed", Detail: "This method is not allowed here."}

// ServeHTTP answers a request. What net/http's mux would redirect or answer in
// plain text is answered here: clients take only JSON.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if r.Method == http.MethodOptions || r.URL.Path == "" || r.URL.Path[0] != '/' {
		writeProblem(w, r, errMethod)
		return
	}
	clean := path.Clean(r.URL.Path)
	if strings.HasSuffix(r.URL.Path, "/") && clean != "/" {
		clean += "/"
	}
	if clean != r.URL.Path {
		writeProblem(w, r, errNotFound)
		return
	}
	if handler, pattern := a.mux.Handler(r); pattern == "" {
		_ = handler
		writeProblem(w, r, a.missing(r))
		return
	}
	a.mux.ServeHTTP(w, r)
}

// missing tells an unknown path from a known one with another method.
func (a *App) missing(r *http.Request) error {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := a.mux.Handler(other); pattern != "" {
			return errMethod
		}
	}
	return errNotFound
}

func (a *App) serve(row route.Row, b Binding) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != row.Method { // a HEAD would reach GET rows
			writeProblem(w, r, errMethod)
			return
		}
		body, err := readBody(r)
		if err != nil {
			writeProblem(w, r, err)
			return
		}
		call, err := a.guard(r, row)
		if err != nil {
			writeProblem(w, r, err)
			return
		}
		call.Body, call.Answer = body, w.Header()
		answer, err := b.serve(call, row)
		if err != nil {
			w.Header().Del("Set-Cookie") // a refusal changes no session
			writeProblem(w, r, err)
			return
		}
		if answer == nil {
			w.WriteHeader(b.Status)
			return
		}
		writeJSON(w, b.Status, answer)
	})
}

// secure sets the headers that every answer of the API has. Source: security,
// WB-6.
func secure(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}
