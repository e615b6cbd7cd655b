package environment

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ClockFile returns the path of the file by which the functions' clock is
// moved: it holds a signed decimal number of seconds.
func ClockFile(root string) string { return filepath.Join(root, ".local", "clock") }

// Offset returns how far the functions' clock is ahead.
func Offset(root string) (time.Duration, error) {
	text, err := os.ReadFile(ClockFile(root))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", ClockFile(root), err)
	}
	return time.Duration(seconds) * time.Second, nil
}

// SetOffset moves the functions' clock; they see it at their next request.
func SetOffset(root string, offset time.Duration) error {
	fresh := ClockFile(root) + ".new"
	if err := os.WriteFile(fresh, fmt.Appendf(nil, "%d\n", int64(offset/time.Second)), 0o644); err != nil {
		return err
	}
	return os.Rename(fresh, ClockFile(root))
}
