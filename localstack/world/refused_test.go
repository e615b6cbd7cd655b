package world_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/audit"
	"paddock/shared/credential"
	"paddock/shared/id"
	"paddock/shared/tally"
)

const (
	confirmMail = "/api/auth/email/confirm/"
	undoMail    = "/api/auth/email/undo/"
	report      = "/api/auth/report/"
	viewPath    = "/api/auth/invitations/view/"
	acceptPath  = "/api/auth/invitations/accept/"
)

// text returns a field of an event as text, "" when it has none.
func text(e audit.Event, name string) string {
	for _, f := range e.Fields {
		if f.Name() == name {
			return f.Text()
		}
	}
	return ""
}

// rejectedSecrets lists the refused secrets of a workspace as "route prefix
// reason subject", sorted.
func rejectedSecrets(t *testing.T, w *world.Walk) (out []string) {
	t.Helper()
	events, err := w.Events(t.Context())
	if err != nil {
		t.Error(err)
	}
	for _, e := range events {
		if e.Kind == audit.TokenRejected {
			out = append(out, strings.Join(strings.Fields(fmt.Sprintln(e.HTTP.Route, text(e, "prefix"), text(e, "reason"), e.Target.Name)), " "))
		}
	}
	slices.Sort(out)
	return out
}

// secretOf makes a secret of the walk's workspace that nothing is stored of.
func secretOf(t *testing.T, w *world.Walk, p credential.Prefix, principal id.UUID) string {
	t.Helper()
	s, err := credential.New(rand.Reader, p, w.ID.UUID(), principal)
	if err != nil {
		t.Fatal(err)
	}
	return s.Reveal()
}

// presenting is a body with a secret.
func presenting(path, token string) map[string]string {
	body := map[string]string{"token": token}
	if path == reset || path == acceptPath {
		body["password"] = "a-newer-lamp-for-her"
	}
	return body
}

// TestRefusedSecretsLeaveAnEvent presents every kind of secret wrong, used,
// expired, revoked, of another workspace and where another kind is asked for:
// each refusal has one event, which names whose it was and holds no secret.
func TestRefusedSecretsLeaveAnEvent(t *testing.T) {
	w, foreign := relaxed(t, "refused"), relaxed(t, "refused-foreign")
	mia := made(t, w, "mia", "member", "203.0.113.181")
	stranger := w.Entries.Visitor(w.Slug, "198.51.100.191")
	elsewhere := foreign.Entries.Visitor(foreign.Slug, "198.51.100.191")
	var shown, wanted []string
	try := func(v *visitor.Visitor, code, method, path string, body any, secret, event string) {
		t.Helper()
		if len(wanted)%tally.Each == tally.Each-1 {
			shared.Clock.Advance(time.Minute) // each has an event of its own
		}
		a := send(t, v, method, path, body)
		if got := a.Problem().Code + a.OAuthError(); got != code {
			t.Errorf("%s %v: %s, want %s", path, body, got, code)
		}
		shown = append(shown, secret)
		if event != "" {
			wanted = append(wanted, path+" "+event)
		}
	}
	link := func(path, token, event string) {
		t.Helper()
		try(stranger, "link_not_found", "POST", path, presenting(path, token), token, event)
	}
	follow := func(token string) {
		t.Helper()
		want(t, stranger, http.StatusNoContent, "POST", reset, map[string]string{"token": token, "password": mia.word})
	}
	ask := func() string {
		t.Helper()
		want(t, stranger, http.StatusAccepted, "POST", forgot, map[string]string{"login": mia.email})
		return mailed(t, w, mia.email, "/reset-password")
	}

	var me struct{ ID id.ID[id.Principal] }
	if err := want(t, w.Me, http.StatusOK, "GET", mia.path, nil).Decode(http.StatusOK, &me); err != nil {
		t.Fatal(err)
	}
	// Mailed links.
	first := ask()
	for _, path := range []string{confirmMail, undoMail, report} {
		link(path, first, "pdkl_ unknown mia")
	}
	try(elsewhere, "link_not_found", "POST", reset, map[string]string{"token": first}, first, "")
	follow(first)
	link(reset, first, "pdkl_ unknown mia")
	link(reset, "no secret at all", "malformed")
	link(reset, secretOf(t, w, credential.MailedLink, id.UUID{15: 1}), "pdkl_ unknown")
	link(reset, secretOf(t, w, credential.ConsoleSession, me.ID.UUID()), "pdks_ unknown")
	late := ask()
	shared.Clock.Advance(30 * time.Minute)
	link(reset, late, "pdkl_ expired mia")

	// Invitations.
	invite := func() string {
		t.Helper()
		want(t, w.Me, http.StatusCreated, "POST", "/api/workspaces/users/invite/", map[string]string{"email": "ina@people.example"})
		return mailed(t, w, "ina@people.example", "/invitation")
	}
	invitation := func(path, token, event string) {
		t.Helper()
		try(stranger, "invitation_not_found", "POST", path, presenting(path, token), token, event)
	}
	old := invite()
	newer := invite()
	for _, path := range []string{viewPath, acceptPath} {
		invitation(path, old, "pdki_ unknown")
		invitation(path, "nothing", "malformed")
	}
	try(elsewhere, "invitation_not_found", "POST", viewPath, map[string]string{"token": newer}, newer, "")
	shared.Clock.Advance(73 * time.Hour)
	invitation(acceptPath, newer, "pdki_ expired")

	// Device codes: to poll while one waits is no refusal.
	if err := w.SignIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	grant := func(code, device, event string) {
		t.Helper()
		try(stranger, code, "POST", tokenPath, world.PollBody(device), device, event)
	}
	want(t, w.Me, http.StatusOK, "PATCH", security, map[string]string{"cli_login": "browser"})
	o := open(t, w, stranger)
	for range 3 {
		grant("authorization_pending", o.DeviceCode, "")
	}
	grant("invalid_grant", "nothing", "malformed")
	grant("invalid_grant", secretOf(t, w, credential.DeviceCode, id.UUID{15: 1}), "pdkq_ unknown")
	expect(t, w.Me, denyPath, typed(o.UserCode), "204")
	grant("access_denied", o.DeviceCode, "") // denying it was the event
	o = open(t, w, stranger)
	shared.Clock.Advance(10 * time.Minute)
	grant("expired_token", o.DeviceCode, "pdkq_ expired")
	cli := line(t, w)
	grant("invalid_grant", cli.Codes[0], "pdkq_ unknown")

	// Refresh and access tokens.
	refresh := func(token, event string) {
		t.Helper()
		try(stranger, "invalid_grant", "POST", tokenPath, world.RefreshBody(w.Slug, cli.Device, token), token, event)
	}
	refresh("nothing", "malformed")
	refresh(secretOf(t, w, credential.Refresh, me.ID.UUID()), "pdkr_ unknown mia")
	try(elsewhere, "invalid_grant", "POST", tokenPath, world.RefreshBody(foreign.Slug, cli.Device, cli.Refresh), cli.Refresh, "")
	expect(t, cli.Visit, dropPath, nil, "204")
	try(as(stranger, cli.Access), "session_invalid", "GET", "/api/status/", nil, cli.Access, "pdkd_ revoked "+world.Username)
	expect(t, stranger, revokePath, map[string]string{"client_id": "paddock-cli", "token": cli.Refresh}, "200")
	refresh(cli.Refresh, "pdkr_ unknown "+world.Username)
	try(as(stranger, cli.Access), "session_invalid", "GET", "/api/status/", nil, cli.Access, "pdkd_ unknown "+world.Username)

	// Sessions: one that ended, one of an account whose sessions ended, none.
	shared.Clock.Advance(time.Hour)
	mia.signIn(t)
	gone := mia.Cookie()
	want(t, mia.Visitor, http.StatusNoContent, "POST", "/api/auth/logout/", nil)
	try(stranger.WithCookie(gone), "session_invalid", "GET", "/api/status/", nil, gone, "pdks_ unknown mia")
	mia.signIn(t)
	gone = mia.Cookie()
	want(t, mia.Visitor, http.StatusNoContent, "POST", "/api/auth/sessions/end-all/", nil)
	try(stranger.WithCookie(gone), "session_invalid", "GET", "/api/status/", nil, gone, "pdks_ revoked mia")
	try(stranger.WithCookie("nothing"), "session_invalid", "GET", "/api/status/", nil, "", "malformed")
	refused(t, stranger, "authentication_required", "GET", "/api/status/", nil)

	slices.Sort(wanted)
	if got := rejectedSecrets(t, w); !slices.Equal(got, wanted) {
		t.Errorf("the events are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(wanted, "\n"))
	}
	far := []string{viewPath + " pdki_ foreign", reset + " pdkl_ foreign", tokenPath + " pdkr_ foreign"}
	if got := rejectedSecrets(t, foreign); !slices.Equal(got, far) {
		t.Errorf("the events of the other workspace are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(far, "\n"))
	}
	for _, in := range []*world.Walk{w, foreign} {
		events, err := in.Events(t.Context())
		if err != nil {
			t.Error(err)
		}
		for _, e := range events {
			whole := fmt.Sprintf("%+v", e)
			if slices.ContainsFunc(shown, func(secret string) bool { return len(secret) > 20 && strings.Contains(whole, secret) }) {
				t.Errorf("an event holds a secret: %s", whole)
			}
		}
		settled(t, in)
	}
}

// TestRefusedSecretsTellNobody compares what a stranger sees of links that name
// an account and links that name none.
func TestRefusedSecretsTellNobody(t *testing.T) {
	w := relaxed(t, "refused-alike")
	mia := made(t, w, "mia", "member", "203.0.113.182")
	var me struct{ ID id.ID[id.Principal] }
	if err := want(t, w.Me, http.StatusOK, "GET", mia.path, nil).Decode(http.StatusOK, &me); err != nil {
		t.Fatal(err)
	}
	v := w.Entries.Visitor(w.Slug, "198.51.100.192")
	for _, c := range []struct {
		path string
		kind credential.Prefix
	}{{reset, credential.MailedLink}, {confirmMail, credential.MailedLink}, {undoMail, credential.MailedLink}, {report, credential.MailedLink}, {viewPath, credential.Invitation}, {acceptPath, credential.Invitation}} {
		atMinute()
		of := func(principal id.UUID) same {
			return shape(t, w, v, c.path, presenting(c.path, secretOf(t, w, c.kind, principal)))
		}
		of(id.UUID{15: 1}) // warms
		if nobody, somebody := of(id.UUID{15: 2}), of(me.ID.UUID()); !reflect.DeepEqual(nobody, somebody) {
			t.Errorf("%s:\n%+v\nwant\n%+v", c.path, somebody, nobody)
		}
	}
}

// TestRefusalsOfEachKindAreCounted makes more refusals in a minute than have an
// event each, of each kind that is counted: one event stands for the rest.
func TestRefusalsOfEachKindAreCounted(t *testing.T) {
	const over = 3
	w := relaxed(t, "refused-often")
	mia := made(t, w, "mia", "member", "203.0.113.183")
	atMinute()
	shared.Clock.Advance(shared.Clock.Now().Truncate(time.Hour).Add(time.Hour).Sub(shared.Clock.Now()))
	mia.signIn(t)
	v := w.Entries.Visitor(w.Slug, "198.51.100.193")
	for range tally.Each + over {
		refused(t, v, "link_not_found", "POST", report, map[string]string{"token": "nothing"})
	}
	rejected := "short"
	for range tally.Each + over {
		want(t, v, http.StatusBadRequest, "POST", acceptPath, map[string]string{"token": acceptable(t, w), "password": rejected})
	}
	for i := range 10 + tally.Each + over {
		status := http.StatusCreated
		if i >= 10 {
			status = http.StatusTooManyRequests
		}
		want(t, mia.Visitor, status, "POST", "/api/auth/mfa/factors/", map[string]string{"method": "otp", "name": "App"})
	}
	settled(t, w)
	events, err := w.Events(t.Context())
	if err != nil {
		t.Error(err)
	}
	rows, stand := map[audit.Kind]int{}, map[audit.Kind]int64{}
	for _, e := range events {
		n := int64(1)
		for _, f := range e.Fields {
			if f.Name() == "count" {
				n = f.Number()
			}
		}
		rows[e.Kind]++
		stand[e.Kind] += n
	}
	for _, kind := range []audit.Kind{audit.TokenRejected, audit.AuthPasswordRejected, audit.APIThrottled} {
		if rows[kind] != tally.Each+1 || stand[kind] != tally.Each+over {
			t.Errorf("%s: %d events stand for %d refusals, want %d for %d", kind, rows[kind], stand[kind], tally.Each+1, tally.Each+over)
		}
	}
}

// acceptable returns an invitation that is good.
func acceptable(t *testing.T, w *world.Walk) string {
	t.Helper()
	if secret, err := w.Link("ina@people.example", "/invitation"); err == nil {
		return secret
	}
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, w.Me, http.StatusCreated, "POST", "/api/workspaces/users/invite/", map[string]string{"email": "ina@people.example"})
	return mailed(t, w, "ina@people.example", "/invitation")
}

// TestAHashWithoutRoomIsRecorded signs in more often at once than a small
// function has memory for.
func TestAHashWithoutRoomIsRecorded(t *testing.T) {
	w := relaxed(t, "refused-busy")
	environment := shared.Environment["signin"]
	memory := environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
	environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = "40" // one hash
	t.Cleanup(func() { environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = memory })
	if err := w.Cold(w.Entries.Recorder); err != nil {
		t.Fatal(err)
	}
	busy := make(chan string, 5*tally.Each)
	for round := 0; round < 5 && len(busy) == 0; round++ { // a busy machine may do one after the other
		var wait sync.WaitGroup
		for i := range tally.Each {
			v := w.Entries.Visitor(w.Slug, fmt.Sprintf("198.51.%d.%d", 100+round, 200+i))
			wait.Go(func() {
				a, err := v.Do(t.Context(), "POST", signin, map[string]string{"login": fmt.Sprintf("nobody%d-%d", round, i), "password": wrong})
				if code := a.Problem().Code; err != nil || code != "invalid_credentials" {
					busy <- code
					if code != "busy" || a.Retry() == 0 {
						t.Errorf("%d %s, %v", a.Status, a.Body, err)
					}
				}
			})
		}
		wait.Wait()
	}
	if got := reasons(t, w); len(busy) == 0 || got["throttled"] != len(busy) {
		t.Errorf("%d hashes had no room; the events say %v", len(busy), got)
	}
	settled(t, w)
}
