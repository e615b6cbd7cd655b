// Package passkey runs the ceremonies of WebAuthn: what is asked of an
// authenticator, and whether its answer is right. It stores nothing and decides
// nothing else. Source: W3C WebAuthn Level 3, section 7.
package passkey

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	gojson "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"

	"paddock/shared/identity"
	"paddock/shared/mfa"
)

// Ceremonies is the relying party.
type Ceremonies struct{}

// algorithms are what keys may sign with, the preferred one first. Source:
// security, WA-5.
var algorithms = []protocol.CredentialParameter{ //nolint:gochecknoglobals // a list
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgES256},
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgEdDSA},
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgRS256},
}

// transports are those that a browser can be told of.
var transports = []protocol.AuthenticatorTransport{ //nolint:gochecknoglobals // a list
	protocol.USB, protocol.NFC, protocol.BLE, protocol.SmartCard, protocol.Hybrid, protocol.Internal,
}

// Register returns what the browser is to ask of a new authenticator, as
// PublicKeyCredentialCreationOptionsJSON, and what its answer is held to.
// attested asks for the model, which a browser else may hide.
func (Ceremonies) Register(site mfa.Site, who mfa.Holder, m identity.Method, held []mfa.Key, attested bool) (json.RawMessage, mfa.Ceremony, error) {
	party, err := partyOf(site)
	if err != nil {
		return nil, mfa.Ceremony{}, err
	}
	choice := protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationPreferred}
	hint := protocol.PublicKeyCredentialHintSecurityKey
	choice.AuthenticatorAttachment = protocol.CrossPlatform
	if m == identity.Biometric {
		choice.ResidentKey, choice.UserVerification = protocol.ResidentKeyRequirementRequired, protocol.VerificationRequired
		choice.AuthenticatorAttachment, hint = protocol.Platform, protocol.PublicKeyCredentialHintClientDevice
	}
	conveyance := protocol.PreferNoAttestation
	if attested {
		conveyance = protocol.PreferDirectAttestation
	}
	holder := holderOf(who, held)
	creation, begun, err := party.BeginRegistration(holder,
		webauthn.WithCredentialParameters(algorithms), webauthn.WithAuthenticatorSelection(choice), webauthn.WithConveyancePreference(conveyance),
		webauthn.WithExclusions(webauthn.Credentials(holder.WebAuthnCredentials()).CredentialDescriptors()),
		webauthn.WithPublicKeyCredentialHints([]protocol.PublicKeyCredentialHints{hint}))
	if err != nil {
		return nil, mfa.Ceremony{}, fmt.Errorf("passkey: begin registration: %w", err)
	}
	options, err := json.Marshal(creation.Response)
	return options, mfa.Ceremony{Challenge: begun.Challenge, Verified: m == identity.Biometric}, err
}

// Registered returns the key that an authenticator made, or a *mfa.KeyFailure.
func (Ceremonies) Registered(site mfa.Site, who mfa.Holder, c mfa.Ceremony, answer []byte) (mfa.Key, error) {
	party, err := partyOf(site)
	if err != nil {
		return mfa.Key{}, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return mfa.Key{}, &mfa.KeyFailure{Reason: "wrong", Cause: err}
	}
	made, err := party.CreateCredential(holderOf(who, nil), sessionOf(site, who, c), parsed)
	if err != nil {
		data := parsed.Response.AttestationObject.AuthData
		return mfa.Key{}, failed(site, c, parsed.Response.CollectedClientData, data.Flags, err)
	}
	if !consistent(made.PublicKey) || len(made.ID) > maxID || len(made.Transport) > maxTransports {
		return mfa.Key{}, &mfa.KeyFailure{Reason: "wrong", Cause: errors.New("a key that is not of its algorithm")}
	}
	k := mfa.Key{
		ID: made.ID, PublicKey: made.PublicKey, SignCount: made.Authenticator.SignCount, AAGUID: made.Authenticator.AAGUID,
		Attachment: string(made.Authenticator.Attachment), BackupEligible: made.Flags.BackupEligible, BackedUp: made.Flags.BackupState,
		UserVerified: made.Flags.UserVerified,
	}
	for _, t := range made.Transport {
		if slices.Contains(transports, t) { // what browsers may add later is of no use here
			k.Transports = append(k.Transports, string(t))
		}
	}
	return k, nil
}

// minRSA and maxRSA bound the modulus of a key in bytes, maxID the id of a
// credential (W3C WebAuthn Level 3, section 4), maxTransports what a browser
// says of it. Source: security, WA-5; above, checking an answer would take long.
const (
	minRSA        = 256
	maxRSA        = 512
	maxID         = 1023
	maxTransports = 8
)

// exponent is the only public exponent that keys use.
var exponent = []byte{1, 0, 1} //nolint:gochecknoglobals // a constant

// consistent reports whether a COSE key is of the kind that its algorithm signs
// with, and of a sound length.
func consistent(cose []byte) bool {
	parsed, err := webauthncose.ParsePublicKey(cose)
	if err != nil {
		return false
	}
	switch k := parsed.(type) {
	case webauthncose.EC2PublicKeyData:
		return k.Algorithm == int64(webauthncose.AlgES256) && k.Curve == int64(webauthncose.P256)
	case webauthncose.OKPPublicKeyData:
		return k.Algorithm == int64(webauthncose.AlgEdDSA)
	case webauthncose.RSAPublicKeyData:
		return k.Algorithm == int64(webauthncose.AlgRS256) && len(k.Modulus) >= minRSA && len(k.Modulus) <= maxRSA && k.Modulus[0] != 0 && bytes.Equal(k.Exponent, exponent)
	}
	return false
}

// Request returns what the browser is to ask of one of these keys, or of any
// passkey of the site when there are none, as
// PublicKeyCredentialRequestOptionsJSON, and what the answer is held to.
func (Ceremonies) Request(site mfa.Site, held []mfa.Key, verified bool) (json.RawMessage, mfa.Ceremony, error) {
	party, err := partyOf(site)
	if err != nil {
		return nil, mfa.Ceremony{}, err
	}
	want := protocol.VerificationPreferred
	if verified {
		want = protocol.VerificationRequired
	}
	options := []webauthn.LoginOption{webauthn.WithUserVerification(want)}
	if len(held) > 0 {
		options = append(options, webauthn.WithAllowedCredentials(webauthn.Credentials(holderOf(mfa.Holder{}, held).WebAuthnCredentials()).CredentialDescriptors()))
	}
	assertion, begun, err := party.BeginDiscoverableLogin(options...)
	if err != nil {
		return nil, mfa.Ceremony{}, fmt.Errorf("passkey: begin: %w", err)
	}
	text, err := json.Marshal(assertion.Response)
	return text, mfa.Ceremony{Challenge: begun.Challenge, Verified: verified}, err
}

// Named returns whom an answer says it is of, and by which key: claims, until
// Answered proved them.
func (Ceremonies) Named(answer []byte) (handle, key []byte, err error) {
	parsed, err := parse(answer)
	if err != nil {
		return nil, nil, &mfa.KeyFailure{Reason: "wrong", Cause: err}
	}
	return parsed.Response.UserHandle, parsed.RawID, nil
}

// An assertion is an AuthenticationResponseJSON, as far as it is looked at: no
// extension is asked for, so what comes of any is ignored.
type assertion struct {
	ID         string                           `json:"id"`
	RawID      binary                           `json:"rawId"`
	Type       protocol.CredentialType          `json:"type"`
	Attachment protocol.AuthenticatorAttachment `json:"authenticatorAttachment"`
	Response   struct {
		ClientDataJSON    binary `json:"clientDataJSON"`
		AuthenticatorData binary `json:"authenticatorData"`
		Signature         binary `json:"signature"`
		UserHandle        binary `json:"userHandle"`
	} `json:"response"`
}

// binary is base64url in JSON, padded or not; null is none.
type binary []byte

// UnmarshalJSONFrom implements the library's interface.
func (b *binary) UnmarshalJSONFrom(from *jsontext.Decoder) error {
	text, err := from.ReadToken()
	if err != nil || text.Kind() == jsontext.KindNull {
		return err
	}
	if text.Kind() != jsontext.KindString {
		return errors.New("not a string")
	}
	*b, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(text.String(), "="))
	return err
}

// parse reads an answer, once: the library's own reader takes a fifth of the
// time that the signature takes. Names that come twice, in the answer or in what
// the browser signed, are refused.
func parse(answer []byte) (*protocol.ParsedCredentialAssertionData, error) {
	var a assertion
	if err := gojson.Unmarshal(answer, &a); err != nil {
		return nil, err
	}
	if a.ID == "" || a.ID != base64.RawURLEncoding.EncodeToString(a.RawID) || a.Type != protocol.PublicKeyCredentialType {
		return nil, errors.New("an id that is none, or is not the raw id, or no public key")
	}
	var p protocol.ParsedCredentialAssertionData
	p.RawID, p.AuthenticatorAttachment = a.RawID, a.Attachment
	p.Response.Signature, p.Response.UserHandle = a.Response.Signature, a.Response.UserHandle
	p.Raw.AssertionResponse.ClientDataJSON = protocol.URLEncodedBase64(a.Response.ClientDataJSON)
	p.Raw.AssertionResponse.AuthenticatorData = protocol.URLEncodedBase64(a.Response.AuthenticatorData)
	if err := gojson.Unmarshal(a.Response.ClientDataJSON, &p.Response.CollectedClientData); err != nil {
		return nil, err
	}
	return &p, p.Response.AuthenticatorData.Unmarshal(a.Response.AuthenticatorData)
}

// Answered returns the place in held of the key that gave this answer, and the
// key with the counter and backup state of the answer, which the caller still
// has to weigh; or a *mfa.KeyFailure.
func (Ceremonies) Answered(site mfa.Site, who mfa.Holder, held []mfa.Key, c mfa.Ceremony, answer []byte) (int, mfa.Key, error) {
	parsed, err := parse(answer)
	if err != nil {
		return -1, mfa.Key{}, &mfa.KeyFailure{Reason: "wrong", Cause: err}
	}
	at := mfa.Find(held, parsed.RawID)
	if at < 0 {
		return -1, mfa.Key{}, &mfa.KeyFailure{Reason: "wrong", Cause: errors.New("an unknown key")}
	}
	if err := proved(site, who, held[at], c, parsed); err != nil {
		return -1, mfa.Key{}, failed(site, c, parsed.Response.CollectedClientData, parsed.Response.AuthenticatorData.Flags, err)
	}
	k := held[at]
	k.SignCount, k.BackedUp = parsed.Response.AuthenticatorData.Counter, parsed.Response.AuthenticatorData.Flags.HasBackupState()
	return at, k, nil
}

// proved returns nil when an answer shows that who holds k was there. It takes
// the steps of W3C WebAuthn Level 3, section 7.2 that are about the answer, each
// by the library's own check but that of an ES256 signature: the library takes
// that apart and puts it together again, the standard library reads it as
// strictly. A test holds both to one verdict.
func proved(site mfa.Site, who mfa.Holder, k mfa.Key, c mfa.Ceremony, a *protocol.ParsedCredentialAssertionData) error {
	said := a.Response
	if len(said.UserHandle) > 0 && !bytes.Equal(said.UserHandle, who.Handle) {
		return errors.New("the handle of another account")
	}
	if err := said.CollectedClientData.Verify(c.Challenge, protocol.AssertCeremony, site.Origins, nil, nil,
		protocol.TopOriginExplicitVerificationMode, false); err != nil {
		return err
	}
	host := sha256.Sum256([]byte(site.Host))
	if err := said.AuthenticatorData.Verify(host[:], nil, c.Verified, true); err != nil {
		return err
	}
	flags := said.AuthenticatorData.Flags
	if flags.HasBackupEligible() != k.BackupEligible || flags.HasBackupState() && !flags.HasBackupEligible() {
		return errors.New("a backup that this key cannot have")
	}
	client := sha256.Sum256(a.Raw.AssertionResponse.ClientDataJSON)
	return signed(k.PublicKey, slices.Concat(a.Raw.AssertionResponse.AuthenticatorData, client[:]), said.Signature)
}

var errSignature = errors.New("a wrong signature")

// signed returns nil when the signature over data is by a COSE key.
func signed(cose, data, signature []byte) error {
	key, err := webauthncose.ParsePublicKey(cose)
	if err != nil {
		return err
	}
	ec, ok := key.(webauthncose.EC2PublicKeyData)
	if !ok || ec.Algorithm != int64(webauthncose.AlgES256) {
		if right, err := webauthncose.VerifySignature(key, data, signature); err != nil || !right {
			return errors.Join(errSignature, err)
		}
		return nil
	}
	public, err := ec.ToECDSA()
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(data); !ecdsa.VerifyASN1(public, sum[:], signature) {
		return errSignature
	}
	return nil
}

// failed tells from what an answer claims why it was not accepted.
func failed(site mfa.Site, c mfa.Ceremony, client protocol.CollectedClientData, flags protocol.AuthenticatorFlags, cause error) *mfa.KeyFailure {
	switch {
	case !slices.Contains(site.Origins, client.Origin) || client.CrossOrigin || client.TopOrigin != "":
		return &mfa.KeyFailure{Reason: "origin", Cause: cause}
	case c.Verified && !flags.HasUserVerified():
		return &mfa.KeyFailure{Reason: "uv", Cause: cause}
	}
	return &mfa.KeyFailure{Reason: "wrong", Cause: cause}
}

func partyOf(site mfa.Site) (*webauthn.WebAuthn, error) {
	party, err := webauthn.New(&webauthn.Config{
		RPID: site.Host, RPDisplayName: site.Name, RPOrigins: site.Origins, RPTopOriginVerificationMode: protocol.TopOriginExplicitVerificationMode,
	})
	if err != nil {
		return nil, fmt.Errorf("passkey: site %q: %w", site.Host, err)
	}
	return party, nil
}

func sessionOf(site mfa.Site, who mfa.Holder, c mfa.Ceremony) webauthn.SessionData {
	s := webauthn.SessionData{
		Challenge: c.Challenge, RelyingPartyID: site.Host, UserID: who.Handle, CredParams: algorithms, UserVerification: protocol.VerificationPreferred,
	}
	if c.Verified {
		s.UserVerification = protocol.VerificationRequired
	}
	return s
}

// A holder is a person as the library sees one.
type holder struct {
	mfa.Holder

	keys []webauthn.Credential
}

func holderOf(who mfa.Holder, held []mfa.Key) holder {
	h := holder{Holder: who}
	for _, k := range held {
		c := webauthn.Credential{
			ID: k.ID, PublicKey: k.PublicKey, Flags: webauthn.CredentialFlags{BackupEligible: k.BackupEligible, BackupState: k.BackedUp, UserVerified: k.UserVerified},
			Authenticator: webauthn.Authenticator{AAGUID: k.AAGUID, SignCount: k.SignCount},
		}
		for _, t := range k.Transports {
			c.Transport = append(c.Transport, protocol.AuthenticatorTransport(t))
		}
		h.keys = append(h.keys, c)
	}
	return h
}

func (h holder) WebAuthnID() []byte                         { return h.Handle }
func (h holder) WebAuthnName() string                       { return h.Name }
func (h holder) WebAuthnDisplayName() string                { return h.Display }
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }
