package message_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"paddock/shared/message"
)

// last is the newest template; the one after it is unknown.
const last = message.FormerAddress

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

// TestCodesToPhonesSayWhatTheyAreFor renders each code as text and as call: it
// says the code and what it is for, and holds nothing that a phone makes a link
// of, whatever the workspace is called.
func TestCodesToPhonesSayWhatTheyAreFor(t *testing.T) {
	for template, purpose := range map[message.Template]string{
		message.SignInCode: "sign in to", message.StepUpCode: "verify a protected action", message.ConfirmCode: "confirm this number",
	} {
		for channel, code := range map[message.Channel]string{message.SMS: "012345", message.Voice: "0, 1, 2, 3, 4, 5"} {
			r, err := message.Render(message.Message{
				Channel: channel, Template: template, To: "+31612345678", Code: "012345", Workspace: "https://evil.example/\n@x", Link: "https://evil.example/",
			})
			if err != nil {
				t.Fatal(err)
			}
			if r.Channel != channel || r.To != "+31612345678" || !strings.Contains(r.Text, code) || !strings.Contains(r.Text, purpose) {
				t.Errorf("template %d by %s: %+v", template, channel, r)
			}
			if strings.ContainsAny(r.Text, "/@\n{}") || strings.Contains(r.Text, "evil.example") {
				t.Errorf("template %d by %s: %q", template, channel, r.Text)
			}
		}
	}
	for _, channel := range []message.Channel{message.SMS, message.Voice} {
		if _, err := message.Render(message.Message{Channel: channel, Template: message.PasswordReset}); !errors.Is(err, message.ErrUnknownTemplate) {
			t.Errorf("a link by %s: %v", channel, err)
		}
	}
}
