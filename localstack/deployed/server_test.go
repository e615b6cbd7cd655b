package deployed_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"paddock/localstack/alpacon"
	"paddock/localstack/visitor"
)

// TestTheCommandLineRunsServers makes registration tokens and guides, lists,
// renames and deletes servers and writes notes with the unmodified command
// line. No agent runs: the registration that one would make is sent here.
func TestTheCommandLineRunsServers(t *testing.T) {
	c, ok := alpacon.Named(t, "", "the command line's work with servers")
	if !ok {
		return
	}
	sue := shared.SignIn(t, shared.Account(t, "superuser"))
	c.Run(t, "login", shared.Env.BaseURL, "-t", sue.Cookie())

	shows(t, "server token create", c.Run(t, "server", "token", "create", "--name", "fleet"), "alprt-")
	out := c.Run(t, "server", "create", "-p", "debian", "-n", "web-01", "--new-token", "spare")
	shows(t, "server create", out, "alprt-", "gw.", "alpamon register", "--name web-01")
	shows(t, "server create by Ansible", c.Run(t, "server", "create", "-p", "rhel", "-m", "ansible", "--token", "fleet"), "ansible-galaxy collection install", "gw.")
	shows(t, "server token ls", c.Run(t, "server", "token", "ls"), "fleet", "spare", "never")
	c.Run(t, "server", "token", "delete", "spare", "-y")
	if list := c.Run(t, "server", "token", "ls"); strings.Contains(list, "spare") {
		t.Errorf("after it was deleted the token is listed:\n%s", list)
	}

	var token struct{ Key string }
	if err := sue.Want(t.Context(), http.StatusCreated, "POST", "/api/servers/registration-tokens/", map[string]string{"name": "agents"}, &token); err != nil {
		t.Fatal(err)
	}
	agent := &visitor.Visitor{Base: shared.Env.BaseURL, Bearer: token.Key}
	for _, name := range []string{"web-01", "db-01"} {
		if err := agent.Want(t.Context(), http.StatusCreated, "POST", "/api/servers/servers/register/", map[string]string{"name": name, "platform": "debian"}, nil); err != nil {
			t.Fatal(err)
		}
	}
	shows(t, "server ls", c.Run(t, "server", "ls"), "web-01", "db-01", "NAME", "OWNER")
	shows(t, "server describe", c.Run(t, "server", "describe", "web-01"), `"web-01"`, `"status": null`, `"sue@demo.example"`)
	c.Editor = editor(t, `s/"name": "web-01"/"name": "web-02"/`)
	shows(t, "server update", c.Run(t, "server", "update", "web-01"), "web-02")
	c.Editor = editor(t, `s/"platform": "debian"/"platform": "rhel"/`)
	shows(t, "server update of what cannot be changed", c.Ends(t, 1, "server", "update", "web-02"), "This field cannot be changed.")
	shows(t, "server reboot", c.Ends(t, 1, "server", "reboot", "web-02", "-y"), "agent is not connected")

	c.Run(t, "note", "create", "--server", "web-02", "--content", "mind the otters", "--private")
	shows(t, "note ls", c.Run(t, "note", "ls"), "mind the otters", "web-02", "Sue Per")
	var notes struct {
		Results []struct{ ID, Content string }
	}
	if err := sue.Want(t.Context(), http.StatusOK, "GET", "/api/servers/notes/", nil, &notes); err != nil {
		t.Fatal(err)
	}
	note := notes.Results[slices.IndexFunc(notes.Results, func(n struct{ ID, Content string }) bool { return n.Content == "mind the otters" })].ID
	c.Editor = editor(t, `s/otters/badgers/`)
	shows(t, "note update", c.Run(t, "note", "update", note), "mind the badgers")
	shows(t, "note describe", c.Run(t, "note", "describe", note), "mind the badgers")
	shows(t, "note ls of a server", c.Run(t, "note", "ls", "--server", "web-02"), "mind the badgers")
	c.Run(t, "note", "delete", note, "-y")
	if list := c.Run(t, "note", "ls"); strings.Contains(list, "badgers") {
		t.Errorf("after it was deleted the note is listed:\n%s", list)
	}

	// What is not assigned is not there for a member.
	mia := alpacon.Program{Path: c.Path, Home: t.TempDir()}
	member := shared.Account(t, "member")
	mia.Run(t, "login", shared.Env.BaseURL, "-u", member.Username, "-p", member.Password)
	if list := mia.Run(t, "server", "ls"); strings.Contains(list, "web-02") {
		t.Errorf("a member sees\n%s", list)
	}
	mia.Ends(t, 1, "server", "describe", "web-02")
	mia.Ends(t, 1, "server", "token", "ls")

	c.Run(t, "server", "delete", "web-02", "-y")
	if list := c.Run(t, "server", "ls"); strings.Contains(list, "web-02") || !strings.Contains(list, "db-01") {
		t.Errorf("after it was deleted:\n%s", list)
	}
}
