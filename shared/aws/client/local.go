//go:build local

package client

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// local points c at the engine that AWS_ENDPOINT_URL names, trusting the
// certificates in AWS_CA_BUNDLE.
func local(c aws.Config) (aws.Config, error) {
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	if endpoint == "" {
		return c, nil
	}
	c.BaseEndpoint = aws.String(endpoint)
	bundle := os.Getenv("AWS_CA_BUNDLE")
	if bundle == "" {
		return c, nil
	}
	pem, err := os.ReadFile(bundle)
	if err != nil {
		return aws.Config{}, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return aws.Config{}, errors.New("client: AWS_CA_BUNDLE holds no certificate")
	}
	c.HTTPClient = Whole(awshttp.NewBuildableClient().WithTimeout(8 * time.Second).WithTransportOptions(func(t *http.Transport) {
		t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}))
	return c, nil
}
