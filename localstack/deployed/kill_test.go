package deployed_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"paddock/localstack/engine"
	"paddock/localstack/internal/process"
	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/aws/invoke"
	"paddock/shared/id"
)

// The run of kills: so many requests from so many browsers, until so many kills
// hit a request in flight.
const (
	killRequests = 1000
	killBrowsers = 4
	killsWanted  = 100
	killsMost    = 6000 // requests after which too few hits are a failure
)

// TestKilledFunctionsLoseNothing kills function processes with SIGKILL while
// browsers change a setting, sign in and invite. Afterwards every change that
// was acknowledged is there, none is there twice or half, and the locked log
// holds every event once.
func TestKilledFunctionsLoseNothing(t *testing.T) {
	sue := shared.Account(t, "superuser")
	t.Cleanup(func() { shared.Advance(t, 16*time.Minute) }) // past the budget of sign-ins
	var next, sent, cut, done atomic.Int64
	next.Store(3700)   // invite_ttl, in seconds
	told := sync.Map{} // value of a change to status
	var visitors []*visitor.Visitor
	for range killBrowsers {
		visitors = append(visitors, shared.SignIn(t, sue))
	}
	stop, kill := context.WithCancel(t.Context())
	killed := make(chan int)
	go func() { killed <- killing(stop, &done) }()
	var browsers sync.WaitGroup
	for n, v := range visitors {
		browsers.Go(func() {
			for sent.Load() < killRequests || (cut.Load() < killsWanted && sent.Load() < killsMost) {
				value := next.Add(1)
				kind := kindOf(int(sent.Add(1)) + n)
				a, err := request(t.Context(), v, value, kind)
				done.Add(1)
				if err != nil {
					t.Error(err)
					return
				}
				// A death in flight is answered by the gateway, not by us.
				if a.Status >= http.StatusInternalServerError && a.Problem().Code == "" {
					cut.Add(1)
				}
				if kind == changing {
					told.Store(value, a.Status)
				}
			}
		})
	}
	browsers.Wait()
	kill()
	kills := <-killed
	t.Logf("%d requests, %d kills, %d of them hit a request in flight", sent.Load(), kills, cut.Load())
	if cut.Load() < killsWanted {
		t.Errorf("only %d kills hit a request in flight, want %d", cut.Load(), killsWanted)
	}
	checkKilled(t, &told)
}

// killing kills a random function process after every few answers, so that a
// slow machine kills no larger part of the requests.
func killing(ctx context.Context, done *atomic.Int64) int {
	random := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // an order
	kills, answers := 0, int64(0)
	for ctx.Err() == nil {
		if done.Load() < answers {
			time.Sleep(time.Millisecond)
			continue
		}
		answers = done.Load() + 2
		if pids := process.Under(engine.Programs(shared.Engine.Folder)); len(pids) > 0 {
			if syscall.Kill(pids[random.IntN(len(pids))], syscall.SIGKILL) == nil {
				kills++
			}
		}
		time.Sleep(time.Duration(random.IntN(40)) * time.Millisecond)
	}
	return kills
}

// A kind of request.
type kind int

const (
	changing kind = iota + 1
	inviting
	looking
)

// kindOf is the kind of the nth request: mostly a change.
func kindOf(n int) kind {
	switch n % 10 {
	case 0:
		return inviting
	case 5:
		return looking
	}
	return changing
}

// request sends a request of a kind; a change carries value.
func request(ctx context.Context, v *visitor.Visitor, value int64, k kind) (visitor.Answer, error) {
	switch k {
	case inviting:
		return v.Do(ctx, "POST", "/api/workspaces/users/invite/", map[string]string{"email": fmt.Sprintf("guest%d@demo.example", value)})
	case looking:
		return v.Do(ctx, "GET", "/api/audit/activity/", nil)
	case changing:
	}
	return v.Do(ctx, "PATCH", "/api/workspaces/preferences/-/", map[string]int64{"invite_ttl": value})
}

// checkKilled compares what browsers were told with what is stored and logged.
func checkKilled(t *testing.T, told *sync.Map) {
	t.Helper()
	var stored struct {
		TTL int64 `json:"invite_ttl"`
	}
	v := shared.SignIn(t, shared.Account(t, "superuser"))
	if err := v.Want(t.Context(), http.StatusOK, "GET", "/api/workspaces/preferences/-/", nil, &stored); err != nil {
		t.Fatal(err)
	}
	w, err := world.Attach(t.Context(), shared.Engine, shared.Now())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // the archive may have died in its own sweep
		var out any
		err = invoke.Function(t.Context(), lambda.NewFromConfig(shared.Engine.AWSConfig()), "paddock-archive", map[string]string{"task": "sweep"}, &out)
		if err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	ws, err := id.Parse[id.Workspace](shared.Env.Workspace.ID)
	if err != nil {
		t.Fatal(err)
	}
	events, err := w.InspectStored(t.Context(), ws)
	if err != nil {
		t.Error(err)
	}
	changed := map[string]int{}
	last := ""
	for _, e := range events {
		for _, c := range e.Changes {
			if c.Path != "invite_ttl" {
				continue
			}
			if last != "" && c.Before != last {
				t.Errorf("event %s changes %s, but %s was set before", e.UID, c.Before, last)
			}
			changed[c.After]++
			last = c.After
		}
	}
	acknowledged := 0
	told.Range(func(key, answered any) bool {
		value, status := key.(int64), answered.(int) //nolint:forcetypeassert // stored so above
		n := changed[strconv.FormatInt(value, 10)]
		switch {
		case n > 1:
			t.Errorf("the change to %d is there %d times", value, n)
		case status == http.StatusOK && n == 0:
			t.Errorf("the change to %d was acknowledged and is not there", value)
		case status == http.StatusOK:
			acknowledged++
		case status < http.StatusInternalServerError && n > 0:
			t.Errorf("the change to %d was refused with %d and is there", value, status)
		}
		return true
	})
	if acknowledged < killRequests/4 {
		t.Errorf("only %d changes were acknowledged", acknowledged)
	}
	if strconv.FormatInt(stored.TTL, 10) != last {
		t.Errorf("the setting is %d, the log says %s", stored.TTL, last)
	}
	if err := w.InspectLog(t.Context(), ws, shared.Now().Add(-48*time.Hour)); err != nil {
		t.Error(err)
	}
}
