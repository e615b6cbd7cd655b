package pattern_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"paddock/shared/pattern"
)

func TestIncludes(t *testing.T) {
	for _, c := range []struct {
		kind         pattern.Kind
		outer, inner string
		want         bool
	}{
		{pattern.Name, "*", "web-*", true},
		{pattern.Name, "web-*", "*", false},
		{pattern.Name, "web-*", "web-01", true},
		{pattern.Name, "web-*", "web-eu-*", true},
		{pattern.Name, "web-eu-*", "web-*", false},
		{pattern.Name, "*-prod", "web-*-prod", true},
		{pattern.Name, "*-prod", "web-*", false},
		{pattern.Name, "*a*", "*a*a*", true},
		{pattern.Name, "*a*a*", "*a*", false},
		{pattern.Name, "**", "*", true},
		{pattern.Name, "*", "**", true},
		{pattern.Name, "web-*", "WEB-*", false},
		{pattern.Command, "*", "docker *", true},
		{pattern.Command, "docker*", "docker *", true},
		{pattern.Command, "docker *", "docker*", false},
		{pattern.Command, "*", "docker ps; id", false},
		{pattern.Command, "*", "git pull && *", false},
		{pattern.Command, "git pull && *", "git pull && make", true},
		{pattern.Command, "git * && *", "git pull && *", true},
		{pattern.Command, "git * && *", "git pull && * && *", false},
		{pattern.Command, "* && *", "* && * && *", false},
		{pattern.Command, "*", "echo café", true},
		{pattern.Command, "*", "echo à ą", true},
		{pattern.Path, "/**", "/*", true},
		{pattern.Path, "/*", "/**", false},
		{pattern.Path, "/*/**", "/**", false},
		{pattern.Path, "/*/*", "/**", false},
		{pattern.Path, "/**", "/*/**", true},
		{pattern.Path, "/srv/**", "/srv/*/x", true},
		{pattern.Path, "/srv/**", "/srv", false},
		{pattern.Path, "/srv/*", "/srv/", true},
		{pattern.Path, "/srv/**/x", "/srv/*/x", true},
		{pattern.Path, "/srv/**/x", "/srv/x", false},
		{pattern.Path, "/srv/*/x", "/srv/**/x", false},
		{pattern.Path, "/srv/app**", "/srv/app2/**", true},
		{pattern.Path, "/**a*", "/**a", true},
		{pattern.Path, "/**/a*/*", "/**/ab/**/a/b", true},
		// "**" between slashes is never empty in a path: "//" is none.
		{pattern.Path, "/a/*/**", "/a/**/b", true},
		// No path ends in the segment ".".
		{pattern.Path, "/.**", "/.*", true},
	} {
		got := pattern.Includes(parse(t, c.kind, c.outer), parse(t, c.kind, c.inner))
		if got != c.want {
			t.Errorf("Includes(%q, %q) = %t", c.outer, c.inner, got)
		}
	}
}

func TestOtherKindsIncludeNothing(t *testing.T) {
	for _, k := range pattern.Kinds {
		p := parse(t, k, "/**")
		for _, l := range pattern.Kinds {
			if got := pattern.Includes(p, parse(t, l, "/a")); got != (k == l) {
				t.Errorf("%s includes %s: %t", k, l, got)
			}
		}
		if pattern.Includes(p, pattern.Pattern{}) || pattern.Includes(pattern.Pattern{}, p) {
			t.Errorf("%s and the zero pattern include each other", k)
		}
	}
	if pattern.Includes(pattern.Pattern{}, pattern.Pattern{}) {
		t.Error("the zero pattern includes itself")
	}
}

// letters of the small alphabet: two that patterns have, one that none has, and
// what is special to the kind.
var letters = map[pattern.Kind]string{
	pattern.Name:    "abx",
	pattern.Command: "abx;",
	pattern.Path:    "abx/.",
}

// enumerated returns every text of the small alphabet that patterns may match,
// up to a length.
func enumerated(k pattern.Kind, longest int) []string {
	all, last := []string{}, []string{""}
	for range longest {
		var next []string
		for _, text := range last {
			for _, b := range letters[k] {
				if k != pattern.Path || text != "" || b == '/' {
					next = append(next, text+string(b))
				}
			}
		}
		all, last = append(all, next...), next
	}
	return slices.DeleteFunc(all, func(s string) bool { return !k.Admits(s) })
}

// TestIncludesIsWhatEnumerationSays tries every text of a small alphabet: no
// text may gainsay "included", and "not included" names a text that proves it.
func TestIncludesIsWhatEnumerationSays(t *testing.T) {
	longest := map[pattern.Kind]int{pattern.Name: 7, pattern.Command: 6, pattern.Path: 7}
	for _, k := range pattern.Kinds {
		texts := enumerated(k, longest[k])
		piece := rapid.SampledFrom(map[pattern.Kind][]string{
			pattern.Name:    {"a", "b", "*", "*"},
			pattern.Command: {"a", "b", ";", "*", "*"},
			pattern.Path:    {"a", "b", ".", "/", "/", "*", "*", "**", "**", "/**", "/*"},
		}[k])
		var met [2]int
		for range cases(t, 20) {
			rapid.Check(t, func(t *rapid.T) {
				both := make([]pattern.Pattern, 2)
				for i, name := range []string{"outer", "inner"} {
					text := strings.Join(rapid.SliceOfN(piece, 1, 6).Draw(t, name), "")
					if k == pattern.Path {
						text = "/" + text
					}
					p, err := pattern.Parse(k, text)
					if err != nil {
						return
					}
					both[i] = p
				}
				outer, inner := both[0], both[1]
				beyond, included := pattern.Compare(outer, inner)
				if !included {
					met[0]++
					if !inner.Match(beyond) || outer.Match(beyond) {
						t.Fatalf("%s %q does not include %q: %q is no proof", k, outer, inner, beyond)
					}
					return
				}
				met[1]++
				for _, text := range texts {
					if inner.Match(text) && !outer.Match(text) {
						t.Fatalf("%s %q includes %q, but not %q", k, outer, inner, text)
					}
				}
			})
		}
		if met[0] < 20 || met[1] < 20 {
			t.Errorf("%s: %d times not included, %d times included", k, met[0], met[1])
		}
		t.Logf("%s: %d times not included, %d times included, %d texts", k, met[0], met[1], len(texts))
	}
}

// TestIncludesIsMatchingFreshCharacters holds another exact rule beside the
// comparison, which there is where all stars are alike: outer includes inner if
// it matches inner with each star replaced by a character that it does not have.
func TestIncludesIsMatchingFreshCharacters(t *testing.T) {
	for _, k := range []pattern.Kind{pattern.Name, pattern.Command} {
		piece := rapid.SampledFrom(append(pieces[k], "*", "*", "*"))
		var met [2]int
		for range cases(t, 100) {
			rapid.Check(t, func(t *rapid.T) {
				text := strings.Join(rapid.SliceOfN(piece, 1, 20).Draw(t, "inner"), "")
				inner, err := pattern.Parse(k, text)
				if err != nil {
					return
				}
				// Leave out some literals and widen others, or take any.
				wider := rapid.SliceOfN(piece, 1, 5)
				outerText := strings.Join(wider.Draw(t, "outer"), "")
				if rapid.Bool().Draw(t, "related") {
					at := rapid.IntRange(0, len(text)).Draw(t, "at")
					outerText = text[:at] + "*" + text[rapid.IntRange(at, len(text)).Draw(t, "to"):]
				}
				outer, err := pattern.Parse(k, outerText)
				if err != nil {
					return
				}
				want := outer.Match(strings.ReplaceAll(text, "*", "x"))
				if got := pattern.Includes(outer, inner); got != want {
					t.Fatalf("%s: Includes(%q, %q) = %t", k, outer, inner, got)
				}
				if want {
					met[1]++
				} else {
					met[0]++
				}
			})
		}
		if met[0] < 500 || met[1] < 500 {
			t.Errorf("%s: %d times not included, %d times included", k, met[0], met[1])
		}
	}
}

// TestIncludesIsAnOrder holds on patterns longer than can be enumerated: what
// is made narrower is included, and inclusion goes on through a third.
func TestIncludesIsAnOrder(t *testing.T) {
	for _, k := range pattern.Kinds {
		piece := rapid.SampledFrom(append(pieces[k], "*", "**", "*"))
		narrower := rapid.SampledFrom([]string{"", "a", "*", "a*", "*b*", "é"})
		tried := 0
		for range cases(t, 10) {
			rapid.Check(t, func(t *rapid.T) {
				text := strings.Join(rapid.SliceOfN(piece, 1, 12).Draw(t, "outer"), "")
				if k == pattern.Path {
					text = "/" + text
				}
				outer, err := pattern.Parse(k, text)
				if err != nil {
					return
				}
				chain := []pattern.Pattern{outer}
				for range 2 {
					var within strings.Builder
					for _, r := range strings.ReplaceAll(chain[len(chain)-1].String(), "**", "%") {
						switch r {
						case '%':
							within.WriteString(rapid.SampledFrom([]string{"**", "*", "a/b", "**a", "*/*"}).Draw(t, "wide"))
						case '*':
							within.WriteString(narrower.Draw(t, "star"))
						default:
							within.WriteRune(r)
						}
					}
					p, err := pattern.Parse(k, strings.ReplaceAll(within.String(), "***", "**"))
					if err != nil || (k != pattern.Path && strings.Contains(p.String(), "/")) {
						return
					}
					chain = append(chain, p)
				}
				// Stars that came to stand together may have become wide ones.
				if !pattern.Includes(chain[0], chain[1]) || !pattern.Includes(chain[1], chain[2]) {
					if k != pattern.Path {
						t.Fatalf("%q, %q, %q: not included", chain[0], chain[1], chain[2])
					}
					return
				}
				tried++
				if !pattern.Includes(chain[0], chain[2]) || !pattern.Includes(outer, outer) {
					t.Fatalf("%q includes %q, which includes %q", chain[0], chain[1], chain[2])
				}
			})
		}
		if tried < 100 {
			t.Errorf("%s: %d chains", k, tried)
		}
		t.Logf("%s: %d chains", k, tried)
	}
}

// TestIncludesIsBounded gives patterns woven to be compared for ever: the answer
// comes, and is never a false "included".
func TestIncludesIsBounded(t *testing.T) {
	for _, c := range []struct {
		name         string
		outer, inner string
		want         bool
	}{
		{"a segment far from the end", "/**/a*" + strings.Repeat("/*", 80), "/**" + strings.Repeat("/a*/**", 40) + "/b", false},
		{"one far from the end, each way", "/**/a*" + strings.Repeat("/*", 40), "/**/a*" + strings.Repeat("/*", 40), true},
		{"many wide stars", "/**" + strings.Repeat("/a/**", 95), "/**" + strings.Repeat("/a/**", 96), true},
		{"many wide stars, the other way", "/**" + strings.Repeat("/a/**", 96), "/**" + strings.Repeat("/a/**", 95), false},
		{"many stars", "/" + strings.Repeat("a*", 99), "/" + strings.Repeat("a*", 99) + "b", true},
		{"stars in stars", "/**" + strings.Repeat("a*/", 98) + "**", "/**" + strings.Repeat("ab*/", 98) + "**", true},
		{"long literals", "/**" + strings.Repeat("a", 1000) + "**", "/**" + strings.Repeat("a", 1010) + "**", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			outer, inner := parse(t, pattern.Path, c.outer), parse(t, pattern.Path, c.inner)
			beyond, got := pattern.Compare(outer, inner)
			if got != c.want {
				t.Errorf("%t", got)
			}
			t.Logf("included %t; beyond it: %.60q", got, beyond)
		})
	}
}
