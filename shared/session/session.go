// Package session holds sign-in sessions: what proves that a person is signed
// in, for how long, and how strongly. It promises that a session ends at its
// instant whatever schedules do, and that a handle of one workspace or kind
// opens nothing of another.
package session

import (
	"encoding/hex"
	"slices"
	"time"

	"paddock/shared/application"
	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/mfa"
	"paddock/shared/table"
	"paddock/shared/token"
	"paddock/shared/workspace"
)

// A Kind is what a session is good for.
type Kind uint8

// The kinds. Half is the state between password and second factor: it opens
// only what completes the sign-in.
const (
	Console Kind = iota + 1
	CLI
	Half
	// Device is a command line that signed in by device login.
	Device
	// APIToken and ServiceToken stand for no session: a request came with a token
	// of a person or an application.
	APIToken
	ServiceToken
)

// String returns the kind's name in events and answers.
func (k Kind) String() string {
	switch k {
	case Console:
		return "web"
	case CLI, Device:
		return "cli"
	case Half:
		return "half"
	case APIToken:
		return "api_token"
	case ServiceToken:
		return "service_token"
	}
	return "unknown"
}

// Prefix returns the prefix of the kind's handles.
func (k Kind) Prefix() credential.Prefix {
	switch k {
	case Console:
		return credential.ConsoleSession
	case CLI:
		return credential.CLISession
	case Half:
		return credential.HalfSession
	case Device:
		return credential.Device
	case APIToken:
		return credential.APIToken
	case ServiceToken:
		return credential.ServiceToken
	}
	return ""
}

// Limits of sessions that no setting moves: a half-signed-in one lives for the
// length of one sign-in.
const (
	HalfLimit = 10 * time.Minute
	// TouchEvery is how often the last use of a session is written.
	TouchEvery = time.Minute
)

// A Session is one signed-in browser or command line.
type Session struct {
	ID        id.ID[id.Session] `json:"id"`
	Kind      Kind              `json:"kind"`
	Epoch     int64             `json:"epoch"` // of the user when it began
	CreatedAt time.Time         `json:"created_at"`
	SeenAt    time.Time         `json:"seen_at"`
	EndsAt    time.Time         `json:"ends_at"`
	Method    string            `json:"method"`  // how the first factor was proved
	Factors   []string          `json:"factors"` // all that was proved at sign-in
	Proof     mfa.Proof         `json:"proof"`
	Device    string            `json:"device"` // user agent, shown to its owner
	Address   string            `json:"address"`
	// EnrolOnly is set for a session opened by a recovery code.
	EnrolOnly bool `json:"enrol_only,omitempty"`
	// ChangePassword is set while the password must be replaced: it was chosen
	// by somebody else, or is one that is guessed first.
	ChangePassword bool `json:"change_password,omitempty"`
	// Unusual is set for a half-signed-in session that a mailed code completes.
	Unusual bool `json:"unusual,omitempty"`
	// Mailed is the challenge whose code was sent last, by mail or phone, and
	// Enrolling the method being set up whose code was: those before ended with
	// them.
	Mailed    id.ID[id.Challenge] `json:"mailed,omitzero"`
	Enrolling id.ID[id.Factor]    `json:"enrolling,omitzero"`
	// Tokens is there for the kind Device.
	Tokens *Tokens `json:"tokens,omitempty"`
}

// Live reports whether the session is still good at now in its workspace:
// before its absolute end and, for a browser, in use. Settings bite when they
// are lowered; raised, they lengthen no session that is there.
func (s Session) Live(w workspace.Workspace, now time.Time) bool {
	return now.Before(s.End(w)) && (s.Kind == CLI || s.Kind == Device || now.Sub(s.SeenAt) < w.SessionIdle())
}

// End returns the absolute end of the session.
func (s Session) End(w workspace.Workspace) time.Time {
	if end := s.CreatedAt.Add(w.SessionAbsolute()); end.Before(s.EndsAt) {
		return end
	}
	return s.EndsAt
}

// Begin returns a new session of a kind at now.
func Begin(name id.UUID, k Kind, w workspace.Workspace, u identity.User, method string, src audit.Source, now time.Time) Session {
	limit := w.SessionAbsolute()
	if k == Half {
		limit = HalfLimit
	}
	return Session{
		ID: id.Of[id.Session](name), Kind: k, Epoch: u.Epoch, CreatedAt: now, SeenAt: now, EndsAt: now.Add(limit),
		Method: method, Factors: []string{method}, Device: src.UserAgent, Address: src.IP.String(),
	}
}

// Key places a session by the hash of its handle, in the partition of its user.
func Key(ws id.ID[id.Workspace], user id.ID[id.Principal], hash [32]byte) table.Key {
	return table.Key{Table: table.Data, Kind: "U", Workspace: ws, Of: user.String(), SK: skPrefix + hex.EncodeToString(hash[:])}
}

const skPrefix = "session#"

// Refusals of credentials. What exactly is wrong with one is not told.
var (
	ErrNoCredential = fault.Error{
		Kind: fault.Unauthenticated, Code: "authentication_required",
		Detail: "Sign in first.",
	}
	ErrInvalid = fault.Error{
		Kind: fault.Unauthenticated, Code: "session_invalid",
		Detail: "This session or token is not valid any more. Sign in again.",
	}
	ErrHalf = fault.Error{
		Kind: fault.Unauthenticated, Code: "sign_in_incomplete",
		Detail: "Finish signing in first.",
	}
	ErrEnrolOnly = fault.Error{
		Kind: fault.Denied, Code: "enrolment_required",
		Detail: "Set up a sign-in method first: this session may do nothing else.",
	}
)

// An Authenticated request: the session or token with everything that the guard read
// beside it in one round trip.
type Authenticated struct {
	Workspace     workspace.Workspace
	WorkspaceItem table.Item
	User          identity.User
	UserItem      table.Item
	Session       Session
	SessionItem   table.Item // the token's, when there is one
	// Token is there when the request came with one and with no session, with
	// its rules. Session has its kind then and nothing else.
	Token *token.Token
	Rules token.ACL
	// Application is whose token it is, when it is an application's. User names
	// it then, has nothing else of an account, and UserItem is the application's.
	Application *application.Application
	Hash        string
	Objects     []table.Item // those of the path that are there
	PolicyItem  table.Item   // head of the workspace's policy; zero while there is none
	Policy      *authz.Policy
}

// Scopes returns the scopes of the token that the request came with: those of its
// application for one that has all of them, nil without a token.
func (a Authenticated) Scopes() []string {
	switch {
	case a.Token == nil:
		return nil
	case a.Application != nil && slices.Contains(a.Token.Scopes, token.Everything):
		return a.Application.Scopes
	}
	return a.Token.Scopes
}

// Fresh reports whether the session's proof opens protected actions at now: it
// is young enough, by a factor that the account still has and a method that
// the workspace takes for it. Source: security, MF-8, MF-9, SU-3.
func (a Authenticated) Fresh(now time.Time) bool {
	var opens []identity.Method
	for _, m := range a.Workspace.Security.StepsUp() {
		opens = append(opens, identity.Method(m))
	}
	return a.fresh(now, opens)
}

func (a Authenticated) fresh(now time.Time, by []identity.Method) bool {
	p := a.Session.Proof
	return a.Proved() && mfa.Fresh(p, now, a.Workspace.MFATimeout()) && slices.Contains(by, p.Method)
}

// Proved reports whether the session holds a proof, however old, by a factor
// that the account still has.
func (a Authenticated) Proved() bool {
	p := a.Session.Proof
	return !p.ID.Zero() && slices.ContainsFunc(a.User.Factors, func(f identity.Factor) bool { return f.ID == p.Factor })
}

// Principal returns who the request comes from, as decisions and the audit log
// see it at now.
func (a Authenticated) Principal(src audit.Source, req authz.Request, now time.Time) authz.Principal {
	p := a.principal(src)
	p.Policy = a.Policy
	p.Request = req
	p.Auth = audit.Auth{Method: a.Session.Method, Factors: a.Session.Factors}
	switch {
	case a.Application != nil:
		p.Limits = a.Application.Limits(*a.Token, a.Rules)
	case a.Token != nil:
		p.Limits = a.Token.Limits(a.Rules)
	}
	if !a.Session.Proof.ID.Zero() {
		p.Auth.ProofID, p.ProvedBy = a.Session.Proof.ID.UUID(), string(a.Session.Proof.Method)
		p.Auth.MFAAge = max(0, now.Sub(a.Session.Proof.At))
	}
	return p
}

// principal returns who the request comes from, with what they hold.
func (a Authenticated) principal(src audit.Source) authz.Principal {
	if a.Application != nil {
		p := a.Application.Principal(a.Workspace.ID, nil)
		p.Source, p.Actor.TokenID = src, a.Token.ID.UUID()
		return p
	}
	p := PrincipalOf(a.Workspace.ID, a.User, src)
	p.Actor.SessionID = a.Session.ID.UUID()
	if a.Token != nil {
		p.Actor.Type, p.Actor.TokenID, p.Actor.OnBehalfOf = audit.APITokenActor, a.Token.ID.UUID(), a.User.ID.UUID()
	}
	return p
}

// PrincipalOf returns a user as principal without a session, for the steps of
// signing in.
func PrincipalOf(ws id.ID[id.Workspace], u identity.User, src audit.Source) authz.Principal {
	return authz.Principal{
		Workspace: ws, ID: u.ID, Role: u.Role, Roles: u.Granted(), Memberships: u.Held(), Source: src,
		Actor: audit.Actor{Type: audit.UserActor, ID: u.ID.UUID(), Username: u.Username, Display: u.DisplayName(), RoleSetting: u.Role.String()},
	}
}
