// Package identity holds the people of a workspace: their accounts, their
// names and addresses, the directory that lists them, and invitations. It
// knows no passwords and no sessions.
package identity

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/table"
)

// A Method is a kind of authenticator. The names are those of the workspace's
// allowed methods; recovery codes are a method too.
type Method string

// The methods. Source: specification, "Supported MFA methods".
const (
	HardwareKey  Method = "hardware_key"
	Biometric    Method = "biometric"
	OTP          Method = "otp"
	MailedCode   Method = "email"
	Phone        Method = "phone"
	RecoveryCode Method = "recovery_code"
)

// A Factor is what an account tells about one of its authenticators; the
// secret lies elsewhere.
type Factor struct {
	ID          id.ID[id.Factor] `json:"id"`
	Method      Method           `json:"method"`
	Name        string           `json:"name"`
	ConfirmedAt time.Time        `json:"confirmed_at"`
	// Taken is the index value of the id of a security key, which is unique in
	// the workspace; empty for other methods.
	Taken string `json:"taken,omitempty"`
	// SentTo is the masked number that codes are sent to; empty for other methods.
	SentTo string `json:"sent_to,omitempty"`
}

// Restricted reports whether a method is a restricted authenticator: codes by
// phone or mail can be read by whoever holds the number or the mailbox. Source:
// NIST SP 800-63B-4, section 3.1.3.3; security, MF-8.
func Restricted(m Method) bool { return m == MailedCode || m == Phone }

// A User is a person's account in one workspace.
type User struct {
	ID         id.ID[id.Principal] `json:"id"`
	Username   string              `json:"username"`
	Email      string              `json:"email"`     // as typed: mail goes here
	EmailKey   string              `json:"email_key"` // canonical: uniqueness hangs on it
	FirstName  string              `json:"first_name"`
	LastName   string              `json:"last_name"`
	Role       authz.RoleSetting   `json:"role"`
	Disabled   bool                `json:"disabled"`
	Epoch      int64               `json:"epoch"` // raised to end all sessions at once
	Factors    []Factor            `json:"factors"`
	UID        int                 `json:"uid"` // POSIX user id on servers
	DateJoined time.Time           `json:"date_joined"`

	Phone       string `json:"phone,omitempty"` // E.164, not verified
	Tags        string `json:"tags,omitempty"`
	Description string `json:"description,omitempty"`
	Shell       string `json:"shell,omitempty"` // "" is DefaultShell

	// EmailVerified is set when a mailed link was opened.
	EmailVerified bool `json:"email_verified,omitempty"`
	// PendingEmail is the address that waits for its confirmation.
	PendingEmail string `json:"pending_email,omitempty"`
	// EmailChanges counts the changes of the address.
	EmailChanges int64 `json:"email_changes,omitempty"`

	// NotifyStepUp mails each step-up to the account.
	NotifyStepUp bool `json:"notify_step_up,omitempty"`
	// TemporaryUntil is the instant at which the password ends that an
	// administrator chose; zero when the owner chose it, or there is none.
	TemporaryUntil time.Time `json:"temporary_until,omitzero"`

	// Roles are the custom roles that the account has by itself.
	Roles []RoleGrant `json:"roles,omitempty"`
	// Memberships are the account's places in groups.
	Memberships []Membership `json:"memberships,omitempty"`

	// Networks are those from which the account signed in, the last one first.
	Networks []string `json:"networks,omitempty"`
	// BrowsersSince is the instant before which browsers that were known are
	// strangers again.
	BrowsersSince time.Time `json:"browsers_since,omitzero"`
}

// A Membership is an account's place in a group, as the account holds it.
type Membership struct {
	ID    id.ID[id.Membership] `json:"id"`
	Group id.ID[id.Group]      `json:"group"`
	Role  authz.MemberRole     `json:"role"`
	Until time.Time            `json:"until,omitzero"` // exclusive; zero: no end
}

// A RoleGrant is a custom role that an account has, as the account holds it.
type RoleGrant struct {
	ID    id.ID[id.RoleAssignment] `json:"id"`
	Role  id.ID[id.Role]           `json:"role"`
	Until time.Time                `json:"until,omitzero"` // exclusive; zero: no end
}

// MaxRoles bounds the custom roles of one account or group.
const MaxRoles = 100

// Granted returns the roles as decisions see them.
func (u User) Granted() []authz.RoleAssignment {
	if len(u.Roles) == 0 {
		return nil
	}
	out := make([]authz.RoleAssignment, len(u.Roles))
	for i, r := range u.Roles {
		out[i] = authz.RoleAssignment{ID: r.ID.UUID(), Role: r.Role.UUID(), Until: r.Until}
	}
	return out
}

// MaxMemberships bounds the groups of one account. Source: design, section 5.
const MaxMemberships = 100

// Held returns the memberships as decisions see them.
func (u User) Held() []authz.Membership {
	if len(u.Memberships) == 0 {
		return nil
	}
	out := make([]authz.Membership, len(u.Memberships))
	for i, m := range u.Memberships {
		out[i] = authz.Membership{ID: m.ID.UUID(), Group: m.Group.UUID(), Role: m.Role, Until: m.Until}
	}
	return out
}

// DefaultShell is the login shell of an account that names none.
const DefaultShell = "/bin/bash"

// HomeDirectory returns where an account is at home on servers; "" while it
// has no username.
func (u User) HomeDirectory() string {
	if u.Username == "" {
		return ""
	}
	return "/home/" + u.Username
}

// DisplayName returns the name that people read.
func (u User) DisplayName() string {
	if name := strings.TrimSpace(u.FirstName + " " + u.LastName); name != "" {
		return name
	}
	return cmp.Or(u.Username, u.Email)
}

// HasSecondFactor reports whether a confirmed authenticator other than
// recovery codes is there.
func (u User) HasSecondFactor() bool {
	return slices.ContainsFunc(u.Factors, func(f Factor) bool { return f.Method != RecoveryCode })
}

// PasswordEnded reports whether the account's password was a temporary one that
// has ended at now: the end instant is already outside. A mailed link to choose
// another is the way in then.
func (u User) PasswordEnded(now time.Time) bool {
	return !u.TemporaryUntil.IsZero() && !now.Before(u.TemporaryUntil)
}

// Refusals of names.
var (
	ErrEmailTaken    = fault.Error{Kind: fault.Conflict, Code: "email_in_use", Detail: "Someone in this workspace has this e-mail address.", Source: "email"}
	ErrUsernameTaken = fault.Error{Kind: fault.Conflict, Code: "user_username_in_use", Detail: "Someone in this workspace has this username.", Source: "username"}
	ErrPersonName    = fault.Error{Kind: fault.Invalid, Code: "invalid_name", Detail: "A name has at most 100 characters and no control characters."}
	ErrNoUser        = fault.Error{Kind: fault.NotFound, Code: "not_found", Detail: "There is no such user."}
)

// CheckPersonName refuses names that cannot be shown on one line.
func CheckPersonName(field, s string) error {
	if len([]rune(s)) > 100 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) }) {
		return ErrPersonName.In(field)
	}
	return nil
}

// UserKey places a user's account.
func UserKey(ws id.ID[id.Workspace], user id.ID[id.Principal]) table.Key {
	return table.Key{Table: table.Data, Kind: "U", Workspace: ws, Of: user.String(), SK: "user"}
}

// LoginField is the name under which usernames and e-mail keys are MACed. A
// username holds no "@", so the two never meet.
const LoginField = "login"

// UniqueKey places the item that makes a username or e-mail key unique and
// leads from it to the user. mac is its index value under LoginField.
func UniqueKey(ws id.ID[id.Workspace], mac string) table.Key {
	return table.Key{Table: table.Data, Kind: "N", Workspace: ws, Of: mac, SK: "unique"}
}

// A Unique is the payload of a uniqueness item.
type Unique struct {
	User id.ID[id.Principal] `json:"user"`
	// HeldUntil is set for an address that the account has left: it is no name
	// of anybody's any more, but nobody else's either until this instant, so that
	// the change can be undone.
	HeldUntil time.Time `json:"held_until,omitzero"`
}

// Leads reports whether the name leads to the account at all.
func (u Unique) Leads() bool { return u.HeldUntil.IsZero() }

// free reports whether a user may have the name at now: it is held for nobody
// else.
func (u Unique) free(user id.ID[id.Principal], now time.Time) bool {
	return !u.Leads() && (u.User == user || !now.Before(u.HeldUntil))
}

// Claim returns the operation that gives a user a login name, or taken when it
// is somebody's. read holds what was read at its key.
func Claim(read []table.Item, key table.Key, user id.ID[id.Principal], now time.Time, taken error) (table.Op, error) {
	item, ok, err := freeAt(read, key, user, now, taken)
	if err != nil {
		return table.Op{}, err
	}
	if ok {
		return table.Replace(item, Unique{User: user}).Until(time.Time{}).Else(taken), nil
	}
	return table.Insert(key, Unique{User: user}).Else(taken), nil
}

// Free returns the operation that holds that a user may have a login name, or
// taken when it is somebody's. read holds what was read at its key.
func Free(read []table.Item, key table.Key, user id.ID[id.Principal], now time.Time, taken error) (table.Op, error) {
	item, ok, err := freeAt(read, key, user, now, taken)
	if err != nil {
		return table.Op{}, err
	}
	if ok {
		return table.Unchanged(item).Else(table.ErrTryAgain), nil
	}
	return table.Absent(key).Else(taken), nil
}

// freeAt returns what is stored of a free name, if anything is.
func freeAt(read []table.Item, key table.Key, user id.ID[id.Principal], now time.Time, taken error) (table.Item, bool, error) {
	for _, item := range read {
		if item.Key != key {
			continue
		}
		var u Unique
		if err := table.Decode(item, &u); err != nil {
			return table.Item{}, false, err
		}
		if !u.free(user, now) {
			return table.Item{}, false, taken
		}
		return item, true, nil
	}
	return table.Item{}, false, nil
}

// Leave returns the operation that takes a login name from the user who had it,
// none when it is not theirs. Until an instant it stays held for them; zero
// frees it.
func Leave(read []table.Item, key table.Key, user id.ID[id.Principal], until time.Time) ([]table.Op, error) {
	for _, item := range read {
		if item.Key != key {
			continue
		}
		var u Unique
		if err := table.Decode(item, &u); err != nil {
			return nil, err
		}
		switch {
		case u.User != user:
			return nil, nil
		case until.IsZero():
			return []table.Op{table.Remove(item).Else(table.ErrTryAgain)}, nil
		}
		return []table.Op{table.Replace(item, Unique{User: user, HeldUntil: until}).Until(until.Add(time.Hour)).Else(table.ErrTryAgain)}, nil
	}
	return nil, nil
}

// DecodeUser reads an account item.
func DecodeUser(item table.Item) (User, error) {
	var u User
	if err := table.Decode(item, &u); err != nil {
		return User{}, err
	}
	return u, nil
}

// SaveUser returns the operation that writes a changed account.
func SaveUser(read table.Item, u User) table.Op {
	return table.Replace(read, u, table.Num("epoch", u.Epoch))
}

// SaveBy returns the operations that write a changed account and hold that the
// account which asks, if another, is who it was.
func SaveBy(asker, read table.Item, u User) []table.Op {
	ops := []table.Op{SaveUser(read, u).Else(table.ErrTryAgain)}
	if asker.Key != read.Key {
		ops = append(ops, table.Unchanged(asker).Else(table.ErrTryAgain))
	}
	return ops
}
