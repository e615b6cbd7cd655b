// Package fault holds the refusals that Paddock explains to a caller: a kind,
// a stable code and a sentence. It knows nothing of HTTP.
package fault

import "time"

// A Kind is what a caller can do about an error. The zero Kind is Internal, so
// an error nobody classified is never explained to a stranger.
type Kind uint8

// The kinds of refusal.
const (
	// Internal is a defect or an outage that the caller is told nothing of.
	Internal Kind = iota
	// Invalid means that the request itself is wrong and names the field.
	Invalid
	// Unauthenticated means that no valid credential came with the request.
	Unauthenticated
	// Denied means that the caller is known and may not do this.
	Denied
	// NotFound means that nothing the caller may see is there.
	NotFound
	// Conflict means that the present state does not admit the request.
	Conflict
	// Limited means that a budget is used up; RetryAfter says for how long.
	Limited
	// Unavailable means that the same request may succeed later.
	Unavailable
	// TooLarge means that the request is bigger than its route accepts.
	TooLarge
	// Method means that the path exists, but not with this method.
	Method
)

// Kinds lists every kind, for tests that walk them.
var Kinds = []Kind{Internal, Invalid, Unauthenticated, Denied, NotFound, Conflict, Limited, Unavailable, TooLarge, Method}

// String returns the kind's name for logs.
func (k Kind) String() string {
	switch k {
	case Internal:
		return "internal"
	case Invalid:
		return "invalid"
	case Unauthenticated:
		return "unauthenticated"
	case Denied:
		return "denied"
	case NotFound:
		return "not_found"
	case Conflict:
		return "conflict"
	case Limited:
		return "limited"
	case Unavailable:
		return "unavailable"
	case TooLarge:
		return "too_large"
	case Method:
		return "method"
	}
	return "unknown"
}

// An Error is a refusal with a stable code and a sentence for people.
// The sentence must hold nothing that the caller may not know.
type Error struct {
	Kind   Kind
	Code   string // snake_case, stable, listed in testdata/codes.golden of httpapi
	Detail string // one sentence
	Source string // field or subsystem, may be empty

	// RetryAfter is how long a Limited or Unavailable caller should wait;
	// zero when unknown.
	RetryAfter time.Duration
}

// Error returns code and sentence.
func (e Error) Error() string { return e.Code + ": " + e.Detail }

// Is makes errors.Is compare refusals by kind and code: the sentence, the
// field and the waiting time may differ from one occurrence to the next.
func (e Error) Is(target error) bool {
	t, ok := target.(Error)
	return ok && t.Code == e.Code && t.Kind == e.Kind
}

// In returns e with the field or subsystem that it concerns.
func (e Error) In(source string) Error {
	e.Source = source
	return e
}

// Saying returns e with another sentence.
func (e Error) Saying(detail string) Error {
	e.Detail = detail
	return e
}

// After returns e with the time that the caller should wait.
func (e Error) After(d time.Duration) Error {
	e.RetryAfter = d
	return e
}

// Field returns an Invalid refusal of one request field.
func Field(name, code, detail string) Error {
	return Error{Kind: Invalid, Code: code, Detail: detail, Source: name}
}
