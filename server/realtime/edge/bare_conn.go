package edge

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// BareConn is a bare WebSocket. Its methods may be called from any goroutine
// and do not block.
type BareConn struct {
	server   *BareServer
	handler  BareHandler
	address  string
	reader   *frameReader
	ctx      context.Context
	cancel   context.CancelFunc
	received atomic.Bool // something was received since the last PING

	mu      sync.Mutex
	ws      *wsConn
	timer   *time.Timer // the heartbeat; while closing, the deadline for dropping the connection
	waiting bool        // a PING is unanswered
	closing bool
}

func newBareConn(p *BareServer, conn net.Conn, address string, handler BareHandler) *BareConn {
	c := &BareConn{server: p, address: address, handler: handler, reader: newFrameReader(conn, p.cfg.MaxPayload, p.cfg.BodyTimeout)}
	c.ws = newWSConn(c, &c.mu, &p.cfg, conn)
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// Address returns the client's address, the result of Config.Address.
func (c *BareConn) Address() string { return c.address }

// Text is a message that can be sent to many connections without copying it.
type Text struct{ frame frame }

// NewText frames a message.
func NewText(text string) Text { return Text{textFrame(text)} }

// Send sends messages, in the order of calls. The error is ErrClosed when the
// connection has ended. If Config.SendQueue is exceeded, the connection is dropped.
func (c *BareConn) Send(texts ...Text) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || c.ws.dead {
		return ErrClosed
	}
	for _, t := range texts {
		if !c.ws.write(t.frame) {
			c.end()
			return ErrClosed
		}
		c.server.out.add(1, len(t.frame.wire))
	}
	return nil
}

// Close ends the connection with a code and a reason, after what was sent before
// has been delivered.
func (c *BareConn) Close(code uint16, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || c.ws.dead {
		return
	}
	c.closing = true
	c.cancel()
	c.ws.close(code, reason)
	// The connection is dropped after this time even if the client does not answer.
	c.timer.Reset(c.server.cfg.WriteTimeout + c.server.cfg.LingerTime)
}

// run answers the handshake and reads until the connection ends.
func (c *BareConn) run(response string) {
	defer c.cancel()
	conn := c.ws.conn
	conn.SetWriteDeadline(time.Now().Add(c.server.cfg.WriteTimeout))
	if _, err := io.WriteString(conn, response); err != nil {
		conn.Close()
		return
	}
	conn.SetWriteDeadline(time.Time{})
	c.mu.Lock() // the timer may fire before it has been assigned
	c.timer = time.AfterFunc(c.server.cfg.PingInterval, c.tick)
	c.mu.Unlock()
	linger := true
	if c.server.add(c) {
		defer c.server.remove(c)
		c.handler.Opened(c)
		linger = c.read()
		c.handler.Closed()
	} else {
		c.Close(closeGoingAway, errDraining.Message)
	}
	if linger {
		c.ws.linger()
	}
	c.drop()
}

// read passes messages to the handler until the connection ends. It reports whether
// a closing frame is on its way to a client that may still send.
func (c *BareConn) read() (linger bool) {
	for {
		op, payload, err := c.reader.next()
		if err != nil {
			p := asProtocolError(err)
			if p != nil {
				c.Close(p.code, p.reason)
			}
			return p != nil
		}
		c.received.Store(true)
		switch {
		case op == opClose:
			return c.closed(closeCode(payload))
		case op == opPing:
			c.pong(payload)
		case c.ctx.Err() != nil: // closing: the client may not have seen it yet
		case op == opBinary:
			c.Close(closeData, "text messages only")
		case op == opText:
			c.server.in.add(1, len(payload))
			c.handler.Text(c.ctx, string(payload))
		}
	}
}

// closed handles the client's closing frame and reports whether ours may not have
// reached the client yet. It has if the client's frame is the answer to it.
func (c *BareConn) closed(code uint16) bool {
	c.mu.Lock()
	out := c.closing && !c.ws.writing
	c.mu.Unlock()
	c.Close(code, "")
	return !out
}

func (c *BareConn) pong(payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing && !c.ws.dead && !c.ws.write(controlFrame(opPong, payload)) {
		c.end()
	}
}

// tick sends a PING, or ends a connection from which nothing was received since
// the last one.
func (c *BareConn) tick() {
	cfg := &c.server.cfg
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closing || c.ws.dead:
		c.end()
	case !c.waiting:
		c.received.Store(false)
		c.waiting = true
		c.timer.Reset(cfg.PingTimeout)
		if !c.ws.write(controlFrame(opPing, nil)) {
			c.end()
		}
	case c.received.Load():
		c.waiting = false
		c.timer.Reset(max(cfg.PingInterval-cfg.PingTimeout, time.Millisecond))
	default:
		c.closing = true
		c.cancel()
		c.ws.close(closePolicy, reasonPingTimeout)
		c.timer.Reset(c.server.cfg.LingerTime)
	}
}

// fail implements wsOwner.
func (c *BareConn) fail(*wsConn, error) { c.drop() }

// drop ends the connection at once.
func (c *BareConn) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end()
}

// end is drop with the lock held. The reading goroutine gets an error and returns.
func (c *BareConn) end() {
	c.cancel()
	c.timer.Stop()
	c.ws.drop()
}
