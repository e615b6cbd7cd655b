// Package archive turns sealed audit events into a tamper-evident log, one per
// workspace: RFC 6962 Merkle trees, stored as numbered batch objects that each
// carry a C2SP signed checkpoint. It promises that an event enters the log
// once however often it is delivered, and that a changed, missing, moved or
// added event is found and named by anyone with the public key. It refuses to
// know what the events say, how they are sealed and where objects and heads
// are stored.
package archive

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/transparency-dev/merkle/rfc6962"

	"paddock/shared/id"
)

// A Hash is a SHA-256 hash of a leaf or a node of the log.
type Hash [sha256.Size]byte

// Bounds of a sealed record. Keys and key ids are short; a ciphertext is at
// most what one DynamoDB item holds (400 KB).
const (
	MaxKey        = 1024
	MaxKeyID      = 128
	MaxCiphertext = 400 << 10
)

// A Sealed is one sealed item as it lies in the outbox: the fields of its AAD
// in clear, and the ciphertext with its nonce.
type Sealed struct {
	PK, SK     string
	Version    uint64 // item version, from 1
	KeyID      string // data key under which it is sealed
	Ciphertext []byte
}

// A Record is an event as the outbox delivers it. The text after the last '#'
// of its SK is the event's id.
type Record struct {
	Workspace id.UUID
	Event     Sealed
	Detail    *Sealed // the sealed detail that the event refers to, nil for none
}

// ErrRecord is returned for a record that no log takes: it is parked, and the
// others go on.
var ErrRecord = errors.New("archive: the record cannot enter a log")

// EventID returns the id of the event stored under this sort key, the text
// after the last '#', or ErrRecord.
func EventID(sk string) (id.UUID, error) {
	u, err := id.ParseUUID(sk[strings.LastIndexByte(sk, '#')+1:])
	if err != nil || u.Zero() {
		return id.UUID{}, fmt.Errorf("%w: its sort key does not end in an event id", ErrRecord)
	}
	return u, nil
}

// ID returns the id of the record's event, or ErrRecord.
func (r Record) ID() (id.UUID, error) { return EventID(r.Event.SK) }

// Check returns ErrRecord, with a reason, when no log can take r.
func (r Record) Check() error {
	if r.Workspace.Zero() {
		return fmt.Errorf("%w: it names no workspace", ErrRecord)
	}
	if err := r.Event.check(); err != nil {
		return err
	}
	if r.Detail != nil {
		if err := r.Detail.check(); err != nil {
			return fmt.Errorf("detail: %w", err)
		}
	}
	_, err := r.ID()
	return err
}

func (s *Sealed) check() error {
	switch {
	case s.PK == "" || len(s.PK) > MaxKey || !utf8.ValidString(s.PK):
		return fmt.Errorf("%w: its partition key is empty, too long or no UTF-8", ErrRecord)
	case s.SK == "" || len(s.SK) > MaxKey || !utf8.ValidString(s.SK):
		return fmt.Errorf("%w: its sort key is empty, too long or no UTF-8", ErrRecord)
	case s.Version == 0:
		return fmt.Errorf("%w: it has no version", ErrRecord)
	case s.KeyID == "" || len(s.KeyID) > MaxKeyID || !utf8.ValidString(s.KeyID):
		return fmt.Errorf("%w: its key id is empty, too long or no UTF-8", ErrRecord)
	case len(s.Ciphertext) == 0 || len(s.Ciphertext) > MaxCiphertext:
		return fmt.Errorf("%w: its ciphertext is empty or too long", ErrRecord)
	}
	return nil
}

// leafDomain separates leaves from anything else that is ever hashed.
const leafDomain = "PDKL1"

// AppendLeaf appends the canonical leaf data of an event: the domain "PDKL1",
// the workspace (16 bytes), PK, SK, version, key id and ciphertext, each text
// and the ciphertext after its length (4 bytes), the version in 8 bytes, all
// big-endian.
func AppendLeaf(dst []byte, workspace id.UUID, s Sealed) []byte {
	dst = append(append(dst, leafDomain...), workspace[:]...)
	dst = appendSized(dst, s.PK)
	dst = appendSized(dst, s.SK)
	dst = binary.BigEndian.AppendUint64(dst, s.Version)
	dst = appendSized(dst, s.KeyID)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(s.Ciphertext)))
	return append(dst, s.Ciphertext...)
}

func appendSized(dst []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(s))), s...)
}

// LeafHash returns the RFC 6962 leaf hash, SHA-256(0x00 || leaf data). It is
// the hash of ciphertext: it stays checkable after the key is destroyed.
func LeafHash(workspace id.UUID, s Sealed) Hash {
	var usual [1536]byte // so that the leaf data of a usual event stays on the stack
	return sha256.Sum256(AppendLeaf(append(usual[:0], rfc6962.RFC6962LeafHashPrefix), workspace, s))
}

// A hasher hashes leaves one after the other in the same memory.
type hasher struct{ scratch []byte }

func (h *hasher) leaf(workspace id.UUID, s Sealed) Hash {
	h.scratch = AppendLeaf(append(h.scratch[:0], rfc6962.RFC6962LeafHashPrefix), workspace, s)
	return sha256.Sum256(h.scratch)
}

// ObjectKey returns the name of the object whose first event has this number:
// `<workspace>/<from as 20 digits>`.
func ObjectKey(workspace id.UUID, from uint64) string {
	return fmt.Sprintf("%s/%020d", workspace, from)
}

// ParseObjectKey reads what ObjectKey prints and nothing else.
func ParseObjectKey(key string) (workspace id.UUID, from uint64, err error) {
	name, digits, _ := strings.Cut(key, "/")
	workspace, err = id.ParseUUID(name)
	if err != nil {
		return id.UUID{}, 0, ErrObject
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' || from > (1<<64-1)/10 {
			return id.UUID{}, 0, ErrObject
		}
		from = from*10 + uint64(digits[i]-'0')
	}
	if ObjectKey(workspace, from) != key {
		return id.UUID{}, 0, ErrObject
	}
	return workspace, from, nil
}
