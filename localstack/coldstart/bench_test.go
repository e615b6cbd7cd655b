// Package coldstart_test measures how long functions take to start.
package coldstart_test

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"paddock/localstack/internal/build"
	"paddock/localstack/paired"
)

// bars are times the start of a function that does nothing; that of api is from
// design, Numbers to keep. The client of the mail service alone is half of a
// start; nobody waits for the function that has it (decision 7).
var bars = map[string]float64{
	"api": 2, "archive": 2.2, "console": 1.2, "provision": 2, "relay": 2.1, "signin": 2.2, "tasks": 2.6,
}

// BenchmarkColdStart runs each function, built as for AWS, from its exec to its
// first question for an invocation.
func BenchmarkColdStart(b *testing.B) {
	root, err := filepath.Abs("../..")
	if err != nil {
		b.Fatal(err)
	}
	functions, err := os.ReadDir(filepath.Join(root, "functions"))
	if err != nil {
		b.Fatal(err)
	}
	var names []string
	for _, f := range functions {
		names = append(names, f.Name())
	}
	if len(names) != len(bars) {
		b.Fatalf("bars for %d of the functions %v", len(bars), names)
	}
	target := build.Target{
		Root: root, Folder: filepath.Join(root, "build", "coldstart"),
		OS: runtime.GOOS, Arch: runtime.GOARCH, Tags: "lambda.norpc",
	}
	if err := build.Functions(b.Context(), target, names); err != nil {
		b.Fatal(err)
	}
	empty := filepath.Join(b.TempDir(), "empty")
	compile := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-tags="+target.Tags, "-o", empty, "./empty")
	compile.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := compile.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	asked, address := runtimeAPI(b)
	start := func(program string) func() {
		return func() {
			cmd := exec.Command(program)
			cmd.Env = environment(address)
			if err := cmd.Start(); err != nil {
				b.Fatal(err)
			}
			select {
			case <-asked:
			case <-time.After(10 * time.Second):
				b.Errorf("%s does not start", program)
			}
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}
	settle(b, empty)
	for _, name := range names {
		settle(b, filepath.Join(target.Folder, name, "bootstrap"))
	}
	for _, name := range names {
		b.Run(name, func(b *testing.B) {
			paired.Ratio(b, bars[name], start(filepath.Join(target.Folder, name, "bootstrap")), start(empty))
		})
	}
}

// settle makes the machine hold a program as it was read from the disk, which
// is how functions start, and not as the linker wrote it: that is slower to
// map, by more for some programs than for others.
func settle(b *testing.B, program string) {
	b.Helper()
	f, err := os.Open(program)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	if err := forget(f); err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, f); err != nil {
		b.Fatal(err)
	}
}

// runtimeAPI serves Lambda's runtime interface without ever handing out an
// invocation, and tells when a function asks for one.
func runtimeAPI(b *testing.B) (asked <-chan struct{}, address string) {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	told := make(chan struct{}, 1)
	server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/2018-06-01/runtime/invocation/next" {
			told <- struct{}{}
		}
		<-r.Context().Done()
	})}
	go func() { _ = server.Serve(listener) }()
	b.Cleanup(func() { _ = server.Close() })
	return told, listener.Addr().String()
}

// environment is that of a deployed function, with the processor share of a
// small one.
func environment(runtimeAPI string) []string {
	return []string{
		"AWS_LAMBDA_RUNTIME_API=" + runtimeAPI, "GOMAXPROCS=1",
		"AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=none", "AWS_SECRET_ACCESS_KEY=none",
		"PADDOCK_BASE_URLS=https://paddock.example.com", "PADDOCK_DEFAULT_WORKSPACE=demo", "PADDOCK_MAIL_SENDER=paddock@example.com",
		"PADDOCK_DATA_TABLE=data", "PADDOCK_CREDENTIALS_TABLE=credentials",
		"PADDOCK_DATA_KEYRING_TABLE=ring", "PADDOCK_CREDENTIAL_KEYRING_TABLE=ring2",
		"PADDOCK_MESSAGE_QUEUE_URL=https://sqs.example.com/1/messages", "PADDOCK_DEAD_QUEUE_URL=https://sqs.example.com/1/dead",
		"PADDOCK_AUDIT_BUCKET=audit", "PADDOCK_SIGNING_KEY=arn:aws:kms:eu-central-1:1:key/1", "PADDOCK_RETENTION_DAYS=90",
		"PADDOCK_ROLE_PROVISION=arn:aws:iam::1:role/a", "PADDOCK_ROLE_SIGNIN=arn:aws:iam::1:role/b", "PADDOCK_ROLE_API=arn:aws:iam::1:role/c",
		"PADDOCK_ROLE_TASKS=arn:aws:iam::1:role/d", "PADDOCK_ROLE_ERASE=arn:aws:iam::1:role/e",
	}
}
