// Package lambdaio is the border to the Lambda runtime: it turns the gateway's
// events (payload format 2.0) into requests of net/http, its answers back, and
// starts handlers. It promises that a handler sees the request as the client
// sent it, that where the request came from is what the gateway says, and that
// every answer is well formed, also when the handler panics or writes nothing.
// It knows no routes and no rules.
package lambdaio

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"paddock/shared/fault"
	"paddock/shared/ingress"
)

// Reserve is the part of the function's time that is left for the answer and
// the audit record: the context of a request ends that much earlier.
// Source: style, section 6.
const Reserve = 500 * time.Millisecond

// MaxBodyBytes bounds a request body, before it is decoded, over all routes;
// a route's own bound may be lower. Source: security, DS-1 (SAML, 256 KiB).
const MaxBodyBytes = 256 << 10

// Refusals of events that do not become requests.
var (
	ErrBodyTooLarge = fault.Error{
		Kind: fault.TooLarge, Code: "body_too_large",
		Detail: "The request body is larger than this service accepts.",
	}
	ErrMalformed = ingress.ErrMalformed
	errInternal  = fault.Error{
		Kind: fault.Internal, Code: "internal_error",
		Detail: "Something went wrong on our side.",
	}
)

// A Gateway handles one event of the HTTP API. Its error is always nil: what
// goes wrong is an answer.
type Gateway func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)

// Start hands over to the Lambda runtime and does not return.
func Start[In, Out any](h func(context.Context, In) (Out, error)) {
	lambda.Start(h)
}

// HTTP serves the gateway's events with h.
func HTTP(h http.Handler) Gateway {
	adapter := httpadapter.NewV2(http.HandlerFunc(func(w http.ResponseWriter, carried *http.Request) {
		e, ok := carried.Context().Value(exchangeKey{}).(*exchange)
		if !ok {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		out := &writer{to: w, head: e.request.Method == http.MethodHead}
		h.ServeHTTP(out, e.request)
		e.answered = out.finish()
	}))
	return func(ctx context.Context, event events.APIGatewayV2HTTPRequest) (answer events.APIGatewayV2HTTPResponse, err error) {
		ctx, cancel := shorten(ctx)
		defer cancel()
		origin := originOf(event)
		defer func() {
			if v := recover(); v != nil {
				slog.ErrorContext(ctx, "handler panicked", "request_id", origin.RequestID,
					"err", fmt.Sprint(v), "stack", string(debug.Stack()))
				answer, err = problem(http.StatusInternalServerError, errInternal, origin), nil
			}
		}()
		r, status, refusal := restore(ingress.WithOrigin(ctx, origin), event)
		if r == nil {
			return problem(status, refusal, origin), nil
		}
		// The adapter only carries: it would split header values at commas,
		// decode bodies without a bound and answer text where we owe JSON.
		e := &exchange{request: r}
		answer, failed := adapter.ProxyWithContext(context.WithValue(ctx, exchangeKey{}, e), carrier(r.Method))
		if failed != nil || !e.answered {
			slog.ErrorContext(ctx, "handler wrote nothing", "request_id", origin.RequestID, "method", r.Method)
			return problem(http.StatusInternalServerError, errInternal, origin), nil
		}
		return answer, nil
	}
}

// An exchange travels through the adapter: the request made from the original
// event, and whether the handler answered it.
type exchange struct {
	request  *http.Request
	answered bool
}

type exchangeKey struct{}

// carrier is the event that the adapter converts: everything a client wrote is
// left out, for the adapter logs what it cannot convert.
func carrier(method string) events.APIGatewayV2HTTPRequest {
	e := events.APIGatewayV2HTTPRequest{RawPath: "/"}
	e.RequestContext.DomainName = "gateway"
	e.RequestContext.HTTP.Method = method
	return e
}

// shorten leaves Reserve of the deadline, when there is one.
func shorten(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-Reserve))
}

// problem is the answer to what never reached, or never left, the handler.
func problem(status int, f fault.Error, origin ingress.Origin) events.APIGatewayV2HTTPResponse {
	body, err := json.Marshal(ingress.Problem{Detail: f.Detail, Code: f.Code, Source: f.Source, RequestID: origin.RequestID})
	if err != nil {
		body = []byte(`{"detail":"Something went wrong on our side.","code":"internal_error","source":""}`)
	}
	return events.APIGatewayV2HTTPResponse{
		StatusCode: status,
		Headers: map[string]string{
			"Content-Type": "application/json", "Cache-Control": "no-store",
			"X-Content-Type-Options": "nosniff",
		},
		Body: string(body) + "\n",
	}
}
