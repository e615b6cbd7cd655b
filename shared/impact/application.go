package impact

import (
	"context"
	"slices"

	"paddock/shared/application"
	"paddock/shared/authz"
	"paddock/shared/permission"
)

// An Application is one that gains or loses.
type Application struct {
	Application  application.Application
	Gained, Lost Side
}

// applications returns the applications that a change concerns, for who may read
// the policy, at most room; false when there are more. Those that are disabled have
// nothing.
func (s *Service) applications(ctx context.Context, by authz.Allowed, c *concern, see *sight, room int) ([]application.Application, bool, error) {
	if !see.whole {
		return nil, true, nil
	}
	ids := c.apps.sorted()
	whole := len(ids) <= room
	apps, err := s.apps.Some(ctx, by, ids[:min(len(ids), room)])
	return slices.DeleteFunc(apps, func(a application.Application) bool { return !a.Enabled }), whole, err
}

// onApplications adds to i what a change means for applications: by their roles, as
// far as their scopes hold it.
func (i *Impact) onApplications(compared *authz.Comparison, c *concern, told *teller, apps []application.Application, objects []authz.Object) {
	for _, a := range apps {
		next, written := c.applications[a.ID.UUID()]
		if !written {
			next = a
		}
		had, has := a.Principal(told.who.Workspace, told.before), next.Principal(told.who.Workspace, told.after)
		got := compared.Impact(&had, &has, told.now, objects...)
		one := Application{Application: a, Gained: told.side(within(got.Gained, a.Set())), Lost: told.side(within(got.Lost, a.Set()))}
		if one.Gained.empty() && one.Lost.empty() {
			continue
		}
		i.Applications++
		i.sides(one.Gained, one.Lost)
		if row, ok := told.before.Application(a.ID.UUID()); ok && authz.May(&told.who, permission.ReadApplication, row.Object(), told.now) {
			i.NamedApplications = append(i.NamedApplications, one)
		}
	}
	slices.SortFunc(i.NamedApplications, func(a, b Application) int {
		return application.ByName(authz.Application{ID: a.Application.ID.UUID(), Name: a.Application.Name}, authz.Application{ID: b.Application.ID.UUID(), Name: b.Application.Name})
	})
}

// within returns what of a change is in a set.
func within(c authz.Change, s permission.Set) authz.Change {
	part := func(all []authz.On) []authz.On {
		return each(all, func(on authz.On) authz.On {
			on.Permissions = on.Permissions.Intersect(s)
			return on
		})
	}
	return authz.Change{Everywhere: c.Everywhere.Intersect(s), Servers: part(c.Servers), Others: part(c.Others)}
}
