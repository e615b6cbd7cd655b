package session

import (
	"io"
	"strings"
)

// User codes: letters that spell no word and are not mistaken for digits, as
// many as make 34 bits. Source: RFC 8628 section 6.1; security, DF-1.
const (
	userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"
	userCodeLength  = 8
)

// A UserCode is what a person carries from a command line to the browser, in
// its canonical form: eight letters. It is no bearer secret: it opens nothing
// but a question to somebody who is signed in.
type UserCode string

// NewUserCode returns a code made of bytes of r, each letter as likely as the
// others.
func NewUserCode(r io.Reader) (UserCode, error) {
	// Bytes from the largest multiple of the number of letters on would make
	// the first letters likelier.
	const even = 256 / len(userCodeLetters) * len(userCodeLetters)
	out := make([]byte, 0, userCodeLength)
	var one [1]byte
	for len(out) < userCodeLength {
		if _, err := io.ReadFull(r, one[:]); err != nil {
			return "", err
		}
		if int(one[0]) < even {
			out = append(out, userCodeLetters[int(one[0])%len(userCodeLetters)])
		}
	}
	return UserCode(out), nil
}

// ParseUserCode reads a code as people type it: in any case, with hyphens and
// spaces anywhere. Everything else is no code.
func ParseUserCode(typed string) (UserCode, bool) {
	const most = 64 // bytes that are looked at
	if len(typed) > most {
		return "", false
	}
	out := make([]byte, 0, userCodeLength)
	for i := range len(typed) {
		c := typed[i]
		if c == '-' || c == ' ' {
			continue
		}
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		if strings.IndexByte(userCodeLetters, c) < 0 || len(out) == userCodeLength {
			return "", false
		}
		out = append(out, c)
	}
	if len(out) != userCodeLength {
		return "", false
	}
	return UserCode(out), true
}

// Shown returns the code as it is shown: XXXX-XXXX.
func (c UserCode) Shown() string {
	return string(c[:userCodeLength/2]) + "-" + string(c[userCodeLength/2:])
}
