package audit

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable returns s on one line for a terminal or a page: control
// characters, ESC and so every ANSI sequence, line and paragraph separators,
// bidirectional and other format characters, and bytes that are not UTF-8 are
// written as their Go escapes. Source: security AU-1.
//
// U+200D (zero width joiner) stays between two characters beyond ASCII, as
// emoji and several scripts need it.
func Printable(s string) string {
	clean := true
	for i, r := range s {
		if hidden(s, i, r) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i, r := range s {
		if !hidden(s, i, r) {
			b.WriteRune(r)
			continue
		}
		switch {
		case r == utf8.RuneError && s[i] != 0xEF:
			writeEscape(&b, 'x', uint32(s[i]), 2)
		case r < 0x80:
			writeEscape(&b, 'x', uint32(r), 2)
		case r < 0x10000:
			writeEscape(&b, 'u', uint32(r), 4)
		default:
			writeEscape(&b, 'U', uint32(r), 8)
		}
	}
	return b.String()
}

func hidden(s string, i int, r rune) bool {
	if r == utf8.RuneError {
		_, size := utf8.DecodeRuneInString(s[i:])
		return size == 1
	}
	if r == '\u200D' {
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		after, _ := utf8.DecodeRuneInString(s[i+3:])
		return before < utf8.RuneSelf || after < utf8.RuneSelf || before == utf8.RuneError || after == utf8.RuneError
	}
	return r != ' ' && !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r)
}

func writeEscape(b *strings.Builder, letter byte, n uint32, digits int) {
	const hex = "0123456789abcdef"
	b.WriteByte('\\')
	b.WriteByte(letter)
	for i := digits - 1; i >= 0; i-- {
		b.WriteByte(hex[n>>(4*i)&15])
	}
}
