package world_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"paddock/localstack/world"
	"paddock/shared/authz"
	"paddock/shared/table"
)

func TestWrongUserCodesAreThrottled(t *testing.T) {
	w := walk(t, "device-guess", 3)
	atMinute()
	cli := w.Entries.Visitor(w.Slug, "203.0.113.9")
	o := open(t, w, cli)
	for range 12 { // a right code is no guess
		expect(t, w.Me, lookupPath, typed(o.UserCode), "200")
	}
	for _, none := range []string{"", "BBBB", "AAAA-AAAA", o.UserCode + "B", strings.Repeat("-", 100)} { // no codes: no guesses
		expect(t, w.Me, lookupPath, typed(none), "404 device_request_not_found")
	}
	paths := []string{lookupPath, approvePath, denyPath}
	for i := range 10 {
		expect(t, w.Me, paths[i%3], typed(fmt.Sprintf("BBBB-BBB%c", "BCDFGHJKLM"[i])), "404 device_request_not_found")
	}
	for _, path := range paths {
		a := expect(t, w.Me, path, typed(o.UserCode), "429 user_code_too_many_attempts")
		left := shared.Clock.Now().Truncate(15 * time.Minute).Add(15 * time.Minute).Sub(shared.Clock.Now())
		if a.Retry() != int(left.Seconds()) {
			t.Errorf("Retry-After %d, the window ends in %s", a.Retry(), left)
		}
	}
	expect(t, cli, tokenPath, world.PollBody(o.DeviceCode), "400 authorization_pending")
	now := shared.Clock.Now()
	shared.Clock.Advance(now.Truncate(15 * time.Minute).Add(15 * time.Minute).Sub(now))
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	o = open(t, w, cli)
	expect(t, w.Me, approvePath, typed(o.UserCode), "204")
	settled(t, w)
}

func TestOneAddressOpensSoManyDeviceLogins(t *testing.T) {
	w := walk(t, "device-flood", 3)
	atMinute()
	flood := w.Entries.Visitor(w.Slug, "203.0.113.10")
	outcomes := map[string]int{}
	for range 65 {
		outcomes[told(send(t, flood, "POST", openPath, opening(w.Slug)))]++
	}
	if outcomes["200"] != 60 || outcomes["429 temporarily_unavailable"] != 5 {
		t.Errorf("65 openings ended as %v", outcomes)
	}
	if a := send(t, flood, "POST", openPath, opening(w.Slug)); a.Retry() == 0 {
		t.Error("no Retry-After")
	}
	open(t, w, w.Entries.Visitor(w.Slug, "203.0.113.11"))
}

// spent uses up a budget of device login in the present window, as root.
func spent(t *testing.T, w *world.Walk, field, text, budget string, n int64) {
	t.Helper()
	store, err := shared.Store()
	if err != nil {
		t.Fatal(err)
	}
	of, err := store.MAC(t.Context(), authz.ForTask(w.ID, "test"), field, text)
	if err != nil {
		t.Fatal(err)
	}
	now := shared.Clock.Now()
	key := table.Key{Table: table.Credentials, Kind: "G", Workspace: w.ID, Of: of, SK: fmt.Sprintf("%s#%d", budget, now.Unix()/900)}
	if _, err := shared.Database().Add(t.Context(), key, "n", n, n, now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
}

// TestOneNetworkOpensSoManyDeviceLogins uses up what the addresses of one holder
// share: a /48, or a /24.
func TestOneNetworkOpensSoManyDeviceLogins(t *testing.T) {
	w := walk(t, "device-network", 3)
	for network, c := range map[string]struct{ one, another, elsewhere string }{
		"2001:db8:7::/48": {"2001:db8:7:1::1", "2001:db8:7:2::1", "2001:db8:8:1::1"},
		"198.51.100.0/24": {"198.51.100.1", "198.51.100.2", "198.51.101.1"},
	} {
		atMinute()
		spent(t, w, "network", network, "device", 599)
		open(t, w, w.Entries.Visitor(w.Slug, c.one))
		if a := expect(t, w.Entries.Visitor(w.Slug, c.another), openPath, opening(w.Slug), "429 temporarily_unavailable"); a.Retry() == 0 {
			t.Error("no Retry-After")
		}
		open(t, w, w.Entries.Visitor(w.Slug, c.elsewhere))
	}
	settled(t, w)
}

// TestBudgetsThatAreShared uses up what many callers share: the openings of a
// workspace to the last, and the user codes of an address, which leaves the
// person's own budget as it was.
func TestBudgetsThatAreShared(t *testing.T) {
	w := walk(t, "device-shared", 3)
	atMinute()
	cli := w.Entries.Visitor(w.Slug, "203.0.113.13")
	spent(t, w, "guess", "device", "device", 9_999)
	o := open(t, w, cli)
	expect(t, cli, openPath, opening(w.Slug), "429 temporarily_unavailable")
	expect(t, w.Entries.Visitor(w.Slug, "203.0.113.14"), openPath, opening(w.Slug), "429 temporarily_unavailable")

	spent(t, w, "address", "192.0.2.7", "usercode", 60) // where the walker sits
	for range 12 {
		expect(t, w.Me, lookupPath, typed(o.UserCode), "429 user_code_too_many_attempts")
	}
	elsewhere := w.Entries.Visitor(w.Slug, "192.0.2.8").WithCookie(w.Me.Cookie())
	expect(t, elsewhere, approvePath, typed(o.UserCode), "204")
	settled(t, w)
}
