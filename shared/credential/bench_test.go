package credential_test

import (
	"crypto/sha256"
	"testing"

	"paddock/shared/credential"
	"paddock/shared/id"
)

func BenchmarkTokenCheck(b *testing.B) {
	text := newSecret(b, credential.APIToken, id.UUID{1}, id.UUID{2}).Reveal()
	b.Run("parse and hash", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s, err := credential.Parse(text)
			if err != nil {
				b.Fatal(err)
			}
			s.Hash()
		}
	})
	b.Run("SHA-256 of the same bytes", func(b *testing.B) {
		raw := []byte(text)
		b.ReportAllocs()
		for b.Loop() {
			sha256.Sum256(raw)
		}
	})
}
