//go:build !linux

package process

import (
	"os/exec"
	"strconv"
	"strings"
)

// Runs reports whether the process exists and was started with argument among
// its command line: after a restart of the machine an old id may belong to
// somebody else.
func Runs(pid int, argument string) bool {
	if !Alive(pid) {
		return false
	}
	command, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(command), argument)
}
