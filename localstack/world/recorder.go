package world

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// A Mode is how a call of the SDK fails.
type Mode uint8

// The modes.
const (
	// Unapplied calls fail before anything is sent.
	Unapplied Mode = iota + 1
	// Lost calls are carried out, but their caller is told that they failed.
	Lost
	// Repeated calls are carried out, their answer is lost on the way, and the
	// SDK sends them again.
	Repeated
)

// String says what the mode does.
func (m Mode) String() string {
	switch m {
	case Unapplied:
		return "unapplied"
	case Lost:
		return "applied but reported as failed"
	case Repeated:
		return "applied and sent again"
	}
	return "not at all"
}

// A Call is one call of the AWS SDK.
type Call struct {
	N         int    // counted from 1
	Function  string // whose role it is made with
	Service   string
	Operation string
	Input     any
	Err       error
	Applied   bool   // carried out, whatever the caller was told
	Guard     bool   // made by the guard, before the handler
	Place     string // where in the functions' code it is made: the lines that lead to it
	Faulted   bool
	Began     time.Time
	Ended     time.Time
}

// String names the call for messages of tests.
func (c Call) String() string {
	return fmt.Sprintf("call %d: %s %s:%s", c.N, c.Function, c.Service, c.Operation)
}

// reads are the calls that change nothing.
var reads = []string{"BatchGetItem", "GetItem", "Query", "Decrypt", "GetObject", "HeadObject", "GetPublicKey", "Sign"} //nolint:gochecknoglobals // a list

// Modes returns the ways in which a call can fail. A call that changes nothing
// fails alike whether or not it was carried out.
func (c Call) Modes() []Mode {
	if slices.Contains(reads, c.Operation) {
		return []Mode{Unapplied}
	}
	return []Mode{Unapplied, Lost, Repeated}
}

// A Recorder sees every call of the SDK in the functions of one Entries, and
// lets one of them fail.
type Recorder struct {
	// Fault is the number of the call that fails, 0 for none; FaultOf names it
	// by what it is instead, and the first such call fails. Mode says how.
	Fault   int
	FaultOf func(Call) bool
	Mode    Mode
	// Before runs before a call, outside of any lock.
	Before func(Call)

	mu           sync.Mutex
	calls        []Call
	faulted      *Call
	acknowledged []Acknowledged
	attempts     map[string][]string
}

// Acknowledged is a change that a client was told of.
type Acknowledged struct {
	Method, Path string
	// Attempts are the ids of this request and of equal ones before it that
	// failed: one of them may have been carried out, so that this one had
	// nothing left to change.
	Attempts []string
}

// Acknowledged returns the changes that clients were told of. Setting up a
// method is none until it is confirmed, looking at an invitation or a device
// login is none, a challenge that names nobody is none, a preview is none, and a device login is
// none until it is approved.
func (r *Recorder) Acknowledged() []Acknowledged {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Acknowledged(nil), r.acknowledged...)
}

// changeless are the paths to which a POST is no change.
var changeless = []string{ //nolint:gochecknoglobals // a list
	"/api/auth/passkey/challenges/", "/api/workspaces/security/-/preview/",
	"/api/auth/mfa/requests/lookup/", "/api/auth/mfa/factors/", "/api/auth/invitations/view/", "/api/auth/device/lookup/", "/oauth/device/code/",
}

func (r *Recorder) answered(method, path, body, requestID string, status int) {
	if method == "GET" || slices.Contains(changeless, path) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.attempts == nil {
		r.attempts = map[string][]string{}
	}
	key := method + " " + path + " " + body
	r.attempts[key] = append(r.attempts[key], requestID)
	if status < 300 {
		r.acknowledged = append(r.acknowledged, Acknowledged{method, path, r.attempts[key]})
	}
	if status < 500 {
		delete(r.attempts, key)
	}
}

var errLost = errors.New("world: the connection was lost")

// attach adds the recorder to the client of a function.
func (r *Recorder) attach(function string, stack *middleware.Stack) error {
	err := stack.Initialize.Add(middleware.InitializeMiddlewareFunc("paddock.record", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		return r.initialize(ctx, function, in, next)
	}), middleware.After)
	if err != nil {
		return err
	}
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("paddock.repeat", r.attempt), "Retry", middleware.After)
}

type callKey struct{}

func (r *Recorder) initialize(ctx context.Context, function string, in middleware.InitializeInput, next middleware.InitializeHandler) (out middleware.InitializeOutput, meta middleware.Metadata, err error) {
	place, guard := made()
	call := Call{
		Function: function, Service: awsmiddleware.GetServiceID(ctx), Operation: awsmiddleware.GetOperationName(ctx),
		Input: in.Parameters, Guard: guard, Place: place, Began: time.Now(),
	}
	r.mu.Lock()
	r.calls = append(r.calls, call)
	at := len(r.calls) - 1
	call.N = at + 1
	r.calls[at].N = call.N
	fault := r.Fault == call.N || r.FaultOf != nil && r.faulted == nil && r.FaultOf(call)
	mode := r.Mode
	r.calls[at].Faulted = fault
	if fault {
		r.faulted = &call
	}
	before := r.Before
	r.mu.Unlock()
	if before != nil {
		before(call)
	}
	lost := &smithy.OperationError{ServiceID: call.Service, OperationName: call.Operation, Err: errLost}
	if fault && mode == Unapplied {
		err = lost
	} else {
		once := fault && mode == Repeated
		out, meta, err = next.HandleInitialize(context.WithValue(ctx, callKey{}, &once), in)
		r.mu.Lock()
		// What was carried out and sent again may be refused the second time.
		r.calls[at].Applied = err == nil || fault && mode == Repeated && !once
		r.mu.Unlock()
		if err == nil && fault && mode == Lost {
			out, err = middleware.InitializeOutput{}, lost
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls[at].Ended = time.Now()
	r.calls[at].Err = err
	return out, meta, err
}

// attempt runs within the SDK's loop of attempts.
func (r *Recorder) attempt(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	out, meta, err := next.HandleFinalize(ctx, in)
	if once, ok := ctx.Value(callKey{}).(*bool); ok && *once {
		if err == nil {
			*once = false
			return middleware.FinalizeOutput{}, meta, &smithyhttp.RequestSendError{Err: errLost}
		}
	}
	return out, meta, err
}

// made tells where in the functions' code a call is made, and whether that is in
// the guard of the HTTP API.
func made() (place string, guard bool) {
	var pcs [96]uintptr
	var out strings.Builder
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		frame, more := frames.Next()
		guard = guard || strings.HasSuffix(frame.Function, "httpapi.(*App).guard")
		if strings.HasPrefix(frame.Function, "paddock/shared/") {
			fmt.Fprintf(&out, "%s:%d\n", frame.Function, frame.Line)
		}
		if !more {
			return out.String(), guard
		}
	}
}

// Calls returns the calls so far.
func (r *Recorder) Calls() []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Call(nil), r.calls...)
}

// Since returns the calls after the first n, and how many there are now.
func (r *Recorder) Since(n int) ([]Call, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Call(nil), r.calls[n:]...), len(r.calls)
}

// Faulted returns the call that was made to fail, nil when it did not come.
func (r *Recorder) Faulted() *Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.faulted
}
