// Command provision is the Lambda function that makes workspaces;
// docs/architecture.md says what it alone may do.
package main

import (
	"log/slog"
	"os"

	"paddock/shared/lambdaio"
	"paddock/shared/wiring"
	"paddock/shared/wiring/provisioning"
)

func main() {
	if err := run(); err != nil {
		slog.Error("provision: cannot start", "err", err.Error())
		os.Exit(1)
	}
}

func run() error {
	slog.SetDefault(wiring.Log(os.Stdout))
	c, err := wiring.FromEnvironment()
	if err != nil {
		return err
	}
	service, err := provisioning.New(c)
	if err != nil {
		return err
	}
	lambdaio.Start(lambdaio.Invoked(service.Create))
	return nil
}
