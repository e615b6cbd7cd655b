package wordlist_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"paddock/shared/credential/wordlist"
)

func TestListIsSortedFoldedAndWhole(t *testing.T) {
	all := wordlist.All()
	if len(all) != wordlist.Count() || len(all) < 50_000 {
		t.Fatalf("%d words, header says %d", len(all), wordlist.Count())
	}
	if !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Fatal("not in ascending order")
	}
	for _, w := range all {
		if strings.ToLower(norm.NFKC.String(w)) != w || utf8.RuneCountInString(w) < 4 {
			t.Errorf("%q is not folded or too short", w)
		}
		if !wordlist.Contains(w) {
			t.Errorf("%q is on the list and not found", w)
		}
	}
}

func TestContainsAgreesWithASearchOfAllWords(t *testing.T) {
	all := wordlist.All()
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.SampledFrom(all).Draw(t, "word")
		at := rapid.IntRange(0, len(w)).Draw(t, "at")
		changed := w[:at] + rapid.StringOfN(rapid.RuneFrom([]rune("\x00a1~ü\U0010ffff")), 0, 2, -1).Draw(t, "inserted") + w[at:]
		if at < len(w) && rapid.Bool().Draw(t, "cut") {
			changed = w[:at]
		}
		_, want := slices.BinarySearch(all, changed)
		if got := wordlist.Contains(changed); got != want {
			t.Fatalf("Contains(%q) = %v", changed, got)
		}
	})
}

func TestKnownWords(t *testing.T) {
	for w, want := range map[string]bool{
		"password": true, "123456": true, "p@ssw0rd": true, "qwertyuiop": true,
		"": false, "\xff": false, "Password": false, "kx7#rq2v": false, "correct horse battery staple lamp": false,
	} {
		if got := wordlist.Contains(w); got != want {
			t.Errorf("Contains(%q) = %v", w, got)
		}
	}
}

func TestLookUpAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { wordlist.Contains("trustno1") }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}
