package credential

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"paddock/shared/fault"
)

// A Password is what a person typed, in Unicode form NFC. It does not print
// and does not compare.
type Password struct {
	text string
	_    [0]func()
}

// MaxPasswordBytes bounds a password after NFC; longer ones are refused before
// any work is done. Source: security, PW-4.
const MaxPasswordBytes = 1024

// Refusals of text that cannot be a password.
var (
	ErrPasswordLong      = fault.Error{Kind: fault.Invalid, Code: "password_too_long", Detail: "A password has at most 1,024 bytes.", Source: "password"}
	ErrPasswordCharacter = fault.Error{Kind: fault.Invalid, Code: "password_invalid_character", Detail: "A password holds no control characters and no invalid Unicode.", Source: "password"}
)

// NewPassword takes what was typed: nothing is trimmed, collapsed or cut. It
// fails with ErrPasswordLong and ErrPasswordCharacter, before any work whose
// cost depends on the password.
func NewPassword(typed string) (Password, error) {
	if len(typed) > 4*MaxPasswordBytes {
		return Password{}, ErrPasswordLong
	}
	// Decoders put U+FFFD in the place of invalid Unicode: two passwords that
	// only differ there would be one.
	if !utf8.ValidString(typed) || strings.ContainsRune(typed, utf8.RuneError) || strings.ContainsFunc(typed, unicode.IsControl) {
		return Password{}, ErrPasswordCharacter
	}
	text := norm.NFC.String(typed)
	if len(text) > MaxPasswordBytes {
		return Password{}, ErrPasswordLong
	}
	return Password{text: text}, nil
}

// LogValue keeps passwords out of logs.
func (p Password) LogValue() slog.Value { return slog.StringValue("redacted") }

// GoString keeps passwords out of %#v.
func (p Password) GoString() string { return "redacted" }

// Format keeps passwords out of every fmt verb.
func (p Password) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "redacted") }

// Params are the costs of argon2id (RFC 9106). Memory is in KiB.
type Params struct {
	MemoryKiB uint32
	Time      uint32
	Threads   uint8
}

// Current are the costs of new hashes. Source: OWASP Password Storage Cheat
// Sheet; security, PW-1.
var Current = Params{MemoryKiB: 19_456, Time: 2, Threads: 1}

// Bounds of the costs read from a stored hash: beyond them it is refused
// without allocating. Source: security, PW-3.
const (
	maxMemoryKiB = 1 << 20
	maxTime      = 10
	maxThreads   = 16
	saltSize     = 16
	tagSize      = 32
)

// A Hash is a stored password hash, read from its PHC text.
type Hash struct {
	params    Params
	salt, tag []byte
}

// HashPassword returns the PHC string of p under these costs with a fresh salt
// read from r.
func HashPassword(r io.Reader, p Password, c Params) (string, error) {
	salt := make([]byte, saltSize)
	if _, err := io.ReadFull(r, salt); err != nil {
		return "", err
	}
	tag := argon2.IDKey([]byte(p.text), salt, c.Time, c.MemoryKiB, c.Threads, tagSize)
	return Hash{params: c, salt: salt, tag: tag}.text(), nil
}

// text returns the PHC string of h, the one that ParseHash reads.
func (h Hash) text() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.params.MemoryKiB, h.params.Time, h.params.Threads,
		base64.RawStdEncoding.EncodeToString(h.salt), base64.RawStdEncoding.EncodeToString(h.tag))
}

// ParseHash reads a PHC string of argon2id, version 19, within the bounds.
func ParseHash(phc string) (Hash, bool) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v=19" {
		return Hash{}, false
	}
	costs := strings.Split(parts[3], ",")
	if len(costs) != 3 {
		return Hash{}, false
	}
	m, ok1 := cost(costs[0], "m=", maxMemoryKiB)
	t, ok2 := cost(costs[1], "t=", maxTime)
	p, ok3 := cost(costs[2], "p=", maxThreads)
	if !ok1 || !ok2 || !ok3 || m < 8*p {
		return Hash{}, false
	}
	if strings.ContainsAny(parts[4]+parts[5], "\r\n") {
		return Hash{}, false // the decoder would pass over them
	}
	strict := base64.RawStdEncoding.Strict()
	salt, err1 := strict.DecodeString(parts[4])
	tag, err2 := strict.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(salt) < 8 || len(salt) > 64 || len(tag) < 16 || len(tag) > 64 {
		return Hash{}, false
	}
	return Hash{params: Params{MemoryKiB: m, Time: t, Threads: uint8(p)}, salt: salt, tag: tag}, true
}

func cost(s, name string, limit uint64) (uint32, bool) {
	text, found := strings.CutPrefix(s, name)
	n, err := strconv.ParseUint(text, 10, 32)
	if !found || err != nil || n < 1 || n > limit || strconv.FormatUint(n, 10) != text {
		return 0, false
	}
	return uint32(n), true
}

// Weaker reports whether h was made with lower costs than c, so that it should
// be replaced at the next success.
func (h Hash) Weaker(c Params) bool {
	return h.params.MemoryKiB < c.MemoryKiB || h.params.Time < c.Time
}

// Dummy is a hash that no password matches. Verifying against it costs what
// verifying a real one costs, so that an unknown user takes as long.
func Dummy() Hash {
	return Hash{params: Current, salt: make([]byte, saltSize), tag: make([]byte, tagSize)}
}

// Matches reports whether p is the password of h, in constant time.
func (h Hash) Matches(p Password) bool {
	if len(h.tag) == 0 {
		return false
	}
	tag := argon2.IDKey([]byte(p.text), h.salt, h.params.Time, h.params.MemoryKiB, h.params.Threads, uint32(len(h.tag)))
	return subtle.ConstantTimeCompare(tag, h.tag) == 1
}

// ErrBusy refuses a hash that would need more memory than the function has.
var ErrBusy = fault.Error{Kind: fault.Limited, Code: "busy", Detail: "Too many sign-ins at once. Try again."}

// retryBusy is about how long a few hashes take.
const retryBusy = time.Second

// A Hasher lets only so many hashes run at once: argon2 takes its memory for
// as long as it runs.
type Hasher struct{ slots chan struct{} }

// NewHasher returns a Hasher for n hashes at once, at least one.
func NewHasher(n int) *Hasher { return &Hasher{slots: make(chan struct{}, max(1, n))} }

// Slots returns how many hashes of costs c fit at once into half of a memory
// of this many bytes, at least one; the rest is for everything else.
func Slots(memoryBytes int64, c Params) int {
	return int(max(1, memoryBytes/2/max(1, int64(c.MemoryKiB)<<10)))
}

// Do runs work when a slot is free, else it is ErrBusy at once.
func (h *Hasher) Do(work func()) error {
	select {
	case h.slots <- struct{}{}:
	default:
		return ErrBusy.After(retryBusy)
	}
	defer func() { <-h.slots }()
	work()
	return nil
}
