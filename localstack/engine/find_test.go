package engine

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paddock/localstack/internal/pki"
)

// checkout returns a folder that has certificates.
func checkout(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	if _, err := pki.Ensure(filepath.Join(root, ".local", "tls"), time.Now()); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestFindTakesAnAddressAndNothingElse(t *testing.T) {
	root := checkout(t)
	for address, port := range map[string]int{
		"https://localhost:4566": 4566, "http://127.0.0.1:1": 1, "https://engine.example": 443, "http://engine": 80,
		"": 0, "localhost:4566": 0, "https://": 0, "https://localhost:4566/": 0, "ftp://localhost:1": 0, "https://localhost:x": 0,
	} {
		e, err := Find(root, address, "")
		if (err == nil) != (port != 0) || err == nil && (e.URL != address || e.Port != port) {
			t.Errorf("Find(%q) = %+v, %v", address, e, err)
		}
	}
	if _, err := Find(root, "https://localhost:1", filepath.Join(root, "absent.crt")); err == nil {
		t.Error("an authority that is not there was trusted")
	}
}

// TestMailboxOfLocalStackIsRead uses the form that LocalStack documents.
func TestMailboxOfLocalStackIsRead(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/_localstack/health":
			fmt.Fprint(w, `{"version": "4.0.0", "services": {}}`)
		case "/_aws/ses":
			fmt.Fprint(w, `{"messages": [{"Id": "1", "Region": "us-east-1", "Source": "a@example.com", "Subject": "Hello",
				"Destination": {"ToAddresses": ["b@example.com"]}, "Body": {"text_part": "Text", "html_part": null}, "Timestamp": "2026-01-02T03:04:05"}]}`)
		case "/_aws/sns/sms-messages":
			fmt.Fprint(w, `{"region": "us-east-1", "sms_messages": {"+31612345678": [{"PhoneNumber": "+31612345678", "TopicArn": null, "Message": "Hello"}]}}`)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	e, err := Find(checkout(t), server.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	texts, err := e.Texts(t.Context())
	if err != nil || len(texts) != 1 || texts[0] != (Text{"+31612345678", "Hello"}) {
		t.Errorf("texts are %+v, %v", texts, err)
	}
	version, err := e.Version(t.Context())
	if err != nil || version != "4.0.0" {
		t.Errorf("version is %q, %v", version, err)
	}
	mails, err := e.Mails(t.Context())
	if err != nil || len(mails) != 1 || mails[0].Subject != "Hello" || mails[0].BodyText != "Text" || mails[0].To[0] != "b@example.com" {
		t.Errorf("mails are %+v, %v", mails, err)
	}
}

func TestTheContainerIsTheEngineThatIsPinned(t *testing.T) {
	lock, err := os.ReadFile("../requirements.lock")
	if err != nil {
		t.Fatal(err)
	}
	compose, err := os.ReadFile("../compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(lock)) {
		version, ok := strings.CutPrefix(line, "ministack==")
		if !ok {
			continue
		}
		version, _, _ = strings.Cut(version, " ")
		if !strings.Contains(string(compose), "image: ministackorg/ministack:"+version+" ") {
			t.Errorf("the container is not version %s", version)
		}
		return
	}
	t.Error("no version is pinned")
}
