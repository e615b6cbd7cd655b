// Package audit holds the audit events of Paddock: the kinds with their
// contracts, the typed event, its checks and its stored form. It promises that
// an event that encodes obeys the contract of its kind and decodes to itself.
// It refuses to know how events are sealed, stored, numbered or archived.
package audit

import (
	"errors"
	"iter"
	"sort"
)

//go:generate go run ./internal/gen -contracts ../../events/audit -out .

// A Kind is one coded kind of audit event. The zero Kind is no kind. The codes
// and their meaning are the contracts in events/audit.
type Kind uint16

// A Visibility says who may see the events of a kind. Platform staff see none.
// Source: audit events contract, rule 4.
type Visibility uint8

// The visibilities. Own: the subject and the actor see theirs, staff and
// superusers see all. Staff: staff and superusers. Superuser: superusers only.
const (
	Own Visibility = iota + 1
	Staff
	Superuser
)

// String returns the visibility's name in the contracts.
func (v Visibility) String() string {
	switch v {
	case Own:
		return "own"
	case Staff:
		return "staff"
	case Superuser:
		return "superuser"
	}
	return "invalid"
}

// An OCSF names a class and activity of OCSF 1.8.0. Activity 0 stands for the
// activity that follows from the HTTP method.
type OCSF struct {
	ClassUID   int
	ActivityID int
}

// TypeUID returns class_uid * 100 + activity_id.
func (o OCSF) TypeUID() int { return o.ClassUID*100 + o.ActivityID }

// A FieldType is what a field beyond the envelope holds.
type FieldType uint8

// The field types. A ChangeField is given by Event.Changes, not by a Field.
const (
	TextField FieldType = iota + 1
	NumberField
	FlagField
	ListField
	InstantField
	IDField
	ChangeField
)

// String returns the type's name in the contracts.
func (t FieldType) String() string {
	switch t {
	case TextField:
		return "string"
	case NumberField:
		return "int"
	case FlagField:
		return "bool"
	case ListField:
		return "strings"
	case InstantField:
		return "time"
	case IDField:
		return "id"
	case ChangeField:
		return "changes"
	}
	return "invalid"
}

type contract struct {
	code, name         string
	app, model, action string // "*" for any, "a|b" for one of
	severity           uint8
	visibility         Visibility
	outcome            Outcome
	class, activity    uint16
	byVerb             bool
	fields             []fieldRule
}

type fieldRule struct {
	name        string
	typ         FieldType
	values      string // "a|b" when the texts are a closed set
	least, most int64  // bounds of a number, both zero for none
}

// ErrUnknownKind is returned for a code that names no kind.
var ErrUnknownKind = errors.New("audit: unknown kind")

func (k Kind) contract() *contract {
	if int(k) >= len(contracts) {
		return &contracts[0]
	}
	return &contracts[k]
}

// Valid reports whether k is a kind.
func (k Kind) Valid() bool { return k != 0 && int(k) < len(contracts) }

// Code returns the stable code, such as "PD1000I", or "" for no kind.
func (k Kind) Code() string { return k.contract().code }

// String returns the code.
func (k Kind) String() string { return k.Code() }

// Name returns the event's name, such as "auth.login".
func (k Kind) Name() string { return k.contract().name }

// App returns the app that the CLI filters by: "*" when each event names its
// own, "a|b" when it names one of these.
func (k Kind) App() string { return k.contract().app }

// Model returns the model that the CLI filters by, with App's wildcards.
func (k Kind) Model() string { return k.contract().model }

// Action returns the action that the CLI prints, with App's wildcards.
func (k Kind) Action() string { return k.contract().action }

// Severity returns the OCSF severity_id, 1 (informational) to 5 (critical).
func (k Kind) Severity() uint8 { return k.contract().severity }

// Visibility returns who may see events of this kind.
func (k Kind) Visibility() Visibility { return k.contract().visibility }

// Outcome returns the outcome that New gives to events of this kind.
func (k Kind) Outcome() Outcome { return k.contract().outcome }

// OCSF returns the class and activity. byVerb is true when the activity
// follows from the HTTP method (1 Create, 2 Read, 3 Update, 4 Delete).
func (k Kind) OCSF() (o OCSF, byVerb bool) {
	c := k.contract()
	return OCSF{int(c.class), int(c.activity)}, c.byVerb
}

// FieldType returns the type of the field with this name in k's contract.
func (k Kind) FieldType(name string) (t FieldType, ok bool) {
	r := k.rule(name)
	if r == nil {
		return 0, false
	}
	return r.typ, true
}

// Fields yields the names and types of the fields of k's contract, in order.
func (k Kind) Fields() iter.Seq2[string, FieldType] {
	return func(yield func(string, FieldType) bool) {
		for _, r := range k.contract().fields {
			if !yield(r.name, r.typ) {
				return
			}
		}
	}
}

func (k Kind) rule(name string) *fieldRule {
	rules := k.contract().fields
	if at := place(rules, name); at >= 0 {
		return &rules[at]
	}
	return nil
}

// place returns the place of the field with this name, or -1.
func place(rules []fieldRule, name string) int {
	for i := range rules {
		if rules[i].name == name {
			return i
		}
	}
	return -1
}

// ParseKind returns the kind with exactly this code, or ErrUnknownKind.
func ParseKind(code string) (Kind, error) {
	rows := contracts[1:]
	i := sort.Search(len(rows), func(i int) bool { return rows[i].code >= code })
	if i == len(rows) || rows[i].code != code {
		return 0, ErrUnknownKind
	}
	return Kind(i + 1), nil
}

// Kinds yields every kind in the order of the codes.
func Kinds() iter.Seq[Kind] {
	return func(yield func(Kind) bool) {
		for k := Kind(1); k.Valid(); k++ {
			if !yield(k) {
				return
			}
		}
	}
}
