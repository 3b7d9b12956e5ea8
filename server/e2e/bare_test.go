package e2e_test

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

	"wenzhen/rooms"
)

// bare is a socket that is spoken to frame by frame, to send what a client
// would not.
type bare struct {
	t testing.TB
	*frames
	ns string // the namespace that is spoken to
}

// frames are what goes over one connection. Pings are answered whether or not
// anybody reads.
type frames struct {
	ws  *websocket.Conn
	mu  sync.Mutex // for writing
	in  chan string
	end error // why in was closed
}

// bareOn speaks over a connection until the end of a test; no namespace has
// been joined.
func bareOn(t testing.TB, ws *websocket.Conn, namespace string) *bare {
	t.Helper()
	f := &frames{ws: ws, in: make(chan string, 1024)}
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		defer close(f.in)
		for {
			_, data, err := ws.ReadMessage()
			if err == nil && string(data) == "2" {
				err = f.write(websocket.TextMessage, "3")
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
	b := &bare{t, f, namespace}
	if open := b.next(); open[0] != '0' {
		t.Fatalf("the first packet is %q", open)
	}
	return b
}

func (f *frames) write(kind int, frame string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ws.WriteMessage(kind, []byte(frame))
}

// bare opens a connection until the end of a test; no namespace has been joined.
func (w *world) bare(t testing.TB) *bare {
	t.Helper()
	ws, _, err := websocket.DefaultDialer.DialContext(t.Context(), strings.Replace(w.base, "http", "ws", 1)+"/socket.io/?EIO=4&transport=websocket", nil)
	must(t, err)
	return bareOn(t, ws, rooms.Consultations)
}

// bare opens a connection and joins as the person.
func (p *person) bare(t testing.TB) *bare {
	t.Helper()
	token, err := p.AccessToken(t.Context())
	must(t, err)
	b := p.w.bare(t)
	if got := b.connect(token); !strings.HasPrefix(got, joined) {
		t.Fatalf("the answer to CONNECT is %q", got)
	}
	return b
}

// joined is how the answer to a CONNECT begins that was let in.
const joined = `40/consultations,{"sid":`

// connect joins the namespace and returns the answer.
func (b *bare) connect(token string) string {
	b.t.Helper()
	auth, err := json.Marshal(map[string]string{"token": token})
	must(b.t, err)
	b.text("40" + b.ns + "," + string(auth))
	return b.next()
}

// on is the same connection, speaking to another namespace.
func (b *bare) on(namespace string) *bare { return &bare{b.t, b.frames, namespace} }

func (b *bare) text(frame string) {
	b.t.Helper()
	must(b.t, b.write(websocket.TextMessage, frame))
}

func (b *bare) binary(frame []byte) {
	b.t.Helper()
	must(b.t, b.write(websocket.BinaryMessage, string(frame)))
}

// next is the next packet that is no ping.
func (b *bare) next() string {
	b.t.Helper()
	packet, err := b.read()
	must(b.t, err)
	return packet
}

// errSilence is that nothing came.
var errSilence = errors.New("nothing came")

// read is next, or why there is none: the connection has ended.
func (b *bare) read() (string, error) {
	select {
	case packet, more := <-b.in:
		if !more {
			return "", cmp.Or(b.end, net.ErrClosed)
		}
		return packet, nil
	case <-time.After(patience):
		return "", errSilence
	}
}

// closed reads until the server has closed the connection, and gives the code
// of the closing frame (1006 if there was none).
func (b *bare) closed() int {
	b.t.Helper()
	for {
		_, err := b.read()
		var end *websocket.CloseError
		switch {
		case err == nil:
		case errors.As(err, &end):
			return end.Code
		case errors.Is(err, errSilence):
			b.t.Fatal("the connection was not closed")
		default:
			return websocket.CloseAbnormalClosure
		}
	}
}

// disconnected reads until the connection has ended, and tells whether a
// DISCONNECT came before, which keeps clients from coming back.
func (b *bare) disconnected() bool {
	b.t.Helper()
	told := false
	for {
		packet, err := b.read()
		if errors.Is(err, errSilence) {
			b.t.Fatal("the connection did not end")
		}
		if err != nil {
			return told
		}
		told = told || strings.HasPrefix(packet, "41")
	}
}

// reply is an acknowledgement.
type reply struct {
	OK    bool            `json:"ok"`
	Data  json.RawMessage `json:"data"`
	Error *rooms.Error    `json:"error"`
}

// acked reads until the acknowledgement with an id.
func (b *bare) acked(id int) reply {
	b.t.Helper()
	prefix := fmt.Sprintf("43%s,%d", b.ns, id)
	for {
		packet := b.next()
		body, ok := strings.CutPrefix(packet, prefix)
		if !ok {
			continue
		}
		var replies []reply
		if err := json.Unmarshal([]byte(body), &replies); err != nil || len(replies) != 1 {
			b.t.Fatalf("%q is no acknowledgement of ours: %v", packet, err)
		}
		return replies[0]
	}
}

// event reads until an event of that name and gives its data.
func (b *bare) event(name string) json.RawMessage {
	b.t.Helper()
	for {
		packet := b.next()
		body, ok := strings.CutPrefix(packet, "42"+b.ns+",")
		if !ok {
			continue
		}
		var parts []json.RawMessage
		must(b.t, json.Unmarshal([]byte(body), &parts))
		var got string
		must(b.t, json.Unmarshal(parts[0], &got))
		if got == name {
			return parts[1]
		}
	}
}

// ask sends a command and reads its answer.
func (b *bare) ask(id int, command string, in any) reply {
	b.t.Helper()
	raw, err := json.Marshal(in)
	must(b.t, err)
	b.text(fmt.Sprintf("42%s,%d[%q,%s]", b.ns, id, command, raw))
	return b.acked(id)
}
