package wiring_test

import (
	"os"
	"path/filepath"
	"testing"

	"paddock/shared/wiring"
)

func TestFilesOfTheArchiveLieBesideTheProgram(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "PADDOCK_CLOCK_FILE": ""} {
		t.Setenv(name, value)
	}
	for value, want := range map[string]string{"": "", "passwords.filter": filepath.Join(filepath.Dir(program), "passwords.filter"), "/elsewhere/x": "/elsewhere/x"} {
		t.Setenv("PADDOCK_PASSWORD_FILTER", value)
		c, err := wiring.FromEnvironment()
		if err != nil {
			t.Fatal(err)
		}
		if c.PasswordFilter != want {
			t.Errorf("%q lies at %q, want %q", value, c.PasswordFilter, want)
		}
	}
}
