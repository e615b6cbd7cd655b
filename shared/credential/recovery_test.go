package credential_test

import (
	"bytes"
	"crypto/rand"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"paddock/shared/credential"
	"paddock/shared/id"
)

func TestASetOfRecoveryCodes(t *testing.T) {
	codes, err := credential.NewRecoveryCodes(rand.Reader)
	if err != nil || len(codes) != credential.RecoveryCodes {
		t.Fatalf("%d codes, %v", len(codes), err)
	}
	form := regexp.MustCompile(`^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$`)
	seen := map[string]bool{}
	for _, code := range codes {
		if !form.MatchString(code) || seen[code] {
			t.Errorf("%q", code)
		}
		seen[code] = true
	}
	if set, err := credential.NewRecoveryCodes(bytes.NewReader(make([]byte, 99))); err == nil || set != nil {
		t.Fatal("99 bytes sufficed for 10 codes of 10 bytes")
	}
}

func TestTypedRecoveryCodes(t *testing.T) {
	for name, c := range map[string]struct {
		typed, want string
		ok          bool
	}{
		"as shown":           {"0123-4567-89AB-CDEF", "0123456789ABCDEF", true},
		"lower case":         {"0123-4567-89ab-cdef", "0123456789ABCDEF", true},
		"blanks for hyphens": {" 0123 4567 89ab cdef ", "0123456789ABCDEF", true},
		"look-alike letters": {"OlI3-4567-89AB-CDEF", "0113456789ABCDEF", true},
		"U is no letter":     {"U123-4567-89AB-CDEF", "", false},
		"one short":          {"0123-4567-89AB-CDE", "", false},
		"one more":           {"0123-4567-89AB-CDEF0", "", false},
		"fullwidth digits":   {"\uff10123-4567-89AB-CDEF", "", false},
		"long s":             {"\u017f123-4567-89AB-CDEF", "", false},
		"newline":            {"0123-4567-89AB-CDEF\n", "", false},
		"empty":              {"", "", false},
		"very long":          {strings.Repeat("-", 1<<20), "", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := credential.ReadRecoveryCode(c.typed); got != c.want || ok != c.ok {
				t.Fatalf("%q, %v", got, ok)
			}
		})
	}
}

func TestACodeIsFoundForItsUserAlone(t *testing.T) {
	ws, user := id.UUID{1}, id.UUID{2}
	codes, err := credential.NewRecoveryCodes(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var stored []string
	for _, code := range codes {
		canonical, ok := credential.ReadRecoveryCode(code)
		if !ok {
			t.Fatalf("%q does not read back", code)
		}
		stored = append(stored, credential.HashRecoveryCode(ws, user, canonical))
	}
	canonical, _ := credential.ReadRecoveryCode(codes[7])
	if at, ok := credential.FindRecoveryCode(stored, credential.HashRecoveryCode(ws, user, canonical)); !ok || at != 7 {
		t.Fatalf("at %d, %v", at, ok)
	}
	for name, hash := range map[string]string{
		"another user":      credential.HashRecoveryCode(ws, id.UUID{3}, canonical),
		"another workspace": credential.HashRecoveryCode(id.UUID{3}, user, canonical),
		"ids exchanged":     credential.HashRecoveryCode(user, ws, canonical),
		"another code":      credential.HashRecoveryCode(ws, user, "0000000000000000"),
		"nothing":           "",
	} {
		if _, ok := credential.FindRecoveryCode(stored, hash); ok {
			t.Errorf("%s finds a code", name)
		}
	}
	if _, ok := credential.FindRecoveryCode(nil, ""); ok {
		t.Error("an empty set holds a code")
	}
}

func TestHowACodeIsTypedDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		codes, err := credential.NewRecoveryCodes(bytes.NewReader(rapid.SliceOfN(rapid.Byte(), 100, 100).Draw(t, "random")))
		if err != nil {
			t.Fatal(err)
		}
		code := codes[rapid.IntRange(0, 9).Draw(t, "which")]
		want, ok := credential.ReadRecoveryCode(code)
		typed := strings.NewReplacer("0", "o", "1", rapid.SampledFrom([]string{"i", "L"}).Draw(t, "one"), "-", " ").Replace(strings.ToLower(code))
		if got, ok2 := credential.ReadRecoveryCode(typed); !ok || !ok2 || got != want {
			t.Fatalf("%q reads as %q, %q as %q", code, want, typed, got)
		}
	})
}

func FuzzReadRecoveryCode(f *testing.F) {
	f.Add("0123-4567-89ab-cdef")
	f.Fuzz(func(t *testing.T, typed string) {
		canonical, ok := credential.ReadRecoveryCode(typed)
		if again, ok2 := credential.ReadRecoveryCode(canonical); ok && (!ok2 || again != canonical) {
			t.Fatalf("%q reads as %q, which reads as %q", typed, canonical, again)
		}
	})
}
