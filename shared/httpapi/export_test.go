package httpapi

// Opened for the external tests.
var (
	Decode   = decode
	ReadBody = readBody
	StatusOf = statusOf
	SecretOf = secretOf
)
