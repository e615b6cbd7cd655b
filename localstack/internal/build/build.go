// Package build compiles the functions as they run on Lambda: one static
// program `bootstrap` for each.
package build

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
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

// Functions compiles the named functions. What is up to date is left alone. One
// go command builds all: reading the packages costs more than a check that
// nothing changed, and seven commands would do it seven times.
func Functions(ctx context.Context, target Target, names []string) error {
	var missing []error
	arguments := []string{
		"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-tags=" + target.Tags,
		"-o", target.programs() + string(filepath.Separator),
	}
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(target.Root, "functions", name)); err != nil {
			missing = append(missing, fmt.Errorf("build %s: %w", name, err))
		}
		arguments = append(arguments, "./functions/"+name)
	}
	if len(missing) > 0 {
		return errors.Join(missing...)
	}
	free, err := lock(filepath.Join(target.Folder, ".lock"))
	if err != nil {
		return fmt.Errorf("build functions: %w", err)
	}
	defer free()
	if err := os.MkdirAll(target.programs(), 0o755); err != nil {
		return fmt.Errorf("build functions: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", arguments...)
	cmd.Dir = target.Root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+target.OS, "GOARCH="+target.Arch)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build functions: %w\n%s", err, out)
	}
	for _, name := range names {
		if err := target.place(name); err != nil {
			return fmt.Errorf("build %s: %w", name, err)
		}
	}
	return nil
}

// programs is where the go command keeps the programs under their own names, to
// find them up to date the next time.
func (t Target) programs() string { return filepath.Join(t.Folder, ".programs") }

// lock waits until no other process holds the file: test suites build at the
// same time. The lock ends with the process, however it ends.
func lock(name string) (free func(), err error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, err
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() { file.Close() }, nil
}

// place gives the function's program the name that Lambda runs.
func (t Target) place(name string) error {
	built, err := os.Stat(filepath.Join(t.programs(), name))
	if err != nil {
		return err
	}
	bootstrap := filepath.Join(t.Folder, name, "bootstrap")
	if placed, err := os.Stat(bootstrap); err == nil && os.SameFile(built, placed) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(bootstrap), 0o755); err != nil {
		return err
	}
	fresh := bootstrap + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Link(filepath.Join(t.programs(), name), fresh); err != nil {
		return err
	}
	return os.Rename(fresh, bootstrap)
}
