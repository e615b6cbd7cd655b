package httpapi_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"paddock/shared/credential"
	"paddock/shared/httpapi"
	"paddock/shared/httpapi/api"
	"paddock/shared/httpapi/signin"
	"paddock/shared/id"
	"paddock/shared/policy"
	"paddock/shared/route"
	"paddock/shared/session"
	"paddock/shared/table"
	"paddock/shared/usage"
)

// app returns the App of a function, whose handlers have nothing behind them:
// good for everything that is answered before a row is reached.
func app(t *testing.T, f route.Function, bindings []*httpapi.Binding) (*httpapi.App, error) {
	t.Helper()
	return httpapi.New(httpapi.Config{
		Function: f, Sessions: new(session.Service), Policies: new(policy.Service), Store: new(table.Store), Usage: new(usage.Service), Now: func() time.Time { return time.Unix(0, 0) }, Bindings: bindings,
	})
}

func TestWhatIsNoRowIsRefusedAsJSON(t *testing.T) {
	for f, bindings := range map[route.Function][]*httpapi.Binding{route.API: new(api.Face).Bindings(), route.Signin: new(signin.Face).Bindings()} {
		a, err := app(t, f, bindings)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range route.Rows {
			if row.Function != f {
				continue
			}
			path := strings.Replace(row.Path, "{id}", "00000000-0000-7000-8000-000000000001", 1)
			for _, method := range []string{"HEAD", "OPTIONS", "PUT", "TRACE", "BREW"} {
				if slices.ContainsFunc(route.Rows, func(r route.Row) bool { return r.Path == row.Path && r.Method == method }) {
					continue
				}
				if got := refused(t, a, method, path, http.StatusMethodNotAllowed); !strings.Contains(", "+got+",", ", "+row.Method+",") {
					t.Errorf("%s %s allows %q, not %s", method, path, got, row.Method)
				}
			}
			if strings.HasSuffix(path, "/") && path != "/api/iam/users/-/" {
				refused(t, a, row.Method, strings.TrimSuffix(path, "/"), http.StatusNotFound)
			}
			refused(t, a, row.Method, "/"+path, http.StatusNotFound)
			refused(t, a, row.Method, path+"more/than/that/", http.StatusNotFound)
		}
	}
}

// refused sends a request that must be answered with a problem, and returns
// which methods the answer allows.
func refused(t *testing.T, a *httpapi.App, method, path string, status int) string {
	t.Helper()
	r := httptest.NewRequest(method, "/", nil)
	r.URL.Path = path
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	if w.Code != status || w.Header().Get("Content-Type") != "application/json" || !strings.Contains(w.Body.String(), `"code"`) {
		t.Errorf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, status)
	}
	return w.Header().Get("Allow")
}

// TestCredentialsInAddressesAreRefused sends secrets of each kind, whole, cut
// and escaped, before anything else is looked at.
func TestCredentialsInAddressesAreRefused(t *testing.T) {
	a, err := app(t, route.API, new(api.Face).Bindings())
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, p := range credential.Prefixes {
		s, err := credential.New(rand.Reader, p, id.UUID{15: 1}, id.UUID{15: 2})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, "/api/health/?token="+s.Reveal(), "/api/health/?a=b&"+s.Reveal(), "/api/health/?token=%"+fmt.Sprintf("%02x", s.Reveal()[0])+s.Reveal()[1:],
			"/api/iam/users/"+s.Reveal()+"/", "/api/nowhere/?x="+s.Reveal()[:60])
	}
	for _, path := range all {
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"credential_in_url"`) {
			t.Errorf("%.40s…: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestRowsAndHandlersMatch(t *testing.T) {
	whole := new(signin.Face).Bindings()
	extra := httpapi.Answer("GET", "/api/nowhere/", http.StatusOK, func(httpapi.Call, httpapi.None) (httpapi.None, error) { return httpapi.None{}, nil })
	for name, bindings := range map[string][]*httpapi.Binding{"is in no row": append(whole[:len(whole):len(whole)], extra), "has no handler": whole[1:]} {
		if _, err := app(t, route.Signin, bindings); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestUnclassifiedErrorsAreLoggedWithTheirRow holds what an operator finds of a
// 500, and that the caller is told nothing of it.
func TestUnclassifiedErrorsAreLoggedWithTheirRow(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	failing := httpapi.Answer("GET", "/api/health/", http.StatusOK, func(httpapi.Call, httpapi.None) (httpapi.None, error) { return httpapi.None{}, errors.New("the cause") })
	bindings := slices.DeleteFunc(new(api.Face).Bindings(), func(b *httpapi.Binding) bool { return b.Path == failing.Path })
	a, err := app(t, route.API, append(bindings, failing))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/health/", http.NoBody))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "cause") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if text := log.String(); !strings.Contains(text, `"route":"GET /api/health/{$}"`) || !strings.Contains(text, `"err":"the cause"`) {
		t.Errorf("logged: %s", text)
	}
}

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
