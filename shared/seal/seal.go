// Package seal encrypts what is stored. Payloads are sealed with AES-256-GCM
// under a data key of their workspace; the additional data binds a payload to
// its workspace, place, version, purpose and key, so that it opens nowhere
// else. The package knows no storage and no key service.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"paddock/shared/id"
)

// A Purpose separates the data keys of a workspace.
type Purpose uint8

// The purposes. Data and Credentials seal the payloads of their tables; Index
// makes the HMACs by which sealed values are searched.
const (
	Data Purpose = iota + 1
	Credentials
	Index
)

// Purposes lists every purpose.
var Purposes = []Purpose{Data, Credentials, Index}

// String returns the purpose's name, which the key service's encryption
// context carries.
func (p Purpose) String() string {
	switch p {
	case Data:
		return "data"
	case Credentials:
		return "credentials"
	case Index:
		return "index"
	}
	return "unknown"
}

// KeySize is the length of a data key in bytes (AES-256).
const KeySize = 32

// A KeyID names a data key within its workspace. It is stored beside every
// payload that the key seals.
type KeyID [8]byte

// ErrOpen is returned for a payload that was not sealed for this place,
// version and key, or was changed since. It says nothing more, and callers
// treat it as an internal error with an alarm.
var ErrOpen = errors.New("seal: payload does not open here")

// ErrNoKey is returned when the keyring lacks the key that a payload names.
var ErrNoKey = errors.New("seal: no such data key")

// A Place is what a payload is bound to.
type Place struct {
	Workspace id.UUID
	Table     string
	PK, SK    string
	Version   uint64
}

// A Key is one data key, ready to use. It is never printed.
type Key struct {
	ID      KeyID
	Purpose Purpose
	aead    cipher.AEAD
	raw     [KeySize]byte
}

// NewKey prepares a data key of KeySize bytes.
func NewKey(name KeyID, purpose Purpose, raw []byte) (*Key, error) {
	if len(raw) != KeySize {
		return nil, errors.New("seal: a data key has 32 bytes")
	}
	k := &Key{ID: name, Purpose: purpose}
	copy(k.raw[:], raw)
	if purpose == Index {
		return k, nil
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return nil, err
	}
	k.aead, err = cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return k, nil
}

// Seal returns the sealed payload: a 96-bit random nonce, the ciphertext and a
// 128-bit tag. With random nonces a key must seal far fewer than 2^32 payloads
// (NIST SP 800-38D section 8.3); keys are rotated long before.
func (k *Key) Seal(at Place, payload []byte) ([]byte, error) {
	if k.aead == nil {
		return nil, errors.New("seal: an index key seals nothing")
	}
	return k.aead.Seal(nil, nil, payload, k.aad(at)), nil
}

// Open returns the payload that was sealed for this place, or ErrOpen.
func (k *Key) Open(at Place, sealed []byte) ([]byte, error) {
	if k.aead == nil {
		return nil, ErrOpen
	}
	plain, err := k.aead.Open(nil, nil, sealed, k.aad(at))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// MAC returns the index value of a text in a field: the HMAC-SHA-256 under the
// workspace's index key, so that equal texts meet without being readable.
func (k *Key) MAC(field, text string) [sha256.Size]byte {
	h := hmac.New(sha256.New, k.raw[:])
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(field)))
	h.Write(n[:])
	h.Write([]byte(field))
	h.Write([]byte(text))
	var out [sha256.Size]byte
	h.Sum(out[:0])
	return out
}

// aad returns the additional data: every part length-prefixed, so that no two
// places share one encoding.
func (k *Key) aad(at Place) []byte {
	b := make([]byte, 0, 16+8+1+8+12+len(at.Table)+len(at.PK)+len(at.SK))
	b = append(b, at.Workspace[:]...)
	for _, s := range [...]string{at.Table, at.PK, at.SK} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	b = binary.BigEndian.AppendUint64(b, at.Version)
	b = append(b, byte(k.Purpose))
	return append(b, k.ID[:]...)
}
