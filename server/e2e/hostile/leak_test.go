package hostile_test

import (
	"context"
	"sync"
	"testing"

	"wenzhen.example/client"
	"wenzhen.example/rooms/account"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// After 1,000 connections, half of which ended without a goodbye, nothing of
// them is left. It runs beside no other test, for it counts what the process has.
func TestNothingIsLeftOfConnections(t *testing.T) {
	const cycles, atOnce = 1000, 10
	w := e2e.Start(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	id := bo.Consults(wang, "a headache")
	tokens := account.Tokens{AccessToken: bo.Tokens().AccessToken}

	cycle := func(n int) {
		ctx, cancel := context.WithTimeout(t.Context(), e2e.Patience)
		defer cancel()
		var l e2e.Lines
		c, err := client.Dial(ctx, w.Base, client.WithTokens(tokens), client.WithHTTPClient(w.HTTP), l.Dial())
		if err != nil {
			t.Errorf("connect: %v", err)
			return
		}
		if _, err := c.Join(ctx, id, 0); err != nil {
			t.Errorf("join: %v", err)
		}
		if n%2 == 0 {
			l.Cut()
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
	w.HTTP.CloseIdleConnections()
	goroutines, _ := e2e.Settled(t, 1<<20, 1<<40)
	run(100) // pools, statements and buffers are there from now on
	_, heap := e2e.Settled(t, goroutines, 1<<40)
	run(cycles)
	after, heapAfter := e2e.Settled(t, goroutines, heap+2<<20)
	t.Logf("goroutines %d → %d, heap %d → %d KiB", goroutines, after, heap>>10, heapAfter>>10)

	// The doctor is alone in the room.
	room := wang.Online().Joins(id)
	if p := room.State().Presence; len(p) != 1 || p[0].UserID != wang.User.ID || p[0].Devices != 1 {
		t.Errorf("somebody is still there: %+v", p)
	}
}

// An idle connection costs one goroutine on each side and little memory.
func TestIdleConnectionsAreCheap(t *testing.T) {
	const connections = 500
	w := e2e.Start(t, func(c *app.Config) { c.SocketsPerUser = connections })
	tokens := account.Tokens{AccessToken: w.Patient("bo").Tokens().AccessToken}
	w.HTTP.CloseIdleConnections()
	before, heap := e2e.Settled(t, 1<<20, 1<<40)
	all := make([]*client.Client, connections)
	for i := range all {
		all[i] = w.Client(client.WithTokens(tokens))
		e2e.Must(t, all[i].Connect(t.Context()))
	}
	after, heapAfter := e2e.Settled(t, before+2*connections+10, 1<<40)
	each := (heapAfter - heap) / connections
	t.Logf("%.2f goroutines and %d bytes of heap per connection, both sides together", float64(after-before)/connections, each)
	if each > 64<<10 {
		t.Errorf("%d bytes per connection", each)
	}
}
