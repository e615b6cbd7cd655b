package permission_test

import (
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"paddock/shared/permission"
)

func TestCatalogueIsClosedAndFits(t *testing.T) {
	seen := map[permission.Permission]bool{}
	for i, p := range permission.Catalogue {
		if seen[p] {
			t.Errorf("%s twice", p)
		}
		seen[p] = true
		if got, ok := p.Index(); !ok || got != i {
			t.Errorf("%s: index %d, %t", p, got, ok)
		}
		back, err := permission.Parse(p.String())
		if err != nil || back != p {
			t.Errorf("Parse(%q) = %v, %v", p, back, err)
		}
	}
	if len(permission.Catalogue) == 0 || len(permission.Catalogue) > permission.MaxPermissions {
		t.Fatalf("%d permissions", len(permission.Catalogue))
	}
}

func TestNamesAreDistinct(t *testing.T) {
	names := map[string]bool{}
	for _, r := range permission.Resources {
		if n := r.String(); n == "unknown" || names[n] {
			t.Errorf("resource %d is called %q", r, n)
		} else {
			names[n] = true
		}
	}
	for _, a := range permission.Actions {
		if n := a.String(); n == "unknown" || names["a:"+n] {
			t.Errorf("action %d is called %q", a, n)
		} else {
			names["a:"+n] = true
		}
	}
}

func TestParseRefusesEverythingElse(t *testing.T) {
	for _, s := range []string{
		"", "*", "*:*", "server", "server:", ":read", "server:*", "Server:read", "server:read ",
		" server:read", "server::read", "server:read:x", "ｓerver:read", "unknown:unknown", "server:own",
	} {
		if p, err := permission.Parse(s); err == nil {
			t.Errorf("Parse(%q) = %v", s, p)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("server:read")
	f.Add("*:*")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := permission.Parse(s)
		if err == nil && p.String() != s {
			t.Fatalf("Parse(%q) prints as %q: two texts for one permission", s, p)
		}
	})
}

func TestSetHoldsExactlyWhatWasPutIn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SliceOf(rapid.SampledFrom(permission.Catalogue)).Draw(t, "in")
		half := len(in) / 2
		set := permission.SetOf(in[:half]...).Union(permission.SetOf(in[half:]...))
		want := map[permission.Permission]bool{}
		for _, p := range in {
			want[p] = true
		}
		for _, p := range permission.Catalogue {
			if set.Has(p) != want[p] {
				t.Fatalf("Has(%s) = %t", p, set.Has(p))
			}
		}
		if set.Has(permission.Permission{}) {
			t.Fatal("the zero permission is held")
		}
	})
}

// TestDocumentsExplainEachPermission holds the table in docs/api.md to the
// catalogue.
func TestDocumentsExplainEachPermission(t *testing.T) {
	b, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(b), "\n## Permissions\n")
	if !found {
		t.Fatal("docs/api.md has no permissions")
	}
	explained := map[string]int{}
	for line := range strings.Lines(table) {
		if cells := strings.Split(line, "|"); len(cells) == 4 && strings.Contains(cells[1], ":") {
			text := strings.Trim(cells[1], " `")
			if _, err := permission.Parse(text); err != nil || len(strings.TrimSpace(cells[2])) < 8 {
				t.Errorf("docs/api.md: %q: %v", line, err)
			}
			explained[text]++
		}
	}
	for _, p := range permission.Catalogue {
		if explained[p.String()] != 1 {
			t.Errorf("docs/api.md explains %s %d times", p, explained[p.String()])
		}
	}
}
