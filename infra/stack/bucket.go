package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"
)

// addBucket adds the audit bucket. Nobody, the account's root included, can
// delete or shorten what is locked in COMPLIANCE mode.
func (s *deployment) addBucket() {
	s.bucket = awss3.NewCfnBucket(s.cdk, jsii.String("AuditBucket"), &awss3.CfnBucketProps{
		BucketName:              awscdk.Fn_Sub(jsii.String(s.named("audit-${AWS::AccountId}-${AWS::Region}")), nil),
		ObjectLockEnabled:       jsii.Bool(true),
		VersioningConfiguration: &awss3.CfnBucket_VersioningConfigurationProperty{Status: jsii.String("Enabled")},
		ObjectLockConfiguration: &awss3.CfnBucket_ObjectLockConfigurationProperty{
			ObjectLockEnabled: jsii.String("Enabled"),
			Rule: &awss3.CfnBucket_ObjectLockRuleProperty{
				DefaultRetention: &awss3.CfnBucket_DefaultRetentionProperty{
					Mode: jsii.String(string(s.props.AuditLock)),
					Days: jsii.Number(s.props.RetentionDays),
				},
			},
		},
		PublicAccessBlockConfiguration: &awss3.CfnBucket_PublicAccessBlockConfigurationProperty{
			BlockPublicAcls: jsii.Bool(true), BlockPublicPolicy: jsii.Bool(true),
			IgnorePublicAcls: jsii.Bool(true), RestrictPublicBuckets: jsii.Bool(true),
		},
		OwnershipControls: &awss3.CfnBucket_OwnershipControlsProperty{
			Rules: &[]any{&awss3.CfnBucket_OwnershipControlsRuleProperty{
				ObjectOwnership: jsii.String("BucketOwnerEnforced"),
			}},
		},
		BucketEncryption: &awss3.CfnBucket_BucketEncryptionProperty{
			ServerSideEncryptionConfiguration: &[]any{&awss3.CfnBucket_ServerSideEncryptionRuleProperty{
				ServerSideEncryptionByDefault: &awss3.CfnBucket_ServerSideEncryptionByDefaultProperty{
					SseAlgorithm: jsii.String("AES256"),
				},
			}},
		},
	})
	keep(s.bucket)
	policy := awss3.NewCfnBucketPolicy(s.cdk, jsii.String("AuditBucketPolicy"), &awss3.CfnBucketPolicyProps{
		Bucket:         s.bucket.Ref(),
		PolicyDocument: document(overTLS("s3", s.bucket.AttrArn(), s.auditObjects())),
	})
	keep(policy)
}

func (s *deployment) auditObjects() *string {
	return awscdk.Fn_Join(jsii.String(""), &[]*string{s.bucket.AttrArn(), jsii.String("/*")})
}
