// Package api is the HTTP face of a workspace: its people, settings and audit
// log.
package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"time"

	"paddock/shared/activity"
	"paddock/shared/authz"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
	"paddock/shared/table"
	"paddock/shared/workspace"
)

// A Face answers the rows of the api function.
type Face struct {
	people   *identity.Service
	settings *workspace.Service
	activity *activity.Service
}

// New returns a Face over its services.
func New(p *identity.Service, w *workspace.Service, a *activity.Service) *Face {
	return &Face{people: p, settings: w, activity: a}
}

// Bindings returns the handler of every row of the api function.
func (f *Face) Bindings() []httpapi.Binding {
	const get, post, patch, ok = http.MethodGet, http.MethodPost, http.MethodPatch, http.StatusOK
	return []httpapi.Binding{
		httpapi.Answer(get, "/api/health/", ok, health).Summed("Tell that the service runs."),
		httpapi.Answer(get, "/api/openapi.json", ok, openapi).Summed("Describe the API: this document."),
		httpapi.Answer(get, "/api/status/", ok, status).Summed("Tell that the credential works."),
		httpapi.Answer(get, "/api/auth/whoami/", ok, whoami).Summed("Tell who the credential belongs to."),
		httpapi.Answer(get, "/api/iam/users/", ok, f.users).Summed("List the people that the caller may see."),
		httpapi.Answer(get, "/api/iam/users/-", ok, self).Summed("Show the caller's own account."),
		httpapi.Answer(get, "/api/iam/users/-/", ok, self).Summed("Show the caller's own account."),
		httpapi.Answer(get, "/api/iam/users/{id}/", ok, one).Summed("Show one account.").Refuses(identity.ErrNoUser),
		httpapi.Answer(get, "/api/iam/memberships/", ok, memberships).Summed("List memberships in groups, as a page when one is asked for."),
		httpapi.Create(post, "/api/workspaces/users/invite/", http.StatusCreated, f.invite).Summed("Invite a person by e-mail; staff and superusers with a fresh proof.").
			Refuses(identity.ErrEmail, identity.ErrInviteRole, identity.ErrEmailTaken).Refuses(httpapi.FreshRefusals...),
		httpapi.Answer(get, "/api/workspaces/security/-/", ok, security).Summed("Show the security settings."),
		httpapi.Answer(patch, "/api/workspaces/security/-/", ok, f.patchSecurity).Summed("Change the security settings.").
			Refuses(workspace.ErrRange, workspace.ErrNotYet),
		httpapi.Answer(get, "/api/workspaces/security/-/mfa-methods/", ok, mfaMethods).Summed("Tell which sign-in methods may be set up."),
		httpapi.Answer(get, "/api/workspaces/preferences/-/", ok, preferences).Summed("Show the preferences."),
		httpapi.Answer(patch, "/api/workspaces/preferences/-/", ok, f.patchPreferences).Summed("Change the preferences.").
			Refuses(workspace.ErrRange, workspace.ErrNotYet),
		httpapi.Answer(get, "/api/workspaces/access-control/-/", ok, accessControl).Summed("Show the access control settings."),
		httpapi.Answer(patch, "/api/workspaces/access-control/-/", ok, f.patchAccessControl).Summed("Change the access control settings.").
			Refuses(workspace.ErrNotYet),
		httpapi.Answer(get, "/api/audit/activity/", ok, f.audit).Summed("Read the audit log, newest first.").
			Refuses(errUser, activity.ErrCursor, authz.ErrDenied),
	}
}

// Health tells that the function runs; it says nothing of what is behind it.
type Health struct {
	Status string `json:"status"`
}

func health(httpapi.Call, httpapi.None) (Health, error) {
	return Health{Status: "ok"}, nil
}

// StatusAnswer tells a signed-in client that its credential works.
type StatusAnswer struct {
	Status string `json:"status"`
}

func status(httpapi.Call, httpapi.None) (StatusAnswer, error) {
	return StatusAnswer{Status: "ok"}, nil
}

// Whoami says what a credential is. Source: alpacon-wire 1.7.
type Whoami struct {
	PrincipalType string     `json:"principal_type"`
	Auth          WhoamiAuth `json:"auth"`
	User          Brief      `json:"user"`
}

// WhoamiAuth lists the scopes of a token; a session has none of its own.
type WhoamiAuth struct {
	Scopes []string `json:"scopes"`
}

// Brief names a person.
type Brief struct {
	ID    id.ID[id.Principal] `json:"id"`
	Name  string              `json:"name"`
	Email string              `json:"email"`
}

func whoami(c httpapi.Call, _ httpapi.None) (Whoami, error) {
	u := c.Who.User
	return Whoami{PrincipalType: "user", Auth: WhoamiAuth{Scopes: []string{}}, User: Brief{ID: u.ID, Name: u.DisplayName(), Email: u.Email}}, nil
}

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
}

func documentOf(u identity.User) UserDocument {
	d := UserDocument{
		ID: u.ID, Username: u.Username, FirstName: u.FirstName, LastName: u.LastName, Email: u.Email, UID: u.UID,
		Shell: "/bin/bash", HomeDirectory: "/home/" + u.Username, IsActive: !u.Disabled, IsStaff: u.Role == authz.Staff || u.Role == authz.Superuser,
		IsSuperuser: u.Role == authz.Superuser, DateJoined: u.DateJoined, MFAMethods: []identity.Method{},
	}
	for _, f := range u.Factors {
		d.MFAMethods = append(d.MFAMethods, f.Method)
	}
	return d
}

func self(c httpapi.Call, _ httpapi.None) (UserDocument, error) {
	return documentOf(c.Who.User), nil
}

func one(c httpapi.Call, _ httpapi.None) (UserDocument, error) {
	for _, item := range c.Who.Objects {
		if item.Key.Of == c.PathValue("id") && item.Key.SK == "user" {
			u, err := identity.DecodeUser(item)
			return documentOf(u), err
		}
	}
	return UserDocument{}, identity.ErrNoUser
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

// Membership is a person's place in a group. Source: alpacon-wire 3.3.
type Membership struct {
	ID        string `json:"id"`
	Group     string `json:"group"`
	GroupName string `json:"group_name"`
	User      Brief  `json:"user"`
	Role      string `json:"role"`
}

// Memberships is a page of memberships, or all of them: the envelope depends
// on whether a page was asked for. Source: alpacon-wire 3.3.
type Memberships struct {
	page *httpapi.Page[Membership]
	all  []Membership
}

// MarshalJSON prints the page when there is one.
func (m Memberships) MarshalJSON() ([]byte, error) {
	if m.page != nil {
		return json.Marshal(m.page)
	}
	return json.Marshal(m.all)
}

// OneOf names the two forms for the description of the API.
func (Memberships) OneOf() []reflect.Type {
	return []reflect.Type{reflect.TypeFor[[]Membership](), reflect.TypeFor[httpapi.Page[Membership]]()}
}

// MembershipsQuery narrows the list of memberships.
type MembershipsQuery struct {
	// Group and User narrow the list by id.
	Group string `query:"group,omitempty"`
	User  string `query:"user,omitempty"`
	httpapi.PageQuery
}

// memberships answers that nobody is in a group: there are no groups yet.
func memberships(_ httpapi.Call, in MembershipsQuery) (Memberships, error) {
	window := in.Window()
	if !window.Asked {
		return Memberships{all: []Membership{}}, nil
	}
	page := httpapi.Cut([]Membership(nil), window, func(m Membership) Membership { return m })
	return Memberships{page: &page}, nil
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
	role := authz.Member
	switch {
	case in.IsSuperuser:
		role = authz.Superuser
	case in.IsStaff:
		role = authz.Staff
	}
	allowed := c.Allowed
	if role != authz.Member {
		if !identity.MayInvite(c.Allowed, role, c.Now()) {
			return InviteAnswer{}, c.Deny(permission.PromoteUser, identity.ErrInviteRole.In(identity.RoleField(role)))
		}
		var err error
		if allowed, err = c.Fresh(); err != nil {
			return InviteAnswer{}, err
		}
	}
	inv, err := f.people.Invite(c.Context(), allowed, c.Who.Workspace, in.Email, role, func(i identity.Invitation) ([]table.Op, error) {
		return keep(inviteAnswerOf(i))
	})
	if err != nil {
		return InviteAnswer{}, err
	}
	return inviteAnswerOf(inv), nil
}
