package browser_test

import (
	"context"
	"net/http"
	"testing"

	"paddock/localstack/visitor"
)

// TestSettingsOfSessions changes how sign-ins and sessions work, and sees that
// they do.
func TestSettingsOfSessions(t *testing.T) {
	sue := shared.SignIn(t, shared.Account(t, "superuser"))
	t.Cleanup(func() {
		change := map[string]any{"session_idle_timeout": 3600, "session_absolute_timeout": 86400, "unusual_sign_in": true, "cli_login": "browser"}
		if err := sue.Want(context.WithoutCancel(t.Context()), http.StatusOK, http.MethodPatch, "/api/workspaces/security/-/", change, nil); err != nil {
			t.Error(err)
		}
	})
	x := shared.tab(t, wide()).with(sue)
	x.open("/settings/security")
	x.page("Workspace security")
	x.fill("Minutes until an unused session ends", "4")
	x.press("Save")
	x.text("from 5 to 1440 minutes")
	x.accessible()
	x.fill("Minutes until an unused session ends", "7.5")
	x.fill("Hours that a sign-in lasts at most", "2")
	x.toggle("Ask for a code at unusual sign-ins")
	x.toggle("With username and password")
	x.press("Save")
	x.text("The settings were saved.")
	x.accessible()
	var now struct {
		Idle     int    `json:"session_idle_timeout"`
		Absolute int    `json:"session_absolute_timeout"`
		Unusual  bool   `json:"unusual_sign_in"`
		CLI      string `json:"cli_login"`
	}
	if err := sue.Want(t.Context(), http.StatusOK, http.MethodGet, "/api/workspaces/security/-/", nil, &now); err != nil {
		t.Fatal(err)
	}
	if now.Idle != 450 || now.Absolute != 7200 || now.Unusual || now.CLI != "legacy" {
		t.Errorf("saved were %+v", now)
	}
	var env struct{ Auth0 map[string]string }
	if err := shared.over(t).Want(t.Context(), http.StatusOK, http.MethodGet, "/api/auth/env/?client=cli", nil, &env); err != nil {
		t.Fatal(err)
	}
	if env.Auth0["method"] != "legacy" {
		t.Errorf("command lines are told %v", env.Auth0)
	}

	// An account that was made, of whose owner nothing is known, signs in without a code.
	const first = "eleven-quiet-lanterns-drift"
	shared.must(t, sue, http.StatusCreated, "/api/iam/users/", map[string]string{
		"username": "dina", "email": "dina@demo.example", "first_name": "Dina", "last_name": "Dale", "password": first,
	}, nil)
	var answer struct{ State string }
	shared.must(t, &visitor.Visitor{Base: shared.Env.BaseURL}, http.StatusOK, "/api/auth/signin/", map[string]string{"login": "dina", "password": first}, &answer)
	if answer.State != "password_change_required" {
		t.Errorf("the first sign-in: %s", answer.State)
	}
}
