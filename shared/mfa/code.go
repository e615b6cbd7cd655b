package mfa

import (
	"time"

	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/table"
)

// IsCode reports whether a method is proved by a code that is sent.
func IsCode(m identity.Method) bool { return m == identity.MailedCode || m == identity.Phone }

// A Via is how a code reaches a phone.
type Via string

// The ways to a phone.
const (
	SMS   Via = "sms"
	Voice Via = "voice"
)

// Live reports whether a challenge can be answered at now: before its end, and
// while no newer code was sent to its session. newest is the one sent last.
func (c Challenge) Live(newest id.ID[id.Challenge], now time.Time) bool {
	return now.Before(c.ExpiresAt) && (!IsCode(c.Method) || c.ID == newest)
}

// A CodeFactor is what is stored of a method that codes are sent to. While it is
// Pending it counts for nothing, and only the session that began can finish.
type CodeFactor struct {
	Method identity.Method `json:"method"`
	Name   string          `json:"name"`
	Number string          `json:"number,omitempty"` // E.164; codes by mail go to the account's address
	Via    Via             `json:"via,omitempty"`    // where a challenge names none

	Pending   bool              `json:"pending,omitempty"`
	Session   string            `json:"session,omitempty"` // hash of the session's secret
	Code      string            `json:"code,omitempty"`
	SentTo    string            `json:"sent_to,omitempty"` // masked
	Message   id.ID[id.Message] `json:"message,omitzero"`
	ExpiresAt time.Time         `json:"expires_at,omitzero"`
}

// Budgets of codes that are sent. Source: security, MF-12: per user, per number
// prefix and per workspace; the numbers are ours.
const (
	// To one person, by mail and by phone together.
	SendsAnHour = 5
	SendsADay   = 20
	ResendAfter = 30 * time.Second
	// To phones, over all people of a workspace: to numbers that begin alike
	// (identity.PhonePrefix), and to all.
	PrefixSendsAnHour = 50
	PhoneSendsADay    = 200
)

const day = 24 * time.Hour

// Sends are the instants at which codes were sent to one person in the last day,
// oldest first.
type Sends struct {
	At []time.Time `json:"at"`
}

// A Budget is one that is used up.
type Budget struct {
	Limit  int64
	Window time.Duration
	Wait   time.Duration // until there is room again
	Key    string        // whose it is, as events name it
}

// Add is the rule of how often codes are sent to one person: it returns the
// sends with one more at now, or the budget that is used up the longest. Intervals are
// half-open: what was sent a window ago counts no more.
func (s Sends) Add(now time.Time) (Sends, *Budget) {
	var spent *Budget
	for _, b := range []Budget{{Limit: 1, Window: ResendAfter}, {Limit: SendsAnHour, Window: time.Hour}, {Limit: SendsADay, Window: day}} {
		n := int(b.Limit)
		if len(s.At) < n {
			continue
		}
		b.Key, b.Wait = "user", s.At[len(s.At)-n].Add(b.Window).Sub(now)
		if b.Wait > 0 && (spent == nil || b.Wait > spent.Wait) {
			spent = &b
		}
	}
	if spent != nil {
		return Sends{}, spent
	}
	var out Sends
	for _, at := range s.At {
		if now.Sub(at) < day {
			out.At = append(out.At, at)
		}
	}
	out.At = append(out.At, now)
	return out, nil
}

// SendsLife is how long Sends count for anything.
const SendsLife = day

// Refusals of codes.
var (
	ErrSends = fault.Error{
		Kind: fault.Limited, Code: "mfa_too_many_codes",
		Detail: "Too many codes were sent. Wait before you ask for another one, or use another method.", Source: "method",
	}
	ErrPhone = fault.Error{
		Kind: fault.Invalid, Code: "phone_not_configured",
		Detail: "Codes cannot be sent to phones in this way here. Use another one, or another method.", Source: "method",
	}
	ErrNumber = fault.Field("phone", "invalid_phone", "Write the number with its country: +, then 7 to 15 digits.")
	ErrVia    = fault.Field("via", "invalid_value", "Codes to phones are sent by sms or voice; other methods take no via and no phone.")
	ErrMailed = fault.Error{
		Kind: fault.Conflict, Code: "mfa_method_in_use",
		Detail: "Codes by e-mail are set up already.", Source: "method",
	}
)

// SendsKey places when codes were sent to a person.
func SendsKey(ws id.ID[id.Workspace], user id.ID[id.Principal]) table.Key {
	return table.Key{Table: table.Credentials, Kind: "C", Workspace: ws, Of: user.String(), SK: "sends"}
}
