// Package memory returns memory to the operating system.
package memory

import (
	"context"
	"runtime/debug"
	"time"
)

const (
	checkEvery = 5 * time.Second
	// leastGone is how many connections must have gone for memory to be returned:
	// fewer are not worth a collection.
	leastGone = 1000
)

// Release returns free memory to the operating system after a mass disconnect,
// until ctx ends. The runtime returns what is free by itself, but only what a
// collection has found, and an idle process may not collect for minutes: its
// memory would look, and be billed, as if the connections were still open. It
// costs one collection at the start and one for each mass disconnect.
func Release(ctx context.Context, connections func() int) {
	debug.FreeOSMemory() // what starting took: migrations, the demo's passwords
	ticker := time.NewTicker(checkEvery)
	defer ticker.Stop()
	for seen := (peak{}); ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if seen.over(connections()) {
				debug.FreeOSMemory()
			}
		}
	}
}

// peak is the most connections there were since the last mass disconnect.
type peak struct{ most, last int }

// over takes the current number of connections, and reports whether most of them
// have gone and the number has not changed since the last check: once for each
// mass disconnect.
func (p *peak) over(now int) bool {
	settled := now == p.last
	p.last, p.most = now, max(p.most, now)
	if !settled || p.most-now < max(leastGone, p.most/2) {
		return false
	}
	p.most = now
	return true
}
