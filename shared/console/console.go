// Package console serves the web console: static files that are built from
// web/ and embedded, compressed already.
package console

import (
	"net/http"
)

// New returns the handler of the console.
func New() (http.Handler, error) {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!doctype html><title>Paddock</title><p>The console is not built."))
	}), nil
}
