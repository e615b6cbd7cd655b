package identity

import "strings"

// Number reports whether a text is a phone number as E.164 writes it: a plus sign
// and 7 to 15 digits, the first not 0. Source: ITU-T E.164, section 6.2.1; the
// lower bound is ours.
func Number(s string) bool {
	digits, plus := strings.CutPrefix(s, "+")
	return plus && len(digits) >= 7 && len(digits) <= 15 && digits[0] != '0' && strings.Trim(digits, "0123456789") == ""
}

// countryDigits returns how many digits the country code of a number has.
// Source: ITU-T, "List of Recommendation ITU-T E.164 assigned country codes";
// codes that are not in the list of shorter ones have three.
func countryDigits(digits string) int {
	switch {
	case digits[0] == '1' || digits[0] == '7':
		return 1
	case strings.Contains(" 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98 ", " "+digits[:2]+" "):
		return 2
	}
	return 3
}

// PhonePrefix returns what the numbers of one range have in common: the country
// code and the next three digits. Toll fraud works through whole ranges.
func PhonePrefix(number string) string { return number[:1+countryDigits(number[1:])+3] }

// MaskPhone returns a number as it may be shown: its country and its last two
// digits.
func MaskPhone(number string) string {
	return number[:1+countryDigits(number[1:])] + "***" + number[len(number)-2:]
}
