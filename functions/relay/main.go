// Command relay is the Lambda function that puts stored messages on the queue;
// docs/architecture.md says what it alone may do.
package main

import (
	"log/slog"
	"os"

	"paddock/shared/lambdaio"
	"paddock/shared/wiring"
	"paddock/shared/wiring/relaying"
)

func main() {
	if err := run(); err != nil {
		slog.Error("relay: cannot start", "err", err.Error())
		os.Exit(1)
	}
}

func run() error {
	slog.SetDefault(wiring.Log(os.Stdout))
	c, err := wiring.FromEnvironment()
	if err != nil {
		return err
	}
	lambdaio.Start(lambdaio.Stream(relaying.New(c).Deliver))
	return nil
}
