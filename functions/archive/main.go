// Command archive is the Lambda function that writes the locked audit logs;
// docs/architecture.md says what it alone may do.
package main

import (
	"log/slog"
	"os"

	"paddock/shared/lambdaio"
	"paddock/shared/wiring"
	"paddock/shared/wiring/archiving"
)

func main() {
	if err := run(); err != nil {
		slog.Error("archive: cannot start", "err", err.Error())
		os.Exit(1)
	}
}

func run() error {
	slog.SetDefault(wiring.Log(os.Stdout))
	c, err := wiring.FromEnvironment()
	if err != nil {
		return err
	}
	a, err := archiving.New(c)
	if err != nil {
		return err
	}
	lambdaio.Start(lambdaio.StreamOrSweep(a.Deliver, a.Sweep))
	return nil
}
