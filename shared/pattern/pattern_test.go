package pattern_test

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"paddock/shared/pattern"
)

func parse(t testing.TB, k pattern.Kind, text string) pattern.Pattern {
	t.Helper()
	p, err := pattern.Parse(k, text)
	if err != nil {
		t.Fatalf("Parse(%s, %q): %v", k, text, err)
	}
	return p
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		kind pattern.Kind
		text string
		at   int
		says string
	}{
		{0, "x", 0, "of a name"},
		{pattern.Path + 1, "x", 0, "of a name"},
		{pattern.Name, "", 0, "empty"},
		{pattern.Command, "", 0, "empty"},
		{pattern.Path, "", 0, "empty"},
		{pattern.Name, strings.Repeat("a", 1025), 1024, "1024 bytes"},
		{pattern.Name, strings.Repeat("a*", 100) + "b*", 201, "100 stars"},
		{pattern.Name, "web-\xff", 4, "UTF-8"},
		{pattern.Command, "ls \xc3", 3, "UTF-8"},
		{pattern.Name, "web\n", 3, "U+000A"},
		{pattern.Name, "web *\t", 5, "U+0009"},
		{pattern.Command, "ls\x00", 2, "U+0000"},
		{pattern.Command, "ls\u2028id", 2, "U+2028"},
		{pattern.Command, "ls\u00a0id", 2, "U+00A0"},
		{pattern.Command, "d\u200bocker", 1, "U+200B"},
		{pattern.Path, "/a\u202eb", 2, "U+202E"},
		{pattern.Path, "*", 0, `begin with "/"`},
		{pattern.Path, "**", 0, `begin with "/"`},
		{pattern.Path, "~/x", 0, `begin with "/"`},
		{pattern.Path, `/a\b`, 2, "backslash"},
		{pattern.Path, "/a//b", 3, "empty segment"},
		{pattern.Path, "//", 1, "empty segment"},
		{pattern.Path, "/a/../b", 3, `".."`},
		{pattern.Path, "/a/.", 3, `"."`},
	} {
		p, err := pattern.Parse(c.kind, c.text)
		if e, ok := errors.AsType[pattern.Error](err); !ok || e.At != c.at || !strings.Contains(e.Error(), c.says) {
			t.Errorf("Parse(%s, %.40q) = %v, want byte %d and %q", c.kind, c.text, err, c.at, c.says)
		}
		if p.Kind() != 0 || p.String() != "" || p.Match(c.text) {
			t.Errorf("Parse(%s, %.40q) fails and returns a pattern", c.kind, c.text)
		}
	}
}

func TestParseTakesBounds(t *testing.T) {
	for _, c := range []struct {
		kind pattern.Kind
		text string
	}{
		{pattern.Name, strings.Repeat("a", 1024)},
		{pattern.Name, strings.Repeat("a*", 100) + "b"},
		{pattern.Name, strings.Repeat("*", 1024)},
		{pattern.Name, "\ufffd"},
		{pattern.Path, "/"},
		{pattern.Path, "/a/"},
		{pattern.Path, "/a/.*/..*/*."},
		{pattern.Path, "/a\u00a0b"},
	} {
		if p := parse(t, c.kind, c.text); p.String() != c.text || p.Kind() != c.kind {
			t.Errorf("%s %q prints as %s %q", c.kind, c.text, p.Kind(), p)
		}
	}
}

func TestTextsBeyondTheirBoundMatchNothing(t *testing.T) {
	for _, k := range pattern.Kinds {
		longest := map[pattern.Kind]int{pattern.Name: pattern.MaxName, pattern.Command: pattern.MaxCommand, pattern.Path: pattern.MaxPath}[k]
		p := parse(t, k, "/**")
		if text := "/" + strings.Repeat("a", longest-1); !p.Match(text) {
			t.Errorf("%s of %d bytes is not matched", k, len(text))
		}
		if text := "/" + strings.Repeat("a", longest); p.Match(text) {
			t.Errorf("%s of %d bytes is matched", k, len(text))
		}
		if (pattern.Pattern{}).Match("/a") || p.Match("") || p.Match("/\xff") {
			t.Errorf("%s: the zero pattern matches, or no text, or no UTF-8 is matched", k)
		}
	}
}

// naive is what the three kinds say, as a regular expression. Source: the
// "rule" of the vectors.
func naive(k pattern.Kind, text string) *regexp.Regexp {
	unseen := `\p{Cc}\p{Cf}\p{Zl}\p{Zp}`
	one := map[pattern.Kind]string{
		pattern.Name:    `[^` + unseen + `\x{1680}\x{a0}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}]*`,
		pattern.Command: `[^;&|` + "`" + `$()<>\\` + unseen + `\x{1680}\x{a0}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}]*`,
		pattern.Path:    `[^/]*`,
	}[k]
	var out strings.Builder
	out.WriteString(`\A(?s:`)
	for len(text) > 0 {
		stars := len(text) - len(strings.TrimLeft(text, "*"))
		switch {
		case stars > 1 && k == pattern.Path:
			out.WriteString(`.*`)
		case stars > 0:
			out.WriteString(one)
		default:
			literal, _, _ := strings.Cut(text, "*")
			out.WriteString(regexp.QuoteMeta(literal))
			stars = len(literal)
		}
		text = text[stars:]
	}
	out.WriteString(`)\z`)
	return regexp.MustCompile(out.String())
}

// path is what a path is. Source: the vectors of path rules.
var path = regexp.MustCompile(`\A(/([^/\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+))*/?\z`)

func admitted(k pattern.Kind, text string) bool {
	switch k {
	case pattern.Name:
		return text != "" && len(text) <= 255 && utf8.ValidString(text)
	case pattern.Command:
		return text != "" && len(text) <= 65536 && utf8.ValidString(text)
	case pattern.Path:
		if text == "" || len(text) > 4096 || !utf8.ValidString(text) || !path.MatchString(text) {
			return false
		}
		for segment := range strings.SplitSeq(text, "/") {
			if segment == "." || segment == ".." {
				return false
			}
		}
		return true
	}
	return false
}

// cases is how many times a property is tried.
func cases(t *testing.T, n int) int {
	t.Helper()
	if os.Getenv("PADDOCK_SOAK") != "" {
		return 50 * n
	}
	return n
}

// pieces make patterns and texts that meet often.
var pieces = map[pattern.Kind][]string{
	pattern.Name:    {"a", "b", "ab", "-", ".", " ", "é", "\n", "\u00a0"},
	pattern.Command: {"a", "b", "ab", " ", ";", "&&", "$", "é", "\u2028", "\u3000", "\\", "?", "\xff"},
	pattern.Path:    {"a", "b", "ab", "/", "/", "/a", ".", "/..", "é", "~", "\u202e", "\\"},
}

func TestMatchIsTheNaiveMatch(t *testing.T) {
	var met [2]int
	for _, k := range pattern.Kinds {
		draw := rapid.SampledFrom(append(pieces[k], "*", "*", "**", "*"))
		drawn := rapid.SampledFrom(pieces[k])
		for range cases(t, 150) {
			rapid.Check(t, func(t *rapid.T) {
				text := strings.Join(rapid.SliceOfN(draw, 1, 10).Draw(t, "pattern"), "")
				if k == pattern.Path {
					text = "/" + text
				}
				p, err := pattern.Parse(k, text)
				if err != nil {
					return
				}
				// A text made from the pattern is matched more often than any text.
				var filled strings.Builder
				for _, r := range text {
					if r != '*' {
						filled.WriteRune(r)
						continue
					}
					filled.WriteString(strings.Join(rapid.SliceOfN(drawn, 0, 3).Draw(t, "run"), ""))
				}
				against := filled.String()
				want := admitted(k, against) && naive(k, text).MatchString(against)
				if got := p.Match(against); got != want {
					t.Fatalf("%s %q against %q: %t", k, text, against, got)
				}
				if want {
					met[1]++
				} else {
					met[0]++
				}
			})
		}
	}
	if met[0]+met[1] < 20_000 || met[0] < 5_000 || met[1] < 5_000 {
		t.Errorf("%d were refused and %d matched", met[0], met[1])
	}
	t.Logf("%d refused, %d matched", met[0], met[1])
}

func FuzzMatch(f *testing.F) {
	for _, seed := range [][2]string{
		{"web-*", "web-01"},
		{"*-prod", "db-prod2"},
		{"docker *", "docker ps; id"},
		{"git pull && *", "git pull && make"},
		{"/home/**/x", "/home/a/b/x"},
		{"/**/a*/b", "/a/x/ab/b"},
		{"/**/a*b*/**c", "/a/ab/b/c"},
		{"*é*", "caf\u00e9\u2028"},
		{"*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaa"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, text, against string) {
		for _, k := range pattern.Kinds {
			p, err := pattern.Parse(k, text)
			if err != nil {
				if p.Match(against) {
					t.Fatalf("%s %q is refused and matches", k, text)
				}
				continue
			}
			if p.String() != text {
				t.Fatalf("%s %q prints as %q", k, text, p)
			}
			if got, want := p.Match(against), admitted(k, against) && naive(k, text).MatchString(against); got != want {
				t.Fatalf("%s %q against %q: %t", k, text, against, got)
			}
		}
	})
}

// TestMatchingIsLinear counts the bytes that are looked at, in texts made to be
// gone through again and again.
func TestMatchingIsLinear(t *testing.T) {
	many := strings.Repeat("a*", 97)
	for _, c := range []struct {
		name    string
		kind    pattern.Kind
		pattern string
		text    string
		atMost  int // bytes for each byte of the text
	}{
		{"no end", pattern.Command, many + "b", strings.Repeat("a", 64<<10), 0},
		{"no end in sight", pattern.Command, "*" + many + "b*c", strings.Repeat("a", 64<<10-1) + "c", 1},
		{"matched", pattern.Command, many + "*", strings.Repeat("a", 64<<10), 1},
		{"barrier at the end", pattern.Command, many + "*b", strings.Repeat("a", 64<<10-2) + ";b", 2},
		{"barriers all over", pattern.Command, many + "*b", strings.Repeat("a;", 32<<10-1) + "ab", 1},
		{"two kinds", pattern.Path, "/**" + many + "b/**", "/" + strings.Repeat("a", 4094) + "b", 2},
		{"wide, then narrow", pattern.Path, "/**a*b*c", "/" + strings.Repeat("a/b/", 1000) + "ac", 8},
		{"narrow all along", pattern.Path, "/**" + strings.Repeat("a*", 98) + "/b", "/" + strings.Repeat("a", 2000) + strings.Repeat("/a", 1000) + "/b", 200},
		{"segments", pattern.Path, "/**" + strings.Repeat("/a*", 90) + "/b", strings.Repeat("/a", 2000) + "/b", 300},
		{"segments and no end", pattern.Path, "/**" + strings.Repeat("/a*", 90) + "/c*/b", strings.Repeat("/a", 2000) + "/b", 300},
		{"segments in blocks", pattern.Path, "/**" + strings.Repeat("/a*/a*/**", 32) + "/c*/b", strings.Repeat("/a", 2000) + "/c/d/b", 300},
		{"woven", pattern.Path, "/**" + strings.Repeat("a*b/*a", 30) + "**/c", "/" + strings.Repeat("ab/a/b/aab/ba/", 250) + "c", 300},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := parse(t, c.kind, c.pattern)
			_, steps := p.Steps(c.text)
			if steps > len(c.text)*c.atMost {
				t.Errorf("%d steps for %d bytes: %d a byte", steps, len(c.text), steps/len(c.text))
			}
			t.Logf("%.2f steps a byte", float64(steps)/float64(len(c.text)))
		})
	}
}

func TestNoMatchTakesMoreThanTheProduct(t *testing.T) {
	for range cases(t, 20) {
		rapid.Check(t, func(t *rapid.T) {
			unit := rapid.SampledFrom([]string{"a", "/a", "a/", "ab", "a*", "*a", "/*", "**", "/**", "b"})
			text := "/" + strings.Repeat(strings.Join(rapid.SliceOfN(unit, 1, 6).Draw(t, "unit"), ""), rapid.IntRange(1, 40).Draw(t, "times")) +
				strings.Join(rapid.SliceOfN(unit, 0, 3).Draw(t, "end"), "")
			p, err := pattern.Parse(pattern.Path, text)
			if err != nil {
				return
			}
			part := rapid.SampledFrom([]string{"a", "/a", "a/", "ab", "b", "/b"})
			against := "/" + strings.Repeat(strings.Join(rapid.SliceOfN(part, 1, 6).Draw(t, "part"), ""), rapid.IntRange(1, 300).Draw(t, "repeated")) +
				strings.Join(rapid.SliceOfN(part, 0, 3).Draw(t, "last"), "")
			if _, steps := p.Steps(against); steps > len(against)*(len(text)+1) {
				t.Fatalf("%q against %d bytes: %d steps", text, len(against), steps)
			}
		})
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	for _, q := range questions {
		p := parse(t, q.kind, q.pattern)
		if p.Match(q.text) != q.want {
			t.Errorf("%q against %q: %t", q.pattern, q.text, !q.want)
		}
		if n := testing.AllocsPerRun(100, func() { p.Match(q.text) }); n != 0 {
			t.Errorf("%q against %q: %v allocations", q.pattern, q.text, n)
		}
	}
}
