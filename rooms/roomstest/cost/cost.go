//go:build unix

// Package cost measures what work on an upload takes.
package cost

import (
	"runtime"
	"syscall"
	"testing"
	"time"
)

// The bounds of an upload (SECURITY.md).
const (
	mostMemory = 64_000_000
	mostTime   = 2 * time.Second
)

// Bounded does work, and reports an error if it takes more than an upload may:
// 2 s of a processor and 64 MB. The time is that of the processor, which does
// not depend on what else the machine does; the memory is all that is allocated.
// No other test of the package may run at the same time.
func Bounded(t testing.TB, what string, work func()) {
	t.Helper()
	Within(t, what, mostMemory, work)
}

// Within is Bounded for work that may allocate so many bytes of memory, in all.
func Within(t testing.TB, what string, bytes uint64, work func()) {
	t.Helper()
	before, began := allocated(), processorTime(t)
	work()
	if took, memory := processorTime(t)-began, allocated()-before; memory > bytes || took > Slow*mostTime {
		t.Errorf("%s took %v and %d bytes of memory", what, took, memory)
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func processorTime(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
