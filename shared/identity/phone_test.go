package identity_test

import (
	"strings"
	"testing"

	"paddock/shared/identity"
)

func TestNumbersOfPhones(t *testing.T) {
	for number, want := range map[string]struct{ prefix, masked string }{
		"+31612345678":     {"+31612", "+31***78"},
		"+12025550123":     {"+1202", "+1***23"},
		"+79161234567":     {"+7916", "+7***67"},
		"+352621123456":    {"+352621", "+352***56"},
		"+3531234":         {"+353123", "+353***34"},
		"+999123456789012": {"+999123", "+999***12"},
	} {
		if !identity.Number(number) {
			t.Errorf("%s is no number", number)
		}
		if got := identity.PhonePrefix(number); got != want.prefix {
			t.Errorf("the prefix of %s is %s, want %s", number, got, want.prefix)
		}
		if got := identity.MaskPhone(number); got != want.masked {
			t.Errorf("%s is shown as %s, want %s", number, got, want.masked)
		}
	}
	for _, s := range []string{"", "+", "31612345678", "+0612345678", "+316 12345678", "+31612345a", "+123456", "+1234567890123456", "++31612345678", "+31612345678\n", "+３１６１２３４５６７８"} {
		if identity.Number(s) {
			t.Errorf("%q is a number", s)
		}
	}
}

func FuzzNumber(f *testing.F) {
	f.Add("+31612345678")
	f.Add("+123456")
	f.Fuzz(func(t *testing.T, s string) {
		if !identity.Number(s) {
			return
		}
		if masked := identity.MaskPhone(s); !strings.HasPrefix(s, identity.PhonePrefix(s)) || strings.Contains(masked, s[1:]) {
			t.Fatalf("%q is shown as %q", s, masked)
		}
	})
}
