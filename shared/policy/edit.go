package policy

import (
	"context"
	"errors"
	"maps"
	"slices"

	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/table"
)

// An Edit is a change of a policy that is being made.
type Edit struct {
	// Before is the policy that is changed.
	Before *authz.Policy

	ws      id.ID[id.Workspace]
	head    table.Item
	items   map[string]table.Item
	chunks  map[string]authz.Chunk
	touched map[string]bool
}

// repeats bounds how often a change is prepared when others come between: all
// changes of a workspace's policy write one head.
const repeats = 8

// A Tried is the error of a change that was to be looked at and not to be made:
// whoever asks may make it, and nothing is stored.
type Tried struct {
	Before, After *authz.Policy
	// Ops are what would be written of the rest: accounts among them.
	Ops []table.Op
}

// Error says that nothing was changed.
func (t *Tried) Error() string { return "policy: the change was tried, and not made" }

// Change makes a change of the policy and stores it with the rest of what prepare
// returns, in one transaction. When another change of the policy came between,
// prepare is called again with the newer one. In a dry run it fails with *Tried
// instead of storing anything: see decision 17.
func (s *Service) Change(ctx context.Context, by authz.Allowed, prepare func(*Edit) (table.Change, error)) error {
	for range repeats {
		e, err := s.edit(ctx, by)
		if err != nil {
			return err
		}
		c, err := prepare(e)
		if err != nil {
			return err
		}
		ops, err := e.ops()
		if err != nil {
			return err
		}
		if by.Principal().Request.DryRun {
			return &Tried{Before: e.Before, After: e.After(), Ops: c.Ops}
		}
		if len(c.Events) == 0 { // nothing is to be changed
			return nil
		}
		c.Ops = append(c.Ops, ops...)
		if err = s.store.Commit(ctx, by, c); !errors.Is(err, ErrMoved) {
			return err
		}
	}
	return table.ErrTryAgain
}

// edit begins an edit of the policy that a head names, under that very head:
// chunks of one version and a head of another would store what is not so.
func (s *Service) edit(ctx context.Context, by authz.Allowed) (*Edit, error) {
	at, _, err := s.store.One(ctx, by, HeadKey(by.Workspace()))
	if err != nil {
		return nil, err
	}
	h, err := s.at(ctx, by, at)
	if err != nil {
		return nil, err
	}
	return &Edit{
		Before: h.policy, ws: by.Workspace(), head: h.head, items: h.items,
		chunks: maps.Clone(h.chunks), touched: map[string]bool{},
	}, nil
}

// Actor returns who asks, under the policy that is changed.
func (e *Edit) Actor(by authz.Allowed) *authz.Principal {
	who := by.Principal()
	who.Policy = e.Before
	return &who
}

// Hold returns the operations that hold that the policy is still the one
// before; of use where the edit changes nothing of it.
func (e *Edit) Hold() []table.Op {
	if e.head.Version == 0 {
		return []table.Op{table.Absent(HeadKey(e.ws)).Else(ErrMoved)}
	}
	return []table.Op{table.Unchanged(e.head).Else(ErrMoved)}
}

// After returns the policy as it is with the edit.
func (e *Edit) After() *authz.Policy { return joined(e.chunks) }

// chunk hands out the chunk of a row to be changed.
func (e *Edit) chunk(kind string, of id.UUID, change func(*authz.Chunk)) {
	name := chunkName(kind, of)
	c := e.chunks[name]
	change(&c)
	if e.chunks == nil {
		e.chunks = map[string]authz.Chunk{}
	}
	e.chunks[name] = c
	e.touched[name] = true
}

// without returns rows but one, in a slice of its own.
func without[T any](all []T, is func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(all), is)
}

// PutRole adds a role or replaces the one with its id.
func (e *Edit) PutRole(r authz.Role) {
	e.chunk(roles, r.ID, func(c *authz.Chunk) {
		c.Roles = append(without(c.Roles, func(o authz.Role) bool { return o.ID == r.ID }), r)
	})
}

// DropRole takes a role away, from groups too.
func (e *Edit) DropRole(of id.UUID) {
	e.chunk(roles, of, func(c *authz.Chunk) {
		c.Roles = without(c.Roles, func(o authz.Role) bool { return o.ID == of })
	})
	for _, g := range e.Before.Groups() {
		if slices.Contains(g.Roles, of) && e.room(groups, g.ID) {
			g.Roles = without(g.Roles, func(r id.UUID) bool { return r == of })
			e.PutGroup(g)
		}
	}
}

// PutGroup adds a group or replaces the one with its id.
func (e *Edit) PutGroup(g authz.Group) {
	e.chunk(groups, g.ID, func(c *authz.Chunk) {
		c.Groups = append(without(c.Groups, func(o authz.Group) bool { return o.ID == g.ID }), g)
	})
}

// DropGroup takes a group away with its assignments. What members hold of it
// means nothing from then on.
func (e *Edit) DropGroup(of id.UUID) {
	e.chunk(groups, of, func(c *authz.Chunk) {
		c.Groups = without(c.Groups, func(o authz.Group) bool { return o.ID == of })
	})
	e.DropSubject(of)
}

// DropSubject takes the assignments of a user or group away.
func (e *Edit) DropSubject(of id.UUID) {
	for _, a := range e.Before.AssignedTo(of) {
		e.DropAssignment(a.ID)
	}
}

// PutServer adds a server or replaces the one with its id.
func (e *Edit) PutServer(s authz.Server) {
	e.chunk(servers, s.ID, func(c *authz.Chunk) {
		c.Servers = append(without(c.Servers, func(o authz.Server) bool { return o.ID == s.ID }), s)
	})
}

// maxDropped bounds over how many chunks the taking away of a server or a role
// goes, so that it fits into one transaction: of 4 MB at most. What names it
// elsewhere stays and means nothing.
const maxDropped = 30

// room reports whether the chunk of a row may be written too.
func (e *Edit) room(kind string, of id.UUID) bool {
	return e.touched[chunkName(kind, of)] || len(e.touched) < maxDropped
}

// DropServer takes a server away, with its assignments and from groups. What
// names it in chunks beyond maxDropped stays and means nothing.
func (e *Edit) DropServer(of id.UUID) {
	e.chunk(servers, of, func(c *authz.Chunk) {
		c.Servers = without(c.Servers, func(o authz.Server) bool { return o.ID == of })
	})
	for _, a := range e.Before.Assignments() {
		if a.Server == of && e.room(assignments, a.ID) {
			e.DropAssignment(a.ID)
		}
	}
	for _, g := range e.Before.Groups() {
		if slices.Contains(g.Servers, of) && e.room(groups, g.ID) {
			g.Servers = without(g.Servers, func(s id.UUID) bool { return s == of })
			e.PutGroup(g)
		}
	}
}

// PutApplication adds an application or replaces the one with its id.
func (e *Edit) PutApplication(a authz.Application) {
	e.chunk(applications, a.ID, func(c *authz.Chunk) {
		c.Applications = append(without(c.Applications, func(o authz.Application) bool { return o.ID == a.ID }), a)
	})
}

// DropApplication takes an application away.
func (e *Edit) DropApplication(of id.UUID) {
	e.chunk(applications, of, func(c *authz.Chunk) {
		c.Applications = without(c.Applications, func(o authz.Application) bool { return o.ID == of })
	})
}

// PutAssignment adds an assignment or replaces the one with its id.
func (e *Edit) PutAssignment(a authz.Assignment) {
	e.chunk(assignments, a.ID, func(c *authz.Chunk) {
		c.Assignments = append(without(c.Assignments, func(o authz.Assignment) bool { return o.ID == a.ID }), a)
	})
}

// DropAssignment takes an assignment away.
func (e *Edit) DropAssignment(of id.UUID) {
	e.chunk(assignments, of, func(c *authz.Chunk) {
		c.Assignments = without(c.Assignments, func(o authz.Assignment) bool { return o.ID == of })
	})
}

// ops returns the operations that write the edit; none when nothing was
// changed.
func (e *Edit) ops() ([]table.Op, error) {
	if len(e.touched) == 0 {
		return nil, nil
	}
	next := head{Chunks: map[string]uint64{}}
	for name, item := range e.items {
		next.Chunks[name] = item.Version
	}
	ops := make([]table.Op, 0, len(e.touched)+1)
	for _, name := range slices.Sorted(maps.Keys(e.touched)) {
		c := e.chunks[name]
		stored := c.Append(nil)
		if len(stored) > maxChunk {
			return nil, ErrLarge
		}
		op := table.Insert(chunkKey(e.ws, name), table.Raw(stored))
		if item, ok := e.items[name]; ok {
			op = table.Replace(item, table.Raw(stored))
		}
		next.Chunks[name] = e.items[name].Version + 1
		ops = append(ops, op.Else(ErrMoved))
	}
	op := table.Insert(HeadKey(e.ws), next)
	if e.head.Version > 0 {
		op = table.Replace(e.head, next)
	}
	return append(ops, op.Else(ErrMoved)), nil
}
