package api

import (
	"net/http"

	"paddock/shared/httpapi"
	"paddock/shared/workspace"
)

func readOf(c httpapi.Call) workspace.Read {
	return workspace.Read{Workspace: c.Who.Workspace, Item: c.Who.WorkspaceItem}
}

func security(_ http.ResponseWriter, c httpapi.Call) (int, any, error) {
	return http.StatusOK, c.Who.Workspace.Security, nil
}

func (f *Face) patchSecurity(_ http.ResponseWriter, c httpapi.Call) (int, any, error) {
	var in workspace.SecurityPatch
	if err := decodePatch(c, &in); err != nil {
		return 0, nil, err
	}
	out, err := f.settings.UpdateSecurity(c.Context(), c.Allowed, readOf(c), in)
	return http.StatusOK, out, err
}

// MFAMethods tells every signed-in person which methods may be set up.
type MFAMethods struct {
	AllowedMFAMethods []string `json:"allowed_mfa_methods"`
	PasskeyAsMFA      bool     `json:"passkey_as_mfa"`
}

func mfaMethods(_ http.ResponseWriter, c httpapi.Call) (int, any, error) {
	s := c.Who.Workspace.Security
	return http.StatusOK, MFAMethods{AllowedMFAMethods: s.AllowedMFAMethods, PasskeyAsMFA: s.PasskeyAsMFA}, nil
}

func preferences(_ http.ResponseWriter, c httpapi.Call) (int, any, error) {
	return http.StatusOK, c.Who.Workspace.Preferences, nil
}

func (f *Face) patchPreferences(_ http.ResponseWriter, c httpapi.Call) (int, any, error) {
	var in workspace.PreferencesPatch
	if err := decodePatch(c, &in); err != nil {
		return 0, nil, err
	}
	out, err := f.settings.UpdatePreferences(c.Context(), c.Allowed, readOf(c), in)
	return http.StatusOK, out, err
}

func accessControl(_ http.ResponseWriter, c httpapi.Call) (int, any, error) {
	return http.StatusOK, c.Who.Workspace.AccessControl, nil
}

func (f *Face) patchAccessControl(_ http.ResponseWriter, c httpapi.Call) (int, any, error) {
	var in workspace.AccessControlPatch
	if err := decodePatch(c, &in); err != nil {
		return 0, nil, err
	}
	out, err := f.settings.UpdateAccessControl(c.Context(), c.Allowed, readOf(c), in)
	return http.StatusOK, out, err
}

// decodePatch reads a settings document. Clients send back what they got, so
// unknown fields are ignored; a null is refused, because it would read as "as
// it is" and never means "no limit".
func decodePatch(c httpapi.Call, v any) error {
	if err := httpapi.RefuseNulls(c.Body); err != nil {
		return err
	}
	return c.Decode(v, true)
}
