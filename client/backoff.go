package client

import (
	"context"
	"math/rand/v2"
	"time"

	"wenzhen.example/rooms"
)

// backoff computes the pause before the next attempt. It doubles, and is jittered
// so that thousands of clients do not reconnect at the same moment.
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

// after returns the pause that the server requests, jittered, because it requests
// the same of many clients.
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
