package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/jsii-runtime-go"
)

const (
	signingKeyID     = "SigningKey"
	signingAlgorithm = "ED25519_SHA_512"
)

// addSigningKey adds the key that signs audit checkpoints. The account's
// root may look after it but not sign; only archive may.
func (s *deployment) addSigningKey() {
	account := map[string]any{"AWS": awscdk.Fn_Sub(jsii.String("arn:${AWS::Partition}:iam::${AWS::AccountId}:root"), nil)}
	archive := map[string]any{"AWS": s.roles["archive"].AttrArn()}
	s.signingKey = awskms.NewCfnKey(s.cdk, jsii.String(signingKeyID), &awskms.CfnKeyProps{
		Description:         jsii.String("Signs the audit checkpoints of " + s.props.Prefix),
		KeySpec:             jsii.String("ECC_NIST_EDWARDS25519"),
		KeyUsage:            jsii.String("SIGN_VERIFY"),
		PendingWindowInDays: jsii.Number(30),
		KeyPolicy: document(
			statement{
				sid: "LookAfter", principal: account, resources: []any{"*"},
				actions: []string{
					"kms:CancelKeyDeletion", "kms:DescribeKey", "kms:DisableKey", "kms:EnableKey",
					"kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:GetPublicKey", "kms:ListKeyPolicies",
					"kms:ListResourceTags", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:TagResource",
					"kms:UntagResource", "kms:UpdateKeyDescription", "kms:Verify",
				},
			},
			statement{
				sid: "SignCheckpoints", principal: archive, resources: []any{"*"},
				actions: []string{"kms:GetPublicKey", "kms:Sign"},
			},
		),
	})
	keep(s.signingKey)
}
