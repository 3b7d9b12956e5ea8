package client

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/chat"
)

// peer is a server that says what a test wants.
type peer struct {
	*httptest.Server
	connections atomic.Int64
}

// serve lets talk speak with each connection, after both handshakes.
func serve(t *testing.T, talk func(ws *websocket.Conn, nth int64)) *peer {
	t.Helper()
	p := &peer{}
	p.Server = httptest.NewServer(p.handler(t, talk))
	t.Cleanup(p.Close)
	return p
}

func (p *peer) handler(t *testing.T, talk func(ws *websocket.Conn, nth int64)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		n := p.connections.Add(1)
		say(ws, `0{"sid":"x","upgrades":[],"pingInterval":300,"pingTimeout":1200,"maxPayload":1000000}`)
		if !strings.HasPrefix(listen(ws), "40/consultations,") {
			t.Error("the client did not ask for the namespace")
		}
		talk(ws, n)
	})
}

func say(ws *websocket.Conn, text string) { _ = ws.WriteMessage(websocket.TextMessage, []byte(text)) }

func listen(ws *websocket.Conn) string {
	_, text, _ := ws.ReadMessage()
	return string(text)
}

// welcome lets the client in and pings until it goes.
func welcome(ws *websocket.Conn) {
	say(ws, `40/consultations,{"sid":"y"}`)
	for {
		say(ws, "2")
		for {
			text := listen(ws)
			if text == "3" {
				break
			} else if text == "" {
				return
			}
			if id, isEvent := strings.CutPrefix(text, "42/consultations,"); isEvent {
				id, _, _ = strings.Cut(id, "[")
				say(ws, `43/consultations,`+id+`[{"ok":true,"data":{"upToSeq":7}}]`)
			}
		}
		time.Sleep(50 * time.Millisecond) // the pace of the heartbeat
	}
}

func dial(t *testing.T, p *peer, opts ...Option) (*Client, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := Dial(ctx, p.URL, append([]Option{WithBackoff(time.Millisecond, 10*time.Millisecond), WithTokens(account.Tokens{AccessToken: "x"})}, opts...)...)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := c.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return c, err
}

func ask(t *testing.T, c *Client) (chat.Receipt, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return Call(ctx, c, chat.MarkRead, chat.ReceiptInput{})
}

// A server that says nothing any more is left for a new connection; so is one
// that talks nonsense or closes. What is asked meanwhile goes over the next.
func TestReconnects(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(*websocket.Conn){
		"silence":      func(ws *websocket.Conn) { listen(ws); listen(ws) },
		"nonsense":     func(ws *websocket.Conn) { say(ws, "4x"); listen(ws) },
		"empty":        func(ws *websocket.Conn) { say(ws, ""); listen(ws) },
		"engine close": func(ws *websocket.Conn) { say(ws, "1"); listen(ws) },
		"hang up":      func(*websocket.Conn) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := serve(t, func(ws *websocket.Conn, nth int64) {
				if nth > 1 {
					welcome(ws)
					return
				}
				say(ws, `40/consultations,{"sid":"y"}`)
				fault(ws)
			})
			again := make(chan Status, 10)
			c, err := dial(t, p, WithStatus(func(s Status, _ error) { again <- s }))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []Status{Online, Offline, Online} {
				if got := <-again; got != want {
					t.Errorf("status %d, want %d", got, want)
				}
			}
			if r, err := ask(t, c); err != nil || r.UpToSeq != 7 {
				t.Errorf("got %+v, %v", r, err)
			}
		})
	}
}

// A heartbeat that is answered keeps the connection.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, network := &peer{Server: &httptest.Server{URL: "http://peer"}}, pipes{make(chan net.Conn), make(chan struct{})}
		var talks sync.WaitGroup
		server := http.Server{Handler: p.handler(t, func(ws *websocket.Conn, _ int64) {
			talks.Add(1)
			defer talks.Done()
			welcome(ws)
		})}
		go server.Serve(network)
		defer server.Close()
		c, err := dial(t, p, WithNetDial(network.dial))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute) // forty times what a silent server may take
		if _, err := ask(t, c); err != nil || p.connections.Load() != 1 {
			t.Errorf("%v after %d connections", err, p.connections.Load())
		}
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
		talks.Wait()
	})
}

// pipes is a network in memory, for a test with a clock of its own.
type pipes struct {
	made   chan net.Conn
	closed chan struct{}
}

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	b := &buffered{Conn: here, written: make(chan []byte, 16), closed: make(chan struct{})}
	go b.pass()
	p.made <- there
	return b, nil
}

// buffered is a pipe whose writes do not wait for the other end to read, as
// those of a TCP connection do not.
type buffered struct {
	net.Conn
	written chan []byte
	once    sync.Once
	closed  chan struct{}
}

func (b *buffered) Write(data []byte) (int, error) {
	select {
	case b.written <- bytes.Clone(data):
		return len(data), nil
	case <-b.closed:
		return 0, net.ErrClosed
	}
}

func (b *buffered) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.Conn.Close()
}

func (b *buffered) pass() {
	for {
		select {
		case data := <-b.written:
			if _, err := b.Conn.Write(data); err != nil {
				return
			}
		case <-b.closed:
			return
		}
	}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.made:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error { close(p.closed); return nil }

func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

// The result of a command is unknown when the connection breaks, and the error says so.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	p := serve(t, func(ws *websocket.Conn, nth int64) {
		if nth > 1 {
			welcome(ws)
			return
		}
		say(ws, `40/consultations,{"sid":"y"}`)
		listen(ws) // the command
	})
	c, err := dial(t, p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask(t, c); rooms.CodeOf(err) != rooms.CodeUnavailable || !retryable(err) {
		t.Errorf("got %v", err)
	}
	if _, err := ask(t, c); err != nil {
		t.Errorf("asked again: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Call(ctx, c, chat.MarkRead, chat.ReceiptInput{}); rooms.CodeOf(err) != rooms.CodeUnavailable {
		t.Errorf("with a context that has ended: %v", err)
	}
}

// The client does not reconnect after DISCONNECT, nor after a CONNECT_ERROR that
// is not retryable. Both have a reason.
func TestClientStaysClosed(t *testing.T) {
	t.Parallel()
	p := serve(t, func(ws *websocket.Conn, nth int64) {
		switch nth {
		case 1:
			say(ws, `40/consultations,{"sid":"y"}`)
			say(ws, `41/consultations,`)
		default:
			say(ws, `44/consultations,{"message":"no","data":{"code":"rate_limited","message":"too many","retryable":true,"retryAfterMs":5}}`)
		}
		listen(ws)
	})
	c, err := dial(t, p)
	if err == nil {
		<-c.Done()
		err = c.Err()
	}
	if rooms.CodeOf(err) != rooms.CodeUnauthenticated {
		t.Errorf("after DISCONNECT: %v", err)
	}
	if _, err := ask(t, c); rooms.CodeOf(err) != rooms.CodeUnauthenticated {
		t.Errorf("asked after the end: %v", err)
	}
	if _, err := dial(t, p); rooms.CodeOf(err) != rooms.CodeRateLimited || !retryable(err) {
		t.Errorf("after CONNECT_ERROR: %v", err)
	}
}

// A busy server says when to come again.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer busy.Close()
	_, err := dial(t, &peer{Server: busy})
	e, ok := err.(*rooms.Error)
	if !ok || e.Code != rooms.CodeUnavailable || e.RetryAfterMs != 3000 {
		t.Errorf("got %+v", err)
	}
}

// Clients with the same delay do not reconnect at the same moment.
func TestTheyComeBackSpread(t *testing.T) {
	t.Parallel()
	busy := &rooms.Error{Code: rooms.CodeUnavailable, RetryAfterMs: 2000}
	drawn := map[time.Duration]bool{}
	for range 100 {
		d := after(busy)
		if d < 2*time.Second || d > 3*time.Second {
			t.Fatalf("back after %v", d)
		}
		drawn[d] = true
	}
	if len(drawn) < 50 {
		t.Errorf("100 clients come back in %d moments", len(drawn))
	}
}
