package audit

import "strings"

// User agents are half of a plain event's bytes and nearly all alike, so they
// are stored packed: bytes that never occur in UTF-8 stand for phrases.
// Phrases may be added while such bytes are left, never changed.
const (
	phraseMozilla byte = 0xC0
	phraseChrome  byte = 0xC1
	phraseBlink   byte = 0xF5
	phraseMac     byte = 0xF6
	phraseWindows byte = 0xF7
	phraseLinux   byte = 0xF8
	phraseWebKit  byte = 0xF9
	phraseSafari  byte = 0xFA
	phraseGecko   byte = 0xFB
	phraseIPhone  byte = 0xFC
	phraseMobile  byte = 0xFD
)

// phrase returns what a packed byte stands for, "" for itself.
func phrase(b byte) string {
	switch b {
	case phraseMozilla:
		return "Mozilla/5.0 ("
	case phraseChrome:
		return ") AppleWebKit/537.36 (KHTML, like Gecko) Chrome/"
	case phraseBlink:
		return ".0.0.0 Safari/537.36"
	case phraseMac:
		return "Macintosh; Intel Mac OS X 10"
	case phraseWindows:
		return "Windows NT 10.0; Win64; x64"
	case phraseLinux:
		return "X11; Linux x86_64"
	case phraseWebKit:
		return ") AppleWebKit/605.1.15 (KHTML, like Gecko) Version/"
	case phraseSafari:
		return " Safari/605.1.15"
	case phraseGecko:
		return ") Gecko/20100101 Firefox/"
	case phraseIPhone:
		return "iPhone; CPU iPhone OS "
	case phraseMobile:
		return " Mobile/15E148 Safari/604.1"
	}
	return ""
}

// leading returns the phrase that s begins with, or 0. No phrase begins with
// another one, so there is at most one.
func leading(s string) byte {
	switch s[0] {
	case 'M':
		return either(s, phraseMozilla, phraseMac, 0)
	case ')':
		return either(s, phraseChrome, phraseWebKit, phraseGecko)
	case '.':
		return either(s, phraseBlink, 0, 0)
	case 'W':
		return either(s, phraseWindows, 0, 0)
	case 'X':
		return either(s, phraseLinux, 0, 0)
	case ' ':
		return either(s, phraseSafari, phraseMobile, 0)
	case 'i':
		return either(s, phraseIPhone, 0, 0)
	}
	return 0
}

func either(s string, a, b, c byte) byte {
	switch {
	case strings.HasPrefix(s, phrase(a)):
		return a
	case b != 0 && strings.HasPrefix(s, phrase(b)):
		return b
	case c != 0 && strings.HasPrefix(s, phrase(c)):
		return c
	}
	return 0
}

// appendAgent appends the packed form of valid UTF-8.
func appendAgent(dst []byte, s string) []byte {
	for s != "" {
		if b := leading(s); b != 0 {
			dst = append(dst, b)
			s = s[len(phrase(b)):]
			continue
		}
		dst = append(dst, s[0])
		s = s[1:]
	}
	return dst
}

// unpackAgent returns the text of a packed user agent; ok is false unless it
// is what appendAgent makes of that text.
func unpackAgent(packed []byte) (s string, ok bool) {
	var text strings.Builder
	for _, b := range packed {
		if p := phrase(b); p != "" {
			text.WriteString(p)
		} else {
			text.WriteByte(b)
		}
	}
	s = text.String()
	return s, string(appendAgent(nil, s)) == string(packed)
}
