package signin

import (
	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
	"paddock/shared/session"
)

// CreateRequest makes an account. Source: alpacon-wire 3.1.
type CreateRequest struct {
	Username    string `json:"username,omitempty"`
	Password    string `json:"password,omitempty"`
	FirstName   string `json:"first_name,omitempty"`
	LastName    string `json:"last_name,omitempty"`
	Email       string `json:"email"`
	Phone       string `json:"phone,omitempty"`
	Tags        string `json:"tags,omitempty"`
	Description string `json:"description,omitempty"`
	Shell       string `json:"shell,omitempty"`
	// IsActive is true: accounts are disabled when they are there.
	IsActive    *bool `json:"is_active,omitempty"`
	IsStaff     bool  `json:"is_staff,omitempty"`
	IsSuperuser bool  `json:"is_superuser,omitempty"`
	IsLDAPUser  bool  `json:"is_ldap_user,omitempty"`
}

// CreateAnswer names the account that was made.
type CreateAnswer struct {
	ID       id.ID[id.Principal] `json:"id"`
	Username string              `json:"username"`
	Email    string              `json:"email"`
	UID      int                 `json:"uid"`
}

// ErrTokenPassword refuses a password that a token would give: who holds the
// token would go on by the account when the token is taken away.
var ErrTokenPassword = fault.Error{
	Kind: fault.Denied, Code: "token_not_allowed", Source: "password",
	Detail: "An API token gives nobody a password. Leave it out: the person chooses one by the link that is mailed.",
}

func (f *Face) createUser(c httpapi.Call, in CreateRequest) (CreateAnswer, error) {
	switch {
	case in.IsLDAPUser:
		return CreateAnswer{}, identity.ErrReadOnly.In("is_ldap_user").Saying("There are no LDAP accounts here.")
	case in.IsActive != nil && !*in.IsActive:
		return CreateAnswer{}, identity.ErrReadOnly.In("is_active").Saying("A new account is active.")
	}
	if c.Who.Token != nil && in.Password != "" {
		return CreateAnswer{}, c.Refuse("a password of an API token's choice", ErrTokenPassword)
	}
	allowed, role := c.Allowed, identity.RoleOf(in.IsStaff, in.IsSuperuser)
	if role != authz.Member {
		if !identity.MayInvite(c.Allowed, role, c.Now()) {
			return CreateAnswer{}, c.Deny(permission.PromoteUser, identity.ErrInviteRole.In(identity.RoleField(role)))
		}
		var err error
		if allowed, err = c.Fresh(); err != nil {
			return CreateAnswer{}, err
		}
		c.Used(permission.PromoteUser, id.UUID{})
	}
	u, err := f.sessions.CreateAccount(c.Context(), allowed, session.NewAccount{
		Workspace: c.Who.Workspace, Actor: c.Who.UserItem, Username: in.Username, Email: in.Email, Role: role, Password: in.Password,
		Profile: identity.Profile{
			FirstName: &in.FirstName, LastName: &in.LastName, Phone: &in.Phone, Tags: &in.Tags, Description: &in.Description, Shell: &in.Shell,
		},
	})
	return CreateAnswer{ID: u.ID, Username: u.Username, Email: u.Email, UID: u.UID}, err
}

func (f *Face) deleteUser(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	_, item, err := c.Named()
	if err != nil {
		return httpapi.None{}, err
	}
	return httpapi.None{}, f.sessions.DeleteAccount(c.Context(), c.Allowed, c.Who, item)
}
