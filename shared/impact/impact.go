// Package impact says who gains and who loses what by a change of who may do
// what, before it is made. It looks at the people whom the change concerns, and
// tells nobody more of them than they may see.
package impact

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"paddock/shared/application"
	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/group"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
	"paddock/shared/policy"
	"paddock/shared/role"
	"paddock/shared/session"
	"paddock/shared/table"
)

// Bounds of what is looked at.
const (
	MaxPeople  = 2_000     // accounts
	maxPairs   = 3_000_000 // of accounts and servers: each is a few hundred nanoseconds
	maxLists   = 200       // members of groups, and who has roles
	maxObjects = 500       // accounts as what is acted on
	// MaxListed is how many objects are told of each side of a person's change.
	MaxListed = 50
)

// most returns how many accounts and applications are looked at where there are so many servers.
func most(servers int) int { return min(MaxPeople, maxPairs/max(servers, 1)) }

// A Service looks at changes.
type Service struct {
	store  *table.Store
	people *identity.Service
	groups *group.Service
	roles  *role.Service
	apps   *application.Service
}

// New returns a Service.
func New(store *table.Store, people *identity.Service, groups *group.Service, roles *role.Service, apps *application.Service) (*Service, error) {
	if store == nil || people == nil || groups == nil || roles == nil || apps == nil {
		return nil, errors.New("impact: a store, people, groups, roles and applications are required")
	}
	return &Service{store: store, people: people, groups: groups, roles: roles, apps: apps}, nil
}

// An Impact is what a change means for people and applications, as of now.
type Impact struct {
	// Named are those who gain or lose anything and may be named, by name.
	Named             []Person
	NamedApplications []Application
	// Gaining and Losing are how many people and applications do; Count is how many
	// people do either, Applications how many of these.
	Gaining, Losing, Count, Applications int
	// Complete is false when there may be others: more are concerned than are
	// looked at, or some are not the asker's to see.
	Complete bool
}

// A Person is one who gains or loses.
type Person struct {
	User         identity.User
	Gained, Lost Side
}

// A Side is what somebody gains or loses.
type Side struct {
	// Everywhere counts on all objects, also those of Servers and Others.
	Everywhere permission.Set
	// Servers and Others are what counts on one object and not everywhere, of
	// objects that may be named: the first MaxListed. The numbers are of all.
	Servers, Others           []Object
	ServersCount, OthersCount int
}

// An Object is what is held on a server, group, application or user.
type Object struct {
	ID          id.UUID
	Kind, Name  string
	Permissions permission.Set
}

// Of returns what a change that was tried means, and stores the event that it
// was asked for; by is the proof it was tried with, proposal names the change.
func (s *Service) Of(ctx context.Context, by authz.Allowed, t *policy.Tried, proposal string) (Impact, error) {
	i, err := s.weigh(ctx, by, t)
	if err != nil {
		return Impact{}, err
	}
	e := by.Event(audit.PolicySimulated, s.store.Now()).WithDescription("Somebody looked at what a change would mean.").
		With(audit.Text("proposal_hash", proposal), audit.Number("gained_n", int64(i.Gaining)), audit.Number("lost_n", int64(i.Losing)))
	return i, s.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}})
}

func (s *Service) weigh(ctx context.Context, by authz.Allowed, t *policy.Tried) (Impact, error) {
	now := s.store.Now()
	c := concernOf(t, now)
	see := sightOf(by.Principal(), t, c, now)
	out := Impact{Complete: see.whole || !see.hidden}
	limit := most(len(t.After.Servers()))
	users, whole, err := s.concerned(ctx, by, c, see, limit)
	if err != nil {
		return Impact{}, err
	}
	apps, every, err := s.applications(ctx, by, c, see, limit-len(users))
	if err != nil {
		return Impact{}, err
	}
	objects, all, err := s.objects(ctx, by, see, c.onPeople(t, users, apps))
	if err != nil {
		return Impact{}, err
	}
	out.Complete = out.Complete && whole && every && all
	joins := joined(users, c.accounts)
	before, after := see.policy(t.Before, c, joins), see.policy(t.After, c, joins)
	compared := authz.Compare(before, after)
	told := &teller{sight: see, before: before, after: after, users: map[id.UUID]authz.Object{}, made: c.made}
	for _, o := range objects {
		told.users[o.ID] = o
	}
	for _, u := range users {
		next, written := c.accounts[u.ID.UUID()]
		if !written {
			next = u
		}
		had, has := session.PrincipalOf(by.Workspace(), u, audit.Source{}), session.PrincipalOf(by.Workspace(), next, audit.Source{})
		had.Policy, has.Policy = before, after
		had, has = see.principal(had, joins), see.principal(has, joins)
		got := compared.Impact(&had, &has, now, objects...)
		p := Person{User: u, Gained: told.side(got.Gained), Lost: told.side(got.Lost)}
		if !p.Gained.empty() || !p.Lost.empty() {
			out.count(p, see.mayName(u))
		}
	}
	slices.SortFunc(out.Named, func(a, b Person) int {
		return cmp.Or(strings.Compare(a.User.DisplayName(), b.User.DisplayName()), strings.Compare(a.User.ID.String(), b.User.ID.String()))
	})
	out.onApplications(compared, c, told, apps, objects)
	return out, nil
}

func (i *Impact) count(p Person, named bool) {
	i.Count++
	i.sides(p.Gained, p.Lost)
	if named {
		i.Named = append(i.Named, p)
	}
}

func (i *Impact) sides(gained, lost Side) {
	if !gained.empty() {
		i.Gaining++
	}
	if !lost.empty() {
		i.Losing++
	}
}

func (s Side) empty() bool { return s.Everywhere.Empty() && s.ServersCount+s.OthersCount == 0 }

// joined returns the groups in which accounts that are written get or lose a
// place.
func joined(users []identity.User, accounts map[id.UUID]identity.User) set {
	joins := set{}
	for _, u := range users {
		next, ok := accounts[u.ID.UUID()]
		if !ok {
			continue
		}
		for _, m := range slices.Concat(u.Memberships, next.Memberships) {
			if !slices.Contains(u.Memberships, m) || !slices.Contains(next.Memberships, m) {
				joins.add(m.Group.UUID())
			}
		}
	}
	return joins
}

// concerned returns the accounts that a change concerns and that are in sight, at
// most limit; false when there are more. Those that are disabled have nothing, which
// is not everybody's to know.
func (s *Service) concerned(ctx context.Context, by authz.Allowed, c *concern, see *sight, limit int) ([]identity.User, bool, error) {
	found := maps.Clone(c.people)
	whole, lists := true, 0
	read := func(seen bool, list func() ([]id.UUID, error)) error {
		if !seen && !see.whole {
			return nil
		}
		if lists++; lists > maxLists || len(found) > limit {
			whole = false
			return nil
		}
		all, err := list()
		found.add(all...)
		if seen {
			see.named.add(all...)
		}
		return err
	}
	for _, of := range c.roles.sorted() {
		err := read(see.roles[of], func() ([]id.UUID, error) {
			holders, err := s.roles.Holders(ctx, by, id.Of[id.Role](of), 0)
			c.apps.add(each(holders, func(a role.Assignment) id.UUID { return a.Application.UUID() })...)
			return each(holders, func(a role.Assignment) id.UUID { return a.User.UUID() }), err
		})
		if err != nil {
			return nil, false, err
		}
	}
	for _, of := range c.groups.sorted() {
		err := read(see.groups[of], func() ([]id.UUID, error) {
			members, err := s.groups.Members(ctx, by, id.Of[id.Group](of), 0)
			return each(members, func(p group.Place) id.UUID { return p.User.UUID() }), err
		})
		if err != nil {
			return nil, false, err
		}
	}
	delete(found, id.UUID{})
	delete(c.apps, id.UUID{})
	ids := found.sorted()
	if len(ids) > limit {
		ids, whole = ids[:limit], false
	}
	users, err := s.accounts(ctx, by, ids)
	return slices.DeleteFunc(users, func(u identity.User) bool { return u.Disabled && see.whole }), whole, err
}

func each[S, T any](all []S, turn func(S) T) []T {
	out := make([]T, len(all))
	for i, one := range all {
		out[i] = turn(one)
	}
	return out
}

func (s *Service) accounts(ctx context.Context, by authz.Allowed, ids []id.UUID) ([]identity.User, error) {
	var out []identity.User
	for some := range slices.Chunk(ids, table.MaxRead) {
		users, err := s.people.Users(ctx, by, each(some, id.Of[id.Principal]))
		if err != nil {
			return nil, err
		}
		out = append(out, users...)
	}
	return out, nil
}

// objects returns the accounts that are in a scope by id or by name, as far as who asks may see them; false when there are more than are
// looked at.
func (s *Service) objects(ctx context.Context, by authz.Allowed, see *sight, scope authz.Scope) ([]authz.Object, bool, error) {
	if scope.Everywhere() {
		return nil, true, nil
	}
	proof, _, err := authz.Decide(see.who, permission.ReadUser, authz.Object{}, see.now, id.UUID{})
	if errors.Is(err, authz.ErrDenied) || errors.Is(err, authz.ErrScope) {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	rows, err := s.people.Directory(ctx, proof)
	if err != nil {
		return nil, false, err
	}
	var ids []id.UUID
	for _, r := range rows {
		if scope.Holds(authz.Object{ID: r.ID.UUID(), Name: r.Name}) {
			ids = append(ids, r.ID.UUID())
		}
	}
	whole := len(ids) <= maxObjects
	found, err := s.accounts(ctx, by, ids[:min(len(ids), maxObjects)])
	return each(found, func(u identity.User) authz.Object {
		return authz.Object{ID: u.ID.UUID(), Owner: u.ID.UUID(), Name: u.Username}
	}), whole, err
}
