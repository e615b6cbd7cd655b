package wiring_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"paddock/shared/wiring"
)

// TestLogsMaskSecrets writes one as message, as text and as error.
func TestLogsMaskSecrets(t *testing.T) {
	secret := "alpat-" + strings.Repeat("a1B2", 23)
	var out bytes.Buffer
	wiring.Log(&out).Error("sent "+secret, "path", "/?key="+secret, "err", errors.New("no "+secret), "n", 1)
	if text := out.String(); strings.Contains(text, "a1B2") || strings.Count(text, "alpat-[redacted]") != 3 {
		t.Errorf("the line is %s", text)
	}
}
