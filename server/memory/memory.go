// Package memory returns memory to the operating system.
package memory

import (
	"context"
	"runtime/debug"
	"time"
)

const (
	checkEvery = 5 * time.Second
	// leastGone is the minimum number of ended connections after which memory is
	// returned: fewer are not worth a collection.
	leastGone = 1000
)

// Release returns free memory to the operating system after each mass disconnect,
// until ctx ends. The runtime returns free memory by itself, but only after a
// collection, and an idle process may not collect for minutes: until then its
// memory looks, and is billed, as if the connections were still open. Release
// costs one collection at the start and one for each mass disconnect.
func Release(ctx context.Context, connections func() int) {
	debug.FreeOSMemory() // used during the start: migrations, hashing of the demo's passwords
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

// peak tracks the largest number of connections since the last mass disconnect.
type peak struct{ most, last int }

// over reports whether a mass disconnect is over: most connections have ended, and
// their number, now, has not changed since the last check. It returns true once
// for each mass disconnect.
func (p *peak) over(now int) bool {
	settled := now == p.last
	p.last, p.most = now, max(p.most, now)
	if !settled || p.most-now < max(leastGone, p.most/2) {
		return false
	}
	p.most = now
	return true
}
