package session

import (
	"context"
	"errors"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/mfa"
	"paddock/shared/table"
	"paddock/shared/tally"
	"paddock/shared/token"
)

// Why a secret was refused, as events name it. Who presents it is not told.
const (
	SecretUnknown   = "unknown" // wrong, used, replaced or for something else
	SecretExpired   = "expired"
	SecretRevoked   = "revoked"
	SecretForeign   = "foreign" // of another workspace
	SecretMalformed = "malformed"
)

// A rejection is a bearer secret that opened nothing.
type rejection struct {
	secret credential.Secret // zero for text that is none
	// owner is the account or application that the secret names, as far as it was
	// read in the workspace that the request came to.
	owner identity.User
	// token is what the secret is of, nil for none that was found.
	token   *token.Token
	reason  string
	refusal fault.Error
	text    string // one sentence for people
}

// rejectedSecret records a rejection where the request came to, and returns its
// refusal. Where no workspace is, there is no log to write to.
func (s *Service) rejectedSecret(ctx context.Context, c Caller, r rejection) error {
	ws, err := s.named(ctx, c.Host)
	if errors.Is(err, table.ErrGone) {
		return r.refusal
	}
	if err != nil {
		return err
	}
	switch {
	case r.secret.Prefix() == "":
		r.reason = SecretMalformed
	case r.secret.Workspace() != ws.UUID():
		r.reason, r.owner, r.token = SecretForeign, identity.User{}, nil
	}
	by := authz.ForCeremony(ws, "secret", authz.Principal{Source: c.Source, Request: c.Request})
	e := by.Refusal(audit.TokenRejected, s.store.Now(), r.refusal).With(audit.Text("reason", r.reason)).WithDescription(r.text)
	if p := r.secret.Prefix(); p != "" {
		e = e.With(audit.Text("prefix", string(p)))
	}
	if r.token != nil && !r.token.ID.Zero() {
		e = e.With(audit.ID("token_id", r.token.ID.UUID()))
	}
	if !r.owner.ID.Zero() {
		kind := "user"
		if r.secret.Prefix() == credential.ServiceToken {
			kind = "application"
		}
		e = e.WithSubject(r.owner.ID.UUID()).WithTarget(audit.Target{Type: kind, ID: r.owner.ID.UUID(), Name: r.owner.Username})
	}
	if err := tally.Refused(ctx, s.store, by, e); err != nil && !errors.Is(err, table.ErrGone) {
		return err
	}
	return r.refusal
}

// RejectHandle records text that was presented as a handle or an access token
// and has not the form of one, and returns ErrInvalid.
func (s *Service) RejectHandle(ctx context.Context, c Caller) error {
	return s.rejectedSecret(ctx, c, rejection{refusal: ErrInvalid, text: rejectedHandle})
}

const rejectedHandle = "A session's handle or token was refused."

// overTries records that a person's budget of a factor is used up, and returns
// the refusal, which says when the next begins; any other error it returns as
// it is.
func (s *Service) overTries(ctx context.Context, by authz.Allowed, limit int64, err error) error {
	if !errors.Is(err, mfa.ErrTries) {
		return err
	}
	b := mfa.Budget{Limit: limit, Window: mfa.FactorWindow, Key: "user"}
	return s.overBudget(ctx, by, mfa.ErrTries.After(mfa.FactorWindow), b, "A budget of a person's second factors was used up.")
}

// overBudget records that a budget is used up, and returns the refusal.
func (s *Service) overBudget(ctx context.Context, by authz.Allowed, refusal fault.Error, b mfa.Budget, what string) error {
	e := by.Refusal(audit.APIThrottled, s.store.Now(), refusal).WithPath("auth", "mfa", "throttle").
		With(audit.Number("limit", b.Limit), audit.Number("window_s", int64(b.Window/time.Second)), audit.Text("key", b.Key)).
		WithDescription(what)
	if err := tally.Refused(ctx, s.store, by, e); err != nil {
		return err
	}
	return refusal
}

// RejectRegistration records text that was presented as a registration token
// and opened nothing for a reason, and returns the refusal; the zero Secret is
// text that is none.
func (s *Service) RejectRegistration(ctx context.Context, c Caller, secret credential.Secret, reason string, refusal fault.Error) error {
	return s.rejectedSecret(ctx, c, rejection{secret: secret, reason: reason, refusal: refusal, text: "A token with which servers register was refused."})
}

// Workspace returns the workspace that a host belongs to, or table.ErrGone.
func (s *Service) Workspace(ctx context.Context, host string) (id.ID[id.Workspace], error) {
	return s.named(ctx, host)
}
