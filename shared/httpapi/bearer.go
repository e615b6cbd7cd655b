package httpapi

import (
	"net/http"
	"strings"

	"paddock/shared/accesstoken"
	"paddock/shared/credential"
	"paddock/shared/session"
)

// A bearer is the credential of a request: a handle, bare or in an access token.
type bearer struct {
	secret credential.Secret
	access *accesstoken.Token
	cookie bool
}

// bearerOf returns the credential of a request. The Authorization header wins
// over the cookie; both forms of it parse strictly (security, TK-11). Only the
// scheme's name has any case (RFC 9110 section 11.1).
func bearerOf(r *http.Request) (bearer, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) > 1 {
		return bearer{}, errHeaders
	}
	if len(headers) == 1 {
		return authorization(headers[0])
	}
	c, err := r.Cookie(CookieName)
	if err != nil {
		return bearer{}, session.ErrNoCredential
	}
	secret, err := credential.Parse(c.Value)
	if err != nil {
		return bearer{}, session.ErrInvalid
	}
	return bearer{secret: secret, cookie: true}, nil
}

// authorization reads an Authorization header. An access token comes as Bearer
// only; a handle has no dots.
func authorization(header string) (bearer, error) {
	const scheme = "Bearer "
	var text string
	if len(header) >= len(scheme) && strings.EqualFold(header[:len(scheme)], scheme) {
		text = header[len(scheme):]
	} else if inner, ok := strings.CutPrefix(header, `token="`); ok {
		if text, ok = strings.CutSuffix(inner, `"`); !ok || strings.Contains(text, ".") {
			return bearer{}, errHeaders
		}
	}
	if text == "" {
		return bearer{}, errHeaders
	}
	if strings.Contains(text, ".") {
		t, err := accesstoken.Read(text)
		if err != nil {
			return bearer{}, session.ErrInvalid
		}
		return bearer{secret: t.Handle(), access: &t}, nil
	}
	secret, err := credential.Parse(text)
	if err != nil {
		return bearer{}, session.ErrInvalid
	}
	return bearer{secret: secret}, nil
}

// sameOrigin refuses unsafe requests with a cookie that a foreign page could
// have sent: without a header that tells where they come from, or not as JSON.
// Source: security, WB-2.
func sameOrigin(r *http.Request) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	if r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "" {
		return errCrossSite
	}
	media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if strings.TrimSpace(strings.ToLower(media)) != "application/json" {
		return errMedia
	}
	if err := new(http.CrossOriginProtection).Check(r); err != nil {
		return errCrossSite
	}
	return nil
}

// crossSitePublic keeps foreign pages from signing a browser in: a public row
// may set the session cookie.
func crossSitePublic(r *http.Request) error {
	if err := new(http.CrossOriginProtection).Check(r); err != nil {
		return errCrossSite
	}
	return nil
}
