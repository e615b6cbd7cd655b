package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"paddock/localstack/engine"
	"paddock/localstack/environment"
	"paddock/localstack/internal/build"
	"paddock/localstack/internal/pki"
	"paddock/localstack/internal/toolchain"
)

// up brings the local environment to what the checkout says: it may be called
// at any time, also while it runs.
func up(ctx context.Context, b bench, _ []string) error {
	plain, secure, err := b.ports()
	if err != nil {
		return err
	}
	if err := errors.Join(b.freePorts(plain, secure), b.oneEngine()); err != nil {
		return err
	}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	template, programs, err := b.build(ctx)
	if err != nil {
		return err
	}
	e, err := b.ensureEngine(ctx)
	if err != nil {
		return err
	}
	env, err := b.environment(e, plain, secure)
	if err != nil {
		return err
	}
	if err := environment.Save(b.root, env); err != nil { // now: `down` finds the engine by it, whatever fails next
		return err
	}
	var outputs engine.Outputs
	if err := b.step("Deploying the stack", func() error {
		outputs, err = e.Deploy(ctx, b.deployment(template, programs, env))
		return err
	}); err != nil {
		return err
	}
	if env.APIID = outputs["ApiId"]; env.APIID == "" {
		return errors.New("the stack has no output ApiId; run `make synth` and look at infra's outputs")
	}
	if err := environment.Save(b.root, env); err != nil {
		return err
	}
	if err := b.step("Starting the front", func() error { return b.restartFront(ctx, env) }); err != nil {
		return err
	}
	if err := b.step("Preparing the demo", func() error { env, err = seed(ctx, b, e, env); return err }); err != nil {
		return err
	}
	if err := environment.Save(b.root, env); err != nil {
		return err
	}
	b.greet(env)
	return nil
}

// build compiles console and functions for this machine and returns the template
// that names them, and the folder they are in.
func (b bench) build(ctx context.Context) (template []byte, programs string, err error) {
	template, err = os.ReadFile(b.templateFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", errors.New("infra/testdata/template.golden.json is missing; run `make synth`")
	}
	if err != nil {
		return nil, "", err
	}
	target := build.ForEngine(b.root)
	if b.elsewhere() != "" {
		target.OS = "linux" // the container's
	}
	return template, target.Folder, b.compile(ctx, template, target)
}

// compile builds the console, which its function embeds, then the functions.
func (b bench) compile(ctx context.Context, template []byte, target build.Target) error {
	names, err := engine.Functions(template)
	if err != nil {
		return err
	}
	if err := b.step("Building the console", func() error { return build.Console(ctx, b.root) }); err != nil {
		return err
	}
	return b.step("Building the functions", func() error { return build.Functions(ctx, target, names) })
}

// tools prepares the machine and installs what only tests need.
func tools(ctx context.Context, b bench, _ []string) error {
	if err := b.prepare(ctx); err != nil {
		return err
	}
	return b.install(ctx, toolchain.Tester)
}

// prepare checks the machine and installs the pinned engine when the lock changed.
func (b bench) prepare(ctx context.Context) error {
	if err := b.checkMachine(ctx); err != nil {
		return err
	}
	if err := os.MkdirAll(b.folder(), 0o755); err != nil {
		return err
	}
	return b.step("Making certificates", func() error {
		_, err := pki.Ensure(b.local("tls"), b.now())
		return err
	})
}

// environment is the new dev.json: what stays of the old one is the demo.
func (b bench) environment(e *engine.Engine, plain, secure int) (environment.Environment, error) {
	env, err := environment.Load(b.root)
	if err != nil && !errors.Is(err, environment.ErrNone) {
		return environment.Environment{}, err
	}
	env.BaseURL = fmt.Sprintf("http://localhost:%d", plain)
	env.TLSURL = fmt.Sprintf("https://localhost:%d", secure)
	env.EngineURL, env.CAFile, env.Elsewhere = e.URL, e.CAFile, b.elsewhere() != ""
	env.Region, env.AccessKey, env.SecretKey = engine.Region, engine.RootKey, engine.RootKey
	if env.Workspace.Slug == "" {
		env.Workspace.Slug = demoWorkspace
	}
	return env, nil
}

func (b bench) deployment(template []byte, programs string, env environment.Environment) engine.Deployment {
	return engine.Deployment{
		Stack: stackName, Template: template, Programs: programs,
		Parameters: map[string]string{"Architecture": engine.Architecture(), "StrictConditions": "false", "SmsSender": "Paddock"},
		Variables: map[string]string{
			"AWS_ENDPOINT_URL":   env.EngineURL,
			"AWS_CA_BUNDLE":      env.CAFile,
			"PADDOCK_CLOCK_FILE": b.clockFile(),
		},
		Replaced: map[string]string{
			"PADDOCK_BASE_URLS":         env.BaseURL + "," + env.TLSURL,
			"PADDOCK_DEFAULT_WORKSPACE": demoWorkspace,
		},
	}
}

// greet says where it is, how to sign in, and what to try next.
func (b bench) greet(env environment.Environment) {
	fmt.Fprintf(b.out, "\nPaddock runs at %s (and %s, authority %s).\n", env.BaseURL, env.TLSURL, pki.In(b.local("tls")).CA)
	for _, account := range env.Accounts {
		fmt.Fprintf(b.out, "  %-10s %s  password %s\n", account.Role, account.Email, account.Password)
	}
	fmt.Fprint(b.out, "Next:\n")
	if len(env.Accounts) > 0 {
		fmt.Fprintf(b.out, "  make otp USER=%s    the one-time code of that account\n", env.Accounts[0].Username)
	}
	fmt.Fprint(b.out, "  make demo              the whole journey, step by step\n"+
		"  make mail | make logs  what was sent, what the functions said\n"+
		"  make down              stop; everything is kept\n")
}
