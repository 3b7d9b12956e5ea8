package cost

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"testing"
)

// collectAt is by how many percent the memory in use may grow until it is
// counted again.
const collectAt = 5

// Live does work, and reports an error if more than so many bytes of memory are
// in use at any time of it, besides those in use before. What nobody refers to
// anymore does not count: the garbage collector runs each time that the memory
// has grown a little, and counts what is left. No other test of the package may
// run at the same time.
func Live(t testing.TB, what string, bytes uint64, work func()) {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(collectAt))
	runtime.GC()
	before := live()
	var most atomic.Uint64
	var done atomic.Bool
	eachCollection(&done, func() { most.Store(max(most.Load(), live())) })
	work()
	done.Store(true)
	if peak := most.Load(); peak > before+bytes {
		t.Errorf("%s had %d bytes of memory in use", what, peak-before)
	}
}

// eachCollection calls do after each run of the garbage collector until done is
// set. Runs that follow each other at once may count as one.
func eachCollection(done *atomic.Bool, do func()) {
	runtime.SetFinalizer(new([16]byte), func(*[16]byte) {
		if !done.Load() {
			do()
			eachCollection(done, do)
		}
	})
}

// live is how many bytes the last run of the garbage collector found in use.
func live() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
