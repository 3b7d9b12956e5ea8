package cluster_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/e2e"
)

// 50 clients, 200 messages each, connections that break at random, messages
// that are sent again: each is kept once, in one order, for everyone.
func TestNothingIsLostWhenConnectionsBreak(t *testing.T) {
	t.Parallel()
	const talks, messages = 25, 200
	w := e2e.Start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	all := make([]*e2e.Talk, talks)
	for i := range all {
		all[i] = w.Open(fmt.Sprint("talk-", i))
	}
	began := time.Now()
	var everyone, senders sync.WaitGroup
	for _, k := range all {
		for i, s := range k.Sides {
			everyone.Go(func() {
				if err := s.Listen(ctx); err != nil {
					t.Error(err)
				}
			})
			senders.Go(func() {
				dice := rand.New(rand.NewPCG(uint64(i), 1))
				for n := range messages {
					if dice.IntN(50) == 0 {
						go s.Lines.Cut() // while the next message is on its way
					}
					if err := s.Send(ctx, fmt.Sprintf("%d-%d", i, n)); err != nil {
						t.Error(err)
						return
					}
					if dice.IntN(10) == 0 {
						if err := s.Send(ctx, fmt.Sprintf("%d-%d", i, dice.IntN(n+1))); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
	}
	senders.Wait()
	t.Logf("%d messages in %v", talks*2*messages, time.Since(began))
	connections := 0
	for _, k := range all {
		e2e.Do(k.Sides[1].Person, consultation.End, consultation.EndInput{ConsultationID: k.ID})
	}
	everyone.Wait()
	for _, k := range all {
		for i, s := range k.Sides {
			if len(s.Acked) != messages {
				t.Errorf("side %d has %d messages acked, not %d", i, len(s.Acked), messages)
			}
			connections += s.Lines.Count()
		}
		k.Check(t)
	}
	t.Logf("%d connections", connections)
	if connections < 2*talks*2 {
		t.Errorf("%d connections: too few broke", connections)
	}
}
