package journey

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"iter"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/mod/sumdb/note"

	"paddock/localstack/engine"
	"paddock/shared/archive"
	"paddock/shared/aws/s3"
	"paddock/shared/id"
)

// archivedWithin bounds how long the stream may take to bring events into the
// log.
const archivedWithin = 60 * time.Second

// A Log is the audit log of one workspace as it stands in the engine's objects.
type Log struct {
	bucket     *s3.Bucket
	bucketName string
	prefix     string
	verifier   note.Verifier
}

// OpenLog finds the log of a workspace of the stack behind base.
func OpenLog(ctx context.Context, e *engine.Engine, base string, workspace id.UUID) (*Log, error) {
	l := &Log{prefix: workspace.String() + "/"}
	name, signing, err := archiveSettings(ctx, e)
	if err != nil {
		return nil, err
	}
	l.bucketName = name
	client := awss3.NewFromConfig(e.AWSConfig(), func(o *awss3.Options) { o.UsePathStyle = true })
	if l.bucket, err = s3.New(client, name); err != nil {
		return nil, err
	}
	key, err := kms.NewFromConfig(e.AWSConfig()).GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: &signing})
	if err != nil {
		return nil, err
	}
	public, err := ed25519Of(key.PublicKey)
	if err != nil {
		return nil, err
	}
	address, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	l.verifier, err = archive.NewVerifier(address.Host, workspace, public)
	return l, err
}

// Verify checks the log's first objects, all when most is 0.
func (l *Log) Verify(ctx context.Context, most int) (archive.Report, error) {
	return archive.Verify(first(l.bucket.Objects(ctx, l.prefix), most), l.verifier, archive.Expectation{})
}

// Grown verifies the log once it holds this many events, or when the time for
// it is over.
func (l *Log) Grown(ctx context.Context, events uint64) (archive.Report, error) {
	deadline := time.Now().Add(archivedWithin)
	for {
		report, err := l.Verify(ctx, 0)
		if err != nil || report.Size >= events || time.Now().After(deadline) {
			return report, err
		}
		select {
		case <-ctx.Done():
			return report, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

func first[T any](all iter.Seq2[T, error], most int) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		n := 0
		for one, err := range all {
			if !yield(one, err) {
				return
			}
			if n++; n == most {
				return
			}
		}
	}
}

// archiveSettings returns the audit bucket and the signing key, as the archive
// function has them in its environment.
func archiveSettings(ctx context.Context, e *engine.Engine) (bucket, key string, err error) {
	out, err := lambda.NewFromConfig(e.AWSConfig()).GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("paddock-archive")})
	if err != nil {
		return "", "", err
	}
	bucket, key = out.Environment.Variables["PADDOCK_AUDIT_BUCKET"], out.Environment.Variables["PADDOCK_SIGNING_KEY"]
	if bucket == "" || key == "" {
		return "", "", errors.New("the archive function knows no audit bucket or signing key")
	}
	return bucket, key, nil
}

func ed25519Of(der []byte) (ed25519.PublicKey, error) {
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("the signing key is not Ed25519")
	}
	return key, nil
}
