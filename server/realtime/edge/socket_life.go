package edge

import (
	"context"
	"slices"
)

// join lets the handler judge a CONNECT and tells the verdict to next, which
// answers the client.
func (s *Socket) join(next func(error)) {
	ss := s.session
	defer ss.engine.ended.Done()
	ctx, cancel := context.WithTimeout(ss.ctx, ss.engine.cfg.ConnectTimeout)
	err := s.namespace.connect(ctx, s)
	cancel()

	// On the lane, so that neither an event nor the end of the session comes
	// between the verdict and what follows from it.
	ss.lane.Lock()
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
	ss.lane.Unlock()
	next(err)
}

// end takes a socket that had joined out of everything and tells the handler.
// The lane is held.
func (s *Socket) end(reason string) {
	s.session.mu.Lock()
	s.ended = true
	s.waiting = nil
	s.session.mu.Unlock()
	s.leaveAll()
	s.namespace.rooms.exit(s)
	s.namespace.server.engine.counters.sockets.Add(-1)
	s.namespace.disconnect(s, reason)
}
