package audit

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"paddock/shared/id"
)

// A Field is one named value beyond the envelope. The zero Field is no field
// and no event takes it.
type Field struct {
	name   string
	typ    FieldType
	text   string
	number int64 // also a flag, and an instant in milliseconds
	list   []string
	uuid   id.UUID
}

// Text returns a text field. The value is clipped to MaxText bytes of valid
// UTF-8, so that foreign text cannot make an event fail.
func Text(name, value string) Field {
	return Field{name: name, typ: TextField, text: Clip(value, MaxText)}
}

// Number returns a number field; its unit is in its name.
func Number(name string, value int64) Field {
	return Field{name: name, typ: NumberField, number: value}
}

// Flag returns a truth field.
func Flag(name string, value bool) Field {
	f := Field{name: name, typ: FlagField}
	if value {
		f.number = 1
	}
	return f
}

// List returns a field of several texts, each clipped like Text.
func List(name string, values ...string) Field {
	f := Field{name: name, typ: ListField, list: make([]string, len(values))}
	for i, v := range values {
		f.list[i] = Clip(v, MaxText)
	}
	return f
}

// Instant returns a time field, kept to the millisecond.
func Instant(name string, value time.Time) Field {
	return Field{name: name, typ: InstantField, number: value.UnixMilli()}
}

// ID returns a field that names an object.
func ID(name string, value id.UUID) Field {
	return Field{name: name, typ: IDField, uuid: value}
}

// Name returns the field's name.
func (f Field) Name() string { return f.name }

// Type returns what the field holds.
func (f Field) Type() FieldType { return f.typ }

// Text returns the value of a text field, else "".
func (f Field) Text() string { return f.text }

// Number returns the value of a number field, else 0.
func (f Field) Number() int64 {
	if f.typ != NumberField {
		return 0
	}
	return f.number
}

// Flag returns the value of a truth field, else false.
func (f Field) Flag() bool { return f.typ == FlagField && f.number == 1 }

// List returns a copy of the value of a list field, else nothing.
func (f Field) List() []string { return slices.Clone(f.list) }

// Instant returns the value of a time field in UTC, else the zero time.
func (f Field) Instant() time.Time {
	if f.typ != InstantField {
		return time.Time{}
	}
	return time.UnixMilli(f.number).UTC()
}

// ID returns the value of an id field, else the zero UUID.
func (f Field) ID() id.UUID { return f.uuid }

// Clip returns s as valid UTF-8 of at most limit bytes, cut between
// characters. What was not UTF-8 becomes U+FFFD.
func Clip(s string, limit int) string {
	if len(s) > limit {
		cut := limit
		for cut > 0 && limit-cut < utf8.UTFMax && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	if utf8.ValidString(s) {
		return s
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) > limit {
		return Clip(s, limit)
	}
	return s
}

// clipRunes is Clip with the limit in characters.
func clipRunes(s string, limit int) string {
	s = Clip(s, limit*utf8.UTFMax)
	count := 0
	for i := range s {
		if count == limit {
			return s[:i]
		}
		count++
	}
	return s
}
