package httpapi_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"paddock/shared/credential"
	"paddock/shared/fault"
	"paddock/shared/httpapi"
	"paddock/shared/id"
)

type document struct {
	IsStaff bool   `json:"is_staff"`
	Name    string `json:"name"`
	Nested  any    `json:"nested"`
}

func TestBodiesAreReadStrictly(t *testing.T) {
	deep := strings.Repeat("[", 33) + strings.Repeat("]", 33)
	for _, c := range []struct{ name, body, own, wire string }{
		{"plain", `{"name":"x"}`, "", ""},
		{"empty means no fields", ``, "", ""},
		{"null means no fields", `null`, "", ""},
		{"blank around", " {\"name\":\"x\"}\n", "", ""},
		{"unknown field", `{"nome":"x"}`, "unknown_field", ""},
		{"name twice", `{"name":"x","name":"y"}`, "malformed_json", "malformed_json"},
		{"other letter case is another name", `{"IS_STAFF":true}`, "unknown_field", ""},
		{"trailing bytes", `{"name":"x"} {}`, "malformed_json", "malformed_json"},
		{"cut short", `{"name":"x"`, "malformed_json", "malformed_json"},
		{"not a number", `{"nested":NaN}`, "malformed_json", "malformed_json"},
		{"invalid UTF-8", "{\"name\":\"\xff\"}", "malformed_json", "malformed_json"},
		{"lone surrogate", `{"name":"\ud800"}`, "malformed_json", "malformed_json"},
		{"wrong type", `{"name":1}`, "invalid_value", "invalid_value"},
		{"a member that is null", `{"name":null}`, "invalid_value", "invalid_value"},
		{"an unknown member that is null", `{"nome":null}`, "unknown_field", ""},
		{"an array", `[]`, "invalid_value", "invalid_value"},
		{"too deep", `{"nested":` + deep + `}`, "malformed_json", "malformed_json"},
	} {
		for wire, want := range map[bool]string{false: c.own, true: c.wire} {
			var v document
			err := httpapi.Decode([]byte(c.body), &v, wire)
			f, _ := errors.AsType[fault.Error](err)
			if (err == nil) != (want == "") || f.Code != want {
				t.Errorf("%s (wire %t): %v, want %q", c.name, wire, err, want)
			}
			if wire && c.name == "other letter case is another name" && v.IsStaff {
				t.Errorf("%s: it was taken", c.name)
			}
		}
	}
}

func TestRefusedFieldIsNamed(t *testing.T) {
	var v document
	for body, want := range map[string]string{`{"name":1}`: "name", `{"is_staff":null}`: "is_staff", `{"extra":1}`: "extra"} {
		f, ok := errors.AsType[fault.Error](httpapi.Decode([]byte(body), &v, false))
		if !ok || f.Source != want {
			t.Errorf("%s: %v, source %q", body, f, f.Source)
		}
	}
}

func TestBodyBounds(t *testing.T) {
	for size, code := range map[int]string{httpapi.MaxBody: "", httpapi.MaxBody + 1: "body_too_large"} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("x", size)))
		_, err := httpapi.ReadBody(r)
		f, _ := errors.AsType[fault.Error](err)
		if f.Code != code {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("x"))
	r.Header.Set("Content-Encoding", "gzip")
	if _, err := httpapi.ReadBody(r); err == nil {
		t.Error("a compressed body was read")
	}
}

func TestEveryKindHasItsStatus(t *testing.T) {
	seen := map[int]fault.Kind{}
	for _, k := range fault.Kinds {
		s := httpapi.StatusOfKind(k)
		if before, twice := seen[s]; twice {
			t.Errorf("%s and %s are both %d", before, k, s)
		}
		seen[s] = k
		if (s == http.StatusInternalServerError) != (k == fault.Internal) {
			t.Errorf("%s is %d", k, s)
		}
	}
}

func TestWindowsAreRefusedOrCapped(t *testing.T) {
	for query, want := range map[string]int{
		"": 100, "page=2": 25, "page_size=7": 7, "page_size=101": 100, "page_size=0": -1, "page=-1": -1,
		"page=x": -1, "page=1.5": -1, "page=99999999999999999999": -1,
		"page=": -1, "page=2&page_size=3": 3, "pages=x": 100,
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		var in httpapi.PageQuery
		err = httpapi.DecodeQuery(q, &in)
		w := in.Window()
		if (err != nil) != (want < 0) || err == nil && w.Size != want {
			t.Errorf("%q: %+v, %v", query, w, err)
		}
	}
}

func TestPagesPointToEachOther(t *testing.T) {
	all := make([]int, 45)
	for number, want := range map[int]httpapi.Page[int]{
		1: {Count: 45, Current: 1, Next: 2, Previous: 0, Last: 3}, 2: {Count: 45, Current: 2, Next: 3, Previous: 1, Last: 3},
		3: {Count: 45, Current: 3, Next: 0, Previous: 2, Last: 3}, 9: {Count: 45, Current: 9, Next: 0, Previous: 3, Last: 3},
	} {
		p := httpapi.Cut(all, httpapi.Window{Number: number, Size: 20}, func(n int) int { return n })
		got := p
		got.Results = nil
		if got.Count != want.Count || got.Current != want.Current || got.Next != want.Next || got.Previous != want.Previous || got.Last != want.Last {
			t.Errorf("page %d: %+v", number, got)
		}
		if n := map[int]int{1: 20, 2: 20, 3: 5, 9: 0}[number]; len(p.Results) != n || p.Results == nil {
			t.Errorf("page %d has %d results", number, len(p.Results))
		}
	}
	if p := httpapi.Cut([]int(nil), httpapi.Window{Number: 1, Size: 10}, func(n int) int { return n }); p.Last != 1 || p.Results == nil {
		t.Errorf("the empty page: %+v", p)
	}
}

func TestAuthorizationHeaderIsReadStrictly(t *testing.T) {
	secret, err := credential.New(strings.NewReader(strings.Repeat("r", 32)), credential.CLISession, id.UUID{15: 1}, id.UUID{15: 2})
	if err != nil {
		t.Fatal(err)
	}
	text := secret.Reveal()
	for _, c := range []struct {
		name    string
		headers []string
		code    string
	}{
		{"bearer", []string{"Bearer " + text}, ""},
		{"token", []string{`token="` + text + `"`}, ""},
		{"none", nil, "authentication_required"},
		{"two", []string{"Bearer " + text, "Bearer " + text}, "authorization_header"},
		{"basic", []string{"Basic eDp5"}, "authorization_header"},
		{"bearer in small letters", []string{"bearer " + text}, ""},
		{"bearer twice", []string{"Bearer Bearer " + text}, "session_invalid"},
		{"a blank before", []string{"Bearer  " + text}, "session_invalid"},
		{"a bare handle of an access token with dots", []string{"Bearer " + text + ".a.b"}, "session_invalid"},
		{"an access token in quotes", []string{`token="a.b.c"`}, "authorization_header"},
		{"token without quotes", []string{"token=" + text}, "authorization_header"},
		{"empty bearer", []string{"Bearer "}, "authorization_header"},
		{"a letter changed", []string{"Bearer " + text[:len(text)-1] + "-"}, "session_invalid"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		for _, h := range c.headers {
			r.Header.Add("Authorization", h)
		}
		cookie, err := httpapi.BearerOf(r)
		f, _ := errors.AsType[fault.Error](err)
		if f.Code != c.code || cookie {
			t.Errorf("%s: %v, cookie %t", c.name, err, cookie)
		}
	}
}
