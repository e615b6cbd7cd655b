// Package archiving builds the entry of the archive function.
package archiving

import (
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"paddock/shared/archive"
	"paddock/shared/aws/kms"
	"paddock/shared/aws/s3"
	"paddock/shared/aws/sqs"
	"paddock/shared/consumer"
	"paddock/shared/wiring"
)

// New builds the consumer of stored events.
func New(c wiring.Config) (*consumer.Archive, error) {
	hosts, err := c.BaseHosts()
	if err != nil {
		return nil, err
	}
	bucket, err := s3.New(awss3.NewFromConfig(c.AWS, func(o *awss3.Options) { o.UsePathStyle = c.AWS.BaseEndpoint != nil }), c.AuditBucket)
	if err != nil {
		return nil, err
	}
	engine := c.Engine()
	archiver, err := archive.New(archive.Config{
		Domain: hosts[0], Logs: consumer.NewLedger(engine, c.Retention), Bucket: bucket,
		Key: kms.NewSigningKey(awskms.NewFromConfig(c.AWS), c.SigningKey), Now: c.Now,
	})
	if err != nil {
		return nil, err
	}
	return consumer.NewArchive(archiver, engine, sqs.New(awssqs.NewFromConfig(c.AWS), c.DeadQueue), c.Now), nil
}
