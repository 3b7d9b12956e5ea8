package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wenzhen/client"
	"wenzhen/rooms"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
)

// talk is a consultation that both sides speak in at once, and what came of it.
type talk struct {
	id    consultation.ID
	sides [2]*side
}

// side is one of the two: what was acked to it and what it has heard.
type side struct {
	*person
	lines *lines
	room  *client.Room

	mu    sync.Mutex
	acked map[string]chat.Message // by client id
	heard []rooms.Entry
}

// open makes a consultation and lets both join.
func (w *world) open(name string) *talk {
	w.t.Helper()
	var t talk
	for i := range t.sides {
		l := &lines{from: w.ip}
		enter := w.patient
		if i == 1 {
			enter = w.doctor
		}
		t.sides[i] = &side{person: enter(fmt.Sprintf("%s-%d", name, i), l.dial(), l.watch()).online(), lines: l, acked: map[string]chat.Message{}}
	}
	t.id = t.sides[0].consults(t.sides[1].person, "a talk")
	t.sides[1].accepts(t.id)
	for _, s := range t.sides {
		s.room = s.joins(t.id)
	}
	return &t
}

// send says one thing until it is acked, and keeps the answer.
func (s *side) send(ctx context.Context, clientID string) error {
	m, err := s.room.Send(ctx, chat.SendInput{ClientID: clientID, Kind: chat.Text, Text: "text of " + clientID})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if first, again := s.acked[clientID]; again && (first.ID != m.ID || first.Seq != m.Seq) {
		return fmt.Errorf("%s was acked as %s (%d) and then as %s (%d)", clientID, first.ID, first.Seq, m.ID, m.Seq)
	}
	s.acked[clientID] = m
	return nil
}

// listen reads the room until the consultation has ended.
func (s *side) listen(ctx context.Context) error {
	for {
		e, err := s.room.Next(ctx)
		if err != nil {
			return fmt.Errorf("after event %d: %w", s.room.Last(), err)
		}
		s.heard = append(s.heard, e)
		if c, err := client.Decode(consultation.Updated, e); err == nil && c.Status == consultation.Ended {
			return nil
		}
	}
}

// check compares what was acked and heard with the log.
func (k *talk) check(t testing.TB) {
	t.Helper()
	log := k.sides[0].log(k.id)
	inLog := map[string]chat.Message{}
	for i, e := range log {
		if e.Seq != rooms.Seq(i+1) {
			t.Fatalf("event %d of the log has seq %d", i+1, e.Seq)
		}
		m, err := client.Decode(chat.Created, e)
		if err != nil {
			continue
		}
		if _, twice := inLog[m.ClientID]; twice {
			t.Errorf("%s is in the log twice", m.ClientID)
		}
		inLog[m.ClientID] = m
	}
	for i, s := range k.sides {
		if !reflect.DeepEqual(log, s.heard) { // cmp.Diff alone would take a minute
			t.Errorf("side %d heard something else than the log (%d and %d events):\n%.2000s", i, len(s.heard), len(log), cmp.Diff(log, s.heard))
		}
		for id, m := range s.acked {
			if kept, ok := inLog[id]; !ok || kept.ID != m.ID || kept.Seq != m.Seq {
				t.Errorf("%s was acked as %s (%d); the log has %s (%d)", id, m.ID, m.Seq, kept.ID, kept.Seq)
			}
		}
	}
}

// 50 clients, 200 messages each, connections that break at random, messages
// that are sent again: each is kept once, in one order, for everyone.
func TestNothingIsLostWhenConnectionsBreak(t *testing.T) {
	t.Parallel()
	const talks, messages = 25, 200
	w := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	all := make([]*talk, talks)
	for i := range all {
		all[i] = w.open(fmt.Sprint("talk-", i))
	}
	began := time.Now()
	var everyone, senders sync.WaitGroup
	for _, k := range all {
		for i, s := range k.sides {
			everyone.Go(func() {
				if err := s.listen(ctx); err != nil {
					t.Error(err)
				}
			})
			senders.Go(func() {
				dice := rand.New(rand.NewPCG(uint64(i), 1))
				for n := range messages {
					if dice.IntN(50) == 0 {
						go s.lines.cut() // while the next message is on its way
					}
					if err := s.send(ctx, fmt.Sprintf("%d-%d", i, n)); err != nil {
						t.Error(err)
						return
					}
					if dice.IntN(10) == 0 {
						if err := s.send(ctx, fmt.Sprintf("%d-%d", i, dice.IntN(n+1))); err != nil {
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
		do(k.sides[1].person, consultation.End, consultation.EndInput{ConsultationID: k.id})
	}
	everyone.Wait()
	for _, k := range all {
		for i, s := range k.sides {
			if len(s.acked) != messages {
				t.Errorf("side %d has %d messages acked, not %d", i, len(s.acked), messages)
			}
			connections += s.lines.count()
		}
		k.check(t)
	}
	t.Logf("%d connections", connections)
	if connections < 2*talks*2 {
		t.Errorf("%d connections: too few broke", connections)
	}
}
