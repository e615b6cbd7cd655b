package message_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"paddock/shared/message"
)

// last is the newest template; the one after it is unknown.
const last = message.FactorsReset

// TestEveryTemplateRendersAndForgesNothing fills each template with values
// that try to begin lines of their own (security, SR-4).
func TestEveryTemplateRendersAndForgesNothing(t *testing.T) {
	const evil = "x\r\nBcc: all@evil.example\r\n\r\n"
	for template := message.Invitation; template <= last; template++ {
		m := message.Message{
			Channel: message.Mail, Template: template, To: "mia@people.example", Workspace: evil, Person: evil, What: evil, From: evil,
			Link: "https://paddock.example/page#secret", Code: "012345", Until: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC),
		}
		r, err := message.Render(m)
		if err != nil {
			t.Fatalf("template %d: %v", template, err)
		}
		if r.To != m.To || r.Subject == "" || strings.ContainsAny(r.Subject, "\r\n") || r.Text == "" {
			t.Errorf("template %d: to %q, subject %q", template, r.To, r.Subject)
		}
		for line := range strings.SplitSeq(r.Text, "\n") {
			if strings.HasPrefix(line, "Bcc:") || strings.Contains(line, "\r") {
				t.Errorf("template %d: the line %q was forged", template, line)
			}
		}
		if strings.ContainsAny(r.Subject+r.Text, "{}") {
			t.Errorf("template %d: %s", template, r.Text)
		}
	}
	if _, err := message.Render(message.Message{Template: last + 1}); !errors.Is(err, message.ErrUnknownTemplate) {
		t.Errorf("a template after the last: %v", err)
	}
}
