package group

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/policy"
	"paddock/shared/table"
)

// A Joining is somebody who shall come into a group.
type Joining struct {
	Group id.ID[id.Group]
	User  id.ID[id.Principal]
	Role  authz.MemberRole
	Until time.Time // exclusive; zero: no end
}

// Add puts somebody into a group, in as many writes whatever the group gives and
// whoever is in it. It counts as handing out all of that: the actor must hold it
// for as long.
func (s *Service) Add(ctx context.Context, by authz.Allowed, actor table.Item, j Joining) (Place, error) {
	made, err := s.store.NewID()
	if err != nil {
		return Place{}, err
	}
	now := s.store.Now()
	if !j.Until.IsZero() && !now.Before(j.Until) {
		return Place{}, ErrUntil
	}
	p := Place{ID: id.Of[id.Membership](made), Group: j.Group, User: j.User, Role: j.Role, Until: j.Until, AddedAt: now}
	ws := by.Workspace()
	err = s.policies.Change(ctx, by, func(e *policy.Edit) (table.Change, error) {
		row, ok := e.Before.Group(j.Group.UUID())
		if !ok {
			return table.Change{}, ErrNoGroup
		}
		// Who may not put anybody there learns nothing of who there is.
		if err := authz.MayJoin(e.Actor(by), p.held(), now); err != nil {
			return table.Change{}, err
		}
		item, u, gone, err := s.account(ctx, by, e.Before, j.User, j.Group)
		if err != nil {
			return table.Change{}, err
		}
		if slices.ContainsFunc(u.Memberships, func(m identity.Membership) bool { return m.Group == j.Group }) {
			return table.Change{}, ErrMember
		}
		if len(u.Memberships) >= identity.MaxMemberships {
			return table.Change{}, ErrManyGroups
		}
		u.Memberships = append(slices.Clone(u.Memberships), identity.Membership{ID: p.ID, Group: p.Group, Role: p.Role, Until: p.Until})
		ev := s.abouts(by, audit.GroupMemberAdded, row, p, "Somebody came into a group.").
			With(audit.Text("member_role", p.Role.String())).WithChange("role", "", p.Role.String())
		if !p.Until.IsZero() {
			ev = ev.With(audit.Instant("expires_at", p.Until))
		}
		placed, err := s.placed(ctx, by, p)
		if err != nil {
			return table.Change{}, err
		}
		in, g, err := s.current(ctx, by, Key(ws, p.Group))
		if err != nil {
			return table.Change{}, err
		}
		if g, err = g.joined(p.Until, now); err != nil {
			return table.Change{}, err
		}
		placed = append(placed, counted(in, g))
		ops := append(append(e.Hold(), placed...), table.Insert(PlaceKey(ws, p.ID), p).Else(table.ErrTryAgain))
		ended, err := s.collect(ctx, by, e, u, gone, j.Group)
		return table.Change{
			Events: append([]audit.Event{ev}, ended.Events...),
			Ops:    slices.Concat(ops, ended.Ops, identity.SaveBy(actor, item, u)),
		}, err
	})
	return p, err
}

// placed returns the operations that list a place in its group, in the place of
// one that has ended.
func (s *Service) placed(ctx context.Context, by authz.Allowed, p Place) ([]table.Op, error) {
	ws := by.Workspace()
	listed, ok, err := s.store.One(ctx, by, memberKey(ws, p.Group, p.User))
	if err != nil {
		return nil, err
	}
	if !ok {
		return []table.Op{table.Insert(memberKey(ws, p.Group, p.User), p).Else(ErrMember)}, nil
	}
	was, err := DecodePlace(listed)
	if err != nil {
		return nil, err
	}
	if was.Live(s.store.Now()) {
		return nil, ErrMember
	}
	ops := []table.Op{table.Replace(listed, p).Else(table.ErrTryAgain)}
	old, ok, err := s.store.One(ctx, by, PlaceKey(ws, was.ID))
	if ok {
		ops = append(ops, table.Remove(old).Else(table.ErrTryAgain))
	}
	return ops, err
}

func (p Place) held() authz.Membership {
	return authz.Membership{ID: p.ID.UUID(), Group: p.Group.UUID(), Role: p.Role, Until: p.Until}
}

// account returns an account without some of its places that have ended or are in
// groups that are gone, and those; see stale.
func (s *Service) account(ctx context.Context, by authz.Allowed, p *authz.Policy, of id.ID[id.Principal], in id.ID[id.Group]) (table.Item, identity.User, []identity.Membership, error) {
	item, ok, err := s.store.One(ctx, by, identity.UserKey(by.Workspace(), of))
	if err != nil {
		return table.Item{}, identity.User{}, nil, err
	}
	if !ok {
		return table.Item{}, identity.User{}, nil, ErrNoUser
	}
	u, err := identity.DecodeUser(item)
	gone := stale(u, p, in, s.store.Now())
	u.Memberships = slices.DeleteFunc(slices.Clone(u.Memberships), func(m identity.Membership) bool {
		return slices.ContainsFunc(gone, func(g identity.Membership) bool { return g.ID == m.ID })
	})
	return item, u, gone, err
}

func (s *Service) abouts(by authz.Allowed, kind audit.Kind, g *authz.Group, p Place, text string) audit.Event {
	return by.Event(kind, s.store.Now()).With(audit.ID("group_id", g.ID), audit.ID("subject", p.User.UUID())).WithSubject(p.User.UUID()).
		WithTarget(audit.Target{Type: "group", ID: g.ID, Name: g.Name}).WithDescription(text)
}

// A PlaceChange is what shall be different of a place; nil: as it is. An end of
// zero takes the end away.
type PlaceChange struct {
	Role  *authz.MemberRole
	Until *time.Time
}

// Change changes what somebody is in a group, or until when. The actor must
// hold what the place gave and what it will give.
func (s *Service) Change(ctx context.Context, by authz.Allowed, actor, item table.Item, c PlaceChange) (Place, error) {
	was, err := DecodePlace(item)
	if err != nil {
		return Place{}, err
	}
	p, now := was, s.store.Now()
	if c.Role != nil {
		p.Role = *c.Role
	}
	if c.Until != nil {
		p.Until = *c.Until
	}
	if p == was {
		return p, nil
	}
	if !p.Until.IsZero() && !now.Before(p.Until) {
		return Place{}, ErrUntil
	}
	return p, s.replace(ctx, by, actor, item, was, &p)
}

// Remove takes somebody out of a group: at their next request they have nothing
// by it. Who is more in the group than the actor stays; one's own place anyone
// may leave.
func (s *Service) Remove(ctx context.Context, by authz.Allowed, actor, item table.Item) error {
	was, err := DecodePlace(item)
	if err != nil {
		return err
	}
	return s.replace(ctx, by, actor, item, was, nil)
}

// replace writes a changed place, or takes it away.
func (s *Service) replace(ctx context.Context, by authz.Allowed, asker, item table.Item, was Place, next *Place) error {
	ws, now := by.Workspace(), s.store.Now()
	return s.policies.Change(ctx, by, func(e *policy.Edit) (table.Change, error) {
		row, ok := e.Before.Group(was.Group.UUID())
		if !ok || !was.Live(now) {
			return table.Change{}, ErrNoPlace
		}
		account, u, gone, err := s.account(ctx, by, e.Before, was.User, id.ID[id.Group]{})
		if err != nil {
			return table.Change{}, err
		}
		listed, ok, err := s.store.One(ctx, by, memberKey(ws, was.Group, was.User))
		if err != nil || !ok {
			return table.Change{}, cmp.Or(err, error(ErrNoPlace))
		}
		actor := e.Actor(by)
		if next == nil {
			err = authz.MayLeave(actor, was.User.UUID(), was.held(), now)
		} else {
			err = authz.MayChangeMembership(actor, was.held(), next.held(), now)
		}
		if err != nil {
			return table.Change{}, err
		}
		at := slices.IndexFunc(u.Memberships, func(m identity.Membership) bool { return m.ID == was.ID })
		if at < 0 {
			return table.Change{}, ErrNoPlace
		}
		in, g, err := s.current(ctx, by, Key(ws, was.Group))
		if err != nil {
			return table.Change{}, err
		}
		g = g.left(was.Until, now)
		if next != nil {
			if g, err = g.joined(next.Until, now); err != nil {
				return table.Change{}, err
			}
		}
		change := table.Change{Ops: append(e.Hold(), counted(in, g))}
		if next == nil {
			u.Memberships = slices.Delete(u.Memberships, at, at+1)
			change.Events = append(change.Events, s.left(by, row, was))
			change.Ops = append(change.Ops, table.Remove(item).Else(table.ErrTryAgain), table.Remove(listed).Else(table.ErrTryAgain))
		} else {
			u.Memberships[at].Role, u.Memberships[at].Until = next.Role, next.Until
			change.Events = append(change.Events, s.moved(by, row, was, *next))
			change.Ops = append(change.Ops, table.Replace(item, *next).Else(table.ErrTryAgain), table.Replace(listed, *next).Else(table.ErrTryAgain))
		}
		ended, err := s.collect(ctx, by, e, u, gone, id.ID[id.Group]{})
		change.Events = append(change.Events, ended.Events...)
		change.Ops = slices.Concat(change.Ops, ended.Ops, identity.SaveBy(asker, account, u))
		return change, err
	})
}

func (s *Service) left(by authz.Allowed, g *authz.Group, was Place) audit.Event {
	cause := "admin"
	if by.Principal().ID == was.User {
		cause = "self"
	}
	return s.abouts(by, audit.GroupMemberRemoved, g, was, "Somebody left a group, or was taken out of it.").
		With(audit.Text("cause", cause)).WithChange("role", was.Role.String(), "")
}

func (s *Service) moved(by authz.Allowed, g *authz.Group, was, next Place) audit.Event {
	e := s.abouts(by, audit.GroupMemberUpdated, g, was, "A place in a group was changed.")
	if was.Role != next.Role {
		e = e.WithChange("role", was.Role.String(), next.Role.String())
	}
	if !was.Until.Equal(next.Until) {
		e = e.WithChange("expires_at", instant(was.Until), instant(next.Until))
	}
	return e
}

func instant(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Format(time.RFC3339)
}

// Members returns the places of a group that have not ended, at most limit (0:
// all).
func (s *Service) Members(ctx context.Context, by authz.Allowed, of id.ID[id.Group], limit int) ([]Place, error) {
	items, err := s.store.Query(ctx, by, table.Query{Key: Key(by.Workspace(), of), Prefix: memberPrefix, Limit: limit})
	if err != nil {
		return nil, err
	}
	now := s.store.Now()
	var out []Place
	for _, item := range items {
		p, err := DecodePlace(item)
		if err != nil {
			return nil, err
		}
		if p.Live(now) {
			out = append(out, p)
		}
	}
	return out, nil
}

// Of returns the places of a user that have not ended; none of nobody.
func (s *Service) Of(ctx context.Context, by authz.Allowed, user id.ID[id.Principal]) ([]Place, error) {
	item, ok, err := s.store.One(ctx, by, identity.UserKey(by.Workspace(), user))
	if err != nil || !ok {
		return nil, err
	}
	u, err := identity.DecodeUser(item)
	if err != nil || len(u.Memberships) == 0 {
		return nil, err
	}
	keys := make([]table.Key, len(u.Memberships))
	for i, m := range u.Memberships {
		keys[i] = PlaceKey(by.Workspace(), m.ID)
	}
	items, err := s.store.Read(ctx, by, keys...)
	if err != nil {
		return nil, err
	}
	now := s.store.Now()
	var out []Place
	for _, item := range items {
		p, err := DecodePlace(item)
		if err != nil {
			return nil, err
		}
		if p.Live(now) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b Place) int { return strings.Compare(a.ID.String(), b.ID.String()) })
	return out, nil
}
