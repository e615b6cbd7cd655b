package world_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"paddock/localstack/world"
)

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

// TestEveryCallFails takes each step of the journey once for each place in the
// functions from which it calls the SDK, and each way in which that call can
// fail; `make soak` for each call. The client asks again; then the step must have
// reached its goal, and everything must hold.
func TestEveryCallFails(t *testing.T) {
	sweep := len((&world.Walk{}).Steps()) - 1 // below
	half := sweep * 5 / 8
	t.Run("first part", func(t *testing.T) { someCallsFail(t, 0, half) })
	t.Run("second part", func(t *testing.T) { someCallsFail(t, half, sweep) })
}

// someCallsFail does so for the steps from..to-1 in a world of its own, beside
// the others: each engine works on one request at a time.
func someCallsFail(t *testing.T, from, to int) {
	t.Parallel()
	own := alone(t)
	base, total, known := walkIn(t, own, "faulty", 3), 0, places{}
	for at, step := range base.Steps()[from:to] {
		at += from
		t.Run(step.Name, func(t *testing.T) {
			switch {
			case at == 0:
				total += everyCallOfTheFirst(t, own, known)
			case step.First:
				w := walkIn(t, own, fmt.Sprintf("faulty-%d", at), at)
				total += everyCall(t, w, at, known)
				sound(t, w)
			default:
				total += everyCall(t, base, at, known)
			}
		})
	}
	sound(t, base)
	t.Logf("%d faults", total)
}

// alone returns a world that no other test uses.
func alone(t *testing.T) *world.World {
	t.Helper()
	w, err := world.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	shared.Log.Capture()
	t.Cleanup(func() {
		if err := w.Stop(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// TestEveryCallOfASweepFails does the same for the sweeps, which go over every
// workspace: in a world that has one.
func TestEveryCallOfASweepFails(t *testing.T) {
	base := walkIn(t, alone(t), "swept", 3)
	last := len(base.Steps()) - 1
	if name := base.Steps()[last].Name; name != "sweep" {
		t.Fatalf("the last step is %q", name)
	}
	// One hour of the day a sweep looks at every day of the outbox: the sweeps
	// below end long before it, whenever the test runs.
	now := base.World.Clock.Now().UTC()
	base.World.Clock.Set(time.Date(now.Year(), now.Month(), now.Day()+1, 6, 2, 0, 0, time.UTC))
	// What a sweep finds in the outbox is in the log for good: each begins anew,
	// with a change that nothing has delivered.
	faults := everyFault(t, places{}, func(r *world.Recorder) error {
		ready(t, base, base.Steps()[last])
		if err := base.Steps()[4].Do(t.Context()); err != nil {
			t.Fatal(err)
		}
		return take(t, base, base.Steps()[last], r)
	})
	t.Logf("%d faults", faults)
	sound(t, base)
}

// everyCall takes a step once for each of its calls and each way to fail, each
// time from the same moment on, and returns how often.
func everyCall(t *testing.T, w *world.Walk, at int, known places) int {
	t.Helper()
	step := w.Steps()[at]
	ready(t, w, step)
	mark, err := w.Mark(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return everyFault(t, known, func(r *world.Recorder) error {
		if err := w.Return(t.Context(), mark); err != nil {
			t.Fatal(err)
		}
		return take(t, w, step, r)
	})
}

// everyCallOfTheFirst does the same for the step that makes the workspace: a
// new one each time.
func everyCallOfTheFirst(t *testing.T, in *world.World, known places) int {
	t.Helper()
	return everyFault(t, known, func(r *world.Recorder) error {
		w, err := in.NewWalk(r, fmt.Sprintf("faulty-%d-%d", r.Fault, r.Mode))
		if err != nil {
			t.Fatal(err)
		}
		return errors.Join(w.Take(t.Context(), w.Steps()[0]), w.InspectLog(t.Context()))
	})
}

// places holds the places and ways in which calls have failed.
type places map[string]bool

// first reports whether a call of this place has not failed in this way yet.
func (known places) first(c world.Call, m world.Mode) bool {
	key := fmt.Sprintf("%s %s %s\n%s", c.Function, c.Operation, m, c.Place)
	defer func() { known[key] = true }()
	return !known[key] || c.Place == "" || os.Getenv("PADDOCK_SOAK") != ""
}

// everyFault takes a step without a fault and then with each, and returns how
// many there were.
func everyFault(t *testing.T, known places, take func(*world.Recorder) error) int {
	t.Helper()
	plain := &world.Recorder{}
	if err := take(plain); err != nil {
		t.Fatal(err)
	}
	calls, faults := plain.Calls(), 0
	if len(calls) == 0 {
		t.Fatal("it makes no call")
	}
	for n, call := range calls {
		for _, mode := range chosen(call) {
			if !known.first(call, mode) {
				continue
			}
			faults++
			r := &world.Recorder{Fault: n + 1, Mode: mode}
			if err := take(r); err != nil {
				t.Errorf("%s %s: %v", call, mode, err)
			}
			if r.Faulted() == nil {
				t.Errorf("%s: the call did not come", call)
			}
		}
	}
	t.Logf("%d calls, %d faults", len(calls), faults)
	return faults
}

// chosen returns the ways in which a call fails in this run: `make soak` adds
// being carried out and sent again, which a client's repeat after a lost answer
// comes to.
func chosen(call world.Call) []world.Mode {
	if os.Getenv("PADDOCK_SOAK") != "" {
		return call.Modes()
	}
	return slices.DeleteFunc(call.Modes(), func(m world.Mode) bool { return m == world.Repeated })
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

// ready brings about what a step starts from: signed in with a fresh proof, and
// enough time gone by for budgets to be whole.
func ready(t *testing.T, w *world.Walk, step world.Step) {
	t.Helper()
	if step.First {
		return
	}
	w.World.Clock.Advance(31 * time.Minute)
	fresh := world.Step{Name: "be fresh", Do: w.Fresh}
	if err := w.Take(t.Context(), fresh); err != nil {
		t.Fatal(err)
	}
	if step.Before != nil {
		if err := w.Take(t.Context(), world.Step{Name: "before " + step.Name, Do: step.Before}); err != nil {
			t.Fatal(err)
		}
	}
	w.World.Clock.Advance(2 * time.Minute) // the session is touched anew
}

// take takes a step with cold functions whose calls r sees, and what mends it
// with others.
func take(t *testing.T, w *world.Walk, step world.Step, r *world.Recorder) error {
	t.Helper()
	if err := w.Cold(r); err != nil {
		t.Fatal(err)
	}
	err := w.Take(t.Context(), world.Step{Name: step.Name, Do: step.Do})
	if err != nil || step.After == nil {
		return err
	}
	if err := w.Cold(&world.Recorder{}); err != nil {
		t.Fatal(err)
	}
	return w.Take(t.Context(), world.Step{Name: "after " + step.Name, Do: step.After})
}
