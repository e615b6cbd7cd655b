package api

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"paddock/shared/authz"
	"paddock/shared/group"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
)

// ReachQuery names a server, a user or an application; without any it is of the
// caller.
type ReachQuery struct {
	Server      *string `query:"server,omitempty"`
	User        *string `query:"user,omitempty"`
	Application *string `query:"application,omitempty"`
	httpapi.PageQuery
}

// ReachRow is one server that somebody reaches, or one who reaches a server: a
// user, or an application by those of its tokens that have a rule of the server.
type ReachRow struct {
	Server      ServerName        `json:"server"`
	User        *Brief            `json:"user" jsonschema:"nullable"`
	Application *ApplicationBrief `json:"application" jsonschema:"nullable"`
	Grants      []HoldDocument    `json:"grants"`
}

// ServerName names a server.
type ServerName struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// HoldDocument is one thing that opens a server to somebody.
type HoldDocument struct {
	Through

	Permissions []string `json:"permissions"`
	// ExpiresAt is when it ends; null: never.
	ExpiresAt *time.Time `json:"expires_at" jsonschema:"nullable"`
}

func (f *Face) reach(c httpapi.Call, in ReachQuery) (httpapi.Page[ReachRow], error) {
	if err := f.activity.Ask(c.Context(), c.Allowed); err != nil {
		return httpapi.Page[ReachRow]{}, err
	}
	if in.Server != nil {
		return f.reachOf(c, *in.Server, in.Window())
	}
	if in.Application != nil {
		return f.reachOfApplication(c, *in.Application, in.Window())
	}
	who, u := c.Principal(), c.Who.User
	if in.User != nil && *in.User != u.ID.String() {
		if _, err := c.Decide(permission.ReadPolicy, authz.Object{}); err != nil {
			return httpapi.Page[ReachRow]{}, err
		}
		of, err := id.Parse[id.Principal](*in.User)
		if err != nil {
			return httpapi.Page[ReachRow]{}, errUserOf
		}
		users, err := f.people.Users(c.Context(), c.Allowed, []id.ID[id.Principal]{of})
		if err != nil || len(users) == 0 {
			return httpapi.Page[ReachRow]{}, cmp.Or(err, error(errUserOf))
		}
		u = users[0]
		who = principalOf(c, u)
	}
	return reached(c, &who, in.Window(), func(r ReachRow) ReachRow { return r.of(u) }), nil
}

// reached returns a page of the servers that somebody reaches, by name.
func reached(c httpapi.Call, who *authz.Principal, w httpapi.Window, of func(ReachRow) ReachRow) httpapi.Page[ReachRow] {
	places := who.Servers(permission.AccessServer, c.Now())
	servers := c.Who.Policy.Servers()
	slices.SortFunc(places, func(a, b int) int { return strings.Compare(servers[a].Name, servers[b].Name) })
	cut := httpapi.Cut(places, w, func(at int) int { return at })
	page := httpapi.Page[ReachRow]{Count: cut.Count, Current: cut.Current, Next: cut.Next, Previous: cut.Previous, Last: cut.Last, Results: []ReachRow{}}
	for _, r := range who.Reach(cut.Results, c.Now()) {
		page.Results = append(page.Results, of(reachRow(c.Who.Policy, r)))
	}
	return page
}

func reachRow(p *authz.Policy, r authz.Reached) ReachRow {
	row := ReachRow{Grants: []HoldDocument{}}
	if s, _, ok := p.Server(r.Server); ok {
		row.Server = ServerName{ID: s.ID.String(), Name: s.Name}
	}
	for _, h := range r.Holds {
		d := HoldDocument{Through: through(p, h.Reason), Permissions: permissionTexts(h.Permissions)}
		if !h.Until.IsZero() {
			d.ExpiresAt = &h.Until
		}
		row.Grants = append(row.Grants, d)
	}
	return row
}

// reachOf lists who reaches a server: of whoever has an assignment, is in a
// group that has one or a role that opens it, has such a role, or runs it.
func (f *Face) reachOf(c httpapi.Call, named string, w httpapi.Window) (httpapi.Page[ReachRow], error) {
	var none httpapi.Page[ReachRow]
	if _, err := c.Decide(permission.ReadPolicy, authz.Object{}); err != nil {
		return none, err
	}
	of, err := id.ParseUUID(named)
	s, _, ok := c.Who.Policy.Server(of)
	if err != nil || !ok {
		return none, errServerOf
	}
	candidates, automata, err := f.mayReach(c, *s)
	if err != nil {
		return none, err
	}
	users, err := f.accounts(c, candidates)
	if err != nil {
		return none, err
	}
	users = slices.DeleteFunc(users, func(u identity.User) bool { return u.Disabled })
	people := make([]*authz.Principal, len(users))
	byID := map[id.UUID]identity.User{}
	for i, u := range users {
		p := principalOf(c, u)
		people[i], byID[u.ID.UUID()] = &p, u
	}
	apps, names, err := f.reaching(c, automata)
	if err != nil {
		return none, err
	}
	people = slices.Concat(people, apps)
	for of, u := range byID {
		names[of] = u.DisplayName()
	}
	all := authz.WhoReaches(s.Object(), people, c.Now())
	slices.SortFunc(all, func(a, b authz.Reached) int {
		return cmp.Or(strings.Compare(names[a.Who], names[b.Who]), strings.Compare(a.Who.String(), b.Who.String()))
	})
	return httpapi.Cut(all, w, func(r authz.Reached) ReachRow {
		if u, ok := byID[r.Who]; ok {
			return reachRow(c.Who.Policy, r).of(u)
		}
		return reachRow(c.Who.Policy, r).by(id.Of[id.Principal](r.Who), names[r.Who])
	}), nil
}

// mayReach returns everybody and every application that could reach a server, and
// more.
func (f *Face) mayReach(c httpapi.Call, s authz.Server) (out []id.ID[id.Principal], automata []id.UUID, err error) {
	policy := c.Who.Policy
	out = []id.ID[id.Principal]{id.Of[id.Principal](s.Owner)}
	for _, m := range s.Managers {
		out = append(out, id.Of[id.Principal](m))
	}
	for _, a := range policy.Assignments() {
		if !a.Group && (a.Server == s.ID || a.Server.Zero() && a.Name.Match(s.Name)) {
			out = append(out, id.Of[id.Principal](a.Subject))
		}
	}
	anybody := authz.Principal{Workspace: c.Who.Workspace.ID, ID: id.Of[id.Principal](id.UUID{15: 1}), Policy: policy}
	var groups []id.ID[id.Group]
	for _, g := range policy.Groups() {
		anybody.Memberships = []authz.Membership{{Group: g.ID, Role: authz.GroupMember}}
		if authz.May(&anybody, permission.AccessServer, s.Object(), c.Now()) {
			groups = append(groups, id.Of[id.Group](g.ID))
		}
	}
	members, err := each(groups, func(g id.ID[id.Group]) ([]group.Place, error) { return f.groups.Members(c.Context(), c.Allowed, g, 0) })
	if err != nil {
		return nil, nil, err
	}
	for _, m := range slices.Concat(members...) {
		out = append(out, m.User)
	}
	for _, r := range policy.Roles() {
		if !r.Permissions.Has(permission.AccessServer) || !r.Scope.Holds(s.Object()) {
			continue
		}
		holders, err := f.roles.Holders(c.Context(), c.Allowed, id.Of[id.Role](r.ID), 0)
		if err != nil {
			return nil, nil, err
		}
		for _, h := range holders {
			if h.Application.Zero() {
				out = append(out, h.User)
			} else if !slices.Contains(automata, h.Application.UUID()) {
				automata = append(automata, h.Application.UUID())
			}
		}
	}
	return out, automata, nil
}
