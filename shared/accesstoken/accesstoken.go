// Package accesstoken makes and checks the access tokens of device login: a
// signed JWT (RFC 7519, RFC 9068) around an opaque handle. Clients read its
// claims; nothing here or elsewhere decides by a claim that a stored item
// answers. The package promises that a token has one form and one algorithm,
// and that nothing in its header is ever interpreted. It stores nothing.
package accesstoken

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"

	"paddock/shared/credential"
	"paddock/shared/id"
)

// Life is how long a token is good for. Source: decision 9.
const Life = 15 * time.Minute

// Skew is how far ahead of ours the clock of the instance that signed may be.
const Skew = 30 * time.Second

// KeySize is the length of a signing key in bytes, that of the hash (RFC 7518
// section 3.2).
const KeySize = 32

// maxText bounds the text that is looked at, in bytes; ours have about 1,000.
const maxText = 2048

// header is the only header that a token of ours has: {"alg":"HS256","typ":"at+jwt"}.
// Every other text is refused unread, so that no parameter of it (kid, jku,
// jwk, crit, zip) can be honoured.
const header = "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9"

// typ is the media type of access tokens (RFC 9068 section 2.1).
const typ = "at+jwt"

// ErrInvalid is returned for whatever is no good token. It says nothing more.
var ErrInvalid = errors.New("accesstoken: not valid")

// A Workspace is one of the workspaces that a token lists for its client, which
// shows them. Claim and members are those that the command line reads for
// "workspace ls".
type Workspace struct {
	Name   string `json:"schema_name"`
	ID     string `json:"auth0_id"`
	Region string `json:"region"`
}

// Claims are what a token says. Every member is there and no other one is
// accepted; an audience that is a list is refused (RFC 8725 section 3.9).
type Claims struct {
	Issuer     string      `json:"iss"`
	Audience   string      `json:"aud"`
	Subject    string      `json:"sub"`
	IssuedAt   int64       `json:"iat"`
	ExpiresAt  int64       `json:"exp"`
	ID         string      `json:"jti"`
	Client     string      `json:"client_id"`
	Scope      string      `json:"scope"`
	Workspaces []Workspace `json:"https://alpacon.io/workspaces"`
	// Session places the stored session, Handle opens it.
	Session string `json:"sid"`
	Handle  string `json:"handle"`
}

// A Token is the text of a token that nothing has been believed of yet: where
// it claims to lead, to be read before its signature can be checked.
type Token struct {
	_       [0]func() // no ==
	text    string
	claims  Claims
	handle  credential.Secret
	session [32]byte
}

// Sign returns the token of these claims.
func Sign(key [KeySize]byte, c Claims) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: key[:]}, new(jose.SignerOptions).WithType(typ))
	if err != nil {
		return "", fmt.Errorf("sign an access token: %w", err)
	}
	payload, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("sign an access token: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign an access token: %w", err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		return "", fmt.Errorf("sign an access token: %w", err)
	}
	if _, err := Read(text); err != nil { // the library's header is the constant
		return "", fmt.Errorf("sign an access token: %w", err)
	}
	return text, nil
}

// Read takes a token apart without believing it. Text that is not in the one
// form of a token is ErrInvalid.
func Read(text string) (Token, error) {
	if len(text) > maxText {
		return Token{}, ErrInvalid
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 || parts[0] != header {
		return Token{}, ErrInvalid
	}
	payload, ok := decode(parts[1])
	if !ok {
		return Token{}, ErrInvalid
	}
	if mac, ok := decode(parts[2]); !ok || len(mac) != KeySize {
		return Token{}, ErrInvalid
	}
	t := Token{text: text}
	var err error
	if t.claims, err = claimsOf(payload); err != nil {
		return Token{}, err
	}
	if t.handle, err = credential.Parse(t.claims.Handle); err != nil || t.handle.Prefix() != credential.Device {
		return Token{}, ErrInvalid
	}
	place, err := hex.DecodeString(t.claims.Session)
	if err != nil || len(place) != len(t.session) || hex.EncodeToString(place) != t.claims.Session {
		return Token{}, ErrInvalid
	}
	copy(t.session[:], place)
	return t, nil
}

// decode reads one part of a token in its one form: without padding, line
// breaks or bits beyond the last byte, all of which base64 would let pass.
func decode(part string) ([]byte, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(part)
	return b, err == nil && base64.RawURLEncoding.EncodeToString(b) == part
}

func claimsOf(payload []byte) (Claims, error) {
	var c Claims
	// Duplicate names and invalid UTF-8 are refused by the decoder.
	if err := json.Unmarshal(payload, &c, json.RejectUnknownMembers(true), json.MatchCaseInsensitiveNames(false)); err != nil {
		return Claims{}, ErrInvalid
	}
	return c, nil
}

// Handle returns the handle that the token wraps.
func (t Token) Handle() credential.Secret { return t.handle }

// Session returns where the token says that its session is stored.
func (t Token) Session() [32]byte { return t.session }

// What a token must say to be of this issuer, for this user, at now.
type Expected struct {
	Origin  string // issuer and audience
	Subject id.UUID
	Now     time.Time
}

// Check reports with ErrInvalid whatever keeps the token from being one that
// key signed, for the expected issuer, audience and user, good at now: in
// [iat-Skew, exp), so that at exp it is over.
func (t Token) Check(key [KeySize]byte, want Expected) error {
	parsed, err := jose.ParseSignedCompact(t.text, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil {
		return ErrInvalid
	}
	payload, err := parsed.Verify(key[:])
	if err != nil {
		return ErrInvalid
	}
	c, err := claimsOf(payload)
	if err != nil {
		return err
	}
	issued, expires := time.Unix(c.IssuedAt, 0), time.Unix(c.ExpiresAt, 0)
	switch {
	case want.Origin == "" || c.Issuer != want.Origin || c.Audience != want.Origin,
		want.Subject.Zero() || c.Subject != want.Subject.String(),
		c.IssuedAt <= 0 || issued.After(want.Now.Add(Skew)),
		!want.Now.Before(expires), expires.Sub(issued) > Life:
		return ErrInvalid
	}
	return nil
}
