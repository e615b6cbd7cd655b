package journey

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"paddock/shared/archive"
)

// locked waits until the events stand in the log, verifies it from the stored
// objects, and tries with the strongest keys of the engine to be rid of one.
func (w *walk) locked(ctx context.Context) error {
	log, err := OpenLog(ctx, w.Engine, w.Environment.BaseURL, w.ws.ID.UUID())
	if err != nil {
		return err
	}
	report, err := log.Grown(ctx, 30)
	if err != nil {
		return err
	}
	fmt.Fprintf(w.Out, "   the log holds %d events in order, intact: %t\n", report.Size, report.Intact())
	if !report.Intact() || report.Size < 30 {
		return fmt.Errorf("the log does not verify: %d events, %v", report.Size, report.Findings)
	}
	client := awss3.NewFromConfig(w.Engine.AWSConfig(), func(o *awss3.Options) { o.UsePathStyle = true })
	return w.attack(ctx, client, log.bucketName)
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
	for _, try := range []struct {
		what string
		err  error
	}{{"delete the version", deleted}, {"delete it bypassing governance", bypassed}, {"shorten its retention", shortened}} {
		fmt.Fprintf(w.Out, "   root tries to %s -> refused: %t\n", try.what, try.err != nil)
		if try.err == nil {
			return fmt.Errorf("root could %s", try.what)
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
