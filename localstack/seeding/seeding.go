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
	"paddock/localstack/environment"
	"paddock/localstack/visitor"
	"paddock/shared/aws/invoke"
	"paddock/shared/lambdaio"
	"paddock/shared/provision"
)

// Workspace invokes provision, as an operator does.
func Workspace(ctx context.Context, e *engine.Engine, r provision.Request) (provision.Answer, error) {
	var out lambdaio.Outcome[provision.Answer]
	if err := invoke.Function(ctx, lambda.NewFromConfig(e.AWSConfig()), "paddock-provision", r, &out); err != nil {
		return provision.Answer{}, err
	}
	if out.Refusal != nil {
		return provision.Answer{}, fmt.Errorf("%s: %s", out.Refusal.Code, out.Refusal.Detail)
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
	deadline := time.NewTimer(mailWithin)
	defer deadline.Stop()
	for {
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
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-deadline.C:
			return "", fmt.Errorf("no mail with a link came to %s within %s", to, mailWithin)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// An Account to be made from an invitation.
type Account struct {
	Role, Email, Username, First, Last string
	MFA                                bool
}

// Accept follows the link mailed to an account and returns the account with its
// password and, with MFA, its secret, and the browser that is signed in to it.
func Accept(ctx context.Context, e *engine.Engine, base string, a Account, now func() time.Time) (environment.Account, *visitor.Visitor, error) {
	out := environment.Account{Role: a.Role, Email: a.Email, Username: a.Username}
	secret, err := Link(ctx, e, a.Email)
	if err != nil {
		return out, nil, err
	}
	out.Password = passphrase()
	v := &visitor.Visitor{Base: base, Agent: "paddock-seeding"}
	err = v.Want(ctx, http.StatusCreated, "POST", "/api/auth/invitations/accept/", map[string]string{
		"token": secret, "username": a.Username,
		"first_name": a.First, "last_name": a.Last, "password": out.Password,
	}, nil)
	if err != nil || !a.MFA {
		return out, v, err
	}
	out.TOTPSecret, _, err = Enrol(ctx, v, now)
	return out, v, err
}

// Enrol sets up an authenticator app and returns its secret and the recovery
// codes.
func Enrol(ctx context.Context, v *visitor.Visitor, now func() time.Time) (secret string, codes []string, err error) {
	var factor struct{ ID, Secret string }
	if err := v.Want(ctx, http.StatusCreated, "POST", "/api/auth/mfa/factors/", map[string]string{"method": "otp", "name": "Authenticator app"}, &factor); err != nil {
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

// Demo makes the demo workspace with one account of each role, in an
// environment that has none. MFA is not enforced there, so that every way of
// signing in can be seen: the superuser has an authenticator app, the others
// sign in by password alone, also with the CLI.
func Demo(ctx context.Context, e *engine.Engine, env environment.Environment, now func() time.Time) (environment.Environment, error) {
	no := false
	made, err := Workspace(ctx, e, provision.Request{Slug: env.Workspace.Slug, Name: "Demo", Email: "sue@demo.example", MFARequired: &no})
	if err != nil {
		return env, err
	}
	env.Workspace.ID = made.ID.String()
	first, sue, err := Accept(ctx, e, env.BaseURL, Account{"superuser", "sue@demo.example", "sue", "Sue", "Per", true}, now)
	if err != nil {
		return env, err
	}
	env.Accounts = []environment.Account{first}
	for _, a := range []Account{
		{"staff", "stan@demo.example", "stan", "Stan", "Staff", false},
		{"member", "mia@demo.example", "mia", "Mia", "Member", false},
	} {
		if err := sue.Want(ctx, http.StatusCreated, "POST", "/api/workspaces/users/invite/", map[string]any{"email": a.Email, "is_staff": a.Role == "staff"}, nil); err != nil {
			return env, err
		}
		one, _, err := Accept(ctx, e, env.BaseURL, a, now)
		if err != nil {
			return env, err
		}
		env.Accounts = append(env.Accounts, one)
	}
	return env, nil
}
