package deployed_test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"paddock/localstack/engine"
	"paddock/localstack/internal/toolchain"
	"paddock/localstack/seeding"
	"paddock/localstack/visitor"
	"paddock/shared/httpapi/api"
	"paddock/shared/httpapi/signin"
	"paddock/shared/provision"
	"paddock/shared/route"
)

// A thoroughness is how many requests each operation that takes fields gets at
// least from one role, and in which phases of schemathesis they are made.
type thoroughness struct {
	examples int
	phases   string
}

// An effort is how thoroughly the API is tried as one role. Generation is
// deterministic, so that every run sends the same.
type effort struct {
	role string
	thoroughness
}

// efforts are the roles, the one that may do everything last: a short try of it
// in every run, all of them in `make soak`.
func efforts() []effort {
	if os.Getenv("PADDOCK_SOAK") == "" {
		return []effort{{"superuser", thoroughness{5, "fuzzing"}}}
	}
	return []effort{
		{"anonymous", thoroughness{50, "fuzzing"}},
		{"member", thoroughness{50, "fuzzing"}},
		{"staff", thoroughness{50, "fuzzing"}},
		{"superuser", thoroughness{50, "coverage,fuzzing"}},
	}
}

// TestAnswersAreAsDescribed lets schemathesis make requests out of the
// description of the API and send them as each role: no answer is an error of
// the server, and each has a status, a content type, a form and a code that the
// description names. The workspace is one of its own: whatever may be changed
// is.
func TestAnswersAreAsDescribed(t *testing.T) {
	root, err := engine.FindRoot()
	if err != nil {
		t.Fatal(err)
	}
	program := toolchain.Tester.Program(root, "schemathesis")
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("the API tester is not installed; run `make tools`: %v", err)
	}
	w := newCompany(t)
	for _, e := range efforts() {
		t.Run(e.role, func(t *testing.T) {
			r := &relay{host: w.host, backend: shared.Env.BaseURL, seen: map[string]map[int]int{}}
			server := httptest.NewServer(r)
			defer server.Close()
			begun := time.Now()
			try := tester{program: program, description: filepath.Join(root, "shared", "httpapi", "api", "openapi.json"), url: server.URL, thoroughness: e.thoroughness}
			// Endings come last, with a credential that nothing else needs.
			try.run(t, w.credential(t, e.role), "--exclude-path-regex", endingPaths())
			try.run(t, w.credential(t, e.role), "--include-path-regex", endingPaths())
			for round := 1; round <= moreRounds && !t.Failed() && len(r.short(t, e.examples)) > 0; round++ {
				try.seed = round
				try.run(t, w.credential(t, e.role), "--include-path-regex", "^("+strings.Join(r.short(t, e.examples), "|")+")$")
			}
			for _, path := range r.short(t, e.examples) {
				t.Errorf("%s got too few requests", path)
			}
			t.Logf("%d requests in %s", r.total(), time.Since(begun).Round(time.Second))
		})
	}
}

// moreRounds bounds how often operations are tried again that got too few
// requests: where only an id is to be made up, the tester leaves off early.
const moreRounds = 8

// endings are rows that end the caller's own session when admitted: the tester
// sends them apart, after everything else, for what follows is answered 401.
var endings = map[string]bool{"POST /api/auth/logout/": true, "POST /api/auth/sessions/end-all/": true}

// endingPaths matches the paths of the rows that end the caller's sessions.
func endingPaths() string {
	var paths []string
	for name := range endings {
		_, path, _ := strings.Cut(name, " ")
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return "^(" + strings.Join(paths, "|") + ")$"
}

// TestEndingsAreRows keeps the list of what ends sessions from outliving them.
func TestEndingsAreRows(t *testing.T) {
	for name := range endings {
		if !slices.ContainsFunc(route.Rows, func(r route.Row) bool { return r.Method+" "+r.Path == name }) {
			t.Errorf("%s is no row", name)
		}
	}
}

// A tester sends generated requests.
type tester struct {
	program, description, url string
	seed                      int // 0 for the one that never changes
	thoroughness
}

func (s tester) run(t *testing.T, credential string, selection ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	arguments := append([]string{
		"run", s.description, "--url", s.url, "--phases", s.phases,
		"--max-examples", strconv.Itoa(s.examples), "--no-shrink", "--generation-with-security-parameters", "false",
		"--checks", strings.Join(checks, ","), "--workers", "1", "--continue-on-failure", "--suppress-health-check", "all", "--warnings", "off", "--no-color", "--request-timeout", "60",
	}, selection...)
	if s.seed == 0 {
		arguments = append(arguments, "--generation-deterministic")
	} else {
		arguments = append(arguments, "--seed", strconv.Itoa(s.seed))
	}
	if credential != "" {
		arguments = append(arguments, "--header", "Authorization: Bearer "+credential)
	}
	cmd := exec.CommandContext(ctx, s.program, arguments...)
	cmd.Dir = t.TempDir()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("schemathesis: %v\n%s", err, out)
	}
}

// checks are what each answer must pass.
var checks = []string{
	"not_a_server_error", "status_code_conformance", "content_type_conformance",
	"response_schema_conformance", "response_headers_conformance", "negative_data_rejection",
}

// A company is a workspace with one person of each role.
type company struct {
	host   string
	people map[string]*employee
}

type employee struct {
	email, password, secret string
}

func newCompany(t *testing.T) company {
	t.Helper()
	no := false
	if _, err := seeding.Workspace(t.Context(), shared.Engine, provision.Request{Slug: "described", Name: "Described", Email: "boss@described.example", MFARequired: &no}); err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse(shared.Env.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	w := company{host: "described." + base.Host, people: map[string]*employee{}}
	boss := w.hire(t, "superuser", "boss@described.example")
	secret, _, err := seeding.Enrol(t.Context(), boss, shared.Now)
	if err != nil {
		t.Fatal(err)
	}
	w.people["superuser"].secret = secret
	for _, role := range []string{"staff", "member"} {
		email := role + "@described.example"
		if err := boss.Want(t.Context(), http.StatusCreated, "POST", "/api/workspaces/users/invite/", map[string]any{"email": email, "is_staff": role == "staff"}, nil); err != nil {
			t.Fatal(err)
		}
		w.hire(t, role, email)
	}
	return w
}

func (w company) visitor() *visitor.Visitor {
	return &visitor.Visitor{Base: shared.Env.BaseURL, Host: w.host, Origin: "http://" + w.host, Agent: "described-test"}
}

// hire follows the link that was mailed to this address.
func (w company) hire(t *testing.T, role, email string) *visitor.Visitor {
	t.Helper()
	token, err := seeding.Link(t.Context(), shared.Engine, email)
	if err != nil {
		t.Fatal(err)
	}
	e := &employee{email: email, password: "correct-horse-battery-lamp"}
	v := w.visitor()
	if err := v.Want(t.Context(), http.StatusCreated, "POST", "/api/auth/invitations/accept/", map[string]string{"token": token, "username": role, "password": e.password}, nil); err != nil {
		t.Fatal(err)
	}
	w.people[role] = e
	return v
}

// credential signs a role in anew; nobody has none.
func (w company) credential(t *testing.T, role string) string {
	t.Helper()
	e, ok := w.people[role]
	if !ok {
		return ""
	}
	// Guesses by the tester use up the budgets of this address.
	shared.Advance(t, 16*time.Minute)
	v := w.visitor()
	if err := v.Want(t.Context(), http.StatusOK, "POST", "/api/auth/signin/", map[string]string{"login": e.email, "password": e.password}, nil); err != nil {
		t.Fatal(err)
	}
	if e.secret != "" {
		shared.Prove(t, v, shared.Code(t, e.secret), "login")
	}
	return v.Cookie()
}

// A relay stands between the tester and the gateway: it names the workspace's
// host, repeats what the local engine throttles, and counts.
type relay struct {
	host, backend string

	mu   sync.Mutex
	seen map[string]map[int]int // by row, by status
}

func (r *relay) ServeHTTP(w http.ResponseWriter, in *http.Request) {
	body, err := io.ReadAll(in.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	answer, text, err := r.send(in, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	pattern := meant(in)
	r.mu.Lock()
	if r.seen[pattern] == nil {
		r.seen[pattern] = map[int]int{}
	}
	r.seen[pattern][answer.StatusCode]++
	r.mu.Unlock()
	maps.Copy(w.Header(), answer.Header)
	w.Header().Del("Content-Length")
	w.WriteHeader(answer.StatusCode)
	_, _ = w.Write(text)
}

// meant returns the row that a request was generated for. What stands for an
// id may be anything, so that the path is none of the row's.
func meant(in *http.Request) string {
	for _, f := range []route.Function{route.API, route.Signin} {
		if place := route.Find(f, in.Method, in.URL.EscapedPath()); place >= 0 {
			return route.Rows[place].Pattern()
		}
	}
	for _, row := range route.Rows {
		before, _, variable := strings.Cut(row.Path, "{")
		if variable && row.Method == in.Method && strings.HasPrefix(in.URL.Path, before) {
			return row.Pattern()
		}
	}
	return ""
}

func (r *relay) send(in *http.Request, body []byte) (*http.Response, []byte, error) {
	target, err := url.Parse(r.backend)
	if err != nil {
		return nil, nil, err
	}
	for attempt := 0; ; attempt++ {
		out := in.Clone(in.Context())
		out.RequestURI, out.URL.Scheme, out.URL.Host, out.Host = "", target.Scheme, target.Host, r.host
		out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		answer, err := http.DefaultTransport.RoundTrip(out)
		if err != nil {
			return nil, nil, err
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		engines := answer.StatusCode == http.StatusTooManyRequests && !bytes.Contains(text, []byte(`"code"`)) && !bytes.Contains(text, []byte(`"error"`))
		// Two changes at once: clients are told to try again, and do.
		busy := answer.StatusCode == http.StatusServiceUnavailable && (bytes.Contains(text, []byte(`"try_again"`)) || bytes.Contains(text, []byte(`"temporarily_unavailable"`))) && answer.Header.Get("Retry-After") != ""
		if err != nil || !engines && !busy || attempt == 100 {
			return answer, text, err
		}
		select {
		case <-in.Context().Done():
			return nil, nil, in.Context().Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// short returns, as patterns, the paths of rows that got too few requests.
func (r *relay) short(t *testing.T, examples int) []string {
	t.Helper()
	takes := fielded(t)
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, row := range route.Rows {
		n := 0
		for _, count := range r.seen[row.Pattern()] {
			n += count
		}
		want := 1
		if takes[row.Pattern()] {
			want = examples
		}
		if n < want {
			out = append(out, regexp.QuoteMeta(row.Path))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (r *relay) total() int {
	n := 0
	for _, statuses := range r.seen {
		for _, count := range statuses {
			n += count
		}
	}
	return n
}

// fielded tells which rows take fields in path, query or body.
func fielded(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, b := range slices.Concat(new(api.Face).Bindings(), new(signin.Face).Bindings()) {
		for _, row := range route.Rows {
			if row.Method == b.Method && row.Path == b.Path {
				out[row.Pattern()] = b.In.NumField() > 0 || strings.Contains(row.Path, "{")
			}
		}
	}
	return out
}
