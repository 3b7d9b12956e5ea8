package edge

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// patience is the maximum time that a test waits for something.
const patience = 10 * time.Second

// handler is a Handler made of functions; those that are nil do nothing.
type handler struct {
	connect    func(ctx context.Context, s *Socket) error
	event      func(ctx context.Context, s *Socket, name string, args []Arg, ack *Ack)
	disconnect func(s *Socket, reason string)
}

func (h handler) Connect(ctx context.Context, s *Socket) error {
	if h.connect == nil {
		return nil
	}
	return h.connect(ctx, s)
}

func (h handler) Event(ctx context.Context, s *Socket, name string, args []Arg, ack *Ack) {
	if h.event != nil {
		h.event(ctx, s, name, args, ack)
	}
}

func (h handler) Disconnect(s *Socket, reason string) {
	if h.disconnect != nil {
		h.disconnect(s, reason)
	}
}

// echo answers every event with its arguments: as an ack, or in an event "…-back".
func echo(_ context.Context, s *Socket, name string, args []Arg, ack *Ack) {
	values := make([]any, len(args))
	for i, arg := range args {
		values[i] = arg.JSON
		var p struct {
			Placeholder bool `json:"_placeholder"`
			Num         int  `json:"num"`
		}
		if json.Unmarshal(arg.JSON, &p) == nil && p.Placeholder {
			values[i] = arg.Attachments[p.Num]
		}
	}
	if ack != nil {
		ack.Reply(values...)
		return
	}
	s.Emit(name+"-back", values...)
}

// target is a server under test.
type target struct {
	t    testing.TB
	base string
	wait time.Duration // for each message
}

// served is an edge that is served on its own port.
type served struct {
	target
	edge *Server
	main *Namespace
	http *httptest.Server
}

// serve starts an edge whose main namespace is handled by h. At the end of the
// test it is closed, which must succeed.
func serve(t testing.TB, cfg Config, h Handler) *served {
	t.Helper()
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	v := &served{edge: New(cfg)}
	v.main = v.edge.Namespace("/", h)
	v.http = httptest.NewServer(v.edge)
	v.target = target{t, v.http.URL, patience}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := v.edge.Close(ctx); err != nil && err.Error() != "edge: closed twice" {
			t.Errorf("close: %v", err)
		}
		v.http.Close()
	})
	return v
}

func (v target) url(transport, more string) string {
	return v.base + "/socket.io/?EIO=4&transport=" + transport + more
}

// dial opens a WebSocket session and reads its OPEN packet.
func (v target) dial() *wsClient {
	v.t.Helper()
	c := v.dialRaw("")
	if open := c.next(); !strings.HasPrefix(open, "0{") {
		v.t.Fatalf("first packet is %q", open)
	}
	return c
}

func (v target) dialRaw(more string) *wsClient {
	v.t.Helper()
	url := strings.Replace(v.url("websocket", more), "http", "ws", 1)
	conn, _, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		v.t.Fatalf("dial: %v", err)
	}
	v.t.Cleanup(func() { conn.Close() })
	return &wsClient{t: v.t, conn: conn, wait: v.wait}
}

// join opens a session and connects it to the main namespace.
func (v target) join() *wsClient {
	v.t.Helper()
	c := v.dial()
	c.send("40")
	if got := c.next(); !strings.HasPrefix(got, `40{"sid":"`) {
		v.t.Fatalf("answer to CONNECT is %q", got)
	}
	return c
}

// wsClient sends and receives packets of the protocol.
type wsClient struct {
	t    testing.TB
	conn *websocket.Conn
	wait time.Duration // for each message; 0 is patience
}

func (c *wsClient) send(text string) {
	c.t.Helper()
	if err := c.conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

func (c *wsClient) sendBinary(data []byte) {
	c.t.Helper()
	if err := c.conn.WriteMessage(websocket.BinaryMessage, data); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

// next returns the next message that is no PING; it answers PINGs.
func (c *wsClient) next() string {
	c.t.Helper()
	text, err := c.read()
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	return text
}

func (c *wsClient) read() (string, error) {
	// PINGs do not extend the deadline: they continue even if the expected message was lost.
	c.conn.SetReadDeadline(time.Now().Add(cmp.Or(c.wait, patience)))
	for {
		_, data, err := c.conn.ReadMessage()
		if err != nil {
			return "", err
		}
		if string(data) != "2" {
			return string(data), nil
		}
		if err := c.conn.WriteMessage(websocket.TextMessage, []byte("3")); err != nil {
			return "", err
		}
	}
}

// expect fails unless the next message is as given.
func (c *wsClient) expect(want string) {
	c.t.Helper()
	if got := c.next(); got != want {
		c.t.Fatalf("got %q, want %q", got, want)
	}
}

// closed reads until the connection has been closed and returns the code.
func (c *wsClient) closed() int {
	c.t.Helper()
	for {
		_, err := c.read()
		if err == nil {
			continue
		}
		if e, ok := err.(*websocket.CloseError); ok {
			return e.Code
		}
		if isTimeout(err) {
			c.t.Fatal("the connection was not closed")
		}
		return -1
	}
}

// pollClient is a session on HTTP long-polling.
type pollClient struct {
	v   target
	sid string
}

func (v target) poll() *pollClient {
	v.t.Helper()
	c := &pollClient{v: v}
	status, body := c.get()
	if status != http.StatusOK {
		v.t.Fatalf("handshake: %d %s", status, body)
	}
	var open struct{ SID string }
	if err := json.Unmarshal([]byte(body[1:]), &open); err != nil {
		v.t.Fatal(err)
	}
	c.sid = open.SID
	return c
}

func (c *pollClient) url() string {
	if c.sid == "" {
		return c.v.url("polling", "")
	}
	return c.v.url("polling", "&sid="+c.sid)
}

func (c *pollClient) get() (int, string) {
	c.v.t.Helper()
	return answer(c.v.t, func() (*http.Response, error) { return http.Get(c.url()) })
}

func (c *pollClient) post(body string) (int, string) {
	c.v.t.Helper()
	return answer(c.v.t, func() (*http.Response, error) {
		return http.Post(c.url(), "text/plain;charset=UTF-8", strings.NewReader(body))
	})
}

func answer(t testing.TB, ask func() (*http.Response, error)) (int, string) {
	t.Helper()
	response, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// joinPoll opens a polling session and connects it to the main namespace.
func (v target) joinPoll() *pollClient {
	v.t.Helper()
	c := v.poll()
	c.post("40")
	_, body := c.get()
	for body == "2" {
		c.post("3")
		_, body = c.get()
	}
	// A ping may come before the answer, where the machine is busy.
	if !strings.HasPrefix(strings.TrimPrefix(body, "2\x1e"), `40{"sid":"`) {
		v.t.Fatalf("answer to CONNECT is %q", body)
	}
	return c
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("timeout while waiting for: %s", what)
		}
	}
}

// book records the calls of a handler.
type book struct {
	mu      sync.Mutex
	entries []string
	count   atomic.Int64
}

func (b *book) write(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entries = append(b.entries, fmt.Sprintf(format, args...))
	b.count.Add(1)
}

func (b *book) read() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.entries...)
}
