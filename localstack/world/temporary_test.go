package world_test

import (
	"net/http"
	"reflect"
	"testing"
	"time"
)

// TestATemporaryPasswordEnds signs in with one at its end, and with a wrong
// one: nothing tells the two apart. The mailed link is the way in then.
func TestATemporaryPasswordEnds(t *testing.T) {
	w := relaxed(t, "pw-ends")
	const word, email = "chosen-by-somebody-else", "tim@people.example"
	want(t, w.Me, http.StatusOK, "PATCH", "/api/workspaces/preferences/-/", map[string]int{"invite_ttl": 7200})
	var made struct{ ID string }
	if err := want(t, w.Me, http.StatusCreated, "POST", users, map[string]string{"username": "tim", "email": email, "password": word}).Decode(http.StatusCreated, &made); err != nil {
		t.Fatal(err)
	}
	end := shared.Clock.Now().Add(2 * time.Hour)
	until := func() *time.Time {
		t.Helper()
		if err := w.Fresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		var document struct {
			Until *time.Time `json:"temporary_password_until"`
		}
		if err := want(t, w.Me, http.StatusOK, "GET", users+made.ID+"/", nil).Decode(http.StatusOK, &document); err != nil {
			t.Fatal(err)
		}
		return document.Until
	}
	if at := until(); at == nil || !at.Equal(end) {
		t.Errorf("it ends at %v, want %v", at, end)
	}
	refused(t, w.Me, "read_only", "PATCH", users+made.ID+"/", map[string]any{"temporary_password_until": "2099-01-01T00:00:00Z"})
	right := map[string]string{"login": "tim", "password": word}
	wrong := map[string]string{"login": "tim", "password": "chosen-by-nobody-at-all"}
	tim := w.Entries.Visitor(w.Slug, "203.0.113.191")
	shared.Clock.Advance(end.Add(-1).Sub(shared.Clock.Now()))
	want(t, tim, http.StatusOK, "POST", signin, right)
	shared.Clock.Advance(1)
	stranger := w.Entries.Visitor(w.Slug, "203.0.113.192")
	shape(t, w, stranger, signin, wrong) // warms the functions
	if ended, never := shape(t, w, stranger, signin, right), shape(t, w, stranger, signin, wrong); !reflect.DeepEqual(ended, never) {
		t.Errorf("ended:\n%+v\nwrong:\n%+v", ended, never)
	}
	refused(t, stranger, "invalid_credentials", "POST", "/api/auth/login/", map[string]string{"username": "tim", "password": word})
	want(t, stranger, http.StatusAccepted, "POST", forgot, map[string]string{"login": "tim"})
	want(t, stranger, http.StatusNoContent, "POST", reset, map[string]string{"token": mailed(t, w, email, "/reset-password"), "password": "chosen-by-tim-himself"})
	want(t, stranger, http.StatusOK, "POST", signin, map[string]string{"login": "tim", "password": "chosen-by-tim-himself"})
	want(t, stranger, http.StatusOK, "GET", "/api/status/", nil)
	if at := until(); at != nil {
		t.Errorf("a password that its owner chose ends at %v", at)
	}
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}
