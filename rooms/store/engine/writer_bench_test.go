//go:build unix

package engine

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

	"wenzhen.example/rooms"
)

// One commit serves all who wait: this is what makes syncing to disk affordable.
// Besides ns/op it tells the CPU time of an event and how long the slowest in a
// hundred took.
func BenchmarkGroupCommit(b *testing.B) {
	for _, sync := range []string{"FULL", "NORMAL", "OFF"} {
		for _, writers := range []int{1, 8, 64, 256} {
			b.Run(fmt.Sprintf("%s/%d", sync, writers), func(b *testing.B) {
				benchmarkCommit(b, Options{Path: filepath.Join(b.TempDir(), "b.db"), Synchronous: sync}, writers)
			})
		}
	}
}

// The same on PostgreSQL, which here does not sync to disk.
func BenchmarkPostgresCommit(b *testing.B) {
	for _, writers := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) { benchmarkCommit(b, Options{URL: postgresURL(b)}, writers) })
	}
}

// What it costs a node to read an event that nobody there listens to.
func BenchmarkReadLog(b *testing.B) {
	opts := Options{URL: postgresURL(b), Now: time.Now, Log: quiet, Hub: rooms.NewHub(rooms.HubOptions{Depth: 1024})}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go opts.Hub.Run(ctx)
	db, err := Open(ctx, opts)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	const batch = 100 // committed between two reads
	p := db.write.(*postgres)
	if _, err := p.writers.Exec(`INSERT INTO log_rooms (id) SELECT 'room:' || g FROM generate_series(1, $1) g`, batch); err != nil {
		b.Fatal(err)
	}
	var used time.Duration
	for n := 0; n < b.N; n += batch {
		b.StopTimer()
		if _, err := p.writers.Exec(`INSERT INTO log (room, seq, id, name, at, actor, data)
			SELECT num, $1, 'x', 'message:created', 0, 0, repeat('x', 400) FROM log_rooms`, n+1); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		before := cpuTime()
		if err := db.Announced(ctx); err != nil {
			b.Fatal(err)
		}
		used += cpuTime() - before
	}
	b.ReportMetric(float64(used.Microseconds())/float64(b.N), "cpu-µs/op")
}

func benchmarkCommit(b *testing.B, opts Options, writers int) {
	opts.Now = time.Now
	db, err := Open(b.Context(), opts)
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
				if err := db.write.InTx(context.Background(), func(tx *Tx) error { return say(tx, room, "hello") }); err != nil {
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
