// Package engine runs the local AWS engine: one process, on loopback, with TLS
// under the checkout's own authority and IAM enforced (AUTH=true).
//
// Tests start a private one each (Start with a zero Config), `make up` a lasting
// one with its state on disk. The engine's behaviour is stated in
// localstack/contract; this package only starts, finds, fills and stops it.
package engine

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"paddock/localstack/internal/pki"
	"paddock/localstack/internal/process"
)

// The engine's own account and the region of everything local.
const (
	Account = "000000000000"
	Region  = "us-east-1"
)

// RootKey is both halves of the engine's root key. Root passes every policy:
// a test of authorization never uses it.
const RootKey = "test"

// How long an engine may take to answer, and to save its state and end.
const (
	startWithin = 30 * time.Second
	stopWithin  = 60 * time.Second
)

// Config says which engine to start. The zero value is a private engine for one
// test process: a free port, a state folder of its own that is removed at Stop,
// and an end when the starting process ends, however it ends.
type Config struct {
	Root     string // repository; found from the working directory when empty
	Folder   string // state, logs, unpacked functions; a new .local/test-<pid>-* when empty
	Port     int    // TCP port on 127.0.0.1; a free one when 0
	Lasting  bool   // outlives the caller, and its state outlives it
	LogLevel string // the engine's own, default WARNING for a private one
	Now      func() time.Time
}

// An Engine is a running engine.
type Engine struct {
	URL    string // such as https://127.0.0.1:<port>, no slash at the end
	CAFile string // PEM file of the authority to trust
	Root   string // repository
	Folder string // state, logs, unpacked functions
	Port   int
	PID    int

	client *http.Client
	stdin  io.Closer     // open while a private engine shall run
	exited chan struct{} // closed when a process we started has ended; nil for one we found
	remove bool          // Folder goes at Stop
}

// Start starts an engine and waits until it answers.
func Start(ctx context.Context, c Config) (*Engine, error) {
	c, remove, err := c.complete()
	if err != nil {
		return nil, fmt.Errorf("start engine: %w", err)
	}
	tlsFiles, err := pki.Ensure(filepath.Join(c.Root, ".local", "tls"), c.Now())
	if err != nil {
		return nil, fmt.Errorf("start engine: %w", err)
	}
	e, err := at(c.Root, c.Folder, c.Port)
	if err != nil {
		return nil, fmt.Errorf("start engine: %w", err)
	}
	e.remove = remove
	if err := e.launch(c, tlsFiles); err != nil {
		return nil, fmt.Errorf("start engine: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	if err := e.awaitHealth(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start engine: %w", err), e.Stop())
	}
	return e, nil
}

// Attach returns the engine that runs on port with its state in folder, as
// Start left it. It does not check that it answers; Version does.
func Attach(root, folder string, port int) (*Engine, error) {
	e, err := at(root, folder, port)
	if err != nil {
		return nil, fmt.Errorf("attach to engine: %w", err)
	}
	e.PID, err = process.ReadID(e.marker())
	if err != nil {
		return nil, fmt.Errorf("attach to engine: %w", err)
	}
	return e, nil
}

// Stop ends the engine and waits for it: a lasting one saves its state only on
// this way out. A private one loses its folder. Stopping twice does nothing.
func (e *Engine) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	if e.stdin != nil {
		e.stdin.Close()
	}
	err := e.terminate(ctx)
	if e.remove {
		err = errors.Join(err, os.RemoveAll(e.Folder))
	}
	return err
}

// Version asks the engine for its version, at the address that all compatible
// engines share; an error says that nothing, or something else, answers there.
func (e *Engine) Version(ctx context.Context) (string, error) {
	var health struct {
		Version string `json:"version"`
	}
	if err := e.getJSON(ctx, "/_localstack/health", &health); err != nil {
		return "", err
	}
	if health.Version == "" {
		return "", fmt.Errorf("%s does not answer like the engine", e.URL)
	}
	return health.Version, nil
}

// Marker is the file in an engine's folder that exists while the state on disk
// is not whole: while the engine runs, and after an unclean end.
func Marker(folder string) string { return filepath.Join(folder, "running") }

// Programs is the folder in an engine's folder that functions run from.
func Programs(folder string) string { return filepath.Join(folder, "tmp") }

func (e *Engine) marker() string { return Marker(e.Folder) }

func (c Config) complete() (Config, bool, error) {
	if c.Now == nil {
		c.Now = time.Now // used for certificate lifetimes only
	}
	if c.Root == "" {
		root, err := FindRoot()
		if err != nil {
			return Config{}, false, err
		}
		c.Root = root
	}
	if c.LogLevel == "" {
		c.LogLevel = "WARNING"
	}
	if c.Port == 0 {
		port, err := process.FreePort()
		if err != nil {
			return Config{}, false, err
		}
		c.Port = port
	}
	local := filepath.Join(c.Root, ".local")
	if err := os.MkdirAll(local, 0o755); err != nil {
		return Config{}, false, err
	}
	if c.Folder != "" {
		return c, false, os.MkdirAll(c.Folder, 0o755)
	}
	folder, err := os.MkdirTemp(local, "test-"+strconv.Itoa(os.Getpid())+"-")
	c.Folder = folder
	return c, true, err
}

func at(root, folder string, port int) (*Engine, error) {
	e, err := trusting(root, folder, "")
	if err != nil {
		return nil, err
	}
	e.URL, e.Port = "https://127.0.0.1:"+strconv.Itoa(port), port
	return e, nil
}

// trusting returns an engine without address whose certificate is of the
// authority in caFile, "" for the checkout's own.
func trusting(root, folder, caFile string) (*Engine, error) {
	if caFile == "" {
		caFile = pki.In(filepath.Join(root, ".local", "tls")).CA
	}
	pool, err := pki.Pool(caFile)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		MaxIdleConnsPerHost: 64,
		DisableCompression:  true,
	}
	return &Engine{CAFile: caFile, Root: root, Folder: folder, client: &http.Client{Transport: transport}}, nil
}

func (e *Engine) launch(c Config, tlsFiles pki.Files) error {
	if process.PortTaken(c.Port) {
		return fmt.Errorf("port %d on 127.0.0.1 is in use by another program", c.Port)
	}
	python := filepath.Join(c.Root, ".local", "venv", "bin", "python")
	if _, err := os.Stat(python); err != nil {
		return errors.New("the engine is not installed in .local/venv; run `make tools` first")
	}
	for _, name := range []string{"tmp", "state", "s3"} {
		if err := os.MkdirAll(filepath.Join(c.Folder, name), 0o755); err != nil {
			return err
		}
	}
	log, err := os.OpenFile(filepath.Join(c.Folder, "engine.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(python, filepath.Join(c.Root, "localstack", "engine.py"))
	cmd.Dir = c.Folder
	cmd.Env = c.environment(tlsFiles)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C in the terminal is not for it
	if !c.Lasting {
		if e.stdin, err = cmd.StdinPipe(); err != nil {
			return err
		}
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	e.PID, e.exited = cmd.Process.Pid, make(chan struct{})
	go func() { // ends with the process
		_ = cmd.Wait() // how it ended is told by the marker file
		close(e.exited)
	}()
	return nil
}

// environment is what the engine process sees: nothing of the caller's but
// where programs are, so that no real AWS setting reaches it.
func (c Config) environment(tlsFiles pki.Files) []string {
	flag := func(on bool) string {
		if on {
			return "1"
		}
		return "0"
	}
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + c.Folder, "LANG=C.UTF-8", "PYTHONUNBUFFERED=1",
		"AUTH=true", "USE_SSL=1", "MINISTACK_SSL_CERT=" + tlsFiles.Chain, "MINISTACK_SSL_KEY=" + tlsFiles.Key,
		"GATEWAY_PORT=" + strconv.Itoa(c.Port), "BIND_HOST=127.0.0.1", "MINISTACK_REGION=" + Region,
		"IOT_MTLS_ENABLED=0", "SFTP_ENABLED=0", "LOG_LEVEL=" + c.LogLevel,
		"TMPDIR=" + Programs(c.Folder),
		"PERSIST_STATE=" + flag(c.Lasting), "STATE_DIR=" + filepath.Join(c.Folder, "state"),
		"S3_PERSIST=" + flag(c.Lasting), "S3_DATA_DIR=" + filepath.Join(c.Folder, "s3"),
		"PADDOCK_ENGINE_MARKER=" + Marker(c.Folder), "PADDOCK_ENGINE_TIED=" + flag(!c.Lasting),
	}
}

func (e *Engine) awaitHealth(ctx context.Context) error {
	var last error
	err := process.Until(ctx, func() bool {
		select {
		case <-e.exited:
			return true
		default:
		}
		_, last = e.Version(ctx)
		return last == nil
	})
	if err == nil && last == nil {
		return nil
	}
	return errors.Join(errors.New("the engine did not come up, see "+filepath.Join(e.Folder, "engine.log")), last, err)
}

func (e *Engine) terminate(ctx context.Context) error {
	if e.exited == nil {
		return process.Terminate(ctx, e.PID)
	}
	select {
	case <-e.exited:
		return nil
	default:
	}
	if err := syscall.Kill(e.PID, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop engine: %w", err)
	}
	select {
	case <-e.exited:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop engine %d: it has not ended: %w", e.PID, ctx.Err())
	}
}

// errNoPage says that this engine has no such page.
var errNoPage = errors.New("the engine has no such page")

// getJSON reads one of the engine's own pages, which are outside AWS's API.
func (e *Engine) getJSON(ctx context.Context, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.URL+path, nil)
	if err != nil {
		return err
	}
	response, err := e.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotFound {
		return fmt.Errorf("%s%s: %w", e.URL, path, errNoPage)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s%s answered %s", e.URL, path, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}
