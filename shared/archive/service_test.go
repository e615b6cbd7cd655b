package archive_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"paddock/shared/archive"
	"paddock/shared/id"
)

func TestDeliveriesEnterOnce(t *testing.T) {
	w := newWorld()
	a := w.archiver(t)
	all := records(acme, 0, 200)
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		part := make([]archive.Record, 1+random.IntN(40))
		for i := range part {
			part[i] = all[random.IntN(len(all))]
		}
		if _, err := a.Archive(t.Context(), part); err != nil {
			t.Fatal(err)
		}
	}
	result, err := a.Archive(t.Context(), all)
	if err != nil || result.Archived+result.Present != len(all) {
		t.Fatalf("%+v, %v", result, err)
	}
	w.holds(t, acme, all)
	again, err := a.Archive(t.Context(), all)
	if err != nil || again.Archived != 0 || again.Present != len(all) {
		t.Fatalf("redelivered: %+v, %v", again, err)
	}
	w.holds(t, acme, all)
}

// TestClockGoesBack archives after the clock was moved ahead and back again, as
// the local build allows: the index must not depend on the archiver's clock.
func TestClockGoesBack(t *testing.T) {
	w := newWorld()
	a := w.archiver(t)
	ahead := records(acme, 90000, 90010)
	w.now = moment
	if _, err := a.Archive(t.Context(), ahead); err != nil {
		t.Fatal(err)
	}
	w.now = moment.Add(-time.Hour)
	if result, err := a.Archive(t.Context(), ahead); err != nil || result.Archived != 0 {
		t.Fatalf("%+v, %v", result, err)
	}
	w.holds(t, acme, ahead)
}

// TestEachCallFailsOnce fails each call of two deliveries, once unapplied and
// once applied but reported as failed, and delivers again.
func TestEachCallFailsOnce(t *testing.T) {
	first, second := records(acme, 0, 15), records(acme, 10, 30)
	calls := func() int {
		w := newWorld()
		a := w.archiver(t)
		for _, rs := range [][]archive.Record{first, second} {
			if _, err := a.Archive(t.Context(), rs); err != nil {
				t.Fatal(err)
			}
		}
		return w.calls
	}()
	if calls < 12 {
		t.Fatalf("only %d calls to fail", calls)
	}
	for _, how := range []outcome{unapplied, appliedButLost} {
		for broken := 1; broken <= calls; broken++ {
			w := newWorld()
			w.fault = func(call int, _ string) outcome {
				if call == broken {
					return how
				}
				return works
			}
			a := w.archiver(t)
			failures := 0
			for _, rs := range [][]archive.Record{first, second, first, second} {
				result, err := a.Archive(t.Context(), rs)
				if err != nil {
					failures++
					if len(result.Failed) != len(rs) || !errors.Is(err, errLost) {
						t.Fatalf("call %d: %d failed, %v", broken, len(result.Failed), err)
					}
				}
			}
			if failures != 1 {
				t.Fatalf("call %d failed %d deliveries", broken, failures)
			}
			w.holds(t, acme, records(acme, 0, 30))
		}
	}
}

// TestLeftObjectIsAdopted ends an archiver between put and commit; the next
// one brings other events and must not lose the left ones.
func TestLeftObjectIsAdopted(t *testing.T) {
	w := newWorld()
	w.fault = func(_ int, name string) outcome {
		if name == "commit" {
			return unapplied
		}
		return works
	}
	if _, err := w.archiver(t).Archive(t.Context(), records(acme, 0, 5)); !errors.Is(err, errLost) {
		t.Fatal(err)
	}
	w.fault = nil
	result, err := w.archiver(t).Archive(t.Context(), records(acme, 3, 9))
	if err != nil || result.Archived != 6 {
		t.Fatalf("%+v, %v", result, err)
	}
	w.holds(t, acme, records(acme, 0, 9))
}

func TestForeignObjectStopsOnlyItsWorkspace(t *testing.T) {
	beta := id.UUID{0xbe, 15: 1}
	other, _ := log(t, 3)
	stranger := ed25519.NewKeyFromSeed([]byte(strings.Repeat("s", 32)))
	v, err := archive.NewVerifier(domain, acme, stranger.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	forged, err := archive.Append(archive.Head{Workspace: acme}, records(acme, 0, 3), moment,
		archive.NewSigner(v, func(m []byte) ([]byte, error) { return ed25519.Sign(stranger, m), nil }))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		planted []byte
	}{
		{"no object", []byte("hello")},
		{"signed by another key", forged.Object},
		{"a byte changed", append([]byte("PDKA1"), other[0].Body[6:]...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			w.objects[archive.ObjectKey(acme, 0)] = c.planted
			result, err := w.archiver(t).Archive(t.Context(), append(records(acme, 0, 4), records(beta, 0, 4)...))
			if !errors.Is(err, archive.ErrForeignObject) || len(result.Failed) != 4 || result.Archived != 4 {
				t.Fatalf("%d failed, %d archived, %v", len(result.Failed), result.Archived, err)
			}
			w.holds(t, beta, records(beta, 0, 4))
			if w.heads[acme].Size != 0 {
				t.Fatal("the foreign object entered the log")
			}
		})
	}
}

func TestPoisonIsParked(t *testing.T) {
	w := newWorld()
	good := records(acme, 0, 3)
	noID, noText, huge, nowhere := record(acme, 10), record(acme, 11), record(acme, 12), record(acme, 13)
	noID.Event.SK = "not an id"
	noText.Event.Ciphertext = nil
	huge.Event.Ciphertext = make([]byte, archive.MaxCiphertext+1)
	nowhere.Workspace = id.UUID{}
	result, err := w.archiver(t).Archive(t.Context(), []archive.Record{noID, good[0], noText, good[1], huge, nowhere, good[2]})
	if err != nil || len(result.Parked) != 4 || result.Archived != 3 || len(result.Failed) != 0 {
		t.Fatalf("%d parked, %d archived, %v", len(result.Parked), result.Archived, err)
	}
	for _, p := range result.Parked {
		if !errors.Is(p.Reason, archive.ErrRecord) {
			t.Errorf("parked without a reason of ours: %v", p.Reason)
		}
	}
	w.holds(t, acme, good)
}

func TestRetention(t *testing.T) {
	for _, c := range []struct {
		name string
		keep time.Duration
		want error
	}{
		{"90 days are kept", archive.MinRetention, nil},
		{"a nanosecond less is refused", archive.MinRetention - 1, archive.ErrRetention},
		{"5 years are kept", archive.MaxRetention, nil},
		{"a nanosecond more is refused", archive.MaxRetention + 1, archive.ErrRetention},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			w.keep = c.keep
			if _, err := w.archiver(t).Archive(t.Context(), records(acme, 0, 1)); !errors.Is(err, c.want) {
				t.Fatalf("Archive = %v", err)
			}
			until, stored := w.until[archive.ObjectKey(acme, 0)]
			if stored != (c.want == nil) || (stored && !until.Equal(moment.Add(c.keep))) {
				t.Fatalf("stored %t until %v", stored, until)
			}
		})
	}
}

func TestRacingArchivers(t *testing.T) {
	w := newWorld()
	all := records(acme, 0, 120)
	const racers = 4
	var wg sync.WaitGroup
	errs := make(chan error, 100)
	for g := range racers {
		a := w.archiver(t)
		random := rand.New(rand.NewPCG(uint64(g), 9))
		wg.Go(func() {
			for i := 0; i < len(all); i += 10 {
				part := append([]archive.Record{}, all[i:i+10]...)
				random.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
				if _, err := a.Archive(context.Background(), part); err != nil {
					errs <- err
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if !errors.Is(err, archive.ErrConflict) {
			t.Fatal(err)
		}
	}
	if _, err := w.archiver(t).Archive(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	w.holds(t, acme, all)
}

// TestOvertakenBetweenAnyTwoCalls lets a second archiver deliver the same
// events, and others, between any two calls of the first.
func TestOvertakenBetweenAnyTwoCalls(t *testing.T) {
	for at := 1; at <= 6; at++ {
		w := newWorld()
		calls := 0
		w.between = func(string) {
			calls++
			if calls != at {
				return
			}
			w.between = nil
			if _, err := w.archiver(t).Archive(context.Background(), records(acme, 2, 12)); err != nil {
				t.Error(err)
			}
		}
		if _, err := w.archiver(t).Archive(t.Context(), records(acme, 0, 8)); err != nil {
			t.Fatal(err)
		}
		w.holds(t, acme, records(acme, 0, 12))
	}
}

func TestBigDeliveryTakesSeveralBatches(t *testing.T) {
	w := newWorld()
	all := records(acme, 0, 2*archive.MaxLeaves+5)
	result, err := w.archiver(t).Archive(t.Context(), all)
	if err != nil || result.Archived != len(all) || len(w.objects) != 3 {
		t.Fatalf("%d archived in %d objects, %v", result.Archived, len(w.objects), err)
	}
	w.holds(t, acme, all)
}

// TestCallsOfOneDelivery counts what a warm delivery to one workspace costs.
// Source: design, Numbers to keep: one object a batch.
func TestCallsOfOneDelivery(t *testing.T) {
	w := newWorld()
	count := map[string]int{}
	w.between = func(name string) { count[name]++ }
	if _, err := w.archiver(t).Archive(t.Context(), records(acme, 0, 100)); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"public": 1, "load": 1, "since": 1, "sign": 1, "put": 1, "commit": 1}
	for name, n := range want {
		if count[name] != n {
			t.Errorf("%s is called %d times, want %d", name, count[name], n)
		}
	}
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	if a, err := archive.New(archive.Config{Domain: domain}); err == nil || a != nil {
		t.Fatalf("New = %v, %v", a, err)
	}
}
