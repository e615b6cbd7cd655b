package seal_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"paddock/shared/id"
	"paddock/shared/seal"
)

func key(t *testing.T, name byte, p seal.Purpose) *seal.Key {
	t.Helper()
	k, err := seal.NewKey(seal.KeyID{name}, p, bytes.Repeat([]byte{name}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var home = seal.Place{Workspace: id.UUID{15: 1}, Table: "data", PK: "U#1#2", SK: "user", Version: 3}

func TestAPayloadOpensOnlyAtItsPlace(t *testing.T) {
	k := key(t, 1, seal.Data)
	sealed, err := k.Seal(home, []byte("payload"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.Open(home, sealed); err != nil || string(got) != "payload" {
		t.Fatalf("%q, %v", got, err)
	}
	elsewhere := map[string]seal.Place{}
	for name, change := range map[string]func(*seal.Place){
		"another workspace":         func(p *seal.Place) { p.Workspace = id.UUID{15: 2} },
		"another table":             func(p *seal.Place) { p.Table = "credentials" },
		"another partition":         func(p *seal.Place) { p.PK = "U#1#3" },
		"another sort key":          func(p *seal.Place) { p.SK = "user2" },
		"the version before":        func(p *seal.Place) { p.Version = 2 },
		"parts shifted by one byte": func(p *seal.Place) { p.PK, p.SK = "U#1#2u", "ser" },
	} {
		p := home
		change(&p)
		elsewhere[name] = p
	}
	for name, p := range elsewhere {
		if got, err := k.Open(p, sealed); !errors.Is(err, seal.ErrOpen) || got != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := key(t, 2, seal.Data).Open(home, sealed); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("another key: %v", err)
	}
}

func TestEveryFlippedByteIsSeen(t *testing.T) {
	k := key(t, 1, seal.Data)
	sealed, err := k.Seal(home, []byte("payload"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if got, err := k.Open(home, bad); !errors.Is(err, seal.ErrOpen) || got != nil {
			t.Errorf("byte %d flipped: %q, %v", i, got, err)
		}
	}
	for n := range sealed {
		if _, err := k.Open(home, sealed[:n]); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
}

func TestEqualTextsMeetOnlyInTheSameFieldAndWorkspace(t *testing.T) {
	a, b := key(t, 1, seal.Index), key(t, 2, seal.Index)
	if again := key(t, 1, seal.Index); a.MAC("login", "x") != again.MAC("login", "x") {
		t.Error("the same text does not meet itself")
	}
	if a.MAC("login", "x") == a.MAC("guess", "x") || a.MAC("login", "x") == b.MAC("login", "x") || a.MAC("ab", "c") == a.MAC("a", "bc") {
		t.Error("texts of different fields or keys meet")
	}
}

type unwrapper struct {
	calls int
	err   error
}

func (u *unwrapper) Unwrap(_ context.Context, _ string, _ id.UUID, w seal.Wrapped) ([]byte, error) {
	u.calls++
	return bytes.Repeat(w.Blob, seal.KeySize), u.err
}

func TestKeysLeaveMemoryAfterAMinute(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	u := &unwrapper{}
	c := seal.NewCache(u, func() time.Time { return now })
	ws := id.UUID{15: 1}
	if _, err := c.Load(t.Context(), ws, "key", []seal.Wrapped{{ID: seal.KeyID{1}, Purpose: seal.Data, Blob: []byte{7}}}); err != nil {
		t.Fatal(err)
	}
	now = now.Add(seal.CacheFor - time.Nanosecond)
	if _, ok := c.Held(ws); !ok {
		t.Error("the keys are gone too early")
	}
	now = now.Add(time.Nanosecond)
	if _, ok := c.Held(ws); ok {
		t.Error("the keys stay too long")
	}
	u.err = errors.New("refused")
	if _, err := c.Load(t.Context(), ws, "key", []seal.Wrapped{{ID: seal.KeyID{1}, Purpose: seal.Data, Blob: []byte{7}}}); err == nil {
		t.Error("loaded a key that the service refused")
	}
	if _, ok := c.Held(ws); ok {
		t.Error("a failed load left keys")
	}
}

func FuzzParseRing(f *testing.F) {
	f.Add(seal.AppendRing(nil, []seal.Wrapped{{ID: seal.KeyID{1}, Purpose: seal.Data, Blob: []byte("blob")}, {ID: seal.KeyID{2}, Purpose: seal.Index}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		ring, err := seal.ParseRing(b)
		if err == nil && !bytes.Equal(seal.AppendRing(nil, ring), b) {
			t.Fatalf("%x reads as %v", b, ring)
		}
	})
}
