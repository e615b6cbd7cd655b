package browser_test

import (
	"net/http"
	"testing"
	"time"

	"paddock/localstack/visitor"
)

const preview = "Preview who gains and loses what"

// TestRolesAreManaged is a superuser's work with a custom role: made, given,
// changed, taken away and deleted, each after what it means was shown.
func TestRolesAreManaged(t *testing.T) {
	mia, boss := shared.Account(t, "member"), shared.Account(t, "superuser")
	v := shared.SignIn(t, boss)
	var group struct{ ID string }
	if err := v.Want(t.Context(), http.StatusCreated, "POST", "/api/iam/groups/", map[string]any{"name": "Helpers"}, &group); err != nil {
		t.Fatal(err)
	}
	narrow := look{width: 360, dark: true}
	x := shared.tab(t, narrow).with(v)

	// With the keyboard.
	x.open("/account/profile")
	x.page("My profile")
	x.enter("Roles")
	x.page("Roles")
	x.until("the built-in roles", listed("Roles", "superuser built in"))
	x.accessibleAs(narrow)
	x.as(narrow)
	x.enter("Make a role")
	x.page("Make a role")
	x.as(wide())
	x.fill("Name", "Helper")
	x.press("Make role")
	x.text("A role has at least one permission.")
	x.until("the focus on a permission", `document.activeElement.type === 'checkbox'`)
	x.toggle("server:read")
	x.toggle("group:read")
	x.toggle("On what is named")
	x.press("Make role")
	x.text("Name at least one pattern or object.")
	x.focused("scope")
	x.accessible()
	x.write("Names", "Help*\nweb-*")
	x.press("Make role")
	x.page("Helper")
	x.text("names like Help*")
	x.text("Nobody has it.")

	// Given to a person, for a while, and to a group.
	x.fill("Username, e-mail address or name of the group", "nobody-of-this-name")
	x.press(preview)
	x.text("There is nobody of this name.")
	x.focused("user")
	x.fill("Username, e-mail address or name of the group", mia.Username)
	x.instant("Ends", shared.Now().Add(48*time.Hour))
	x.press(preview)
	x.text("One person gains or loses something.")
	x.text("gains group:read on group Helpers")
	x.until("the focus on what changes nothing", `document.activeElement.textContent === 'Cancel'`)
	x.accessibleAs(narrow)
	x.as(wide())
	x.press("Give")
	x.until("who has it", listed("Who has it", mia.Email+", until"))
	x.until("an empty form", control(inputs, "Username, e-mail address or name of the group")+".value === ''")
	x.toggle("Everybody in a group")
	x.fill("Username, e-mail address or name of the group", "Helpers")
	x.press(preview)
	x.text("Nobody gains or loses anything.")
	x.press("Give")
	x.until("the group", listed("Who has it", "Everybody in the group"))
	x.accessible()

	// Changed, after a look that changes nothing.
	x.press("Change the role")
	x.page("Change the role")
	x.toggle("group:read")
	x.toggle("group:update")
	x.press(preview)
	x.text("gains group:update on group Helpers")
	x.text("loses group:read on group Helpers")
	x.press("Cancel")
	x.until("no dialog", `!document.querySelector('[role=alertdialog]')`)
	if got := permitted(t, v, "Helper"); len(got) != 2 || got[0] != "group:read" {
		t.Errorf("after a look the role permits %v", got)
	}
	x.press(preview)
	x.press("Save")
	x.page("Helper")
	x.text("update")
	if got := permitted(t, v, "Helper"); len(got) != 2 || got[0] != "group:update" {
		t.Errorf("the role permits %v", got)
	}

	// Taken away, and deleted.
	x.press("Take away from Helpers")
	x.text("Nobody gains or loses anything.")
	x.press("Take away")
	x.until("one who has it", `document.querySelectorAll('[aria-label="Who has it"] li').length === 1`)
	x.press("Delete role")
	x.text("loses group:update on group Helpers")
	x.accessibleAs(narrow)
	x.as(wide())
	x.press("Delete")
	x.page("Roles")
	x.until("the built-in roles without it", listed("Roles", "superuser")+" && !"+listed("Roles", "Helper"))

	// Staff sees roles, and is offered nothing.
	y := shared.tab(t, wide()).with(shared.SignIn(t, shared.Account(t, "staff")))
	y.open("/roles")
	y.page("Roles")
	y.offersNone("Make a role")

	// On the way to a changed group one sees what it means.
	x.open("/groups/" + group.ID)
	x.page("Helpers")
	x.fill("Username or e-mail address", mia.Username)
	x.press("Add")
	x.until("the member", listed("Members", mia.Email))
	x.press("Change the group")
	x.page("Change the group")
	x.fill("Name", "Guides")
	x.press(preview)
	x.text("Nobody gains or loses anything.")
	x.accessibleAs(narrow)
	x.as(wide())
	x.press("Save")
	x.page("Guides")
	x.click(`document.querySelector('[aria-label^="Remove "]')`, "Remove")
	x.text("loses group:read on group Guides")
	x.press("Remove")
	x.text("Nobody is in it.")
	if err := v.Want(t.Context(), http.StatusNoContent, "DELETE", "/api/iam/groups/"+group.ID+"/", nil, nil); err != nil {
		t.Fatal(err)
	}
}

// permitted returns what a role permits.
func permitted(t *testing.T, v *visitor.Visitor, name string) []string {
	t.Helper()
	var page struct {
		Results []struct{ Permissions []string }
	}
	if err := v.Want(t.Context(), http.StatusOK, "GET", "/api/iam/roles/?name="+name, nil, &page); err != nil || len(page.Results) != 1 {
		t.Fatalf("%d roles are called %s: %v", len(page.Results), name, err)
	}
	return page.Results[0].Permissions
}
