package impact

import (
	"maps"
	"slices"
	"time"

	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/permission"
	"paddock/shared/policy"
	"paddock/shared/server"
)

// A sight is what somebody may see of a change. Who may read the policy sees
// what everybody has with it and without it. Others learn of people what the
// change itself gives and takes, and not what they have besides: of those whom
// they see in a list anyway. See decision 17.
type sight struct {
	who authz.Principal
	now time.Time
	// whole is the sight of who may read the policy.
	whole bool
	// hidden is set when somebody may be concerned who is not to be seen: a name may
	// be in patterns that are not, whether or not it is.
	hidden bool
	// groups and roles are those whose lists are seen; named are the people in
	// them, and who is named by the change.
	groups, roles, named set
}

func sightOf(who authz.Principal, t *policy.Tried, c *concern, now time.Time) *sight {
	who.Policy = t.Before
	s := &sight{who: who, now: now, groups: set{}, roles: set{}, named: set{}, hidden: c.renamed, whole: authz.May(&who, permission.ReadPolicy, authz.Object{}, now)}
	for of := range c.people { // the change names them
		s.named.add(of)
	}
	for of, a := range c.opened {
		switch seen := server.MaySee(&who, a, now); {
		case !seen && !s.whole:
			delete(c.opened, of)
			s.hidden = true
		case a.Group:
			c.groups.add(a.Subject)
		default:
			c.people.add(a.Subject)
			if seen {
				s.named.add(a.Subject)
			}
		}
	}
	for of := range c.groups {
		if name, ok := nameOf(t, of); ok && authz.May(&who, permission.ReadMembership, authz.Object{ID: of, Name: name}, now) {
			s.groups.add(of)
		} else {
			s.hidden = true
		}
	}
	if authz.May(&who, permission.ReadRoleAssignment, authz.Object{}, now) {
		s.roles = c.roles
	} else if len(c.roles) > 0 {
		s.hidden = true
	}
	if len(c.roles)+len(c.apps) > 0 { // applications may have them
		s.hidden = true
	}
	return s
}

// nameOf returns the name of a group of either side.
func nameOf(t *policy.Tried, of id.UUID) (string, bool) {
	for _, p := range []*authz.Policy{t.Before, t.After} {
		if g, ok := p.Group(of); ok {
			return g.Name, true
		}
	}
	return "", false
}

// policy returns what of a policy counts in this sight: all, or what the change
// is about.
func (s *sight) policy(p *authz.Policy, c *concern, joins set) *authz.Policy {
	if s.whole {
		return p
	}
	var kept authz.Chunk
	roles := maps.Clone(s.roles)
	for _, g := range p.Groups() {
		if !s.groups[g.ID] && !joins[g.ID] {
			kept.Groups = append(kept.Groups, authz.Group{ID: g.ID, Name: g.Name})
			continue
		}
		for _, of := range g.Roles {
			if !roles[of] && s.holds(p, of) {
				roles.add(of)
			}
		}
		kept.Groups = append(kept.Groups, g)
	}
	for _, r := range p.Roles() { // a role that is not kept gives nothing
		if roles[r.ID] {
			kept.Roles = append(kept.Roles, r)
		}
	}
	for _, row := range p.Servers() {
		if !c.runs[row.ID] {
			row.Owner, row.Managers = id.UUID{}, nil
		}
		kept.Servers = append(kept.Servers, row)
	}
	for _, a := range p.Assignments() {
		if _, opened := c.opened[a.ID]; opened || c.grants[a.ID] {
			kept.Assignments = append(kept.Assignments, a)
		}
	}
	for _, a := range p.Applications() {
		a.Owner, a.Managers = id.UUID{}, nil
		kept.Applications = append(kept.Applications, a)
	}
	return kept.Policy()
}

// holds reports whether who asks has all that a role permits.
func (s *sight) holds(p *authz.Policy, of id.UUID) bool {
	r, ok := p.Role(of)
	if !ok {
		return false
	}
	_, lacks := s.who.Lacks(authz.RoleGift(*r, time.Time{}), s.now)
	return !lacks
}

// principal returns what of an account counts in this sight.
func (s *sight) principal(p authz.Principal, joins set) authz.Principal {
	if s.whole {
		return p
	}
	return authz.Principal{
		Workspace: p.Workspace, ID: p.ID, Role: authz.Member, Policy: p.Policy,
		Roles:       slices.DeleteFunc(slices.Clone(p.Roles), func(r authz.RoleAssignment) bool { return !s.roles[r.Role] }),
		Memberships: slices.DeleteFunc(slices.Clone(p.Memberships), func(m authz.Membership) bool { return !s.groups[m.Group] && !joins[m.Group] }),
	}
}
