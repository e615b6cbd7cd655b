package deployed_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"paddock/localstack/alpacon"
	"paddock/localstack/seeding"
	"paddock/localstack/visitor"
)

// editor writes a program that edits a file as sed does, and returns its path.
func editor(t *testing.T, expression string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "editor")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nexec sed -i '"+expression+"' \"$1\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// shows fails the test unless a text has all of these.
func shows(t *testing.T, what, text string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("%s prints no %q:\n%s", what, want, text)
		}
	}
}

// TestTheCommandLineManagesPeople makes, reads, changes and deletes an account
// with the unmodified command line, which holds a superuser's session.
func TestTheCommandLineManagesPeople(t *testing.T) {
	c, ok := alpacon.Named(t, "", "the command line's work with people")
	if !ok {
		return
	}
	sue := shared.SignIn(t, shared.Account(t, "superuser"))
	c.Run(t, "login", shared.Env.BaseURL, "-t", sue.Cookie())
	const first = "eleven-quiet-lanterns-drift"
	out := c.Dialogue(t, []alpacon.Line{
		{Prompt: "Username(required): ", Text: "cliff"},
		{Prompt: "Password(required): ", Text: first},
		{Prompt: "Confirm Password: ", Text: first},
		{Prompt: "First name(required): ", Text: "Cliff"},
		{Prompt: "Last name(required): ", Text: "Clay"},
		{Prompt: "Email(required): ", Text: "cliff@demo.example"},
		{Prompt: "Phone number(optional): ", Text: ""},
		{Prompt: "Tags (optional", Text: "#dev"},
		{Prompt: "Description(optional): ", Text: ""},
		{Prompt: "Shell(optional", Text: ""},
		{Prompt: "LDAP status [y/n]: ", Text: "n"},
		{Prompt: "Staff status [y/n]: ", Text: "n"},
		{Prompt: "Superuser status [y/n]: ", Text: "n"},
	}, "user", "create")
	shows(t, "user create", out, "User created: cliff")
	shows(t, "user ls", c.Run(t, "user", "ls"), "cliff", "Clay Cliff", "cliff@demo.example", "sue@demo.example")
	shows(t, "user describe", c.Run(t, "user", "describe", "cliff"), `"cliff@demo.example"`, `"Clay"`, `"#dev"`)

	// The password that was given opens nothing until it is replaced.
	half := &visitor.Visitor{Base: shared.Env.BaseURL}
	var begun struct{ State string }
	if err := half.Want(t.Context(), http.StatusOK, "POST", "/api/auth/signin/", map[string]string{"login": "cliff", "password": first}, &begun); err != nil {
		t.Fatal(err)
	}
	if begun.State != "mfa_required" { // a mailed code, as nothing is known of its owner
		t.Errorf("the first sign-in: %s", begun.State)
	}

	c.Editor = editor(t, `s/"last_name": "Clay"/"last_name": "Clayton"/`)
	shows(t, "user update", c.Run(t, "user", "update", "cliff"), "Clayton")
	shows(t, "user describe", c.Run(t, "user", "describe", "cliff"), `"Clayton"`)
	c.Editor = editor(t, `s/nothing/else/`)
	shows(t, "user update that changes nothing", c.Run(t, "user", "update", "cliff"), "No changes made")
	c.Editor = editor(t, `s/"uid": [0-9]*/"uid": 1/; s/Clayton/Clifton/`)
	shows(t, "user update of what cannot be changed", c.Ends(t, 1, "user", "update", "cliff"), "This field cannot be changed.")
	if now := c.Run(t, "user", "describe", "cliff"); !strings.Contains(now, `"Clayton"`) || strings.Contains(now, `"uid": 1,`) {
		t.Errorf("a refused update changed something:\n%s", now)
	}

	c.Run(t, "user", "delete", "cliff", "-y")
	if list := c.Run(t, "user", "ls"); strings.Contains(list, "cliff") {
		t.Errorf("after it was deleted the account is listed:\n%s", list)
	}
	c.Ends(t, 1, "user", "describe", "cliff")
	shows(t, "deleting oneself", c.Ends(t, 1, "user", "delete", "sue", "-y"), "You cannot disable or delete your own account.")
}

// TestTheCommandLineOfAMemberManagesNobody holds that the server refuses, not
// only the command line.
func TestTheCommandLineOfAMemberManagesNobody(t *testing.T) {
	c, ok := alpacon.Named(t, "", "the command line of a member")
	if !ok {
		return
	}
	mia := shared.Account(t, "member")
	c.Run(t, "login", shared.Env.BaseURL, "-u", mia.Username, "-p", mia.Password)
	c.Ends(t, 1, "user", "delete", "stan", "-y")
	c.Editor = editor(t, `s/"last_name": "Member"/"last_name": "Miller"/`)
	c.Ends(t, 1, "user", "update", "stan")
	shows(t, "whoami", c.Run(t, "whoami"), "mia")
}

// TestTheCommandLineSetsAUsername once, for an account that has none.
func TestTheCommandLineSetsAUsername(t *testing.T) {
	c, ok := alpacon.Named(t, "", "the command line's `username set`")
	if !ok {
		return
	}
	const address, password = "nils@demo.example", "seven-green-kettles-hum-along"
	sue := shared.SignIn(t, shared.Account(t, "superuser"))
	if err := sue.Want(t.Context(), http.StatusCreated, "POST", "/api/workspaces/users/invite/", map[string]string{"email": address}, nil); err != nil {
		t.Fatal(err)
	}
	secret, err := seeding.Link(t.Context(), shared.Engine, address)
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor.Visitor{Base: shared.Env.BaseURL}
	if err := v.Want(t.Context(), http.StatusCreated, "POST", "/api/auth/invitations/accept/", map[string]string{"token": secret, "password": password}, nil); err != nil {
		t.Fatal(err)
	}
	c.Run(t, "login", shared.Env.BaseURL, "-u", address, "-p", password)
	shows(t, "username set", c.Run(t, "username", "set", "nils"), "nils")
	shows(t, "username get", c.Run(t, "username", "get"), "nils")
	shows(t, "username set, again", c.Ends(t, 1, "username", "set", "niels"), "Error")
	shows(t, "username get", c.Run(t, "username", "get"), "nils")
}

// TestTheCommandLineOverHTTPS signs in by browser, invites somebody, renews its
// token and signs out; it trusts the checkout's authority alone.
func TestTheCommandLineOverHTTPS(t *testing.T) {
	c, ok := alpacon.Named(t, filepath.Join(shared.Root, ".local", "tls", "ca.crt"), "the command line's login by browser on the deployed stack")
	if !ok {
		return
	}
	sue := shared.SignIn(t, shared.Account(t, "superuser"))
	shows(t, "a login that is denied", c.Refused(t, shared.Secure, func(code string) { answer(t, sue, "deny", code) }), "denied")
	c.Login(t, shared.Secure, func(code string) { answer(t, sue, "approve", code) })
	shows(t, "whoami", c.Run(t, "whoami"), "sue", "superuser")
	shows(t, "user invite", c.Run(t, "user", "invite", "ivo@demo.example"), "ivo@demo.example")
	if _, err := seeding.Link(t.Context(), shared.Engine, "ivo@demo.example"); err != nil {
		t.Error(err)
	}
	before := c.Config(t)
	c.Expire(t)
	shows(t, "whoami after a refresh", c.Run(t, "--output", "json", "whoami"), `"username": "sue"`, `"browser_login"`)
	after := c.Config(t)
	if after["access_token"] == before["access_token"] || after["refresh_token"] != before["refresh_token"] {
		t.Error("the command line did not renew its access token and keep the other")
	}
	c.Run(t, "logout")
	v := &visitor.Visitor{Base: shared.Env.BaseURL, Access: after["access_token"].(string)}
	a, err := v.Do(t.Context(), http.MethodGet, "/api/status/", nil)
	if err != nil || a.Status != http.StatusUnauthorized {
		t.Errorf("after the logout the access token opens %d, %v", a.Status, err)
	}
	shows(t, "a command after the logout", c.Ends(t, 1, "user", "ls"), "login")
}

// answer approves or denies a device login.
func answer(t *testing.T, v *visitor.Visitor, verb, code string) {
	t.Helper()
	if err := v.Want(t.Context(), http.StatusNoContent, "POST", "/api/auth/device/"+verb+"/", map[string]string{"user_code": code}, nil); err != nil {
		t.Error(err)
	}
}
