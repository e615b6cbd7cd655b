package openapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"

	"paddock/shared/httpapi"
	"paddock/shared/identity"
	"paddock/shared/mfa"
	"paddock/shared/session"
	"paddock/shared/workspace"
)

// enumerations are the values of the text types that have only some.
var enumerations = map[reflect.Type][]any{
	reflect.TypeFor[identity.Method]():   {identity.HardwareKey, identity.Biometric, identity.OTP, identity.MailedCode, identity.Phone, identity.RecoveryCode},
	reflect.TypeFor[workspace.Plan]():    {workspace.Essentials, workspace.Enterprise},
	reflect.TypeFor[workspace.Feature](): {workspace.IPAllowlist, workspace.SSO, workspace.LongRetention},
	reflect.TypeFor[mfa.Via]():           {mfa.SMS, mfa.Voice},
	reflect.TypeFor[session.Delivery]():  {session.Queued, session.Sent, session.Failed},
	reflect.TypeFor[mfa.Purpose]():       {mfa.SignIn, mfa.StepUp},
	reflect.TypeFor[session.State]():     {session.SignedIn, session.MFARequired, session.EnrolmentRequired, session.ChangeRequired},
}

// schemas collects the named schemas of types.
type schemas struct {
	comments map[string]string
	named    map[string]*jsonschema.Schema
	types    map[string]reflect.Type // by the name given
	errs     []error
}

// commented returns the doc comments of the types that stand in the folders,
// given relative to that of this package.
func commented(folders ...string) (map[string]string, error) {
	r := jsonschema.Reflector{}
	for _, folder := range folders {
		if err := r.AddGoComments(reflect.TypeFor[Document]().PkgPath(), folder); err != nil {
			return nil, fmt.Errorf("read the comments of %s: %w", folder, err)
		}
	}
	return r.CommentMap, nil
}

func (s *schemas) reflector(open bool) *jsonschema.Reflector {
	return &jsonschema.Reflector{Anonymous: true, AllowAdditionalProperties: open, Mapper: s.mapped, Namer: s.name, CommentMap: s.comments}
}

// body returns the schema of what a request holds: open ones take members that
// they do not know.
func (s *schemas) body(t reflect.Type, open bool) *jsonschema.Schema {
	root := s.reflector(open).ReflectFromType(t)
	if !open {
		for _, d := range root.Definitions {
			if d.Type == "object" { // the reflector forgets it for a struct that embeds another
				d.AdditionalProperties = jsonschema.FalseSchema
			}
		}
	}
	return s.keep(root)
}

// answer returns the schema of an answer. Answers may get more members: a
// client ignores those that it does not know.
func (s *schemas) answer(t reflect.Type) *jsonschema.Schema {
	if forms, ok := reflect.Zero(t).Interface().(interface{ OneOf() []reflect.Type }); ok {
		either := &jsonschema.Schema{}
		for _, form := range forms.OneOf() {
			either.OneOf = append(either.OneOf, s.answer(form))
		}
		return either
	}
	if t.Kind() == reflect.Struct {
		s.checkNulls(t)
	}
	return s.keep(s.reflector(true).ReflectFromType(t))
}

// query returns the parameters that the fields of a type stand for.
func (s *schemas) query(t reflect.Type) []Parameter {
	r := s.reflector(true)
	r.FieldNameTag, r.DoNotReference, r.ExpandedStruct = "query", true, true
	var out []Parameter
	for pair := r.ReflectFromType(t).Properties.Oldest(); pair != nil; pair = pair.Next() {
		described := *pair.Value
		described.Description = ""
		out = append(out, Parameter{Name: pair.Key, In: "query", Description: pair.Value.Description, Schema: &described})
	}
	return out
}

func (s *schemas) keep(root *jsonschema.Schema) *jsonschema.Schema {
	maps.Copy(s.named, root.Definitions)
	root.Definitions, root.Version = nil, ""
	return root
}

// mapped returns the schema of types whose form on the wire their Go type does
// not show.
func (s *schemas) mapped(t reflect.Type) *jsonschema.Schema {
	switch {
	case t.PkgPath() == "paddock/shared/id":
		return &jsonschema.Schema{Type: "string", Format: "uuid"}
	case t == reflect.TypeFor[workspace.Whole]():
		return &jsonschema.Schema{Type: "integer"}
	case t == reflect.TypeFor[workspace.Seats]():
		return &jsonschema.Schema{Type: "integer", Minimum: "1", Maximum: json.Number(strconv.Itoa(workspace.MaxSeats))}
	case t == reflect.TypeFor[json.RawMessage]():
		return &jsonschema.Schema{Type: "object"}
	case enumerations[t] != nil:
		return &jsonschema.Schema{Type: "string", Enum: enumerations[t]}
	case t.Kind() == reflect.String && t.PkgPath() != "":
		s.errs = append(s.errs, fmt.Errorf("openapi: %s needs its values in enumerations", t))
	}
	return nil
}

// name returns the name of a schema: of Page[T], "TPage".
func (s *schemas) name(t reflect.Type) string {
	name := t.Name()
	if t.Kind() != reflect.Struct || t.PkgPath() == "" {
		return name // stands in the schema of what holds it
	}
	if outer, inner, generic := strings.Cut(name, "["); generic {
		name = strings.TrimSuffix(inner[strings.LastIndex(inner, ".")+1:], "]") + outer
	}
	if before, ok := s.types[name]; ok && before != t {
		s.errs = append(s.errs, fmt.Errorf("openapi: %s and %s have one name", before, t))
	}
	s.types[name] = t
	return name
}

// checkNulls finds pointers that print as null where the schema denies it.
func (s *schemas) checkNulls(t reflect.Type) {
	for _, f := range reflect.VisibleFields(t) {
		tag := f.Tag.Get("json")
		if f.Type.Kind() == reflect.Pointer && !strings.Contains(tag, ",omit") && f.Tag.Get("jsonschema") != "nullable" {
			s.errs = append(s.errs, fmt.Errorf("openapi: %s.%s may be null and does not say so", t, f.Name))
		}
		inner := f.Type
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && strings.HasPrefix(inner.PkgPath(), reflect.TypeFor[httpapi.None]().PkgPath()) {
			s.checkNulls(inner)
		}
	}
}
