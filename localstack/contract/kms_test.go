package contract

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// workspaceKey makes a symmetric key under the key policy, "" for the default.
func workspaceKey(t *testing.T, client *kms.Client, keyPolicy *string) *string {
	t.Helper()
	out, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{
		Policy: keyPolicy, Tags: []types.Tag{{TagKey: aws.String("paddock:workspace"), TagValue: aws.String("w1")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.KeyMetadata.Arn
}

func dataKey(t *testing.T, client *kms.Client, key *string) *kms.GenerateDataKeyOutput {
	t.Helper()
	out, err := client.GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{
		KeyId: key, KeySpec: types.DataKeySpecAes256, EncryptionContext: map[string]string{"workspace": "w1", "table": "data"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDataKeyOpensUnderItsContextOnly(t *testing.T) {
	client := kms.NewFromConfig(local.AWSConfig())
	key := workspaceKey(t, client, nil)
	made := dataKey(t, client, key)
	for _, test := range []struct {
		name    string
		context map[string]string
		want    string
	}{
		{"its own context", map[string]string{"table": "data", "workspace": "w1"}, ""},
		{"another workspace", map[string]string{"table": "data", "workspace": "w2"}, "InvalidCiphertextException"},
		{"a context with more", map[string]string{"table": "data", "workspace": "w1", "x": "y"}, "InvalidCiphertextException"},
		{"a context with less", map[string]string{"workspace": "w1"}, "InvalidCiphertextException"},
		{"no context", nil, "InvalidCiphertextException"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, err := client.Decrypt(t.Context(), &kms.DecryptInput{
				CiphertextBlob: made.CiphertextBlob, KeyId: key, EncryptionContext: test.context,
			})
			wantCode(t, "Decrypt", err, test.want)
			if err == nil && !bytes.Equal(out.Plaintext, made.Plaintext) {
				t.Error("another key came out")
			}
		})
	}
}

func TestKeyPolicyDeniesARoleItDoesNotName(t *testing.T) {
	root := kms.NewFromConfig(local.AWSConfig())
	may := allow("*", "kms:Decrypt", "kms:GenerateDataKey")
	named := kms.NewFromConfig(role(t, "kms-named", may))
	stranger := kms.NewFromConfig(role(t, "kms-stranger", may))
	powerless := kms.NewFromConfig(role(t, "kms-powerless"))
	grants := func(roleName string, actions ...string) statement {
		return statement{
			Effect: "Allow", Action: actions, Resource: []string{"*"},
			Principal: map[string]string{"AWS": roleARN(roleName)},
		}
	}
	key := workspaceKey(t, root, policy(t, grants("kms-named", "kms:Decrypt"), grants("kms-powerless", "kms:DescribeKey")))
	made := dataKey(t, root, key)
	decrypt := func(client *kms.Client) error {
		_, err := client.Decrypt(t.Context(), &kms.DecryptInput{
			CiphertextBlob: made.CiphertextBlob, KeyId: key,
			EncryptionContext: map[string]string{"workspace": "w1", "table": "data"},
		})
		return err
	}
	wantCode(t, "the named role", decrypt(named), "")
	wantCode(t, "a role with the right but not named", decrypt(stranger), "AccessDeniedException")
	wantCode(t, "a role named for another action", decrypt(powerless), "AccessDeniedException")
	_, err := named.GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{KeyId: key, KeySpec: types.DataKeySpecAes256})
	wantCode(t, "an action the key policy does not name", err, "AccessDeniedException")
}

func TestSignatureVerifiesOffline(t *testing.T) {
	client := kms.NewFromConfig(local.AWSConfig())
	made, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{
		KeySpec: types.KeySpecEccNistEdwards25519, KeyUsage: types.KeyUsageTypeSignVerify,
	})
	if err != nil {
		t.Fatal(err)
	}
	key, message := made.KeyMetadata.Arn, []byte("localhost/w1\n1\nroot\n")
	signed, err := client.Sign(t.Context(), &kms.SignInput{
		KeyId: key, Message: message, MessageType: types.MessageTypeRaw, SigningAlgorithm: types.SigningAlgorithmSpecEd25519Sha512,
	})
	if err != nil {
		t.Fatal(err)
	}
	public, err := client.GetPublicKey(t.Context(), &kms.GetPublicKeyInput{KeyId: key})
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParsePKIXPublicKey(public.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	verifier, ok := parsed.(ed25519.PublicKey)
	if !ok {
		t.Fatalf("the public key is a %T", parsed)
	}
	if !ed25519.Verify(verifier, message, signed.Signature) {
		t.Error("the signature does not verify")
	}
	if ed25519.Verify(verifier, append(message, 'x'), signed.Signature) {
		t.Error("the signature verifies another message")
	}
}

func TestDeletedKeyOpensNothing(t *testing.T) {
	client := kms.NewFromConfig(local.AWSConfig())
	key := workspaceKey(t, client, nil)
	made := dataKey(t, client, key)
	_, err := client.ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: key, PendingWindowInDays: aws.Int32(7)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Decrypt(t.Context(), &kms.DecryptInput{
		CiphertextBlob: made.CiphertextBlob, KeyId: key, EncryptionContext: map[string]string{"workspace": "w1", "table": "data"},
	})
	wantCode(t, "Decrypt under a key to be deleted", err, "KMSInvalidStateException")
}
