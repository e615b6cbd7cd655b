package world_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"paddock/localstack/world"
	"paddock/shared/audit"
	"paddock/shared/tally"
)

// strangers tries n names that nobody has, from one address, four at a time.
func strangers(t *testing.T, w *world.Walk, address string, n int) {
	t.Helper()
	var wait sync.WaitGroup
	names := make(chan int, n)
	for i := range n {
		names <- i
	}
	close(names)
	for range 4 {
		v := w.Entries.Visitor(w.Slug, address)
		wait.Go(func() {
			for i := range names {
				body := map[string]string{"login": fmt.Sprintf("nobody%d", i), "password": "a-wrong-password-of-nobody"}
				a, err := v.Do(t.Context(), "POST", "/api/auth/signin/", body)
				if err != nil || a.Status != http.StatusUnauthorized && a.Status != http.StatusTooManyRequests {
					t.Errorf("try %d is answered %d, %v", i, a.Status, err)
				}
			}
		})
	}
	wait.Wait()
}

// refusals returns how many events of refused sign-ins from an address are
// stored, and how many refusals they stand for.
func refusals(t *testing.T, w *world.Walk, address string) (rows, stand int64) {
	t.Helper()
	events, err := w.Events(t.Context())
	if err != nil {
		t.Error(err)
	}
	for _, e := range events {
		if e.Kind != audit.AuthLoginRefused || e.Source.IP.String() != address {
			continue
		}
		rows++
		n := int64(1)
		for _, f := range e.Fields {
			if f.Name() == "count" {
				n = f.Number()
			}
		}
		stand += n
	}
	return rows, stand
}

// TestRefusalsOfOneStrangerAreCounted makes more refusals in a minute than have
// an event each: the rest is counted exactly, in one event, whatever is
// delivered how often. In `make soak` it makes 10,000.
func TestRefusalsOfOneStrangerAreCounted(t *testing.T) {
	const address = "198.51.100.23"
	n := 60
	if os.Getenv("PADDOCK_SOAK") != "" {
		n = 10_000
	}
	w := walk(t, "tally", 1)
	atMinute()
	strangers(t, w, address, n)
	if rows, stand := refusals(t, w, address); rows != tally.Each || stand != tally.Each {
		t.Errorf("before the end of the minute %d events stand for %d refusals", rows, stand)
	}
	w.Delivery.Times = 2
	settled(t, w)
	if rows, stand := refusals(t, w, address); rows != tally.Each+1 || stand != int64(n) {
		t.Errorf("%d events stand for %d refusals; %d were made", rows, stand, n)
	}
	// The next minute counts anew, and few are not counted.
	atMinute()
	strangers(t, w, address, tally.Each)
	settled(t, w)
	if rows, stand := refusals(t, w, address); rows != 2*tally.Each+1 || stand != int64(n+tally.Each) {
		t.Errorf("%d events stand for %d refusals; %d were made", rows, stand, n+tally.Each)
	}
	if err := w.InspectLog(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestALateRefusalIsCountedAnew settles a tally in the middle of its minute, as
// when a request is later than it can be.
func TestALateRefusalIsCountedAnew(t *testing.T) {
	const address = "198.51.100.24"
	w := walk(t, "tally-late", 1)
	atMinute()
	for range 3 {
		strangers(t, w, address, tally.Each+5)
		settled(t, w)
	}
	if rows, stand := refusals(t, w, address); rows != 3*(tally.Each+1) || stand != 3*(tally.Each+5) {
		t.Errorf("%d events stand for %d refusals; %d were made", rows, stand, 3*(tally.Each+5))
	}
}

// TestCallsOfATallyFail lets each kind of call that counts and settles fail in
// each way: no refusal that was answered is missing from the count.
func TestCallsOfATallyFail(t *testing.T) {
	calls := map[string]func(world.Call) bool{
		"count": func(c world.Call) bool {
			in, ok := c.Input.(*dynamodb.UpdateItemInput)
			return ok && strings.HasPrefix(world.KindOf(in.Key), "T ")
		},
		"mark": func(c world.Call) bool {
			in, ok := c.Input.(*dynamodb.PutItemInput)
			return ok && strings.HasPrefix(world.KindOf(in.Item), "M ")
		},
		"read":   func(c world.Call) bool { return c.Function == "tasks" && c.Operation == "BatchGetItem" },
		"settle": func(c world.Call) bool { return c.Function == "tasks" && c.Operation == "TransactWriteItems" },
	}
	n := 100
	for name, of := range calls {
		for _, mode := range []world.Mode{world.Unapplied, world.Lost} {
			n++
			address := fmt.Sprintf("198.51.100.%d", n)
			t.Run(name+" "+mode.String(), func(t *testing.T) {
				w := walk(t, fmt.Sprintf("tally-%d", n), 1)
				r := &world.Recorder{FaultOf: of, Mode: mode}
				if err := w.Cold(r); err != nil {
					t.Fatal(err)
				}
				atMinute()
				answered := int64(0)
				v := w.Entries.Visitor(w.Slug, address)
				for i := range tally.Each + 5 {
					a, err := v.Do(t.Context(), "POST", "/api/auth/signin/", map[string]string{"login": fmt.Sprintf("nobody%d", i), "password": "a-wrong-password-of-nobody"})
					if err != nil {
						t.Fatal(err)
					}
					if a.Status == http.StatusUnauthorized {
						answered++
					}
				}
				settled(t, w)
				if r.Faulted() == nil {
					t.Fatal("the call did not come")
				}
				// A refusal that failed may be counted, one that was answered must be.
				if _, stand := refusals(t, w, address); stand < answered || stand > answered+1 {
					t.Errorf("the events stand for %d refusals; %d were answered", stand, answered)
				}
			})
		}
	}
}

// atMinute moves the clock to the start of a minute that no sweep is due in.
func atMinute() {
	now := shared.Clock.Now()
	next := now.Truncate(15 * time.Minute).Add(16 * time.Minute)
	shared.Clock.Advance(next.Sub(now))
}

// settled delivers what is stored, and inspects.
func settled(t *testing.T, w *world.Walk) {
	t.Helper()
	if err := w.Delivery.All(t.Context()); err != nil {
		t.Error(err)
	}
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}
