package main

import (
	"fmt"
	"path/filepath"
	"strconv"
)

// Ports of the front unless PORT and TLS_PORT say otherwise.
const (
	defaultPort    = 8080
	defaultTLSPort = 8443
)

// Name of the CloudFormation stack and of the workspace that answers on
// localhost itself.
const (
	stackName     = "paddock"
	demoWorkspace = "demo"
)

// The variables that name an engine which somebody else runs, and the authority
// of its certificate when that is not this checkout's.
const (
	elsewhereVariable = "PADDOCK_ENGINE_URL"
	authorityVariable = "PADDOCK_ENGINE_CA"
)

func (b bench) local(name string) string { return filepath.Join(b.root, ".local", name) }

// folder holds the lasting engine's state, objects, log and marker.
func (b bench) folder() string { return filepath.Join(b.root, ".local") }

func (b bench) clockFile() string { return b.local("clock") }

func (b bench) frontID() string { return b.local("front.pid") }

func (b bench) templateFile() string {
	return filepath.Join(b.root, "infra", "testdata", "template.golden.json")
}

// ports returns the front's ports, http first.
func (b bench) ports() (plain, secure int, err error) {
	if plain, err = b.port("PORT", defaultPort); err != nil {
		return 0, 0, err
	}
	if secure, err = b.port("TLS_PORT", defaultTLSPort); err != nil {
		return 0, 0, err
	}
	if plain == secure {
		return 0, 0, fmt.Errorf("PORT and TLS_PORT are both %d; they must differ", plain)
	}
	return plain, secure, nil
}

func (b bench) port(variable string, otherwise int) (int, error) {
	text := b.getenv(variable)
	if text == "" {
		return otherwise, nil
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 {
		return 0, fmt.Errorf("%s=%s is not a port (1 to 65535)", variable, text)
	}
	return port, nil
}

// step does one part of a command and says how long it took.
func (b bench) step(title string, do func() error) error {
	fmt.Fprintf(b.out, "%-34s", title)
	began := b.now()
	if err := do(); err != nil {
		fmt.Fprintln(b.out, "failed")
		return err
	}
	fmt.Fprintf(b.out, "%6.1f s\n", b.now().Sub(began).Seconds())
	return nil
}
