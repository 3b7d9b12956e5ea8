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

// serveGet answers a poll: with the packets that wait, or as soon as there
// are some.
func (s *session) serveGet(w http.ResponseWriter, r *http.Request) {
	frames, ok := s.await(r)
	if !ok {
		refuse(w, errBadRequest)
		return
	}
	if err := s.engine.respond(w, appendPayload(nil, frames)); err != nil {
		s.drop(reasonTransportError)
	}
}

// await waits for packets. false says that this request gets none: the
// session is over, polls by another request, or has changed its transport.
func (s *session) await(r *http.Request) ([]frame, bool) {
	if s.overdue() {
		return nil, false
	}
	s.mu.Lock()
	switch {
	case s.poll == nil || s.state == stateClosed:
		s.mu.Unlock()
		return nil, false
	case s.poll.held != nil:
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
	held := &heldPoll{ready: make(chan struct{})}
	s.poll.held = held
	s.noopSoon()
	s.mu.Unlock()

	select {
	case <-held.ready:
	case <-r.Context().Done():
		s.drop(reasonTransportClose)
		return nil, false
	}
	if held.frames == nil {
		return nil, false
	}
	s.mu.Lock()
	over := s.finished()
	s.mu.Unlock()
	if over {
		// Gone before the answer is out: the next request finds nothing.
		s.drop(reasonForced)
	}
	return held.frames, true
}

// finished says that a closing session has nothing left for a poll. mu is
// held.
func (s *session) finished() bool {
	return s.state == stateClosing && s.poll != nil && s.poll.idle()
}

// overlap ends a session whose client sends two requests at a time where only
// one may be.
func (s *session) overlap() {
	if s.expel(closeNormal, reasonTransportError) {
		s.engine.counters.malformed.Add(1)
	}
}

// servePost takes packets from a client. The answer comes when they have been
// handled: this is the back-pressure. What comes while the session is closing
// is dropped, as on a WebSocket; the client gets the end from its poll.
func (s *session) servePost(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Type") == "application/octet-stream" {
		// Engine.IO 4 sends binary as base64.
		s.judge(errMalformed)
		refuse(w, errBadRequest)
		return
	}
	if s.overdue() || !s.beginPost() {
		if s.engine.hasParted(s.id) {
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
		// The client learns why before its poll ends.
		_ = http.NewResponseController(w).Flush() // a connection that fails here ends with the session
		// A packet is missing, and order with it.
		s.expel(closeNormal, reasonTransportError)
		return
	}
	err := error(errMalformed)
	if utf8.Valid(body) {
		err = s.receivePayload(body)
	} else {
		s.judge(err)
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

// beginPost takes the place of the one POST that a session may have.
func (s *session) beginPost() bool {
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
// stops: a request that was on its way meanwhile is no error of the client.
func (s *session) closes() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == stateClosing || s.reason == reasonShutdown
}

// parted reports whether the session was closed by a server that stops.
func (s *session) parted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason == reasonShutdown
}

func (s *session) endPost() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll != nil {
		s.poll.posted = false
	}
}

// readBody reads a polling body within the limits of size, time, and of what
// all bodies together may take.
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

// respond sends a payload, and gives up on a client that doesn't read it.
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
