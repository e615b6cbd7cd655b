package lambdaio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"paddock/shared/fault"
	"paddock/shared/table"
)

// A Refusal is how a directly invoked function explains a refusal. The Lambda
// runtime shows the type's name as the error's type.
type Refusal struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Source string `json:"source"`
}

// An Outcome is the answer of a directly invoked function: one of both.
type Outcome[T any] struct {
	Result  *T       `json:"result,omitempty"`
	Refusal *Refusal `json:"refusal,omitempty"`
}

// Invoked answers direct invocations. A refusal is an outcome that the caller
// is told; what nobody classified is an error of the invocation.
func Invoked[In, Out any](do func(context.Context, In) (Out, error)) func(context.Context, In) (Outcome[Out], error) {
	return func(ctx context.Context, in In) (Outcome[Out], error) {
		out, err := do(ctx, in)
		if err == nil {
			return Outcome[Out]{Result: &out}, nil
		}
		if refusal, ok := errors.AsType[fault.Error](err); ok && refusal.Kind != fault.Internal {
			return Outcome[Out]{Refusal: &Refusal{Code: refusal.Code, Detail: refusal.Detail, Source: refusal.Source}}, nil
		}
		slog.ErrorContext(ctx, "invocation failed", "err", err.Error())
		return Outcome[Out]{}, errFailed
	}
}

var errFailed = errors.New("the function failed; its log says why")

// schedule is the input that the schedules send.
type schedule struct {
	Task string `json:"task"`
}

// StreamOrSweep serves a function that a table stream and a schedule invoke.
func StreamOrSweep(deliver func(context.Context, []table.Record) error, sweep func(context.Context) error) func(context.Context, json.RawMessage) (any, error) {
	stream := Stream(deliver)
	return func(ctx context.Context, raw json.RawMessage) (any, error) {
		if scheduled(raw) {
			return nil, sweep(ctx)
		}
		var batch events.DynamoDBEvent
		if err := json.Unmarshal(raw, &batch); err != nil {
			return nil, fmt.Errorf("lambdaio: neither a stream batch nor a schedule: %w", err)
		}
		return stream(ctx, batch)
	}
}

// QueueOrSweep serves a function that a queue and a schedule invoke.
func QueueOrSweep(deliver func(context.Context, string) error, sweep func(context.Context) error) func(context.Context, json.RawMessage) (any, error) {
	queue := Queue(deliver)
	return func(ctx context.Context, raw json.RawMessage) (any, error) {
		if scheduled(raw) {
			return nil, sweep(ctx)
		}
		var batch events.SQSEvent
		if err := json.Unmarshal(raw, &batch); err != nil {
			return nil, fmt.Errorf("lambdaio: neither a queue batch nor a schedule: %w", err)
		}
		return queue(ctx, batch)
	}
}

func scheduled(raw json.RawMessage) bool {
	var s schedule
	return json.Unmarshal(raw, &s) == nil && s.Task == "sweep"
}
