package deployed_test

import (
	"encoding/json"
	"net/http"
	"testing"
)

// TestPatchesAreRefusedByName sends what compatible clients may send back: what
// they know and we do not is ignored, what equals passes, and a changed field
// that cannot be changed refuses the whole.
func TestPatchesAreRefusedByName(t *testing.T) {
	chief := shared.SignIn(t, shared.Account(t, "superuser"))
	const (
		security      = "/api/workspaces/security/-/"
		preferences   = "/api/workspaces/preferences/-/"
		accessControl = "/api/workspaces/access-control/-/"
	)
	get := func(path string) string {
		t.Helper()
		a, err := chief.Do(t.Context(), "GET", path, nil)
		if err != nil || a.Status != http.StatusOK {
			t.Fatalf("%s: %d, %v", path, a.Status, err)
		}
		return string(a.Body)
	}
	for _, c := range []struct{ name, path, body, problem, source string }{
		{"an empty body", security, ``, "", ""},
		{"no fields", security, `null`, "", ""},
		{"fields of another version", preferences, `{"front_url":"https://x","country":"KR","package_proxy":null}`, "", ""},
		{"an equal value", security, `{"passkey_as_mfa":true}`, "", ""},
		{"the whole document", accessControl, get(accessControl), "", ""},
		{"a changed value", security, `{"passkey_as_mfa":false}`, "400 not_changeable", "passkey_as_mfa"},
		{"a changed list", security, `{"allowed_mfa_methods":["otp"]}`, "400 not_changeable", "allowed_mfa_methods"},
		{"a change beside one that is refused", security, `{"mfa_timeout":120,"mfa_required_actions":[]}`, "400 not_changeable", "mfa_required_actions"},
		{"null", preferences, `{"language":null}`, "400 invalid_value", "language"},
		{"another type", preferences, `{"invite_ttl":"3600"}`, "400 invalid_value", "invite_ttl"},
		{"out of bounds", preferences, `{"invite_ttl":1}`, "400 out_of_range", "invite_ttl"},
		{"another letter case is another field", security, `{"PASSKEY_AS_MFA":false}`, "", ""},
	} {
		before := get(c.path)
		a, err := chief.Raw(t.Context(), "PATCH", c.path, json.RawMessage(c.body))
		if err != nil {
			t.Fatal(err)
		}
		refused := a.Status != http.StatusOK
		if refused != (c.problem != "") || refused && (statusAndCode(a) != c.problem || a.Problem().Source != c.source) {
			t.Errorf("%s: %d %s", c.name, a.Status, a.Body)
		}
		if after := get(c.path); after != before {
			t.Errorf("%s changed %s to %s", c.name, before, after)
		}
	}
}

// TestOnlyASuperuserInvitesToPrivilege names the field that asks for too much.
func TestOnlyASuperuserInvitesToPrivilege(t *testing.T) {
	staff := shared.SignIn(t, shared.Account(t, "staff"))
	for body, source := range map[string]string{
		`{"email":"up@demo.example","is_staff":true}`:                     "is_staff",
		`{"email":"up@demo.example","is_superuser":true}`:                 "is_superuser",
		`{"email":"up@demo.example","is_staff":true,"is_superuser":true}`: "is_superuser",
	} {
		a := invite(t, staff, body)
		if statusAndCode(a) != "403 permission_denied" || a.Problem().Source != source {
			t.Errorf("%s: %d %s", body, a.Status, a.Body)
		}
	}
	if a := invite(t, staff, `{"email":"same@demo.example","is_staff":false,"is_superuser":false}`); a.Status != http.StatusCreated {
		t.Errorf("equal values: %d %s", a.Status, a.Body)
	}
}
