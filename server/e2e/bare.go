package e2e

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"wenzhen.example/rooms"
)

// Bare is a socket that is spoken to frame by frame, to send what a client
// would not.
type Bare struct {
	T testing.TB
	*frames
	Namespace string // the namespace that is spoken to
}

// frames are what goes over one connection. Pings are answered whether or not
// anybody reads.
type frames struct {
	WS  *websocket.Conn
	mu  sync.Mutex // for writing
	in  chan string
	end error // why in was closed
}

// BareOn speaks over a connection until the end of a test; no namespace has
// been joined.
func BareOn(t testing.TB, ws *websocket.Conn, namespace string) *Bare {
	t.Helper()
	f := &frames{WS: ws, in: make(chan string, 1024)}
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		defer close(f.in)
		for {
			_, data, err := ws.ReadMessage()
			if err == nil && string(data) == "2" {
				err = f.Write(websocket.TextMessage, "3")
				if err == nil {
					continue
				}
			}
			if err != nil {
				f.end = err
				return
			}
			select {
			case f.in <- string(data):
			case <-over:
				return
			}
		}
	}()
	t.Cleanup(func() {
		close(over)
		ws.Close()
		<-done
	})
	b := &Bare{t, f, namespace}
	if open := b.Next(); open[0] != '0' {
		t.Fatalf("the first packet is %q", open)
	}
	return b
}

// For is the same socket, whose failures are another test's.
func (b *Bare) For(t testing.TB) *Bare { return &Bare{t, b.frames, b.Namespace} }

// Write sends a frame.
func (f *frames) Write(kind int, frame string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.WS.WriteMessage(kind, []byte(frame))
}

// Bare opens a connection until the end of a test; no namespace has been joined.
func (w *World) Bare(t testing.TB) *Bare {
	t.Helper()
	ws, _, err := websocket.DefaultDialer.DialContext(t.Context(), strings.Replace(w.Base, "http", "ws", 1)+"/socket.io/?EIO=4&transport=websocket", nil)
	Must(t, err)
	return BareOn(t, ws, rooms.Consultations)
}

// Bare opens a connection and joins as the person.
func (p *Person) Bare(t testing.TB) *Bare {
	t.Helper()
	token, err := p.AccessToken(t.Context())
	Must(t, err)
	b := p.World.Bare(t)
	if got := b.Connect(token); !strings.HasPrefix(got, Joined) {
		t.Fatalf("the answer to CONNECT is %q", got)
	}
	return b
}

// Joined is how the answer to a CONNECT begins that was let in.
const Joined = `40/consultations,{"sid":`

// Connect joins the namespace and returns the answer.
func (b *Bare) Connect(token string) string {
	b.T.Helper()
	auth, err := json.Marshal(map[string]string{"token": token})
	Must(b.T, err)
	b.Text("40" + b.Namespace + "," + string(auth))
	return b.Next()
}

// On is the same connection, speaking to another namespace.
func (b *Bare) On(namespace string) *Bare { return &Bare{b.T, b.frames, namespace} }

// Text sends a text frame.
func (b *Bare) Text(frame string) {
	b.T.Helper()
	Must(b.T, b.Write(websocket.TextMessage, frame))
}

// Binary sends a binary frame.
func (b *Bare) Binary(frame []byte) {
	b.T.Helper()
	Must(b.T, b.Write(websocket.BinaryMessage, string(frame)))
}

// Next is the next packet that is no ping.
func (b *Bare) Next() string {
	b.T.Helper()
	packet, err := b.Read()
	Must(b.T, err)
	return packet
}

// ErrSilence is what Read returns when nothing came.
var ErrSilence = errors.New("nothing came")

// Read is Next, or why there is none: the connection has ended.
func (b *Bare) Read() (string, error) {
	select {
	case packet, more := <-b.in:
		if !more {
			return "", cmp.Or(b.end, net.ErrClosed)
		}
		return packet, nil
	case <-time.After(Patience):
		return "", ErrSilence
	}
}

// Closed reads until the server has closed the connection, and gives the code
// of the closing frame (1006 if there was none).
func (b *Bare) Closed() int {
	b.T.Helper()
	for {
		_, err := b.Read()
		var end *websocket.CloseError
		switch {
		case err == nil:
		case errors.As(err, &end):
			return end.Code
		case errors.Is(err, ErrSilence):
			b.T.Fatal("the connection was not closed")
		default:
			return websocket.CloseAbnormalClosure
		}
	}
}

// Disconnected reads until the connection has ended, and reports whether a
// DISCONNECT came before, which keeps clients from coming back.
func (b *Bare) Disconnected() bool {
	b.T.Helper()
	told := false
	for {
		packet, err := b.Read()
		if errors.Is(err, ErrSilence) {
			b.T.Fatal("the connection did not end")
		}
		if err != nil {
			return told
		}
		told = told || strings.HasPrefix(packet, "41")
	}
}

// Reply is an acknowledgement.
type Reply struct {
	OK    bool            `json:"ok"`
	Data  json.RawMessage `json:"data"`
	Error *rooms.Error    `json:"error"`
}

// Acked reads until the acknowledgement with an id.
func (b *Bare) Acked(id int) Reply {
	b.T.Helper()
	prefix := fmt.Sprintf("43%s,%d", b.Namespace, id)
	for {
		packet := b.Next()
		body, ok := strings.CutPrefix(packet, prefix)
		if !ok {
			continue
		}
		var replies []Reply
		if err := json.Unmarshal([]byte(body), &replies); err != nil || len(replies) != 1 {
			b.T.Fatalf("%q is no acknowledgement of ours: %v", packet, err)
		}
		return replies[0]
	}
}

// Event reads until an event of that name and gives its data.
func (b *Bare) Event(name string) json.RawMessage {
	b.T.Helper()
	for {
		packet := b.Next()
		body, ok := strings.CutPrefix(packet, "42"+b.Namespace+",")
		if !ok {
			continue
		}
		var parts []json.RawMessage
		Must(b.T, json.Unmarshal([]byte(body), &parts))
		var got string
		Must(b.T, json.Unmarshal(parts[0], &got))
		if got == name {
			return parts[1]
		}
	}
}

// Ask sends a command and reads its answer.
func (b *Bare) Ask(id int, command string, in any) Reply {
	b.T.Helper()
	raw, err := json.Marshal(in)
	Must(b.T, err)
	b.Text(fmt.Sprintf("42%s,%d[%q,%s]", b.Namespace, id, command, raw))
	return b.Acked(id)
}
