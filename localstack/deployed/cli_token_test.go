package deployed_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"paddock/localstack/alpacon"
	"paddock/localstack/visitor"
)

// keyShown finds the key of a token in what the command line prints.
var keyShown = regexp.MustCompile(`alpat-[0-9A-Za-z]{92}`)

// TestTheCommandLineManagesTokens makes, lists, copies, limits and deletes API
// tokens with the unmodified command line, and signs in with one.
func TestTheCommandLineManagesTokens(t *testing.T) {
	c, ok := alpacon.Named(t, "", "the command line's work with tokens")
	if !ok {
		return
	}
	sue := shared.SignIn(t, shared.Account(t, "superuser"))
	c.Run(t, "login", shared.Env.BaseURL, "-t", sue.Cookie())
	shows(t, "token scopes", c.Run(t, "token", "scopes"), "user", "read", "command", "*")
	key := keyShown.FindString(c.Run(t, "token", "create", "-n", "cli-bot", "--expiration-in-days", "7", "--scopes", "user:read,command:create,server:read"))
	if key == "" {
		t.Fatal("no key is shown")
	}
	full := keyShown.FindString(c.Run(t, "token", "create", "-n", "cli-full", "--limit=false"))
	if full == "" {
		t.Fatal("no key of full access is shown")
	}
	shows(t, "token ls", c.Run(t, "token", "ls"), "cli-bot", "cli-full", "user:read")
	if list := c.Run(t, "token", "ls"); keyShown.MatchString(list) {
		t.Error("a list shows a key")
	}
	copied := keyShown.FindString(c.Run(t, "token", "duplicate", "cli-bot", "--name", "cli-copy"))
	if copied == "" || copied == key {
		t.Errorf("the copy has no key of its own")
	}

	// Rules of commands, files and servers.
	c.Run(t, "token", "acl", "command", "add", "cli-bot", "--command", "uptime *")
	shows(t, "token acl command ls", c.Run(t, "token", "acl", "command", "ls", "cli-bot"), "uptime *", "cli-bot")
	c.Run(t, "token", "acl", "file", "add", "cli-bot", "--path", "/var/log/*", "--action", "download")
	shows(t, "token acl file ls", c.Run(t, "token", "acl", "file", "ls", "cli-bot"), "/var/log/*", "download")
	var fleet struct{ Key string }
	if err := sue.Want(t.Context(), http.StatusCreated, "POST", "/api/servers/registration-tokens/", map[string]string{"name": "for cli-bot"}, &fleet); err != nil {
		t.Fatal(err)
	}
	agent := &visitor.Visitor{Base: shared.Env.BaseURL, Bearer: fleet.Key}
	for _, name := range []string{"cli-web", "cli-db"} {
		if err := agent.Want(t.Context(), http.StatusCreated, "POST", "/api/servers/servers/register/", map[string]string{"name": name, "platform": "debian"}, nil); err != nil {
			t.Fatal(err)
		}
	}
	c.Run(t, "token", "acl", "server", "add", "cli-bot", "--server", "cli-web")
	shows(t, "token acl server ls", c.Run(t, "token", "acl", "server", "ls", "cli-bot"), "cli-web")
	c.Run(t, "token", "acl", "server", "add", "cli-copy", "--servers", "cli-web,cli-db")
	shows(t, "token acl server ls of several", c.Run(t, "token", "acl", "server", "ls", "cli-copy"), "cli-web", "cli-db")
	c.Run(t, "token", "acl", "server", "delete", "cli-copy", "--servers", "cli-web,cli-db", "-y")
	if list := c.Run(t, "token", "acl", "server", "ls", "cli-copy"); strings.Contains(list, "cli-db") {
		t.Errorf("after they were taken away servers are listed:\n%s", list)
	}

	// Another machine signs in with the token.
	bot, _ := alpacon.Named(t, "", "a login with an API token")
	bot.Run(t, "login", shared.Env.BaseURL, "-t", key)
	shows(t, "whoami with a token", bot.Run(t, "whoami"), "sue")
	shows(t, "user ls with a token", bot.Run(t, "user", "ls"), "sue", "mia")
	if list := bot.Run(t, "server", "ls"); !strings.Contains(list, "cli-web") || strings.Contains(list, "cli-db") {
		t.Errorf("a token with a rule of one server lists\n%s", list)
	}
	shows(t, "group ls with a token", bot.Ends(t, 1, "group", "ls"), "scopes of this token")
	shows(t, "token create with a token", bot.Ends(t, 1, "token", "create", "-n", "more", "--limit=false"), "token does not open this")
	shows(t, "user delete with a token", bot.Ends(t, 1, "user", "delete", "mia", "-y"), "token")

	bot.Run(t, "logout")
	for _, name := range []string{"cli-web", "cli-db"} {
		c.Run(t, "server", "delete", name, "-y")
	}
	c.Run(t, "server", "token", "delete", "for cli-bot", "-y")

	for _, name := range []string{"cli-bot", "cli-copy", "cli-full"} {
		c.Run(t, "token", "delete", name, "-y")
	}
	if list := c.Run(t, "token", "ls"); strings.Contains(list, "cli-") {
		t.Errorf("after they were deleted tokens are listed:\n%s", list)
	}
	for _, k := range []string{key, full, copied} {
		v := &visitor.Visitor{Base: shared.Env.BaseURL, Bearer: k}
		if a, err := v.Do(t.Context(), http.MethodGet, "/api/status/", nil); err != nil || a.Status != http.StatusUnauthorized {
			t.Errorf("a deleted token opens %d, %v", a.Status, err)
		}
	}
}
