package deployed_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"paddock/localstack/visitor"
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
		{"a login of command lines that there is not", security, `{"cli_login":"auth0"}`, "400 invalid_value", "cli_login"},
		{"a failure that is neither refused nor allowed", security, `{"password_check_failure":"ignore"}`, "400 invalid_value", "password_check_failure"},
		{"a method that there is not", security, `{"allowed_mfa_methods":["otp","pigeon"]}`, "400 invalid_value", "allowed_mfa_methods"},
		{"a change beside one that is refused", security, `{"mfa_timeout":120,"mfa_required_actions":["all"]}`, "400 invalid_value", "mfa_required_actions"},
		{"recovery codes alone", security, `{"allowed_mfa_methods":["recovery_code"]}`, "400 invalid_value", "allowed_mfa_methods"},
		{"what steps up and is not allowed", security, `{"allowed_mfa_methods":["otp"],"step_up_methods":["hardware_key"]}`, "400 invalid_value", "step_up_methods"},
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
	if n := denials(t, staff); n < 3 {
		t.Errorf("%d events tell of three refusals", n)
	}
	if a := invite(t, staff, `{"email":"same@demo.example","is_staff":false,"is_superuser":false}`); a.Status != http.StatusCreated {
		t.Errorf("equal values: %d %s", a.Status, a.Body)
	}
}

// denials counts the newest refusals for want of a permission.
func denials(t *testing.T, v *visitor.Visitor) int {
	t.Helper()
	var log struct{ Results []struct{ Event string } }
	if err := v.Want(t.Context(), http.StatusOK, "GET", "/api/audit/activity/?page_size=5", nil, &log); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range log.Results {
		if e.Event == "access.denied" {
			n++
		}
	}
	return n
}

// TestAPrivilegedInvitationAsksForAFreshProof holds that a stolen session of a
// superuser cannot make itself another one.
func TestAPrivilegedInvitationAsksForAFreshProof(t *testing.T) {
	chief := shared.SignIn(t, shared.Account(t, "superuser"))
	shared.Advance(t, 20*time.Minute)
	for _, c := range []struct{ name, body, want string }{
		{"a superuser", `{"email":"fresh1@demo.example","is_superuser":true}`, "403 auth_mfa_required"},
		{"staff", `{"email":"fresh2@demo.example","is_staff":true}`, "403 auth_mfa_required"},
		{"a member", `{"email":"fresh3@demo.example"}`, "201 "},
	} {
		if got := statusAndCode(invite(t, chief, c.body)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestWhatOneMayNotSeeIsNotThere compares the answers for an account that is
// there and one that is not, to a member.
func TestWhatOneMayNotSeeIsNotThere(t *testing.T) {
	member := shared.SignIn(t, shared.Account(t, "member"))
	var chief struct{ ID string }
	if err := shared.SignIn(t, shared.Account(t, "superuser")).Want(t.Context(), http.StatusOK, "GET", "/api/iam/users/-/", nil, &chief); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, id := range []string{chief.ID, "01935d2e-4a10-7c00-8000-000000000001"} {
		a, err := member.Do(t.Context(), "GET", "/api/iam/users/"+id+"/", nil)
		if err != nil || a.Status != http.StatusNotFound {
			t.Fatalf("%d %v", a.Status, err)
		}
		var body map[string]any
		if err := json.Unmarshal(a.Body, &body); err != nil {
			t.Fatal(err)
		}
		delete(body, "request_id")
		seen[fmt.Sprint(body)] = true
	}
	if len(seen) != 1 {
		t.Errorf("the answers tell which is there: %v", seen)
	}
}
