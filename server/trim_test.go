package server

import (
	"slices"
	"testing"
)

// A crowd that has left is noticed once, when it has settled; a few who leave,
// or a crowd on its way out, are not.
func TestCrowdLeft(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		seen []int
		want []int // the looks at which it had left
	}{
		"nobody":              {[]int{0, 0, 0}, nil},
		"all leave":           {[]int{10000, 10000, 0, 0, 0}, []int{3}},
		"still leaving":       {[]int{10000, 6000, 3000, 1000, 1000}, []int{4}},
		"most leave":          {[]int{10000, 4000, 4000}, []int{2}},
		"half stay":           {[]int{10000, 6000, 6000}, nil},
		"too few":             {[]int{900, 0, 0}, nil},
		"one crowd, then two": {[]int{2000, 0, 0, 0, 3000, 0, 0, 0}, []int{2, 6}},
	} {
		var crowd crowd
		var got []int
		for i, n := range c.seen {
			if crowd.left(n) {
				got = append(got, i)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: left at %v, want %v", name, got, c.want)
		}
	}
}
