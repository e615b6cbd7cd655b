package signin

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"paddock/shared/fault"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/mfa"
	"paddock/shared/session"
)

// ProofRequest answers a challenge or confirms an enrolment: with a code, or
// with what a security key answered.
type ProofRequest struct {
	Code string `json:"code,omitempty"`
	// Credential is a RegistrationResponseJSON or AuthenticationResponseJSON.
	Credential json.RawMessage `json:"credential,omitempty"`
}

var errAnswer = fault.Field("code", "invalid_value", "Send either a code or the credential of a security key.")

// answerTo returns what a request gives as proof.
func answerTo(c httpapi.Call, in ProofRequest) (session.Answer, error) {
	if in.Code != "" && len(in.Credential) > 0 {
		return session.Answer{}, errAnswer
	}
	return session.Answer{Code: in.Code, Credential: in.Credential, Browser: browserOf(c)}, nil
}

func askedOf(a session.Asked) ChallengeAnswer {
	return ChallengeAnswer{ID: a.ID, Method: a.Method, ExpiresAt: a.ExpiresAt, SentTo: a.SentTo, WebAuthn: a.Options}
}

// PasskeyRequest signs in with a passkey.
type PasskeyRequest struct {
	// Credential is an AuthenticationResponseJSON.
	Credential json.RawMessage `json:"credential"`
}

// PasskeyAnswer is an open challenge for whoever holds a passkey.
type PasskeyAnswer struct {
	ID        id.ID[id.Challenge] `json:"id"`
	ExpiresAt time.Time           `json:"expires_at"`
	// WebAuthn is a PublicKeyCredentialRequestOptionsJSON.
	WebAuthn json.RawMessage `json:"webauthn"`
}

func passkeyAttempt(c httpapi.Call) session.PasskeyAttempt {
	return session.PasskeyAttempt{Host: c.Host, Source: httpapi.SourceOf(c.Request), Request: c.Seen, Browser: browserOf(c)}
}

func (f *Face) askPasskey(c httpapi.Call, _ httpapi.None) (PasskeyAnswer, error) {
	asked, err := f.sessions.BeginPasskey(c.Context(), passkeyAttempt(c))
	if err != nil {
		return PasskeyAnswer{}, err
	}
	return PasskeyAnswer{ID: asked.ID, ExpiresAt: asked.ExpiresAt, WebAuthn: asked.Options}, nil
}

func (f *Face) passkey(c httpapi.Call, in PasskeyRequest) (SigninAnswer, error) {
	which, err := pathID[id.Challenge](c, "id", mfa.ErrChallenge)
	if err != nil {
		return SigninAnswer{}, err
	}
	try := passkeyAttempt(c)
	try.Credential = in.Credential
	started, err := f.sessions.Passkey(c.Context(), which, try)
	if err != nil {
		return SigninAnswer{}, err
	}
	setCookie(c, started.Secret)
	remember(c, started.Browser)
	return answerOf(started), nil
}

// VerifyAnswer tells what a verification opened.
type VerifyAnswer struct {
	State      session.State `json:"state"`
	ValidUntil time.Time     `json:"valid_until"`
}

func (f *Face) verify(c httpapi.Call, in ProofRequest) (VerifyAnswer, error) {
	which, err := pathID[id.Challenge](c, "id", mfa.ErrChallenge)
	if err != nil {
		return VerifyAnswer{}, err
	}
	answer, err := answerTo(c, in)
	if err != nil {
		return VerifyAnswer{}, err
	}
	risen, err := f.sessions.Verify(c.Context(), c.Allowed, c.Who, which, answer)
	if err != nil {
		return VerifyAnswer{}, err
	}
	setCookie(c, risen.Secret)
	remember(c, risen.Browser)
	out := VerifyAnswer{State: session.SignedIn, ValidUntil: risen.Session.Proof.At.Add(c.Who.Workspace.MFATimeout())}
	if risen.Session.Proof.ID.Zero() { // a mailed code opens no privileged action
		out.ValidUntil = risen.Session.SeenAt
		if c.Who.Workspace.Security.MFARequired {
			out.State = session.EnrolmentRequired
		}
	}
	if risen.Session.ChangePassword && out.State == session.SignedIn {
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
	// SentTo is the masked number of a phone; empty for other methods.
	SentTo string `json:"sent_to"`
	// Restricted methods can be read by whoever holds the number or the mailbox.
	Restricted bool `json:"restricted"`
}

// FactorsAnswer lists the caller's methods, and what the policy makes of them.
type FactorsAnswer struct {
	Results []FactorAnswer `json:"results"`
	// SignInMethods are those of the caller that a sign-in takes, EnrolMethods
	// may be set up, and StepUpMethods open protected actions, held or not. Of a
	// caller who holds none of these they are what opens the way to one.
	SignInMethods []identity.Method `json:"sign_in_methods"`
	EnrolMethods  []identity.Method `json:"enrol_methods"`
	StepUpMethods []identity.Method `json:"step_up_methods"`
	// PhoneVias are the ways in which codes are sent to phones here.
	PhoneVias []mfa.Via `json:"phone_vias"`
}

func factorOf(f identity.Factor) FactorAnswer {
	return FactorAnswer{ID: f.ID, Method: f.Method, Name: f.Name, ConfirmedAt: f.ConfirmedAt, SentTo: f.SentTo, Restricted: identity.Restricted(f.Method)}
}

func (f *Face) factors(c httpapi.Call, _ httpapi.None) (FactorsAnswer, error) {
	w := c.Who.Workspace
	out := FactorsAnswer{
		Results: []FactorAnswer{}, SignInMethods: append([]identity.Method{}, session.MethodsOf(w, c.Who.User)...),
		EnrolMethods: f.sessions.Enrollable(w), StepUpMethods: session.StepUpMethods(w, c.Who.User),
		PhoneVias: f.sessions.PhoneVias(),
	}
	for _, m := range w.Security.StepsUp() {
		if !slices.Contains(out.StepUpMethods, identity.Method(m)) {
			out.StepUpMethods = append(out.StepUpMethods, identity.Method(m))
		}
	}
	for _, one := range c.Who.User.Factors {
		out.Results = append(out.Results, factorOf(one))
	}
	return out, nil
}

// EnrolRequest begins to set up a method.
type EnrolRequest struct {
	Method identity.Method `json:"method"`
	Name   string          `json:"name" jsonschema:"minLength=1,maxLength=60"`
	// Phone and Via are for the method phone: its number as E.164 writes it, and
	// how codes come there, by default sms.
	Phone string  `json:"phone,omitempty"`
	Via   mfa.Via `json:"via,omitempty"`
}

// EnrolAnswer shows the secret of a method being set up, this once.
type EnrolAnswer struct {
	ID        id.ID[id.Factor] `json:"id"`
	Secret    string           `json:"secret"`
	URI       string           `json:"uri"`
	QRSVG     string           `json:"qr_svg"`
	ExpiresAt time.Time        `json:"expires_at"`
	// WebAuthn is what the browser is to ask of a new security key:
	// PublicKeyCredentialCreationOptionsJSON. The secret is empty then.
	WebAuthn json.RawMessage `json:"webauthn,omitempty"`
	// SentTo is the masked address or number that a code was sent to. The secret
	// is empty then.
	SentTo string `json:"sent_to,omitempty"`
}

func (f *Face) enrol(c httpapi.Call, in EnrolRequest) (EnrolAnswer, error) {
	var e session.Enrolment
	var err error
	if in.Method != identity.Phone && (in.Phone != "" || in.Via != "") {
		return EnrolAnswer{}, mfa.ErrVia
	}
	switch in.Method {
	case identity.OTP:
		e, err = f.sessions.EnrolTOTP(c.Context(), c.Allowed, c.Who, in.Name)
	case identity.HardwareKey, identity.Biometric:
		e, err = f.sessions.EnrolKey(c.Context(), c.Allowed, c.Who, in.Method, in.Name)
	case identity.MailedCode, identity.Phone:
		e, err = f.sessions.EnrolCode(c.Context(), c.Allowed, c.Who, mfa.CodeFactor{Method: in.Method, Name: in.Name, Number: in.Phone, Via: in.Via})
	case identity.RecoveryCode:
		err = mfa.ErrMethod
	default:
		err = mfa.ErrMethod
	}
	if err != nil {
		return EnrolAnswer{}, enrolRefused(c, err)
	}
	return EnrolAnswer{ID: e.ID, Secret: e.Secret, URI: e.URI, QRSVG: e.QR, ExpiresAt: e.ExpiresAt, WebAuthn: e.Options, SentTo: e.SentTo}, nil
}

// PendingAnswer is a method that is being set up with a code that was sent.
type PendingAnswer struct {
	ID        id.ID[id.Factor] `json:"id"`
	Method    identity.Method  `json:"method"`
	ExpiresAt time.Time        `json:"expires_at"`
	// SentTo is the masked address or number that the code was sent to.
	SentTo   string           `json:"sent_to"`
	Delivery session.Delivery `json:"delivery"`
}

func (f *Face) pending(c httpapi.Call, _ httpapi.None) (PendingAnswer, error) {
	which, err := pathID[id.Factor](c, "id", mfa.ErrFactor)
	if err != nil {
		return PendingAnswer{}, err
	}
	p, became, err := f.sessions.Pending(c.Context(), c.Allowed, c.Who, which)
	if err != nil {
		return PendingAnswer{}, err
	}
	return PendingAnswer{ID: which, Method: p.Method, ExpiresAt: p.ExpiresAt, SentTo: p.SentTo, Delivery: became}, nil
}

func (f *Face) opened(c httpapi.Call, _ httpapi.None) (ChallengeAnswer, error) {
	which, err := pathID[id.Challenge](c, "id", mfa.ErrChallenge)
	if err != nil {
		return ChallengeAnswer{}, err
	}
	open, became, err := f.sessions.Opened(c.Context(), c.Allowed, c.Who, which)
	if err != nil {
		return ChallengeAnswer{}, err
	}
	return ChallengeAnswer{ID: open.ID, Method: open.Method, ExpiresAt: open.ExpiresAt, SentTo: open.SentTo, Delivery: became}, nil
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

func (f *Face) confirm(c httpapi.Call, in ProofRequest) (ConfirmAnswer, error) {
	which, err := pathID[id.Factor](c, "id", mfa.ErrFactor)
	if err != nil {
		return ConfirmAnswer{}, err
	}
	answer, err := answerTo(c, in)
	if err != nil {
		return ConfirmAnswer{}, err
	}
	finish := f.sessions.ConfirmCode
	if len(answer.Credential) > 0 {
		finish = f.sessions.ConfirmKey
	}
	done, err := finish(c.Context(), c.Allowed, c.Who, which, answer)
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

// MFAResetRequest says why the methods of another person are removed.
type MFAResetRequest struct {
	Reason string `json:"reason" jsonschema:"minLength=1,maxLength=500"`
}

var errReason = fault.Field("reason", "invalid_value", "Say why, in 1 to 500 characters.")

func (f *Face) resetMFA(c httpapi.Call, in MFAResetRequest) (httpapi.None, error) {
	u, item, err := c.Named()
	if err != nil {
		return httpapi.None{}, err
	}
	if n := len([]rune(strings.TrimSpace(in.Reason))); n == 0 || n > 500 {
		return httpapi.None{}, errReason
	}
	return httpapi.None{}, f.sessions.ResetFactors(c.Context(), c.Allowed, c.Who, item, u, in.Reason)
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
