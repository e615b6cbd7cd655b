package server

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

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

// A Service registers, changes and deletes servers, assigns people and groups
// to them, and keeps notes on them.
type Service struct {
	store    *table.Store
	policies *policy.Service
	groups   *group.Service
	roles    *role.Service
	random   io.Reader
}

// New returns a Service. Secrets are made of random; nil: of crypto/rand.
func New(store *table.Store, policies *policy.Service, groups *group.Service, roles *role.Service, random io.Reader) (*Service, error) {
	if store == nil || policies == nil || groups == nil || roles == nil {
		return nil, errors.New("server: a store, policies, groups and roles are required")
	}
	if random == nil {
		random = rand.Reader
	}
	return &Service{store: store, policies: policies, groups: groups, roles: roles, random: random}, nil
}

// maxGroupServers bounds the servers of a group. Source: design, section 5.
const maxGroupServers = 200

// principal returns an account as decisions under a policy see it.
func principal(ws id.ID[id.Workspace], u identity.User, p *authz.Policy) authz.Principal {
	who := session.PrincipalOf(ws, u, audit.Source{})
	who.Policy = p
	return who
}

// Enabled reports whether the tokens of an account are good: whether it may
// make one at now.
func Enabled(ws id.ID[id.Workspace], u identity.User, p *authz.Policy, now time.Time) bool {
	who := principal(ws, u, p)
	return !u.Disabled && authz.May(&who, permission.CreateRegistration, authz.Object{}, now)
}

// free refuses a name that another server has.
func free(p *authz.Policy, name string, self id.UUID) error {
	if slices.ContainsFunc(p.Servers(), func(s authz.Server) bool { return s.Name == name && s.ID != self }) {
		return ErrNameTaken
	}
	return nil
}

// about starts an event about a server.
func (s *Service) about(by authz.Allowed, kind audit.Kind, row authz.Server, text string) audit.Event {
	return by.Event(kind, s.store.Now()).With(audit.ID("server_id", row.ID)).
		WithTarget(audit.Target{Type: "server", ID: row.ID, Name: row.Name}).WithDescription(text)
}

// An Audience is to whom a name opens a server by patterns that were there
// before it.
type Audience struct {
	Openings []authz.Opening
	Patterns []string // in order, each once; the first maxPatterns
	// Users is how many people have something on the server by them; -1 when
	// more than maxCounted groups and roles, or maxPeople places in them, would have
	// to be read.
	Users int
}

// maxPatterns and maxPatternBytes bound what an event holds of patterns.
const (
	maxPatterns     = 100
	maxPatternBytes = 8 << 10
)

// maxCounted and maxPeople bound how many groups and roles, and how many of their
// people, are read to count an audience.
const (
	maxCounted = 64
	maxPeople  = 1_000
)

// opened returns to whom a server opens that has another name than before, ""
// for one that is new.
func (s *Service) opened(ctx context.Context, by authz.Allowed, p *authz.Policy, before, name string) (Audience, error) {
	now := s.store.Now()
	var a Audience
	groups, roles, users := map[id.UUID]bool{}, map[id.UUID]bool{}, map[id.UUID]bool{}
	for _, o := range p.Opened(permission.Server, before, name) {
		if !o.Until.IsZero() && !now.Before(o.Until) {
			continue
		}
		a.Openings = append(a.Openings, o)
		a.Patterns = append(a.Patterns, o.Name.String())
		switch {
		case o.Reason.What == "role":
			roles[o.Reason.Of] = true
		case o.Subject.Zero():
			groups[o.Reason.Of] = true
		case o.Group:
			groups[o.Subject] = true
		default:
			users[o.Subject] = true
		}
	}
	slices.Sort(a.Patterns)
	a.Patterns = slices.Compact(a.Patterns)
	a.Patterns = short(a.Patterns)
	for _, g := range p.Groups() {
		if slices.ContainsFunc(g.Roles, func(r id.UUID) bool { return roles[r] }) {
			groups[g.ID] = true
		}
	}
	var err error
	a.Users, err = s.count(ctx, by, groups, roles, users)
	return a, err
}

// count adds whoever is in these groups or has these roles to the users, and
// returns how many there are; -1 when more than the bounds would have to be read.
func (s *Service) count(ctx context.Context, by authz.Allowed, groups, roles, users map[id.UUID]bool) (int, error) {
	if len(groups)+len(roles) > maxCounted {
		return -1, nil
	}
	read := 0
	for r := range roles {
		holders, err := s.roles.Holders(ctx, by, id.Of[id.Role](r), maxPeople+1-read)
		if err != nil {
			return 0, err
		}
		for _, h := range holders {
			if !h.User.Zero() {
				users[h.User.UUID()] = true
			}
		}
		if read += len(holders); read > maxPeople {
			return -1, nil
		}
	}
	for g := range groups {
		members, err := s.groups.Members(ctx, by, id.Of[id.Group](g), maxPeople+1-read)
		if err != nil {
			return 0, err
		}
		for _, m := range members {
			users[m.User.UUID()] = true
		}
		if read += len(members); read > maxPeople {
			return -1, nil
		}
	}
	return len(users), nil
}

// short returns the first patterns, as many as an event holds.
func short(patterns []string) []string {
	size := 0
	for i, p := range patterns {
		if size += len(p); i == maxPatterns || size > maxPatternBytes {
			return patterns[:i]
		}
	}
	return patterns
}

// widened returns the event of a server that older patterns open, none when
// there is none.
func (s *Service) widened(by authz.Allowed, row authz.Server, a Audience) []audit.Event {
	if len(a.Openings) == 0 {
		return nil
	}
	e := s.about(by, audit.ServerAudienceChanged, row, "Patterns that were there open a new or renamed server.").With(audit.List("patterns", a.Patterns...))
	if a.Users >= 0 {
		e = e.With(audit.Number("users_n", int64(a.Users)))
	}
	if who := by.Principal().ID; !who.Zero() {
		e = e.With(audit.ID("confirmed_by", who.UUID()))
	}
	return []audit.Event{e}
}

// A Change is what shall be different of a server; nil: as it is.
type Change struct {
	Name     *string
	Owner    *id.ID[id.Principal]
	Managers *[]id.ID[id.Principal]
}

// Update changes a server. Who gives it away, or names managers, must hold what
// they get; who renames it, what older patterns then give on it. It returns the
// policy as it is then, and to whom a new name opens the server.
func (s *Service) Update(ctx context.Context, by authz.Allowed, actor table.Item, of id.ID[id.Server], c Change) (*authz.Policy, Audience, error) {
	var after *authz.Policy
	var opened Audience
	err := s.policies.Change(ctx, by, func(e *policy.Edit) (table.Change, error) {
		after, opened = e.Before, Audience{}
		was, _, ok := e.Before.Server(of.UUID())
		if !ok {
			return table.Change{}, ErrGone
		}
		row := c.apply(*was)
		ev := changed(s.about(by, audit.ServerUpdated, *was, "A server was changed."), *was, row)
		if len(ev.Changes) == 0 {
			return table.Change{}, nil
		}
		people, err := s.mayChange(ctx, by, e.Before, *was, row)
		if err != nil {
			return table.Change{}, err
		}
		events := []audit.Event{ev}
		if row.Name != was.Name {
			if opened, err = s.opened(ctx, by, e.Before, was.Name, row.Name); err != nil {
				return table.Change{}, err
			}
			events = append(events, s.widened(by, row, opened)...)
		}
		e.PutServer(row)
		after = e.After()
		ops := []table.Op{table.Unchanged(actor).Else(table.ErrTryAgain)}
		for _, item := range people {
			if item.Key != actor.Key {
				ops = append(ops, table.Unchanged(item).Else(table.ErrTryAgain))
			}
		}
		return table.Change{Events: events, Ops: ops}, nil
	})
	return after, opened, err
}

// apply returns the server as it shall be.
func (c Change) apply(row authz.Server) authz.Server {
	if c.Name != nil {
		row.Name = *c.Name
	}
	if c.Owner != nil {
		row.Owner = c.Owner.UUID()
	}
	if c.Managers != nil {
		row.Managers = nil
		for _, m := range *c.Managers {
			if !slices.Contains(row.Managers, m.UUID()) {
				row.Managers = append(row.Managers, m.UUID())
			}
		}
	}
	return row
}

// changed adds to an event what differs between two states of a server.
func changed(e audit.Event, was, row authz.Server) audit.Event {
	for _, c := range []audit.Change{
		{Path: "name", Before: was.Name, After: row.Name},
		{Path: "owner", Before: was.Owner.String(), After: row.Owner.String()},
		{Path: "managers", Before: listed(was.Managers), After: listed(row.Managers)},
	} {
		if c.Before != c.After {
			e = e.WithChange(c.Path, c.Before, c.After)
		}
	}
	return e
}

func listed(ids []id.UUID) string {
	out := make([]string, len(ids))
	for i, u := range ids {
		out[i] = u.String()
	}
	return strings.Join(out, " ")
}

// mayChange refuses a server as it shall be when it cannot be so, or when the
// actor may not make it so. It returns the accounts of who is new to it.
func (s *Service) mayChange(ctx context.Context, by authz.Allowed, p *authz.Policy, was, row authz.Server) ([]table.Item, error) {
	who, now := by.Principal(), s.store.Now()
	who.Policy = p
	if row.Name != was.Name {
		if err := CheckName(row.Name); err != nil {
			return nil, err
		}
		if err := authz.MayRename(&who, permission.Server, was.Object(), row.Name, now); err != nil {
			return nil, err
		}
		if err := free(p, row.Name, row.ID); err != nil {
			return nil, err
		}
	}
	if len(row.Managers) > MaxManagers {
		return nil, ErrManyManagers
	}
	if err := authz.MayTransfer(&who, permission.Server, was.Object(), row.Owner, row.Managers, now); err != nil {
		return nil, err
	}
	return identity.NewRunners(ctx, s.store, by, identity.Runners{Owner: was.Owner, Managers: was.Managers}, identity.Runners{Owner: row.Owner, Managers: row.Managers})
}

// Delete takes a server away, with its assignments and its notes: at the next
// request nobody has anything on it.
func (s *Service) Delete(ctx context.Context, by authz.Allowed, actor, item table.Item) error {
	kept, err := Decode(item)
	if err != nil {
		return err
	}
	return s.policies.Change(ctx, by, func(e *policy.Edit) (table.Change, error) {
		row, _, ok := e.Before.Server(kept.ID.UUID())
		if !ok {
			return table.Change{}, ErrGone
		}
		if !authz.May(e.Actor(by), permission.DeleteServer, row.Object(), s.store.Now()) {
			return table.Change{}, authz.ErrDenied
		}
		notes, err := s.takeNotes(ctx, by, kept.ID)
		if err != nil {
			return table.Change{}, err
		}
		e.DropServer(row.ID)
		ops := append(notes, table.Remove(item).Else(table.ErrTryAgain), table.Unchanged(actor).Else(table.ErrTryAgain))
		return table.Change{Events: []audit.Event{s.about(by, audit.ServerDeleted, *row, "A server was deleted, with its assignments and notes.")}, Ops: ops}, nil
	})
}

// Some returns what is kept of servers, by id; ids without server are left out.
func (s *Service) Some(ctx context.Context, by authz.Allowed, ids []id.UUID) (map[id.UUID]Server, error) {
	out := make(map[id.UUID]Server, len(ids))
	for some := range slices.Chunk(ids, table.MaxRead) {
		keys := make([]table.Key, len(some))
		for i, of := range some {
			keys[i] = Key(by.Workspace(), id.Of[id.Server](of))
		}
		items, err := s.store.Read(ctx, by, keys...)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			kept, err := Decode(item)
			if err != nil {
				return nil, err
			}
			out[kept.ID.UUID()] = kept
		}
	}
	return out, nil
}

// ByName orders servers as lists show them.
func ByName(a, b authz.Server) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID.String(), b.ID.String()))
}
