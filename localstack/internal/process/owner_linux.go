package process

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// Runs reports whether the process exists and was started with argument among
// its command line: after a restart of the machine an old id may belong to
// somebody else.
func Runs(pid int, argument string) bool {
	if !Alive(pid) {
		return false
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return false
	}
	for part := range bytes.SplitSeq(text, []byte{0}) {
		if strings.Contains(string(part), argument) {
			return true
		}
	}
	return false
}
