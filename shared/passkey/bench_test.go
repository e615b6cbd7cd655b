package passkey_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"testing"

	"paddock/localstack/authenticator"
	"paddock/localstack/paired"
	"paddock/shared/identity"
	"paddock/shared/mfa"
	"paddock/shared/passkey"
)

// BenchmarkAssertion holds the check of an answer to the check of its signature
// and its two hashes alone. Source: performance 3, row 4.
func BenchmarkAssertion(b *testing.B) {
	site := mfa.Site{Host: "acme.example.com", Name: "Acme", Origins: []string{"https://acme.example.com"}}
	who := mfa.Holder{Handle: []byte("sixteen bytes id"), Name: "mia", Display: "Mia"}
	k, err := authenticator.New(site.Origins[0])
	if err != nil {
		b.Fatal(err)
	}
	party := passkey.Ceremonies{}
	options, ceremony, err := party.Register(site, who, identity.HardwareKey, nil, false)
	if err != nil {
		b.Fatal(err)
	}
	answer, err := k.Create(options)
	if err != nil {
		b.Fatal(err)
	}
	key, err := party.Registered(site, who, ceremony, answer)
	if err != nil {
		b.Fatal(err)
	}
	held := []mfa.Key{key}
	options, ceremony, err = party.Request(site, held, false)
	if err != nil {
		b.Fatal(err)
	}
	if answer, err = k.Get(options); err != nil {
		b.Fatal(err)
	}
	said := []byte("what an authenticator signs is as long as this line and two hashes beside")
	signature, err := k.Sign(said)
	if err != nil {
		b.Fatal(err)
	}
	client, public := make([]byte, 150), k.Public() // as long as what a browser signs
	paired.Ratio(b, 1.30, func() {
		if _, _, err := party.Answered(site, who, held, ceremony, answer); err != nil {
			b.Fatal(err)
		}
	}, func() {
		sha256.Sum256(client)
		sum := sha256.Sum256(said)
		if !ecdsa.VerifyASN1(public, sum[:], signature) {
			b.Fatal("the signature is wrong")
		}
	})
}
