// Package provisioning builds the entry of the provision function.
package provisioning

import (
	"context"

	"paddock/shared/aws/kms"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/provision"
	"paddock/shared/seal"
	"paddock/shared/wiring"
)

// makesKeys binds the key service to the deployment's policy for new keys.
type makesKeys struct {
	*kms.Keys
	plan func(id.UUID) kms.Plan
}

// Create implements provision's keys.
func (m makesKeys) Create(ctx context.Context, ws id.UUID) (string, error) {
	return m.Keys.Create(ctx, m.plan(ws))
}

// New builds the service that makes workspaces.
func New(c wiring.Config) (*provision.Service, error) {
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
