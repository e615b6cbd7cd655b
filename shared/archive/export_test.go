package archive

import (
	"encoding/binary"
	"testing"
)

// WithCheckpoint returns the object under another signed note.
func WithCheckpoint(t testing.TB, object, signed []byte) []byte {
	t.Helper()
	o, err := Parse(object)
	if err != nil {
		t.Fatal(err)
	}
	return append(binary.AppendUvarint(o.appendBody(nil), uint64(len(signed))), signed...)
}

// Again returns the bytes of a parsed object.
func (o *Object) Again() []byte {
	return append(binary.AppendUvarint(o.appendBody(nil), uint64(len(o.Checkpoint))), o.Checkpoint...)
}
