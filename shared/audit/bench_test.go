package audit_test

import (
	"encoding/json"
	"testing"

	"paddock/shared/audit"
)

func BenchmarkEncode(b *testing.B) {
	e := sample(b, audit.AuthLogin)
	dst := make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.AppendEncode(dst); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEncodeJSON is the peer: the same event through encoding/json.
func BenchmarkEncodeJSON(b *testing.B) {
	e := sample(b, audit.AuthLogin)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	stored, err := audit.Encode(sample(b, audit.AuthLogin))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := audit.Decode(stored); err != nil {
			b.Fatal(err)
		}
	}
}
