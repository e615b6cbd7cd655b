// Command dev is the local environment behind the Makefile: it starts, fills,
// shows and stops it. Everything it makes lies in .local and build/local.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"paddock/localstack/engine"
)

// A bench is what every command works with.
type bench struct {
	root   string
	out    io.Writer
	now    func() time.Time
	getenv func(string) string
}

// A command is one word of the command line.
type command struct {
	name string
	run  func(ctx context.Context, b bench, arguments []string) error
}

func commands() []command {
	return []command{
		{"up", up},
		{"down", down},
		{"reset", reset},
		{"tools", tools},
		{"build", buildForLambda},
		{"clock", clock},
		{"otp", otp},
		{"mail", mail},
		{"logs", logs},
		{"front", serveFront},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	if len(arguments) == 0 {
		return errors.New("which command? see `make help`")
	}
	root, err := engine.FindRoot()
	if err != nil {
		return err
	}
	b := bench{root: root, out: os.Stdout, now: time.Now, getenv: os.Getenv}
	for _, command := range commands() {
		if command.name == arguments[0] {
			return command.run(ctx, b, arguments[1:])
		}
	}
	return fmt.Errorf("there is no command %q; see `make help`", arguments[0])
}
