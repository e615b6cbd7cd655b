// Package world runs every entry of Paddock in one process, built by wiring as
// the functions build them, against a private engine that holds the tables,
// keys, queues and roles of the committed template, with IAM enforced. Its
// clock stands still until a test moves it, streams and queues deliver when a
// test says so, and every call of the AWS SDK is numbered, so that a test can
// let any one of them fail.
package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"

	"paddock/localstack/engine"
	"paddock/shared/lambdaio"
	"paddock/shared/table"
	"paddock/shared/wiring"
	"paddock/shared/wiring/archiving"
	"paddock/shared/wiring/posting"
	"paddock/shared/wiring/provisioning"
	"paddock/shared/wiring/relaying"
	"paddock/shared/wiring/serving"
	"paddock/shared/wiring/signingin"
)

// Base is the base URL of the deployment in a world.
const Base = "https://paddock.test"

// A Clock stands still until it is moved.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// Now returns the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Advance moves the clock.
func (c *Clock) Advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(by)
}

// Set moves the clock to a time, which may be an earlier one.
func (c *Clock) Set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// A World is an engine with the deployed template.
type World struct {
	Engine *engine.Engine
	Clock  *Clock
	// Environment is what each function finds in its environment.
	Environment map[string]map[string]string

	// Outgoing makes the functions' connections to services that a test stands
	// for; nil: as they make them.
	Outgoing http.RoundTripper

	// Log is what the functions logged.
	Log *Log

	credentials map[string]aws.CredentialsProvider
	mu          sync.Mutex
	recorders   []*Recorder
	inspector   *table.Store
}

// tickets returns everything that was put on queues.
func (w *World) tickets() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, r := range w.recorders {
		out = append(out, r.tickets()...)
	}
	return out
}

// entries are the functions that a world builds; the console holds no rights.
var entries = []string{"signin", "api", "provision", "relay", "archive", "tasks"} //nolint:gochecknoglobals // a list

// Start deploys the committed template, without what would deliver by itself,
// to a private engine, and assumes the role of each function.
func Start(ctx context.Context) (*World, error) {
	root, err := engine.FindRoot()
	if err != nil {
		return nil, err
	}
	template, err := os.ReadFile(filepath.Join(root, "infra", "testdata", "template.golden.json"))
	if err != nil {
		return nil, err
	}
	e, err := engine.Start(ctx, engine.Config{Root: root})
	if err != nil {
		return nil, err
	}
	w := &World{Engine: e, Clock: &Clock{at: time.Now().UTC().Truncate(time.Millisecond)}, Environment: map[string]map[string]string{}, Log: &Log{}, credentials: map[string]aws.CredentialsProvider{}}
	w.Log.Capture()
	if err := w.deploy(ctx, template); err != nil {
		return nil, errors.Join(err, e.Stop())
	}
	return w, nil
}

// Attach returns a World over an engine to which something else has deployed
// the template and where the functions run as processes. It is for inspection;
// its clock shows now.
func Attach(ctx context.Context, e *engine.Engine, now time.Time) (*World, error) {
	w := &World{Engine: e, Clock: &Clock{at: now.UTC()}, Environment: map[string]map[string]string{}, Log: &Log{}, credentials: map[string]aws.CredentialsProvider{}}
	return w, w.learnAll(ctx)
}

// Stop ends the engine.
func (w *World) Stop() error { return w.Engine.Stop() }

func (w *World) deploy(ctx context.Context, template []byte) error {
	names, err := engine.Functions(template)
	if err != nil {
		return err
	}
	programs := filepath.Join(w.Engine.Folder, "programs")
	for _, name := range names {
		if err := os.MkdirAll(filepath.Join(programs, name), 0o755); err != nil {
			return err
		}
		// Nothing invokes these functions: the entries run in this process.
		if err := os.WriteFile(filepath.Join(programs, name, "bootstrap"), []byte("#!/bin/false\n"), 0o755); err != nil { //nolint:gosec // a program
			return err
		}
	}
	quiet, err := without(template, "AWS::Lambda::EventSourceMapping", "AWS::Scheduler::Schedule")
	if err != nil {
		return err
	}
	_, err = w.Engine.Deploy(ctx, engine.Deployment{
		Stack: "paddock", Template: quiet, Programs: programs,
		Parameters: map[string]string{"Architecture": engine.Architecture(), "StrictConditions": "false", "SmsSender": "Paddock", "VoiceOrigin": voiceOrigin},
		Replaced:   map[string]string{"PADDOCK_BASE_URLS": Base},
	})
	if err != nil {
		return err
	}
	return w.learnAll(ctx)
}

func (w *World) learnAll(ctx context.Context) error {
	for _, name := range entries {
		if err := w.learn(ctx, name); err != nil {
			return fmt.Errorf("function %s: %w", name, err)
		}
	}
	return nil
}

// learn reads a function's environment and assumes its role.
func (w *World) learn(ctx context.Context, name string) error {
	function := "paddock-" + name
	out, err := lambda.NewFromConfig(w.Engine.AWSConfig()).GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &function})
	if err != nil {
		return err
	}
	w.Environment[name] = map[string]string{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": fmt.Sprint(aws.ToInt32(out.MemorySize))}
	if out.Environment != nil {
		maps.Copy(w.Environment[name], out.Environment.Variables)
	}
	assumed, err := sts.NewFromConfig(w.Engine.AWSConfig()).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: out.Role, RoleSessionName: aws.String("world")})
	if err != nil {
		return err
	}
	c := assumed.Credentials
	w.credentials[name] = credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	return nil
}

// without returns the template without the resources of these types.
func without(template []byte, types ...string) ([]byte, error) {
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(template, &whole); err != nil {
		return nil, err
	}
	var resources map[string]json.RawMessage
	if err := json.Unmarshal(whole["Resources"], &resources); err != nil {
		return nil, err
	}
	removed := 0
	for name, text := range resources {
		var r struct{ Type string }
		if err := json.Unmarshal(text, &r); err != nil {
			return nil, err
		}
		if slices.Contains(types, r.Type) {
			delete(resources, name)
			removed++
		}
	}
	if removed == 0 {
		return nil, errors.New("world: the template delivers nothing by itself")
	}
	var err error
	if whole["Resources"], err = json.Marshal(resources); err != nil {
		return nil, err
	}
	return json.Marshal(whole)
}

// Entries are the functions, cold: nothing is in their memory yet.
type Entries struct {
	Recorder *Recorder

	handlers map[string]handler
}

// A handler takes and answers JSON, as the Lambda runtime hands it over.
type handler func(ctx context.Context, event []byte) ([]byte, error)

// handlerOf turns an entry into a handler.
func handlerOf[In, Out any](h func(context.Context, In) (Out, error)) handler {
	return func(ctx context.Context, event []byte) ([]byte, error) {
		var in In
		if err := json.Unmarshal(event, &in); err != nil {
			return nil, err
		}
		out, err := h(ctx, in)
		if err != nil {
			return nil, err
		}
		return json.Marshal(out)
	}
}

// Config returns the configuration of a function, as it reads it itself, whose
// SDK calls r sees.
func (w *World) Config(name string, r *Recorder) (wiring.Config, error) {
	c, err := wiring.From(func(variable string) string { return w.Environment[name][variable] })
	if err != nil {
		return wiring.Config{}, err
	}
	c.Now, c.Outgoing, c.Calls = w.Clock.Now, w.Outgoing, calls{}
	c.AWS = w.Engine.WithCredentials(w.credentials[name])
	c.AWS.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = 3, 20*time.Millisecond })
	}
	c.AWS.APIOptions = append(c.AWS.APIOptions, func(stack *middleware.Stack) error { return r.attach(name, stack) })
	return c, nil
}

// Entries builds all functions anew.
func (w *World) Entries(r *Recorder) (*Entries, error) {
	w.mu.Lock()
	w.recorders = append(w.recorders, r)
	w.mu.Unlock()
	out := &Entries{Recorder: r, handlers: map[string]handler{}}
	build := map[string]func(wiring.Config) (handler, error){
		"signin": func(c wiring.Config) (handler, error) {
			h, err := signingin.New(c)
			return handlerOf(lambdaio.HTTP(h)), err
		},
		"api": func(c wiring.Config) (handler, error) {
			h, err := serving.New(c)
			return handlerOf(lambdaio.HTTP(h)), err
		},
		"provision": func(c wiring.Config) (handler, error) {
			s, err := provisioning.New(c)
			if err != nil {
				return nil, err
			}
			return handlerOf(lambdaio.Invoked(s.Create)), nil
		},
		"relay": func(c wiring.Config) (handler, error) {
			return handlerOf(lambdaio.Stream(relaying.New(c).Deliver)), nil
		},
		"archive": func(c wiring.Config) (handler, error) {
			a, err := archiving.New(c)
			if err != nil {
				return nil, err
			}
			return handlerOf(lambdaio.StreamOrSweep(a.Deliver, a.Sweep)), nil
		},
		"tasks": func(c wiring.Config) (handler, error) {
			p, err := posting.New(c)
			if err != nil {
				return nil, err
			}
			return handlerOf(lambdaio.QueueOrSweep(p.Deliver, p.Sweep)), nil
		},
	}
	for _, name := range entries {
		c, err := w.Config(name, r)
		if err != nil {
			return nil, err
		}
		if out.handlers[name], err = build[name](c); err != nil {
			return nil, fmt.Errorf("build %s: %w", name, err)
		}
	}
	return out, nil
}

// Invoke hands an event to a function.
func (e *Entries) Invoke(ctx context.Context, name string, event any) ([]byte, error) {
	h := e.handlers[name]
	if h == nil {
		return nil, fmt.Errorf("world: no function %q", name)
	}
	text, err := json.Marshal(event)
	if err != nil {
		return nil, err
	}
	return h(ctx, text)
}

// Origin returns the origin of a workspace.
func Origin(slug string) string { return strings.Replace(Base, "://", "://"+slug+".", 1) }
