package httpapi

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"reflect"

	"paddock/shared/fault"
)

// An OAuthProblem is a refusal on the rows of OAuth. Source: RFC 6749 section
// 5.2.
type OAuthProblem struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// oauthCodes are the refusals that are one of OAuth's own.
var oauthCodes = map[string]bool{
	"authorization_pending": true, "expired_token": true, "access_denied": true, "invalid_grant": true, "invalid_scope": true,
	"invalid_target": true, "unsupported_grant_type": true, "invalid_client": true, "unauthorized_client": true,
}

// OAuthCode returns the error that the rows of OAuth answer for a refusal: its
// own code, or the one of RFC 6749 for refusals that every row shares.
func OAuthCode(f fault.Error) string {
	switch {
	case oauthCodes[f.Code]:
		return f.Code
	case f.Kind == fault.Internal:
		return "server_error"
	case f.Kind == fault.Limited || f.Kind == fault.Unavailable:
		return "temporarily_unavailable"
	}
	return "invalid_request"
}

// isForm reports whether a request declares a form body, as RFC 6749 has it.
func isForm(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == "application/x-www-form-urlencoded"
}

// decodeForm fills the text fields of in, a pointer to a struct, from a form.
// Parameters that it does not know are ignored; one that comes twice is refused
// (RFC 6749 section 3.2).
func decodeForm(body []byte, in any) error {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return errForm
	}
	target := reflect.ValueOf(in).Elem()
	for field := range fieldsOf(target.Type(), "json") {
		switch values := form[field.name]; {
		case len(values) > 1:
			return errForm.In(field.name)
		case len(values) == 1:
			into, ok := target.FieldByIndex(field.index).Addr().Interface().(*string)
			if !ok {
				return errors.New("httpapi: a field of a form is no text")
			}
			*into = values[0]
		}
	}
	return nil
}

var errForm = fault.Error{Kind: fault.Invalid, Code: "malformed_form", Detail: "The request body is not a form that names each field once."}
