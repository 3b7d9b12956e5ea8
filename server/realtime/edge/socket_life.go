package edge

import (
	"context"
	"slices"
)

// join calls Handler.Connect and passes its error to next, which answers the
// client.
func (s *Socket) join(next func(error)) {
	ss := s.conn
	defer ss.engine.ended.Done()
	ctx, cancel := context.WithTimeout(ss.ctx, ss.engine.cfg.ConnectTimeout)
	err := s.namespace.connect(ctx, s)
	cancel()

	// With handleMu held, so that neither an event nor the end of the session is
	// handled before the result of Connect is applied.
	ss.handleMu.Lock()
	ss.mu.Lock()
	joined := err == nil && ss.state == stateOpen
	reason := ss.reason
	if joined {
		s.phase = phaseJoined
	} else {
		s.ended = true
		s.waiting = nil
		if i := slices.Index(s.client.sockets, s); i >= 0 {
			s.client.sockets = slices.Delete(s.client.sockets, i, i+1)
		}
	}
	ss.mu.Unlock()
	switch {
	case joined:
		s.namespace.rooms.enter(s)
		s.namespace.server.engine.counters.sockets.Add(1)
	case err == nil:
		s.leaveAll()
		s.namespace.disconnect(s, reason)
	default:
		s.leaveAll()
	}
	ss.handleMu.Unlock()
	next(err)
}

// end removes a socket that had joined from all rooms and calls
// Handler.Disconnect. handleMu is held.
func (s *Socket) end(reason string) {
	s.conn.mu.Lock()
	s.ended = true
	s.waiting = nil
	s.conn.mu.Unlock()
	s.leaveAll()
	s.namespace.rooms.exit(s)
	s.namespace.server.engine.counters.sockets.Add(-1)
	s.namespace.disconnect(s, reason)
}
