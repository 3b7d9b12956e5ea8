package client

import (
	"context"
	"math/rand/v2"
	"time"

	"wenzhen/rooms"
)

// backoff is the pause before the next attempt: it doubles, and is jittered so
// that thousands of clients do not come back in one moment.
type backoff struct {
	first, most time.Duration
	tries       int
}

func (b *backoff) next() time.Duration {
	d := b.first << min(b.tries, 20)
	if d <= 0 || d > b.most {
		d = b.most
	}
	b.tries++
	return d/2 + rand.N(d/2+1)
}

func (b *backoff) reset() { b.tries = 0 }

// after is when a server that refuses wants one back. It tells many the same,
// who must not come in one moment either.
func after(e *rooms.Error) time.Duration {
	d := time.Duration(e.RetryAfterMs) * time.Millisecond
	return d + rand.N(d/2+1)
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
