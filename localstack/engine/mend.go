package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	sestypes "github.com/aws/aws-sdk-go-v2/service/sesv2/types"
)

// Sender is the address that local mail comes from.
const Sender = "no-reply@localhost"

// mend does what CloudFormation would have done on AWS and the engine leaves
// out: the object lock of buckets that the template locks, with its default
// retention. It also verifies the local sender, which on AWS is the operator's
// own step.
func (e *Engine) mend(ctx context.Context, template []byte) error {
	locked, err := lockedBuckets(template)
	if err != nil {
		return err
	}
	client := s3.NewFromConfig(e.AWSConfig(), func(o *s3.Options) { o.UsePathStyle = true })
	buckets, err := client.ListBuckets(ctx, &s3.ListBucketsInput{})
	if err != nil {
		return fmt.Errorf("list buckets: %w", err)
	}
	for _, b := range buckets.Buckets {
		retention, ok := locked[kindOf(aws.ToString(b.Name))]
		if !ok {
			continue
		}
		_, err := client.PutObjectLockConfiguration(ctx, &s3.PutObjectLockConfigurationInput{
			Bucket: b.Name,
			ObjectLockConfiguration: &types.ObjectLockConfiguration{
				ObjectLockEnabled: types.ObjectLockEnabledEnabled,
				Rule:              &types.ObjectLockRule{DefaultRetention: &retention},
			},
		})
		if err != nil {
			return fmt.Errorf("lock bucket %s: %w", aws.ToString(b.Name), err)
		}
	}
	_, err = sesv2.NewFromConfig(e.AWSConfig()).CreateEmailIdentity(ctx, &sesv2.CreateEmailIdentityInput{EmailIdentity: aws.String(Sender)})
	if _, exists := errors.AsType[*sestypes.AlreadyExistsException](err); exists {
		return nil
	}
	return err
}

// kindOf returns the part of a bucket's name before account and region:
// paddock-audit of paddock-audit-000000000000-us-east-1.
func kindOf(bucket string) string {
	kind, _, _ := strings.Cut(bucket, "-"+Account)
	return kind
}

// lockedBuckets returns the default retention of each bucket of the template
// that has Object Lock, by kindOf its name.
func lockedBuckets(template []byte) (map[string]types.DefaultRetention, error) {
	var t struct {
		Resources map[string]struct {
			Type       string
			Properties struct {
				BucketName              json.RawMessage
				ObjectLockEnabled       bool
				ObjectLockConfiguration struct {
					Rule struct {
						DefaultRetention struct {
							Mode string
							Days int32
						}
					}
				}
			}
		}
	}
	if err := json.Unmarshal(template, &t); err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	out := map[string]types.DefaultRetention{}
	for _, r := range t.Resources {
		if r.Type != "AWS::S3::Bucket" || !r.Properties.ObjectLockEnabled {
			continue
		}
		name := string(r.Properties.BucketName)
		at := strings.Index(name, "-${AWS::AccountId}")
		if at < 0 {
			return nil, errors.New("a locked bucket's name does not carry the account")
		}
		rule := r.Properties.ObjectLockConfiguration.Rule.DefaultRetention
		out[name[strings.LastIndexByte(name[:at], '"')+1:at]] = types.DefaultRetention{Mode: types.ObjectLockRetentionMode(rule.Mode), Days: aws.Int32(rule.Days)}
	}
	return out, nil
}
