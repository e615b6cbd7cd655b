// Package credential holds what people, jobs and servers prove themselves
// with: bearer secrets, passwords, one-time and recovery codes. It is pure: it
// stores nothing and asks nobody.
package credential

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"paddock/shared/id"
)

// A Prefix tells the kinds of bearer secret apart. Source: design, section 7.
type Prefix string

// The prefixes.
const (
	ConsoleSession  Prefix = "pdks_"
	CLISession      Prefix = "pdkc_"
	HalfSession     Prefix = "pdkh_"
	Refresh         Prefix = "pdkr_"
	Device          Prefix = "pdkd_" // wrapped in an access token
	DeviceCode      Prefix = "pdkq_" // of a device login that waits for its approval
	Invitation      Prefix = "pdki_"
	MailedLink      Prefix = "pdkl_"
	KnownBrowser    Prefix = "pdkb_"
	Verification    Prefix = "pdkv_" // that a command line asks for
	APIToken        Prefix = "alpat-"
	ServiceToken    Prefix = "alpst-"
	RegistrationKey Prefix = "alprt-"
	ServerKey       Prefix = "pdkn_" // of a server's agent
)

// Prefixes lists every prefix.
var Prefixes = []Prefix{ConsoleSession, CLISession, HalfSession, Refresh, Device, DeviceCode, Invitation, MailedLink, KnownBrowser, Verification, APIToken, ServiceToken, RegistrationKey, ServerKey}

// Lengths of the text of a secret, the shortest and the longest prefix.
const (
	shortPrefix = 5
	longPrefix  = 6
	maxText     = longPrefix + bodyWidth + checkWidth
)

// ErrMalformed is returned for text that is no bearer secret: a wrong prefix,
// length, letter or checksum. It needs no look-up.
var ErrMalformed = errors.New("credential: not a bearer secret")

// A Secret is a bearer secret: prefix, workspace, principal, 256 random bits
// and a checksum. The identifiers are no secret and lead to the stored item.
// It does not print: Reveal gives the text once, to its owner.
type Secret struct {
	_         [0]func() // no ==: Hash is what is compared
	text      string
	prefix    Prefix
	workspace id.UUID
	principal id.UUID
}

// New makes a secret from 32 bytes of r. It fails when r does and for a prefix
// that is not one of Prefixes.
func New(r io.Reader, p Prefix, workspace, principal id.UUID) (Secret, error) {
	if !p.known() {
		return Secret{}, fmt.Errorf("new secret: no prefix %q", string(p))
	}
	var raw [rawSize]byte
	copy(raw[:16], workspace[:])
	copy(raw[16:32], principal[:])
	if _, err := io.ReadFull(r, raw[32:]); err != nil {
		return Secret{}, fmt.Errorf("new secret: %w", err)
	}
	text := make([]byte, 0, maxText)
	text = append(text, p...)
	text = appendBody(text, &raw)
	check := checksum(string(text))
	text = append(text, check[:]...)
	return Secret{text: string(text), prefix: p, workspace: workspace, principal: principal}, nil
}

// Parse accepts exactly the text that New made, in one form per value, else
// ErrMalformed. It allocates nothing; text of a wrong length costs nothing.
func Parse(text string) (Secret, error) {
	n := len(text) - bodyWidth - checkWidth
	if n < shortPrefix || n > longPrefix {
		return Secret{}, ErrMalformed
	}
	p := Prefix(text[:n])
	if !p.known() {
		return Secret{}, ErrMalformed
	}
	head := text[:n+bodyWidth]
	check := checksum(head)
	if string(check[:]) != text[len(head):] {
		return Secret{}, ErrMalformed
	}
	raw, ok := readBody(head[n:])
	if !ok {
		return Secret{}, ErrMalformed
	}
	s := Secret{text: text, prefix: p}
	copy(s.workspace[:], raw[:16])
	copy(s.principal[:], raw[16:32])
	return s, nil
}

// known reports whether p is one of Prefixes.
func (p Prefix) known() bool {
	switch p {
	case ConsoleSession, CLISession, HalfSession, Refresh, Device, DeviceCode, Invitation, MailedLink, KnownBrowser, Verification,
		APIToken, ServiceToken, RegistrationKey, ServerKey:
		return true
	}
	return false
}

// Prefix returns which kind of secret s is.
func (s Secret) Prefix() Prefix { return s.prefix }

// Workspace returns the workspace that s claims to be of.
func (s Secret) Workspace() id.UUID { return s.workspace }

// Principal returns the principal that s claims to be of.
func (s Secret) Principal() id.UUID { return s.principal }

// Hash returns what is stored of a secret: SHA-256 of its text. 256 random
// bits need no slower hash.
func (s Secret) Hash() [sha256.Size]byte {
	// A copy of known size stays on the stack.
	var text [maxText]byte
	n := copy(text[:], s.text)
	return sha256.Sum256(text[:n])
}

// Reveal returns the text, to be shown to its owner once.
func (s Secret) Reveal() string { return s.text }

// LogValue keeps secrets out of logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue("redacted") }

// GoString keeps secrets out of %#v.
func (s Secret) GoString() string { return "redacted" }

// Format keeps secrets out of every fmt verb.
func (s Secret) Format(f fmt.State, _ rune) {
	_, _ = f.Write([]byte("redacted"))
}
