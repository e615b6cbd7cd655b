package api

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"paddock/shared/authz"
	"paddock/shared/group"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
)

// Membership is a person's place in a group. Source: alpacon-wire 3.3; the end
// is ours.
type Membership struct {
	ID        id.ID[id.Membership] `json:"id"`
	Group     id.ID[id.Group]      `json:"group"`
	GroupName string               `json:"group_name"`
	User      Brief                `json:"user"`
	Role      authz.MemberRole     `json:"role"`
	// ExpiresAt is the instant at which the membership ends; null: never.
	ExpiresAt *time.Time `json:"expires_at" jsonschema:"nullable"`
	AddedAt   time.Time  `json:"added_at"`
	// Allowed are membership:update and membership:delete, as far as the caller may
	// change the place or end it.
	Allowed []string `json:"allowed"`
}

// maxUnpaged is how many memberships are answered without a page.
const maxUnpaged = 1_000

// Memberships is a page of memberships, or all of them: the envelope depends
// on whether a page was asked for, and more than maxUnpaged always come as one.
// Source: alpacon-wire 3.3.
type Memberships struct {
	page *httpapi.Page[Membership]
	all  []Membership
}

// MarshalJSON prints the page when there is one.
func (m Memberships) MarshalJSON() ([]byte, error) {
	if m.page != nil {
		return json.Marshal(m.page)
	}
	return json.Marshal(m.all)
}

// OneOf names the two forms for the description of the API.
func (Memberships) OneOf() []reflect.Type {
	return []reflect.Type{reflect.TypeFor[[]Membership](), reflect.TypeFor[httpapi.Page[Membership]]()}
}

// MembershipsQuery narrows the list of memberships; without either it is of the
// caller's own.
type MembershipsQuery struct {
	// Group and User narrow the list by id.
	Group *string `query:"group,omitempty"`
	User  *string `query:"user,omitempty"`
	httpapi.PageQuery
}

func (f *Face) memberships(c httpapi.Call, in MembershipsQuery) (Memberships, error) {
	places, err := f.places(c, in)
	if err != nil {
		return Memberships{}, err
	}
	window := in.Window()
	if !window.Asked && len(places) <= maxUnpaged {
		all, err := f.members(c, places)
		return Memberships{all: all}, err
	}
	cut := httpapi.Cut(places, window, func(p group.Place) group.Place { return p })
	page := httpapi.Page[Membership]{Count: cut.Count, Current: cut.Current, Next: cut.Next, Previous: cut.Previous, Last: cut.Last}
	page.Results, err = f.members(c, cut.Results)
	return Memberships{page: &page}, err
}

// places returns the places that are asked for and that the caller may see, in
// the order of their making. What does not exist has none.
func (f *Face) places(c httpapi.Call, in MembershipsQuery) ([]group.Place, error) {
	who, now := c.Principal(), c.Now()
	visible := func(p group.Place) bool {
		g, ok := c.Who.Policy.Group(p.Group.UUID())
		return ok && authz.May(&who, permission.ReadMembership, authz.Object{ID: g.ID, Name: g.Name, Owner: p.User.UUID()}, now)
	}
	var all []group.Place
	switch {
	case in.Group != nil:
		of, err := id.Parse[id.Group](*in.Group)
		if err != nil {
			return nil, nil //nolint:nilerr // what is no id names no group
		}
		if all, err = f.groups.Members(c.Context(), c.Allowed, of, 0); err != nil {
			return nil, err
		}
		if in.User != nil {
			all = slices.DeleteFunc(all, func(p group.Place) bool { return p.User.String() != *in.User })
		}
	default:
		of := c.Who.User.ID
		if in.User != nil {
			var err error
			if of, err = id.Parse[id.Principal](*in.User); err != nil {
				return nil, nil //nolint:nilerr // what is no id names nobody
			}
		}
		var err error
		if all, err = f.groups.Of(c.Context(), c.Allowed, of); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(all, func(p group.Place) bool { return !visible(p) }), nil
}

// members returns places as documents; of people who are gone, the id alone.
func (f *Face) members(c httpapi.Call, places []group.Place) ([]Membership, error) {
	people := map[id.ID[id.Principal]]identity.User{}
	for some := range slices.Chunk(places, 100) {
		var ids []id.ID[id.Principal]
		for _, p := range some {
			if _, asked := people[p.User]; !asked {
				people[p.User] = identity.User{ID: p.User}
				ids = append(ids, p.User)
			}
		}
		users, err := f.people.Users(c.Context(), c.Allowed, ids)
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			people[u.ID] = u
		}
	}
	out := make([]Membership, len(places))
	for i, p := range places {
		out[i] = membershipOf(c, p, people[p.User])
	}
	return out, nil
}

func membershipOf(c httpapi.Call, p group.Place, u identity.User) Membership {
	m := Membership{ID: p.ID, Group: p.Group, User: Brief{ID: u.ID, Name: u.DisplayName(), Email: u.Email}, Role: p.Role, AddedAt: p.AddedAt}
	if g, ok := c.Who.Policy.Group(p.Group.UUID()); ok {
		m.GroupName = g.Name
	}
	if !p.Until.IsZero() {
		m.ExpiresAt = &p.Until
	}
	m.Allowed = []string{}
	who, now := c.Principal(), c.Now()
	object := authz.Object{ID: p.Group.UUID(), Name: m.GroupName, Owner: p.User.UUID()}
	_, lacks := who.Lacks(authz.Standing(authz.Membership{Group: p.Group.UUID(), Role: p.Role, Until: p.Until}), now)
	for _, what := range []permission.Permission{permission.UpdateMembership, permission.DeleteMembership} {
		leaves := what == permission.DeleteMembership && p.User == c.Who.User.ID
		if (leaves || !lacks) && authz.May(&who, what, object, now) {
			m.Allowed = append(m.Allowed, what.String())
		}
	}
	return m
}

// one returns a place as document.
func (f *Face) one(c httpapi.Call, p group.Place) (Membership, error) {
	all, err := f.members(c, []group.Place{p})
	if err != nil || len(all) == 0 {
		return Membership{}, cmp.Or(err, error(group.ErrNoPlace))
	}
	return all[0], nil
}

// NewMembership puts somebody into a group. Source: alpacon-wire 3.3.
type NewMembership struct {
	Group id.ID[id.Group] `json:"group"`
	// User or Username names the person. Username matches exactly, also an e-mail
	// address: who runs a group need not see the list of people.
	User     *id.ID[id.Principal] `json:"user,omitempty"`
	Username *string              `json:"username,omitempty" jsonschema:"maxLength=254"`
	// Role is owner, manager or member.
	Role string `json:"role"`
	// ExpiresAt is the instant at which the membership ends by itself.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

func (f *Face) addMember(c httpapi.Call, in NewMembership) (Membership, error) {
	role, ok := authz.ParseMemberRole(in.Role)
	if !ok {
		return Membership{}, errMemberRole
	}
	o := authz.Object{ID: in.Group.UUID()}
	g, there := c.Who.Policy.Group(in.Group.UUID())
	if there {
		o.Name = g.Name
	}
	allowed, err := c.Decide(permission.CreateMembership, o)
	if err != nil {
		return Membership{}, err
	}
	if !there {
		return Membership{}, errGroup
	}
	user, err := f.named(c, allowed, in)
	if err != nil {
		return Membership{}, err
	}
	j := group.Joining{Group: in.Group, User: user, Role: role}
	if j.Until, err = endOf(in.ExpiresAt); err != nil {
		return Membership{}, err
	}
	p, err := f.groups.Add(c.Context(), allowed, c.Who.UserItem, j)
	if err != nil {
		return Membership{}, c.Ceiling(err)
	}
	return f.one(c, p)
}

// named returns who shall come into a group.
func (f *Face) named(c httpapi.Call, by authz.Allowed, in NewMembership) (id.ID[id.Principal], error) {
	if (in.User == nil) == (in.Username == nil) {
		return id.ID[id.Principal]{}, errOneUser
	}
	if in.User != nil {
		return *in.User, nil
	}
	user, ok, err := f.people.Named(c.Context(), by, *in.Username)
	if err == nil && !ok {
		err = group.ErrNoUser
	}
	return user, err
}

func (f *Face) showMember(c httpapi.Call, _ httpapi.None) (Membership, error) {
	item, err := c.Item()
	if err != nil {
		return Membership{}, err
	}
	p, err := group.DecodePlace(item)
	if err != nil {
		return Membership{}, err
	}
	return f.one(c, p)
}

// MembershipPatch is a change of a membership.
type MembershipPatch struct {
	Role *string `json:"role,omitempty"`
	// ExpiresAt is when the membership ends by itself; an empty text: never.
	ExpiresAt *string `json:"expires_at,omitempty"`
}

func (f *Face) patchMember(c httpapi.Call, in MembershipPatch) (Membership, error) {
	item, err := c.Item()
	if err != nil {
		return Membership{}, err
	}
	var change group.PlaceChange
	if in.Role != nil {
		role, ok := authz.ParseMemberRole(*in.Role)
		if !ok {
			return Membership{}, errMemberRole
		}
		change.Role = &role
	}
	if in.ExpiresAt != nil {
		var until time.Time
		if *in.ExpiresAt != "" {
			if until, err = time.Parse(time.RFC3339, *in.ExpiresAt); err != nil {
				return Membership{}, group.ErrUntil.Saying("An end is a time as in RFC 3339.")
			}
		}
		if *in.ExpiresAt != "" {
			if until, err = endOf(&until); err != nil {
				return Membership{}, err
			}
		}
		change.Until = &until
	}
	p, err := f.groups.Change(c.Context(), c.Allowed, c.Who.UserItem, item, change)
	if err != nil {
		return Membership{}, c.Ceiling(err)
	}
	return f.one(c, p)
}

func (f *Face) removeMember(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	item, err := c.Item()
	if err != nil {
		return httpapi.None{}, err
	}
	return httpapi.None{}, c.Ceiling(f.groups.Remove(c.Context(), c.Allowed, c.Who.UserItem, item))
}
