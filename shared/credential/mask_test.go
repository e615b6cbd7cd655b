package credential_test

import (
	"crypto/rand"
	"os"
	"regexp"
	"strings"
	"testing"

	"paddock/shared/credential"
	"paddock/shared/id"
)

// TestThePublishedPatternFindsSecrets holds the pattern for scanners.
func TestThePublishedPatternFindsSecrets(t *testing.T) {
	text, err := os.ReadFile("../../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^    (\\b.*)$`).FindSubmatch(text)
	if line == nil {
		t.Fatal("SECURITY.md has no pattern")
	}
	published := regexp.MustCompile(string(line[1]))
	for _, p := range credential.Prefixes {
		s, err := credential.New(rand.Reader, p, id.UUID{15: 1}, id.UUID{15: 2})
		if err != nil {
			t.Fatal(err)
		}
		if got := published.FindString("key: " + s.Reveal() + "."); got != s.Reveal() {
			t.Errorf("of %s it finds %q", p, got)
		}
	}
}

// TestSecretsInTextAreMasked puts each kind, whole and cut, between other text.
func TestSecretsInTextAreMasked(t *testing.T) {
	for _, p := range credential.Prefixes {
		s, err := credential.New(rand.Reader, p, id.UUID{15: 1}, id.UUID{15: 2})
		if err != nil {
			t.Fatal(err)
		}
		whole := s.Reveal()
		for _, secret := range []string{whole, whole[:len(whole)-30]} {
			text := "GET /?a=" + secret + "&b=" + secret + " failed"
			want := "GET /?a=" + string(p) + "[redacted]&b=" + string(p) + "[redacted] failed"
			if got := credential.Mask(text); got != want || !credential.Within(text) || credential.Within(got) {
				t.Errorf("%s is masked as %s", text, got)
			}
		}
	}
	for _, plain := range []string{"", "alpat-", "the alpat- prefix", "pdks_short", "/api/auth/tokens/", strings.Repeat("a", 100)} {
		if credential.Within(plain) || credential.Mask(plain) != plain {
			t.Errorf("%q is taken for a secret", plain)
		}
	}
}
