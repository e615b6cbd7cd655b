// Package serving builds the entry of the api function.
package serving

import (
	"net/http"

	"paddock/shared/activity"
	"paddock/shared/application"
	"paddock/shared/group"
	"paddock/shared/httpapi"
	"paddock/shared/httpapi/api"
	"paddock/shared/identity"
	"paddock/shared/impact"
	"paddock/shared/policy"
	"paddock/shared/role"
	"paddock/shared/route"
	"paddock/shared/server"
	"paddock/shared/session"
	"paddock/shared/table"
	"paddock/shared/token"
	"paddock/shared/usage"
	"paddock/shared/wiring"
	"paddock/shared/workspace"
)

// New builds the HTTP handler of the api function.
func New(c wiring.Config) (http.Handler, error) {
	store, err := c.Store(c.Keys(), table.DataKeyring)
	if err != nil {
		return nil, err
	}
	sessions, err := sessionsOf(c, store)
	if err != nil {
		return nil, err
	}
	people, err := identity.New(store, c.Random)
	if err != nil {
		return nil, err
	}
	settings, err := workspace.New(store)
	if err != nil {
		return nil, err
	}
	log, err := activity.New(store)
	if err != nil {
		return nil, err
	}
	policies, err := policy.New(store)
	if err != nil {
		return nil, err
	}
	groups, err := group.New(store, policies)
	if err != nil {
		return nil, err
	}
	roles, err := role.New(store, policies)
	if err != nil {
		return nil, err
	}
	servers, err := server.New(store, policies, groups, roles, c.Random)
	if err != nil {
		return nil, err
	}
	tokens, err := token.New(store, c.Random)
	if err != nil {
		return nil, err
	}
	used, err := usage.New(store)
	if err != nil {
		return nil, err
	}
	apps, err := application.New(store, policies, tokens, roles)
	if err != nil {
		return nil, err
	}
	impacts, err := impact.New(store, people, groups, roles, apps)
	if err != nil {
		return nil, err
	}
	face := api.New(api.Parts{
		People: people, Settings: settings, Activity: log, Sessions: sessions, Groups: groups, Roles: roles, Servers: servers, BaseURLs: c.BaseURLs, Tokens: tokens,
		Usage: used, Impacts: impacts, Applications: apps,
	})
	return httpapi.New(httpapi.Config{Function: route.API, Sessions: sessions, Policies: policies, Store: store, Usage: used, Now: c.Now, Bindings: face.Bindings()})
}

func sessionsOf(c wiring.Config, store *table.Store) (*session.Service, error) {
	hosts, err := c.BaseHosts()
	if err != nil {
		return nil, err
	}
	return session.New(session.Config{Store: store, Random: c.Random, BaseHosts: hosts, DefaultWorkspace: c.Default})
}
