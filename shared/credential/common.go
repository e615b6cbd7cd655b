package credential

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"paddock/shared/credential/wordlist"
)

const (
	// maxTail is how many digits and signs at the end are taken off to find
	// the word that they were added to.
	maxTail = 8
	// minStem is the shortest word, in code points, that makes a password
	// common whatever follows it.
	minStem = 4
)

// substitutions undo the letters that people replace; a 1 is an i, an l or
// itself.
var substitutions = []*strings.Replacer{
	strings.NewReplacer("@", "a", "4", "a", "3", "e", "1", "i", "!", "i", "0", "o", "$", "s", "5", "s", "7", "t"),
	strings.NewReplacer("@", "a", "4", "a", "3", "e", "!", "i", "0", "o", "$", "s", "5", "s", "7", "t"),
	strings.NewReplacer("@", "a", "4", "a", "3", "e", "1", "l", "!", "i", "0", "o", "$", "s", "5", "s", "7", "t"),
}

// Common reports whether a password is one of those that are guessed first.
func Common(p Password) bool { return common(fold(p.text)) }

// common reports whether a folded password is on the list, or is a word of it
// written repeatedly, with a tail of digits and signs, or with substitutions.
func common(folded string) bool {
	for _, candidate := range []string{folded, folded[:period(folded)]} {
		for _, w := range []string{candidate, stem(candidate)} {
			if listed(w) || slices.ContainsFunc(substitutions, func(r *strings.Replacer) bool { return listed(r.Replace(w)) }) {
				return true
			}
		}
	}
	return false
}

func listed(w string) bool {
	return utf8.RuneCountInString(w) >= minStem && wordlist.Contains(w)
}

// stem returns s without its tail.
func stem(s string) string {
	for range maxTail {
		r, size := utf8.DecodeLastRuneInString(s)
		if size == 0 || unicode.IsLetter(r) {
			return s
		}
		s = s[:len(s)-size]
	}
	return s
}

// period returns the length in bytes of the shortest text that s repeats from
// its beginning to its end, the last time perhaps cut short; len(s) when s
// repeats nothing. It takes time linear in len(s) (the failure function of
// Knuth, Morris and Pratt).
func period(s string) int {
	border := make([]int, len(s)+1)
	k := 0
	for i := 1; i < len(s); i++ {
		for k > 0 && s[i] != s[k] {
			k = border[k]
		}
		if s[i] == s[k] {
			k++
		}
		border[i+1] = k
	}
	if p := len(s) - border[len(s)]; p < len(s) && p <= len(s)/2 && utf8.RuneStart(s[p]) {
		return p
	}
	return len(s)
}
