package edge

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// The tests of this file measure the memory of the whole process, so they don't
// run in parallel.

// heapNow returns the bytes that are in use on the heap, after a collection.
func heapNow() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// grown fails the test if the heap has grown by more than most bytes.
func grown(t *testing.T, before int64, most int64) {
	t.Helper()
	after := heapNow()
	t.Logf("heap grew by %d KB", (after-before)>>10)
	if after-before > most {
		t.Errorf("heap grew by %d bytes, bound is %d", after-before, most)
	}
}

func TestStalledReaderIsClosed(t *testing.T) {
	stalled := make(chan *Socket, 2)
	var b book
	v := serve(t, Config{}, handler{
		connect:    func(_ context.Context, s *Socket) error { stalled <- s; return nil },
		disconnect: func(_ *Socket, reason string) { b.write("%s", reason) },
	})
	v.join() // reads nothing after this
	s := <-stalled
	honest := v.join()
	before := heapNow()
	big := json.RawMessage(`"` + strings.Repeat("x", 64<<10) + `"`)
	slowest := time.Duration(0)
	for sent := 0; b.count.Load() == 0; sent++ {
		if sent > 2000 {
			t.Fatal("125 MB were accepted for a client that doesn't read")
		}
		start := time.Now()
		s.Emit("big", big)
		slowest = max(slowest, time.Since(start))
	}
	grown(t, before, 4<<20)
	if got := b.read()[0]; got != "transport too slow" || v.edge.Stats().SlowClosed != 1 {
		t.Errorf("%s, %+v", got, v.edge.Stats())
	}
	t.Logf("the slowest Emit took %v", slowest)
	(<-stalled).Emit("hello")
	honest.expect(`42["hello"]`)
}

func TestPollerThatNeverPollsIsClosed(t *testing.T) {
	sockets := make(chan *Socket, 1)
	v := serve(t, Config{}, handler{connect: func(_ context.Context, s *Socket) error { sockets <- s; return nil }})
	v.joinPoll()
	s := <-sockets
	before := heapNow()
	big := json.RawMessage(`"` + strings.Repeat("x", 64<<10) + `"`)
	for i := range 100 {
		if err := s.Emit("big", big); err != nil {
			if i < 15 {
				t.Fatalf("closed after %d", i)
			}
			grown(t, before, 1<<20)
			return
		}
	}
	t.Fatal("6 MB are queued for a client that never polls")
}

func TestFloodOfSlowEvents(t *testing.T) {
	release := make(chan bool)
	handled := make(chan bool, 20_000)
	v := serve(t, Config{}, handler{event: func(ctx context.Context, _ *Socket, _ string, _ []Arg, _ *Ack) {
		select {
		case <-release:
		case <-ctx.Done():
		}
		handled <- true
	}})
	c := v.join()
	honest := v.join()
	before, goroutines := heapNow(), runtime.NumGoroutine()
	event := `42["slow","` + strings.Repeat("x", 1000) + `"]`
	sent := 0
	for ; sent < 20_000; sent++ {
		c.conn.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
		if c.conn.WriteMessage(1, []byte(event)) != nil {
			break // the server has stopped reading: backpressure
		}
	}
	if n := runtime.NumGoroutine() - goroutines; n > 10 {
		t.Errorf("%d goroutines more", n)
	}
	grown(t, before, 1<<20)
	t.Logf("%d of 20,000 events were accepted", sent)
	honest.send("41")
	honest.send("40")
	honest.next()
	if len(handled) > 0 {
		t.Error("two events were handled at a time")
	}
	close(release)
}

func TestEndlessBody(t *testing.T) {
	v := serve(t, Config{}, handler{})
	c := v.joinPoll()
	before := heapNow()
	body := &endless{}
	response, err := http.Post(c.url(), "text/plain", io.LimitReader(body, 300<<20))
	if err == nil {
		response.Body.Close()
		if response.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("status %d", response.StatusCode)
		}
	}
	if read := body.read.Load(); read > 32<<20 {
		t.Errorf("%d MB of 300 were read", read>>20)
	}
	grown(t, before, 4<<20)
	if status, _ := c.get(); status != http.StatusBadRequest {
		t.Errorf("the session is still open: %d", status)
	}
}

type endless struct{ read atomic.Int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read.Add(int64(len(p)))
	return len(p), nil
}

func TestManyBodiesShareABound(t *testing.T) {
	v := serve(t, Config{BodyMemory: 300_000, BodyTimeout: 2 * time.Second}, handler{})
	statuses := make(chan int, 10)
	var writers []*io.PipeWriter
	var clients []*pollClient
	for range 10 {
		clients = append(clients, v.joinPoll())
	}
	for _, c := range clients {
		r, w := io.Pipe()
		writers = append(writers, w)
		go func() {
			response, err := http.Post(c.url(), "text/plain", r)
			if err != nil {
				statuses <- 503
				return
			}
			response.Body.Close()
			statuses <- response.StatusCode
		}()
		go w.Write(bytes.Repeat([]byte("4"), 100_000))
	}
	busy := 0
	for range 10 {
		if status := <-statuses; status == http.StatusServiceUnavailable {
			busy++
		} else if status != http.StatusRequestTimeout {
			t.Errorf("status %d", status)
		}
	}
	for _, w := range writers {
		w.Close()
	}
	if busy < 7 {
		t.Errorf("only %d of 10 were refused", busy)
	}
	eventually(t, "the memory of the bodies is released", func() bool { return v.edge.engine.bodies.Load() == 0 })
}

func TestHalfSentFrames(t *testing.T) {
	v := serve(t, Config{BodyTimeout: 300 * time.Millisecond}, handler{})
	before := heapNow()
	var conns []net.Conn
	for range 200 {
		conn, _ := rawDial(t, v)
		conn.Write([]byte{0x82, 0xFF, 0, 0, 0, 0, 0, 0x0F, 0, 0, 'a', 'b', 'c', 'd', 1})
		conns = append(conns, conn)
	}
	// Each has announced a megabyte. The server has allocated 16 KB for each; the
	// rest is the memory of the test's client.
	grown(t, before, 200*(64<<10))
	for _, conn := range conns {
		io.Copy(io.Discard, conn)
	}
	eventually(t, "all connections have ended", func() bool { return v.edge.Stats().Connections == 0 })
}

func TestAttachmentFlood(t *testing.T) {
	v := serve(t, Config{MaxPayload: 100_000}, handler{event: echo})
	c := v.join()
	c.send(`4510-["a",{"_placeholder":true,"num":0}]`)
	for range 3 {
		c.sendBinary(make([]byte, 40_000)) // each is below the limit, together they exceed it
	}
	if code := c.closed(); code != closeInvalid {
		t.Error(code)
	}
	for _, frame := range []string{
		`4511-["a"]`, `451-["a",{"_placeholder":true,"num":1}]`, `451-["a",{"_placeholder":true,"num":-1}]`,
		`451-["a",{"_placeholder":true,"num":0.5}]`, `451-["a",{"_placeholder":true}]`,
	} {
		c := v.join()
		c.send(frame)
		c.conn.WriteMessage(2, []byte{1})
		if code := c.closed(); code != closeInvalid {
			t.Error(frame, code)
		}
	}
}

// TestUnfinishedAttachments checks that a connection is closed if the attachments
// of a packet do not arrive.
func TestUnfinishedAttachments(t *testing.T) {
	v := serve(t, Config{PingInterval: 50 * time.Millisecond, PingTimeout: time.Second}, handler{event: echo})
	c := v.join()
	c.send(`452-["a",{"_placeholder":true,"num":0}]`)
	c.sendBinary([]byte{1})
	if code := c.closed(); code != closeInvalid {
		t.Error(code)
	}
}

// TestConnectFlood checks that a client that connects and disconnects in a loop,
// or connects to namespaces that do not exist, is disconnected. Another client of
// the server is not.
func TestConnectFlood(t *testing.T) {
	for name, packets := range map[string]struct{ connect, disconnect string }{
		"connect and disconnect": {"40", "41"},
		"unknown namespaces":     {"40/nowhere,", ""},
		"refused":                {"40/refused,", ""},
	} {
		var connects atomic.Int64
		v := serve(t, Config{}, handler{event: echo, connect: func(context.Context, *Socket) error { connects.Add(1); return nil }})
		v.edge.Namespace("/refused", handler{connect: func(context.Context, *Socket) error { connects.Add(1); return fmt.Errorf("no") }})
		other := v.join()
		const tries = 20_000
		c := v.dial()
		var err error
		for n := 0; n < tries && err == nil; n++ {
			if err = c.conn.WriteMessage(websocket.TextMessage, []byte(packets.connect)); err == nil {
				_, err = c.read()
			}
			if packets.disconnect != "" && err == nil {
				err = c.conn.WriteMessage(websocket.TextMessage, []byte(packets.disconnect))
			}
		}
		if e, ok := err.(*websocket.CloseError); err == nil || ok && e.Code != closePolicy {
			t.Errorf("%s: closed with %v", name, err)
		}
		if n := connects.Load(); n > tries/2 {
			t.Errorf("%s: %d connects were handled", name, n)
		}
		other.send(`421["still here"]`)
		other.expect("431[]")
		eventually(t, "its sockets have ended", func() bool { return v.edge.Stats().Connections == 1 && v.edge.Stats().Sockets == 1 })
	}
}

func TestDeeplyNested(t *testing.T) {
	v := serve(t, Config{}, handler{event: echo})
	c := v.join()
	c.send(`421["a",` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `]`)
	c.next()
	c.send(`421["a",` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `]`)
	if code := c.closed(); code != closeInvalid {
		t.Error(code)
	}
}

func TestManyArguments(t *testing.T) {
	v := serve(t, Config{}, handler{event: echo})
	c := v.join()
	c.send(`421["a"` + strings.Repeat(",1", 64) + `]`)
	c.next()
	c.send(`421["a"` + strings.Repeat(",1", 65) + `]`)
	if code := c.closed(); code != closeInvalid {
		t.Error(code)
	}
}

func TestLimits(t *testing.T) {
	v := serve(t, Config{MaxConnections: 2, RequestsPerAddress: 2}, handler{})
	a, b := v.poll(), v.poll()
	response, err := http.Get(v.url("polling", ""))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Errorf("third connection: %d, %v", response.StatusCode, response.Header)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan bool)
	for _, c := range []*pollClient{a, b} {
		request, _ := http.NewRequestWithContext(ctx, http.MethodGet, c.url(), nil)
		go func() {
			if response, err := http.DefaultClient.Do(request); err == nil {
				response.Body.Close()
			}
			ended <- true
		}()
	}
	eventually(t, "two polls are open", func() bool {
		v.edge.engine.limits.mu.Lock()
		defer v.edge.engine.limits.mu.Unlock()
		return v.edge.engine.limits.requests["127.0.0.1"] == 2
	})
	if status, _ := a.post("40"); status != http.StatusTooManyRequests {
		t.Errorf("third request of an address: %d", status)
	}
	cancel()
	<-ended
	<-ended
	eventually(t, "both connections have ended", func() bool { return v.edge.Stats().Connections == 0 })

	full := serve(t, Config{MemoryLimit: 1}, handler{})
	if status, _ := (&pollClient{v: full.target}).get(); status != http.StatusServiceUnavailable {
		t.Errorf("memory full: %d", status)
	}
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	ask := func(v *served, origin, method string) *http.Response {
		request, _ := http.NewRequest(method, v.url("polling", ""), nil)
		request.Header.Set("Origin", origin)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response
	}
	closed, open := serve(t, Config{}, handler{}), serve(t, Config{Origins: []string{"*"}}, handler{})
	listed := serve(t, Config{Origins: []string{"https://a.example"}}, handler{})
	for _, c := range []struct {
		v      *served
		origin string
		want   int
	}{
		{closed, "https://a.example", 403}, {closed, closed.base, 200}, {open, "https://a.example", 200},
		{listed, "https://a.example", 200}, {listed, "https://b.example", 403}, {listed, "null", 403},
	} {
		response := ask(c.v, c.origin, http.MethodGet)
		if response.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", c.origin, response.StatusCode, c.want)
		}
		if got := response.Header.Get("Access-Control-Allow-Origin"); c.want == 200 && got != c.origin {
			t.Errorf("allowed origin %q", got)
		}
	}
	if response := ask(listed, "https://a.example", http.MethodOptions); response.StatusCode != http.StatusNoContent {
		t.Errorf("preflight: %d", response.StatusCode)
	}
}

func TestUnknownPath(t *testing.T) {
	t.Parallel()
	v := serve(t, Config{}, handler{})
	for path, want := range map[string]int{"/socket.io": 200, "/socket.io/": 200, "/socket.io/socket.io.js": 404, "/socket.iox/": 404} {
		status, _ := answer(t, func() (*http.Response, error) {
			return http.Get(fmt.Sprintf("%s%s?EIO=4&transport=polling", v.base, path))
		})
		if status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
}

// The connections of one address are limited. Other addresses are accepted, and
// another connection of the same address after one has ended.
func TestConnectionsPerAddress(t *testing.T) {
	v := serve(t, Config{ConnectionsPerAddress: 2, Address: func(r *http.Request) string { return r.URL.Query().Get("from") }}, handler{})
	dial := func(from string) (*websocket.Conn, int) {
		conn, response, err := websocket.DefaultDialer.Dial(strings.Replace(v.url("websocket", ""), "http", "ws", 1)+"&from="+from, nil)
		if err != nil && response == nil {
			t.Fatal(err)
		}
		return conn, response.StatusCode
	}
	first, status := dial("a")
	if status != http.StatusSwitchingProtocols {
		t.Fatalf("the first: %d", status)
	}
	second, _ := dial("a")
	eventually(t, "both are counted", func() bool {
		v.edge.engine.mu.RLock()
		defer v.edge.engine.mu.RUnlock()
		return v.edge.engine.from["a"] == 2
	})
	if _, status := dial("a"); status != http.StatusTooManyRequests {
		t.Errorf("the third of an address: %d", status)
	}
	if response, err := http.Get(v.url("polling", "") + "&from=a"); err != nil || response.StatusCode != http.StatusTooManyRequests {
		t.Errorf("by polling: %v, %v", response, err)
	} else {
		response.Body.Close()
	}
	other, status := dial("b")
	if status != http.StatusSwitchingProtocols {
		t.Errorf("another address: %d", status)
	}
	first.Close()
	eventually(t, "the address may connect again", func() bool {
		conn, status := dial("a")
		if status == http.StatusSwitchingProtocols {
			defer conn.Close()
		}
		return status == http.StatusSwitchingProtocols
	})
	second.Close()
	other.Close()
	eventually(t, "no connection is counted", func() bool {
		v.edge.engine.mu.RLock()
		defer v.edge.engine.mu.RUnlock()
		return len(v.edge.engine.connections) == 0 && len(v.edge.engine.from) == 0
	})
}
