package audit

import (
	"net/netip"
	"slices"
	"time"

	"paddock/shared/id"
)

// Schema is the version of the envelope and of the contracts.
const Schema = 1

// An Outcome is how the act ended. Source: audit events contract, Envelope.
type Outcome uint8

// The outcomes.
const (
	Success Outcome = iota + 1
	Denied
	Failure
	Error
)

// String returns the outcome as the envelope spells it.
func (o Outcome) String() string {
	switch o {
	case Success:
		return "success"
	case Denied:
		return "denied"
	case Failure:
		return "failure"
	case Error:
		return "error"
	}
	return "invalid"
}

// An ActorType is what kind of principal acted. The zero ActorType stands for
// nobody known, as when a stranger is refused.
type ActorType uint8

// The actor types. Source: audit events contract, Envelope.
const (
	UserActor ActorType = iota + 1
	AgentActor
	APITokenActor
	ServiceTokenActor
	ServerActor
	SystemActor
	PlatformActor
)

// String returns the type as the envelope spells it, "" for nobody known.
func (t ActorType) String() string {
	switch t {
	case 0:
		return ""
	case UserActor:
		return "user"
	case AgentActor:
		return "agent"
	case APITokenActor:
		return "api_token"
	case ServiceTokenActor:
		return "service_token"
	case ServerActor:
		return "server"
	case SystemActor:
		return "system"
	case PlatformActor:
		return "platform"
	}
	return "invalid"
}

// An Actor is who acted. The zero Actor is nobody known.
type Actor struct {
	Type          ActorType
	ID            id.UUID
	Username      string
	Display       string
	RoleSetting   string  // member, staff or superuser when the act was done
	OnBehalfOf    id.UUID // the person for whom a token or application acted
	SessionID     id.UUID
	TokenID       id.UUID
	ApplicationID id.UUID
	DeviceID      id.UUID
}

// Auth is what the actor had proved when the act was done. The zero Auth is
// nothing proved.
type Auth struct {
	Method  string
	Factors []string
	MFAAge  time.Duration // whole seconds; has a meaning only beside ProofID
	ProofID id.UUID
}

// A Source is where the act came from.
type Source struct {
	IP           netip.Addr // no IPv4-mapped form, no zone
	NetworkLabel string
	UserAgent    string
	ClientType   string
	CLIVersion   string
}

// A Target is the object of the act.
type Target struct {
	Type string
	ID   id.UUID
	Name string
}

// An Effect is what a decision said.
type Effect uint8

// The effects.
const (
	Allow Effect = iota + 1
	Deny
)

// String returns the effect as the envelope spells it, "" for no decision.
func (f Effect) String() string {
	switch f {
	case 0:
		return ""
	case Allow:
		return "allow"
	case Deny:
		return "deny"
	}
	return "invalid"
}

// A Decision is the authorization that allowed or refused the act.
type Decision struct {
	ID               id.UUID
	Effect           Effect
	Grants           []string
	FailingCondition string
}

// HTTP is the request that carried the act. Route is the pattern, not the path.
type HTTP struct {
	Method string
	Route  string
	Status int
}

// A Change is one value before and after the act. Secret values are replaced
// by Masked before they get here.
type Change struct {
	Path   string
	Before string
	After  string
}

// Masked stands for a secret value in a Change. Source: contract, rule 3.
const Masked = "***"

// An Event is one audit event: the envelope of the contract but for what its
// place in the table tells (workspace) and what the archive adds (sequence,
// leaf hash). Times are kept to the millisecond.
type Event struct {
	UID        id.UUID // version 7
	Kind       Kind
	Time       time.Time // when it happened
	RecordedAt time.Time // when it was stored; zero until then
	Outcome    Outcome
	Actor      Actor
	Auth       Auth
	Source     Source
	Target     Target
	Subject    id.UUID // the principal concerned when another than the actor
	Decision   Decision

	WorkSessionID id.UUID
	ApprovalID    id.UUID
	GrantID       id.UUID
	CauseUID      id.UUID // the primary event of the same act
	RequestID     string
	HTTP          HTTP

	// App, Model and Action are set when the kind leaves them open; empty
	// means the kind's own.
	App, Model, Action string

	Description string // one English sentence
	Reason      string // what the person typed
	Changes     []Change
	Fields      []Field
	// DetailHash is the SHA-256 of the detail that Detach took out, zero for
	// none.
	DetailHash [32]byte
	// Privileged is true when the rule demanded an MFA proof.
	Privileged bool
}

// New returns an event of this kind that happened at this time, with the
// outcome of the kind. The commit gives it UID and RecordedAt.
func New(kind Kind, at time.Time) Event {
	return Event{Kind: kind, Time: at.Truncate(time.Millisecond).UTC(), Outcome: kind.Outcome()}
}

// WithUID returns e under this identifier, recorded at this time.
func (e Event) WithUID(uid id.UUID, recorded time.Time) Event {
	e.UID, e.RecordedAt = uid, recorded.Truncate(time.Millisecond).UTC()
	return e
}

// WithOutcome returns e ended otherwise than its kind says.
func (e Event) WithOutcome(o Outcome) Event { e.Outcome = o; return e }

// WithActor returns e done by this actor. Names are clipped to MaxName bytes.
func (e Event) WithActor(a Actor) Event {
	a.Username, a.Display = Clip(a.Username, MaxName), Clip(a.Display, MaxName)
	e.Actor = a
	return e
}

// WithAuth returns e with what was proved.
func (e Event) WithAuth(a Auth) Event {
	a.MFAAge = a.MFAAge.Truncate(time.Second)
	e.Auth = a
	return e
}

// WithSource returns e coming from this source. The address loses its mapped
// form and zone, and foreign text is clipped to MaxName bytes of valid UTF-8.
func (e Event) WithSource(s Source) Event {
	s.IP = s.IP.Unmap().WithZone("")
	s.UserAgent = Clip(s.UserAgent, MaxName)
	s.CLIVersion = Clip(s.CLIVersion, MaxName)
	e.Source = s
	return e
}

// WithTarget returns e about this object. The name is clipped to MaxName bytes.
func (e Event) WithTarget(t Target) Event { t.Name = Clip(t.Name, MaxName); e.Target = t; return e }

// WithSubject returns e concerning this principal.
func (e Event) WithSubject(principal id.UUID) Event { e.Subject = principal; return e }

// WithDecision returns e with the authorization behind it.
func (e Event) WithDecision(d Decision) Event { e.Decision = d; return e }

// WithCause returns e as secondary event of the act of the primary one.
func (e Event) WithCause(primary id.UUID) Event { e.CauseUID = primary; return e }

// WithRequest returns e carried by this request.
func (e Event) WithRequest(requestID string, h HTTP) Event {
	e.RequestID, e.HTTP = Clip(requestID, MaxName), h
	return e
}

// WithPath returns e with the app, model and action that its kind leaves open;
// "" keeps the kind's own.
func (e Event) WithPath(app, model, action string) Event {
	e.App, e.Model, e.Action = app, model, action
	return e
}

// WithDescription returns e with its sentence, clipped to MaxDescription
// characters.
func (e Event) WithDescription(sentence string) Event {
	e.Description = clipRunes(sentence, MaxDescription)
	return e
}

// WithReason returns e with what the person typed, clipped to MaxReason
// characters.
func (e Event) WithReason(typed string) Event { e.Reason = clipRunes(typed, MaxReason); return e }

// WithChange returns e with one more change, its texts clipped to MaxText bytes.
func (e Event) WithChange(path, before, after string) Event {
	c := Change{Path: path, Before: Clip(before, MaxText), After: Clip(after, MaxText)}
	e.Changes = append(slices.Clip(e.Changes), c)
	return e
}

// With returns e with these fields of its contract added.
func (e Event) With(fields ...Field) Event {
	e.Fields = append(slices.Clip(e.Fields), fields...)
	return e
}

// WithPrivilege returns e marked as an act that demanded an MFA proof.
func (e Event) WithPrivilege() Event { e.Privileged = true; return e }

// Path returns the app, model and action that the CLI filters by and prints.
func (e Event) Path() (app, model, action string) {
	return orElse(e.App, e.Kind.App()), orElse(e.Model, e.Kind.Model()), orElse(e.Action, e.Kind.Action())
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// Field returns the field with this name.
func (e Event) Field(name string) (Field, bool) {
	for _, f := range e.Fields {
		if f.name == name {
			return f, true
		}
	}
	return Field{}, false
}
