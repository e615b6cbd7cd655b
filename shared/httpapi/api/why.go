package api

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"paddock/shared/activity"
	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
	"paddock/shared/server"
	"paddock/shared/session"
)

func (f *Face) whyBindings() []*httpapi.Binding {
	return []*httpapi.Binding{
		httpapi.Answer(http.MethodPost, "/api/iam/explain/", http.StatusOK, f.explain).
			Summed("Answer whether somebody may do something, and why, with the smallest change that would allow it.").
			Refuses(&errPermission, &errUserOf, &errApplicationOf, &errObject, &authz.ErrDenied, &activity.ErrQuestions),
		httpapi.Answer(http.MethodGet, "/api/iam/decisions/{id}/", http.StatusOK, f.decision).Summed("Show a decision that refused a request.").
			Refuses(&activity.ErrNoDecision),
		httpapi.Answer(http.MethodGet, "/api/iam/reach/", http.StatusOK, f.reach).Summed("List who reaches a server, or the servers that somebody reaches, and why.").
			Refuses(&errUserOf, &errServerOf, &errApplicationOf, &authz.ErrDenied, &activity.ErrQuestions),
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
