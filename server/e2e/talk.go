package e2e

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
)

// Talk is a consultation that both sides speak in at once, and what came of it.
type Talk struct {
	ID    consultation.ID
	Sides [2]*Side
}

// Side is one of the two: what was acked to it and what it has received.
type Side struct {
	*Person
	Lines *Lines
	Room  *client.Room

	Mu       sync.Mutex
	Acked    map[string]chat.Message // by client id
	Received []rooms.Event
}

// Open makes a consultation and lets both join.
func (w *World) Open(name string) *Talk {
	w.T.Helper()
	var t Talk
	for i := range t.Sides {
		l := &Lines{from: w.IP}
		enter := w.Patient
		if i == 1 {
			enter = w.Doctor
		}
		t.Sides[i] = &Side{Person: enter(fmt.Sprintf("%s-%d", name, i), l.Dial(), l.Watch()).Online(), Lines: l, Acked: map[string]chat.Message{}}
	}
	t.ID = t.Sides[0].Consults(t.Sides[1].Person, "a talk")
	t.Sides[1].Accepts(t.ID)
	for _, s := range t.Sides {
		s.Room = s.Joins(t.ID)
	}
	return &t
}

// Send sends a message until the server acknowledges it, and records the
// acknowledgement.
func (s *Side) Send(ctx context.Context, clientID string) error {
	m, err := s.Room.Send(ctx, chat.SendInput{ClientID: clientID, Kind: chat.Text, Text: "text of " + clientID})
	if err != nil {
		return err
	}
	s.Mu.Lock()
	defer s.Mu.Unlock()
	if first, again := s.Acked[clientID]; again && (first.ID != m.ID || first.Seq != m.Seq) {
		return fmt.Errorf("%s was acked as %s (%d) and then as %s (%d)", clientID, first.ID, first.Seq, m.ID, m.Seq)
	}
	s.Acked[clientID] = m
	return nil
}

// Listen reads the room until the consultation has ended.
func (s *Side) Listen(ctx context.Context) error {
	for {
		e, err := s.Room.Next(ctx)
		if err != nil {
			return fmt.Errorf("after event %d: %w", s.Room.Last(), err)
		}
		s.Received = append(s.Received, e)
		if c, err := client.Decode(consultation.ConsultationUpdated, e); err == nil && c.Status == consultation.Ended {
			return nil
		}
	}
}

// Check compares what was acked and received with the log.
func (k *Talk) Check(t testing.TB) {
	t.Helper()
	log := k.Sides[0].Log(k.ID)
	inLog := map[string]chat.Message{}
	for i, e := range log {
		if e.Seq != rooms.Seq(i+1) {
			t.Fatalf("event %d of the log has seq %d", i+1, e.Seq)
		}
		m, err := client.Decode(chat.MessageCreated, e)
		if err != nil {
			continue
		}
		if _, twice := inLog[m.ClientID]; twice {
			t.Errorf("%s is in the log twice", m.ClientID)
		}
		inLog[m.ClientID] = m
	}
	for i, s := range k.Sides {
		if !reflect.DeepEqual(log, s.Received) { // cmp.Diff alone would take a minute
			t.Errorf("side %d received something else than the log (%d and %d events):\n%.2000s", i, len(s.Received), len(log), cmp.Diff(log, s.Received))
		}
		for id, m := range s.Acked {
			if kept, ok := inLog[id]; !ok || kept.ID != m.ID || kept.Seq != m.Seq {
				t.Errorf("%s was acked as %s (%d); the log has %s (%d)", id, m.ID, m.Seq, kept.ID, kept.Seq)
			}
		}
	}
}
