// Package seeding fills a local environment as people would: an operator makes
// a workspace, and everybody invited follows the link in their mail over HTTP.
package seeding

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"paddock/localstack/engine"
	"paddock/localstack/visitor"
	"paddock/shared/aws/invoke"
	"paddock/shared/lambdaio"
	"paddock/shared/provision"
)

// Refused is a refusal of provision.
type Refused struct{ Code, Detail string }

func (r Refused) Error() string { return r.Code + ": " + r.Detail }

// Workspace invokes provision, as an operator does. A refusal is Refused.
func Workspace(ctx context.Context, e *engine.Engine, r provision.Request) (provision.Answer, error) {
	var out lambdaio.Outcome[provision.Answer]
	if err := invoke.Function(ctx, lambda.NewFromConfig(e.AWSConfig()), "paddock-provision", r, &out); err != nil {
		return provision.Answer{}, err
	}
	if out.Refusal != nil {
		return provision.Answer{}, Refused{out.Refusal.Code, out.Refusal.Detail}
	}
	if out.Result == nil {
		return provision.Answer{}, errors.New("provision answered nothing")
	}
	return *out.Result, nil
}

// mailWithin bounds how long a mail may take from the commit to the mailbox.
const mailWithin = 30 * time.Second

// Link waits for the newest mail to this address that holds a link with a
// secret after its "#", and returns the secret.
func Link(ctx context.Context, e *engine.Engine, to string) (string, error) {
	return link(ctx, e, to, "")
}

// link waits for a secret other than the old one.
func link(ctx context.Context, e *engine.Engine, to, old string) (string, error) {
	deadline := time.NewTimer(mailWithin)
	defer deadline.Stop()
	for {
		secret, err := mailed(ctx, e, to)
		if secret != old || err != nil {
			return secret, err
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-deadline.C:
			return "", fmt.Errorf("%w to %s within %s", ErrNoMail, to, mailWithin)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// ErrNoMail says that no mail with a link came.
var ErrNoMail = errors.New("no mail with a link came")

// mailed returns the secret of the newest link that was mailed to this address,
// "" when there is none.
func mailed(ctx context.Context, e *engine.Engine, to string) (string, error) {
	mails, err := e.Mails(ctx)
	if err != nil {
		return "", err
	}
	for i := len(mails) - 1; i >= 0; i-- {
		if len(mails[i].To) == 1 && mails[i].To[0] == to {
			if _, after, found := strings.Cut(mails[i].BodyText, "/invitation#"); found {
				secret, _, _ := strings.Cut(after, "\n")
				return strings.TrimSpace(secret), nil
			}
		}
	}
	return "", nil
}

// Enrol sets up an authenticator app and returns its secret and the recovery
// codes.
func Enrol(ctx context.Context, v *visitor.Visitor, now func() time.Time) (secret string, codes []string, err error) {
	return enrol(ctx, v, now, func(string) error { return nil })
}

// enrol hands the secret to keep before it confirms it: from then on nobody can
// sign in without it.
func enrol(ctx context.Context, v *visitor.Visitor, now func() time.Time, keep func(secret string) error) (secret string, codes []string, err error) {
	var factor struct{ ID, Secret string }
	if err := v.Want(ctx, http.StatusCreated, "POST", "/api/auth/mfa/factors/", map[string]string{"method": "otp", "name": "Authenticator app"}, &factor); err != nil {
		return "", nil, err
	}
	if err := keep(factor.Secret); err != nil {
		return "", nil, err
	}
	code, err := visitor.Code(factor.Secret, now())
	if err != nil {
		return "", nil, err
	}
	var confirmed struct {
		RecoveryCodes []string `json:"recovery_codes"`
	}
	err = v.Want(ctx, http.StatusOK, "POST", "/api/auth/mfa/factors/"+factor.ID+"/confirm/", map[string]string{"code": code}, &confirmed)
	return factor.Secret, confirmed.RecoveryCodes, err
}

// passphrase returns 20 letters and digits, 100 random bits.
func passphrase() string { return strings.ToLower(rand.Text()[:20]) }
