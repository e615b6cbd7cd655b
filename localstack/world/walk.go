package world

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"paddock/localstack/authenticator"
	"paddock/localstack/visitor"
	"paddock/shared/id"
	"paddock/shared/lambdaio"
	"paddock/shared/provision"
	"paddock/shared/table"
)

// A Walk is the journey of the first superuser of a workspace, as a patient
// client makes it: what failed on the server's side is asked again, and a
// session whose handle was lost on the way is replaced by signing in anew.
type Walk struct {
	World    *World
	Entries  *Entries
	Delivery *Delivery
	Slug     string
	ID       id.ID[id.Workspace]
	Me       *visitor.Visitor
	Secret   string // of the authenticator app
	Codes    []string
	Factors  []string // ids of methods, in the order of their confirmation

	recorders       []*Recorder
	states          map[table.Key]bool
	began           time.Time
	proved          time.Time
	guests, changes int
	clerk           string // path of the newest account that was made
	word            string // the present password
	fresh           string // the address that was asked for last
	address         string // the present one
	previous        string // the one before
	words           int    // how many there were
	line            *CommandLine
	machine         machine // that was registered last
	phone           string  // the method of the phone that was set up last
	key             *authenticator.Key
	keyed           string // its method
}

// Words planted by a walk: none of them may stand in the clear anywhere.
const (
	Username  = "zerlinda"
	Password  = "correct-horse-battery-lamp"
	FirstName = "Zerlinda"
	LastName  = "Quackenbush"
	Mailbox   = "zq.canary"
	Colleague = "second.canary@canary.example"
)

// Email is the address of the first superuser.
func (w *Walk) Email() string { return Mailbox + "@" + w.Slug + ".example" }

// NewWalk returns a walk in a workspace of its own, with cold functions whose
// calls r sees.
func (w *World) NewWalk(r *Recorder, slug string) (*Walk, error) {
	out := &Walk{World: w, Slug: slug, word: Password, states: map[table.Key]bool{}, began: w.Clock.Now(), Me: &visitor.Visitor{Base: Origin(slug), Agent: "world-test"}}
	out.address = out.Email()
	return out, out.Cold(r)
}

// Cold replaces the functions by cold ones whose calls r sees. The browser
// keeps its session.
func (w *Walk) Cold(r *Recorder) error {
	e, err := w.World.Entries(r)
	if err != nil {
		return err
	}
	w.Use(&Delivery{Entries: e})
	return nil
}

// Use makes the walk go on with these functions.
func (w *Walk) Use(d *Delivery) {
	if !slices.Contains(w.recorders, d.Entries.Recorder) {
		w.recorders = append(w.recorders, d.Entries.Recorder)
	}
	w.Entries, w.Delivery, w.Me.Client = d.Entries, d, d.Entries.client("192.0.2.7")
}

// A Step is one part of the journey.
type Step struct {
	Name string
	Do   func(context.Context) error
	// First is set for the steps that a walk takes once, to become one of
	// somebody who is signed in.
	First bool
	// Before, if set, brings about what the step starts from.
	Before func(context.Context) error
	// After, if set, mends what the next steps rest on.
	After func(context.Context) error
}

// Steps returns the steps of the journey in order.
func (w *Walk) Steps() []Step {
	return []Step{
		{Name: "provision", Do: w.provision, First: true},
		{Name: "accept", Do: w.accept, First: true},
		{Name: "enrol", Do: w.enrol, First: true},
		{Name: "sign out and in", Do: w.signInAnew},
		{Name: "change a setting", Do: w.change(600)},
		{Name: "step up", Do: w.stepUp},
		{Name: "read", Do: w.read},
		{Name: "invite, and withdraw", Do: w.invite},
		{Name: "make an account", Do: w.hire},
		{Name: "change a profile", Do: w.edit(map[string]any{"last_name": "Q.", "phone": "+31201234567"}, map[string]any{"last_name": LastName})},
		{Name: "promote and demote", Do: w.edit(map[string]any{"is_superuser": false, "is_staff": false}, map[string]any{"is_superuser": true})},
		{Name: "disable and enable", Do: w.edit(map[string]any{"is_active": true}, map[string]any{"is_active": false})},
		{Name: "ask for a new address", Before: w.hire, Do: w.edit(map[string]any{"email": "new." + Colleague})},
		{Name: "a group", Before: w.hire, Do: w.group},
		{Name: "a role", Before: w.hire, Do: w.role},
		{Name: "register a server", Do: w.enlist},
		{Name: "run a server", Before: w.enlistKept, Do: w.run},
		{Name: "a token", Do: w.token},
		{Name: "an application", Before: w.roleOfCrane, Do: w.application},
		{Name: "a service token", Before: w.rigged, Do: w.serviceToken},
		{Name: "delete an account", Before: w.hire, Do: w.dismiss},
		{Name: "change the password", Do: w.changePassword},
		{Name: "forget the password", Do: w.forget},
		{Name: "confirm an address", Before: w.ownAddress, Do: w.confirm},
		{Name: "undo it", Before: w.moved, Do: w.undo, After: w.choose},
		{Name: "report what was not oneself", Before: w.changePassword, Do: w.report, After: w.choose},
		{Name: "new recovery codes", Do: w.newCodes},
		{Name: "a second method, and its removal", Do: w.secondMethod},
		{Name: "a device with a fingerprint", Do: w.register, After: w.unplug},
		{Name: "prove with it", Before: w.register, Do: w.proveByKey, After: w.unplug},
		{Name: "sign in with it alone", Before: w.register, Do: w.passkey, After: w.unplug},
		{Name: "codes by mail", Do: w.mailCodes},
		{Name: "codes by text", Do: w.textCodes, After: w.hangUp},
		{Name: "codes by call", Before: w.textCodes, Do: w.proveByCall, After: w.hangUp},
		{Name: "use a recovery code", Do: w.recover},
		{Name: "device login", Do: w.deviceLogin},
		{Name: "verify for a command line", Before: w.signLineIn, Do: w.verifyLine},
		{Name: "end everything", Do: w.endAll},
		{Name: "sweep", Do: w.sweep},
	}
}

// Take takes a step, delivers what it committed, and inspects.
func (w *Walk) Take(ctx context.Context, s Step) error {
	if s.Before != nil {
		if err := s.Before(ctx); err != nil {
			return fmt.Errorf("before %s: %w", s.Name, err)
		}
	}
	if err := s.Do(ctx); err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	if err := w.Delivery.All(ctx); err != nil {
		return fmt.Errorf("deliver after %s: %w", s.Name, err)
	}
	if err := w.Inspect(ctx); err != nil {
		return fmt.Errorf("after %s: %w", s.Name, err)
	}
	if s.After != nil {
		return s.After(ctx)
	}
	return nil
}

// Anchor is the key of the workspace's head, an item that is always there.
func (w *Walk) Anchor() table.Key { return table.WorkspaceKey(w.ID, 0) }

// Inspect checks what must hold of the workspace; see World.Inspect.
func (w *Walk) Inspect(ctx context.Context) error {
	return w.World.Inspect(ctx, w.Entries.Recorder, w.ID, w.states)
}

// InspectLog checks the log of the workspace; see World.InspectLog.
func (w *Walk) InspectLog(ctx context.Context) error {
	return w.World.InspectLog(ctx, w.ID, w.began)
}

// tries is how often a client asks when the server failed.
const tries = 3

// ask sends a request until the server does not fail, and reports whether it
// failed before.
func (w *Walk) ask(ctx context.Context, v *visitor.Visitor, method, path string, body any) (a visitor.Answer, failed bool, err error) {
	for range tries {
		if a, err = v.Do(ctx, method, path, body); err != nil {
			return a, failed, err
		}
		if a.Status < http.StatusInternalServerError {
			return a, failed, nil
		}
		if !explains(a) {
			return a, failed, fmt.Errorf("%s %s answered %d without a code: %s", method, path, a.Status, a.Body)
		}
		failed = true
	}
	return a, failed, fmt.Errorf("%s %s failed %d times: %s", method, path, tries, a.Body)
}

// explains reports whether a failure says, in the shape of its row, that it was
// the server's.
func explains(a visitor.Answer) bool {
	switch a.Problem().Code {
	case "internal_error", "try_again":
		return true
	}
	switch a.OAuthError() {
	case "server_error", "temporarily_unavailable":
		return true
	}
	return false
}

// want asks for an answer with this status and decodes it into out. After a
// failure a lost session is replaced and the request made once more.
func (w *Walk) want(ctx context.Context, status int, method, path string, body, out any, orAfterFailure ...int) error {
	a, failed, err := w.ask(ctx, w.Me, method, path, body)
	if err != nil {
		return err
	}
	carriedOut := func() bool { return failed && slices.Contains(orAfterFailure, a.Status) }
	if carriedOut() {
		return nil
	}
	if a.Status == http.StatusUnauthorized {
		if err := w.SignIn(ctx); err != nil {
			return err
		}
		if a, _, err = w.ask(ctx, w.Me, method, path, body); err != nil {
			return err
		}
	}
	if a.Status == http.StatusForbidden && a.Problem().Code == "auth_mfa_required" {
		if err := w.prove(ctx, "step_up"); err != nil {
			return err
		}
		if a, _, err = w.ask(ctx, w.Me, method, path, body); err != nil {
			return err
		}
	}
	if carriedOut() {
		return nil
	}
	if a.Status != status {
		return fmt.Errorf("%s %s: status %d, not %d: %s", method, path, a.Status, status, bytes.TrimSpace(a.Body))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(a.Body, out)
}

func (w *Walk) provision(ctx context.Context) error {
	request := provision.Request{Slug: w.Slug, Name: "Quackenbush Works", Email: w.Email()}
	for range tries {
		text, err := w.Entries.Invoke(ctx, "provision", request)
		if err != nil {
			continue
		}
		var out lambdaio.Outcome[provision.Answer]
		if err := json.Unmarshal(text, &out); err != nil {
			return err
		}
		if out.Refusal != nil && out.Refusal.Code != "slug_in_use" {
			return fmt.Errorf("refused: %s", out.Refusal.Code)
		}
		store, err := w.World.Store()
		if err != nil {
			return err
		}
		w.ID, err = store.Slug(ctx, w.Slug)
		return err
	}
	return errors.New("provision failed every time")
}

// Link returns the secret of the newest link to a page of the console that was
// mailed to an address.
func (w *Walk) Link(to, page string) (string, error) {
	var mails []Mail
	for _, r := range w.recorders {
		mails = append(mails, r.Mails()...)
	}
	slices.SortStableFunc(mails, func(a, b Mail) int { return a.At.Compare(b.At) })
	for i := len(mails) - 1; i >= 0; i-- {
		if _, after, found := strings.Cut(mails[i].Text, page+"#"); found && mails[i].To == to {
			secret, _, _ := strings.Cut(after, "\n")
			return strings.TrimSpace(secret), nil
		}
	}
	return "", fmt.Errorf("no link to %s was mailed to %s", page, to)
}

func (w *Walk) accept(ctx context.Context) error {
	secret, err := w.Link(w.Email(), "/invitation")
	if err != nil {
		return err
	}
	if err := w.want(ctx, http.StatusOK, "POST", "/api/auth/invitations/view/", map[string]string{"token": secret}, nil); err != nil {
		return err
	}
	body := map[string]string{"token": secret, "username": Username, "first_name": FirstName, "last_name": LastName, "password": Password}
	a, failed, err := w.ask(ctx, w.Me, "POST", "/api/auth/invitations/accept/", body)
	if err != nil {
		return err
	}
	if failed && a.Status == http.StatusNotFound { // it was carried out
		return w.password(ctx, w.Me)
	}
	if a.Status != http.StatusCreated {
		return fmt.Errorf("accept: %d %s", a.Status, a.Body)
	}
	return nil
}

const security = "/api/workspaces/security/-/"

func (w *Walk) change(seconds int) func(context.Context) error {
	return func(ctx context.Context) error {
		w.changes++
		seconds := seconds + w.changes%50 // another value each time, or nothing would change
		var out struct {
			Timeout int `json:"mfa_timeout"`
		}
		if err := w.want(ctx, http.StatusOK, "PATCH", security, map[string]int{"mfa_timeout": seconds}, nil); err != nil {
			return err
		}
		if err := w.want(ctx, http.StatusOK, "GET", security, nil, &out); err != nil {
			return err
		}
		if out.Timeout != seconds {
			return fmt.Errorf("the setting is %d, not %d", out.Timeout, seconds)
		}
		return nil
	}
}

func (w *Walk) stepUp(ctx context.Context) error {
	w.World.Clock.Advance(25 * time.Minute) // longer than the timeout that is set
	a, _, err := w.ask(ctx, w.Me, "PATCH", security, map[string]int{"mfa_timeout": 1200})
	if err != nil {
		return err
	}
	if a.Problem().Code != "auth_mfa_required" {
		return fmt.Errorf("a stale proof was answered with %d %s", a.Status, a.Body)
	}
	return w.change(1200)(ctx)
}

func (w *Walk) read(ctx context.Context) error {
	for _, path := range []string{
		"/api/status/", "/api/iam/users/", "/api/iam/users/?username=zerlinda", "/api/iam/memberships/",
		"/api/workspaces/preferences/-/", "/api/workspaces/access-control/-/", "/api/auth/mfa/factors/", "/api/auth/sessions/",
		"/api/audit/activity/?page_size=5", "/api/auth/env/",
	} {
		if err := w.want(ctx, http.StatusOK, "GET", path, nil, nil); err != nil {
			return err
		}
	}
	var me struct{ User struct{ ID string } }
	if err := w.want(ctx, http.StatusOK, "GET", "/api/auth/whoami/", nil, &me); err != nil {
		return err
	}
	if err := w.want(ctx, http.StatusOK, "GET", "/api/audit/activity/?user="+me.User.ID, nil, nil); err != nil {
		return err
	}
	w.changes++
	return w.want(ctx, http.StatusOK, "PATCH", "/api/workspaces/preferences/-/", map[string]int{"invite_ttl": 7200 + w.changes}, nil)
}

func (w *Walk) endAll(ctx context.Context) error {
	w.proved = time.Time{}
	if err := w.want(ctx, http.StatusNoContent, "POST", "/api/auth/sessions/end-all/", nil, nil, http.StatusUnauthorized); err != nil {
		return err
	}
	a, _, err := w.ask(ctx, w.Me, "GET", "/api/status/", nil)
	if err == nil && a.Status != http.StatusUnauthorized {
		err = fmt.Errorf("an ended session still opens: %d", a.Status)
	}
	return err
}

func (w *Walk) sweep(ctx context.Context) error {
	now := w.World.Clock.Now()
	w.World.Clock.Advance(now.Truncate(15 * time.Minute).Add(15 * time.Minute).Sub(now))
	return w.Delivery.Sweep(ctx)
}
