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
	function route.Function
	bound    []*Binding // of route.Rows, by place; nil where another function answers
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
	Bindings []*Binding
}

// New returns the App of a function, or an error naming every row without
// handler and every handler without row.
func New(c Config) (*App, error) {
	if c.Sessions == nil || c.Policies == nil || c.Store == nil || c.Usage == nil || c.Now == nil {
		return nil, errors.New("httpapi: sessions, policies, store, usage and clock are required")
	}
	a := &App{function: c.Function, bound: make([]*Binding, len(route.Rows)), sessions: c.Sessions, policies: c.Policies, store: c.Store, usage: c.Usage, now: c.Now}
	type place struct{ method, path string }
	given := make(map[place]*Binding, len(c.Bindings))
	for _, b := range c.Bindings {
		given[place{b.Method, b.Path}] = b
	}
	var faults []error
	for i := range route.Rows {
		row := &route.Rows[i]
		if row.Function != c.Function {
			continue
		}
		at := place{row.Method, row.Path}
		b := given[at]
		if b == nil {
			faults = append(faults, fmt.Errorf("httpapi: %s has no handler", row.Pattern()))
			continue
		}
		delete(given, at)
		if row.Rule.Form == 0 || (row.Rule.Form == route.Public && row.Rule.Reason == "") {
			faults = append(faults, fmt.Errorf("httpapi: %s has no rule", row.Pattern()))
		}
		if row.Rule.DryRun != (b.tell != nil) {
			faults = append(faults, fmt.Errorf("httpapi: %s cannot be tried as its rule says", row.Pattern()))
		}
		a.bound[i] = b
	}
	for at := range given {
		faults = append(faults, fmt.Errorf("httpapi: %s %s is in no row", at.method, at.path))
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

// ServeHTTP answers a request.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if revealed(r) {
		writeProblem(w, r, errURL)
		return
	}
	if !clean(r.URL.Path) {
		writeProblem(w, r, errNotFound)
		return
	}
	sent := r.URL.EscapedPath()
	place := route.Find(a.function, r.Method, sent)
	if place < 0 {
		writeProblem(w, r, a.missing(w, sent))
		return
	}
	row := route.Rows[place]
	row.Fits(sent, r.SetPathValue)
	r.Pattern = row.Pattern()
	a.serve(w, r, row, *a.bound[place])
}

// clean reports whether a path is absolute and has no empty, "." or ".." part.
func clean(p string) bool {
	if p == "" || p[0] != '/' {
		return false
	}
	c := path.Clean(p)
	return c == p || c != "/" && c+"/" == p
}

// missing tells an unknown path from a known one with another method, whose
// methods it names (RFC 9110 section 15.5.6).
func (a *App) missing(w http.ResponseWriter, sent string) error {
	allowed := route.Methods(a.function, sent)
	if len(allowed) == 0 {
		return errNotFound
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	return errMethod
}

// serve answers the request of a row. The binding is this request's own.
func (a *App) serve(w http.ResponseWriter, r *http.Request, row route.Row, b Binding) {
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
