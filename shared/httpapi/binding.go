package httpapi

import (
	"errors"
	"net/http"
	"reflect"
	"slices"

	"paddock/shared/fault"
	"paddock/shared/policy"
	"paddock/shared/route"
)

// None stands for the fields of a row that takes none, and for the answer of a
// row that answers without a body.
type None struct{}

// A Binding gives the row with this method and path its handler, with what the
// description of the API says about it.
type Binding struct {
	Method, Path string
	Summary      string
	Status       int          // of a success
	In           reflect.Type // fields of the query on GET rows, else of the body
	Out          reflect.Type
	Refusals     []*fault.Error // the handler's own; Refusals adds those of the rule
	Keyed        bool           // takes an Idempotency-Key
	Impact       reflect.Type   // of the answer to a dry run; nil: the row has none

	serve func(c Call, row route.Row) (any, error)
	tell  func(c Call, t *policy.Tried) (any, error)
}

// Answer binds a handler to a row. In is a struct: its `query` tags name the
// parameters of a GET row, its `json` tags the members of any other row's
// body. It is read strictly, by the rules of the row, before the handler is
// called; the description of the API is made from the same two types.
func Answer[In, Out any](method, path string, status int, handler func(Call, In) (Out, error)) *Binding {
	serve := func(c Call, row route.Row) (any, error) {
		var in In
		if err := decodeFields(c, row, &in); err != nil {
			return nil, err
		}
		out, err := handler(c, in)
		answer := any(out)
		if _, none := answer.(None); err != nil || none {
			return nil, err
		}
		return answer, nil
	}
	return &Binding{Method: method, Path: path, Status: status, In: reflect.TypeFor[In](), Out: reflect.TypeFor[Out](), serve: serve}
}

// Tried returns b for a row whose change can be looked at before it is made: tell
// answers what it would mean.
func Tried[Out any](b *Binding, tell func(Call, *policy.Tried) (Out, error)) *Binding {
	b.Impact = reflect.TypeFor[Out]()
	b.tell = func(c Call, t *policy.Tried) (any, error) { return tell(c, t) }
	return b
}

// dry returns b as it answers a dry run: what the change that its handler
// prepares would mean. A change that changes nothing means nothing.
func (b Binding) dry() Binding {
	prepare := b.serve
	b.Status = http.StatusOK
	b.serve = func(c Call, row route.Row) (any, error) {
		_, err := prepare(c, row)
		t, tried := errors.AsType[*policy.Tried](err)
		if err != nil && !tried {
			return nil, err
		}
		if !tried {
			t = &policy.Tried{Before: c.Who.Policy, After: c.Who.Policy}
		}
		return b.tell(c, t)
	}
	return b
}

// Summed adds one sentence that says what the row does, and returns b.
func (b *Binding) Summed(summary string) *Binding {
	b.Summary = summary
	return b
}

// Refuses adds refusals of the handler, and returns b.
func (b *Binding) Refuses(refusals ...*fault.Error) *Binding {
	b.Refusals = append(slices.Clip(b.Refusals), refusals...)
	return b
}

// decodeFields fills the fields of a row from the query or the body.
func decodeFields(c Call, row route.Row, in any) error {
	if row.Method == http.MethodGet {
		return decodeQuery(c.URL.Query(), in)
	}
	if row.OAuth() && isForm(c.Request) {
		return decodeForm(c.Body, in)
	}
	return decode(c.Body, in, row.Wire)
}
