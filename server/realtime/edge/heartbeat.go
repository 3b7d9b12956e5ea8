package edge

import "time"

// startHeartbeat starts the timer. It is called before anything is read from the
// client, so no PONG can arrive before the first PING.
func (s *connection) startHeartbeat() {
	cfg := &s.engine.cfg
	s.mu.Lock() // the timer may fire before it has been assigned
	defer s.mu.Unlock()
	s.due = time.Now().Add(cfg.PingInterval + cfg.PingTimeout)
	s.planned = s.due
	s.timer = time.AfterFunc(cfg.PingInterval, s.tick)
}

// tick sends a PING, or ends a session that has not answered the last one.
func (s *connection) tick() {
	cfg := &s.engine.cfg
	s.mu.Lock()
	if s.state != stateOpen {
		s.mu.Unlock()
		s.drop(reasonForced)
		return
	}
	if s.waiting && !s.received.Load() && !s.busy.Load() {
		if left := time.Until(s.due); left > 0 {
			// This firing raced with a PONG, which has set a later time.
			s.timer.Reset(left)
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		s.timeout()
		return
	}
	if s.unfinished.Load() {
		if s.overtime {
			s.mu.Unlock()
			s.closeMalformed(errMalformed)
			return
		}
		s.overtime = true
	} else {
		s.overtime = false
	}
	// If waiting is true here, there was no PONG, but the client has sent
	// something else, or a handler runs and nothing is read. Another PING is sent.
	//
	// The deadline is set before the PING is sent, because the answer may arrive
	// immediately.
	s.received.Store(false)
	s.due = time.Now().Add(cfg.PingTimeout)
	if s.waiting {
		s.planned = s.due
	}
	s.waiting = true
	s.timer.Reset(cfg.PingTimeout)
	ok := s.out.write(pingFrame)
	s.mu.Unlock()
	if !ok {
		s.tooSlow()
	}
}

// pong handles a PONG. It ignores one without a PING.
func (s *connection) pong() {
	cfg := &s.engine.cfg
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.waiting || s.state != stateOpen {
		return
	}
	s.waiting = false
	s.due = time.Now().Add(cfg.PingInterval + cfg.PingTimeout)
	s.planned = s.due
	s.timer.Reset(cfg.PingInterval)
}

// overdue ends a session whose deadline has passed although its timer has not
// fired yet, so that a late request is always refused. It reports whether the
// deadline has passed. If a PING was sent late because the server was busy, the
// client has the full PingTimeout to answer it, unless it has not even polled
// for the PING.
func (s *connection) overdue() bool {
	now := time.Now()
	s.mu.Lock()
	late := s.state == stateOpen && !s.busy.Load() && !s.received.Load() &&
		(!now.Before(s.due) || (s.poll != nil && len(s.poll.out) > 0 && !now.Before(s.planned)))
	s.mu.Unlock()
	if late {
		s.timeout()
	}
	return late
}

// timeout ends a session whose client did not answer in time.
func (s *connection) timeout() {
	if s.expel(closeNormal, reasonPingTimeout) {
		s.engine.counters.timedOut.Add(1)
	}
}
