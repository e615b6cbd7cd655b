// Command api is the Lambda function of the same name; docs/architecture.md
// says what it alone may do.
package main

import (
	"log/slog"
	"os"

	"paddock/shared/lambdaio"
	"paddock/shared/wiring"
	"paddock/shared/wiring/serving"
)

func main() {
	if err := run(); err != nil {
		slog.Error("api: cannot start", "err", err.Error())
		os.Exit(1)
	}
}

func run() error {
	slog.SetDefault(wiring.Log(os.Stdout))
	c, err := wiring.FromEnvironment()
	if err != nil {
		return err
	}
	h, err := serving.New(c)
	if err != nil {
		return err
	}
	lambdaio.Start(lambdaio.HTTP(h))
	return nil
}
