package token

import (
	"slices"
	"strings"

	"paddock/shared/authz"
	"paddock/shared/permission"
)

// Everything is the scope of full access: whatever the owner may, but for what
// no token may and what makes credentials.
const Everything = "*"

// A Level is a scope that stands for several permissions of a resource. Source:
// specification, "API tokens".
type Level string

// The levels. Reading is also the permission of that name.
const (
	Write Level = "write" // everything but deleting
	Owner Level = "owner" // everything
)

// Levels lists them.
var Levels = []Level{Write, Owner}

// holds returns what a level stands for on a resource.
func (l Level) holds(r permission.Resource) (s permission.Set) {
	for _, p := range permission.Catalogue {
		if p.Resource == r && (l == Owner || p.Action != permission.Delete) {
			s = s.Union(permission.SetOf(p))
		}
	}
	return s.Intersect(authz.Scopable())
}

// one returns what one scope stands for, nothing for what is none.
func one(text string) permission.Set {
	if text == Everything {
		return authz.FullAccess()
	}
	if p, err := permission.Parse(text); err == nil {
		return permission.SetOf(p).Intersect(authz.Scopable())
	}
	resource, level, _ := strings.Cut(text, ":")
	for _, r := range permission.Resources {
		if r.String() == resource && slices.Contains(Levels, Level(level)) {
			return Level(level).holds(r)
		}
	}
	return permission.Set{}
}

// Set returns what scopes stand for together.
func Set(scopes []string) (s permission.Set) {
	for _, text := range scopes {
		s = s.Union(one(text))
	}
	return s
}

// Parse returns scopes sorted and each once, or ErrScope. None at all is full
// access, as on the wire (alpacon-wire 3.4).
func Parse(texts []string) ([]string, error) {
	if len(texts) == 0 {
		return []string{Everything}, nil
	}
	for _, text := range texts {
		if one(text).Empty() {
			return nil, ErrScope
		}
	}
	out := slices.Clone(texts)
	slices.Sort(out)
	return slices.Compact(out), nil
}

// Names reports whether a scope other than full access holds a permission.
func Names(scopes []string, what permission.Permission) bool {
	return slices.ContainsFunc(scopes, func(text string) bool { return text != Everything && one(text).Has(what) })
}

// Strong reports whether scopes hold full access or what makes credentials:
// that is the explicit act of a person with a fresh proof. Source: security,
// TK-1, TK-10.
func Strong(scopes []string) bool {
	return slices.Contains(scopes, Everything) || !Set(scopes).Intersect(authz.Minting()).Empty()
}

// A Resource is what scopes may say of one resource.
type Resource struct {
	Name    string
	Actions []string
	ACL     []string // the kinds of rows that are asked besides
}

// Catalogue returns every scope by resource.
func Catalogue() []Resource {
	var out []Resource
	for _, r := range permission.Resources {
		one := Resource{Name: r.String(), ACL: rowsFor(r)}
		for _, p := range authz.Scopable().Permissions() {
			if p.Resource == r {
				one.Actions = append(one.Actions, p.Action.String())
			}
		}
		if len(one.Actions) == 0 {
			continue
		}
		for _, l := range Levels {
			if !l.holds(r).Empty() {
				one.Actions = append(one.Actions, string(l))
			}
		}
		out = append(out, one)
	}
	return out
}

// rowsFor returns which rows a token needs for a resource.
func rowsFor(r permission.Resource) []string {
	switch r {
	case permission.Command, permission.Websh, permission.DeployShell, permission.Sudo:
		return []string{KindServer.String(), KindCommand.String()}
	case permission.WebFTP, permission.Editor:
		return []string{KindServer.String(), KindFile.String()}
	case permission.Server, permission.Assignment, permission.Note, permission.Tunnel:
		return []string{KindServer.String()}
	case permission.Account, permission.AccessControl, permission.Audit, permission.Billing, permission.Group, permission.Membership,
		permission.Preferences, permission.Security, permission.Session, permission.User, permission.Workspace, permission.Application,
		permission.Policy, permission.Registration, permission.Role, permission.RoleAssignment, permission.ServiceToken:
	}
	return []string{}
}
