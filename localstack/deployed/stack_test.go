// Package deployed tests the stack as it is deployed: the committed template
// through CloudFormation, functions behind the gateway, IAM enforced, over
// HTTP.
package deployed_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"paddock/localstack/deployment"
)

// shared is the one stack of this package; each test that changes settings
// makes a workspace of its own.
var shared *deployment.Deployment //nolint:gochecknoglobals // one stack for all tests of the package

func TestMain(m *testing.M) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	code := 1
	var err error
	if shared, err = deployment.Start(ctx); err == nil {
		code = m.Run()
	}
	if err := errors.Join(err, shared.Stop()); err != nil {
		fmt.Fprintln(os.Stderr, "deployed:", err)
		code = 1
	}
	cancel()
	os.Exit(code)
}
