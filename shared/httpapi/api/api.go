// Package api is the HTTP face of a workspace: its people, settings and audit
// log.
package api

import (
	"net/http"
	"time"

	"paddock/shared/activity"
	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/identity"
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
	return []httpapi.Binding{
		{Method: "GET", Path: "/api/health/", Handler: health},
		{Method: "GET", Path: "/api/openapi.json", Handler: openapi},
		{Method: "GET", Path: "/api/status/", Handler: status},
		{Method: "GET", Path: "/api/auth/whoami/", Handler: whoami},
		{Method: "GET", Path: "/api/iam/users/", Handler: f.users},
		{Method: "GET", Path: "/api/iam/users/-", Handler: self},
		{Method: "GET", Path: "/api/iam/users/-/", Handler: self},
		{Method: "GET", Path: "/api/iam/users/{id}/", Handler: one},
		{Method: "GET", Path: "/api/iam/memberships/", Handler: memberships},
		{Method: "POST", Path: "/api/workspaces/users/invite/", Handler: f.invite},
		{Method: "GET", Path: "/api/workspaces/security/-/", Handler: security},
		{Method: "PATCH", Path: "/api/workspaces/security/-/", Handler: f.patchSecurity},
		{Method: "GET", Path: "/api/workspaces/security/-/mfa-methods/", Handler: mfaMethods},
		{Method: "GET", Path: "/api/workspaces/preferences/-/", Handler: preferences},
		{Method: "PATCH", Path: "/api/workspaces/preferences/-/", Handler: f.patchPreferences},
		{Method: "GET", Path: "/api/workspaces/access-control/-/", Handler: accessControl},
		{Method: "PATCH", Path: "/api/workspaces/access-control/-/", Handler: f.patchAccessControl},
		{Method: "GET", Path: "/api/audit/activity/", Handler: f.audit},
	}
}

// Health tells that the function runs; it says nothing of what is behind it.
type Health struct {
	Status string `json:"status"`
}

func health(http.ResponseWriter, httpapi.Call) (int, any, error) {
	return http.StatusOK, Health{Status: "ok"}, nil
}

// StatusAnswer tells a signed-in client that its credential works.
type StatusAnswer struct {
	Status string `json:"status"`
}

func status(http.ResponseWriter, httpapi.Call) (int, any, error) {
	return http.StatusOK, StatusAnswer{Status: "ok"}, nil
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

func whoami(_ http.ResponseWriter, c httpapi.Call) (int, any, error) {
	u := c.Who.User
	return http.StatusOK, Whoami{PrincipalType: "user", Auth: WhoamiAuth{Scopes: []string{}}, User: Brief{ID: u.ID, Name: u.DisplayName(), Email: u.Email}}, nil
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

func self(_ http.ResponseWriter, c httpapi.Call) (int, any, error) {
	return http.StatusOK, documentOf(c.Who.User), nil
}

func one(_ http.ResponseWriter, c httpapi.Call) (int, any, error) {
	for _, item := range c.Who.Objects {
		if item.Key.Of == c.PathValue("id") && item.Key.SK == "user" {
			u, err := identity.DecodeUser(item)
			return http.StatusOK, documentOf(u), err
		}
	}
	return 0, nil, identity.ErrNoUser
}

func (f *Face) users(_ http.ResponseWriter, c httpapi.Call) (int, any, error) {
	q := c.URL.Query()
	window, err := httpapi.WindowOf(q)
	if err != nil {
		return 0, nil, err
	}
	rows, err := f.people.Directory(c.Context(), c.Allowed)
	if err != nil {
		return 0, nil, err
	}
	if q.Has("username") {
		rows, err = f.exactly(c, rows, q.Get("username"))
		if err != nil {
			return 0, nil, err
		}
	}
	page := httpapi.Cut(rows, window, func(r identity.Row) id.ID[id.Principal] { return r.ID })
	users, err := f.people.Users(c.Context(), c.Allowed, page.Results)
	if err != nil {
		return 0, nil, err
	}
	out := httpapi.Page[UserDocument]{Count: page.Count, Current: page.Current, Next: page.Next, Previous: page.Previous, Last: page.Last, Results: []UserDocument{}}
	for _, u := range users {
		out.Results = append(out.Results, documentOf(u))
	}
	return http.StatusOK, out, nil
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

// memberships answers that nobody is in a group: there are no groups yet. The
// envelope depends on whether a page was asked (alpacon-wire 3.3).
func memberships(_ http.ResponseWriter, c httpapi.Call) (int, any, error) {
	window, err := httpapi.WindowOf(c.URL.Query())
	if err != nil {
		return 0, nil, err
	}
	if !window.Asked {
		return http.StatusOK, []Membership{}, nil
	}
	return http.StatusOK, httpapi.Cut([]Membership(nil), window, func(m Membership) Membership { return m }), nil
}

// InviteRequest invites a person. Source: alpacon-wire 3.1 (e-mail); the roles
// are ours.
type InviteRequest struct {
	Email       string `json:"email"`
	IsStaff     bool   `json:"is_staff,omitempty"`
	IsSuperuser bool   `json:"is_superuser,omitempty"`
}

// InviteAnswer is a stored invitation; its link goes by mail only.
type InviteAnswer struct {
	ID        id.ID[id.Invitation] `json:"id"`
	Email     string               `json:"email"`
	ExpiresAt time.Time            `json:"expires_at"`
}

func (f *Face) invite(_ http.ResponseWriter, c httpapi.Call) (int, any, error) {
	var in InviteRequest
	if err := c.Decode(&in, true); err != nil {
		return 0, nil, err
	}
	role := authz.Member
	switch {
	case in.IsSuperuser:
		role = authz.Superuser
	case in.IsStaff:
		role = authz.Staff
	}
	inv, err := f.people.Invite(c.Context(), c.Allowed, c.Who.Workspace, in.Email, role)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, InviteAnswer{ID: inv.ID, Email: inv.Email, ExpiresAt: inv.ExpiresAt}, nil
}

var errUser = fault.Field("user", "invalid_value", "The user must be an id.")
