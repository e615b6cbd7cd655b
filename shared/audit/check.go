package audit

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of an event. MaxDescription is from the audit events contract; the
// others keep an item far below DynamoDB's 400 KB whatever the product's own
// limits are.
const (
	MaxDescription = 200      // characters
	MaxReason      = 1000     // characters
	MaxName        = 256      // bytes of a name, label, user agent or request id
	MaxText        = 4096     // bytes of a text, list element or changed value
	MaxItems       = 500      // elements of a list, and changes of an event
	MaxFields      = 32       // fields beyond the envelope
	MaxEncoded     = 64 << 10 // bytes of the stored form
)

// A Violation is an event that breaks its contract: a defect of the code that
// made it, never the caller's fault.
type Violation struct {
	Kind Kind
	Part string // the part of the envelope or the field
	Rule string // the rule it breaks
}

// Error returns code, part and rule.
func (v *Violation) Error() string {
	return fmt.Sprintf("audit: %s %s: %s", v.Kind, v.Part, v.Rule)
}

// Check reports whether e obeys the contract of its kind and the bounds of
// this package, but for UID, which the commit gives. The error is a *Violation.
func (e *Event) Check() error {
	if !e.Kind.Valid() {
		return &Violation{e.Kind, "kind", "is no kind"}
	}
	if part, rule := e.envelopeFault(); part != "" {
		return &Violation{e.Kind, part, rule}
	}
	if part, rule := e.textFault(); part != "" {
		return &Violation{e.Kind, part, rule}
	}
	if len(e.Changes) > MaxItems {
		return &Violation{e.Kind, "changes", "are too many"}
	}
	for i := range e.Changes {
		c := &e.Changes[i]
		if c.Path == "" || !within(c.Path, MaxName) || !within(c.Before, MaxText) || !within(c.After, MaxText) {
			return &Violation{e.Kind, "changes", "hold an empty path, bad UTF-8 or too long a text"}
		}
	}
	if len(e.Fields) > MaxFields {
		return &Violation{e.Kind, "fields", "are too many"}
	}
	rules, given := e.Kind.contract().fields, uint64(0)
	for i := range e.Fields {
		f := &e.Fields[i]
		at := place(rules, f.name)
		switch {
		case at < 0:
			return &Violation{e.Kind, "field " + f.name, "is not in the contract"}
		case given>>at&1 == 1:
			return &Violation{e.Kind, "field " + f.name, "is given twice"}
		}
		given |= 1 << at
		if rule := f.fault(&rules[at]); rule != "" {
			return &Violation{e.Kind, "field " + f.name, rule}
		}
	}
	return nil
}

func (e *Event) envelopeFault() (part, rule string) {
	switch {
	case !storable(e.Time):
		return "time", "is outside 1970 to 9999"
	case !e.RecordedAt.IsZero() && !storable(e.RecordedAt):
		return "recorded_at", "is outside 1970 to 9999"
	case e.Outcome < Success || e.Outcome > Error:
		return "outcome", "is no outcome"
	case e.Actor.Type > PlatformActor:
		return "actor", "has no such type"
	case e.Actor.Type == 0 && !e.Actor.ID.Zero():
		return "actor", "has an id and no type"
	case e.Decision.Effect > Deny:
		return "decision", "has no such effect"
	case e.Auth.MFAAge < 0:
		return "auth", "has a negative age"
	case e.Source.IP.Is4In6() || e.Source.IP.Zone() != "":
		return "source", "has a mapped address or a zone"
	case e.HTTP.Status < 0 || e.HTTP.Status > 999:
		return "http", "has no such status"
	case !matches(e.Kind.App(), e.App):
		return "app", "is not one that the kind admits"
	case !matches(e.Kind.Model(), e.Model):
		return "model", "is not one that the kind admits"
	case !matches(e.Kind.Action(), e.Action):
		return "action", "is not one that the kind admits"
	case e.Description == "":
		return "description", "is missing"
	case longer(e.Description, MaxDescription):
		return "description", "is longer than 200 characters"
	case longer(e.Reason, MaxReason):
		return "reason", "is longer than 1,000 characters"
	}
	return "", ""
}

func (e *Event) textFault() (part, rule string) {
	const short, long = "is bad UTF-8 or longer than 256 bytes", "is bad UTF-8 or too long"
	switch {
	case !within(e.Actor.Username, MaxName), !within(e.Actor.Display, MaxName), !within(e.Actor.RoleSetting, MaxName):
		return "actor", short
	case !within(e.Auth.Method, MaxName), !listWithin(e.Auth.Factors, MaxName):
		return "auth", short
	case !within(e.Source.NetworkLabel, MaxName), !within(e.Source.UserAgent, MaxName),
		!within(e.Source.ClientType, MaxName), !within(e.Source.CLIVersion, MaxName):
		return "source", short
	case !within(e.Target.Type, MaxName), !within(e.Target.Name, MaxName):
		return "target", short
	case !listWithin(e.Decision.Grants, MaxText), !within(e.Decision.FailingCondition, MaxText):
		return "decision", long
	case !within(e.RequestID, MaxName):
		return "request_id", short
	case !within(e.HTTP.Method, MaxName), !within(e.HTTP.Route, MaxName):
		return "http", short
	case !within(e.App, MaxName), !within(e.Model, MaxName), !within(e.Action, MaxName):
		return "app", short
	case !utf8.ValidString(e.Description):
		return "description", long
	case !utf8.ValidString(e.Reason):
		return "reason", long
	}
	return "", ""
}

// fault returns what f breaks of its rule, or "".
func (f *Field) fault(r *fieldRule) string {
	switch {
	case r.typ == ChangeField:
		return "is given by the event's changes"
	case r.typ != f.typ:
		return "has another type in the contract"
	case !within(f.text, MaxText) || !listWithin(f.list, MaxText):
		return "is bad UTF-8 or too long"
	case f.typ == TextField && r.values != "" && !oneOf(r.values, f.text):
		return "is not one of the values in the contract"
	case f.typ == NumberField && r.most != 0 && (f.number < r.least || f.number > r.most):
		return "is outside the bounds in the contract"
	case f.typ == InstantField && (f.number < 0 || f.number > maxMilli):
		return "is outside 1970 to 9999"
	}
	return ""
}

// maxMilli is 9999-12-31T23:59:59.999Z, the last instant of RFC 3339.
const maxMilli = 253402300799999

func storable(t time.Time) bool {
	ms := t.UnixMilli()
	return ms >= 0 && ms <= maxMilli
}

// longer reports whether s has more characters than limit; only long texts are
// counted.
func longer(s string, limit int) bool {
	return len(s) > limit && utf8.RuneCountInString(s) > limit
}

func within(s string, limit int) bool { return s == "" || (len(s) <= limit && utf8.ValidString(s)) }

func listWithin(list []string, limit int) bool {
	if len(list) > MaxItems {
		return false
	}
	for _, s := range list {
		if !within(s, limit) {
			return false
		}
	}
	return true
}

// matches reports whether an event may name this part under the kind's
// pattern: the part itself or nothing for a fixed one, a word for "*", one of
// the alternatives else.
func matches(pattern, part string) bool {
	switch {
	case pattern == "*":
		return word(part)
	case strings.Contains(pattern, "|"):
		return oneOf(pattern, part)
	}
	return part == "" || part == pattern
}

func oneOf(alternatives, s string) bool {
	for alternatives != "" {
		first, rest, _ := strings.Cut(alternatives, "|")
		if first == s {
			return true
		}
		alternatives = rest
	}
	return false
}

func word(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return s != ""
}
