// Package openapi makes the OpenAPI 3.1 description of the API from the rows,
// the rules and the Go types that handlers decode and answer. It is used when
// the committed description is written and compared; no function is linked with
// it.
package openapi

import "github.com/invopop/jsonschema"

// A Document is an OpenAPI description, as far as ours goes.
type Document struct {
	OpenAPI    string                           `json:"openapi"`
	Info       Info                             `json:"info"`
	Servers    []Server                         `json:"servers"`
	Tags       []Tag                            `json:"tags"`
	Paths      map[string]map[string]*Operation `json:"paths"`
	Components Components                       `json:"components"`
}

// Info names the API.
type Info struct {
	Title       string  `json:"title"`
	Version     string  `json:"version"`
	Summary     string  `json:"summary"`
	Description string  `json:"description"`
	License     License `json:"license"`
}

// A License is named by its SPDX identifier.
type License struct {
	Name       string `json:"name"`
	Identifier string `json:"identifier"`
}

// A Server is where the API answers.
type Server struct {
	URL         string `json:"url"`
	Description string `json:"description"`
}

// A Tag groups operations.
type Tag struct {
	Name string `json:"name"`
}

// An Operation is one row.
type Operation struct {
	OperationID string                `json:"operationId"`
	Summary     string                `json:"summary"`
	Description string                `json:"description"`
	Tags        []string              `json:"tags"`
	Security    []map[string][]string `json:"security"`
	Parameters  []Parameter           `json:"parameters,omitempty"`
	RequestBody *Body                 `json:"requestBody,omitempty"`
	Responses   map[string]Response   `json:"responses"`
	Function    string                `json:"x-function"`
	Rule        string                `json:"x-rule"`
}

// A Parameter stands in the path, the query or a header.
type Parameter struct {
	Name        string             `json:"name"`
	In          string             `json:"in"`
	Description string             `json:"description,omitempty"`
	Required    bool               `json:"required,omitempty"`
	Schema      *jsonschema.Schema `json:"schema"`
}

// A Body is what a request holds.
type Body struct {
	Required bool             `json:"required"`
	Content  map[string]Media `json:"content"`
}

// Media is the form of a body in one media type.
type Media struct {
	Schema *jsonschema.Schema `json:"schema"`
}

// A Response is what is answered with one status, or refers to one of the
// components.
type Response struct {
	Ref         string            `json:"$ref,omitempty"`
	Description string            `json:"description,omitempty"`
	Headers     map[string]Header `json:"headers,omitempty"`
	Content     map[string]Media  `json:"content,omitempty"`
}

// A Header of a response.
type Header struct {
	Description string             `json:"description"`
	Schema      *jsonschema.Schema `json:"schema"`
}

// Components are what operations refer to.
type Components struct {
	Schemas         map[string]*jsonschema.Schema `json:"schemas"`
	Responses       map[string]Response           `json:"responses"`
	SecuritySchemes map[string]SecurityScheme     `json:"securitySchemes"`
}

// A SecurityScheme is one way to send a credential.
type SecurityScheme struct {
	Type        string `json:"type"`
	Scheme      string `json:"scheme,omitempty"`
	In          string `json:"in,omitempty"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description"`
}
