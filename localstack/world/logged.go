package world

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"paddock/shared/archive"
	"paddock/shared/id"
	"paddock/shared/table"
)

// InspectLog checks the locked log of a workspace after a delivery: it
// verifies, and holds exactly the events that are in the outbox, each once.
func (w *World) InspectLog(ctx context.Context, ws id.ID[id.Workspace], since time.Time) error {
	client := awss3.NewFromConfig(w.Engine.AWSConfig(), func(o *awss3.Options) { o.UsePathStyle = true })
	bucket := w.Environment["archive"]["PADDOCK_AUDIT_BUCKET"]
	stored, err := Objects(ctx, client, bucket, ws)
	if err != nil {
		return err
	}
	verifier, err := w.publicKey(ctx, ws)
	if err != nil {
		return err
	}
	report, err := archive.Verify(func(yield func(archive.Stored, error) bool) {
		for _, s := range stored {
			if !yield(s, nil) {
				return
			}
		}
	}, verifier, archive.Expectation{})
	if err != nil {
		return err
	}
	var faults []error
	if !report.Intact() {
		faults = append(faults, fmt.Errorf("the log does not verify: %v", report.Findings))
	}
	logged := map[string]int{}
	for _, s := range stored {
		o, err := archive.Parse(s.Body)
		if err != nil {
			return err
		}
		for _, leaf := range o.Leaves {
			logged[leaf.SK]++
		}
	}
	committed := 0
	for day := since.UTC().Truncate(24 * time.Hour); !day.After(w.Clock.Now()); day = day.AddDate(0, 0, 1) {
		records, err := w.Database().Query(ctx, table.Query{Key: table.Key{Table: table.Data, Kind: "A", Workspace: ws, Of: table.EventDay(day), SK: "-"}})
		if err != nil {
			return err
		}
		for _, record := range records {
			committed++
			if logged[record.Key.SK] != 1 {
				faults = append(faults, fmt.Errorf("event %s is in the log %d times", record.Key.SK, logged[record.Key.SK]))
			}
		}
	}
	if committed == 0 || len(logged) != committed {
		faults = append(faults, fmt.Errorf("%d events were committed, %d are in the log", committed, len(logged)))
	}
	return errors.Join(faults...)
}

type verifying interface {
	Name() string
	KeyHash() uint32
	Verify(msg, sig []byte) bool
}

func (w *World) publicKey(ctx context.Context, ws id.ID[id.Workspace]) (verifying, error) {
	key := w.Environment["archive"]["PADDOCK_SIGNING_KEY"]
	out, err := awskms.NewFromConfig(w.Engine.AWSConfig()).GetPublicKey(ctx, &awskms.GetPublicKeyInput{KeyId: &key})
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKIXPublicKey(out.PublicKey)
	if err != nil {
		return nil, err
	}
	public, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("world: the signing key is not Ed25519")
	}
	first, _, _ := strings.Cut(w.Environment["archive"]["PADDOCK_BASE_URLS"], ",")
	_, domain, _ := strings.Cut(first, "://")
	return archive.NewVerifier(domain, ws.UUID(), public)
}

// Objects returns the objects of a workspace's log in order.
func Objects(ctx context.Context, client *awss3.Client, bucket string, ws id.ID[id.Workspace]) ([]archive.Stored, error) {
	prefix := ws.String() + "/"
	var out []archive.Stored
	pages := awss3.NewListObjectsV2Paginator(client, &awss3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, o := range page.Contents {
			got, err := client.GetObject(ctx, &awss3.GetObjectInput{Bucket: &bucket, Key: o.Key})
			if err != nil {
				return nil, err
			}
			body, err := io.ReadAll(got.Body)
			if err := errors.Join(err, got.Body.Close()); err != nil {
				return nil, err
			}
			out = append(out, archive.Stored{Key: *o.Key, Body: body})
		}
	}
	return out, nil
}
