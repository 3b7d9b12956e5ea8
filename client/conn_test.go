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

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/chat"
)

// peer is a server under a test's control.
type peer struct {
	*httptest.Server
	connections atomic.Int64
}

// serve calls talk with each connection, after the handshake of Engine.IO.
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
		write(ws, `0{"sid":"x","upgrades":[],"pingInterval":300,"pingTimeout":1200,"maxPayload":1000000}`)
		if !strings.HasPrefix(read(ws), "40/consultations,") {
			t.Error("the client did not connect to the namespace")
		}
		talk(ws, n)
	})
}

func write(ws *websocket.Conn, text string) { _ = ws.WriteMessage(websocket.TextMessage, []byte(text)) }

func read(ws *websocket.Conn) string {
	_, text, _ := ws.ReadMessage()
	return string(text)
}

// welcome admits the client, answers its commands and sends PINGs until it closes.
func welcome(ws *websocket.Conn) {
	write(ws, `40/consultations,{"sid":"y"}`)
	for {
		write(ws, "2")
		for {
			text := read(ws)
			if text == "3" {
				break
			} else if text == "" {
				return
			}
			if id, isEvent := strings.CutPrefix(text, "42/consultations,"); isEvent {
				id, _, _ = strings.Cut(id, "[")
				write(ws, `43/consultations,`+id+`[{"ok":true,"data":{"upToSeq":7}}]`)
			}
		}
		time.Sleep(50 * time.Millisecond) // the pace of the heartbeat
	}
}

func dial(t *testing.T, p *peer, opts ...Option) (*Client, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	opts = append([]Option{WithBackoff(time.Millisecond, 10*time.Millisecond), WithTokens(account.Tokens{AccessToken: "x"})}, opts...)
	c, err := Dial(ctx, p.URL, opts...)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := c.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return c, err
}

func markRead(t *testing.T, c *Client) (chat.Receipt, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return Call(ctx, c, chat.MarkRead, chat.ReceiptInput{})
}

// The client opens a new connection if the server is silent, sends invalid packets
// or closes. Commands in the meantime are sent over the new one.
func TestReconnects(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(*websocket.Conn){
		"silence":      func(ws *websocket.Conn) { read(ws); read(ws) },
		"invalid":      func(ws *websocket.Conn) { write(ws, "4x"); read(ws) },
		"empty":        func(ws *websocket.Conn) { write(ws, ""); read(ws) },
		"engine close": func(ws *websocket.Conn) { write(ws, "1"); read(ws) },
		"TCP close":    func(*websocket.Conn) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := serve(t, func(ws *websocket.Conn, nth int64) {
				if nth > 1 {
					welcome(ws)
					return
				}
				write(ws, `40/consultations,{"sid":"y"}`)
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
			if r, err := markRead(t, c); err != nil || r.UpToSeq != 7 {
				t.Errorf("got %+v, %v", r, err)
			}
		})
	}
}

// A connection with a regular heartbeat is kept.
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
		time.Sleep(time.Minute) // forty times the timeout for a silent server
		if _, err := markRead(t, c); err != nil || p.connections.Load() != 1 {
			t.Errorf("%v after %d connections", err, p.connections.Load())
		}
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
		talks.Wait()
	})
}

// pipes is an in-memory network, for a test with a synthetic clock.
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

// buffered is a pipe whose writes, like those of TCP, do not wait for the other end
// to read.
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

// If the connection breaks before the answer, the error is unavailable and
// retryable: the result is unknown.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	p := serve(t, func(ws *websocket.Conn, nth int64) {
		if nth > 1 {
			welcome(ws)
			return
		}
		write(ws, `40/consultations,{"sid":"y"}`)
		read(ws) // the command
	})
	c, err := dial(t, p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := markRead(t, c); rooms.CodeOf(err) != rooms.CodeUnavailable || !retryable(err) {
		t.Errorf("got %v", err)
	}
	if _, err := markRead(t, c); err != nil {
		t.Errorf("the second call: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Call(ctx, c, chat.MarkRead, chat.ReceiptInput{}); rooms.CodeOf(err) != rooms.CodeUnavailable {
		t.Errorf("with a context that has ended: %v", err)
	}
}

// The client does not reconnect after DISCONNECT. Dial returns the error of a
// CONNECT_ERROR.
func TestClientStaysClosed(t *testing.T) {
	t.Parallel()
	p := serve(t, func(ws *websocket.Conn, nth int64) {
		switch nth {
		case 1:
			write(ws, `40/consultations,{"sid":"y"}`)
			write(ws, `41/consultations,`)
		default:
			write(ws, `44/consultations,{"message":"no",`+
				`"data":{"code":"rate_limited","message":"too many","retryable":true,"retryAfterMs":5}}`)
		}
		read(ws)
	})
	c, err := dial(t, p)
	if err == nil {
		<-c.Done()
		err = c.Err()
	}
	if rooms.CodeOf(err) != rooms.CodeUnauthenticated {
		t.Errorf("after DISCONNECT: %v", err)
	}
	if _, err := markRead(t, c); rooms.CodeOf(err) != rooms.CodeUnauthenticated {
		t.Errorf("a call after the end: %v", err)
	}
	if _, err := dial(t, p); rooms.CodeOf(err) != rooms.CodeRateLimited || !retryable(err) {
		t.Errorf("after CONNECT_ERROR: %v", err)
	}
}

// The error of Dial has the server's Retry-After.
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

// Clients with the same Retry-After do not reconnect at the same moment.
func TestReconnectsAreJittered(t *testing.T) {
	t.Parallel()
	busy := &rooms.Error{Code: rooms.CodeUnavailable, RetryAfterMs: 2000}
	drawn := map[time.Duration]bool{}
	for range 100 {
		d := after(busy)
		if d < 2*time.Second || d > 3*time.Second {
			t.Fatalf("a pause of %v", d)
		}
		drawn[d] = true
	}
	if len(drawn) < 50 {
		t.Errorf("100 clients have %d different pauses", len(drawn))
	}
}
