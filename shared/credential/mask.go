package credential

import "strings"

// fewest is how many letters after a prefix look like a secret, a cut one too.
const fewest = 20

// Within reports whether text holds something that looks like a bearer secret,
// whole or cut.
func Within(text string) bool {
	_, _, found := find(text)
	return found
}

// Mask returns text with the letters of everything in it that looks like a
// bearer secret taken out; which kind it is stays.
func Mask(text string) string {
	from, to, found := find(text)
	if !found {
		return text
	}
	return text[:from] + "[redacted]" + Mask(text[to:])
}

// find returns where the letters of the first secret in a text begin and end.
func find(text string) (from, to int, found bool) {
	for _, p := range Prefixes {
		for at := 0; ; {
			next := strings.Index(text[at:], string(p))
			if next < 0 {
				break
			}
			at += next + len(p)
			end := at
			for end < len(text) && digits[text[end]] != noDigit {
				end++
			}
			if end-at >= fewest && (!found || at < from) {
				from, to, found = at, end, true
			}
		}
	}
	return from, to, found
}
