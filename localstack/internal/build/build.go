// Package build compiles the functions as they run on Lambda: one static
// program `bootstrap` for each.
package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
)

// A Target says for which machine, with which tags, and where to.
type Target struct {
	Root   string // repository
	Folder string // receives <function>/bootstrap
	OS     string // as GOOS
	Arch   string // as GOARCH
	Tags   string // comma list
}

// ForLambda is the target for AWS; arch is amd64 or arm64.
func ForLambda(root, arch string) Target {
	return Target{Root: root, Folder: filepath.Join(root, "build"), OS: "linux", Arch: arch, Tags: "lambda.norpc"}
}

// ForEngine is the target for the local engine, which runs functions as
// processes of this machine. The tag `local` adds the endpoint, authority and
// clock settings that a program for AWS does not have.
func ForEngine(root string) Target {
	return Target{
		Root: root, Folder: filepath.Join(root, "build", "local"),
		OS: runtime.GOOS, Arch: runtime.GOARCH, Tags: "lambda.norpc,local",
	}
}

// Functions compiles the named functions, as many at once as the machine has
// processors. What is up to date is left alone. All failures are reported.
func Functions(ctx context.Context, target Target, names []string) error {
	var (
		all  sync.WaitGroup
		slot = make(chan struct{}, runtime.NumCPU())
		errs = make([]error, len(names))
	)
	for i, name := range names {
		all.Go(func() {
			slot <- struct{}{}
			defer func() { <-slot }()
			errs[i] = target.compile(ctx, name)
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func (t Target) compile(ctx context.Context, name string) error {
	source := filepath.Join("functions", name)
	if _, err := os.Stat(filepath.Join(t.Root, source)); err != nil {
		return fmt.Errorf("build %s: %w", name, err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-tags="+t.Tags,
		"-o", filepath.Join(t.Folder, name, "bootstrap"), "./"+filepath.ToSlash(source))
	cmd.Dir = t.Root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+t.OS, "GOARCH="+t.Arch)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return nil
}
