// Package toolchain checks what must be on the machine (Go, Node, Python) and
// installs pinned Python packages into the checkout's own `.local`.
package toolchain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// A Tool is a program that must be on the machine.
type Tool struct {
	Name     string   // as people call it
	Programs []string // tried in this order
	Argument string   // makes it print its version
	Major    int      // least version
	Minor    int
	Hint     string // where to get it
}

// Tools are what `make up` needs besides what it installs itself.
func Tools() []Tool { return append(BuildTools(), python()) }

// BuildTools are those without which nothing can be built; Python is needed for
// the engine alone.
func BuildTools() []Tool {
	return []Tool{
		{"Go", []string{"go"}, "version", 1, 26, "Get it from https://go.dev/dl/."},
		{"Node.js", []string{"node"}, "--version", 20, 0, "Get it from https://nodejs.org/."},
	}
}

func python() Tool {
	return Tool{
		"Python",
		[]string{"python3", "python3.13", "python3.12", "python3.11", "python3.10"},
		"--version", 3, 10,
		"Get it from https://www.python.org/ or your system's packages (with venv).",
	}
}

// Check reports every missing or too old tool, each in a sentence.
func Check(ctx context.Context, tools []Tool) error {
	var missing []error
	for _, tool := range tools {
		if _, err := tool.Find(ctx); err != nil {
			missing = append(missing, err)
		}
	}
	return errors.Join(missing...)
}

// Find returns the path of the first program that is new enough.
func (t Tool) Find(ctx context.Context) (string, error) {
	found := ""
	for _, name := range t.Programs {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		out, err := exec.CommandContext(ctx, path, t.Argument).CombinedOutput()
		if err != nil {
			continue
		}
		major, minor, ok := version(string(out))
		if ok && (major > t.Major || major == t.Major && minor >= t.Minor) {
			return path, nil
		}
		if ok && found == "" {
			found = fmt.Sprintf("%d.%d", major, minor)
		}
	}
	if found != "" {
		return "", fmt.Errorf("%s %d.%d or newer is needed, this machine has %s. %s", t.Name, t.Major, t.Minor, found, t.Hint)
	}
	return "", fmt.Errorf("%s %d.%d or newer is needed and was not found. %s", t.Name, t.Major, t.Minor, t.Hint)
}

var versionText = regexp.MustCompile(`(\d+)\.(\d+)`)

func version(text string) (major, minor int, ok bool) {
	parts := versionText.FindStringSubmatch(text)
	if parts == nil {
		return 0, 0, false
	}
	major, err := strconv.Atoi(parts[1])
	if err != nil {
		return 0, 0, false
	}
	minor, err = strconv.Atoi(parts[2])
	return major, minor, err == nil
}

// Packages are Python packages that are installed together, each checked
// against its hash in the lock file.
type Packages struct {
	What   string // as people call them
	lock   string // in localstack
	folder string // in .local
}

// Engine is the local AWS engine, Tester what tries the API against its
// description. They are kept apart so that what one needs never changes the
// other.
var (
	Engine = Packages{"the engine", "requirements.lock", "venv"}
	Tester = Packages{"the API tester", "schemathesis.lock", "schemathesis"}
)

// Installed reports whether the venv holds what the lock file says.
func (p Packages) Installed(root string) (bool, error) {
	want, err := p.fingerprint(root)
	if err != nil {
		return false, err
	}
	got, err := os.ReadFile(p.stamp(root))
	if err != nil || string(got) != want {
		return false, nil //nolint:nilerr // no stamp: not installed
	}
	_, err = os.Stat(p.Program(root, "python"))
	return err == nil, nil
}

// Install makes the venv and installs the locked packages. What was there
// before is replaced when the lock changed.
func (p Packages) Install(ctx context.Context, root string) error {
	want, err := p.fingerprint(root)
	if err != nil {
		return err
	}
	interpreter, err := python().Find(ctx)
	if err != nil {
		return err
	}
	if err := run(ctx, root, interpreter, "-m", "venv", p.venv(root)); err != nil {
		return fmt.Errorf("make .local/%s (Debian and Ubuntu keep this in the package python3-venv): %w", p.folder, err)
	}
	err = run(ctx, root, p.Program(root, "python"), "-m", "pip", "install", "--quiet",
		"--disable-pip-version-check", "--no-compile", "--require-hashes", "-r", p.lockFile(root))
	if err != nil {
		return fmt.Errorf("install %s: %w", p.What, err)
	}
	return os.WriteFile(p.stamp(root), []byte(want), 0o644)
}

// Program returns the path of a program of the packages.
func (p Packages) Program(root, name string) string {
	return filepath.Join(p.venv(root), "bin", name)
}

var pinned = regexp.MustCompile(`(?m)^ministack==(\S+)`)

// EngineVersion returns the engine's version in the lock file.
func EngineVersion(root string) (string, error) {
	text, err := os.ReadFile(Engine.lockFile(root))
	if err != nil {
		return "", err
	}
	match := pinned.FindSubmatch(text)
	if match == nil {
		return "", fmt.Errorf("%s pins no engine", Engine.lockFile(root))
	}
	return string(match[1]), nil
}

func (p Packages) fingerprint(root string) (string, error) {
	text, err := os.ReadFile(p.lockFile(root))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

func (p Packages) lockFile(root string) string { return filepath.Join(root, "localstack", p.lock) }
func (p Packages) venv(root string) string     { return filepath.Join(root, ".local", p.folder) }
func (p Packages) stamp(root string) string    { return filepath.Join(p.venv(root), "lock.sha256") }

// run runs the program and shows what it printed only when it failed.
func run(ctx context.Context, folder, program string, arguments ...string) error {
	cmd := exec.CommandContext(ctx, program, arguments...)
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(program), err, out)
	}
	return nil
}
