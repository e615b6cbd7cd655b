package authz

import (
	"time"

	"paddock/shared/id"
	"paddock/shared/permission"
)

// A Hold is one thing that opens a server to somebody.
type Hold struct {
	Reason      Reason
	Permissions permission.Set // of those that open servers
	Until       time.Time      // zero: no end
}

// A Reached is one server that somebody reaches, or one of those who reach a
// server, with everything that opens it.
type Reached struct {
	Server id.UUID
	Who    id.UUID
	Holds  []Hold
}

// WhoReaches returns who of these people may access a server at now, and why.
func WhoReaches(server Object, people []*Principal, now time.Time) []Reached {
	var out []Reached
	for _, p := range people {
		if May(p, permission.AccessServer, server, now) {
			out = append(out, Reached{server.ID, p.ID.UUID(), p.holdsOf(server, now)})
		}
	}
	return out
}

// Reach says why p may access the servers at these places of Policy.Servers; the
// places of all are p.Servers(permission.AccessServer, now), of which callers
// take a page.
func (p *Principal) Reach(at []int, now time.Time) []Reached {
	out := make([]Reached, 0, len(at))
	for _, i := range at {
		s := p.Policy.Servers()[i].Object()
		out = append(out, Reached{s.ID, p.ID.UUID(), p.holdsOf(s, now)})
	}
	return out
}

// holdsOf returns everything that opens a server to p at now.
func (p *Principal) holdsOf(o Object, now time.Time) []Hold {
	var out []Hold
	add := func(u unit) bool {
		if set := u.set.Intersect(accessRights); !set.Empty() && u.live(now, now) && u.reaches(o) {
			out = append(out, Hold{u.reason, set, u.until})
		}
		return true
	}
	p.each(add)
	if reason, ok := p.owns(permission.AccessServer, o); ok {
		add(unit{set: accessRights, everywhere: true, reason: reason})
	}
	return out
}
