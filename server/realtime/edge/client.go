package edge

import (
	"encoding/json"
	"slices"
)

// maxNamespace bounds the length of a namespace's name that a client sends.
const maxNamespace = 256

// client is what Socket.IO knows of one session: the sockets in it, and the
// packet whose attachments are on their way. Its methods run on the session's
// lane.
type client struct {
	server  *Server
	session *session
	link    *link
	sockets []*Socket // guarded by the session's mu
	parts   *parts
}

// parts is a binary packet that isn't whole yet.
type parts struct {
	packet packet
	size   int64
	got    [][]byte
}

// message takes the text of a packet, or an attachment.
func (c *client) message(data []byte, binary bool) error {
	if binary {
		return c.attachment(data)
	}
	if c.parts != nil {
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
		c.parts = &parts{packet: p, size: int64(len(data)), got: make([][]byte, 0, p.attachments)}
		c.session.unfinished.Store(true)
		return nil
	}
	return c.dispatch(p, nil)
}

// attachment takes an attachment of the packet that waits for it.
func (c *client) attachment(data []byte) error {
	if c.parts == nil {
		return errMalformed
	}
	c.parts.got = append(c.parts.got, data)
	if c.parts.size += int64(len(data)); c.parts.size > c.server.engine.cfg.MaxPayload {
		return errMalformed
	}
	if len(c.parts.got) < c.parts.packet.attachments {
		return nil
	}
	p, got := c.parts.packet, c.parts.got
	c.parts = nil
	c.session.unfinished.Store(false)
	return c.dispatch(p, got)
}

// dispatch hands an event to its socket. Acknowledgements are checked and
// dropped: the server never asks for one.
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
		return nil // an event without a name, which nobody can listen to
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
	s.namespace.handler.Event(c.session.ctx, s, name, args, ack)
	return nil
}

// find looks up the socket of a namespace that has come at least so far.
func (c *client) find(namespace []byte, least phase) *Socket {
	c.session.mu.Lock()
	defer c.session.mu.Unlock()
	for _, s := range c.sockets {
		if s.namespace.name == string(namespace) && s.phase >= least {
			return s
		}
	}
	return nil
}

// connect begins to join a namespace. The judgement is the handler's, in a
// goroutine of its own, so that it may take its time.
func (c *client) connect(p packet) error {
	n := c.server.namespaces[string(p.namespace)]
	if n == nil {
		buf := append(make([]byte, headRoom, headRoom+len(p.namespace)+256), '4', byte(kindConnectError))
		buf = append(appendNamespace(buf, string(p.namespace)), c.server.noSuchNamespace(string(p.namespace))...)
		c.session.send(seal(buf, opText))
		return nil
	}
	if c.find(p.namespace, phaseConnecting) != nil {
		return errMalformed
	}
	s := &Socket{namespace: n, client: c, session: c.session, auth: json.RawMessage("{}"), settled: make(chan struct{})}
	if len(p.body) > 0 {
		s.auth = p.body
	}
	c.session.mu.Lock()
	c.sockets = append(c.sockets, s)
	c.session.mu.Unlock()
	c.link.connect(s)
	return nil
}

// disconnect follows the client's wish to leave a namespace. The library has
// forgotten the socket before the next packet is looked at, so that the
// client may come back at once.
func (c *client) disconnect(p packet) error {
	s := c.find(p.namespace, phaseJoined)
	if s == nil {
		return errMalformed
	}
	c.remove(s)
	s.end(reasonLeft)
	c.link.disconnect(s)
	return nil
}

func (c *client) remove(s *Socket) {
	c.session.mu.Lock()
	defer c.session.mu.Unlock()
	if i := slices.Index(c.sockets, s); i >= 0 {
		c.sockets = slices.Delete(c.sockets, i, i+1)
	}
}

// closed ends every socket; those whose connect is still being judged end
// when that is over.
func (c *client) closed(reason string) {
	c.session.mu.Lock()
	var ending []*Socket
	for _, s := range c.sockets {
		if s.phase >= phaseJoined {
			ending = append(ending, s)
		}
	}
	c.sockets = nil
	c.session.mu.Unlock()
	for _, s := range ending {
		s.end(reason)
	}
	c.parts = nil
	c.link.close(reason)
}
