package e2e_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/roomstest/sidecar"
)

// faultsFor is how long the faults go on: WENZHEN_FAULTS=2m is the whole test,
// with 300 clients in 100 rooms.
func faultsFor(t *testing.T) (d time.Duration, rooms int) {
	t.Helper()
	if set := os.Getenv("WENZHEN_FAULTS"); set != "" {
		d, err := time.ParseDuration(set)
		must(t, err)
		return d, 100
	}
	return 8 * time.Second, 8
}

// member is a node that a test can do harm to.
type member struct {
	*process
	redis, postgres *sidecar.Wire
}

// hall is three nodes behind nginx.
type hall struct {
	*world
	nodes []*member
}

func newHall(t *testing.T) *hall {
	t.Helper()
	database := postgresDatabase(t)
	_, redis := sidecar.Redis(t)
	h := &hall{world: newWorldOn(t, t.TempDir(), database)}
	var servers []string
	for range 3 {
		m := &member{process: &process{t: t, dir: h.dir, addr: freeAddress(t)},
			redis: sidecar.NewWire(t, redis), postgres: sidecar.NewWire(t, sidecar.Postgres(t).Port)}
		m.on = strings.Replace(database, fmt.Sprint(":", sidecar.Postgres(t).Port, "/"), fmt.Sprint(":", m.postgres.Port, "/"), 1)
		m.by = fmt.Sprint("redis://127.0.0.1:", m.redis.Port)
		m.launch()
		t.Cleanup(func() { m.kill() })
		h.nodes = append(h.nodes, m)
		servers = append(servers, m.addr)
	}
	_, port := sidecar.Nginx(t, "../../deploy/nginx.conf", servers)
	h.base = fmt.Sprint("http://127.0.0.1:", port)
	h.enterAdmin()
	return h
}

// trio is a talk with a third device, which is the patient's.
type trio struct {
	*talk
	third *talk // the same consultation, both of whose sides are the third device
}

func (h *hall) open(name string) *trio {
	h.t.Helper()
	k := h.world.open(name)
	l := &lines{}
	s := &side{person: k.sides[0].again(l.dial()).online(), lines: l, acked: map[string]chat.Message{}}
	s.room = s.joins(k.id)
	return &trio{talk: k, third: &talk{id: k.id, sides: [2]*side{s, s}}}
}

// devices are those of all rooms.
func devices(all []*trio) (list []*side) {
	for _, k := range all {
		list = append(list, k.sides[0], k.sides[1], k.third.sides[0])
	}
	return list
}

// Three nodes behind nginx, while people talk in many rooms: nodes are killed,
// paused, restarted and cut off from Redis and from PostgreSQL, in turn.
// Whatever was acked is heard once, in one order, by every device of its room.
func TestNothingIsLostByThreeNodes(t *testing.T) {
	duration, talks := faultsFor(t)
	h := newHall(t)
	ctx, cancel := context.WithTimeout(t.Context(), duration+5*time.Minute)
	defer cancel()
	all := make([]*trio, talks)
	var opening sync.WaitGroup
	doors := make(chan struct{}, 4) // hashing passwords takes a while
	for i := range all {
		doors <- struct{}{}
		opening.Go(func() {
			defer func() { <-doors }()
			all[i] = h.open(fmt.Sprint("talk-", i))
		})
	}
	opening.Wait()
	var (
		over              atomic.Bool
		acked             atomic.Int64
		senders, everyone sync.WaitGroup
	)
	list := devices(all)
	latest := make([]atomic.Int64, len(list)) // when each device last had something acked
	for i, s := range list {
		everyone.Go(func() {
			if err := s.listen(ctx); err != nil {
				t.Error(err)
			}
		})
		senders.Go(func() {
			for n := 0; !over.Load(); n++ {
				if err := s.send(ctx, fmt.Sprintf("%d-%d", i, n)); err != nil {
					t.Error(err)
					return
				}
				acked.Add(1)
				latest[i].Store(time.Now().UnixNano())
				select {
				case <-time.After(200 * time.Millisecond): // the pace at which they talk
				case <-ctx.Done():
				}
			}
		})
	}
	// back waits until every device has had something acked since a moment.
	back := func(since time.Time) time.Duration {
		eventually(t, "everyone goes on", func() bool {
			for i := range latest {
				if latest[i].Load() < since.UnixNano() {
					return false
				}
			}
			return true
		})
		return time.Since(since)
	}
	harm := []struct {
		name string
		do   func(*member)
	}{
		{"kill -9", func(m *member) { m.kill() }},
		{"SIGSTOP", func(m *member) { must(t, m.cmd.Process.Signal(syscall.SIGSTOP)) }},
		{"restart", func(m *member) { m.end() }},
		{"Redis cut", func(m *member) { m.redis.Cut() }},
		{"PostgreSQL cut", func(m *member) { m.postgres.Cut() }},
		{"PostgreSQL frozen", func(m *member) { m.postgres.Freeze() }},
	}
	heal := func(m *member, name string) {
		switch name {
		case "kill -9", "restart":
			m.launch()
		case "SIGSTOP":
			must(t, m.cmd.Process.Signal(syscall.SIGCONT))
		default:
			m.redis.Mend()
			m.postgres.Mend()
		}
	}
	back(time.Now())
	began := time.Now()
	for turn := 0; turn < len(harm) || time.Since(began) < duration; turn++ {
		m, h := h.nodes[turn%len(h.nodes)], harm[turn%len(harm)]
		at := time.Now()
		h.do(m)
		if h.name == "kill -9" {
			t.Logf("%6.1fs %s of node %d: everyone goes on after %v", time.Since(began).Seconds(), h.name, turn%3, back(at))
		} else {
			time.Sleep(min(3*time.Second, duration/12)) // how long the harm lasts
		}
		heal(m, h.name)
		took := back(time.Now())
		t.Logf("%6.1fs %s of node %d for %v, then everyone goes on after %v", time.Since(began).Seconds(), h.name, turn%3, time.Since(at)-took, took)
	}
	over.Store(true)
	senders.Wait()
	for _, k := range all {
		do(k.sides[1].person, consultation.End, consultation.EndInput{ConsultationID: k.id})
	}
	everyone.Wait()
	connections := 0
	for _, s := range list {
		connections += s.lines.count()
	}
	t.Logf("%d messages acked to %d devices in %d rooms in %v, over %d connections", acked.Load(), len(list), talks, time.Since(began), connections)
	for _, k := range all {
		k.check(t)
		k.third.check(t)
	}
}
