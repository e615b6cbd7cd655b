package wiring

import (
	"context"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"

	"paddock/shared/activity"
	"paddock/shared/application"
	"paddock/shared/aws/dynamo"
	"paddock/shared/aws/kms"
	"paddock/shared/credential"
	"paddock/shared/credential/breach"
	"paddock/shared/credential/known"
	"paddock/shared/group"
	"paddock/shared/httpapi"
	"paddock/shared/httpapi/api"
	"paddock/shared/httpapi/signin"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/impact"
	"paddock/shared/outgoing"
	"paddock/shared/passkey"
	"paddock/shared/policy"
	"paddock/shared/provision"
	"paddock/shared/role"
	"paddock/shared/route"
	"paddock/shared/seal"
	"paddock/shared/server"
	"paddock/shared/session"
	"paddock/shared/table"
	"paddock/shared/token"
	"paddock/shared/usage"
	"paddock/shared/workspace"
)

// Engine returns the tables of this function.
func (c Config) Engine() *dynamo.Engine {
	names := map[table.Name]string{}
	for n, name := range c.Tables {
		if name != "" {
			names[n] = name
		}
	}
	return dynamo.New(dynamodb.NewFromConfig(c.AWS), names)
}

// Store returns the store of a function that may read these keyrings.
func (c Config) Store(keys *kms.Keys, keyrings ...table.Name) (*table.Store, error) {
	return table.New(table.Config{
		Engine: c.Engine(), Cache: seal.NewCache(keys, c.Now), Keyrings: keyrings, Now: c.Now,
		IDs: id.Source{Reader: c.Random}, Retain: c.Retention,
	})
}

// Keys returns the workspaces' keys.
func (c Config) Keys() *kms.Keys { return kms.New(awskms.NewFromConfig(c.AWS)) }

// sessions returns the service over a store; of the function's own parts it
// takes what is set.
func (c Config) sessions(own session.Config) (*session.Service, error) {
	hosts, err := c.BaseHosts()
	if err != nil {
		return nil, err
	}
	own.Random, own.BaseHosts, own.DefaultWorkspace = c.Random, hosts, c.Default
	return session.New(own)
}

// passwords adds what new passwords are compared with to a service's parts.
func (c Config) passwords(own *session.Config) error {
	if name := c.PasswordFilter; name != "" {
		// A cold start that signs nobody in does not pay for it.
		own.List = sync.OnceValues(func() (*known.List, error) { return known.Open(name) })
	}
	if c.PasswordRangeURL == "" {
		return nil
	}
	out := c.Outgoing
	if out == nil {
		hosts, err := c.BaseHosts()
		if err != nil {
			return err
		}
		out = outgoing.Transport(hosts)
	}
	ranges, err := breach.New(breach.Config{URL: c.PasswordRangeURL, Transport: out})
	if err != nil {
		return err
	}
	own.Ranges = ranges
	return nil
}

// Signin builds the HTTP handler of the signin function.
func Signin(c Config) (http.Handler, error) {
	store, err := c.Store(c.Keys(), table.DataKeyring, table.CredentialKeyring)
	if err != nil {
		return nil, err
	}
	parts := session.Config{Store: store, Hasher: credential.NewHasher(c.hashesAtOnce()), Keys: passkey.Ceremonies{}, SMS: c.SMSSender != "", Voice: c.VoiceOrigin != ""}
	if err := c.passwords(&parts); err != nil {
		return nil, err
	}
	sessions, err := c.sessions(parts)
	if err != nil {
		return nil, err
	}
	policies, err := policy.New(store)
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
	return httpapi.New(httpapi.Config{Function: route.Signin, Sessions: sessions, Policies: policies, Store: store, Usage: used, Now: c.Now, Bindings: signin.New(sessions, tokens).Bindings()})
}

// API builds the HTTP handler of the api function.
func API(c Config) (http.Handler, error) {
	store, err := c.Store(c.Keys(), table.DataKeyring)
	if err != nil {
		return nil, err
	}
	sessions, err := c.sessions(session.Config{Store: store})
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

// makesKeys binds the key service to the deployment's policy for new keys.
type makesKeys struct {
	*kms.Keys
	plan func(id.UUID) kms.Plan
}

// Create implements provision's keys.
func (m makesKeys) Create(ctx context.Context, ws id.UUID) (string, error) {
	return m.Keys.Create(ctx, m.plan(ws))
}

// Provision builds the service that makes workspaces.
func Provision(c Config) (*provision.Service, error) {
	keys := c.Keys()
	store, err := c.Store(keys)
	if err != nil {
		return nil, err
	}
	people, err := identity.New(store, c.Random)
	if err != nil {
		return nil, err
	}
	roles := kms.Roles{Provision: c.RoleProvision, Erase: c.RoleErase, Decrypt: map[seal.Purpose][]string{
		seal.Data:        {c.RoleSignin, c.RoleAPI, c.RoleTasks},
		seal.Index:       {c.RoleSignin, c.RoleAPI, c.RoleTasks},
		seal.Credentials: {c.RoleSignin},
	}}
	plan := func(ws id.UUID) kms.Plan {
		return kms.Plan{Workspace: ws, Deployment: c.Prefix, Roles: roles, Strict: c.Strict}
	}
	return provision.New(provision.Config{Store: store, People: people, Keys: makesKeys{keys, plan}, BaseURLs: c.BaseURLs, DefaultSlug: c.Default})
}
