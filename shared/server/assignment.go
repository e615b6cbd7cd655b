package server

import (
	"context"
	"slices"
	"strings"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/pattern"
	"paddock/shared/permission"
	"paddock/shared/policy"
	"paddock/shared/table"
)

// maxSwept is how many assignments that have ended are collected with each new
// one. They mean nothing: no event tells of it.
const maxSwept = 8

// Assign gives a user or a group servers until an end, with the id that it
// makes. The actor must be allowed to assign all of them for as long. An equal
// assignment is ErrEqual: two would have to be taken away. keep returns what is
// stored beside it.
func (s *Service) Assign(ctx context.Context, by authz.Allowed, actor table.Item, a authz.Assignment, keep func(authz.Assignment) ([]table.Op, error)) (authz.Assignment, error) {
	now := s.store.Now()
	if a.Server.Zero() == (a.Name.Kind() == 0) || a.Subject.Zero() {
		return a, ErrAssigned
	}
	if a.Access == 0 {
		return a, ErrAccess
	}
	if !a.Until.IsZero() && !now.Before(a.Until) {
		return a, ErrUntil
	}
	var err error
	if a.ID, err = s.store.NewID(); err != nil {
		return a, err
	}
	err = s.policies.Change(ctx, by, func(e *policy.Edit) (table.Change, error) {
		who := by.Principal()
		who.Policy = e.Before
		if err := authz.MayAssign(&who, a, now); err != nil {
			return table.Change{}, err
		}
		ops := []table.Op{table.Unchanged(actor).Else(table.ErrTryAgain)}
		if _, _, ok := e.Before.Server(a.Server); !ok && !a.Server.Zero() {
			return table.Change{}, ErrNoServer
		}
		if a.Group {
			if _, ok := e.Before.Group(a.Subject); !ok {
				return table.Change{}, ErrGroup.In("group")
			}
		} else {
			item, err := identity.Active(ctx, s.store, by, a.Subject, "user")
			if err != nil {
				return table.Change{}, err
			}
			if item.Key != actor.Key {
				ops = append(ops, table.Unchanged(item).Else(table.ErrTryAgain))
			}
		}
		if slices.ContainsFunc(e.Before.AssignedTo(a.Subject), func(o authz.Assignment) bool { return Live(o, now) && equal(o, a) }) {
			return table.Change{}, ErrEqual
		}
		if len(e.Before.Assignments())-sweep(e, now) >= policy.MaxAssignments {
			return table.Change{}, policy.Limit("assignments", "10,000 assignments")
		}
		e.PutAssignment(a)
		ev := s.aboutAssignment(by, audit.ServerAssigned, e.Before, a, "Servers were assigned.").With(audit.Number("matched_n", int64(matched(e.Before, a))))
		kept, err := keep(a)
		if err != nil {
			return table.Change{}, err
		}
		return table.Change{Events: []audit.Event{ev}, Ops: append(kept, ops...)}, nil
	})
	return a, err
}

// equal reports whether two assignments give the same to the same until the same.
func equal(a, b authz.Assignment) bool {
	return a.Subject == b.Subject && a.Group == b.Group && a.Server == b.Server && a.Name.String() == b.Name.String() && a.Access == b.Access && a.Until.Equal(b.Until)
}

// sweep takes some assignments away that have ended, and returns how many.
func sweep(e *policy.Edit, now time.Time) int {
	n := 0
	for _, a := range e.Before.Assignments() {
		if n < maxSwept && !Live(a, now) {
			e.DropAssignment(a.ID)
			n++
		}
	}
	return n
}

// Live reports whether an assignment has not ended at now.
func Live(a authz.Assignment, now time.Time) bool { return a.Until.IsZero() || now.Before(a.Until) }

// matched returns how many servers an assignment is of.
func matched(p *authz.Policy, a authz.Assignment) int {
	if !a.Server.Zero() {
		return 1
	}
	n := 0
	for _, s := range p.Servers() {
		if a.Name.Match(s.Name) {
			n++
		}
	}
	return n
}

// Unassign takes an assignment away: at the next request it gives nothing.
func (s *Service) Unassign(ctx context.Context, by authz.Allowed, actor table.Item, of id.ID[id.Assignment]) error {
	return s.policies.Change(ctx, by, func(e *policy.Edit) (table.Change, error) {
		a, ok := Assignment(e.Before, of)
		if !ok {
			return table.Change{}, ErrNoAssignment
		}
		who := by.Principal()
		who.Policy = e.Before
		if err := authz.MayUnassign(&who, a, s.store.Now()); err != nil {
			return table.Change{}, err
		}
		e.DropAssignment(a.ID)
		return table.Change{
			Events: []audit.Event{s.aboutAssignment(by, audit.ServerUnassigned, e.Before, a, "An assignment of servers was taken away.")},
			Ops:    []table.Op{table.Unchanged(actor).Else(table.ErrTryAgain)},
		}, nil
	})
}

// Assignment returns the assignment with this id.
func Assignment(p *authz.Policy, of id.ID[id.Assignment]) (authz.Assignment, bool) {
	all := p.Assignments()
	at := slices.IndexFunc(all, func(a authz.Assignment) bool { return a.ID == of.UUID() })
	if at < 0 {
		return authz.Assignment{}, false
	}
	return all[at], true
}

// MaySee reports whether p may read an assignment at now: on all that it is of.
func MaySee(p *authz.Principal, a authz.Assignment, now time.Time) bool {
	if !a.Server.Zero() {
		s, _, ok := p.Policy.Server(a.Server)
		return ok && authz.May(p, permission.ReadAssignment, s.Object(), now)
	}
	_, lacks := p.Lacks(authz.Gift{
		Permissions: permission.SetOf(permission.ReadAssignment), Scope: authz.Scope{Names: []pattern.Pattern{a.Name}}, Until: now.Add(time.Nanosecond),
	}, now)
	return !lacks
}

func (s *Service) aboutAssignment(by authz.Allowed, kind audit.Kind, p *authz.Policy, a authz.Assignment, text string) audit.Event {
	e := by.Event(kind, s.store.Now()).With(audit.ID("assignment_id", a.ID), audit.ID("subject", a.Subject), audit.Text("permissions", a.Access.String())).
		WithSubject(a.Subject).WithDescription(text)
	if !a.Until.IsZero() {
		e = e.With(audit.Instant("expires_at", a.Until))
	}
	if a.Server.Zero() {
		return e.With(audit.Text("pattern", a.Name.String())).WithTarget(audit.Target{Type: "pattern", Name: a.Name.String()})
	}
	target := audit.Target{Type: "server", ID: a.Server}
	if row, _, ok := p.Server(a.Server); ok {
		target.Name = row.Name
	}
	return e.With(audit.ID("server_id", a.Server)).WithTarget(target)
}

// Newest orders what has time-sortable ids, the newest first.
func Newest(a, b id.UUID) int { return strings.Compare(string(b[:]), string(a[:])) }
