package load

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// histogram counts durations in buckets that are at most 3 % wide, from a
// microsecond to over an hour. Any goroutine may add to it.
type histogram struct {
	buckets [histogramBuckets]atomic.Int64
	max     atomic.Int64
}

// Each power of two is divided into 32 buckets.
const (
	histogramBits    = 5
	histogramBuckets = (33 - histogramBits) << histogramBits
)

func bucketOf(micros uint64) int {
	if micros < 1<<histogramBits {
		return int(micros)
	}
	shift := bits.Len64(micros) - histogramBits - 1
	return min((shift<<histogramBits)+int(micros>>shift), histogramBuckets-1)
}

// bucketTop returns the largest number of microseconds in a bucket.
func bucketTop(i int) uint64 {
	if i < 1<<(histogramBits+1) {
		return uint64(i)
	}
	shift := i>>histogramBits - 1
	return (uint64(i-shift<<histogramBits)+1)<<shift - 1
}

func (h *histogram) add(d time.Duration) {
	micros := max(d.Microseconds(), 0)
	h.buckets[bucketOf(uint64(micros))].Add(1)
	for {
		most := h.max.Load()
		if micros <= most || h.max.CompareAndSwap(most, micros) {
			return
		}
	}
}

// take returns what was counted since the last take.
func (h *histogram) take() Latency {
	var counts [histogramBuckets]int64
	var l Latency
	for i := range counts {
		counts[i] = h.buckets[i].Swap(0)
		l.Count += counts[i]
	}
	l.Max = float64(h.max.Swap(0)) / 1000
	at := func(share float64) float64 {
		left := int64(share * float64(l.Count))
		for i, n := range counts {
			if left -= n; left < 0 {
				return min(float64(bucketTop(i))/1000, l.Max)
			}
		}
		return l.Max
	}
	l.P50, l.P99 = at(0.50), at(0.99)
	return l
}
