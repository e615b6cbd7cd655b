// Command console is the Lambda function that serves the web console;
// docs/architecture.md says what it may do: nothing else.
package main

import (
	"log/slog"
	"os"

	"paddock/shared/console"
	"paddock/shared/lambdaio"
)

func main() {
	if err := run(); err != nil {
		slog.Error("console: cannot start", "err", err.Error())
		os.Exit(1)
	}
}

func run() error {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stdout, nil)))
	h, err := console.New()
	if err != nil {
		return err
	}
	lambdaio.Start(lambdaio.HTTP(h))
	return nil
}
