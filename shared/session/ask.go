package session

import (
	"context"
	"encoding/hex"
	"slices"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/mfa"
	"paddock/shared/table"
)

// AskLife is how long a verification that a command line asked for can be given,
// askTries how many one may ask for in mfa.FactorWindow. Source: alpacon-wire 2.5
// (the command line waits three minutes).
const (
	AskLife  = 5 * time.Minute
	askTries = 60
)

// Refusals of verifications for command lines.
var (
	// ErrNoAsk refuses a link that no command line of the caller's waits for.
	ErrNoAsk = fault.Error{Kind: fault.NotFound, Code: "verification_not_found", Detail: "This verification has ended, or is not yours. Start again on the command line."}
	// ErrNotDevice answers a session whose proof is not earned elsewhere.
	ErrNotDevice = fault.Error{Kind: fault.Denied, Code: "device_session_required", Detail: "Only a command line that signed in with a browser asks this. Verify in the browser itself."}
	// ErrSession answers a command line that cannot hold a proof.
	ErrSession = fault.Error{
		Kind: fault.Denied, Code: "mfa_session_required",
		Detail: "This needs a fresh MFA verification, which a session from a password login cannot give. Sign in with a browser.",
	}
)

// An Ask is a command line that waits for its owner to verify in a browser.
type Ask struct {
	Session   id.ID[id.Session] `json:"session"`
	Place     string            `json:"place"` // hash of the session's secret
	Agent     string            `json:"agent"`
	Address   string            `json:"address"`
	AskedAt   time.Time         `json:"asked_at"`
	ExpiresAt time.Time         `json:"expires_at"`
}

func askKey(ws id.ID[id.Workspace], user id.ID[id.Principal], hash [32]byte) table.Key {
	return table.Key{Table: table.Credentials, Kind: "C", Workspace: ws, Of: user.String(), SK: "ask#" + hex.EncodeToString(hash[:])}
}

// AskProof opens a verification for the command line that calls, to be given by
// the same person in a browser, and returns the secret of its link.
func (s *Service) AskProof(ctx context.Context, by authz.Allowed, a Authenticated) (credential.Secret, error) {
	ws, user, now := a.Workspace.ID, a.User.ID, s.store.Now()
	if _, err := s.count(ctx, by, mfa.GuessKey(ws, user, "ask-"+a.Session.ID.String(), now), askTries, now.Add(2*mfa.FactorWindow)); err != nil {
		return credential.Secret{}, s.overTries(ctx, by, askTries, err)
	}
	secret, err := credential.New(s.random, credential.Verification, ws.UUID(), user.UUID())
	if err != nil {
		return credential.Secret{}, err
	}
	src := by.Principal().Source
	ask := Ask{Session: a.Session.ID, Place: a.Hash, Agent: src.UserAgent, Address: src.IP.String(), AskedAt: now, ExpiresAt: now.Add(AskLife)}
	name, err := s.store.NewID()
	if err != nil {
		return credential.Secret{}, err
	}
	e := by.Event(audit.MFAChallengeCreated, now).With(audit.ID("challenge_id", name), audit.List("methods", a.Workspace.Security.StepsUp()...), audit.Text("purpose", string(mfa.StepUp))).
		WithDescription("A command line asked its owner to verify in a browser.")
	return secret, s.store.Commit(ctx, by, table.Change{
		Events: []audit.Event{e}, Ops: []table.Op{table.Insert(askKey(ws, user, secret.Hash()), ask).Until(ask.ExpiresAt.Add(time.Hour))},
	})
}

// asked returns what waits under a link, for its owner only: it lies with the
// account.
func (s *Service) asked(ctx context.Context, by authz.Allowed, a Authenticated, secret credential.Secret) (Ask, table.Item, error) {
	var ask Ask
	if secret.Prefix() != credential.Verification || secret.Workspace() != a.Workspace.ID.UUID() {
		return ask, table.Item{}, ErrNoAsk
	}
	item, ok, err := s.store.One(ctx, by, askKey(a.Workspace.ID, a.User.ID, secret.Hash()))
	if err != nil {
		return ask, item, err
	}
	if ok {
		err = table.Decode(item, &ask)
	}
	if err == nil && (!ok || !s.store.Now().Before(ask.ExpiresAt)) {
		err = ErrNoAsk
	}
	return ask, item, err
}

// LookUpAsk shows the command line that waits under a link.
func (s *Service) LookUpAsk(ctx context.Context, by authz.Allowed, a Authenticated, secret credential.Secret) (Ask, error) {
	ask, _, err := s.asked(ctx, by, a, secret)
	return ask, err
}

// GiveProof hands the caller's proof, which is fresh, to the command line that
// waits under a link: at its own time, so that it ends when the caller's does.
// Source: security, MF-13, SU-2.
func (s *Service) GiveProof(ctx context.Context, by authz.Allowed, a Authenticated, secret credential.Secret) error {
	ask, item, err := s.asked(ctx, by, a, secret)
	if err != nil {
		return err
	}
	var place [32]byte
	if n, err := hex.Decode(place[:], []byte(ask.Place)); err != nil || n != len(place) {
		return table.ErrDamaged
	}
	target, ok, err := s.store.One(ctx, by, Key(a.Workspace.ID, a.User.ID, place))
	if err != nil {
		return err
	}
	var device Session
	if ok {
		if err := table.Decode(target, &device); err != nil {
			return err
		}
	}
	now := s.store.Now()
	if !ok || device.ID != ask.Session || device.Kind != Device || device.Epoch != a.User.Epoch || !device.Live(a.Workspace, now) {
		return ErrNoAsk
	}
	proof, err := s.store.NewID()
	if err != nil {
		return err
	}
	device.Proof = mfa.Proof{ID: id.Of[id.Proof](proof), Method: a.Session.Proof.Method, At: a.Session.Proof.At, For: a.Session.Proof.For, Factor: a.Session.Proof.Factor}
	if m := string(device.Proof.Method); !slices.Contains(device.Factors, m) {
		device.Factors = append(slices.Clone(device.Factors), m)
	}
	e := by.Event(audit.StepUpGranted, now).With(audit.ID("proof_id", proof), audit.Text("method", string(device.Proof.Method)),
		audit.Instant("valid_until", device.Proof.At.Add(a.Workspace.MFATimeout()))).
		WithTarget(audit.Target{Type: "session", ID: device.ID.UUID(), Name: device.Device}).
		WithDescription("Privileged actions of a command line are open until the MFA timeout.")
	change := table.Change{Events: []audit.Event{e}, Ops: []table.Op{
		table.Remove(item).Else(ErrNoAsk),
		table.Replace(target, device).Else(table.ErrTryAgain),
		table.Unchanged(a.UserItem).Else(table.ErrTryAgain),
	}}
	if m, ok := stepUpNotice(by, a, device.Proof.Method); ok {
		change.Messages = append(change.Messages, m)
	}
	return s.store.Commit(ctx, by, change)
}
