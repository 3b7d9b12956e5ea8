package edge

import "time"

// noopDelay is how long a poll is held after a WebSocket has knocked before
// it is sent home with a NOOP. A client that goes on with the upgrade at once
// has no poll open, so nobody waits for this in vain.
const noopDelay = 20 * time.Millisecond

// polling is the sending half of a session on HTTP long-polling: packets wait
// here for the client's next GET. It is guarded by the session's lock.
type polling struct {
	out    []frame
	size   int
	held   *heldPoll // the GET that waits for packets
	posted bool      // a POST is being read
}

// heldPoll is a GET request that waits. Before ready is closed, frames is set,
// or left nil to end the request without packets.
type heldPoll struct {
	ready  chan struct{}
	frames []frame
}

// write queues frames and answers the GET that waits. false says that the
// queue is full.
func (p *polling) write(limit int, frames []frame) bool {
	for _, f := range frames {
		if p.size > 0 && p.size+len(f.wire) > limit {
			return false
		}
		p.out = append(p.out, f)
		p.size += len(f.wire)
	}
	p.answer()
	return true
}

// answer gives what is queued to the GET that waits.
func (p *polling) answer() {
	if p.held == nil || len(p.out) == 0 {
		return
	}
	p.held.frames = p.next()
	close(p.held.ready)
	p.held = nil
}

// idle says that no GET waits and no packet does.
func (p *polling) idle() bool { return p.held == nil && len(p.out) == 0 }

// next takes what one GET gets: everything, but the packet that ends the
// session comes alone. A client that finds it behind a DISCONNECT takes the
// one for the other and reconnects.
func (p *polling) next() []frame {
	frames := p.take()
	if n := len(frames); n > 1 && &frames[n-1].wire[0] == &closePoll.wire[0] {
		p.out = frames[n-1:]
		frames = frames[:n-1]
	}
	return frames
}

// take empties the queue.
func (p *polling) take() []frame {
	frames := p.out
	p.out, p.size = nil, 0
	return frames
}

// finish queues the last packet.
func (p *polling) finish(last frame) {
	p.out = append(p.out, last)
	p.answer()
}

// abandon forgets what is queued and sends the GET that waits away.
func (p *polling) abandon() {
	p.take()
	if p.held != nil {
		close(p.held.ready)
		p.held = nil
	}
}

// noopSoon sends the GET that waits home if the upgrade doesn't come through
// first. mu of the session is held.
func (s *session) noopSoon() {
	held := s.poll.held
	if held == nil || !s.probed {
		return
	}
	time.AfterFunc(noopDelay, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.poll != nil && s.poll.held == held && s.probed {
			s.poll.finish(noopPoll)
		}
	})
}
