package toolchain

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestVersionIsReadFromWhatToolsPrint(t *testing.T) {
	for _, test := range []struct {
		text         string
		major, minor int
		ok           bool
	}{
		{"go version go1.26.8 linux/amd64", 1, 26, true},
		{"v24.1.0\n", 24, 1, true},
		{"Python 3.10.13", 3, 10, true},
		{"no number", 0, 0, false},
		{"", 0, 0, false},
		{"99999999999999999999.1", 0, 0, false},
	} {
		major, minor, ok := version(test.text)
		if major != test.major || minor != test.minor || ok != test.ok {
			t.Errorf("version(%q) = %d, %d, %v", test.text, major, minor, ok)
		}
	}
}

func TestFindNamesWhatIsMissingAndWhatIsOld(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("PATH", folder)
	for name, output := range map[string]string{"old": "tool 1.9", "new": "tool 2.0", "broken": "x"} {
		script := "#!/bin/sh\necho '" + output + "'\n"
		if err := os.WriteFile(filepath.Join(folder, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name     string
		programs []string
		want     string // part of the error; empty for success
	}{
		{"new enough", []string{"new"}, ""},
		{"the second is new enough", []string{"old", "new"}, ""},
		{"too old", []string{"old"}, "Tool 2.0 or newer is needed, this machine has 1.9. Ask."},
		{"absent", []string{"none"}, "Tool 2.0 or newer is needed and was not found. Ask."},
		{"prints no version", []string{"broken"}, "was not found"},
	} {
		t.Run(test.name, func(t *testing.T) {
			tool := Tool{Name: "Tool", Programs: test.programs, Argument: "--version", Major: 2, Hint: "Ask."}
			err := Check(t.Context(), []Tool{tool})
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("Check = %v, want %q", err, test.want)
			}
		})
	}
}

func TestInstalledFollowsTheLockFile(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := func(want bool) {
		t.Helper()
		if got, err := Engine.Installed(root); got != want || err != nil {
			t.Errorf("Installed = %v, %v, want %v", got, err, want)
		}
	}
	write("localstack/requirements.lock", "# x\nministack==1.2.3 \\\n    --hash=sha256:0\n")
	want(false)
	sum, err := Engine.fingerprint(root)
	if err != nil {
		t.Fatal(err)
	}
	write(".local/venv/lock.sha256", sum)
	want(false)
	write(".local/venv/bin/python", "")
	want(true)
	if version, err := EngineVersion(root); version != "1.2.3" || err != nil {
		t.Errorf("EngineVersion = %q, %v", version, err)
	}
	write("localstack/requirements.lock", "# changed\n")
	want(false)
}

// TestEachPackagesHaveTheirOwnPlace keeps one lock's packages from replacing
// the other's.
func TestEachPackagesHaveTheirOwnPlace(t *testing.T) {
	if Engine.venv("/r") == Tester.venv("/r") || Engine.lockFile("/r") == Tester.lockFile("/r") {
		t.Error("the engine and the tester share a lock or a venv")
	}
}
