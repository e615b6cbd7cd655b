package audit_test

import (
	"net/netip"
	"testing"
	"time"

	"paddock/shared/audit"
	"paddock/shared/id"
)

var moment = time.Date(2026, 11, 24, 9, 30, 15, 250e6, time.UTC)

func uuid(n byte) id.UUID {
	return id.UUID{0x01, 0x93, 0x5d, 0x2e, 0x4a, 0x10, 0x7c, 0, 0x80, 0, 0, 0, 0, 0, 0, n}
}

// sample returns an event of kind k with each field of its contract, in the
// size of a real one.
func sample(t testing.TB, k audit.Kind) audit.Event {
	t.Helper()
	e := audit.New(k, moment).
		WithUID(uuid(1), moment.Add(12*time.Millisecond)).
		WithActor(audit.Actor{Type: audit.UserActor, ID: uuid(2), Username: "maria.lopez", Display: "María López", RoleSetting: "staff", SessionID: uuid(3)}).
		WithSource(audit.Source{
			IP: netip.MustParseAddr("203.0.113.42"), NetworkLabel: "Office", ClientType: "web",
			UserAgent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
		}).
		WithRequest("JZ3xKgQ3IAMEMrw=", audit.HTTP{Method: "POST", Route: "/api/auth/signin/{$}", Status: 200}).
		WithDescription("María López signed in with a password and a one-time code.")
	for name, typ := range k.Fields() {
		switch typ {
		case audit.TextField:
			e = e.With(audit.Text(name, textFor(k, name)))
		case audit.NumberField:
			e = e.With(audit.Number(name, numberFor(name)))
		case audit.FlagField:
			e = e.With(audit.Flag(name, true))
		case audit.ListField:
			e = e.With(audit.List(name, "password", "totp"))
		case audit.InstantField:
			e = e.With(audit.Instant(name, moment.Add(time.Hour)))
		case audit.IDField:
			e = e.With(audit.ID(name, uuid(9)))
		case audit.ChangeField:
			if name != "after" {
				e = e.WithChange("role", "member", "staff")
			}
		}
	}
	return e.WithPath(openParts(k))
}

// textFor returns a text that the contract admits.
func textFor(k audit.Kind, name string) string {
	if values := audit.Values(k, name); len(values) > 0 {
		return values[0]
	}
	return "sample"
}

func numberFor(name string) int64 {
	if name == "duration_s" {
		return 3600
	}
	return 7
}

// openParts fills what the kind leaves to the event.
func openParts(k audit.Kind) (app, model, action string) {
	pick := func(pattern string) string {
		for i := range pattern {
			if pattern[i] == '|' {
				return pattern[:i]
			}
		}
		if pattern == "*" {
			return "users"
		}
		return ""
	}
	return pick(k.App()), pick(k.Model()), pick(k.Action())
}
