package browser_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"paddock/localstack/visitor"
)

// choose takes a value of a list of choices.
func (x *tab) choose(label, value string) {
	x.t.Helper()
	field := control("select", label)
	x.until("choices "+label, "!!"+field)
	if got := eval[string](x, fmt.Sprintf(`(() => { const e = %s; e.value = %q; e.dispatchEvent(new Event('change', { bubbles: true })); return e.value })()`, field, value)); got != value {
		x.t.Fatalf("choices %s have no %q", label, value)
	}
}

// TestAPITokensAreManaged makes a token under Preferences, gives it rules, copies
// and deletes it, and has an administrator disable and delete one of a member.
func TestAPITokensAreManaged(t *testing.T) {
	sue := shared.SignIn(t, shared.Account(t, "superuser"))
	shared.fleet(t, sue, "token-web", "token-db")
	narrow := look{width: 360, dark: true}
	x := shared.tab(t, wide()).with(sue)
	key := x.makesToken(t)
	bot := &visitor.Visitor{Base: shared.Env.BaseURL, Bearer: key}
	if got := serversOf(t, bot); got != "" {
		t.Errorf("a token without rules lists %s", got)
	}
	x.rules(t)
	if got := serversOf(t, bot); got != "token-web" {
		t.Errorf("a token with a rule of one server lists %q", got)
	}

	x.press("Disable")
	x.text("It is refused from the next request on, until you enable it again.")
	x.press("Disable")
	x.until("a token that is off", "!!"+control(buttons, "Enable"))
	if status := shared.opens(t, bot); status != http.StatusUnauthorized {
		t.Errorf("a token that is off opens %d", status)
	}
	x.press("Enable")
	x.until("a token that is on", "!!"+control(buttons, "Disable"))
	if status := shared.opens(t, bot); status != http.StatusOK {
		t.Errorf("a token that is on opens %d", status)
	}
	x.copies(t, key)

	x.open("/preferences/tokens")
	x.press("deploy-copy")
	x.page("deploy-copy")
	x.press("Delete")
	x.text("This cannot be undone.")
	x.press("Delete")
	x.page("API tokens")
	x.press("deploy-bot")
	x.page("deploy-bot")
	x.press("Delete")
	x.press("Delete")
	x.text("You have none yet.")
	x.administers(t, narrow)
}

// administers disables and deletes the token of somebody else.
func (x *tab) administers(t *testing.T, narrow look) {
	t.Helper()
	tess := shared.person(t, "tess", firefox)
	shared.app(t, tess)
	shared.must(t, tess, http.StatusCreated, "/api/auth/tokens/", map[string]any{"name": "tess-bot", "scopes": []string{"server:read"}}, nil)
	y := shared.tab(t, narrow).with(tess)
	x.open("/people/" + shared.own(t, tess))
	x.until("the token", listed("API tokens", "tess-bot"))
	x.press("Disable the token tess-bot")
	x.text("Tess Oak cannot enable it again.")
	x.press("Disable")
	x.until("a token that is off", listed("API tokens", "disabled by an administrator"))
	x.accessibleAs(narrow)
	y.open("/preferences/tokens")
	y.until("a token that is off", listed("API tokens", "disabled by an administrator"))
	y.accessibleAs(narrow)
	y.as(narrow)
	y.enter("tess-bot")
	y.page("tess-bot")
	y.text("An administrator disabled this token.")
	y.offersNone("Enable", "Disable")
	x.press("Enable the token tess-bot")
	x.until("a token that is on", "!!"+control(buttons, "Disable the token tess-bot"))
	x.press("Delete the token tess-bot")
	x.press("Delete")
	x.until("no token", "!("+listed("API tokens", "tess-bot")+")")
}

// serversOf returns the names of the servers that a credential lists.
func serversOf(t *testing.T, v *visitor.Visitor) string {
	t.Helper()
	var page struct{ Results []struct{ Name string } }
	if err := v.Want(t.Context(), http.StatusOK, http.MethodGet, "/api/servers/servers/", nil, &page); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, s := range page.Results {
		out = append(out, s.Name)
	}
	return strings.Join(out, " ")
}

// makesToken makes a token by its form and returns its key, which is shown once.
func (x *tab) makesToken(t *testing.T) string {
	t.Helper()
	narrow := look{width: 360, dark: true}
	x.open("/account/profile")
	x.page("My profile")
	x.enter("Preferences")
	x.page("Preferences")
	x.enter("API tokens")
	x.page("API tokens")
	x.text("You have none yet.")
	x.enter("New API token")
	x.page("New API token")
	x.fill("Name", "deploy-bot")
	x.press("Make token")
	x.text("Choose at least one thing that the token may.")
	x.toggle("Full access: everything that I may")
	x.text("Whoever gets hold of a token of full access")
	x.press("Make token")
	x.text("Say that you mean full access, or choose what the token may.")
	x.accessible()
	x.toggle("Only what I choose")
	x.choose("Server", "read")
	x.choose("Command", "write")
	x.instant("Ends", shared.Now().Add(-time.Hour))
	x.press("Make token")
	x.text("The end must lie in the future.")
	x.focused("expires_at")
	x.accessibleAs(narrow)
	x.instant("Ends", shared.Now().Add(90*24*time.Hour))
	x.press("Make token")
	x.page("The token was made")
	key := x.shown("The key")
	if line := x.shown("The line"); !strings.HasPrefix(key, "alpat-") || line != `export ALPACON_TOKEN="`+key+`"` {
		t.Fatal("the key and its line are not shown")
	}
	x.accessible()
	x.enter("Copy the key")
	x.until("what became of it", `document.querySelector('.unseen').textContent.includes('cop')`)
	if !eval[bool](x, control(buttons, "Continue")+".disabled") {
		t.Error("the page goes on before the key is saved")
	}
	x.toggle("I saved this key")
	x.press("Continue")
	x.page("deploy-bot")
	x.text("command:write, server:read")
	if strings.Contains(eval[string](x, "document.documentElement.outerHTML + JSON.stringify({ ...localStorage, ...sessionStorage })"), key) {
		t.Error("the key is still there")
	}
	return key
}

// rules adds and removes what the token that is open reaches.
func (x *tab) rules(t *testing.T) {
	t.Helper()
	narrow := look{width: 360, dark: true}
	x.text("without rules the token reaches no server, runs no command and moves no file")
	x.text("It reaches no server.")
	x.enter("Add a rule of servers")
	x.fill("Name of the server", "token-nothing")
	x.press("Add rule of servers")
	x.text("You see no server named token-nothing.")
	x.focused("server")
	x.fill("Name of the server", "token-web")
	x.press("Add rule of servers")
	x.until("the server", listed("Servers", "token-web"))
	x.press("Add a rule of commands")
	x.fill("Command line", "uptime *")
	x.press("Add rule of commands")
	x.until("the command", listed("Commands", "uptime *"))
	x.press("Add a rule of files")
	x.fill("Path", "/var/log/*")
	x.press("Add rule of files")
	x.until("the file", listed("Files", "fetch from /var/log/*"))
	x.accessible()
	x.press("Remove uptime *")
	x.text("At the next request the token is refused what only this rule names")
	x.press("Remove")
	x.text("It runs no command.")
	x.accessibleAs(narrow)
}

// copies duplicates the token that is open.
func (x *tab) copies(t *testing.T, key string) {
	t.Helper()
	x.press("Duplicate")
	x.fill("Name of the copy", "deploy-bot")
	x.press("Duplicate")
	x.text("You have a token of this name.")
	x.focused("name")
	x.fill("Name of the copy", "deploy-copy")
	x.press("Duplicate")
	x.text("Save the key of deploy-copy")
	if copied := x.shown("The key"); copied == key {
		t.Error("the copy has the key of the other")
	}
	x.accessible()
	x.toggle("I saved this key")
	x.press("Continue")
	x.page("deploy-copy")
	x.until("the rule of the other", listed("Servers", "token-web"))
}
