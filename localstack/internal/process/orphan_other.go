//go:build !linux

package process

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Under returns the ids of processes whose program file lies in folder. After
// a hard stop of the engine these are the function processes it left behind.
func Under(folder string) []int {
	listing, err := exec.Command("ps", "-axo", "pid=,comm=").Output()
	if err != nil {
		return nil
	}
	prefix := filepath.Clean(folder) + string(filepath.Separator)
	var found []int
	for line := range strings.Lines(string(listing)) {
		number, program, _ := strings.Cut(strings.TrimSpace(line), " ")
		pid, err := strconv.Atoi(number)
		if err == nil && strings.HasPrefix(strings.TrimSpace(program), prefix) {
			found = append(found, pid)
		}
	}
	return found
}
