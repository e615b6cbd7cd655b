package browser_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"

	"paddock/localstack/visitor"
)

// agents are what the browsers of tests call themselves over HTTP.
const (
	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	safari  = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15"
)

// person makes an account over HTTP and returns the browser in which it is
// signed in.
func (b *bench) person(t *testing.T, username, agent string) *visitor.Visitor {
	t.Helper()
	v := &visitor.Visitor{Base: b.Env.BaseURL, Agent: agent}
	b.must(t, v, http.StatusCreated, "/api/auth/invitations/accept/", map[string]string{
		"token": b.invite(t, username+"@demo.example", false), "username": username,
		"first_name": strings.ToUpper(username[:1]) + username[1:], "last_name": "Oak", "password": password,
	}, nil)
	return v
}

// enters signs an account in with the password alone and returns the browser.
func (b *bench) enters(t *testing.T, username, agent string) *visitor.Visitor {
	t.Helper()
	v := &visitor.Visitor{Base: b.Env.BaseURL, Agent: agent}
	b.must(t, v, http.StatusOK, "/api/auth/signin/", map[string]string{"login": username, "password": password}, nil)
	return v
}

// must posts, and decodes the answer into out, which may be nil.
func (b *bench) must(t *testing.T, v *visitor.Visitor, status int, path string, body, out any) {
	t.Helper()
	if err := v.Want(t.Context(), status, http.MethodPost, path, body, out); err != nil {
		t.Fatal(err)
	}
}

// opens returns the status with which the visitor's session is answered.
func (b *bench) opens(t *testing.T, v *visitor.Visitor) int {
	t.Helper()
	a, err := v.Do(t.Context(), http.MethodGet, "/api/status/", nil)
	if err != nil {
		t.Fatal(err)
	}
	return a.Status
}

// own returns the id of the visitor's account.
func (b *bench) own(t *testing.T, v *visitor.Visitor) string {
	t.Helper()
	var me struct{ ID string }
	if err := v.Want(t.Context(), http.StatusOK, http.MethodGet, "/api/iam/users/-/", nil, &me); err != nil {
		t.Fatal(err)
	}
	return me.ID
}

// window moves the clock into the next window of guesses, so that what a test
// counts falls into one.
func (b *bench) window(t *testing.T) {
	t.Helper()
	const length = 15 * time.Minute
	now := b.Now()
	b.Advance(t, now.Truncate(length).Add(length).Sub(now))
}

// with gives the tab the cookies of a visitor: it goes on where that one was.
func (x *tab) with(v *visitor.Visitor) *tab {
	x.t.Helper()
	yes := true
	for name, value := range map[string]string{"__Host-paddock": v.Cookie(), "__Host-paddock-browser": v.Browser()} {
		if value != "" {
			command(x, network.SetCookie, network.SetCookieParams{
				Name: name, Value: value, URL: shared.Secure, Path: "/", Secure: &yes, HTTPOnly: &yes, SameSite: network.CookieSameSiteLax,
			})
		}
	}
	return x
}

// await waits for something outside of the page.
func await[T any](t *testing.T, what string, look func() (T, bool)) T {
	t.Helper()
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if got, ok := look(); ok {
			return got
		}
	}
	t.Fatalf("waiting for %s", what)
	var none T
	return none
}
