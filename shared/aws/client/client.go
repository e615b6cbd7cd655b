// Package client makes the one aws.Config of a function by hand: region and
// credentials of the execution environment, nothing searched for, so that a
// cold start reads no files. The local build points it at a local engine.
package client

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// Environment is what the execution environment of a function provides.
type Environment struct {
	Region, AccessKey, SecretKey, SessionToken string
}

// FromProcess reads the variables that Lambda sets for every function.
func FromProcess() Environment {
	return Environment{
		Region: os.Getenv("AWS_REGION"), AccessKey: os.Getenv("AWS_ACCESS_KEY_ID"),
		SecretKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN"),
	}
}

// New returns the configuration of all clients: three attempts, and a second
// at most between them, so that a request ends within its function's time.
func New(e Environment) (aws.Config, error) {
	if e.Region == "" || e.AccessKey == "" {
		return aws.Config{}, errors.New("client: AWS_REGION and AWS_ACCESS_KEY_ID are not set")
	}
	c := aws.Config{
		Region: e.Region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID: e.AccessKey, SecretAccessKey: e.SecretKey,
				SessionToken: e.SessionToken, Source: "environment",
			}, nil
		}),
		HTTPClient: Whole(awshttp.NewBuildableClient().WithTimeout(8 * time.Second)),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts = 3
				o.MaxBackoff = time.Second
			})
		},
	}
	return local(c)
}
