package signin

import (
	"errors"
	"time"

	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/mfa"
	"paddock/shared/session"
)

// CodeRequest answers a challenge or confirms an enrolment.
type CodeRequest struct {
	Code string `json:"code"`
}

// VerifyAnswer tells what a verification opened.
type VerifyAnswer struct {
	State      session.State `json:"state"`
	ValidUntil time.Time     `json:"valid_until"`
}

func (f *Face) verify(c httpapi.Call, in CodeRequest) (VerifyAnswer, error) {
	which, err := pathID[id.Challenge](c, "id", mfa.ErrChallenge)
	if err != nil {
		return VerifyAnswer{}, err
	}
	risen, err := f.sessions.Verify(c.Context(), c.Allowed, c.Who, which, session.Answer{Code: in.Code, Browser: browserOf(c)})
	if err != nil {
		return VerifyAnswer{}, err
	}
	setCookie(c, risen.Secret)
	remember(c, risen.Browser)
	out := VerifyAnswer{State: session.SignedIn, ValidUntil: risen.Session.Proof.At.Add(c.Who.Workspace.MFATimeout())}
	if risen.Session.Proof.ID.Zero() { // a mailed code opens no privileged action
		out.ValidUntil = risen.Session.SeenAt
	}
	if risen.Session.ChangePassword {
		out.State = session.ChangeRequired
	}
	if risen.Session.EnrolOnly {
		out.State, out.ValidUntil = session.EnrolmentRequired, risen.Session.EndsAt
	}
	return out, nil
}

// FactorAnswer is a sign-in method as its owner sees it.
type FactorAnswer struct {
	ID          id.ID[id.Factor] `json:"id"`
	Method      identity.Method  `json:"method"`
	Name        string           `json:"name"`
	ConfirmedAt time.Time        `json:"confirmed_at"`
}

// FactorsAnswer lists the caller's methods.
type FactorsAnswer struct {
	Results []FactorAnswer `json:"results"`
}

func factorOf(f identity.Factor) FactorAnswer {
	return FactorAnswer{ID: f.ID, Method: f.Method, Name: f.Name, ConfirmedAt: f.ConfirmedAt}
}

func (f *Face) factors(c httpapi.Call, _ httpapi.None) (FactorsAnswer, error) {
	out := FactorsAnswer{Results: []FactorAnswer{}}
	for _, one := range c.Who.User.Factors {
		out.Results = append(out.Results, factorOf(one))
	}
	return out, nil
}

// EnrolRequest begins to set up a method.
type EnrolRequest struct {
	Method identity.Method `json:"method"`
	Name   string          `json:"name" jsonschema:"minLength=1,maxLength=60"`
}

// EnrolAnswer shows the secret of a method being set up, this once.
type EnrolAnswer struct {
	ID        id.ID[id.Factor] `json:"id"`
	Secret    string           `json:"secret"`
	URI       string           `json:"uri"`
	QRSVG     string           `json:"qr_svg"`
	ExpiresAt time.Time        `json:"expires_at"`
}

func (f *Face) enrol(c httpapi.Call, in EnrolRequest) (EnrolAnswer, error) {
	if in.Method != identity.OTP {
		return EnrolAnswer{}, mfa.ErrMethod
	}
	e, err := f.sessions.EnrolTOTP(c.Context(), c.Allowed, c.Who, in.Name)
	if err != nil {
		return EnrolAnswer{}, enrolRefused(c, err)
	}
	return EnrolAnswer{ID: e.ID, Secret: e.Secret, URI: e.URI, QRSVG: e.QR, ExpiresAt: e.ExpiresAt}, nil
}

// enrolRefused asks for a fresh proof, with its event, where one is missing.
func enrolRefused(c httpapi.Call, err error) error {
	if errors.Is(err, session.ErrStepUp) {
		if _, stale := c.Fresh(); stale != nil {
			return stale
		}
	}
	return err
}

// ConfirmAnswer is a confirmed method, with recovery codes when it is the first.
type ConfirmAnswer struct {
	State         session.State `json:"state"`
	Factor        FactorAnswer  `json:"factor"`
	RecoveryCodes []string      `json:"recovery_codes"`
}

func (f *Face) confirm(c httpapi.Call, in CodeRequest) (ConfirmAnswer, error) {
	which, err := pathID[id.Factor](c, "id", mfa.ErrFactor)
	if err != nil {
		return ConfirmAnswer{}, err
	}
	done, err := f.sessions.ConfirmTOTP(c.Context(), c.Allowed, c.Who, which, session.Answer{Code: in.Code, Browser: browserOf(c)})
	if err != nil {
		return ConfirmAnswer{}, enrolRefused(c, err)
	}
	setCookie(c, done.Secret)
	remember(c, done.Browser)
	out := ConfirmAnswer{State: session.SignedIn, Factor: factorOf(done.Factor), RecoveryCodes: done.RecoveryCodes}
	if done.Session.ChangePassword {
		out.State = session.ChangeRequired
	}
	if out.RecoveryCodes == nil {
		out.RecoveryCodes = []string{}
	}
	return out, nil
}

func (f *Face) removeFactor(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	which, err := pathID[id.Factor](c, "id", mfa.ErrFactor)
	if err != nil {
		return httpapi.None{}, err
	}
	return httpapi.None{}, f.sessions.RemoveFactor(c.Context(), c.Allowed, c.Who, which)
}

// RecoveryAnswer shows new recovery codes, this once.
type RecoveryAnswer struct {
	RecoveryCodes []string `json:"recovery_codes"`
}

func (f *Face) recoveryCodes(c httpapi.Call, _ httpapi.None) (RecoveryAnswer, error) {
	codes, err := f.sessions.NewRecoveryCodes(c.Context(), c.Allowed, c.Who)
	if err != nil {
		return RecoveryAnswer{}, err
	}
	return RecoveryAnswer{RecoveryCodes: codes}, nil
}
