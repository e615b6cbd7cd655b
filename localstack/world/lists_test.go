package world_test

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paddock/localstack/world"
	"paddock/shared/audit"
	"paddock/shared/credential/breach"
	"paddock/shared/credential/known"
)

const (
	listedWord   = "a-quiet-lamp-on-the-list"
	breachedWord = "a-quiet-lamp-of-a-breach"
	security     = "/api/workspaces/security/-/"
)

// ranges stands for the range service: it knows passwords, or fails.
type ranges struct {
	mu    sync.Mutex
	known []string
	fails http.HandlerFunc
	asked []string
}

// digits returns the SHA-1 of a password as the service has it.
func digits(word string) string { return fmt.Sprintf("%X", sha1.Sum([]byte(word))) }

func (r *ranges) ServeHTTP(w http.ResponseWriter, asked *http.Request) {
	r.mu.Lock()
	r.asked = append(r.asked, asked.URL.Path)
	fails, words := r.fails, slices.Clone(r.known)
	r.mu.Unlock()
	if fails != nil {
		fails(w, asked)
		return
	}
	for _, word := range words {
		if sum := digits(word); asked.URL.Path == "/range/"+sum[:5] {
			_, _ = io.WriteString(w, sum[5:]+":3\r\n")
		}
	}
	_, _ = io.WriteString(w, strings.Repeat("0", 35)+":0\r\n")
}

// set makes the service know these passwords, or fail.
func (r *ranges) set(fails http.HandlerFunc, words ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known, r.fails = words, fails
}

// requests returns what the service was asked since the last time.
func (r *ranges) requests() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.asked = nil }()
	return r.asked
}

// compared gives signin a list with words and a range service, from its next
// cold start until the test ends.
func compared(t *testing.T, words ...string) *ranges {
	t.Helper()
	var b known.Builder
	for _, word := range words {
		if err := b.Add(known.SumOf(word)); err != nil {
			t.Fatal(err)
		}
	}
	list, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if _, err := list.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "passwords.filter")
	if err := os.WriteFile(name, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &ranges{}
	server := httptest.NewTLSServer(r)
	environment := shared.Environment["signin"]
	environment["PADDOCK_PASSWORD_FILTER"], environment["PADDOCK_PASSWORD_RANGE_URL"] = name, server.URL
	shared.Outgoing = server.Client().Transport
	t.Cleanup(func() {
		server.Close()
		delete(environment, "PADDOCK_PASSWORD_FILTER")
		delete(environment, "PADDOCK_PASSWORD_RANGE_URL")
		shared.Outgoing = nil
	})
	return r
}

// rejections returns by which rules passwords were refused in a workspace.
func rejections(t *testing.T, w *world.Walk) (rules []string) {
	t.Helper()
	events, err := w.Events(t.Context())
	if err != nil {
		t.Error(err)
	}
	for _, e := range events {
		for _, f := range e.Fields {
			if e.Kind == audit.AuthPasswordRejected && f.Name() == "rule" {
				rules = append(rules, f.Text())
			}
		}
	}
	return rules
}

// TestKnownPasswordsAreNotTaken sends one of the operator's list and one of a
// breach wherever a password is chosen (security, PW-7).
func TestKnownPasswordsAreNotTaken(t *testing.T) {
	service := compared(t, listedWord)
	service.set(nil, breachedWord)
	w := relaxed(t, "lists")
	mia := made(t, w, "mia", "member", "203.0.113.101")
	want(t, w.Me, http.StatusCreated, "POST", "/api/workspaces/users/invite/", map[string]string{"email": "ina@people.example"})
	invitation := mailed(t, w, "ina@people.example", "/invitation")
	stranger := w.Entries.Visitor(w.Slug, "203.0.113.102")
	want(t, stranger, http.StatusAccepted, "POST", forgot, map[string]string{"login": mia.email})
	token := mailed(t, w, mia.email, "/reset-password")
	tried := []string{listedWord, strings.ToUpper(listedWord), breachedWord}
	service.requests()
	for i, code := range []string{"password_common", "password_common", "password_breached"} {
		word := tried[i]
		refused(t, mia.Visitor, code, "POST", change, map[string]string{"current": mia.word, "password": word})
		refused(t, stranger, code, "POST", reset, map[string]string{"token": token, "password": word})
		refused(t, stranger, code, "POST", "/api/auth/invitations/accept/", map[string]string{"token": invitation, "password": word})
		refused(t, w.Me, code, "POST", "/api/iam/users/", map[string]string{"username": "tim", "email": "tim@people.example", "password": word})
	}
	if rules := rejections(t, w); len(rules) != 12 || slices.ContainsFunc(rules, func(r string) bool { return r != "breached" }) {
		t.Errorf("the events say %v", rules)
	}
	if asked := service.requests(); len(asked) != 4 || slices.ContainsFunc(asked, func(path string) bool { return path != "/range/"+digits(breachedWord)[:5] }) {
		t.Errorf("the service was asked %v", asked)
	}
	// Each goes on with another one.
	want(t, mia.Visitor, http.StatusOK, "POST", change, map[string]string{"current": mia.word, "password": "another-lamp-of-nobody-else"})
	want(t, stranger, http.StatusAccepted, "POST", forgot, map[string]string{"login": mia.email})
	want(t, stranger, http.StatusNoContent, "POST", reset, map[string]string{"token": mailed(t, w, mia.email, "/reset-password"), "password": "a-third-lamp-of-nobody-else"})
	want(t, stranger, http.StatusCreated, "POST", "/api/auth/invitations/accept/", map[string]string{"token": invitation, "password": "a-fourth-lamp-of-nobody-else"})
	nothingShown(t, tried...)
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// nothingShown looks for passwords, and for what a range service knows them by.
func nothingShown(t *testing.T, words ...string) {
	t.Helper()
	var secrets []string
	for _, word := range words {
		secrets = append(secrets, word, digits(word)[:10], "range/"+digits(word)[:5])
	}
	found, _, err := shared.Search(t.Context(), secrets)
	if err != nil || len(found) > 0 {
		t.Errorf("%v, %v", found, err)
	}
}

// TestAPasswordThatBecameKnownIsReplaced signs in with passwords that came to
// the list, or into a breach, after they were chosen.
func TestAPasswordThatBecameKnownIsReplaced(t *testing.T) {
	w := relaxed(t, "lists-later")
	mia := made(t, w, "mia", "member", "203.0.113.103")
	moe := made(t, w, "moe", "member", "203.0.113.104")
	want(t, mia.Visitor, http.StatusOK, "POST", change, map[string]string{"current": mia.word, "password": listedWord})
	want(t, moe.Visitor, http.StatusOK, "POST", change, map[string]string{"current": moe.word, "password": breachedWord})
	service := compared(t, listedWord)
	service.set(nil, breachedWord)
	if err := w.Cold(w.Entries.Recorder); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ email, address, word string }{
		{mia.email, "203.0.113.103", listedWord}, {moe.email, "203.0.113.104", breachedWord},
	} {
		v := w.Entries.Visitor(w.Slug, c.address)
		refused(t, v, "password_change_required", "POST", "/api/auth/login/", map[string]string{"username": c.email, "password": c.word})
		a := want(t, v, http.StatusOK, "POST", "/api/auth/signin/", map[string]string{"login": c.email, "password": c.word})
		if !bytes.Contains(a.Body, []byte(`"state":"password_change_required"`)) {
			t.Errorf("%s", a.Body)
		}
		refused(t, v, "password_change_required", "GET", "/api/status/", nil)
		want(t, v, http.StatusOK, "POST", change, map[string]string{"current": c.word, "password": "another-lamp-of-nobody-else"})
		want(t, v, http.StatusOK, "GET", "/api/status/", nil)
	}
	// A wrong password is asked of nobody.
	service.requests()
	refused(t, w.Entries.Visitor(w.Slug, "203.0.113.105"), "invalid_credentials", "POST", "/api/auth/signin/", map[string]string{"login": mia.email, "password": breachedWord})
	if asked := service.requests(); len(asked) > 0 {
		t.Errorf("the service was asked %v", asked)
	}
	nothingShown(t, listedWord, breachedWord)
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestARangeServiceThatFails answers with errors, with nonsense and not at all:
// whether passwords are taken then is the workspace's to say, and who has one
// signs in.
func TestARangeServiceThatFails(t *testing.T) {
	service := compared(t, listedWord)
	w := relaxed(t, "lists-fail")
	mia := made(t, w, "mia", "member", "203.0.113.106")
	for i, fails := range []http.HandlerFunc{
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://other.example/", http.StatusFound)
		},
		func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "sorry") },
		func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		next := fmt.Sprintf("another-lamp-of-nobody-%d", i)
		shared.Clock.Advance(15 * time.Minute) // a new budget of tries
		service.set(fails, next)
		began := time.Now()
		a := refused(t, mia.Visitor, "password_check_unavailable", "POST", change, map[string]string{"current": mia.word, "password": next})
		if a.Status != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" {
			t.Errorf("%d %v", a.Status, a.Header)
		}
		refused(t, mia.Visitor, "password_common", "POST", change, map[string]string{"current": mia.word, "password": listedWord})
		mia.signIn(t) // who has a password is not kept out
		want(t, mia.Visitor, http.StatusOK, "GET", "/api/status/", nil)
		if took := time.Since(began); took > 2*breach.Timeout+10*time.Second {
			t.Errorf("it took %v", took)
		}
		failure(t, w, "allow")
		want(t, mia.Visitor, http.StatusOK, "POST", change, map[string]string{"current": mia.word, "password": next})
		mia.word = next
		refused(t, mia.Visitor, "password_common", "POST", change, map[string]string{"current": mia.word, "password": listedWord})
		service.set(nil, breachedWord)
		refused(t, mia.Visitor, "password_breached", "POST", change, map[string]string{"current": mia.word, "password": breachedWord})
		failure(t, w, "refuse")
	}
	nothingShown(t, listedWord, breachedWord, mia.word)
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// failure sets what becomes of passwords without an answer.
func failure(t *testing.T, w *world.Walk, value string) {
	t.Helper()
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := want(t, w.Me, http.StatusOK, "PATCH", security, map[string]string{"password_check_failure": value})
	if !bytes.Contains(a.Body, []byte(`"password_check_failure":"`+value+`"`)) {
		t.Errorf("%s", a.Body)
	}
}

// TestAListThatCannotBeRead stands for a damaged deployment: passwords are not
// taken uncompared, and who has one signs in.
func TestAListThatCannotBeRead(t *testing.T) {
	w := relaxed(t, "lists-damaged")
	mia := made(t, w, "mia", "member", "203.0.113.107")
	compared(t, listedWord)
	if err := os.Truncate(shared.Environment["signin"]["PADDOCK_PASSWORD_FILTER"], 100); err != nil {
		t.Fatal(err)
	}
	if err := w.Cold(w.Entries.Recorder); err != nil {
		t.Fatal(err)
	}
	mia.Visitor = w.Entries.Visitor(w.Slug, "203.0.113.107")
	mia.signIn(t)
	want(t, mia.Visitor, http.StatusOK, "GET", "/api/status/", nil)
	refused(t, mia.Visitor, "internal_error", "POST", change, map[string]string{"current": mia.word, "password": "another-lamp-of-nobody-else"})
	mia.signIn(t)
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestARangeServiceInsideIsNotReached runs with the connections that the
// functions make themselves: the service on this machine is none for them.
func TestARangeServiceInsideIsNotReached(t *testing.T) {
	service := compared(t, listedWord)
	shared.Outgoing = nil
	w := walk(t, "lists-inside", 1)
	body := map[string]string{"token": mailed(t, w, w.Email(), "/invitation"), "username": "sue", "password": "another-lamp-of-nobody-else"}
	refused(t, w.Me, "password_check_unavailable", "POST", "/api/auth/invitations/accept/", body)
	if asked := service.requests(); len(asked) > 0 {
		t.Errorf("the service was asked %v", asked)
	}
}
