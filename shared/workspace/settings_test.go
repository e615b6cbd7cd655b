package workspace_test

import (
	"encoding/json"
	"errors"
	"os"
	"testing"

	"paddock/shared/audit"
	"paddock/shared/fault"
	"paddock/shared/table"
	"paddock/shared/workspace"
)

type limit struct {
	ID    string
	Cases []struct {
		Value  json.RawMessage
		Expect string
	}
}

func limits(t *testing.T, name string) limit {
	t.Helper()
	b, err := os.ReadFile("testdata/limits.json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct{ Durations []limit }
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	for _, l := range v.Durations {
		if l.ID == name && len(l.Cases) > 0 {
			return l
		}
	}
	t.Fatalf("no cases of %s", name)
	return limit{}
}

func TestLimitsOfSettings(t *testing.T) {
	security, preferences, _ := workspace.Defaults()
	for _, c := range limits(t, "mfa_timeout").Cases {
		if string(c.Value) == "null" {
			continue // refused before decoding, by httpapi.RefuseNulls
		}
		var p workspace.SecurityPatch
		err := json.Unmarshal([]byte(`{"mfa_timeout":`+string(c.Value)+`}`), &p)
		if err == nil {
			_, _, err = security.Apply(p)
		}
		if (err == nil) != (c.Expect == "accept") {
			t.Errorf("mfa_timeout %s: %v, want %s", c.Value, err, c.Expect)
		}
	}
	for _, c := range limits(t, "websh_session_timeout").Cases {
		if string(c.Value) == "null" {
			continue
		}
		var p workspace.PreferencesPatch
		err := json.Unmarshal([]byte(`{"websh_session_timeout":`+string(c.Value)+`}`), &p)
		if err == nil {
			_, _, err = preferences.Apply(p)
		}
		if (err == nil) != (c.Expect == "accept") {
			t.Errorf("websh_session_timeout %s: %v, want %s", c.Value, err, c.Expect)
		}
	}
}

func TestRefusalNamesTheField(t *testing.T) {
	security, _, access := workspace.Defaults()
	n := workspace.Whole(1)
	_, changes, err := security.Apply(workspace.SecurityPatch{MFATimeout: &n})
	if f, ok := errors.AsType[fault.Error](err); !ok || f.Source != "mfa_timeout" || len(changes) != 0 {
		t.Errorf("%v, %v", changes, err)
	}
	mode := "9999"
	if _, _, err := access.Apply(workspace.AccessControlPatch{HomeDirectoryPermission: &mode}); err == nil {
		t.Error("accepted a mode of nines")
	}
}

func TestUnchangedDocumentChangesNothing(t *testing.T) {
	security, preferences, access := workspace.Defaults()
	round := func(from, into any) {
		t.Helper()
		b, err := json.Marshal(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, into); err != nil {
			t.Fatal(err)
		}
	}
	var s workspace.SecurityPatch
	round(security, &s)
	if _, changes, err := security.Apply(s); err != nil || len(changes) != 0 {
		t.Errorf("security: %v, %v", changes, err)
	}
	var p workspace.PreferencesPatch
	round(preferences, &p)
	if _, changes, err := preferences.Apply(p); err != nil || len(changes) != 0 {
		t.Errorf("preferences: %v, %v", changes, err)
	}
	var a workspace.AccessControlPatch
	round(access, &a)
	if _, changes, err := access.Apply(a); err != nil || len(changes) != 0 {
		t.Errorf("access control: %v, %v", changes, err)
	}
}

func TestSettingsThatWereStoredBeforeThereWasAChoice(t *testing.T) {
	for stored, want := range map[string][2]string{
		`{"security":{}}`: {workspace.LoginByBrowser, workspace.FailureRefuses},
		`{"security":{"cli_login":"legacy","password_check_failure":"allow"}}`: {workspace.LoginLegacy, workspace.FailureAllows},
	} {
		w, err := workspace.Decode(table.Item{Payload: []byte(stored)})
		if got := [2]string{w.Security.CLILogin, w.Security.PasswordCheckFailure}; err != nil || got != want {
			t.Errorf("%s: %v, %v", stored, got, err)
		}
	}
}

func TestHostSelectsTheWorkspace(t *testing.T) {
	bases := []string{"paddock.example.com", "localhost:8080"}
	for host, want := range map[string]string{
		"paddock.example.com": "demo", "LOCALHOST:8080": "demo", "acme.paddock.example.com": "acme",
		"acme.localhost:8080": "acme", "a.b.paddock.example.com": "", "evil.example": "", "www.paddock.example.com": "", "": "", "xpaddock.example.com": "",
	} {
		slug, ok := workspace.SlugOf(host, bases, "demo")
		if slug != want || ok != (want != "") {
			t.Errorf("%q selects %q, %t", host, slug, ok)
		}
	}
}

// TestEveryFieldIsChangedByName sends each field of each document alone,
// changed: it changes itself and nothing else. A field without a line here fails.
func TestEveryFieldIsChangedByName(t *testing.T) {
	security, preferences, access := workspace.Defaults()
	for _, d := range []struct {
		name     string
		document any
		apply    func(t *testing.T, patch string) ([]audit.Change, error)
		changed  map[string]string // by field, another value
	}{
		{
			name: "security", document: security,
			apply: func(t *testing.T, patch string) ([]audit.Change, error) {
				_, changes, err := security.Apply(decoded[workspace.SecurityPatch](t, patch))
				return changes, err
			},
			changed: map[string]string{
				"mfa_required": `false`, "mfa_timeout": `60`, "cli_login": `"legacy"`, "password_check_failure": `"allow"`, "session_idle_timeout": `300`, "session_absolute_timeout": `3600`, "unusual_sign_in": `false`,
				"allowed_mfa_methods": `["otp"]`, "mfa_required_actions": `[]`, "passkey_as_mfa": `false`, "sign_count_regression": `"report"`, "step_up_methods": `["hardware_key"]`, "notify_step_up": `true`, "hardware_key_models": `["2fc0579f-8113-47ea-b116-bb5a8db9202a"]`,
			},
		},
		{
			name: "preferences", document: preferences,
			apply: func(t *testing.T, patch string) ([]audit.Change, error) {
				_, changes, err := preferences.Apply(decoded[workspace.PreferencesPatch](t, patch))
				return changes, err
			},
			changed: map[string]string{
				"language": `"ko"`, "timezone": `"Asia/Seoul"`, "invite_ttl": `3600`, "websh_session_timeout": `900`, "auto_agent_upgrade": `true`,
			},
		},
		{
			name: "access control", document: access,
			apply: func(t *testing.T, patch string) ([]audit.Change, error) {
				_, changes, err := access.Apply(decoded[workspace.AccessControlPatch](t, patch))
				return changes, err
			},
			changed: map[string]string{
				"allow_sudo_with_mfa": `false`, "allow_direct_root": `true`, "allow_tunnel_by_default": `true`,
				"allow_editor_by_default": `true`, "home_directory_permission": `"700"`,
			},
		},
	} {
		whole, err := json.Marshal(d.document)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(whole, &fields); err != nil {
			t.Fatal(err)
		}
		for field, present := range fields {
			if changes, err := d.apply(t, `{"`+field+`":`+string(present)+`}`); err != nil || len(changes) != 0 {
				t.Errorf("%s: an equal %s: %v, %v", d.name, field, changes, err)
			}
			if changes, err := d.apply(t, `{"`+field+`":`+d.changed[field]+`}`); err != nil || len(changes) != 1 || changes[0].Path != field {
				t.Errorf("%s: a changed %s: %v, %v", d.name, field, changes, err)
			}
		}
		if got := len(d.changed); got != len(fields) {
			t.Errorf("%s has %d fields, the test knows %d", d.name, len(fields), got)
		}
	}
}

func decoded[T any](t *testing.T, patch string) T {
	t.Helper()
	var out T
	if err := json.Unmarshal([]byte(patch), &out); err != nil {
		t.Fatalf("%s: %v", patch, err)
	}
	return out
}

func TestLoginOfCommandLinesIsOneOfTwo(t *testing.T) {
	security, _, _ := workspace.Defaults()
	for _, value := range []string{"", "Browser", "browser ", "auth0", "none"} {
		next, changes, err := security.Apply(workspace.SecurityPatch{CLILogin: &value})
		f, ok := errors.AsType[fault.Error](err)
		if !ok || f.Source != "cli_login" || len(changes) != 0 || next.CLILogin != "" {
			t.Errorf("%q: %v, %v", value, changes, err)
		}
	}
}

func TestSecureOriginIsThatOfTheHost(t *testing.T) {
	w := workspace.Workspace{Origins: []string{"http://localhost:8080", "https://localhost:8443", "https://demo.paddock.test"}}
	for host, want := range map[string]string{
		"localhost:8080": "", "localhost:8443": "https://localhost:8443", "LOCALHOST:8443": "https://localhost:8443",
		"demo.paddock.test": "https://demo.paddock.test", "demo.paddock.test:443": "", "localhost": "", "": "",
	} {
		if got, ok := w.SecureOrigin(host); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %t", host, got, ok)
		}
	}
}

// TestActionsAskForAProofByTheirClass takes each class alone.
func TestActionsAskForAProofByTheirClass(t *testing.T) {
	if len(workspace.MFAActions) < 6 {
		t.Fatalf("%d classes", len(workspace.MFAActions))
	}
	for _, class := range workspace.MFAActions {
		s := workspace.Security{MFARequiredActions: []string{class}}
		for _, other := range workspace.MFAActions {
			if s.Demands(other) != (other == class) {
				t.Errorf("with %s, %s asks for a proof: %t", class, other, s.Demands(other))
			}
		}
	}
	if (workspace.Security{}).Demands(workspace.ServerActions) {
		t.Error("no class asks")
	}
}
