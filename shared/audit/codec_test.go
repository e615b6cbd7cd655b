package audit_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"paddock/shared/audit"
	"paddock/shared/id"
)

var update = flag.Bool("update", false, "rewrite golden files")

func TestOneStoredSamplePerKind(t *testing.T) {
	var got strings.Builder
	for k := range audit.Kinds() {
		e := sample(t, k)
		b, err := audit.Encode(e)
		if err != nil {
			t.Fatalf("%s: %v", k, err)
		}
		back, err := audit.Decode(b)
		if err != nil {
			t.Fatalf("%s: %v", k, err)
		}
		if !reflect.DeepEqual(back, e) {
			t.Fatalf("%s: decoded\n%+v, encoded\n%+v", k, back, e)
		}
		if uid, ok := audit.UIDOf(b); !ok || uid != e.UID {
			t.Fatalf("%s: UIDOf = %x, %t", k, uid, ok)
		}
		fmt.Fprintf(&got, "%s %s %d %s\n", k, k.Name(), len(b), hex.EncodeToString(b))
	}
	const golden = "testdata/events.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got.String() {
		t.Error("stored forms differ from testdata/events.golden: stored events would no longer be readable")
	}
}

// TestSignInFitsOneWriteUnit leaves 360 bytes of the 1,024 for keys, three
// index values and the seal. Source: design, Audit.
func TestSignInFitsOneWriteUnit(t *testing.T) {
	for k := range audit.Kinds() {
		b, err := audit.Encode(sample(t, k))
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 1024-360 {
			t.Errorf("%s takes %d bytes with every field", k, len(b))
		}
	}
}

func TestEncodeAllocatesNothing(t *testing.T) {
	e := sample(t, audit.AuthLogin)
	dst := make([]byte, 0, 2048)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := e.AppendEncode(dst); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func TestEncodeRefuses(t *testing.T) {
	good := sample(t, audit.AuthLogin)
	big := good
	for range 16 {
		big = big.WithChange("x", strings.Repeat("a", audit.MaxText), strings.Repeat("b", audit.MaxText))
	}
	noUID := good
	noUID.UID = id.UUID{}
	for _, c := range []struct {
		name  string
		event audit.Event
		want  error
	}{
		{"no uid", noUID, audit.ErrNoUID},
		{"more than 64 KiB", big, audit.ErrTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			dst := []byte("before")
			got, err := audit.AppendEncode(dst, c.event)
			if !errors.Is(err, c.want) || string(got) != "before" {
				t.Fatalf("AppendEncode = %q, %v", got, err)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	whole, err := audit.Encode(sample(t, audit.AuthLogin))
	if err != nil {
		t.Fatal(err)
	}
	change := func(at int, to ...byte) []byte {
		b := bytes.Clone(whole)
		copy(b[at:], to)
		return b
	}
	name := bytes.Index(whole, []byte("maria.lopez"))
	for _, c := range []struct {
		name string
		in   []byte
		want error
	}{
		{"nothing", nil, audit.ErrMalformed},
		{"version 2", change(0, 2), audit.ErrMalformed},
		{"code that names no kind", change(3, 'X'), audit.ErrUnknownKind},
		{"code beyond four digits", change(1, 0x27, 0x10), audit.ErrMalformed},
		{"no uid", change(4, make([]byte, 16)...), audit.ErrMalformed},
		{"outcome 0", change(26, 0), audit.ErrMalformed},
		{"bad UTF-8", change(name, 0xff), audit.ErrMalformed},
		{"length beyond the input", change(name-1, 0x7f), audit.ErrMalformed},
		{"trailing byte", append(bytes.Clone(whole), 0), audit.ErrMalformed},
		{"unclaimed presence bit", change(30, whole[30]|0x80), audit.ErrMalformed},
		{"longer than 64 KiB", make([]byte, audit.MaxEncoded+1), audit.ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := audit.Decode(c.in)
			if !errors.Is(err, c.want) || !reflect.DeepEqual(e, audit.Event{}) {
				t.Fatalf("Decode = %+v, %v", e, err)
			}
		})
	}
	for cut := range whole {
		if e, err := audit.Decode(whole[:cut]); err == nil {
			t.Fatalf("the first %d of %d bytes decode to %+v", cut, len(whole), e)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for k := range audit.Kinds() {
		if b, err := audit.Encode(sample(f, k)); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := audit.Decode(b)
		if err != nil || e.Check() != nil {
			return
		}
		again, err := audit.Encode(e)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x decodes to an event that encodes as %x, %v: two texts for one event", b, again, err)
		}
	})
}

func TestAnyEventDecodesToItself(t *testing.T) {
	text := rapid.StringN(0, 40, 120)
	rapid.Check(t, func(r *rapid.T) {
		k := audit.Kind(rapid.IntRange(1, 194).Draw(r, "kind"))
		u := func(label string) (u id.UUID) {
			if rapid.Bool().Draw(r, label) {
				copy(u[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(r, label))
			}
			return u
		}
		e := sample(t, k)
		e.RequestID = text.Draw(r, "request")
		e.Reason = text.Draw(r, "reason")
		e.Subject, e.CauseUID, e.GrantID, e.ApprovalID, e.WorkSessionID = u("subject"), u("cause"), u("grant"), u("approval"), u("session")
		e.Actor = audit.Actor{Type: audit.ActorType(rapid.IntRange(1, 7).Draw(r, "actor")), ID: u("actor"), Username: text.Draw(r, "username"), TokenID: u("token"), DeviceID: u("device")}
		e.Auth = audit.Auth{Method: text.Draw(r, "method"), MFAAge: time.Duration(rapid.IntRange(0, 1e6).Draw(r, "age")) * time.Second, ProofID: u("proof")}
		e.Decision = audit.Decision{ID: u("decision"), Effect: audit.Effect(rapid.IntRange(0, 2).Draw(r, "effect")), FailingCondition: text.Draw(r, "condition")}
		if n := rapid.IntRange(1, 5).Draw(r, "grants"); n > 1 {
			e.Decision.Grants = rapid.SliceOfN(text, n, n).Draw(r, "grants")
		}
		if rapid.Bool().Draw(r, "v6") {
			e.Source = audit.Source{IP: netip.MustParseAddr("2001:db8::7")}
		}
		e.Time = time.UnixMilli(rapid.Int64Range(0, 253402300799999).Draw(r, "time")).UTC()
		e.Outcome = audit.Outcome(rapid.IntRange(1, 4).Draw(r, "outcome"))
		e.Privileged = rapid.Bool().Draw(r, "privileged")

		b, err := audit.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		back, err := audit.Decode(b)
		if err != nil || !reflect.DeepEqual(back, e) {
			t.Fatalf("decoded %+v, %v\nencoded %+v", back, err, e)
		}
	})
}

func TestDetailComesBack(t *testing.T) {
	e := sample(t, audit.UserUpdated)
	if slim, detail, err := audit.Detach(e, 1024); err != nil || detail != nil || !reflect.DeepEqual(slim, e) {
		t.Fatalf("a small event lost %d bytes, %v", len(detail), err)
	}
	for range 40 {
		e = e.WithChange("groups", strings.Repeat("a", 40), "")
	}
	slim, detail, err := audit.Detach(e, 600)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := audit.Encode(slim); err != nil || len(b) > 600 || len(detail) < 1600 {
		t.Fatalf("%d bytes and a detail of %d, %v", len(b), len(detail), err)
	}
	whole, err := audit.Attach(slim, detail)
	if err != nil || !reflect.DeepEqual(whole, e) {
		t.Fatalf("Attach = %+v, %v", whole, err)
	}
	detail[len(detail)-3] ^= 1
	if got, err := audit.Attach(slim, detail); !errors.Is(err, audit.ErrMalformed) || got.Kind != 0 {
		t.Fatalf("a changed detail is taken: %v", err)
	}
	if got, err := audit.Attach(slim, nil); !errors.Is(err, audit.ErrMalformed) || got.Kind != 0 {
		t.Fatalf("a missing detail is taken: %v", err)
	}
}
