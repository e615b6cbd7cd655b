package openapi

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"

	"paddock/shared/httpapi"
	"paddock/shared/ingress"
	"paddock/shared/once"
	"paddock/shared/route"
	"paddock/shared/session"
)

const (
	responses = "#/components/responses/"
	jsonMedia = "application/json"
	formMedia = "application/x-www-form-urlencoded"
	about     = `JSON over HTTPS on the workspace's host. Bodies have at most 64 KiB; an empty one and ` + "`null`" + ` mean "no fields", ` +
		`and a member must not be null. Routes marked as the compatible ones ignore members that they do not know, all others refuse them. ` +
		`Every refusal is a Problem whose code is one of those listed for its status; the routes of OAuth answer an OAuthProblem, and take forms too. A path of another method answers 405 method_not_allowed, ` +
		`an unknown path 404 not_found. The gateway in front may answer 429 and 503 of its own, with nothing but a message.`
)

// Make returns the description of the rows with the bindings of all functions.
func Make(rows []route.Row, bindings []*httpapi.Binding) (*Document, error) {
	comments, err := commented("..", "../../ingress", "../../workspace")
	if err != nil {
		return nil, err
	}
	s := &schemas{comments: comments, named: map[string]*jsonschema.Schema{}, types: map[string]reflect.Type{}}
	d := &Document{
		OpenAPI: "3.1.0",
		Info: Info{
			Title: "Paddock", Version: "1", Summary: "Who may reach which server, for how long, and who did.", Description: about,
			License: License{Name: "Apache License 2.0", Identifier: "Apache-2.0"},
		},
		Servers: []Server{{URL: "/", Description: "the workspace's own host"}},
		Paths:   map[string]map[string]*Operation{},
	}
	problems := &shapes{own: s.answer(reflect.TypeFor[ingress.Problem]()), oauth: s.answer(reflect.TypeFor[httpapi.OAuthProblem]()), named: map[string]Response{}}
	tags := map[string]bool{}
	for _, row := range rows {
		at := slices.IndexFunc(bindings, func(b *httpapi.Binding) bool { return b.Method == row.Method && b.Path == row.Path })
		if at < 0 {
			return nil, fmt.Errorf("openapi: %s %s has no handler", row.Method, row.Path)
		}
		o, err := operation(s, problems, row, bindings[at])
		if err != nil {
			return nil, err
		}
		if d.Paths[row.Path] == nil {
			d.Paths[row.Path] = map[string]*Operation{}
		}
		d.Paths[row.Path][strings.ToLower(row.Method)] = o
		tags[o.Tags[0]] = true
	}
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		d.Tags = append(d.Tags, Tag{Name: name})
	}
	d.Components = Components{Schemas: s.named, Responses: problems.named, SecuritySchemes: schemes()}
	return d, errors.Join(s.errs...)
}

// Text returns the description as it is committed.
func (d *Document) Text() ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(d); err != nil {
		return nil, err
	}
	return bytes.ReplaceAll(out.Bytes(), []byte(`"#/$defs/`), []byte(`"#/components/schemas/`)), nil
}

func length(n uint64) *uint64 { return &n }

func schemes() map[string]SecurityScheme {
	return map[string]SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "A session or token: Authorization: Bearer SECRET."},
		"token":  {Type: "apiKey", In: "header", Name: "Authorization", Description: `A session or token, as compatible clients send it: Authorization: token="SECRET".`},
		"cookie": {
			Type: "apiKey", In: "cookie", Name: httpapi.CookieName,
			Description: "The console's session. Requests that change something must come from the workspace's own origin (Sec-Fetch-Site or Origin) with the content type application/json.",
		},
	}
}

func operation(s *schemas, problems *shapes, row route.Row, b *httpapi.Binding) (*Operation, error) {
	if b.Summary == "" {
		return nil, fmt.Errorf("openapi: %s %s has no summary", row.Method, row.Path)
	}
	o := &Operation{
		OperationID: operationID(row), Summary: b.Summary, Description: "Open to: " + row.Rule.String() + ".",
		Tags: []string{tag(row)}, Security: []map[string][]string{}, Parameters: pathParameters(row),
		Responses: problems.refusals(row, b), Function: string(row.Function), Rule: row.Rule.String(),
	}
	if row.Wire {
		o.Description += " One of the compatible routes."
	}
	if row.Rule.Form != route.Public {
		o.Security = []map[string][]string{{"bearer": {}}, {"token": {}}, {"cookie": {}}}
	}
	if b.Keyed {
		o.Parameters = append(o.Parameters, Parameter{
			Name: httpapi.KeyHeader, In: "header",
			Description: "Makes a repeat harmless for 24 hours: the same fields under the same key are answered as the first time.",
			Schema:      &jsonschema.Schema{Type: "string", MinLength: length(1), MaxLength: length(once.MaxKey), Pattern: "^[ -~]+$"},
		})
	}
	switch {
	case b.In.NumField() == 0:
	case row.Method == http.MethodGet:
		o.Parameters = append(o.Parameters, s.query(b.In)...)
	default:
		schema := s.body(b.In, row.Wire)
		if !obliges(b.In) { // no body and null mean no fields (alpacon-wire 0)
			schema = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{schema, {Type: "null"}}}
		}
		o.RequestBody = &Body{Required: obliges(b.In), Content: map[string]Media{jsonMedia: {Schema: schema}}}
		if row.OAuth() {
			o.RequestBody.Content[formMedia] = Media{Schema: schema}
		}
	}
	success := Response{Description: http.StatusText(b.Status)}
	if b.Out != reflect.TypeFor[httpapi.None]() {
		success.Content = map[string]Media{jsonMedia: {Schema: s.answer(b.Out)}}
	}
	o.Responses[strconv.Itoa(b.Status)] = success
	if b.Impact != nil {
		s.dryRun(o, b)
	}
	return o, nil
}

// dryRun adds to an operation that it can be tried, and what is answered then.
func (s *schemas) dryRun(o *Operation, b *httpapi.Binding) {
	const ok = "200"
	o.Parameters = append(o.Parameters, Parameter{
		Name: "dry_run", In: "query",
		Description: "With true nothing is changed: the answer, with 200, tells who would gain and who would lose what. It asks for all that the change asks for but a fresh proof.",
		Schema:      &jsonschema.Schema{Type: "boolean"},
	})
	impact := s.answer(b.Impact)
	if b.Status == http.StatusOK {
		impact = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{o.Responses[ok].Content[jsonMedia].Schema, impact}}
	}
	o.Responses[ok] = Response{Description: http.StatusText(http.StatusOK), Content: map[string]Media{jsonMedia: {Schema: impact}}}
}

// obliges reports whether a body of type t has a field that must be there.
func obliges(t reflect.Type) bool {
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.Anonymous && name != "" && name != "-" && !strings.Contains(options, "omit") {
			return true
		}
	}
	return false
}

func pathParameters(row route.Row) []Parameter {
	var out []Parameter
	for part := range strings.SplitSeq(row.Path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			out = append(out, Parameter{
				Name: strings.TrimSuffix(name, "}"), In: "path", Required: true,
				Schema: &jsonschema.Schema{Type: "string", Format: "uuid"},
			})
		}
	}
	return out
}

// The shapes of refusals, and those of all rows: many rows refuse alike.
type shapes struct {
	own, oauth *jsonschema.Schema
	named      map[string]Response
}

// refusals returns a response for every status that the row can refuse with;
// its schema names the codes.
func (s *shapes) refusals(row route.Row, b *httpapi.Binding) map[string]Response {
	problem, member := s.own, "code"
	if row.OAuth() {
		problem, member = s.oauth, "error"
	}
	codes := map[int][]any{}
	for _, f := range httpapi.Refusals(row, b) {
		status, code := httpapi.StatusOf(f), f.Code
		if row.OAuth() {
			code = httpapi.OAuthCode(f)
		}
		if !slices.Contains(codes[status], any(code)) {
			codes[status] = append(codes[status], code)
		}
	}
	out := map[string]Response{}
	for status, names := range codes {
		slices.SortFunc(names, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		code := &jsonschema.Schema{Properties: jsonschema.NewProperties()}
		code.Properties.Set(member, &jsonschema.Schema{Enum: names})
		sum := sha256.Sum256([]byte(fmt.Sprint(names...)))
		name := fmt.Sprintf("%s_%d_%x", member, status, sum[:6])
		s.named[name] = Response{
			Description: http.StatusText(status), Headers: headers(status, names),
			Content: map[string]Media{jsonMedia: {Schema: &jsonschema.Schema{AllOf: []*jsonschema.Schema{problem, code}}}},
		}
		out[strconv.Itoa(status)] = Response{Ref: responses + name}
	}
	return out
}

func headers(status int, codes []any) map[string]Header {
	switch {
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		return map[string]Header{"Retry-After": {Description: "Whole seconds to wait, when known.", Schema: &jsonschema.Schema{Type: "integer", Minimum: "1"}}}
	case slices.Contains(codes, any(session.ErrStepUp.Code)):
		return map[string]Header{"WWW-Authenticate": {Description: "With auth_mfa_required: how fresh a proof must be, and of which class (RFC 9470).", Schema: &jsonschema.Schema{Type: "string"}}}
	}
	return nil
}

// operationID returns the method and the words of the path. The address
// without slash at its end is another operation.
func operationID(row route.Row) string {
	words := []string{strings.ToLower(row.Method)}
	for part := range strings.SplitSeq(strings.TrimPrefix(row.Path, "/api/"), "/") {
		part = strings.NewReplacer("{", "", "}", "", "-", "_", ".", "_").Replace(part)
		if part == "_" {
			part = "own"
		}
		if part != "" {
			words = append(words, part)
		}
	}
	if strings.HasSuffix(row.Path, "-") {
		words = append(words, "unslashed")
	}
	return strings.Join(words, "_")
}

// tag returns the part of the API that a row belongs to.
func tag(row route.Row) string {
	if row.OAuth() {
		return "oauth"
	}
	part, _, below := strings.Cut(strings.TrimPrefix(row.Path, "/api/"), "/")
	if !below || row.Rule.Form == route.Public && row.Function == route.API || part == "status" {
		return "service"
	}
	return part
}
