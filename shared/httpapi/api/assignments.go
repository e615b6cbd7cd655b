package api

import (
	"net/http"
	"slices"
	"time"

	"paddock/shared/authz"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/pattern"
	"paddock/shared/permission"
	"paddock/shared/policy"
	"paddock/shared/server"
	"paddock/shared/table"
)

func (f *Face) assignmentBindings() []*httpapi.Binding {
	return []*httpapi.Binding{
		httpapi.Answer(http.MethodGet, "/api/servers/assignments/", http.StatusOK, f.serverAssignments).Summed("List the assignments of servers that the caller may see."),
		httpapi.Create(http.MethodPost, "/api/servers/assignments/", http.StatusCreated, f.assign).Summed("Give a person or a group a server, or all whose name a pattern matches.").
			Refuses(&server.ErrAssigned, &server.ErrEqual, &server.ErrAccess, &server.ErrUntil, &server.ErrNoServer, &server.ErrGroup, &identity.ErrPerson, &errPattern, &policy.ErrLarge, new(policy.Limit("assignments", "")), &authz.ErrCeiling),
		httpapi.Answer(http.MethodDelete, "/api/servers/assignments/{id}/", http.StatusNoContent, f.unassign).Summed("Take an assignment of servers away.").
			Refuses(&server.ErrNoAssignment, &authz.ErrCeiling),
	}
}

// AssignmentDocument is who is given which servers.
type AssignmentDocument struct {
	ID id.ID[id.Assignment] `json:"id"`
	// User or Group is who is given them, Server or Pattern what is given; the
	// others are null.
	User        *Brief         `json:"user" jsonschema:"nullable"`
	Group       *GroupBrief    `json:"group" jsonschema:"nullable"`
	Server      *ServerBrief   `json:"server" jsonschema:"nullable"`
	Pattern     *string        `json:"pattern" jsonschema:"nullable"`
	Permissions AccessDocument `json:"permissions"`
	// ExpiresAt is the instant at which it ends; null: never.
	ExpiresAt *time.Time `json:"expires_at" jsonschema:"nullable"`
	AddedAt   time.Time  `json:"added_at"`
}

// AssignmentsQuery narrows the list of assignments, by ids.
type AssignmentsQuery struct {
	// Server narrows to what is of this server, by itself or by a pattern.
	Server *string `query:"server,omitempty"`
	// User and Group narrow to what they are given themselves.
	User  *string `query:"user,omitempty"`
	Group *string `query:"group,omitempty"`
	httpapi.PageQuery
}

func (f *Face) serverAssignments(c httpapi.Call, in AssignmentsQuery) (httpapi.Page[AssignmentDocument], error) {
	who, now := c.Principal(), c.Now()
	var seen []authz.Assignment
	for _, a := range c.Who.Policy.Assignments() {
		if server.Live(a, now) && in.asks(c.Who.Policy, a) && server.MaySee(&who, a, now) {
			seen = append(seen, a)
		}
	}
	slices.SortFunc(seen, func(a, b authz.Assignment) int { return server.Newest(a.ID, b.ID) })
	page := httpapi.Cut(seen, in.Window(), func(a authz.Assignment) authz.Assignment { return a })
	out := httpapi.Page[AssignmentDocument]{Count: page.Count, Current: page.Current, Next: page.Next, Previous: page.Previous, Last: page.Last}
	var err error
	out.Results, err = f.assignmentDocuments(c, page.Results)
	return out, err
}

func (in AssignmentsQuery) asks(p *authz.Policy, a authz.Assignment) bool {
	if in.User != nil && (a.Group || a.Subject.String() != *in.User) || in.Group != nil && (!a.Group || a.Subject.String() != *in.Group) {
		return false
	}
	if in.Server == nil || a.Server.String() == *in.Server {
		return true
	}
	of, err := id.ParseUUID(*in.Server)
	s, _, ok := p.Server(of)
	return err == nil && ok && a.Name.Match(s.Name)
}

func (f *Face) assignmentDocuments(c httpapi.Call, all []authz.Assignment) ([]AssignmentDocument, error) {
	var people []id.UUID
	for _, a := range all {
		if !a.Group {
			people = append(people, a.Subject)
		}
	}
	named, err := f.namesFor(c, people)
	if err != nil {
		return nil, err
	}
	out := make([]AssignmentDocument, 0, len(all))
	for _, a := range all {
		d := AssignmentDocument{ID: id.Of[id.Assignment](a.ID), Permissions: accessDocument(a.Access), AddedAt: a.ID.Time()}
		if g, ok := c.Who.Policy.Group(a.Subject); a.Group && ok {
			d.Group = &GroupBrief{ID: id.Of[id.Group](g.ID), Name: g.Name}
		} else {
			user := named(a.Subject)
			d.User = &user
		}
		if s, _, ok := c.Who.Policy.Server(a.Server); ok {
			d.Server = &ServerBrief{ID: s.ID.String(), Name: s.Name}
		} else {
			text := a.Name.String()
			d.Pattern = &text
		}
		if !a.Until.IsZero() {
			d.ExpiresAt = &a.Until
		}
		out = append(out, d)
	}
	return out, nil
}

// NewAssignment gives a user or a group a server or a pattern.
type NewAssignment struct {
	// User, Username or Group is who is given them. Username matches exactly, also
	// an e-mail address: who runs a server need not see the list of people.
	User     *id.ID[id.Principal] `json:"user,omitempty"`
	Username *string              `json:"username,omitempty" jsonschema:"maxLength=254"`
	Group    *id.ID[id.Group]     `json:"group,omitempty"`
	// Server or Pattern is what is given.
	Server *id.ID[id.Server] `json:"server,omitempty"`
	// Pattern is a pattern of server names: * stands for any characters.
	Pattern *string `json:"pattern,omitempty"`
	// Permissions default to terminal and webftp.
	Permissions *AccessDocument `json:"permissions,omitempty"`
	// ExpiresAt is the instant at which it ends by itself.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

func (in NewAssignment) assignment() (authz.Assignment, error) {
	a := authz.Assignment{Access: usual}
	if in.User != nil && in.Username != nil || (in.User == nil && in.Username == nil) == (in.Group == nil) || (in.Server == nil) == (in.Pattern == nil) {
		return a, server.ErrAssigned
	}
	switch {
	case in.User != nil:
		a.Subject = in.User.UUID()
	case in.Group != nil:
		a.Subject, a.Group = in.Group.UUID(), true
	}
	if in.Permissions != nil {
		a.Access = accessOf(*in.Permissions)
	}
	var err error
	if a.Until, err = endOf(in.ExpiresAt); err != nil {
		return a, err
	}
	if in.Server != nil {
		a.Server = in.Server.UUID()
		return a, nil
	}
	if a.Name, err = pattern.Parse(pattern.Name, *in.Pattern); err != nil {
		return a, errPattern.In("pattern").Saying("The pattern " + quoted(*in.Pattern) + ": " + err.Error())
	}
	return a, nil
}

func (f *Face) assign(c httpapi.Call, in NewAssignment, keep httpapi.Keep[AssignmentDocument]) (AssignmentDocument, error) {
	a, err := in.assignment()
	if err != nil {
		return AssignmentDocument{}, err
	}
	allowed := c.Allowed
	if !a.Server.Zero() {
		o := authz.Object{ID: a.Server}
		if s, _, ok := c.Who.Policy.Server(a.Server); ok {
			o = s.Object()
		}
		if allowed, err = c.Decide(permission.CreateAssignment, o); err != nil {
			return AssignmentDocument{}, err
		}
	}
	if in.Username != nil {
		user, ok, err := f.people.Named(c.Context(), allowed, *in.Username)
		if err != nil {
			return AssignmentDocument{}, err
		}
		if !ok {
			return AssignmentDocument{}, identity.ErrPerson.In("user")
		}
		a.Subject = user.UUID()
	}
	var d AssignmentDocument
	_, err = f.servers.Assign(c.Context(), allowed, c.Who.UserItem, a, func(a authz.Assignment) ([]table.Op, error) {
		all, err := f.assignmentDocuments(c, []authz.Assignment{a})
		if err != nil {
			return nil, err
		}
		d = all[0]
		return keep(d)
	})
	return d, c.Ceiling(err)
}

func (f *Face) unassign(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	of, err := id.Parse[id.Assignment](c.PathValue("id"))
	a, there := server.Assignment(c.Who.Policy, of)
	who := c.Principal()
	if err != nil || !there || !server.Live(a, c.Now()) || !server.MaySee(&who, a, c.Now()) {
		if authz.May(&who, permission.ReadAssignment, authz.Object{}, c.Now()) {
			return httpapi.None{}, server.ErrNoAssignment
		}
		// Who may not see all is told nothing about one.
		return httpapi.None{}, c.Deny(permission.DeleteAssignment, server.ErrNoAssignment)
	}
	c.Used(permission.DeleteAssignment, a.Server)
	return httpapi.None{}, c.Ceiling(f.servers.Unassign(c.Context(), c.Allowed, c.Who.UserItem, of))
}
