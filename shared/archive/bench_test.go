package archive_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"testing"

	"paddock/localstack/paired"
	"paddock/shared/archive"
	"paddock/shared/audit"
)

// BenchmarkEvent is what an event costs from its making to its leaf: encode,
// seal, hash. The bar is five times sealing and hashing the same bytes. Source:
// decision 7.
func BenchmarkEvent(b *testing.B) {
	aead := sealer(b)
	e, r := event(0), record(acme, 0)
	encoded, err := audit.Encode(e)
	if err != nil {
		b.Fatal(err)
	}
	text, sealed := make([]byte, 0, 1024), make([]byte, 0, 1024)
	nonce, aad := make([]byte, aead.NonceSize()), make([]byte, 120)
	paired.Ratio(b, 5, func() {
		plain, err := e.AppendEncode(text)
		if err != nil {
			b.Fatal(err)
		}
		r.Event.Ciphertext = aead.Seal(append(sealed, nonce...), nonce, plain, aad)
		archive.LeafHash(acme, r.Event)
	}, func() {
		sha256.Sum256(aead.Seal(append(sealed, nonce...), nonce, encoded, aad))
	})
}

func sealer(b *testing.B) cipher.AEAD {
	b.Helper()
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		b.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		b.Fatal(err)
	}
	return aead
}

func BenchmarkAppend(b *testing.B) {
	all := records(acme, 0, 100)
	head, signer := archive.Head{Workspace: acme}, signerOf(b, acme)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := archive.Append(head, all, moment, signer); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	objects, _ := log(b, 1000)
	v := verifierOf(b, acme)
	b.SetBytes(int64(len(objects[0].Body)))
	b.ReportAllocs()
	for b.Loop() {
		if r, err := archive.Verify(each(objects), v, archive.Expectation{}); err != nil || !r.Intact() {
			b.Fatal(err)
		}
	}
}

// BenchmarkHash is the peer of BenchmarkVerify: SHA-256 of the same bytes.
func BenchmarkHash(b *testing.B) {
	objects, _ := log(b, 1000)
	b.SetBytes(int64(len(objects[0].Body)))
	for b.Loop() {
		sha256.Sum256(objects[0].Body)
	}
}
