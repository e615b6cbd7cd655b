package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"paddock/localstack/engine"
	"paddock/localstack/environment"
	"paddock/localstack/front"
	"paddock/localstack/internal/pki"
	"paddock/localstack/internal/process"
)

const frontWithin = 10 * time.Second

// freePorts fails with a sentence when another program has the front's ports.
func (b bench) freePorts(plain, secure int) error {
	pid, err := process.ReadID(b.frontID())
	if err != nil {
		return err
	}
	ours := process.Runs(pid, b.local("tls"))
	env, err := environment.Load(b.root)
	if err != nil && !errors.Is(err, environment.ErrNone) {
		return err
	}
	for _, want := range []struct {
		variable string
		port     int
		held     string // address that our own front serves now
	}{{"PORT", plain, env.BaseURL}, {"TLS_PORT", secure, env.TLSURL}} {
		if ours && portOf(want.held) == want.port || !process.PortTaken(want.port) {
			continue
		}
		return fmt.Errorf("port %d is in use by another program; choose another one: make up %s=%d",
			want.port, want.variable, want.port+1)
	}
	return nil
}

// restartFront starts the front as a process of its own, for the API and ports
// of env, in place of the one that runs.
func (b bench) restartFront(ctx context.Context, env environment.Environment) error {
	if err := b.stopFront(ctx); err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(b.local("front.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	plain, secure := portOf(env.BaseURL), portOf(env.TLSURL)
	cmd := exec.Command(program, "front", "-target", env.EngineURL+"/_aws/execute-api/"+env.APIID+"/$default",
		"-port", strconv.Itoa(plain), "-tls-port", strconv.Itoa(secure), "-certificates", b.local("tls"), "-authority", env.CAFile)
	cmd.Dir, cmd.Stdout, cmd.Stderr = b.root, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // lasts as long as the front or this program
	if err := process.WriteID(b.frontID(), cmd.Process.Pid); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, frontWithin)
	defer cancel()
	err = process.Until(ctx, func() bool {
		return len(ended) > 0 || process.Listening(plain) && process.Listening(secure)
	})
	if err == nil && len(ended) > 0 {
		err = fmt.Errorf("it ended at once: %s", b.lastFrontLine())
	}
	if err != nil {
		return fmt.Errorf("the front did not come up, see .local/front.log: %w", err)
	}
	return nil
}

// lastFrontLine returns the last line of the front's log, which names a port
// that another program took meanwhile.
func (b bench) lastFrontLine() string {
	text, err := os.ReadFile(b.local("front.log"))
	if err != nil {
		return err.Error()
	}
	text = bytes.TrimRight(text, "\n")
	return string(text[bytes.LastIndexByte(text, '\n')+1:])
}

func (b bench) stopFront(ctx context.Context) error {
	pid, err := process.ReadID(b.frontID())
	if err != nil {
		return err
	}
	if process.Runs(pid, b.local("tls")) {
		ctx, cancel := context.WithTimeout(ctx, frontWithin)
		defer cancel()
		if err := process.Terminate(ctx, pid); err != nil {
			return err
		}
	}
	if err := os.Remove(b.frontID()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// serveFront is the front's own process; `up` starts it.
func serveFront(ctx context.Context, b bench, arguments []string) error {
	flags := flag.NewFlagSet("front", flag.ContinueOnError)
	address := flags.String("target", "", "address of the HTTP API's stage in the engine")
	plain := flags.Int("port", defaultPort, "port for http")
	secure := flags.Int("tls-port", defaultTLSPort, "port for https")
	certificates := flags.String("certificates", b.local("tls"), "folder with the server certificate")
	authority := flags.String("authority", pki.In(b.local("tls")).CA, "authority of the engine's certificate")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	target, err := url.Parse(*address)
	if err != nil || target.Host == "" {
		return fmt.Errorf("-target %q is no address", *address)
	}
	files := pki.In(*certificates)
	pool, err := pki.Pool(*authority)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		MaxIdleConnsPerHost: engine.Concurrency * 8,
		DisableCompression:  true,
	}
	return front.Serve(ctx, front.Config{
		Port: *plain, TLSPort: *secure, CertFile: files.Chain, KeyFile: files.Key,
		Handler: front.Handler(target, transport, log), Log: log,
	})
}
