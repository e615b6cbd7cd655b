// Package deployed tests the stack as it is deployed: the committed template
// through CloudFormation, functions behind the gateway, IAM enforced, over
// HTTP.
package deployed_test

import (
	"context"
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
	"paddock/localstack/seeding"
	"paddock/localstack/visitor"
)

// A stack is one deployed stack with its demo workspace. The tests of this
// package share it; each that changes settings makes a workspace of its own.
type stack struct {
	engine *engine.Engine
	env    environment.Environment
	root   string // holds the clock file
	stop   func() error
}

var shared *stack //nolint:gochecknoglobals // one stack for all tests of the package

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "deployed:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	shared, err = deploy(ctx)
	if shared != nil {
		defer func() { err = errors.Join(err, shared.stop()) }()
	}
	if err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func deploy(ctx context.Context) (*stack, error) {
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
	s := &stack{engine: e, stop: e.Stop}
	if s.root, err = os.MkdirTemp(e.Folder, "root-"); err != nil {
		return s, err
	}
	if err := os.Mkdir(filepath.Join(s.root, ".local"), 0o700); err != nil {
		return s, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return s, err
	}
	base := fmt.Sprintf("http://localhost:%d", listener.Addr().(*net.TCPAddr).Port)
	outputs, err := e.Deploy(ctx, engine.Deployment{
		Stack: "paddock", Template: template, Programs: target.Folder,
		Parameters: map[string]string{"Architecture": engine.Architecture(), "StrictConditions": "false"},
		Variables:  map[string]string{"AWS_ENDPOINT_URL": e.URL, "AWS_CA_BUNDLE": e.CAFile, "PADDOCK_CLOCK_FILE": environment.ClockFile(s.root)},
		// Only where the template has them: a function that lacks one fails here.
		Replaced: map[string]string{"PADDOCK_BASE_URLS": base, "PADDOCK_DEFAULT_WORKSPACE": "demo"},
	})
	if err != nil {
		return s, err
	}
	backend, err := url.Parse(e.APIURL(outputs["ApiId"]))
	if err != nil {
		return s, err
	}
	server := &http.Server{Handler: front.Handler(backend, e.Client().Transport, slog.New(slog.DiscardHandler)), ReadHeaderTimeout: time.Minute}
	go server.Serve(listener)
	s.stop = func() error { return errors.Join(server.Close(), e.Stop()) }
	s.env = environment.Environment{BaseURL: base, Workspace: environment.Workspace{Slug: "demo"}}
	s.env, err = seeding.Demo(ctx, e, s.env, s.now)
	return s, err
}

func (s *stack) now() time.Time {
	offset, err := environment.Offset(s.root)
	if err != nil {
		return time.Now()
	}
	return time.Now().Add(offset)
}

func (s *stack) advance(t *testing.T, by time.Duration) {
	t.Helper()
	offset, err := environment.Offset(s.root)
	if err != nil {
		t.Fatal(err)
	}
	if err := environment.SetOffset(s.root, offset+by); err != nil {
		t.Fatal(err)
	}
}

// account returns the demo account of a role.
func (s *stack) account(t *testing.T, role string) environment.Account {
	t.Helper()
	for _, a := range s.env.Accounts {
		if a.Role == role {
			return a
		}
	}
	t.Fatalf("no demo account is %s", role)
	return environment.Account{}
}

// signIn returns a browser in which the account is signed in. A code opens
// once, so the clock moves on to the next one first.
func (s *stack) signIn(t *testing.T, a environment.Account) *visitor.Visitor {
	t.Helper()
	v := s.half(t, a)
	if a.TOTPSecret == "" {
		return v
	}
	s.advance(t, 31*time.Second)
	s.prove(t, v, a, "login")
	return v
}

// half returns a browser that gave the account's password.
func (s *stack) half(t *testing.T, a environment.Account) *visitor.Visitor {
	t.Helper()
	v := &visitor.Visitor{Base: s.env.BaseURL, Agent: "deployed-test"}
	if err := v.Want(t.Context(), http.StatusOK, "POST", "/api/auth/signin/", map[string]string{"login": a.Email, "password": a.Password}, nil); err != nil {
		t.Fatal(err)
	}
	return v
}

func (s *stack) prove(t *testing.T, v *visitor.Visitor, a environment.Account, purpose string) {
	t.Helper()
	var challenge struct{ ID string }
	if err := v.Want(t.Context(), http.StatusCreated, "POST", "/api/auth/mfa/challenges/", map[string]string{"method": "otp", "purpose": purpose}, &challenge); err != nil {
		t.Fatal(err)
	}
	code, err := visitor.Code(a.TOTPSecret, s.now())
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Want(t.Context(), http.StatusOK, "POST", "/api/auth/mfa/challenges/"+challenge.ID+"/verify/", map[string]string{"code": code}, nil); err != nil {
		t.Fatal(err)
	}
}
