// Package deployment is what tests of the whole product stand on: a private
// engine with the committed template and the functions of this checkout, a
// front at http and https addresses of this machine, the demo workspace, and a
// clock to move.
package deployment

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"paddock/localstack/engine"
	"paddock/localstack/environment"
	"paddock/localstack/front"
	"paddock/localstack/internal/build"
	"paddock/localstack/internal/pki"
	"paddock/localstack/seeding"
	"paddock/localstack/visitor"
)

// A Deployment is one deployed stack with its demo workspace.
type Deployment struct {
	Engine *engine.Engine
	Env    environment.Environment
	Secure string // base address over https
	Root   string // repository

	// ClockRoot holds the clock file, as a repository does.
	ClockRoot string

	closers []func() error
}

// Start deploys. It returns what there is to Stop even when it fails.
func Start(ctx context.Context) (*Deployment, error) {
	root, err := engine.FindRoot()
	if err != nil {
		return nil, err
	}
	template, err := os.ReadFile(filepath.Join(root, "infra", "testdata", "template.golden.json"))
	if err != nil {
		return nil, err
	}
	names, err := engine.Functions(template)
	if err != nil {
		return nil, err
	}
	target := build.ForEngine(root)
	if err := build.Functions(ctx, target, names); err != nil {
		return nil, err
	}
	e, err := engine.Start(ctx, engine.Config{Root: root})
	if err != nil {
		return nil, err
	}
	d := &Deployment{Engine: e, Root: root, closers: []func() error{e.Stop}}
	if d.ClockRoot, err = os.MkdirTemp(e.Folder, "root-"); err != nil {
		return d, err
	}
	if err := os.Mkdir(filepath.Join(d.ClockRoot, ".local"), 0o700); err != nil {
		return d, err
	}
	return d, d.deploy(ctx, template, target.Folder)
}

// Stop ends everything.
func (d *Deployment) Stop() error {
	if d == nil {
		return nil
	}
	var errs []error
	for i := len(d.closers) - 1; i >= 0; i-- {
		errs = append(errs, d.closers[i]())
	}
	return errors.Join(errs...)
}

func (d *Deployment) deploy(ctx context.Context, template []byte, programs string) error {
	plain, err := d.listen(ctx)
	if err != nil {
		return err
	}
	secure, err := d.listen(ctx)
	if err != nil {
		return err
	}
	base := fmt.Sprintf("http://localhost:%d", plain.Addr().(*net.TCPAddr).Port)
	d.Secure = fmt.Sprintf("https://localhost:%d", secure.Addr().(*net.TCPAddr).Port)
	outputs, err := d.Engine.Deploy(ctx, engine.Deployment{
		Stack: "paddock", Template: template, Programs: programs,
		Parameters: map[string]string{"Architecture": engine.Architecture(), "StrictConditions": "false", "SmsSender": "Paddock"},
		Variables:  map[string]string{"AWS_ENDPOINT_URL": d.Engine.URL, "AWS_CA_BUNDLE": d.Engine.CAFile, "PADDOCK_CLOCK_FILE": environment.ClockFile(d.ClockRoot)},
		// Only where the template has them: a function that lacks one fails here.
		Replaced: map[string]string{"PADDOCK_BASE_URLS": base + "," + d.Secure, "PADDOCK_DEFAULT_WORKSPACE": "demo"},
	})
	if err != nil {
		return err
	}
	if err := d.serve(plain, secure, d.Engine.APIURL(outputs["ApiId"])); err != nil {
		return err
	}
	d.Env = environment.Environment{BaseURL: base, Workspace: environment.Workspace{Slug: "demo"}}
	d.Env, err = seeding.Demo(ctx, d.Engine, d.Env, d.Now)
	return err
}

func (d *Deployment) listen(ctx context.Context) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err == nil {
		d.closers = append(d.closers, func() error {
			if err := l.Close(); !errors.Is(err, net.ErrClosed) { // its server closed it
				return err
			}
			return nil
		})
	}
	return l, err
}

// serve answers at both listeners, at the second with the certificate of this
// checkout.
func (d *Deployment) serve(plain, secure net.Listener, api string) error {
	backend, err := url.Parse(api)
	if err != nil {
		return err
	}
	files, err := pki.Ensure(filepath.Join(d.Root, ".local", "tls"), time.Now())
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(files.Chain, files.Key)
	if err != nil {
		return err
	}
	handler := front.Handler(backend, d.Engine.Client().Transport, slog.New(slog.DiscardHandler))
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	secured := &http.Server{
		Handler: handler, ReadHeaderTimeout: time.Minute,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
	}
	d.closers = append(d.closers, server.Close, secured.Close)
	go func() { _ = server.Serve(plain) }() // ends with Close
	go func() { _ = secured.ServeTLS(secure, "", "") }()
	return nil
}

// Now is what the functions' clock shows.
func (d *Deployment) Now() time.Time {
	offset, err := environment.Offset(d.ClockRoot)
	if err != nil {
		return time.Now()
	}
	return time.Now().Add(offset)
}

// Advance moves the functions' clock on, by no less than it is told: the clock
// file holds whole seconds.
func (d *Deployment) Advance(t testing.TB, by time.Duration) {
	t.Helper()
	offset, err := environment.Offset(d.ClockRoot)
	if err == nil {
		err = environment.SetOffset(d.ClockRoot, (offset + by + time.Second - 1).Truncate(time.Second))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Account returns the demo account of a role.
func (d *Deployment) Account(t testing.TB, role string) environment.Account {
	t.Helper()
	a, ok := d.Env.Account(role)
	if !ok {
		t.Fatalf("no demo account is %s", role)
	}
	return a
}

// Code returns an authenticator app's next code. A code opens once, so the
// clock moves on to another one first.
func (d *Deployment) Code(t testing.TB, secret string) string {
	t.Helper()
	d.Advance(t, 31*time.Second)
	code, err := visitor.Code(secret, d.Now())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// SignIn returns a browser in which the account is signed in.
func (d *Deployment) SignIn(t testing.TB, a environment.Account) *visitor.Visitor {
	t.Helper()
	v := d.Half(t, a)
	if a.TOTPSecret != "" {
		d.Prove(t, v, d.Code(t, a.TOTPSecret), "login")
	}
	return v
}

// Half returns a browser that gave the account's password.
func (d *Deployment) Half(t testing.TB, a environment.Account) *visitor.Visitor {
	t.Helper()
	v := &visitor.Visitor{Base: d.Env.BaseURL, Agent: "deployed-test"}
	if err := v.Want(t.Context(), http.StatusOK, "POST", "/api/auth/signin/", map[string]string{"login": a.Email, "password": a.Password}, nil); err != nil {
		t.Fatal(err)
	}
	return v
}

// Prove answers a challenge of an authenticator app with a code.
func (d *Deployment) Prove(t testing.TB, v *visitor.Visitor, code, purpose string) {
	t.Helper()
	var challenge struct{ ID string }
	if err := v.Want(t.Context(), http.StatusCreated, "POST", "/api/auth/mfa/challenges/", map[string]string{"method": "otp", "purpose": purpose}, &challenge); err != nil {
		t.Fatal(err)
	}
	if err := v.Want(t.Context(), http.StatusOK, "POST", "/api/auth/mfa/challenges/"+challenge.ID+"/verify/", map[string]string{"code": code}, nil); err != nil {
		t.Fatal(err)
	}
}
