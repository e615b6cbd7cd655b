package workspace

import (
	"context"
	"errors"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/permission"
	"paddock/shared/table"
)

// A Service changes settings.
type Service struct{ store *table.Store }

// New returns a Service.
func New(store *table.Store) (*Service, error) {
	if store == nil {
		return nil, errors.New("workspace: a store is required")
	}
	return &Service{store: store}, nil
}

// A Read workspace is what the guard read, to be changed under its version.
type Read struct {
	Workspace Workspace
	Item      table.Item
}

// An Impact is what a change of the security settings means for people: whom it
// affects, and the operations that hold that this is still so.
type Impact struct {
	Affected int
	Ops      []table.Op
}

// UpdateSecurity applies a patch to the security settings. A patch that
// changes nothing writes nothing. weigh refuses what must not be, given the
// settings after the patch, or tells its impact.
func (s *Service) UpdateSecurity(ctx context.Context, by authz.Allowed, r Read, p SecurityPatch, weigh func(next Security) (Impact, error)) (Security, error) {
	next, changes, err := r.Workspace.Security.Apply(p)
	if err != nil || len(changes) == 0 {
		return next, err
	}
	impact, err := weigh(next)
	if err != nil {
		return Security{}, err
	}
	r.Workspace.Security = next
	e := by.Event(audit.MFAPolicyChanged, s.store.Now()).With(audit.Number("users_affected_n", int64(impact.Affected)), audit.Number("users_stranded_n", 0)).
		WithDescription("The security settings were changed.")
	return next, s.save(ctx, by, r, permission.UpdateSecurity, e, changes, impact.Ops...)
}

// UpdatePreferences applies a patch to the preferences.
func (s *Service) UpdatePreferences(ctx context.Context, by authz.Allowed, r Read, p PreferencesPatch) (Preferences, error) {
	next, changes, err := r.Workspace.Preferences.Apply(p)
	if err != nil || len(changes) == 0 {
		return next, err
	}
	r.Workspace.Preferences = next
	return next, s.save(ctx, by, r, permission.UpdatePreferences, s.changed(by, "preferences"), changes)
}

// UpdateAccessControl applies a patch to access control.
func (s *Service) UpdateAccessControl(ctx context.Context, by authz.Allowed, r Read, p AccessControlPatch) (AccessControl, error) {
	next, changes, err := r.Workspace.AccessControl.Apply(p)
	if err != nil || len(changes) == 0 {
		return next, err
	}
	r.Workspace.AccessControl = next
	return next, s.save(ctx, by, r, permission.UpdateAccessControl, s.changed(by, "access_control"), changes)
}

func (s *Service) changed(by authz.Allowed, section string) audit.Event {
	return by.Event(audit.WorkspaceSettingsChanged, s.store.Now()).With(audit.Text("section", section)).
		WithPath("", section, "").WithDescription("Workspace settings were changed.")
}

func (s *Service) save(ctx context.Context, by authz.Allowed, r Read, p permission.Permission, e audit.Event, changes []audit.Change, hold ...table.Op) error {
	if !by.Covers(p, r.Workspace.ID.UUID()) {
		return authz.ErrDenied
	}
	for _, c := range changes {
		e = e.WithChange(c.Path, c.Before, c.After)
	}
	e = e.WithTarget(audit.Target{Type: "workspace", ID: r.Workspace.ID.UUID(), Name: r.Workspace.Name})
	return s.store.Commit(ctx, by, table.Change{
		Events: []audit.Event{e},
		Ops:    append(hold, Save(r.Item, r.Workspace).Else(table.ErrTryAgain)),
	})
}
