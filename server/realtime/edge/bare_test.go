package edge

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// hall is the state that all hallConns share: a text is sent to all connections.
type hall struct {
	mu     sync.Mutex
	conns  map[*BareConn]bool
	opened chan *BareConn
	closed chan struct{}
}

type hallConn struct {
	*hall
	conn *BareConn
}

func (l *hallConn) Opened(c *BareConn) {
	l.conn = c
	l.mu.Lock()
	l.conns[c] = true
	l.mu.Unlock()
	l.opened <- c
}

func (l *hallConn) Text(_ context.Context, text string) { l.say(text) }

func (l *hallConn) Closed() {
	l.mu.Lock()
	delete(l.conns, l.conn)
	l.mu.Unlock()
	l.closed <- struct{}{}
}

func (h *hall) say(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.conns {
		_ = c.Send(NewText(text)) // fails when closed
	}
}

// bareServer starts a BareServer on its own port. It is closed at the end of the test.
func bareServer(t *testing.T, cfg Config) (*hall, *BareServer, string) {
	t.Helper()
	cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	h := &hall{conns: map[*BareConn]bool{}, opened: make(chan *BareConn, 1000), closed: make(chan struct{}, 1000)}
	p := NewBareServer(cfg)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.Accept(w, r, "", &hallConn{hall: h}) }))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := p.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
		server.Close()
	})
	return h, p, "ws" + strings.TrimPrefix(server.URL, "http")
}

func dialBare(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	ws, _, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.Close() })
	return ws
}

// ending reads until the connection ends, and returns the code (1006: none).
func ending(t *testing.T, ws *websocket.Conn) (code int, reason string) {
	t.Helper()
	ws.SetReadDeadline(time.Now().Add(patience))
	for {
		_, _, err := ws.ReadMessage()
		var closed *websocket.CloseError
		var late net.Error
		switch {
		case err == nil:
		case errors.As(err, &closed):
			return closed.Code, closed.Text
		case errors.As(err, &late) && late.Timeout():
			t.Fatal("the connection was not closed")
		default:
			return websocket.CloseAbnormalClosure, ""
		}
	}
}

func receives(t *testing.T, ws *websocket.Conn, want string) {
	t.Helper()
	ws.SetReadDeadline(time.Now().Add(patience))
	if _, text, err := ws.ReadMessage(); err != nil || string(text) != want {
		t.Fatalf("received %q, %v; want %q", text, err, want)
	}
}

func TestBareClosesInvalidMessages(t *testing.T) {
	t.Parallel()
	_, _, url := bareServer(t, Config{MaxPayload: 1000})
	bystander := dialBare(t, url)
	for name, c := range map[string]struct {
		send func(ws *websocket.Conn) error
		code int
	}{
		"binary":        {func(ws *websocket.Conn) error { return ws.WriteMessage(websocket.BinaryMessage, []byte("x")) }, 1003},
		"invalid UTF-8": {func(ws *websocket.Conn) error { return ws.WriteMessage(websocket.TextMessage, []byte("\xff\xfe")) }, 1007},
		"a megabyte": {func(ws *websocket.Conn) error {
			_ = ws.WriteMessage(websocket.TextMessage, make([]byte, 1<<20)) // may break on the way
			return nil
		}, 1009},
		"an unmasked frame": {func(ws *websocket.Conn) error {
			_, err := ws.NetConn().Write([]byte{0x81, 0x01, 'x'})
			return err
		}, 1002},
		"its own close": {func(ws *websocket.Conn) error {
			return ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(4321, "bye"), time.Now().Add(patience))
		}, 4321},
	} {
		ws := dialBare(t, url)
		if err := c.send(ws); err != nil {
			t.Fatal(err)
		}
		if code, _ := ending(t, ws); code != c.code {
			t.Errorf("%s: closed with %d, want %d", name, code, c.code)
		}
	}
	if err := bystander.WriteMessage(websocket.TextMessage, []byte("still here")); err != nil {
		t.Fatal(err)
	}
	receives(t, bystander, "still here")
}

// A client that does not read is disconnected; all others receive everything.
func TestBareDropsStalledReader(t *testing.T) {
	t.Parallel()
	h, p, url := bareServer(t, Config{SendQueue: 64 << 10})
	dialBare(t, url) // reads nothing
	<-h.opened
	reader := dialBare(t, url)
	<-h.opened
	line := strings.Repeat("x", 32<<10)
	deadline := time.Now().Add(patience)
	for p.Connections() > 1 {
		if time.Now().After(deadline) {
			t.Fatal("the client that reads nothing is still connected")
		}
		h.mu.Lock()
		var waits int
		for c := range h.conns {
			c.mu.Lock()
			waits = max(waits, c.ws.queued)
			c.mu.Unlock()
		}
		h.mu.Unlock()
		if waits > 128<<10 {
			t.Fatalf("%d bytes are queued for one connection", waits)
		}
		h.say(line)
		receives(t, reader, line)
	}
	<-h.closed
	h.mu.Lock()
	left := len(h.conns)
	h.mu.Unlock()
	if left != 1 {
		t.Errorf("%d connections are left", left)
	}
}

// A connection whose client does not answer PINGs ends; one that sends no
// messages but answers PINGs does not.
func TestBareHeartbeat(t *testing.T) {
	t.Parallel()
	h, p, url := bareServer(t, Config{PingInterval: 100 * time.Millisecond, PingTimeout: 2 * time.Second, WriteTimeout: time.Second})
	silent := dialBare(t, url)
	<-h.opened
	go func() { // answers pings by reading
		for {
			if _, _, err := silent.ReadMessage(); err != nil {
				return
			}
		}
	}()
	gone := dialBare(t, url)
	<-h.opened
	gone.SetPingHandler(func(string) error { return nil }) // half open: PINGs are not answered
	if code, reason := ending(t, gone); code != 1008 || reason != "ping timeout" {
		t.Errorf("closed with %d %q", code, reason)
	}
	gone.Close()
	<-h.closed
	// A connection is counted until its Closed has returned.
	eventually(t, "one connection is left", func() bool { return p.Connections() == 1 })
}

func TestBareBounds(t *testing.T) {
	t.Parallel()
	elsewhere := http.Header{"Origin": {"https://elsewhere.example"}}
	for name, c := range map[string]struct {
		cfg    Config
		header http.Header
		status int
	}{
		"connections in all": {Config{MaxConnections: 1}, nil, http.StatusServiceUnavailable},
		"of one address":     {Config{RequestsPerAddress: 1}, nil, http.StatusTooManyRequests},
		"heap":               {Config{MemoryLimit: 1}, nil, http.StatusServiceUnavailable},
		"a foreign page":     {Config{}, elsewhere, http.StatusForbidden},
		"an allowed page":    {Config{Origins: []string{"https://elsewhere.example"}}, elsewhere, http.StatusSwitchingProtocols},
	} {
		h, _, url := bareServer(t, c.cfg)
		if c.cfg.MemoryLimit == 0 {
			dialBare(t, url)
			<-h.opened
		}
		_, response, err := websocket.DefaultDialer.DialContext(t.Context(), url, c.header)
		if response == nil || response.StatusCode != c.status {
			t.Errorf("%s: %v, %v, want %d", name, response, err, c.status)
		}
	}
}

func TestBareReleasesLimits(t *testing.T) {
	t.Parallel()
	h, p, url := bareServer(t, Config{MaxConnections: 1, RequestsPerAddress: 1})
	for range 20 {
		ws := dialBare(t, url)
		<-h.opened
		ws.Close()
		<-h.closed
		for deadline := time.Now().Add(patience); p.Connections() > 0; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the ended connection is still counted")
			}
		}
	}
}

// A connection ends once its client has answered the closing frame, even if the
// client does not close its side.
func TestBareShutdown(t *testing.T) {
	t.Parallel()
	h, p, url := bareServer(t, Config{LingerTime: time.Hour})
	ws := dialBare(t, url)
	<-h.opened
	closed := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go func() { closed <- p.Close(ctx) }()
	if code, _ := ending(t, ws); code != 1001 {
		t.Errorf("closed with %d", code)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	_, response, _ := websocket.DefaultDialer.DialContext(t.Context(), url, nil)
	if response == nil || response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("afterwards: %v", response)
	}
	if response, err := http.Get("http" + strings.TrimPrefix(url, "ws")); err != nil || response.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("without an upgrade: %v, %v", response, err)
	} else {
		response.Body.Close()
	}
}
