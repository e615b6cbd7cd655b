package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"paddock/localstack/engine"
	"paddock/localstack/environment"
	"paddock/localstack/internal/process"
	"paddock/localstack/internal/toolchain"
)

// How long a process left over from an unclean stop may take to end.
const orphanWithin = 5 * time.Second

// launcher is the part of the engine's command line that shows it is ours.
func (b bench) launcher() string { return filepath.Join(b.root, "localstack", "engine.py") }

func (b bench) checkMachine(ctx context.Context) error {
	if b.elsewhere() != "" {
		return b.step("Checking Go, Node.js", func() error { return toolchain.Check(ctx, toolchain.BuildTools()) })
	}
	err := b.step("Checking Go, Node.js, Python", func() error { return toolchain.Check(ctx, toolchain.Tools()) })
	if err != nil {
		return err
	}
	return b.install(ctx, toolchain.Engine)
}

// install installs packages when their lock changed.
func (b bench) install(ctx context.Context, p toolchain.Packages) error {
	installed, err := p.Installed(b.root)
	if err != nil || installed {
		return err
	}
	return b.step("Installing "+p.What+" (once)", func() error { return p.Install(ctx, b.root) })
}

// ensureEngine returns the engine that somebody else runs when one is named,
// else that of this checkout, started when it is not running. After an unclean
// stop it says so and starts afresh.
func (b bench) ensureEngine(ctx context.Context) (*engine.Engine, error) {
	if b.elsewhere() != "" {
		return b.findEngine(ctx)
	}
	want, err := toolchain.EngineVersion(b.root)
	if err != nil {
		return nil, err
	}
	running, err := b.runningEngine()
	if err != nil {
		return nil, err
	}
	if running != nil {
		return running, b.checkRunning(ctx, running, want)
	}
	if err := b.clearUncleanStop(ctx); err != nil {
		return nil, err
	}
	if err := b.checkSaved(want); err != nil {
		return nil, err
	}
	var e *engine.Engine
	err = b.step("Starting the engine", func() error {
		e, err = engine.Start(ctx, engine.Config{
			Root: b.root, Folder: b.folder(), Port: b.rememberedPort(), Lasting: true, LogLevel: "INFO", Now: b.now,
		})
		if err != nil {
			return err
		}
		return errors.Join(os.WriteFile(b.local("engine.version"), []byte(want+"\n"), 0o644), b.ensureClock())
	})
	return e, err
}

// runningEngine returns the engine that this checkout started and that still
// runs, nil when there is none.
func (b bench) runningEngine() (*engine.Engine, error) {
	pid, err := process.ReadID(engine.Marker(b.folder()))
	if err != nil || !process.Runs(pid, b.launcher()) {
		return nil, err
	}
	return engine.Attach(b.root, b.folder(), portOf(b.savedURL()))
}

func (b bench) checkRunning(ctx context.Context, e *engine.Engine, want string) error {
	version, err := e.Version(ctx)
	if err != nil {
		return fmt.Errorf("the engine (process %d) runs but does not answer; run `make down`, then `make up`: %w", e.PID, err)
	}
	if version != want {
		return fmt.Errorf("the running engine is version %s, this checkout pins %s; run `make down`, then `make up`", version, want)
	}
	return nil
}

// checkSaved refuses state that another version of the engine wrote.
func (b bench) checkSaved(want string) error {
	saved, err := os.ReadFile(b.local("engine.version"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if version := strings.TrimSpace(string(saved)); version != want {
		return fmt.Errorf("the saved state is of engine %s, this checkout pins %s; `make reset` forgets it", version, want)
	}
	return nil
}

// clearUncleanStop deletes tables and objects together when the engine ended
// without saving: objects are kept as they are written, tables only at a clean
// stop, so one without the other would disagree.
func (b bench) clearUncleanStop(ctx context.Context) error {
	marker := engine.Marker(b.folder())
	if _, err := os.Stat(marker); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	fmt.Fprintln(b.out, "The engine was not stopped cleanly, so its tables were not saved. "+
		"Starting afresh: tables and objects are deleted together.")
	if err := b.endOrphans(ctx); err != nil {
		return err
	}
	if err := b.forget(); err != nil {
		return err
	}
	return os.Remove(marker)
}

// forget deletes state and objects, and what dev.json says of them; the
// engine's port stays remembered.
func (b bench) forget() error {
	for _, name := range []string{"state", "s3", "tmp", "engine.log", "engine.version", "front.log", "clock"} {
		if err := os.RemoveAll(b.local(name)); err != nil {
			return err
		}
	}
	env, err := environment.Load(b.root)
	if errors.Is(err, environment.ErrNone) {
		return nil
	}
	if err != nil {
		return os.Remove(environment.File(b.root))
	}
	return environment.Save(b.root, environment.Environment{EngineURL: env.EngineURL})
}

// endOrphans ends function processes that the engine of this checkout left.
func (b bench) endOrphans(ctx context.Context) error {
	programs := engine.Programs(b.folder())
	ctx, cancel := context.WithTimeout(ctx, orphanWithin)
	defer cancel()
	var errs []error
	for _, pid := range process.Under(programs) {
		errs = append(errs, process.Terminate(ctx, pid))
	}
	return errors.Join(errs...)
}

func (b bench) savedURL() string {
	env, err := environment.Load(b.root)
	if err != nil {
		return "" // as if none were remembered
	}
	return env.EngineURL
}

// rememberedPort returns the port of the last time when it is still free, else
// 0, which lets the engine choose one.
func (b bench) rememberedPort() int {
	port := portOf(b.savedURL())
	if port == 0 || process.PortTaken(port) {
		return 0
	}
	return port
}

func portOf(address string) int {
	parsed, err := url.Parse(address)
	if err != nil {
		return 0
	}
	port, err := strconv.Atoi(parsed.Port())
	if err != nil {
		return 0
	}
	return port
}
