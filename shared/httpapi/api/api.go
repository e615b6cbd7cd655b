// Package api is the HTTP face of a workspace: its people, groups,
// servers, settings and audit log.
package api

import (
	"net/http"
	"slices"

	"paddock/shared/activity"
	"paddock/shared/application"
	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/group"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/impact"
	"paddock/shared/role"
	"paddock/shared/server"
	"paddock/shared/session"
	"paddock/shared/token"
	"paddock/shared/usage"
	"paddock/shared/workspace"
)

// A Face answers the rows of the api function.
type Face struct {
	people   *identity.Service
	settings *workspace.Service
	activity *activity.Service
	sessions *session.Service
	groups   *group.Service
	roles    *role.Service
	servers  *server.Service
	bases    []string
	keys     *token.Service
	used     *usage.Service
	impacts  *impact.Service
	apps     *application.Service
}

// Parts are the services of a Face.
type Parts struct {
	People   *identity.Service
	Settings *workspace.Service
	Activity *activity.Service
	Sessions *session.Service
	Groups   *group.Service
	Roles    *role.Service
	Servers  *server.Service
	// BaseURLs are those of the deployment, below which agents connect.
	BaseURLs []string
	Tokens   *token.Service
	Usage    *usage.Service
	Impacts  *impact.Service
	// Applications are the identities of automation.
	Applications *application.Service
}

// New returns a Face over its services.
func New(p Parts) *Face {
	return &Face{
		people: p.People, settings: p.Settings, activity: p.Activity, sessions: p.Sessions, groups: p.Groups, roles: p.Roles, servers: p.Servers,
		bases: p.BaseURLs, keys: p.Tokens, used: p.Usage, impacts: p.Impacts, apps: p.Applications,
	}
}

// Bindings returns the handler of every row of the api function.
func (f *Face) Bindings() []*httpapi.Binding {
	const get, post, patch, ok = http.MethodGet, http.MethodPost, http.MethodPatch, http.StatusOK
	return f.tried(slices.Concat(f.groupBindings(), f.roleBindings(), f.whyBindings(), f.serverBindings(), f.accessBindings(), f.tokenBindings(), f.billingBindings(), f.usageBindings(), f.applicationBindings(), []*httpapi.Binding{
		httpapi.Answer(get, "/api/health/", ok, health).Summed("Tell that the service runs."),
		httpapi.Answer(get, "/api/openapi.json", ok, openapi).Summed("Describe the API: this document."),
		httpapi.Answer(get, "/api/status/", ok, status).Summed("Tell that the credential works."),
		httpapi.Answer(get, "/api/auth/whoami/", ok, whoami).Summed("Tell who the credential belongs to."),
		httpapi.Answer(get, "/api/iam/users/", ok, f.users).Summed("List the people that the caller may see."),
		httpapi.Answer(get, "/api/iam/users/-", ok, self).Summed("Show the caller's own account."),
		httpapi.Answer(get, "/api/iam/users/-/", ok, self).Summed("Show the caller's own account."),
		httpapi.Answer(get, "/api/iam/users/{id}/", ok, one).Summed("Show one account.").Refuses(&identity.ErrNoUser),
		httpapi.Answer(patch, "/api/iam/users/-/", ok, f.patchOwn).Summed("Change one's own profile; an address with a fresh proof, once it is confirmed.").
			Refuses(profileRefusals...),
		httpapi.Answer(patch, "/api/iam/users/{id}/", ok, f.patchUser).Summed("Change an account; its role and address with a fresh proof.").
			Refuses(profileRefusals...).Refuses(&identity.ErrReadOnly, &identity.ErrOwnState, &identity.ErrEmailTaken, &identity.ErrLastSuperuser, &identity.ErrTooManySuperusers),
		httpapi.Answer(get, "/api/iam/users/{id}/sessions/", ok, f.sessionsOf).Summed("List the sessions of an account."),
		httpapi.Answer(post, "/api/iam/username/", ok, f.username).Summed("Set one's own username, once.").
			Refuses(&identity.ErrUsername, &identity.ErrUsernameReserved, &identity.ErrUsernameTaken, &identity.ErrUsernameSet),
		httpapi.Answer(get, "/api/iam/invitations/", ok, f.invitations).Summed("List the open invitations."),
		httpapi.Answer(http.MethodDelete, "/api/iam/invitations/{id}/", http.StatusNoContent, f.withdraw).Summed("Withdraw an open invitation.").
			Refuses(&identity.ErrInvitation),
		httpapi.Create(post, "/api/workspaces/users/invite/", http.StatusCreated, f.invite).Summed("Invite a person by e-mail; staff and superusers with a fresh proof.").
			Refuses(&identity.ErrEmail, &identity.ErrInviteRole, &identity.ErrEmailTaken, &identity.ErrInvites, &identity.ErrOpen, &workspace.ErrSeatsUsed).Refuses(httpapi.FreshRefusals...),
		httpapi.Answer(get, "/api/workspaces/security/-/", ok, security).Summed("Show the security settings."),
		httpapi.Answer(patch, "/api/workspaces/security/-/", ok, f.patchSecurity).Summed("Change the security settings.").
			Refuses(&workspace.ErrRange, &identity.ErrAffected, &identity.ErrNoSuperuser),
		httpapi.Answer(post, "/api/workspaces/security/-/preview/", ok, f.previewSecurity).Summed("Tell whom a change of the security settings would affect.").
			Refuses(&workspace.ErrRange),
		httpapi.Answer(get, "/api/workspaces/security/-/mfa-methods/", ok, mfaMethods).Summed("Tell which sign-in methods may be set up."),
		httpapi.Answer(get, "/api/workspaces/preferences/-/", ok, preferences).Summed("Show the preferences."),
		httpapi.Answer(patch, "/api/workspaces/preferences/-/", ok, f.patchPreferences).Summed("Change the preferences.").
			Refuses(&workspace.ErrRange),
		httpapi.Answer(get, "/api/workspaces/access-control/-/", ok, accessControl).Summed("Show the access control settings."),
		httpapi.Answer(patch, "/api/workspaces/access-control/-/", ok, f.patchAccessControl).Summed("Change the access control settings."),
		httpapi.Answer(get, "/api/audit/activity/", ok, f.audit).Summed("Read the audit log, newest first.").
			Refuses(&errUser, &activity.ErrCursor, &authz.ErrDenied),
	}))
}

// profileRefusals are what a change of an account can refuse, whoever's it is.
var profileRefusals = append([]*fault.Error{&identity.ErrPersonName, &identity.ErrProfile, &identity.ErrEmail, &identity.ErrNewAddresses}, httpapi.FreshRefusals...)

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
	// PrincipalType is user or application.
	PrincipalType string     `json:"principal_type"`
	Auth          WhoamiAuth `json:"auth"`
	// User is there for people and their tokens, Application for service tokens.
	User        *Brief             `json:"user,omitempty"`
	Application *WhoamiApplication `json:"application,omitempty"`
}

// WhoamiApplication names the application of a service token.
type WhoamiApplication struct {
	ID          id.ID[id.Principal] `json:"id"`
	Name        string              `json:"name"`
	ServiceType string              `json:"service_type"`
	// Username is the account that it has on servers: none.
	Username string `json:"username"`
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
	u, scopes := c.Who.User, []string{}
	if c.Who.Token != nil {
		scopes = c.Who.Token.Scopes
	}
	if a := c.Who.Application; a != nil {
		if slices.Contains(scopes, token.Everything) { // all that its application's hold
			scopes = a.Scopes
		}
		return Whoami{
			PrincipalType: "application", Auth: WhoamiAuth{Scopes: scopes},
			Application: &WhoamiApplication{ID: a.ID, Name: a.Name, ServiceType: application.ServiceType},
		}, nil
	}
	return Whoami{PrincipalType: "user", Auth: WhoamiAuth{Scopes: scopes}, User: &Brief{ID: u.ID, Name: u.DisplayName(), Email: u.Email}}, nil
}
