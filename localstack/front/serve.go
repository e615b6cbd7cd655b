package front

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"
)

// How long requests in hand may take after the front was told to stop.
const drainWithin = 5 * time.Second

// Limits of a connection from a browser on the same machine.
const (
	readHeaderWithin = 10 * time.Second
	idleAtMost       = 75 * time.Second
)

// Config says where the front listens: loopback only.
type Config struct {
	Port     int // http
	TLSPort  int // https
	CertFile string
	KeyFile  string
	Handler  http.Handler
	Log      *slog.Logger
}

// ErrPortInUse says that another program listens on a port the front needs.
var ErrPortInUse = errors.New("the port is in use by another program")

// Serve listens on both ports until ctx ends. It fails with ErrPortInUse, and
// names the port, when it cannot have one.
func Serve(ctx context.Context, c Config) error {
	plain, err := listen(c.Port)
	if err != nil {
		return err
	}
	secure, err := listen(c.TLSPort)
	if err != nil {
		closeAll(plain)
		return err
	}
	server := &http.Server{
		Handler: c.Handler, ReadHeaderTimeout: readHeaderWithin, IdleTimeout: idleAtMost,
		ErrorLog: slog.NewLogLogger(c.Log.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, len(plain)+len(secure))
	for _, listener := range plain {
		go func() { ended <- server.Serve(listener) }()
	}
	for _, listener := range secure {
		go func() { ended <- server.ServeTLS(listener, c.CertFile, c.KeyFile) }()
	}
	select {
	case err = <-ended:
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainWithin)
	defer cancel()
	if shut := server.Shutdown(drain); shut != nil {
		err = errors.Join(err, server.Close())
	}
	return err
}

// listen opens the port on 127.0.0.1 and, where the machine has it, on ::1, as
// browsers try either for localhost.
func listen(port int) ([]net.Listener, error) {
	var listeners []net.Listener
	for _, host := range []string{"127.0.0.1", "::1"} {
		listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		switch {
		case err == nil:
			listeners = append(listeners, listener)
		case errors.Is(err, syscall.EADDRINUSE):
			closeAll(listeners)
			return nil, fmt.Errorf("port %d: %w", port, ErrPortInUse)
		case errors.Is(err, os.ErrPermission):
			closeAll(listeners)
			return nil, fmt.Errorf("port %d needs more rights than this user has: %w", port, err)
		case host == "127.0.0.1":
			return nil, fmt.Errorf("port %d: %w", port, err)
		}
	}
	return listeners, nil
}

func closeAll(listeners []net.Listener) {
	for _, listener := range listeners {
		_ = listener.Close() // nothing was accepted yet
	}
}
