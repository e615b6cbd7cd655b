package httpapi

import (
	"fmt"
	"net/http"

	"paddock/shared/application"
	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/group"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/role"
	"paddock/shared/route"
	"paddock/shared/server"
	"paddock/shared/session"
	"paddock/shared/table"
)

// A thing says where what a path names lies, and what it is for a
// decision. Every such item carries what a rule may ask, so that there is never
// a second read.
type thing struct {
	key    func(ws id.ID[id.Workspace], of id.UUID) table.Key
	object func(c *Call, item table.Item) (authz.Object, error)
}

// things are the kinds of things that paths name.
var things = map[route.Object]thing{
	route.User: {
		key: func(ws id.ID[id.Workspace], of id.UUID) table.Key {
			return identity.UserKey(ws, id.Of[id.Principal](of))
		},
		object: userObject,
	},
	route.Group: {
		key: func(ws id.ID[id.Workspace], of id.UUID) table.Key { return group.Key(ws, id.Of[id.Group](of)) },
		object: func(c *Call, item table.Item) (authz.Object, error) {
			g, err := group.Decode(item)
			return c.groupObject(g.ID), err
		},
	},
	route.Membership: {
		key: func(ws id.ID[id.Workspace], of id.UUID) table.Key {
			return group.PlaceKey(ws, id.Of[id.Membership](of))
		},
		object: func(c *Call, item table.Item) (authz.Object, error) {
			m, err := group.DecodePlace(item)
			o := c.groupObject(m.Group)
			o.Owner = m.User.UUID()
			return o, err
		},
	},
	route.Role: {
		key: func(ws id.ID[id.Workspace], of id.UUID) table.Key { return role.Key(ws, id.Of[id.Role](of)) },
		object: func(c *Call, item table.Item) (authz.Object, error) {
			r, err := role.Decode(item)
			return roleObject(c, r.ID.UUID()), err
		},
	},
	route.RoleAssignment: {
		key: func(ws id.ID[id.Workspace], of id.UUID) table.Key {
			return role.AssignmentKey(ws, id.Of[id.RoleAssignment](of))
		},
		object: func(c *Call, item table.Item) (authz.Object, error) {
			a, err := role.DecodeAssignment(item)
			return roleObject(c, a.Role.UUID()), err
		},
	},
	route.Server: {
		key: func(ws id.ID[id.Workspace], of id.UUID) table.Key { return server.Key(ws, id.Of[id.Server](of)) },
		object: func(c *Call, item table.Item) (authz.Object, error) {
			s, err := server.Decode(item)
			return c.serverObject(s.ID), err
		},
	},
	route.Registration: {
		key: func(ws id.ID[id.Workspace], _ id.UUID) table.Key { return server.TokensKey(ws) },
		object: func(c *Call, item table.Item) (authz.Object, error) {
			all, err := server.DecodeTokens(item)
			for _, t := range all {
				if t.ID.String() == c.PathValue("id") {
					return authz.Object{ID: t.ID.UUID(), Name: t.Name}, err
				}
			}
			return authz.Object{}, err
		},
	},
	route.Application: {
		key: func(ws id.ID[id.Workspace], of id.UUID) table.Key {
			return application.Key(ws, id.Of[id.Principal](of))
		},
		object: func(c *Call, item table.Item) (authz.Object, error) {
			a, err := application.Decode(item)
			return a.Object(c.Who.Workspace.ID, c.Who.Policy), err
		},
	},
	route.Note: {
		key: func(ws id.ID[id.Workspace], of id.UUID) table.Key { return server.NoteKey(ws, id.Of[id.Note](of)) },
		object: func(c *Call, item table.Item) (authz.Object, error) {
			n, err := server.DecodeNote(item)
			if !n.Visible(c.Who.User.ID) {
				return authz.Object{}, err
			}
			return c.serverObject(n.Server), err
		},
	},
}

// roleObject returns a role as object: what is asked of it is asked of all.
func roleObject(c *Call, of id.UUID) authz.Object {
	r, ok := c.Who.Policy.Role(of)
	if !ok {
		return authz.Object{}
	}
	return authz.Object{ID: r.ID, Name: r.Name}
}

func userObject(c *Call, item table.Item) (authz.Object, error) {
	u, err := identity.DecodeUser(item)
	if err != nil {
		return authz.Object{}, err
	}
	account := session.PrincipalOf(c.Who.Workspace.ID, u, audit.Source{})
	account.Policy = c.Who.Policy
	return authz.Object{ID: u.ID.UUID(), Owner: u.ID.UUID(), Name: u.Username, Account: &account}, nil
}

// groupObject returns a group as object: the zero Object when it is gone.
func (c *Call) groupObject(of id.ID[id.Group]) authz.Object {
	g, ok := c.Who.Policy.Group(of.UUID())
	if !ok {
		return authz.Object{}
	}
	return authz.Object{ID: g.ID, Name: g.Name}
}

// serverObject returns a server as object: the zero Object when it is gone.
func (c *Call) serverObject(of id.ID[id.Server]) authz.Object {
	s, _, ok := c.Who.Policy.Server(of.UUID())
	if !ok {
		return authz.Object{}
	}
	return s.Object()
}

// Item returns the stored item of what the path names.
func (c Call) Item() (table.Item, error) {
	kind, ok := things[c.row.Rule.On]
	of, err := id.ParseUUID(c.PathValue("id"))
	if !ok || err != nil {
		return table.Item{}, errNotFound
	}
	key := kind.key(c.Who.Workspace.ID, of)
	for _, item := range c.Who.Objects {
		if item.Key == key {
			return item, nil
		}
	}
	return table.Item{}, errNotFound
}

// Named returns the account that the path names, with its item.
func (c Call) Named() (identity.User, table.Item, error) {
	item, err := c.Item()
	if err != nil {
		return identity.User{}, table.Item{}, err
	}
	u, err := identity.DecodeUser(item)
	return u, item, err
}

// pathID returns the id that the path names, zero for none.
func pathID(c *Call) id.UUID {
	of, err := id.ParseUUID(c.PathValue("id"))
	if err != nil {
		return id.UUID{}
	}
	return of
}

// objectOf returns the key of the object that the path names.
func objectOf(r *http.Request, row route.Row) func(id.ID[id.Workspace], id.ID[id.Principal]) []table.Key {
	kind, ok := things[row.Rule.On]
	of, err := id.ParseUUID(r.PathValue("id"))
	if row.Rule.Form != route.Path || !ok || err != nil {
		return nil
	}
	return func(ws id.ID[id.Workspace], _ id.ID[id.Principal]) []table.Key {
		return []table.Key{kind.key(ws, of)}
	}
}

// object returns what the rule is asked about.
func (a *App) object(call *Call, row route.Row) (authz.Object, error) {
	switch row.Rule.Form {
	case route.Self:
		return authz.Object{ID: call.Who.User.ID.UUID()}, nil
	case route.Path:
		item, err := call.Item()
		if err != nil {
			return authz.Object{}, err
		}
		o, err := things[row.Rule.On].object(call, item)
		if err == nil && o.ID.Zero() {
			err = errNotFound
		}
		return o, err
	case route.Public, route.Everywhere, route.Body, route.List:
		return authz.Object{}, nil
	}
	return authz.Object{}, fmt.Errorf("httpapi: rule form %d", row.Rule.Form)
}
