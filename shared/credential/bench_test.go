package credential_test

import (
	"crypto/sha256"
	"testing"

	"paddock/localstack/paired"
	"paddock/shared/credential"
	"paddock/shared/id"
)

// BenchmarkTokenCheck parses and hashes a bearer secret. The bar is four times
// SHA-256 of the same bytes. Source: decision 7.
func BenchmarkTokenCheck(b *testing.B) {
	text := newSecret(b, credential.APIToken, id.UUID{1}, id.UUID{2}).Reveal()
	raw := []byte(text)
	paired.Ratio(b, 4, func() {
		s, err := credential.Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		s.Hash()
	}, func() { sha256.Sum256(raw) })
}
