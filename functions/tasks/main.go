// Command tasks is the Lambda function that delivers messages and does what is
// due; docs/architecture.md says what it alone may do.
package main

import (
	"log/slog"
	"os"

	"paddock/shared/lambdaio"
	"paddock/shared/wiring"
	"paddock/shared/wiring/posting"
)

func main() {
	if err := run(); err != nil {
		slog.Error("tasks: cannot start", "err", err.Error())
		os.Exit(1)
	}
}

func run() error {
	slog.SetDefault(wiring.Log(os.Stdout))
	c, err := wiring.FromEnvironment()
	if err != nil {
		return err
	}
	post, err := posting.New(c)
	if err != nil {
		return err
	}
	lambdaio.Start(lambdaio.QueueOrSweep(post.Deliver, post.Sweep))
	return nil
}
