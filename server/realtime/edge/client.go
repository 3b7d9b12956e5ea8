package edge

import (
	"encoding/json"
	"errors"
	"slices"

	"golang.org/x/time/rate"
)

// maxNamespace bounds the length of a namespace's name that a client sends.
const maxNamespace = 256

// The rate and burst of CONNECT packets of a client, including those for namespaces
// that do not exist. A page connects to each namespace once, and again after the
// server has disconnected it.
const (
	connectsPerSecond = 5
	connectBurst      = 100
)

var errTooManyConnects = errors.New("the client connects to namespaces too often")

// client is the Socket.IO state of one session: its sockets, and the packet
// whose attachments have not all arrived. The session's handleMu is held while
// its methods run.
type client struct {
	server      *Server
	conn        *connection
	libraryConn *libraryConn
	sockets     []*Socket // guarded by the session's mu
	pending     *pendingPacket
	connects    *rate.Limiter // of CONNECT packets; nil before the first
}

// pendingPacket is a binary packet whose attachments have not all arrived.
type pendingPacket struct {
	packet packet
	size   int64
	got    [][]byte
}

// message handles the text of a packet, or an attachment.
func (c *client) message(data []byte, binary bool) error {
	if binary {
		return c.attachment(data)
	}
	if c.pending != nil {
		return errMalformed
	}
	p, err := parsePacket(data, c.server.engine.cfg.MaxAttachments)
	if err != nil || len(p.namespace) > maxNamespace {
		return errMalformed
	}
	switch p.kind {
	case kindConnect:
		return c.connect(p)
	case kindDisconnect:
		return c.disconnect(p)
	}
	if p.attachments > 0 {
		c.pending = &pendingPacket{packet: p, size: int64(len(data)), got: make([][]byte, 0, p.attachments)}
		c.conn.unfinished.Store(true)
		return nil
	}
	return c.dispatch(p, nil)
}

// attachment adds an attachment to the pending packet.
func (c *client) attachment(data []byte) error {
	if c.pending == nil {
		return errMalformed
	}
	c.pending.got = append(c.pending.got, data)
	if c.pending.size += int64(len(data)); c.pending.size > c.server.engine.cfg.MaxPayload {
		return errMalformed
	}
	if len(c.pending.got) < c.pending.packet.attachments {
		return nil
	}
	p, got := c.pending.packet, c.pending.got
	c.pending = nil
	c.conn.unfinished.Store(false)
	return c.dispatch(p, got)
}

// dispatch passes an event to its socket. Acknowledgements are checked and
// dropped: the server never requests one.
func (c *client) dispatch(p packet, attachments [][]byte) error {
	s := c.find(p.namespace, phaseJoined)
	if s == nil {
		return errMalformed
	}
	if (p.kind == kindBinaryEvent || p.kind == kindBinaryAck) && !placeholdersFit(p.body, len(attachments)) {
		return errMalformed
	}
	if p.kind == kindAck || p.kind == kindBinaryAck {
		return nil
	}
	if len(p.body) == 0 {
		return nil // an event without a name, for which no handler can exist
	}
	name, args, err := splitEvent(p.body, attachments)
	if err != nil {
		return err
	}
	bytes := len(p.body)
	for _, a := range attachments {
		bytes += len(a)
	}
	c.server.engine.counters.in.add(1, bytes)
	var ack *Ack
	if len(p.id) > 0 {
		ack = &Ack{socket: s, id: string(p.id)}
	}
	defer c.server.recovered()
	s.namespace.handler.Event(c.conn.ctx, s, name, args, ack)
	return nil
}

// find returns the socket of a namespace if its phase is at least least, or nil.
func (c *client) find(namespace []byte, least phase) *Socket {
	c.conn.mu.Lock()
	defer c.conn.mu.Unlock()
	for _, s := range c.sockets {
		if s.namespace.name == string(namespace) && s.phase >= least {
			return s
		}
	}
	return nil
}

// connect begins to join a namespace. The handler decides in a separate
// goroutine, because it may do I/O.
func (c *client) connect(p packet) error {
	if c.connects == nil {
		c.connects = rate.NewLimiter(connectsPerSecond, connectBurst)
	}
	if !c.connects.Allow() {
		if c.conn.expel(closePolicy, reasonTooMany) {
			c.server.engine.counters.malformed.Add(1)
		}
		return errTooManyConnects
	}
	n := c.server.namespaces[string(p.namespace)]
	if n == nil {
		buf := append(make([]byte, headRoom, headRoom+len(p.namespace)+256), '4', byte(kindConnectError))
		buf = append(appendNamespace(buf, string(p.namespace)), c.server.noSuchNamespace(string(p.namespace))...)
		c.conn.send(buildFrame(buf, opText))
		return nil
	}
	if c.find(p.namespace, phaseConnecting) != nil {
		return errMalformed
	}
	s := &Socket{namespace: n, client: c, conn: c.conn, auth: json.RawMessage("{}"), settled: make(chan struct{})}
	if len(p.body) > 0 {
		s.auth = p.body
	}
	c.conn.mu.Lock()
	c.sockets = append(c.sockets, s)
	c.conn.mu.Unlock()
	c.libraryConn.connect(s)
	return nil
}

// disconnect removes a socket whose client leaves its namespace. It returns
// after the library has removed the socket, so that the client may connect to
// the namespace again immediately.
func (c *client) disconnect(p packet) error {
	s := c.find(p.namespace, phaseJoined)
	if s == nil {
		return errMalformed
	}
	c.remove(s)
	s.end(reasonLeft)
	c.libraryConn.disconnect(s)
	return nil
}

func (c *client) remove(s *Socket) {
	c.conn.mu.Lock()
	defer c.conn.mu.Unlock()
	if i := slices.Index(c.sockets, s); i >= 0 {
		c.sockets = slices.Delete(c.sockets, i, i+1)
	}
}

// closed ends every socket. A socket whose Connect still runs ends when it
// returns.
func (c *client) closed(reason string) {
	c.conn.mu.Lock()
	var ending []*Socket
	for _, s := range c.sockets {
		if s.phase >= phaseJoined {
			ending = append(ending, s)
		}
	}
	c.sockets = nil
	c.conn.mu.Unlock()
	for _, s := range ending {
		s.end(reason)
	}
	c.pending = nil
	c.libraryConn.close(reason)
}
