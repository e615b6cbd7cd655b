package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"paddock/localstack/engine"
	"paddock/localstack/environment"
	"paddock/localstack/internal/process"
	"paddock/localstack/internal/toolchain"
)

// elsewhere returns the address of an engine that somebody else runs, such as
// the container of localstack/compose.yaml; "" when this checkout runs its own.
func (b bench) elsewhere() string { return strings.TrimSuffix(b.getenv(elsewhereVariable), "/") }

// oneEngine refuses to bring a demo of one engine to another: its accounts are
// not there.
func (b bench) oneEngine() error {
	if b.elsewhere() != "" {
		if pid, err := process.ReadID(engine.Marker(b.folder())); err != nil {
			return err
		} else if process.Runs(pid, b.launcher()) {
			return fmt.Errorf("this checkout's own engine runs; stop it before %s names another one: make down", elsewhereVariable)
		}
	}
	env, err := environment.Load(b.root)
	if errors.Is(err, environment.ErrNone) || err == nil && env.Workspace.ID == "" && len(env.Accounts) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	want := b.elsewhere()
	if env.Elsewhere == (want != "") && (want == "" || env.EngineURL == want) {
		return nil
	}
	where := "this checkout's own engine"
	if env.Elsewhere {
		where = "the engine at " + env.EngineURL
	}
	return fmt.Errorf("the demo in .local/dev.json is in %s; go on there, or `make reset` forgets it", where)
}

// findEngine returns the engine that somebody else runs.
func (b bench) findEngine(ctx context.Context) (*engine.Engine, error) {
	e, err := engine.Find(b.root, b.elsewhere(), b.getenv(authorityVariable))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", elsewhereVariable, err)
	}
	want, err := toolchain.EngineVersion(b.root)
	if err != nil {
		return nil, err
	}
	version, err := e.Version(ctx)
	if err != nil {
		return nil, fmt.Errorf("the engine that %s names does not answer: %w", elsewhereVariable, err)
	}
	if version != want {
		fmt.Fprintf(b.out, "The engine at %s is version %s; this checkout is tested with %s.\n", e.URL, version, want)
	}
	return e, b.ensureClock()
}
