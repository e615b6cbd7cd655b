package token

import (
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/permission"
	"paddock/shared/table"
)

// A Family is a kind of tokens.
type Family uint8

// The families: API tokens are of people, service tokens of applications.
const (
	OfPeople Family = iota + 1
	OfApplications
)

// Families lists them.
var Families = []Family{OfPeople, OfApplications}

// String returns what the tokens of the family are in events.
func (f Family) String() string {
	switch f {
	case OfPeople:
		return "token"
	case OfApplications:
		return "service_token"
	}
	return "unknown"
}

// Prefix returns the prefix of the family's tokens.
func (f Family) Prefix() credential.Prefix {
	switch f {
	case OfPeople:
		return credential.APIToken
	case OfApplications:
		return credential.ServiceToken
	}
	return ""
}

// FamilyOf returns the family of a prefix, and false for what is no token's.
func FamilyOf(p credential.Prefix) (Family, bool) {
	for _, f := range Families {
		if f.Prefix() == p {
			return f, true
		}
	}
	return 0, false
}

// place returns a key in the partition of a holder: an account's, or an
// application's own.
func (f Family) place(ws id.ID[id.Workspace], of id.ID[id.Principal], sk string) table.Key {
	kind := ""
	switch f {
	case OfPeople:
		kind = "U"
	case OfApplications:
		kind = "X"
	}
	return table.Key{Table: table.Data, Kind: kind, Workspace: ws, Of: of.String(), SK: sk}
}

// most returns how many tokens a holder has at most, with the refusal of one
// more.
func (f Family) most() (int, fault.Error) {
	if f == OfApplications {
		return MaxServiceTokens, ErrService
	}
	return MaxTokens, ErrMany
}

// taken returns the refusal of a name that another token has.
func (f Family) taken() fault.Error {
	if f == OfApplications {
		return ErrNames
	}
	return ErrTaken
}

// A Holder is whose tokens are meant, as they were read: a person or an
// application.
type Holder struct {
	Family Family
	ID     id.ID[id.Principal]
	Epoch  int64 // tokens of another one have ended
	// Most is what new tokens hold at most; empty: no bound but their scopes.
	Most     permission.Set
	Disabled bool
	// Rests are operations that hold what a change rests on: that who asks, and
	// the holder, are what they were.
	Rests []table.Op
}

// HolderOf returns a person as holder of tokens.
func HolderOf(u identity.User, rests ...table.Op) Holder {
	return Holder{Family: OfPeople, ID: u.ID, Epoch: u.Epoch, Disabled: u.Disabled, Rests: rests}
}

// self reports whether who asks decides over the tokens as their holder: a person
// over their own, and over an application's everybody who may change them.
func (h Holder) self(by authz.Allowed) bool {
	return h.Family == OfApplications || by.Principal().ID == h.ID
}

// event starts an event about a token of the holder. Its kind says which fields
// it has; of an application's tokens each has the application as its subject.
func (h Holder) event(by authz.Allowed, kind audit.Kind, at time.Time, of id.ID[id.Token], name, text string) audit.Event {
	e := by.Event(kind, at).With(audit.ID("token_id", of.UUID())).WithTarget(h.Family.target(of, name)).WithDescription(text)
	if by.Principal().ID != h.ID {
		e = e.WithSubject(h.ID.UUID())
	}
	return e
}

// target names a token in events.
func (f Family) target(of id.ID[id.Token], name string) audit.Target {
	return audit.Target{Type: f.String(), ID: of.UUID(), Name: name}
}
