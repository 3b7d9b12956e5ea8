package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"wenzhen/rooms"
)

// Bounds of one connection.
const (
	openTimeout  = 20 * time.Second // until the namespace is joined
	writeTimeout = 15 * time.Second // for one message
	readLimit    = 32 << 20         // a join brings up to 200 messages of 10,000 characters
)

// writeBuffers are shared: an idle connection holds none.
var writeBuffers sync.Pool

// link is one connection: Engine.IO over a WebSocket, joined to a namespace.
// It is read by one goroutine and written to by many.
type link struct {
	ws      *websocket.Conn
	to      entrance
	patient time.Duration // without a word for so long, the server is gone
	writing chan struct{} // held by who writes; a channel, for waiting ends with a context

	mu      sync.Mutex
	next    uint64
	pending map[uint64]chan []byte // who waits for an acknowledgement; nil when the link is gone
	gone    chan struct{}
}

// entrance is the namespace that a link joins, and how.
type entrance struct {
	namespace string
	nickname  string // in the lobby
}

// refused is a CONNECT_ERROR.
type refused struct{ why *rooms.Error }

// Error implements error.
func (r refused) Error() string { return r.why.Error() }

// Unwrap returns the error object.
func (r refused) Unwrap() error { return r.why }

// openLink connects and joins the namespace with an access token.
func openLink(ctx context.Context, dialer *websocket.Dialer, url string, to entrance, token string) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	ws, response, err := dialer.DialContext(ctx, url, nil)
	if err != nil {
		return nil, unreachable(response, err)
	}
	l := &link{ws: ws, to: to, writing: make(chan struct{}, 1), pending: map[uint64]chan []byte{}, gone: make(chan struct{})}
	ws.SetReadLimit(readLimit)
	stop := context.AfterFunc(ctx, func() { ws.Close() })
	err = l.join(token)
	if !stop() && err == nil {
		err = rooms.Unavailable(ctx.Err(), "connecting took too long")
	}
	if err != nil {
		ws.Close()
		var r refused
		if !errors.As(err, &r) && ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, err
	}
	return l, nil
}

// unreachable says why there is no connection; a busy server says when to
// come again.
func unreachable(response *http.Response, err error) error {
	e := rooms.Unavailable(err, "the server cannot be reached")
	if response != nil {
		if seconds, bad := strconv.Atoi(response.Header.Get("Retry-After")); bad == nil {
			e.RetryAfterMs = int64(seconds) * 1000
		}
	}
	return e
}

// join does both handshakes.
func (l *link) join(token string) error {
	text, err := l.message()
	if err != nil {
		return err
	}
	var open struct{ PingInterval, PingTimeout int64 }
	if text[0] != engineOpen || json.Unmarshal(text[1:], &open) != nil || open.PingInterval <= 0 {
		return errPacket
	}
	l.patient = time.Duration(open.PingInterval+open.PingTimeout) * time.Millisecond
	auth, err := json.Marshal(struct {
		Token    string `json:"token"`
		Nickname string `json:"nickname,omitempty"`
	}{token, l.to.nickname})
	if err != nil {
		return err
	}
	if err := l.write(context.Background(), encodePacket(kindConnect, l.to.namespace, 0, "", auth)); err != nil {
		return err
	}
	for {
		p, err := l.packet()
		if err != nil {
			return err
		}
		switch p.kind {
		case kindConnect:
			return nil
		case kindConnectError:
			var body struct {
				Message string       `json:"message"`
				Data    *rooms.Error `json:"data"`
			}
			if err := json.Unmarshal(p.body, &body); err != nil {
				return errPacket
			}
			if body.Data == nil {
				body.Data = rooms.Forbidden("%s", body.Message)
			}
			return refused{body.Data}
		}
	}
}

// packet is the next packet of our namespace. PINGs are answered on the way.
func (l *link) packet() (packet, error) {
	for {
		text, err := l.message()
		if err != nil {
			return packet{}, err
		}
		switch text[0] {
		case enginePing:
			if err := l.write(context.Background(), []byte{enginePong}); err != nil {
				return packet{}, err
			}
		case engineClose:
			return packet{}, errors.New("client: the server closed the connection")
		case engineMessage:
			p, err := parsePacket(text[1:])
			if err != nil || p.namespace == l.to.namespace {
				return p, err
			}
		}
	}
}

var readBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// message is the next message, never empty.
func (l *link) message() ([]byte, error) {
	if l.patient > 0 {
		if err := l.ws.SetReadDeadline(time.Now().Add(l.patient)); err != nil {
			return nil, err
		}
	}
	_, r, err := l.ws.NextReader()
	if err != nil {
		return nil, err
	}
	buf := readBuffers.Get().(*bytes.Buffer)
	defer readBuffers.Put(buf)
	buf.Reset()
	if _, err := buf.ReadFrom(r); err != nil {
		return nil, err
	}
	if buf.Len() == 0 {
		return nil, errPacket
	}
	return bytes.Clone(buf.Bytes()), nil
}

// write sends one message. Waiting for its turn ends with ctx; the write
// itself does not, for half a frame would spoil the connection.
func (l *link) write(ctx context.Context, text []byte) error {
	select {
	case l.writing <- struct{}{}:
		defer func() { <-l.writing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	err := l.ws.SetWriteDeadline(time.Now().Add(writeTimeout))
	if err == nil {
		err = l.ws.WriteMessage(websocket.TextMessage, text)
	}
	if err != nil {
		l.ws.Close() // the reader notices
	}
	return err
}

// errGone says that the link had ended before anything was sent.
var errGone = errors.New("client: not connected")

// ask sends a command and waits for its answer. After errGone the command was
// not sent; after any other error of the client it may have been executed.
func (l *link) ask(ctx context.Context, name string, in []byte) (json.RawMessage, error) {
	reply := make(chan []byte, 1)
	l.mu.Lock()
	if l.pending == nil {
		l.mu.Unlock()
		return nil, errGone
	}
	l.next++
	id := l.next
	l.pending[id] = reply
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.pending, id)
		l.mu.Unlock()
	}()
	if err := l.write(ctx, encodePacket(kindEvent, l.to.namespace, id, name, in)); err != nil {
		return nil, rooms.Unavailable(err, "%s could not be sent", name)
	}
	select {
	case body := <-reply:
		return parseAnswer(body)
	case <-l.gone:
	case <-ctx.Done():
		return nil, rooms.Unavailable(ctx.Err(), "gave up waiting for the answer to %s", name)
	}
	select {
	case body := <-reply: // it came just before the end
		return parseAnswer(body)
	default:
		return nil, rooms.Unavailable(errGone, "the connection broke before %s was answered; it may have been executed", name)
	}
}

// acknowledged hands an answer to who waits for it.
func (l *link) acknowledged(p packet) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if reply := l.pending[p.id]; reply != nil {
		delete(l.pending, p.id)
		reply <- p.body // has space: one answer per id
	}
}

// errKicked is a DISCONNECT: the server does not want the client to reconnect.
var errKicked = errors.New("client: disconnected by the server")

// end tells everyone who waits for an answer that none will come.
func (l *link) end() {
	l.ws.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = nil
	close(l.gone)
}

// read hands on what comes until the connection ends, and says why it did.
func (l *link) read(event func(name string, data json.RawMessage)) error {
	for {
		p, err := l.packet()
		if err != nil {
			return fmt.Errorf("client: connection: %w", err)
		}
		switch p.kind {
		case kindEvent:
			name, data, err := splitEvent(p.body)
			if err != nil {
				return err
			}
			event(name, data)
		case kindAck:
			l.acknowledged(p)
		case kindDisconnect:
			return errKicked
		}
	}
}

// leave says goodbye and closes.
func (l *link) leave(ctx context.Context) {
	if l.write(ctx, encodePacket(kindDisconnect, l.to.namespace, 0, "", nil)) == nil {
		_ = l.write(ctx, []byte{engineClose}) // the connection is closed in any case
	}
	l.ws.Close()
}
