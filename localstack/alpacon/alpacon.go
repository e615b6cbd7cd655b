// Package alpacon drives the unmodified `alpacon` command line in tests, as it
// is installed: its state is in a home of its own, and nothing but what a person
// types is told to it.
package alpacon

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// within bounds how long a command may take.
const within = time.Minute

// A Program is the command line with a home of its own.
type Program struct {
	Path      string
	Home      string
	Authority string // file of the certificates that it trusts instead of the machine's, "" for those
	Editor    string // program that `update` opens, "" for none
}

// Named returns the program that the variable ALPACON names, with a new home.
// Where it names none, what is not run is said, and ok is false.
func Named(t testing.TB, authority, what string) (p Program, ok bool) {
	t.Helper()
	path := os.Getenv("ALPACON")
	if path == "" {
		fmt.Fprintf(os.Stderr, "NOT RUN: %s, as ALPACON names no program\n", what)
		return Program{}, false
	}
	return Program{Path: path, Home: t.TempDir(), Authority: authority}, true
}

func (p Program) command(ctx context.Context, arguments ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.Path, arguments...)
	cmd.Env = []string{"HOME=" + p.Home, "ALPACON_NO_BROWSER=1", "NO_COLOR=1", "PATH=" + os.Getenv("PATH")}
	if p.Authority != "" {
		cmd.Env = append(cmd.Env, "SSL_CERT_FILE="+p.Authority)
	}
	if p.Editor != "" {
		cmd.Env = append(cmd.Env, "EDITOR="+p.Editor)
	}
	return cmd
}

// Run runs a command, which must succeed, and returns all that it prints.
func (p Program) Run(t testing.TB, arguments ...string) string {
	t.Helper()
	return p.Ends(t, 0, arguments...)
}

// Ends is Run for a command that ends with this exit code.
func (p Program) Ends(t testing.TB, code int, arguments ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	cmd := p.command(ctx, arguments...)
	out, err := cmd.CombinedOutput()
	_, exited := errors.AsType[*exec.ExitError](err)
	if err != nil && !exited || cmd.ProcessState.ExitCode() != code {
		t.Errorf("alpacon %v: %v, want exit code %d\n%s", arguments, err, code, out)
	}
	return string(out)
}

// Login signs in by browser; approve is called with the code that is shown.
func (p Program) Login(t testing.TB, host string, approve func(code string)) {
	t.Helper()
	if out, err := p.login(t, host, approve); err != nil {
		t.Fatalf("alpacon login: %v\n%s", err, out)
	}
}

// Refused is Login for one that is denied. It returns all that is printed.
func (p Program) Refused(t testing.TB, host string, deny func(code string)) string {
	t.Helper()
	out, err := p.login(t, host, deny)
	if _, exited := errors.AsType[*exec.ExitError](err); !exited {
		t.Fatalf("alpacon login ends with %v\n%s", err, out)
	}
	return out
}

var errNoCode = errors.New("no code was shown")

func (p Program) login(t testing.TB, host string, answer func(code string)) (string, error) {
	t.Helper()
	return p.watch(t, regexp.MustCompile(`#([B-Z]{4}-[B-Z]{4})`), answer, "login", host, "--no-browser")
}

// watch runs a command until it ends, and answers what it shows once.
func (p Program) watch(t testing.TB, shown *regexp.Regexp, answer func(text string), arguments ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	cmd := p.command(ctx, arguments...)
	printed, into := io.Pipe()
	cmd.Stdout, cmd.Stderr = into, into
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		_ = into.Close() // never fails
		ended <- err
	}()
	var all strings.Builder
	answered := false
	for lines := bufio.NewScanner(printed); lines.Scan(); {
		all.WriteString(lines.Text() + "\n")
		if match := shown.FindStringSubmatch(lines.Text()); match != nil && !answered {
			answered = true
			answer(match[1])
		}
	}
	err := <-ended
	if !answered {
		err = errors.Join(errNoCode, err)
	}
	return all.String(), err
}

func (p Program) file(name string) string { return filepath.Join(p.Home, ".alpacon", name) }

// Config is what the command line keeps of its login.
func (p Program) Config(t testing.TB) map[string]any {
	t.Helper()
	text, err := os.ReadFile(p.file("config.json"))
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// Expire makes the command line believe that its access token is over.
func (p Program) Expire(t testing.TB) {
	t.Helper()
	config := p.Config(t)
	config["access_token_expires_at"] = "2020-01-01T00:00:00Z"
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.file("config.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Device returns the name of the installation.
func (p Program) Device(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(p.file("device_id"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}
