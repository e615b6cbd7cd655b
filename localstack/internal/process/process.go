// Package process starts, watches and stops processes by their id. It never
// looks for a process by name alone: what it stops, this checkout started.
package process

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// How often a process or port is looked at while waiting for it.
const pollEvery = 20 * time.Millisecond

// Alive reports whether a process with this id exists and has not ended.
func Alive(pid int) bool {
	if pid <= 0 {
		return false
	}
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// Terminate asks the process to end and waits until it has, or ctx ends.
// A process that is already gone is no error.
func Terminate(ctx context.Context, pid int) error {
	if !Alive(pid) {
		return nil
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop process %d: %w", pid, err)
	}
	if err := Until(ctx, func() bool { return !Alive(pid) }); err != nil {
		return fmt.Errorf("stop process %d: it has not ended: %w", pid, err)
	}
	return nil
}

// Until waits for the stated condition, or for ctx to end.
func Until(ctx context.Context, holds func() bool) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// ReadID returns the process id in file, or 0 when there is no such file or it
// holds no id.
func ReadID(file string) (int, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 0 {
		return 0, nil //nolint:nilerr // a damaged file names no process
	}
	return pid, nil
}

// WriteID stores the process id in file.
func WriteID(file string, pid int) error {
	return os.WriteFile(file, []byte(strconv.Itoa(pid)+"\n"), 0o644)
}

// Ports that FreePort chooses from: below those that systems give to outgoing
// connections (Linux 32768, RFC 6335 49152), one of which would otherwise take
// the port before its owner listens.
const (
	firstPort = 20000
	portCount = 12000
	portTries = 100
)

// FreePort returns a TCP port on 127.0.0.1 that nobody listened on just now.
// Another process may take it before the caller does.
func FreePort() (int, error) {
	for range portTries {
		if port := firstPort + rand.IntN(portCount); !PortTaken(port) {
			return port, nil
		}
	}
	return 0, errors.New("no free port was found")
}

// PortTaken reports whether a program has the TCP port on 127.0.0.1. It has the
// port itself for an instant: whoever waits for a listener asks Listening.
func PortTaken(port int) bool {
	listener, err := net.Listen("tcp", local(port))
	if err != nil {
		return true
	}
	listener.Close()
	return false
}

// Listening reports whether something accepts connections to the TCP port on
// 127.0.0.1.
func Listening(port int) bool {
	conn, err := net.Dial("tcp", local(port))
	if err != nil {
		return false
	}
	_ = conn.Close() // nothing was sent
	return true
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
