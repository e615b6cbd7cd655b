package session

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"paddock/shared/audit"
	"paddock/shared/credential"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/mfa"
	"paddock/shared/table"
	"paddock/shared/workspace"
)

// CLIClient is the one client of device login, and ClientName what people are
// shown for it.
const (
	CLIClient  = "paddock-cli"
	ClientName = "Command line"
)

// DeviceLife is how long a device login waits for its approval, PollEvery how
// often its client is asked to poll. Source: security, DF-1.
const (
	DeviceLife = 10 * time.Minute
	PollEvery  = 5 * time.Second
)

// Refusals of the OAuth rows; their codes are those of RFC 6749 section 5.2 and
// RFC 8628 section 3.5. A client is never told to slow down: the command line
// takes that for the end (docs/divergences.md).
var (
	ErrPending     = fault.Error{Kind: fault.Invalid, Code: "authorization_pending", Detail: "The login waits for its approval in the browser."}
	ErrExpired     = fault.Error{Kind: fault.Invalid, Code: "expired_token", Detail: "The login was not approved in time. Start again."}
	ErrDenied      = fault.Error{Kind: fault.Invalid, Code: "access_denied", Detail: "The login was denied in the browser."}
	ErrGrant       = fault.Error{Kind: fault.Invalid, Code: "invalid_grant", Detail: "The code or token is not valid here, or was used already."}
	ErrScope       = fault.Error{Kind: fault.Invalid, Code: "invalid_scope", Detail: "The scope must be cli with org: of this workspace and device: of this installation, within what was granted."}
	ErrTarget      = fault.Error{Kind: fault.Invalid, Code: "invalid_target", Detail: "The audience is another one than this workspace."}
	ErrGrantType   = fault.Error{Kind: fault.Invalid, Code: "unsupported_grant_type", Detail: "The grant types are device_code and refresh_token."}
	ErrOAuthClient = fault.Error{Kind: fault.Unauthenticated, Code: "invalid_client", Detail: "There is no such client."}
	ErrNoDeviceFor = fault.Error{Kind: fault.Invalid, Code: "unauthorized_client", Detail: "This workspace takes no device login here."}
)

// ErrNoAccessToken refuses to invalidate an access token where none was sent.
var ErrNoAccessToken = fault.Error{Kind: fault.Conflict, Code: "no_access_token", Detail: "This session has no access token. Sign out instead."}

// Refusals of the console's side. A wrong, used, answered and expired code are
// one refusal: who types codes is not told which.
var (
	ErrNoDevice = fault.Error{
		Kind: fault.NotFound, Code: "device_request_not_found",
		Detail: "No login waits for this code. Check it, or start again at the command line.", Source: "user_code",
	}
	ErrUserCodes = fault.Error{
		Kind: fault.Limited, Code: "user_code_too_many_attempts",
		Detail: "Too many wrong codes. Wait before you try again.", Source: "user_code",
	}
)

// A DeviceState is how far a device login has come. That it has expired is
// computed on read.
type DeviceState uint8

// The states. A redeemed login is not stored any more.
const (
	DeviceWaits DeviceState = iota + 1
	DeviceApproved
	DeviceDenied
)

// DeviceStates lists every state, for tests that walk them.
var DeviceStates = []DeviceState{DeviceWaits, DeviceApproved, DeviceDenied}

// String returns the state's name.
func (s DeviceState) String() string {
	switch s {
	case DeviceWaits:
		return "waits"
	case DeviceApproved:
		return "approved"
	case DeviceDenied:
		return "denied"
	}
	return "unknown"
}

// A DeviceLogin is one request of a command line to sign in (RFC 8628), as it is
// stored: under an HMAC of its user code, with the hash of its device code.
type DeviceLogin struct {
	Hash        string      `json:"hash"` // of the device code
	State       DeviceState `json:"state"`
	Client      string      `json:"client"`
	Scope       Scope       `json:"scope"`
	Agent       string      `json:"agent"`
	Address     string      `json:"address"`
	RequestedAt time.Time   `json:"requested_at"`
	ExpiresAt   time.Time   `json:"expires_at"`
	Approval    Approval    `json:"approval,omitzero"`
}

// An Approval is what the approving session hands over: its user, and what
// that user had proved.
type Approval struct {
	User    id.ID[id.Principal] `json:"user"`
	Epoch   int64               `json:"epoch"` // of the user; ended with it
	Method  string              `json:"method"`
	Factors []string            `json:"factors"`
	Proof   mfa.Proof           `json:"proof"`
}

// Waits reports whether the login can be approved or denied at now.
func (d DeviceLogin) Waits(now time.Time) bool {
	return d.State == DeviceWaits && now.Before(d.ExpiresAt)
}

// Redeemable is the rule of what a poll is answered: nil when the login is
// approved and client may have its tokens at now, else the refusal. At
// ExpiresAt the login is over, whatever its state.
func (d DeviceLogin) Redeemable(client string, now time.Time) error {
	switch {
	case client != d.Client:
		return ErrGrant
	case !now.Before(d.ExpiresAt):
		return ErrExpired
	}
	switch d.State {
	case DeviceWaits:
		return ErrPending
	case DeviceDenied:
		return ErrDenied
	case DeviceApproved:
		return nil
	}
	return ErrGrant
}

// ApprovedBy returns d approved with what a has proved. The proof keeps its own
// time; a recovery code's is not handed on.
func (d DeviceLogin) ApprovedBy(a Authenticated) DeviceLogin {
	d.State = DeviceApproved
	d.Approval = Approval{User: a.User.ID, Epoch: a.User.Epoch, Method: a.Session.Method, Factors: slices.Clone(a.Session.Factors)}
	if a.Session.Proof.Method != identity.RecoveryCode {
		d.Approval.Proof = a.Session.Proof
	}
	return d
}

// A Scope is what a command line asks for: the words that it sends, and the
// installation that it names, to which its refresh token is bound.
type Scope struct {
	Text   string `json:"text"`
	Device string `json:"device"`
}

// maxScope bounds the text of a scope, in bytes.
const maxScope = 512

// scopeWords are the words without a value. Source: alpacon-wire 1.5.
var scopeWords = []string{"openid", "profile", "email", "offline_access", "cli"}

// ParseScope reads the scope of a request to the workspace with this slug: the
// word cli, device: with an installation, org: of this workspace if at all,
// each once and no other, or ErrScope.
func ParseScope(text, slug string) (Scope, error) {
	if len(text) > maxScope {
		return Scope{}, ErrScope
	}
	out := Scope{Text: text}
	words := strings.Split(text, " ")
	for i, word := range words {
		if slices.Contains(words[:i], word) {
			return Scope{}, ErrScope
		}
		kind, value, valued := strings.Cut(word, ":")
		switch {
		case kind == "device" && valued && out.Device == "" && isDevice(value):
			out.Device = value
		case kind == "org" && valued && value == slug:
		case !valued && slices.Contains(scopeWords, word):
		default:
			return Scope{}, ErrScope
		}
	}
	if out.Device == "" || !slices.Contains(words, "cli") {
		return Scope{}, ErrScope
	}
	return out, nil
}

// isDevice reports whether s names an installation: 8 to 64 letters, digits and
// hyphens. Source: alpacon-wire 1.1.
func isDevice(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
	return len(s) >= 8 && len(s) <= 64 && strings.Trim(s, letters) == ""
}

// Within reports whether every word of s was granted in g; the installation is
// another question.
func (s Scope) Within(g Scope) bool {
	granted := strings.Split(g.Text, " ")
	for word := range strings.SplitSeq(s.Text, " ") {
		if !strings.HasPrefix(word, "device:") && !slices.Contains(granted, word) {
			return false
		}
	}
	return true
}

// Installation returns the id of the device for events, zero when the
// installation's name is none.
func (s Scope) Installation() id.UUID {
	u, err := id.ParseUUID(s.Device)
	if err != nil {
		return id.UUID{}
	}
	return u
}

// Tokens is what a session of a command line holds besides what every session
// has. The item is stored under the hash of its refresh token.
type Tokens struct {
	Client string `json:"client"`
	Scope  Scope  `json:"scope"`
	// Access is the hash of the handle in the access tokens, empty when they
	// were invalidated; Generation counts how often.
	Access     string `json:"access"`
	Generation int64  `json:"generation"`
}

// opens reports whether a handle is that of the session's access tokens.
func (t *Tokens) opens(handle credential.Secret) bool {
	hash := handle.Hash()
	return t != nil && subtle.ConstantTimeCompare([]byte(t.Access), []byte(hex.EncodeToString(hash[:]))) == 1
}

// accessHandle returns the handle in the access tokens of a generation. It is
// made of the refresh token, so that a refresh can put the same handle into a
// new token although only hashes are stored: tokens handed out before stay
// good, as other processes of the same installation use them.
func accessHandle(refresh credential.Secret, generation int64) (credential.Secret, error) {
	h := hmac.New(sha256.New, []byte(refresh.Reveal()))
	fmt.Fprintf(h, "access handle %d", generation)
	return credential.New(bytes.NewReader(h.Sum(nil)), credential.Device, refresh.Workspace(), refresh.Principal())
}

// beginDevice returns the session that an approved login begins at now.
func beginDevice(name id.UUID, d DeviceLogin, w workspace.Workspace, u identity.User, src audit.Source, now time.Time) Session {
	s := Begin(name, Device, w, u, d.Approval.Method, src, now)
	s.Factors, s.Proof = slices.Clone(d.Approval.Factors), d.Approval.Proof
	s.Device = ClientName + " on device " + d.Scope.Device
	s.Tokens = &Tokens{Client: d.Client, Scope: d.Scope}
	return s
}

// userCodeField is the field whose HMACs place device logins.
const userCodeField = "user code"

// deviceKey places a device login by the HMAC of its user code, of which a
// device code carries as much as fits an id.
func deviceKey(ws id.ID[id.Workspace], of id.UUID) table.Key {
	return table.Key{Table: table.Credentials, Kind: "Q", Workspace: ws, Of: hex.EncodeToString(of[:]), SK: "login"}
}
