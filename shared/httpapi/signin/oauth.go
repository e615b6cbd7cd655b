package signin

import (
	"net/http"
	"time"

	"paddock/shared/credential"
	"paddock/shared/fault"
	"paddock/shared/httpapi"
	"paddock/shared/mfa"
	"paddock/shared/session"
	"paddock/shared/table"
)

// The grant types. Source: RFC 8628 section 3.4; RFC 6749 section 6.
const (
	deviceGrant  = "urn:ietf:params:oauth:grant-type:device_code"
	refreshGrant = "refresh_token"
)

// devicePage is the console's page that asks for a user code, which stands
// behind the hash as browsers send that to nobody (decision 1).
const devicePage = "/device"

// deviceBindings returns the handlers of device login.
func (f *Face) deviceBindings() []*httpapi.Binding {
	const get, post, ok, empty = http.MethodGet, http.MethodPost, http.StatusOK, http.StatusNoContent
	return []*httpapi.Binding{
		httpapi.Answer(post, "/oauth/device/code/", ok, f.openDevice).Summed("Begin a device login (RFC 8628).").
			Refuses(&table.ErrGone, &session.ErrNoDeviceFor, &session.ErrOAuthClient, &session.ErrTarget, &session.ErrScope, &session.ErrThrottled),
		httpapi.Answer(post, "/oauth/token/", ok, f.token).Summed("Give the tokens of an approved device login, or renew an access token.").
			Refuses(grantRefusals...),
		httpapi.Answer(post, "/oauth/revoke/", ok, f.revoke).Summed("End the session of a refresh token (RFC 7009).").
			Refuses(&table.ErrGone, &session.ErrOAuthClient),
		httpapi.Answer(post, "/api/auth0/token/blacklist/", empty, f.blacklist).Summed("Invalidate the access tokens of the session.").
			Refuses(&session.ErrNoAccessToken),
		httpapi.Answer(get, "/api/auth0/mfa/", ok, f.askProof).Summed("Open a verification for a command line, to be given in a browser.").
			Refuses(&mfa.ErrTries),
		httpapi.Answer(get, "/api/auth0/mfa/completion/", ok, f.proofGiven).Summed("Tell whether the session's verification is fresh."),
		httpapi.Answer(post, "/api/auth/mfa/requests/lookup/", ok, f.lookUpAsk).Summed("Show the command line that waits for a verification.").
			Refuses(&session.ErrNoAsk),
		httpapi.Answer(post, "/api/auth/mfa/requests/give/", empty, f.giveProof).Summed("Hand one's fresh verification to the command line that waits.").
			Refuses(&session.ErrNoAsk).Refuses(httpapi.FreshRefusals...),
		httpapi.Answer(post, "/api/auth/device/lookup/", ok, f.lookUpDevice).Summed("Show what waits under a user code.").
			Refuses(&session.ErrNoDevice, &session.ErrUserCodes),
		httpapi.Answer(post, "/api/auth/device/approve/", empty, f.approveDevice).Summed("Approve a device login: it begins a session of one's own.").
			Refuses(&session.ErrNoDevice, &session.ErrUserCodes),
		httpapi.Answer(post, "/api/auth/device/deny/", empty, f.denyDevice).Summed("Deny a device login.").
			Refuses(&session.ErrNoDevice, &session.ErrUserCodes),
	}
}

var grantRefusals = []*fault.Error{
	&table.ErrGone, &session.ErrPending, &session.ErrExpired, &session.ErrDenied, &session.ErrGrant, &session.ErrScope,
	&session.ErrOAuthClient, &session.ErrGrantType,
}

// callerOf returns who asks on a row of OAuth: a command line, though it names
// itself there like any Go program.
func callerOf(c httpapi.Call, client string) session.Caller {
	src := httpapi.SourceOf(c.Request)
	src.ClientType = "cli"
	return session.Caller{Host: c.Host, Client: client, Source: src, Request: c.Seen}
}

// DeviceCodeRequest begins a device login. Source: alpacon-wire 1.5.
type DeviceCodeRequest struct {
	ClientID string `json:"client_id"`
	Scope    string `json:"scope"`
	Audience string `json:"audience,omitempty"`
}

// DeviceCodeAnswer is what a command line shows and polls with.
type DeviceCodeAnswer struct {
	DeviceCode              string `json:"device_code"`
	UserCode                string `json:"user_code"`
	VerificationURI         string `json:"verification_uri"`
	VerificationURIComplete string `json:"verification_uri_complete"`
	ExpiresIn               int    `json:"expires_in"` // seconds
	Interval                int    `json:"interval"`   // seconds
}

func (f *Face) openDevice(c httpapi.Call, in DeviceCodeRequest) (DeviceCodeAnswer, error) {
	o, err := f.sessions.OpenDevice(c.Context(), callerOf(c, in.ClientID), in.Scope, in.Audience)
	if err != nil {
		return DeviceCodeAnswer{}, err
	}
	return DeviceCodeAnswer{
		DeviceCode: o.Device.Reveal(), UserCode: o.User.Shown(),
		VerificationURI: o.Origin + devicePage, VerificationURIComplete: o.Origin + devicePage + "#" + o.User.Shown(),
		ExpiresIn: int(session.DeviceLife / time.Second), Interval: int(session.PollEvery / time.Second),
	}, nil
}

// TokenRequest asks for tokens. Source: alpacon-wire 1.5 and 1.6.
type TokenRequest struct {
	GrantType    string `json:"grant_type"`
	ClientID     string `json:"client_id"`
	DeviceCode   string `json:"device_code,omitempty"`
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope,omitempty"`
}

// TokenAnswer holds an access token and, when a session began, the refresh
// token, which stays the same.
type TokenAnswer struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token,omitempty"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"` // seconds
	Scope        string `json:"scope"`
}

func (f *Face) token(c httpapi.Call, in TokenRequest) (TokenAnswer, error) {
	var issued session.Issued
	var err error
	caller := callerOf(c, in.ClientID)
	switch in.GrantType {
	case deviceGrant:
		issued, err = f.sessions.RedeemDevice(c.Context(), caller, in.DeviceCode)
	case refreshGrant:
		issued, err = f.sessions.Refresh(c.Context(), caller, in.RefreshToken, in.Scope)
	default:
		err = session.ErrGrantType
	}
	if err != nil {
		return TokenAnswer{}, err
	}
	out := TokenAnswer{AccessToken: issued.Access, TokenType: "Bearer", ExpiresIn: int(issued.Life / time.Second), Scope: issued.Scope}
	if in.GrantType == deviceGrant {
		out.RefreshToken = issued.Refresh.Reveal()
	}
	return out, nil
}

// RevokeRequest names a token to end.
type RevokeRequest struct {
	ClientID string `json:"client_id"`
	Token    string `json:"token"`
	// TokenTypeHint is read by nobody: the token tells its type.
	TokenTypeHint string `json:"token_type_hint,omitempty"`
}

func (f *Face) revoke(c httpapi.Call, in RevokeRequest) (httpapi.None, error) {
	return httpapi.None{}, f.sessions.RevokeTokens(c.Context(), callerOf(c, in.ClientID), in.Token)
}

func (f *Face) blacklist(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	return httpapi.None{}, f.sessions.DropAccess(c.Context(), c.Allowed, c.Who)
}

// UserCodeRequest carries a user code as it was typed.
type UserCodeRequest struct {
	UserCode string `json:"user_code"`
}

// DeviceAnswer tells who asks to be signed in, for the person to judge.
type DeviceAnswer struct {
	UserCode    string    `json:"user_code"`
	ClientID    string    `json:"client_id"`
	ClientName  string    `json:"client_name"`
	DeviceID    string    `json:"device_id"`
	UserAgent   string    `json:"user_agent"`
	Address     string    `json:"address"`
	RequestedAt time.Time `json:"requested_at"`
	ExpiresAt   time.Time `json:"expires_at"`
}

func (f *Face) lookUpDevice(c httpapi.Call, in UserCodeRequest) (DeviceAnswer, error) {
	d, err := f.sessions.LookUpDevice(c.Context(), c.Allowed, c.Who, in.UserCode)
	if err != nil {
		return DeviceAnswer{}, err
	}
	code, _ := session.ParseUserCode(in.UserCode) // a login was found under it
	return DeviceAnswer{
		UserCode: code.Shown(), ClientID: d.Client, ClientName: session.ClientName, DeviceID: d.Scope.Device, UserAgent: d.Agent,
		Address: d.Address, RequestedAt: d.RequestedAt, ExpiresAt: d.ExpiresAt,
	}, nil
}

func (f *Face) approveDevice(c httpapi.Call, in UserCodeRequest) (httpapi.None, error) {
	return httpapi.None{}, f.sessions.ApproveDevice(c.Context(), c.Allowed, c.Who, in.UserCode)
}

func (f *Face) denyDevice(c httpapi.Call, in UserCodeRequest) (httpapi.None, error) {
	return httpapi.None{}, f.sessions.DenyDevice(c.Context(), c.Allowed, c.Who, in.UserCode)
}

// verifyPage is the console's page on which a command line's verification is
// given; the secret stands behind the hash (decision 1).
const verifyPage = "/verify"

// MFALink is where the owner of a command line verifies. Source: alpacon-wire
// 2.5. What the request says of location, server and workspace selects nothing:
// the session does.
type MFALink struct {
	URL string `json:"mfa_url"`
}

func (f *Face) askProof(c httpapi.Call, _ httpapi.None) (MFALink, error) {
	secret, err := f.sessions.AskProof(c.Context(), c.Allowed, c.Who)
	if err != nil {
		return MFALink{}, err
	}
	origin, secure := c.Who.Workspace.SecureOrigin(c.Host)
	if !secure {
		origin = c.Who.Workspace.Canonical()
	}
	return MFALink{URL: origin + verifyPage + "#" + secret.Reveal()}, nil
}

// MFACompletion tells a command line whether it can go on. Source: alpacon-wire
// 2.5.
type MFACompletion struct {
	Completed bool `json:"completed"`
}

func (f *Face) proofGiven(c httpapi.Call, _ httpapi.None) (MFACompletion, error) {
	return MFACompletion{Completed: c.Who.Fresh(f.sessions.Now())}, nil
}

// AskRequest carries the secret of a link that a command line showed.
type AskRequest struct {
	Token string `json:"token"`
}

// AskAnswer is a command line that waits, as far as it tells of itself.
type AskAnswer struct {
	UserAgent   string    `json:"user_agent"`
	Address     string    `json:"address"`
	RequestedAt time.Time `json:"requested_at"`
	ExpiresAt   time.Time `json:"expires_at"`
}

func askOf(in AskRequest) (credential.Secret, error) {
	secret, err := credential.Parse(in.Token)
	if err != nil {
		return credential.Secret{}, session.ErrNoAsk
	}
	return secret, nil
}

func (f *Face) lookUpAsk(c httpapi.Call, in AskRequest) (AskAnswer, error) {
	secret, err := askOf(in)
	if err != nil {
		return AskAnswer{}, err
	}
	ask, err := f.sessions.LookUpAsk(c.Context(), c.Allowed, c.Who, secret)
	return AskAnswer{UserAgent: ask.Agent, Address: ask.Address, RequestedAt: ask.AskedAt, ExpiresAt: ask.ExpiresAt}, err
}

func (f *Face) giveProof(c httpapi.Call, in AskRequest) (httpapi.None, error) {
	secret, err := askOf(in)
	if err != nil {
		return httpapi.None{}, err
	}
	return httpapi.None{}, f.sessions.GiveProof(c.Context(), c.Allowed, c.Who, secret)
}
