package world_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"paddock/localstack/world"
)

var shared *world.World //nolint:gochecknoglobals // one engine for all tests of a process

// part is set in the processes in which a part of the tests runs.
const part = "PADDOCK_WORLD_PART"

// TestMain runs the tests in a world of their own; the whole package in three
// processes side by side, each with its world: the clock stands still for all
// tests of a world, and an engine works on one request at a time.
func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(part) == "" && everything() {
		os.Exit(sideBySide())
	}
	if flag.Lookup("test.list").Value.String() != "" {
		os.Exit(m.Run())
	}
	os.Exit(inOneWorld(m))
}

func inOneWorld(m *testing.M) int {
	code := 1
	w, err := world.Start(context.Background())
	if err == nil {
		shared = w
		code = m.Run()
		err = w.Stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "world:", err)
		code = 1
	}
	return code
}

// everything reports whether all tests shall run, and nothing else.
func everything() bool {
	for _, name := range []string{"test.run", "test.skip", "test.bench", "test.list", "test.fuzz", "test.cpuprofile", "test.coverprofile"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return true
}

// sideBySide runs the parts and returns the code to exit with.
func sideBySide() int {
	parts, err := parts()
	if err != nil {
		fmt.Fprintln(os.Stderr, "world:", err)
		return 1
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	code := 0
	for i, names := range parts {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0], append(os.Args[1:len(os.Args):len(os.Args)], "-test.run=^("+strings.Join(names, "|")+")$")...)
			cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", part, i+1))
			out, err := cmd.CombinedOutput()
			mu.Lock()
			defer mu.Unlock()
			_, _ = os.Stdout.Write(out)
			if err != nil {
				fmt.Fprintf(os.Stderr, "world: part %d of the tests: %v\n", i+1, err)
				code = 1
			}
		})
	}
	wg.Wait()
	return code
}

// parts returns the names of the tests in parts that take about as long: the
// tests that let every call fail take as long as a third of a part.
func parts() ([3][]string, error) {
	var out [3][]string
	listed, err := exec.Command(os.Args[0], "-test.list=.").Output()
	if err != nil {
		return out, err
	}
	others := 0
	for line := range bytes.Lines(listed) {
		name := strings.TrimSpace(string(line))
		if !strings.HasPrefix(name, "Test") && !strings.HasPrefix(name, "Fuzz") {
			continue
		}
		if strings.HasPrefix(name, "TestEveryCall") {
			out[0] = append(out[0], name)
			continue
		}
		to := []int{1, 2, 0, 1, 2, 0, 1, 2}[others%8]
		others++
		out[to] = append(out[to], name)
	}
	for _, part := range out {
		if len(part) == 0 {
			return out, errors.New("no tests were listed")
		}
	}
	return out, nil
}
