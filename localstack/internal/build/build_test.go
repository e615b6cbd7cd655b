package build

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, root, name, text string) string {
	t.Helper()
	file := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestFunctionsAreBuiltAsTheSourceSays(t *testing.T) {
	root := t.TempDir()
	write(t, root, "go.mod", "module example\n\ngo 1.26\n")
	write(t, root, "functions/one/main.go", "package main\n\nfunc main() { print(1) }\n")
	write(t, root, "functions/two/main.go", "package main\n\nfunc main() { print(2) }\n")
	target := ForEngine(root)
	runs := func(name, want string) {
		t.Helper()
		out, err := exec.Command(filepath.Join(root, "build", "local", name, "bootstrap")).CombinedOutput()
		if err != nil || string(out) != want {
			t.Errorf("%s printed %q (%v), want %q", name, out, err, want)
		}
	}
	for range 2 {
		if err := Functions(t.Context(), target, []string{"one", "two"}); err != nil {
			t.Fatal(err)
		}
		runs("one", "1")
		runs("two", "2")
	}
	write(t, root, "functions/two/main.go", "package main\n\nfunc main() { print(3) }\n")
	if err := Functions(t.Context(), target, []string{"one", "two"}); err != nil {
		t.Fatal(err)
	}
	runs("one", "1")
	runs("two", "3")
}

func TestSuitesMayBuildAtTheSameTime(t *testing.T) {
	root := t.TempDir()
	write(t, root, "go.mod", "module example\n\ngo 1.26\n")
	write(t, root, "functions/one/main.go", "package main\n\nfunc main() {}\n")
	results := make(chan error, 4)
	for range cap(results) {
		go func() { results <- Functions(t.Context(), ForEngine(root), []string{"one"}) }()
	}
	for range cap(results) {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

func TestFunctionsThatCannotBeBuiltAreNamed(t *testing.T) {
	root := t.TempDir()
	write(t, root, "go.mod", "module example\n\ngo 1.26\n")
	write(t, root, "functions/good/main.go", "package main\n\nfunc main() {}\n")
	write(t, root, "functions/bad/main.go", "package main\n\nfunc main() { x }\n")
	for name, want := range map[string]string{"bad": "example/functions/bad", "absent": "build absent"} {
		err := Functions(t.Context(), ForEngine(root), []string{name, "good"})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "functions/good") {
			t.Errorf("the error is %v, want one that names %s", err, name)
		}
	}
}

func TestTheLocalTagIsNotInWhatGoesToAWS(t *testing.T) {
	if tags := ForLambda("", "arm64").Tags; slices.Contains(strings.Split(tags, ","), "local") {
		t.Errorf("tags for AWS are %q", tags)
	}
	if tags := ForEngine("").Tags; !slices.Contains(strings.Split(tags, ","), "local") {
		t.Errorf("tags for the engine are %q", tags)
	}
}

// console makes a checkout with an npm that writes down what it was called for
// and returns its root and a function that says what was called since.
func console(t *testing.T) (string, func() string) {
	t.Helper()
	root := t.TempDir()
	calls := filepath.Join(root, "calls")
	script := `#!/bin/sh
echo "$1" >> ` + calls + `
case "$1" in
ci) mkdir -p node_modules; touch node_modules/.package-lock.json ;;
run) mkdir -p ../shared/console/dist; touch ../shared/console/dist/index.html ;;
esac
`
	if err := os.Chmod(write(t, root, "bin/npm", script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Join(root, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	write(t, root, ".local/x", "")
	write(t, root, "web/package-lock.json", "{}")
	write(t, root, "web/src/main.ts", "1")
	return root, func() string {
		text, err := os.ReadFile(calls)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		os.Remove(calls)
		return strings.Join(strings.Fields(string(text)), " ")
	}
}

func TestConsoleIsBuiltWhenItsSourceChanged(t *testing.T) {
	root, called := console(t)
	for _, step := range []struct {
		name   string
		change func()
		want   string
	}{
		{"first", func() {}, "ci run"},
		{"nothing changed", func() {}, ""},
		{"installed and built files changed", func() {
			write(t, root, "web/node_modules/x/index.js", "1")
			write(t, root, "web/dist/index.html", "1")
		}, ""},
		{"a source changed", func() { write(t, root, "web/src/main.ts", "2") }, "run"},
		{"a source was renamed", func() {
			if err := os.Rename(filepath.Join(root, "web/src/main.ts"), filepath.Join(root, "web/src/other.ts")); err != nil {
				t.Fatal(err)
			}
		}, "run"},
		{"the result is gone", func() { os.Remove(filepath.Join(root, "shared/console/dist/index.html")) }, "run"},
		{"the lock file changed", func() {
			file := write(t, root, "web/package-lock.json", "{ }")
			later := time.Now().Add(time.Hour)
			if err := os.Chtimes(file, later, later); err != nil {
				t.Fatal(err)
			}
		}, "ci run"},
	} {
		step.change()
		if err := Console(t.Context(), root); err != nil {
			t.Fatal(err)
		}
		if got := called(); got != step.want {
			t.Errorf("%s: npm was called for %q, want %q", step.name, got, step.want)
		}
	}
}

func TestAFailedConsoleBuildIsTriedAgain(t *testing.T) {
	root, called := console(t)
	npm := filepath.Join(root, "bin", "npm")
	good, err := os.ReadFile(npm)
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range []string{"#!/bin/sh\necho broken page; exit 1\n", "#!/bin/sh\n"} {
		if err := os.WriteFile(npm, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := Console(t.Context(), root); err == nil {
			t.Errorf("an npm that does %q was believed", script)
		}
	}
	if err := os.WriteFile(npm, good, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Console(t.Context(), root); err != nil || called() != "ci run" {
		t.Errorf("it was not tried again: %v", err)
	}
}

func TestAMissingNPMIsNamed(t *testing.T) {
	root := t.TempDir()
	write(t, root, "web/package.json", "{}")
	t.Setenv("PATH", t.TempDir())
	err := Console(t.Context(), root)
	if err == nil || !strings.Contains(err.Error(), "npm was not found; it comes with Node.js") {
		t.Errorf("the error is %v", err)
	}
}
