package browser_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"paddock/localstack/visitor"
)

// registers has a server register by a token's key, and returns its id.
func (b *bench) registers(t *testing.T, key, name string) string {
	t.Helper()
	var made struct{ ID string }
	agent := &visitor.Visitor{Base: b.Env.BaseURL, Bearer: key}
	b.must(t, agent, http.StatusCreated, "/api/servers/servers/register/", map[string]string{"name": name, "platform": "debian"}, &made)
	return made.ID
}

// fleet has servers register as a visitor's, and takes them away at the end of
// the test. It returns their ids.
func (b *bench) fleet(t *testing.T, v *visitor.Visitor, names ...string) []string {
	t.Helper()
	var token struct{ ID, Key string }
	b.must(t, v, http.StatusCreated, "/api/servers/registration-tokens/", map[string]string{"name": "of " + t.Name()}, &token)
	var ids []string
	for _, name := range names {
		ids = append(ids, b.registers(t, token.Key, name))
	}
	ctx := context.WithoutCancel(t.Context()) // which is over before what is cleaned up
	t.Cleanup(func() {
		for _, id := range ids {
			if err := v.Want(ctx, http.StatusNoContent, http.MethodDelete, "/api/servers/servers/"+id+"/", nil, nil); err != nil {
				t.Error(err)
			}
		}
		if err := v.Want(ctx, http.StatusNoContent, http.MethodDelete, "/api/servers/registration-tokens/"+token.ID+"/", nil, nil); err != nil {
			t.Error(err)
		}
	})
	return ids
}

// shown returns the text to copy that is named so.
func (x *tab) shown(what string) string {
	x.t.Helper()
	text := fmt.Sprintf("document.querySelector('pre[aria-label=%q]')", what)
	x.until(what, "!!"+text)
	return eval[string](x, text+".textContent")
}

// TestServersAreManaged is an administrator's work with a server from its
// registration to its end, and what a member and a manager see of it.
func TestServersAreManaged(t *testing.T) {
	mia := shared.Account(t, "member")
	sue := shared.SignIn(t, shared.Account(t, "superuser"))
	member := shared.SignIn(t, mia)
	narrow := look{width: 360, dark: true}
	x := shared.tab(t, wide()).with(sue)
	y := shared.tab(t, narrow).with(member)
	path := x.registersServer(t)
	x.gives(t, mia.Username)
	y.sees(path)
	x.renames(t, sue)
	x.notes()
	x.open("/people/" + shared.own(t, member))
	x.until("what the person reaches", listed("Servers that are reached", "db-1")+" && "+listed("Servers that are reached", "By an assignment"))
	x.accessibleAs(narrow)
	x.open(path)
	x.page("db-1")
	x.managedBy(t, path)

	x.press("Take away from Mia Member")
	x.text("loses what it opens at the next request.")
	x.press("Take away")
	x.text("Nobody was given it.")
	x.press("Delete server")
	x.fill("Type db-1 to go on", "web-1")
	x.press("Delete")
	x.text("This is another name.")
	x.focused("name")
	x.accessibleAs(narrow)
	x.fill("Type db-1 to go on", "db-1")
	x.press("Delete")
	x.page("Servers")
	x.until("no server", "!("+listed("Servers", "db-1")+")")
}

// registersServer makes a token and follows the guide. It returns the path of the
// server's page.
func (x *tab) registersServer(t *testing.T) string {
	t.Helper()
	narrow := look{width: 360, dark: true}
	x.open("/servers")
	x.page("Servers")
	x.enter("Register a server")
	x.page("Register a server")
	x.text("There is none yet.")
	x.fill("Name of the token", "fleet")
	x.write("Groups", "nobody of this name")
	x.press("Make token")
	x.text("You see no group named nobody of this name.")
	x.focused("groups")
	x.write("Groups", " ")
	x.press("Make token")
	x.text("The key of fleet")
	key := x.shown("The key")
	if !strings.HasPrefix(key, "alprt-") {
		t.Fatal("the key of a registration token is not shown")
	}
	x.fill("Name of the server", "web 1")
	x.press("Show the guide")
	x.until("the refusal", `document.activeElement.name === 'server_name' && !!document.querySelector('.react-aria-FieldError')`)
	x.fill("Name of the server", "web-1")
	x.press("Show the guide")
	if command := x.shown("The command"); !strings.Contains(command, key) || !strings.Contains(command, "--name web-1") {
		t.Error("the guide's command is not whole")
	}
	x.accessible()
	x.toggle("Several machines, with Ansible")
	x.press("Show the guide")
	x.until("the playbook", "!!document.querySelector('pre[aria-label=\"The playbook\"]')")
	x.accessibleAs(narrow)
	id := shared.registers(t, key, "web-1")

	x.open("/servers/register")
	x.until("the token", listed("Registration tokens", "fleet"))
	if strings.Contains(eval[string](x, "document.documentElement.outerHTML + JSON.stringify({ ...localStorage, ...sessionStorage })"), key) {
		t.Error("the key is still there after a reload")
	}
	x.press("Delete the token fleet")
	x.press("Delete")
	x.text("There is none yet.")
	return "/servers/" + id
}

// gives finds a server and gives it to somebody, until an end.
func (x *tab) gives(t *testing.T, username string) {
	t.Helper()
	narrow := look{width: 360, dark: true}
	x.press("Back to servers")
	x.page("Servers")
	x.fill("Name", "nothing-like-it")
	x.press("Find")
	x.text("No server has this in its name.")
	x.fill("Name", "WEB")
	x.press("Find")
	x.text("One server")
	x.accessibleAs(narrow)
	x.enter("web-1")
	x.page("web-1")
	x.text("Nobody was given it.")
	x.until("who reaches it", listed("Who reaches it", "By owning it"))
	who := "Username, e-mail address or name of the group"
	x.fill(who, "nobody-of-this-name")
	x.press("Give access")
	x.text("There is no such user, or it is disabled.")
	x.focused("who")
	x.accessible()
	x.fill(who, username)
	x.toggle("Deploy shell")
	x.press("Give access")
	x.until("the assignment", listed("Assignments", "Terminal, File transfer, Deploy shell"))
	x.until("who reaches it", listed("Who reaches it", "By an assignment"))

	x.enter("Change what Mia Member was given")
	x.toggle("Deploy shell")
	x.instant("Ends", shared.Now().Add(-time.Hour))
	x.press("Save")
	x.text("The end must lie in the future.")
	x.focused("expires_at")
	x.accessibleAs(narrow)
	x.instant("Ends", shared.Now().Add(48*time.Hour))
	x.press("Save")
	x.until("no dialog", `!document.querySelector('[role=dialog]')`)
	x.until("the changed one alone", listed("Assignments", "Terminal, File transfer, until")+` && document.querySelectorAll('[aria-label=Assignments] > li').length === 1`)
}

// sees goes through what a member has of a server, with the keyboard.
func (x *tab) sees(path string) {
	x.t.Helper()
	narrow := look{width: 360, dark: true}
	x.open("/account/profile")
	x.page("My profile")
	x.enter("Servers")
	x.page("Servers")
	x.text("The servers that you were given, own or manage.")
	x.offersNone("Register a server")
	x.enter("What you reach, and why")
	x.page("What you reach, and why")
	x.until("the server", listed("Servers that are reached", "By an assignment, until"))
	x.accessibleAs(narrow)
	x.as(narrow)
	x.enter("web-1")
	x.page("web-1")
	x.offersNone("Rename", "Give access", "Take away", "Write note", "Delete server")
	x.accessibleAs(narrow)
	x.open("/servers/0190c0de-0000-7000-8000-000000000000")
	x.until("a refusal", `!!document.querySelector('[role=alert]')`)
	x.open(path)
	x.page("web-1")
}

// renames gives the server that is open a name that an older pattern means.
func (x *tab) renames(t *testing.T, sue *visitor.Visitor) {
	t.Helper()
	var group struct{ ID string }
	shared.must(t, sue, http.StatusCreated, "/api/iam/groups/", map[string]any{"name": "Data people"}, &group)
	who := "Username, e-mail address or name of the group"
	x.toggle("A group")
	x.fill(who, "Data")
	x.press("Give access")
	x.text("You see no group named Data.")
	x.focused("who")
	x.fill(who, "Data people")
	x.fill("Pattern", "db-*")
	x.press("Give access")
	x.until("an empty form", control(inputs, "Pattern")+".value === ''")
	x.fill("Name of the server", "db 1")
	x.press("Rename")
	x.until("the refusal", `document.activeElement.name === 'name' && !!document.querySelector('.react-aria-FieldError')`)
	x.fill("Name of the server", "db-1")
	x.press("Rename")
	x.page("db-1")
	x.text("db-* (assignment of the group Data people). They open it to nobody for now.")
	x.until("the assignment of a pattern", listed("Assignments", "by db-*: servers whose name begins with db-"))
	x.accessible()
	x.press("Take away from Data people by db-*")
	x.text("All servers that db-* means are taken away, not only this one.")
	x.press("Take away")
	x.until("the other alone", `document.querySelectorAll('[aria-label=Assignments] > li').length === 1`)
	if err := sue.Want(t.Context(), http.StatusNoContent, http.MethodDelete, "/api/iam/groups/"+group.ID+"/", nil, nil); err != nil {
		t.Fatal(err)
	}
}

// notes writes, changes and deletes a note on the server that is open.
func (x *tab) notes() {
	x.t.Helper()
	x.write("New note", "Mind the otters")
	x.toggle("Pinned")
	x.press("Write note")
	x.until("the note", listed("Notes", "Mind the otters")+" && "+listed("Notes", "pinned"))
	x.until("an empty form", control("textarea", "New note")+".value === ''")
	x.click(`document.querySelector('[aria-label^="Change the note"]')`, "Change")
	x.write("Note", "Mind the badgers")
	x.toggle("Private: only its author sees it")
	x.press("Save")
	x.until("the changed note", listed("Notes", "Mind the badgers")+" && "+listed("Notes", "only you see it"))
	x.click(`document.querySelector('[aria-label^="Delete the note"]')`, "Delete")
	x.press("Delete")
	x.text("None yet.")
}

// managedBy makes somebody a manager of the server that is open, who may rename
// it and not give it away, and is told why.
func (x *tab) managedBy(t *testing.T, path string) {
	t.Helper()
	const email = "moe@demo.example"
	moe := shared.person(t, "moe", firefox)
	shared.app(t, moe) // a second factor, and with it a fresh proof
	x.write("Managers", "nobody-of-this-name")
	x.press("Save owner and managers")
	x.text("You see no person named nobody-of-this-name.")
	x.focused("managers")
	x.write("Managers", email+"\nmoe")
	x.press("Save owner and managers")
	x.text("Owner and managers were saved.")

	y := shared.tab(t, wide()).with(moe)
	y.open(path)
	y.page("db-1")
	y.until("what a manager may", "!!"+control(buttons, "Rename")+" && !"+control(buttons, "Delete server"))
	y.fill("Owner", email)
	y.press("Save owner and managers")
	y.text("You may hand out only what you hold: you lack server:delete")
	y.until("the refusal", "!!"+control(buttons, "Why?"))
	y.enter("Why?")
	y.text("Not allowed. First condition that fails: no role, group or grant holds server:delete.")
	y.accessibleAs(look{width: 360, dark: true})
	y.enter("Close")
	y.until("the focus back where it was", `document.activeElement.textContent === 'Why?'`)
	x.write("Managers", " ")
	x.press("Save owner and managers")
	x.until("no manager", `![...document.querySelectorAll('main dt')].some((e) => e.textContent === 'Managers')`)
}

// TestAServerTellsWhoMayWorkOnIt asks on the page of a server what one may do
// there, and verifies a second factor where the workspace asks for it.
func TestAServerTellsWhoMayWorkOnIt(t *testing.T) {
	narrow := look{width: 360, dark: true}
	sue := shared.SignIn(t, shared.Account(t, "superuser"))
	id := shared.fleet(t, sue, "gate-1")[0]
	wanda := shared.person(t, "wanda", firefox)
	secret := shared.app(t, wanda)
	shared.must(t, sue, http.StatusCreated, "/api/servers/assignments/", map[string]any{
		"username": "wanda", "server": id, "permissions": map[string]bool{"terminal": true, "sudo": true},
	}, nil)
	x := shared.tab(t, wide()).with(wanda)
	x.open("/servers/" + id)
	x.page("gate-1")
	x.press("Ask")
	x.text("You may work as wanda, your own account.")
	x.choose("Work", "command")
	x.press("Ask")
	x.text("A command has a line of 1 to 32768 bytes")
	x.focused("line")
	x.fill("Command line", "uptime")
	x.fill("Account", "root")
	x.press("Ask")
	x.text("This workspace does not let anybody work as root directly.")
	x.accessibleAs(narrow)
	x.fill("Account", "postgres")
	x.press("Ask")
	x.text("You may work as postgres, a system account. Your verification counts until")
	x.accessible()
	x.fill("Command line", " ")
	x.fill("Path", "/srv/a")
	x.choose("Work", "upload")
	x.press("Ask")
	x.text("Your roles and groups do not permit this.")
	x.until("the refusal", "!!"+control(buttons, "Why?"))

	shared.Advance(t, 16*time.Minute)
	x.fill("Path", " ")
	x.choose("Work", "websh")
	x.press("Ask")
	x.text("To work as a system account you verify your second factor.")
	x.fill("Code", shared.Code(t, secret))
	x.press("Verify")
	x.text("You may work as postgres, a system account.")
}
