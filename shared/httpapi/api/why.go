package api

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"paddock/shared/activity"
	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/group"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
	"paddock/shared/server"
	"paddock/shared/session"
)

func (f *Face) whyBindings() []httpapi.Binding {
	return []httpapi.Binding{
		httpapi.Answer(http.MethodPost, "/api/iam/explain/", http.StatusOK, f.explain).
			Summed("Answer whether somebody may do something, and why, with the smallest change that would allow it.").
			Refuses(errPermission, errUserOf, errApplicationOf, errObject, authz.ErrDenied, activity.ErrQuestions),
		httpapi.Answer(http.MethodGet, "/api/iam/decisions/{id}/", http.StatusOK, f.decision).Summed("Show a decision that refused a request.").
			Refuses(activity.ErrNoDecision),
		httpapi.Answer(http.MethodGet, "/api/iam/reach/", http.StatusOK, f.reach).Summed("List who reaches a server, or the servers that somebody reaches, and why.").
			Refuses(errUserOf, errServerOf, errApplicationOf, authz.ErrDenied, activity.ErrQuestions),
	}
}

// Refusals of questions.
var (
	errUserOf   = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "There is no such user.", Source: "user"}
	errServerOf = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "There is no such server.", Source: "server"}
	errObject   = fault.Error{Kind: fault.Invalid, Code: "invalid_value", Detail: "There is no such object.", Source: "object"}
)

// ExplainRequest asks whether a user or an application may use a permission on an
// object.
type ExplainRequest struct {
	// User defaults to who asks.
	User *id.ID[id.Principal] `json:"user,omitempty"`
	// Application is asked about instead of a user: by its roles and scopes, which
	// each of its tokens narrows.
	Application *id.ID[id.Principal] `json:"application,omitempty"`
	Permission  string               `json:"permission"`
	// Object is the id of a server, group, application or user; without it: all
	// objects.
	Object *string `json:"object,omitempty"`
}

// ExplainAnswer says whether and why.
type ExplainAnswer struct {
	Allowed bool `json:"allowed"`
	// Reason is what allows; empty for a refusal.
	Reason string `json:"reason"`
	// FailingCondition is the first condition that fails; empty when allowed.
	FailingCondition string             `json:"failing_condition"`
	Grants           []ExaminedDocument `json:"grants"`
	// Step is the smallest change that would allow; null when none would, or it
	// is allowed.
	Step *StepDocument `json:"step" jsonschema:"nullable"`
}

// Through is what gives permissions, and the names of what it speaks of.
type Through struct {
	Reason string `json:"reason"`
	// Role is the name of a custom role, Group of the group through which it
	// comes, Pattern of the servers that are assigned; each empty for none.
	Role    string `json:"role"`
	Group   string `json:"group"`
	Pattern string `json:"pattern"`
}

// ExaminedDocument is one thing that gives permissions, held against a question.
type ExaminedDocument struct {
	Through

	Allows bool `json:"allows"`
	// Miss is why it does not allow: its permissions, its objects, its time.
	Miss string `json:"miss"`
	// ExpiresAt is when it ends; null: never.
	ExpiresAt *time.Time `json:"expires_at" jsonschema:"nullable"`
}

// StepDocument is a change that would allow, and who may make it.
type StepDocument struct {
	Kind        string `json:"kind"`
	Group       string `json:"group"`
	MemberRole  string `json:"member_role"`
	Server      string `json:"server"`
	Permissions string `json:"permissions"`
	Role        string `json:"role"`
	RoleSetting string `json:"role_setting"`
	// MakersCount is how many were found who may make it, of superusers and
	// those who run what it is about; Makers are the first of them.
	MakersCount int     `json:"makers_count"`
	Makers      []Brief `json:"makers"`
}

// maxMakers is how many people an answer names.
const maxMakers = 20

func (f *Face) explain(c httpapi.Call, in ExplainRequest) (ExplainAnswer, error) {
	what, err := permission.Parse(in.Permission)
	if err != nil {
		return ExplainAnswer{}, errPermission.In("permission").Saying("There is no permission " + quoted(in.Permission) + ".")
	}
	who, beyond, err := f.askedOf(c, in, what)
	if err != nil {
		return ExplainAnswer{}, err
	}
	o, err := f.asked(c, in.Object)
	if err != nil {
		return ExplainAnswer{}, err
	}
	out, err := f.explanation(c, &who, beyond, what, o)
	if err != nil {
		return ExplainAnswer{}, err
	}
	return out, f.activity.Explained(c.Context(), c.Allowed, id.UUID{}, effect(out.Allowed))
}

// explanation answers whether somebody may use a permission on an object, and
// why; beyond is why not, whatever roles give, "" for nothing. Each is counted as a
// question of the caller's.
func (f *Face) explanation(c httpapi.Call, who *authz.Principal, beyond string, what permission.Permission, o authz.Object) (ExplainAnswer, error) {
	if err := f.activity.Ask(c.Context(), c.Allowed); err != nil {
		return ExplainAnswer{}, err
	}
	e := authz.Explain(who, what, o, c.Now())
	if beyond != "" { // whatever the roles give
		e.Allowed, e.Failing, e.Step = false, beyond, nil
	}
	out := ExplainAnswer{Allowed: e.Allowed, FailingCondition: e.Failing, Grants: []ExaminedDocument{}}
	if e.Allowed {
		out.Reason = e.Reason.String()
	}
	for _, g := range e.Grants {
		d := ExaminedDocument{Through: through(who.Policy, g.Reason), Allows: g.Miss == 0}
		if g.Miss != 0 {
			d.Miss = g.Miss.String()
		}
		if !g.Until.IsZero() {
			d.ExpiresAt = &g.Until
		}
		out.Grants = append(out.Grants, d)
	}
	if e.Step != nil {
		var err error
		if out.Step, err = f.step(c, *e.Step, who); err != nil {
			return ExplainAnswer{}, err
		}
	}
	return out, nil
}

// through names what a reason speaks of. Whose reason it is knows what they
// have; of others it is told with policy:read.
func through(p *authz.Policy, r authz.Reason) Through {
	t := Through{Reason: r.String()}
	group := r.Group
	switch r.What {
	case "role":
		if one, ok := p.Role(r.Of); ok {
			t.Role = one.Name
		}
	case "group", "servers of group":
		group = r.Of
	case "assignment":
		if a, ok := server.Assignment(p, id.Of[id.Assignment](r.Of)); ok && a.Server.Zero() {
			t.Pattern = a.Name.String()
		}
	}
	if g, ok := p.Group(group); ok {
		t.Group = g.Name
	}
	return t
}

func effect(allowed bool) string {
	if allowed {
		return "allow"
	}
	return "deny"
}

// principal returns a user as decisions see them.
func (f *Face) principal(c httpapi.Call, of id.ID[id.Principal]) (authz.Principal, error) {
	users, err := f.people.Users(c.Context(), c.Allowed, []id.ID[id.Principal]{of})
	if err != nil {
		return authz.Principal{}, err
	}
	if len(users) == 0 {
		return authz.Principal{}, errUserOf
	}
	return principalOf(c, users[0]), nil
}

func principalOf(c httpapi.Call, u identity.User) authz.Principal {
	p := session.PrincipalOf(c.Who.Workspace.ID, u, audit.Source{})
	p.Policy = c.Who.Policy
	return p
}

// asked returns the object that a question names, of what the caller may see.
func (f *Face) asked(c httpapi.Call, named *string) (authz.Object, error) {
	if named == nil {
		return authz.Object{}, nil
	}
	of, err := id.ParseUUID(*named)
	if err != nil {
		return authz.Object{}, errObject
	}
	who, now := c.Principal(), c.Now()
	if s, _, ok := c.Who.Policy.Server(of); ok && authz.May(&who, permission.ReadServer, s.Object(), now) {
		return s.Object(), nil
	}
	if g, ok := c.Who.Policy.Group(of); ok {
		if o := (authz.Object{ID: g.ID, Name: g.Name}); authz.May(&who, permission.ReadGroup, o, now) {
			return o, nil
		}
	}
	if a, ok := c.Who.Policy.Application(of); ok && authz.May(&who, permission.ReadApplication, a.Object(), now) {
		apps, err := f.apps.Some(c.Context(), c.Allowed, []id.UUID{of})
		if err != nil || len(apps) == 0 {
			return authz.Object{}, cmp.Or(err, error(errObject))
		}
		return apps[0].Object(c.Who.Workspace.ID, c.Who.Policy), nil
	}
	users, err := f.people.Users(c.Context(), c.Allowed, []id.ID[id.Principal]{id.Of[id.Principal](of)})
	if err != nil {
		return authz.Object{}, err
	}
	if len(users) == 1 {
		account := principalOf(c, users[0])
		o := authz.Object{ID: of, Owner: of, Name: users[0].Username, Account: &account}
		if authz.May(&who, permission.ReadUser, o, now) {
			return o, nil
		}
	}
	return authz.Object{}, errObject
}

// step returns a step with who may make it.
func (f *Face) step(c httpapi.Call, s authz.Step, subject *authz.Principal) (*StepDocument, error) {
	d := &StepDocument{Kind: s.Kind.String(), Makers: []Brief{}}
	var candidates []id.ID[id.Principal]
	if g, ok := c.Who.Policy.Group(s.Group); ok {
		d.Group, d.MemberRole = g.Name, s.Member.String()
		members, err := f.groups.Members(c.Context(), c.Allowed, id.Of[id.Group](g.ID), 0)
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			if m.Role != authz.GroupMember {
				candidates = append(candidates, m.User)
			}
		}
	}
	if row, _, ok := c.Who.Policy.Server(s.Server); ok {
		d.Server, d.Permissions = row.Name, s.Access.String()
		for _, u := range append([]id.UUID{row.Owner}, row.Managers...) {
			candidates = append(candidates, id.Of[id.Principal](u))
		}
	}
	if r, ok := c.Who.Policy.Role(s.Role); ok {
		d.Role = r.Name
	}
	if a, ok := c.Who.Policy.Application(s.Subject); ok {
		for _, u := range append([]id.UUID{a.Owner}, a.Managers...) {
			candidates = append(candidates, id.Of[id.Principal](u))
		}
	}
	if s.Kind == authz.SetRoleSetting {
		d.RoleSetting = s.Setting.String()
	}
	superusers, err := f.people.Superusers(c.Context(), c.Allowed)
	if err != nil {
		return nil, err
	}
	makers, err := f.accounts(c, append(candidates, superusers...))
	if err != nil {
		return nil, err
	}
	for _, u := range makers {
		p := principalOf(c, u)
		if u.Disabled || authz.MayMake(&p, s, subject, c.Now()) != nil {
			continue
		}
		if d.MakersCount++; len(d.Makers) < maxMakers {
			d.Makers = append(d.Makers, Brief{ID: u.ID, Name: u.DisplayName(), Email: u.Email})
		}
	}
	if who := c.Principal(); !authz.May(&who, permission.ReadPolicy, authz.Object{}, c.Now()) {
		d.veil(&who, s, c)
	}
	return d, nil
}

// veil takes from a step what the caller does not see otherwise: names of groups
// and roles, and addresses.
func (d *StepDocument) veil(who *authz.Principal, s authz.Step, c httpapi.Call) {
	if d.Group != "" && !authz.May(who, permission.ReadGroup, authz.Object{ID: s.Group, Name: d.Group}, c.Now()) {
		d.Group = ""
	}
	d.Role = ""
	for i := range d.Makers {
		d.Makers[i].Email = ""
	}
}

// accounts returns accounts, each once, in the order asked.
func (f *Face) accounts(c httpapi.Call, ids []id.ID[id.Principal]) ([]identity.User, error) {
	var once []id.ID[id.Principal]
	seen := map[id.ID[id.Principal]]bool{{}: true}
	for _, u := range ids {
		if !seen[u] {
			seen[u] = true
			once = append(once, u)
		}
	}
	var out []identity.User
	for some := range slices.Chunk(once, 100) {
		users, err := f.people.Users(c.Context(), c.Allowed, some)
		if err != nil {
			return nil, err
		}
		out = append(out, users...)
	}
	return out, nil
}

// DecisionDocument is a decision that refused a request.
type DecisionDocument struct {
	ID               string    `json:"id"`
	At               time.Time `json:"at"`
	Actor            string    `json:"actor"`
	Permission       string    `json:"permission"`
	FailingCondition string    `json:"failing_condition"`
	ErrorCode        string    `json:"error_code"`
	Method           string    `json:"method"`
	Route            string    `json:"route"`
	// Object is the id of what was asked for; empty for none.
	Object string `json:"object"`
	// Explanation says how it would be decided now; null for what the caller may
	// not ask, or does not see.
	Explanation *ExplainAnswer `json:"explanation" jsonschema:"nullable"`
}

func (f *Face) decision(c httpapi.Call, _ httpapi.None) (DecisionDocument, error) {
	of, err := id.ParseUUID(c.PathValue("id"))
	if err != nil {
		return DecisionDocument{}, activity.ErrNoDecision
	}
	who := c.Principal()
	e, err := f.activity.Decision(c.Context(), c.Allowed, of, authz.May(&who, permission.ReadAudit, authz.Object{}, c.Now()))
	if err != nil {
		return DecisionDocument{}, err
	}
	d := DecisionDocument{ID: of.String(), At: e.Time, Actor: e.Actor.ID.String(), FailingCondition: e.Decision.FailingCondition, Method: e.HTTP.Method, Route: e.HTTP.Route}
	for _, field := range e.Fields {
		switch field.Name() {
		case "permission":
			d.Permission = field.Text()
		case "error_code":
			d.ErrorCode = field.Text()
		case "object":
			d.Object = field.Text()
		}
	}
	if d.Explanation, err = f.decidedNow(c, d, e.Actor.ID); err != nil {
		return DecisionDocument{}, err
	}
	return d, f.activity.Explained(c.Context(), c.Allowed, of, "deny")
}

// decidedNow explains the question of a decision as it stands now. It is nil
// where explain would refuse it.
func (f *Face) decidedNow(c httpapi.Call, d DecisionDocument, actor id.UUID) (*ExplainAnswer, error) {
	what, err := permission.Parse(d.Permission)
	if err != nil {
		return nil, nil //nolint:nilerr // it was about none
	}
	who := c.Principal()
	if actor != c.Who.User.ID.UUID() {
		if !authz.May(&who, permission.ReadPolicy, authz.Object{}, c.Now()) {
			return nil, nil // not the caller's business
		}
		who, err = f.principal(c, id.Of[id.Principal](actor))
	}
	var o authz.Object
	if err == nil && d.Object != "" {
		o, err = f.asked(c, &d.Object)
	}
	if errors.Is(err, errUserOf) || errors.Is(err, errObject) {
		return nil, nil // gone, or not theirs to see
	}
	if err != nil {
		return nil, err
	}
	now, err := f.explanation(c, &who, "", what, o)
	if refusal, ok := errors.AsType[fault.Error](err); ok && refusal.Code == activity.ErrQuestions.Code {
		return nil, nil //nolint:nilnil // the decision itself may be read
	}
	return &now, err
}

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
