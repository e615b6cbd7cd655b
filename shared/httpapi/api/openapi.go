package api

import (
	"net/http"

	"paddock/shared/httpapi"
	"paddock/shared/route"
)

// Operation describes one row of the API.
type Operation struct {
	Summary string `json:"summary"`
}

// Document is the OpenAPI description: paths and methods of both functions.
type Document struct {
	OpenAPI string                          `json:"openapi"`
	Info    map[string]string               `json:"info"`
	Paths   map[string]map[string]Operation `json:"paths"`
}

func openapi(http.ResponseWriter, httpapi.Call) (int, any, error) {
	d := Document{OpenAPI: "3.1.0", Info: map[string]string{"title": "Paddock", "version": "1"}, Paths: map[string]map[string]Operation{}}
	for _, row := range route.Rows {
		if d.Paths[row.Path] == nil {
			d.Paths[row.Path] = map[string]Operation{}
		}
		d.Paths[row.Path][lowerMethod(row.Method)] = Operation{Summary: row.Method + " " + row.Path}
	}
	return http.StatusOK, d, nil
}

func lowerMethod(m string) string {
	b := []byte(m)
	for i := range b {
		b[i] |= 0x20
	}
	return string(b)
}
