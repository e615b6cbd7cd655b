package world_test

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"paddock/localstack/world"
)

// TestDeliveryInAnyOrderAndTwice delivers every stream record and every ticket
// of the journey twice, in small batches and in a random order.
func TestDeliveryInAnyOrderAndTwice(t *testing.T) {
	seeds := uint64(1)
	if os.Getenv("PADDOCK_SOAK") != "" {
		seeds = 20
	}
	for seed := range seeds {
		r := &world.Recorder{}
		w, err := shared.NewWalk(r, "disorder-"+string(rune('a'+seed)))
		if err != nil {
			t.Fatal(err)
		}
		w.Delivery.Times, w.Delivery.Shuffle = 2, rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // an order
		for _, step := range w.Steps() {
			if err := w.Take(t.Context(), step); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		if err := w.InspectLog(t.Context()); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
		mails := map[world.Mail]int{}
		for _, m := range r.Mails() {
			mails[m]++
		}
		if len(mails) < 4 {
			t.Errorf("seed %d: only %d different mails", seed, len(mails))
		}
		for m, n := range mails {
			// Notices of equal acts have equal words; a link is one of a kind.
			if n != 1 && strings.Contains(m.Text, "#") {
				t.Errorf("seed %d: %q went to %s %d times", seed, m.Subject, m.To, n)
			}
		}
	}
}

// TestSweepsFindWhatStreamAndQueueLost takes the journey without any delivery
// but the sweeps of the schedules.
func TestSweepsFindWhatStreamAndQueueLost(t *testing.T) {
	r := &world.Recorder{}
	w, err := shared.NewWalk(r, "undelivered")
	if err != nil {
		t.Fatal(err)
	}
	steps := w.Steps()
	for _, step := range []world.Step{steps[0], steps[len(steps)-1], steps[1], steps[2], steps[3], steps[7], steps[len(steps)-1]} {
		if err := step.Do(t.Context()); err != nil {
			t.Fatalf("%s: %v", step.Name, err)
		}
	}
	if err := w.InspectLog(t.Context()); err != nil {
		t.Error(err)
	}
	if n := len(r.Mails()); n < 3 {
		t.Errorf("%d mails were sent, want the two invitations and the notice at least", n)
	}
}
