package cluster_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/e2e"
)

// A real process is killed at 20 random moments while eight clients send: what
// was acked is there, once, and the clients go on by themselves.
func TestNothingAckedIsLostWhenTheServerIsKilled(t *testing.T) {
	t.Parallel()
	const talks, rounds = 4, 20
	w := e2e.NewWorld(t, t.TempDir())
	p := &e2e.Process{T: t, Dir: w.Dir, Addr: e2e.FreeAddress(t), Database: w.Database}
	p.Launch()
	t.Cleanup(func() { p.Kill() })
	w.Base = "http://" + p.Addr
	w.EnterAdmin()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var (
		all               [talks]*e2e.Talk
		over              atomic.Bool
		senders, everyone sync.WaitGroup
	)
	for k := range all {
		all[k] = w.Open(fmt.Sprint("talk-", k))
		for i, s := range all[k].Sides {
			everyone.Go(func() {
				if err := s.Listen(ctx); err != nil {
					t.Error(err)
				}
			})
			senders.Go(func() {
				for n := 0; !over.Load(); n++ {
					if err := s.Send(ctx, fmt.Sprintf("%d-%d", i, n)); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	acked := func() (n int) {
		for _, k := range all {
			for _, s := range k.Sides {
				s.Mu.Lock()
				n += len(s.Acked)
				s.Mu.Unlock()
			}
		}
		return n
	}
	for range rounds {
		before := acked()
		e2e.Eventually(t, "clients resume", func() bool { return acked() >= before+2*talks })
		time.Sleep(rand.N(150 * time.Millisecond)) // not luck: the moment of death
		p.Kill()
		p.Launch()
	}
	over.Store(true)
	senders.Wait()
	for _, k := range all {
		e2e.Do(k.Sides[1].Person, consultation.End, consultation.EndInput{ConsultationID: k.ID})
	}
	everyone.Wait()
	t.Logf("%d messages acked over %d deaths", acked(), rounds)
	for _, k := range all {
		k.Check(t)
	}
}
