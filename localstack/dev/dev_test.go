package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paddock/localstack/engine"
	"paddock/localstack/environment"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// checkout returns a bench on an empty checkout, its output and its variables.
func checkout(t *testing.T) (bench, *bytes.Buffer, map[string]string) {
	t.Helper()
	out, variables := &bytes.Buffer{}, map[string]string{}
	b := bench{
		root: t.TempDir(), out: out, now: func() time.Time { return now },
		getenv: func(name string) string { return variables[name] },
	}
	if err := os.Mkdir(b.folder(), 0o755); err != nil {
		t.Fatal(err)
	}
	return b, out, variables
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// wantError checks for an error with the text, or for none when it is empty.
func wantError(t *testing.T, err error, text string) {
	t.Helper()
	if text == "" && err != nil || text != "" && (err == nil || !strings.Contains(err.Error(), text)) {
		t.Errorf("error is %v, want %q", err, text)
	}
}

func TestPortsComeFromTheEnvironment(t *testing.T) {
	for _, test := range []struct {
		name, port, tlsPort string
		plain, secure       int
		wantErr             string
	}{
		{"neither named", "", "", 8080, 8443, ""},
		{"both named", "1", "65535", 1, 65535, ""},
		{"not a number", "x", "", 0, 0, "PORT=x is not a port"},
		{"too small", "", "0", 0, 0, "TLS_PORT=0 is not a port"},
		{"too big", "65536", "", 0, 0, "PORT=65536 is not a port"},
		{"twice the same", "9000", "9000", 0, 0, "must differ"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, _, variables := checkout(t)
			variables["PORT"], variables["TLS_PORT"] = test.port, test.tlsPort
			plain, secure, err := b.ports()
			wantError(t, err, test.wantErr)
			if plain != test.plain || secure != test.secure {
				t.Errorf("ports are %d and %d", plain, secure)
			}
		})
	}
}

func TestAPortOfAnotherProgramIsNamed(t *testing.T) {
	b, _, _ := checkout(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	want := fmt.Sprintf("port %d is in use by another program; choose another one: make up TLS_PORT=%d", port, port+1)
	wantError(t, b.freePorts(0, port), want)
	listener.Close()
	wantError(t, b.freePorts(0, port), "")
}

func TestClockMovesAndIsSetRight(t *testing.T) {
	b, out, _ := checkout(t)
	for _, step := range []struct {
		arguments []string
		file      string // content afterwards; empty: no file
		wantErr   string
	}{
		{nil, "", ""},
		{[]string{"-advance=14d"}, "1209600\n", ""},
		{[]string{"-advance=-1h30m"}, "1204200\n", ""},
		{[]string{"-advance=soon"}, "1204200\n", "is not a span of time"},
		{[]string{"-advance=xd"}, "1204200\n", "is not a span of time"},
		{[]string{"-reset", "-advance=1s"}, "1\n", ""},
		{[]string{"-reset"}, "0\n", ""},
	} {
		out.Reset()
		wantError(t, clock(t.Context(), b, step.arguments), step.wantErr)
		text, err := os.ReadFile(b.clockFile())
		if string(text) != step.file || (err != nil) != (step.file == "") {
			t.Errorf("after %v the file holds %q (%v), want %q", step.arguments, text, err, step.file)
		}
	}
	write(t, b.clockFile(), "tomorrow")
	wantError(t, clock(t.Context(), b, nil), "make clock RESET=1")
	wantError(t, clock(t.Context(), b, []string{"-reset"}), "")
}

func TestOneTimeCodeFollowsTheClock(t *testing.T) {
	b, out, _ := checkout(t)
	wantError(t, otp(t.Context(), b, []string{"-user=jane"}), "make up")
	env := environment.Environment{Accounts: []environment.Account{
		// RFC 6238, appendix B: the secret of the SHA-1 rows.
		{Username: "jane", TOTPSecret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}, {Username: "ci"},
	}}
	if err := environment.Save(b.root, env); err != nil {
		t.Fatal(err)
	}
	b.now = func() time.Time { return time.Unix(0, 0) }
	write(t, b.clockFile(), "1111111109\n")
	wantError(t, otp(t.Context(), b, []string{"-user=jane"}), "")
	if out.String() != "081804\n" {
		t.Errorf("code is %q, want the last six digits of 07081804", out)
	}
	wantError(t, otp(t.Context(), b, []string{"-user=ci"}), "ci has no one-time code")
	wantError(t, otp(t.Context(), b, []string{"-user=bob"}), `there is no demo account "bob"`)
}

func TestUncleanStopDeletesTablesAndObjectsTogether(t *testing.T) {
	b, out, _ := checkout(t)
	env := environment.Environment{EngineURL: "https://127.0.0.1:4999", Workspace: environment.Workspace{ID: "1"}}
	if err := environment.Save(b.root, env); err != nil {
		t.Fatal(err)
	}
	write(t, b.local("state/dynamodb.json"), "{}")
	write(t, b.local("s3/object"), "x")
	write(t, b.local("tls/ca.crt"), "x")
	if err := b.clearUncleanStop(t.Context()); err != nil || out.Len() > 0 {
		t.Errorf("after a clean stop: %v, %q", err, out)
	}
	write(t, engine.Marker(b.folder()), "999999999\n")
	if err := b.clearUncleanStop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "not stopped cleanly") {
		t.Errorf("it says %q", out)
	}
	for _, name := range []string{"state", "s3", "running"} {
		if _, err := os.Stat(b.local(name)); !os.IsNotExist(err) {
			t.Errorf("%s is still there", name)
		}
	}
	if _, err := os.Stat(b.local("tls/ca.crt")); err != nil {
		t.Error("the certificates are gone")
	}
	left, err := environment.Load(b.root)
	if err != nil || left.EngineURL != env.EngineURL || left.Workspace.ID != "" {
		t.Errorf("dev.json holds %+v, %v; want the engine's address alone", left, err)
	}
}

func TestStateOfAnotherEngineVersionIsRefused(t *testing.T) {
	b, _, _ := checkout(t)
	wantError(t, b.checkSaved("2.0"), "")
	write(t, b.local("engine.version"), "1.0\n")
	wantError(t, b.checkSaved("1.0"), "")
	wantError(t, b.checkSaved("2.0"), "the saved state is of engine 1.0, this checkout pins 2.0; `make reset`")
}

func TestCommandsThatNeedTheEngineSaySo(t *testing.T) {
	b, _, _ := checkout(t)
	wantError(t, mail(t.Context(), b, nil), "make up")
	wantError(t, mail(t.Context(), b, []string{"-format=xml"}), "FORMAT=xml is neither text nor json")
	wantError(t, logs(t.Context(), b, nil), "make up")
}

func TestResetForgetsAllButToolsAndCertificates(t *testing.T) {
	b, _, _ := checkout(t)
	for _, name := range []string{"state/x", "s3/x", "tmp/x", "dev.json", "clock", "running", "venv/x", "tls/x"} {
		write(t, b.local(name), "{}")
	}
	if err := reset(t.Context(), b, nil); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(b.folder())
	if err != nil || len(entries) != 2 || entries[0].Name() != "tls" || entries[1].Name() != "venv" {
		t.Errorf("left are %v, %v", entries, err)
	}
}
