package pattern

import (
	"strings"
	"unicode/utf8"
)

// Match reports whether the pattern matches the whole of text, byte for byte
// where it has no star. It allocates nothing.
//
// It looks at less than len(text) × (len(pattern)+1) bytes: see match.
func (p Pattern) Match(text string) bool {
	if text == "" || len(text) > p.kind.longest() {
		return false
	}
	// Most patterns of a list are told from most texts by their first bytes.
	matched, _ := p.match(text)
	return matched && p.kind.Admits(text)
}

// match finds the least place of each literal, and counts the bytes it looked
// at besides the two ends.
//
// at[i] is a lower bound of the place of literal i in every way to match, and
// only grows. Going forward, a literal is put at the first place behind its
// predecessor: no way to match has it earlier. If a star that is not wide
// would then have to cross a barrier, each way to match, which has this literal
// there or later, has its predecessor end behind the barrier, so the
// predecessor is put there and the search goes on from it. What satisfies all
// stars is a match; what leaves the text is proof that there is none. A literal
// moves past each barrier once, so that texts are never gone through again and
// again as by backtracking.
func (p Pattern) match(text string) (matched bool, steps int) {
	last := len(p.parts) - 1
	first, end := p.parts[0].literal, p.parts[last].literal
	if last == 0 {
		return text == first, 0
	}
	if len(text) < len(first)+len(end) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, end) {
		return false, 0
	}
	body := text[:len(text)-len(end)]
	var at [MaxWildcards + 1]int
	for i := 1; i <= last; {
		behind := at[i-1] + len(p.parts[i-1].literal)
		if i == last {
			at[i] = len(body)
		} else {
			from := max(at[i], behind)
			found := strings.Index(body[from:], p.parts[i].literal)
			if found < 0 {
				return false, steps + len(body) - from
			}
			at[i] = from + found
			steps += found + len(p.parts[i].literal)
		}
		if !p.parts[i].wide {
			barrier := p.kind.lastStop(body[behind:at[i]])
			steps += at[i] - behind - barrier
			if barrier > 0 {
				if i == 1 {
					return false, steps
				}
				i--
				at[i] = behind + barrier - len(p.parts[i].literal)
				continue
			}
		}
		i++
	}
	return true, steps
}

// lastStop returns how many bytes of text there are up to and including the
// last character that stops a star; zero when there is none.
func (k Kind) lastStop(text string) int {
	for i := len(text); i > 0; {
		r, size := rune(text[i-1]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeLastRuneInString(text[:i])
		}
		if k.stops(r) {
			return i
		}
		i -= size
	}
	return 0
}
