package world_test

import (
	"net/http"
	"reflect"
	"testing"

	"paddock/localstack/world"
)

// TestPasswordsOfCommandLines sends them where command lines are told to sign in
// with a browser: nothing is compared, and nothing told of the account.
func TestPasswordsOfCommandLines(t *testing.T) {
	const login = "/api/auth/login/"
	w := walk(t, "cli-login", 3)
	atMinute()
	v := w.Entries.Visitor(w.Slug, "203.0.113.211")
	body := func(name string) map[string]string {
		return map[string]string{"username": name, "password": world.Password}
	}
	a := refused(t, v, "browser_login_required", "POST", login, body("nobody"))
	if a.Status != http.StatusForbidden {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	unknown := shape(t, w, v, login, body("nobody"))
	for _, name := range []string{world.Username, w.Email()} {
		if got := shape(t, w, v, login, body(name)); !reflect.DeepEqual(got, unknown) {
			t.Errorf("%s:\n%+v\nwant\n%+v", name, got, unknown)
		}
	}
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, http.StatusOK, "PATCH", security, map[string]string{"cli_login": "legacy"})
	refused(t, v, "invalid_credentials", "POST", login, body("nobody"))
	refused(t, v, "mfa_required", "POST", login, body(world.Username))
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}
