package impact

import (
	"time"

	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/policy"
)

// Most is most, for its test.
var Most = most //nolint:gochecknoglobals // of tests

// Concerned returns whom a change concerns, of these: by themselves, by a group
// or by a role.
func Concerned(t *policy.Tried, people []*authz.Principal) map[id.UUID]bool {
	c := concernOf(t, time.Unix(0, 0))
	for _, a := range c.opened {
		if a.Group {
			c.groups.add(a.Subject)
		} else {
			c.people.add(a.Subject)
		}
	}
	out := map[id.UUID]bool{}
	for _, p := range people {
		in := c.people[p.ID.UUID()]
		for _, m := range p.Memberships {
			in = in || c.groups[m.Group]
		}
		for _, r := range p.Roles {
			in = in || c.roles[r.Role]
		}
		out[p.ID.UUID()] = in
	}
	return out
}
