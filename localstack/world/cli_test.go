package world_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"paddock/localstack/internal/pki"
	"paddock/localstack/visitor"
	"paddock/localstack/world"
)

// TestTheCommandLineSignsInByBrowser drives the unmodified `alpacon` command
// line over https, as it is installed: it trusts the checkout's authority and
// nothing else is told to it. It runs where ALPACON names the program, and says
// when it does not.
func TestTheCommandLineSignsInByBrowser(t *testing.T) {
	program := os.Getenv("ALPACON")
	if program == "" {
		fmt.Fprintln(os.Stderr, "NOT RUN: the command line's device login, as ALPACON names no program")
		return
	}
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
	files, err := pki.Ensure(filepath.Join(t.TempDir(), "tls"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	const plain = "http://localhost:8080"
	secure := "https://localhost:" + port
	for _, environment := range alone.Environment {
		environment["PADDOCK_BASE_URLS"], environment["PADDOCK_DEFAULT_WORKSPACE"] = plain+","+secure, "real"
	}
	w, err := alone.NewWalk(&world.Recorder{}, "real")
	if err != nil {
		t.Fatal(err)
	}
	w.Me.Base = secure
	for _, step := range w.Steps()[:3] {
		if err := w.Take(t.Context(), step); err != nil {
			t.Fatal(err)
		}
	}
	serve(t, listener, files, w.Entries.Visitor("real", "127.0.0.1").Client.Transport)

	// One workspace, two answers: only over https can the command line be
	// sent to the browser.
	for base, want := range map[string]string{plain: "legacy", secure: "auth0"} {
		var env struct {
			Auth0 struct{ Method, Domain string }
		}
		v := &visitor.Visitor{Base: base, Client: w.Me.Client}
		if err := send(t, v, "GET", "/api/auth/env/?client=cli", nil).Decode(http.StatusOK, &env); err != nil {
			t.Fatal(err)
		}
		if env.Auth0.Method != want || want == "auth0" && env.Auth0.Domain != "localhost:"+port {
			t.Errorf("%s answers %+v", base, env)
		}
	}

	c := commandLine{program: program, home: t.TempDir(), authority: files.CA}
	c.login(t, secure, func(code string) {
		var seen struct {
			Address string `json:"address"`
			Client  string `json:"client_name"`
		}
		if err := send(t, w.Me, "POST", lookupPath, typed(code)).Decode(http.StatusOK, &seen); err != nil || seen.Address != "127.0.0.1" {
			t.Errorf("looked up %+v: %v", seen, err)
		}
		expect(t, w.Me, approvePath, typed(code), "204")
	})
	if out := c.run(t, "whoami"); !strings.Contains(out, world.Username) {
		t.Errorf("whoami prints %s", out)
	}
	before := c.config(t)
	for _, field := range []string{"access_token", "refresh_token", "access_token_expires_at"} {
		if before[field] == nil {
			t.Errorf("the login kept no %s", field)
		}
	}
	c.expire(t)
	if out := c.run(t, "--output", "json", "whoami"); !strings.Contains(out, `"browser_login"`) || !strings.Contains(out, world.Username) {
		t.Errorf("whoami after a refresh prints %s", out)
	}
	after := c.config(t)
	if after["access_token"] == before["access_token"] || after["refresh_token"] != before["refresh_token"] {
		t.Error("the command line did not renew its access token and keep the other")
	}
	listed := fmt.Sprint(claimsOf(t, after["access_token"].(string))["https://alpacon.io/workspaces"])
	if !strings.Contains(listed, "schema_name:real") {
		t.Errorf("the token lists the workspaces %s", listed)
	}
	if out := c.run(t, "logout"); !strings.Contains(strings.ToLower(out), "logout") && !strings.Contains(strings.ToLower(out), "logged out") {
		t.Errorf("logout prints %s", out)
	}
	v := &visitor.Visitor{Base: secure, Client: w.Me.Client, Access: after["access_token"].(string)}
	if a := send(t, v, "GET", "/api/status/", nil); told(a) != "401 session_invalid" {
		t.Errorf("after the logout the access token opens: %s", told(a))
	}
	refresh := map[string]string{
		"grant_type": "refresh_token", "client_id": "paddock-cli", "refresh_token": after["refresh_token"].(string), "scope": "cli device:" + c.device(t),
	}
	expect(t, v, tokenPath, refresh, "400 invalid_grant")
}

// serve answers https on a listener as the gateway does.
func serve(t *testing.T, l net.Listener, files pki.Files, gateway http.RoundTripper) {
	t.Helper()
	var one sync.Mutex // the gateway takes one request at a time
	proxy := &httputil.ReverseProxy{Transport: gateway, Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "https", r.In.Host, r.In.Host
		if r.Out.Body == nil {
			r.Out.Body = http.NoBody
		}
	}}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		one.Lock()
		defer one.Unlock()
		proxy.ServeHTTP(w, r)
	})}
	go func() { _ = server.ServeTLS(l, files.Chain, files.Key) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A commandLine is the alpacon program with a home of its own.
type commandLine struct{ program, home, authority string }

func (c commandLine) command(ctx context.Context, arguments ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.program, arguments...)
	cmd.Env = []string{"HOME=" + c.home, "SSL_CERT_FILE=" + c.authority, "ALPACON_NO_BROWSER=1", "NO_COLOR=1", "PATH=" + os.Getenv("PATH")}
	return cmd
}

// run runs a command and returns all that it prints.
func (c commandLine) run(t *testing.T, arguments ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := c.command(ctx, arguments...).CombinedOutput()
	if err != nil {
		t.Errorf("alpacon %v: %v\n%s", arguments, err, out)
	}
	return string(out)
}

var shownCode = regexp.MustCompile(`#([B-Z]{4}-[B-Z]{4})`)

// login runs the login; approve is called with the code that it prints.
func (c commandLine) login(t *testing.T, host string, approve func(code string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := c.command(ctx, "login", host, "--no-browser")
	printed, into := io.Pipe()
	cmd.Stdout, cmd.Stderr = into, into
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		_ = into.Close()
		ended <- err
	}()
	var all strings.Builder
	approved := false
	for lines := bufio.NewScanner(printed); lines.Scan(); {
		all.WriteString(lines.Text() + "\n")
		if match := shownCode.FindStringSubmatch(lines.Text()); match != nil && !approved {
			approved = true
			approve(match[1])
		}
	}
	if err := <-ended; err != nil || !approved {
		t.Fatalf("alpacon login: %v, a code was shown: %t\n%s", err, approved, all.String())
	}
}

func (c commandLine) file(name string) string { return filepath.Join(c.home, ".alpacon", name) }

func (c commandLine) config(t *testing.T) map[string]any {
	t.Helper()
	text, err := os.ReadFile(c.file("config.json"))
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// expire makes the command line believe that its access token is over.
func (c commandLine) expire(t *testing.T) {
	t.Helper()
	config := c.config(t)
	config["access_token_expires_at"] = "2020-01-01T00:00:00Z"
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.file("config.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// device returns the name of the installation.
func (c commandLine) device(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(c.file("device_id"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}
