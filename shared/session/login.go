package session

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/table"
	"paddock/shared/tally"
	"paddock/shared/workspace"
)

// A State is how far a sign-in has come.
type State string

// The states. Source: design, section 14.
const (
	SignedIn          State = "signed_in"
	MFARequired       State = "mfa_required"
	EnrolmentRequired State = "enrolment_required"
	ChangeRequired    State = "password_change_required"
)

// A Started sign-in: the handle of the session that it began, full or half.
type Started struct {
	State   State
	Secret  credential.Secret
	Session Session
	User    identity.User
	Methods []identity.Method // with which an owed factor can be proved
	Browser credential.Secret // by which the browser is known from now on; zero for none
}

// An Attempt is a try to sign in by password.
type Attempt struct {
	Host     string
	Login    string // username or e-mail, as typed
	Password string
	Kind     Kind // Console or CLI
	// Browser is the secret of a known browser, Ticket that of a mailed link
	// which opens one attempt beyond the budgets; zero for none.
	Browser credential.Secret
	Ticket  credential.Secret
	Source  audit.Source
	Request authz.Request
}

// Refusals of sign-ins. Unknown user, wrong password, disabled account and a
// pending invitation answer alike.
var (
	ErrCredentials = fault.Error{
		Kind: fault.Unauthenticated, Code: "invalid_credentials",
		Detail: "The username or the password is wrong.",
	}
	ErrThrottled = fault.Error{
		Kind: fault.Limited, Code: "too_many_attempts",
		Detail: "Too many attempts to sign in. Wait, or use another way to sign in.",
	}
	// ErrMFARequired answers a right password on a way of signing in that
	// cannot ask for a second factor.
	ErrMFARequired = fault.Error{
		Kind: fault.Denied, Code: "mfa_required",
		Detail: "This account needs a second factor, which this way of signing in cannot ask for. Sign in with a browser.",
	}
	// ErrBrowserLogin refuses a command line's password where the workspace
	// wants device login; see DeviceLoginAt.
	ErrBrowserLogin = fault.Error{
		Kind: fault.Denied, Code: "browser_login_required",
		Detail: "Command lines sign in with a browser here, not with a password. Log in again without giving one.",
	}
)

// PasswordKey places a user's password hash.
func PasswordKey(ws id.ID[id.Workspace], user id.ID[id.Principal]) table.Key {
	return table.Key{Table: table.Credentials, Kind: "C", Workspace: ws, Of: user.String(), SK: "password"}
}

// A PasswordRecord is a stored password.
type PasswordRecord struct {
	PHC   string    `json:"phc"`
	SetAt time.Time `json:"set_at"`
	// Temporary is set for a password that somebody else chose: it opens only
	// its own replacement, until the account's TemporaryUntil.
	Temporary bool `json:"temporary,omitempty"`
}

// Login tries a password. Whatever the account is, the same reads, counters
// and exactly one argon2 verification are done before the answer, and a
// refusal leaves one event. Where command lines are told to sign in by device
// login none is done for them, whatever they send: ErrBrowserLogin. A warm
// function waits three times: for the address and the name, for the account, and
// for the commit.
func (s *Service) Login(ctx context.Context, a Attempt) (Started, error) {
	ws, err := s.named(ctx, a.Host)
	if err != nil {
		return Started{}, err
	}
	password, passwordErr := credential.NewPassword(a.Password)
	login := canonicalLogin(a.Login)
	by := authz.ForCeremony(ws, "login", authz.Principal{Source: a.Source, Request: a.Request})
	account, err := s.store.MAC(ctx, by, "guess", login)
	if err != nil {
		return Started{}, err
	}
	got, attempt, err := s.weigh(ctx, by, a, login)
	if (got.spent || errors.Is(err, table.ErrStale)) && a.Ticket.Prefix() == credential.MailedLink {
		err = s.unlock(ctx, by, &got, a, err)
	}
	if err != nil {
		return Started{}, s.throttled(ctx, by, got, account, attempt, err)
	}
	if _, device := DeviceLoginAt(got.ws, a.Host); device && a.Kind == CLI {
		got.user = identity.User{} // nothing is told of anybody
		return Started{}, s.refuse(ctx, by, got, account, "", attempt, ErrBrowserLogin)
	}
	if got.spent {
		got.hash = credential.Dummy() // nothing more reaches the account's own
	}
	matched := false
	if err := s.hasher.Do(func() { matched = got.hash.Matches(password) }); err != nil {
		return Started{}, s.busy(ctx, by, got, account, attempt, err)
	}
	if reason := s.refusalOf(got, matched && passwordErr == nil); reason != "" {
		return Started{}, s.refuse(ctx, by, got, account, reason, attempt, ErrCredentials)
	}
	return s.started(ctx, got, password, a)
}

// refusalOf is the rule of why an attempt that was hashed is refused, as events
// name it; "" for none. All of them are answered alike.
func (s *Service) refusalOf(got candidate, matched bool) string {
	switch {
	case got.spent:
		return "throttled"
	case !got.known:
		return "unknown_user"
	case !matched || got.user.PasswordEnded(s.store.Now()):
		return "bad_credentials"
	case got.user.Disabled:
		return "disabled"
	}
	return ""
}

// refuse records a refused attempt and returns the refusal; reason is "" where
// nothing was compared. What was counted beyond another budget is taken back at
// the same time, and a wrong password counted for the workspace.
func (s *Service) refuse(ctx context.Context, by authz.Allowed, got candidate, account, reason string, attempt int64, refusal fault.Error) error {
	e := by.Refusal(audit.AuthLoginRefused, s.store.Now(), refusal).With(audit.Text("identifier_hmac", account),
		audit.Number("attempt_no", attempt), audit.Text("limit", pairLimit)).
		WithDescription("A sign-in was refused.")
	if reason != "" {
		e = e.With(audit.Text("reason", reason))
	}
	if u := got.user; !u.ID.Zero() {
		e = e.WithSubject(u.ID.UUID()).WithTarget(audit.Target{Type: "user", ID: u.ID.UUID(), Name: u.Username})
	}
	err := together(
		func() error { return tally.Refused(ctx, s.store, by, e) },
		func() error { return s.refund(ctx, by, got.excess) },
		func() error {
			if !errors.Is(refusal, ErrCredentials) {
				return nil
			}
			return s.countWrong(ctx, by)
		},
	)
	if err != nil {
		return err
	}
	return refusal
}

// busy records an attempt whose hash found no room, and returns the refusal; any
// other error it returns as it is.
func (s *Service) busy(ctx context.Context, by authz.Allowed, got candidate, account string, attempt int64, err error) error {
	refusal, ok := errors.AsType[fault.Error](err)
	if !ok {
		return err
	}
	return s.refuse(ctx, by, got, account, "throttled", attempt, refusal)
}

// started begins the session that a right password gives: a full one, or a
// half one when a second factor is owed.
func (s *Service) started(ctx context.Context, got candidate, password credential.Password, a Attempt) (Started, error) {
	w := got.ws
	change := got.temporary || s.guessable(ctx, password)
	out := Started{User: got.user, State: StateAfterPassword(w, got.user, change)}
	unusual := w.Security.UnusualSignIn && sight(got.user, got.from, a.Source.IP, s.store.Now()).Unusual()
	// A password alone would open the account, or the way to a method of one's own.
	if unusual = unusual && out.State != MFARequired; unusual {
		out.State = MFARequired
	}
	kind := a.Kind
	if out.State != SignedIn {
		if a.Kind == CLI {
			p := PrincipalOf(w.ID, got.user, a.Source)
			p.Request = a.Request
			return Started{}, s.owed(ctx, authz.ForCeremony(w.ID, "login", p), out.State)
		}
		if out.State != ChangeRequired {
			kind = Half
			out.Methods = MethodsOf(w, got.user)
			if out.State == EnrolmentRequired {
				out.Methods = s.Enrollable(w)
			}
		}
		if unusual { // nothing else is asked for: a mailed code
			out.Methods = []identity.Method{identity.MailedCode}
		}
	}
	ops, err := s.rehash(got, password)
	if err != nil {
		return Started{}, err
	}
	begin := func() (err error) {
		out.Session, out.Secret, out.Browser, err = s.begin(ctx, got, kind, flags{change: change, unusual: unusual}, a, ops)
		return err
	}
	return out, together(begin, func() error { s.noGuess(ctx, got); return nil })
}

// noGuess takes a right password back from the budgets that it was counted in:
// it was none of the guesses that they bound. What an address tries over all
// accounts stays counted.
func (s *Service) noGuess(ctx context.Context, got candidate) {
	by := authz.ForCeremony(got.ws.ID, "login", authz.Principal{})
	if err := s.refund(ctx, by, got.counted); err != nil {
		slog.WarnContext(ctx, "a right password stays counted as a guess", "err", err.Error())
	}
}

// owed writes the event of a right password where what is owed besides cannot
// be asked for, and returns the refusal.
func (s *Service) owed(ctx context.Context, by authz.Allowed, state State) error {
	refusal, reason, text := ErrMFARequired, "mfa_failed", "A right password came without the second factor that is owed."
	if state == ChangeRequired {
		refusal, reason, text = ErrChangePassword, "breached", "A right password came that must be replaced first."
	}
	e := by.Refusal(audit.AuthLoginRefused, s.store.Now(), refusal).With(audit.Text("reason", reason)).WithDescription(text)
	if err := s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}}); err != nil {
		return err
	}
	return refusal
}

// StateAfterPassword is the rule of what is owed after a right password: a
// second factor if the user has one, enrolling one if the workspace demands
// it, then another password if this one must be replaced. Source: design,
// section 7.
func StateAfterPassword(w workspace.Workspace, u identity.User, change bool) State {
	switch {
	case u.HasSecondFactor():
		return MFARequired
	case w.Security.MFARequired:
		return EnrolmentRequired
	case change:
		return ChangeRequired
	}
	return SignedIn
}

// MethodsOf returns the methods with which u can prove a second factor here, in
// the order in which they were set up; recovery codes, the last resort, are last.
func MethodsOf(w workspace.Workspace, u identity.User) []identity.Method {
	var out []identity.Method
	seen, grace := map[identity.Method]bool{}, stranded(w, u)
	for _, f := range u.Factors {
		if !seen[f.Method] && (grace || allowed(w, f.Method)) {
			seen[f.Method] = true
			out = append(out, f.Method)
		}
	}
	if at := slices.Index(out, identity.RecoveryCode); at >= 0 {
		out = append(slices.Delete(out, at, at+1), identity.RecoveryCode)
	}
	return out
}

func allowed(w workspace.Workspace, m identity.Method) bool { return w.Security.Allows(string(m)) }

// Enrollable returns the methods that a person of a workspace may set up, the
// restricted ones last.
func (s *Service) Enrollable(w workspace.Workspace) []identity.Method {
	out := []identity.Method{}
	for _, m := range []identity.Method{identity.HardwareKey, identity.Biometric, identity.OTP, identity.MailedCode, identity.Phone} {
		if allowed(w, m) && (m != identity.Phone || s.sms || s.voice) {
			out = append(out, m)
		}
	}
	return out
}

// stranded reports whether u has second factors and the workspace allows none
// of them any more: with one of them u signs in once more, to set up another.
func stranded(w workspace.Workspace, u identity.User) bool {
	return u.HasSecondFactor() && !slices.ContainsFunc(u.Factors, func(f identity.Factor) bool {
		return f.Method != identity.RecoveryCode && allowed(w, f.Method)
	})
}

// rehash returns the operation that stores a hash with the present costs, when
// the stored one is weaker.
func (s *Service) rehash(got candidate, password credential.Password) ([]table.Op, error) {
	if !got.hash.Weaker(credential.Current) {
		return nil, nil
	}
	var phc string
	var failed error
	if err := s.hasher.Do(func() { phc, failed = credential.HashPassword(s.random, password, credential.Current) }); err != nil {
		return nil, err
	}
	if failed != nil {
		return nil, failed
	}
	return []table.Op{table.Replace(got.passItem, PasswordRecord{PHC: phc, SetAt: s.store.Now(), Temporary: got.temporary}).Else(table.ErrTryAgain)}, nil
}

// flags are what a new session is to remember.
type flags struct{ change, unusual bool }

// begin stores a new session with its event; the account must still be what
// was read. A full session completes the sign-in, and gives the browser its
// secret.
func (s *Service) begin(ctx context.Context, got candidate, k Kind, f flags, a Attempt, more []table.Op) (Session, credential.Secret, credential.Secret, error) {
	fail := func(err error) (Session, credential.Secret, credential.Secret, error) {
		return Session{}, credential.Secret{}, credential.Secret{}, err
	}
	now, w, u := s.store.Now(), got.ws, got.user
	name, err := s.store.NewID()
	if err != nil {
		return fail(err)
	}
	secret, err := credential.New(s.random, k.Prefix(), w.ID.UUID(), u.ID.UUID())
	if err != nil {
		return fail(err)
	}
	session := Begin(name, k, w, u, "password", a.Source, now)
	session.ChangePassword, session.Unusual = f.change, f.unusual
	p := PrincipalOf(w.ID, u, a.Source)
	p.Request = a.Request
	p.Actor.SessionID = session.ID.UUID()
	by := authz.ForCeremony(w.ID, "login", p)
	at := Key(w.ID, u.ID, secret.Hash())
	change := table.Change{Ops: append(more, table.Insert(at, session).Until(session.EndsAt))}
	var c Completion
	switch k {
	case Half:
		change.Events = []audit.Event{by.Event(audit.AuthLoginFirstFactor, now).With(audit.List("factors_owed", "mfa")).
			WithDescription("The password was right; a second factor is owed.")}
		change.Ops = append(change.Ops, table.Unchanged(got.userItem).Else(table.ErrTryAgain))
	case Console:
		if c, err = s.complete(by, w, u, got.userItem, got.from); err != nil {
			return fail(err)
		}
		change = c.join(change, by.Event(audit.AuthLogin, now).With(audit.Text("method", "password"), audit.List("factors", "password"),
			audit.ID("session_id", session.ID.UUID()), audit.Flag("new_device", c.NewBrowser)).WithDescription("Signed in with a password."))
	case CLI, Device, APIToken, ServiceToken:
		change.Events = []audit.Event{by.Event(audit.AuthLogin, now).With(audit.Text("method", "password"), audit.List("factors", "password"),
			audit.ID("session_id", session.ID.UUID())).WithDescription("Signed in with a password.")}
		change.Ops = append(change.Ops, table.Unchanged(got.userItem).Else(table.ErrTryAgain))
	}
	if err := s.commit(ctx, by, w, u, change, newcomers{session: at, browser: c.added}); err != nil {
		return fail(err)
	}
	return session, secret, c.Secret, nil
}

// maxLogin bounds what is looked up of a typed login name, in bytes; longer
// text is no name of anybody.
const maxLogin = 320

// canonicalLogin returns the form under which a login name is looked up: the
// e-mail key of an address, lower case of a username, and empty text, which
// nobody has, for everything else.
func canonicalLogin(typed string) string {
	if e, err := identity.ParseEmail(typed); err == nil {
		return e.Key
	}
	if name, err := identity.ParseUsername(strings.ToLower(typed)); err == nil && len(typed) <= maxLogin {
		return name
	}
	return ""
}
