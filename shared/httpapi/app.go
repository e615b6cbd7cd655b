// Package httpapi answers HTTP: it binds handlers to the rows of package
// route, guards each by its rule, reads bodies strictly and turns refusals
// into problems. A row of its function without handler, or a handler without
// row, does not start.
package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"paddock/shared/accesstoken"
	"paddock/shared/credential"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/policy"
	"paddock/shared/route"
	"paddock/shared/session"
	"paddock/shared/table"
	"paddock/shared/usage"
)

// An App is the API of one function.
type App struct {
	mux      *http.ServeMux
	sessions *session.Service
	policies *policy.Service
	store    *table.Store
	usage    *usage.Service
	now      func() time.Time
	ids      id.Source
}

// Config is what an App needs.
type Config struct {
	Function route.Function
	Sessions *session.Service
	Policies *policy.Service
	Store    *table.Store
	Usage    *usage.Service
	Now      func() time.Time
	Bindings []Binding
}

// New returns the App of a function, or an error naming every row without
// handler and every handler without row.
func New(c Config) (*App, error) {
	if c.Sessions == nil || c.Policies == nil || c.Store == nil || c.Usage == nil || c.Now == nil {
		return nil, errors.New("httpapi: sessions, policies, store, usage and clock are required")
	}
	a := &App{mux: http.NewServeMux(), sessions: c.Sessions, policies: c.Policies, store: c.Store, usage: c.Usage, now: c.Now}
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
		if row.Rule.DryRun != (b.tell != nil) {
			faults = append(faults, fmt.Errorf("httpapi: %s cannot be tried as its rule says", name))
		}
		a.mux.Handle(row.Pattern(), a.serve(row, b))
	}
	for name := range bound {
		faults = append(faults, fmt.Errorf("httpapi: %s is in no row", name))
	}
	return a, errors.Join(faults...)
}

// errDryRun refuses to look at a change before it is made where that is not
// offered: it would be made.
var errDryRun = fault.Error{Kind: fault.Invalid, Code: "dry_run_not_offered", Detail: "This change cannot be tried before it is made.", Source: "dry_run"}

// errDryRunValue refuses what could be meant as a dry run and would make the
// change.
var errDryRunValue = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "dry_run is true or false, and named once.", Source: "dry_run"}

// dryRun reports whether a request is to be looked at and not to be made.
func dryRun(r *http.Request, row route.Row) (bool, error) {
	if row.Method == http.MethodGet {
		return false, nil
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	switch values := query["dry_run"]; {
	case err != nil && (row.Rule.DryRun || strings.Contains(r.URL.RawQuery, "dry_run")): // it could stand in what cannot be read
		return false, errDryRunValue
	case len(values) == 0:
		return false, nil
	case !row.Rule.DryRun:
		return false, errDryRun
	case len(values) == 1 && (values[0] == "true" || values[0] == "false"):
		return values[0] == "true", nil
	}
	return false, errDryRunValue
}

var errMethod = fault.Error{Kind: fault.Method, Code: "method_not_allowed", Detail: "This method is not allowed here."}

var errURL = fault.Error{
	Kind: fault.Invalid, Code: "credential_in_url",
	Detail: "Credentials do not belong into addresses, where they are logged and remembered. Send it as header or in the body, and replace this one.",
}

// revealed reports whether a request has a credential in its path or query,
// however it is escaped.
func revealed(r *http.Request) bool {
	if credential.Within(r.URL.Path) {
		return true
	}
	for name, values := range r.URL.Query() {
		for _, text := range append(values, name) {
			if _, err := accesstoken.Read(text); err == nil || credential.Within(text) {
				return true
			}
		}
	}
	return false
}

// ServeHTTP answers a request. What net/http's mux would redirect or answer in
// plain text is answered here: clients take only JSON.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if revealed(r) {
		writeProblem(w, r, errURL)
		return
	}
	if r.URL.Path == "" || r.URL.Path[0] != '/' {
		writeProblem(w, r, errNotFound)
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
	if !a.known(r) || r.Method == http.MethodHead { // a HEAD would reach GET rows
		writeProblem(w, r, a.missing(w, r))
		return
	}
	a.mux.ServeHTTP(w, r)
}

// known reports whether a row answers the request. For a path that lacks only
// the slash at its end the mux names the row and redirects to it.
func (a *App) known(r *http.Request) bool {
	_, pattern := a.mux.Handler(r)
	return pattern != "" && strings.HasSuffix(pattern, "{$}") == strings.HasSuffix(r.URL.Path, "/")
}

// missing tells an unknown path from a known one with another method, whose
// methods it names (RFC 9110 section 15.5.6).
func (a *App) missing(w http.ResponseWriter, r *http.Request) error {
	var allowed []string
	for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodPatch, http.MethodPost, http.MethodPut} {
		other := r.Clone(r.Context())
		other.Method = method
		if a.known(other) {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		return errNotFound
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	return errMethod
}

func (a *App) serve(row route.Row, b Binding) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := readBody(r)
		if err != nil {
			writeRefusal(w, r, row, err)
			return
		}
		dry, err := dryRun(r, row)
		if err != nil {
			writeRefusal(w, r, row, err)
			return
		}
		b := b // of this request
		if dry {
			b = b.dry()
		}
		request := seen(r, row, b.Status)
		request.DryRun = dry
		call, err := a.guard(r, row, request)
		if err != nil {
			writeRefusal(w, r, row, err)
			return
		}
		a.using(&call, row)
		defer call.uses.Wait()
		call.Body, call.Answer = body, w.Header()
		answer, err := b.serve(call, row)
		if err != nil {
			w.Header().Del("Set-Cookie") // a refusal changes no session
			writeRefusal(w, r, row, err)
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
