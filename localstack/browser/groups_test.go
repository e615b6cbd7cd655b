package browser_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// write replaces the content of a text of several lines.
func (x *tab) write(label, text string) {
	x.t.Helper()
	field := control("textarea", label)
	x.until("text "+label, "!!"+field)
	if got := eval[string](x, fmt.Sprintf(`(() => { const e = %s; e.focus(); e.select(); document.execCommand('insertText', false, %q); return e.value })()`, field, text)); got != text {
		x.t.Fatalf("text %s holds %q", label, got)
	}
}

// instant puts a date and time into a field, as choosing it does.
func (x *tab) instant(label string, at time.Time) {
	x.t.Helper()
	field := control("input[type=datetime-local]", label)
	x.until("field "+label, "!!"+field)
	eval[bool](x, fmt.Sprintf(`(() => { const e = %s, at = new Date(%d);
		Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(e, new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16));
		e.dispatchEvent(new Event('input', { bubbles: true })); return true })()`, field, at.UnixMilli()))
}

// enter presses Tab until the control with this name has the focus, and then
// Enter.
func (x *tab) enter(name string) {
	x.t.Helper()
	x.tabTo(name)
	do(x, chromedp.KeyEvent(kb.Enter))
}

// focused fails when the focus is not on the field with this name.
func (x *tab) focused(name string) {
	x.t.Helper()
	x.until("the focus on "+name, fmt.Sprintf("document.activeElement.name === %q", name))
}

// offersNone fails when the page offers what one may not do.
func (x *tab) offersNone(names ...string) {
	x.t.Helper()
	for _, name := range names {
		if eval[bool](x, "!!"+control(buttons, name)) {
			x.t.Errorf("the page offers %q", name)
		}
	}
}

const wrongConfig = "name: DevOps\ndescription: Production\nservers:\n  - web-*\npermissions:\n  ftp: true\n"

// TestGroupsAreManaged is an administrator's work with a group, and what a member of it
// sees and may.
func TestGroupsAreManaged(t *testing.T) {
	mia := shared.Account(t, "member")
	member := shared.SignIn(t, mia)
	narrow := look{width: 360, dark: true}
	y := shared.tab(t, narrow).with(member)
	// Staff of the demo has no second factor, and who hands out verifies anew.
	x := shared.tab(t, wide()).with(shared.SignIn(t, shared.Account(t, "superuser")))
	x.open("/groups")
	x.page("Groups")
	x.text("There is no group yet.")
	x.enter("Make a group")
	x.page("Make a group")
	x.fill("Name", "DevOps Team")
	x.write("Servers", "web\t*")
	x.press("Make group")
	x.text("The pattern")
	x.focused("server_patterns")
	x.accessibleAs(narrow)
	x.write("Servers", "web-*\n*-prod")
	x.toggle("Deploy shell")
	x.press("Make group")
	x.page("DevOps Team")
	x.text("web-*: servers whose name begins with web-")
	x.text("Terminal, File transfer, Deploy shell.")
	x.text("Nobody is in it.")
	x.joins(mia.Username)
	y.manages(eval[string](x, "location.pathname"))
	x.moves(t)

	x.press("Change the group")
	x.page("Change the group")
	x.write("Description", "Production")
	x.press("Save")
	x.page("DevOps Team")
	x.text("Production")
	x.press("Configuration as YAML")
	x.page("Configuration as YAML")
	x.write("Configuration as YAML", wrongConfig)
	x.press("Apply")
	x.text("Line 6 (ftp: true): permissions.ftp")
	x.focused("config")
	x.accessibleAs(narrow)
	x.write("Configuration as YAML", wrongConfig[:len(wrongConfig)-len("  ftp: true\n")]+"  sudo: true\n")
	x.press(preview)
	x.text("Nobody gains or loses anything.")
	x.press("Apply")
	x.page("DevOps")
	x.text("What its members may do on them: Commands as root (sudo).")

	x.press("Back to groups")
	x.page("Groups")
	x.fill("Name", "another")
	x.press("Find")
	x.text("No group has this in its name.")
	x.fill("Name", "ops")
	x.press("Find")
	x.text("One group")
	x.until("the group", listed("Groups", "one member"))
	x.press("Import a configuration")
	x.page("Import a configuration")
	x.write("Configuration as YAML", "name: DevOps\n")
	x.press("Import")
	x.text("A group of this workspace has this name.")
	x.focused("config")
	x.open("/people/" + shared.own(t, member))
	x.until("the group of the person", listed("Groups", "DevOps"))

	y.as(narrow)
	y.leaves()

	x.press("DevOps")
	x.page("DevOps")
	x.text("Nobody is in it.")
	x.press("Delete group")
	x.text("It gives commands as root (sudo) on web-*.")
	x.text("Nobody gains or loses anything.")
	x.press("Delete")
	x.page("Groups")
	x.text("There is no group yet.")
}

// joins makes somebody a manager of the group that is open.
func (x *tab) joins(username string) {
	x.t.Helper()
	x.fill("Username or e-mail address", "nobody-of-this-name")
	x.press("Add")
	x.text("There is no such user.")
	x.focused("user")
	x.fill("Username or e-mail address", username)
	x.toggle("Manager: puts people in and takes them out")
	x.press("Add")
	x.until("the manager", listed("Members", "Manager"))
	x.until("an empty form", control(inputs, "Username or e-mail address")+".value === ''")
	x.fill("Username or e-mail address", username)
	x.press("Add")
	x.text("This person is in the group already.")
	x.accessible()
}

// manages sees what a manager is offered of a group.
func (x *tab) manages(path string) {
	x.t.Helper()
	x.open(path)
	x.page("DevOps Team")
	x.until("the manager", listed("Members", "Manager"))
	x.offersNone("Change the group", "Delete group")
	x.until("whom to add", "!!"+control(buttons, "Add")+" && !"+control(switches, "Owner: runs the group"))
}

// moves makes the manager of the group that is open a member for a while.
func (x *tab) moves(t *testing.T) {
	t.Helper()
	change := eval[string](x, `document.querySelector('[aria-label^="Change the place of"]').getAttribute('aria-label')`)
	x.enter(change)
	x.until("the question", `!!document.querySelector('[role=dialog]')`)
	x.toggle("Member")
	x.instant("Ends", shared.Now().Add(-time.Hour))
	x.press("Save")
	x.text("The end must lie in the future.")
	x.focused("expires_at")
	x.accessible()
	x.instant("Ends", shared.Now().Add(48*time.Hour))
	x.press("Save")
	x.until("no dialog", `!document.querySelector('[role=dialog]')`)
	x.until("the member", listed("Members", "Member, until")+` && !`+listed("Members", "Manager"))
	x.until("the focus back where it was", fmt.Sprintf(`document.activeElement.getAttribute('aria-label') === %q`, change))
}

// leaves goes through what a member has of a group, with the keyboard, and ends
// it.
func (x *tab) leaves() {
	x.t.Helper()
	x.open("/account/profile")
	x.page("My profile")
	x.enter("Groups")
	x.page("Groups")
	x.text("The groups that you are in.")
	x.offersNone("Make a group", "Import a configuration", "Find")
	x.until("the group", listed("Groups", "DevOps"))
	x.enter("DevOps")
	x.page("DevOps")
	x.text("Your place")
	x.offersNone("Change the group", "Delete group", "Add", "Change")
	x.accessibleAs(look{width: 360, dark: true})
	x.as(look{width: 360, dark: true})
	x.enter("Configuration as YAML")
	x.page("Configuration as YAML")
	x.until("the configuration", `document.querySelector('pre')?.textContent.includes('sudo: true')`)
	x.offersNone("Apply")
	x.accessibleAs(look{width: 360, dark: true})
	x.as(look{width: 360, dark: true})
	x.enter("Copy")
	x.until("what became of it", `document.querySelector('.unseen').textContent.includes('cop')`)
	x.enter("Back to the group")
	x.page("DevOps")
	x.enter("Leave")
	x.text("You lose at once what it gives.")
	x.until("the focus on what changes nothing", `document.activeElement.textContent === 'Cancel'`)
	x.enter("Leave")
	x.page("Groups")
	x.text("You are in no group.")
}
