package api

import (
	"paddock/shared/httpapi"
	"paddock/shared/workspace"
)

func readOf(c httpapi.Call) workspace.Read {
	return workspace.Read{Workspace: c.Who.Workspace, Item: c.Who.WorkspaceItem}
}

func security(c httpapi.Call, _ httpapi.None) (workspace.Security, error) {
	return c.Who.Workspace.Security, nil
}

func (f *Face) patchSecurity(c httpapi.Call, in workspace.SecurityPatch) (workspace.Security, error) {
	return f.settings.UpdateSecurity(c.Context(), c.Allowed, readOf(c), in)
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
