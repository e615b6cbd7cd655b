// Command infra synthesises the CloudFormation template of a deployment.
package main

import (
	"log/slog"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"paddock/infra/stack"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(&awscdk.AppProps{AnalyticsReporting: jsii.Bool(false)})
	props, err := stack.FromContext(app.Node())
	if err != nil {
		slog.Error("infra: settings refused", "err", err)
		os.Exit(1)
	}
	if _, err := stack.NewStack(app, "Paddock", props); err != nil {
		slog.Error("infra: cannot build the stack", "err", err)
		os.Exit(1)
	}
	app.Synth(nil)
}
