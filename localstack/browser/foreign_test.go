package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"paddock/localstack/visitor"
)

// attacks is the script of a foreign page. It does what a page may do with the
// cookies of whoever looks at it, and returns what came of each try.
const attacks = `(async (base) => {
	const found = {};
	const writes = [
		['POST', '/api/workspaces/users/invite/', '{"email":"mallory@evil.example"}'],
		['POST', '/api/auth/sessions/end-all/', '{}'],
		['POST', '/api/auth/logout/', ''],
		['POST', '/api/iam/users/', '{"username":"mallory","email":"mallory@evil.example"}'],
		['PATCH', '/api/workspaces/security/-/', '{"mfa_timeout":86400}'],
		['DELETE', '/api/iam/users/-/', ''],
	];
	const read = async (path, options) => {
		try {
			const r = await fetch(base + path, { credentials: 'include', ...options });
			const text = await r.text();
			return r.type === 'opaque' && text === '' ? 'opaque' : 'read ' + r.status + ' ' + text;
		} catch {
			return 'refused';
		}
	};
	for (const [method, path, body] of writes) {
		for (const mode of ['cors', 'no-cors']) {
			for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json']) {
				found['fetch ' + [mode, method, path, type].join(' ')] = await read(path, { method, mode, headers: { 'Content-Type': type }, body });
			}
		}
	}
	for (const path of ['/api/iam/users/-/', '/api/auth/sessions/', '/api/workspaces/security/-/', '/account/security']) {
		for (const mode of ['cors', 'no-cors']) found['fetch ' + mode + ' GET ' + path] = await read(path, { mode });
		for (const tag of ['img', 'script']) {
			const e = document.createElement(tag);
			const ended = new Promise((done) => { e.onload = () => done('read'); e.onerror = () => done('refused'); });
			e.src = base + path;
			document.body.append(e);
			found[tag + ' ' + path] = await ended;
		}
	}
	const framed = async (frame, start) => {
		const ended = new Promise((done) => { frame.onload = done; });
		start();
		await ended;
		try { return 'read ' + frame.contentDocument.body.innerText; } catch { return 'refused'; }
	};
	for (const [method, path, body] of writes.filter((w) => w[0] === 'POST')) {
		for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
			const frame = document.createElement('iframe');
			frame.name = 'f' + Math.random();
			const form = document.createElement('form');
			Object.assign(form, { method, action: base + path, enctype: type, target: frame.name });
			const field = document.createElement('input');
			field.name = body.slice(0, -1) + ',"x":"';
			field.value = '"}';
			form.append(field);
			document.body.append(frame, form);
			await new Promise((done) => setTimeout(done)); // the empty page of the new frame
			found['form ' + path + ' ' + type] = (await framed(frame, () => form.submit())) || 'empty';
		}
	}
	return Object.entries(found).map(([name, what]) => name + ': ' + what);
})`

// framing is the script of a foreign page that puts pages of the console into
// frames of its own.
const framing = `(async (base, paths) => {
	for (const path of paths) {
		const frame = document.createElement('iframe');
		await new Promise((done) => { frame.onload = done; frame.src = base + path; document.body.append(frame); });
	}
	return true;
})`

// TestForeignPagesDoNothing opens a page of somebody else in the browser of a
// superuser who may do everything just now. One is of another site; the other
// is of this site at another port, where the cookies are sent along.
func TestForeignPagesDoNothing(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>Prizes</title><main><h1>Prizes</h1><button>Open</button></main>`))
	}))
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	sue := shared.SignIn(t, shared.Account(t, "superuser"))
	for _, c := range []struct{ name, host string }{
		{"another site", "evil.localhost"},
		{"another address", "127.0.0.1"},
		{"this site at another port", "localhost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := shared.tab(t, wide()).with(sue)
			x.open("/account/profile")
			x.page("My profile")
			before := state(t, sue)
			x.base = "http://" + c.host + ":" + at.Port()
			x.attack(t)
			if after := state(t, sue); after != before {
				t.Errorf("a foreign page changed\n%s\nto\n%s", before, after)
			}
			x.base = shared.Env.BaseURL
			x.open("/account/profile")
			x.page("My profile")
			x.logged() // what the browser says of the foreign page
		})
	}
	// What the foreign pages tried works from a page of the console.
	x := shared.tab(t, wide()).with(sue)
	x.open("/account/profile")
	x.page("My profile")
	status := do(x, chromedp.Evaluate[int](`fetch('/api/workspaces/users/invite/', { method: 'POST', headers: { 'Content-Type': 'application/json' },
		body: '{"email":"friend@demo.example"}' }).then((r) => r.status)`, chromedp.EvalAwaitPromise))
	if status != http.StatusCreated {
		t.Errorf("the console's own page is answered %d", status)
	}
}

// attack opens the foreign page and does all that it can.
func (x *tab) attack(t *testing.T) {
	t.Helper()
	x.open("/")
	x.until("the foreign page", `document.querySelector('h1')?.textContent === 'Prizes'`)
	do(x, chromedp.Evaluate[bool](framing+"('"+shared.Env.BaseURL+"', ['/account/security', '/device', '/signin'])", chromedp.EvalAwaitPromise))
	refused := 0
	for _, line := range x.logged() {
		if strings.Contains(line, "frame-ancestors") {
			refused++
		}
	}
	if refused != 3 {
		t.Errorf("of 3 pages %d refuse to be framed", refused)
	}
	tried := do(x, chromedp.Evaluate[[]string](attacks+"('"+shared.Env.BaseURL+"')", chromedp.EvalAwaitPromise))
	if len(tried) < 50 {
		t.Fatalf("only %d tries were made", len(tried))
	}
	for _, line := range tried {
		if _, what, _ := strings.Cut(line, ": "); what != "refused" && what != "opaque" {
			t.Errorf("a foreign page: %s", line)
		}
	}

	// A window of the console that the page opened is out of its reach.
	eval[bool](x, `(() => { document.querySelector('button').onclick = () => { window.opened = open('`+shared.Env.BaseURL+`/account/security') }; return true })()`)
	x.press("Open")
	x.until("the window to be out of reach", "window.opened && window.opened.closed")
	eval[bool](x, `(() => { for (const m of ['x', { type: 'sign-out' }, { next: '//evil.example' }]) window.opened.postMessage(m, '*'); return true })()`)

	// A form that takes the whole window leads to a refusal.
	eval[bool](x, `(() => { const f = document.createElement('form'); f.method = 'POST'; f.enctype = 'text/plain'; f.action = '`+shared.Env.BaseURL+`/api/auth/logout/';
		document.body.append(f); f.submit(); return true })()`)
	x.until("a refusal", `location.pathname === '/api/auth/logout/' && document.body.innerText.includes('"code"')`)
}

// logged returns what the tab noted as bad, which is expected then.
func (x *tab) logged() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	out := x.bad
	x.bad = nil
	return out
}

// logRead is the event of looking at the log, as state itself does.
const logRead = "PD9000I"

// An object of a list, or an event of the log.
type object struct{ ID, Username, Email, Code string }

// state is all that a foreign page could have changed: settings, accounts,
// invitations, sessions, and the newest events.
func state(t *testing.T, v *visitor.Visitor) string {
	t.Helper()
	var out strings.Builder
	for _, path := range []string{"/api/iam/users/?page_size=100", "/api/iam/invitations/", "/api/auth/sessions/", "/api/audit/activity/?page_size=50"} {
		var list struct{ Results []object }
		if err := v.Want(t.Context(), http.StatusOK, http.MethodGet, path, nil, &list); err != nil {
			t.Fatal(err)
		}
		for i, one := range slices.DeleteFunc(list.Results, func(o object) bool { return o.Code == logRead }) {
			if one.Code == "" || i < 10 { // the end of a page moves with each look
				fmt.Fprintln(&out, path, one)
			}
		}
	}
	a, err := v.Do(t.Context(), http.MethodGet, "/api/workspaces/security/-/", nil)
	if err != nil || a.Status != http.StatusOK {
		t.Fatal(a.Status, err)
	}
	return out.String() + string(a.Body)
}

// TestCookiesAreTheConsolesAlone looks at the cookies of a whole stay; those of
// the other tests are looked at as well.
func TestCookiesAreTheConsolesAlone(t *testing.T) {
	sue := shared.Account(t, "superuser")
	for _, base := range []string{shared.Env.BaseURL, shared.Secure} {
		x := shared.tab(t, wide())
		x.base = base
		x.signIn(sue.Username, sue.Password, sue.TOTPSecret)
		kept := command(x, network.GetCookies, network.GetCookiesParams{}).Cookies
		if len(kept) != 2 {
			t.Errorf("the browser keeps %d cookies", len(kept))
		}
		for _, c := range kept {
			if c.Domain != "localhost" || c.Path != "/" || !c.Secure || !c.HTTPOnly || c.SameSite != network.CookieSameSiteLax {
				t.Errorf("cookie %s of %s%s: secure %t, from scripts %t, %s", c.Name, c.Domain, c.Path, c.Secure, !c.HTTPOnly, c.SameSite)
			}
		}
		x.press("Sign out")
		x.page("Sign in")
		if kept := command(x, network.GetCookies, network.GetCookiesParams{}).Cookies; len(kept) != 1 || kept[0].Name != "__Host-paddock-browser" {
			t.Errorf("after signing out the browser keeps %d cookies", len(kept))
		}
		x.mu.Lock()
		var names []string
		for _, line := range x.cookies {
			name, _, _ := strings.Cut(line, "=")
			names = append(names, name)
		}
		x.mu.Unlock()
		slices.Sort(names)
		// Half a session, a whole one with the browser's, and none.
		if want := []string{"__Host-paddock", "__Host-paddock", "__Host-paddock", "__Host-paddock-browser"}; !slices.Equal(names, want) {
			t.Errorf("answers set %q, want %q", names, want)
		}
	}
}
