package contract

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// lockedBucket makes a versioned bucket with Object Lock.
func lockedBucket(t *testing.T, client *s3.Client, name string) *string {
	t.Helper()
	_, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name, ObjectLockEnabledForBucket: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: &name, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &name
}

func TestPutIfAbsentWritesOnce(t *testing.T) {
	client := s3.NewFromConfig(local.AWSConfig())
	bucket := lockedBucket(t, client, "if-absent")
	put := func(key string) error {
		_, err := client.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: bucket, Key: &key, Body: strings.NewReader("first"), IfNoneMatch: aws.String("*"),
			ObjectLockMode: types.ObjectLockModeCompliance, ObjectLockRetainUntilDate: aws.Time(time.Now().Add(time.Hour)),
		})
		return err
	}
	wantCode(t, "first put", put("a"), "")
	wantCode(t, "second put", put("a"), "PreconditionFailed")
	wantCode(t, "put of another key", put("b"), "")
	versions, err := client.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: bucket, Prefix: aws.String("a")})
	if err != nil || len(versions.Versions) != 1 {
		t.Errorf("versions: %d, %v, want one", len(versions.Versions), err)
	}
}

func TestComplianceLockHoldsAgainstRoot(t *testing.T) {
	client := s3.NewFromConfig(local.AWSConfig()) // root, on purpose: nobody is stronger
	bucket := lockedBucket(t, client, "compliance")
	until := time.Now().Add(24 * time.Hour).UTC().Truncate(time.Second)
	out, err := client.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: bucket, Key: aws.String("batch"), Body: strings.NewReader("evidence"),
		ObjectLockMode: types.ObjectLockModeCompliance, ObjectLockRetainUntilDate: &until,
	})
	if err != nil {
		t.Fatal(err)
	}
	retain := func(mode types.ObjectLockRetentionMode, at time.Time, bypass bool) error {
		_, err := client.PutObjectRetention(t.Context(), &s3.PutObjectRetentionInput{
			Bucket: bucket, Key: aws.String("batch"), VersionId: out.VersionId, BypassGovernanceRetention: &bypass,
			Retention: &types.ObjectLockRetention{Mode: mode, RetainUntilDate: &at},
		})
		return err
	}
	remove := func(bypass bool) error {
		_, err := client.DeleteObject(t.Context(), &s3.DeleteObjectInput{
			Bucket: bucket, Key: aws.String("batch"), VersionId: out.VersionId, BypassGovernanceRetention: &bypass,
		})
		return err
	}
	wantCode(t, "delete the version", remove(false), "AccessDenied")
	wantCode(t, "delete the version, bypassing", remove(true), "AccessDenied")
	wantCode(t, "shorten", retain(types.ObjectLockRetentionModeCompliance, until.Add(-time.Hour), false), "AccessDenied")
	wantCode(t, "shorten, bypassing", retain(types.ObjectLockRetentionModeCompliance, until.Add(-time.Hour), true), "AccessDenied")
	wantCode(t, "weaken to governance", retain(types.ObjectLockRetentionModeGovernance, until, true), "AccessDenied")
	wantCode(t, "lengthen", retain(types.ObjectLockRetentionModeCompliance, until.Add(time.Hour), false), "")
	wantCode(t, "delete after all that", remove(true), "AccessDenied")
}

func TestDeleteMarkerLeavesTheVersion(t *testing.T) {
	client := s3.NewFromConfig(local.AWSConfig())
	bucket := lockedBucket(t, client, "marker")
	out, err := client.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: bucket, Key: aws.String("batch"), Body: strings.NewReader("evidence"),
		ObjectLockMode: types.ObjectLockModeCompliance, ObjectLockRetainUntilDate: aws.Time(time.Now().Add(time.Hour)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: aws.String("batch")}); err != nil {
		t.Fatal(err)
	}
	_, err = client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: aws.String("batch"), VersionId: out.VersionId})
	wantCode(t, "read of the version", err, "")
}

func TestWriterRoleCannotDeleteOrList(t *testing.T) {
	root := s3.NewFromConfig(local.AWSConfig())
	bucket := lockedBucket(t, root, "writer")
	client := s3.NewFromConfig(role(t, "s3-writer", allow("arn:aws:s3:::writer/*", "s3:PutObject", "s3:PutObjectRetention", "s3:GetObject")))
	_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: aws.String("a"), Body: strings.NewReader("x")})
	wantCode(t, "put", err, "")
	_, err = client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: aws.String("a")})
	wantCode(t, "delete", err, "AccessDenied")
	_, err = client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: bucket})
	wantCode(t, "list", err, "AccessDenied")
}
