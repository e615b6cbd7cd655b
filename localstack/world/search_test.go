package world_test

import (
	"net/http"
	"net/url"
	"testing"

	"paddock/localstack/world"
	"paddock/shared/audit"
)

// TestASearchForWhatIsNotThereEnds looks for what no event matches in a log of
// more events than one request reads: each request is bounded, and the cursors
// lead to the end.
func TestASearchForWhatIsNotThereEnds(t *testing.T) {
	const events, perRead, mostReads = 560, 25, 20
	w := walk(t, "searched", 3)
	asked := 0
	for i := range events {
		if err := w.Me.Want(t.Context(), http.StatusOK, "PATCH", "/api/workspaces/preferences/-/", map[string]int{"invite_ttl": 3600 + i}, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, filter := range []string{"?app=nothing", "?app=nothing&user=" + me(t, w)} {
		cursor, requests := "", 0
		for {
			r := &world.Recorder{}
			if err := w.Cold(r); err != nil {
				t.Fatal(err)
			}
			var log struct {
				Next    string
				Results []struct{ ID string }
			}
			if err := w.Me.Want(t.Context(), http.StatusOK, "GET", "/api/audit/activity/"+filter+"&page_size=25"+cursor, nil, &log); err != nil {
				t.Fatal(err)
			}
			requests++
			asked++
			reads := 0
			for _, c := range r.Calls() {
				if c.Operation == "Query" {
					reads++
				}
			}
			if reads > mostReads || len(log.Results) > 0 {
				t.Errorf("%s: %d reads, %d events", filter, reads, len(log.Results))
			}
			if log.Next == "" {
				break
			}
			cursor = "&cursor=" + url.QueryEscape(log.Next)
		}
		if least := events/(perRead*mostReads) + 1; requests < least {
			t.Errorf("%s: %d requests went through %d events, want at least %d", filter, requests, events, least)
		}
	}
	// Reading the log is an event itself.
	logged := 0
	stored, err := shared.InspectStored(t.Context(), w.ID)
	if err != nil {
		t.Error(err)
	}
	for _, e := range stored {
		if e.Kind == audit.AuditRead {
			logged++
		}
	}
	if logged != asked {
		t.Errorf("%d reads of the log are logged, %d were made", logged, asked)
	}
}

// me returns the id of the walk's account.
func me(t *testing.T, w *world.Walk) string {
	t.Helper()
	var account struct{ ID string }
	if err := w.Me.Want(t.Context(), http.StatusOK, "GET", "/api/iam/users/-/", nil, &account); err != nil {
		t.Fatal(err)
	}
	return account.ID
}
