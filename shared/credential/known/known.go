// Package known holds an operator's list of known passwords as a binary fuse
// filter over SHA-1 hashes, in memory and in a file. It promises to find every
// password that was put in, and to refuse a file that is not exactly what was
// written. It stores no password, and knows nothing of where lists come from
// nor of the rules that ask it.
package known

import (
	"crypto/sha1" //nolint:gosec // published lists are of SHA-1; nothing rests on its strength
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/FastFilter/xorfilter"
	"golang.org/x/text/unicode/norm"
)

// A Sum is the SHA-1 of a password in NFC, as Have I Been Pwned publishes it.
type Sum [sha1.Size]byte

// SumOf returns the Sum of a password.
func SumOf(text string) Sum {
	return sha1.Sum(norm.NFC.Bytes([]byte(text))) //nolint:gosec // as above
}

// LogValue keeps sums out of logs.
func (s Sum) LogValue() slog.Value { return slog.StringValue("redacted") }

// Format keeps sums out of every fmt verb.
func (s Sum) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "redacted") }

// key is what the filter holds of a Sum: with 64 bits, two of the largest list
// collide once in 8,000 lists.
func (s Sum) key() uint64 { return binary.BigEndian.Uint64(s[:8]) }

// MaxPasswords bounds a list. Its filter, of 2.25 bytes a password, then takes
// 151 MB of the 250 MB that a function's archive may unpack to. Source: AWS
// Lambda Developer Guide, "Lambda quotas".
const MaxPasswords = 64 << 20

// Refusals of lists.
var (
	ErrEmpty = errors.New("the list holds no password")
	ErrLarge = fmt.Errorf("the list holds more than %d passwords", MaxPasswords)
)

// A List answers whether a password is known. A password that is not in it is
// found all the same once in 65,536 times.
type List struct {
	count  uint64 // different passwords
	filter xorfilter.BinaryFuse[uint16]
}

// Count returns how many different passwords were put in.
func (l *List) Count() int { return int(l.count) }

// Has reports whether a password with this Sum was put in.
func (l *List) Has(s Sum) bool { return l.filter.Contains(s.key()) }

// A Builder collects passwords: 8 bytes each, and while Build runs 26 more.
type Builder struct{ keys []uint64 }

// Add puts in a password by its Sum; ErrLarge when there are too many, repeated
// ones included.
func (b *Builder) Add(s Sum) error {
	if len(b.keys) == MaxPasswords {
		return ErrLarge
	}
	b.keys = append(b.keys, s.key())
	return nil
}

// Build returns the list: the same one for the same passwords, in whichever
// order they came. It fails with ErrEmpty.
func (b *Builder) Build() (*List, error) {
	slices.Sort(b.keys)
	b.keys = slices.Compact(b.keys)
	if len(b.keys) == 0 {
		return nil, ErrEmpty
	}
	filter, err := xorfilter.NewBinaryFuse[uint16](b.keys)
	if err != nil {
		return nil, fmt.Errorf("build the filter: %w", err)
	}
	return &List{count: uint64(len(b.keys)), filter: *filter}, nil
}
