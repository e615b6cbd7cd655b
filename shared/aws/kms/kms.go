// Package kms is the key service: it unwraps data keys, makes the keys of new
// workspaces and signs checkpoints.
package kms

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"paddock/shared/id"
	"paddock/shared/seal"
)

// A Keys uses and makes workspace keys.
type Keys struct {
	client *kms.Client
}

// New returns Keys over a client.
func New(c *kms.Client) *Keys { return &Keys{client: c} }

func encryptionContext(ws id.UUID, p seal.Purpose) map[string]string {
	return map[string]string{"workspace": ws.String(), "purpose": p.String()}
}

// Unwrap implements seal.Unwrapper.
func (k *Keys) Unwrap(ctx context.Context, key string, ws id.UUID, w seal.Wrapped) ([]byte, error) {
	out, err := k.client.Decrypt(ctx, &kms.DecryptInput{
		KeyId: &key, CiphertextBlob: w.Blob,
		EncryptionContext: encryptionContext(ws, w.Purpose),
	})
	if err != nil {
		return nil, fmt.Errorf("kms decrypt: %w", err)
	}
	return out.Plaintext, nil
}

// Roles are the ARNs that the key policy of a workspace names.
type Roles struct {
	Provision string
	Decrypt   map[seal.Purpose][]string // who may open keys of a purpose
	Erase     string                    // empty until deletion is deployed
}

// A Plan says how a workspace key is made.
type Plan struct {
	Workspace  id.UUID
	Deployment string
	Roles      Roles
	// Strict adds the conditions on the encryption context to the policy. It
	// is off only for engines that cannot judge them.
	Strict bool
}

// Create makes a workspace key, tagged with the workspace, and returns its ARN.
func (k *Keys) Create(ctx context.Context, p Plan) (string, error) {
	policy, err := json.Marshal(policyOf(p))
	if err != nil {
		return "", err
	}
	out, err := k.client.CreateKey(ctx, &kms.CreateKeyInput{
		Description:                    aws.String("Paddock workspace " + p.Workspace.String()),
		Policy:                         aws.String(string(policy)),
		BypassPolicyLockoutSafetyCheck: true,
		Tags: []types.Tag{
			{TagKey: aws.String("paddock:workspace"), TagValue: aws.String(p.Workspace.String())},
			{TagKey: aws.String("paddock:deployment"), TagValue: &p.Deployment},
		},
	})
	if err != nil {
		return "", fmt.Errorf("kms create key: %w", err)
	}
	return aws.ToString(out.KeyMetadata.Arn), nil
}

// DataKey makes a data key for a purpose under a workspace key, and returns it
// ready to use and wrapped for storage.
func (k *Keys) DataKey(ctx context.Context, key string, ws id.UUID, p seal.Purpose) (*seal.Key, seal.Wrapped, error) {
	var name seal.KeyID
	if _, err := rand.Read(name[:]); err != nil {
		return nil, seal.Wrapped{}, err
	}
	out, err := k.client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{
		KeyId: &key, KeySpec: types.DataKeySpecAes256,
		EncryptionContext: encryptionContext(ws, p),
	})
	if err != nil {
		return nil, seal.Wrapped{}, fmt.Errorf("kms generate data key: %w", err)
	}
	ready, err := seal.NewKey(name, p, out.Plaintext)
	return ready, seal.Wrapped{ID: name, Purpose: p, Blob: out.CiphertextBlob}, err
}

// A statement of a key policy.
type statement struct {
	Sid       string                       `json:"Sid"`
	Effect    string                       `json:"Effect"`
	Principal map[string][]string          `json:"Principal"`
	Action    []string                     `json:"Action"`
	Resource  string                       `json:"Resource"`
	Condition map[string]map[string]string `json:"Condition,omitempty"`
}

type policy struct {
	Version   string      `json:"Version"`
	Statement []statement `json:"Statement"`
}

// policyOf returns the key policy of a workspace: who may make and open its
// data keys, by purpose, and nothing for the account's root. Without root in
// it the lock-out check must be bypassed at creation; the erase role, and
// until there is one the provision role, may change the policy.
func policyOf(p Plan) policy {
	provision := statement{
		Sid: "Provision", Effect: "Allow", Principal: aws1(p.Roles.Provision), Resource: "*",
		Action: []string{"kms:GenerateDataKey", "kms:DescribeKey", "kms:TagResource", "kms:PutKeyPolicy"},
	}
	out := policy{Version: "2012-10-17", Statement: []statement{provision}}
	if !p.Strict {
		seen := map[string]bool{}
		var all []string
		for _, purpose := range seal.Purposes {
			for _, arn := range p.Roles.Decrypt[purpose] {
				if !seen[arn] {
					seen[arn] = true
					all = append(all, arn)
				}
			}
		}
		out.Statement = append(out.Statement, statement{
			Sid: "Open", Effect: "Allow", Principal: map[string][]string{"AWS": all},
			Action: []string{"kms:Decrypt"}, Resource: "*",
		})
	} else {
		for _, purpose := range seal.Purposes {
			out.Statement = append(out.Statement, statement{
				Sid: "Open" + purpose.String(), Effect: "Allow",
				Principal: map[string][]string{"AWS": p.Roles.Decrypt[purpose]}, Action: []string{"kms:Decrypt"}, Resource: "*",
				Condition: map[string]map[string]string{"StringEquals": {
					"kms:EncryptionContext:workspace": p.Workspace.String(),
					"kms:EncryptionContext:purpose":   purpose.String(),
				}},
			})
		}
	}
	if p.Roles.Erase != "" {
		out.Statement = append(out.Statement, statement{
			Sid: "Erase", Effect: "Allow", Principal: aws1(p.Roles.Erase),
			Action: []string{"kms:ScheduleKeyDeletion", "kms:DescribeKey"}, Resource: "*",
		})
	}
	return out
}

func aws1(arn string) map[string][]string { return map[string][]string{"AWS": {arn}} }
