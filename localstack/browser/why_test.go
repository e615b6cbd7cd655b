package browser_test

import (
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestRefusalsSayWhy asks why something was refused, and whether somebody may do
// something, before and after it was given.
func TestRefusalsSayWhy(t *testing.T) {
	mia := shared.Account(t, "member")
	sue := shared.SignIn(t, shared.Account(t, "superuser"))
	member := shared.SignIn(t, mia)
	server := shared.fleet(t, sue, "why-1")[0]
	narrow := look{width: 360, dark: true}
	y := shared.tab(t, wide()).with(member)
	y.open("/settings/security")
	y.page("Workspace security")
	y.until("the refusal", "!!"+control(buttons, "Why?"))
	y.enter("Why?")
	y.text("Why this was refused")
	y.text("security:read")
	y.text("no role, group or grant holds security:read")
	y.text("Smallest change that would allow it: The role setting staff. Who may make it: ")
	y.accessible()
	do(y, chromedp.KeyEvent(kb.Escape))
	y.until("no dialog", `!document.querySelector('[role=dialog]')`)
	y.until("the focus back where it was", `document.activeElement.textContent === 'Why?'`)

	y.press("Check access")
	y.page("Check access")
	y.until("the question", "!!"+control(inputs, "Permission")+" && !"+control(inputs, "Who"))
	y.fill("Permission", "group:create")
	y.press("Check")
	y.text("You: group:create on everything")
	y.text("Not allowed. First condition that fails: no role, group or grant holds group:create.")
	y.toggle("One server")
	y.fill("Its name", "why-1")
	y.press("Check")
	y.text("You see no server named why-1.")
	y.focused("object")
	y.accessibleAs(narrow)

	x := shared.tab(t, wide()).with(sue)
	x.open("/check-access")
	x.page("Check access")
	x.fill("Who", mia.Username)
	x.fill("Permission", "websh:run")
	x.press("Check")
	x.text("There is no permission")
	x.focused("permission")
	x.fill("Permission", "websh:create")
	x.toggle("One server")
	x.fill("Its name", "why-1")
	x.press("Check")
	x.text("Not allowed.")
	x.text("Smallest change that would allow it: An assignment of the server why-1, with terminal. Who may make it: ")
	x.accessible()
	shared.must(t, sue, http.StatusCreated, "/api/servers/assignments/", map[string]any{"username": mia.Username, "server": server, "permissions": map[string]bool{"terminal": true}}, nil)
	x.press("Check")
	x.text("Allowed.")
	x.text("an assignment: gives this")

	x.open("/audit?app=workspaces")
	x.page("Audit log")
	x.until("the refusal", `!!document.querySelector('[data-code=PD4040W] button')`)
	x.click(`document.querySelector('[data-code=PD4040W] button')`, "Why?")
	x.text("security:read")
	x.text("As things are now")
}
