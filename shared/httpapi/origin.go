package httpapi

import (
	"context"
	"net/netip"
)

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
