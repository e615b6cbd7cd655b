package kms

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// A SigningKey is the deployment's Ed25519 key, which signs checkpoints.
type SigningKey struct {
	client *kms.Client
	arn    string

	mu     sync.Mutex
	public ed25519.PublicKey
}

// NewSigningKey returns the key with this ARN.
func NewSigningKey(c *kms.Client, arn string) *SigningKey { return &SigningKey{client: c, arn: arn} }

// Public returns the public key, asked once.
func (k *SigningKey) Public(ctx context.Context) (ed25519.PublicKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.public != nil {
		return k.public, nil
	}
	out, err := k.client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: &k.arn})
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKIXPublicKey(out.PublicKey)
	if err != nil {
		return nil, err
	}
	public, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("kms: the signing key is not Ed25519")
	}
	k.public = public
	return public, nil
}

// Sign returns the Ed25519 signature of a message of at most 4,096 bytes.
func (k *SigningKey) Sign(ctx context.Context, message []byte) ([]byte, error) {
	out, err := k.client.Sign(ctx, &kms.SignInput{
		KeyId: &k.arn, Message: message, MessageType: types.MessageTypeRaw,
		SigningAlgorithm: types.SigningAlgorithmSpecEd25519Sha512,
	})
	if err != nil {
		return nil, err
	}
	return out.Signature, nil
}
