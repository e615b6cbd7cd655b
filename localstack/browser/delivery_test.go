package browser_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"paddock/shared/console"
)

// scriptBudget is the most JavaScript that the console may send, in bytes after
// gzip. Source: web/build/budget.mjs.
const scriptBudget = 200_000

func get(t *testing.T, path string, headers ...string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, shared.Env.BaseURL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := (&http.Transport{DisableCompression: true}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, body
}

// TestDeliveryThroughTheGateway sees that headers, encodings and bytes come out
// of the gateway as the console wrote them, and adds up the scripts.
func TestDeliveryThroughTheGateway(t *testing.T) {
	page, html := get(t, "/settings/security")
	if page.StatusCode != 200 || page.Header.Get("Content-Security-Policy") != console.Policy ||
		page.Header.Get("Cache-Control") != "no-cache" || page.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("page: %d %v", page.StatusCode, page.Header)
	}
	if regexp.MustCompile(`(?i)<style|<script[^>]*>[^<]|\son[a-z]+=|\sstyle=`).Match(html) {
		t.Error("the page has inline code or style")
	}
	if regexp.MustCompile(`(?i)(src|href)="(https?:)?//`).Match(html) {
		t.Error("the page loads from another host")
	}
	scripts := regexp.MustCompile(`src="(/assets/[^"]+\.js)"`).FindAllStringSubmatch(string(html), -1)
	if len(scripts) == 0 {
		t.Fatal("the page names no script")
	}
	total := 0
	for _, s := range scripts {
		packed, body := get(t, s[1], "Accept-Encoding", "gzip")
		if packed.Header.Get("Content-Encoding") != "gzip" || !strings.Contains(packed.Header.Get("Cache-Control"), "immutable") {
			t.Fatalf("%s: %v", s[1], packed.Header)
		}
		total += len(body)
		unpacked, err := gzip.NewReader(strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(unpacked)
		if err != nil {
			t.Fatal(err)
		}
		if _, plain := get(t, s[1]); string(plain) != string(content) {
			t.Errorf("%s: the gzip form has other content than the plain one", s[1])
		}
		again, _ := get(t, s[1], "Accept-Encoding", "gzip", "If-None-Match", packed.Header.Get("ETag"))
		if again.StatusCode != http.StatusNotModified {
			t.Errorf("%s: asked again with its tag: %d", s[1], again.StatusCode)
		}
	}
	if total > scriptBudget {
		t.Errorf("the scripts have %d bytes after gzip, more than %d", total, scriptBudget)
	}
	if gone, _ := get(t, "/assets/index-gone.js"); gone.StatusCode != http.StatusNotFound {
		t.Errorf("an asset of another build: %d", gone.StatusCode)
	}
	for _, path := range []string{"/api", "/api/", "/api/nothing/"} {
		if a, body := get(t, path); a.StatusCode != http.StatusNotFound || a.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s %.60q", path, a.StatusCode, a.Header.Get("Content-Type"), body)
		}
	}
}
