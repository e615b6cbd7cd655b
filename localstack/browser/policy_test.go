package browser_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"paddock/localstack/authenticator"
	"paddock/localstack/visitor"
)

const securityPath = "/api/workspaces/security/-/"

// chosen is the label of a value in a list of the settings.
func chosen(field, value string) string {
	return fmt.Sprintf(`[...document.querySelectorAll('[data-fields=%s] label')].find((e) => e.textContent.trim() === %q)`, field, value)
}

// TestThePolicyIsPreviewed allows security keys only. Whom that affects is shown
// by name and acknowledged, and nobody can shut out all superusers.
func TestThePolicyIsPreviewed(t *testing.T) {
	sue := shared.SignIn(t, shared.Account(t, "superuser"))
	x := shared.tab(t, wide()).with(shared.SignIn(t, shared.Account(t, "superuser")))
	secret := shared.app(t, shared.person(t, "olav", firefox))
	x.open("/settings/security")
	x.page("Workspace security")
	for _, method := range []string{"Authenticator app", "Code by e-mail", "Code by telephone"} {
		x.click(chosen("allowed_mfa_methods", method), method)
	}
	x.press("Save")
	x.text("No active superuser has a method that would open protected actions")
	x.accessible()
	if eval[bool](x, "!!"+control(buttons, "Change")) {
		t.Error("one is offered to shut out all superusers")
	}
	x.press("Cancel")

	// Who has no method is named before one is demanded, and nobody is held to it yet.
	shared.person(t, "nell", firefox)
	x.open("/settings/security")
	x.page("Workspace security")
	x.toggle("Everybody must use a second factor")
	x.press("Save")
	x.until("who has no method", listed("People without a method", "nell")+" && !("+listed("People without a method", "olav")+")")
	x.text("They can do nothing else before they set one up")
	x.accessible()
	x.press("Cancel")
	x.toggle("Everybody must use a second factor")
	for _, method := range []string{"Authenticator app", "Code by e-mail", "Code by telephone"} {
		x.click(chosen("allowed_mfa_methods", method), method)
	}

	key, factor := shared.key(t, sue)
	defer func() { // restores what other tests build on
		shared.touched(t, sue, key)
		change := map[string]any{"allowed_mfa_methods": []string{"hardware_key", "biometric", "otp", "email", "phone", "recovery_code"}, "passkey_as_mfa": true}
		if err := sue.Want(t.Context(), http.StatusOK, http.MethodPatch, securityPath, change, nil); err != nil {
			t.Error(err)
		}
		if err := sue.Want(t.Context(), http.StatusNoContent, http.MethodDelete, "/api/auth/mfa/factors/"+factor+"/", nil, nil); err != nil {
			t.Error(err)
		}
	}()
	x.toggle("A passkey signs in without a password")
	x.press("Save")
	x.until("who is affected", listed("Affected people", "olav"))
	x.text("1 superuser can change it back.")
	x.accessible()
	if eval[bool](x, control(buttons, "Change")+".disabled === false") {
		t.Error("one may go on without acknowledging who is affected")
	}
	count := eval[int](x, `Number(/affects (\d+)/.exec(document.querySelector('[role=alertdialog]').textContent)[1])`)
	x.toggle(fmt.Sprintf("I know that this affects %s", map[bool]string{true: "1 person", false: fmt.Sprint(count, " people")}[count == 1]))
	x.press("Change")
	x.text("The settings were saved.")
	var now struct {
		Allowed []string `json:"allowed_mfa_methods"`
		Passkey bool     `json:"passkey_as_mfa"`
	}
	if err := sue.Want(t.Context(), http.StatusOK, http.MethodGet, securityPath, nil, &now); err != nil || len(now.Allowed) != 3 || now.Passkey {
		t.Errorf("saved were %+v, %v", now, err)
	}

	// Who lost the last method gives it once more, and can then only set up a key.
	y := shared.tab(t, wide())
	y.open("/signin")
	y.page("Sign in")
	y.until("no offer of passkeys", "!"+control(buttons, "Sign in with a passkey"))
	y.fill("Username or e-mail address", "olav")
	y.fill("Password", password)
	y.press("Sign in")
	y.page("Verify that it is you")
	y.plug(usbKey)
	y.fill("Code", shared.Code(t, secret))
	y.press("Verify")
	y.page("Set up your sign-in method")
	if eval[bool](y, "!!"+control(switches, "Authenticator app")) {
		t.Error("a method that is not allowed is offered")
	}
	y.accessible()
	y.press("Next")
	y.page("My security")
	y.until("the key", listed("Sign-in methods", "Security key"))
}

// key gives a visitor who may set up methods a security key.
func (b *bench) key(t *testing.T, v *visitor.Visitor) (k *authenticator.Key, factor string) {
	t.Helper()
	k, err := authenticator.New(b.Env.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	var asked struct {
		ID       string
		WebAuthn json.RawMessage `json:"webauthn"`
	}
	b.must(t, v, http.StatusCreated, "/api/auth/mfa/factors/", map[string]string{"method": "hardware_key", "name": "Key"}, &asked)
	answer, err := k.Create(asked.WebAuthn)
	if err != nil {
		t.Fatal(err)
	}
	b.must(t, v, http.StatusOK, "/api/auth/mfa/factors/"+asked.ID+"/confirm/", map[string]any{"credential": answer}, nil)
	return k, asked.ID
}

// touched steps up with a security key.
func (b *bench) touched(t *testing.T, v *visitor.Visitor, k *authenticator.Key) {
	t.Helper()
	var asked struct {
		ID       string
		WebAuthn json.RawMessage `json:"webauthn"`
	}
	b.must(t, v, http.StatusCreated, "/api/auth/mfa/challenges/", map[string]string{"method": "hardware_key", "purpose": "step_up"}, &asked)
	answer, err := k.Get(asked.WebAuthn)
	if err != nil {
		t.Fatal(err)
	}
	b.must(t, v, http.StatusOK, "/api/auth/mfa/challenges/"+asked.ID+"/verify/", map[string]any{"credential": answer}, nil)
}

// TestLostMethodsAreRemoved is an administrator's help for who lost everything.
func TestLostMethodsAreRemoved(t *testing.T) {
	lou := shared.person(t, "lou", firefox)
	shared.app(t, lou)
	sam := shared.Account(t, "superuser")
	x := shared.tab(t, wide()).with(shared.SignIn(t, sam))
	x.open("/people/" + shared.own(t, lou))
	x.page("Lou Oak")
	shared.Advance(t, 16*time.Minute)
	x.press("Remove all sign-in methods")
	x.text("Remove all sign-in methods of Lou Oak?")
	x.accessible()
	x.press("Remove")
	x.text("Fill in this field.")
	x.fill("Reason", "lost the phone, seen in person")
	x.press("Remove")
	x.text("To remove the sign-in methods of somebody you verify your second factor.")
	x.fill("Code", shared.Code(t, sam.TOTPSecret))
	x.press("Verify")
	x.text("The sign-in methods of Lou Oak were removed.")
	x.text("password only")
	x.accessible()
	if status := shared.opens(t, lou); status != http.StatusUnauthorized {
		t.Errorf("a session of who lost the methods opens %d", status)
	}
}
