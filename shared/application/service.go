package application

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
	"paddock/shared/policy"
	"paddock/shared/table"
	"paddock/shared/token"
)

// roles take the roles of an application away that is about to go.
type roles interface {
	Strip(ctx context.Context, by authz.Allowed, actor, item table.Item) (table.Item, error)
}

// A Service makes, changes and deletes applications.
type Service struct {
	store    *table.Store
	policies *policy.Service
	tokens   *token.Service
	roles    roles
}

// New returns a Service.
func New(store *table.Store, policies *policy.Service, tokens *token.Service, r roles) (*Service, error) {
	if store == nil || policies == nil || tokens == nil || r == nil {
		return nil, errors.New("application: a store, policies, tokens and roles are required")
	}
	return &Service{store: store, policies: policies, tokens: tokens, roles: r}, nil
}

// Fields are what can be said of an application.
type Fields struct {
	Name        string
	Description string
	Enabled     bool
	Scopes      []string // as Parse returns them
	Owner       id.UUID
	Managers    []id.UUID
}

// FieldsOf returns what is said of an application under a policy.
func FieldsOf(a Application, p *authz.Policy) Fields {
	f := Fields{Name: a.Name, Description: a.Description, Enabled: a.Enabled, Scopes: a.Scopes}
	if row, ok := p.Application(a.ID.UUID()); ok {
		f.Owner, f.Managers = row.Owner, row.Managers
	}
	return f
}

func (f Fields) row(of id.UUID) authz.Application {
	return authz.Application{ID: of, Name: f.Name, Owner: f.Owner, Managers: f.Managers}
}

// check refuses fields that an application cannot have beside the others.
func (f Fields) check(p *authz.Policy, self id.UUID) error {
	if err := identity.CheckText("name", f.Name, maxName, false); err != nil {
		return err
	}
	if err := identity.CheckText("description", f.Description, maxDescription, true); err != nil {
		return err
	}
	if strings.TrimSpace(f.Name) != f.Name || f.Name == "" {
		return identity.ErrProfile.In("name").Saying("An application has a name, without blanks around it.")
	}
	if len(f.Managers) > MaxManagers {
		return ErrManyManagers
	}
	if slices.ContainsFunc(p.Applications(), func(a authz.Application) bool { return a.Name == f.Name && a.ID != self }) {
		return ErrNameTaken
	}
	return nil
}

// Create makes an application without roles and tokens, of which the actor is the
// owner.
func (s *Service) Create(ctx context.Context, by authz.Allowed, actor table.Item, f Fields, keep func(Application, *authz.Policy) ([]table.Op, error)) (Application, error) {
	made, err := s.store.NewID()
	if err != nil {
		return Application{}, err
	}
	now := s.store.Now()
	f.Enabled, f.Owner, f.Managers = true, by.Principal().ID.UUID(), nil
	a := Application{ID: id.Of[id.Principal](made), Name: f.Name, Description: f.Description, Enabled: true, Scopes: f.Scopes, AddedAt: now, UpdatedAt: now}
	err = s.policies.Change(ctx, by, func(e *policy.Edit) (table.Change, error) {
		if err := f.check(e.Before, made); err != nil {
			return table.Change{}, err
		}
		if len(e.Before.Applications()) >= policy.MaxApplications {
			return table.Change{}, policy.Limit("applications", "1,000 applications")
		}
		if err := authz.MayCreateApplication(e.Actor(by), nil, now); err != nil {
			return table.Change{}, err
		}
		e.PutApplication(f.row(made))
		kept, err := keep(a, e.After())
		if err != nil {
			return table.Change{}, err
		}
		ev := changed(s.about(by, audit.ApplicationCreated, a, "An application was made.").With(audit.Text("service_type", ServiceType)), Fields{}, f)
		return table.Change{Events: []audit.Event{ev}, Ops: append(kept,
			table.Insert(Key(by.Workspace(), a.ID), a).Else(table.ErrTryAgain), table.Unchanged(actor).Else(table.ErrTryAgain))}, nil
	})
	return a, err
}

// about starts an event about an application.
func (s *Service) about(by authz.Allowed, kind audit.Kind, a Application, text string) audit.Event {
	return by.Event(kind, s.store.Now()).With(audit.ID("application_id", a.ID.UUID())).WithSubject(a.ID.UUID()).
		WithTarget(audit.Target{Type: "application", ID: a.ID.UUID(), Name: a.Name}).WithDescription(text)
}

// changed adds to an event what differs between two states of an application.
func changed(e audit.Event, was, f Fields) audit.Event {
	for _, c := range []audit.Change{
		{Path: "name", Before: was.Name, After: f.Name},
		{Path: "description", Before: audit.Clip(was.Description, 300), After: audit.Clip(f.Description, 300)},
		{Path: "enabled", Before: strconv.FormatBool(was.Enabled), After: strconv.FormatBool(f.Enabled)},
		{Path: "scopes", Before: strings.Join(less(was.Scopes, f.Scopes), " "), After: strings.Join(less(f.Scopes, was.Scopes), " ")},
		{Path: "owner", Before: person(was.Owner), After: person(f.Owner)},
		{Path: "managers", Before: listed(less(was.Managers, f.Managers)), After: listed(less(f.Managers, was.Managers))},
	} {
		if c.Before != c.After {
			e = e.WithChange(c.Path, c.Before, c.After)
		}
	}
	return e
}

func person(of id.UUID) string {
	if of.Zero() {
		return ""
	}
	return of.String()
}

func listed(ids []id.UUID) string {
	out := make([]string, len(ids))
	for i, u := range ids {
		out[i] = u.String()
	}
	return strings.Join(out, " ")
}

// less returns what is in a and not in b: of lists an event holds what was taken
// out and what was put in.
func less[T comparable](a, b []T) []T {
	return slices.DeleteFunc(slices.Clone(a), func(t T) bool { return slices.Contains(b, t) })
}

// Update changes an application. Disabling it ends its tokens at their next
// request, for good. Who gives it away, or names managers, must hold what they
// get; who renames it, what older patterns then give on it; who widens its
// scopes, all that its roles hold. It returns the policy as it is then.
func (s *Service) Update(ctx context.Context, by authz.Allowed, actor, item table.Item, change func(Fields) (Fields, error)) (Application, *authz.Policy, error) {
	was, err := Decode(item)
	if err != nil {
		return Application{}, nil, err
	}
	var a Application
	var after *authz.Policy
	err = s.policies.Change(ctx, by, func(e *policy.Edit) (table.Change, error) {
		a, after = was, e.Before
		if _, ok := e.Before.Application(was.ID.UUID()); !ok {
			return table.Change{}, ErrGone
		}
		before := FieldsOf(was, e.Before)
		f, err := change(before)
		if err != nil {
			return table.Change{}, err
		}
		ev := changed(s.about(by, audit.ApplicationUpdated, was, "An application was changed."), before, f)
		if len(ev.Changes) == 0 {
			return table.Change{}, nil
		}
		people, err := s.mayChange(ctx, by, e, was, before, f)
		if err != nil {
			return table.Change{}, err
		}
		ops := append(e.Hold(), table.Unchanged(actor).Else(table.ErrTryAgain))
		if f.Name != before.Name || f.Owner != before.Owner || !slices.Equal(f.Managers, before.Managers) {
			e.PutApplication(f.row(was.ID.UUID()))
			after, ops = e.After(), ops[len(ops)-1:] // what the edit writes holds the same
		}
		for _, person := range people {
			if person.Key != actor.Key {
				ops = append(ops, table.Unchanged(person).Else(table.ErrTryAgain))
			}
		}
		a.Name, a.Description, a.Enabled, a.Scopes, a.UpdatedAt = f.Name, f.Description, f.Enabled, f.Scopes, s.store.Now()
		if before.Enabled && !f.Enabled {
			a.Epoch++
		}
		return table.Change{Events: []audit.Event{ev}, Ops: append(ops, table.Replace(item, a).Else(table.ErrTryAgain))}, nil
	})
	return a, after, err
}

// mayChange refuses an application as it shall be when it cannot be so, or when
// the actor may not make it so. It returns the accounts of who is new to it.
func (s *Service) mayChange(ctx context.Context, by authz.Allowed, e *policy.Edit, was Application, before, f Fields) ([]table.Item, error) {
	if err := f.check(e.Before, was.ID.UUID()); err != nil {
		return nil, err
	}
	who, o, now := e.Actor(by), was.Object(by.Workspace(), e.Before), s.store.Now()
	if f.Name != before.Name {
		if err := authz.MayRename(who, permission.Application, o, f.Name, now); err != nil {
			return nil, err
		}
	}
	if err := authz.MayTransfer(who, permission.Application, o, f.Owner, f.Managers, now); err != nil {
		return nil, err
	}
	if !setOf(f.Scopes).Minus(was.Set()).Empty() {
		if err := authz.MayActAs(who, permission.UpdateServiceToken, o, now); err != nil {
			return nil, err
		}
	}
	return identity.NewRunners(ctx, s.store, by, identity.Runners{Owner: before.Owner, Managers: before.Managers}, identity.Runners{Owner: f.Owner, Managers: f.Managers})
}

// Delete takes an application away with its tokens and roles. Those are more than
// one transaction holds: they go first, and what is left when something fails in
// between is an application that may less.
func (s *Service) Delete(ctx context.Context, by authz.Allowed, actor, item table.Item) error {
	a, err := Decode(item)
	if err != nil {
		return err
	}
	h := a.Holder(table.Unchanged(actor).Else(table.ErrTryAgain))
	n, err := s.tokens.DeleteAll(ctx, by, h)
	if err != nil {
		return err
	}
	if item, err = s.roles.Strip(ctx, by, actor, item); err != nil {
		return err
	}
	return s.policies.Change(ctx, by, func(e *policy.Edit) (table.Change, error) {
		if _, ok := e.Before.Application(a.ID.UUID()); !ok {
			return table.Change{}, ErrGone
		}
		e.DropApplication(a.ID.UUID())
		ev := s.about(by, audit.ApplicationDeleted, a, "An application was deleted, with its tokens and roles.").With(audit.Number("tokens_revoked_n", int64(n)))
		return table.Change{Events: []audit.Event{ev}, Ops: []table.Op{
			table.Remove(item).Else(table.ErrTryAgain), table.Unchanged(actor).Else(table.ErrTryAgain),
			table.Absent(h.Family.BookKey(by.Workspace(), a.ID)).Else(table.ErrTryAgain), // no token came in between
		}}, nil
	})
}

// Some returns applications by id, in the order asked; ids without application
// are left out.
func (s *Service) Some(ctx context.Context, by authz.Allowed, ids []id.UUID) ([]Application, error) {
	var out []Application
	for some := range slices.Chunk(ids, table.MaxRead) {
		keys := make([]table.Key, len(some))
		for i, of := range some {
			keys[i] = Key(by.Workspace(), id.Of[id.Principal](of))
		}
		part, err := table.All[Application](ctx, s.store, by, keys)
		if err != nil {
			return nil, err
		}
		out = append(out, part...)
	}
	return out, nil
}

// ByName orders applications as lists show them.
func ByName(a, b authz.Application) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID.String(), b.ID.String()))
}
