// Package journey is the first whole journey through Paddock, against a
// deployed stack: an invited person sets a password and enrols an
// authenticator app, signs in, is asked to step up for a protected change,
// makes it, and finds it in a log that nobody can delete. `make demo` prints
// it; the tests of the deployed stack run the same code.
package journey

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"paddock/localstack/engine"
	"paddock/localstack/environment"
	"paddock/localstack/seeding"
	"paddock/localstack/visitor"
	"paddock/shared/provision"
)

// Config is where the journey goes.
type Config struct {
	Engine      *engine.Engine
	Environment environment.Environment
	Root        string // repository, whose clock file moves the functions' clock
	Out         io.Writer
}

// A walk is one journey under way.
type walk struct {
	Config
	base   string
	me     *visitor.Visitor
	secret string
	codes  []string
	ws     provision.Answer
	steps  int
}

// Run walks the journey in a workspace of its own and returns the first
// deviation. The functions' clock is moved on the way and set back at the end.
func Run(ctx context.Context, c Config) error {
	before, err := environment.Offset(c.Root)
	if err != nil {
		return err
	}
	w := &walk{Config: c}
	err = w.run(ctx)
	if back := environment.SetOffset(c.Root, before); err == nil {
		err = back
	}
	if err == nil {
		fmt.Fprintf(c.Out, "\n%d steps passed.\n", w.steps)
	}
	return err
}

func (w *walk) run(ctx context.Context) error {
	for _, step := range []struct {
		title string
		do    func(context.Context) error
	}{
		{"An operator makes a workspace and cannot look into it", w.create},
		{"The invited superuser follows the mailed link and sets a password", w.accept},
		{"Half signed in, only completing the sign-in is open", w.half},
		{"An authenticator app is enrolled; recovery codes are shown once", w.enrol},
		{"Signing in takes password and code; a code works once", w.signIn},
		{"A protected change works while the proof is fresh", w.freshChange},
		{"After the MFA timeout the change asks for a step-up, then works", w.stepUp},
		{"Lowering the timeout bites at the next request", w.lower},
		{"Values out of bounds are refused by name", w.bounds},
		{"A recovery code opens a session that can only enrol, once", w.recovery},
		{"The changes stand in the audit log", w.audit},
		{"The log's objects are locked, and verify offline", w.locked},
	} {
		w.steps++
		fmt.Fprintf(w.Out, "\n%d. %s\n", w.steps, step.title)
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("step %d (%s): %w", w.steps, step.title, err)
		}
	}
	return nil
}

// now is the functions' clock.
func (w *walk) now() time.Time {
	offset, err := environment.Offset(w.Root)
	if err != nil {
		return time.Now()
	}
	return time.Now().Add(offset)
}

func (w *walk) advance(by time.Duration) error {
	offset, err := environment.Offset(w.Root)
	if err != nil {
		return err
	}
	fmt.Fprintf(w.Out, "   (the clock moves on by %s)\n", by)
	return environment.SetOffset(w.Root, offset+by)
}

// exchange sends a request, prints it with its answer and asserts status and
// error code.
func (w *walk) exchange(ctx context.Context, v *visitor.Visitor, status int, code, method, path string, body any) (visitor.Answer, error) {
	a, err := v.Do(ctx, method, path, body)
	if err != nil {
		return a, err
	}
	fmt.Fprintf(w.Out, "   %s %s -> %d %s\n", method, path, a.Status, a.Problem().Code)
	if a.Status != status || a.Problem().Code != code {
		return a, fmt.Errorf("%s %s answered %d %q, not %d %q: %s", method, path, a.Status, a.Problem().Code, status, code, a.Body)
	}
	return a, nil
}

// browser returns a new browser at the journey's workspace. Names beneath
// localhost are not resolved everywhere, so it dials loopback.
func (w *walk) browser() *visitor.Visitor {
	dial := &net.Dialer{Timeout: 5 * time.Second}
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return dial.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	}}
	return &visitor.Visitor{Base: w.base, Agent: "paddock-demo", Client: &http.Client{Transport: transport, Timeout: 30 * time.Second}}
}

func (w *walk) create(ctx context.Context) error {
	slug := "tour-" + strings.ToLower(rand.Text()[:8])
	base, err := url.Parse(w.Environment.BaseURL)
	if err != nil {
		return err
	}
	base.Host = slug + "." + base.Host
	w.base = base.String()
	w.ws, err = seeding.Workspace(ctx, w.Engine, provision.Request{Slug: slug, Name: "Tour", Email: slug + "@tour.example"})
	if err != nil {
		return err
	}
	fmt.Fprintf(w.Out, "   paddock workspace create --slug %s -> %s, invited %s\n", slug, w.ws.ID, w.ws.InvitedTo)
	w.me = w.browser()
	_, err = w.exchange(ctx, w.me, http.StatusUnauthorized, "authentication_required", "GET", "/api/status/", nil)
	return err
}

const password = "correct-horse-battery-lamp"

func (w *walk) accept(ctx context.Context) error {
	secret, err := seeding.Link(ctx, w.Engine, w.ws.Slug+"@tour.example")
	if err != nil {
		return err
	}
	if _, err := w.exchange(ctx, w.me, http.StatusOK, "", "POST", "/api/auth/invitations/view/", map[string]string{"token": secret}); err != nil {
		return err
	}
	accept := map[string]string{"token": secret, "username": "tina", "first_name": "Tina", "last_name": "Tour", "password": "short"}
	if _, err := w.exchange(ctx, w.me, http.StatusBadRequest, "password_too_short", "POST", "/api/auth/invitations/accept/", accept); err != nil {
		return err
	}
	accept["password"] = password
	if _, err := w.exchange(ctx, w.me, http.StatusCreated, "", "POST", "/api/auth/invitations/accept/", accept); err != nil {
		return err
	}
	_, err = w.exchange(ctx, w.browser(), http.StatusNotFound, "invitation_not_found", "POST", "/api/auth/invitations/accept/", accept)
	return err
}

func (w *walk) half(ctx context.Context) error {
	for _, path := range []string{"/api/status/", "/api/iam/users/", "/api/workspaces/security/-/", "/api/audit/activity/", "/api/auth/sessions/"} {
		if _, err := w.exchange(ctx, w.me, http.StatusUnauthorized, "sign_in_incomplete", "GET", path, nil); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) enrol(ctx context.Context) (err error) {
	old := w.me.Cookie()
	if w.secret, w.codes, err = seeding.Enrol(ctx, w.me, w.now); err != nil {
		return err
	}
	if len(w.codes) != 10 {
		return fmt.Errorf("%d recovery codes", len(w.codes))
	}
	if _, err := w.exchange(ctx, w.me, http.StatusOK, "", "GET", "/api/status/", nil); err != nil {
		return err
	}
	_, err = w.exchange(ctx, w.me.WithCookie(old), http.StatusUnauthorized, "session_invalid", "GET", "/api/auth/mfa/factors/", nil)
	return err
}
