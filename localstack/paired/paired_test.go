package paired_test

import (
	"testing"

	"paddock/localstack/paired"
)

// TestMedian holds that one slow turn in five moves nothing, and three do.
func TestMedian(t *testing.T) {
	for _, c := range []struct {
		ratios []float64
		want   float64
	}{
		{[]float64{2}, 2},
		{[]float64{900, 1.1, 1, 1.2, 0.9}, 1.1},
		{[]float64{900, 1.1, 901, 902, 0.9}, 900},
		{[]float64{1, 3, 2, 4}, 3},
	} {
		if got := paired.Median(c.ratios); got != c.want {
			t.Errorf("%v: %v, want %v", c.ratios, got, c.want)
		}
	}
}
