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

	"wenzhen.example/rooms"
)

// Limits of one connection.
const (
	openTimeout  = 20 * time.Second // until the namespace is joined
	writeTimeout = 15 * time.Second // for one message
	readLimit    = 32 << 20         // the answer to a join has up to 200 messages of 10,000 characters
)

// writeBuffers are pooled: an idle connection has none.
var writeBuffers sync.Pool

// socketConn is one connection: Engine.IO over a WebSocket, connected to a namespace. One
// goroutine reads it; any may write.
type socketConn struct {
	ws          *websocket.Conn
	to          destination
	readTimeout time.Duration // the connection is closed if nothing is received for this time
	writing     chan struct{} // a lock for writing; a channel, so that waiting can end with a context

	mu      sync.Mutex
	next    uint64
	pending map[uint64]chan []byte // calls that wait for an acknowledgement; nil after the end
	gone    chan struct{}
}

// destination is the namespace that a connection joins, with its auth.
type destination struct {
	namespace string
	nickname  string // in the lobby
}

// refused is the error of a CONNECT_ERROR.
type refused struct{ why *rooms.Error }

// Error implements error.
func (r refused) Error() string { return r.why.Error() }

// Unwrap returns the error object.
func (r refused) Unwrap() error { return r.why }

// openConn opens a connection and joins the namespace with an access token.
func openConn(ctx context.Context, dialer *websocket.Dialer, url string, to destination, token string) (*socketConn, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	ws, response, err := dialer.DialContext(ctx, url, nil)
	if err != nil {
		return nil, unreachable(response, err)
	}
	conn := &socketConn{ws: ws, to: to, writing: make(chan struct{}, 1), pending: map[uint64]chan []byte{}, gone: make(chan struct{})}
	ws.SetReadLimit(readLimit)
	stop := context.AfterFunc(ctx, func() { ws.Close() })
	err = conn.join(token)
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
	return conn, nil
}

// unreachable returns the error of a failed connection attempt, with the server's
// Retry-After.
func unreachable(response *http.Response, err error) error {
	e := rooms.Unavailable(err, "the server cannot be reached")
	if response != nil {
		if seconds, bad := strconv.Atoi(response.Header.Get("Retry-After")); bad == nil {
			e.RetryAfterMs = int64(seconds) * 1000
		}
	}
	return e
}

// join performs the handshakes of Engine.IO and Socket.IO.
func (conn *socketConn) join(token string) error {
	text, err := conn.message()
	if err != nil {
		return err
	}
	var open struct{ PingInterval, PingTimeout int64 }
	if text[0] != engineOpen || json.Unmarshal(text[1:], &open) != nil || open.PingInterval <= 0 {
		return errPacket
	}
	conn.readTimeout = time.Duration(open.PingInterval+open.PingTimeout) * time.Millisecond
	auth, err := json.Marshal(struct {
		Token    string `json:"token"`
		Nickname string `json:"nickname,omitempty"`
	}{token, conn.to.nickname})
	if err != nil {
		return err
	}
	if err := conn.write(context.Background(), encodePacket(kindConnect, conn.to.namespace, 0, "", auth)); err != nil {
		return err
	}
	for {
		p, err := conn.packet()
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

// packet reads the next packet of the namespace. It answers PINGs.
func (conn *socketConn) packet() (packet, error) {
	for {
		text, err := conn.message()
		if err != nil {
			return packet{}, err
		}
		switch text[0] {
		case enginePing:
			if err := conn.write(context.Background(), []byte{enginePong}); err != nil {
				return packet{}, err
			}
		case engineClose:
			return packet{}, errors.New("client: the server closed the connection")
		case engineMessage:
			p, err := parsePacket(text[1:])
			if err != nil || p.namespace == conn.to.namespace {
				return p, err
			}
		}
	}
}

var readBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// message reads the next message. It is not empty.
func (conn *socketConn) message() ([]byte, error) {
	if conn.readTimeout > 0 {
		if err := conn.ws.SetReadDeadline(time.Now().Add(conn.readTimeout)); err != nil {
			return nil, err
		}
	}
	_, r, err := conn.ws.NextReader()
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

// write sends one message. Waiting for other writers ends with ctx; the write itself
// does not, because the connection is unusable after a partial frame.
func (conn *socketConn) write(ctx context.Context, text []byte) error {
	select {
	case conn.writing <- struct{}{}:
		defer func() { <-conn.writing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	err := conn.ws.SetWriteDeadline(time.Now().Add(writeTimeout))
	if err == nil {
		err = conn.ws.WriteMessage(websocket.TextMessage, text)
	}
	if err != nil {
		conn.ws.Close() // the reading goroutine gets an error
	}
	return err
}

// errGone is the error of a call on a connection that had ended: nothing was sent.
var errGone = errors.New("client: not connected")

// call sends a command and waits for its answer. If the error is errGone, the
// command was not sent; after any other error of the connection it may have been
// executed.
func (conn *socketConn) call(ctx context.Context, name string, in []byte) (json.RawMessage, error) {
	reply := make(chan []byte, 1)
	conn.mu.Lock()
	if conn.pending == nil {
		conn.mu.Unlock()
		return nil, errGone
	}
	conn.next++
	id := conn.next
	conn.pending[id] = reply
	conn.mu.Unlock()
	defer func() {
		conn.mu.Lock()
		delete(conn.pending, id)
		conn.mu.Unlock()
	}()
	if err := conn.write(ctx, encodePacket(kindEvent, conn.to.namespace, id, name, in)); err != nil {
		return nil, rooms.Unavailable(err, "%s could not be sent", name)
	}
	select {
	case body := <-reply:
		return parseAnswer(body)
	case <-conn.gone:
	case <-ctx.Done():
		return nil, rooms.Unavailable(ctx.Err(), "gave up waiting for the answer to %s", name)
	}
	select {
	case body := <-reply: // received just before the end
		return parseAnswer(body)
	default:
		return nil, rooms.Unavailable(errGone, "the connection broke before %s was answered; it may have been executed", name)
	}
}

// acknowledged passes an answer to the call that waits for it.
func (conn *socketConn) acknowledged(p packet) {
	conn.mu.Lock()
	defer conn.mu.Unlock()
	if reply := conn.pending[p.id]; reply != nil {
		delete(conn.pending, p.id)
		reply <- p.body // does not block: one answer per id
	}
}

// errKicked is the error after a DISCONNECT: the client must not reconnect.
var errKicked = errors.New("client: disconnected by the server")

// end closes the connection and ends all calls that wait for an answer.
func (conn *socketConn) end() {
	conn.ws.Close()
	conn.mu.Lock()
	defer conn.mu.Unlock()
	conn.pending = nil
	close(conn.gone)
}

// read calls event with each event until the connection ends, and returns why.
func (conn *socketConn) read(event func(name string, data json.RawMessage)) error {
	for {
		p, err := conn.packet()
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
			conn.acknowledged(p)
		case kindDisconnect:
			return errKicked
		}
	}
}

// leave sends DISCONNECT and closes the connection.
func (conn *socketConn) leave(ctx context.Context) {
	if conn.write(ctx, encodePacket(kindDisconnect, conn.to.namespace, 0, "", nil)) == nil {
		_ = conn.write(ctx, []byte{engineClose}) // the connection is closed in any case
	}
	conn.ws.Close()
}
