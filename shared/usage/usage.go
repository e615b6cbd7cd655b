// Package usage holds what people and tokens used of their rights, day by day:
// permissions, objects, rules and addresses. It says what was used for certain,
// decides nothing and keeps nobody waiting: what cannot be stored is lost.
package usage

import (
	"net/netip"
	"slices"
	"time"

	"paddock/shared/id"
	"paddock/shared/permission"
	"paddock/shared/table"
)

// Bounds of what is kept of one day. Beyond them a flag says that there was more.
const (
	MaxObjects   = 200
	MaxRules     = 500
	MaxAddresses = 50
)

// MaxDays is how many days are kept, today included. Source: design, section 8.
const MaxDays = 90

// A Subject is whose usage it is: a principal with a session, or, where Token is
// set, with one of its tokens.
type Subject struct {
	Workspace id.ID[id.Workspace]
	Principal id.ID[id.Principal]
	Token     id.UUID
}

// session stands in keys where no token is.
const session = "self"

// DayName names the day of an instant, in UTC.
func DayName(at time.Time) string { return at.UTC().Format("20060102") }

const prefix = "day#"

// Key places the usage of a subject on the day of an instant.
func Key(s Subject, at time.Time) table.Key {
	of := session
	if !s.Token.Zero() {
		of = s.Token.String()
	}
	return table.Key{Table: table.Data, Kind: "V", Workspace: s.Workspace, Of: s.Principal.String(), SK: prefix + DayName(at) + "#" + of}
}

// An Object is what a permission was used on.
type Object struct {
	Type string  `json:"t"`
	ID   id.UUID `json:"i"`
}

// TypeOf names the objects on which the permissions of a resource are used.
func TypeOf(r permission.Resource) string {
	switch r {
	case permission.User, permission.Session, permission.Account:
		return permission.User.String()
	case permission.Group, permission.Membership:
		return permission.Group.String()
	case permission.Server, permission.Assignment, permission.Websh, permission.WebFTP, permission.Command,
		permission.Editor, permission.Tunnel, permission.Sudo, permission.DeployShell, permission.Note:
		return permission.Server.String()
	case permission.Application, permission.ServiceToken:
		return permission.Application.String()
	case permission.AccessControl, permission.Audit, permission.Billing, permission.Preferences, permission.Security,
		permission.Workspace, permission.Policy, permission.Registration, permission.Role, permission.RoleAssignment:
		return r.String()
	}
	return r.String()
}

// A Use is one use of a right; zero fields say nothing.
type Use struct {
	Permission permission.Permission
	Object     id.UUID
	Rule       id.ID[id.Rule] // of a token, that let it reach Object
	Address    netip.Addr
}

// A Day is what was used on one day. Each is listed once, in the order of its
// first use.
type Day struct {
	Permissions []string         `json:"p,omitempty"` // as permission.Parse reads them
	Objects     []Object         `json:"o,omitempty"`
	Rules       []id.ID[id.Rule] `json:"r,omitempty"`
	Addresses   []netip.Addr     `json:"a,omitempty"`
	// MoreObjects, MoreRules and MoreAddresses tell that others were used than
	// those that are listed.
	MoreObjects   bool `json:"mo,omitempty"`
	MoreRules     bool `json:"mr,omitempty"`
	MoreAddresses bool `json:"ma,omitempty"`
}

// With returns d with one more use, and whether that is anything new.
func (d Day) With(u Use) (Day, bool) {
	var more Day
	if _, ok := u.Permission.Index(); ok {
		more.Permissions = []string{u.Permission.String()}
		if !u.Object.Zero() {
			more.Objects = []Object{{TypeOf(u.Permission.Resource), u.Object}}
		}
	}
	if !u.Rule.Zero() {
		more.Rules = []id.ID[id.Rule]{u.Rule}
	}
	if u.Address.IsValid() {
		more.Addresses = []netip.Addr{u.Address}
	}
	return d.Merged(more)
}

// Merged returns what was used on either of two days that are one, and whether
// more has anything that d has not.
func (d Day) Merged(more Day) (Day, bool) {
	var fresh [4]bool
	d.Permissions, _, fresh[0] = joined(d.Permissions, more.Permissions, permission.MaxPermissions, false)
	d.Objects, d.MoreObjects, fresh[1] = joined(d.Objects, more.Objects, MaxObjects, d.MoreObjects)
	d.Rules, d.MoreRules, fresh[2] = joined(d.Rules, more.Rules, MaxRules, d.MoreRules)
	d.Addresses, d.MoreAddresses, fresh[3] = joined(d.Addresses, more.Addresses, MaxAddresses, d.MoreAddresses)
	flags := more.MoreObjects && !d.MoreObjects || more.MoreRules && !d.MoreRules || more.MoreAddresses && !d.MoreAddresses
	d.MoreObjects, d.MoreRules, d.MoreAddresses = d.MoreObjects || more.MoreObjects, d.MoreRules || more.MoreRules, d.MoreAddresses || more.MoreAddresses
	return d, flags || slices.Contains(fresh[:], true)
}

// Empty reports whether nothing was used.
func (d Day) Empty() bool {
	return len(d.Permissions)+len(d.Objects)+len(d.Rules)+len(d.Addresses) == 0 && !d.MoreObjects && !d.MoreRules && !d.MoreAddresses
}

// joined returns a list with what another has besides, up to a bound: over tells
// whether something found no room, before or now, fresh whether that or the list
// is new.
func joined[T comparable](list, besides []T, most int, full bool) (out []T, over, fresh bool) {
	out, over = slices.Clip(list), full
	for _, v := range besides {
		switch {
		case slices.Contains(out, v):
		case len(out) < most:
			out, fresh = append(out, v), true
		case !over:
			over, fresh = true, true
		}
	}
	return out, over, fresh
}
