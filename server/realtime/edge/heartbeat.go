package edge

import "time"

// startHeartbeat arms the timer. Nothing has been read from the client yet,
// so no answer can come before its question.
func (s *session) startHeartbeat() {
	cfg := &s.engine.cfg
	s.mu.Lock() // the timer may fire before it has been assigned
	defer s.mu.Unlock()
	s.due = time.Now().Add(cfg.PingInterval + cfg.PingTimeout)
	s.planned = s.due
	s.timer = time.AfterFunc(cfg.PingInterval, s.tick)
}

// tick is the timer's function.
func (s *session) tick() {
	cfg := &s.engine.cfg
	s.mu.Lock()
	if s.state != stateOpen {
		s.mu.Unlock()
		s.drop(reasonForced)
		return
	}
	if s.waiting && !s.heard.Load() && !s.busy.Load() {
		if left := time.Until(s.due); left > 0 {
			// A firing that was overtaken by a PONG, and so by another PING.
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
			s.judge(errMalformed)
			return
		}
		s.overtime = true
	} else {
		s.overtime = false
	}
	// Waiting still means: no PONG, but the client speaks, or it is we who
	// don't listen because a handler is at work. It is asked again.
	//
	// The time is set before the PING is sent: an answer, however quick,
	// finds it.
	s.heard.Store(false)
	s.due = time.Now().Add(cfg.PingTimeout)
	if s.waiting {
		s.planned = s.due
	}
	s.waiting = true
	s.timer.Reset(cfg.PingTimeout)
	ok := s.write([]frame{pingFrame})
	s.mu.Unlock()
	if !ok {
		s.tooSlow()
	}
}

// pong takes the client's answer. One that nobody asked for changes nothing.
func (s *session) pong() {
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

// overdue ends a session whose time is over although the timer has not fired
// yet, so that a request that comes late is late. A PING that went out late,
// because the machine was busy, gives the client its full time to answer;
// not so one that it hasn't even fetched.
func (s *session) overdue() bool {
	now := time.Now()
	s.mu.Lock()
	late := s.state == stateOpen && !s.busy.Load() && !s.heard.Load() &&
		(!now.Before(s.due) || (s.poll != nil && len(s.poll.out) > 0 && !now.Before(s.planned)))
	s.mu.Unlock()
	if late {
		s.timeout()
	}
	return late
}

// timeout ends a session from which nothing was heard.
func (s *session) timeout() {
	if s.expel(closeNormal, reasonPingTimeout) {
		s.engine.counters.timedOut.Add(1)
	}
}
