package edge

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// PlainConn is a bare WebSocket. Its methods may be called from any goroutine,
// and none of them waits.
type PlainConn struct {
	plain   *Plain
	line    Line
	address string
	reader  *frameReader
	ctx     context.Context
	cancel  context.CancelFunc
	heard   atomic.Bool // something came in since the last PING

	mu      sync.Mutex
	ws      *wsConn
	timer   *time.Timer // the heartbeat; after closing, the last term
	waiting bool        // a PING is unanswered
	closing bool
}

func newPlainConn(p *Plain, conn net.Conn, address string, line Line) *PlainConn {
	c := &PlainConn{plain: p, address: address, line: line, reader: newFrameReader(conn, p.cfg.MaxPayload, p.cfg.BodyTimeout)}
	c.ws = newWSConn(c, &c.mu, &p.cfg, conn)
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// Address is the client's address, as Config.Address tells it.
func (c *PlainConn) Address() string { return c.address }

// Text makes a message that many connections can be sent without copying it.
type Text struct{ frame frame }

// NewText frames a message.
func NewText(text string) Text { return Text{textFrame(text)} }

// Send sends messages, in the order of calls. The error is ErrClosed when the
// connection has ended; a client that lets Config.SendQueue fill up is cut off.
func (c *PlainConn) Send(texts ...Text) error {
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
		c.plain.out.add(1, len(t.frame.wire))
	}
	return nil
}

// Close ends the connection in good order: what was sent before reaches the
// client, then the code and the reason.
func (c *PlainConn) Close(code uint16, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || c.ws.dead {
		return
	}
	c.closing = true
	c.cancel()
	c.ws.close(code, reason)
	// Whatever the client does or does not do, it ends after this.
	c.timer.Reset(c.plain.cfg.WriteTimeout + c.plain.cfg.LingerTime)
}

// run answers the handshake and reads until the connection ends.
func (c *PlainConn) run(response string) {
	defer c.cancel()
	conn := c.ws.conn
	conn.SetWriteDeadline(time.Now().Add(c.plain.cfg.WriteTimeout))
	if _, err := io.WriteString(conn, response); err != nil {
		conn.Close()
		return
	}
	conn.SetWriteDeadline(time.Time{})
	c.mu.Lock() // the timer may fire before it has been assigned
	c.timer = time.AfterFunc(c.plain.cfg.PingInterval, c.tick)
	c.mu.Unlock()
	linger := true
	if c.plain.add(c) {
		defer c.plain.remove(c)
		c.line.Opened(c)
		linger = c.read()
		c.line.Closed()
	} else {
		c.Close(closeGoingAway, errDraining.Message)
	}
	if linger {
		c.ws.linger()
	}
	c.drop()
}

// read hands messages to the line until the connection ends. It reports whether
// a closing frame is on its way to a client that may still send.
func (c *PlainConn) read() (linger bool) {
	for {
		op, payload, err := c.reader.next()
		if err != nil {
			p := asProtocolError(err)
			if p != nil {
				c.Close(p.code, p.reason)
			}
			return p != nil
		}
		c.heard.Store(true)
		switch {
		case op == opClose:
			return c.closed(closeCode(payload))
		case op == opPing:
			c.pong(payload)
		case c.ctx.Err() != nil: // closing: the client may not have seen it yet
		case op == opBinary:
			c.Close(closeData, "text messages only")
		case op == opText:
			c.plain.in.add(1, len(payload))
			c.line.Text(c.ctx, string(payload))
		}
	}
}

// closed takes the client's closing frame and reports whether ours is still on its
// way. The client has ours if its frame is the answer to it.
func (c *PlainConn) closed(code uint16) bool {
	c.mu.Lock()
	out := c.closing && !c.ws.writing
	c.mu.Unlock()
	c.Close(code, "")
	return !out
}

func (c *PlainConn) pong(payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing && !c.ws.dead && !c.ws.write(controlFrame(opPong, payload)) {
		c.end()
	}
}

// tick asks whether the client is there, and ends a connection from which
// nothing came since it was asked last.
func (c *PlainConn) tick() {
	cfg := &c.plain.cfg
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closing || c.ws.dead:
		c.end()
	case !c.waiting:
		c.heard.Store(false)
		c.waiting = true
		c.timer.Reset(cfg.PingTimeout)
		if !c.ws.write(controlFrame(opPing, nil)) {
			c.end()
		}
	case c.heard.Load():
		c.waiting = false
		c.timer.Reset(max(cfg.PingInterval-cfg.PingTimeout, time.Millisecond))
	default:
		c.closing = true
		c.cancel()
		c.ws.close(closePolicy, reasonPingTimeout)
		c.timer.Reset(c.plain.cfg.LingerTime)
	}
}

// fail implements wsOwner.
func (c *PlainConn) fail(*wsConn, error) { c.drop() }

// drop ends the connection at once.
func (c *PlainConn) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end()
}

// end is drop with the lock held. The reader notices.
func (c *PlainConn) end() {
	c.cancel()
	c.timer.Stop()
	c.ws.drop()
}
