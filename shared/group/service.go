package group

import (
	"context"
	"errors"
	"slices"
	"strings"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/pattern"
	"paddock/shared/permission"
	"paddock/shared/policy"
	"paddock/shared/table"
)

// A Service makes and changes groups, and puts people into them.
type Service struct {
	store    *table.Store
	policies *policy.Service
}

// New returns a Service.
func New(store *table.Store, policies *policy.Service) (*Service, error) {
	if store == nil || policies == nil {
		return nil, errors.New("group: a store and policies are required")
	}
	return &Service{store: store, policies: policies}, nil
}

// Fields are what a group says and gives.
type Fields struct {
	Name        string
	DisplayName string
	Description string
	Tags        string
	Servers     []id.UUID
	Names       []pattern.Pattern
	Access      authz.Access
}

// Lengths of a group's texts, in characters. Names are those of POSIX groups
// and more: they are written in rules.
const (
	maxName        = 100
	maxText        = 200
	maxDescription = 1000
	// maxServers bounds the servers and the patterns of a group each. Source:
	// design, section 5.
	maxServers = 200
	// maxPatternBytes bounds the patterns of a group together: many groups share
	// one stored chunk.
	maxPatternBytes = 8 << 10
)

// check refuses fields that a group cannot have.
func (f Fields) check(p *authz.Policy) error {
	for _, t := range []struct {
		field, text string
		most        int
		lines       bool
	}{{"name", f.Name, maxName, false}, {"display_name", f.DisplayName, maxText, false}, {"tags", f.Tags, maxText, false}, {"description", f.Description, maxDescription, true}} {
		if err := identity.CheckText(t.field, t.text, t.most, t.lines); err != nil {
			return err
		}
	}
	if strings.TrimSpace(f.Name) != f.Name || f.Name == "" {
		return identity.ErrProfile.In("name").Saying("A group has a name, without blanks around it.")
	}
	for _, l := range []struct {
		field string
		n     int
	}{{"servers", len(f.Servers)}, {"server_patterns", len(f.Names)}} {
		if l.n > maxServers {
			return fault.Error{Kind: fault.Conflict, Code: "limit_reached", Detail: "A group names at most 200 servers and 200 patterns.", Source: l.field}
		}
	}
	size := 0
	for _, n := range f.Names {
		size += len(n.String())
	}
	if size > maxPatternBytes {
		return fault.Error{Kind: fault.Conflict, Code: "limit_reached", Detail: "The patterns of a group have at most 8,192 bytes together. Use fewer, wider ones.", Source: "server_patterns"}
	}
	for _, s := range f.Servers {
		if _, _, ok := p.Server(s); !ok {
			return ErrNoServer
		}
	}
	return nil
}

// row returns what the policy holds of the group.
func (f Fields) row(of id.ID[id.Group], roles []id.UUID) authz.Group {
	return authz.Group{ID: of.UUID(), Name: f.Name, Roles: roles, Access: f.Access, Servers: f.Servers, Names: f.Names}
}

// Create makes a group. Who may not change every group becomes its owner.
func (s *Service) Create(ctx context.Context, by authz.Allowed, actor table.Item, f Fields, keep func(Group, *authz.Policy) ([]table.Op, error)) (Group, error) {
	made, err := s.store.NewID()
	if err != nil {
		return Group{}, err
	}
	now := s.store.Now()
	g := Group{ID: id.Of[id.Group](made), Name: f.Name, DisplayName: f.DisplayName, Description: f.Description, Tags: f.Tags, AddedAt: now, UpdatedAt: now}
	err = s.policies.Change(ctx, by, func(e *policy.Edit) (table.Change, error) {
		if err := unique(f, e.Before, g.ID); err != nil {
			return table.Change{}, err
		}
		if err := authz.MayCreateGroup(e.Actor(by), f.row(g.ID, nil), now); err != nil {
			return table.Change{}, err
		}
		if len(e.Before.Groups()) >= policy.MaxGroups {
			return table.Change{}, policy.Limit("groups", "1,000 groups")
		}
		e.PutGroup(f.row(g.ID, nil))
		ops, err := s.numbered(ctx, by, &g)
		if err != nil {
			return table.Change{}, err
		}
		kept, err := keep(g, e.After())
		if err != nil {
			return table.Change{}, err
		}
		ops = append(append(kept, ops...), table.Insert(Key(by.Workspace(), g.ID), g).Else(table.ErrTryAgain), table.Unchanged(actor).Else(table.ErrTryAgain))
		ev := s.about(by, audit.GroupCreated, g, "A group was made.").With(audit.Text("purpose", f.Description))
		return table.Change{Events: []audit.Event{described(ev, nil, f)}, Ops: ops}, nil
	})
	return g, err
}

// unique refuses fields that a group cannot have beside the others.
func unique(f Fields, p *authz.Policy, self id.ID[id.Group]) error {
	if err := f.check(p); err != nil {
		return err
	}
	if slices.ContainsFunc(p.Groups(), func(g authz.Group) bool { return g.Name == f.Name && g.ID != self.UUID() }) {
		return ErrNameTaken
	}
	return nil
}

// numbered gives a group its POSIX group id, and returns the operation that
// remembers it.
func (s *Service) numbered(ctx context.Context, by authz.Allowed, g *Group) ([]table.Op, error) {
	key := countKey(by.Workspace())
	item, ok, err := s.store.One(ctx, by, key)
	if err != nil {
		return nil, err
	}
	var last int
	if ok {
		if err := table.Decode(item, &last); err != nil {
			return nil, err
		}
	}
	g.GID = max(last+1, FirstGID)
	if !ok {
		return []table.Op{table.Insert(key, g.GID).Else(table.ErrTryAgain)}, nil
	}
	return []table.Op{table.Replace(item, g.GID).Else(table.ErrTryAgain)}, nil
}

// about starts an event about a group.
func (s *Service) about(by authz.Allowed, kind audit.Kind, g Group, text string) audit.Event {
	return by.Event(kind, s.store.Now()).With(audit.ID("group_id", g.ID.UUID())).
		WithTarget(audit.Target{Type: "group", ID: g.ID.UUID(), Name: g.Name}).WithDescription(text)
}

// described adds to an event what changed of the fields; before nil: all are
// new.
func described(e audit.Event, before *Fields, after Fields) audit.Event {
	was := Fields{}
	if before != nil {
		was = *before
	}
	for _, c := range []audit.Change{
		{Path: "name", Before: was.Name, After: after.Name},
		{Path: "display_name", Before: was.DisplayName, After: after.DisplayName},
		{Path: "description", Before: was.Description, After: after.Description},
		{Path: "tags", Before: was.Tags, After: after.Tags},
		// Of lists what was taken out and what was put in: the whole of them may be
		// longer than an event.
		{Path: "servers", Before: listed(less(was.Servers, after.Servers)), After: listed(less(after.Servers, was.Servers))},
		{Path: "server_patterns", Before: strings.Join(less(patterns(was.Names), patterns(after.Names)), " "), After: strings.Join(less(patterns(after.Names), patterns(was.Names)), " ")},
		{Path: "permissions", Before: was.Access.String(), After: after.Access.String()},
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

// less returns what is in a and not in b.
func less[T comparable](a, b []T) []T {
	return slices.DeleteFunc(slices.Clone(a), func(t T) bool { return slices.Contains(b, t) })
}

func patterns(names []pattern.Pattern) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = n.String()
	}
	return out
}

// FieldsOf returns what a group says and gives under a policy.
func FieldsOf(g Group, p *authz.Policy) Fields {
	f := Fields{Name: g.Name, DisplayName: g.DisplayName, Description: g.Description, Tags: g.Tags}
	if row, ok := p.Group(g.ID.UUID()); ok {
		f.Names, f.Access = row.Names, row.Access
		for _, s := range row.Servers {
			if _, _, there := p.Server(s); there {
				f.Servers = append(f.Servers, s)
			}
		}
	}
	return f
}

// Update changes a group. change gets its fields as they are and returns them
// as they shall be. A change that changes nothing writes nothing. It returns the
// policy as it is then.
func (s *Service) Update(ctx context.Context, by authz.Allowed, actor, item table.Item, change func(Fields) (Fields, error)) (Group, *authz.Policy, error) {
	var g Group
	var after *authz.Policy
	err := s.policies.Change(ctx, by, func(e *policy.Edit) (table.Change, error) {
		item, was, err := s.current(ctx, by, item.Key)
		if err != nil {
			return table.Change{}, err
		}
		g, after = was, e.Before
		before := FieldsOf(was, e.Before)
		f, err := change(before)
		if err != nil {
			return table.Change{}, err
		}
		ev := described(s.about(by, audit.GroupUpdated, was, "A group was changed."), &before, f)
		if len(ev.Changes) == 0 {
			return table.Change{}, nil
		}
		row, ok := e.Before.Group(g.ID.UUID())
		if !ok {
			return table.Change{}, ErrNoGroup
		}
		// Who may not give a server learns nothing of whether it is there.
		if err := authz.MayChangeGroup(e.Actor(by), *row, f.row(g.ID, row.Roles), s.store.Now()); err != nil {
			return table.Change{}, err
		}
		if err := unique(f, e.Before, g.ID); err != nil {
			return table.Change{}, err
		}
		e.PutGroup(f.row(g.ID, row.Roles))
		after = e.After()
		g.Name, g.DisplayName, g.Description, g.Tags, g.UpdatedAt = f.Name, f.DisplayName, f.Description, f.Tags, s.store.Now()
		return table.Change{Events: []audit.Event{ev}, Ops: []table.Op{
			table.Replace(item, g).Else(policy.ErrMoved), table.Unchanged(actor).Else(table.ErrTryAgain),
		}}, nil
	})
	return g, after, err
}

// Delete takes a group away: what its members had by it they have no more at
// their next request. What they and the group kept of each other is no longer
// read by anything.
func (s *Service) Delete(ctx context.Context, by authz.Allowed, actor, item table.Item) error {
	return s.policies.Change(ctx, by, func(e *policy.Edit) (table.Change, error) {
		item, g, err := s.current(ctx, by, item.Key)
		if err != nil {
			return table.Change{}, err
		}
		row, ok := e.Before.Group(g.ID.UUID())
		if !ok {
			return table.Change{}, ErrNoGroup
		}
		if !authz.May(e.Actor(by), permission.DeleteGroup, authz.Object{ID: row.ID, Name: row.Name}, s.store.Now()) {
			return table.Change{}, authz.ErrDenied
		}
		e.DropGroup(g.ID.UUID())
		ev := s.about(by, audit.GroupDeleted, g, "A group was deleted; its members lost what it gave.").
			With(audit.Number("members_n", int64(g.Members(s.store.Now()))), audit.Number("servers_n", int64(len(row.Servers))))
		return table.Change{Events: []audit.Event{ev}, Ops: []table.Op{
			table.Remove(item).Else(policy.ErrMoved), table.Unchanged(actor).Else(table.ErrTryAgain),
		}}, nil
	})
}

// Some returns groups by id, in the order asked; ids without group are left
// out.
func (s *Service) Some(ctx context.Context, by authz.Allowed, ids []id.ID[id.Group]) ([]Group, error) {
	keys := make([]table.Key, len(ids))
	for i, one := range ids {
		keys[i] = Key(by.Workspace(), one)
	}
	return table.All[Group](ctx, s.store, by, keys)
}
