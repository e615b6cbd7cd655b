package alpacon

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// A Line is what is typed when a prompt is shown.
type Line struct{ Prompt, Text string }

// Dialogue runs a command at a terminal and types each line when its prompt is
// shown, in this order. It returns all that was printed; the command must ask
// for everything and succeed.
func (p Program) Dialogue(t testing.TB, lines []Line, arguments ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	cmd := p.command(ctx, arguments...)
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var all strings.Builder
	chunk := make([]byte, 4096)
	read := func() bool {
		n, err := terminal.Read(chunk) // fails when the command has ended
		all.Write(chunk[:n])
		return err == nil
	}
	seen := 0
	for _, line := range lines {
		at := -1
		for more := true; more; more = read() {
			if at = strings.Index(all.String()[seen:], line.Prompt); at >= 0 {
				break
			}
		}
		if at < 0 {
			_ = cmd.Wait() // how it ended is told by what it printed
			t.Fatalf("alpacon %v does not ask for %q:\n%s", arguments, line.Prompt, all.String())
		}
		seen += at + len(line.Prompt)
		// A return ends a line whether or not the terminal is raw.
		if _, err := terminal.WriteString(line.Text + "\r"); err != nil {
			t.Fatal(err)
		}
	}
	for read() {
		continue
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("alpacon %v: %v\n%s", arguments, err, all.String())
	}
	return all.String()
}

// Verified runs a command at a terminal that asks its owner to verify in a
// browser; give is called with the secret of the link that is shown. The command
// must then succeed. It returns all that was printed.
func (p Program) Verified(t testing.TB, give func(token string), arguments ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	cmd := p.command(ctx, arguments...)
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var all strings.Builder
	link, given, chunk := regexp.MustCompile(`/verify#([A-Za-z0-9_]+)\s`), false, make([]byte, 4096)
	for {
		n, err := terminal.Read(chunk) // fails when the command has ended
		all.Write(chunk[:n])
		if match := link.FindStringSubmatch(all.String()); match != nil && !given {
			given = true
			give(match[1])
		}
		if err != nil {
			break
		}
	}
	if err := cmd.Wait(); err != nil || !given {
		t.Fatalf("alpacon %v: %v, asked %t\n%s", arguments, err, given, all.String())
	}
	return all.String()
}
