package edge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestEventsAndAcksOverWebSocket(t *testing.T) {
	t.Parallel()
	v := serve(t, Config{}, handler{event: echo})
	c := v.join()
	c.send(`42["a",1,"2",{"3":[true]}]`)
	c.expect(`42["a-back",1,"2",{"3":[true]}]`)
	c.send(`42456["a", 1 , "2"]`)
	c.expect(`43456[1,"2"]`)
}

func TestBinary(t *testing.T) {
	t.Parallel()
	v := serve(t, Config{}, handler{event: echo})
	c := v.join()
	c.send(`452-7["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
	c.sendBinary([]byte{1, 2, 3})
	c.sendBinary([]byte{4, 5, 6})
	c.expect(`462-7[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
	c.expect("\x01\x02\x03")
	c.expect("\x04\x05\x06")
}

func TestPolling(t *testing.T) {
	t.Parallel()
	v := serve(t, Config{}, handler{event: echo})
	c := v.joinPoll()
	packets := "42[\"x\",1]\x1e421[\"y\",2]\x1e451-[\"z\",{\"_placeholder\":true,\"num\":0}]\x1ebAQIDBA=="
	if status, body := c.post(packets); status != 200 || body != "ok" {
		t.Fatalf("%d %q", status, body)
	}
	want := "42[\"x-back\",1]\x1e431[2]\x1e451-[\"z-back\",{\"_placeholder\":true,\"num\":0}]\x1ebAQIDBA=="
	if _, body := c.get(); body != want {
		t.Fatalf("got %q, want %q", body, want)
	}
}

func TestUpgradeKeepsOrder(t *testing.T) {
	t.Parallel()
	const n = 300
	var all []string
	more := make(chan bool, n/50) // each value releases 50 events, some in every step of the upgrade
	v := serve(t, Config{}, handler{event: func(_ context.Context, s *Socket, name string, args []Arg, _ *Ack) {
		go func() {
			for i := range n {
				if i%50 == 0 {
					<-more
				}
				s.Emit("n", i)
			}
		}()
	}})
	c := v.joinPoll()
	more <- true
	c.post(`42["go"]`)
	more <- true
	ws := v.dialRaw("&sid=" + c.sid)
	more <- true
	ws.send("2probe")
	ws.expect("3probe")
	more <- true
	for {
		_, body := c.get()
		last := false
		for part := range strings.SplitSeq(body, "\x1e") {
			if part == "6" {
				last = true
			} else {
				all = append(all, part)
			}
		}
		if last {
			break
		}
	}
	more <- true
	ws.send("5")
	more <- true
	for len(all) < n {
		all = append(all, ws.next())
	}
	for i, got := range all {
		if want := fmt.Sprintf(`42["n",%d]`, i); got != want {
			t.Fatalf("%d: got %q, want %q", i, got, want)
		}
	}
}

type notYou struct{ code string }

func (notYou) Error() string           { return "not you" }
func (r notYou) ConnectErrorData() any { return map[string]string{"code": r.code} }

func TestConnect(t *testing.T) {
	t.Parallel()
	v := serve(t, Config{}, handler{})
	var err error
	v.edge.Namespace("/closed", handler{connect: func(context.Context, *Socket) error { return err }})
	v.edge.Namespace("/panics", handler{connect: func(context.Context, *Socket) error { panic("no") }})
	c := v.dial()
	c.send("40/nowhere,")
	c.expect(`44/nowhere,{"message":"Invalid namespace"}`)
	err = errors.New("no")
	c.send("40/closed,")
	c.expect(`44/closed,{"message":"no"}`)
	err = notYou{"forbidden"}
	c.send("40/closed,")
	c.expect(`44/closed,{"data":{"code":"forbidden"},"message":"not you"}`)
	c.send("40/panics,")
	c.expect(`44/panics,{"message":"internal error"}`)
	err = nil
	c.send("40/closed,")
	if got := c.next(); !strings.HasPrefix(got, `40/closed,{"sid":"`) {
		t.Fatal(got)
	}
}

func TestEventsSentInConnectFollowTheAnswer(t *testing.T) {
	t.Parallel()
	var v *served
	v = serve(t, Config{}, handler{connect: func(_ context.Context, s *Socket) error {
		s.Join("room")
		s.Emit("auth", s.Auth())
		v.main.Broadcast([]string{"room"}, "hello")
		return nil
	}})
	c := v.dial()
	c.send(`40{"token":"123"}`)
	if got := c.next(); !strings.HasPrefix(got, `40{"sid":"`) {
		t.Fatal(got)
	}
	c.expect(`42["auth",{"token":"123"}]`)
	c.expect(`42["hello"]`)
}

func TestBroadcast(t *testing.T) {
	t.Parallel()
	sockets := make(chan *Socket, 3)
	v := serve(t, Config{}, handler{connect: func(_ context.Context, s *Socket) error {
		sockets <- s
		return nil
	}})
	a, b, p := v.join(), v.join(), v.joinPoll()
	sa, sb, sp := <-sockets, <-sockets, <-sockets
	sa.Join("1", "2")
	sb.Join("2")
	sp.Join("2", "3")
	v.main.Broadcast([]string{"1", "2", "3"}, "once", 1)
	v.main.BroadcastExcept([]string{"2"}, sa, "not a")
	v.main.Broadcast([]string{sb.ID()}, "only b", []byte("bin"))
	sa.Leave("2")
	v.main.Broadcast([]string{"2"}, "left")
	v.main.Broadcast(nil, "all")
	a.expect(`42["once",1]`)
	a.expect(`42["all"]`)
	b.expect(`42["once",1]`)
	b.expect(`42["not a"]`)
	b.expect(`451-["only b",{"_placeholder":true,"num":0}]`)
	b.expect("bin")
	b.expect(`42["left"]`)
	b.expect(`42["all"]`)
	want := "42[\"once\",1]\x1e42[\"not a\"]\x1e42[\"left\"]\x1e42[\"all\"]"
	if _, body := p.get(); body != want {
		t.Fatalf("got %q, want %q", body, want)
	}
	if err := v.main.Broadcast(nil, "bad", math.NaN()); err == nil {
		t.Fatal("NaN was encoded")
	}
	if err := v.main.Broadcast(nil, "disconnect"); !errors.Is(err, ErrReserved) {
		t.Fatal(err)
	}
	if n := len(v.main.Sockets("2")); n != 2 {
		t.Fatalf("%d sockets in room 2", n)
	}
}

func TestKickAndClose(t *testing.T) {
	t.Parallel()
	var b book
	v := serve(t, Config{}, handler{
		event: func(_ context.Context, s *Socket, name string, args []Arg, ack *Ack) {
			s.Emit("before", json.RawMessage(`{"big":"`+strings.Repeat("x", 200_000)+`"}`))
			if name == "kick" {
				s.Kick()
			} else {
				s.Close("bye")
			}
		},
		disconnect: func(s *Socket, reason string) { b.write("%s", reason) },
	})
	for _, name := range []string{"kick", "close"} {
		c := v.join()
		c.send(`42["` + name + `"]`)
		if got := c.next(); !strings.HasPrefix(got, `42["before"`) {
			t.Fatalf("%.50s", got)
		}
		if name == "kick" {
			c.expect("41")
			if code := c.closed(); code != closeNormal {
				t.Fatal(code)
			}
		} else if code := c.closed(); code != closeGoingAway {
			t.Fatal(code)
		}
	}
	eventually(t, "two disconnects", func() bool { return b.count.Load() == 2 })
	got := b.read()
	slices.Sort(got) // two connections end in any order
	if want := []string{"bye", "server namespace disconnect"}; !slices.Equal(got, want) {
		t.Fatal(got)
	}
}

func TestReconnectToNamespaceOnOneConnection(t *testing.T) {
	t.Parallel()
	var b book
	v := serve(t, Config{}, handler{event: echo, disconnect: func(_ *Socket, reason string) { b.write("%s", reason) }})
	c := v.join()
	for i := range 50 {
		c.send("41")
		c.send("40")
		if got := c.next(); !strings.HasPrefix(got, `40{"sid":"`) {
			t.Fatal(i, got)
		}
		c.send(`42["x"]`)
		c.expect(`42["x-back"]`)
	}
	if b.count.Load() != 50 || b.read()[0] != "client namespace disconnect" {
		t.Fatal(b.read())
	}
}

func TestCloseFlushesAndEndsEverything(t *testing.T) {
	t.Parallel()
	var b book
	started, closing := make(chan bool, 1), make(chan bool)
	v := serve(t, Config{}, handler{
		event: func(_ context.Context, s *Socket, name string, args []Arg, ack *Ack) {
			started <- true
			<-closing // the command runs until then
			ack.Reply("done")
		},
		disconnect: func(_ *Socket, reason string) { b.write("%s", reason) },
	})
	c, p := v.join(), v.joinPoll()
	c.send(`421["work"]`)
	<-started
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	closed := make(chan error)
	go func() { closed <- v.edge.Close(ctx) }()
	eventually(t, "it closes", func() bool { return b.count.Load() == 1 }) // the polling session has ended
	p.ends(t)
	close(closing)
	c.expect(`431["done"]`)
	if code := c.closed(); code != closeGoingAway {
		t.Fatal(code)
	}
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(b.read()); got != "[server shutting down server shutting down]" {
		t.Fatal(got)
	}
	if status, _ := (&pollClient{v: v.target}).get(); status != 503 {
		t.Fatal(status)
	}
	if s := v.edge.Stats(); s.Connections != 0 || s.Sockets != 0 {
		t.Fatalf("%+v", s)
	}
}

// TestKickWhilePolling checks that a client receives DISCONNECT and the end of
// the session in two polls: in one payload, it mistakes the disconnection for a
// lost connection and reconnects.
func TestKickWhilePolling(t *testing.T) {
	t.Parallel()
	v := serve(t, Config{}, fixtureHandler{})
	held := v.joinPoll()
	got := make(chan string)
	go func() {
		_, body := held.get()
		got <- body
	}()
	eventually(t, "a poll is held", func() bool {
		s := v.edge.engine.find(held.sid)
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.poll.pending != nil
	})
	held.post(`42["kick"]`)
	if body := <-got; body != "41" {
		t.Fatalf("the held poll got %q", body)
	}
	late := v.joinPoll()
	late.post(`42["kick"]`)
	for _, c := range []*pollClient{held, late} {
		if c == late {
			if _, body := c.get(); body != "41" {
				t.Fatalf("the late poll got %q", body)
			}
		}
		if _, body := c.get(); body != "1" {
			t.Fatalf("then %q", body)
		}
		if status, _ := c.get(); status != 400 {
			t.Fatal(status)
		}
	}
}

// TestKickDuringUpgrade checks that a client that has stopped polling because of
// an upgrade receives DISCONNECT on its WebSocket.
func TestKickDuringUpgrade(t *testing.T) {
	t.Parallel()
	v := serve(t, Config{}, fixtureHandler{})
	c := v.joinPoll()
	ws := v.dialRaw("&sid=" + c.sid)
	ws.send("2probe")
	ws.expect("3probe")
	c.post(`42["kick"]`)
	ws.send("5")
	ws.expect("41")
	if code := ws.closed(); code != closeNormal {
		t.Fatal(code)
	}
}

// TestCloseWaitsForConnect checks a socket whose Connect runs when the server
// closes: if it is admitted, its handler receives the disconnect before Close
// returns.
func TestCloseWaitsForConnect(t *testing.T) {
	t.Parallel()
	var b book
	connecting, late := make(chan bool, 1), make(chan bool)
	v := serve(t, Config{}, handler{
		connect: func(ctx context.Context, _ *Socket) error {
			connecting <- true
			<-ctx.Done()
			<-late // returns later than its context ends
			return nil
		},
		disconnect: func(_ *Socket, reason string) { b.write("%s", reason) },
	})
	c := v.dial()
	c.send("40")
	<-connecting
	go c.closed()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	closed := make(chan error)
	go func() { closed <- v.edge.Close(ctx) }()
	eventually(t, "its connection is closed", func() bool { return v.edge.Stats().Connections == 0 })
	close(late)
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(b.read()); got != "[server shutting down]" {
		t.Fatal(got)
	}
}
