// Package application holds applications: identities of automation, which act
// with service tokens and nothing else. An application may what its roles and
// its scopes hold both; whoever made it, or leaves, changes nothing of that.
// Name, owner and managers of an application stand in the workspace's policy.
package application

import (
	"slices"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
	"paddock/shared/table"
	"paddock/shared/token"
)

// An Application is what a workspace keeps of an application beside its policy.
type Application struct {
	ID          id.ID[id.Principal] `json:"id"`
	Name        string              `json:"name"` // as in the policy
	Description string              `json:"description,omitempty"`
	Enabled     bool                `json:"enabled"`
	Epoch       int64               `json:"epoch"`  // raised when it is disabled: all its tokens end
	Scopes      []string            `json:"scopes"` // as Parse returns them; never none
	// Roles are the custom roles that the application has.
	Roles     []identity.RoleGrant `json:"roles,omitempty"`
	AddedAt   time.Time            `json:"added_at"`
	UpdatedAt time.Time            `json:"updated_at"`
}

// ServiceType is what clients are told that applications are.
const ServiceType = "service"

// Bounds of an application.
const (
	MaxManagers    = 20
	maxName        = 100
	maxDescription = 1000
)

// Refusals.
var (
	ErrGone         = fault.Error{Kind: fault.NotFound, Code: "not_found", Detail: "There is no such application."}
	ErrNameTaken    = fault.Error{Kind: fault.Conflict, Code: "application_name_in_use", Detail: "An application of this workspace has this name.", Source: "name"}
	ErrManyManagers = fault.Error{Kind: fault.Conflict, Code: "limit_reached", Detail: "An application has at most 20 managers.", Source: "managers"}
	ErrScopes       = fault.Error{Kind: fault.Invalid, Code: "invalid_scope", Detail: "Say what the application may at most: name scopes, or * for all that applications may.", Source: "scopes"}
	ErrWider        = fault.Error{Kind: fault.Invalid, Code: "invalid_scope", Detail: "The scopes of the application do not hold this.", Source: "scopes"}
	ErrDisabled     = fault.Error{Kind: fault.Conflict, Code: "application_disabled", Detail: "This application is disabled. Enable it first."}
)

// allowed is what applications may at most. They make no credentials, whatever
// is named (security, TK-1), and have no hand in billing (security, TK-12). They
// make no accounts either: an invitation stands or falls with the person who
// wrote it.
var allowed = authz.FullAccess().Minus(permission.SetOf(permission.CreateUser, permission.ReadBilling))

// Allowed returns the permissions that applications can have.
func Allowed() permission.Set { return allowed }

func setOf(scopes []string) permission.Set { return token.Set(scopes).Intersect(allowed) }

// Parse returns scopes of an application sorted and each once. None are none:
// what an application may is said, and never left out.
func Parse(texts []string) ([]string, error) {
	if len(texts) == 0 {
		return nil, ErrScopes
	}
	for _, text := range texts {
		if setOf([]string{text}).Empty() {
			return nil, token.ErrScope
		}
	}
	return token.Parse(texts)
}

// Narrow returns the scopes of a token of a, sorted and each once: none are all
// of a's. A scope that holds more than a's do, or nothing that applications can
// have, is ErrWider.
func (a Application) Narrow(texts []string) ([]string, error) {
	out, err := token.Parse(texts)
	if err != nil {
		return nil, err
	}
	for _, text := range out {
		if set := setOf([]string{text}); text != token.Everything && (set.Empty() || !set.Minus(a.Set()).Empty()) {
			return nil, ErrWider
		}
	}
	return out, nil
}

// Set returns what the scopes of a hold.
func (a Application) Set() permission.Set { return setOf(a.Scopes) }

// Limits returns what a token of a leaves of its rights, with the rows of the
// token's access control list.
func (a Application) Limits(t token.Token, rows token.ACL) *authz.Limits {
	l := t.Limits(rows)
	l.Scopes = l.Scopes.Intersect(a.Set())
	return l
}

// Holder returns a as holder of tokens.
func (a Application) Holder(rests ...table.Op) token.Holder {
	return token.Holder{Family: token.OfApplications, ID: a.ID, Epoch: a.Epoch, Most: allowed, Disabled: !a.Enabled, Rests: rests}
}

// Principal returns a as decisions and the audit log see it: by its roles, under
// a policy, without the limits of its scopes.
func (a Application) Principal(ws id.ID[id.Workspace], p *authz.Policy) authz.Principal {
	return authz.Principal{
		Workspace: ws, ID: a.ID, Roles: identity.User{Roles: a.Roles}.Granted(), Policy: p,
		Actor: audit.Actor{Type: audit.ServiceTokenActor, ID: a.ID.UUID(), Username: a.Name, Display: a.Name, ApplicationID: a.ID.UUID()},
	}
}

// Object returns a as object of a decision under a policy, with what it may
// itself; the zero Object when it is gone.
func (a Application) Object(ws id.ID[id.Workspace], p *authz.Policy) authz.Object {
	row, ok := p.Application(a.ID.UUID())
	if !ok {
		return authz.Object{}
	}
	o, account := row.Object(), a.Principal(ws, p)
	o.Account = &account
	return o
}

// Live returns the roles of a that have not ended at now and are there.
func (a Application) Live(p *authz.Policy, now time.Time) []identity.RoleGrant {
	return slices.DeleteFunc(slices.Clone(a.Roles), func(r identity.RoleGrant) bool {
		_, there := p.Role(r.Role.UUID())
		return !there || !r.Until.IsZero() && !now.Before(r.Until)
	})
}

// Key places an application.
func Key(ws id.ID[id.Workspace], of id.ID[id.Principal]) table.Key {
	return table.Key{Table: table.Data, Kind: "X", Workspace: ws, Of: of.String(), SK: "application"}
}

// Decode reads the item of an application.
func Decode(item table.Item) (a Application, err error) {
	err = table.Decode(item, &a)
	return a, err
}
