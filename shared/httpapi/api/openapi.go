package api

import (
	_ "embed"
	"encoding/json"

	"paddock/shared/httpapi"
)

// document is the description of both functions that serve the API. `make
// openapi` writes it; a test fails when it is stale.
//
//go:embed openapi.json
var document []byte

func openapi(httpapi.Call, httpapi.None) (json.RawMessage, error) {
	return document, nil
}
