// Package id holds the identifiers of Paddock: UUIDs, typed by what they name,
// so that the id of one kind cannot be passed where another is asked.
package id

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"time"
)

// ErrMalformed is returned by every parser of this package for text that is
// not the one canonical form of an identifier.
var ErrMalformed = errors.New("id: not a canonical UUID")

// A UUID is an RFC 9562 identifier. The zero UUID names nothing.
type UUID [16]byte

// String returns the canonical form: 36 characters, lower-case hexadecimal.
func (u UUID) String() string {
	var b [36]byte
	hex.Encode(b[0:8], u[0:4])
	b[8] = '-'
	hex.Encode(b[9:13], u[4:6])
	b[13] = '-'
	hex.Encode(b[14:18], u[6:8])
	b[18] = '-'
	hex.Encode(b[19:23], u[8:10])
	b[23] = '-'
	hex.Encode(b[24:36], u[10:16])
	return string(b[:])
}

// Zero reports whether u names nothing.
func (u UUID) Zero() bool { return u == UUID{} }

// Time returns the creation time that a version 7 UUID carries, to the
// millisecond, in UTC. For other versions the result has no meaning.
func (u UUID) Time() time.Time {
	ms := int64(u[0])<<40 | int64(u[1])<<32 | int64(u[2])<<24 | int64(u[3])<<16 | int64(u[4])<<8 | int64(u[5])
	return time.UnixMilli(ms).UTC()
}

// ParseUUID accepts only the form that String prints; everything else is
// ErrMalformed and the zero UUID.
func ParseUUID(s string) (UUID, error) {
	var u UUID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return UUID{}, ErrMalformed
	}
	at := 0
	for i := 0; i < 36; {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			i++
			continue
		}
		hi, ok1 := nibble(s[i])
		lo, ok2 := nibble(s[i+1])
		if !ok1 || !ok2 {
			return UUID{}, ErrMalformed
		}
		u[at] = hi<<4 | lo
		at++
		i += 2
	}
	return u, nil
}

func nibble(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}

// A Source makes new identifiers. Its zero value reads crypto/rand; tests of
// protocols inject a reader.
type Source struct {
	Reader io.Reader
}

// NewUUID returns a version 7 UUID (RFC 9562 section 5.7): 48 bits of now in
// milliseconds, then 74 random bits, so that ids sort by time.
func (s Source) NewUUID(now time.Time) (UUID, error) {
	r := s.Reader
	if r == nil {
		r = rand.Reader
	}
	var u UUID
	if _, err := io.ReadFull(r, u[6:]); err != nil {
		return UUID{}, err
	}
	ms := now.UnixMilli()
	u[0], u[1], u[2], u[3], u[4], u[5] = byte(ms>>40), byte(ms>>32), byte(ms>>24), byte(ms>>16), byte(ms>>8), byte(ms)
	u[6] = u[6]&0x0f | 0x70
	u[8] = u[8]&0x3f | 0x80
	return u, nil
}

// An ID names one object of kind K. K is a marker type and is never stored.
type ID[K any] struct{ uuid UUID }

// Of types an untyped UUID.
func Of[K any](u UUID) ID[K] { return ID[K]{u} }

// Parse reads the canonical form of an ID.
func Parse[K any](s string) (ID[K], error) {
	u, err := ParseUUID(s)
	return ID[K]{u}, err
}

// UUID returns the untyped identifier, for stored keys and the audit log.
func (i ID[K]) UUID() UUID { return i.uuid }

// String returns the canonical form.
func (i ID[K]) String() string { return i.uuid.String() }

// Zero reports whether i names nothing.
func (i ID[K]) Zero() bool { return i.uuid.Zero() }

// MarshalText prints the canonical form; the zero ID prints as empty text.
func (i ID[K]) MarshalText() ([]byte, error) {
	if i.Zero() {
		return []byte{}, nil
	}
	return []byte(i.uuid.String()), nil
}

// UnmarshalText accepts what MarshalText prints and nothing else.
func (i *ID[K]) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*i = ID[K]{}
		return nil
	}
	u, err := ParseUUID(string(b))
	if err != nil {
		return err
	}
	i.uuid = u
	return nil
}

// Marker types of the kinds that have typed identifiers.
type (
	// Workspace marks the id of a workspace, the tenant.
	Workspace struct{}
	// Principal marks the id of a user or an application.
	Principal struct{}
	// Session marks the public id of a sign-in session.
	Session struct{}
	// Browser marks the id of a browser that its owner has signed in from.
	Browser struct{}
	// Factor marks the id of an authenticator.
	Factor struct{}
	// Challenge marks the id of an open one-time challenge.
	Challenge struct{}
	// Proof marks the id of one completed MFA verification.
	Proof struct{}
	// Invitation marks the id of an invitation.
	Invitation struct{}
	// Event marks the id of an audit event.
	Event struct{}
	// Message marks the id of an outgoing message.
	Message struct{}
	// Group marks the id of a group.
	Group struct{}
	// Role marks the id of a custom role.
	Role struct{}
	// RoleAssignment marks the id of a role that somebody has.
	RoleAssignment struct{}
	// Server marks the id of a server.
	Server struct{}
	// Token marks the id of an API token.
	Token struct{}
	// Rule marks the id of a row of a token's access control lists.
	Rule struct{}
	// Membership marks the id of somebody's place in a group.
	Membership struct{}
	// Registration marks the id of a token with which servers register.
	Registration struct{}
	// Assignment marks the id of an assignment of servers.
	Assignment struct{}
	// Note marks the id of a note on a server.
	Note struct{}
)
