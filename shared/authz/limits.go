package authz

import (
	"bytes"
	"slices"
	"time"

	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/permission"
)

// Limits are what a token leaves of its owner's rights: what its scopes hold,
// on the servers that its rows name, until its end. They take away and never
// give. Source: design, section 8; security, TK-1, TK-2, TK-7.
type Limits struct {
	Token   id.UUID
	Scopes  permission.Set
	Servers []id.UUID // sorted; of any other server the token knows nothing
	Until   time.Time // exclusive; zero: no end
}

// Refusals of tokens whose owner may be allowed what they ask.
var (
	ErrScope = fault.Error{
		Kind: fault.Denied, Code: "token_scope_not_allowed",
		Detail: "The scopes of this token do not hold this.",
	}
	ErrACL = fault.Error{
		Kind: fault.Denied, Code: "api_token_acl_not_allowed",
		Detail: "The server rules of this token do not name this server.",
	}
)

// Sets that bound scopes.
var (
	// unscoped permissions are in no token: what makes somebody more than they
	// are, and what a person decides. One's own account has no scope: the route
	// table says which of its rows tokens open. Source: security, TK-1, TK-12.
	unscoped = Reserved.Union(permission.SetOf(permission.UpdateBilling, permission.DeleteWorkspace))
	// minting permissions make credentials. They count only where they are
	// named: full access does not hold them.
	minting = permission.SetOf(permission.CreateServiceToken, permission.UpdateServiceToken,
		permission.CreateApplication, permission.UpdateApplication, permission.CreateRegistration)
	// scoped are all permissions that a token can hold.
	scoped = permission.SetOf(permission.Catalogue...).Minus(unscoped)
)

// Scopable returns the permissions that a token can hold.
func Scopable() permission.Set { return scoped }

// FullAccess returns what a token holds that is limited to nothing in
// particular.
func FullAccess() permission.Set { return scoped.Minus(minting) }

// Minting returns the permissions that make credentials.
func Minting() permission.Set { return minting }

// Failing conditions of limits.
const (
	noScope     = "the token's scopes do not hold"
	noServerRow = "no server row of the token holds, for"
	tokenEnded  = "the token has ended, for"
)

// limited returns what p's token, if p came with one, rules out whatever its
// owner may; "" for nothing. It allocates nothing.
func (p *Principal) limited(what permission.Permission, o id.UUID, now time.Time) string {
	l := p.Limits
	switch {
	case l == nil:
	case !live(l.Until, now):
		return tokenEnded
	case what == permission.OwnAccount:
	case !l.Scopes.Has(what):
		return noScope
	case ByRows(what) && !l.lists(o):
		return noServerRow
	}
	return ""
}

// ByRows reports whether a token needs a row for what a permission is asked on.
// A server that is made has none yet.
func ByRows(what permission.Permission) bool {
	return kindOf(what.Resource) == server && what != permission.CreateServer
}

// compare orders ids as Limits.Servers are.
func compare(a, b id.UUID) int { return bytes.Compare(a[:], b[:]) }

// SortServers puts ids into the order of Limits.Servers.
func SortServers(ids []id.UUID) { slices.SortFunc(ids, compare) }

func (l *Limits) lists(o id.UUID) bool {
	_, found := slices.BinarySearchFunc(l.Servers, o, compare)
	return found
}

// anywhere reports whether limits leave the permission on any object at all.
func (p *Principal) anywhere(what permission.Permission, now time.Time) bool {
	failing := p.limited(what, id.UUID{}, now)
	return failing == "" || failing == noServerRow && len(p.Limits.Servers) > 0
}

// Scoped returns ErrScope when p came with a token whose scopes do not hold the
// permission, on whatever object.
func (p *Principal) Scoped(what permission.Permission, now time.Time) error {
	if failing := p.limited(what, id.UUID{}, now); failing != "" && failing != noServerRow {
		return ErrScope
	}
	return nil
}

// Listed returns ErrACL when p came with a token that needs a row for an object
// with this id and has none.
func (p *Principal) Listed(what permission.Permission, o id.UUID, now time.Time) error {
	if p.limited(what, o, now) == noServerRow {
		return ErrACL
	}
	return nil
}

// left returns what p's token leaves of a set that is held on a part until last.
func (p *Principal) left(set permission.Set, on part, last time.Time) permission.Set {
	l := p.Limits
	switch {
	case l == nil:
		return set
	case !live(l.Until, last):
		return permission.Set{}
	case on.name.Kind() != 0 || !l.lists(on.object.ID): // rows name servers one by one
		return set.Intersect(l.Scopes).Minus(byRows)
	}
	return set.Intersect(l.Scopes)
}

// byRows are the permissions of ByRows.
var byRows = func() (s permission.Set) {
	for _, what := range permission.Catalogue {
		if ByRows(what) {
			s = s.Union(permission.SetOf(what))
		}
	}
	return s
}()

// limit takes from e what p's token does not leave.
func (e *Effective) limit(p *Principal, now time.Time) {
	l := p.Limits
	if l == nil {
		return
	}
	var scopes, own permission.Set
	if live(l.Until, now) {
		scopes, own = l.Scopes, permission.SetOf(permission.OwnAccount)
	}
	e.Everywhere = e.Everywhere.Intersect(scopes)
	for i := range e.units {
		e.units[i].set = e.units[i].set.Intersect(scopes.Union(own)).Minus(byRows)
	}
	rows := newBitset(len(p.Policy.Servers()))
	for i, s := range p.Policy.Servers() {
		if l.lists(s.ID) {
			rows.add(i)
		}
	}
	for i, what := range permission.Catalogue {
		switch {
		case !ByRows(what):
		case !scopes.Has(what):
			e.servers[i] = nil
		case e.Everywhere.Has(what):
			e.servers[i] = rows
		default:
			e.servers[i].intersect(rows)
		}
	}
	e.Everywhere = e.Everywhere.Minus(byRows)
}
