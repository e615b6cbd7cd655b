// Package authenticator is a security key made of software, with the browser
// before it, for tests: it answers as told, rightly or wrongly.
package authenticator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// A Key is one credential in one authenticator. What is set differently from
// New makes it answer so.
type Key struct {
	ID         []byte
	Handle     []byte // of the account, learned at registration
	Attachment string // platform or cross-platform
	AAGUID     [16]byte
	Count      uint32 // of the last answer
	Still      bool   // the counter does not move
	Present    bool
	Verified   bool
	Eligible   bool // for backup
	Algorithm  int  // COSE, as it says of itself

	// What the browser says.
	Origin      string
	Host        string // whose hash it signs; "" is what it was asked for
	Type        string // "" is what the ceremony demands
	Challenge   string // "" is what it was asked for
	CrossOrigin bool
	TopOrigin   string

	private *ecdsa.PrivateKey
}

// The flags of authenticator data. Source: W3C WebAuthn Level 3, section 6.1.
const (
	present  = 1 << 0
	verified = 1 << 2
	eligible = 1 << 3
	attested = 1 << 6
)

const es256 = -7

// New returns a roaming key that verified nobody, as it answers to an origin.
func New(origin string) (*Key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	k := &Key{ID: make([]byte, 32), Attachment: "cross-platform", Present: true, Origin: origin, Algorithm: es256, private: private}
	_, err = rand.Read(k.ID)
	return k, err
}

// Device returns a device that verifies its owner, as it answers to an origin.
func Device(origin string) (*Key, error) {
	k, err := New(origin)
	if err != nil {
		return nil, err
	}
	k.Attachment, k.Verified, k.Eligible = "platform", true, true
	return k, nil
}

// Sign answers in the place of Get with this key over data.
func (k *Key) Sign(data []byte) ([]byte, error) {
	sum := sha256.Sum256(data)
	return ecdsa.SignASN1(rand.Reader, k.private, sum[:])
}

// Public returns the public key.
func (k *Key) Public() *ecdsa.PublicKey { return &k.private.PublicKey }

// options are what both ceremonies ask.
type options struct {
	Challenge string
	RPID      string `json:"rpId"`
	RP        struct{ ID string }
	User      struct{ ID string }
}

// Create answers PublicKeyCredentialCreationOptionsJSON with a
// RegistrationResponseJSON.
func (k *Key) Create(asked json.RawMessage) (json.RawMessage, error) {
	var o options
	if err := json.Unmarshal(asked, &o); err != nil {
		return nil, err
	}
	var err error
	if k.Handle, err = base64.RawURLEncoding.DecodeString(o.User.ID); err != nil {
		return nil, err
	}
	public, err := k.private.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	cose, err := cbor.Marshal(map[int]any{1: 2, 3: k.Algorithm, -1: 1, -2: public[1:33], -3: public[33:]})
	if err != nil {
		return nil, err
	}
	data := k.data(o.RP.ID, attested)
	data = append(data, k.AAGUID[:]...)
	data = binary.BigEndian.AppendUint16(data, uint16(len(k.ID))) //nolint:gosec // 32
	data = append(append(data, k.ID...), cose...)
	object, err := cbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data})
	if err != nil {
		return nil, err
	}
	client, err := k.client("webauthn.create", o.Challenge)
	if err != nil {
		return nil, err
	}
	return k.answer(map[string]any{"clientDataJSON": text(client), "attestationObject": text(object), "transports": []string{"usb"}})
}

// Get answers PublicKeyCredentialRequestOptionsJSON with an
// AuthenticationResponseJSON.
func (k *Key) Get(asked json.RawMessage) (json.RawMessage, error) {
	var o options
	if err := json.Unmarshal(asked, &o); err != nil {
		return nil, err
	}
	if !k.Still {
		k.Count++
	}
	data := k.data(o.RPID, 0)
	client, err := k.client("webauthn.get", o.Challenge)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(client)
	signature, err := k.Sign(append(append([]byte(nil), data...), hash[:]...))
	if err != nil {
		return nil, err
	}
	return k.answer(map[string]any{
		"clientDataJSON": text(client), "authenticatorData": text(data), "signature": text(signature), "userHandle": text(k.Handle),
	})
}

func (k *Key) data(host string, flags byte) []byte {
	if k.Host != "" {
		host = k.Host
	}
	for flag, set := range map[byte]bool{present: k.Present, verified: k.Verified, eligible: k.Eligible} {
		if set {
			flags |= flag
		}
	}
	hash := sha256.Sum256([]byte(host))
	return binary.BigEndian.AppendUint32(append(hash[:], flags), k.Count)
}

func (k *Key) client(ceremony, challenge string) ([]byte, error) {
	if k.Type != "" {
		ceremony = k.Type
	}
	if k.Challenge != "" {
		challenge = k.Challenge
	}
	said := map[string]any{"type": ceremony, "challenge": challenge, "origin": k.Origin, "crossOrigin": k.CrossOrigin}
	if k.TopOrigin != "" {
		said["topOrigin"] = k.TopOrigin
	}
	return json.Marshal(said)
}

func (k *Key) answer(response map[string]any) (json.RawMessage, error) {
	out, err := json.Marshal(map[string]any{
		"id": text(k.ID), "rawId": text(k.ID), "type": "public-key", "authenticatorAttachment": k.Attachment,
		"response": response, "clientExtensionResults": map[string]any{},
	})
	if err != nil {
		return nil, fmt.Errorf("authenticator: %w", err)
	}
	return out, nil
}

func text(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
