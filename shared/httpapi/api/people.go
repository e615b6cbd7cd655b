package api

import (
	"cmp"
	"time"

	"paddock/shared/authz"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
	"paddock/shared/table"
)

// UserDocument is a user on the wire. Source: alpacon-wire 3.1.
type UserDocument struct {
	ID            id.ID[id.Principal] `json:"id"`
	Username      string              `json:"username"`
	FirstName     string              `json:"first_name"`
	LastName      string              `json:"last_name"`
	Email         string              `json:"email"`
	Phone         string              `json:"phone"`
	Tags          string              `json:"tags"`
	Description   string              `json:"description"`
	NumGroups     int                 `json:"num_groups"`
	UID           int                 `json:"uid"`
	Shell         string              `json:"shell"`
	HomeDirectory string              `json:"home_directory"`
	IsActive      bool                `json:"is_active"`
	IsStaff       bool                `json:"is_staff"`
	IsSuperuser   bool                `json:"is_superuser"`
	IsLDAPUser    bool                `json:"is_ldap_user"`
	DateJoined    time.Time           `json:"date_joined"`
	MFAMethods    []identity.Method   `json:"mfa_methods"`
	EmailVerified bool                `json:"email_verified"`
	// PendingEmail is the address that waits for its confirmation.
	PendingEmail string `json:"pending_email"`
	// NotifyStepUp mails each step-up to the account.
	NotifyStepUp bool `json:"notify_step_up"`
	// TemporaryPasswordUntil is the instant at which a password ends that an
	// administrator chose; left out when there is none.
	TemporaryPasswordUntil time.Time `json:"temporary_password_until,omitzero"`
}

func documentOf(u identity.User) UserDocument {
	return UserDocument{
		ID: u.ID, Username: u.Username, FirstName: u.FirstName, LastName: u.LastName, Email: u.Email, Phone: u.Phone, Tags: u.Tags,
		Description: u.Description, UID: u.UID, Shell: cmp.Or(u.Shell, identity.DefaultShell), HomeDirectory: u.HomeDirectory(),
		IsActive: !u.Disabled, IsStaff: u.Role == authz.Staff || u.Role == authz.Superuser, IsSuperuser: u.Role == authz.Superuser,
		DateJoined: u.DateJoined, MFAMethods: identity.MethodsOf(u), EmailVerified: u.EmailVerified, PendingEmail: u.PendingEmail,
		NumGroups: len(u.Memberships), NotifyStepUp: u.NotifyStepUp, TemporaryPasswordUntil: u.TemporaryUntil,
	}
}

func self(c httpapi.Call, _ httpapi.None) (UserDocument, error) {
	return documentOf(c.Who.User), nil
}

func one(c httpapi.Call, _ httpapi.None) (UserDocument, error) {
	u, _, err := c.Named()
	return documentOf(u), err
}

// OwnPatch is what people change of their own account.
type OwnPatch struct {
	identity.Profile
	// Email counts when the link that is mailed there was opened.
	Email *string `json:"email,omitempty" jsonschema:"maxLength=254"`
}

func (f *Face) patchOwn(c httpapi.Call, in OwnPatch) (UserDocument, error) {
	return f.edit(c, identity.Patch{Profile: in.Profile, Email: in.Email}, c.Who.User, c.Who.UserItem)
}

func (f *Face) patchUser(c httpapi.Call, in identity.Patch) (UserDocument, error) {
	u, item, err := c.Named()
	if err != nil {
		return UserDocument{}, err
	}
	return f.edit(c, in, u, item)
}

// edit changes an account: who may do what, where mail goes and who is disabled
// only with a fresh proof.
func (f *Face) edit(c httpapi.Call, in identity.Patch, u identity.User, item table.Item) (UserDocument, error) {
	changed, err := in.Apply(u, u.ID == c.Who.User.ID)
	if err != nil {
		return UserDocument{}, err
	}
	if changed.Role && !identity.MayPromote(c.Allowed, c.Now()) {
		return UserDocument{}, c.Deny(permission.PromoteUser, errPromote)
	}
	if changed.Role {
		c.Used(permission.PromoteUser, u.ID.UUID())
	}
	allowed := c.Allowed
	switch {
	case changed.Fresh():
		allowed, err = c.Fresh()
	case changed.Disabled || changed.Enabled:
		allowed, err = c.FreshIfAble()
	}
	if err != nil {
		return UserDocument{}, err
	}
	after, err := f.people.Update(c.Context(), allowed, identity.Edit{Workspace: c.Who.Workspace, Actor: c.Who.UserItem, Target: item, Before: u, Changed: changed})
	return documentOf(after), err
}

// errPromote refuses a change of a role setting to all but superusers.
var errPromote = authz.ErrDenied.Saying("Only a superuser may change who is staff or a superuser.").In("is_superuser")

// UsernameRequest sets one's own username. Source: alpacon-wire 3.1.
type UsernameRequest struct {
	Username string `json:"username"`
}

// UsernameAnswer is the account with its username.
type UsernameAnswer struct {
	ID       id.ID[id.Principal] `json:"id"`
	Username string              `json:"username"`
}

func (f *Face) username(c httpapi.Call, in UsernameRequest) (UsernameAnswer, error) {
	u, err := f.people.SetUsername(c.Context(), c.Allowed, c.Who.UserItem, c.Who.User, in.Username)
	return UsernameAnswer{ID: u.ID, Username: u.Username}, err
}

// UsersQuery narrows the list of people.
type UsersQuery struct {
	// Username matches exactly: a username or an e-mail address.
	Username *string `query:"username,omitempty"`
	httpapi.PageQuery
}

func (f *Face) users(c httpapi.Call, in UsersQuery) (httpapi.Page[UserDocument], error) {
	var none httpapi.Page[UserDocument]
	rows, err := f.people.Directory(c.Context(), c.Allowed)
	if err != nil {
		return none, err
	}
	if in.Username != nil {
		rows, err = f.exactly(c, rows, *in.Username)
		if err != nil {
			return none, err
		}
	}
	page := httpapi.Cut(rows, in.Window(), func(r identity.Row) id.ID[id.Principal] { return r.ID })
	users, err := f.people.Users(c.Context(), c.Allowed, page.Results)
	if err != nil {
		return none, err
	}
	out := httpapi.Page[UserDocument]{Count: page.Count, Current: page.Current, Next: page.Next, Previous: page.Previous, Last: page.Last, Results: []UserDocument{}}
	for _, u := range users {
		out.Results = append(out.Results, documentOf(u))
	}
	return out, nil
}

// exactly returns the row with this username or e-mail address, if it is among
// those that the caller may see.
func (f *Face) exactly(c httpapi.Call, rows []identity.Row, name string) ([]identity.Row, error) {
	found, ok, err := f.people.Named(c.Context(), c.Allowed, name)
	if err != nil || !ok {
		return nil, err
	}
	for _, r := range rows {
		if r.ID == found {
			return []identity.Row{r}, nil
		}
	}
	return nil, nil
}

// InviteRequest invites a person. Source: alpacon-wire 3.1 (e-mail); the roles
// are ours.
type InviteRequest struct {
	Email       string `json:"email" jsonschema:"format=email,maxLength=254"`
	IsStaff     bool   `json:"is_staff,omitempty"`
	IsSuperuser bool   `json:"is_superuser,omitempty"`
}

// InviteAnswer is a stored invitation; its link goes by mail only.
type InviteAnswer struct {
	ID        id.ID[id.Invitation] `json:"id"`
	Email     string               `json:"email"`
	ExpiresAt time.Time            `json:"expires_at"`
}

func inviteAnswerOf(i identity.Invitation) InviteAnswer {
	return InviteAnswer{ID: i.ID, Email: i.Email, ExpiresAt: i.ExpiresAt}
}

func (f *Face) invite(c httpapi.Call, in InviteRequest, keep httpapi.Keep[InviteAnswer]) (InviteAnswer, error) {
	role := identity.RoleOf(in.IsStaff, in.IsSuperuser)
	allowed := c.Allowed
	if role != authz.Member {
		if !identity.MayInvite(c.Allowed, role, c.Now()) {
			return InviteAnswer{}, c.Deny(permission.PromoteUser, identity.ErrInviteRole.In(identity.RoleField(role)))
		}
		var err error
		if allowed, err = c.Fresh(); err != nil {
			return InviteAnswer{}, err
		}
		c.Used(permission.PromoteUser, id.UUID{})
	}
	inv, err := f.people.Invite(c.Context(), allowed, c.Who.Workspace, c.Who.UserItem, in.Email, role, func(i identity.Invitation) ([]table.Op, error) {
		return keep(inviteAnswerOf(i))
	})
	if err != nil {
		return InviteAnswer{}, err
	}
	return inviteAnswerOf(inv), nil
}

// InvitationRow is an open invitation in the list.
type InvitationRow struct {
	ID        id.ID[id.Invitation] `json:"id"`
	Email     string               `json:"email"`
	Role      string               `json:"role"`
	InvitedBy id.ID[id.Principal]  `json:"invited_by"`
	ExpiresAt time.Time            `json:"expires_at"`
}

func (f *Face) invitations(c httpapi.Call, in httpapi.PageQuery) (httpapi.Page[InvitationRow], error) {
	open, err := f.people.Invitations(c.Context(), c.Allowed)
	if err != nil {
		return httpapi.Page[InvitationRow]{}, err
	}
	return httpapi.Cut(open, in.Window(), func(o identity.Open) InvitationRow {
		return InvitationRow{ID: o.ID, Email: o.Email, Role: o.Role.String(), InvitedBy: o.InvitedBy, ExpiresAt: o.ExpiresAt}
	}), nil
}

// withdraw ends an open invitation; to staff and superusers only who may give
// those roles.
func (f *Face) withdraw(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	open, err := f.people.Invitations(c.Context(), c.Allowed)
	if err != nil {
		return httpapi.None{}, err
	}
	for _, o := range open {
		if o.ID.String() != c.PathValue("id") {
			continue
		}
		if !identity.MayInvite(c.Allowed, o.Role, c.Now()) {
			return httpapi.None{}, c.Deny(permission.PromoteUser, identity.ErrInviteRole)
		}
		return httpapi.None{}, f.people.Withdraw(c.Context(), c.Allowed, o)
	}
	return httpapi.None{}, identity.ErrInvitation
}

func (f *Face) sessionsOf(c httpapi.Call, _ httpapi.None) (httpapi.SessionsAnswer, error) {
	u, _, err := c.Named()
	if err != nil {
		return httpapi.SessionsAnswer{}, err
	}
	all, err := f.sessions.Of(c.Context(), c.Allowed, c.Who, u)
	return c.Sessions(all), err
}
