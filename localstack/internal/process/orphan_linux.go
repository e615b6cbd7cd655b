package process

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Under returns the ids of processes whose program file lies in folder. After
// a hard stop of the engine these are the function processes it left behind.
func Under(folder string) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	prefix := filepath.Clean(folder) + string(filepath.Separator)
	var found []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		program, err := os.Readlink(filepath.Join("/proc", entry.Name(), "exe"))
		if err == nil && strings.HasPrefix(program, prefix) {
			found = append(found, pid)
		}
	}
	return found
}
