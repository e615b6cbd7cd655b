package process

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// child starts a process that ends when its input closes or it is told to.
func child(t *testing.T, program string) (*exec.Cmd, io.Closer) {
	t.Helper()
	cmd := exec.Command(program)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	t.Cleanup(func() { stdin.Close(); <-done })
	return cmd, stdin
}

func TestTerminateEndsAndForgivesTheDead(t *testing.T) {
	cmd, _ := child(t, "cat")
	pid := cmd.Process.Pid
	// Start returns before the kernel has filled in the new command line.
	started, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := Until(started, func() bool { return Runs(pid, "cat") }); err != nil {
		t.Fatal(err)
	}
	if !Alive(pid) || Runs(pid, "another program") {
		t.Errorf("Alive = %v, Runs = %v", Alive(pid), Runs(pid, "cat"))
	}
	for range 2 {
		if err := Terminate(t.Context(), pid); err != nil {
			t.Fatal(err)
		}
	}
	if Alive(pid) || Runs(pid, "cat") {
		t.Error("the process is still there")
	}
}

func TestUntilEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := Until(ctx, func() bool { return false }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Until = %v", err)
	}
}

func TestReadIDTakesOnlyAnID(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	if pid, err := ReadID(file); pid != 0 || err != nil {
		t.Errorf("without a file: %d, %v", pid, err)
	}
	for text, want := range map[string]int{"12\n": 12, "12": 12, "": 0, "-1\n": 0, "x": 0, "1 2": 0} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if pid, err := ReadID(file); pid != want || err != nil {
			t.Errorf("ReadID of %q = %d, %v, want %d", text, pid, err, want)
		}
	}
	if err := WriteID(file, 7); err != nil {
		t.Fatal(err)
	}
	if pid, err := ReadID(file); pid != 7 || err != nil {
		t.Errorf("ReadID after WriteID = %d, %v", pid, err)
	}
}

func TestUnderFindsProgramsOfTheFolderOnly(t *testing.T) {
	cat, err := exec.LookPath("cat")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(cat)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "bootstrap"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	ours, _ := child(t, filepath.Join(folder, "bootstrap"))
	other, _ := child(t, cat)
	found := Under(folder)
	if !slices.Contains(found, ours.Process.Pid) || slices.Contains(found, other.Process.Pid) {
		t.Errorf("Under = %v, ours is %d", found, ours.Process.Pid)
	}
	if found := Under(filepath.Join(folder, "boot")); len(found) != 0 {
		t.Errorf("a folder with a similar name gave %v", found)
	}
}

func TestAPortIsFreeTakenAndListening(t *testing.T) {
	port, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	if port < firstPort || port >= firstPort+portCount {
		t.Errorf("port %d is one that an outgoing connection may get", port)
	}
	if Listening(port) {
		t.Errorf("something answers on the free port %d", port)
	}
	listener, err := net.Listen("tcp", local(port))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if !PortTaken(port) || !Listening(port) {
		t.Errorf("taken %v, listening %v", PortTaken(port), Listening(port))
	}
}
