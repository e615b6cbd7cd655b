// Package mfa holds second factors: what is stored of them, challenges, and
// the one rule of freshness. It promises that a code opens one thing once.
package mfa

import (
	"encoding/hex"
	"strconv"
	"time"

	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/table"
)

// A Proof is one completed MFA verification. It belongs to the session that
// holds it and counts nowhere else.
type Proof struct {
	ID     id.ID[id.Proof] `json:"id"`
	Method identity.Method `json:"method"`
	At     time.Time       `json:"at"`
	// For is the workspace's timeout at that time: raising it later brings no
	// proof back.
	For time.Duration `json:"for,omitzero"`
	// Factor is what was proved; zero for what is none of the account's.
	Factor id.ID[id.Factor] `json:"factor,omitzero"`
}

// Fresh reports whether the proof is younger than timeout at now. The interval
// is half-open: at age timeout it is over. A proof from the future, no proof,
// and a recovery code are never fresh. Source: specification, "MFA validity";
// security, SU-3 and SU-4.
func Fresh(p Proof, now time.Time, timeout time.Duration) bool {
	if p.ID.Zero() || p.Method == identity.RecoveryCode {
		return false
	}
	age := now.Sub(p.At)
	return age >= 0 && age < timeout && (p.For == 0 || age < p.For)
}

// A Purpose is what a challenge is for; an answer counts for nothing else.
type Purpose string

// The purposes.
const (
	SignIn Purpose = "login"
	StepUp Purpose = "step_up"
)

// ChallengeLife is how long a challenge can be answered, MaxTries how often.
// Source: security, MF-3 and MF-4.
const (
	ChallengeLife = 5 * time.Minute
	MaxTries      = 5
)

// FactorTries and FactorWindow bound the guesses at one factor over all
// challenges and sign-ins; they start anew in each window. Source: security,
// MF-3.
const (
	FactorTries  = 10
	FactorWindow = time.Hour
)

// FactorTotal bounds the wrong answers by one method until a right one: beyond
// it the method is dead until it is set up anew. Source: security, MF-3; NIST SP
// 800-63B-4, section 3.2.2.
const FactorTotal = 100

// A Challenge is an open request to prove a factor, bound to one session.
type Challenge struct {
	ID        id.ID[id.Challenge] `json:"id"`
	Session   string              `json:"session"` // hash of the session's secret
	Method    identity.Method     `json:"method"`
	Purpose   Purpose             `json:"purpose"`
	ExpiresAt time.Time           `json:"expires_at"`
	Code      string              `json:"code,omitempty"`    // that was sent
	SentTo    string              `json:"sent_to,omitempty"` // masked
	Message   id.ID[id.Message]   `json:"message,omitzero"`  // that the code is in
	Factor    id.ID[id.Factor]    `json:"factor,omitzero"`   // whose code it is; zero for an unusual sign-in's
	Ceremony  Ceremony            `json:"ceremony,omitzero"` // of a security key
}

// A TOTPSecret is the stored secret of an authenticator app. LastStep is the
// newest time step ever accepted: it and older ones are refused for good
// (RFC 6238 section 5.2).
type TOTPSecret struct {
	Secret   []byte `json:"secret"`
	LastStep int64  `json:"last_step"`
	// Pending is true until a code confirmed the enrolment.
	Pending   bool      `json:"pending,omitempty"`
	Session   string    `json:"session,omitempty"` // hash of the session's secret, of a pending enrolment
	Name      string    `json:"name"`
	ExpiresAt time.Time `json:"expires_at,omitzero"` // of a pending enrolment
}

// A RecoverySet holds the hashes of the unused recovery codes.
type RecoverySet struct {
	Hashes []string `json:"hashes"`
}

// Refusals. A wrong, replayed or late code is one refusal: the caller is not
// told which.
var (
	ErrCode = fault.Error{
		Kind: fault.Denied, Code: "mfa_code_invalid",
		Detail: "The code is wrong or was used already.", Source: "code",
	}
	ErrChallenge = fault.Error{
		Kind: fault.NotFound, Code: "challenge_not_found",
		Detail: "This challenge has ended. Start again.", Source: "challenge",
	}
	ErrTries = fault.Error{
		Kind: fault.Limited, Code: "mfa_too_many_attempts",
		Detail: "Too many wrong codes. Wait before you try again.", Source: "code",
	}
	ErrSpent = fault.Error{
		Kind: fault.Denied, Code: "mfa_method_locked",
		Detail: "There were too many wrong codes. Use another method, and set this one up anew.", Source: "code",
	}
	ErrMethod = fault.Error{
		Kind: fault.Invalid, Code: "mfa_method_unavailable",
		Detail: "This method is not set up or not allowed in this workspace.", Source: "method",
	}
	ErrFactor = fault.Error{Kind: fault.NotFound, Code: "not_found", Detail: "There is no such sign-in method."}
	ErrLast   = fault.Error{
		Kind: fault.Conflict, Code: "mfa_last_factor",
		Detail: "This workspace requires MFA: your last sign-in method stays.",
	}
	ErrEnrolled = fault.Error{
		Kind: fault.Denied, Code: "mfa_factor_exists",
		Detail: "This account has a sign-in method already. Sign in with it first.",
	}
)

// FactorKey places the secret of a factor.
func FactorKey(ws id.ID[id.Workspace], user id.ID[id.Principal], factor id.ID[id.Factor]) table.Key {
	return table.Key{Table: table.Credentials, Kind: "C", Workspace: ws, Of: user.String(), SK: "factor#" + factor.String()}
}

// StoredOf returns the keys of everything that is stored of a factor apart from
// the account.
func StoredOf(ws id.ID[id.Workspace], user id.ID[id.Principal], f identity.Factor) []table.Key {
	keys := []table.Key{FactorKey(ws, user, f.ID)}
	if f.Taken != "" {
		keys = append(keys, TakenKey(ws, f.Taken))
	}
	return keys
}

// RecoveryKey places a user's recovery codes.
func RecoveryKey(ws id.ID[id.Workspace], user id.ID[id.Principal]) table.Key {
	return table.Key{Table: table.Credentials, Kind: "C", Workspace: ws, Of: user.String(), SK: "recovery"}
}

// ChallengeKey places an open challenge.
func ChallengeKey(ws id.ID[id.Workspace], user id.ID[id.Principal], c id.ID[id.Challenge]) table.Key {
	return table.Key{Table: table.Credentials, Kind: "C", Workspace: ws, Of: user.String(), SK: "challenge#" + c.String()}
}

// TriesKey places the counter of answers to one challenge.
func TriesKey(ws id.ID[id.Workspace], user id.ID[id.Principal], c id.ID[id.Challenge]) table.Key {
	return table.Key{Table: table.Credentials, Kind: "C", Workspace: ws, Of: user.String(), SK: "tries#" + c.String()}
}

// TotalKey places the counter of wrong answers by a method since the last right
// one. It begins anew when the method is set up anew, and, for what is no factor
// of the account, when its sessions are ended.
func TotalKey(ws id.ID[id.Workspace], u identity.User, m identity.Method) table.Key {
	since := strconv.FormatInt(u.Epoch, 10)
	for _, f := range u.Factors {
		if f.Method == m {
			since = f.ID.String()
		}
	}
	return table.Key{Table: table.Credentials, Kind: "C", Workspace: ws, Of: u.ID.String(), SK: "guess#" + string(m) + "#" + since}
}

// GuessKey places the counter of guesses at one factor in the window of now.
func GuessKey(ws id.ID[id.Workspace], user id.ID[id.Principal], factor string, now time.Time) table.Key {
	window := now.Unix() / int64(FactorWindow/time.Second)
	return table.Key{
		Table: table.Credentials, Kind: "C", Workspace: ws, Of: user.String(),
		SK: "guess#" + factor + "#" + hex.EncodeToString([]byte{byte(window >> 24), byte(window >> 16), byte(window >> 8), byte(window)}),
	}
}
