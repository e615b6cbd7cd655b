package deployed_test

import (
	"net/http"
	"testing"

	"paddock/localstack/alpacon"
)

// TestTheCommandLineComesAsAnApplication signs the unmodified command line in with
// a service token.
func TestTheCommandLineComesAsAnApplication(t *testing.T) {
	c, ok := alpacon.Named(t, "", "a login with a service token")
	if !ok {
		return
	}
	const all = "/api/iam/applications/"
	sue := shared.SignIn(t, shared.Account(t, "superuser"))
	var app, role struct{ ID string }
	var token struct{ Key string }
	for _, ask := range []struct {
		path string
		body any
		out  any
	}{
		{all, map[string]any{"name": "pipeline", "scopes": []string{"user:read"}}, &app},
		{"/api/iam/roles/", map[string]any{"name": "pipeline", "permissions": []string{"user:read", "group:read"}}, &role},
	} {
		if err := sue.Want(t.Context(), http.StatusCreated, http.MethodPost, ask.path, ask.body, ask.out); err != nil {
			t.Fatal(err)
		}
	}
	if err := sue.Want(t.Context(), http.StatusCreated, http.MethodPost, all+app.ID+"/roles/", map[string]any{"role": role.ID}, nil); err != nil {
		t.Fatal(err)
	}
	if err := sue.Want(t.Context(), http.StatusCreated, http.MethodPost, all+app.ID+"/tokens/", map[string]any{"name": "ci"}, &token); err != nil {
		t.Fatal(err)
	}
	c.Run(t, "login", shared.Env.BaseURL, "-t", token.Key)
	shows(t, "whoami with a service token", c.Run(t, "whoami"), "pipeline", "user:read")
	shows(t, "user ls with a service token", c.Run(t, "user", "ls"), "sue", "mia")
	shows(t, "group ls with a service token", c.Ends(t, 1, "group", "ls"), "scopes of this token")
	shows(t, "token ls with a service token", c.Ends(t, 1, "token", "ls"), "token does not open this")
	if err := sue.Want(t.Context(), http.StatusOK, http.MethodPatch, all+app.ID+"/", map[string]any{"enabled": false}, nil); err != nil {
		t.Fatal(err)
	}
	c.Ends(t, 1, "user", "ls")
}
