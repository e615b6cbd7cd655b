// Package paired measures a piece of code beside the floor it is held to, in
// one run and in turns, so that what else the machine does meets both alike.
package paired

import (
	"slices"
	"testing"
	"time"
)

// Turns is the least number of turns that a ratio is taken from.
const Turns = 21

// atLeast is how long one side of a turn runs, so that the clock's grain and
// the switch between the sides do not count; lasting, how long turns are taken,
// as a machine that is shared is slower for a second now and then.
const (
	atLeast = time.Millisecond
	lasting = 3 * time.Second
)

// Ratio reports the median, over all turns, of the time of ours by that of
// floor, and fails the benchmark when it is above bar. Sides change who goes
// first from turn to turn.
func Ratio(b *testing.B, bar float64, ours, floor func()) {
	b.Helper()
	lasts(floor, 3) // what is done for the first time takes longer
	times := max(1, int(atLeast/max(1, lasts(floor, 1))))
	var ratios []float64
	turn := func() {
		var x, y time.Duration
		if len(ratios)%2 == 0 {
			x = lasts(ours, times)
			y = lasts(floor, times)
		} else {
			y = lasts(floor, times)
			x = lasts(ours, times)
		}
		ratios = append(ratios, float64(x)/float64(max(1, y)))
	}
	start := time.Now()
	for b.Loop() {
		turn()
	}
	for len(ratios) < Turns || time.Since(start) < lasting {
		turn()
	}
	median := Median(ratios)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median, "x-floor")
	b.ReportMetric(bar, "x-bar")
	if median > bar {
		b.Errorf("%.2f times the floor in the median of %d turns; the bar is %.2f", median, len(ratios), bar)
	}
}

// Median returns the middle of the ratios, the upper of two. It sorts them.
func Median(ratios []float64) float64 {
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

func lasts(f func(), times int) time.Duration {
	start := time.Now()
	for range times {
		f()
	}
	return time.Since(start)
}
