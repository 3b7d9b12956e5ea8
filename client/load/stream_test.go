package load

import (
	"testing"
	"time"
)

// Streams count losses, duplicates and reordering.
func TestStream(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		received []int64
		sent     int64
		want     Count
	}{
		"all":            {[]int64{1, 2, 3}, 3, Count{Delivered: 3}},
		"the last":       {[]int64{1, 2}, 4, Count{Delivered: 2, Lost: 2}},
		"the first":      {[]int64{2, 3}, 3, Count{Delivered: 2, Lost: 1}},
		"nothing":        {nil, 3, Count{Lost: 3}},
		"one twice":      {[]int64{1, 2, 2, 3}, 3, Count{Delivered: 3, Duplicates: 1}},
		"out of order":   {[]int64{1, 3, 2, 4}, 4, Count{Delivered: 4, Reordered: 1}},
		"late and twice": {[]int64{2, 1, 1}, 3, Count{Delivered: 2, Reordered: 1, Duplicates: 1, Lost: 1}},
	} {
		var s stream
		for _, n := range c.received {
			s.receive(n)
		}
		var got Count
		if s.count(c.sent, &got); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestHistogram(t *testing.T) {
	t.Parallel()
	var h histogram
	for i := 1; i <= 1000; i++ {
		h.add(time.Duration(i) * time.Millisecond)
	}
	l := h.take()
	if l.Count != 1000 || l.Max != 1000 || l.P50 < 490 || l.P50 > 520 || l.P99 < 985 || l.P99 > 1000 {
		t.Errorf("%+v", l)
	}
	if again := h.take(); again != (Latency{}) {
		t.Errorf("counts after take: %+v", again)
	}
	for micros := uint64(0); micros < 1<<34; micros = micros*9/8 + 1 {
		i := bucketOf(micros)
		if i == histogramBuckets-1 {
			break
		}
		top := bucketTop(i)
		if top < micros || top > micros+micros/16+1 || bucketOf(top) != i || bucketOf(top+1) != i+1 {
			t.Fatalf("%d is in bucket %d, which ends at %d", micros, i, top)
		}
	}
}
