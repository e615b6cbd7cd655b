package world_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/audit"
)

// A person of a workspace, signed in.
type person struct {
	*visitor.Visitor
	path, email, word string
}

// relaxed returns a walk in a workspace that does not demand a second factor,
// and lets command lines sign in with a password.
func relaxed(t *testing.T, slug string) *world.Walk {
	t.Helper()
	w := walk(t, slug, 3)
	want(t, w.Me, http.StatusOK, "PATCH", "/api/workspaces/security/-/", map[string]any{"mfa_required": false, "cli_login": "legacy"})
	return w
}

// want sends a request that must be answered with this status.
func want(t *testing.T, v *visitor.Visitor, status int, method, path string, body any) visitor.Answer {
	t.Helper()
	a, err := v.Do(t.Context(), method, path, body)
	if err != nil {
		t.Fatal(err)
	}
	if a.Status != status {
		t.Fatalf("%s %s: %d %s, want %d", method, path, a.Status, a.Body, status)
	}
	return a
}

// refused sends a request that must be refused with this code.
func refused(t *testing.T, v *visitor.Visitor, code, method, path string, body any) visitor.Answer {
	t.Helper()
	a, err := v.Do(t.Context(), method, path, body)
	if err != nil {
		t.Fatal(err)
	}
	if got := a.Problem().Code; got != code {
		t.Errorf("%s %s %v: %d %s, want %s", method, path, body, a.Status, a.Body, code)
	}
	return a
}

// made makes an account through its mailed link, and signs it in from address.
func made(t *testing.T, w *world.Walk, name, role, address string) person {
	t.Helper()
	p := person{email: name + "@people.example", word: "a-quiet-lamp-for-them"}
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	var out struct{ ID string }
	body := map[string]any{"username": name, "email": p.email, "is_staff": role == "staff", "is_superuser": role == "superuser"}
	if err := want(t, w.Me, http.StatusCreated, "POST", "/api/iam/users/", body).Decode(http.StatusCreated, &out); err != nil {
		t.Fatal(err)
	}
	p.path = "/api/iam/users/" + out.ID + "/"
	p.Visitor = w.Entries.Visitor(w.Slug, address)
	want(t, p.Visitor, http.StatusNoContent, "POST", "/api/auth/password/reset/", map[string]string{"token": mailed(t, w, p.email, "/reset-password"), "password": p.word})
	p.signIn(t)
	return p
}

func (p person) signIn(t *testing.T) {
	t.Helper()
	want(t, p.Visitor, http.StatusOK, "POST", "/api/auth/signin/", map[string]string{"login": p.email, "password": p.word})
}

// enrolled gives a person an authenticator app, so that a proof is fresh.
func (p person) enrolled(t *testing.T) person {
	t.Helper()
	var factor struct{ ID, Secret string }
	if err := want(t, p.Visitor, http.StatusCreated, "POST", "/api/auth/mfa/factors/", map[string]string{"method": "otp", "name": "App"}).Decode(http.StatusCreated, &factor); err != nil {
		t.Fatal(err)
	}
	code, err := visitor.Code(factor.Secret, shared.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	want(t, p.Visitor, http.StatusOK, "POST", "/api/auth/mfa/factors/"+factor.ID+"/confirm/", map[string]string{"code": code})
	return p
}

// mailed delivers what is stored and returns the secret of the newest link to a
// page that went to an address.
func mailed(t *testing.T, w *world.Walk, to, page string) string {
	t.Helper()
	if err := w.Delivery.All(t.Context()); err != nil {
		t.Fatal(err)
	}
	secret, err := w.Link(to, page)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func own(t *testing.T, w *world.Walk) string {
	t.Helper()
	var me struct{ ID string }
	if err := want(t, w.Me, http.StatusOK, "GET", "/api/iam/users/-/", nil).Decode(http.StatusOK, &me); err != nil {
		t.Fatal(err)
	}
	return "/api/iam/users/" + me.ID + "/"
}

// TestStaffDoNotTouchSuperusers tries, as staff with a fresh proof, everything
// that would make one of them, or one out of them (security, RB-2 and RB-3).
func TestStaffDoNotTouchSuperusers(t *testing.T) {
	w := relaxed(t, "staff")
	stan := made(t, w, "stan", "staff", "203.0.113.21").enrolled(t)
	mia := made(t, w, "mia", "member", "203.0.113.22")
	chief := own(t, w)
	for _, body := range []map[string]any{
		{"first_name": "Mallory"}, {"email": "mallory@people.example"}, {"phone": "+31201234567"}, {"is_active": false}, {"is_superuser": false},
	} {
		refused(t, stan.Visitor, "permission_denied", "PATCH", chief, body)
	}
	refused(t, stan.Visitor, "permission_denied", "DELETE", chief, nil)
	for _, path := range []string{stan.path, mia.path} {
		refused(t, stan.Visitor, "permission_denied", "PATCH", path, map[string]any{"is_superuser": true})
		refused(t, stan.Visitor, "permission_denied", "PATCH", path, map[string]any{"is_staff": path == mia.path})
	}
	for _, field := range []string{"is_staff", "is_superuser"} {
		a := refused(t, stan.Visitor, "permission_denied", "POST", "/api/iam/users/", map[string]any{"email": "new@people.example", field: true})
		if a.Problem().Source != field {
			t.Errorf("the refusal names %q, not %s", a.Problem().Source, field)
		}
		refused(t, stan.Visitor, "permission_denied", "POST", "/api/workspaces/users/invite/", map[string]any{"email": "new@people.example", field: true})
	}
	refused(t, mia.Visitor, "not_found", "PATCH", stan.path, map[string]any{"first_name": "Mallory"})
	refused(t, mia.Visitor, "not_found", "DELETE", stan.path, nil)
	refused(t, mia.Visitor, "permission_denied", "POST", "/api/iam/users/", map[string]any{"email": "new@people.example"})
	refused(t, mia.Visitor, "unknown_field", "PATCH", "/api/iam/users/-/", map[string]any{"is_staff": true})
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestTheLastSuperuserStays tries to demote, disable and delete the only one,
// and lets two demote each other at once (security, RB-7).
func TestTheLastSuperuserStays(t *testing.T) {
	w := relaxed(t, "last")
	chief := own(t, w)
	refused(t, w.Me, "last_superuser", "PATCH", chief, map[string]any{"is_superuser": false})
	refused(t, w.Me, "invalid_value", "PATCH", chief, map[string]any{"is_staff": false})
	refused(t, w.Me, "own_account", "PATCH", chief, map[string]any{"is_active": false})
	refused(t, w.Me, "own_account", "DELETE", chief, nil)
	sue := made(t, w, "sue", "superuser", "203.0.113.31").enrolled(t)
	for round := range 3 {
		if err := w.Fresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		statuses := make([]int, 2)
		var wait sync.WaitGroup
		for i, one := range []struct {
			v    *visitor.Visitor
			path string
		}{{w.Me.WithCookie(w.Me.Cookie()), sue.path}, {sue.Visitor, chief}} {
			wait.Go(func() {
				a, err := one.v.Do(t.Context(), "PATCH", one.path, map[string]any{"is_superuser": false, "is_staff": true})
				if err == nil {
					statuses[i] = a.Status
				}
			})
		}
		wait.Wait()
		won := 0
		for _, status := range statuses {
			if status == http.StatusOK {
				won++
			}
		}
		if won > 1 {
			t.Fatalf("both demoted each other: %v", statuses)
		}
		if err := w.Inspect(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Logf("round %d: %v", round, statuses)
		if won == 1 {
			return
		}
	}
	t.Error("in three rounds nobody was demoted")
}

// TestWhoLosesARightLosesItsUse holds that an account which is disabled,
// demoted or deleted does nothing more with what it had.
func TestWhoLosesARightLosesItsUse(t *testing.T) {
	w := relaxed(t, "losing")
	stan := made(t, w, "stan", "staff", "203.0.113.41")
	want(t, stan.Visitor, http.StatusCreated, "POST", "/api/workspaces/users/invite/", map[string]string{"email": "late@people.example"})
	late := mailed(t, w, "late@people.example", "/invitation")
	want(t, stan.Visitor, http.StatusOK, "GET", "/api/iam/invitations/", nil)
	want(t, w.Me, http.StatusOK, "PATCH", stan.path, map[string]any{"is_staff": false})
	refused(t, stan.Visitor, "session_invalid", "GET", "/api/status/", nil) // a changed role is a new sign-in
	stan.signIn(t)
	refused(t, stan.Visitor, "permission_denied", "GET", "/api/iam/invitations/", nil)
	stranger := w.Entries.Visitor(w.Slug, "203.0.113.42")
	refused(t, stranger, "invitation_not_found", "POST", "/api/auth/invitations/accept/", map[string]string{"token": late, "password": "a-quiet-lamp-for-them"})
	want(t, w.Me, http.StatusOK, "PATCH", stan.path, map[string]any{"is_active": false})
	refused(t, stan.Visitor, "session_invalid", "GET", "/api/status/", nil)
	refused(t, w.Entries.Visitor(w.Slug, "203.0.113.43"), "invalid_credentials", "POST", "/api/auth/signin/", map[string]string{"login": stan.email, "password": stan.word})
	want(t, w.Me, http.StatusOK, "PATCH", stan.path, map[string]any{"is_active": true})
	refused(t, stan.Visitor, "session_invalid", "GET", "/api/status/", nil)
	stan.signIn(t)
	want(t, stan.Visitor, http.StatusOK, "GET", "/api/status/", nil)
	want(t, w.Me, http.StatusNoContent, "DELETE", stan.path, nil)
	refused(t, stan.Visitor, "session_invalid", "GET", "/api/status/", nil)
	refused(t, w.Me, "not_found", "GET", stan.path, nil)
	again := made(t, w, "stan", "member", "203.0.113.44")
	if again.path == stan.path {
		t.Error("the second account of a name is the first")
	}
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestOfTwoInvitationsOneIsGood invites an address twice, withdraws, and uses
// up the day's budget of one address.
func TestOfTwoInvitationsOneIsGood(t *testing.T) {
	w := relaxed(t, "invites")
	stranger := w.Entries.Visitor(w.Slug, "203.0.113.51")
	invite := func() string {
		want(t, w.Me, http.StatusCreated, "POST", "/api/workspaces/users/invite/", map[string]string{"email": "Guest@People.example"})
		return mailed(t, w, "Guest@People.example", "/invitation")
	}
	view := func(token string) string {
		a, err := stranger.Do(t.Context(), "POST", "/api/auth/invitations/view/", map[string]string{"token": token})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(a.Status, a.Problem().Code)
	}
	first, second := invite(), invite()
	if got := view(first) + ", " + view(second); got != "404invitation_not_found, 200" {
		t.Errorf("the two invitations are answered %s", got)
	}
	var open struct{ Results []struct{ ID, Email string } }
	if err := want(t, w.Me, http.StatusOK, "GET", "/api/iam/invitations/", nil).Decode(http.StatusOK, &open); err != nil || len(open.Results) != 1 {
		t.Fatalf("open are %v, %v", open.Results, err)
	}
	want(t, w.Me, http.StatusNoContent, "DELETE", "/api/iam/invitations/"+open.Results[0].ID+"/", nil)
	refused(t, w.Me, "invitation_not_found", "DELETE", "/api/iam/invitations/"+open.Results[0].ID+"/", nil)
	if got := view(second); got != "404invitation_not_found" {
		t.Errorf("withdrawn, it is answered %s", got)
	}
	for range 3 {
		invite()
	}
	a := refused(t, w.Me, "too_many_invitations", "POST", "/api/workspaces/users/invite/", map[string]string{"email": "guest@people.example"})
	if a.Retry() == 0 {
		t.Error("no Retry-After")
	}
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestAUsernameIsSetOnce accepts an invitation without one.
func TestAUsernameIsSetOnce(t *testing.T) {
	w := relaxed(t, "username")
	want(t, w.Me, http.StatusCreated, "POST", "/api/workspaces/users/invite/", map[string]string{"email": "un@people.example"})
	v := w.Entries.Visitor(w.Slug, "203.0.113.61")
	want(t, v, http.StatusCreated, "POST", "/api/auth/invitations/accept/", map[string]string{"token": mailed(t, w, "un@people.example", "/invitation"), "password": "a-lamp-for-the-nameless"})
	const path = "/api/iam/username/"
	refused(t, v, "user_username_invalid", "POST", path, map[string]string{"username": "Upper Case"})
	refused(t, v, "user_username_disallowed", "POST", path, map[string]string{"username": "root"})
	refused(t, v, "user_username_in_use", "POST", path, map[string]string{"username": world.Username})
	want(t, v, http.StatusOK, "POST", path, map[string]string{"username": "una"})
	refused(t, v, "user_username_already_set", "POST", path, map[string]string{"username": "other"})
	want(t, w.Entries.Visitor(w.Slug, "203.0.113.62"), http.StatusOK, "POST", "/api/auth/signin/", map[string]string{"login": "una", "password": "a-lamp-for-the-nameless"})
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestReadOnlyFieldsAreRefusedByName sends the whole document back, as the
// command line does, with one field changed.
func TestReadOnlyFieldsAreRefusedByName(t *testing.T) {
	w := relaxed(t, "readonly")
	mia := made(t, w, "mia", "member", "203.0.113.71")
	var document map[string]any
	if err := want(t, w.Me, http.StatusOK, "GET", mia.path, nil).Decode(http.StatusOK, &document); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, http.StatusOK, "PATCH", mia.path, document)
	for field, value := range map[string]any{
		"id": own(t, w), "username": "other", "uid": 0, "home_directory": "/root", "num_groups": 3, "is_ldap_user": true,
		"date_joined": "2020-01-01T00:00:00Z", "mfa_methods": []string{"otp"}, "email_verified": false, "pending_email": "x@people.example",
		"temporary_password_until": "2030-01-01T00:00:00Z",
	} {
		before, there := document[field]
		document[field] = value
		if a := refused(t, w.Me, "read_only", "PATCH", mia.path, document); a.Problem().Source != field {
			t.Errorf("%s: the refusal names %q", field, a.Problem().Source)
		}
		if document[field] = before; !there {
			delete(document, field)
		}
	}
	for field, value := range map[string]string{"phone": "020 1234567", "shell": "bash", "first_name": "a\nb", "description": strings.Repeat("x", 1001), "email": "nobody"} {
		if a := refused(t, w.Me, "", "PATCH", mia.path, map[string]any{"nothing": 1}); a.Status != http.StatusOK {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		a, err := w.Me.Do(t.Context(), "PATCH", mia.path, map[string]any{field: value})
		if err != nil || a.Status != http.StatusBadRequest || a.Problem().Source != field {
			t.Errorf("%s: %d %s, %v", field, a.Status, a.Body, err)
		}
	}
	shared.Clock.Advance(20 * time.Minute)
	refused(t, w.Me, "auth_mfa_required", "PATCH", mia.path, map[string]any{"is_staff": true})
	refused(t, w.Me, "auth_mfa_required", "PATCH", mia.path, map[string]any{"email": "other@people.example"})
	want(t, w.Me, http.StatusOK, "PATCH", mia.path, map[string]any{"first_name": "Mia"})
}

// TestLinksThatAreMailedHaveAnEvent makes an account, changes its address and
// reports it: each link that was mailed has its event, whose subject is the
// account.
func TestLinksThatAreMailedHaveAnEvent(t *testing.T) {
	w := relaxed(t, "links-sent")
	mia := made(t, w, "mia", "member", "203.0.113.191").enrolled(t)
	want(t, mia.Visitor, http.StatusOK, "PATCH", "/api/iam/users/-/", map[string]string{"email": "other@people.example"})
	want(t, mia.Visitor, http.StatusOK, "POST", change, map[string]string{"current": mia.word, "password": "another-lamp-of-nobody-else"})
	want(t, mia.Visitor, http.StatusNoContent, "POST", report, map[string]string{"token": mailed(t, w, mia.email, "/not-me")})
	events, err := w.Events(t.Context())
	if err != nil {
		t.Error(err)
	}
	var sent []string
	for _, e := range events {
		if e.Kind == audit.AuthVerificationSent && strings.Contains(mia.path, e.Subject.String()) {
			sent = append(sent, text(e, "purpose")+" "+text(e, "masked_to"))
		}
	}
	slices.Sort(sent)
	if want := []string{"email o***@people.example", "reset m***@people.example", "reset m***@people.example"}; !slices.Equal(sent, want) {
		t.Errorf("the events say %v, want %v", sent, want)
	}
	settled(t, w)
}
