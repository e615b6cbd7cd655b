package authz

import (
	"time"

	"paddock/shared/id"
	"paddock/shared/permission"
)

// A Miss says why something that gives permissions does not give the one that is
// asked.
type Miss uint8

// The misses, in the order in which they are found.
const (
	OtherPermission Miss = iota + 1
	OtherObject
	NotYet
	Ended
)

// Misses lists them.
var Misses = []Miss{OtherPermission, OtherObject, NotYet, Ended}

// String returns the miss's name on the wire.
func (m Miss) String() string {
	switch m {
	case OtherPermission:
		return "other_permission"
	case OtherObject:
		return "other_object"
	case NotYet:
		return "not_yet"
	case Ended:
		return "ended"
	}
	return "unknown"
}

// An Examined is one thing that gives permissions, held against a question.
type Examined struct {
	Reason      Reason
	Permissions permission.Set
	From, Until time.Time // [From, Until); a zero Until has no end
	Miss        Miss      // zero when it allows
}

// An Explanation says why somebody may or may not do something.
type Explanation struct {
	Allowed bool
	Reason  Reason // of what is allowed: as the decision names it
	Failing string // the first condition that fails, as the decision names it
	Grants  []Examined
	// Step is the smallest change of the alphabet (see steps) that would allow:
	// of those that do the one that newly allows the fewest pairs of permission
	// and object, then the first in the order. Nil when none does.
	Step *Step
}

// Explain answers whether p may use the permission on the object at now, and
// why. One step is enough if any number is: what somebody holds comes from one
// thing each, and who may not touch an account for what it holds may as a
// superuser.
func Explain(p *Principal, what permission.Permission, object Object, now time.Time) Explanation {
	reason, failing := judge(p, what, object, now)
	out := Explanation{Allowed: failing == "", Reason: reason, Failing: condition(failing, what)}
	examine := func(u unit) bool {
		out.Grants = append(out.Grants, Examined{u.reason, u.set, u.from, u.until, u.miss(what, object, now)})
		return true
	}
	p.each(examine)
	if reason, ok := p.owns(what, object); ok {
		examine(unit{set: permission.SetOf(what), everywhere: true, reason: reason})
	}
	if !out.Allowed && !p.ID.Zero() && !p.Workspace.Zero() {
		out.Step = p.smallest(what, object, failing == noGrant, now)
	}
	return out
}

// condition returns a condition that fails as decisions name it.
func condition(failing string, what permission.Permission) string {
	if failing == noGrant || failing == greater {
		return failing + " " + what.String()
	}
	return failing
}

// miss says why u does not give the permission on the object at now; zero when
// it does.
func (u *unit) miss(what permission.Permission, o Object, now time.Time) Miss {
	switch {
	case !u.set.Has(what) || u.only != none && u.only != kindOf(what.Resource):
		return OtherPermission
	case !u.reaches(o):
		return OtherObject
	case now.Before(u.from):
		return NotYet
	case !live(u.until, now):
		return Ended
	}
	return 0
}

// smallest returns the step that allows the act and newly allows least beside.
// What p does not hold yet, the step itself must give.
func (p *Principal) smallest(what permission.Permission, object Object, lacks bool, now time.Time) *Step {
	var best *Step
	held := p.Effective(now)
	others := p.Policy.others()
	if k := kindOf(what.Resource); k != none && !object.Everywhere() && p.Policy.kind(object.ID) == none {
		others = append(others, known{object, k})
	}
	had := make(map[id.UUID]permission.Set, len(others))
	for _, o := range others {
		had[o.ID] = held.on(o)
	}
	p.steps(what, object, now, func(s Step) {
		alone := s.Apply(Principal{Workspace: p.Workspace, ID: p.ID, Policy: p.Policy})
		if _, failing := alone.held(what, object, now, now); lacks && failing != "" {
			return
		}
		after := s.Apply(*p)
		if _, failing := judge(&after, what, object, now); failing != "" {
			return
		}
		s.New = held.news(p.Policy, alone.Effective(now), others, had)
		if best == nil || s.New < best.New {
			best = &s
		}
	})
	return best
}
