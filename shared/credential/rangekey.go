package credential

import (
	"crypto/sha1" //nolint:gosec // the range format is defined over SHA-1; nothing rests on its strength
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"paddock/shared/credential/known"
)

// RangePrefix is how many hexadecimal digits of a password's SHA-1 a range
// service is told: about one in a million. Source: Have I Been Pwned API v3.
const RangePrefix = 5

// A RangeKey asks a list of breached passwords for one of them without naming
// it. It does not print: with its suffix the password could be guessed at.
type RangeKey struct {
	prefix, suffix string // upper-case hexadecimal
	_              [0]func()
}

// RangeKey returns the key of p, over its text in NFC.
func (p Password) RangeKey() RangeKey {
	sum := sha1.Sum([]byte(p.text)) //nolint:gosec // as above
	digits := strings.ToUpper(hex.EncodeToString(sum[:]))
	return RangeKey{prefix: digits[:RangePrefix], suffix: digits[RangePrefix:]}
}

// In reports whether a list has p, as it is or folded: what differs from a known
// password by letter case or by width alone is guessed with it.
func (p Password) In(list *known.List) bool {
	return list.Has(known.SumOf(p.text)) || list.Has(known.SumOf(fold(p.text)))
}

// Prefix returns the digits that may be sent.
func (k RangeKey) Prefix() string { return k.prefix }

// Is reports whether suffix, in either letter case, completes the key.
func (k RangeKey) Is(suffix string) bool {
	return k.suffix != "" && strings.EqualFold(k.suffix, suffix)
}

// LogValue keeps keys out of logs.
func (k RangeKey) LogValue() slog.Value { return slog.StringValue("redacted") }

// Format keeps keys out of every fmt verb.
func (k RangeKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "redacted") }
