// Package browser drives the console in a real Chromium: its tests deploy a
// stack of their own and use the pages as people do. The package itself only
// knows where Chromium is; the program in `find` installs one.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// ErrNone says that there is no Chromium and what to do.
var ErrNone = errors.New("no Chromium was found: install chromium or google-chrome, " +
	"set PADDOCK_CHROMIUM to its path, or run `go run ./localstack/browser/find` as root")

// Variable names the environment variable that points to a Chromium.
const Variable = "PADDOCK_CHROMIUM"

// names lists the programs that are Chromium, as packages name them.
func names() []string {
	return []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}
}

// Find returns the path of a Chromium that answers: the one that the
// environment variable names, else the first on the path. A variable that names
// no working program is an error of its own, not a reason to take another.
func Find(ctx context.Context, getenv func(string) string) (string, error) {
	if named := getenv(Variable); named != "" {
		if err := answers(ctx, named); err != nil {
			return "", fmt.Errorf("%s=%s: %w", Variable, named, err)
		}
		return named, nil
	}
	for _, name := range names() {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if answers(ctx, path) == nil {
			return path, nil
		}
	}
	return "", ErrNone
}

var errNotChromium = errors.New("this program is no Chromium")

func answers(ctx context.Context, path string) error {
	version, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return err
	}
	if !strings.Contains(string(version), "Chrom") {
		return errNotChromium
	}
	return nil
}
