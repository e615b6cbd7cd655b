// Package ingress is what the entry of a function and the API behind it share
// about a request: where it came from, and what a refusal looks like. It is
// apart so that functions without an API link none.
package ingress

import (
	"context"
	"net/netip"

	"paddock/shared/fault"
)

// A Problem is an error on the wire. Source: alpacon-wire 2.3.
type Problem struct {
	Detail     string `json:"detail"`
	Code       string `json:"code"`
	Source     string `json:"source"`
	RequestID  string `json:"request_id,omitempty"`
	DecisionID string `json:"decision_id,omitempty"`
}

// ErrMalformed refuses an event of the gateway that does not become a request.
var ErrMalformed = fault.Error{Kind: fault.Invalid, Code: "malformed_request", Detail: "The request is not well formed."}

// An Origin is where a request came from, as the gateway's event tells it. No
// part of it is taken from a header that a client could have written, except
// the user agent, which is shown to people and decides nothing.
type Origin struct {
	RequestID string
	SourceIP  netip.Addr
	UserAgent string
}

type originKey struct{}

// WithOrigin returns ctx carrying o. Entries put it there before the handler.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// OriginOf returns the origin of the request, or the zero Origin.
func OriginOf(ctx context.Context) Origin {
	o, _ := ctx.Value(originKey{}).(Origin)
	return o
}
