// Package signin is the HTTP face of signing in: passwords, second factors,
// invitations and one's own sessions.
package signin

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"paddock/shared/credential"
	"paddock/shared/credential/breach"
	"paddock/shared/fault"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/mfa"
	"paddock/shared/session"
	"paddock/shared/table"
	"paddock/shared/token"
	"paddock/shared/workspace"
)

// A Face answers the rows of the signin function.
type Face struct {
	sessions *session.Service
	tokens   *token.Service
}

// New returns a Face over its services.
func New(s *session.Service, t *token.Service) *Face { return &Face{sessions: s, tokens: t} }

// Bindings returns the handler of every row of the signin function.
func (f *Face) Bindings() []*httpapi.Binding {
	const get, post, remove = http.MethodGet, http.MethodPost, http.MethodDelete
	const ok, created, accepted, empty = http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent
	return append(append(f.deviceBindings(), f.factorBindings()...), []*httpapi.Binding{
		httpapi.Answer(get, "/api/auth/env/", ok, f.env).Summed("Tell how to sign in.").Refuses(&table.ErrGone),
		httpapi.Answer(post, "/api/auth/login/", ok, f.login).Summed("Sign in with the command line.").
			Refuses(passwordRefusals...).Refuses(&session.ErrMFARequired, &session.ErrChangePassword, &session.ErrBrowserLogin),
		httpapi.Answer(post, "/api/auth/logout/", empty, f.logout).Summed("End the session."),
		httpapi.Answer(post, "/api/auth/signin/", ok, f.signin).Summed("Sign in with the console; sets the session cookie.").
			Refuses(passwordRefusals...),
		httpapi.Answer(post, "/api/auth/passkey/challenges/", created, f.askPasskey).Summed("Open a challenge to sign in with a passkey alone.").
			Refuses(&table.ErrGone, &session.ErrNoPasskeys, &session.ErrThrottled),
		httpapi.Answer(post, "/api/auth/passkey/challenges/{id}/verify/", ok, f.passkey).Summed("Sign in with a passkey; sets the session cookie.").
			Refuses(&table.ErrGone, &session.ErrNoPasskeys, &session.ErrPasskey, &mfa.ErrChallenge, &mfa.ErrKeyCopied),
		httpapi.Answer(post, "/api/auth/invitations/view/", ok, f.viewInvitation).Summed("Show an invitation to whoever holds its link.").
			Refuses(&table.ErrGone, &identity.ErrInvitation),
		httpapi.Answer(post, "/api/auth/invitations/accept/", created, f.acceptInvitation).Summed("Make the account of an invitation; sets the session cookie.").
			Refuses(accountRefusals...),
		httpapi.Answer(post, "/api/auth/password/change/", ok, f.changePassword).Summed("Replace one's own password; other sessions end.").
			Refuses(newPasswordRefusals...).Refuses(&session.ErrCurrent, &session.ErrSamePassword, &session.ErrThrottled),
		httpapi.Answer(post, "/api/auth/password/forgot/", accepted, f.forgot).Summed("Mail a link to choose a new password, if the account exists.").
			Refuses(&table.ErrGone, &session.ErrThrottled, &errLogin),
		httpapi.Answer(post, "/api/auth/unlock/", accepted, f.unlock).Summed("Mail a link that opens one attempt to sign in, if the account exists.").
			Refuses(&table.ErrGone, &session.ErrThrottled, &errLogin),
		httpapi.Answer(get, "/api/auth/devices/", ok, f.devices).Summed("List the browsers that one has signed in from."),
		httpapi.Answer(remove, "/api/auth/devices/{id}/", empty, f.forget).Summed("Forget a browser: it is a stranger again.").Refuses(&session.ErrNoBrowser),
		httpapi.Answer(post, "/api/auth/password/reset/", empty, f.reset).Summed("Set the password of the account that a mailed link opens.").
			Refuses(newPasswordRefusals...).Refuses(&table.ErrGone, &identity.ErrLink),
		httpapi.Answer(post, "/api/auth/email/confirm/", empty, f.confirmEmail).Summed("Confirm a new address with the link that was mailed there.").
			Refuses(&table.ErrGone, &identity.ErrLink, &identity.ErrEmailTaken),
		httpapi.Answer(post, "/api/auth/email/undo/", empty, f.undoEmail).Summed("Bring the old address back; sessions end.").
			Refuses(&table.ErrGone, &identity.ErrLink, &identity.ErrEmailTaken),
		httpapi.Answer(post, "/api/auth/report/", empty, f.notMe).Summed("Report what was not oneself; everything of the account ends.").
			Refuses(&table.ErrGone, &identity.ErrLink),
		httpapi.Answer(get, "/api/auth/sessions/", ok, f.list).Summed("List one's own sessions."),
		httpapi.Answer(remove, "/api/auth/sessions/{id}/", empty, f.end).Summed("End one of one's own sessions.").Refuses(&session.ErrNoSession),
		httpapi.Answer(post, "/api/iam/users/", created, f.createUser).Summed("Make an account; its owner is mailed a link to choose a password.").
			Refuses(newAccountRefusals...).Refuses(&ErrTokenPassword).Refuses(httpapi.FreshRefusals...),
		httpapi.Answer(remove, "/api/iam/users/{id}/", empty, f.deleteUser).Summed("Delete an account; its sessions end.").Refuses(&identity.ErrOwner).
			Refuses(&identity.ErrOwnState, &identity.ErrLastSuperuser),
		httpapi.Answer(post, "/api/iam/users/{id}/mfa/reset/", empty, f.resetMFA).Summed("Remove every sign-in method of an account; its sessions end.").
			Refuses(&identity.ErrOwnState, &mfa.ErrFactor, &errReason),
		httpapi.Answer(post, "/api/auth/sessions/end-all/", empty, f.endAll).Summed("End all of one's own sessions, this one too."),
		httpapi.Answer(post, "/api/auth/sessions/end-others/", empty, f.endOthers).Summed("End all of one's own sessions but this one, which gets a new handle."),
		httpapi.Answer(remove, "/api/iam/users/{id}/sessions/{session}/", empty, f.endOf).Summed("End one session of an account.").Refuses(&session.ErrNoSession),
		httpapi.Answer(remove, "/api/iam/users/{id}/tokens/{token}/", empty, f.deleteTokenOf).Summed("Revoke an API token of an account.").Refuses(&token.ErrNoToken),
		httpapi.Answer(post, "/api/iam/users/{id}/sessions/end-all/", empty, f.endAllOf).Summed("End every session of an account."),
	}...)
}

// factorBindings returns the handlers of second factors.
func (f *Face) factorBindings() []*httpapi.Binding {
	const get, post, remove = http.MethodGet, http.MethodPost, http.MethodDelete
	const ok, created, empty = http.StatusOK, http.StatusCreated, http.StatusNoContent
	return []*httpapi.Binding{
		httpapi.Answer(post, "/api/auth/mfa/challenges/", created, f.challenge).Summed("Open a challenge to prove a second factor.").
			Refuses(&mfa.ErrMethod, &mfa.ErrTries, &mfa.ErrSends, &mfa.ErrPhone, &mfa.ErrVia),
		httpapi.Answer(get, "/api/auth/mfa/challenges/{id}/", ok, f.opened).Summed("Show an open challenge of one's own, and what became of its code.").
			Refuses(&mfa.ErrChallenge),
		httpapi.Answer(post, "/api/auth/mfa/challenges/{id}/verify/", ok, f.verify).Summed("Answer a challenge; the session gets a new handle.").
			Refuses(&mfa.ErrChallenge, &mfa.ErrMethod, &mfa.ErrTries, &mfa.ErrSpent, &mfa.ErrCode, &mfa.ErrKey, &mfa.ErrKeyCopied, &errAnswer),
		httpapi.Answer(get, "/api/auth/mfa/factors/", ok, f.factors).Summed("List one's own sign-in methods."),
		httpapi.Answer(post, "/api/auth/mfa/factors/", created, f.enrol).Summed("Begin to set up a sign-in method; its secret is shown once.").
			Refuses(enrolRefusals...).Refuses(&mfa.ErrMethod, &session.ErrFactorName, &mfa.ErrSends, &mfa.ErrPhone, &mfa.ErrNumber, &mfa.ErrVia, &mfa.ErrMailed),
		httpapi.Answer(get, "/api/auth/mfa/factors/{id}/", ok, f.pending).Summed("Show a method that one is setting up with a code that was sent, and what became of the code.").
			Refuses(&mfa.ErrFactor),
		httpapi.Answer(post, "/api/auth/mfa/factors/{id}/confirm/", ok, f.confirm).Summed("Confirm a sign-in method with a code of it.").
			Refuses(enrolRefusals...).Refuses(&mfa.ErrFactor, &mfa.ErrCode, &mfa.ErrMethod, &mfa.ErrKey, &mfa.ErrKeyKind, &mfa.ErrKeyTaken, &mfa.ErrMailed, &errAnswer),
		httpapi.Answer(remove, "/api/auth/mfa/factors/{id}/", empty, f.removeFactor).Summed("Remove a sign-in method.").
			Refuses(&mfa.ErrFactor, &mfa.ErrLast),
		httpapi.Answer(post, "/api/auth/mfa/recovery-codes/", created, f.recoveryCodes).Summed("Make new recovery codes, shown once; older ones end.").
			Refuses(&mfa.ErrMethod),
	}
}

// What handlers refuse that ask a password, make an account, or set up a
// sign-in method.
var (
	passwordRefusals    = []*fault.Error{&table.ErrGone, &session.ErrCredentials, &session.ErrThrottled, &credential.ErrBusy}
	accountRefusals     = append([]*fault.Error{&table.ErrGone, &identity.ErrInvitation, &identity.ErrPersonName}, namedRefusals...)
	newAccountRefusals  = append([]*fault.Error{&identity.ErrPersonName, &identity.ErrProfile, &identity.ErrEmail, &identity.ErrReadOnly, &identity.ErrInviteRole, &identity.ErrInvites, &identity.ErrTooManySuperusers}, namedRefusals...)
	namedRefusals       = append([]*fault.Error{&identity.ErrUsername, &identity.ErrUsernameReserved, &identity.ErrUsernameTaken, &identity.ErrEmailTaken, &identity.ErrTooManyUsers, &workspace.ErrSeatsUsed}, newPasswordRefusals...)
	newPasswordRefusals = []*fault.Error{
		&credential.ErrBusy,
		&credential.ErrPasswordLong, &credential.ErrPasswordCharacter, &credential.ErrPasswordShort,
		&credential.ErrPasswordRepeated, &credential.ErrPasswordName, &credential.ErrPasswordCommon,
		&breach.ErrBreached, &breach.ErrUnavailable,
	}
	enrolRefusals = append([]*fault.Error{&mfa.ErrEnrolled, &session.ErrSignInAgain, &session.ErrFactorLimit, &mfa.ErrTries}, httpapi.FreshRefusals...)
)

// setCookie gives the browser a session. Its life is the session's own: the
// cookie ends with the browser, the session earlier or later on our side.
func setCookie(c httpapi.Call, s credential.Secret) { cookie(c, httpapi.CookieName, s.Reveal(), 0) }

func clearCookie(c httpapi.Call) { cookie(c, httpapi.CookieName, "", -1) }

// remember makes the browser a known one, by a secret that outlives sessions.
func remember(c httpapi.Call, s credential.Secret) {
	if s.Prefix() != "" {
		cookie(c, browserCookie, s.Reveal(), int(session.BrowserLife/time.Second))
	}
}

// browserCookie is the cookie of a known browser.
const browserCookie = "__Host-paddock-browser"

// browserOf returns the secret of a known browser that a request carries; zero
// for none.
func browserOf(c httpapi.Call) credential.Secret {
	sent, err := c.Cookie(browserCookie)
	if err != nil {
		return credential.Secret{}
	}
	return secretOr(sent.Value)
}

// secretOr returns the secret that a text is; zero for none.
func secretOr(text string) credential.Secret {
	s, err := credential.Parse(text)
	if err != nil {
		return credential.Secret{}
	}
	return s
}

func cookie(c httpapi.Call, name, value string, maxAge int) {
	set := http.Cookie{Name: name, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: maxAge}
	c.Answer.Add("Set-Cookie", set.String())
}

// AuthEnv tells clients how to sign in. Source: alpacon-wire 1.3.
type AuthEnv struct {
	Auth0    AuthMethod `json:"auth0"`
	Language string     `json:"language"`
}

// AuthMethod is "auth0" where a command line signs in by device login; the
// other members say how, and are there only then. With "legacy" it asks for
// username and password, or takes a token.
type AuthMethod struct {
	Method   string `json:"method"`
	ClientID string `json:"client_id,omitempty"`
	Domain   string `json:"domain,omitempty"` // host and port, without scheme
	Audience string `json:"audience,omitempty"`
	Schema   string `json:"schema_name,omitempty"` // the workspace's, for the scope org:
}

func (f *Face) env(c httpapi.Call, _ httpapi.None) (AuthEnv, error) {
	ws, err := f.sessions.WorkspaceAt(c.Context(), c.Host)
	if err != nil {
		return AuthEnv{}, err
	}
	out := AuthEnv{Auth0: AuthMethod{Method: "legacy"}, Language: ws.Preferences.Language}
	if origin, ok := session.DeviceLoginAt(ws, c.Host); ok {
		out.Auth0 = AuthMethod{
			Method: "auth0", ClientID: session.CLIClient, Domain: strings.TrimPrefix(origin, "https://"), Audience: ws.Canonical(), Schema: ws.Slug,
		}
	}
	return out, nil
}

// LoginRequest is the CLI's password login. Source: alpacon-wire 1.4; the
// workspace is the host's, never the body's.
type LoginRequest struct {
	// WorkspaceURL is read by nobody.
	WorkspaceURL string `json:"workspace_url,omitempty"`
	Username     string `json:"username"`
	Password     string `json:"password"`
}

// LoginAnswer is the handle that the CLI keeps.
type LoginAnswer struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (f *Face) login(c httpapi.Call, in LoginRequest) (LoginAnswer, error) {
	started, err := f.sessions.Login(c.Context(), attempt(c, in.Username, in.Password, session.CLI))
	if err != nil {
		return LoginAnswer{}, err
	}
	return LoginAnswer{Token: started.Secret.Reveal(), ExpiresAt: started.Session.EndsAt}, nil
}

func attempt(c httpapi.Call, login, password string, k session.Kind) session.Attempt {
	return session.Attempt{
		Host: c.Host, Login: login, Password: password, Kind: k, Source: httpapi.SourceOf(c.Request), Request: c.Seen, Browser: browserOf(c),
	}
}

// SigninRequest is the console's sign-in.
type SigninRequest struct {
	Login    string `json:"login"`
	Password string `json:"password"`
	// Ticket is the secret of a mailed link that opens one attempt when there
	// were too many.
	Ticket string `json:"ticket,omitempty"`
}

// SigninAnswer is how far a sign-in has come. Source: design, section 14.
type SigninAnswer struct {
	State   session.State     `json:"state"`
	Methods []identity.Method `json:"methods"`
}

func answerOf(s session.Started) SigninAnswer {
	a := SigninAnswer{State: s.State, Methods: s.Methods}
	if a.Methods == nil {
		a.Methods = []identity.Method{}
	}
	return a
}

func (f *Face) signin(c httpapi.Call, in SigninRequest) (SigninAnswer, error) {
	try := attempt(c, in.Login, in.Password, session.Console)
	try.Ticket = secretOr(in.Ticket)
	started, err := f.sessions.Login(c.Context(), try)
	if err != nil {
		return SigninAnswer{}, err
	}
	setCookie(c, started.Secret)
	remember(c, started.Browser)
	return answerOf(started), nil
}

func (f *Face) logout(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	if err := f.sessions.Logout(c.Context(), c.Allowed, c.Who); err != nil {
		return httpapi.None{}, err
	}
	clearCookie(c)
	return httpapi.None{}, nil
}

// InvitationRequest carries the secret of an invitation.
type InvitationRequest struct {
	Token string `json:"token"`
}

// InvitationAnswer shows an invited person what they are invited to.
type InvitationAnswer struct {
	Workspace string    `json:"workspace"`
	Email     string    `json:"email"`
	Role      string    `json:"role"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (f *Face) viewInvitation(c httpapi.Call, in InvitationRequest) (InvitationAnswer, error) {
	caller := session.Caller{Host: c.Host, Source: httpapi.SourceOf(c.Request), Request: c.Seen}
	ws, inv, _, err := f.sessions.Invited(c.Context(), caller, secretOr(in.Token))
	if err != nil {
		return InvitationAnswer{}, err
	}
	return InvitationAnswer{Workspace: ws.Name, Email: inv.Email, Role: inv.Role.String(), ExpiresAt: inv.ExpiresAt}, nil
}

// AcceptRequest makes the account of an invitation.
type AcceptRequest struct {
	Token     string `json:"token"`
	Username  string `json:"username,omitempty"`
	FirstName string `json:"first_name,omitempty"`
	LastName  string `json:"last_name,omitempty"`
	Password  string `json:"password"`
}

func (f *Face) acceptInvitation(c httpapi.Call, in AcceptRequest) (SigninAnswer, error) {
	started, err := f.sessions.Accept(c.Context(), session.Acceptance{
		Host: c.Host, Secret: secretOr(in.Token), Username: in.Username, FirstName: in.FirstName,
		LastName: in.LastName, Password: in.Password, Source: httpapi.SourceOf(c.Request), Request: c.Seen,
	})
	if err != nil {
		return SigninAnswer{}, err
	}
	setCookie(c, started.Secret)
	remember(c, started.Browser)
	return answerOf(started), nil
}

// pathID parses an id of a path; what is none names nothing.
func pathID[K any](c httpapi.Call, name string, none fault.Error) (id.ID[K], error) {
	v, err := id.Parse[K](c.PathValue(name))
	if err != nil {
		return id.ID[K]{}, none
	}
	return v, nil
}

// ChallengeRequest asks for a challenge.
type ChallengeRequest struct {
	Method  identity.Method `json:"method"`
	Purpose mfa.Purpose     `json:"purpose"`
	// Via and Factor are for the method phone: how the code comes, by default as
	// it was set up, and to which of several, by default the newest.
	Via    mfa.Via          `json:"via,omitempty"`
	Factor id.ID[id.Factor] `json:"factor,omitzero"`
}

// ChallengeAnswer is an open challenge.
type ChallengeAnswer struct {
	ID        id.ID[id.Challenge] `json:"id"`
	Method    identity.Method     `json:"method"`
	ExpiresAt time.Time           `json:"expires_at"`
	// SentTo is the masked address or number that a code was sent to; empty for
	// other methods.
	SentTo string `json:"sent_to"`
	// Delivery is what became of the code; there only when a challenge is shown.
	Delivery session.Delivery `json:"delivery,omitempty"`
	// WebAuthn is what the browser is to ask of a security key:
	// PublicKeyCredentialRequestOptionsJSON.
	WebAuthn json.RawMessage `json:"webauthn,omitempty"`
}

func (f *Face) challenge(c httpapi.Call, in ChallengeRequest) (ChallengeAnswer, error) {
	ch, err := f.sessions.Challenge(c.Context(), c.Allowed, c.Who, session.Question{Method: in.Method, Purpose: in.Purpose, Via: in.Via, Factor: in.Factor})
	if err != nil {
		return ChallengeAnswer{}, err
	}
	return askedOf(ch), nil
}
