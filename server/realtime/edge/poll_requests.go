package edge

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"
)

// serveGet answers a poll with the packets that are queued, or as soon as there
// are some.
func (s *connection) serveGet(w http.ResponseWriter, r *http.Request) {
	frames, ok := s.await(r)
	if !ok {
		refuse(w, errBadRequest)
		return
	}
	if err := s.engine.respond(w, appendPayload(nil, frames)); err != nil {
		s.drop(reasonTransportError)
	}
}

// await waits for packets. It returns false if this request gets none: the
// connection has ended, another poll is open, or the transport has changed.
func (s *connection) await(r *http.Request) ([]frame, bool) {
	if s.overdue() {
		return nil, false
	}
	s.mu.Lock()
	switch {
	case s.poll == nil || s.state == stateClosed:
		s.mu.Unlock()
		return nil, false
	case s.poll.pending != nil:
		s.mu.Unlock()
		s.overlap()
		return nil, false
	case len(s.poll.out) > 0:
		frames := s.poll.next()
		over := s.finished()
		s.mu.Unlock()
		if over {
			s.drop(reasonForced)
		}
		return frames, true
	}
	pending := &pendingPoll{ready: make(chan struct{})}
	s.poll.pending = pending
	s.noopSoon()
	s.mu.Unlock()

	select {
	case <-pending.ready:
	case <-r.Context().Done():
		s.drop(reasonTransportClose)
		return nil, false
	}
	if pending.frames == nil {
		return nil, false
	}
	s.mu.Lock()
	over := s.finished()
	s.mu.Unlock()
	if over {
		// The session ends before the answer is sent, so that the next request is refused.
		s.drop(reasonForced)
	}
	return pending.frames, true
}

// finished reports whether a closing session has nothing left to send. mu is
// pending.
func (s *connection) finished() bool {
	return s.state == stateClosing && s.poll != nil && s.poll.idle()
}

// overlap ends a session whose client sends two requests of one method at a
// time.
func (s *connection) overlap() {
	if s.expel(closeNormal, reasonTransportError) {
		s.engine.counters.malformed.Add(1)
	}
}

// servePost handles packets from a client. It answers when they have been
// handled, which is the backpressure. Packets for a session that is closing are
// dropped, as on a WebSocket; the client receives the end from its poll.
func (s *connection) servePost(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Type") == "application/octet-stream" {
		// Engine.IO 4 sends binary as base64.
		s.closeMalformed(errMalformed)
		refuse(w, errBadRequest)
		return
	}
	if s.overdue() || !s.beginPost() {
		if s.engine.closedByShutdown(s.id) {
			s.engine.dropPost(w, r)
		} else {
			refuse(w, errBadRequest)
		}
		return
	}
	defer s.endPost()
	body, failure := s.engine.readBody(w, r)
	if failure != nil {
		w.Header().Set("Connection", "close")
		refuse(w, *failure)
		// The client receives the reason before its poll ends.
		_ = http.NewResponseController(w).Flush() // on an error the session ends anyway
		// A packet is lost, so the session can't continue in order.
		s.expel(closeNormal, reasonTransportError)
		return
	}
	err := error(errMalformed)
	if utf8.Valid(body) {
		err = s.receivePayload(body)
	} else {
		s.closeMalformed(err)
	}
	if err != nil && !s.closes() {
		refuse(w, errBadRequest)
		return
	}
	acceptPost(w)
}

// dropPost answers a POST for a session that has been closed because the server
// stops. A client may send it until it has read the closing packet, so it is no
// error of the client; what is in it is dropped.
func (e *Engine) dropPost(w http.ResponseWriter, r *http.Request) {
	if _, failure := e.readBody(w, r); failure != nil {
		w.Header().Set("Connection", "close")
		refuse(w, *failure)
		return
	}
	acceptPost(w)
}

func acceptPost(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html")
	io.WriteString(w, "ok")
}

// beginPost marks the session's one POST as open. It returns false, and ends the
// connection, if another POST is open.
func (s *connection) beginPost() bool {
	s.mu.Lock()
	if s.poll == nil || s.state == stateClosed {
		s.mu.Unlock()
		return false
	}
	again := s.poll.posted
	s.poll.posted = true
	s.mu.Unlock()
	if again {
		s.overlap()
	}
	return !again
}

// closes reports whether the session is closing, or was closed by a server that
// stops: a request that was sent at the same time is no error of the client.
func (s *connection) closes() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == stateClosing || s.reason == reasonShutdown
}

// closedByShutdown reports whether the session was closed by a server that stops.
func (s *connection) closedByShutdown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason == reasonShutdown
}

func (s *connection) endPost() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll != nil {
		s.poll.posted = false
	}
}

// readBody reads a polling body. It enforces the limits of size, time, and
// memory of all bodies together.
func (e *Engine) readBody(w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	if r.ContentLength > e.cfg.MaxPayload {
		return nil, &errBodyTooBig
	}
	control := http.NewResponseController(w)
	control.SetReadDeadline(time.Now().Add(e.cfg.BodyTimeout))
	defer control.SetReadDeadline(time.Time{})
	limited := http.MaxBytesReader(w, r.Body, e.cfg.MaxPayload)

	taken := int64(0)
	defer func() { e.bodies.Add(-taken) }()
	var body bytes.Buffer
	if r.ContentLength > 0 {
		body.Grow(int(min(r.ContentLength, firstChunk)) + bytes.MinRead)
	}
	chunk := make([]byte, 4<<10)
	for {
		n, err := limited.Read(chunk)
		taken += int64(n)
		if e.bodies.Add(int64(n)) > e.cfg.BodyMemory {
			return nil, &errBusy
		}
		body.Write(chunk[:n])
		var tooBig *http.MaxBytesError
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return body.Bytes(), nil
		case errors.As(err, &tooBig):
			return nil, &errBodyTooBig
		case isTimeout(err):
			return nil, &errBodyTimeout
		default:
			return nil, &errBadRequest
		}
	}
}

// respond sends a payload. It fails if the client does not read it within WriteTimeout.
func (e *Engine) respond(w http.ResponseWriter, payload []byte) error {
	control := http.NewResponseController(w)
	control.SetWriteDeadline(time.Now().Add(e.cfg.WriteTimeout))
	defer control.SetWriteDeadline(time.Time{})
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=UTF-8")
	h.Set("Content-Length", strconv.Itoa(len(payload)))
	h.Set("Cache-Control", "no-store")
	if _, err := w.Write(payload); err != nil {
		return err
	}
	if err := control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
