package session

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/id"
	"paddock/shared/message"
	"paddock/shared/table"
	"paddock/shared/tally"
	"paddock/shared/workspace"
)

// Budgets of device login, in windows of pairWindow. A workspace's bounds what
// is stored, and with it how many of the 20^8 user codes are worth a guess.
// Source: security, DF-1.
const (
	openTries     = 60                 // logins begun per address
	openNetwork   = 600                // logins begun per network, see networkOf
	openWorkspace = 10_000             // logins begun in a workspace
	openLimit     = "60 in 15 minutes" // as events name them

	openNetworkLimit   = "600 in 15 minutes in the network"
	openWorkspaceLimit = "10000 in 15 minutes in the workspace"

	codeTries      = 10 // wrong user codes per person
	codeAddress    = 60 // wrong user codes per address
	codeLimit      = "10 in 15 minutes"
	deviceKept     = time.Hour // after its end, to tell "expired" from "unknown"
	deviceBudget   = "device"
	userCodeBudget = "usercode"
)

// A Caller is who asks on a row that needs no session.
type Caller struct {
	Host    string
	Client  string // client_id
	Source  audit.Source
	Request authz.Request
}

// An Opened device login: both codes, shown this once.
type Opened struct {
	Device    credential.Secret
	User      UserCode
	Origin    string // https origin of the workspace that the request came to
	ExpiresAt time.Time
}

// OpenDevice begins a device login, which then waits DeviceLife for its
// approval. Nobody is known yet: budgets of the address, its network and the
// workspace bound what is stored.
func (s *Service) OpenDevice(ctx context.Context, c Caller, scope, audience string) (Opened, error) {
	w, err := s.WorkspaceAt(ctx, c.Host)
	if err != nil {
		return Opened{}, err
	}
	origin, ok := DeviceLoginAt(w, c.Host)
	if !ok {
		return Opened{}, ErrNoDeviceFor
	}
	if c.Client != CLIClient {
		return Opened{}, ErrOAuthClient
	}
	if audience != "" && audience != w.Canonical() {
		return Opened{}, ErrTarget
	}
	granted, err := ParseScope(scope, w.Slug)
	if err != nil {
		return Opened{}, err
	}
	by := authz.ForCeremony(w.ID, "device login", authz.Principal{Source: c.Source, Request: c.Request})
	if err := s.mayOpen(ctx, by, c.Source); err != nil {
		return Opened{}, err
	}
	now := s.store.Now()
	d := DeviceLogin{
		State: DeviceWaits, Client: c.Client, Scope: granted, Agent: c.Source.UserAgent, Address: c.Source.IP.String(),
		RequestedAt: now, ExpiresAt: now.Add(DeviceLife),
	}
	for range 3 {
		out, err := s.open(ctx, by, d)
		if !errors.Is(err, table.ErrStale) { // the user code is taken
			out.Origin = origin
			return out, err
		}
	}
	return Opened{}, table.ErrTryAgain
}

// DeviceLoginAt reports whether a command line that asks this host is told to
// sign in by device login, and the https origin that it then uses.
func DeviceLoginAt(w workspace.Workspace, host string) (origin string, ok bool) {
	origin, secure := w.SecureOrigin(host)
	return origin, secure && w.Security.CLILogin == workspace.LoginByBrowser
}

// mayOpen counts one begun login. What a narrower budget refuses is not counted
// in the wider ones: otherwise one holder of many addresses could shut out every
// command line of the workspace.
func (s *Service) mayOpen(ctx context.Context, by authz.Allowed, src audit.Source) error {
	var limit string
	var err error
	for _, budget := range []struct {
		field, of string
		tries     int64
		limit     string
	}{
		{"address", tally.Network(src.IP).String(), openTries, openLimit},
		{"network", networkOf(src.IP), openNetwork, openNetworkLimit},
		{"guess", deviceBudget, openWorkspace, openWorkspaceLimit},
	} {
		var of string
		if of, err = s.store.MAC(ctx, by, budget.field, budget.of); err != nil {
			return err
		}
		limit = budget.limit
		if _, err = s.spend(ctx, by, of, deviceBudget, budget.tries, pairWindow); err != nil {
			break
		}
	}
	spent, ok := errors.AsType[*spentBudget](err)
	if !ok {
		return err
	}
	refusal := ErrThrottled.After(spent.left)
	e := by.Refusal(audit.AuthLoginRefused, s.store.Now(), refusal).With(audit.Text("reason", "throttled"), audit.Text("limit", limit)).
		WithDescription("A login of a command line was not begun: too many are.")
	if err := tally.Refused(ctx, s.store, by, e); err != nil {
		return err
	}
	return refusal
}

// open stores a login under a fresh user code.
func (s *Service) open(ctx context.Context, by authz.Allowed, d DeviceLogin) (Opened, error) {
	code, err := NewUserCode(s.random)
	if err != nil {
		return Opened{}, err
	}
	of, err := s.placeOf(ctx, by, code)
	if err != nil {
		return Opened{}, err
	}
	secret, err := credential.New(s.random, credential.DeviceCode, by.Workspace().UUID(), of)
	if err != nil {
		return Opened{}, err
	}
	hash := secret.Hash()
	d.Hash = hex.EncodeToString(hash[:])
	err = s.store.WriteScratch(ctx, by, table.Challenges, table.Insert(deviceKey(by.Workspace(), of), d).Until(d.ExpiresAt.Add(deviceKept)))
	return Opened{Device: secret, User: code, ExpiresAt: d.ExpiresAt}, err
}

// placeOf returns under what the login of a user code is stored.
func (s *Service) placeOf(ctx context.Context, by authz.Allowed, code UserCode) (id.UUID, error) {
	text, err := s.store.MAC(ctx, by, userCodeField, string(code))
	if err != nil {
		return id.UUID{}, err
	}
	var of id.UUID
	if _, err := hex.Decode(of[:], []byte(text)[:2*len(of)]); err != nil {
		return id.UUID{}, err
	}
	return of, nil
}

// LookUpDevice returns the login that waits under a typed user code, for the
// person who is asked to approve it. What is no waiting login is ErrNoDevice
// and counts as a guess of that person and address.
func (s *Service) LookUpDevice(ctx context.Context, by authz.Allowed, a Authenticated, typed string) (DeviceLogin, error) {
	d, _, err := s.waiting(ctx, by, a, typed)
	return d, err
}

// ApproveDevice lets the login of a user code begin a session of the caller,
// with what the caller's session has proved. Of several answers to one login
// the first counts.
func (s *Service) ApproveDevice(ctx context.Context, by authz.Allowed, a Authenticated, typed string) error {
	d, item, err := s.waiting(ctx, by, a, typed)
	if err != nil {
		return err
	}
	e := by.Event(audit.AuthDeviceRegistered, s.store.Now()).With(audit.Text("device_kind", Device.String()), audit.Flag("notified", true)).
		WithDescription("A login of a command line was approved.")
	if u := d.Scope.Installation(); !u.Zero() {
		e = e.With(audit.ID("device_id", u))
	}
	m, report, err := s.reportable(by, a, message.CommandLine)
	if err != nil {
		return err
	}
	m.From = d.Address + ", " + d.Agent // where the session will be, not the browser
	return s.answered(ctx, by, table.Change{Events: []audit.Event{e}, Messages: []message.Message{m}, Ops: []table.Op{
		table.Replace(item, d.ApprovedBy(a)).Else(ErrNoDevice),
		table.Unchanged(a.UserItem).Else(table.ErrTryAgain), report,
	}})
}

// DenyDevice ends the login of a user code.
func (s *Service) DenyDevice(ctx context.Context, by authz.Allowed, a Authenticated, typed string) error {
	d, item, err := s.waiting(ctx, by, a, typed)
	if err != nil {
		return err
	}
	d.State = DeviceDenied
	e := by.Event(audit.AuthLoginRefused, s.store.Now()).WithDescription("A login of a command line was denied in the browser.")
	return s.answered(ctx, by, table.Change{Events: []audit.Event{e}, Ops: []table.Op{table.Replace(item, d).Else(ErrNoDevice)}})
}

// answered commits the answer to a device login. That another one came first
// is a used code, whose refusal has an event too.
func (s *Service) answered(ctx context.Context, by authz.Allowed, change table.Change) error {
	err := s.store.Commit(ctx, by, change)
	if !errors.Is(err, ErrNoDevice) {
		return err
	}
	e := by.Refusal(audit.AuthLoginRefused, s.store.Now(), ErrNoDevice).With(audit.Text("reason", "bad_credentials")).
		WithDescription("A user code of a device login was refused: it was answered at the same time.")
	if err := tally.Refused(ctx, s.store, by, e); err != nil {
		return err
	}
	return ErrNoDevice
}

// A tried budget is one that counted a guess.
type tried struct {
	key   table.Key
	limit int64
}

// waiting returns the login that waits under a typed code. A code is counted
// before it is looked up, and taken back when a login waits under it: a right
// code is no guess. What has not the form of a code can be none and is not
// counted.
func (s *Service) waiting(ctx context.Context, by authz.Allowed, a Authenticated, typed string) (DeviceLogin, table.Item, error) {
	code, ok := ParseUserCode(typed)
	if !ok {
		return DeviceLogin{}, table.Item{}, ErrNoDevice
	}
	person, budgets, n, err := s.guess(ctx, by, a)
	if err != nil {
		return DeviceLogin{}, table.Item{}, s.guessed(ctx, by, person, n, err)
	}
	of, err := s.placeOf(ctx, by, code)
	if err != nil {
		return DeviceLogin{}, table.Item{}, err
	}
	item, ok, err := s.store.One(ctx, by, deviceKey(a.Workspace.ID, of))
	if err != nil {
		return DeviceLogin{}, table.Item{}, err
	}
	var d DeviceLogin
	if ok {
		if err := table.Decode(item, &d); err != nil {
			return DeviceLogin{}, table.Item{}, err
		}
	}
	now := s.store.Now()
	if !d.Waits(now) {
		return DeviceLogin{}, table.Item{}, s.guessed(ctx, by, person, n, ErrNoDevice)
	}
	for _, b := range budgets {
		if err := s.store.Refund(ctx, by, table.Guesses, b.key, b.limit, now.Add(2*pairWindow)); err != nil {
			slog.WarnContext(ctx, "a right user code stays counted as a guess", "err", err.Error())
		}
	}
	return d, item, nil
}

// guess counts one user code for the person and the address.
func (s *Service) guess(ctx context.Context, by authz.Allowed, a Authenticated) (person string, spent []tried, n int64, err error) {
	if person, err = s.store.MAC(ctx, by, "guess", a.User.ID.String()); err != nil {
		return "", nil, 0, err
	}
	address, err := s.store.MAC(ctx, by, "address", tally.Network(by.Principal().Source.IP).String())
	if err != nil {
		return "", nil, 0, err
	}
	own := tried{s.budgetKey(by, person, userCodeBudget, pairWindow), codeTries}
	shared := tried{s.budgetKey(by, address, userCodeBudget, pairWindow), codeAddress}
	if n, err = s.spend(ctx, by, person, userCodeBudget, codeTries, pairWindow); err != nil {
		return person, nil, n, err
	}
	if _, err = s.spend(ctx, by, address, userCodeBudget, codeAddress, pairWindow); err != nil {
		// What the address's budget refuses is no guess of this person, who may
		// share it with others.
		if errors.Is(err, table.ErrStale) {
			err = errors.Join(err, s.store.Refund(ctx, by, table.Guesses, own.key, own.limit, s.store.Now().Add(2*pairWindow)))
		}
		return person, nil, n, err
	}
	return person, []tried{own, shared}, n, nil
}

// guessed records a wrong user code, or one that a budget refused, and returns
// the refusal; other errors it returns as they are.
func (s *Service) guessed(ctx context.Context, by authz.Allowed, person string, n int64, err error) error {
	reason, refusal := "bad_credentials", ErrNoDevice
	if spent, ok := errors.AsType[*spentBudget](err); ok {
		reason, refusal = "throttled", ErrUserCodes.After(spent.left)
	} else if !errors.Is(err, ErrNoDevice) {
		return err
	}
	e := by.Refusal(audit.AuthLoginRefused, s.store.Now(), refusal).With(audit.Text("reason", reason), audit.Text("identifier_hmac", person),
		audit.Number("attempt_no", n), audit.Text("limit", codeLimit)).WithDescription("A wrong user code of a device login was refused.")
	if err := tally.Refused(ctx, s.store, by, e); err != nil {
		return err
	}
	return refusal
}
