package identity_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"paddock/shared/identity"
)

type emailVectors struct {
	Rows []struct {
		Input, Expect, Why string
		Key                *string
	}
	Collisions [][]string
}

func vectors(t *testing.T) emailVectors {
	t.Helper()
	b, err := os.ReadFile("testdata/email-normalisation.json")
	if err != nil {
		t.Fatal(err)
	}
	var v emailVectors
	if err := json.Unmarshal(b, &v); err != nil || len(v.Rows) == 0 {
		t.Fatalf("%d rows, %v", len(v.Rows), err)
	}
	return v
}

// TestEmailVectors walks the published rows. Where a row leaves a choice, ours
// is to refuse: non-ASCII local parts and ideographic full stops.
func TestEmailVectors(t *testing.T) {
	for _, row := range vectors(t).Rows {
		e, err := identity.ParseEmail(row.Input)
		accept := strings.HasPrefix(row.Expect, "accept") && !strings.Contains(row.Expect, " or ") && !strings.Contains(row.Expect, "only if")
		switch {
		case accept && (err != nil || e.Key != *row.Key):
			t.Errorf("%q: %q, %v; want %q (%s)", row.Input, e.Key, err, *row.Key, row.Why)
		case !accept && err == nil:
			t.Errorf("%q: accepted as %q (%s)", row.Input, e.Key, row.Why)
		}
	}
}

func TestCollidingAddressesShareAKeyOrAreRefused(t *testing.T) {
	for _, pair := range vectors(t).Collisions {
		a, errA := identity.ParseEmail(pair[0])
		b, errB := identity.ParseEmail(pair[1])
		if (errA == nil) != (errB == nil) || a.Key != b.Key {
			t.Errorf("%q is %q, %q is %q", pair[0], a.Key, pair[1], b.Key)
		}
	}
}

func FuzzParseEmail(f *testing.F) {
	f.Add("Alice@Example.COM")
	f.Add("alice@exämple.com")
	f.Fuzz(func(t *testing.T, s string) {
		e, err := identity.ParseEmail(s)
		if err != nil {
			return
		}
		again, err := identity.ParseEmail(e.Key)
		if err != nil || again.Key != e.Key {
			t.Fatalf("%q has key %q, whose key is %q, %v", s, e.Key, again.Key, err)
		}
		if strings.ContainsAny(e.Address, "\r\n\x00, <>\"") {
			t.Fatalf("%q accepted", e.Address)
		}
	})
}
