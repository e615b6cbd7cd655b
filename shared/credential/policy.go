package credential

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"paddock/shared/fault"
)

// Lengths of passwords in code points after NFC. Source: NIST SP 800-63B-4
// section 3.1.1.2.
const (
	MinAlone   = 15
	MinWithMFA = 8
)

// Refusals of passwords, each with its reason. There are no composition rules
// (NIST SP 800-63B-4 section 3.1.1.2).
var (
	ErrPasswordShort    = fault.Error{Kind: fault.Invalid, Code: "password_too_short", Detail: "The password is too short: use at least 15 characters.", Source: "password"}
	ErrPasswordRepeated = fault.Error{Kind: fault.Invalid, Code: "password_repeated", Detail: "The password is one character, or one sequence, again and again.", Source: "password"}
	ErrPasswordName     = fault.Error{Kind: fault.Invalid, Code: "password_contains_name", Detail: "The password contains your name, your address, or the name of the workspace or product.", Source: "password"}
	ErrPasswordCommon   = fault.Error{Kind: fault.Invalid, Code: "password_common", Detail: "The password is one of those that are guessed first.", Source: "password"}
)

// Product is the name that every password is judged against.
const Product = "paddock"

const (
	// minName is the shortest name, in code points, that is looked for.
	minName = 4
	// minBeside is how many letters must stand beside the product's name. It
	// is a word of the language: in a long passphrase it may occur.
	minBeside = 8
	// minUnit is the shortest text, in code points, of which a password may
	// consist repeatedly.
	minUnit = 8
)

// A PolicyContext is what a password is judged against.
type PolicyContext struct {
	// Words are names of the account and its workspace; those of fewer than
	// four characters are not looked for.
	Words []string
	// MFA is true when the account has a second factor.
	MFA bool
}

// CheckPolicy refuses a password that the policy does not admit, with the
// first reason that holds. Source: security, PW-6 and PW-7.
func CheckPolicy(p Password, c PolicyContext) error {
	length := utf8.RuneCountInString(p.text)
	switch {
	case c.MFA && length < MinWithMFA:
		return ErrPasswordShort.Saying("The password is too short: use at least 8 characters.")
	case !c.MFA && length < MinAlone:
		return ErrPasswordShort
	case monotone(p.text), utf8.RuneCountInString(p.text[:period(p.text)]) < minUnit:
		return ErrPasswordRepeated
	}
	folded := fold(p.text)
	switch {
	case named(folded, c.Words):
		return ErrPasswordName
	case common(folded):
		return ErrPasswordCommon
	}
	return nil
}

// fold returns the form in which passwords are compared with words. It is
// never hashed.
func fold(s string) string { return strings.ToLower(norm.NFKC.String(s)) }

// named reports whether a folded password contains one of the names, as it is
// or without its signs and blanks, or is little more than the product's name.
func named(folded string, names []string) bool {
	letters := squeeze(folded)
	for _, name := range names {
		name = fold(name)
		bare := squeeze(name)
		if long(name) && strings.Contains(folded, name) || long(bare) && strings.Contains(letters, bare) {
			return true
		}
	}
	if !strings.Contains(folded, Product) {
		return false
	}
	beside := 0
	for _, r := range strings.ReplaceAll(folded, Product, "") {
		if !unicode.IsDigit(r) && !unicode.IsPunct(r) && !unicode.IsSpace(r) {
			beside++
		}
	}
	return beside < minBeside
}

func long(name string) bool { return utf8.RuneCountInString(name) >= minName }

// squeeze leaves the letters and digits of s.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) {
			return r
		}
		return -1
	}, s)
}

// monotone reports whether s is blank, or goes on with one and the same step
// from each character to the next, digits wrapping from 9 to 0: aaaa, 12345,
// 98765.
func monotone(s string) bool {
	if strings.TrimFunc(s, unicode.IsSpace) == "" {
		return true
	}
	runes := []rune(s)
	if len(runes) < 3 {
		return false
	}
	step := delta(runes[0], runes[1])
	if step < -1 || step > 1 {
		return false
	}
	for i := 2; i < len(runes); i++ {
		if delta(runes[i-1], runes[i]) != step {
			return false
		}
	}
	return true
}

func delta(a, b rune) rune {
	if a == '9' && b == '0' {
		return 1
	}
	if a == '0' && b == '9' {
		return -1
	}
	return b - a
}
