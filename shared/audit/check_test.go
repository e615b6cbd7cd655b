package audit_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"paddock/shared/audit"
)

func TestCheckRefuses(t *testing.T) {
	login := func(change func(*audit.Event)) audit.Event {
		e := sample(t, audit.AuthLogin)
		change(&e)
		return e
	}
	for _, c := range []struct {
		name  string
		event audit.Event
		part  string
	}{
		{"no kind", audit.Event{}, "kind"},
		{"kind beyond the table", login(func(e *audit.Event) { e.Kind = 9999 }), "kind"},
		{"no time", login(func(e *audit.Event) { e.Time = time.Time{} }), "time"},
		{"year 10000", login(func(e *audit.Event) { e.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }), "time"},
		{"no outcome", login(func(e *audit.Event) { e.Outcome = 0 }), "outcome"},
		{"actor id without a type", login(func(e *audit.Event) { e.Actor.Type = 0 }), "actor"},
		{"mapped address", login(func(e *audit.Event) { e.Source.IP = netip.MustParseAddr("::ffff:1.2.3.4") }), "source"},
		{"address with a zone", login(func(e *audit.Event) { e.Source.IP = netip.MustParseAddr("fe80::1%eth0") }), "source"},
		{"no description", login(func(e *audit.Event) { e.Description = "" }), "description"},
		{"description of 201 characters", login(func(e *audit.Event) { e.Description = strings.Repeat("é", 201) }), "description"},
		{"app of another kind", login(func(e *audit.Event) { e.App = "iam" }), "app"},
		{"open app left empty", audit.New(audit.AccessDenied, moment).WithDescription("x"), "app"},
		{"alternative not listed", sample(t, audit.ACLAdded).WithPath("", "path_acl", ""), "model"},
		{"user agent that is not UTF-8", login(func(e *audit.Event) { e.Source.UserAgent = "\xff" }), "source"},
		{"field of another kind", login(func(e *audit.Event) { *e = e.With(audit.Text("server_id", "x")) }), "field server_id"},
		{"field of another type", audit.New(audit.AuthLogin, moment).WithDescription("x").With(audit.Text("mfa_age_s", "7")), "field mfa_age_s"},
		{"field given twice", login(func(e *audit.Event) { *e = e.With(audit.Text("method", "sso")) }), "field method"},
		{"value outside the closed set", audit.New(audit.AuthLogin, moment).WithDescription("x").With(audit.Text("method", "magic")), "field method"},
		{"number below its bound", audit.New(audit.TempAccessRequested, moment).WithDescription("x").With(audit.Number("duration_s", 3599)), "field duration_s"},
		{"number above its bound", audit.New(audit.TempAccessRequested, moment).WithDescription("x").With(audit.Number("duration_s", 2592001)), "field duration_s"},
		{"changes given as a field", sample(t, audit.UserUpdated).With(audit.Text("before", "x")), "field before"},
		{"zero field", audit.New(audit.UserUpdated, moment).WithDescription("x").With(audit.Field{}), "field "},
	} {
		t.Run(c.name, func(t *testing.T) {
			var v *audit.Violation
			if err := c.event.Check(); !errors.As(err, &v) || v.Part != c.part {
				t.Fatalf("Check = %v, want a violation of %q", err, c.part)
			}
			if b, err := audit.Encode(c.event); err == nil || b != nil {
				t.Fatalf("Encode = %x, %v", b, err)
			}
		})
	}
}

func TestKindsAreComplete(t *testing.T) {
	names := map[string]string{
		"PD1000I": "auth.login", "PD1000W": "auth.login", "PD2006E": "mfa.recovery_code.failed", "PD9020W": "notification.failed",
	}
	n := 0
	for k := range audit.Kinds() {
		n++
		back, err := audit.ParseKind(k.Code())
		if err != nil || back != k || !k.Valid() {
			t.Fatalf("ParseKind(%s) = %v, %v", k, back, err)
		}
		if want, ok := names[k.Code()]; ok && k.Name() != want {
			t.Errorf("%s is %s, want %s", k, k.Name(), want)
		}
		if k.Visibility().String() == "invalid" || k.Outcome().String() == "invalid" || k.Severity() < 1 || k.Severity() > 5 {
			t.Errorf("%s has an invalid visibility, outcome or severity", k)
		}
		for name, typ := range k.Fields() {
			if got, ok := k.FieldType(name); !ok || got != typ || typ.String() == "invalid" {
				t.Errorf("%s: FieldType(%s) = %v, %t", k, name, got, ok)
			}
		}
	}
	if n != 199 {
		t.Errorf("%d kinds", n)
	}
	for _, code := range []string{"", "PD1000", "pd1000i", "PD1000E", "PD9999W", "PD1000I "} {
		if k, err := audit.ParseKind(code); !errors.Is(err, audit.ErrUnknownKind) || k != 0 {
			t.Errorf("ParseKind(%q) = %v, %v", code, k, err)
		}
	}
	if o, _ := audit.AuthLogin.OCSF(); o.TypeUID() != 300201 {
		t.Errorf("auth.login is %d", o.TypeUID())
	}
}

func TestForeignTextNeverMakesAnEventFail(t *testing.T) {
	foreign := strings.Repeat("\xff\u202e\x1b[2J\r\n", 2000)
	e := sample(t, audit.AuthLoginRefused).
		WithActor(audit.Actor{Type: audit.UserActor, Username: foreign, Display: foreign}).
		WithSource(audit.Source{IP: netip.MustParseAddr("::ffff:192.0.2.1"), UserAgent: foreign, CLIVersion: foreign}).
		WithTarget(audit.Target{Type: "user", Name: foreign}).
		WithRequest(foreign, audit.HTTP{}).
		WithDescription(foreign).WithReason(foreign)
	if _, err := audit.Encode(e); err != nil {
		t.Fatal(err)
	}
}

func TestSharedEventsDoNotShareFields(t *testing.T) {
	first := audit.New(audit.AuthLogin, moment).With(audit.Flag("new_device", true))
	a, b := first.With(audit.Text("method", "sso")), first.With(audit.Text("method", "password"))
	if f, _ := a.Field("method"); f.Text() != "sso" {
		t.Fatalf("%q", f.Text())
	}
	if f, _ := b.Field("method"); f.Text() != "password" || f.Number() != 0 || f.Flag() {
		t.Fatalf("%q", f.Text())
	}
}

func FuzzClip(f *testing.F) {
	f.Add("é\xff", 1)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = limit & 63
		got := audit.Clip(s, limit)
		if len(got) > limit || !utf8.ValidString(got) || (utf8.ValidString(s) && !strings.HasPrefix(s, got)) {
			t.Fatalf("Clip(%q, %d) = %q", s, limit, got)
		}
	})
}

func TestPrintable(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain text stays", "María signed in", "María signed in"},
		{"line breaks", "a\r\nb", `a\x0d\x0ab`},
		{"clear screen", "\x1b[2J", `\x1b[2J`},
		{"C1 control", "\u009b2J", `\u009b2J`},
		{"line separator", "a\u2028b", `a\u2028b`},
		{"bidi override", "abc\u202ecba", `abc\u202ecba`},
		{"bidi isolate", "\u2066x\u2069", `\u2066x\u2069`},
		{"zero width space", "a\u200bb", `a\u200bb`},
		{"joiner between Latin letters", "a\u200db", `a\u200db`},
		{"joiner inside an emoji", "👩\u200d💻", "👩\u200d💻"},
		{"tag character", "x\U000E0041", `x\U000e0041`},
		{"bad UTF-8", "a\xff", `a\xff`},
		{"replacement character itself", "a\uFFFD", "a\uFFFD"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := audit.Printable(c.in); got != c.want {
				t.Fatalf("Printable(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}
