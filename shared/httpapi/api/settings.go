package api

import (
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/workspace"
)

func readOf(c httpapi.Call) workspace.Read {
	return workspace.Read{Workspace: c.Who.Workspace, Item: c.Who.WorkspaceItem}
}

func security(c httpapi.Call, _ httpapi.None) (workspace.Security, error) {
	return c.Who.Workspace.Security, nil
}

func (f *Face) patchSecurity(c httpapi.Call, in workspace.SecurityPatch) (workspace.Security, error) {
	acknowledged := -1
	if in.AcknowledgeAffected != nil {
		acknowledged = int(*in.AcknowledgeAffected)
	}
	return f.settings.UpdateSecurity(c.Context(), c.Allowed, readOf(c), in, func(next workspace.Security) (workspace.Impact, error) {
		return f.people.WeighPolicy(c.Context(), c.Allowed, c.Who.Workspace.Security, next, acknowledged)
	})
}

// Preview tells what a change of the security settings means for people.
type Preview struct {
	// Affected have a method that is allowed now and none that would be: the
	// number, and the first of them by name.
	AffectedCount int              `json:"affected_count"`
	Affected      []AffectedPerson `json:"affected"`
	// WithoutMethod have no method that would be allowed where the change turns
	// mfa_required on: they are held to set one up. They are named for information,
	// and no number of them is acknowledged.
	WithoutMethodCount int              `json:"without_method_count"`
	WithoutMethod      []AffectedPerson `json:"without_method"`
	// Superusers is how many active ones could change the settings back; with
	// none the change is refused.
	Superusers int `json:"superusers"`
}

// AffectedPerson is one who would have to set up another method.
type AffectedPerson struct {
	ID   id.ID[id.Principal] `json:"id"`
	Name string              `json:"name"`
}

// maxAffected is how many people a preview names.
const maxAffected = 100

// PreviewRequest is the change that is looked at.
type PreviewRequest struct{ workspace.SecurityPatch }

func (f *Face) previewSecurity(c httpapi.Call, in PreviewRequest) (Preview, error) {
	now := c.Who.Workspace.Security
	next, _, err := now.Apply(in.SecurityPatch)
	if err != nil {
		return Preview{}, err
	}
	impact, _, err := f.people.PolicyImpact(c.Context(), c.Allowed, now, next)
	if err != nil {
		return Preview{}, err
	}
	return Preview{
		AffectedCount: len(impact.Affected), Affected: named(impact.Affected),
		WithoutMethodCount: len(impact.Without), WithoutMethod: named(impact.Without),
		Superusers: impact.Superusers,
	}, nil
}

// named returns the first of these people.
func named(rows []identity.Row) []AffectedPerson {
	out := []AffectedPerson{}
	for _, r := range rows[:min(len(rows), maxAffected)] {
		out = append(out, AffectedPerson{ID: r.ID, Name: r.Name})
	}
	return out
}

// MFAMethods tells every signed-in person which methods may be set up.
type MFAMethods struct {
	AllowedMFAMethods []string `json:"allowed_mfa_methods"`
	PasskeyAsMFA      bool     `json:"passkey_as_mfa"`
}

func mfaMethods(c httpapi.Call, _ httpapi.None) (MFAMethods, error) {
	s := c.Who.Workspace.Security
	return MFAMethods{AllowedMFAMethods: s.AllowedMFAMethods, PasskeyAsMFA: s.PasskeyAsMFA}, nil
}

func preferences(c httpapi.Call, _ httpapi.None) (workspace.Preferences, error) {
	return c.Who.Workspace.Preferences, nil
}

func (f *Face) patchPreferences(c httpapi.Call, in workspace.PreferencesPatch) (workspace.Preferences, error) {
	return f.settings.UpdatePreferences(c.Context(), c.Allowed, readOf(c), in)
}

func accessControl(c httpapi.Call, _ httpapi.None) (workspace.AccessControl, error) {
	return c.Who.Workspace.AccessControl, nil
}

func (f *Face) patchAccessControl(c httpapi.Call, in workspace.AccessControlPatch) (workspace.AccessControl, error) {
	return f.settings.UpdateAccessControl(c.Context(), c.Allowed, readOf(c), in)
}
