package httpapi

import (
	"time"

	"paddock/shared/id"
	"paddock/shared/session"
)

// SessionAnswer is a sign-in session as people see it.
type SessionAnswer struct {
	ID            id.ID[id.Session] `json:"id"`
	Kind          string            `json:"kind"`
	Current       bool              `json:"current"`
	Device        string            `json:"device"`
	Address       string            `json:"address"`
	Method        string            `json:"method"`
	Factors       []string          `json:"factors"`
	CreatedAt     time.Time         `json:"created_at"`
	SeenAt        time.Time         `json:"seen_at"`
	EndsAt        time.Time         `json:"ends_at"`
	MFAAgeSeconds *int64            `json:"mfa_age_seconds" jsonschema:"nullable"`
}

// SessionsAnswer lists a person's sessions, the newest first.
type SessionsAnswer struct {
	Results []SessionAnswer `json:"results"`
}

// Sessions answers a list of sessions.
func (c Call) Sessions(all []session.Listed) SessionsAnswer {
	out := SessionsAnswer{Results: []SessionAnswer{}}
	for _, l := range all {
		s := l.Session
		a := SessionAnswer{
			ID: s.ID, Kind: s.Kind.String(), Current: l.Current, Device: s.Device, Address: s.Address, Method: s.Method,
			Factors: s.Factors, CreatedAt: s.CreatedAt, SeenAt: s.SeenAt, EndsAt: s.End(c.Who.Workspace),
		}
		if !s.Proof.ID.Zero() {
			age := int64(c.Now().Sub(s.Proof.At) / time.Second)
			a.MFAAgeSeconds = &age
		}
		out.Results = append(out.Results, a)
	}
	return out
}
