package main

import (
	"context"
	"time"

	"paddock/localstack/engine"
	"paddock/localstack/environment"
	"paddock/localstack/seeding"
)

// seed makes the demo workspace and its accounts when there are none, and
// returns the environment with them. The stack is deployed and the front
// answers when it is called. It does nothing when the accounts are there.
func seed(ctx context.Context, b bench, e *engine.Engine, env environment.Environment) (environment.Environment, error) {
	if env.Workspace.ID != "" && len(env.Accounts) > 0 {
		return env, nil
	}
	offset, err := b.offset()
	if err != nil {
		return env, err
	}
	return seeding.Demo(ctx, e, env, func() time.Time { return b.now().Add(offset) })
}
