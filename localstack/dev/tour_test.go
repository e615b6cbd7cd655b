package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"paddock/localstack/environment"
	"paddock/localstack/visitor"
)

// A line of the tour: a command and what README says that it prints. In it "…"
// stands for any text, alone on a line for any number of lines.
type line struct {
	command string
	prints  []string
}

// tourOf reads the tour from README: the indented blocks, then the commands
// that its text names.
func tourOf(readme string) (shown []line, named []string) {
	_, tour, _ := strings.Cut(readme, "## A tour of five minutes\n")
	tour, _, _ = strings.Cut(tour, "\n## ")
	for text := range strings.Lines(tour) {
		text, indented := strings.CutPrefix(strings.TrimRight(text, "\n"), "    ")
		if !indented {
			continue
		}
		if command, ok := strings.CutPrefix(text, "$ "); ok {
			shown = append(shown, line{command: command})
		} else if len(shown) > 0 {
			shown[len(shown)-1].prints = append(shown[len(shown)-1].prints, text)
		}
	}
	for _, match := range regexp.MustCompile("`(make [^`]+)`").FindAllStringSubmatch(tour, -1) {
		if !slices.ContainsFunc(shown, func(l line) bool { return l.command == match[1] }) && !slices.Contains(named, match[1]) {
			named = append(named, match[1])
		}
	}
	return shown, named
}

// likeness returns the expression that what README prints stands for. Blank
// lines at either end do not count.
func likeness(prints []string) *regexp.Regexp {
	var pattern strings.Builder
	for _, text := range prints {
		if text == "…" {
			pattern.WriteString(`(?:.*\n)*`)
			continue
		}
		pattern.WriteString(strings.ReplaceAll(regexp.QuoteMeta(text), "…", `.+`) + `\n`)
	}
	return regexp.MustCompile(`^\s*` + pattern.String() + `\s*$`)
}

func TestLikenessIsNarrow(t *testing.T) {
	for _, test := range []struct {
		prints []string
		output string
		like   bool
	}{
		{[]string{"a"}, "a\n", true},
		{[]string{"a"}, "\na\n\n", true},
		{[]string{"a"}, "b\n", false},
		{[]string{"a"}, "a\nb\n", false},
		{[]string{"a", "…"}, "a\nb\nc\n", true},
		{[]string{"…", "c"}, "a\nb\nc\n", true},
		{[]string{"a", "…", "c"}, "a\nc\n", true},
		{[]string{"a…c"}, "a-b-c\n", true},
		{[]string{"a…c"}, "a\nc\n", false},
		{[]string{"1. (x)"}, "1. (x)\n", true},
		{[]string{"1. (x)"}, "11 x\n", false},
		{nil, "", true},
		{nil, "a\n", false},
	} {
		if got := likeness(test.prints).MatchString(test.output); got != test.like {
			t.Errorf("%q like %q: %t", test.prints, test.output, got)
		}
	}
}

// unattended returns the variables of a command that nobody types: none of the
// make that may have started this test.
func unattended(variables map[string]string, home string) []string {
	kept := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains([]string{"MAKELEVEL", "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "HOME", elsewhereVariable}, name)
	})
	kept = append(kept, "HOME="+home, "NO_COLOR=1")
	for name, value := range variables {
		kept = append(kept, name+"="+value)
	}
	return kept
}

// TestTheTourIsAsPrinted runs README's tour on a checkout without state and
// compares what is printed. The lines of the `alpacon` command line run where
// it is installed, or where ALPACON names it; `make test` says when they do not.
func TestTheTourIsAsPrinted(t *testing.T) {
	b, _, variables := twin(t)
	readme, err := os.ReadFile(filepath.Join(b.root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	shown, named := tourOf(string(readme))
	if len(shown) < 8 || len(named) < 6 {
		t.Fatalf("README's tour has %d commands in blocks and %d in its text: %v", len(shown), len(named), named)
	}
	alpacon := os.Getenv("ALPACON")
	if alpacon == "" {
		alpacon, _ = exec.LookPath("alpacon")
	}
	// What the go command and npm keep under HOME stays where it is.
	for name, argument := range map[string]string{"GOMODCACHE": "GOMODCACHE", "GOCACHE": "GOCACHE", "GOPATH": "GOPATH"} {
		value, err := exec.CommandContext(t.Context(), "go", "env", argument).Output()
		if err != nil {
			t.Fatal(err)
		}
		variables[name] = strings.TrimSpace(string(value))
	}
	home := t.TempDir()
	t.Cleanup(func() {
		if err := down(context.WithoutCancel(t.Context()), b, nil); err != nil {
			t.Log(err) // `make down` is a part of the tour
		}
	})
	var left []string
	for _, l := range shown {
		if before, rest, ok := strings.Cut(" "+l.command, " alpacon "); ok {
			if alpacon == "" {
				left = append(left, l.command)
				continue
			}
			l.command = strings.TrimSpace(before + " " + alpacon + " " + rest)
		}
		tour(t, b, l.command, unattended(variables, home), l.prints)
	}
	for _, command := range named {
		tour(t, b, command, unattended(variables, home), []string{"…"})
	}
	if len(left) > 0 {
		fmt.Fprintf(os.Stderr, "NOT RUN: %d lines of README's tour, as there is no alpacon command line: %q\n", len(left), left)
	}
}

// tour runs one command as README prints it, but for the ports of the checkout
// and the password.
func tour(t *testing.T, b bench, command string, variables, prints []string) {
	t.Helper()
	ports := strings.NewReplacer("localhost:8080", "localhost:"+b.getenv("PORT"), "localhost:8443", "localhost:"+b.getenv("TLS_PORT"))
	command = ports.Replace(command)
	shownAs := command
	if env, err := environment.Load(b.root); err == nil {
		if account, ok := env.Account("stan"); ok {
			command = strings.ReplaceAll(command, "<password>", account.Password)
		}
	}
	var want []string
	for _, text := range prints {
		want = append(want, ports.Replace(text))
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", command)
	output := &allowing{allow: func(code string) error { return allow(t.Context(), b, code) }}
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = b.root, variables, output, output
	if err := cmd.Run(); err != nil {
		t.Fatalf("$ %s\n%s\n%v", shownAs, output.printed.String(), err)
	}
	if text := strings.TrimRight(output.printed.String(), "\n") + "\n"; !likeness(want).MatchString(text) {
		t.Errorf("$ %s\nprinted\n%s\nREADME says\n%s", shownAs, text, strings.Join(want, "\n"))
	}
}

// allowing keeps what a command prints. When that is the address of a device
// login, it is allowed.
type allowing struct {
	allow   func(code string) error
	printed bytes.Buffer
	allowed bool
}

var deviceAddress = regexp.MustCompile(`/device#([B-Z]{4}-[B-Z]{4})\s`)

func (a *allowing) Write(p []byte) (int, error) {
	n, _ := a.printed.Write(p) // never fails
	shown := deviceAddress.FindSubmatch(a.printed.Bytes())
	if shown == nil || a.allowed {
		return n, nil
	}
	a.allowed = true
	return n, a.allow(string(shown[1]))
}

// allow allows a device login as staff does in the browser.
func allow(ctx context.Context, b bench, code string) error {
	env, err := environment.Load(b.root)
	if err != nil {
		return err
	}
	staff, _ := env.Account("staff")
	v := &visitor.Visitor{Base: env.BaseURL}
	if err := v.Want(ctx, http.StatusOK, "POST", "/api/auth/signin/", map[string]string{"login": staff.Email, "password": staff.Password}, nil); err != nil {
		return err
	}
	return v.Want(ctx, http.StatusNoContent, "POST", "/api/auth/device/approve/", map[string]string{"user_code": code}, nil)
}
