package credential_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"paddock/shared/credential"
	"paddock/shared/credential/known"
)

type policyVectors struct {
	Context struct{ Email, Workspace string }
	Rows    []struct {
		ID, Password, Expect, Why string
		MFA                       bool `json:"mfa_enrolled"`
	}
}

// reasons are the refusals that the rows of the vectors must have; the table
// itself says only that they are refused.
var reasons = map[string]error{
	"short": credential.ErrPasswordShort, "7-with-mfa": credential.ErrPasswordShort, "14": credential.ErrPasswordShort,
	"1024b": credential.ErrPasswordRepeated, "1025b": credential.ErrPasswordLong, "emoji-short": credential.ErrPasswordShort,
	"blank-only": credential.ErrPasswordRepeated, "nul": credential.ErrPasswordCharacter, "newline": credential.ErrPasswordCharacter,
	"lone-surrogate": credential.ErrPasswordCharacter, "common": credential.ErrPasswordCommon, "common-case": credential.ErrPasswordCommon,
	"common-leet": credential.ErrPasswordCommon, "common-15": credential.ErrPasswordRepeated, "repeat": credential.ErrPasswordRepeated,
	"context-mail": credential.ErrPasswordName, "context-ws": credential.ErrPasswordName, "fullwidth-common": credential.ErrPasswordCommon,
}

func judge(typed string, mfa bool, words ...string) error {
	p, err := credential.NewPassword(typed)
	if err != nil {
		return err
	}
	return credential.CheckPolicy(p, credential.PolicyContext{Words: words, MFA: mfa})
}

// TestPolicyVectors walks the published rows. Where a row leaves a choice, ours
// is to refuse a short text written again and again (1024b).
func TestPolicyVectors(t *testing.T) {
	v := readVectors[policyVectors](t, "password-policy.json")
	local, _, _ := strings.Cut(v.Context.Email, "@")
	if len(v.Rows) == 0 {
		t.Fatal("no rows")
	}
	for _, row := range v.Rows {
		t.Run(row.ID, func(t *testing.T) {
			typed := row.Password
			if row.ID == "lone-surrogate" {
				typed = "abcdefgh\xed\xa0\x80ijklmnop" // the row describes bytes that JSON cannot hold
			}
			err := judge(typed, row.MFA, local, v.Context.Workspace)
			switch {
			case row.Expect == "see pair":
			case row.Expect == "accept" && err != nil:
				t.Fatalf("refused: %v (%s)", err, row.Why)
			case row.Expect != "accept" && (reasons[row.ID] == nil || !errors.Is(err, reasons[row.ID])):
				t.Fatalf("%v, want %v (%s)", err, reasons[row.ID], row.Why)
			}
		})
	}
}

func TestGuessedFirst(t *testing.T) {
	for name, c := range map[string]struct {
		typed string
		want  error
	}{
		"word with digits":            {"letmein12345678", credential.ErrPasswordCommon},
		"word with signs":             {"Letmein!!!!!!!!", credential.ErrPasswordCommon},
		"substitutions":               {"tru5tn01", credential.ErrPasswordCommon},
		"substitutions and tail":      {"P4$$w0rd2026!!!", credential.ErrPasswordCommon},
		"word twice":                  {"passwordpassword", credential.ErrPasswordCommon},
		"short text repeatedly":       {"Kx7Kx7Kx7Kx7Kx7", credential.ErrPasswordRepeated},
		"falling digits":              {"987654321098765", credential.ErrPasswordRepeated},
		"letters of the alphabet":     {"abcdefghijklmnop", credential.ErrPasswordRepeated},
		"long text twice":             {"q7Zp!m2Lw9xTe4vq7Zp!m2Lw9xTe4v", nil},
		"random digits":               {"739105528461907", nil},
		"random letters with a tail":  {"mzqhvtrplkw2026", nil},
		"words on the list in a row":  {"monkey dragon lamp staple", nil},
		"more tail than is taken off": {"abcd739105528461", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if err := judge(c.typed, true); !errors.Is(err, c.want) {
				t.Fatalf("%v, want %v", err, c.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	for name, c := range map[string]struct {
		typed string
		words []string
		want  error
	}{
		"in another case":              {"xx ALICE xx lamp staple", []string{"alice"}, credential.ErrPasswordName},
		"without its dot":              {"alicesmith-lamp-staple", []string{"alice.smith"}, credential.ErrPasswordName},
		"with other signs":             {"a.l.i.c.e lamp staple", []string{"alice"}, credential.ErrPasswordName},
		"composed differently":         {"mu\u0308ller lamp staple", []string{"M\u00fcller"}, credential.ErrPasswordName},
		"of three letters":             {"bob has a lamp and staples", []string{"bob"}, nil},
		"empty":                        {"correct horse battery staple", []string{""}, nil},
		"signs only":                   {"correct ---- battery staple", []string{"...."}, nil},
		"product and little else":      {"paddock-2026-gate", nil, credential.ErrPasswordName},
		"product in a long passphrase": {"the paddock gate stays open", nil, nil},
		"product twice":                {"paddockpaddock-12", nil, credential.ErrPasswordName},
	} {
		t.Run(name, func(t *testing.T) {
			if err := judge(c.typed, true, c.words...); !errors.Is(err, c.want) {
				t.Fatalf("%v, want %v", err, c.want)
			}
		})
	}
}

func TestPeriodIsTheShortestRepeatedText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Repeat(rapid.StringOfN(rapid.RuneFrom([]rune("abü🔑")), 0, 4, -1).Draw(t, "unit"), rapid.IntRange(0, 4).Draw(t, "times")) +
			rapid.StringOfN(rapid.RuneFrom([]rune("abü")), 0, 2, -1).Draw(t, "rest")
		want := len(s)
		for p := 1; p <= len(s)/2; p++ {
			if s[p:] == s[:len(s)-p] && utf8.RuneStart(s[p]) {
				want = p
				break
			}
		}
		if got := credential.Period(s); got != want {
			t.Fatalf("Period(%q) = %d, want %d", s, got, want)
		}
	})
}

func TestLengthIsCountedInCodePoints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typed := rapid.StringOfN(rapid.RuneFrom([]rune("kx7#Rq2vé漢🔑 ")), 0, 20, -1).Draw(t, "typed")
		mfa := rapid.Bool().Draw(t, "mfa")
		least := credential.MinAlone
		if mfa {
			least = credential.MinWithMFA
		}
		if short := errors.Is(judge(typed, mfa), credential.ErrPasswordShort); short != (utf8.RuneCountInString(typed) < least) {
			t.Fatalf("%q of %d code points, short: %v", typed, utf8.RuneCountInString(typed), short)
		}
	})
}

func FuzzCheckPolicy(f *testing.F) {
	f.Add("correct horse battery staple lamp", "alice", true)
	f.Add("🐎🏇🐎 paddock gate 🔑🚪", "", false)
	f.Fuzz(func(t *testing.T, typed, word string, mfa bool) {
		if err := judge(typed, mfa, word); err == nil && (len(typed) < credential.MinWithMFA || len(typed) > 4*credential.MaxPasswordBytes) {
			t.Fatalf("%q accepted", typed)
		}
	})
}

func TestAListIsAskedForTheFoldedPasswordToo(t *testing.T) {
	var b known.Builder
	for _, word := range []string{"quiet lamp of mine", "Other Lamp Of Mine"} {
		if err := b.Add(known.SumOf(word)); err != nil {
			t.Fatal(err)
		}
	}
	list, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	for typed, want := range map[string]bool{
		"quiet lamp of mine": true, "Quiet LAMP of mine": true, "\uff51uiet lamp of mine": true, "Other Lamp Of Mine": true,
		"other lamp of mine": false, "quiet lamp of mine ": false, "": false,
	} {
		if p := password(t, typed); p.In(list) != want {
			t.Errorf("%q is in the list: %t, want %t", typed, !want, want)
		}
	}
}
