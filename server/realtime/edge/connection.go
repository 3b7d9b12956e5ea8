package edge

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// ErrClosed is the error of sending on a connection that has ended.
var ErrClosed = errors.New("connection closed")

// errMalformed is the error of a packet that violates the protocol.
var errMalformed = errors.New("parse error")

// Reasons for which a session ends, as Socket.IO names them.
const (
	reasonTransportClose = "transport close"
	reasonTransportError = "transport error"
	reasonPingTimeout    = "ping timeout"
	reasonParseError     = "parse error"
	reasonTooMany        = "too many connects"
	reasonTooSlow        = "transport too slow"
	reasonKicked         = "server namespace disconnect"
	reasonLeft           = "client namespace disconnect"
	reasonShutdown       = "server shutting down"
	reasonForced         = "forced server close"
)

// protocol is the protocol above Engine.IO: Socket.IO, or that of NewEngine.
type protocol interface {
	// open returns the state of the protocol for a session. It is called before
	// anything is read from the session.
	open(*connection) protoState
}

// protoState is the state of a protocol for one session.
type protoState interface {
	// message is called with one message at a time, in order of arrival. The
	// data belongs to the callee. An error closes the session.
	message(data []byte, binary bool) error
	// closed is called once, after the last call of message has returned.
	closed(reason string)
}

const (
	stateOpen    = iota
	stateClosing // what was sent before is still delivered, incoming messages are dropped
	stateClosed
)

// transport is the sending half of a session: wsConn or polling.
type transport interface {
	// write sends frames in order, without blocking. The session's mu is held. It
	// returns false if the queue is full because the client reads too slowly.
	write(frames ...frame) bool
}

// connection is an Engine.IO session. It continues when its transport changes.
//
// It has two locks. handleMu is held while a message is being handled, so that
// messages are handled one at a time on both transports. mu guards sending and
// state; it is held briefly and never while a handler runs.
type connection struct {
	engine *Engine
	id     string
	peer   peer
	ctx    context.Context
	cancel context.CancelFunc

	handleMu   sync.Mutex
	busy       atomic.Bool // a message is being handled
	protoState protoState  // set before anything is read

	mu     sync.Mutex
	state  int
	reason string    // why it ended; set once, when it is no longer open
	out    transport // ws, or poll if there is none
	ws     *wsConn   // the transport, or nil while polling
	poll   *polling  // the transport, or nil after the upgrade
	probe  *wsConn   // a WebSocket whose upgrade is pending
	probed bool      // its probe has been answered

	heartbeat
}

func newConnection(e *Engine, p peer) *connection {
	var raw [18]byte
	rand.Read(raw[:])
	s := &connection{engine: e, id: base64.RawURLEncoding.EncodeToString(raw[:]), peer: p}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// send sends frames in order, without blocking. The error is ErrClosed if the
// connection is ending or its queue is full.
func (s *connection) send(frames ...frame) error {
	s.mu.Lock()
	if s.state != stateOpen {
		s.mu.Unlock()
		return ErrClosed
	}
	ok := s.out.write(frames...)
	s.mu.Unlock()
	if !ok {
		s.tooSlow()
		return ErrClosed
	}
	return nil
}

func (s *connection) tooSlow() {
	if s.drop(reasonTooSlow) {
		s.engine.counters.slowClosed.Add(1)
	}
}

// transport returns the name of the current transport.
func (s *connection) transport() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ws != nil {
		return "websocket"
	}
	return "polling"
}

// receive handles one Engine.IO packet, after any other that is being handled.
// If it returns an error, the session has been closed.
func (s *connection) receive(data []byte, binary bool) error {
	s.enter()
	defer s.exit()
	return s.packet(data, binary)
}

// receivePayload handles the packets of a polling body in order.
func (s *connection) receivePayload(body []byte) error {
	s.enter()
	defer s.exit()
	for more := true; more; {
		var data []byte
		var binary bool
		var err error
		data, binary, body, more, err = nextPacket(body)
		if err != nil {
			return s.closeMalformed(err)
		}
		if err := s.packet(data, binary); err != nil {
			return err
		}
	}
	return nil
}

func (s *connection) enter() {
	s.handleMu.Lock()
	s.busy.Store(true)
}

func (s *connection) exit() {
	s.busy.Store(false)
	s.handleMu.Unlock()
}

// packet handles one Engine.IO packet. handleMu is held.
func (s *connection) packet(data []byte, binary bool) error {
	if s.ctx.Err() != nil {
		return ErrClosed
	}
	s.received.Store(true)
	if binary {
		return s.closeMalformed(s.protoState.message(data, true))
	}
	if len(data) == 0 {
		return s.closeMalformed(errMalformed)
	}
	switch data[0] {
	case '4':
		return s.closeMalformed(s.protoState.message(data[1:], false))
	case '3':
		s.pong()
	case '1':
		s.leave()
	case '6':
	default:
		return s.closeMalformed(errMalformed)
	}
	return nil
}

// closeMalformed closes the session if err is not nil, and returns err.
func (s *connection) closeMalformed(err error) error {
	if err != nil && s.expel(closeInvalid, reasonParseError) {
		s.engine.counters.malformed.Add(1)
	}
	return err
}

// leave ends the session after the client's CLOSE packet. A poll that is open, or
// that arrives later, is answered with a NOOP.
func (s *connection) leave() {
	s.mu.Lock()
	if s.state != stateOpen {
		s.mu.Unlock()
		return
	}
	s.state, s.reason = stateClosing, reasonTransportClose
	if s.ws != nil {
		s.ws.close(closeNormal, "")
	} else {
		s.poll.finish(noopPoll)
	}
	s.setCloseDeadline()
	s.mu.Unlock()
	s.end()
}

// close ends the session after what was sent before, last and the closing packet
// have been delivered. A client that is between two polls receives them with the
// next. It reports whether the session was open.
func (s *connection) close(code uint16, reason string, last ...frame) bool {
	s.mu.Lock()
	if s.state != stateOpen {
		s.mu.Unlock()
		return false
	}
	if len(last) > 0 {
		s.out.write(last...)
	}
	s.state, s.reason = stateClosing, reason
	if s.ws != nil {
		s.ws.close(code, "") // without a reason, like Node's server; clients use the code
	} else {
		s.poll.finish(closePoll)
	}
	s.setCloseDeadline()
	s.mu.Unlock()
	s.end()
	return true
}

// expel ends a session because of an error of its client. A client with a
// WebSocket or an open poll receives the code and the reason; without an open
// poll the session is dropped, and the client's next request fails. It reports
// whether the session was open.
func (s *connection) expel(code uint16, reason string) bool {
	s.mu.Lock()
	reachable := s.ws != nil || (s.poll != nil && s.poll.pending != nil)
	s.mu.Unlock()
	if reachable {
		return s.close(code, reason)
	}
	return s.drop(reason)
}

// setCloseDeadline sets the time after which a closing session is dropped. Until
// then a pending upgrade may still complete, because its client may have stopped
// polling already. mu is held.
func (s *connection) setCloseDeadline() {
	if s.ws != nil {
		s.timer.Reset(s.engine.cfg.WriteTimeout + s.engine.cfg.LingerTime)
	} else {
		s.timer.Reset(s.engine.cfg.LingerTime)
	}
}

// drop ends the session at once. It reports whether the session was open.
func (s *connection) drop(reason string) bool {
	s.mu.Lock()
	before := s.state
	s.state = stateClosed
	if before == stateOpen {
		s.reason = reason
	}
	if before != stateClosed {
		if s.probe != nil {
			s.probe.drop()
		}
		if s.ws != nil {
			s.ws.drop()
		}
		if s.poll != nil {
			s.poll.abandon()
		}
		s.timer.Stop()
	}
	s.mu.Unlock()
	if before != stateClosed {
		s.engine.forget(s)
	}
	if before == stateOpen {
		s.end()
	}
	return before == stateOpen
}

// fail is called when a transport has broken.
func (s *connection) fail(w *wsConn, err error) {
	s.mu.Lock()
	current := s.ws == w
	if !current {
		w.drop()
	}
	s.mu.Unlock()
	if !current {
		return
	}
	if isTimeout(err) {
		s.tooSlow()
		return
	}
	s.drop(reasonTransportError)
}

// end notifies the protocol that the session has ended, after the message that
// is being handled.
func (s *connection) end() {
	s.cancel()
	go func() {
		s.handleMu.Lock()
		defer s.handleMu.Unlock()
		s.protoState.closed(s.reason)
		s.engine.ended.Done()
	}()
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// heartbeat detects clients that are no longer connected. Its timer fires to send
// a PING, and again PingTimeout later to check that something was received since.
type heartbeat struct {
	timer    *time.Timer
	waiting  bool        // a PING is unanswered
	received atomic.Bool // something was received since the last PING
	due      time.Time   // the deadline for an answer
	planned  time.Time   // the deadline if the PING had been sent in time

	unfinished atomic.Bool // attachments of a packet are missing
	overtime   bool        // unfinished was true at the last PING too
}
