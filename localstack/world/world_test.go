package world_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"paddock/localstack/world"
)

var shared *world.World //nolint:gochecknoglobals // one engine for all tests of the package

func TestMain(m *testing.M) {
	code := 1
	w, err := world.Start(context.Background())
	if err == nil {
		shared = w
		code = m.Run()
		err = w.Stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "world:", err)
		code = 1
	}
	os.Exit(code)
}

// walk returns a walk that has taken the first n steps.
func walk(t *testing.T, slug string, n int) *world.Walk {
	t.Helper()
	return walkIn(t, shared, slug, n)
}

func walkIn(t *testing.T, in *world.World, slug string, n int) *world.Walk {
	t.Helper()
	w, err := in.NewWalk(&world.Recorder{}, slug)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range w.Steps()[:n] {
		if err := w.Take(t.Context(), step); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// TestJourney walks the journey without a fault and inspects after each step.
func TestJourney(t *testing.T) {
	w := walk(t, "plain", len((&world.Walk{}).Steps()))
	if err := w.InspectLog(t.Context()); err != nil {
		t.Error(err)
	}
	t.Logf("%d calls", len(w.Entries.Recorder.Calls()))
}

// TestEveryCallFails takes each step of the journey once for each call of the
// SDK that it makes and each way in which that call can fail. The client asks
// again; then the step must have reached its goal, and everything must hold.
func TestEveryCallFails(t *testing.T) {
	base := walk(t, "faulty", 3)
	last := len(base.Steps()) - 1 // the sweep, below
	total := 0
	for at, step := range base.Steps()[:last] {
		t.Run(step.Name, func(t *testing.T) { total += everyCall(t, base, at) })
	}
	sound(t, base)
	t.Logf("%d faults", total)
}

// TestEveryCallOfASweepFails does the same for the sweeps, which go over every
// workspace: in a world that has one.
func TestEveryCallOfASweepFails(t *testing.T) {
	alone, err := world.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		shared.Log.Capture()
		if err := alone.Stop(); err != nil {
			t.Error(err)
		}
	})
	base := walkIn(t, alone, "swept", 3)
	last := len(base.Steps()) - 1
	if name := base.Steps()[last].Name; name != "sweep" {
		t.Fatalf("the last step is %q", name)
	}
	t.Logf("%d faults", everyCall(t, base, last))
	sound(t, base)
}

// everyCall takes a step once for each of its calls and each way to fail, and
// returns how often.
func everyCall(t *testing.T, base *world.Walk, at int) int {
	t.Helper()
	calls := faultless(t, base, at)
	if len(calls) == 0 {
		t.Fatal("it makes no call")
	}
	faults := 0
	for n, call := range calls {
		for _, mode := range chosen(base.Steps()[at], call) {
			faults++
			failing(t, base, at, call, &world.Recorder{Fault: n + 1, Mode: mode})
		}
	}
	t.Logf("%d calls, %d faults", len(calls), faults)
	return faults
}

// chosen returns the ways in which a call fails in this run: all of them in
// `make soak`. Else it leaves out what other faults meet as well: being carried
// out and sent again, which a client's repeat after a lost answer comes to, and
// the delivery of what was committed but in the steps that are named for it.
func chosen(step world.Step, call world.Call) []world.Mode {
	if os.Getenv("PADDOCK_SOAK") != "" || step.Name == "sweep" {
		return call.Modes()
	}
	delivers := call.Function == "relay" || call.Function == "tasks" || call.Function == "archive"
	if delivers && !step.Delivers {
		return nil
	}
	return slices.DeleteFunc(call.Modes(), func(m world.Mode) bool { return m == world.Repeated && !step.Delivers })
}

// sound delivers what is left and checks that everything holds.
func sound(t *testing.T, w *world.Walk) {
	t.Helper()
	for _, check := range []func(context.Context) error{w.Delivery.All, w.Inspect, w.InspectLog} {
		if err := check(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// failing takes a step in which one call fails.
func failing(t *testing.T, base *world.Walk, at int, call world.Call, r *world.Recorder) {
	t.Helper()
	w := base
	once := base.Steps()[at].Once
	if once {
		w = walk(t, fmt.Sprintf("faulty-%d-%d-%d", at, r.Fault, r.Mode), at)
	}
	if err := take(t, w, at, r); err != nil {
		t.Errorf("%s %s: %v", call, r.Mode, err)
	}
	if r.Faulted() == nil {
		t.Errorf("%s: the call did not come", call)
	}
	if once {
		if err := w.InspectLog(t.Context()); err != nil {
			t.Errorf("%s %s: %v", call, r.Mode, err)
		}
	}
}

// faultless takes a step without a fault and returns the calls that it makes.
func faultless(t *testing.T, base *world.Walk, at int) []world.Call {
	t.Helper()
	w := base
	if base.Steps()[at].Once {
		w = walk(t, fmt.Sprintf("faultless-%d", at), at)
	}
	r := &world.Recorder{}
	if err := take(t, w, at, r); err != nil {
		t.Fatal(err)
	}
	return r.Calls()
}

// take takes a step with cold functions, signed in with a fresh proof. Before
// it, time passes: enough, where passwords are given, to use up no budget of
// guesses.
func take(t *testing.T, w *world.Walk, at int, r *world.Recorder) error {
	t.Helper()
	step, warm := w.Steps()[at], w.Delivery
	if !step.Once {
		if step.Guesses {
			w.World.Clock.Advance(31 * time.Minute)
		}
		if err := w.Fresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if step.Before != nil {
			if err := w.Take(t.Context(), world.Step{Name: "before " + step.Name, Do: step.Before}); err != nil {
				t.Fatal(err)
			}
			step.Before = nil
		}
		w.World.Clock.Advance(2 * time.Minute) // the session is touched anew, in every run
	}
	if err := w.Cold(r); err != nil {
		t.Fatal(err)
	}
	after := step.After
	step.After = nil
	err := w.Take(t.Context(), step)
	if !step.Once {
		w.Use(warm)
	}
	if err == nil && after != nil {
		err = w.Take(t.Context(), world.Step{Name: "after " + step.Name, Do: after})
	}
	return err
}
