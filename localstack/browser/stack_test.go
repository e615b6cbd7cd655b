package browser_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"paddock/localstack/browser"
	"paddock/localstack/deployment"
	"paddock/localstack/engine"
	"paddock/localstack/internal/build"
	"paddock/localstack/seeding"
)

// A bench is one deployed stack and one Chromium. All tests of the package share
// it; each has its own cookies.
type bench struct {
	*deployment.Deployment

	chromium context.Context
	quit     func() error
}

var shared bench //nolint:gochecknoglobals // one stack for all tests of the package

func TestMain(m *testing.M) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	code := 1
	err := shared.open(ctx)
	if err == nil {
		code = m.Run()
	}
	if shared.quit != nil {
		err = errors.Join(err, shared.quit())
	}
	if err := errors.Join(err, shared.Stop()); err != nil {
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
	root, err := engine.FindRoot()
	if err != nil {
		return err
	}
	if err := build.Console(ctx, root); err != nil {
		return err
	}
	if b.Deployment, err = deployment.Start(ctx); err != nil {
		return err
	}
	return b.launch(path)
}

// launch starts one Chromium with a profile of its own, which goes with it.
func (b *bench) launch(path string) error {
	profile, err := os.MkdirTemp("", "paddock-browser-")
	if err != nil {
		return err
	}
	allocator, end := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		// A process in reserve for each new page is an eighth of what the browser computes.
		chromedp.Flag("disable-features", "SpareRendererForSitePerProcess,Translate,OptimizationHints,MediaRouter"),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("lang", "en-GB"),
		// The browser does not know the project's authority; that the chain holds is tested elsewhere.
		chromedp.Flag("ignore-certificate-errors", true))
	ctx, quit := chromedp.NewContext(allocator, chromedp.WithErrorf(func(format string, values ...any) {
		fmt.Fprintf(os.Stderr, "chromium: "+format+"\n", values...)
	}))
	b.quit = func() error {
		err := chromedp.Cancel(ctx) // waits until the process has ended
		quit()
		end()
		return errors.Join(err, os.RemoveAll(profile))
	}
	b.chromium = ctx
	return chromedp.Do(ctx)
}

// invite sends an invitation as the demo's superuser, over HTTP, and returns
// the secret of its link.
func (b *bench) invite(t *testing.T, email string, superuser bool) string {
	t.Helper()
	v := b.SignIn(t, b.Account(t, "superuser"))
	if err := v.Want(t.Context(), http.StatusCreated, "POST", "/api/workspaces/users/invite/", map[string]any{"email": email, "is_superuser": superuser}, nil); err != nil {
		t.Fatal(err)
	}
	secret, err := seeding.Link(t.Context(), b.Engine, email)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}
