package edge

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/zishang520/socket.io/v2/socket"
)

// phase is the progress of a socket's CONNECT.
type phase uint8

const (
	phaseConnecting phase = iota // Handler.Connect runs
	phaseJoined                  // admitted; the answer has not been sent
	phaseOpen                    // the answer has been sent
)

// Socket is a client in a namespace. Its methods may be called from any
// goroutine, at any time.
type Socket struct {
	namespace *Namespace
	client    *client
	conn      *connection
	library   *socket.Socket
	settled   chan struct{} // closed when the library has finished connecting
	id        string
	auth      json.RawMessage

	// Guarded by the session's mu.
	phase   phase
	ended   bool
	waiting []encodedPacket // packets that are queued until the answer to CONNECT is sent
	queued  int             // their size in bytes

	mu    sync.Mutex
	data  any
	rooms []string
	gone  bool // ended: Join does nothing
}

// ID returns the socket's unique id. It is not a secret.
func (s *Socket) ID() string { return s.id }

// Address returns the client's address, the result of Config.Address.
func (s *Socket) Address() string { return s.conn.peer.address }

// Header returns the headers of the client's first request that are kept:
// Origin, User-Agent, Accept-Language, Authorization, Cookie, X-Request-Id,
// Traceparent and X-Forwarded-For.
func (s *Socket) Header() http.Header { return s.conn.peer.header() }

// Query returns the query of the client's first request.
func (s *Socket) Query() url.Values { return s.conn.peer.values() }

// Auth returns the auth of the client's CONNECT: a JSON object, {} if it sent
// none.
func (s *Socket) Auth() json.RawMessage { return s.auth }

// Transport returns "polling" or "websocket".
func (s *Socket) Transport() string { return s.conn.transport() }

// SetData attaches a value to the socket.
func (s *Socket) SetData(v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = v
}

// Data returns the value that was attached last.
func (s *Socket) Data() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.data
}

// Join adds the socket to rooms. It may be called from Handler.Connect on; after
// the socket's end it does nothing.
func (s *Socket) Join(rooms ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return
	}
	for _, room := range rooms {
		if !slices.Contains(s.rooms, room) {
			s.rooms = append(s.rooms, room)
			s.namespace.rooms.join(room, s)
		}
	}
}

// Leave removes the socket from rooms.
func (s *Socket) Leave(rooms ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, room := range rooms {
		if i := slices.Index(s.rooms, room); i >= 0 {
			s.rooms = slices.Delete(s.rooms, i, i+1)
			s.namespace.rooms.leave(room, s)
		}
	}
}

// Rooms returns the rooms that the socket is in.
func (s *Socket) Rooms() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.rooms)
}

// leaveAll removes the socket from every room and keeps it from joining others.
func (s *Socket) leaveAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
	for _, room := range s.rooms {
		s.namespace.rooms.leave(room, s)
	}
	s.rooms = nil
}

// Emit sends an event. A json.RawMessage is written as it is and must be
// valid JSON; a []byte is sent as a binary attachment; anything else goes
// through json.Marshal. Emit doesn't block. Events reach the client in the
// order of the calls, after the answer to its CONNECT. If an argument can't be
// encoded or the name is reserved (ErrReserved), Emit returns an error and sends
// nothing. The error is ErrClosed if the connection has ended. A nil error
// doesn't mean that the client has received the event.
func (s *Socket) Emit(event string, args ...any) error {
	p, err := encodeEvent(s.namespace.name, event, args)
	if err != nil {
		return err
	}
	return s.deliver(&p)
}

// deliver sends a packet, or queues it until the answer to CONNECT is sent.
func (s *Socket) deliver(p *encodedPacket) error {
	ss := s.conn
	ss.mu.Lock()
	if s.ended || ss.state != stateOpen {
		ss.mu.Unlock()
		return ErrClosed
	}
	ok := true
	if s.phase == phaseOpen {
		ok = ss.out.write(p.frames...)
	} else {
		s.waiting = append(s.waiting, *p)
		s.queued += p.size()
		ok = s.queued <= ss.engine.cfg.SendQueue || len(s.waiting) == 1
	}
	ss.mu.Unlock()
	if !ok {
		ss.tooSlow()
		return ErrClosed
	}
	ss.engine.counters.out.add(1, p.size())
	return nil
}

// open sends the answer to CONNECT, and then the packets queued until then.
func (s *Socket) open(answer frame) {
	ss := s.conn
	ss.mu.Lock()
	if s.ended || ss.state != stateOpen {
		ss.mu.Unlock()
		return
	}
	s.phase = phaseOpen
	ok := ss.out.write(answer)
	for _, p := range s.waiting {
		ok = ok && ss.out.write(p.frames...)
	}
	s.waiting, s.queued = nil, 0
	ss.mu.Unlock()
	if !ok {
		ss.tooSlow()
	}
}

// Kick ends the client's connection and keeps the client from reconnecting by
// itself: every namespace on the connection gets DISCONNECT, and it is closed
// once they are written.
func (s *Socket) Kick() {
	c := s.client
	c.conn.mu.Lock()
	var last []frame
	for _, other := range c.sockets {
		last = append(last, emptyPacket(kindDisconnect, other.namespace.name))
	}
	c.conn.mu.Unlock()
	c.conn.close(closeNormal, reasonKicked, last...)
}

// Close ends the client's connection without DISCONNECT: what was sent before
// still reaches the client, and it reconnects by itself. Handler.Disconnect gets
// the reason.
func (s *Socket) Close(reason string) {
	s.conn.close(closeGoingAway, reason)
}
