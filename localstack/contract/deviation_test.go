package contract

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func TestEngineStillDeviates(t *testing.T) {
	shows := map[string]func(*testing.T){
		"TamperedCiphertext":         showTamperedCiphertext,
		"RootUnderPolicies":          showRootUnderPolicies,
		"EncryptionContextCondition": showEncryptionContextCondition,
	}
	for _, deviation := range Deviations() {
		show, ok := shows[deviation.Name]
		if ok == (deviation.Unshown != "") {
			t.Errorf("%s must have either a test or a reason for none", deviation.Name)
		}
		if deviation.AWS == "" || deviation.Engine == "" || deviation.Proof == "" {
			t.Errorf("%s is not described whole", deviation.Name)
		}
		if ok {
			t.Run(deviation.Name, show)
		}
	}
}

func showTamperedCiphertext(t *testing.T) {
	client := kms.NewFromConfig(local.AWSConfig())
	key := workspaceKey(t, client, nil)
	made := dataKey(t, client, key)
	changed := slices.Clone(made.CiphertextBlob)
	changed[len(changed)-1] ^= 1
	out, err := client.Decrypt(t.Context(), &kms.DecryptInput{
		CiphertextBlob: changed, KeyId: key, EncryptionContext: map[string]string{"workspace": "w1", "table": "data"},
	})
	if err != nil {
		t.Fatalf("the engine has become right: %v", err)
	}
	if slices.Equal(out.Plaintext, made.Plaintext) {
		t.Error("a changed ciphertext gave the right key")
	}
}

func showRootUnderPolicies(t *testing.T) {
	client := s3.NewFromConfig(local.AWSConfig())
	bucket := lockedBucket(t, client, "root-denied")
	_, err := client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: bucket, Policy: policy(t, statement{
		Effect: "Deny", Action: []string{"s3:PutObject"}, Resource: []string{"arn:aws:s3:::root-denied/*"},
		Principal: map[string]string{"AWS": "*"},
	})})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: aws.String("a"), Body: strings.NewReader("x")})
	if err != nil {
		t.Fatalf("the engine has become right: %v", err)
	}
}

func showEncryptionContextCondition(t *testing.T) {
	root := kms.NewFromConfig(local.AWSConfig())
	client := kms.NewFromConfig(role(t, "kms-context", allow("*", "kms:Decrypt")))
	key := workspaceKey(t, root, policy(t, statement{
		Effect: "Allow", Action: []string{"kms:Decrypt"}, Resource: []string{"*"},
		Principal: map[string]string{"AWS": roleARN("kms-context")},
		Condition: map[string]any{"StringEquals": map[string]string{"kms:EncryptionContext:workspace": "w1"}},
	}))
	made := dataKey(t, root, key)
	_, err := client.Decrypt(t.Context(), &kms.DecryptInput{
		CiphertextBlob: made.CiphertextBlob, KeyId: key, EncryptionContext: map[string]string{"workspace": "w1", "table": "data"},
	})
	if got := code(err); got != "AccessDeniedException" {
		t.Fatalf("the engine has become right: %q", got)
	}
}
