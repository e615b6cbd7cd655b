package audit_test

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"paddock/shared/audit"
)

func TestUserAgentsArePackedAndComeBack(t *testing.T) {
	size := func(agent string) int {
		e := sample(t, audit.AuthLogout).WithSource(audit.Source{IP: netip.MustParseAddr("203.0.113.42"), UserAgent: agent})
		b, err := audit.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		back, err := audit.Decode(b)
		if err != nil || back.Source.UserAgent != agent {
			t.Fatalf("%q comes back as %q, %v", agent, back.Source.UserAgent, err)
		}
		return len(b)
	}
	for _, c := range []struct {
		name, agent string
		most        int // bytes beyond those of an agent of one letter
	}{
		{"Chrome on macOS", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36", 12},
		{"Chrome on Windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36", 12},
		{"Edge", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0", 26},
		{"Firefox on Linux", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", 20},
		{"Safari on macOS", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15", 20},
		{"Safari on iPhone", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1", 35},
		{"a command line", "alpacon-cli/1.4.2", 16},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := size(c.agent) - size("x"); got > c.most {
				t.Fatalf("%d bytes, want at most %d", got, c.most)
			}
		})
	}
}

func TestAnyUserAgentComesBack(t *testing.T) {
	parts := rapid.SampledFrom([]string{"Mozilla/5.0 (", ".0.0.0 Safari/537.36", ") AppleWebKit/", ") Gecko/20100101 Firefox/", " Safari/605.1.15", "M", ")", "é", "\x00"})
	rapid.Check(t, func(r *rapid.T) {
		agent := ""
		for _, s := range rapid.SliceOfN(parts, 1, 6).Draw(r, "parts") {
			agent += s
		}
		e := sample(t, audit.AuthLogout)
		e.Source.UserAgent = agent
		b, err := audit.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := audit.Decode(b); err != nil || back.Source.UserAgent != agent {
			t.Fatalf("%q comes back as %q, %v", agent, back.Source.UserAgent, err)
		}
	})
}
