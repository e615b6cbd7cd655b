package main

import (
	"context"
	"time"

	"paddock/localstack/engine"
	"paddock/localstack/environment"
	"paddock/localstack/seeding"
)

// seed makes the demo workspace and its accounts, or what is missing of them,
// and returns the environment with them. The stack is deployed and the front
// answers when it is called. Each step is saved at once, so that the next `up`
// goes on where this one failed.
func seed(ctx context.Context, b bench, e *engine.Engine, env environment.Environment) (environment.Environment, error) {
	offset, err := b.offset()
	if err != nil {
		return env, err
	}
	return seeding.Make(ctx, seeding.Config{
		Engine: e, Environment: env, Now: func() time.Time { return b.now().Add(offset) },
		Save: func(made environment.Environment) error { return environment.Save(b.root, made) },
	})
}
