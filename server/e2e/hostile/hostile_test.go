package hostile_test

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/roomstest/prove"
	"wenzhen.example/server/e2e"
)

// force is how much of everything there is.
type force struct {
	pairs       int           // of honest people
	pace        time.Duration // between two messages of one of them
	calm, storm time.Duration // how long they talk undisturbed, and at least while attacked
	idle        int           // connections that are begun and not gone on with
	crowd       int           // sockets from one address
	perAddress  int           // of which so many are let in
	env         []string      // of the server
}

// forceOf is what is tested. At full size the server has the limits of the
// defaults but for those of connections. It takes some minutes, and prints how
// long messages took undisturbed and during the attacks, which is not for a
// test to judge.
func forceOf(t *testing.T) force {
	f := force{
		pairs: prove.Size(t, "honest pairs under attack", 8, 100),
		pace:  prove.Size(t, "pause between their messages", 250*time.Millisecond, 2*time.Second),
		calm:  prove.Size(t, "time undisturbed", time.Second, time.Minute),
		storm: prove.Size(t, "time attacked", 2*time.Second, 90*time.Second),
		idle:  prove.Size(t, "connections begun and left", 400, 10_000),
		crowd: prove.Size(t, "sockets from one address", 150, 5_000),
	}
	f.perAddress = prove.Size(t, "sockets allowed from one address", 50, 500)
	f.env = []string{fmt.Sprint("WENZHEN_CONNECTIONS_PER_ADDRESS=", f.perAddress),
		fmt.Sprint("WENZHEN_WAITING_CONNECTIONS=", prove.Size(t, "connections allowed to wait", 150, 1000))}
	if !prove.Full() {
		f.env = append(f.env, "WENZHEN_BODY_TIMEOUT=2s", "WENZHEN_PING_INTERVAL=3s", "WENZHEN_PING_TIMEOUT=7s")
	}
	return f
}

// The server's memory during the attacks: what Go's heap takes.
const siegeMemory = 256 << 20

// siege is a server in a process of its own, with the limits that it has by
// default, honest people who talk over it, and those who mean it harm.
type siege struct {
	*e2e.World
	force
	process *e2e.Process
	said    *e2e.Recorder
	talks   []*honest
	malice
	refused atomic.Int64 // of the crowd
}

// Everything that a hostile client could think of is done to a server at once
// while honest pairs chat. Each attack gets the answer that it must get; the
// honest lose nothing, hear nothing twice and everything in order; memory has a
// bound, the refusals are counted, and afterwards the server is as before.
//
// It runs beside no other test: it would be one more attack on them.
func TestHostileClients(t *testing.T) {
	s := newSiege(t)
	ctx, cancel := context.WithTimeout(t.Context(), s.calm+s.storm+10*time.Minute)
	defer cancel()
	before := s.Metrics()
	chatter := s.chat(ctx)
	undisturbed := chatter.during(func() { pause(ctx, s.calm) })
	watch, attacks := s.watch(ctx), s.attacks()
	disturbed := chatter.during(func() { s.attacked(ctx, attacks) })
	peak := watch()
	chatter.end()

	t.Logf("undisturbed: %v", undisturbed.took)
	t.Logf("attacked:    %v", disturbed.took)
	t.Logf("the 99th of 100 took %.2f times as long; Go's heap took %d MB at most", disturbed.took.of(.99).Seconds()/undisturbed.took.of(.99).Seconds(), peak>>20)
	if peak > siegeMemory {
		t.Errorf("the heap took %d MB, bound is %d", peak>>20, siegeMemory>>20)
	}
	s.counted(before)
	s.unharmed()
}

// newSiege starts the server and lets everyone in; from addresses of their own,
// as they would come.
func newSiege(t *testing.T) *siege {
	t.Helper()
	s := &siege{World: e2e.NewWorld(t, t.TempDir()), force: forceOf(t), said: &e2e.Recorder{}}
	private := e2e.FreeAddress(t)
	s.process = &e2e.Process{T: t, Dir: s.Dir, Addr: e2e.FreeAddress(t), Database: s.Database, Stderr: s.said,
		Env: append([]string{e2e.ServeStrictly + "=yes", "WENZHEN_METRICS_ADDR=" + private, "WENZHEN_REGISTRATIONS=10000"}, s.env...)}
	s.process.Launch()
	t.Cleanup(func() {
		if s.process.Cmd.ProcessState == nil {
			s.process.Kill()
		}
	})
	s.Base, s.Watched = "http://"+s.process.Addr, "http://"+private
	s.EnterAdmin()
	s.talks = make([]*honest, s.pairs)
	doors := make(chan struct{}, 4) // hashing passwords takes a while
	var opening sync.WaitGroup
	for i := range s.talks {
		doors <- struct{}{}
		opening.Go(func() {
			defer func() { <-doors }()
			s.talks[i] = &honest{Talk: s.World.From(address(1, i)).Open(fmt.Sprint("pair-", i))}
		})
	}
	opening.Wait()
	e2e.NoneFailed(t)
	s.prepare()
	return s
}

// address is one of this machine's: of the honest (1) or of an attack's own net.
func address(network byte, n int) net.IP { return net.IPv4(127, network, byte(n/250), byte(1+n%250)) }

// attacked runs all attacks, over and over, at least once each and as long as
// the storm lasts.
func (s *siege) attacked(ctx context.Context, attacks []attack) {
	over := time.Now().Add(s.storm)
	var mu sync.Mutex
	rounds := map[string]int{}
	var all sync.WaitGroup
	for _, a := range attacks {
		all.Go(func() {
			for n := 0; ctx.Err() == nil && (n == 0 || time.Now().Before(over)); n++ {
				if n > 0 && a.once {
					return
				}
				if err := a.round(ctx); err != nil {
					s.T.Errorf("%s: %v", a.name, err)
					return
				}
				mu.Lock()
				rounds[a.name]++
				mu.Unlock()
				pause(ctx, a.every)
			}
		})
	}
	all.Wait()
	pause(ctx, time.Until(over))
	for _, name := range slices.Sorted(maps.Keys(rounds)) {
		s.T.Logf("%5d × %s", rounds[name], name)
	}
}

// watch reads the server's memory until the function that it returns is
// called, which tells the most that there was.
func (s *siege) watch(ctx context.Context) func() uint64 {
	ctx, stop := context.WithCancel(ctx)
	most := make(chan uint64)
	go func() {
		var peak float64
		for ctx.Err() == nil {
			peak = max(peak, s.Metrics()["go_memstats_heap_inuse_bytes"])
			pause(ctx, 500*time.Millisecond)
		}
		most <- uint64(peak)
	}()
	return func() uint64 {
		stop()
		return <-most
	}
}

// counted checks what the operator can see of the attacks.
func (s *siege) counted(before map[string]float64) {
	now := s.Metrics()
	for series, least := range map[string]int{
		`wenzhen_handshakes_refused_total`: int(s.refused.Load()),
		`wenzhen_malformed_cut_total`:      len(badFrames),
		`wenzhen_slow_readers_cut_total`:   1,
		`wenzhen_timed_out_total`:          1,
		`wenzhen_waiting_cut_total`:        1,
		`wenzhen_commands_total{code="rate_limited",command="typing:start",transport="socket"}`: 1,
		`wenzhen_commands_total{code="invalid",command="attachment:upload",transport="rest"}`:   len(badFiles),
	} {
		if grown := now[series] - before[series]; grown < float64(least) {
			s.T.Errorf("%s grew by %v, want at least %d", series, grown, least)
		}
	}
	for series, n := range now {
		if n != before[series] && (strings.Contains(series, `code="internal"`) || strings.Contains(series, `status="500"`) || series == "wenzhen_socket_handler_panics_total") {
			s.T.Errorf("%s is %v", series, n)
		}
	}
}

// unharmed checks that the server is as before: it answers, nothing of the
// attacks is left in it, and nothing was written where it should not be.
func (s *siege) unharmed() {
	t := s.T
	if a := s.Ask(t, "GET", "/readyz", "", ""); a.Status != http.StatusOK || !strings.Contains(string(a.Body), `"ready"`) {
		t.Errorf("readyz answers %d %s", a.Status, a.Body)
	}
	e2e.InTime(t, 2*e2e.Patience, "nobody is connected but the honest", func() bool { return s.Metrics()["wenzhen_connections"] == float64(2*s.pairs) })
	_, err := s.World.From(address(200, 1)).Client().LogIn(t.Context(), loginOf(s.mallory))
	e2e.Must(t, err)
	if said := s.said.String(); strings.Contains(said, "panic") || strings.Contains(said, "goroutine ") {
		t.Errorf("the server said %.5000s", said)
	}
	known := []string{"attachments", "audit.head", "folder.id", "wenzhen.lock", "wenzhen.db", "wenzhen.db-shm", "wenzhen.db-wal"}
	files, err := os.ReadDir(s.Dir)
	e2e.Must(t, err)
	for _, f := range files {
		if !slices.Contains(known, f.Name()) && filepath.Ext(f.Name()) != ".key" {
			t.Errorf("in the data folder there is %s", f.Name())
		}
	}
	s.process.End()
}

// pause waits, but no longer than ctx lasts.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// refusedWith tells why an answer is not the refusal that it must be.
func refusedWith(a e2e.Answered, status int, code rooms.Code) error {
	if a.Status != status || a.Problem.Code != code {
		return fmt.Errorf("answered %d %.300s, want %d %s", a.Status, a.Body, status, code)
	}
	return nil
}
