package journey

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"paddock/shared/archive"
	"paddock/shared/aws/s3"
)

// archivedWithin bounds how long the stream may take to bring events into the
// log.
const archivedWithin = 60 * time.Second

// locked waits until the events stand in the log, verifies it from the stored
// objects, and tries with the strongest keys of the engine to be rid of one.
func (w *walk) locked(ctx context.Context) error {
	client := awss3.NewFromConfig(w.Engine.AWSConfig(), func(o *awss3.Options) { o.UsePathStyle = true })
	name, key, err := w.archiveSettings(ctx)
	if err != nil {
		return err
	}
	bucket, err := s3.New(client, name)
	if err != nil {
		return err
	}
	deadline := time.Now().Add(archivedWithin)
	var report archive.Report
	for {
		if report, err = w.verify(ctx, bucket, key); err != nil {
			return err
		}
		if report.Size >= 30 || time.Now().After(deadline) {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
	fmt.Fprintf(w.Out, "   the log holds %d events in order, intact: %t\n", report.Size, report.Intact())
	if !report.Intact() || report.Size < 30 {
		return fmt.Errorf("the log does not verify: %d events, %v", report.Size, report.Findings)
	}
	return w.attack(ctx, client, name)
}

func (w *walk) verify(ctx context.Context, bucket *s3.Bucket, signing string) (archive.Report, error) {
	key, err := kms.NewFromConfig(w.Engine.AWSConfig()).GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: &signing})
	if err != nil {
		return archive.Report{}, err
	}
	public, err := ed25519Of(key.PublicKey)
	if err != nil {
		return archive.Report{}, err
	}
	base, err := url.Parse(w.Environment.BaseURL)
	if err != nil {
		return archive.Report{}, err
	}
	verifier, err := archive.NewVerifier(base.Host, w.ws.ID.UUID(), public)
	if err != nil {
		return archive.Report{}, err
	}
	return archive.Verify(bucket.Objects(ctx, w.ws.ID.String()+"/"), verifier, archive.Expectation{})
}

// archiveSettings returns the audit bucket and the signing key, as the archive
// function has them in its environment.
func (w *walk) archiveSettings(ctx context.Context) (bucket, key string, err error) {
	out, err := lambda.NewFromConfig(w.Engine.AWSConfig()).GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("paddock-archive")})
	if err != nil {
		return "", "", err
	}
	bucket, key = out.Environment.Variables["PADDOCK_AUDIT_BUCKET"], out.Environment.Variables["PADDOCK_SIGNING_KEY"]
	if bucket == "" || key == "" {
		return "", "", errors.New("the archive function knows no audit bucket or signing key")
	}
	return bucket, key, nil
}

// attack tries to delete, shorten and overwrite the first object of the log
// with root keys. Each is refused, or leaves the old version as it was.
func (w *walk) attack(ctx context.Context, client *awss3.Client, bucket string) error {
	key := archive.ObjectKey(w.ws.ID.UUID(), 0)
	head, err := client.HeadObject(ctx, &awss3.HeadObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return err
	}
	before, err := w.body(ctx, client, bucket, key, head.VersionId)
	if err != nil {
		return err
	}
	_, deleted := client.DeleteObject(ctx, &awss3.DeleteObjectInput{Bucket: &bucket, Key: &key, VersionId: head.VersionId})
	_, bypassed := client.DeleteObject(ctx, &awss3.DeleteObjectInput{Bucket: &bucket, Key: &key, VersionId: head.VersionId, BypassGovernanceRetention: aws.Bool(true)})
	_, shortened := client.PutObjectRetention(ctx, &awss3.PutObjectRetentionInput{
		Bucket: &bucket, Key: &key, VersionId: head.VersionId,
		BypassGovernanceRetention: aws.Bool(true),
		Retention:                 &types.ObjectLockRetention{Mode: types.ObjectLockRetentionModeCompliance, RetainUntilDate: aws.Time(time.Now().Add(time.Hour))},
	})
	for what, err := range map[string]error{"delete the version": deleted, "delete it bypassing governance": bypassed, "shorten its retention": shortened} {
		fmt.Fprintf(w.Out, "   root tries to %s -> refused: %t\n", what, err != nil)
		if err == nil {
			return fmt.Errorf("root could %s", what)
		}
	}
	if _, err := client.PutObject(ctx, &awss3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader([]byte("forged"))}); err != nil {
		fmt.Fprintln(w.Out, "   root tries to overwrite it -> refused: true")
	}
	after, err := w.body(ctx, client, bucket, key, head.VersionId)
	if err != nil {
		return err
	}
	fmt.Fprintf(w.Out, "   the old version is there byte for byte: %t\n", bytes.Equal(before, after))
	if !bytes.Equal(before, after) {
		return errors.New("the stored version changed")
	}
	return nil
}

func (w *walk) body(ctx context.Context, client *awss3.Client, bucket, key string, version *string) ([]byte, error) {
	out, err := client.GetObject(ctx, &awss3.GetObjectInput{Bucket: &bucket, Key: &key, VersionId: version})
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(out.Body)
	return b.Bytes(), err
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
