package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// Console builds the web console into the folder that the console function
// embeds. It does nothing when no file of the source changed since the last
// time and the result is still there.
func Console(ctx context.Context, root string) error {
	want, err := sourceSum(filepath.Join(root, "web"))
	if err != nil {
		return fmt.Errorf("build the console: %w", err)
	}
	free, err := lock(filepath.Join(root, ".local", "console.lock"))
	if err != nil {
		return fmt.Errorf("build the console: %w", err)
	}
	defer free()
	stamp := filepath.Join(root, ".local", "console.sha256")
	if got, err := os.ReadFile(stamp); err == nil && string(got) == want && consoleBuilt(root) {
		return nil
	}
	if !packagesInstalled(root) {
		if err := npm(ctx, root, "ci", "--no-audit", "--no-fund"); err != nil {
			return fmt.Errorf("install the console's packages: %w", err)
		}
	}
	if err := npm(ctx, root, "run", "build"); err != nil {
		return fmt.Errorf("build the console: %w", err)
	}
	if !consoleBuilt(root) {
		return fmt.Errorf("build the console: npm run build left no index.html in shared/console/dist")
	}
	if err := os.WriteFile(stamp, []byte(want), 0o644); err != nil {
		return fmt.Errorf("build the console: %w", err)
	}
	return nil
}

func consoleBuilt(root string) bool {
	_, err := os.Stat(filepath.Join(root, "shared", "console", "dist", "index.html"))
	return err == nil
}

// packagesInstalled reports whether npm finished an installation after the
// lock file was last changed.
func packagesInstalled(root string) bool {
	lock, err := os.Stat(filepath.Join(root, "web", "package-lock.json"))
	if err != nil {
		return false
	}
	installed, err := os.Stat(filepath.Join(root, "web", "node_modules", ".package-lock.json"))
	return err == nil && !installed.ModTime().Before(lock.ModTime())
}

func npm(ctx context.Context, root string, arguments ...string) error {
	if _, err := exec.LookPath("npm"); err != nil {
		return errors.New("npm was not found; it comes with Node.js, and Debian and Ubuntu keep it in a package of that name")
	}
	cmd := exec.CommandContext(ctx, "npm", arguments...)
	cmd.Dir = filepath.Join(root, "web")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm %s: %w\n%s", arguments[0], err, out)
	}
	return nil
}

// sourceSum is a hash over names and contents of the files in folder, without
// what is installed or built there.
func sourceSum(folder string) (string, error) {
	sum := sha256.New()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name := entry.Name(); name == "node_modules" || path == filepath.Join(folder, "dist") {
				return fs.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(sum, "%d %s %d\n", len(name), filepath.ToSlash(name), len(text))
		if err != nil {
			return err
		}
		_, err = sum.Write(text)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}
