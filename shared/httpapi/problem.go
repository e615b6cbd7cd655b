package httpapi

import (
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"paddock/shared/fault"
	"paddock/shared/ingress"
	"paddock/shared/route"
)

// errInternal is all that a caller learns of an error nobody classified.
var errInternal = fault.Error{Kind: fault.Internal, Code: "internal_error", Detail: "Something went wrong on our side."}

// statusOf is the one place that turns the kind of a refusal into a status.
func statusOf(k fault.Kind) int {
	switch k {
	case fault.Internal:
		return http.StatusInternalServerError
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Denied:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.Limited:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.Method:
		return http.StatusMethodNotAllowed
	}
	return http.StatusInternalServerError
}

// writeProblem answers an error. What nobody classified is logged with its
// cause and answered without it.
func writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	refusal := explained(w, r, err)
	p := ingress.Problem{Detail: refusal.Detail, Code: refusal.Code, Source: refusal.Source, RequestID: ingress.OriginOf(r.Context()).RequestID}
	if d, ok := errors.AsType[*denial](err); ok && !d.decision.Zero() {
		p.DecisionID = d.decision.String()
	}
	writeJSON(w, statusOf(refusal.Kind), p)
}

// writeRefusal answers an error of a row in the row's own shape.
func writeRefusal(w http.ResponseWriter, r *http.Request, row route.Row, err error) {
	if !row.OAuth() {
		writeProblem(w, r, err)
		return
	}
	refusal := explained(w, r, err)
	writeJSON(w, statusOf(refusal.Kind), OAuthProblem{Error: OAuthCode(refusal), Description: refusal.Detail})
}

// explained returns what a caller is told of an error, and sets the headers
// that go with it.
func explained(w http.ResponseWriter, r *http.Request, err error) fault.Error {
	origin := ingress.OriginOf(r.Context())
	refusal, ok := errors.AsType[fault.Error](err)
	if !ok || refusal.Kind == fault.Internal {
		slog.ErrorContext(r.Context(), "request failed", "request_id", origin.RequestID, "method", r.Method,
			"route", r.Pattern, "err", err.Error())
		refusal = errInternal
	}
	if d, ok := errors.AsType[*denial](err); ok && d.maxAge > 0 {
		w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_user_authentication", `+
			`error_description="A fresh MFA verification is needed", acr_values="`+stepUpClass+`", max_age="`+seconds(d.maxAge)+`"`)
	}
	if refusal.RetryAfter > 0 {
		w.Header().Set("Retry-After", seconds(refusal.RetryAfter))
	}
	return refusal
}

// stepUpClass is the authentication context that protected actions ask for: a
// proof by a method that the workspace takes for them. Source: RFC 9470 section 3.
const stepUpClass = "step_up"

// seconds prints a duration in whole seconds, rounded up, at least 1.
func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		slog.Error("answer does not encode", "err", err.Error())
		status, body = http.StatusInternalServerError, []byte(`{"detail":"Something went wrong on our side.","code":"internal_error","source":""}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
