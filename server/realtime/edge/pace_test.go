package edge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

// Handshakes come in at their rate: a second's worth at once, then one after
// the other; who would wait for long is sent away until later.
func TestTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := limits{gate: newGate(10)}
		var mu sync.Mutex
		var waited []time.Duration
		refused := 0
		began := time.Now()
		for range 100 {
			go func() {
				ok := l.turn(t.Context())
				mu.Lock()
				defer mu.Unlock()
				if ok {
					waited = append(waited, time.Since(began).Round(time.Millisecond))
				} else {
					refused++
				}
			}()
		}
		time.Sleep(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		slices.Sort(waited)
		want := make([]time.Duration, 10, 30)
		for i := range 20 {
			want = append(want, time.Duration(i+1)*100*time.Millisecond)
		}
		if !slices.Equal(waited, want) || refused != 70 {
			t.Errorf("%d refused; the others waited %v", refused, waited)
		}
	})
}

// Who gives up waiting leaves the turn to another.
func TestATurnThatIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := limits{gate: newGate(1)}
		l.turn(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if l.turn(ctx) {
			t.Error("nobody waited")
		}
		began := time.Now()
		if !l.turn(t.Context()) || time.Since(began) > time.Second {
			t.Errorf("the next waited %v", time.Since(began))
		}
	})
}

// A handshake above the rate gets a Retry-After over WebSocket, polling and
// bare WebSockets, and not all get the same value.
func TestHandshakesAtARate(t *testing.T) {
	t.Parallel()
	v := serve(t, Config{AcceptRate: 1}, handler{})
	v.join() // there was room for one
	_, _, plain := plainServer(t, Config{AcceptRate: 1})
	dialPlain(t, plain)
	socket := strings.Replace(v.url("websocket", ""), "http", "ws", 1)
	var (
		all      sync.WaitGroup
		mu       sync.Mutex
		refusals = map[string]int{}
		told     = map[string]bool{}
	)
	for range 30 {
		for name, url := range map[string]string{"websocket": socket, "polling": v.url("polling", ""), "plain": plain} {
			all.Go(func() {
				var answer *http.Response
				if strings.HasPrefix(url, "ws") {
					var conn *websocket.Conn
					if conn, answer, _ = websocket.DefaultDialer.DialContext(t.Context(), url, nil); conn != nil {
						conn.Close()
					}
				} else if answer, _ = http.Get(url); answer != nil {
					answer.Body.Close()
				}
				if answer == nil || answer.StatusCode != http.StatusServiceUnavailable {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				refusals[name]++
				told[answer.Header.Get("Retry-After")] = true
			})
		}
	}
	all.Wait()
	if refusals["websocket"] == 0 || refusals["polling"] == 0 || refusals["plain"] == 0 || len(told) < 2 {
		t.Errorf("refused: %v; told to come after %v seconds", refusals, told)
	}
	for seconds := range told {
		if n, err := strconv.Atoi(seconds); err != nil || n < soonest || n > latest {
			t.Errorf("told to come after %q", seconds)
		}
	}
	if got := v.edge.Stats().Refused; got != uint64(refusals["websocket"]+refusals["polling"]) {
		t.Errorf("%d counted as refused", got)
	}
}

// What is paced is done one after the other, quicker where time is short, and
// not at all once it is up.
func TestPaced(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		perSecond int
		within    time.Duration
		last      time.Duration // when the last was done
	}{
		"at its pace":           {perSecond: 10, last: 900 * time.Millisecond},
		"with time to spare":    {perSecond: 10, within: time.Minute, last: 900 * time.Millisecond},
		"in half the time left": {perSecond: 10, within: time.Second, last: 450 * time.Millisecond},
		"all at once":           {perSecond: 0, within: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.within > 0 {
					ctx, cancel = context.WithTimeout(t.Context(), c.within)
					defer cancel()
				}
				began, done := time.Now(), 0
				paced(ctx, make([]int, 10), c.perSecond, func(int) { done++ })
				if took := time.Since(began); done != 10 || took != c.last {
					t.Errorf("%d done after %v", done, took)
				}
				cancel()
				paced(ctx, make([]int, 10), 1, func(int) { done++ })
				if done != 11 { // the first waits for nothing
					t.Errorf("%d done after the end", done-10)
				}
			})
		})
	}
}

// A shutdown does not send everyone away at once: until its turn comes a
// connection is served.
func TestCloseIsPaced(t *testing.T) {
	t.Parallel()
	const clients = 60
	v := serve(t, Config{ClosePace: 1}, handler{event: echo})
	_, p, plain := plainServer(t, Config{ClosePace: 1})
	var sockets, lines []*websocket.Conn
	for range clients {
		sockets, lines = append(sockets, v.join().conn), append(lines, dialPlain(t, plain))
	}
	eventually(t, "all lines are there", func() bool { return p.Connections() == clients })
	said := 0
	// served reports whether a connection is open and answers a message.
	served := func(conn *websocket.Conn, say, answer string) bool {
		said++
		conn.SetReadDeadline(time.Now().Add(patience))
		if conn.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, say, said)) != nil {
			return false
		}
		for {
			if _, text, err := conn.ReadMessage(); err != nil {
				return false
			} else if string(text) == fmt.Sprintf(answer, said) {
				return true
			}
		}
	}
	// outlast reports whether some clients are still served after others have been
	// closed.
	outlast := func(open []*websocket.Conn, say, answer string) bool {
		for len(open) > 0 {
			open = slices.DeleteFunc(open, func(c *websocket.Conn) bool { return !served(c, say, answer) })
			if n := len(open); n > 0 && n < clients && served(open[0], say, answer) {
				return true
			}
		}
		return false
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	closed := make(chan error, 2)
	go func() { closed <- v.edge.Close(ctx) }()
	go func() { closed <- p.Close(ctx) }()
	if !outlast(sockets, `42%d["hi"]`, `43%d[]`) {
		t.Error("no socket is served while others are being closed")
	}
	if !outlast(lines, "line %d", "line %d") {
		t.Error("no line is served while others are being closed")
	}
	cancel()
	for range 2 {
		if err := <-closed; !errors.Is(err, context.Canceled) {
			t.Errorf("closed with %v", err)
		}
	}
}
