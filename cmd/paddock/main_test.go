package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/alecthomas/kong"

	"paddock/shared/credential/known"
)

// run runs the command as typed.
func run(t *testing.T, typed ...string) error {
	t.Helper()
	var c commands
	k, err := kong.New(&c, kong.BindTo(t.Context(), (*context.Context)(nil)))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := k.Parse(typed)
	if err != nil {
		return err
	}
	return parsed.Run()
}

func TestPasswordsBuild(t *testing.T) {
	folder := t.TempDir()
	from, out := filepath.Join(folder, "hashes"), filepath.Join(folder, "passwords.filter")
	text := "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:3\n" + "AAF4C61DDCC5E8A2DABEDE0F3B482CD9AEA9434D:2\n"
	if err := os.WriteFile(from, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(t, "passwords", "build", "--from", from, "--out", out, "--at-least", "3"); err != nil {
		t.Fatal(err)
	}
	l, err := known.Open(out)
	if err != nil || l.Count() != 1 || !l.Has(known.SumOf("password")) || l.Has(known.SumOf("hello")) {
		t.Errorf("%v, %v", l, err)
	}
	for _, typed := range [][]string{
		{"passwords", "build"},
		{"passwords", "build", "--from", from},
		{"passwords", "build", "--from", from + "x", "--out", out},
		{"passwords", "build", "--from", from, "--out", out, "--at-least", "-1"},
	} {
		if err := run(t, typed...); err == nil {
			t.Errorf("%v was taken", typed)
		}
	}
}
