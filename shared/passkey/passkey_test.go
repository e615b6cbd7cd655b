package passkey_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/go-webauthn/webauthn/protocol"

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
