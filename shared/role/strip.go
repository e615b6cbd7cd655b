package role

import (
	"paddock/shared/audit"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/table"
)

// batch is how many roles are taken away in one transaction.
const batch = 20

// KeptOf returns the keys of what a workspace keeps of the first roles of an
// account, and how many roles that are.
func KeptOf(ws id.ID[id.Workspace], u identity.User) (keys []table.Key, n int) {
	n = min(batch, len(u.Roles))
	for _, r := range u.Roles[:n] {
		keys = append(keys, AssignmentKey(ws, r.ID), holderKey(ws, Assignment{Role: r.Role, User: u.ID}))
	}
	return keys, n
}

// Strip returns the change that takes the first n roles of an account away,
// which is about to go; read is what lies at KeptOf. It returns the account
// without them too.
func Strip(account table.Item, u identity.User, n int, read []table.Item, event func(audit.Kind) audit.Event) (table.Change, identity.User) {
	var c table.Change
	for _, r := range u.Roles[:n] {
		c.Events = append(c.Events, event(audit.RoleUnassigned).
			With(audit.ID("subject", u.ID.UUID()), audit.Text("role_id", r.Role.String()), audit.Text("cause", "admin")).WithSubject(u.ID.UUID()).
			WithTarget(audit.Target{Type: "role", ID: r.Role.UUID()}).WithDescription("An account that is deleted lost a role."))
	}
	for _, item := range read {
		c.Ops = append(c.Ops, table.Remove(item).Else(table.ErrTryAgain))
	}
	u.Roles = u.Roles[n:]
	c.Ops = append(c.Ops, identity.SaveUser(account, u).Else(table.ErrTryAgain))
	return c, u
}
