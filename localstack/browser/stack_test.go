package browser_test

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

	"github.com/chromedp/chromedp"

	"paddock/localstack/browser"
	"paddock/localstack/engine"
	"paddock/localstack/environment"
	"paddock/localstack/front"
	"paddock/localstack/internal/build"
	"paddock/localstack/internal/pki"
	"paddock/localstack/seeding"
	"paddock/localstack/visitor"
)

// A bench is one deployed stack with its demo workspace, and one Chromium. All
// tests of the package share it; each has its own cookies.
type bench struct {
	root     string // repository
	engine   *engine.Engine
	env      environment.Environment
	secure   string // base address over https
	clock    string // folder with the clock file
	chromium context.Context
	closers  []func() error
}

var shared bench //nolint:gochecknoglobals // one stack for all tests of the package

func TestMain(m *testing.M) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	code := 1
	err := shared.open(ctx)
	if err == nil {
		code = m.Run()
	}
	if err := errors.Join(err, shared.close()); err != nil {
		fmt.Fprintln(os.Stderr, "browser:", err)
		code = 1
	}
	cancel()
	os.Exit(code)
}

func (b *bench) open(ctx context.Context) error {
	path, err := browser.Find(ctx, os.Getenv)
	if err != nil {
		return err
	}
	if b.root, err = engine.FindRoot(); err != nil {
		return err
	}
	if err := build.Console(ctx, b.root); err != nil {
		return err
	}
	if err := b.deploy(ctx); err != nil {
		return err
	}
	return b.launch(path)
}

func (b *bench) close() error {
	var errs []error
	for i := len(b.closers) - 1; i >= 0; i-- {
		errs = append(errs, b.closers[i]())
	}
	return errors.Join(errs...)
}

// deploy starts a private engine, deploys the committed template with the
// functions of this checkout, and makes the demo workspace.
func (b *bench) deploy(ctx context.Context) error {
	template, err := os.ReadFile(filepath.Join(b.root, "infra", "testdata", "template.golden.json"))
	if err != nil {
		return err
	}
	names, err := engine.Functions(template)
	if err != nil {
		return err
	}
	target := build.ForEngine(b.root)
	if err := build.Functions(ctx, target, names); err != nil {
		return err
	}
	if b.engine, err = engine.Start(ctx, engine.Config{Root: b.root}); err != nil {
		return err
	}
	b.closers = append(b.closers, b.engine.Stop)
	if b.clock, err = os.MkdirTemp(b.engine.Folder, "root-"); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(b.clock, ".local"), 0o700); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	secure, err := b.tls()
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	base := fmt.Sprintf("http://localhost:%d", listener.Addr().(*net.TCPAddr).Port)
	b.secure = fmt.Sprintf("https://localhost:%d", secure.Addr().(*net.TCPAddr).Port)
	outputs, err := b.engine.Deploy(ctx, engine.Deployment{
		Stack: "paddock", Template: template, Programs: target.Folder,
		Parameters: map[string]string{"Architecture": engine.Architecture(), "StrictConditions": "false"},
		Variables: map[string]string{
			"AWS_ENDPOINT_URL": b.engine.URL, "AWS_CA_BUNDLE": b.engine.CAFile, "PADDOCK_CLOCK_FILE": environment.ClockFile(b.clock),
			"PADDOCK_BASE_URLS": base + "," + b.secure, "PADDOCK_DEFAULT_WORKSPACE": "demo", "PADDOCK_STRICT_CONDITIONS": "false",
		},
	})
	if err != nil {
		return errors.Join(err, listener.Close(), secure.Close())
	}
	for _, l := range []net.Listener{listener, secure} {
		if err := b.serve(l, b.engine.APIURL(outputs["ApiId"])); err != nil {
			return err
		}
	}
	b.env = environment.Environment{BaseURL: base, Workspace: environment.Workspace{Slug: "demo"}}
	b.env, err = seeding.Demo(ctx, b.engine, b.env, b.now)
	return err
}

// tls returns a listener with the certificate of this checkout.
func (b *bench) tls() (net.Listener, error) {
	files, err := pki.Ensure(filepath.Join(b.root, ".local", "tls"), time.Now())
	if err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(files.Chain, files.Key)
	if err != nil {
		return nil, err
	}
	return tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
}

func (b *bench) serve(listener net.Listener, api string) error {
	backend, err := url.Parse(api)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: front.Handler(backend, b.engine.Client().Transport, slog.New(slog.DiscardHandler)), ReadHeaderTimeout: time.Minute}
	b.closers = append(b.closers, server.Close)
	go server.Serve(listener)
	return nil
}

// launch starts one Chromium with a profile of its own, which goes with it.
func (b *bench) launch(path string) error {
	profile, err := os.MkdirTemp("", "paddock-browser-")
	if err != nil {
		return err
	}
	b.closers = append(b.closers, func() error { return os.RemoveAll(profile) })
	allocator, end := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("lang", "en-GB"),
		// The browser does not know the project's authority; that the chain holds is tested elsewhere.
		chromedp.Flag("ignore-certificate-errors", true))
	ctx, quit := chromedp.NewContext(allocator, chromedp.WithErrorf(func(format string, values ...any) {
		fmt.Fprintf(os.Stderr, "chromium: "+format+"\n", values...)
	}))
	b.closers = append(b.closers, func() error {
		err := chromedp.Cancel(ctx) // waits until the process has ended
		quit()
		end()
		return err
	})
	b.chromium = ctx
	return chromedp.Do(ctx)
}

func (b *bench) now() time.Time {
	offset, err := environment.Offset(b.clock)
	if err != nil {
		return time.Now()
	}
	return time.Now().Add(offset)
}

// advance moves the functions' clock on.
func (b *bench) advance(t *testing.T, by time.Duration) {
	t.Helper()
	offset, err := environment.Offset(b.clock)
	if err != nil {
		t.Fatal(err)
	}
	if err := environment.SetOffset(b.clock, offset+by); err != nil {
		t.Fatal(err)
	}
}

// code returns an authenticator app's next code. A code opens once, so the
// clock moves on to another one first.
func (b *bench) code(t *testing.T, secret string) string {
	t.Helper()
	b.advance(t, 31*time.Second)
	code, err := visitor.Code(secret, b.now())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func (b *bench) account(t *testing.T, role string) environment.Account {
	t.Helper()
	a, ok := b.env.Account(role)
	if !ok {
		t.Fatalf("no demo account is %s", role)
	}
	return a
}

// invite sends an invitation as the demo's superuser, over HTTP, and returns
// the secret of its link.
func (b *bench) invite(t *testing.T, email string, superuser bool) string {
	t.Helper()
	sue := b.account(t, "superuser")
	v := &visitor.Visitor{Base: b.env.BaseURL, Agent: "browser-test"}
	want := func(status int, path string, body, out any) {
		t.Helper()
		if err := v.Want(t.Context(), status, "POST", path, body, out); err != nil {
			t.Fatal(err)
		}
	}
	var challenge struct{ ID string }
	want(http.StatusOK, "/api/auth/signin/", map[string]string{"login": sue.Email, "password": sue.Password}, nil)
	want(http.StatusCreated, "/api/auth/mfa/challenges/", map[string]string{"method": "otp", "purpose": "login"}, &challenge)
	want(http.StatusOK, "/api/auth/mfa/challenges/"+challenge.ID+"/verify/", map[string]string{"code": b.code(t, sue.TOTPSecret)}, nil)
	want(http.StatusCreated, "/api/workspaces/users/invite/", map[string]any{"email": email, "is_superuser": superuser}, nil)
	secret, err := seeding.Link(t.Context(), b.engine, email)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}
