package load

import (
	"context"
	"time"
)

// pace calls send n times at a fixed rate, with the number of the call and the time
// when it was due. Calls that are late are made immediately. It returns the number of
// calls before ctx ended.
func pace(ctx context.Context, rate float64, n int, send func(i int, due time.Time)) int {
	began := time.Now()
	for i := range n {
		due := began.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait)
		}
		if ctx.Err() != nil {
			return i
		}
		send(i, due)
	}
	return n
}

// goodLatency is the maximum latency of a good rate of a ramp.
const goodLatency = 50 // ms, p99

// rampTries is how often a rate is tried: the machine may have caused one or two
// failures.
const rampTries = 3

// ramp tries increasing rates until one fails: p99 exceeds goodLatency, or the
// achieved rate is below 95 %. try runs one rate for some time and returns the
// achieved rate. ramp returns all tries and the highest good rate.
func ramp(first float64, try func(rate float64) (achieved float64, l Latency)) (steps []Step, most float64) {
	for rate, fails := first, 0; fails < rampTries && rate < 1e6; {
		achieved, l := try(rate)
		s := Step{Rate: rate, Achieved: achieved, P99: l.P99, Good: l.P99 <= goodLatency && achieved >= 0.95*rate}
		steps = append(steps, s)
		if s.Good {
			most, fails = rate, 0
			rate *= 1.25
		} else {
			fails++
		}
	}
	return steps, most
}
