package id_test

import (
	"bytes"
	"testing"
	"time"

	"paddock/shared/id"
)

func FuzzParseUUID(f *testing.F) {
	f.Add("0196f0c8-8a3b-7cde-9f01-23456789abcd")
	f.Add("00000000-0000-0000-0000-0000-0000000")
	f.Add("0196F0C8-8A3B-7CDE-9F01-23456789ABCD")
	f.Fuzz(func(t *testing.T, s string) {
		u, err := id.ParseUUID(s)
		if err == nil && u.String() != s {
			t.Fatalf("ParseUUID(%q) prints as %q", s, u)
		}
		if err != nil && !u.Zero() {
			t.Fatalf("ParseUUID(%q) failed with %v", s, u)
		}
	})
}

func TestNewUUIDSortsByTimeAndIsVersion7(t *testing.T) {
	src := id.Source{Reader: bytes.NewReader(bytes.Repeat([]byte{0xff}, 20))}
	at := time.Date(2026, 11, 25, 1, 2, 3, 4_000_000, time.UTC)
	first, err := src.NewUUID(at)
	if err != nil {
		t.Fatal(err)
	}
	second, err := src.NewUUID(at.Add(time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	if first.String() >= second.String() {
		t.Errorf("%s is not before %s", first, second)
	}
	if !first.Time().Equal(at) || first.String()[14] != '7' || first.String()[19] != 'b' {
		t.Errorf("%s, made at %v", first, first.Time())
	}
	if _, err := src.NewUUID(at); err == nil {
		t.Error("made an id without randomness")
	}
}

func TestIDTextIsEmptyForNothing(t *testing.T) {
	var zero id.ID[id.Session]
	b, err := zero.MarshalText()
	if err != nil || len(b) != 0 {
		t.Errorf("%q, %v", b, err)
	}
	var back id.ID[id.Session]
	if err := back.UnmarshalText([]byte("x")); err == nil {
		t.Error("parsed nonsense")
	}
}
