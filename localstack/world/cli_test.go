package world_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"paddock/localstack/alpacon"
	"paddock/localstack/internal/pki"
	"paddock/localstack/visitor"
	"paddock/localstack/world"
)

// TestTheCommandLineSignsInByBrowser drives the unmodified `alpacon` command
// line over https, as it is installed: it trusts the checkout's authority and
// nothing else is told to it. It runs where ALPACON names the program, and says
// when it does not.
func TestTheCommandLineSignsInByBrowser(t *testing.T) {
	c, ok := alpacon.Named(t, "", "the command line's device login")
	if !ok {
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

	c.Authority = files.CA
	c.Login(t, secure, func(code string) {
		var seen struct {
			Address string `json:"address"`
			Client  string `json:"client_name"`
		}
		if err := send(t, w.Me, "POST", lookupPath, typed(code)).Decode(http.StatusOK, &seen); err != nil || seen.Address != "127.0.0.1" {
			t.Errorf("looked up %+v: %v", seen, err)
		}
		expect(t, w.Me, approvePath, typed(code), "204")
	})
	if out := c.Run(t, "whoami"); !strings.Contains(out, world.Username) {
		t.Errorf("whoami prints %s", out)
	}
	before := c.Config(t)
	for _, field := range []string{"access_token", "refresh_token", "access_token_expires_at"} {
		if before[field] == nil {
			t.Errorf("the login kept no %s", field)
		}
	}
	c.Expire(t)
	if out := c.Run(t, "--output", "json", "whoami"); !strings.Contains(out, `"browser_login"`) || !strings.Contains(out, world.Username) {
		t.Errorf("whoami after a refresh prints %s", out)
	}
	after := c.Config(t)
	if after["access_token"] == before["access_token"] || after["refresh_token"] != before["refresh_token"] {
		t.Error("the command line did not renew its access token and keep the other")
	}
	listed := fmt.Sprint(claimsOf(t, after["access_token"].(string))["https://alpacon.io/workspaces"])
	if !strings.Contains(listed, "schema_name:real") {
		t.Errorf("the token lists the workspaces %s", listed)
	}
	// A protected change: its owner verifies in the browser, and the command line
	// goes on by itself.
	if out := c.Run(t, "--output", "json", "workspace", "mfa-methods"); !strings.Contains(out, "hardware_key") {
		t.Errorf("mfa-methods prints %s", out)
	}
	c.Editor = filepath.Join(t.TempDir(), "editor")
	if err := os.WriteFile(c.Editor, []byte("#!/bin/sh\nsed -i 's/\"mfa_timeout\": *[0-9]*/\"mfa_timeout\": 777/' \"$1\"\n"), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	alone.Clock.Advance(20 * time.Minute)
	c.Expire(t)
	c.Verified(t, func(token string) {
		if err := w.Fresh(t.Context()); err != nil {
			t.Error(err)
		}
		expect(t, w.Me, givePath, map[string]string{"token": token}, "204")
	}, "workspace", "authentication", "update")
	if out := c.Run(t, "--output", "json", "workspace", "authentication"); !strings.Contains(out, `"mfa_timeout": 777`) {
		t.Errorf("after the change the settings are %s", out)
	}
	after = c.Config(t)
	if out := c.Run(t, "logout"); !strings.Contains(strings.ToLower(out), "logout") && !strings.Contains(strings.ToLower(out), "logged out") {
		t.Errorf("logout prints %s", out)
	}
	v := &visitor.Visitor{Base: secure, Client: w.Me.Client, Access: after["access_token"].(string)}
	if a := send(t, v, "GET", "/api/status/", nil); told(a) != "401 session_invalid" {
		t.Errorf("after the logout the access token opens: %s", told(a))
	}
	refresh := map[string]string{
		"grant_type": "refresh_token", "client_id": "paddock-cli", "refresh_token": after["refresh_token"].(string), "scope": "cli device:" + c.Device(t),
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
