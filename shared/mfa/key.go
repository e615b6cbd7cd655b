package mfa

import (
	"bytes"
	"net/url"
	"slices"
	"time"

	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/table"
	"paddock/shared/workspace"
)

// A Key is a stored WebAuthn credential: a hardware key, or a device that
// checks its owner's finger or face. Source: W3C WebAuthn Level 3, section 4,
// "credential record".
type Key struct {
	ID         []byte `json:"id"`
	PublicKey  []byte `json:"public_key"` // COSE
	SignCount  uint32 `json:"sign_count"`
	AAGUID     []byte `json:"aaguid,omitempty"` // what model the authenticator says it is
	Attachment string `json:"attachment,omitempty"`
	// Transports are what the browser may reach it by.
	Transports []string `json:"transports,omitempty"`
	// BackupEligible never changes; BackedUp is what the last answer said.
	BackupEligible bool `json:"backup_eligible,omitempty"`
	BackedUp       bool `json:"backed_up,omitempty"`
	UserVerified   bool `json:"user_verified,omitempty"` // at registration
}

// A PendingKey is a key being set up. It counts for nothing, and only the
// session that began can finish.
type PendingKey struct {
	Pending   bool            `json:"pending"`
	Method    identity.Method `json:"method"`
	Name      string          `json:"name"`
	Session   string          `json:"session"` // hash of the session's secret
	Ceremony  Ceremony        `json:"ceremony"`
	ExpiresAt time.Time       `json:"expires_at"`
}

// A Ceremony is what was asked of an authenticator, and what its answer is held
// to. It is used once.
type Ceremony struct {
	Challenge string `json:"challenge"` // 32 random bytes, base64url
	// Verified demands that the authenticator verified its user.
	Verified bool `json:"verified,omitempty"`
}

// A Holder is whose key it is, as the authenticator shows and keeps it.
type Holder struct {
	Handle  []byte // the account's id
	Name    string
	Display string
}

// HolderOf returns an account as the holder of keys.
func HolderOf(u identity.User) Holder {
	uid := u.ID.UUID()
	name := u.Username
	if name == "" {
		name = u.Email
	}
	return Holder{Handle: uid[:], Name: name, Display: u.DisplayName()}
}

// A Site is what keys are bound to: the host of the workspace's canonical
// origin, and its origins on that host. Source: security, WA-1.
type Site struct {
	Host    string
	Name    string
	Origins []string
}

// SiteOf returns the site of a workspace. What its item says counts, and no
// header of a request.
func SiteOf(w workspace.Workspace) Site {
	site := Site{Name: w.Name}
	for _, origin := range w.Origins {
		u, err := url.Parse(origin)
		if err != nil {
			continue
		}
		if site.Host == "" {
			site.Host = u.Hostname()
		}
		if u.Hostname() == site.Host {
			site.Origins = append(site.Origins, origin)
		}
	}
	return site
}

// A KeyFailure says why the answer of an authenticator was not accepted, in the
// words of the event; it is not told to whoever gave it.
type KeyFailure struct {
	Reason string // wrong, origin or uv
	Cause  error
}

func (f *KeyFailure) Error() string { return "mfa: " + f.Reason + ": " + f.Cause.Error() }
func (f *KeyFailure) Unwrap() error { return f.Cause }

// IsKey reports whether a method is proved by WebAuthn.
func IsKey(m identity.Method) bool { return m == identity.HardwareKey || m == identity.Biometric }

// Refusals of keys. What is wrong with an answer is in the log, not told.
var (
	ErrKey = fault.Error{
		Kind: fault.Denied, Code: "mfa_credential_invalid",
		Detail: "The answer of the security key or device was not accepted.", Source: "credential",
	}
	ErrKeyKind = fault.Error{
		Kind: fault.Invalid, Code: "mfa_authenticator_not_allowed",
		Detail: "This authenticator cannot be used for this sign-in method in this workspace.", Source: "credential",
	}
	ErrKeyTaken = fault.Error{
		Kind: fault.Conflict, Code: "mfa_credential_in_use",
		Detail: "This security key or device is registered already.", Source: "credential",
	}
	ErrKeyCopied = fault.Error{
		Kind: fault.Denied, Code: "mfa_credential_copied",
		Detail: "This key counted backwards: there may be a copy of it. Use another method, and remove this key.", Source: "credential",
	}
)

// MayBe is the rule of what may be registered as which method. A hardware key
// roams and cannot be copied; a biometric device verified its user. models, if
// any, are the only models of hardware keys that are allowed. Source: issue C;
// security, WA-3 and WA-8.
func MayBe(m identity.Method, k Key, models []string) bool {
	switch m {
	case identity.HardwareKey:
		return !k.BackupEligible && k.Attachment != "platform" && (len(models) == 0 || slices.Contains(models, modelOf(k.AAGUID)))
	case identity.Biometric:
		return k.UserVerified && (k.Attachment != "cross-platform" || k.BackupEligible)
	case identity.OTP, identity.MailedCode, identity.Phone, identity.RecoveryCode:
	}
	return false
}

// modelOf returns an AAGUID as text; that of nobody for one that is missing.
func modelOf(aaguid []byte) string {
	var u id.UUID
	if len(aaguid) == len(u) {
		u = id.UUID(aaguid)
	}
	return u.String()
}

// Counted is the rule of signature counters: an answer whose counter is not
// beyond the stored one may be a copy's, unless the authenticator does not
// count. Source: W3C WebAuthn Level 3, section 6.1.1; security, WA-4.
func Counted(stored, answered uint32) bool {
	return answered > stored || answered == 0 && stored == 0
}

// Find returns the key with this id, and its place.
func Find(keys []Key, name []byte) int {
	return slices.IndexFunc(keys, func(k Key) bool { return bytes.Equal(k.ID, name) })
}

// KeyIDField is the name under which ids of keys are MACed.
const KeyIDField = "webauthn"

// TakenKey places the item that makes a key's id unique in a workspace; mac is
// its index value under KeyIDField.
func TakenKey(ws id.ID[id.Workspace], mac string) table.Key {
	return table.Key{Table: table.Data, Kind: "N", Workspace: ws, Of: mac, SK: "key"}
}

// PasskeyTriesKey places the counter of answers to one challenge of PasskeyKey.
func PasskeyTriesKey(ws id.ID[id.Workspace], c id.ID[id.Challenge]) table.Key {
	return table.Key{Table: table.Credentials, Kind: "C", Workspace: ws, Of: c.String(), SK: "tries#passkey"}
}

// PasskeyKey places an open challenge of a sign-in that names nobody yet.
func PasskeyKey(ws id.ID[id.Workspace], c id.ID[id.Challenge]) table.Key {
	return table.Key{Table: table.Credentials, Kind: "C", Workspace: ws, Of: c.String(), SK: "passkey"}
}
