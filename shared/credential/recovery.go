package credential

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"io"
	"strings"

	"paddock/shared/id"
)

// RecoveryCodes is how many codes a set has. Each has 80 random bits, so that
// a plain hash suffices. Source: security, MF-5.
const (
	RecoveryCodes = 10
	recoveryBytes = 10
	// recoveryAlphabet is Crockford's base 32: no I, L, O or U.
	recoveryAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)

// NewRecoveryCodes returns a set of codes in groups of four, to be shown once.
func NewRecoveryCodes(r io.Reader) ([]string, error) {
	codes := make([]string, RecoveryCodes)
	for i := range codes {
		var raw [recoveryBytes]byte
		if _, err := io.ReadFull(r, raw[:]); err != nil {
			return nil, err
		}
		codes[i] = group(encode32(raw))
	}
	return codes, nil
}

// ReadRecoveryCode returns the canonical form of a typed code: letter case,
// blanks and hyphens do not matter, and O, I and L are read as 0, 1 and 1.
func ReadRecoveryCode(typed string) (string, bool) {
	if len(typed) > 64 {
		return "", false
	}
	s := strings.Map(canonicalLetter, typed)
	if len(s) != recoveryBytes*8/5 || strings.Trim(s, recoveryAlphabet) != "" {
		return "", false
	}
	return s, true
}

// canonicalLetter maps ASCII alone: strings.ToUpper would make letters of
// other scripts into ours.
func canonicalLetter(r rune) rune {
	if r >= 'a' && r <= 'z' {
		r += 'A' - 'a'
	}
	switch r {
	case ' ', '-':
		return -1
	case 'O':
		return '0'
	case 'I', 'L':
		return '1'
	}
	return r
}

// HashRecoveryCode returns what is stored of a code in its canonical form; it
// is bound to its user.
func HashRecoveryCode(workspace, user id.UUID, canonical string) string {
	h := sha256.New()
	h.Write([]byte("paddock recovery code"))
	h.Write(workspace[:])
	h.Write(user[:])
	h.Write([]byte(canonical))
	return hex.EncodeToString(h.Sum(nil))
}

// FindRecoveryCode returns the place of a hash among the stored ones. It
// compares with all of them, each in constant time.
func FindRecoveryCode(stored []string, hash string) (at int, found bool) {
	for i, s := range stored {
		if subtle.ConstantTimeCompare([]byte(s), []byte(hash)) == 1 {
			at, found = i, true
		}
	}
	return at, found
}

func encode32(raw [recoveryBytes]byte) string {
	out := make([]byte, 0, recoveryBytes*8/5)
	acc, bits := uint32(0), 0
	for _, b := range raw {
		acc, bits = acc<<8|uint32(b), bits+8
		for bits >= 5 {
			bits -= 5
			out = append(out, recoveryAlphabet[acc>>bits&31])
		}
	}
	return string(out)
}

func group(s string) string {
	var parts []string
	for ; len(s) > 4; s = s[4:] {
		parts = append(parts, s[:4])
	}
	return strings.Join(append(parts, s), "-")
}
