package passkey_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"paddock/localstack/authenticator"
	"paddock/shared/identity"
	"paddock/shared/mfa"
	"paddock/shared/passkey"
)

var (
	site = mfa.Site{Host: "acme.example.com", Name: "Acme", Origins: []string{"https://acme.example.com"}}
	mia  = mfa.Holder{Handle: []byte("sixteen bytes id"), Name: "mia", Display: "Mia"}
)

// made returns a key of software and what it is asked to register.
func made(t *testing.T) (k *authenticator.Key, options json.RawMessage, c mfa.Ceremony) {
	t.Helper()
	k, err := authenticator.New(site.Origins[0])
	if err != nil {
		t.Fatal(err)
	}
	options, c, err = passkey.Ceremonies{}.Register(site, mia, identity.HardwareKey, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	return k, options, c
}

// registers answers a registration with another public key and id than k made.
func registers(t *testing.T, cose map[int]any, id []byte, transports ...string) error {
	t.Helper()
	k, options, c := made(t)
	answer, err := k.Create(options)
	if err != nil {
		t.Fatal(err)
	}
	var sent map[string]any
	if err := json.Unmarshal(answer, &sent); err != nil {
		t.Fatal(err)
	}
	response, ok := sent["response"].(map[string]any)
	if !ok {
		t.Fatal("the answer has no response")
	}
	text, ok := response["attestationObject"].(string)
	if !ok {
		t.Fatal("the answer has no attestation")
	}
	object, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	var attested struct {
		Fmt      string         `cbor:"fmt"`
		AttStmt  map[string]any `cbor:"attStmt"`
		AuthData []byte         `cbor:"authData"`
	}
	if err := cbor.Unmarshal(object, &attested); err != nil {
		t.Fatal(err)
	}
	const head = 32 + 1 + 4 + 16 // what stands before the length of the id
	public, err := cbor.Marshal(cose)
	if err != nil {
		t.Fatal(err)
	}
	attested.AuthData = slices.Concat(attested.AuthData[:head], []byte{byte(len(id) >> 8), byte(len(id))}, id, public)
	if object, err = cbor.Marshal(attested); err != nil {
		t.Fatal(err)
	}
	name := base64.RawURLEncoding.EncodeToString(id)
	response["attestationObject"], sent["id"], sent["rawId"] = base64.RawURLEncoding.EncodeToString(object), name, name
	if len(transports) > 0 {
		response["transports"] = transports
	}
	if answer, err = json.Marshal(sent); err != nil {
		t.Fatal(err)
	}
	_, err = passkey.Ceremonies{}.Registered(site, mia, c, answer)
	return err
}

// TestBoundsOfWhatIsRegistered registers RSA keys, ids and transports at both
// sides of their bounds: beyond them each answer would take long to check
// (security, WA-5).
func TestBoundsOfWhatIsRegistered(t *testing.T) {
	rsa := func(bytesOfModulus int, exponent ...byte) map[int]any {
		modulus := bytes.Repeat([]byte{0xff}, bytesOfModulus)
		return map[int]any{1: 3, 3: -257, -1: modulus, -2: exponent}
	}
	leading := rsa(512, 1, 0, 1)
	leading[-1] = append([]byte{0}, bytes.Repeat([]byte{0xff}, 255)...) // 2,040 bits
	usual := bytes.Repeat([]byte{7}, 32)
	for _, c := range []struct {
		name       string
		cose       map[int]any
		id         []byte
		transports []string
		taken      bool
	}{
		{"RSA of 2,048 bits", rsa(256, 1, 0, 1), usual, nil, true},
		{"RSA of 4,096 bits", rsa(512, 1, 0, 1), usual, nil, true},
		{"RSA of 2,040 bits", rsa(255, 1, 0, 1), usual, nil, false},
		{"RSA of 2,040 bits behind a zero", leading, usual, nil, false},
		{"RSA of 4,104 bits", rsa(513, 1, 0, 1), usual, nil, false},
		{"RSA of 300,000 bits", rsa(37_500, 1, 0, 1), usual, nil, false},
		{"the exponent 3", rsa(256, 3), usual, nil, false},
		{"the exponent 2^31-1", rsa(256, 0x7f, 0xff, 0xff, 0xff), usual, nil, false},
		{"an id of 1,023 bytes", rsa(256, 1, 0, 1), bytes.Repeat([]byte{7}, 1023), nil, true},
		{"an id of 1,024 bytes", rsa(256, 1, 0, 1), bytes.Repeat([]byte{7}, 1024), nil, false},
		{"eight transports", rsa(256, 1, 0, 1), usual, strings.Fields("a b c d e f g h"), true},
		{"nine transports", rsa(256, 1, 0, 1), usual, strings.Fields("a b c d e f g h i"), false},
	} {
		err := registers(t, c.cose, c.id, c.transports...)
		if c.taken && err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, refused := errors.AsType[*mfa.KeyFailure](err); !c.taken && !refused {
			t.Errorf("%s: %v, want a refusal", c.name, err)
		}
	}
}

// TestAnswersAreReadAsTheLibraryReadsThem gives one answer in many writings to
// our reader and to the library's.
func TestAnswersAreReadAsTheLibraryReadsThem(t *testing.T) {
	k, options, c := made(t)
	answer, err := k.Create(options)
	if err != nil {
		t.Fatal(err)
	}
	key, err := passkey.Ceremonies{}.Registered(site, mia, c, answer)
	if err != nil {
		t.Fatal(err)
	}
	if options, _, err = (passkey.Ceremonies{}).Request(site, []mfa.Key{key}, false); err != nil {
		t.Fatal(err)
	}
	right, err := k.Get(options)
	if err != nil {
		t.Fatal(err)
	}
	name := base64.RawURLEncoding.EncodeToString(k.ID)
	for _, change := range [][2]string{
		{"", ""},
		{`"id":"`, `"id":"\u0041`},
		{`"rawId":"` + name, `"rawId":"` + name + "="},
		{`"rawId":"` + name + `"`, `"rawId":"` + name + `\u003d"`},
		{`"rawId":"` + name, `"rawId":"` + name[1:]},
		{`"id":"` + name + `"`, `"id":"` + name + `="`},
		{`"id":"` + name + `"`, `"id":null`},
		{`"rawId":"` + name + `"`, `"rawId":null`},
		{`"rawId":"` + name + `"`, `"rawId":7`},
		{`"id":"` + name + `"`, `"id":""`},
		{`"type":"public-key"`, `"type":"password"`},
		{`"clientDataJSON":"`, `"clientDataJSON":"!`},
		{`"clientDataJSON":"`, `"clientDataJSON":"AAAA`},
		{`"authenticatorData":"`, `"other":"`},
		{`"signature":"`, `"signature":"A+A/`},
		{`"userHandle":"`, `"other":"`},
		{`"response":{`, `"response":[{`},
		{`"clientExtensionResults":{}`, `"clientExtensionResults":{"appid":true}`},
		{`"clientExtensionResults":{}`, `"more":[1,2]`},
		{`{`, `{{`},
		{string(right), string(right) + "{}"},
		{string(right), " " + string(right) + "\n"},
		{string(right), "null"},
		{string(right), "{}"},
		{string(right), "[]"},
		{string(right), ""},
	} {
		text := []byte(strings.Replace(string(right), change[0], change[1], 1))
		want, failed := protocol.ParseCredentialRequestResponseBytes(text)
		handle, id, err := passkey.Ceremonies{}.Named(text)
		switch {
		case (err == nil) != (failed == nil):
			t.Errorf("%v: %v, the library says %v", change, err, failed)
		case err == nil && (!bytes.Equal(handle, want.Response.UserHandle) || !bytes.Equal(id, want.RawID)):
			t.Errorf("%v: read as of %x by %x", change, handle, id)
		}
	}
	for _, twice := range [][2]string{
		{`"type":"public-key"`, `"type":"public-key","type":"public-key"`},
		{`"clientDataJSON":"`, `"clientDataJSON":"` + base64.RawURLEncoding.EncodeToString([]byte(`{"type":"webauthn.get","type":"webauthn.get"}`)) + `","more":"`},
	} {
		text := strings.Replace(string(right), twice[0], twice[1], 1)
		if _, err := protocol.ParseCredentialRequestResponseBytes([]byte(text)); err != nil {
			t.Fatalf("%v: %v", twice, err)
		}
		if _, _, err := (passkey.Ceremonies{}).Named([]byte(text)); err == nil {
			t.Errorf("%v: a name that comes twice was read", twice)
		}
	}
}

// A proof is an answer in parts, to be changed and signed anew.
type proof struct {
	data, client, handle []byte
	sign                 func([]byte) ([]byte, error)
	after                func(signature []byte) []byte // what comes of it, nil: as it is
}

const flagsAt = 32 // in authenticator data, behind the hash of the host

// text returns the proof as a browser writes it.
func (p proof) text(t *testing.T, id []byte) []byte {
	t.Helper()
	hash := sha256.Sum256(p.client)
	signature, err := p.sign(slices.Concat(p.data, hash[:]))
	if err != nil {
		t.Fatal(err)
	}
	if p.after != nil {
		signature = p.after(signature)
	}
	encode := base64.RawURLEncoding.EncodeToString
	text, err := json.Marshal(map[string]any{"id": encode(id), "rawId": encode(id), "type": "public-key", "response": map[string]string{
		"clientDataJSON": encode(p.client), "authenticatorData": encode(p.data), "signature": encode(signature), "userHandle": encode(p.handle),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// An owner is mia with one key, as the library wants to see her.
type owner struct{ webauthn.Credential }

func (owner) WebAuthnID() []byte          { return mia.Handle }
func (owner) WebAuthnName() string        { return mia.Name }
func (owner) WebAuthnDisplayName() string { return mia.Display }
func (o owner) WebAuthnCredentials() []webauthn.Credential {
	return []webauthn.Credential{o.Credential}
}

// library returns the verdict of the library on an answer.
func library(t *testing.T, k mfa.Key, c mfa.Ceremony, text []byte) error {
	t.Helper()
	party, err := webauthn.New(&webauthn.Config{RPID: site.Host, RPDisplayName: site.Name, RPOrigins: site.Origins})
	if err != nil {
		t.Fatal(err)
	}
	session := webauthn.SessionData{
		Challenge: c.Challenge, RelyingPartyID: site.Host, UserID: mia.Handle, AllowedCredentialIDs: [][]byte{k.ID}, UserVerification: protocol.VerificationPreferred,
	}
	if c.Verified {
		session.UserVerification = protocol.VerificationRequired
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(text)
	if err != nil {
		return err
	}
	_, err = party.ValidateLogin(owner{webauthn.Credential{
		ID: k.ID, PublicKey: k.PublicKey, Flags: webauthn.CredentialFlags{BackupEligible: k.BackupEligible, BackupState: k.BackedUp},
	}}, session, parsed)
	return err
}

// signers returns, for each algorithm that keys sign with, a COSE key and what
// signs for it.
func signers(t *testing.T) map[string]struct {
	cose map[int]any
	sign func([]byte) ([]byte, error)
} {
	t.Helper()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := ec.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	public, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	old, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]struct {
		cose map[int]any
		sign func([]byte) ([]byte, error)
	}{
		"ES256": {map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]}, func(data []byte) ([]byte, error) {
			sum := sha256.Sum256(data)
			return ecdsa.SignASN1(rand.Reader, ec, sum[:])
		}},
		"EdDSA": {map[int]any{1: 1, 3: -8, -1: 6, -2: []byte(public)}, func(data []byte) ([]byte, error) { return ed25519.Sign(ed, data), nil }},
		"RS256": {map[int]any{1: 3, 3: -257, -1: old.N.Bytes(), -2: []byte{1, 0, 1}}, func(data []byte) ([]byte, error) {
			sum := sha256.Sum256(data)
			return rsa.SignPKCS1v15(rand.Reader, old, crypto.SHA256, sum[:])
		}},
	}
}

// longer returns an ECDSA signature whose first integer has a zero that it does
// not need: not DER (ITU-T X.690, 8.3.2). Another one gets a zero before it.
func longer(signature []byte) []byte {
	if signature[0] != 0x30 || int(signature[1])+2 != len(signature) {
		return append([]byte{0}, signature...)
	}
	n := int(signature[3])
	r := append([]byte{0}, signature[4:4+n]...)
	s := signature[4+n:]
	return slices.Concat([]byte{0x30, byte(2 + len(r) + len(s)), 2, byte(len(r))}, r, s)
}

// TestAnswersAreProvedAsTheLibraryProvesThem gives right answers, and each
// changed in one thing, to our steps and to the library's.
func TestAnswersAreProvedAsTheLibraryProvesThem(t *testing.T) {
	said := func(p *proof, from, to string) { p.client = []byte(strings.Replace(string(p.client), from, to, 1)) }
	changes := map[string]func(p *proof){
		"right":                    func(*proof) {},
		"no handle":                func(p *proof) { p.handle = nil },
		"another handle":           func(p *proof) { p.handle = []byte("sixteen bytes of") },
		"a longer handle":          func(p *proof) { p.handle = append(p.handle, 0) },
		"another ceremony":         func(p *proof) { said(p, "webauthn.get", "webauthn.create") },
		"another challenge":        func(p *proof) { said(p, `challenge":"`, `challenge":"A`) },
		"no challenge":             func(p *proof) { said(p, `"challenge"`, `"other"`) },
		"another origin":           func(p *proof) { said(p, "acme.", "acne.") },
		"plain http":               func(p *proof) { said(p, "https", "http") },
		"the origin in capitals":   func(p *proof) { said(p, "acme.", "ACME.") },
		"the origin with a slash":  func(p *proof) { said(p, ".com", ".com/") },
		"the origin with its port": func(p *proof) { said(p, ".com", ".com:443") },
		"across origins":           func(p *proof) { said(p, `crossOrigin":false`, `crossOrigin":true`) },
		"a top origin":             func(p *proof) { said(p, `crossOrigin":false`, `topOrigin":"https://acme.example.com"`) },
		"across named origins": func(p *proof) {
			said(p, `crossOrigin":false`, `crossOrigin":true,"topOrigin":"https://acme.example.com"`)
		},
		"more than is known":      func(p *proof) { said(p, `crossOrigin":false`, `crossOrigin":false,"new":{"a":[1]}`) },
		"an old token binding":    func(p *proof) { said(p, `crossOrigin":false`, `tokenBinding":{"status":"supported"}`) },
		"a wrong token binding":   func(p *proof) { said(p, `crossOrigin":false`, `tokenBinding":{"status":"other"}`) },
		"another host":            func(p *proof) { p.data[0] ^= 1 },
		"nobody there":            func(p *proof) { p.data[flagsAt] &^= 1 << 0 },
		"verified":                func(p *proof) { p.data[flagsAt] |= 1 << 2 },
		"eligible for backup":     func(p *proof) { p.data[flagsAt] |= 1 << 3 },
		"backed up":               func(p *proof) { p.data[flagsAt] |= 1 << 4 },
		"eligible and backed up":  func(p *proof) { p.data[flagsAt] |= 3 << 3 },
		"data too short":          func(p *proof) { p.data = p.data[:36] },
		"data too long":           func(p *proof) { p.data = append(p.data, 0) },
		"a key that is not there": func(p *proof) { p.data[flagsAt] |= 1 << 6 },
		"another counter":         func(p *proof) { p.data[36] = 99 },
		"no signature":            func(p *proof) { p.after = func([]byte) []byte { return nil } },
		"a bit of it":             func(p *proof) { p.after = func(s []byte) []byte { s[len(s)-1] ^= 1; return s } },
		"one byte more":           func(p *proof) { p.after = func(s []byte) []byte { return append(s, 0) } },
		"one byte less":           func(p *proof) { p.after = func(s []byte) []byte { return s[:len(s)-1] } },
		"an integer longer":       func(p *proof) { p.after = longer },
		"a length in long form":   func(p *proof) { p.after = func(s []byte) []byte { return slices.Concat([]byte{s[0], 0x81}, s[1:]) } },
		"two zeros":               func(p *proof) { p.after = func([]byte) []byte { return []byte{0x30, 6, 2, 1, 0, 2, 1, 0} } },
	}
	taken, refused := 0, 0
	for algorithm, by := range signers(t) {
		cose, err := cbor.Marshal(by.cose)
		if err != nil {
			t.Fatal(err)
		}
		for _, eligible := range []bool{false, true} {
			k := mfa.Key{ID: bytes.Repeat([]byte{7}, 32), PublicKey: cose, BackupEligible: eligible}
			for _, verified := range []bool{false, true} {
				_, c, err := passkey.Ceremonies{}.Request(site, []mfa.Key{k}, verified)
				if err != nil {
					t.Fatal(err)
				}
				for name, change := range changes {
					host := sha256.Sum256([]byte(site.Host))
					p := proof{handle: slices.Clone(mia.Handle), sign: by.sign, data: append(host[:], 1, 0, 0, 0, 5)}
					if eligible {
						p.data[flagsAt] |= 1 << 3
					}
					if verified {
						p.data[flagsAt] |= 1 << 2
					}
					p.client = []byte(`{"type":"webauthn.get","challenge":"` + c.Challenge + `","origin":"` + site.Origins[0] + `","crossOrigin":false}`)
					change(&p)
					text := p.text(t, k.ID)
					want := library(t, k, c, text)
					_, _, got := passkey.Ceremonies{}.Answered(site, mia, []mfa.Key{k}, c, text)
					if (got == nil) != (want == nil) {
						t.Errorf("%s, verified %v, eligible %v, %s: %v, the library says %v", algorithm, verified, eligible, name, got, want)
					}
					if want == nil {
						taken++
					} else {
						refused++
					}
				}
			}
		}
	}
	if taken < 60 || refused < 200 {
		t.Errorf("%d were right and %d wrong", taken, refused)
	}
}
