package signin

import (
	"paddock/shared/fault"
	"paddock/shared/httpapi"
	"paddock/shared/session"
)

// ChangeRequest replaces one's own password.
type ChangeRequest struct {
	// Current may be left out with a fresh proof.
	Current  string `json:"current,omitempty"`
	Password string `json:"password"`
}

// ChangeAnswer tells that the session goes on.
type ChangeAnswer struct {
	State session.State `json:"state"`
}

func (f *Face) changePassword(c httpapi.Call, in ChangeRequest) (ChangeAnswer, error) {
	risen, err := f.sessions.ChangePassword(c.Context(), c.Allowed, c.Who, in.Current, in.Password)
	if err != nil {
		return ChangeAnswer{}, err
	}
	setCookie(c, risen.Secret)
	return ChangeAnswer{State: session.SignedIn}, nil
}

// ForgotRequest asks for a link to choose a new password.
type ForgotRequest struct {
	Login string `json:"login" jsonschema:"minLength=1"`
}

// errLogin refuses a request for a link that names nobody.
var errLogin = fault.Field("login", "invalid_value", "Give a username or an e-mail address.")

// ForgotAnswer is the same whether or not there is such an account.
type ForgotAnswer struct {
	Detail string `json:"detail"`
}

func (f *Face) forgot(c httpapi.Call, in ForgotRequest) (ForgotAnswer, error) {
	if in.Login == "" {
		return ForgotAnswer{}, errLogin
	}
	err := f.sessions.Forgot(c.Context(), attempt(c, in.Login, "", session.Console))
	return ForgotAnswer{Detail: "If there is such an account, a link was mailed to its address."}, err
}

func (f *Face) unlock(c httpapi.Call, in ForgotRequest) (ForgotAnswer, error) {
	if in.Login == "" {
		return ForgotAnswer{}, errLogin
	}
	err := f.sessions.Unlock(c.Context(), attempt(c, in.Login, "", session.Console))
	return ForgotAnswer{Detail: "If there is such an account, a link was mailed to its address."}, err
}

// LinkRequest carries the secret of a mailed link.
type LinkRequest struct {
	Token string `json:"token"`
}

// redemption returns the link that a text is; text that is none opens nothing.
func redemption(c httpapi.Call, token string) session.Redemption {
	return session.Redemption{Host: c.Host, Secret: secretOr(token), Source: httpapi.SourceOf(c.Request), Request: c.Seen}
}

// ResetRequest sets a password with a mailed link.
type ResetRequest struct {
	Token    string `json:"token"`
	Password string `json:"password"`
}

func (f *Face) reset(c httpapi.Call, in ResetRequest) (httpapi.None, error) {
	return httpapi.None{}, f.sessions.Reset(c.Context(), redemption(c, in.Token), in.Password)
}

func (f *Face) confirmEmail(c httpapi.Call, in LinkRequest) (httpapi.None, error) {
	return httpapi.None{}, f.sessions.ConfirmEmail(c.Context(), redemption(c, in.Token))
}

func (f *Face) undoEmail(c httpapi.Call, in LinkRequest) (httpapi.None, error) {
	return httpapi.None{}, f.sessions.UndoEmail(c.Context(), redemption(c, in.Token))
}

func (f *Face) notMe(c httpapi.Call, in LinkRequest) (httpapi.None, error) {
	return httpapi.None{}, f.sessions.NotMe(c.Context(), redemption(c, in.Token))
}
