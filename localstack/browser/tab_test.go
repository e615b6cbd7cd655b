package browser_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// within bounds how long a page may take to become what a test waits for.
const within = 20 * time.Second

// A tab is one page with cookies of its own. What it logs as an error fails the
// test, a broken content policy above all.
type tab struct {
	t       *testing.T
	ctx     context.Context
	base    string // where the console is
	mu      sync.Mutex
	bad     []string
	cookies []string // what answers set, as they were sent
}

// look is how a page is looked at.
type look struct {
	width int64
	dark  bool
}

func wide() look { return look{width: 1280} }

func (b *bench) tab(t *testing.T, l look) *tab {
	t.Helper()
	x := &tab{t: t, base: b.Env.BaseURL}
	ctx, cancel := chromedp.NewContext(b.chromium, chromedp.WithNewBrowserContext(), chromedp.WithListener(x.note))
	x.ctx = ctx
	t.Cleanup(func() {
		if t.Failed() {
			x.show()
		}
		cancel()
		x.mu.Lock()
		defer x.mu.Unlock()
		for _, line := range x.bad {
			t.Errorf("the page logged: %s", line)
		}
	})
	if err := chromedp.Do(ctx); err != nil { // without a deadline: the tab lives as long as this call's context
		t.Fatal(err)
	}
	command(x, log.Enable, cdp.Empty{})
	command(x, network.Enable, network.EnableParams{})
	x.as(l)
	return x
}

// as looks at the page on another screen.
func (x *tab) as(l look) {
	x.t.Helper()
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	command(x, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: l.width, Height: 900, DeviceScaleFactor: 1})
	command(x, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// command sends one command of the DevTools protocol.
func command[P, R any](x *tab, c cdp.Command[P, R], p P) R {
	x.t.Helper()
	return do(x, func(ctx context.Context, t *chromedp.Target) (R, error) { return cdp.Call(ctx, t, c, p) })
}

// do runs one action, which must end in time.
func do[T any](x *tab, action chromedp.Action[T]) T {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.ctx, within)
	defer cancel()
	out, err := chromedp.Run(ctx, action)
	if err != nil {
		x.t.Fatal(err)
	}
	return out
}

func (x *tab) note(event any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch e := event.(type) {
	case *network.EventResponseReceivedExtraInfo:
		x.set(e.Headers)
	case *log.EventEntryAdded:
		// Refusals of the API are answers that pages expect.
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			x.bad = append(x.bad, fmt.Sprintf("%s: %s", e.Entry.Source, e.Entry.Text))
		}
	case *runtime.EventExceptionThrown:
		x.bad = append(x.bad, fmt.Sprintf("exception: %+v", e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			for _, arg := range e.Args {
				x.bad = append(x.bad, "console: "+string(arg.Value)+" "+arg.Description)
			}
		}
	}
}

// set notes the cookies that an answer sets; one that other pages or scripts
// could get at fails the test. Source: security, WB-1.
func (x *tab) set(headers network.Headers) {
	for name, value := range headers {
		if !strings.EqualFold(name, "Set-Cookie") {
			continue
		}
		for line := range strings.SplitSeq(fmt.Sprint(value), "\n") {
			x.cookies = append(x.cookies, line)
			c, err := http.ParseSetCookie(line)
			if err != nil || !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
				x.bad = append(x.bad, "an open cookie: "+strings.Replace(line, "="+valueOf(c), "=…", 1))
			}
		}
	}
}

func valueOf(c *http.Cookie) string {
	if c == nil {
		return ""
	}
	return c.Value
}

// show keeps what the page looked like when a test failed.
func (x *tab) show() {
	ctx, cancel := context.WithTimeout(x.ctx, within)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + '\n' + document.body.innerText`))
	if err != nil {
		x.t.Logf("the page cannot be shown: %v", err)
		return
	}
	x.t.Logf("the page at the end:\n%s", text)
	if picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot()); err == nil {
		_ = os.WriteFile(filepath.Join(x.t.ArtifactDir(), "page.png"), picture, 0o600) // only a help for who reads the failure
	}
}

func (x *tab) open(path string) {
	x.t.Helper()
	do(x, chromedp.Navigate(x.base+path))
}

// eval returns what an expression is in the page, such as a list of texts.
func eval[T any](x *tab, expression string) T {
	x.t.Helper()
	return do(x, chromedp.Evaluate[T](expression))
}

// until waits until an expression is true in the page.
func (x *tab) until(what, expression string) {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.ctx, within)
	defer cancel()
	if err := waitFor(ctx, expression); err != nil {
		x.t.Fatalf("waiting for %s: %v", what, err)
	}
}

// waitFor polls outside of the page: what is polled inside does not survive
// going to another one.
func waitFor(ctx context.Context, expression string) error {
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		if ok || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// page waits for the page with this heading.
func (x *tab) page(heading string) {
	x.t.Helper()
	x.until("page "+heading, fmt.Sprintf(`document.querySelector('main h1')?.textContent === %q`, heading))
}

// text waits until the page or a dialog shows a text. What was only announced
// does not count.
func (x *tab) text(want string) {
	x.t.Helper()
	x.until("text "+want, fmt.Sprintf(`[...document.querySelectorAll('main, [role=dialog], [role=alertdialog]')]
		.some((e) => e.innerText.replace(/\s+/g, ' ').includes(%q))`, want))
}

// control is the expression of the first visible control with an accessible
// name, inside the dialog when one is open.
func control(selector, name string) string {
	return fmt.Sprintf(`[...(document.querySelector('[role=dialog],[role=alertdialog]') ?? document).querySelectorAll(%q)].find((e) =>
		(e.getAttribute('aria-label') ?? (e.labels?.[0] ?? e).textContent).trim().replace(' (optional)', '') === %q)`, selector, name)
}

const (
	buttons  = "button, a, summary"
	inputs   = "input[type=text], input[type=password], input:not([type])"
	switches = "input[type=checkbox], input[type=radio]"
)

// press clicks a button or link by its name with the mouse.
func (x *tab) press(name string) {
	x.t.Helper()
	x.click(control(buttons, name), name)
}

// toggle clicks the label of a switch, checkbox or radio.
func (x *tab) toggle(name string) {
	x.t.Helper()
	x.click(control(switches, name)+"?.closest('label')", name)
}

func (x *tab) click(element, name string) {
	x.t.Helper()
	x.until("control "+name, fmt.Sprintf(`(() => { const e = %s; return !!e && !e.disabled && !e.classList.contains('busy') })()`, element))
	at := eval[[]float64](x, fmt.Sprintf(`(() => { const e = %s; e.scrollIntoView({ block: 'center', behavior: 'instant' });
		const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()`, element))
	do(x, chromedp.MouseClickXY(at[0], at[1]))
}

// fill replaces the content of the field with this label, all at once: key by
// key takes a fifth of what the browser computes, and other tests type.
func (x *tab) fill(label, value string) {
	x.t.Helper()
	field := control(inputs, label)
	x.until("field "+label, "!!"+field)
	eval[bool](x, fmt.Sprintf(`(() => { const e = %s; e.focus(); e.select(); return true })()`, field))
	command(x, input.InsertText, input.InsertTextParams{Text: value})
	if got := eval[string](x, field+".value"); got != value {
		x.t.Fatalf("field %s holds %d characters after typing %d", label, len(got), len(value))
	}
}

// tabTo presses Tab until the control with this name has the focus.
func (x *tab) tabTo(name string) {
	x.t.Helper()
	var seen []string
	for range 60 {
		do(x, chromedp.KeyEvent(kb.Tab))
		got := eval[string](x, `(() => { const e = document.activeElement; return (e.getAttribute('aria-label') ?? (e.labels?.[0] ?? e).textContent).trim() })()`)
		if got == name {
			return
		}
		seen = append(seen, got)
	}
	x.t.Fatalf("Tab does not reach %q; it went over %q", name, seen)
}

// secret returns the key of the authenticator app that is being set up.
func (x *tab) secret() string {
	x.t.Helper()
	x.until("the key", `!!document.querySelector('[data-secret]')`)
	return strings.ReplaceAll(eval[string](x, `document.querySelector('[data-secret]').textContent`), " ", "")
}

// checked counts how often accessible has looked at a page or dialog.
var checked = map[string]int{} //nolint:gochecknoglobals // tests go one after the other

// accessible checks the page with axe-core, wide in light colours and narrow in
// dark ones, and that nothing is cut off: a page or dialog that was checked so
// before in one of the two by turns, but for `make soak`.
func (x *tab) accessible() {
	x.t.Helper()
	looks := []look{wide(), {width: 360, dark: true}}
	name := eval[string](x, `location.pathname.replace(/[0-9a-f-]{36}/g, '*') + [...document.querySelectorAll('main h1, [role=dialog] h2, [role=alertdialog] h2')].map((e) => '\n' + e.textContent).join('')`)
	if n := checked[name]; n > 0 && os.Getenv("PADDOCK_SOAK") == "" {
		looks = looks[n%2 : n%2+1]
	}
	checked[name]++
	x.accessibleAs(looks...)
}

// accessibleAs is accessible on the screens that are named.
func (x *tab) accessibleAs(looks ...look) {
	x.t.Helper()
	source, err := os.ReadFile(filepath.Join(shared.Root, "web", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		x.t.Fatal(err)
	}
	for _, l := range looks {
		x.as(l)
		if over := eval[int](x, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
			x.t.Errorf("at %d px the page is %d px too wide", l.width, over)
		}
		if eval[string](x, "typeof axe") == "undefined" {
			eval[bool](x, string(source)+";true")
		}
		found := do(x, chromedp.Evaluate[[]string](`axe.run(document, { resultTypes: ['violations'] }).then((r) =>
			r.violations.flatMap((v) => v.nodes.map((n) => v.id + ': ' + n.target.join(' ') + ': ' + n.failureSummary)))`, chromedp.EvalAwaitPromise))
		slices.Sort(found)
		for _, v := range slices.Compact(found) {
			x.t.Errorf("axe at %d px, dark %t, on %s: %s", l.width, l.dark, eval[string](x, "location.pathname + ' ' + document.title"), v)
		}
	}
	x.as(wide())
}

// scriptCookies are the cookies that scripts of the page can see.
func (x *tab) scriptCookies() string {
	x.t.Helper()
	return eval[string](x, "document.cookie")
}

// follow opens a mailed link at its page: its secret leaves the address at once
// and is stored nowhere.
func (x *tab) follow(t *testing.T, path, secret, title string) {
	t.Helper()
	x.open(path + "#" + secret)
	x.page(title)
	if left := eval[string](x, "location.href + JSON.stringify({ ...localStorage, ...sessionStorage })"); strings.Contains(left, secret) {
		t.Error("the link's secret stays in the address or is stored")
	}
	x.accessible()
}
