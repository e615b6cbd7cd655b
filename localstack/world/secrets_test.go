package world_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"paddock/localstack/world"
)

// TestNothingPlantedStandsInTheClear walks the journey and looks for names,
// addresses and secrets in every attribute of every table, in every object, on
// every queue and in every line that was logged.
func TestNothingPlantedStandsInTheClear(t *testing.T) {
	w := walk(t, "canary", 8)
	for _, step := range w.Steps() {
		if strings.HasPrefix(step.Name, "codes by ") {
			if err := w.Take(t.Context(), step); err != nil {
				t.Fatal(err)
			}
		}
	}
	secrets := append([]string{
		world.Password, world.FirstName, world.LastName, world.Mailbox, world.Colleague, "zerlinda", world.PhoneNumber, world.PhoneNumber[1:], w.Secret, w.Me.Cookie(),
	}, w.Codes...)
	link, err := w.Link(w.Email(), "/invitation")
	if err != nil {
		t.Fatal(err)
	}
	line, err := w.CommandLine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	bot := tokenOf(t, w, w.Me, scope(world.TokenName, "user:read"))
	want(t, w.Me, http.StatusCreated, "POST", commandACL, map[string]string{"token": bot.id, "command": world.RuleWord + " --now"})
	want(t, bot.Visitor, http.StatusOK, "GET", "/api/iam/users/", nil)
	refused(t, bot.Visitor, "token_not_allowed", "GET", apiTokens, nil)
	secrets = append(secrets, bot.key, bot.key[6:], world.TokenName, world.RuleWord)
	app := field(t, want(t, w.Me, http.StatusCreated, "POST", appsPath, map[string]any{"name": world.ApplicationName, "description": world.ApplicationText, "scopes": []string{"user:read"}}), "id")
	crane := service(t, w, w.Me, appsPath+app+"/", called(world.TokenName))
	want(t, crane.Visitor, http.StatusOK, "GET", "/api/iam/users/", nil)
	secrets = append(secrets, crane.key, crane.key[6:], world.ApplicationName, world.ApplicationText)
	secrets = append(append(secrets, link, line.Refresh, line.Access), line.Codes...)
	secrets = append(secrets, world.ServerName, world.NoteContent, plantServer(t, w, me(t, w)))
	slog.Info("a line to look at") // the functions may have had nothing to say
	found, looked, err := shared.Search(t.Context(), secrets)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Error(f)
	}
	for _, place := range []string{"items", "objects", "tickets", "log lines"} {
		if looked[place] == 0 {
			t.Errorf("no %s were looked at", place)
		}
	}
	// The search itself must see: the workspace's slug does stand in the clear.
	if found, _, err = shared.Search(t.Context(), []string{w.Slug}); err != nil || len(found) == 0 {
		t.Errorf("the search finds nothing that is there: %v", err)
	}
	t.Logf("%d words in %v", len(secrets), looked)
}
