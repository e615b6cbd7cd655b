package httpapi

import "net/http"

// Opened for the external tests.
var (
	Decode       = decode
	DecodeQuery  = decodeQuery
	ReadBody     = readBody
	StatusOfKind = statusOf
	DecodeForm   = decodeForm
)

// BearerOf returns whether a request has a credential, and whether as cookie.
func BearerOf(r *http.Request) (cookie bool, err error) {
	b, err := bearerOf(r)
	return b.cookie, err
}

// Empty returns an app without rows.
func Empty() *App { return &App{function: "none"} }
