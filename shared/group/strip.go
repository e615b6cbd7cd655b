package group

import (
	"slices"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/table"
)

// Batch is how many places are taken away in one transaction.
const Batch = 20

// PlacesOf returns the keys of what a workspace keeps of the first places of an
// account, at most Batch of them.
func PlacesOf(ws id.ID[id.Workspace], u identity.User) []table.Key {
	var keys []table.Key
	for _, m := range u.Memberships[:min(Batch, len(u.Memberships))] {
		keys = append(keys, PlaceKey(ws, m.ID), memberKey(ws, m.Group, u.ID), Key(ws, m.Group))
	}
	return keys
}

// Strip returns the change that takes the first places of an account away at
// now, which is about to go; read is what lies at PlacesOf. u is the account
// without them.
func Strip(by authz.Allowed, account table.Item, u identity.User, read []table.Item, now time.Time, event func(audit.Kind) audit.Event) (table.Change, identity.User, error) {
	n := min(Batch, len(u.Memberships))
	var c table.Change
	for _, m := range u.Memberships[:n] {
		g, ok := by.Principal().Policy.Group(m.Group.UUID())
		if !ok {
			g = &authz.Group{ID: m.Group.UUID()}
		}
		c.Events = append(c.Events, event(audit.GroupMemberRemoved).
			With(audit.ID("group_id", g.ID), audit.ID("subject", u.ID.UUID()), audit.Text("cause", "admin")).WithSubject(u.ID.UUID()).
			WithTarget(audit.Target{Type: "group", ID: g.ID, Name: g.Name}).WithChange("role", m.Role.String(), "").
			WithDescription("An account that is deleted left a group."))
	}
	for _, item := range read {
		if item.Key.SK != "group" {
			c.Ops = append(c.Ops, table.Remove(item).Else(table.ErrTryAgain))
			continue
		}
		g, err := Decode(item)
		if err != nil {
			return table.Change{}, u, err
		}
		at := slices.IndexFunc(u.Memberships, func(m identity.Membership) bool { return m.Group == g.ID })
		c.Ops = append(c.Ops, table.Replace(item, g.left(u.Memberships[at].Until, now)).Else(table.ErrTryAgain))
	}
	u.Memberships = u.Memberships[n:]
	c.Ops = append(c.Ops, identity.SaveUser(account, u).Else(table.ErrTryAgain))
	return c, u, nil
}
