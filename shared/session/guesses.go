package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/message"
	"paddock/shared/table"
	"paddock/shared/tally"
	"paddock/shared/workspace"
)

// Budgets of guesses. Source: security, EN-5 and LK-1 to LK-3; design, section 7.
const (
	pairTries    = 10 // per account and address, and per name and address
	pairWindow   = 15 * time.Minute
	accountTries = 100 // per account, and per name
	accountDay   = 24 * time.Hour
	addressTries = 300 // per address, over all accounts
	// Wrong passwords in a workspace and a pairWindow, of all addresses: as many
	// as one may try. Beyond them an address may try only siegeTries, browsers
	// that are known aside; nobody is refused for what others guessed.
	workspaceTries = 300
	siegeTries     = 30
	pairLimit      = "10 in 15 minutes" // the pair's budget, as events name it
)

// candidate is what stands behind a login name.
type candidate struct {
	ws       workspace.Workspace
	besieged bool   // the workspace's budget of wrong passwords is used up
	of       string // what guesses at the account are counted under, apart from the name
	known    bool
	user     identity.User
	userItem table.Item
	passItem table.Item
	hash     credential.Hash
	// temporary is set for a password that its owner must replace.
	temporary bool

	who     id.ID[id.Principal] // whom the name leads to, or nobody
	from    presented           // the browser, when it is one of the account's
	counted []tried             // where the attempt was counted, apart from its address
	excess  []tried             // where it was counted though another budget refused it
	// spent is set when the account's own budget is used up and the typed name's
	// is not: the attempt is refused like a wrong password, for the refusal of
	// one name must not tell that another one was guessed at.
	spent bool
}

// A spent budget says when its window ends. It is table.ErrStale.
type spentBudget struct {
	of     string
	scope  string // "" for budgets that are worth no alarm
	limit  int64
	window time.Duration
	left   time.Duration
}

func (b *spentBudget) Error() string { return "session: a budget of guesses is spent" }
func (b *spentBudget) Unwrap() error { return table.ErrStale }

// spend counts one guess in the present window of a budget and returns the sum,
// or a *spentBudget.
func (s *Service) spend(ctx context.Context, by authz.Allowed, of, kind string, limit int64, window time.Duration) (int64, error) {
	n, err := s.store.Count(ctx, by, table.Guesses, s.budgetKey(by, of, kind, window), limit, s.store.Now().Add(2*window))
	if errors.Is(err, table.ErrStale) {
		scope, _, _ := strings.Cut(kind, "#")
		if scope != accountScope && scope != addressScope && scope != pairScope {
			scope = ""
		}
		return n, s.spent(of, scope, limit, window)
	}
	return n, err
}

// spent returns what says that a budget is used up in the present window.
func (s *Service) spent(of, scope string, limit int64, window time.Duration) *spentBudget {
	now := s.store.Now()
	return &spentBudget{of: of, scope: scope, limit: limit, window: window, left: now.Truncate(window).Add(window).Sub(now)}
}

// countWrong counts a wrong password in the workspace. Once an hour the first
// beyond its budget is an event: an attack from so many addresses that none of
// them need try much.
func (s *Service) countWrong(ctx context.Context, by authz.Allowed) error {
	of, err := s.store.MAC(ctx, by, "guess", everyAccount)
	if err != nil {
		return err
	}
	_, err = s.spend(ctx, by, of, workspaceBudget, workspaceTries, pairWindow)
	if !errors.Is(err, table.ErrStale) {
		return err
	}
	if _, err := s.spend(ctx, by, of, "told#"+workspaceBudget, 1, noticeEvery); err != nil {
		return unlessSpent(err)
	}
	e := by.Event(audit.AuthAttackDetected, s.store.Now()).With(audit.Text("kind", "distributed"), audit.Number("window_s", int64(pairWindow/time.Second))).
		WithDescription(fmt.Sprintf("More than %d wrong passwords came from several networks; each may try less for a while.", workspaceTries))
	return s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}})
}

// Where the wrong passwords of a workspace are counted.
const (
	everyAccount    = "all accounts"
	workspaceBudget = "workspace"
)

// throttled records and returns the refusal that a spent budget is; any other
// error it returns as it is. Once an hour and budget it is an event of its own,
// and tells the owner.
func (s *Service) throttled(ctx context.Context, by authz.Allowed, got candidate, account string, attempt int64, err error) error {
	spent, ok := errors.AsType[*spentBudget](err)
	if !ok {
		return err
	}
	refusal := ErrThrottled.After(spent.left)
	if spent.scope != "" {
		_, told := s.spend(ctx, by, spent.of, "told#"+spent.scope, 1, noticeEvery)
		if err := unlessSpent(told); err != nil {
			return err
		}
		if told == nil {
			if err := s.alarm(ctx, by, got, spent); err != nil {
				return err
			}
		}
	}
	return s.refuse(ctx, by, got, account, "throttled", attempt, refusal)
}

// noticeEvery is how often at most an owner is told of an attack.
const noticeEvery = time.Hour

// alarm writes that a budget was used up, and mails the owner: nobody, where
// there is no account, but with the same writes.
func (s *Service) alarm(ctx context.Context, by authz.Allowed, got candidate, spent *spentBudget) error {
	now := s.store.Now()
	locked := by.Event(audit.AuthAccountLocked, now).With(audit.Text("scope", spent.scope), audit.Number("failures", spent.limit),
		audit.Number("window_s", int64(spent.window/time.Second)), audit.Instant("until", now.Add(spent.left))).
		WithDescription("A budget of guesses was used up.")
	change := table.Change{Events: []audit.Event{locked}}
	if spent.scope == addressScope {
		change.Events = append(change.Events, by.Event(audit.AuthAttackDetected, now).With(audit.Text("kind", "stuffing"), audit.Number("addresses_n", 1),
			audit.Number("window_s", int64(spent.window/time.Second))).WithDescription("One network guessed at many accounts."))
		return s.store.Commit(ctx, by, change)
	}
	_, told := s.spend(ctx, by, got.of, "told#owner", 1, noticeEvery)
	if err := unlessSpent(told); err != nil {
		return err
	}
	user := got.user
	if !got.known || user.Disabled || told != nil {
		decoy, err := s.absent()
		if err != nil {
			return err
		}
		user = identity.User{ID: decoy}
	}
	link, secret, err := s.link(by.Workspace(), user, identity.NoticeLife)
	if err != nil {
		return err
	}
	src := by.Principal().Source
	change.Ops = []table.Op{identity.PutLink(identity.LinkKey(by.Workspace(), user.ID, identity.Report, secret.Hash()), nil, link)}
	change.Messages = []message.Message{{
		Channel: message.Mail, Template: message.Attack, To: user.Email, Workspace: got.ws.Name, From: src.IP.String() + ", " + src.UserAgent,
		Until: link.ExpiresAt, Link: identity.Report.URL(got.ws.Canonical(), secret),
	}}
	return s.store.Commit(ctx, by, change)
}

// weigh counts the attempt and reads the account: first for the address, the
// name and the browser, then for the typed name and for the account that it
// leads to, each over all addresses and for this one. It returns a *spentBudget
// when a budget of the address or the name is used up: what a stranger sees of
// one name does not hang on what was guessed at another. The account's own
// budget bounds what reaches its hash, whichever of its names is typed; see
// candidate.spent. A browser that the account knows has a budget of its own, and
// no other counts for it.
func (s *Service) weigh(ctx context.Context, by authz.Allowed, a Attempt, login string) (got candidate, attempts int64, err error) {
	got.hash = credential.Dummy()
	address, err := s.store.MAC(ctx, by, "address", tally.Network(a.Source.IP).String())
	if err != nil {
		return got, 0, err
	}
	var tries int64
	var addressSpent error
	err = together(
		func() error {
			tries, addressSpent = s.spend(ctx, by, address, addressScope, addressTries, pairWindow)
			return unlessSpent(addressSpent)
		},
		func() (err error) { got.who, err = s.resolve(ctx, by, a.Host, login, &got); return err },
		func() (err error) { got.from, err = s.browser(ctx, by, a.Browser); return err },
	)
	if err != nil {
		return got, 0, err
	}
	if got.from.of(got.who, s.store.Now()) {
		own := tried{s.budgetKey(by, got.of, got.ownBudget(), pairWindow), pairTries}
		err = together(
			func() (err error) {
				attempts, err = s.spend(ctx, by, got.of, got.ownBudget(), pairTries, pairWindow)
				return err
			},
			func() error { return s.account(ctx, by, got.who, &got) },
		)
		if err != nil {
			return got, attempts, err
		}
		if got.from.trusts(got.user, s.store.Now()) {
			got.counted = []tried{own}
			return got, attempts, nil
		}
		got.from = presented{} // its owner gave it up
	}
	if addressSpent == nil && got.besieged && tries > siegeTries {
		addressSpent = s.spent(address, addressScope, siegeTries, pairWindow)
	}
	if addressSpent != nil {
		return got, 0, addressSpent
	}
	attempts, err = s.weighBoth(ctx, by, login, address, &got)
	return got, attempts, err
}

// weighBoth counts an attempt from a browser that is not known, at the typed
// name and at the account, and reads the account.
func (s *Service) weighBoth(ctx context.Context, by authz.Allowed, login, address string, got *candidate) (attempts int64, err error) {
	name, err := s.store.MAC(ctx, by, "guessed name", login)
	if err != nil {
		return 0, err
	}
	nobody, err := s.absent()
	if err != nil {
		return 0, err
	}
	var ofName, ofAccount weighed
	err = together(
		func() (err error) { ofName, err = s.weighAt(ctx, by, name, address); return err },
		func() (err error) { ofAccount, err = s.weighAt(ctx, by, got.of, address); return err },
		func() error { return s.account(ctx, by, got.who, got) },
	)
	if err != nil {
		return 0, err
	}
	got.counted = slices.Concat(ofName.counted, ofAccount.counted)
	got.excess = slices.Concat(ofName.excess, ofAccount.excess)
	if len(ofAccount.excess) == 0 { // the same is done where nothing is to be taken back
		got.excess = append(got.excess, tried{s.budgetKey(by, nobody.String(), accountScope, accountDay), accountTries})
	}
	got.spent = ofAccount.spent != nil
	return ofName.attempts, ofName.spent
}

// A weighed attempt is where it was counted at one name or account.
type weighed struct {
	attempts int64 // from its address in the present window
	spent    error // a *spentBudget when a budget is used up
	counted  []tried
	excess   []tried
}

// weighAt counts an attempt at a name or an account, over all addresses and for
// its own. What the budget of its address refuses is no guess at the other:
// otherwise one address could use up the budget of everybody else.
func (s *Service) weighAt(ctx context.Context, by authz.Allowed, of, address string) (weighed, error) {
	var w weighed
	var pair, all error
	// Keys of these windows, whenever something is taken back.
	ofPair := tried{s.budgetKey(by, of, "pair#"+address, pairWindow), pairTries}
	ofAll := tried{s.budgetKey(by, of, accountScope, accountDay), accountTries}
	err := together(
		func() error {
			w.attempts, pair = s.spend(ctx, by, of, "pair#"+address, pairTries, pairWindow)
			return unlessSpent(pair)
		},
		func() error {
			_, all = s.spend(ctx, by, of, accountScope, accountTries, accountDay)
			return unlessSpent(all)
		},
	)
	if err != nil {
		return weighed{}, err
	}
	w.spent = errors.Join(pair, all)
	if pair == nil {
		w.counted = append(w.counted, ofPair)
	}
	if all == nil && pair != nil {
		w.excess = append(w.excess, ofAll)
	} else if all == nil {
		w.counted = append(w.counted, ofAll)
	}
	return w, nil
}

// ownBudget names the budget of the browser that an attempt comes from.
func (c candidate) ownBudget() string { return "browser#" + c.from.browser.ID.String() }

// unlessSpent returns an error that is no spent budget.
func unlessSpent(err error) error {
	if errors.Is(err, table.ErrStale) {
		return nil
	}
	return err
}

// refund takes one guess back from each of these budgets, side by side.
func (s *Service) refund(ctx context.Context, by authz.Allowed, from []tried) error {
	var do []func() error
	for _, t := range from {
		do = append(do, func() error {
			return s.store.Refund(ctx, by, table.Guesses, t.key, t.limit, s.store.Now().Add(2*accountDay))
		})
	}
	return together(do...)
}

// The scopes of budgets that are worth an alarm.
const (
	accountScope = "account" // of a name or an account, over all addresses
	addressScope = "address" // of an address, over all accounts
	pairScope    = "pair"    // of an address at a name or an account
)

// budgetKey places a budget's counter of the present window.
func (s *Service) budgetKey(by authz.Allowed, of, kind string, window time.Duration) table.Key {
	slot := s.store.Now().Unix() / int64(window/time.Second)
	return table.Key{Table: table.Credentials, Kind: "G", Workspace: by.Workspace(), Of: of, SK: fmt.Sprintf("%s#%d", kind, slot)}
}

// together does things side by side.
func together(do ...func() error) error {
	errs := make([]error, len(do))
	var wait sync.WaitGroup
	for i, f := range do {
		wait.Go(func() { errs[i] = f() })
	}
	wait.Wait()
	return errors.Join(errs...)
}

// resolve reads the workspace, and how many wrong passwords it has seen, with
// the name and returns whose it is. An account that is not there costs the same
// second read.
func (s *Service) resolve(ctx context.Context, by authz.Allowed, host, login string, got *candidate) (id.ID[id.Principal], error) {
	ws := by.Workspace()
	mac, err := s.store.MAC(ctx, by, identity.LoginField, login)
	if err != nil {
		return id.ID[id.Principal]{}, err
	}
	user, err := s.absent()
	if err != nil {
		return user, err
	}
	all, err := s.store.MAC(ctx, by, "guess", everyAccount)
	if err != nil {
		return user, err
	}
	unique, wrong := identity.UniqueKey(ws, mac), s.budgetKey(by, all, workspaceBudget, pairWindow)
	found, err := s.store.Read(ctx, by, workspace.HeadKey(ws), unique, wrong)
	if err != nil {
		return user, err
	}
	var head table.Item
	counted := login
	for _, item := range found {
		switch item.Key {
		case workspace.HeadKey(ws):
			head = item
			continue
		case wrong:
			got.besieged = item.Attr("n").Num >= workspaceTries
			continue
		}
		var u identity.Unique
		if err := table.Decode(item, &u); err != nil {
			return user, err
		}
		if u.Leads() {
			user, counted = u.User, u.User.String()
		}
	}
	if got.ws, err = serving(head, host); err != nil {
		return user, err
	}
	got.of, err = s.store.MAC(ctx, by, "guess", counted)
	return user, err
}

// account reads an account and its password.
func (s *Service) account(ctx context.Context, by authz.Allowed, user id.ID[id.Principal], got *candidate) error {
	items, err := s.store.Read(ctx, by, identity.UserKey(by.Workspace(), user), PasswordKey(by.Workspace(), user))
	if err != nil {
		return err
	}
	for _, item := range items {
		switch item.Key.SK {
		case "user":
			got.userItem, got.known = item, true
			if got.user, err = identity.DecodeUser(item); err != nil {
				return err
			}
		case "password":
			got.passItem = item
			var stored PasswordRecord
			if err := table.Decode(item, &stored); err != nil {
				return err
			}
			got.temporary = stored.Temporary
			if h, ok := credential.ParseHash(stored.PHC); ok {
				got.hash = h
			}
		}
	}
	return nil
}

func (s *Service) absent() (id.ID[id.Principal], error) {
	u, err := s.store.NewID()
	return id.Of[id.Principal](u), err
}
