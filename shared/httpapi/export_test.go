package httpapi

// Opened for the external tests.
var (
	Decode       = decode
	DecodeQuery  = decodeQuery
	ReadBody     = readBody
	StatusOfKind = statusOf
	SecretOf     = secretOf
)
