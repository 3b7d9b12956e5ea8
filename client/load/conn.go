package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// conn is one Socket.IO connection over a WebSocket. It is lighter than a
// client.Client, because there are ten thousand of them on the machine of the
// server: one goroutine, no reconnecting, events as bytes.
type conn struct {
	ws        *websocket.Conn
	namespace string
	// onEvent is called with the body of every event, ["name",…], which is valid
	// only during the call. It is set before listen.
	onEvent func(body []byte)

	writing sync.Mutex
	out     []byte // guarded by writing

	mu      sync.Mutex
	next    uint64
	pending map[uint64]onAck // nil after the end
	err     error            // why it ended
	ended   chan struct{}    // closed when the reader has ended
	bytes   int64            // received; to be read after the end
	closing bool             // close was called: the end is not an error
}

// onAck is called with the body of an acknowledgement, [data], which is valid only
// during the call, or with nil if the connection has ended without it.
type onAck func(body []byte)

var errPacket = errors.New("load: the server sent a packet that is not Socket.IO")

// listen starts the goroutine that reads.
func (c *conn) listen() {
	c.pending = map[uint64]onAck{}
	c.ended = make(chan struct{})
	go func() {
		err := c.read()
		c.mu.Lock()
		if !c.closing {
			c.err = err
		}
		pending := c.pending
		c.pending = nil
		c.mu.Unlock()
		c.ws.Close()
		close(c.ended)
		for _, answer := range pending {
			answer(nil)
		}
	}()
}

func (c *conn) read() error {
	var buf []byte
	var waiting packet // a packet whose attachments have not arrived
	left := 0
	for {
		text, kind, err := c.message(buf[:0])
		if err != nil {
			return err
		}
		buf = text
		c.bytes += int64(len(text))
		switch {
		case kind == websocket.BinaryMessage && left > 0:
			if left--; left == 0 {
				c.acknowledged(waiting.id, text)
			}
			continue
		case len(text) == 0 || kind == websocket.BinaryMessage:
			return errPacket
		}
		switch text[0] {
		case enginePing:
			if err := c.write([]byte("3")); err != nil {
				return err
			}
		case engineClose:
			return io.EOF
		case engineMessage:
			p, ok := parsePacket(text[1:])
			switch {
			case !ok:
				return errPacket
			case p.kind == kindEvent:
				if c.onEvent != nil {
					c.onEvent(p.body)
				}
			case p.kind == kindAck:
				c.acknowledged(p.id, p.body)
			case p.kind == kindBinaryAck:
				waiting, left = packet{id: p.id}, p.attachments
			case p.kind == kindDisconnect:
				return errors.New("load: disconnected by the server")
			}
		}
		if cap(buf) > 4096 && c.namespace != "/" {
			buf = nil // the answer to a join; an idle connection keeps a small buffer
		}
	}
}

// message reads one message into buf.
func (c *conn) message(buf []byte) ([]byte, int, error) {
	kind, r, err := c.ws.NextReader()
	if err != nil {
		return nil, 0, err
	}
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, make([]byte, max(256, cap(buf)))...)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, kind, nil
		}
		if err != nil {
			return nil, 0, err
		}
	}
}

func (c *conn) acknowledged(id uint64, body []byte) {
	c.mu.Lock()
	answer := c.pending[id]
	delete(c.pending, id)
	c.mu.Unlock()
	if answer != nil {
		answer(body)
	}
}

func (c *conn) write(text []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.ws.WriteMessage(websocket.TextMessage, text)
}

// emit sends an event with a JSON argument, and with a binary attachment to which
// the argument refers, if attachment is not nil. If answer is not nil, it requests an
// acknowledgement: answer is called once, by the goroutine that reads, or not at all
// if emit fails.
func (c *conn) emit(name string, arg, attachment []byte, answer onAck) error {
	var id uint64
	if answer != nil {
		c.mu.Lock()
		if c.pending == nil {
			defer c.mu.Unlock()
			return c.broken()
		}
		c.next++
		id = c.next
		c.pending[id] = answer
		c.mu.Unlock()
	}
	err := c.send(id, name, arg, attachment)
	if err != nil && answer != nil {
		c.mu.Lock()
		if c.pending[id] == nil { // the reading goroutine has called answer
			err = nil
		}
		delete(c.pending, id)
		c.mu.Unlock()
	}
	return err
}

func (c *conn) send(id uint64, name string, arg, attachment []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if attachment != nil {
		c.out = appendPacket(c.out[:0], kindBinaryEvent, 1, c.namespace)
	} else {
		c.out = appendPacket(c.out[:0], kindEvent, 0, c.namespace)
	}
	if id > 0 {
		c.out = strconv.AppendUint(c.out, id, 10)
	}
	c.out = append(c.out, '[', '"')
	c.out = append(c.out, name...)
	c.out = append(c.out, '"', ',')
	c.out = append(c.out, arg...)
	c.out = append(c.out, ']')
	if err := c.ws.WriteMessage(websocket.TextMessage, c.out); err != nil || attachment == nil {
		return err
	}
	return c.ws.WriteMessage(websocket.BinaryMessage, attachment)
}

// call sends an event and waits for its acknowledgement.
func (c *conn) call(name string, arg []byte, patience time.Duration) ([]byte, error) {
	reply := make(chan []byte, 1)
	if err := c.emit(name, arg, nil, func(body []byte) { reply <- bytes.Clone(body) }); err != nil {
		return nil, err
	}
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case body := <-reply:
		if body == nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			return nil, c.broken()
		}
		return body, nil
	case <-timeout.C:
		return nil, fmt.Errorf("load: %s was not answered in %v", name, patience)
	}
}

// broken returns the error of a connection that has ended; mu is held.
func (c *conn) broken() error {
	if c.err != nil {
		return fmt.Errorf("load: the connection has ended: %w", c.err)
	}
	return errors.New("load: the connection has ended")
}

// alive reports whether the connection is open.
func (c *conn) alive() bool {
	select {
	case <-c.ended:
		return false
	default:
		return true
	}
}

// close closes the connection and waits for its goroutine. If the connection had
// ended before, it returns why.
func (c *conn) close() error {
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	// The server answers with a closing frame, which ends the reading goroutine.
	c.writing.Lock()
	err := c.ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
	c.writing.Unlock()
	if err == nil {
		select {
		case <-c.ended:
		case <-time.After(2 * time.Second):
		}
	}
	c.ws.Close()
	<-c.ended
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}
