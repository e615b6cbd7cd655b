package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"paddock/shared/fault"
)

// MaxBody is how many bytes of body a route accepts. Source: security, DS-1.
const MaxBody = 64 << 10

// MaxDepth bounds the nesting of a body. Source: security, DS-2.
const MaxDepth = 32

// Refusals of bodies.
var (
	errTooLarge = fault.Error{Kind: fault.TooLarge, Code: "body_too_large", Detail: "The request body is larger than 64 KiB."}
	errBadJSON  = fault.Error{Kind: fault.Invalid, Code: "malformed_json", Detail: "The request body is not one JSON value."}
	errMedia    = fault.Error{Kind: fault.Invalid, Code: "content_type", Detail: "The request body must be application/json.", Source: "Content-Type"}
	errUnknown  = fault.Error{Kind: fault.Invalid, Code: "unknown_field", Detail: "The request has a field that this route does not know."}
	errField    = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "The value has the wrong type."}
)

// readBody reads a body within MaxBody. A compressed body is refused: nothing
// here expands what a stranger sent.
func readBody(r *http.Request) ([]byte, error) {
	if e := r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return nil, errMedia.In("Content-Encoding").Saying("The request body must not be compressed.")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	if err != nil {
		return nil, fmt.Errorf("read the body: %w", err)
	}
	if len(body) > MaxBody {
		return nil, errTooLarge
	}
	return body, nil
}

// decode reads a body into v, a pointer to a struct. Duplicate names, invalid
// UTF-8, trailing bytes and nesting beyond MaxDepth are refused on every
// route; unknown fields are refused unless the route is one that compatible
// clients use. An empty body and `null` mean "no fields" (alpacon-wire 0); a
// member that is null is refused, because it would read as "as it is" or as
// the zero value and never means either, unless its field is marked as nullable:
// then it is left out.
func decode(body []byte, v any, wire bool) error {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 || string(trimmed) == "null" {
		return nil
	}
	if err := checkDepth(trimmed); err != nil {
		return err
	}
	err := json.Unmarshal(trimmed, v, json.RejectUnknownMembers(!wire), json.MatchCaseInsensitiveNames(false))
	if err == nil {
		return refuseNulls(trimmed, v)
	}
	if refusal, ok := errors.AsType[fault.Error](err); ok {
		return refusal
	}
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		name := fieldName(semantic.JSONPointer)
		if errors.Is(semantic.Err, json.ErrUnknownName) {
			return errUnknown.In(name)
		}
		return errField.In(name)
	}
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok && errors.Is(syntactic.Err, jsontext.ErrDuplicateName) {
		return errBadJSON.In(fieldName(syntactic.JSONPointer)).Saying("The request body names a field twice.")
	}
	return errBadJSON
}

func fieldName(p jsontext.Pointer) string {
	for token := range p.Tokens() {
		return token
	}
	return ""
}

func checkDepth(body []byte) error {
	depth, inText, escaped := 0, false, false
	for _, c := range body {
		switch {
		case escaped:
			escaped = false
		case inText:
			escaped = c == '\\'
			inText = c != '"'
		case c == '"':
			inText = true
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return errBadJSON.Saying("The request body is nested too deeply.")
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// errNull refuses a null where a value is needed.
var errNull = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "The value must not be null."}

// refuseNulls refuses a body in which a member that the row knows is null.
// Whatever else is wrong with the body, decode has found before.
func refuseNulls(body []byte, v any) error {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(body, &members); err != nil {
		return errBadJSON
	}
	for field := range fieldsOf(reflect.TypeOf(v).Elem(), "json") {
		nullable := strings.Contains(reflect.TypeOf(v).Elem().FieldByIndex(field.index).Tag.Get("jsonschema"), "nullable")
		if string(members[field.name]) == "null" && !nullable {
			return errNull.In(field.name)
		}
	}
	return nil
}

// A named field of a struct, embedded structs included.
type named struct {
	name  string
	index []int
}

// fieldsOf yields the fields that have the tag, with the name it gives them.
func fieldsOf(t reflect.Type, tag string) iter.Seq[named] {
	return func(yield func(named) bool) {
		for _, f := range reflect.VisibleFields(t) {
			name, _, _ := strings.Cut(f.Tag.Get(tag), ",")
			if name != "" && name != "-" && !yield(named{name, f.Index}) {
				return
			}
		}
	}
}

// decodeQuery reads the parameters that v, a pointer to a struct, has `query`
// tags for, into fields of type string, *string and *int. Parameters that it
// does not know are ignored, as clients add their own.
func decodeQuery(q url.Values, v any) error {
	target := reflect.ValueOf(v).Elem()
	for field := range fieldsOf(target.Type(), "query") {
		if !q.Has(field.name) {
			continue
		}
		text := q.Get(field.name)
		switch into := target.FieldByIndex(field.index).Addr().Interface().(type) {
		case *string:
			*into = text
		case **string:
			*into = &text
		case **int:
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 || n > 1<<31 {
				return errPage.In(field.name)
			}
			*into = &n
		default:
			return fmt.Errorf("httpapi: query field %s has the type %T", field.name, into)
		}
	}
	return nil
}
