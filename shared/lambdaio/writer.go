package lambdaio

import "net/http"

// A writer gives the adapter's writer the habits of net/http's: the first
// status counts, interim answers are not answers, and an answer to HEAD, a 204
// and a 304 have no body. It never guesses a content type from the content.
type writer struct {
	to     http.ResponseWriter
	head   bool
	status int
}

// Header returns the headers of the answer.
func (w *writer) Header() http.Header { return w.to.Header() }

// WriteHeader takes the first final status.
func (w *writer) WriteHeader(status int) {
	if w.status != 0 || status >= 100 && status < 200 {
		return
	}
	w.status = status
	w.to.WriteHeader(status)
}

// Write appends to the body, where the answer has one.
func (w *writer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.head || w.status == http.StatusNoContent || w.status == http.StatusNotModified {
		return len(b), nil
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/octet-stream")
	}
	return w.to.Write(b)
}

// finish ends the answer and reports whether there was one. It names the type
// of an answer without a body, lest the gateway call it plain text, which
// compatible clients refuse. Source: alpacon-wire 1.
func (w *writer) finish() bool {
	if w.status == 0 {
		w.to.WriteHeader(http.StatusInternalServerError)
		return false
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	return true
}
