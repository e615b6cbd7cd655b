package world_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paddock/shared/credential"
	"paddock/shared/id"
)

// TestRegistrationTokensThatOpenNothing presents tokens that are wrong, of
// another workspace, ended, removed, and of whom may make none any more: each is
// answered alike and has its event, and no server is there.
func TestRegistrationTokensThatOpenNothing(t *testing.T) {
	w, foreign := relaxed(t, "register"), relaxed(t, "register-foreign")
	staff := made(t, w, "sam", "staff", "203.0.113.43").enrolled(t)
	end := shared.Clock.Now().Add(5 * time.Minute).Truncate(time.Second)
	refused(t, w.Me, "invalid_value", "POST", tokensPath, map[string]any{"name": "late", "expires_at": shared.Clock.Now()})
	brief := newToken(t, w.Me, map[string]any{"name": "brief", "expires_at": end})
	gone := newToken(t, w.Me, map[string]any{"name": "gone"})
	good := newToken(t, w.Me, map[string]any{"name": "good"})
	sams := newToken(t, staff.Visitor, map[string]any{"name": "sams"})
	abroad := newToken(t, foreign.Me, map[string]any{"name": "abroad"})
	if got := paged(t, w.Me, tokensPath+"?search=GO", "name"); !slices.Equal(got, []string{"gone", "good"}) {
		t.Errorf("searched: %v", got)
	}
	want(t, w.Me, http.StatusNoContent, "DELETE", tokensPath+gone.id+"/", nil)
	want(t, w.Me, http.StatusNotFound, "DELETE", tokensPath+gone.id+"/", nil)
	want(t, w.Me, http.StatusNotFound, "DELETE", tokensPath+abroad.id+"/", nil)
	registered(t, w, sams.key, "of-sam")

	shared.Clock.Set(end.Add(-time.Nanosecond))
	registered(t, w, brief.key, "just-in-time")
	shared.Clock.Set(end)
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, http.StatusOK, "PATCH", staff.path, map[string]any{"is_staff": false})
	parsed, err := id.ParseUUID(good.id)
	if err != nil {
		t.Fatal(err)
	}
	body := map[string]any{"name": "never", "platform": "debian"}
	var answers []string
	for _, key := range []string{
		brief.key, gone.key, sams.key, abroad.key, "alprt-x", w.Me.Cookie(), secretOf(t, w, credential.RegistrationKey, parsed), secretOf(t, w, credential.RegistrationKey, id.UUID{}),
	} {
		a := refused(t, agent(w, key), "registration_token_invalid", "POST", registerPath, body)
		answers = append(answers, masked(a))
	}
	if slices.Sort(answers); len(slices.Compact(answers)) != 1 {
		t.Errorf("refusals are told apart: %v", answers)
	}
	refused(t, w.Entries.Visitor(w.Slug, "198.51.100.21"), "authentication_required", "POST", registerPath, body)
	if got := paged(t, w.Me, serversPath, "name"); !slices.Equal(got, []string{"just-in-time", "of-sam"}) {
		t.Errorf("servers: %v", got)
	}
	if got, want := rejectedSecrets(t, w), []string{
		registerPath + " alprt- expired", registerPath + " alprt- foreign", registerPath + " alprt- revoked", registerPath + " alprt- unknown",
		registerPath + " alprt- unknown", registerPath + " alprt- unknown", registerPath + " malformed", registerPath + " pdks_ unknown",
	}; !slices.Equal(got, want) {
		t.Errorf("refused are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	enabled := want(t, w.Me, http.StatusOK, "GET", tokensPath, nil)
	var page struct {
		Results []struct {
			Name    string
			Enabled bool
		}
	}
	if err := json.Unmarshal(enabled.Body, &page); err != nil {
		t.Fatal(err)
	}
	for _, r := range page.Results {
		if r.Enabled != (r.Name == "good") {
			t.Errorf("%s is enabled: %t", r.Name, r.Enabled)
		}
	}
	if strings.Contains(string(enabled.Body), "alprt-") {
		t.Errorf("the list shows keys: %s", enabled.Body)
	}
	settled(t, w)
}

// TestOneNameIsOneServers lets two machines register one name at once: exactly
// one does.
func TestOneNameIsOneServers(t *testing.T) {
	w := relaxed(t, "server-race")
	token := newToken(t, w.Me, map[string]any{"name": "fleet"})
	for round := range 3 {
		statuses := make([]int, 4)
		var wait sync.WaitGroup
		for i := range statuses {
			wait.Go(func() {
				a, err := agent(w, token.key).Do(t.Context(), "POST", registerPath, map[string]any{"name": fmt.Sprint("web-", round), "platform": "rhel"})
				if err == nil {
					statuses[i] = a.Status
				}
			})
		}
		wait.Wait()
		won := 0
		for _, s := range statuses {
			if s == http.StatusCreated {
				won++
			} else if s != http.StatusConflict && s != http.StatusServiceUnavailable {
				t.Errorf("answered %d", s)
			}
		}
		if got := paged(t, w.Me, serversPath+"?name=web-"+fmt.Sprint(round), "id"); won != 1 || len(got) != 1 {
			t.Errorf("round %d: %v, %d servers", round, statuses, len(got))
		}
	}
	for _, body := range []map[string]any{{"name": "a b", "platform": "rhel"}, {"name": "", "platform": "rhel"}, {"name": "fine", "platform": "plan9"}, {"name": nobody, "platform": "rhel"}} {
		refused(t, agent(w, token.key), "invalid_value", "POST", registerPath, body)
	}
	refused(t, agent(w, token.key), "server_name_in_use", "POST", registerPath, map[string]any{"name": "web-0", "platform": "rhel"})
	settled(t, w)
}

// TestATokenGivesNoMoreThanItsMakerMay holds that a token puts servers only
// into groups that its maker may change, then and now.
func TestATokenGivesNoMoreThanItsMakerMay(t *testing.T) {
	w := relaxed(t, "token-ceiling")
	staff := prover(t, w, "sam", "staff", "203.0.113.44")
	mia := made(t, w, "mia", "member", "203.0.113.45")
	group, gone := newGroup(t, w.Me, map[string]any{"name": "open"}), newGroup(t, w.Me, map[string]any{"name": "gone"})
	token := newToken(t, staff.Visitor, map[string]any{"name": "fleet", "allowed_groups": []string{group, gone}})
	want(t, w.Me, http.StatusNoContent, "DELETE", groupsPath+gone+"/", nil)
	join(t, w.Me, group, mia, "member")
	path := registered(t, w, token.key, "db-1")
	want(t, mia.Visitor, http.StatusOK, "GET", path, nil)
	if d := want(t, w.Me, http.StatusOK, "GET", path, nil); !strings.Contains(string(d.Body), staff.idOf()) {
		t.Errorf("the owner is not the token's maker: %s", d.Body)
	}
	refused(t, mia.Visitor, "permission_denied", "POST", tokensPath, map[string]any{"name": "mine"})
	settled(t, w)
}
