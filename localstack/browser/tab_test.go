package browser_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// within bounds how long a page may take to become what a test waits for.
const within = 20 * time.Second

// A tab is one page with cookies of its own. What it logs as an error fails the
// test, a broken content policy above all.
type tab struct {
	t   *testing.T
	ctx context.Context
	mu  sync.Mutex
	bad []string
}

// look is how a page is looked at.
type look struct {
	width int64
	dark  bool
}

func wide() look { return look{width: 1280} }

func (b *bench) tab(t *testing.T, l look) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.chromium, chromedp.WithNewBrowserContext())
	x := &tab{t: t, ctx: ctx}
	chromedp.ListenTarget(ctx, x.note)
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
	x.run(log.Enable(), runtime.Enable())
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
	x.run(emulation.SetDeviceMetricsOverride(l.width, 900, 1, false),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}))
}

func (x *tab) note(event any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		// Refusals of the API are answers that pages expect.
		if e.Entry.Level == log.LevelError && e.Entry.Source != log.SourceNetwork {
			x.bad = append(x.bad, fmt.Sprintf("%s: %s", e.Entry.Source, e.Entry.Text))
		}
	case *runtime.EventExceptionThrown:
		x.bad = append(x.bad, e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeAssert {
			for _, arg := range e.Args {
				x.bad = append(x.bad, "console: "+string(arg.Value)+" "+arg.Description)
			}
		}
	}
}

func (x *tab) run(actions ...chromedp.Action) {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.ctx, within)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		x.t.Fatal(err)
	}
}

// show keeps what the page looked like when a test failed.
func (x *tab) show() {
	ctx, cancel := context.WithTimeout(x.ctx, within)
	defer cancel()
	var text string
	var picture []byte
	if err := chromedp.Run(ctx, chromedp.Evaluate(`location.href + '\n' + document.body.innerText`, &text), chromedp.CaptureScreenshot(&picture)); err != nil {
		x.t.Logf("the page cannot be shown: %v", err)
		return
	}
	folder := x.t.ArtifactDir()
	file := filepath.Join(folder, "page.png")
	_ = os.WriteFile(file, picture, 0o600)
	x.t.Logf("the page at the end:\n%s", text)
}

func (x *tab) open(path string) {
	x.t.Helper()
	x.run(chromedp.Navigate(shared.env.BaseURL + path))
}

// eval returns what an expression is in the page, such as a list of texts.
func eval[T any](x *tab, expression string) T {
	x.t.Helper()
	var out T
	x.run(chromedp.Evaluate(expression, &out))
	return out
}

// until waits until an expression is true in the page.
func (x *tab) until(what, expression string) {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.ctx, within)
	defer cancel()
	var ok bool
	if err := chromedp.Run(ctx, chromedp.Poll(expression, &ok, chromedp.WithPollingTimeout(0), chromedp.WithPollingInterval(50*time.Millisecond))); err != nil {
		x.t.Fatalf("waiting for %s: %v", what, err)
	}
}

// page waits for the page with this heading.
func (x *tab) page(heading string) {
	x.t.Helper()
	x.until("page "+heading, fmt.Sprintf(`document.querySelector('main h1')?.textContent === %q`, heading))
}

// text waits until the page shows a text.
func (x *tab) text(want string) {
	x.t.Helper()
	x.until("text "+want, fmt.Sprintf(`document.body.innerText.replace(/\s+/g, ' ').includes(%q)`, want))
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
	x.until("control "+name, fmt.Sprintf(`(() => { const e = %s; return !!e && !e.disabled && e.getAttribute('aria-disabled') !== 'true' })()`, element))
	at := eval[[]float64](x, fmt.Sprintf(`(() => { const e = %s; e.scrollIntoView({ block: 'center', behavior: 'instant' });
		const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()`, element))
	x.run(chromedp.MouseClickXY(at[0], at[1]))
}

// fill replaces the content of the field with this label by typing.
func (x *tab) fill(label, value string) {
	x.t.Helper()
	field := control(inputs, label)
	x.until("field "+label, "!!"+field)
	x.run(chromedp.Evaluate(fmt.Sprintf(`(() => { const e = %s; e.focus(); e.select(); })()`, field), nil), chromedp.KeyEvent(value))
	if got := eval[string](x, field+".value"); got != value {
		x.t.Fatalf("field %s holds %d characters after typing %d", label, len(got), len(value))
	}
}

// tabTo presses Tab until the control with this name has the focus.
func (x *tab) tabTo(name string) {
	x.t.Helper()
	var seen []string
	for range 40 {
		x.run(chromedp.KeyEvent(kb.Tab))
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

// accessible checks the page with axe-core in both colour schemes, and that
// nothing is cut off on a narrow screen.
func (x *tab) accessible() {
	x.t.Helper()
	source, err := os.ReadFile(filepath.Join(shared.root, "web", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		x.t.Fatal(err)
	}
	for _, l := range []look{{width: 1280}, {width: 1280, dark: true}, {width: 360}, {width: 360, dark: true}} {
		x.as(l)
		if over := eval[int](x, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
			x.t.Errorf("at %d px the page is %d px too wide", l.width, over)
		}
		var found []string
		x.run(chromedp.Evaluate(string(source)+`;axe.run(document, { resultTypes: ['violations'] }).then((r) =>
			r.violations.flatMap((v) => v.nodes.map((n) => v.id + ': ' + n.target.join(' ') + ': ' + n.failureSummary)))`,
			&found, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
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
