package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"paddock/localstack/engine"
	"paddock/localstack/environment"
	"paddock/localstack/internal/build"
	"paddock/localstack/internal/pki"
	"paddock/localstack/internal/process"
	"paddock/localstack/journey"
	"paddock/localstack/visitor"
	"paddock/shared/id"
)

// TestMain is the front as well: `up` starts it as its own program, which in a
// test is this one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "front" {
		main()
		return
	}
	os.Exit(m.Run())
}

// twin returns a bench on a checkout that shares the source, the installed
// engine and the built console with this one, and has its own state and ports.
func twin(t *testing.T) (bench, *bytes.Buffer, map[string]string) {
	t.Helper()
	root, err := engine.FindRoot()
	if err != nil {
		t.Fatal(err)
	}
	b, out, variables := checkout(t)
	b.now = time.Now
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	link := func(name string) {
		if err := os.Symlink(filepath.Join(root, name), filepath.Join(b.root, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, entry := range entries {
		if entry.Name() != ".local" && entry.Name() != ".git" {
			link(entry.Name())
		}
	}
	link(".local/venv")
	if err := build.Console(t.Context(), root); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, ".local", "console.sha256"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, b.local("console.sha256"), string(text))
	variables["PORT"], variables["TLS_PORT"] = freePort(t), freePort(t)
	return b, out, variables
}

func freePort(t *testing.T) string {
	t.Helper()
	port, err := process.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(port)
}

// raise does `make up`; what still runs at the end of the test is stopped.
func raise(t *testing.T, b bench, out *bytes.Buffer) environment.Environment {
	t.Helper()
	t.Cleanup(func() {
		if err := down(context.WithoutCancel(t.Context()), b, nil); err != nil {
			t.Error(err)
		}
	})
	if err := up(t.Context(), b, nil); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	env, err := environment.Load(b.root)
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// signIn returns a browser in which the account of the role is signed in.
func signIn(t *testing.T, env environment.Environment, role string) *visitor.Visitor {
	t.Helper()
	account, _ := env.Account(role)
	v := &visitor.Visitor{Base: env.BaseURL}
	if err := v.Want(t.Context(), http.StatusOK, "POST", "/api/auth/signin/", map[string]string{"login": account.Email, "password": account.Password}, nil); err != nil {
		t.Fatal(err)
	}
	return v
}

func openLog(t *testing.T, b bench, env environment.Environment) *journey.Log {
	t.Helper()
	e, err := b.requireEngine()
	if err != nil {
		t.Fatal(err)
	}
	workspace, err := id.ParseUUID(env.Workspace.ID)
	if err != nil {
		t.Fatal(err)
	}
	log, err := journey.OpenLog(t.Context(), e, env.BaseURL, workspace)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// answers returns the status and code of a question that needs a session.
func answers(t *testing.T, v *visitor.Visitor) string {
	t.Helper()
	a, err := v.Do(t.Context(), "GET", "/api/status/", nil)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(fmt.Sprint(a.Status, " ", a.Problem().Code))
}

// seeded is the number of events in the log of a demo after one sign-in: the
// workspace; for each person an invitation, an account and a session; the roles
// of two; a factor and its recovery codes; the sign-in. All of them are waited
// for, so that what comes later was done later.
const seeded = 1 + 3*3 + 2 + 2 + 1

func TestASignInAndTheLogOutliveAStop(t *testing.T) {
	b, out, variables := twin(t)
	env := raise(t, b, out)
	member := signIn(t, env, "member")
	before, err := openLog(t, b, env).Grown(t.Context(), seeded)
	if err != nil || !before.Intact() || before.Size < seeded {
		t.Fatalf("the log before: %+v, %v", before, err)
	}

	if err := down(t.Context(), b, nil); err != nil {
		t.Fatal(err)
	}
	if process.PortTaken(portOf(env.BaseURL)) || process.PortTaken(portOf(env.EngineURL)) {
		t.Error("front or engine still run after `make down`")
	}
	out.Reset()
	again := raise(t, b, out)
	if again.Workspace != env.Workspace || !slices.Equal(again.Accounts, env.Accounts) {
		t.Error("the demo is another one")
	}
	if got := answers(t, member); got != "200" {
		t.Errorf("the session of before answers %s, want 200", got)
	}
	signIn(t, again, "staff")
	log := openLog(t, b, again)
	after, err := log.Grown(t.Context(), before.Size+1)
	if err != nil || !after.Intact() || after.Size <= before.Size {
		t.Errorf("the log after: %+v, %v; want it intact and longer than %d", after, err, before.Size)
	}
	old, err := log.Verify(t.Context(), before.Objects)
	if err != nil || old.Size != before.Size || old.Root != before.Root {
		t.Errorf("the log's beginning is %+v, %v; want what it was: %+v", old, err, before)
	}

	// Another program takes the front's port: named, and nothing is touched.
	variables["PORT"] = strconv.Itoa(portOf(env.EngineURL))
	wantError(t, up(t.Context(), b, nil), "port "+variables["PORT"]+" is in use by another program; choose another one: make up PORT=")
	variables["PORT"] = strconv.Itoa(portOf(env.BaseURL))
	if got := answers(t, member); got != "200" {
		t.Errorf("after a refused `make up` the session answers %s", got)
	}

	killEngine(t, b)
	wantError(t, mail(t.Context(), b, nil), "the engine is not running; run `make up` first")
	out.Reset()
	fresh := raise(t, b, out)
	if text := out.String(); !strings.Contains(text, "was not stopped cleanly") || !strings.Contains(text, "tables and objects are deleted together") {
		t.Errorf("after a kill it says %q", text)
	}
	if fresh.Workspace.ID == env.Workspace.ID {
		t.Error("the workspace of before is still there")
	}
	if got := answers(t, member); got != "401 session_invalid" {
		t.Errorf("the session of before answers %s", got)
	}
	if left, err := openLog(t, b, env).Verify(t.Context(), 0); err != nil || left.Objects != 0 {
		t.Errorf("%d objects of the old log are left, %v", left.Objects, err)
	}
	anew, err := openLog(t, b, fresh).Grown(t.Context(), seeded-1)
	if err != nil || !anew.Intact() || anew.Size < seeded-1 {
		t.Errorf("the new log: %+v, %v", anew, err)
	}
}

// killEngine ends the engine without a chance to save.
func killEngine(t *testing.T, b bench) {
	t.Helper()
	pid, err := process.ReadID(engine.Marker(b.folder()))
	if err != nil || !process.Runs(pid, b.launcher()) {
		t.Fatalf("process %d is no engine of this checkout, %v", pid, err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), orphanWithin)
	defer cancel()
	if err := process.Until(ctx, func() bool { return !process.Runs(pid, b.launcher()) }); err != nil {
		t.Fatal(err)
	}
}

func TestAnEngineOfSomebodyElseIsUsedAndNeverStopped(t *testing.T) {
	if os.Getenv("PADDOCK_SOAK") == "" {
		t.Skip("a second engine and a whole deployment: make soak runs it")
	}
	b, out, variables := twin(t)
	if _, err := pki.Ensure(b.local("tls"), b.now()); err != nil {
		t.Fatal(err)
	}
	other, err := engine.Start(t.Context(), engine.Config{Root: b.root, Folder: t.TempDir(), Now: b.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := other.Stop(); err != nil {
			t.Error(err)
		}
	})
	variables[elsewhereVariable] = other.URL
	env := raise(t, b, out)
	if env.EngineURL != other.URL || !env.Elsewhere {
		t.Errorf("dev.json names engine %s", env.EngineURL)
	}
	if _, err := os.Stat(engine.Marker(b.folder())); !os.IsNotExist(err) {
		t.Error("an own engine was started as well")
	}
	member := signIn(t, env, "member")
	out.Reset()
	if err := mail(t.Context(), b, nil); err != nil || !strings.Contains(out.String(), "mia@demo.example") {
		t.Errorf("the mailbox: %v, %s", err, out)
	}
	delete(variables, elsewhereVariable)
	wantError(t, up(t.Context(), b, nil), "the demo in .local/dev.json is in the engine at "+other.URL)
	variables[elsewhereVariable] = "https://127.0.0.1:1"
	wantError(t, up(t.Context(), b, nil), "the demo in .local/dev.json is in the engine at "+other.URL)
	variables[elsewhereVariable] = other.URL

	out.Reset()
	if err := down(t.Context(), b, nil); err != nil || !strings.Contains(out.String(), "was not started here and goes on") {
		t.Errorf("`make down`: %v, %s", err, out)
	}
	if _, err := other.Version(t.Context()); err != nil {
		t.Fatalf("`make down` stopped the engine of somebody else: %v", err)
	}
	raise(t, b, out)
	if got := answers(t, member); got != "200" {
		t.Errorf("the session of before answers %s", got)
	}
	out.Reset()
	if err := reset(t.Context(), b, nil); err != nil || !strings.Contains(out.String(), "stays there") {
		t.Errorf("`make reset`: %v, %s", err, out)
	}
	if _, err := other.Version(t.Context()); err != nil {
		t.Fatalf("`make reset` stopped the engine of somebody else: %v", err)
	}
	// What it holds cannot be entered any more, and that is said.
	wantError(t, up(t.Context(), b, nil), "its secrets are not")
}

func TestAnEngineThatDoesNotAnswerIsNamed(t *testing.T) {
	b, _, variables := twin(t)
	if _, err := pki.Ensure(b.local("tls"), b.now()); err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"localhost:4566":                   "PADDOCK_ENGINE_URL: find engine: \"localhost:4566\" is not of the form https://host:port",
		"https://127.0.0.1:" + freePort(t): "the engine that PADDOCK_ENGINE_URL names does not answer",
		"https://127.0.0.1:x":              "is not of the form",
	} {
		variables[elsewhereVariable] = address
		_, err := b.ensureEngine(t.Context())
		wantError(t, err, want)
	}
	variables[elsewhereVariable], variables[authorityVariable] = "https://127.0.0.1:1", b.local("no.crt")
	_, err := b.ensureEngine(t.Context())
	wantError(t, err, "no.crt")
}

// stale leaves a process that looks like this checkout's engine.
func stale(t *testing.T, b bench) {
	t.Helper()
	cmd := exec.Command("cat", "-", b.launcher())
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() { stdin.Close(); <-ended })
	if err := process.WriteID(engine.Marker(b.folder()), cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), orphanWithin)
	defer cancel()
	if err := process.Until(ctx, func() bool { return process.Runs(cmd.Process.Pid, b.launcher()) }); err != nil {
		t.Fatal(err)
	}
}

func serverTLS(t *testing.T, files pki.Files) *tls.Config {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(files.Chain, files.Key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
}

func TestAStaleEngineIsNamed(t *testing.T) {
	b, _, variables := twin(t)
	files, err := pki.Ensure(b.local("tls"), b.now())
	if err != nil {
		t.Fatal(err)
	}
	stale(t, b)
	answer := func(version string) {
		t.Helper()
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, version) }))
		server.TLS = serverTLS(t, files)
		server.StartTLS()
		t.Cleanup(server.Close)
		if err := environment.Save(b.root, environment.Environment{EngineURL: server.URL}); err != nil {
			t.Fatal(err)
		}
	}
	answer(`{}`)
	_, err = b.ensureEngine(t.Context())
	wantError(t, err, "runs but does not answer; run `make down`, then `make up`")
	answer(`{"version": "0.1"}`)
	_, err = b.ensureEngine(t.Context())
	wantError(t, err, "the running engine is version 0.1, this checkout pins ")
	variables[elsewhereVariable] = "https://127.0.0.1:1"
	wantError(t, b.oneEngine(), "this checkout's own engine runs; stop it before PADDOCK_ENGINE_URL names another one: make down")
}

func TestAMissingToolIsNamed(t *testing.T) {
	b, _, variables := twin(t)
	t.Setenv("PATH", t.TempDir())
	err := tools(t.Context(), b, nil)
	for _, want := range []string{"Go 1.26 or newer is needed and was not found.", "Node.js 20.0 or newer is needed and was not found.", "Python 3.10 or newer is needed and was not found."} {
		wantError(t, err, want)
	}
	variables[elsewhereVariable] = "https://127.0.0.1:1"
	if err := tools(t.Context(), b, nil); err == nil || strings.Contains(err.Error(), "Python") {
		t.Errorf("with an engine elsewhere: %v, want no word of Python", err)
	}
}
