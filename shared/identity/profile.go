package identity

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/fault"
)

// A Profile is what an account tells of its person; nil means "as it is".
type Profile struct {
	FirstName   *string `json:"first_name,omitempty" jsonschema:"maxLength=100"`
	LastName    *string `json:"last_name,omitempty" jsonschema:"maxLength=100"`
	Phone       *string `json:"phone,omitempty" jsonschema:"maxLength=16"`
	Tags        *string `json:"tags,omitempty" jsonschema:"maxLength=200"`
	Description *string `json:"description,omitempty" jsonschema:"maxLength=1000"`
	Shell       *string `json:"shell,omitempty" jsonschema:"maxLength=64"`
	// NotifyStepUp mails each step-up to the account; its owner's to choose.
	NotifyStepUp *bool `json:"notify_step_up,omitempty"`
}

// A Patch is a change of an account. Clients send the whole document back: a
// field that cannot be changed here is refused by name when its value differs.
type Patch struct {
	Profile
	Email       *string `json:"email,omitempty" jsonschema:"maxLength=254"`
	IsActive    *bool   `json:"is_active,omitempty"`
	IsStaff     *bool   `json:"is_staff,omitempty"`
	IsSuperuser *bool   `json:"is_superuser,omitempty"`
	Fixed
}

// Fixed are the fields of an account that no change may name otherwise than
// they are.
type Fixed struct {
	ID            *string    `json:"id,omitempty"`
	Username      *string    `json:"username,omitempty"`
	UID           *int       `json:"uid,omitempty"`
	HomeDirectory *string    `json:"home_directory,omitempty"`
	NumGroups     *int       `json:"num_groups,omitempty"`
	IsLDAPUser    *bool      `json:"is_ldap_user,omitempty"`
	DateJoined    *time.Time `json:"date_joined,omitempty"`
	MFAMethods    *[]Method  `json:"mfa_methods,omitempty"`
	EmailVerified *bool      `json:"email_verified,omitempty"`
	PendingEmail  *string    `json:"pending_email,omitempty"`

	TemporaryPasswordUntil *time.Time `json:"temporary_password_until,omitempty"`
}

// Refusals of changes to an account.
var (
	// ErrReadOnly refuses a changed field that nobody can change here.
	ErrReadOnly = fault.Error{Kind: fault.Invalid, Code: "read_only", Detail: "This field cannot be changed."}
	// ErrProfile refuses a value that a field does not hold.
	ErrProfile = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "The value is not one that this field can hold."}
	// ErrOwner refuses to delete who owns what would then be nobody's.
	ErrOwner = fault.Error{Kind: fault.Conflict, Code: "user_owns_objects", Detail: "This person owns servers or applications. Give them to somebody else first."}
	// ErrOwnState refuses to disable or delete the account that asks.
	ErrOwnState = fault.Error{Kind: fault.Conflict, Code: "own_account", Detail: "You cannot disable or delete your own account."}
)

// Lengths of a profile's texts, in characters, and of a shell's path.
const (
	maxTags        = 200
	maxDescription = 1000
	maxShell       = 64
)

// set takes a profile's values over into an account.
func (p Profile) set(u User) (User, []audit.Change, error) {
	var changes []audit.Change
	for _, f := range []struct {
		name  string
		at    *string
		want  *string
		check func(string, string) error
	}{
		{"first_name", &u.FirstName, p.FirstName, CheckPersonName},
		{"last_name", &u.LastName, p.LastName, CheckPersonName},
		{"phone", &u.Phone, p.Phone, checkPhone},
		{"tags", &u.Tags, p.Tags, checkText(maxTags)},
		{"description", &u.Description, p.Description, checkText(maxDescription)},
		{"shell", &u.Shell, p.Shell, checkShell},
	} {
		if f.want == nil || *f.want == *f.at || (f.name == "shell" && *f.want == DefaultShell && *f.at == "") {
			continue
		}
		if err := f.check(f.name, *f.want); err != nil {
			return User{}, nil, err
		}
		changes = append(changes, audit.Change{Path: f.name, Before: *f.at, After: *f.want})
		*f.at = *f.want
	}
	if p.NotifyStepUp != nil && *p.NotifyStepUp != u.NotifyStepUp {
		changes = append(changes, audit.Change{Path: "notify_step_up", Before: fmt.Sprint(u.NotifyStepUp), After: fmt.Sprint(*p.NotifyStepUp)})
		u.NotifyStepUp = *p.NotifyStepUp
	}
	return u, changes, nil
}

// checkPhone accepts a number, and none.
func checkPhone(field, s string) error {
	if s == "" || Number(s) {
		return nil
	}
	return ErrProfile.In(field).Saying("Write the number with its country: +, then 7 to 15 digits.")
}

func checkText(limit int) func(string, string) error {
	return func(field, s string) error { return CheckText(field, s, limit, true) }
}

// CheckText refuses a text of more than limit characters, with control
// characters, or, where lines is false, of more than one line.
func CheckText(field, s string, limit int, lines bool) error {
	if len([]rune(s)) > limit || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && (r != '\n' || !lines) || r == 0x7f }) {
		return ErrProfile.In(field).Saying(fmt.Sprintf("The text has at most %d characters and no control characters.", limit))
	}
	return nil
}

// checkShell accepts the clean absolute path of a program.
func checkShell(field, s string) error {
	plain := strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") == ""
	if s == "" || plain && len(s) <= maxShell && path.IsAbs(s) && path.Clean(s) == s && s != "/" {
		return nil
	}
	return ErrProfile.In(field).Saying("The shell is the path of a program, such as /bin/bash.")
}

// unchanged refuses a fixed field that differs from the account's.
func (f Fixed) unchanged(u User) error {
	methods := MethodsOf(u)
	for _, one := range []struct {
		name    string
		differs bool
	}{
		{"id", f.ID != nil && *f.ID != u.ID.String()},
		{"username", f.Username != nil && *f.Username != u.Username},
		{"uid", f.UID != nil && *f.UID != u.UID},
		{"home_directory", f.HomeDirectory != nil && *f.HomeDirectory != u.HomeDirectory()},
		{"num_groups", f.NumGroups != nil && *f.NumGroups != len(u.Memberships)},
		{"is_ldap_user", f.IsLDAPUser != nil && *f.IsLDAPUser},
		{"date_joined", f.DateJoined != nil && !f.DateJoined.Equal(u.DateJoined)},
		{"mfa_methods", f.MFAMethods != nil && !slices.Equal(*f.MFAMethods, methods)},
		{"email_verified", f.EmailVerified != nil && *f.EmailVerified != u.EmailVerified},
		{"pending_email", f.PendingEmail != nil && *f.PendingEmail != u.PendingEmail},
		{"temporary_password_until", f.TemporaryPasswordUntil != nil && !f.TemporaryPasswordUntil.Equal(u.TemporaryUntil)},
	} {
		if one.differs {
			return ErrReadOnly.In(one.name)
		}
	}
	return nil
}

// MethodsOf returns the methods of an account in the order of its factors.
func MethodsOf(u User) []Method {
	out := make([]Method, 0, len(u.Factors))
	for _, f := range u.Factors {
		out = append(out, f.Method)
	}
	return out
}

// A Changed account is what a patch makes of one, and what that takes.
type Changed struct {
	User    User
	Profile []audit.Change
	// NewEmail is the address that must be confirmed first; its Key is empty
	// when the address stays.
	NewEmail Email
	// Cancelled is the address that was waiting for its confirmation and does no
	// more; its Key is empty when none was.
	Cancelled Email
	Role      bool // the role setting changes: superusers only
	Quieter   bool // notices are turned off
	Disabled  bool // the account becomes disabled
	Enabled   bool
}

// Fresh reports whether the change needs a fresh proof: who may do what,
// where links that open an account are sent, and who is told.
func (c Changed) Fresh() bool { return c.Role || c.Quieter || c.email() }

// email reports whether the change is one of the address: of the one that waits
// too.
func (c Changed) email() bool { return c.NewEmail.Key != "" || c.Cancelled.Key != "" }

// None reports that nothing changes.
func (c Changed) None() bool {
	return len(c.Profile) == 0 && !c.email() && !c.Role && !c.Disabled && !c.Enabled
}

// Apply returns what a patch makes of an account. own is true for the account
// that asks. It decides nothing about who may: Changed says what the change
// takes.
func (p Patch) Apply(u User, own bool) (Changed, error) {
	if err := p.unchanged(u); err != nil {
		return Changed{}, err
	}
	if !own && p.NotifyStepUp != nil && *p.NotifyStepUp != u.NotifyStepUp {
		return Changed{}, ErrReadOnly.In("notify_step_up")
	}
	next, changes, err := p.set(u)
	if err != nil {
		return Changed{}, err
	}
	c := Changed{User: next, Profile: changes, Quieter: u.NotifyStepUp && !next.NotifyStepUp}
	switch {
	case p.Email == nil:
	case *p.Email != u.Email:
		c.NewEmail, err = ParseEmail(*p.Email)
	case u.PendingEmail != "" && p.PendingEmail == nil:
		// The present address by itself takes the pending one back; with it, the
		// document is sent as it was read.
		c.Cancelled, err = ParseEmail(u.PendingEmail)
		c.User.PendingEmail = ""
	}
	if err != nil {
		return Changed{}, err
	}
	if p.IsStaff != nil && !*p.IsStaff && u.Role == authz.Superuser && p.role(u.Role) == authz.Superuser {
		return Changed{}, ErrProfile.In("is_staff").Saying("A superuser is staff as well: take is_superuser away first.")
	}
	if role := p.role(u.Role); role != u.Role {
		// What others prepared for the account, a link or a session, ends: it
		// must not reach further than when it was made.
		c.User.Role, c.Role = role, true
		c.User.Epoch++
		c.User.PendingEmail = ""
	}
	if p.IsActive != nil && *p.IsActive == u.Disabled {
		if own {
			return Changed{}, ErrOwnState.In("is_active")
		}
		c.User.Disabled = !*p.IsActive
		c.Disabled, c.Enabled = c.User.Disabled, !c.User.Disabled
		if c.Disabled {
			c.User.Epoch++
		}
	}
	return c, nil
}

// role returns the setting that the two flags make of one. A superuser is
// staff as well, so that taking is_superuser away leaves staff, and is_staff
// of a superuser means nothing by itself.
func (p Patch) role(now authz.RoleSetting) authz.RoleSetting {
	super, staff := now == authz.Superuser, now != authz.Member
	if p.IsSuperuser != nil {
		super = *p.IsSuperuser
	}
	if p.IsStaff != nil {
		staff = *p.IsStaff
	}
	return RoleOf(staff, super)
}
