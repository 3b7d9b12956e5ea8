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

// Handshakes are admitted at the rate, with a burst of one second. A handshake
// that would have to wait for long is refused.
func TestTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := limits{handshakes: newHandshakeLimiter(10)}
		var mu sync.Mutex
		var waited []time.Duration
		refused := 0
		began := time.Now()
		for range 100 {
			go func() {
				ok := l.waitTurn(t.Context())
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

// A handshake whose context ends while it waits does not use up the rate.
func TestCanceledTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := limits{handshakes: newHandshakeLimiter(1)}
		l.waitTurn(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if l.waitTurn(ctx) {
			t.Error("the second was admitted without waiting")
		}
		began := time.Now()
		if !l.waitTurn(t.Context()) || time.Since(began) > time.Second {
			t.Errorf("the next waited %v", time.Since(began))
		}
	})
}

// A handshake above the rate gets a Retry-After over WebSocket, polling and
// bare WebSockets, and not all get the same value.
func TestHandshakesAtARate(t *testing.T) {
	t.Parallel()
	v := serve(t, Config{AcceptRate: 1}, handler{})
	v.join() // the first is admitted
	_, _, plain := bareServer(t, Config{AcceptRate: 1})
	dialBare(t, plain)
	socket := strings.Replace(v.url("websocket", ""), "http", "ws", 1)
	var (
		all      sync.WaitGroup
		mu       sync.Mutex
		refusals = map[string]int{}
		seconds  = map[string]bool{}
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
				seconds[answer.Header.Get("Retry-After")] = true
			})
		}
	}
	all.Wait()
	if refusals["websocket"] == 0 || refusals["polling"] == 0 || refusals["plain"] == 0 || len(seconds) < 2 {
		t.Errorf("refused: %v; Retry-After: %v", refusals, seconds)
	}
	for after := range seconds {
		if n, err := strconv.Atoi(after); err != nil || n < soonest || n > latest {
			t.Errorf("Retry-After: %q", after)
		}
	}
	if got := v.edge.Stats().Refused; got != uint64(refusals["websocket"]+refusals["polling"]) {
		t.Errorf("%d counted as refused", got)
	}
}

// paced makes its calls at its pace, faster before a deadline, and none after the
// context has ended.
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
				if done != 11 { // the first does not wait
					t.Errorf("%d done after the end", done-10)
				}
			})
		})
	}
}

// Close closes connections one after the other; a connection is served until it
// is closed.
func TestCloseIsPaced(t *testing.T) {
	t.Parallel()
	const clients = 60
	v := serve(t, Config{ClosePace: 1}, handler{event: echo})
	_, p, plain := bareServer(t, Config{ClosePace: 1})
	var sockets, bare []*websocket.Conn
	for range clients {
		sockets, bare = append(sockets, v.join().conn), append(bare, dialBare(t, plain))
	}
	eventually(t, "all bare WebSockets are open", func() bool { return p.Connections() == clients })
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
	if !outlast(bare, "line %d", "line %d") {
		t.Error("no bare WebSocket is served while others are being closed")
	}
	cancel()
	for range 2 {
		if err := <-closed; !errors.Is(err, context.Canceled) {
			t.Errorf("closed with %v", err)
		}
	}
}
