package world_test

import (
	"bytes"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/identity"
)

const (
	change = "/api/auth/password/change/"
	forgot = "/api/auth/password/forgot/"
	reset  = "/api/auth/password/reset/"
)

// TestAChangedPasswordEndsOtherSessions changes it in one browser (security,
// PW-9).
func TestAChangedPasswordEndsOtherSessions(t *testing.T) {
	w := relaxed(t, "pw-change")
	mia := made(t, w, "mia", "member", "203.0.113.81")
	other := person{Visitor: w.Entries.Visitor(w.Slug, "203.0.113.82"), email: mia.email, word: mia.word}
	other.signIn(t)
	old := mia.Cookie()
	for _, c := range []struct{ current, next, code string }{
		{"a-wrong-password-of-hers", "another-lamp-for-mia-x", "current_password_wrong"},
		{"", "another-lamp-for-mia-x", "current_password_wrong"},
		{mia.word, mia.word, "password_same"},
		{mia.word, "short", "password_too_short"},
		{mia.word, "password1234567", "password_common"},
		{mia.word, "the-mia-mia-people-mia-lamp", ""},
	} {
		if c.code != "" {
			refused(t, mia.Visitor, c.code, "POST", change, map[string]string{"current": c.current, "password": c.next})
			continue
		}
		want(t, mia.Visitor, http.StatusOK, "POST", change, map[string]string{"current": c.current, "password": c.next})
	}
	want(t, mia.Visitor, http.StatusOK, "GET", "/api/status/", nil)
	refused(t, other.Visitor, "session_invalid", "GET", "/api/status/", nil)
	refused(t, mia.WithCookie(old), "session_invalid", "GET", "/api/status/", nil)
	refused(t, other.Visitor, "invalid_credentials", "POST", "/api/auth/signin/", map[string]string{"login": mia.email, "password": mia.word})
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestGuessesAtThePresentPasswordAreBounded tries it from a stolen session.
func TestGuessesAtThePresentPasswordAreBounded(t *testing.T) {
	w := relaxed(t, "pw-guess")
	mia := made(t, w, "mia", "member", "203.0.113.83")
	atMinute()
	for i := range 11 {
		code := "current_password_wrong"
		if i == 10 {
			code = "too_many_attempts"
		}
		refused(t, mia.Visitor, code, "POST", change, map[string]string{"current": fmt.Sprintf("guess-number-%d-of-many", i), "password": "another-lamp-for-mia-x"})
	}
}

// TestATemporaryPasswordOpensOnlyItsReplacement signs in with one that an
// administrator chose.
func TestATemporaryPasswordOpensOnlyItsReplacement(t *testing.T) {
	w := relaxed(t, "pw-temporary")
	const word = "chosen-by-somebody-else"
	want(t, w.Me, http.StatusCreated, "POST", "/api/iam/users/", map[string]any{"username": "tim", "email": "tim@people.example", "password": word})
	v := w.Entries.Visitor(w.Slug, "203.0.113.84")
	// Nobody has proved yet that the address is Tim's: his first sign-in does.
	refused(t, v, "mfa_required", "POST", "/api/auth/login/", map[string]string{"username": "tim", "password": word})
	want(t, v, http.StatusOK, "POST", "/api/auth/signin/", map[string]string{"login": "tim", "password": word})
	var challenge struct{ ID string }
	if err := want(t, v, http.StatusCreated, "POST", "/api/auth/mfa/challenges/", map[string]string{"method": "email", "purpose": "login"}).Decode(http.StatusCreated, &challenge); err != nil {
		t.Fatal(err)
	}
	a := want(t, v, http.StatusOK, "POST", "/api/auth/mfa/challenges/"+challenge.ID+"/verify/", map[string]string{"code": code(t, w, "tim@people.example")})
	if !bytes.Contains(a.Body, []byte(`"state":"password_change_required"`)) {
		t.Errorf("%s", a.Body)
	}
	refused(t, v, "password_change_required", "POST", "/api/auth/login/", map[string]string{"username": "tim", "password": word})
	for _, path := range []string{"/api/status/", "/api/iam/users/-/", "/api/auth/sessions/", "/api/audit/activity/"} {
		refused(t, v, "password_change_required", "GET", path, nil)
	}
	want(t, v, http.StatusOK, "POST", change, map[string]string{"current": word, "password": "chosen-by-tim-himself"})
	want(t, v, http.StatusOK, "GET", "/api/status/", nil)
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestAResetLinkOpensOnce uses links that are old, replaced, foreign, of
// another purpose and late (security, RS-1 and RS-2).
func TestAResetLinkOpensOnce(t *testing.T) {
	w := relaxed(t, "pw-reset")
	foreign := relaxed(t, "pw-foreign")
	sue := made(t, w, "sue", "superuser", "203.0.113.85").enrolled(t)
	stranger := w.Entries.Visitor(w.Slug, "203.0.113.86")
	ask := func() string {
		t.Helper()
		a, err := stranger.Do(t.Context(), "POST", forgot, map[string]string{"login": sue.email})
		if err != nil || a.Status != http.StatusAccepted {
			t.Fatalf("%d %s, %v", a.Status, a.Body, err)
		}
		return mailed(t, w, sue.email, "/reset-password")
	}
	try := func(v *visitor.Visitor, code, token, word string) {
		t.Helper()
		refused(t, v, code, "POST", reset, map[string]string{"token": token, "password": word})
	}
	first := ask()
	second := ask()
	try(stranger, "link_not_found", first, "a-newer-lamp-for-sue")
	try(foreign.Entries.Visitor(foreign.Slug, "203.0.113.86"), "link_not_found", second, "a-newer-lamp-for-sue")
	for _, path := range []string{"/api/auth/email/confirm/", "/api/auth/email/undo/", "/api/auth/report/"} {
		refused(t, stranger, "link_not_found", "POST", path, map[string]string{"token": second})
	}
	try(stranger, "password_too_short", second, "7-chars") // a factor makes 8 enough
	try(stranger, "", second, "kx7#Rq2v")
	refused(t, sue.Visitor, "session_invalid", "GET", "/api/status/", nil)
	try(stranger, "link_not_found", second, "a-newer-lamp-for-sue")
	a := want(t, stranger, http.StatusOK, "POST", "/api/auth/signin/", map[string]string{"login": sue.email, "password": "kx7#Rq2v"})
	if !bytes.Contains(a.Body, []byte(`"state":"mfa_required"`)) {
		t.Errorf("after a reset the second factor is not asked: %s", a.Body)
	}
	late := ask()
	shared.Clock.Advance(30*time.Minute - time.Second)
	try(stranger, "password_too_short", late, "7-chars")
	shared.Clock.Advance(time.Second)
	try(stranger, "link_not_found", late, "a-newer-lamp-for-sue")
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestLinksComeFromConfiguration asks for one with other hosts in the headers
// that proxies set.
func TestLinksComeFromConfiguration(t *testing.T) {
	w := relaxed(t, "pw-host")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Me.Base+forgot, strings.NewReader(`{"login":"`+w.Email()+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "Origin": w.Me.Base, "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example", "X-Host": "evil.example",
	} {
		r.Header.Set(name, value)
	}
	answer, err := w.Me.Client.Do(r)
	if err != nil || answer.StatusCode != http.StatusAccepted {
		t.Fatalf("%v, %v", answer, err)
	}
	answer.Body.Close()
	mailed(t, w, w.Email(), "/reset-password")
	mails := w.Entries.Recorder.Mails()
	if text := mails[len(mails)-1].Text; !strings.Contains(text, w.Me.Base+"/reset-password#") || strings.Contains(text, "evil") {
		t.Errorf("the mail says %s", text)
	}
}

// TestAnAddressComesBackForGood lets a thief change an address twice: the
// owner of the first one takes it back, whether the thief undoes his own second
// change before or tries to after (security, RS-3).
func TestAnAddressComesBackForGood(t *testing.T) {
	w := relaxed(t, "email")
	stranger := w.Entries.Visitor(w.Slug, "203.0.113.88")
	undo := func(code, token string) {
		t.Helper()
		refused(t, stranger, code, "POST", "/api/auth/email/undo/", map[string]string{"token": token})
	}
	for _, first := range []string{"owner", "thief"} {
		ann := made(t, w, "ann."+first, "member", "203.0.113.87").enrolled(t)
		move := func(to string) {
			t.Helper()
			want(t, ann.Visitor, http.StatusOK, "PATCH", "/api/iam/users/-/", map[string]string{"email": to})
			token := mailed(t, w, to, "/confirm-email")
			undo("link_not_found", token)
			want(t, stranger, http.StatusNoContent, "POST", "/api/auth/email/confirm/", map[string]string{"token": token})
			refused(t, stranger, "link_not_found", "POST", "/api/auth/email/confirm/", map[string]string{"token": token})
		}
		second := first + "@thief.example"
		move(second)
		mine := mailed(t, w, ann.email, "/undo-email")
		move("other." + second)
		his := mailed(t, w, second, "/undo-email")
		want(t, ann.Visitor, http.StatusOK, "GET", "/api/status/", nil)
		if first == "thief" {
			undo("", his)
		}
		undo("", mine)
		refused(t, ann.Visitor, "session_invalid", "GET", "/api/status/", nil)
		undo("link_not_found", his)
		undo("link_not_found", mine)
		var now struct{ Email string }
		if err := want(t, w.Me, http.StatusOK, "GET", ann.path, nil).Decode(http.StatusOK, &now); err != nil || now.Email != ann.email {
			t.Errorf("the address is %q, %v", now.Email, err)
		}
	}
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestOneAddressIsOneAccounts lets two ask for one address: the first that
// confirms it has it. Who asks for many is told to wait.
func TestOneAddressIsOneAccounts(t *testing.T) {
	w := relaxed(t, "email-taken")
	made(t, w, "ann", "member", "203.0.113.87")
	bob := made(t, w, "bob", "member", "203.0.113.89").enrolled(t)
	stranger := w.Entries.Visitor(w.Slug, "203.0.113.88")
	want(t, bob.Visitor, http.StatusOK, "PATCH", "/api/iam/users/-/", map[string]string{"email": "ANN@people.example"})
	refused(t, stranger, "email_in_use", "POST", "/api/auth/email/confirm/", map[string]string{"token": mailed(t, w, "ANN@people.example", "/confirm-email")})
	refused(t, w.Me, "email_in_use", "PATCH", bob.path, map[string]string{"email": "Ann@people.example"})
	for i := range 1 {
		want(t, bob.Visitor, http.StatusOK, "PATCH", "/api/iam/users/-/", map[string]string{"email": fmt.Sprintf("bob%d@people.example", i)})
	}
	if a := refused(t, bob.Visitor, "too_many_addresses", "PATCH", "/api/iam/users/-/", map[string]string{"email": "bob9@people.example"}); a.Retry() == 0 {
		t.Error("no Retry-After")
	}
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// same is what two answers must share to tell nothing apart.
type same struct {
	status  int
	body    string
	headers []string
	retry   int // seconds that it asks to wait
	calls   []string
}

// shape sends a request through warm functions and returns what a stranger
// sees of it, and which operations of which tables it made.
func shape(t *testing.T, w *world.Walk, v *visitor.Visitor, path string, body any) same {
	t.Helper()
	before := len(w.Entries.Recorder.Calls())
	a, err := v.Do(t.Context(), "POST", path, body)
	if err != nil {
		t.Fatal(err)
	}
	s := same{status: a.Status, body: string(a.Body), retry: a.Retry()}
	if at := strings.Index(s.body, `,"request_id"`); at >= 0 {
		s.body = s.body[:at]
	}
	for name := range a.Header {
		s.headers = append(s.headers, name)
	}
	slices.Sort(s.headers)
	for _, c := range w.Entries.Recorder.Calls()[before:] {
		s.calls = append(s.calls, c.Operation+" "+keysIn(c.Input))
	}
	slices.Sort(s.calls) // some go side by side
	return s
}

// keysIn counts what a call reads or writes, by kind of item and verb.
func keysIn(input any) string {
	switch in := input.(type) {
	case *dynamodb.BatchGetItemInput:
		n := 0
		for _, keys := range in.RequestItems {
			n += len(keys.Keys)
		}
		return fmt.Sprint(n)
	case *dynamodb.TransactWriteItemsInput:
		var verbs []string
		for _, item := range in.TransactItems {
			switch {
			case item.Put != nil:
				verbs = append(verbs, "put "+world.KindOf(item.Put.Item))
			case item.Delete != nil:
				verbs = append(verbs, "delete")
			case item.ConditionCheck != nil:
				verbs = append(verbs, "check "+world.KindOf(item.ConditionCheck.Key))
			}
		}
		slices.Sort(verbs)
		return strings.Join(verbs, ", ")
	case *dynamodb.UpdateItemInput:
		return world.KindOf(in.Key)
	case *dynamodb.PutItemInput:
		return world.KindOf(in.Item)
	}
	return ""
}

// TestNothingTellsAccountsApart compares, byte by byte and call by call, what a
// stranger is answered about accounts of every kind (security, EN-1 to EN-4).
func TestNothingTellsAccountsApart(t *testing.T) {
	w := relaxed(t, "oracle")
	mia := made(t, w, "mia", "member", "203.0.113.91")
	dora := made(t, w, "dora", "member", "203.0.113.92")
	want(t, w.Me, http.StatusOK, "PATCH", dora.path, map[string]any{"is_active": false})
	want(t, w.Me, http.StatusCreated, "POST", "/api/workspaces/users/invite/", map[string]string{"email": "pending@people.example"})
	want(t, w.Me, http.StatusCreated, "POST", "/api/iam/users/", map[string]any{"username": "blank", "email": "blank@people.example"})
	logins := map[string]string{
		"a member": mia.email, "by username": "mia", "disabled": dora.email, "invited": "pending@people.example", "without password": "blank@people.example",
		"unknown": "nobody@people.example", "with a factor": w.Email(), "no name at all": "\x00?",
	}
	shared.Clock.Advance(time.Hour) // new windows of every budget
	v := w.Entries.Visitor(w.Slug, "198.51.100.91")
	for _, c := range []struct {
		path string
		body func(login string) any
	}{
		{"/api/auth/signin/", func(l string) any { return map[string]string{"login": l, "password": "a-wrong-password-of-theirs"} }},
		{"/api/auth/login/", func(l string) any {
			return map[string]string{"username": l, "password": "a-wrong-password-of-theirs"}
		}},
		{forgot, func(l string) any { return map[string]string{"login": l} }},
	} {
		shape(t, w, v, c.path, c.body("warm@people.example"))
		reference := shape(t, w, v, c.path, c.body(logins["unknown"]))
		if len(reference.calls) < 4 {
			t.Fatalf("%s makes only %v", c.path, reference.calls)
		}
		for kind, login := range logins {
			if got := shape(t, w, v, c.path, c.body(login)); !reflect.DeepEqual(got, reference) {
				t.Errorf("%s, %s:\n%+v\nwant\n%+v", c.path, kind, got, reference)
			}
		}
	}
	// A disabled account's right password is answered like a wrong one.
	wrong := shape(t, w, v, "/api/auth/signin/", map[string]string{"login": "nobody@people.example", "password": dora.word})
	if got := shape(t, w, v, "/api/auth/signin/", map[string]string{"login": dora.email, "password": dora.word}); !reflect.DeepEqual(got, wrong) {
		t.Errorf("disabled:\n%+v\nwant\n%+v", got, wrong)
	}
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
	if err := w.Delivery.All(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, login := range []string{dora.email, "pending@people.example", "nobody@people.example"} {
		if _, err := w.Link(login, string(identity.ResetPassword)); err == nil {
			t.Errorf("a link was mailed to %s", login)
		}
	}
	if _, err := w.Link(mia.email, "/reset-password"); err != nil {
		t.Error(err)
	}
}

// TestResetMailsAreBounded asks for more links than an hour sends: nothing
// shows, nothing more is sent, and the newest link goes on to work.
func TestResetMailsAreBounded(t *testing.T) {
	w := relaxed(t, "pw-bomb")
	mia := made(t, w, "mia", "member", "203.0.113.95")
	shared.Clock.Advance(time.Hour)
	v := w.Entries.Visitor(w.Slug, "198.51.100.95")
	count := func() (n int) {
		if err := w.Delivery.All(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, m := range w.Entries.Recorder.Mails() {
			if m.To == mia.email && strings.Contains(m.Text, "/reset-password#") {
				n++
			}
		}
		return n
	}
	before := count()
	for range 8 {
		want(t, v, http.StatusAccepted, "POST", forgot, map[string]string{"login": mia.email})
	}
	if got := count() - before; got != 5 {
		t.Errorf("%d mails were sent, want 5", got)
	}
	want(t, v, http.StatusNoContent, "POST", reset, map[string]string{"token": mailed(t, w, mia.email, "/reset-password"), "password": "a-newer-lamp-for-her"})
	for range 22 {
		want(t, v, http.StatusAccepted, "POST", forgot, map[string]string{"login": mia.email})
	}
	refused(t, v, "too_many_attempts", "POST", forgot, map[string]string{"login": mia.email})
}

// TestStrangersDoNotUseUpTheMailedWayIn asks for more links than an hour sends:
// where none lives any more, another one is mailed all the same, and nothing
// shows (security, LK-1).
func TestStrangersDoNotUseUpTheMailedWayIn(t *testing.T) {
	w := relaxed(t, "pw-way-in")
	mia := made(t, w, "mia", "member", "203.0.113.98")
	for _, c := range []struct {
		path, page string
		life       time.Duration
	}{{"/api/auth/unlock/", "/unlock", 15 * time.Minute}, {forgot, "/reset-password", 30 * time.Minute}} {
		now := shared.Clock.Now()
		shared.Clock.Advance(now.Truncate(time.Hour).Add(time.Hour).Sub(now)) // a new budget
		stranger := w.Entries.Visitor(w.Slug, "198.51.100.98")
		sent := func() (n int) {
			if err := w.Delivery.All(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, m := range w.Entries.Recorder.Mails() {
				if m.To == mia.email && strings.Contains(m.Text, c.page+"#") {
					n++
				}
			}
			return n
		}
		ask := func(login string) same { return shape(t, w, stranger, c.path, map[string]string{"login": login}) }
		before := sent()
		ask("nobody@people.example") // warms the functions
		unknown := ask("nobody@people.example")
		for i, step := range []struct {
			later time.Duration
			sum   int
		}{{0, 1}, {0, 2}, {0, 3}, {0, 4}, {0, 5}, {0, 5}, {c.life - 1, 5}, {1, 6}, {0, 6}} {
			if step.later > 0 {
				shared.Clock.Advance(step.later)
				ask("nobody@people.example")
			}
			if got := ask(mia.email); !reflect.DeepEqual(got, unknown) {
				t.Errorf("%s, request %d:\n%+v\nwant\n%+v", c.path, i, got, unknown)
			}
			if n := sent() - before; n != step.sum {
				t.Errorf("%s: %d mails after request %d, want %d", c.path, n, i, step.sum)
			}
		}
	}
	want(t, w.Entries.Visitor(w.Slug, "203.0.113.99"), http.StatusNoContent, "POST", reset, map[string]string{"token": mailed(t, w, mia.email, "/reset-password"), "password": "a-newer-lamp-for-her"})
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestNotMeEndsEverything presses the link of a notice.
func TestNotMeEndsEverything(t *testing.T) {
	w := relaxed(t, "not-me")
	mia := made(t, w, "mia", "member", "203.0.113.96")
	want(t, mia.Visitor, http.StatusOK, "POST", change, map[string]string{"current": mia.word, "password": "the-lamp-of-a-thief"})
	token := mailed(t, w, mia.email, "/not-me")
	owner := w.Entries.Visitor(w.Slug, "203.0.113.97")
	want(t, owner, http.StatusNoContent, "POST", "/api/auth/report/", map[string]string{"token": token})
	refused(t, mia.Visitor, "session_invalid", "GET", "/api/status/", nil)
	for _, word := range []string{mia.word, "the-lamp-of-a-thief"} {
		refused(t, owner, "invalid_credentials", "POST", "/api/auth/signin/", map[string]string{"login": mia.email, "password": word})
	}
	want(t, owner, http.StatusNoContent, "POST", reset, map[string]string{"token": mailed(t, w, mia.email, "/reset-password"), "password": "the-lamp-of-its-owner"})
	want(t, owner, http.StatusOK, "POST", "/api/auth/signin/", map[string]string{"login": mia.email, "password": "the-lamp-of-its-owner"})
	refused(t, owner, "link_not_found", "POST", "/api/auth/report/", map[string]string{"token": token})
	if err := w.Inspect(t.Context()); err != nil {
		t.Error(err)
	}
}
