//go:build unix

package store

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"wenzhen/rooms"
)

// One commit serves all who wait: this is what makes syncing to disk affordable.
// Besides ns/op it tells the CPU time of an event and how long the slowest in a
// hundred took.
func BenchmarkGroupCommit(b *testing.B) {
	for _, sync := range []string{"FULL", "NORMAL", "OFF"} {
		for _, writers := range []int{1, 8, 64, 256} {
			b.Run(fmt.Sprintf("%s/%d", sync, writers), func(b *testing.B) { benchmarkCommit(b, sync, writers) })
		}
	}
}

func benchmarkCommit(b *testing.B, synchronous string, writers int) {
	db, err := Open(b.Context(), Options{Path: filepath.Join(b.TempDir(), "b.db"), Synchronous: synchronous, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	took := make([]time.Duration, b.N)
	var next atomic.Int64
	var group sync.WaitGroup
	before := cpuTime()
	b.ResetTimer()
	for range writers {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
				began, room := time.Now(), rooms.RoomID(fmt.Sprint("room:", i%500))
				if err := db.write.do(context.Background(), func(tx *Tx) error { return say(tx, room, "hello") }); err != nil {
					b.Error(err)
				}
				took[i] = time.Since(began)
			}
		})
	}
	group.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64((cpuTime()-before).Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(took[b.N*99/100].Microseconds()), "p99-µs")
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
