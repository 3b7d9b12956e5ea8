package load

import (
	"context"
	"time"
)

// pace calls send for the 1st, 2nd, … of n operations at a fixed rate, and
// tells when each was due. What is late is sent at once. It returns how many
// were sent before ctx ended.
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

// goodLatency is what a ramp asks of a rate.
const goodLatency = 50 // ms, p99

// rampTries is how often a rate may fail: once or twice may have been the
// machine's fault.
const rampTries = 3

// ramp tries higher and higher rates, each for some time, until one fails: p99
// exceeds goodLatency, or what is achieved falls behind. try runs one rate and
// says what was achieved.
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
