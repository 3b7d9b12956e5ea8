package hostile_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"wenzhen.example/client"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/e2e"
)

// honest is a pair that talks at a fixed pace, however long an answer takes.
type honest struct {
	*e2e.Talk
	mu  sync.Mutex
	due map[string]time.Time // when a message was to be said, by its client id
}

// chatter is all of them talking.
type chatter struct {
	siege             *siege
	over              atomic.Bool
	senders, everyone sync.WaitGroup

	mu     sync.Mutex
	phases []*phase
}

// phase is a time in which messages are measured, by when they were to be said.
type phase struct {
	from, to time.Time
	took     latencies
}

// latencies are how long messages took: from the moment when one was to be
// said until the other side received it.
type latencies []time.Duration

// of is a quantile.
func (l latencies) of(q float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	slices.Sort(l)
	return l[min(len(l)-1, int(q*float64(len(l))))]
}

func (l latencies) String() string {
	ms := func(q float64) float64 { return float64(l.of(q).Microseconds()) / 1000 }
	return fmt.Sprintf("%d messages received, half of them within %.1f ms, 99 of 100 within %.1f ms, all within %.1f ms", len(l), ms(.5), ms(.99), ms(1))
}

// chat makes everyone talk until end.
func (s *siege) chat(ctx context.Context) *chatter {
	c := &chatter{siege: s}
	for i, k := range s.talks {
		k.due = map[string]time.Time{}
		for j, side := range k.Sides {
			c.everyone.Go(func() {
				if err := c.listens(ctx, k, side); err != nil {
					s.T.Error(err)
				}
			})
			c.senders.Go(func() {
				// Not all at the same moment.
				offset := s.pace * time.Duration(2*i+j) / time.Duration(2*len(s.talks))
				if err := c.talks(ctx, k, side, fmt.Sprint(j), offset); err != nil {
					s.T.Error(err)
				}
			})
		}
	}
	return c
}

// talks says something at every tick. What cannot be said in time is said
// late, and counts as late.
func (c *chatter) talks(ctx context.Context, k *honest, s *e2e.Side, name string, offset time.Duration) error {
	next := time.Now().Add(offset)
	for n := 0; ; n++ {
		pause(ctx, time.Until(next))
		if c.over.Load() {
			return nil
		}
		id := fmt.Sprint(name, "-", n)
		k.mu.Lock()
		k.due[id] = next
		k.mu.Unlock()
		if err := s.Send(ctx, id); err != nil {
			return err
		}
		next = next.Add(c.siege.pace)
	}
}

// listens receives the events of the room until the consultation has ended, and measures what
// the other side said.
func (c *chatter) listens(ctx context.Context, k *honest, s *e2e.Side) error {
	for {
		e, err := s.Room.Next(ctx)
		if err != nil {
			return fmt.Errorf("after event %d: %w", s.Room.Last(), err)
		}
		now := time.Now()
		s.Received = append(s.Received, e)
		if m, err := client.Decode(chat.MessageCreated, e); err == nil && m.SenderID != s.User.ID {
			k.mu.Lock()
			due, timed := k.due[m.ClientID]
			k.mu.Unlock()
			if timed {
				c.received(due, now.Sub(due))
			}
		}
		if v, err := client.Decode(consultation.ConsultationUpdated, e); err == nil && v.Status == consultation.Ended {
			return nil
		}
	}
}

func (c *chatter) received(due time.Time, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.phases {
		if !due.Before(p.from) && (p.to.IsZero() || due.Before(p.to)) {
			p.took = append(p.took, took)
		}
	}
}

// during measures what is to be said while f runs. It is whole once end has
// returned: some of it may be received later.
func (c *chatter) during(f func()) *phase {
	p := &phase{from: time.Now()}
	c.mu.Lock()
	c.phases = append(c.phases, p)
	c.mu.Unlock()
	f()
	c.mu.Lock()
	p.to = time.Now()
	c.mu.Unlock()
	return p
}

// end lets everyone finish, and checks that each has received what was said.
func (c *chatter) end() {
	c.over.Store(true)
	c.senders.Wait()
	for _, k := range c.siege.talks {
		e2e.Do(k.Sides[1].Person, consultation.End, consultation.EndInput{ConsultationID: k.ID})
	}
	c.everyone.Wait()
	for _, k := range c.siege.talks {
		k.Check(c.siege.T)
		for i, s := range k.Sides {
			if len(s.Acked) == 0 {
				c.siege.T.Errorf("side %d of %s said nothing", i, k.ID)
			}
		}
	}
}
