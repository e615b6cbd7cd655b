package browser_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"paddock/localstack/browser"
)

func TestFind(t *testing.T) {
	folder := t.TempDir()
	write := func(name, version string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\necho '"+version+"'\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, other := write("mine", "Chromium 150.0"), write("other", "Firefox 150.0")
	for _, c := range []struct {
		name, variable, path, want string
		none, fails                bool
	}{
		{name: "the variable wins", variable: good, want: good},
		{name: "a variable that names another program is refused", variable: other, fails: true},
		{name: "a variable that names nothing is refused", variable: filepath.Join(folder, "absent"), fails: true},
		{name: "nothing anywhere says what to do", path: t.TempDir(), none: true, fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("PATH", c.path)
			got, err := browser.Find(t.Context(), func(string) string { return c.variable })
			if got != c.want || (err != nil) != c.fails || errors.Is(err, browser.ErrNone) != c.none {
				t.Fatalf("Find = %q, %v", got, err)
			}
		})
	}
}
