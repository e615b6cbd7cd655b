package world_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"paddock/localstack/world"
	"paddock/shared/audit"
)

// pending returns which address of an account waits for its confirmation.
func pending(t *testing.T, w *world.Walk, path string) string {
	t.Helper()
	var document struct {
		Pending string `json:"pending_email"`
	}
	if err := want(t, w.Me, http.StatusOK, "GET", path, nil).Decode(http.StatusOK, &document); err != nil {
		t.Fatal(err)
	}
	return document.Pending
}

// TestAPendingAddressIsCancelled sends the present address: its owner does, and
// an administrator; the link that was mailed opens nothing more.
func TestAPendingAddressIsCancelled(t *testing.T) {
	w := relaxed(t, "cancel")
	ann := made(t, w, "ann", "member", "203.0.113.201").enrolled(t)
	stranger := w.Entries.Visitor(w.Slug, "203.0.113.202")
	const own = "/api/iam/users/-/"
	for _, c := range []struct {
		name string
		do   func()
	}{
		{"its owner", func() { want(t, ann.Visitor, http.StatusOK, "PATCH", own, map[string]string{"email": ann.email}) }},
		{"an administrator", func() { want(t, w.Me, http.StatusOK, "PATCH", ann.path, map[string]string{"email": ann.email}) }},
	} {
		to := "ann." + c.name[:2] + "@moved.example"
		want(t, ann.Visitor, http.StatusOK, "PATCH", own, map[string]string{"email": to})
		token := mailed(t, w, to, "/confirm-email")
		// Who sends the document as it was read cancels nothing.
		var document map[string]any
		if err := want(t, w.Me, http.StatusOK, "GET", ann.path, nil).Decode(http.StatusOK, &document); err != nil {
			t.Fatal(err)
		}
		document["first_name"] = "Ann of " + c.name
		want(t, w.Me, http.StatusOK, "PATCH", ann.path, document)
		if got := pending(t, w, ann.path); got != to {
			t.Errorf("%s: %q waits, want %q", c.name, got, to)
		}
		c.do()
		if got := pending(t, w, ann.path); got != "" {
			t.Errorf("%s: %q still waits", c.name, got)
		}
		refused(t, stranger, "link_not_found", "POST", "/api/auth/email/confirm/", map[string]string{"token": token})
	}
	if got := cancelled(t, w); !slices.Equal(got, []string{"a***@moved.example", "a***@moved.example"}) {
		t.Errorf("events tell of %v", got)
	}
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, http.StatusOK, "PATCH", ann.path, map[string]string{"email": "ann@late.example"})
	shared.Clock.Advance(20 * time.Minute)
	refused(t, w.Me, "auth_mfa_required", "PATCH", ann.path, map[string]string{"email": ann.email})
	refused(t, ann.Visitor, "auth_mfa_required", "PATCH", own, map[string]string{"email": ann.email})
	want(t, stranger, http.StatusNoContent, "POST", "/api/auth/email/confirm/", map[string]string{"token": mailed(t, w, "ann@late.example", "/confirm-email")})
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// cancelled returns the pending addresses that events say were taken away.
func cancelled(t *testing.T, w *world.Walk) (out []string) {
	t.Helper()
	events, err := w.Events(t.Context())
	if err != nil {
		t.Error(err)
	}
	for _, e := range events {
		for _, c := range e.Changes {
			if e.Kind == audit.UserUpdated && c.Path == "pending_email" && c.After == "" {
				out = append(out, c.Before)
			}
		}
	}
	return out
}
