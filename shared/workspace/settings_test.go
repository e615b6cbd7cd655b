package workspace_test

import (
	"encoding/json"
	"errors"
	"os"
	"testing"

	"paddock/shared/fault"
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
