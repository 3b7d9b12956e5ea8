package memory

import (
	"slices"
	"testing"
)

// A mass disconnect is detected once, when the number of connections no longer
// changes. One of few connections, or one that continues, is not detected.
func TestMassDisconnect(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		seen []int
		want []int // the checks at which it was over
	}{
		"none":              {[]int{0, 0, 0}, nil},
		"all leave":         {[]int{10000, 10000, 0, 0, 0}, []int{3}},
		"still leaving":     {[]int{10000, 6000, 3000, 1000, 1000}, []int{4}},
		"most leave":        {[]int{10000, 4000, 4000}, []int{2}},
		"half stay":         {[]int{10000, 6000, 6000}, nil},
		"too few":           {[]int{900, 0, 0}, nil},
		"one, then another": {[]int{2000, 0, 0, 0, 3000, 0, 0, 0}, []int{2, 6}},
	} {
		var seen peak
		var got []int
		for i, n := range c.seen {
			if seen.over(n) {
				got = append(got, i)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: over at %v, want %v", name, got, c.want)
		}
	}
}
