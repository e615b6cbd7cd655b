package usage_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/permission"
	"paddock/shared/usage"
)

func numbered(n int) id.UUID { return id.UUID{6: 0x70, 8: 0x80, 14: byte(n >> 8), 15: byte(n)} }

// TestADayHoldsEachUseOnce adds uses again and again: what is listed is each
// once, and only what is new is told to be.
func TestADayHoldsEachUseOnce(t *testing.T) {
	var d usage.Day
	use := usage.Use{Permission: permission.ReadServer, Object: numbered(1), Rule: id.Of[id.Rule](numbered(2)), Address: netip.MustParseAddr("203.0.113.1")}
	for i, want := range []bool{true, false} {
		next, fresh := d.With(use)
		if fresh != want {
			t.Errorf("use %d is new: %t", i, fresh)
		}
		d = next
	}
	if got := fmt.Sprintf("%v %d %s %d %v", d.Permissions, len(d.Objects), d.Objects[0].Type, len(d.Rules), d.Addresses); got != "[server:read] 1 server 1 [203.0.113.1]" {
		t.Errorf("the day holds %s", got)
	}
	for _, nothing := range []usage.Use{{}, {Object: numbered(9)}, {Permission: permission.Permission{Resource: 99, Action: 1}}} {
		if _, fresh := d.With(nothing); fresh {
			t.Errorf("%v is something", nothing)
		}
	}
}

// TestADayIsBounded fills a day beyond what it holds.
func TestADayIsBounded(t *testing.T) {
	var d usage.Day
	fresh := 0
	for i := range usage.MaxObjects + 50 {
		next, more := d.With(usage.Use{Permission: permission.ReadServer, Object: numbered(i)})
		if more {
			fresh++
		}
		d = next
	}
	for i := range usage.MaxRules + 50 {
		d, _ = d.With(usage.Use{Rule: id.Of[id.Rule](numbered(i))})
	}
	for i := range usage.MaxAddresses + 50 {
		d, _ = d.With(usage.Use{Address: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})})
	}
	if len(d.Objects) != usage.MaxObjects || len(d.Rules) != usage.MaxRules || len(d.Addresses) != usage.MaxAddresses || !d.MoreObjects || !d.MoreRules || !d.MoreAddresses {
		t.Errorf("%d objects, %d rules, %d addresses", len(d.Objects), len(d.Rules), len(d.Addresses))
	}
	if fresh != usage.MaxObjects+1 { // each, and that there are more
		t.Errorf("%d of them were new", fresh)
	}
	b, err := json.Marshal(d)
	if err != nil || len(b) > 64<<10 {
		t.Errorf("a full day takes %d bytes, %v", len(b), err)
	}
}

// TestMergingIsTheUnion holds the laws that instances rest on which store over
// one another: nothing is lost, the order of days says nothing of what is there,
// and what is there already is not new.
func TestMergingIsTheUnion(t *testing.T) {
	uses := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) usage.Use {
		return usage.Use{
			Permission: rapid.SampledFrom(permission.Catalogue).Draw(t, "permission"), Object: numbered(rapid.IntRange(1, 5).Draw(t, "object")),
			Address: netip.AddrFrom4([4]byte{10, 0, 0, byte(rapid.IntRange(1, 3).Draw(t, "address"))}),
		}
	}), 0, 20)
	all := func(uses []usage.Use) (d usage.Day) {
		for _, u := range uses {
			d, _ = d.With(u)
		}
		return d
	}
	sorted := func(d usage.Day) string {
		p, a := slices.Sorted(slices.Values(d.Permissions)), slices.SortedFunc(slices.Values(d.Addresses), netip.Addr.Compare)
		o := make([]string, 0, len(d.Objects))
		for _, one := range d.Objects {
			o = append(o, one.Type+one.ID.String())
		}
		slices.Sort(o)
		return fmt.Sprint(p, a, o)
	}
	rapid.Check(t, func(t *rapid.T) {
		one, two := uses.Draw(t, "one"), uses.Draw(t, "two")
		a, b := all(one), all(two)
		ab, fresh := a.Merged(b)
		ba, _ := b.Merged(a)
		if sorted(ab) != sorted(ba) || sorted(ab) != sorted(all(slices.Concat(one, two))) {
			t.Fatalf("%v and %v", ab, ba)
		}
		if fresh != (sorted(ab) != sorted(a)) {
			t.Fatalf("new: %t", fresh)
		}
		if _, again := ab.Merged(b); again {
			t.Fatal("what is there is new")
		}
	})
}

// TestObjectsHaveTheTypeOfTheirResource holds TypeOf to which permissions speak
// of objects.
func TestObjectsHaveTheTypeOfTheirResource(t *testing.T) {
	shared := map[string]bool{"user": true, "group": true, "server": true, "application": true}
	for _, p := range permission.Catalogue {
		if shared[usage.TypeOf(p.Resource)] != authz.OfObjects(p) {
			t.Errorf("%s is used on a %s", p, usage.TypeOf(p.Resource))
		}
	}
}

// TestKeysNameTheDay holds that days are those of UTC, and that tokens and
// sessions lie apart.
func TestKeysNameTheDay(t *testing.T) {
	at := time.Date(2026, 11, 26, 23, 30, 0, 0, time.FixedZone("", -3600))
	s := usage.Subject{Workspace: id.Of[id.Workspace](numbered(1)), Principal: id.Of[id.Principal](numbered(2))}
	own := usage.Key(s, at)
	s.Token = numbered(3)
	token := usage.Key(s, at)
	if own.SK != "day#20261127#self" || token.SK != "day#20261127#"+numbered(3).String() || own.PK() != token.PK() {
		t.Errorf("%s, %s", own, token)
	}
}
