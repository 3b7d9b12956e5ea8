package account

import (
	"context"
	"sync"
	"time"

	"wenzhen/rooms"
)

// livenessTTL is how long the answer "this session lives" is believed, and so
// how long a revocation on another node can go unseen here.
const livenessTTL = 2 * time.Second

// livenessMost bounds the memory of answers; past it they are asked anew.
const livenessMost = 100_000

// liveness remembers for a moment which sessions live, so that not every
// command costs a query.
type liveness struct {
	store Store
	now   func() time.Time

	mu    sync.Mutex
	until map[rooms.SessionID]time.Time
	epoch uint64 // grows with each forget, so that an answer asked for before is not kept
}

func newLiveness(store Store, now func() time.Time) *liveness {
	return &liveness{store: store, now: now, until: map[rooms.SessionID]time.Time{}}
}

func (l *liveness) check(ctx context.Context, id rooms.SessionID) (bool, error) {
	now := l.now()
	l.mu.Lock()
	left := l.until[id].Sub(now)
	known, epoch := left > 0 && left <= livenessTTL, l.epoch // more is left after the clock was set back
	l.mu.Unlock()
	if known {
		return true, nil
	}
	ok, err := l.store.SessionAlive(ctx, id, now)
	if err != nil || !ok {
		return false, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.epoch == epoch {
		if len(l.until) >= livenessMost {
			clear(l.until)
		}
		l.until[id] = now.Add(livenessTTL)
	}
	return true, nil
}

func (l *liveness) forget(id rooms.SessionID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.until, id)
	l.epoch++
}
