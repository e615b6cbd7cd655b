// Package s3 is the audit bucket: objects that are written once, locked until
// their date, and read back to be verified. It promises that PutIfAbsent never
// replaces an object and refuses to know what the objects hold.
package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"paddock/shared/archive"
)

// ErrTooLarge is returned for an object beyond archive.MaxObject.
var ErrTooLarge = errors.New("s3: the object is larger than any batch")

// A Bucket is the audit bucket.
type Bucket struct {
	client *s3.Client
	name   string
}

// New returns the bucket with this name. The client must address buckets by
// path when it talks to a local engine.
func New(client *s3.Client, name string) (*Bucket, error) {
	if client == nil || name == "" {
		return nil, errors.New("s3: client and bucket name are required")
	}
	return &Bucket{client, name}, nil
}

// conflicts is how often a put is repeated when S3 answers that another upload
// of the same name was going on (409), which says nothing about who won.
const conflicts = 3

// PutIfAbsent stores body under key in COMPLIANCE mode until this time, unless
// there is an object with this name: then it returns the bytes of that one and
// changes nothing. until is kept to the second, rounded up.
func (b *Bucket) PutIfAbsent(ctx context.Context, key string, body []byte, until time.Time) (existing []byte, err error) {
	if rest := until.Truncate(time.Second); !rest.Equal(until) {
		until = rest.Add(time.Second)
	}
	for range conflicts {
		_, err = b.client.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &b.name, Key: &key, Body: bytes.NewReader(body),
			ContentLength:             aws.Int64(int64(len(body))),
			ContentType:               aws.String("application/octet-stream"),
			IfNoneMatch:               aws.String("*"),
			ObjectLockMode:            types.ObjectLockModeCompliance,
			ObjectLockRetainUntilDate: aws.Time(until.UTC()),
			// Object Lock demands a checksum; SHA-256 is verified by S3 and kept.
			ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
		})
		switch statusOf(err) {
		case http.StatusOK:
			return nil, nil
		case http.StatusPreconditionFailed:
			return b.Get(ctx, key)
		case http.StatusConflict:
		default:
			return nil, fmt.Errorf("put %s: %w", key, err)
		}
	}
	return nil, fmt.Errorf("put %s: %w", key, err)
}

// statusOf returns the HTTP status of an answer, 200 for no error and 0 when
// there was no answer.
func statusOf(err error) int {
	if err == nil {
		return http.StatusOK
	}
	if answer, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		return answer.HTTPStatusCode()
	}
	return 0
}

// Get returns the newest bytes under key.
func (b *Bucket) Get(ctx context.Context, key string) ([]byte, error) {
	return b.get(ctx, key, nil)
}

func (b *Bucket) get(ctx context.Context, key string, version *string) (body []byte, err error) {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: &key, VersionId: version})
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", key, err)
	}
	defer func() {
		if closing := out.Body.Close(); closing != nil && err == nil {
			body, err = nil, fmt.Errorf("get %s: %w", key, closing)
		}
	}()
	body, err = io.ReadAll(io.LimitReader(out.Body, archive.MaxObject+1))
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", key, err)
	}
	if len(body) > archive.MaxObject {
		return nil, fmt.Errorf("get %s: %w", key, ErrTooLarge)
	}
	return body, nil
}

// Objects yields every version of every object whose name begins with prefix,
// in the order of their names and the oldest version first, for verification
// with an operator's rights (s3:ListBucketVersions, s3:GetObjectVersion). An
// object that was put over a batch so shows as an overlap; one that was hidden
// by a delete marker is still read. It ends after the first error.
func (b *Bucket) Objects(ctx context.Context, prefix string) iter.Seq2[archive.Stored, error] {
	return func(yield func(archive.Stored, error) bool) {
		var same []types.ObjectVersion // versions of one name, newest first
		flush := func() bool {
			for i := len(same) - 1; i >= 0; i-- {
				key := aws.ToString(same[i].Key)
				body, err := b.get(ctx, key, same[i].VersionId)
				if !yield(archive.Stored{Key: key, Body: body}, err) || err != nil {
					return false
				}
			}
			same = same[:0]
			return true
		}
		pages := s3.NewListObjectVersionsPaginator(b.client, &s3.ListObjectVersionsInput{Bucket: &b.name, Prefix: &prefix})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(archive.Stored{}, fmt.Errorf("list %s: %w", prefix, err))
				return
			}
			for _, v := range page.Versions {
				if len(same) > 0 && aws.ToString(same[0].Key) != aws.ToString(v.Key) && !flush() {
					return
				}
				same = append(same, v)
			}
		}
		flush()
	}
}
