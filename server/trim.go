package server

import (
	"context"
	"runtime/debug"
	"time"
)

const (
	trimEvery = 5 * time.Second
	// trimLeast is how many connections must have gone for memory to be given
	// back: fewer are not worth a collection.
	trimLeast = 1000
)

// trim gives memory back to the system when most of the connections have gone,
// until ctx ends. The runtime returns what is free by itself, but only what a
// collection has found, and a process that idles after a crowd has left may not
// collect for minutes: it would look, and be billed, as if they were still here.
// It costs one collection at the start and one per crowd.
func trim(ctx context.Context, connections func() int) {
	debug.FreeOSMemory() // what starting took: migrations, the demo's passwords
	ticker := time.NewTicker(trimEvery)
	defer ticker.Stop()
	for crowd := (crowd{}); ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if crowd.left(connections()) {
				debug.FreeOSMemory()
			}
		}
	}
}

// crowd is the most connections there were since it last left.
type crowd struct{ most, last int }

// left takes how many there are now, and tells whether most of the crowd has
// left and nobody has come or gone since the last look: once for each crowd.
func (c *crowd) left(now int) bool {
	settled := now == c.last
	c.last, c.most = now, max(c.most, now)
	if !settled || c.most-now < max(trimLeast, c.most/2) {
		return false
	}
	c.most = now
	return true
}
