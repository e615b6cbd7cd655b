package pattern_test

import (
	"strings"
	"testing"

	"paddock/localstack/paired"
	"paddock/shared/pattern"
)

// questions are of ordinary size; half of them are refused.
var questions = []struct {
	kind    pattern.Kind
	pattern string
	text    string
	want    bool
}{
	{pattern.Name, "production-web-*", "production-web-eu-1", true},
	{pattern.Name, "*-prod", "db-eu-west-1-staging", false},
	{pattern.Command, "systemctl restart *", "systemctl restart nginx", true},
	{pattern.Command, "docker *", "docker run --rm -it alpine; id", false},
	{pattern.Path, "/srv/app/**", "/srv/app/releases/2026-11-26/config.yaml", true},
	{pattern.Path, "/var/log/*/*.log", "/var/log/nginx/old/access.log", false},
}

// BenchmarkMatch asks beside looking once at each byte of pattern and text.
func BenchmarkMatch(b *testing.B) {
	var parsed []pattern.Pattern
	for _, q := range questions {
		parsed = append(parsed, parse(b, q.kind, q.pattern))
	}
	var yes int
	paired.Ratio(b, 6, func() {
		for i, q := range questions {
			if parsed[i].Match(q.text) {
				yes++
			}
		}
	}, func() {
		for _, q := range questions {
			for i := range len(q.text) {
				if q.text[i] == 0 {
					yes++
				}
			}
			for i := range len(q.pattern) {
				if q.pattern[i] == 0 {
					yes++
				}
			}
		}
	})
}

// BenchmarkMatchHostile is TK-5: many stars against the longest command.
func BenchmarkMatchHostile(b *testing.B) {
	p := parse(b, pattern.Command, strings.Repeat("a*", 99)+"c*b")
	text := strings.Repeat("a", 64<<10-1) + "b"
	b.ReportAllocs()
	for b.Loop() {
		p.Match(text)
	}
}
