package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"paddock/localstack/engine"
	"paddock/localstack/environment"
	"paddock/localstack/internal/process"
)

// down stops the front and the engine of this checkout and nothing else: an
// engine that it did not start goes on.
func down(ctx context.Context, b bench, _ []string) error {
	if err := b.stopFront(ctx); err != nil {
		return err
	}
	running, err := b.runningEngine()
	if err != nil {
		return err
	}
	if running == nil {
		if env, err := environment.Load(b.root); err == nil && env.Elsewhere {
			fmt.Fprintf(b.out, "The front is stopped. The engine at %s was not started here and goes on.\n", env.EngineURL)
		} else {
			fmt.Fprintln(b.out, "The engine is not running.")
		}
		return b.endOrphans(ctx)
	}
	if err := b.step("Stopping the engine, saving state", running.Stop); err != nil {
		return err
	}
	if err := b.endOrphans(ctx); err != nil {
		return err
	}
	if _, err := os.Stat(engine.Marker(b.folder())); !errors.Is(err, fs.ErrNotExist) {
		return errors.New("the engine ended without saving its state; the next `make up` will start afresh. See .local/engine.log")
	}
	return nil
}

// reset stops everything and forgets the state, the demo and the clock. The
// installed engine and the certificates stay.
func reset(ctx context.Context, b bench, _ []string) error {
	if err := down(ctx, b, nil); err != nil {
		fmt.Fprintln(b.out, err) // it is forgotten all the same
	}
	if pid, err := process.ReadID(engine.Marker(b.folder())); err != nil {
		return err
	} else if process.Runs(pid, b.launcher()) {
		return fmt.Errorf("the engine (process %d) does not end, so its state cannot be forgotten", pid)
	}
	if env, err := environment.Load(b.root); err == nil && env.Elsewhere {
		fmt.Fprintf(b.out, "What was made in the engine at %s stays there.\n", env.EngineURL)
	}
	if err := b.forget(); err != nil {
		return err
	}
	for _, file := range []string{engine.Marker(b.folder()), environment.File(b.root)} {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	fmt.Fprintln(b.out, "Forgotten. `make up` starts with an empty environment.")
	return nil
}
