// Package signin is the HTTP face of signing in: passwords, second factors,
// invitations and one's own sessions.
package signin

import (
	"net/http"
	"time"

	"paddock/shared/credential"
	"paddock/shared/fault"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/mfa"
	"paddock/shared/route"
	"paddock/shared/session"
)

// A Face answers the rows of the signin function.
type Face struct{ sessions *session.Service }

// New returns a Face over the session service.
func New(s *session.Service) *Face { return &Face{sessions: s} }

// Bindings returns the handler of every row of the signin function.
func (f *Face) Bindings() []httpapi.Binding {
	return []httpapi.Binding{
		{Method: "GET", Path: "/api/auth/env/", Handler: f.env},
		{Method: "POST", Path: "/api/auth/login/", Handler: f.login},
		{Method: "POST", Path: "/api/auth/logout/", Handler: f.logout},
		{Method: "POST", Path: "/api/auth/signin/", Handler: f.signin},
		{Method: "POST", Path: "/api/auth/invitations/view/", Handler: f.viewInvitation},
		{Method: "POST", Path: "/api/auth/invitations/accept/", Handler: f.acceptInvitation},
		{Method: "POST", Path: "/api/auth/mfa/challenges/", Handler: f.challenge},
		{Method: "POST", Path: "/api/auth/mfa/challenges/{id}/verify/", Handler: f.verify},
		{Method: "GET", Path: "/api/auth/mfa/factors/", Handler: f.factors},
		{Method: "POST", Path: "/api/auth/mfa/factors/", Handler: f.enrol},
		{Method: "POST", Path: "/api/auth/mfa/factors/{id}/confirm/", Handler: f.confirm},
		{Method: "DELETE", Path: "/api/auth/mfa/factors/{id}/", Handler: f.removeFactor},
		{Method: "POST", Path: "/api/auth/mfa/recovery-codes/", Handler: f.recoveryCodes},
		{Method: "GET", Path: "/api/auth/sessions/", Handler: f.list},
		{Method: "DELETE", Path: "/api/auth/sessions/{id}/", Handler: f.end},
		{Method: "POST", Path: "/api/auth/sessions/end-all/", Handler: f.endAll},
	}
}

// setCookie gives the browser a session. Its life is the session's own: the
// cookie ends with the browser, the session earlier or later on our side.
func setCookie(w http.ResponseWriter, s credential.Secret) {
	http.SetCookie(w, &http.Cookie{Name: httpapi.CookieName, Value: s.Reveal(), Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func clearCookie(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{Name: httpapi.CookieName, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: -1})
}

// AuthEnv tells clients how to sign in. Source: alpacon-wire 1.3.
type AuthEnv struct {
	Auth0    AuthMethod `json:"auth0"`
	Language string     `json:"language"`
}

// AuthMethod is "legacy" until device login is there: clients then ask for
// username and password, or take a token.
type AuthMethod struct {
	Method string `json:"method"`
}

func (f *Face) env(_ http.ResponseWriter, c httpapi.Call) (int, any, error) {
	ws, err := f.sessions.WorkspaceAt(c.Context(), c.Host)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, AuthEnv{Auth0: AuthMethod{Method: "legacy"}, Language: ws.Preferences.Language}, nil
}

// LoginRequest is the CLI's password login. Source: alpacon-wire 1.4; the
// workspace is the host's, never the body's.
type LoginRequest struct {
	WorkspaceURL string `json:"workspace_url"`
	Username     string `json:"username"`
	Password     string `json:"password"`
}

// LoginAnswer is the handle that the CLI keeps.
type LoginAnswer struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (f *Face) login(_ http.ResponseWriter, c httpapi.Call) (int, any, error) {
	var in LoginRequest
	if err := c.Decode(&in, true); err != nil {
		return 0, nil, err
	}
	started, err := f.sessions.Login(c.Context(), attempt(c, "/api/auth/login/", in.Username, in.Password, session.CLI))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, LoginAnswer{Token: started.Secret.Reveal(), ExpiresAt: started.Session.EndsAt}, nil
}

func attempt(c httpapi.Call, path, login, password string, k session.Kind) session.Attempt {
	return session.Attempt{
		Host: c.Host, Login: login, Password: password, Kind: k, Source: httpapi.SourceOf(c.Request),
		Request: httpapi.RequestOf(c.Request, route.Row{Path: path}),
	}
}

// SigninRequest is the console's sign-in.
type SigninRequest struct {
	Login    string `json:"login"`
	Password string `json:"password"`
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
	if s.State == session.EnrolmentRequired {
		a.Methods = []identity.Method{identity.OTP}
	}
	return a
}

func (f *Face) signin(w http.ResponseWriter, c httpapi.Call) (int, any, error) {
	var in SigninRequest
	if err := c.Decode(&in, false); err != nil {
		return 0, nil, err
	}
	started, err := f.sessions.Login(c.Context(), attempt(c, "/api/auth/signin/", in.Login, in.Password, session.Console))
	if err != nil {
		return 0, nil, err
	}
	setCookie(w, started.Secret)
	return http.StatusOK, answerOf(started), nil
}

func (f *Face) logout(w http.ResponseWriter, c httpapi.Call) (int, any, error) {
	if err := f.sessions.Logout(c.Context(), c.Allowed, c.Who); err != nil {
		return 0, nil, err
	}
	clearCookie(w)
	return http.StatusNoContent, nil, nil
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

func (f *Face) viewInvitation(_ http.ResponseWriter, c httpapi.Call) (int, any, error) {
	var in InvitationRequest
	if err := c.Decode(&in, false); err != nil {
		return 0, nil, err
	}
	secret, err := credential.Parse(in.Token)
	if err != nil {
		return 0, nil, identity.ErrInvitation
	}
	ws, inv, _, err := f.sessions.Invited(c.Context(), c.Host, secret)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, InvitationAnswer{Workspace: ws.Name, Email: inv.Email, Role: inv.Role.String(), ExpiresAt: inv.ExpiresAt}, nil
}

// AcceptRequest makes the account of an invitation.
type AcceptRequest struct {
	Token     string `json:"token"`
	Username  string `json:"username,omitempty"`
	FirstName string `json:"first_name,omitempty"`
	LastName  string `json:"last_name,omitempty"`
	Password  string `json:"password"`
}

func (f *Face) acceptInvitation(w http.ResponseWriter, c httpapi.Call) (int, any, error) {
	var in AcceptRequest
	if err := c.Decode(&in, false); err != nil {
		return 0, nil, err
	}
	secret, err := credential.Parse(in.Token)
	if err != nil {
		return 0, nil, identity.ErrInvitation
	}
	started, err := f.sessions.Accept(c.Context(), session.Acceptance{
		Host: c.Host, Secret: secret, Username: in.Username, FirstName: in.FirstName,
		LastName: in.LastName, Password: in.Password, Source: httpapi.SourceOf(c.Request), Request: httpapi.RequestOf(c.Request, route.Row{Path: "/api/auth/invitations/accept/"}),
	})
	if err != nil {
		return 0, nil, err
	}
	setCookie(w, started.Secret)
	return http.StatusCreated, answerOf(started), nil
}

// pathID parses an id of a path; what is none names nothing.
func pathID[K any](c httpapi.Call, none fault.Error) (id.ID[K], error) {
	v, err := id.Parse[K](c.PathValue("id"))
	if err != nil {
		return id.ID[K]{}, none
	}
	return v, nil
}

// ChallengeRequest asks for a challenge.
type ChallengeRequest struct {
	Method  identity.Method `json:"method"`
	Purpose mfa.Purpose     `json:"purpose"`
}

// ChallengeAnswer is an open challenge.
type ChallengeAnswer struct {
	ID        id.ID[id.Challenge] `json:"id"`
	Method    identity.Method     `json:"method"`
	ExpiresAt time.Time           `json:"expires_at"`
}

func (f *Face) challenge(_ http.ResponseWriter, c httpapi.Call) (int, any, error) {
	var in ChallengeRequest
	if err := c.Decode(&in, false); err != nil {
		return 0, nil, err
	}
	ch, err := f.sessions.Challenge(c.Context(), c.Allowed, c.Who, in.Method, in.Purpose)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, ChallengeAnswer{ID: ch.ID, Method: ch.Method, ExpiresAt: ch.ExpiresAt}, nil
}
