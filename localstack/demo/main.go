// Command demo walks the whole journey against a running environment: it signs
// in, is asked to step up, changes a protected setting, and finds it in the
// locked log. It prints each exchange, asserts it, and fails on the first
// deviation.
package main

import (
	"context"
	"fmt"
	"os"

	"paddock/localstack/engine"
	"paddock/localstack/environment"
	"paddock/localstack/journey"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	root, err := engine.FindRoot()
	if err != nil {
		return err
	}
	env, err := environment.Load(root)
	if err != nil {
		return err
	}
	e, err := engine.Find(root, env.EngineURL, env.CAFile)
	if err != nil {
		return err
	}
	return journey.Run(ctx, journey.Config{Engine: e, Environment: env, Root: root, Out: os.Stdout})
}
