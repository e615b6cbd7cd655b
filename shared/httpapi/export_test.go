package httpapi

import "net/http"

// Opened for the external tests.
var (
	Decode       = decode
	DecodeQuery  = decodeQuery
	ReadBody     = readBody
	StatusOfKind = statusOf
	SecretOf     = secretOf
)

// Empty returns an app without rows.
func Empty() *App { return &App{mux: http.NewServeMux()} }
