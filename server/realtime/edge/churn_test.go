package edge

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/zishang520/socket.io/v2/socket"

	"wenzhen.example/rooms/roomstest/prove"
)

// churner counts the sockets and events that its handler receives, and reports
// calls that contradict each other.
type churner struct {
	t         *testing.T
	ns        *Namespace
	connected atomic.Int64
	ended     atomic.Int64
	events    atomic.Int64
}

// churnState is the data of a socket.
type churnState struct {
	busy  atomic.Bool
	ended atomic.Bool
}

func (c *churner) Connect(_ context.Context, s *Socket) error {
	s.SetData(&churnState{})
	if strings.Contains(string(s.Auth()), "refuse") {
		return ErrReserved
	}
	c.connected.Add(1)
	s.Join("all")
	return nil
}

func (c *churner) Event(_ context.Context, s *Socket, name string, _ []Arg, ack *Ack) {
	state := s.Data().(*churnState)
	if !state.busy.CompareAndSwap(false, true) || state.ended.Load() {
		c.t.Error("two calls for one socket at a time, or one after its end")
	}
	defer state.busy.Store(false)
	c.events.Add(1)
	switch room := "room " + strconv.Itoa(rand.IntN(20)); name {
	case "join":
		s.Join(room)
	case "leave":
		s.Leave(s.Rooms()...)
	case "say":
		c.ns.Broadcast([]string{room, "room 0"}, "said", name, []byte("bin"))
	case "all":
		c.ns.Broadcast(nil, "all")
	case "kick":
		s.Kick()
	case "close":
		s.Close("closed by server")
	case "panic":
		panic("churn")
	}
	if ack != nil {
		ack.Reply(name)
	}
}

func (c *churner) Disconnect(s *Socket, _ string) {
	state := s.Data().(*churnState)
	if state.busy.Load() || !state.ended.CompareAndSwap(false, true) {
		c.t.Error("Disconnect twice, or during an event")
	}
	if len(s.Rooms()) > 0 {
		c.t.Error("still in rooms", s.Rooms())
	}
	s.Join("too late")
	c.ended.Add(1)
}

// TestChurn lets many clients connect, upgrade, send events and disconnect in
// every way at the same time.
func TestChurn(t *testing.T) {
	length := prove.Size(t, "clients that connect and disconnect in every way", time.Second, time.Minute)
	c := &churner{t: t}
	v := serve(t, Config{
		PingInterval: 50 * time.Millisecond, PingTimeout: 500 * time.Millisecond,
		OnPanic: func(any, []byte) {},
	}, c)
	c.ns = v.main
	transport := &http.Transport{MaxIdleConnsPerHost: 500}
	defer transport.CloseIdleConnections()
	web := &http.Client{Transport: transport, Timeout: patience}
	end := time.Now().Add(length)
	var clients sync.WaitGroup
	for range 200 {
		clients.Go(func() {
			for time.Now().Before(end) {
				if rand.IntN(2) == 0 {
					churnWebSocket(v, nil, "")
				} else {
					churnPolling(v, web)
				}
			}
		})
	}
	clients.Wait()
	eventually(t, "all connections have ended", func() bool { return v.edge.Stats().Connections == 0 && v.edge.Stats().Sockets == 0 })
	eventually(t, "every socket has ended", func() bool { return c.connected.Load() == c.ended.Load() })
	if n := v.main.rooms.count(); n > 0 || len(v.main.Sockets("")) > 0 {
		t.Errorf("%d rooms and %d sockets are left", n, len(v.main.Sockets("")))
	}
	left := 0
	v.edge.library.io.Sockets().Sockets().Range(func(socket.SocketId, *socket.Socket) bool { left++; return true })
	if left > 0 {
		t.Errorf("the library keeps %d sockets", left)
	}
	t.Logf("%d sockets, %d events, %+v", c.connected.Load(), c.events.Load(), v.edge.Stats())
}

var churnEvents = []string{"join", "join", "join", "leave", "say", "say", "say", "all", "panic", "kick", "close", "41", "drop", "garbage"}

// churnTalk sends some events with send, until it fails.
func churnTalk(send func(string) error) {
	for range rand.IntN(20) {
		event := churnEvents[rand.IntN(len(churnEvents))]
		packet := fmt.Sprintf(`42%d["%s"]`, rand.IntN(100), event)
		switch event {
		case "41":
			packet = "41"
		case "garbage":
			packet = "42{"
		case "drop":
			return
		}
		if send(packet) != nil || event == "41" {
			return
		}
	}
}

// churnWebSocket sends events over a WebSocket: a new session, or an upgrade of a
// polling session.
func churnWebSocket(v *served, probe []string, sid string) {
	conn, response, err := websocket.DefaultDialer.Dial(strings.Replace(v.url("websocket", sid), "http", "ws", 1), nil)
	if err != nil {
		if response != nil {
			response.Body.Close()
		}
		return
	}
	defer conn.Close()
	send := func(text string) error { return conn.WriteMessage(websocket.TextMessage, []byte(text)) }
	if probe != nil {
		for _, text := range probe {
			if send(text) != nil {
				return
			}
		}
	} else if send([]string{`40{"token":"refuse"}`, "40"}[min(rand.IntN(8), 1)]) != nil {
		return
	}
	ready := make(chan bool, 1)
	done := make(chan bool)
	go func() {
		defer close(done)
		for {
			_, data, err := conn.ReadMessage()
			if err != nil {
				return
			}
			if strings.HasPrefix(string(data), "40{") || string(data) == "3probe" || strings.HasPrefix(string(data), "44") {
				select {
				case ready <- true:
				default:
				}
			}
		}
	}()
	select {
	case <-ready:
		churnTalk(send)
	case <-done:
	}
	if rand.IntN(2) == 0 {
		conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""))
		<-done
	}
	conn.Close()
	<-done
}

func churnPolling(v *served, web *http.Client) {
	ask := func(method, sid, body string) (string, error) {
		request, err := http.NewRequest(method, v.url("polling", sid), strings.NewReader(body))
		if err != nil {
			return "", err
		}
		response, err := web.Do(request)
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if response.StatusCode != http.StatusOK {
			err = ErrClosed
		}
		return string(text), err
	}
	open, err := ask(http.MethodGet, "", "")
	if err != nil {
		return
	}
	sid := "&sid=" + strings.Split(open, `"`)[3]
	if _, err := ask(http.MethodPost, sid, "40"); err != nil {
		return
	}
	if _, err := ask(http.MethodGet, sid, ""); err != nil {
		return
	}
	switch rand.IntN(3) {
	case 0:
		churnTalk(func(text string) error { _, err := ask(http.MethodPost, sid, text); return err })
		ask(http.MethodPost, sid, "1")
	case 1:
		churnWebSocket(v, []string{"2probe", "5"}, sid)
	case 2:
		ask(http.MethodGet, sid, "")
	}
}

// connect opens a session and connects it to the main namespace. The caller
// closes it; no test cleanup does.
func (v target) connect() *wsClient {
	v.t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial(strings.Replace(v.url("websocket", ""), "http", "ws", 1), nil)
	if err != nil {
		v.t.Fatal(err)
	}
	c := &wsClient{t: v.t, conn: conn}
	c.next()
	c.send("40")
	c.next()
	return c
}

// TestClosedConnectionsLeaveNothing checks that connections leave no memory or
// goroutines behind after they close.
func TestClosedConnectionsLeaveNothing(t *testing.T) {
	cycles := prove.Size(t, "clients that connect and disconnect one by one", 1000, 100_000)
	v := serve(t, Config{}, handler{event: echo})
	once := func() {
		c := v.connect()
		defer c.conn.Close()
		c.send(`421["a"]`)
		c.expect("431[]")
	}
	for range 100 {
		once()
	}
	eventually(t, "all connections have ended", func() bool { return v.edge.Stats().Connections == 0 })
	before, goroutines := heapNow(), runtime.NumGoroutine()
	for range cycles {
		once()
	}
	eventually(t, "all connections have ended", func() bool { return v.edge.Stats().Connections == 0 })
	grown(t, before, 256<<10)
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines+2 })
}

// TestManyAtOnce opens many connections and closes them, twice:
// after the second wave there are no more memory and goroutines than after the
// first, within 5 %. What the runtime keeps, freed stacks and the buckets of
// maps, is in both numbers. Both ends of each connection are in this process.
func TestManyAtOnce(t *testing.T) {
	many := prove.Size(t, "connections at once", 1000, 5000)
	v := serve(t, Config{}, handler{event: echo})
	wave := func() (heap int64, goroutines int) {
		conns := make([]*wsClient, many)
		for i := range conns {
			conns[i] = v.connect()
		}
		if n := v.edge.Stats().Connections; n != many {
			t.Fatalf("%d connections, want %d", n, many)
		}
		for _, c := range conns {
			c.conn.Close()
		}
		clear(conns)
		eventually(t, "all connections have ended", func() bool { return v.edge.Stats().Connections == 0 })
		runtime.GC() // pools are emptied by the second collection
		return heapNow(), runtime.NumGoroutine()
	}
	heap, goroutines := wave()
	eventually(t, "a second wave leaves no more than the first", func() bool {
		again, left := wave()
		t.Logf("heap %d and then %d bytes, %d and then %d goroutines", heap, again, goroutines, left)
		return again <= heap+heap/20 && left <= goroutines+goroutines/20+1
	})
}
