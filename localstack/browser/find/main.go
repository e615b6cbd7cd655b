// Command find prints the path of the Chromium that the browser tests use. As
// root on a system with apt-get it installs one when there is none.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"paddock/localstack/browser"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	path, err := find(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(path)
}

func find(ctx context.Context) (string, error) {
	path, err := browser.Find(ctx, os.Getenv)
	if !errors.Is(err, browser.ErrNone) || os.Geteuid() != 0 {
		return path, err
	}
	if _, missing := exec.LookPath("apt-get"); missing != nil {
		return "", err
	}
	for _, arguments := range [][]string{{"update"}, {"install", "-y", "--no-install-recommends", "chromium"}} {
		cmd := exec.CommandContext(ctx, "apt-get", arguments...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return "", fmt.Errorf("apt-get %s: %w", arguments[0], err)
		}
	}
	return browser.Find(ctx, os.Getenv)
}
