package edge

import (
	"context"
	"math/rand/v2"
	"strconv"
	"time"

	"golang.org/x/time/rate"
)

// acceptPatience is how long a handshake waits for its turn at most.
const acceptPatience = 2 * time.Second

// newGate lets so many handshakes in a second, and a second's worth at once;
// nil, for no rate, lets everyone in.
func newGate(perSecond int) *rate.Limiter {
	if perSecond <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(perSecond), perSecond)
}

// turn waits until a handshake may come in. false says that its turn is too
// far off, or that ctx ended before.
func (l *limits) turn(ctx context.Context) bool {
	if l.gate == nil {
		return true
	}
	l.mu.Lock()
	now := time.Now()
	if missing := 1 - l.gate.TokensAt(now); missing > acceptPatience.Seconds()*float64(l.gate.Limit()) {
		l.mu.Unlock()
		return false
	}
	turn := l.gate.ReserveN(now, 1)
	l.mu.Unlock()
	if wait := turn.DelayFrom(now); wait > 0 && !sleep(ctx, wait) {
		turn.Cancel()
		return false
	}
	return true
}

// sleep waits; false says that ctx ended before.
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

// paced calls f with each of list, so many a second, or more where half of the
// time that ctx leaves would not do otherwise; all at once for no rate. The
// rest is left out when ctx ends.
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

// Retry-After of refused clients, in seconds, is drawn from this range for
// each: with the same value all of them would return at once.
const soonest, latest = 1, 4

func retryAfter() string { return strconv.Itoa(soonest + rand.IntN(latest-soonest+1)) }
