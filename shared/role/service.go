package role

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

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

// A Service makes and changes custom roles, and gives them.
type Service struct {
	store    *table.Store
	policies *policy.Service
}

// New returns a Service.
func New(store *table.Store, policies *policy.Service) (*Service, error) {
	if store == nil || policies == nil {
		return nil, errors.New("role: a store and policies are required")
	}
	return &Service{store: store, policies: policies}, nil
}

// Fields are what a role is called and permits.
type Fields struct {
	Name        string
	Description string
	Permissions permission.Set
	Scope       authz.Scope
}

// Bounds of a role. Source: design, section 5.
const (
	maxName        = 100
	maxDescription = 1000
	maxScope       = 200 // objects and patterns each
	// maxPatternBytes bounds the patterns of a role together: many roles share one
	// stored chunk.
	maxPatternBytes = 8 << 10
)

// check refuses fields that a role cannot have.
func (f Fields) check(p *authz.Policy, self id.ID[id.Role]) error {
	if err := identity.CheckText("name", f.Name, maxName, false); err != nil {
		return err
	}
	if err := identity.CheckText("description", f.Description, maxDescription, true); err != nil {
		return err
	}
	if strings.TrimSpace(f.Name) != f.Name || f.Name == "" || f.Name == authz.Staff.BuiltIn() || f.Name == authz.Superuser.BuiltIn() {
		return identity.ErrProfile.In("name").Saying("A role has a name of its own, without blanks around it.")
	}
	if len(f.Scope.Objects) > maxScope || len(f.Scope.Names) > maxScope {
		return fault.Error{Kind: fault.Conflict, Code: "limit_reached", Detail: "A role names at most 200 objects and 200 patterns.", Source: "scope"}
	}
	size := 0
	for _, n := range f.Scope.Names {
		size += len(n.String())
	}
	if size > maxPatternBytes {
		return fault.Error{Kind: fault.Conflict, Code: "limit_reached", Detail: "The patterns of a role have at most 8,192 bytes together. Use fewer, wider ones.", Source: "scope"}
	}
	if f.Permissions.Empty() {
		return ErrEmpty
	}
	if reserved := f.Permissions.Intersect(authz.Reserved).Permissions(); len(reserved) > 0 {
		return ErrReserved.Saying(reserved[0].String() + " comes with being superuser only.")
	}
	if !f.Scope.Everywhere() {
		for _, what := range f.Permissions.Permissions() {
			if !authz.OfObjects(what) {
				return ErrUnscoped.Saying(what.String() + " speaks of no objects: it counts everywhere or not at all.")
			}
			// People choose their names, and would choose who may do what to them.
			if len(f.Scope.Names) > 0 && (what.Resource == permission.User || what.Resource == permission.Session) {
				return ErrUnscoped.Saying(what.String() + " is held of people by their ids: they choose their names themselves.")
			}
		}
	}
	if slices.ContainsFunc(p.Roles(), func(r authz.Role) bool { return r.Name == f.Name && r.ID != self.UUID() }) {
		return ErrNameTaken
	}
	return nil
}

func (f Fields) row(of id.ID[id.Role]) authz.Role {
	return authz.Role{ID: of.UUID(), Name: f.Name, Permissions: f.Permissions, Scope: f.Scope}
}

// FieldsOf returns what a role is called and permits under a policy.
func FieldsOf(r Role, p *authz.Policy) Fields {
	f := Fields{Name: r.Name, Description: r.Description}
	if row, ok := p.Role(r.ID.UUID()); ok {
		f.Permissions, f.Scope = row.Permissions, row.Scope
	}
	return f
}

// Create makes a custom role.
func (s *Service) Create(ctx context.Context, by authz.Allowed, actor table.Item, f Fields, keep func(Role, *authz.Policy) ([]table.Op, error)) (Role, error) {
	made, err := s.store.NewID()
	if err != nil {
		return Role{}, err
	}
	now := s.store.Now()
	r := Role{ID: id.Of[id.Role](made), Name: f.Name, Description: f.Description, AddedAt: now, UpdatedAt: now}
	err = s.policies.Change(ctx, by, func(e *policy.Edit) (table.Change, error) {
		if err := f.check(e.Before, r.ID); err != nil {
			return table.Change{}, err
		}
		if len(e.Before.Roles()) >= policy.MaxRoles {
			return table.Change{}, policy.Limit("roles", "2,000 roles")
		}
		if err := authz.MayCreateRole(e.Actor(by), f.row(r.ID), now); err != nil {
			return table.Change{}, err
		}
		e.PutRole(f.row(r.ID))
		kept, err := keep(r, e.After())
		if err != nil {
			return table.Change{}, err
		}
		ev := s.about(by, audit.RoleCreated, r, "A custom role was made.").
			With(audit.List("permissions", texts(f.Permissions)...), audit.Text("scope", scopeText(f.Scope)))
		return table.Change{Events: []audit.Event{ev}, Ops: append(kept,
			table.Insert(Key(by.Workspace(), r.ID), r).Else(table.ErrTryAgain), table.Unchanged(actor).Else(table.ErrTryAgain))}, nil
	})
	return r, err
}

func (s *Service) about(by authz.Allowed, kind audit.Kind, r Role, text string) audit.Event {
	return by.Event(kind, s.store.Now()).With(audit.Text("role_id", r.ID.String())).
		WithTarget(audit.Target{Type: "role", ID: r.ID.UUID(), Name: r.Name}).WithDescription(text)
}

func texts(s permission.Set) []string {
	var out []string
	for _, p := range s.Permissions() {
		out = append(out, p.String())
	}
	return out
}

// scopeText returns a scope as events show it.
func scopeText(s authz.Scope) string {
	if s.Everywhere() {
		return "everywhere"
	}
	var out []string
	for _, o := range s.Objects {
		out = append(out, o.String())
	}
	for _, n := range s.Names {
		out = append(out, n.String())
	}
	return audit.Clip(strings.Join(out, " "), 300)
}

// Update changes a role, for all who have it, at their next request. A change
// that changes nothing writes nothing. It returns the policy as it is then.
func (s *Service) Update(ctx context.Context, by authz.Allowed, actor, item table.Item, change func(Fields) (Fields, error)) (Role, *authz.Policy, error) {
	was, err := Decode(item)
	if err != nil {
		return Role{}, nil, err
	}
	var r Role
	var after *authz.Policy
	err = s.policies.Change(ctx, by, func(e *policy.Edit) (table.Change, error) {
		r, after = was, e.Before
		before := FieldsOf(was, e.Before)
		f, err := change(before)
		if err != nil {
			return table.Change{}, err
		}
		ev := s.changed(by, was, before, f)
		if len(ev.Changes) == 0 {
			return table.Change{}, nil
		}
		if err := f.check(e.Before, r.ID); err != nil {
			return table.Change{}, err
		}
		if err := authz.MayChangeRole(e.Actor(by), f.row(r.ID), s.store.Now()); err != nil {
			return table.Change{}, err
		}
		e.PutRole(f.row(r.ID))
		after = e.After()
		r.Name, r.Description, r.UpdatedAt = f.Name, f.Description, s.store.Now()
		return table.Change{Events: []audit.Event{ev}, Ops: []table.Op{
			table.Replace(item, r).Else(table.ErrTryAgain), table.Unchanged(actor).Else(table.ErrTryAgain),
		}}, nil
	})
	return r, after, err
}

// changed returns the event of a change, with no changes when there are none.
func (s *Service) changed(by authz.Allowed, was Role, before, after Fields) audit.Event {
	e := s.about(by, audit.RoleUpdated, was, "A custom role was changed, for all who have it.")
	added, removed := after.Permissions.Minus(before.Permissions), before.Permissions.Minus(after.Permissions)
	if !added.Empty() {
		e = e.With(audit.List("added", texts(added)...))
	}
	if !removed.Empty() {
		e = e.With(audit.List("removed", texts(removed)...))
	}
	for _, c := range []audit.Change{
		{Path: "name", Before: before.Name, After: after.Name},
		{Path: "description", Before: before.Description, After: after.Description},
		{Path: "permissions", Before: strings.Join(texts(before.Permissions), " "), After: strings.Join(texts(after.Permissions), " ")},
	} {
		if c.Before != c.After {
			e = e.WithChange(c.Path, audit.Clip(c.Before, 300), audit.Clip(c.After, 300))
		}
	}
	if !sameScope(before.Scope, after.Scope) { // what differs, and not the whole of it
		e = e.WithChange("scope", more(before.Scope, after.Scope), more(after.Scope, before.Scope))
	}
	return e
}

// more returns what a scope names beyond another, as events show it: nothing when
// it is a part of the other.
func more(a, b authz.Scope) string {
	only := beyond(a, b)
	if only.Everywhere() && !a.Everywhere() {
		return ""
	}
	return scopeText(only)
}

// beyond returns what is in a and not in b; all of a when b is everywhere.
func beyond(a, b authz.Scope) authz.Scope {
	a.Objects = slices.DeleteFunc(slices.Clone(a.Objects), func(o id.UUID) bool { return slices.Contains(b.Objects, o) })
	a.Names = slices.DeleteFunc(slices.Clone(a.Names), func(n pattern.Pattern) bool {
		return slices.ContainsFunc(b.Names, func(o pattern.Pattern) bool { return o.String() == n.String() })
	})
	return a
}

func sameScope(a, b authz.Scope) bool {
	return slices.Equal(a.Objects, b.Objects) && slices.EqualFunc(a.Names, b.Names, func(x, y pattern.Pattern) bool { return x.String() == y.String() })
}

// Delete takes a role away from all who have it, at their next request.
func (s *Service) Delete(ctx context.Context, by authz.Allowed, actor, item table.Item) error {
	r, err := Decode(item)
	if err != nil {
		return err
	}
	holders, err := s.store.Size(ctx, by, table.Query{Key: item.Key, Prefix: holderPrefix})
	if err != nil {
		return err
	}
	return s.policies.Change(ctx, by, func(e *policy.Edit) (table.Change, error) {
		if _, ok := e.Before.Role(r.ID.UUID()); !ok {
			return table.Change{}, ErrNoRole
		}
		e.DropRole(r.ID.UUID())
		ev := s.about(by, audit.RoleDeleted, r, "A custom role was deleted; nobody has it any more.").With(audit.Number("assignees_n", int64(holders)))
		return table.Change{Events: []audit.Event{ev}, Ops: []table.Op{
			table.Remove(item).Else(table.ErrTryAgain), table.Unchanged(actor).Else(table.ErrTryAgain),
		}}, nil
	})
}

// Some returns roles by id, in the order asked; ids without role are left out.
func (s *Service) Some(ctx context.Context, by authz.Allowed, ids []id.ID[id.Role]) ([]Role, error) {
	keys := make([]table.Key, len(ids))
	for i, one := range ids {
		keys[i] = Key(by.Workspace(), one)
	}
	return table.All[Role](ctx, s.store, by, keys)
}

// A Giving is a role that somebody shall have: a user, a group or an application.
type Giving struct {
	Role  id.ID[id.Role]
	User  id.ID[id.Principal]
	Group id.ID[id.Group]
	// Application is zero but for roles of applications.
	Application id.ID[id.Principal]
	Until       time.Time // exclusive; zero: no end; never of groups
}
