package deployed_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"paddock/localstack/environment"
	"paddock/localstack/seeding"
	"paddock/localstack/visitor"
)

var errInjected = errors.New("injected")

// A fault fails the call with its number, counted from 1, before it is done or
// after.
type fault struct {
	at    int
	after bool
	calls int
}

// around does the call, or fails it.
func (f *fault) around(do func() error) error {
	f.calls++
	if f.calls == f.at && !f.after {
		return errInjected
	}
	err := do()
	if f.calls == f.at && f.after {
		return errInjected
	}
	return err
}

// A wire is a transport to loopback that fails as its fault says: names beneath
// localhost are not resolved everywhere.
type wire struct {
	fault     fault
	transport http.RoundTripper
}

func newWire(t *testing.T, f fault) *wire {
	t.Helper()
	dial := &net.Dialer{}
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return dial.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &wire{fault: f, transport: transport}
}

func (w *wire) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	err = w.fault.around(func() (err error) {
		answer, err = w.transport.RoundTrip(r)
		return err
	})
	if err != nil && answer != nil {
		answer.Body.Close()
		answer = nil
	}
	return answer, err
}

// A seed is one demo workspace under way: what stands in its file, and the
// faults of the next try.
type seed struct {
	file environment.Environment
	save fault
	wire *wire
}

func newSeed(t *testing.T, slug string) *seed {
	t.Helper()
	base, err := url.Parse(shared.Env.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	base.Host = slug + "." + base.Host
	return &seed{
		file: environment.Environment{BaseURL: base.String(), Workspace: environment.Workspace{Slug: slug}},
		wire: newWire(t, fault{}),
	}
}

// try does what `make up` does, from what the file holds.
func (s *seed) try(t *testing.T) error {
	t.Helper()
	env := s.file
	env.Accounts = append([]environment.Account(nil), s.file.Accounts...)
	_, err := seeding.Make(t.Context(), seeding.Config{
		Engine: shared.Engine, Environment: env, Now: shared.Now, Client: &http.Client{Transport: s.wire},
		Save: func(env environment.Environment) error {
			return s.save.around(func() error {
				s.file = env
				s.file.Accounts = append([]environment.Account(nil), env.Accounts...)
				return nil
			})
		},
	})
	return err
}

// check signs in to each account as the file says.
func (s *seed) check(t *testing.T) {
	t.Helper()
	if s.file.Workspace.ID == "" || len(s.file.Accounts) != 3 {
		t.Fatalf("the file holds workspace %+v and %d accounts", s.file.Workspace, len(s.file.Accounts))
	}
	for _, a := range s.file.Accounts {
		v := &visitor.Visitor{Base: s.file.BaseURL, Client: &http.Client{Transport: s.wire.transport}}
		var got struct{ State string }
		if err := v.Want(t.Context(), http.StatusOK, "POST", "/api/auth/signin/", map[string]string{"login": a.Email, "password": a.Password}, &got); err != nil {
			t.Errorf("%s: %v", a.Username, err)
		}
		want := "signed_in"
		if a.Role == "superuser" {
			want = "mfa_required"
		}
		if got.State != want || !a.Ready || (a.TOTPSecret != "") != (a.Role == "superuser") {
			t.Errorf("%s: signing in gave %q, want %q; ready %t", a.Username, got.State, want, a.Ready)
		}
	}
}

// TestSeedingResumes lets each call and each save of the seeding be done and
// reported as failed, and the next `make up` finish. A failure before a call is
// the one after what came before it; only the first save has nothing before it
// but the workspace itself.
func TestSeedingResumes(t *testing.T) {
	whole := newSeed(t, "whole")
	if err := whole.try(t); err != nil {
		t.Fatal(err)
	}
	whole.check(t)
	requests, saves := whole.wire.fault.calls, whole.save.calls
	if requests < 7 || saves < 8 {
		t.Fatalf("%d requests and %d saves: what is counted here is not what seeding does", requests, saves)
	}
	if err := whole.try(t); err != nil || whole.wire.fault.calls != requests {
		t.Errorf("a finished demo is asked %d more questions, %v", whole.wire.fault.calls-requests, err)
	}
	t.Run("fault", func(t *testing.T) {
		resumes(t, "unsaved-workspace", fault{}, fault{at: 1})
		for n := range requests {
			resumes(t, fmt.Sprintf("request-%d", n+1), fault{at: n + 1, after: true}, fault{})
		}
		for n := range saves {
			resumes(t, fmt.Sprintf("save-%d", n+1), fault{}, fault{at: n + 1, after: true})
		}
	})
}

func resumes(t *testing.T, name string, request, save fault) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		s := newSeed(t, name)
		s.wire.fault, s.save = request, save
		if err := s.try(t); !errors.Is(err, errInjected) {
			t.Fatalf("the first try: %v, want the injected error", err)
		}
		if err := s.try(t); err != nil {
			t.Fatalf("the second try: %v", err)
		}
		s.check(t)
	})
}

// TestSeedingSaysWhatIsLost takes the file away from under a finished demo.
func TestSeedingSaysWhatIsLost(t *testing.T) {
	s := newSeed(t, "lost")
	if err := s.try(t); err != nil {
		t.Fatal(err)
	}
	s.file.Workspace.ID = ""
	s.file.Accounts = s.file.Accounts[:1]
	if err := s.try(t); !errors.Is(err, seeding.ErrLost) {
		t.Errorf("without the passwords of the invited: %v, want ErrLost", err)
	}
	s.file.Workspace.ID, s.file.Accounts = "", nil
	err := s.try(t)
	if !errors.Is(err, seeding.ErrLost) || !strings.Contains(err.Error(), "make reset") {
		t.Errorf("without any password: %v, want ErrLost with the way out", err)
	}
}
