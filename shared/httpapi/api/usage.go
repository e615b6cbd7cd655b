package api

import (
	"net/http"
	"slices"

	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
	"paddock/shared/token"
	"paddock/shared/usage"
)

func (f *Face) usageBindings() []*httpapi.Binding {
	const get, ok = http.MethodGet, http.StatusOK
	return []*httpapi.Binding{
		httpapi.Answer(get, "/api/auth/tokens/{id}/usage/", ok, f.tokenUsage).Summed("Tell what a token of one's own was used for, and what of it never.").
			Refuses(&token.ErrNoToken, &errDays),
		httpapi.Answer(get, "/api/iam/users/{id}/tokens/{token}/usage/", ok, f.tokenUsageOf).Summed("Tell what a token of an account was used for, and what of it never.").
			Refuses(&token.ErrNoToken, &errDays),
		httpapi.Answer(get, "/api/iam/applications/{id}/tokens/{token}/usage/", ok, f.serviceTokenUsage).
			Summed("Tell what a service token was used for, and what of it never.").Refuses(&token.ErrNoToken, &errDays),
		httpapi.Answer(get, "/api/iam/users/-/usage/", ok, f.ownUsage).Summed("Tell which of one's own permissions one used, and which never.").Refuses(&errDays),
		httpapi.Answer(get, "/api/iam/users/{id}/usage/", ok, f.usageOf).Summed("Tell which of their permissions somebody used, and which never.").Refuses(&errDays, &authz.ErrDenied),
	}
}

// errDays refuses to look further back than usage is kept.
var errDays = fault.Error{Kind: fault.Invalid, Code: "out_of_range", Detail: "Usage is kept for 90 days: days must be from 1 to 90.", Source: "days"}

// UsageQuery says how far back to look.
type UsageQuery struct {
	// Days is 1 to 90, today included; 30 if it is left out.
	Days *int `query:"days,omitempty"`
}

// defaultDays is how far back an answer looks that was not asked for another
// interval.
const defaultDays = 30

func (q UsageQuery) days() (int, error) {
	switch {
	case q.Days == nil:
		return defaultDays, nil
	case *q.Days > usage.MaxDays:
		return 0, errDays
	}
	return *q.Days, nil
}

// UsageDocument is what was used of permissions in an interval, and what never.
// Days are in UTC; lists are in the order of the last use, the newest first.
type UsageDocument struct {
	Since string `json:"since"` // the first day
	// Granted are the permissions that are held now, of a token those that it can
	// have at most; Unused are those of them that were not used.
	Granted     []string         `json:"granted"`
	Unused      []string         `json:"unused"`
	Permissions []UsedPermission `json:"permissions"`
	Objects     []UsedObject     `json:"objects"`
	Addresses   []UsedAddress    `json:"addresses"`
	// MoreObjects and MoreAddresses tell that there were others on a day with
	// more than 200 objects or 50 addresses.
	MoreObjects   bool `json:"more_objects"`
	MoreAddresses bool `json:"more_addresses"`
	// Partial tells that older usage was left out: there is too much of it.
	Partial bool       `json:"partial"`
	ByDay   []UsageDay `json:"by_day"`
}

// UsedPermission is a permission that was used.
type UsedPermission struct {
	Permission string `json:"permission"`
	Days       int    `json:"days"` // on how many days
	LastOn     string `json:"last_on"`
}

// UsedObject is what a permission was used on.
type UsedObject struct {
	Type   string `json:"type"`
	ID     string `json:"id"`
	Days   int    `json:"days"`
	LastOn string `json:"last_on"`
}

// UsedAddress is an address that requests came from.
type UsedAddress struct {
	Address string `json:"address"`
	Days    int    `json:"days"`
	LastOn  string `json:"last_on"`
}

// UsageDay is how much was used on one day.
type UsageDay struct {
	Day         string `json:"day"`
	Permissions int    `json:"permissions"`
	Objects     int    `json:"objects"`
	Rules       int    `json:"rules"`
	Addresses   int    `json:"addresses"`
}

// TokenUsage is what a token was used for.
type TokenUsage struct {
	UsageDocument

	// UnusedScopes are scopes of the token of which no permission was used.
	UnusedScopes []string `json:"unused_scopes"`
	// Rules are the server rules by which it reached a server, UnusedRules those
	// that it has and by which it reached none. Lists of servers use no rule in
	// particular; command and file rules are not asked yet.
	Rules       []UsedRule   `json:"rules"`
	UnusedRules []UnusedRule `json:"unused_rules"`
	MoreRules   bool         `json:"more_rules"`
}

// UsedRule is a rule that was used; one that is gone since has no server.
type UsedRule struct {
	ID     id.ID[id.Rule] `json:"id"`
	Server *string        `json:"server" jsonschema:"nullable"`
	Days   int            `json:"days"`
	LastOn string         `json:"last_on"`
}

// UnusedRule is a rule that was not used.
type UnusedRule struct {
	ID     id.ID[id.Rule]   `json:"id"`
	Server id.ID[id.Server] `json:"server"`
}

const dayForm = "2006-01-02"

func usageDocument(i usage.Interval, granted permission.Set) UsageDocument {
	d := UsageDocument{
		Since: i.First.Format(dayForm), Granted: texts(granted), Unused: texts(granted.Minus(i.Used())), Permissions: []UsedPermission{},
		Objects: []UsedObject{}, Addresses: []UsedAddress{}, MoreObjects: i.MoreObjects, MoreAddresses: i.MoreAddresses, Partial: i.Partial, ByDay: []UsageDay{},
	}
	for _, p := range i.Permissions {
		d.Permissions = append(d.Permissions, UsedPermission{p.Value.String(), p.Days, p.Last.Format(dayForm)})
	}
	for _, o := range i.Objects {
		d.Objects = append(d.Objects, UsedObject{o.Value.Type, o.Value.ID.String(), o.Days, o.Last.Format(dayForm)})
	}
	for _, a := range i.Addresses {
		d.Addresses = append(d.Addresses, UsedAddress{a.Value.String(), a.Days, a.Last.Format(dayForm)})
	}
	for _, c := range i.Days {
		d.ByDay = append(d.ByDay, UsageDay{c.Day.Format(dayForm), c.Permissions, c.Objects, c.Rules, c.Addresses})
	}
	return d
}

func texts(s permission.Set) []string {
	out := []string{}
	for _, p := range s.Permissions() {
		out = append(out, p.String())
	}
	slices.Sort(out)
	return out
}

func (f *Face) tokenUsage(c httpapi.Call, in UsageQuery) (TokenUsage, error) {
	which, err := tokenID(c, "id")
	if err != nil {
		return TokenUsage{}, err
	}
	return f.usedToken(c, mine(c), token.Token.Limits, which, in)
}

func (f *Face) tokenUsageOf(c httpapi.Call, in UsageQuery) (TokenUsage, error) {
	which, err := tokenID(c, "token")
	if err != nil {
		return TokenUsage{}, err
	}
	u, _, err := c.Named()
	if err != nil {
		return TokenUsage{}, err
	}
	return f.usedToken(c, holding(c, u), token.Token.Limits, which, in)
}

func (f *Face) serviceTokenUsage(c httpapi.Call, in UsageQuery) (TokenUsage, error) {
	which, err := tokenID(c, "token")
	if err != nil {
		return TokenUsage{}, err
	}
	a, h, err := serving(c, false)
	if err != nil {
		return TokenUsage{}, err
	}
	return f.usedToken(c, h, a.Limits, which, in)
}

// usedToken returns what a token of a holder was used for, of what its limits
// leave.
func (f *Face) usedToken(c httpapi.Call, owner token.Holder, limits func(token.Token, token.ACL) *authz.Limits, which id.ID[id.Token], in UsageQuery) (TokenUsage, error) {
	days, err := in.days()
	if err != nil {
		return TokenUsage{}, err
	}
	t, acl, err := f.keys.One(c.Context(), c.Allowed, owner, which)
	if err != nil {
		return TokenUsage{}, err
	}
	i, err := f.used.OfToken(c.Context(), c.Allowed, owner.ID, t.ID.UUID(), days)
	if err != nil {
		return TokenUsage{}, err
	}
	return tokenUsage(i, limits(t, acl).Scopes, t, acl), nil
}

func tokenUsage(i usage.Interval, granted permission.Set, t token.Token, acl token.ACL) TokenUsage {
	d := TokenUsage{
		UsageDocument: usageDocument(i, granted), UnusedScopes: []string{}, Rules: []UsedRule{}, UnusedRules: []UnusedRule{}, MoreRules: i.MoreRules,
	}
	for _, scope := range t.Scopes {
		if token.Set([]string{scope}).Intersect(i.Used()).Empty() {
			d.UnusedScopes = append(d.UnusedScopes, scope)
		}
	}
	servers, used := map[id.ID[id.Rule]]string{}, map[id.ID[id.Rule]]bool{}
	for _, r := range acl.Servers {
		servers[r.ID] = r.Server.String()
	}
	for _, r := range i.Rules {
		used[r.Value] = true
		one := UsedRule{ID: r.Value, Days: r.Days, LastOn: r.Last.Format(dayForm)}
		if server, there := servers[r.Value]; there {
			one.Server = &server
		}
		d.Rules = append(d.Rules, one)
	}
	for _, r := range acl.Servers {
		if !used[r.ID] {
			d.UnusedRules = append(d.UnusedRules, UnusedRule{r.ID, r.Server})
		}
	}
	return d
}

func (f *Face) ownUsage(c httpapi.Call, in UsageQuery) (UsageDocument, error) {
	return f.usedBy(c, c.Who.User, in)
}

// usageOf tells what somebody may, too: that is asked besides.
func (f *Face) usageOf(c httpapi.Call, in UsageQuery) (UsageDocument, error) {
	u, _, err := c.Named()
	if err != nil {
		return UsageDocument{}, err
	}
	if u.ID != c.Who.User.ID {
		if _, err := c.Decide(permission.ReadPolicy, authz.Object{}); err != nil {
			return UsageDocument{}, err
		}
	}
	return f.usedBy(c, u, in)
}

// usedBy returns what somebody used, with sessions and tokens, of what they hold
// on anything at all.
func (f *Face) usedBy(c httpapi.Call, u identity.User, in UsageQuery) (UsageDocument, error) {
	days, err := in.days()
	if err != nil {
		return UsageDocument{}, err
	}
	i, err := f.used.Of(c.Context(), c.Allowed, u.ID, days)
	if err != nil {
		return UsageDocument{}, err
	}
	p, held := principalOf(c, u), permission.Set{}
	for _, what := range permission.Catalogue {
		if authz.Anywhere(&p, what, c.Now()) {
			held = held.Union(permission.SetOf(what))
		}
	}
	return usageDocument(i, held), nil
}
