package credential_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"paddock/shared/credential"
	"paddock/shared/id"
)

func newSecret(t testing.TB, p credential.Prefix, workspace, principal id.UUID) credential.Secret {
	t.Helper()
	s, err := credential.New(rand.Reader, p, workspace, principal)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func uuids() *rapid.Generator[id.UUID] {
	return rapid.Custom(func(t *rapid.T) (u id.UUID) {
		copy(u[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid"))
		return u
	})
}

func TestEachPrefixReadsBackAsItself(t *testing.T) {
	for _, p := range credential.Prefixes {
		t.Run(string(p), func(t *testing.T) {
			made := newSecret(t, p, id.UUID{1, 2}, id.UUID{3, 4})
			read, err := credential.Parse(made.Reveal())
			if err != nil {
				t.Fatal(err)
			}
			if read.Prefix() != p || read.Workspace() != made.Workspace() || read.Principal() != made.Principal() || read.Hash() != made.Hash() {
				t.Fatalf("prefix %s, workspace %s, principal %s", read.Prefix(), read.Workspace(), read.Principal())
			}
			if !strings.HasPrefix(made.Reveal(), string(p)) || len(made.Reveal()) != len(p)+92 {
				t.Fatalf("%d characters", len(made.Reveal()))
			}
			if made.Hash() != sha256.Sum256([]byte(made.Reveal())) {
				t.Fatal("the hash is not SHA-256 of the text")
			}
		})
	}
}

// TestTextOfKnownBytes fixes the format: what was given out stays readable.
// The texts were computed with big integers and zlib's CRC-32.
func TestTextOfKnownBytes(t *testing.T) {
	for name, c := range map[string]struct {
		fill byte
		want string
	}{
		"all zero": {0x00, "alpat-" + strings.Repeat("0", 86) + "1xV4OI"},
		"all one":  {0xff, "alpat-xR9fAlrdKvCIINsqEkJZSfvkAt8lzmSSSSwEFE05v06EBY3r5dlozuRxnvOf5LFQW8jES7aPVEzqA5lO3MW8I31qGHpc"},
	} {
		t.Run(name, func(t *testing.T) {
			var u id.UUID
			for i := range u {
				u[i] = c.fill
			}
			s, err := credential.New(bytes.NewReader(bytes.Repeat([]byte{c.fill}, 32)), credential.APIToken, u, u)
			if err != nil || s.Reveal() != c.want {
				t.Fatalf("%s, %v", s.Reveal(), err)
			}
		})
	}
}

func TestEveryBytesHaveOneText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(credential.Prefixes).Draw(t, "prefix")
		random := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "random")
		ws, user := uuids().Draw(t, "workspace"), uuids().Draw(t, "principal")
		s, err := credential.New(bytes.NewReader(random), p, ws, user)
		if err != nil {
			t.Fatal(err)
		}
		read, err := credential.Parse(s.Reveal())
		if err != nil || read.Workspace() != ws || read.Principal() != user {
			t.Fatalf("%v", err)
		}
		raw := slicesConcat(ws[:], user[:], random)
		want := new(big.Int).SetBytes(raw).Text(62)
		body := strings.TrimPrefix(s.Reveal(), string(p))[:86]
		// math/big writes lower case before upper case.
		if got := strings.TrimLeft(swapCase(body), "0"); got != strings.TrimLeft(want, "0") {
			t.Fatalf("body %s, math/big writes %s", got, want)
		}
	})
}

func slicesConcat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return r
	}, s)
}

func TestAnyOtherTextIsRefused(t *testing.T) {
	good := newSecret(t, credential.ConsoleSession, id.UUID{1}, id.UUID{2}).Reveal()
	head := "pdks_" + strings.Repeat("z", 86) // more than 512 bits
	sum := crc32.ChecksumIEEE([]byte(head))
	tooBig := head + base62Of(uint64(sum))
	cases := map[string]string{
		"empty": "", "prefix alone": "pdks_", "other prefix": "pdkx_" + good[5:], "upper-case prefix": "PDKS_" + good[5:],
		"prefix of another kind": "pdkc_" + good[5:], "longer prefix": "alpat-" + good[5:], "blank before": " " + good,
		"newline after": good + "\n", "one short": good[:len(good)-1], "one more": good + "0", "hyphen": good[:20] + "-" + good[21:],
		"not ASCII": good[:20] + "é" + good[22:], "number of more than 512 bits": tooBig, "very long": strings.Repeat(good, 10_000),
	}
	for i := range good {
		c := byte('0')
		if good[i] == c {
			c = '1'
		}
		cases[fmt.Sprintf("character %d changed", i)] = good[:i] + string(c) + good[i+1:]
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			s, err := credential.Parse(text)
			if !errors.Is(err, credential.ErrMalformed) || s.Reveal() != "" || !s.Workspace().Zero() {
				t.Fatalf("%v, %v", s.Workspace(), err)
			}
		})
	}
}

func base62Of(n uint64) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	out := make([]byte, 6)
	for i := 5; i >= 0; i-- {
		out[i], n = alphabet[n%62], n/62
	}
	return string(out)
}

func TestNoSecretWithoutItsBytesOrPrefix(t *testing.T) {
	failure := errors.New("no randomness")
	if s, err := credential.New(iotest.ErrReader(failure), credential.APIToken, id.UUID{}, id.UUID{}); !errors.Is(err, failure) || s.Reveal() != "" {
		t.Fatalf("%v", err)
	}
	if s, err := credential.New(bytes.NewReader(make([]byte, 31)), credential.APIToken, id.UUID{}, id.UUID{}); err == nil || s.Reveal() != "" {
		t.Fatal("31 bytes sufficed")
	}
	if s, err := credential.New(rand.Reader, "pdkx_", id.UUID{}, id.UUID{}); err == nil || s.Reveal() != "" {
		t.Fatal("an unknown prefix was taken")
	}
}

func TestSecretsAndPasswordsDoNotPrint(t *testing.T) {
	const marker = "marker of a password"
	password, err := credential.NewPassword(marker)
	if err != nil {
		t.Fatal(err)
	}
	secret := newSecret(t, credential.APIToken, id.UUID{1}, id.UUID{2})
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("seen", "password", password, "secret", secret, "in", []any{password, secret})
	slog.New(slog.NewTextHandler(&log, nil)).Info("seen", "password", password, "secret", secret, "in", []any{password, secret})
	encoded, err := json.Marshal([]any{password, secret, struct{ P any }{password}})
	if err != nil {
		t.Fatal(err)
	}
	all := log.String() + string(encoded)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		all += fmt.Sprintf(verb, password) + fmt.Sprintf(verb, secret) + fmt.Sprintf(verb, []any{password, &secret}) + fmt.Sprintf(verb, struct{ A, B any }{password, secret})
	}
	for _, text := range []string{marker, fmt.Sprintf("%x", marker), secret.Reveal()[10:], fmt.Sprintf("%x", secret.Reveal()[10:])} {
		if strings.Contains(all, text) {
			t.Fatalf("%q was printed", text)
		}
	}
}

func TestTokenCheckAllocatesNothing(t *testing.T) {
	text := newSecret(t, credential.APIToken, id.UUID{1}, id.UUID{2}).Reveal()
	n := testing.AllocsPerRun(100, func() {
		s, err := credential.Parse(text)
		if err != nil || s.Hash() == [32]byte{} {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func TestChecksumIsCRC32(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		if got, want := credential.CRC(s), crc32.ChecksumIEEE([]byte(s)); got != want {
			t.Fatalf("%08x, want %08x", got, want)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, p := range credential.Prefixes {
		s, err := credential.New(bytes.NewReader(bytes.Repeat([]byte{0xa5}, 32)), p, id.UUID{1}, id.UUID{0xff})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(s.Reveal())
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := credential.Parse(text)
		if err != nil {
			return
		}
		raw, ok := credential.ReadBody(text[len(s.Prefix()) : len(text)-6])
		if !ok || s.Reveal() != text {
			t.Fatalf("Parse(%q) does not keep its text", text)
		}
		again, err := credential.New(bytes.NewReader(raw[32:]), s.Prefix(), s.Workspace(), s.Principal())
		if err != nil || again.Reveal() != text {
			t.Fatalf("Parse(%q) prints as %q: two texts for one value", text, again.Reveal())
		}
	})
}
