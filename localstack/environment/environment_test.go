package environment

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func sample() Environment {
	return Environment{
		BaseURL: "http://localhost:8080", Workspace: Workspace{Slug: "demo", ID: "1"},
		Accounts: []Account{
			{Role: "staff", Email: "jane@example.com", Username: "superuser"},
			{Role: "superuser", Email: "john@example.com", Username: "john"},
		},
	}
}

func TestSaveKeepsAllAndOnlyForItsOwner(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, ".local"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(root); !errors.Is(err, ErrNone) {
		t.Errorf("Load without a file: %v, want ErrNone", err)
	}
	if err := Save(root, sample()); err != nil {
		t.Fatal(err)
	}
	got, err := Load(root)
	if err != nil || !reflect.DeepEqual(got, sample()) {
		t.Errorf("Load = %+v, %v", got, err)
	}
	stat, err := os.Stat(File(root))
	if err != nil || stat.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v, want 0600 (err %v)", stat.Mode(), err)
	}
}

func TestAccountIsFoundByNameBeforeRole(t *testing.T) {
	for _, test := range []struct {
		name, wantEmail string
		wantFound       bool
	}{
		{"john", "john@example.com", true},
		{"jane@example.com", "jane@example.com", true},
		{"staff", "jane@example.com", true},
		{"superuser", "jane@example.com", true}, // a username wins over a role
		{"nobody", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, found := sample().Account(test.name)
			if found != test.wantFound || got.Email != test.wantEmail {
				t.Errorf("Account(%q) = %q, %v", test.name, got.Email, found)
			}
		})
	}
}
