package s3_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"paddock/localstack/engine"
	"paddock/shared/archive"
	"paddock/shared/aws/s3"
	"paddock/shared/id"
)

const bucketName = "paddock-audit-000000000000-us-east-1"

func TestBucket(t *testing.T) {
	e, err := engine.Start(t.Context(), engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(); err != nil {
			t.Error(err)
		}
	})
	client := awss3.NewFromConfig(e.AWSConfig(), func(o *awss3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: aws.String(bucketName), ObjectLockEnabledForBucket: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	bucket, err := s3.New(client, bucketName)
	if err != nil {
		t.Fatal(err)
	}
	until := time.Now().Add(archive.MinRetention)
	t.Run("an absent object is stored and locked until its date", func(t *testing.T) {
		locked(t, client, bucket, until)
	})
	t.Run("an object that is there is returned and not replaced", func(t *testing.T) {
		kept(t, bucket, until)
	})
	t.Run("one of several puts at once wins", func(t *testing.T) {
		raced(t, bucket, until)
	})
	t.Run("versions come oldest first and a hidden object is still read", func(t *testing.T) {
		versions(t, client, bucket, until)
	})
	t.Run("a log verifies from the bucket", func(t *testing.T) {
		verified(t, client, bucket, until)
	})
}

func locked(t *testing.T, client *awss3.Client, bucket *s3.Bucket, until time.Time) {
	if existing, err := bucket.PutIfAbsent(t.Context(), "a/1", []byte("first"), until); err != nil || existing != nil {
		t.Fatalf("PutIfAbsent = %q, %v", existing, err)
	}
	head, err := client.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: aws.String(bucketName), Key: aws.String("a/1")})
	if err != nil {
		t.Fatal(err)
	}
	if head.ObjectLockMode != types.ObjectLockModeCompliance || head.ObjectLockRetainUntilDate == nil || head.ObjectLockRetainUntilDate.Before(until) {
		t.Fatalf("%s until %v, want COMPLIANCE until %v", head.ObjectLockMode, head.ObjectLockRetainUntilDate, until)
	}
	_, err = client.DeleteObject(t.Context(), &awss3.DeleteObjectInput{
		Bucket: aws.String(bucketName), Key: aws.String("a/1"),
		VersionId: head.VersionId, BypassGovernanceRetention: aws.Bool(true),
	})
	if err == nil {
		t.Fatal("the locked version was deleted")
	}
}

func kept(t *testing.T, bucket *s3.Bucket, until time.Time) {
	existing, err := bucket.PutIfAbsent(t.Context(), "a/1", []byte("second"), until)
	if err != nil || string(existing) != "first" {
		t.Fatalf("PutIfAbsent = %q, %v", existing, err)
	}
	if got, err := bucket.Get(t.Context(), "a/1"); err != nil || string(got) != "first" {
		t.Fatalf("Get = %q, %v", got, err)
	}
	if got, err := bucket.Get(t.Context(), "a/2"); err == nil || got != nil {
		t.Fatalf("Get of nothing = %q, %v", got, err)
	}
}

func raced(t *testing.T, bucket *s3.Bucket, until time.Time) {
	const racers = 8
	results := make([][]byte, racers)
	var wg sync.WaitGroup
	for i := range racers {
		wg.Go(func() {
			existing, err := bucket.PutIfAbsent(context.WithoutCancel(t.Context()), "a/race", fmt.Appendf(nil, "racer %d", i), until)
			if err != nil {
				t.Error(err)
			}
			results[i] = existing
		})
	}
	wg.Wait()
	winner, err := bucket.Get(t.Context(), "a/race")
	if err != nil {
		t.Fatal(err)
	}
	won := 0
	for _, existing := range results {
		if existing == nil {
			won++
		} else if !bytes.Equal(existing, winner) {
			t.Errorf("%q was found, %q is there", existing, winner)
		}
	}
	if won != 1 {
		t.Fatalf("%d puts won", won)
	}
}

func versions(t *testing.T, client *awss3.Client, bucket *s3.Bucket, until time.Time) {
	if _, err := bucket.PutIfAbsent(t.Context(), "v/1", []byte("true"), until); err != nil {
		t.Fatal(err)
	}
	if _, err := client.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: aws.String(bucketName), Key: aws.String("v/1"), Body: bytes.NewReader([]byte("forged"))}); err != nil {
		t.Fatal(err)
	}
	if _, err := bucket.PutIfAbsent(t.Context(), "v/2", []byte("hidden"), until); err != nil {
		t.Fatal(err)
	}
	if _, err := client.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: aws.String(bucketName), Key: aws.String("v/2")}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for stored, err := range bucket.Objects(t.Context(), "v/") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, stored.Key+" "+string(stored.Body))
	}
	if want := []string{"v/1 true", "v/1 forged", "v/2 hidden"}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%q, want %q", got, want)
	}
}

func verified(t *testing.T, client *awss3.Client, bucket *s3.Bucket, until time.Time) {
	workspace := id.UUID{0xac, 15: 1}
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := archive.NewVerifier("localhost", workspace, public)
	if err != nil {
		t.Fatal(err)
	}
	signer := archive.NewSigner(verifier, func(m []byte) ([]byte, error) { return ed25519.Sign(private, m), nil })
	head := archive.Head{Workspace: workspace}
	for range 3 {
		uid, err := id.Source{}.NewUUID(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		r := archive.Record{Workspace: workspace, Event: archive.Sealed{PK: "A", SK: uid.String(), Version: 1, KeyID: "k", Ciphertext: []byte("sealed")}}
		b, err := archive.Append(head, []archive.Record{r}, time.Now(), signer)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bucket.PutIfAbsent(t.Context(), b.Key, b.Object, until); err != nil {
			t.Fatal(err)
		}
		head = b.Head
	}
	report, err := archive.Verify(bucket.Objects(t.Context(), workspace.String()+"/"), verifier, archive.Expectation{})
	if err != nil || !report.Intact() || report.Size != 3 {
		t.Fatalf("%+v, %v", report, err)
	}
	forged := archive.ObjectKey(workspace, 1)
	if _, err := client.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: aws.String(bucketName), Key: &forged, Body: bytes.NewReader([]byte("forged"))}); err != nil {
		t.Fatal(err)
	}
	report, err = archive.Verify(bucket.Objects(t.Context(), workspace.String()+"/"), verifier, archive.Expectation{})
	if err != nil || report.Intact() || report.Size != 3 {
		t.Fatalf("an object over a batch is not found: %+v, %v", report, err)
	}
}
