package cluster_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"wenzhen.example/client"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/roomstest/prove"
	"wenzhen.example/rooms/roomstest/sidecar"
	"wenzhen.example/server/e2e"
)

// faults say how long they go on, in how many rooms, and how often each device
// says something.
type faults struct {
	last  time.Duration
	rooms int
	pace  time.Duration
}

// faultsOf is what is tested; three clients are in each room.
func faultsOf(t *testing.T) faults {
	t.Helper()
	return faults{
		last:  prove.Size(t, "faults of three nodes", 8*time.Second, 2*time.Minute),
		rooms: prove.Size(t, "rooms during the faults", 8, 100),
		pace:  prove.Size(t, "pause between messages during the faults", 200*time.Millisecond, time.Second),
	}
}

// Who loses a node goes on within so long.
const reconnected = 5 * time.Second

// waits is how often who reconnects has to wait for the server: to be connected,
// for both handshakes, and for the message.
const waits = 4

// member is a node that a test can do harm to.
type member struct {
	*e2e.Process
	redis, postgres *sidecar.Wire
}

// at is the member as those see it who are connected to it alone.
func (m *member) at(w *e2e.World) *e2e.World {
	there := *w
	there.Base = "http://" + m.Addr
	return &there
}

// hall is three nodes behind nginx.
type hall struct {
	*e2e.World
	nodes [3]*member
}

func newHall(t *testing.T) *hall {
	t.Helper()
	w, list := members(t, 3)
	w.Resends = true
	h := &hall{World: w, nodes: [3]*member(list)}
	h.Options = []client.Option{client.WithBackoff(200*time.Millisecond, 15*time.Second)} // as clients do by themselves
	h.Base = fmt.Sprint("http://127.0.0.1:", sidecar.Nginx(t, "../../../deploy/nginx.conf", [3]string{list[0].Addr, list[1].Addr, list[2].Addr}))
	h.EnterAdmin()
	return h
}

// members are nodes in processes of their own, with further settings.
func members(t *testing.T, n int, env ...string) (w *e2e.World, list []*member) {
	t.Helper()
	database := e2e.PostgresDatabase(t)
	_, redis := sidecar.Redis(t)
	w = e2e.NewWorldOn(t, t.TempDir(), database)
	for range n {
		m := &member{Process: &e2e.Process{T: t, Dir: w.Dir, Addr: e2e.FreeAddress(t), Env: env},
			redis: sidecar.NewWire(t, redis), postgres: sidecar.NewWire(t, sidecar.Postgres(t).Port)}
		m.Database = strings.Replace(database, fmt.Sprint(":", sidecar.Postgres(t).Port, "/"), fmt.Sprint(":", m.postgres.Port, "/"), 1)
		m.Redis = fmt.Sprint("redis://127.0.0.1:", m.redis.Port)
		m.Launch()
		t.Cleanup(func() {
			if m.Cmd.ProcessState == nil {
				m.Kill()
			}
		})
		list = append(list, m)
	}
	return w, list
}

// trio is a talk with a third device, which is the patient's.
type trio struct {
	*e2e.Talk
	third *e2e.Talk // the same consultation, both of whose sides are the third device
}

func (h *hall) open(name string) *trio {
	h.T.Helper()
	k := h.World.Open(name)
	l := &e2e.Lines{}
	s := &e2e.Side{Person: k.Sides[0].Again(l.Dial(), l.Watch()).Online(), Lines: l, Acked: map[string]chat.Message{}}
	s.Room = s.Joins(k.ID)
	return &trio{Talk: k, third: &e2e.Talk{ID: k.ID, Sides: [2]*e2e.Side{s, s}}}
}

// speaker is a side that keeps talking, and how it goes for it.
type speaker struct {
	*e2e.Side

	mu    sync.Mutex
	acks  int
	begun time.Time     // when what was acked last was said
	back  time.Time     // when something was acked first on the present connection
	worst time.Duration // that something waited for its ack
}

// speakers are those of all rooms.
func speakers(all []*trio) (list []*speaker) {
	for _, k := range all {
		for _, s := range []*e2e.Side{k.Sides[0], k.Sides[1], k.third.Sides[0]} {
			list = append(list, &speaker{Side: s})
		}
	}
	return list
}

// talks says something at a pace until it is over.
func (s *speaker) talks(ctx context.Context, name string, pace time.Duration, over *atomic.Bool) error {
	for n := 0; !over.Load(); n++ {
		begun := time.Now()
		if err := s.Send(ctx, fmt.Sprintf("%s-%d", name, n)); err != nil {
			return err
		}
		s.answered(begun, time.Now())
		select {
		case <-time.After(pace):
		case <-ctx.Done():
		}
	}
	return nil
}

func (s *speaker) answered(begun, at time.Time) {
	_, online := s.Lines.State()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acks++
	s.begun, s.worst = begun, max(s.worst, at.Sub(begun))
	if s.back.Before(online) {
		s.back = at
	}
}

// acknowledgedSince reports whether a message that was sent after since has been
// acknowledged.
func (s *speaker) acknowledgedSince(since time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begun.After(since)
}

// resume waits until every device goes on, and tells after how long.
func resume(t *testing.T, list []*speaker) time.Duration {
	t.Helper()
	since := time.Now()
	e2e.Eventually(t, "everyone goes on", func() bool {
		for _, d := range list {
			if !d.acknowledgedSince(since) {
				return false
			}
		}
		return true
	})
	return time.Since(since)
}

// death is what the end of a node meant.
type death struct {
	lost  int           // devices that were connected to it
	back  time.Duration // until the last of them had something acked by another node
	other time.Duration // that something of the others had to wait for its ack meanwhile
}

// dies kills a node and waits until every device goes on.
func (m *member) dies(t *testing.T, list []*speaker) (end death) {
	t.Helper()
	before := make([]int, len(list))
	for i, d := range list {
		before[i], _ = d.Lines.State()
		d.mu.Lock()
		d.worst = 0
		d.mu.Unlock()
	}
	at := time.Now()
	m.Kill()
	e2e.Eventually(t, "everyone goes on", func() bool {
		end = death{}
		for i, d := range list {
			lost, online := d.Lines.State()
			d.mu.Lock()
			back, worst := d.back, d.worst
			d.mu.Unlock()
			switch {
			case lost == before[i] && d.acknowledgedSince(at):
				end.other = max(end.other, worst)
			case lost > before[i] && !online.IsZero() && back.After(online):
				end.lost++
				end.back = max(end.back, back.Sub(at))
			default:
				return false
			}
		}
		return true
	})
	return end
}

// Three nodes behind nginx, while people talk in many rooms: nodes are killed,
// paused, restarted and cut off from Redis and from PostgreSQL, in turn.
// Whatever was acked is received once, in one order, by every device of its room;
// and who loses a node goes on with another within five seconds.
func TestNothingIsLostByThreeNodes(t *testing.T) {
	prove.Parallel(t)
	f := faultsOf(t)
	h := newHall(t)
	ctx, cancel := context.WithTimeout(t.Context(), f.last+5*time.Minute)
	defer cancel()
	all := make([]*trio, f.rooms)
	// One after the other: at once they lose to each other at the end of the audit
	// log, and on a busy machine a command does not end in its time.
	for i := range all {
		all[i] = h.open(fmt.Sprint("talk-", i))
	}
	e2e.NoneFailed(t)
	var (
		over              atomic.Bool
		senders, everyone sync.WaitGroup
	)
	list := speakers(all)
	for i, d := range list {
		everyone.Go(func() {
			if err := d.Listen(ctx); err != nil {
				t.Error(err)
			}
		})
		senders.Go(func() {
			if err := d.talks(ctx, fmt.Sprint(i), f.pace, &over); err != nil {
				t.Error(err)
			}
		})
	}
	resume(t, list)
	harm := []struct {
		name string
		do   func(*member)
	}{
		{"kill -9", nil},
		{"SIGSTOP", func(m *member) { e2e.Must(t, m.Cmd.Process.Signal(syscall.SIGSTOP)) }},
		{"restart", func(m *member) { m.End() }},
		{"Redis cut", func(m *member) { m.redis.Cut() }},
		{"PostgreSQL cut", func(m *member) { m.postgres.Cut() }},
		{"PostgreSQL frozen", func(m *member) { m.postgres.Freeze() }},
	}
	heal := func(m *member, name string) {
		switch name {
		case "kill -9", "restart":
			m.Launch()
		case "SIGSTOP":
			e2e.Must(t, m.Cmd.Process.Signal(syscall.SIGCONT))
		default:
			m.redis.Restore()
			m.postgres.Restore()
		}
	}
	began := time.Now()
	for turn := 0; turn < len(harm) || time.Since(began) < f.last; turn++ {
		which := (turn + turn/len(harm)) % len(h.nodes) // each harm comes to each node
		m, h := h.nodes[which], harm[turn%len(harm)]
		at := time.Since(began).Round(100 * time.Millisecond)
		if h.name == "kill -9" {
			end := m.dies(t, list)
			t.Logf("%v kill -9 of node %d, to which %d devices were connected: the last goes on after %v; what the others say is acked within %v", at, which, end.lost, end.back, end.other)
			// On a busy machine a client that reconnects waits as every other
			// client does, once for each step. Only the full run judges this.
			if prove.Full() && end.back > reconnected+waits*end.other {
				t.Errorf("reconnecting took %v", end.back)
			}
		} else {
			h.do(m)
			time.Sleep(min(3*time.Second, f.last/12)) // how long the harm lasts
		}
		heal(m, h.name)
		t.Logf("%v %s of node %d; after it everyone goes on in %v", at, h.name, which, resume(t, list))
	}
	took := time.Since(began)
	over.Store(true)
	senders.Wait()
	for _, k := range all {
		e2e.Do(k.Sides[1].Person, consultation.End, consultation.EndInput{ConsultationID: k.ID})
	}
	everyone.Wait()
	acked, connections := 0, 0
	for _, d := range list {
		acked += d.acks
		connections += d.Lines.Count()
	}
	t.Logf("%d messages acked to %d devices in %d rooms in %v, over %d connections", acked, len(list), f.rooms, took, connections)
	for _, k := range all {
		k.Check(t)
		k.third.Check(t)
	}
}
