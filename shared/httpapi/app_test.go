package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"paddock/shared/httpapi"
)

func TestEveryAnswerHasTheSecurityHeaders(t *testing.T) {
	for name, request := range map[string]*http.Request{
		"of an unknown path":  httptest.NewRequest(http.MethodGet, "/api/nothing/", http.NoBody),
		"of an unclean path":  httptest.NewRequest(http.MethodGet, "/api//nothing/", http.NoBody),
		"of a refused method": httptest.NewRequest(http.MethodOptions, "/api/status/", http.NoBody),
		"of the root":         httptest.NewRequest(http.MethodPost, "/", http.NoBody),
	} {
		t.Run(name, func(t *testing.T) {
			answer := httptest.NewRecorder()
			httpapi.Empty().ServeHTTP(answer, request)
			for header, want := range map[string]string{
				"Cache-Control":                "no-store",
				"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'",
				"X-Content-Type-Options":       "nosniff",
				"Referrer-Policy":              "no-referrer",
				"Strict-Transport-Security":    "max-age=63072000; includeSubDomains",
				"Cross-Origin-Opener-Policy":   "same-origin",
				"Cross-Origin-Resource-Policy": "same-origin",
			} {
				if got := answer.Header().Get(header); got != want {
					t.Errorf("%s is %q, want %q", header, got, want)
				}
			}
		})
	}
}
