package edge

import (
	"context"
	"math/rand/v2"
	"strconv"
	"time"

	"golang.org/x/time/rate"
)

// acceptPatience is the maximum time that a handshake waits for AcceptRate.
const acceptPatience = 2 * time.Second

// newHandshakeLimiter returns a limiter of perSecond handshakes a second with a burst of the
// same number, or nil if there is no limit.
func newHandshakeLimiter(perSecond int) *rate.Limiter {
	if perSecond <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(perSecond), perSecond)
}

// waitTurn waits until the rate allows another handshake. It returns false if
// that would take longer than acceptPatience or ctx ends earlier.
func (l *limits) waitTurn(ctx context.Context) bool {
	if l.handshakes == nil {
		return true
	}
	l.mu.Lock()
	now := time.Now()
	if missing := 1 - l.handshakes.TokensAt(now); missing > acceptPatience.Seconds()*float64(l.handshakes.Limit()) {
		l.mu.Unlock()
		return false
	}
	turn := l.handshakes.ReserveN(now, 1)
	l.mu.Unlock()
	if wait := turn.DelayFrom(now); wait > 0 && !sleep(ctx, wait) {
		turn.Cancel()
		return false
	}
	return true
}

// sleep waits for d. It returns false if ctx ends earlier.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// paced calls f with each of list, perSecond times a second, or faster if that
// would take more than half of the time until the deadline of ctx. If perSecond
// is 0 it does not wait. It stops when ctx ends.
func paced[T any](ctx context.Context, list []T, perSecond int, f func(T)) {
	var every time.Duration
	if perSecond > 0 && len(list) > 1 {
		every = time.Second / time.Duration(perSecond)
		if deadline, ok := ctx.Deadline(); ok {
			every = min(every, max(0, time.Until(deadline))/time.Duration(2*len(list)))
		}
	}
	began := time.Now()
	for i, v := range list {
		if wait := time.Until(began.Add(time.Duration(i) * every)); wait > 0 && !sleep(ctx, wait) {
			return
		}
		f(v)
	}
}

// Retry-After of refused clients, in seconds, is a random value of this range:
// with a constant value all of them would return at once.
const soonest, latest = 1, 4

func retryAfter() string { return strconv.Itoa(soonest + rand.IntN(latest-soonest+1)) }
