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

// ErrClosed says that the connection has ended: nothing was sent.
var ErrClosed = errors.New("connection closed")

// errMalformed says that a client sent something that it must not.
var errMalformed = errors.New("parse error")

// Reasons for which a session ends, in the words of Socket.IO.
const (
	reasonTransportClose = "transport close"
	reasonTransportError = "transport error"
	reasonPingTimeout    = "ping timeout"
	reasonParseError     = "parse error"
	reasonTooSlow        = "transport too slow"
	reasonKicked         = "server namespace disconnect"
	reasonLeft           = "client namespace disconnect"
	reasonShutdown       = "server shutting down"
	reasonForced         = "forced server close"
)

// protocol is what speaks over sessions: Socket.IO, or something simpler.
type protocol interface {
	// open returns what speaks over a session, before anything is read from it.
	open(*session) speaker
}

// speaker is a protocol over one session.
type speaker interface {
	// message is called for one message at a time, in order of arrival. The
	// data belongs to the callee. An error closes the session.
	message(data []byte, binary bool) error
	// closed is called once, after the last call of message has returned.
	closed(reason string)
}

const (
	stateOpen    = iota
	stateClosing // what was sent still goes out, nothing comes in
	stateClosed
)

// session is an Engine.IO session: what outlives a change of transport.
//
// Two locks: lane is held while a message is being handled, so that messages
// are handled one at a time whichever transport they came by; mu guards
// sending and state, is held for moments only and never while a handler runs.
type session struct {
	engine *Engine
	id     string
	peer   peer
	ctx    context.Context
	cancel context.CancelFunc

	lane sync.Mutex
	busy atomic.Bool // a message is being handled
	up   speaker     // set before anything is read

	mu     sync.Mutex
	state  int
	reason string   // why it ended; set once, when it is no longer open
	ws     *wsConn  // the transport, or nil while polling
	poll   *polling // the transport, or nil after the upgrade
	probe  *wsConn  // the WebSocket that wants to become the transport
	probed bool     // and has been answered

	heartbeat
}

func newSession(e *Engine, p peer) *session {
	var raw [18]byte
	rand.Read(raw[:])
	s := &session{engine: e, id: base64.RawURLEncoding.EncodeToString(raw[:]), peer: p}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// send sends frames in order, without waiting. The error is ErrClosed when
// the session is ending or has just been found too slow.
func (s *session) send(frames ...frame) error {
	s.mu.Lock()
	if s.state != stateOpen {
		s.mu.Unlock()
		return ErrClosed
	}
	ok := s.write(frames)
	s.mu.Unlock()
	if !ok {
		s.tooSlow()
		return ErrClosed
	}
	return nil
}

// write hands frames to the transport. mu is held. false says that the
// client is too slow.
func (s *session) write(frames []frame) bool {
	if s.ws != nil {
		return s.ws.write(frames...)
	}
	return s.poll.write(s.engine.cfg.SendQueue, frames)
}

func (s *session) tooSlow() {
	if s.drop(reasonTooSlow) {
		s.engine.counters.slowClosed.Add(1)
	}
}

// transport is the name of the current transport.
func (s *session) transport() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ws != nil {
		return "websocket"
	}
	return "polling"
}

// receive handles one Engine.IO packet. It waits while another one is being
// handled. An error has closed the session.
func (s *session) receive(data []byte, binary bool) error {
	s.enter()
	defer s.exit()
	return s.packet(data, binary)
}

// receivePayload handles the packets of a polling body in order.
func (s *session) receivePayload(body []byte) error {
	s.enter()
	defer s.exit()
	for more := true; more; {
		var data []byte
		var binary bool
		var err error
		data, binary, body, more, err = nextPacket(body)
		if err != nil {
			return s.judge(err)
		}
		if err := s.packet(data, binary); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) enter() {
	s.lane.Lock()
	s.busy.Store(true)
}

func (s *session) exit() {
	s.busy.Store(false)
	s.lane.Unlock()
}

// packet handles one Engine.IO packet. The lane is held.
func (s *session) packet(data []byte, binary bool) error {
	if s.ctx.Err() != nil {
		return ErrClosed
	}
	s.heard.Store(true)
	if binary {
		return s.judge(s.up.message(data, true))
	}
	if len(data) == 0 {
		return s.judge(errMalformed)
	}
	switch data[0] {
	case '4':
		return s.judge(s.up.message(data[1:], false))
	case '3':
		s.pong()
	case '1':
		s.leave()
	case '6':
	default:
		return s.judge(errMalformed)
	}
	return nil
}

// judge closes the session when what came in was malformed.
func (s *session) judge(err error) error {
	if err != nil && s.expel(closeInvalid, reasonParseError) {
		s.engine.counters.malformed.Add(1)
	}
	return err
}

// leave follows the client's wish to end the session. A poll that is waiting
// gets a NOOP, and if it is still on its way, it finds it.
func (s *session) leave() {
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
	s.rest()
	s.mu.Unlock()
	s.end()
}

// close ends the session in good order: what was sent before reaches the
// client, then the closing packet does. A client that is between two polls gets
// them from the next. It reports whether the session was open.
func (s *session) close(code uint16, reason string, last ...frame) bool {
	s.mu.Lock()
	if s.state != stateOpen {
		s.mu.Unlock()
		return false
	}
	if len(last) > 0 {
		s.write(last)
	}
	s.state, s.reason = stateClosing, reason
	if s.ws != nil {
		s.ws.close(code, "") // as Node's server does; clients know by the code
	} else {
		s.poll.finish(closePoll)
	}
	s.rest()
	s.mu.Unlock()
	s.end()
	return true
}

// expel ends a session because of what its client did or failed to do. A client
// with a WebSocket or an open poll gets the code and the reason; for a client
// that is not polling at the moment the session is unknown from now on. It
// reports whether the session was open.
func (s *session) expel(code uint16, reason string) bool {
	s.mu.Lock()
	listens := s.ws != nil || (s.poll != nil && s.poll.held != nil)
	s.mu.Unlock()
	if listens {
		return s.close(code, reason)
	}
	return s.drop(reason)
}

// rest gives a closing session a last term, after which it is dropped
// whatever it still waits for. A WebSocket that knocks may still come through:
// its client may have stopped polling for it already. mu is held.
func (s *session) rest() {
	if s.ws != nil {
		s.timer.Reset(s.engine.cfg.WriteTimeout + s.engine.cfg.LingerTime)
	} else {
		s.timer.Reset(s.engine.cfg.LingerTime)
	}
}

// drop ends the session at once. It reports whether the session was open.
func (s *session) drop(reason string) bool {
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
func (s *session) fail(w *wsConn, err error) {
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

// end tells everyone above that the session is over, once the message that
// is being handled is done with.
func (s *session) end() {
	s.cancel()
	go func() {
		s.lane.Lock()
		defer s.lane.Unlock()
		s.up.closed(s.reason)
		s.engine.ended.Done()
	}()
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// heartbeat is the part of a session that watches whether the client is
// there. One timer does both halves: it fires to send a PING, and again to
// see whether anything was heard since.
type heartbeat struct {
	timer   *time.Timer
	waiting bool        // a PING is unanswered
	heard   atomic.Bool // something came in since the last PING
	due     time.Time   // when an unanswered client counts as gone
	planned time.Time   // and when it would have, had the PING gone out in time

	unfinished atomic.Bool // a packet waits for its attachments
	overtime   bool        // and has since the last PING
}
