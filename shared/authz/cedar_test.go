package authz_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cedar-policy/cedar-go"

	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/pattern"
	"paddock/shared/permission"
)

// cedarOf translates what somebody holds into policies of cedar, with its ends
// as conditions, and returns a function that asks cedar.
func cedarOf(t *testing.T, m model, p *authz.Principal) func(permission.Permission, thing, time.Time) bool {
	t.Helper()
	text := translated(m, p)
	policies, err := cedar.NewPolicySetFromBytes("policy.cedar", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	entities := cedar.EntityMap{}
	for _, o := range m.things {
		attributes := cedar.RecordMap{"kind": cedar.String(o.kind), "owner": entity(o.Owner)}
		if o.Name != "" {
			attributes["name"] = cedar.String(o.Name)
		}
		var managers []cedar.Value
		for _, who := range o.Managers {
			managers = append(managers, entity(who))
		}
		attributes["managers"] = cedar.NewSet(managers...)
		entities[entity(o.ID)] = cedar.Entity{UID: entity(o.ID), Attributes: cedar.NewRecord(attributes)}
	}
	return func(what permission.Permission, o thing, at time.Time) bool {
		decision, diagnosis := cedar.Authorize(policies, entities, cedar.Request{
			Principal: entity(p.ID.UUID()), Action: cedar.NewEntityUID("Action", cedar.String(what.String())), Resource: entity(o.ID),
			Context: cedar.NewRecord(cedar.RecordMap{"now": cedar.Long(at.UnixNano())}),
		})
		if len(diagnosis.Errors) > 0 {
			t.Fatalf("%v\n%s", diagnosis.Errors, text)
		}
		return bool(decision)
	}
}

func entity(u id.UUID) cedar.EntityUID { return cedar.NewEntityUID("Thing", cedar.String(u.String())) }

// translated returns one policy for each thing that gives something.
func translated(m model, p *authz.Principal) string {
	var out strings.Builder
	permit := func(what permission.Set, conditions ...string) {
		if what.Empty() {
			return
		}
		fmt.Fprintf(&out, "permit(principal == %s, action in %s, resource) when { true", entity(p.ID.UUID()), actions(what))
		for _, c := range conditions {
			if c != "" {
				out.WriteString(" && " + c)
			}
		}
		out.WriteString(" };\n")
	}
	role := func(of id.UUID, until time.Time) {
		for _, r := range m.rows.Roles {
			if r.ID != of {
				continue
			}
			condition := ""
			if len(r.Scope.Objects)+len(r.Scope.Names) > 0 {
				condition = either(r.Scope.Objects, r.Scope.Names)
			}
			permit(r.Permissions, condition, before(until))
		}
	}
	const ofServers = `resource.kind == "server"`
	assigned := func(subject id.UUID, group bool, until time.Time) {
		for _, a := range m.rows.Assignments {
			if a.Subject != subject || a.Group != group {
				continue
			}
			var names []pattern.Pattern
			if a.Name.Kind() != 0 {
				names = append(names, a.Name)
			}
			permit(accesses[a.Access], ofServers, either([]id.UUID{a.Server}, names), before(until), before(a.Until))
		}
	}
	permit(authz.BuiltIn(p.Role))
	for _, a := range p.Roles {
		role(a.Role, a.Until)
	}
	assigned(p.ID.UUID(), false, time.Time{})
	for _, mine := range p.Memberships {
		for _, g := range m.rows.Groups {
			if g.ID != mine.Group {
				continue
			}
			permit(inGroupAs[mine.Role], "resource == "+entity(g.ID).String(), before(mine.Until))
			for _, r := range g.Roles {
				role(r, mine.Until)
			}
			permit(accesses[g.Access], ofServers, either(g.Servers, g.Names), before(mine.Until))
			assigned(g.ID, true, mine.Until)
		}
	}
	for _, g := range p.Grants {
		condition := ""
		if !g.Object.Zero() {
			condition = "resource == " + entity(g.Object).String()
		}
		from := ""
		if !g.From.IsZero() {
			from = fmt.Sprintf("context.now >= %d", g.From.UnixNano())
		}
		permit(g.Permissions, condition, from, before(g.Until))
	}
	for kind, sets := range owning {
		ofKind := fmt.Sprintf("resource.kind == %q", kind)
		permit(sets[0], ofKind, "resource.owner == principal")
		permit(sets[1], ofKind, "resource.managers.contains(principal)")
	}
	own := texts("account:own audit:own")
	permit(own.Union(texts("user:read")), "resource == principal")
	fmt.Fprintf(&out, "forbid(principal, action in %s, resource) unless { resource == principal };\n", actions(own))
	return out.String()
}

func actions(what permission.Set) string {
	var list []string
	for _, w := range what.Permissions() {
		list = append(list, fmt.Sprintf("Action::%q", w))
	}
	return "[" + strings.Join(list, ", ") + "]"
}

func before(until time.Time) string {
	if until.IsZero() {
		return ""
	}
	return fmt.Sprintf("context.now < %d", until.UnixNano())
}

// either is the condition that a resource is one of these or has such a name.
func either(ids []id.UUID, names []pattern.Pattern) string {
	either := []string{"false"}
	for _, u := range ids {
		either = append(either, "resource == "+entity(u).String())
	}
	for _, n := range names {
		either = append(either, fmt.Sprintf("resource has name && resource.name like %q", n.String()))
	}
	return "(" + strings.Join(either, " || ") + ")"
}
