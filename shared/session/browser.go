package session

import (
	"context"
	"encoding/hex"
	"net/netip"
	"slices"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/message"
	"paddock/shared/table"
	"paddock/shared/workspace"
)

// BrowserLife is how long a browser stays known after its last sign-in.
const BrowserLife = 180 * 24 * time.Hour

// maxNetworks is how many networks of an account are remembered.
const maxNetworks = 20

// A Browser is one that its owner has signed in from. It is known by a secret
// of its own, which each sign-in replaces; guesses from elsewhere do not lock
// it out. Source: security, LK-1 and LK-4.
type Browser struct {
	ID        id.ID[id.Browser] `json:"id"`
	Agent     string            `json:"agent"`
	Network   string            `json:"network"` // of its last sign-in
	CreatedAt time.Time         `json:"created_at"`
	SeenAt    time.Time         `json:"seen_at"`
}

// ErrNoBrowser refuses to forget a browser that the caller does not have.
var ErrNoBrowser = fault.Error{Kind: fault.NotFound, Code: "not_found", Detail: "There is no such device."}

const browserPrefix = "browser#"

// browserKey places a browser by the hash of its secret.
func browserKey(ws id.ID[id.Workspace], user id.ID[id.Principal], hash [32]byte) table.Key {
	return table.Key{Table: table.Data, Kind: "U", Workspace: ws, Of: user.String(), SK: browserPrefix + hex.EncodeToString(hash[:])}
}

// networkOf returns the network that an address belongs to, as far as an owner
// keeps it from one sign-in to the next: a /24 of IPv4, a /48 of IPv6.
func networkOf(ip netip.Addr) string {
	bits := 48
	if ip = ip.Unmap().WithZone(""); ip.Is4() {
		bits = 24
	}
	network, err := ip.Prefix(bits)
	if err != nil {
		return ""
	}
	return network.String()
}

// presented is the browser that a request came from, as it says; version 0 of
// the item for one that is unknown.
type presented struct {
	item    table.Item
	browser Browser
}

// browser reads the browser that a secret tells of. A secret of another
// workspace or kind tells of none.
func (s *Service) browser(ctx context.Context, by authz.Allowed, secret credential.Secret) (presented, error) {
	if secret.Prefix() != credential.KnownBrowser || secret.Workspace() != by.Workspace().UUID() {
		return presented{}, nil
	}
	item, ok, err := s.store.One(ctx, by, browserKey(by.Workspace(), principalID(secret), secret.Hash()))
	if err != nil || !ok {
		return presented{}, err
	}
	var p presented
	p.item = item
	return p, table.Decode(item, &p.browser)
}

// of reports whether the browser is one of this account's at now.
func (p presented) of(user id.ID[id.Principal], now time.Time) bool {
	return p.item.Version > 0 && p.item.Key.Of == user.String() && now.Before(p.browser.SeenAt.Add(BrowserLife))
}

// trusts reports whether the account still takes the browser for its own.
func (p presented) trusts(u identity.User, now time.Time) bool {
	return p.of(u.ID, now) && !p.browser.CreatedAt.Before(u.BrowsersSince)
}

// A Sighting is what a sign-in tells of where it comes from.
type Sighting struct {
	NewBrowser, NewNetwork bool
}

// Unusual reports whether neither browser nor network were seen before.
func (s Sighting) Unusual() bool { return s.NewBrowser && s.NewNetwork }

// sight compares a sign-in with what is known of the account. Its first one is
// as good as the mailed link that came before it.
func sight(u identity.User, p presented, ip netip.Addr, now time.Time) Sighting {
	first := len(u.Networks) == 0 && u.EmailVerified && u.BrowsersSince.IsZero()
	return Sighting{NewBrowser: !p.trusts(u, now), NewNetwork: !first && !slices.Contains(u.Networks, networkOf(ip))}
}

// A Completion is what the completion of a sign-in writes beside the session:
// the browser under its new secret, the network, and, when both were new, the
// anomaly and its notice.
type Completion struct {
	Sighting
	Secret   credential.Secret // for the browser to keep
	added    table.Key         // of a browser that was not known before
	ops      []table.Op
	events   []audit.Event
	messages []message.Message
}

// remember returns the completion of a sign-in as far as the browser goes: it
// is known under a new secret from now on.
func (s *Service) remember(by authz.Allowed, u identity.User, p presented) (Completion, error) {
	now, ws, src := s.store.Now(), by.Workspace(), by.Principal().Source
	c := Completion{Sighting: sight(u, p, src.IP, now)}
	browser := p.browser
	if c.NewBrowser {
		fresh, err := s.store.NewID()
		if err != nil {
			return Completion{}, err
		}
		browser = Browser{ID: id.Of[id.Browser](fresh), CreatedAt: now}
		c.events = append(c.events, by.Event(audit.AuthDeviceRegistered, now).With(audit.ID("device_id", fresh), audit.Text("device_kind", "browser"),
			audit.Flag("notified", c.Unusual())).WithDescription("A first sign-in from a browser."))
	} else {
		c.ops = append(c.ops, table.Remove(p.item).Else(table.ErrTryAgain))
	}
	browser.Agent, browser.Network, browser.SeenAt = src.UserAgent, networkOf(src.IP), now
	var err error
	if c.Secret, err = credential.New(s.random, credential.KnownBrowser, ws.UUID(), u.ID.UUID()); err != nil {
		return Completion{}, err
	}
	at := browserKey(ws, u.ID, c.Secret.Hash())
	if c.NewBrowser {
		c.added = at
	}
	c.ops = append(c.ops, table.Insert(at, browser).Until(now.Add(BrowserLife)))
	return c, nil
}

// complete returns the completion of a sign-in to an account that was read.
func (s *Service) complete(by authz.Allowed, w workspace.Workspace, u identity.User, userItem table.Item, p presented) (Completion, error) {
	c, err := s.remember(by, u, p)
	if err != nil {
		return Completion{}, err
	}
	src := by.Principal().Source
	same := table.Unchanged(userItem)
	if after, moved := visited(u, networkOf(src.IP)); moved {
		same = identity.SaveUser(userItem, after)
	}
	c.ops = append(c.ops, same.Else(table.ErrTryAgain))
	return c, s.tellOwner(by, w, u, &c)
}

// tellOwner adds to a completion what an unusual sign-in leaves: its event, and
// a mail with a link to report it.
func (s *Service) tellOwner(by authz.Allowed, w workspace.Workspace, u identity.User, c *Completion) error {
	if !c.Unusual() {
		return nil
	}
	link, report, err := s.link(w.ID, u, identity.NoticeLife)
	if err != nil {
		return err
	}
	src := by.Principal().Source
	c.ops = append(c.ops, identity.PutLink(identity.LinkKey(w.ID, u.ID, identity.Report, report.Hash()), nil, link))
	c.events = append(c.events, by.Event(audit.AuthAnomaly, s.store.Now()).With(audit.List("signals", "new_device", "new_network")).
		WithDescription("A sign-in from a new device in a new network."))
	c.messages = []message.Message{{
		Channel: message.Mail, Template: message.NewSignIn, To: u.Email, Workspace: w.Name, From: src.IP.String() + ", " + src.UserAgent,
		Until: link.ExpiresAt, Link: identity.Report.URL(w.Canonical(), report),
	}}
	return nil
}

// join adds the completion to a change, whose events the sign-in's own leads.
func (c Completion) join(change table.Change, login audit.Event) table.Change {
	change.Events = append(append([]audit.Event{login}, change.Events...), c.events...)
	change.Ops = append(change.Ops, c.ops...)
	change.Messages = append(change.Messages, c.messages...)
	return change
}

// visited returns an account that has signed in from a network, and whether
// that changed it.
func visited(u identity.User, network string) (identity.User, bool) {
	if network == "" || slices.Contains(u.Networks, network) {
		return u, false
	}
	u.Networks = append([]string{network}, u.Networks...)
	u.Networks = u.Networks[:min(len(u.Networks), maxNetworks)]
	return u, true
}

// Known is one browser in the list of a person's own.
type Known struct {
	Browser
	Item    table.Item
	Current bool
}

// Browsers returns the caller's known browsers, the last one seen first.
func (s *Service) Browsers(ctx context.Context, by authz.Allowed, a Authenticated, own credential.Secret) ([]Known, error) {
	items, err := s.store.Query(ctx, by, table.Query{Key: identity.UserKey(a.Workspace.ID, a.User.ID), Prefix: browserPrefix, Limit: maxBrowsers + spare})
	if err != nil {
		return nil, err
	}
	now := s.store.Now()
	var out []Known
	for _, item := range items {
		p := presented{item: item}
		if err := table.Decode(item, &p.browser); err != nil {
			return nil, err
		}
		if p.trusts(a.User, now) {
			current := own.Prefix() == credential.KnownBrowser && item.Key == browserKey(a.Workspace.ID, a.User.ID, own.Hash())
			out = append(out, Known{Browser: p.browser, Item: item, Current: current})
		}
	}
	slices.SortFunc(out, func(x, y Known) int { return y.SeenAt.Compare(x.SeenAt) })
	return out, nil
}

// Forget makes one of the caller's browsers a stranger again.
func (s *Service) Forget(ctx context.Context, by authz.Allowed, a Authenticated, which string) error {
	all, err := s.Browsers(ctx, by, a, credential.Secret{})
	if err != nil {
		return err
	}
	for _, k := range all {
		if k.ID.String() != which {
			continue
		}
		e := by.Event(audit.AuthDeviceRemoved, s.store.Now()).With(audit.ID("device_id", k.ID.UUID()), audit.ID("by", a.User.ID.UUID())).
			WithDescription("A known device was forgotten.")
		return s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}, Ops: []table.Op{table.Remove(k.Item).Else(table.ErrTryAgain)}})
	}
	return ErrNoBrowser
}
