package e2e

import (
	"sync/atomic"
	"time"
)

// Clock is a machine's clock, which a test sets.
type Clock struct{ off atomic.Int64 }

// Now is the time that it shows.
func (c *Clock) Now() time.Time {
	return time.Now().Add(time.Duration(c.off.Load())).UTC().Truncate(time.Microsecond)
}

// Set makes it show so much more or less than the true time.
func (c *Clock) Set(off time.Duration) { c.off.Store(int64(off)) }

// Add sets it forward from where it is.
func (c *Clock) Add(d time.Duration) { c.off.Add(int64(d)) }
