package edge

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/zishang520/socket.io/v2/socket"
)

// phase is how far a socket has come.
type phase uint8

const (
	phaseConnecting phase = iota // the handler judges
	phaseJoined                  // admitted; the answer isn't out yet
	phaseOpen                    // the client knows
)

// Socket is a client in a namespace. Its methods may be called from any
// goroutine, at any time.
type Socket struct {
	namespace *Namespace
	client    *client
	session   *session
	library   *socket.Socket
	settled   chan struct{} // closed when the library has finished connecting
	id        string
	auth      json.RawMessage

	// Guarded by the session's mu.
	phase   phase
	ended   bool
	waiting []parcel // what was sent before the answer to CONNECT
	queued  int      // and its size

	mu    sync.Mutex
	data  any
	rooms []string
	gone  bool // joins nothing any more
}

// ID is the socket's name, unique and safe to show to others.
func (s *Socket) ID() string { return s.id }

// Address is the client's address, as Config.Address tells it.
func (s *Socket) Address() string { return s.session.peer.address }

// Header gives those headers of the client's first request that are kept:
// Origin, User-Agent, Accept-Language, Authorization, Cookie, X-Request-Id,
// Traceparent and X-Forwarded-For.
func (s *Socket) Header() http.Header { return s.session.peer.header() }

// Query gives the query of the client's first request.
func (s *Socket) Query() url.Values { return s.session.peer.values() }

// Auth is what the client sent to be admitted: a JSON object, {} if it sent
// nothing.
func (s *Socket) Auth() json.RawMessage { return s.auth }

// Transport is "polling" or "websocket".
func (s *Socket) Transport() string { return s.session.transport() }

// SetData attaches a value of the caller's.
func (s *Socket) SetData(v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = v
}

// Data is the value that was attached last.
func (s *Socket) Data() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.data
}

// Join adds the socket to rooms. It may be called while the socket is being
// connected; after its end it does nothing.
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

// Leave takes the socket out of rooms.
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

// Rooms lists the rooms that were joined and not left.
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
// through json.Marshal. Emit doesn't wait. Events reach the client in the
// order of the calls, and none before it knows that it is connected. The
// error says that an argument can't be encoded or that the name is reserved
// (ErrReserved), in which case nothing was sent, or that the connection has
// ended (ErrClosed). No error doesn't mean that the client has got it.
func (s *Socket) Emit(event string, args ...any) error {
	p, err := encodeEvent(s.namespace.name, event, args)
	if err != nil {
		return err
	}
	return s.deliver(&p)
}

// deliver sends a packet, or keeps it until the client knows that it is
// connected.
func (s *Socket) deliver(p *parcel) error {
	ss := s.session
	ss.mu.Lock()
	if s.ended || ss.state != stateOpen {
		ss.mu.Unlock()
		return ErrClosed
	}
	ok := true
	if s.phase == phaseOpen {
		ok = ss.write([]frame{p.text}) && (len(p.attachments) == 0 || ss.write(p.attachments))
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

// open sends the answer to CONNECT, and then what had to wait for it.
func (s *Socket) open(answer frame) {
	ss := s.session
	ss.mu.Lock()
	if s.ended || ss.state != stateOpen {
		ss.mu.Unlock()
		return
	}
	s.phase = phaseOpen
	ok := ss.write([]frame{answer})
	for _, p := range s.waiting {
		ok = ok && ss.write([]frame{p.text}) && (len(p.attachments) == 0 || ss.write(p.attachments))
	}
	s.waiting, s.queued = nil, 0
	ss.mu.Unlock()
	if !ok {
		ss.tooSlow()
	}
}

// Kick ends the client's connection and keeps the client from reconnecting by
// itself: every namespace on it gets DISCONNECT, and the connection is closed
// once that is written.
func (s *Socket) Kick() {
	c := s.client
	c.session.mu.Lock()
	var last []frame
	for _, other := range c.sockets {
		last = append(last, bareFrame(kindDisconnect, other.namespace.name))
	}
	c.session.mu.Unlock()
	c.session.close(closeNormal, reasonKicked, last...)
}

// Close ends the client's connection without DISCONNECT: what was sent still
// reaches it, and it reconnects by itself. Disconnect gets the reason.
func (s *Socket) Close(reason string) {
	s.session.close(closeGoingAway, reason)
}
