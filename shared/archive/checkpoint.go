package archive

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"paddock/shared/id"
)

// A Checkpoint is the signed state of a log: a C2SP tlog-checkpoint whose
// origin is `<base domain>/<workspace id>`. Batch is the SHA-256 of the object
// that the checkpoint closes, in an extension line `paddock-batch <base64>`.
type Checkpoint struct {
	Origin string
	Size   uint64
	Root   Hash
	Batch  Hash
}

// ErrCheckpoint is returned for text that is not a checkpoint of the expected
// log under the expected key.
var ErrCheckpoint = errors.New("archive: not a checkpoint signed for this log")

const batchLine = "paddock-batch "

// Origin returns the name of a workspace's log and of its key.
func Origin(domain string, workspace id.UUID) string { return domain + "/" + workspace.String() }

// Text returns the signed text of c, without signatures.
func (c Checkpoint) Text() string {
	return c.Origin + "\n" + strconv.FormatUint(c.Size, 10) + "\n" +
		base64.StdEncoding.EncodeToString(c.Root[:]) + "\n" +
		batchLine + base64.StdEncoding.EncodeToString(c.Batch[:]) + "\n"
}

// OpenCheckpoint returns the checkpoint in a signed note, or ErrCheckpoint
// when the verifier's key did not sign it, when its origin is not the
// verifier's name, or when its text is not what Text prints. Signatures of
// other keys (witnesses) are ignored.
func OpenCheckpoint(signed []byte, verifier note.Verifier) (Checkpoint, error) {
	n, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 5 {
		return Checkpoint{}, ErrCheckpoint
	}
	size, err := strconv.ParseUint(lines[1], 10, 64)
	if err != nil {
		return Checkpoint{}, ErrCheckpoint
	}
	c := Checkpoint{Origin: lines[0], Size: size}
	if !decodeHash(&c.Root, lines[2]) || !decodeHash(&c.Batch, strings.TrimPrefix(lines[3], batchLine)) {
		return Checkpoint{}, ErrCheckpoint
	}
	if c.Text() != n.Text || c.Origin != verifier.Name() {
		return Checkpoint{}, ErrCheckpoint
	}
	return c, nil
}

func decodeHash(dst *Hash, text string) bool {
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	return err == nil && copy(dst[:], b) == len(dst) && len(b) == len(dst)
}

// VerifierKey returns the public key of a workspace's log in the form of signed
// notes, `<name>+<hash>+<base64>`, which `paddock verify` takes.
func VerifierKey(domain string, workspace id.UUID, public ed25519.PublicKey) (string, error) {
	return note.NewEd25519VerifierKey(Origin(domain, workspace), public)
}

// NewVerifier returns the verifier of a workspace's log.
func NewVerifier(domain string, workspace id.UUID, public ed25519.PublicKey) (note.Verifier, error) {
	text, err := VerifierKey(domain, workspace, public)
	if err != nil {
		return nil, err
	}
	return note.NewVerifier(text)
}

// A signing is a note.Signer whose key lies elsewhere.
type signing struct {
	note.Verifier
	sign func([]byte) ([]byte, error)
}

// NewSigner returns a signer that signs as the verifier's key through sign,
// which returns a raw Ed25519 signature of the message.
func NewSigner(v note.Verifier, sign func(message []byte) ([]byte, error)) note.Signer {
	return &signing{v, sign}
}

// ErrSigningKey is returned when what signed is not the key of the log.
var ErrSigningKey = errors.New("archive: the signing key is not the key of the log")

// Sign returns the signature of message, checked with the public key, so that
// a key that does not belong to the log is found before anything is stored.
func (s *signing) Sign(message []byte) ([]byte, error) {
	signature, err := s.sign(message)
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint: %w", err)
	}
	if !s.Verify(message, signature) {
		return nil, ErrSigningKey
	}
	return signature, nil
}
