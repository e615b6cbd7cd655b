package httpapi_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"paddock/shared/fault"
	"paddock/shared/httpapi"
	"paddock/shared/httpapi/signin"
	"paddock/shared/route"
)

// standard are the errors that the standards know: RFC 6749 sections 4.1.2.1 and
// 5.2, RFC 8628 section 3.5, RFC 8707 section 2.
var standard = []string{
	"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
	"access_denied", "server_error", "temporarily_unavailable", "authorization_pending", "expired_token", "invalid_target",
}

// TestRowsOfOAuthAnswerItsErrors walks every refusal of those rows: its error is
// one that the standards know and never slow_down, its sentence has only the
// letters that they allow, and its status is the one of the refusal.
func TestRowsOfOAuthAnswerItsErrors(t *testing.T) {
	rows := 0
	for _, row := range route.Rows {
		if !row.OAuth() {
			continue
		}
		rows++
		for _, b := range new(signin.Face).Bindings() {
			if b.Method != row.Method || b.Path != row.Path {
				continue
			}
			for _, f := range httpapi.Refusals(row, b) {
				if code := httpapi.OAuthCode(f); !slices.Contains(standard, code) {
					t.Errorf("%s answers %s as %q", row.Path, f.Code, code)
				}
				if strings.ContainsFunc(f.Detail, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
					t.Errorf("%s: the sentence %q has other letters", row.Path, f.Detail)
				}
			}
		}
	}
	if rows != 3 {
		t.Errorf("%d rows of OAuth", rows)
	}
}

func TestRowsOfOAuthAnswerInItsShape(t *testing.T) {
	a, err := app(t, route.Signin, new(signin.Face).Bindings())
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{
		`{"grant_type":`:                    `{"error":"invalid_request","error_description":"The request body is not one JSON value."}`,
		`{"grant_type":1}`:                  `{"error":"invalid_request","error_description":"The value has the wrong type."}`,
		`{"grant_type":"x","unknown":true}`: `{"error":"unsupported_grant_type","error_description":"The grant types are device_code and refresh_token."}`,
		`null`:                              `{"error":"unsupported_grant_type","error_description":"The grant types are device_code and refresh_token."}`,
	} {
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/oauth/token/", strings.NewReader(body)))
		if w.Code != http.StatusBadRequest || strings.TrimSpace(w.Body.String()) != want || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
}

func TestFormsNameEachFieldOnce(t *testing.T) {
	type fields struct {
		Client string `json:"client_id"`
		Scope  string `json:"scope,omitempty"`
	}
	for body, want := range map[string]fields{
		"":                                    {},
		"client_id=a&scope=b+c":               {"a", "b c"},
		"client_id=a%20b&unknown=1&unknown=2": {Client: "a b"},
	} {
		var got fields
		if err := httpapi.DecodeForm([]byte(body), &got); err != nil || got != want {
			t.Errorf("%q: %+v, %v", body, got, err)
		}
	}
	for _, body := range []string{"client_id=a&client_id=a", "client_id=%zz", "client_id=a;scope=b"} {
		var got fields
		f, ok := errors.AsType[fault.Error](httpapi.DecodeForm([]byte(body), &got))
		if !ok || f.Code != "malformed_form" {
			t.Errorf("%q: %+v, %v", body, got, f)
		}
	}
}
