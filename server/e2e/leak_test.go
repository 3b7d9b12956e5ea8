package e2e_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"wenzhen/client"
	"wenzhen/rooms/account"
	"wenzhen/server"
)

// After 1,000 connections, half of which ended without a goodbye, nothing of
// them is left. It runs beside no other test, for it counts what the process has.
func TestNothingIsLeftOfConnections(t *testing.T) {
	const cycles, atOnce = 1000, 10
	w := start(t)
	bo, wang := w.patient("bo"), w.doctor("wang")
	id := bo.consults(wang, "a headache")
	tokens := account.Tokens{AccessToken: bo.Tokens().AccessToken}

	cycle := func(n int) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		var l lines
		c, err := client.Dial(ctx, w.base, client.WithTokens(tokens), client.WithHTTPClient(w.http), l.dial())
		if err != nil {
			t.Errorf("connect: %v", err)
			return
		}
		if _, err := c.Join(ctx, id, 0); err != nil {
			t.Errorf("join: %v", err)
		}
		if n%2 == 0 {
			l.cut()
		}
		if err := c.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	run := func(cycles int) {
		var all sync.WaitGroup
		for worker := range atOnce {
			all.Go(func() {
				for n := range cycles / atOnce {
					cycle(n + worker)
				}
			})
		}
		all.Wait()
	}
	w.http.CloseIdleConnections()
	goroutines, _ := settled(t, 1<<20, 1<<40)
	run(100) // pools, statements and buffers are there from now on
	_, heap := settled(t, goroutines, 1<<40)
	run(cycles)
	after, heapAfter := settled(t, goroutines, heap+2<<20)
	t.Logf("goroutines %d → %d, heap %d → %d KiB", goroutines, after, heap>>10, heapAfter>>10)

	// The doctor is alone in the room.
	room := wang.online().joins(id)
	if p := room.State().Presence; len(p) != 1 || p[0].UserID != wang.user.ID || p[0].Devices != 1 {
		t.Errorf("somebody is still there: %+v", p)
	}
}

// settled waits until no more than so many goroutines and bytes of heap are in
// use, and returns what there is.
func settled(t *testing.T, goroutines int, heap uint64) (int, uint64) {
	t.Helper()
	var m runtime.MemStats
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		runtime.GC()
		runtime.GC() // what pools hold goes with the second
		runtime.ReadMemStats(&m)
		n := runtime.NumGoroutine()
		if n <= goroutines && m.HeapAlloc <= heap {
			return n, m.HeapAlloc
		}
		if time.Now().After(end) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, not %d; %d bytes of heap, not %d\n%s", n, goroutines, m.HeapAlloc, heap, buf[:runtime.Stack(buf, true)])
		}
	}
}

// An idle connection costs one goroutine on each side and little memory.
func TestIdleConnectionsAreCheap(t *testing.T) {
	const connections = 500
	w := start(t, func(c *server.Config) { c.SocketsPerUser = connections })
	tokens := account.Tokens{AccessToken: w.patient("bo").Tokens().AccessToken}
	w.http.CloseIdleConnections()
	before, heap := settled(t, 1<<20, 1<<40)
	all := make([]*client.Client, connections)
	for i := range all {
		all[i] = w.client(client.WithTokens(tokens))
		must(t, all[i].Connect(t.Context()))
	}
	after, heapAfter := settled(t, before+2*connections+10, 1<<40)
	each := (heapAfter - heap) / connections
	t.Logf("%.2f goroutines and %d bytes of heap per connection, both sides together", float64(after-before)/connections, each)
	if each > 64<<10 {
		t.Errorf("%d bytes per connection", each)
	}
}
